//! The XAdES signature of a DMP lot: a detached `ds:Signature` over a Manifest of the documents.
//!
//! Written as DMP clients do: XAdES 1.1.1, SignedInfo over the Manifest and the SignedProperties, the lot
//! itself named in the Manifest with a digest that says nothing. Core validation does not follow a Manifest:
//! its digests are checked here, against the documents that came. Order: words, writing, verifying.
//!
//! Source: IHE ITI TF-3 §5.5 (Document Digital Signature), CI-SIS Partage de documents de santé, XAdES 1.1.1
//! (ETSI TS 101 903 v1.1.1).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use roxmltree::{Document, Node};

use super::algorithm::DigestMethod;
use super::certificate::Leaf;
use super::core::{NS_DS, Reference, Signature, base64_of, resolve};
use super::{Algorithm, Method, Policy, SignError, SignatureError, Signer, Trust, sign};
use crate::c14n::{Canonical, INCLUSIVE_WITH_COMMENTS};
use crate::tree::NodeExt;
use crate::write::Writer;
use crate::{Limits, XmlError, decode, parse};

/// Namespace of XAdES 1.1.1, which is written.
pub const NS_XADES_111: &str = "http://uri.etsi.org/01903/v1.1.1#";
/// Namespaces that are read.
const NS_XADES: [&str; 3] = [NS_XADES_111, "http://uri.etsi.org/01903/v1.2.2#", "http://uri.etsi.org/01903/v1.3.2#"];
const MANIFEST: &str = "http://www.w3.org/2000/09/xmldsig#Manifest";
const MANIFEST_ID: &str = "IHEManifest";
const PROPERTIES_ID: &str = "S0-SignedProperties";
/// "Source": the purpose of the signature (ASTM E1762, IHE ITI TF-3 §5.5).
const PURPOSE: &str = "1.2.840.10065.1.12.1.14";
/// A signature lists at most a few hundred documents.
const LIMITS: Limits = Limits { bytes: 2 << 20, ..Limits::ENVELOPE };
/// The lot is named, not digested: it has no bytes of its own.
const NO_DIGEST: &str = "AA==";

/// A document of the lot.
#[derive(Debug, Clone, Copy)]
pub struct LotDocument<'a> {
    /// `uniqueId` of the DocumentEntry, without `urn:oid:`.
    pub unique_id: &'a str,
    /// Its bytes.
    pub content: Content<'a>,
}

/// How a document is digested when signing; when verifying, the signature says how.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// XML: after Canonical XML 1.0 with comments.
    Xml(&'a [u8]),
    /// XML that the caller has parsed from these bytes: the same digest, without parsing again.
    Parsed {
        /// As they travel.
        bytes: &'a [u8],
        /// Parsed from exactly these bytes.
        tree: &'a Document<'a>,
    },
    /// Anything else: its bytes.
    Binary(&'a [u8]),
}

impl<'a> Content<'a> {
    /// The bytes, whichever it is.
    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        match self {
            Self::Xml(bytes) | Self::Parsed { bytes, .. } | Self::Binary(bytes) => bytes,
        }
    }

    fn canonical_digest(self, digest: DigestMethod, how: &Canonical) -> Result<Vec<u8>, XmlError> {
        if let Self::Parsed { tree, .. } = self {
            return Ok(digest.of_pieces(|sink| how.write(tree.root(), sink)));
        }
        let text = decode(self.bytes(), &Limits::CDA)?;
        let document = parse(&text, &Limits::CDA)?;
        Ok(digest.of_pieces(|sink| how.write(document.root(), sink)))
    }
}

/// What to sign.
#[derive(Debug, Clone, Copy)]
pub struct LotToSign<'a> {
    /// `uniqueId` of the SubmissionSet, without `urn:oid:`.
    pub submission_set: &'a str,
    /// `Id` of the signature: a name that XML allows, so not a bare OID.
    pub signature_id: &'a str,
    /// The documents, in order.
    pub documents: &'a [LotDocument<'a>],
    /// When it is signed.
    pub signing_time: Timestamp,
    /// How.
    pub algorithm: Algorithm,
}

/// A lot whose signature and digests were checked.
#[derive(Debug, Clone)]
pub struct Lot {
    /// Certificate of the signer, DER; accepted by the caller's [`Trust`].
    pub certificate: Vec<u8>,
    /// The other certificates that came, DER.
    pub chain: Vec<Vec<u8>>,
    /// `SigningTime`, when it is a readable time.
    pub signing_time: Option<Timestamp>,
    /// How it is signed.
    pub method: Method,
    /// uniqueId and digest of each document.
    pub references: Vec<(String, Vec<u8>)>,
}

/// Signs a lot. The text is the content of the signature's own DocumentEntry.
///
/// # Errors
/// [`SignError::Xml`] when a document of kind XML is none, else as [`sign`].
pub fn write_lot(lot: &LotToSign<'_>, signer: &Signer) -> Result<String, SignError> {
    let mut w = Writer::document();
    w.open("ds:Signature").ns("ds", NS_DS).attr("Id", lot.signature_id);
    write_signed_info(&mut w, lot.algorithm);
    w.leaf("ds:SignatureValue", "");
    w.open("ds:KeyInfo").open("ds:X509Data").leaf("ds:X509Certificate", "").close().close();
    let target = format!("#{}", lot.signature_id);
    w.open("ds:Object").open("ds:SignatureProperties");
    w.open("ds:SignatureProperty").attr("Id", "purposeOfSignature").attr("Target", &target).text(PURPOSE).close();
    w.close().close();
    write_manifest(&mut w, lot)?;
    write_properties(&mut w, lot, &target, signer)?;
    sign(&w.finish(), signer)
}

fn write_signed_info(w: &mut Writer, algorithm: Algorithm) {
    w.open("ds:SignedInfo");
    w.open("ds:CanonicalizationMethod").attr("Algorithm", INCLUSIVE_WITH_COMMENTS).close();
    w.open("ds:SignatureMethod").attr("Algorithm", algorithm.uri()).close();
    let properties = format!("{NS_XADES_111}SignedProperties");
    for (kind, id) in [(MANIFEST, MANIFEST_ID), (&properties, PROPERTIES_ID)] {
        w.open("ds:Reference").attr("Type", kind).attr("URI", &format!("#{id}"));
        write_digest(w, algorithm.digest(), true, "");
    }
    w.close();
}

/// The content of a Reference, and its end.
fn write_digest(w: &mut Writer, digest: DigestMethod, canonicalised: bool, value: &str) {
    if canonicalised {
        w.open("ds:Transforms").open("ds:Transform").attr("Algorithm", INCLUSIVE_WITH_COMMENTS).close().close();
    }
    w.open("ds:DigestMethod").attr("Algorithm", digest.uri()).close();
    w.leaf("ds:DigestValue", value).close();
}

fn write_manifest(w: &mut Writer, lot: &LotToSign<'_>) -> Result<(), SignError> {
    let digest = lot.algorithm.digest();
    w.open("ds:Object").open("ds:Manifest").attr("Id", MANIFEST_ID);
    w.open("ds:Reference").attr("URI", &format!("urn:oid:{}", lot.submission_set));
    write_digest(w, digest, false, NO_DIGEST);
    for document in lot.documents {
        w.open("ds:Reference").attr("URI", &format!("urn:oid:{}", document.unique_id));
        let (canonicalised, value) = match document.content {
            Content::Binary(bytes) => (false, digest.of_bytes(bytes)),
            xml => (true, xml.canonical_digest(digest, &Canonical { comments: true, ..Canonical::default() })?),
        };
        write_digest(w, digest, canonicalised, &STANDARD.encode(value));
    }
    w.close().close();
    Ok(())
}

fn write_properties(w: &mut Writer, lot: &LotToSign<'_>, target: &str, signer: &Signer) -> Result<(), SignError> {
    let leaf = Leaf::parse(signer.certificate()).ok_or(SignError::Key)?;
    let digest = lot.algorithm.digest();
    w.open("ds:Object");
    w.open("xad:QualifyingProperties").ns("xad", NS_XADES_111).attr("Target", target);
    w.open("xad:SignedProperties").attr("Id", PROPERTIES_ID).open("xad:SignedSignatureProperties");
    w.leaf("xad:SigningTime", &lot.signing_time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    w.open("xad:SigningCertificate").open("xad:Cert").open("xad:CertDigest");
    w.open("xad:DigestMethod").attr("Algorithm", digest.uri()).close();
    w.leaf("xad:DigestValue", &STANDARD.encode(digest.of_bytes(signer.certificate()))).close();
    w.open("xad:IssuerSerial");
    w.leaf("ds:X509IssuerName", &leaf.issuer()).leaf("ds:X509SerialNumber", &leaf.serial());
    w.close().close().close();
    w.open("xad:SignaturePolicyIdentifier").leaf("xad:SignaturePolicyImplied", "").close();
    w.close().leaf("xad:SignedDataObjectProperties", "");
    Ok(())
}

/// Checks the signature of a lot against what came with it: the SubmissionSet that it names, and each
/// document under its uniqueId, none missing and none more.
///
/// `trust` decides on the certificate before its key is used.
///
/// # Errors
/// [`SignatureError`], with the step that failed.
pub fn verify_lot(
    signature_xml: &[u8],
    submission_set: &str,
    documents: &[LotDocument<'_>],
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<Lot, SignatureError> {
    let text = decode(signature_xml, &LIMITS)?;
    let document = parse(&text, &LIMITS)?;
    let node = document.root_element();
    let found = document.descendants().filter(|n| n.is(Some(NS_DS), "Signature")).count();
    if found != 1 || !node.is(Some(NS_DS), "Signature") {
        return Err(SignatureError::SignatureCount { found });
    }
    let signature = Signature::read(node, policy)?;
    let manifest = signed_object(&document, &signature, |n| n.is(Some(NS_DS), "Manifest"), "Manifest")?;
    let properties = signed_object(&document, &signature, is_signed_properties, "SignedProperties")?;
    trust(&signature.certificates.leaf, &signature.certificates.others).map_err(SignatureError::Trust)?;
    signature.verify_value()?;
    for reference in &signature.references {
        if !reference.fits_node(resolve(&document, reference.uri)?, node)? {
            return Err(SignatureError::Digest("a signed part of the signature"));
        }
    }
    check_certificate(properties, &signature.certificates.leaf, policy)?;
    let references = check_manifest(manifest, submission_set, documents, policy)?;
    Ok(Lot {
        signing_time: signing_time(properties),
        method: signature.method,
        certificate: signature.certificates.leaf,
        chain: signature.certificates.others,
        references,
    })
}

/// The one element of a kind that SignedInfo refers to. It must stand in an Object of this signature: the
/// document has no other content.
fn signed_object<'a>(
    document: &'a Document<'a>,
    signature: &Signature<'a>,
    is_wanted: impl Fn(Node<'a, 'a>) -> bool,
    name: &'static str,
) -> Result<Node<'a, 'a>, SignatureError> {
    let mut wanted = document.descendants().filter(|node| is_wanted(*node));
    let (Some(node), None) = (wanted.next(), wanted.next()) else {
        return Err(SignatureError::Structure(name));
    };
    let in_object = node.ancestors().any(|ancestor| ancestor.is(Some(NS_DS), "Object"));
    let mut targets = Vec::with_capacity(signature.references.len());
    for reference in &signature.references {
        targets.push(resolve(document, reference.uri)?);
    }
    if !in_object || !targets.contains(&node) {
        return Err(SignatureError::Structure(name));
    }
    Ok(node)
}

fn is_signed_properties(node: Node<'_, '_>) -> bool {
    NS_XADES.iter().any(|namespace| node.is(Some(namespace), "SignedProperties"))
}

/// The certificate that XAdES binds is the one in KeyInfo (XAdES §7.2.2).
fn check_certificate(properties: Node<'_, '_>, leaf: &[u8], policy: &Policy) -> Result<(), SignatureError> {
    let ns = properties.tag_name().namespace();
    let certificates = properties
        .path(ns, &["SignedSignatureProperties", "SigningCertificate"])
        .ok_or(SignatureError::Structure("SigningCertificate"))?;
    let fits = |cert: Node<'_, '_>| {
        let digest = cert.child(ns, "CertDigest")?;
        let part = |name| digest.child(ns, name).or_else(|| digest.child(Some(NS_DS), name));
        let uri = part("DigestMethod")?.attribute("Algorithm")?;
        let method = DigestMethod::of_uri(uri).filter(|method| method.is_accepted(policy))?;
        (method.of_bytes(leaf) == base64_of(part("DigestValue")?)?).then_some(())
    };
    let mut certs = certificates.children_named(ns, "Cert");
    certs.any(|cert| fits(cert).is_some()).then_some(()).ok_or(SignatureError::Digest("the signing certificate"))
}

fn signing_time(properties: Node<'_, '_>) -> Option<Timestamp> {
    let ns = properties.tag_name().namespace();
    properties.path(ns, &["SignedSignatureProperties", "SigningTime"])?.trimmed_text().parse().ok()
}

/// Each document has exactly one reference, whose digest fits; the lot is named; nothing else is.
fn check_manifest(
    manifest: Node<'_, '_>,
    submission_set: &str,
    documents: &[LotDocument<'_>],
    policy: &Policy,
) -> Result<Vec<(String, Vec<u8>)>, SignatureError> {
    let mut lot_is_named = false;
    let mut fitting: Vec<(String, Vec<u8>)> = Vec::new();
    for node in manifest.child_elements() {
        let id = unique_id(node)?;
        if id == submission_set {
            lot_is_named = true;
            continue;
        }
        let document = documents
            .iter()
            .find(|document| document.unique_id == id)
            .ok_or(SignatureError::Lot("a document is signed that did not come"))?;
        if fitting.iter().any(|(known, _)| known == id) {
            return Err(SignatureError::Lot("a document is signed twice"));
        }
        let reference = Reference::read(node, policy)?;
        if !fits_document(&reference, document.content)? {
            return Err(SignatureError::Digest("a document of the lot"));
        }
        fitting.push((id.to_owned(), reference.value));
    }
    if !lot_is_named {
        return Err(SignatureError::Lot("the SubmissionSet is not the signed one"));
    }
    if fitting.len() != documents.len() {
        return Err(SignatureError::Lot("a document came that is not signed"));
    }
    Ok(fitting)
}

/// `urn:oid:` of a Manifest's Reference; some write the OID alone.
fn unique_id<'a>(node: Node<'a, 'a>) -> Result<&'a str, SignatureError> {
    let uri = node.attribute("URI").filter(|_| node.is(Some(NS_DS), "Reference"));
    let uri = uri.ok_or(SignatureError::Structure("Manifest"))?;
    Ok(uri.strip_prefix("urn:oid:").unwrap_or(uri))
}

fn fits_document(reference: &Reference<'_>, content: Content<'_>) -> Result<bool, SignatureError> {
    let digest = match &reference.transforms[..] {
        [] => reference.digest.of_bytes(content.bytes()),
        [transform] => {
            let how = transform.canonical().ok_or(SignatureError::Algorithm("Transform"))?;
            content.canonical_digest(reference.digest, &how)?
        }
        _ => return Err(SignatureError::Structure("Transforms")),
    };
    Ok(digest == reference.value)
}
