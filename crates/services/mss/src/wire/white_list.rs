//! The liste blanche as XML: read only when its signature is right, written signed.
//!
//! The format has no published schema; this is the one of the national file of 28/02/2025, of which every entry
//! has the same six children. Its signature is enveloped, over the whole document, by exclusive canonicalisation,
//! RSA-SHA256, with one certificate inline; no other profile is taken. Order: reading, the signature, writing.
//!
//! Absent on purpose: a way to read a list without its signature. A copy that is published elsewhere is unsigned, and not
//! even well-formed.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use ring::digest::{SHA256, digest};
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls_pki_types::CertificateDer;
use socle_identity::{Domain, Environment};
use socle_trust::chain::{self, Usage};
use socle_trust::{Anchors, Credentials, DistinguishedName};
use socle_xml::c14n::Canonical;
use socle_xml::roxmltree::{Document, Node};
use socle_xml::signature::Trust;
use socle_xml::write::escaped;
use socle_xml::{Limits, NodeExt as _, XmlError};

use crate::model::WhiteList;

const NS: &str = "https://listeblanche.mssante.fr/schema";
const NS_DS: &str = "http://www.w3.org/2000/09/xmldsig#";
const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const DIGEST: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// The common name of the certificate that signs the national list.
pub const NATIONAL_SIGNER: &str = "alb.mssante.fr";

/// Why a certificate is not trusted, as [`Trust`] says it.
pub type Untrusted = Box<dyn std::error::Error + Send + Sync>;

/// A list whose signature was right.
#[derive(Debug, Clone)]
pub struct SignedList {
    /// The domains.
    pub list: WhiteList,
    /// When it was made: one older than some days is a reason for an alarm (the interval at which operators must
    /// refresh it is not published).
    pub generated_at: Timestamp,
    /// Entries that were left out, so that nobody writes to them: not a domain, not a name, or of another
    /// environment.
    pub left_out: usize,
}

/// Reads a list of `environment`, signed by a certificate that `trust` accepts (see [`signed_by`]).
///
/// # Errors
/// [`WhiteListError`]; no domain of a list that is refused may be written to.
pub fn read(bytes: &[u8], environment: Environment, trust: &Trust<'_>) -> Result<SignedList, WhiteListError> {
    let text = socle_xml::decode(bytes, &Limits::default())?;
    let document = socle_xml::parse(&text, &Limits::default())?;
    let root = document.root_element();
    if !root.is(Some(NS), "ListeBlancheMSSante") {
        return Err(WhiteListError::Form("the root is not ListeBlancheMSSante"));
    }
    verify(&document, root, trust)?;
    let date = root.child(Some(NS), "DateDeGeneration").map(|node| node.trimmed_text());
    let generated_at = date.and_then(|date| date.parse().ok()).ok_or(WhiteListError::Form("DateDeGeneration"))?;
    let domains = root.child(Some(NS), "ListeDomaines").ok_or(WhiteListError::Form("ListeDomaines"))?;
    let mut left_out = 0;
    let entries = domains.children_named(Some(NS), "Domaine").filter_map(|node| {
        let entry = entry(node).filter(|(domain, _)| domain.admit_in(environment).is_ok());
        left_out += usize::from(entry.is_none());
        entry
    });
    let entries = entries.collect::<Vec<_>>();
    let list = WhiteList::new(environment, entries).map_err(|_| WhiteListError::Form("Domaine"))?;
    Ok(SignedList { list, generated_at, left_out })
}

fn entry(node: Node<'_, '_>) -> Option<(Domain, DistinguishedName)> {
    let text = |name| node.child(Some(NS), name).map(|node| node.trimmed_text());
    Some((text("Nom")?.parse().ok()?, text("DNCertificatOperateur")?.parse().ok()?))
}

/// Accepts a certificate of these authorities, for signature and e-mail, with this common name ([`NATIONAL_SIGNER`]):
/// what stays when the certificate is renewed.
pub fn signed_by(
    anchors: &Anchors,
    common_name: &str,
    at: Timestamp,
) -> impl Fn(&[u8], &[Vec<u8>]) -> Result<(), Untrusted> {
    move |leaf, others| {
        let others = others.iter().map(|der| CertificateDer::from(der.as_slice())).collect::<Vec<_>>();
        let certificate = chain::verify(leaf, &others, anchors, Usage::Signature, at)?;
        if !certificate.allows_email_protection() || certificate.subject().get("CN") != Some(common_name) {
            return Err(format!("the certificate is not that of {common_name} for e-mail").into());
        }
        Ok(())
    }
}

/// The one signature of the document is over the whole of it, and right.
fn verify(document: &Document<'_>, root: Node<'_, '_>, trust: &Trust<'_>) -> Result<(), WhiteListError> {
    let mut all = root.descendants().filter(|node| node.is(Some(NS_DS), "Signature"));
    let (Some(signature), None) = (all.next(), all.next()) else { return Err(WhiteListError::Signature("number")) };
    if root.child_elements().last() != Some(signature) {
        return Err(WhiteListError::Signature("place"));
    }
    let signed_info = part(signature, &["SignedInfo"])?;
    check_profile(signed_info)?;
    let canonical = Canonical { exclusive: true, without: Some(signature.id()), ..Canonical::default() };
    let content = canonical.of(document.root());
    if octets(part(signed_info, &["Reference", "DigestValue"])?)? != digest(&SHA256, content.as_bytes()).as_ref() {
        return Err(WhiteListError::Digest);
    }
    let certificate = octets(part(signature, &["KeyInfo", "X509Data", "X509Certificate"])?)?;
    trust(&certificate, &[]).map_err(WhiteListError::Trust)?;
    let signed = Canonical { exclusive: true, ..Canonical::default() }.of(signed_info);
    let value = octets(part(signature, &["SignatureValue"])?)?;
    let der = CertificateDer::from(certificate);
    let key = webpki::EndEntityCert::try_from(&der).map_err(|_| WhiteListError::Signature("X509Certificate"))?;
    key.verify_signature(webpki::ring::RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &value)
        .map_err(|_| WhiteListError::Value)
}

/// Nothing but the algorithms of the national list, each in its place.
fn check_profile(signed_info: Node<'_, '_>) -> Result<(), WhiteListError> {
    let references = signed_info.children_named(Some(NS_DS), "Reference").collect::<Vec<_>>();
    let [reference] = references[..] else { return Err(WhiteListError::Signature("Reference")) };
    let algorithm = |node: Node<'_, '_>, wanted| node.attribute("Algorithm") == Some(wanted);
    let transforms = part(reference, &["Transforms"])?.child_elements().collect::<Vec<_>>();
    let [enveloped, canonical] = transforms[..] else { return Err(WhiteListError::Signature("Transforms")) };
    let checks = [
        (reference.attribute("URI") == Some(""), "Reference/@URI"),
        (algorithm(part(signed_info, &["CanonicalizationMethod"])?, EXCLUSIVE), "CanonicalizationMethod"),
        (algorithm(part(signed_info, &["SignatureMethod"])?, RSA_SHA256), "SignatureMethod"),
        (algorithm(enveloped, ENVELOPED) && enveloped.child_elements().next().is_none(), "Transform"),
        (algorithm(canonical, EXCLUSIVE) && canonical.child_elements().next().is_none(), "Transform"),
        (algorithm(part(reference, &["DigestMethod"])?, DIGEST), "DigestMethod"),
    ];
    checks.into_iter().find(|(right, _)| !right).map_or(Ok(()), |(_, what)| Err(WhiteListError::Signature(what)))
}

fn part<'a, 'i>(node: Node<'a, 'i>, path: &[&'static str]) -> Result<Node<'a, 'i>, WhiteListError> {
    let missing = WhiteListError::Signature(path.last().copied().unwrap_or_default());
    node.path(Some(NS_DS), path).ok_or(missing)
}

/// Base64, broken by CR and LF in the national list.
fn octets(node: Node<'_, '_>) -> Result<Vec<u8>, WhiteListError> {
    let mut text = node.full_text().into_bytes();
    text.retain(|byte| !byte.is_ascii_whitespace());
    STANDARD.decode(text).map_err(|_| WhiteListError::Signature("base64"))
}

/// Why a list is not to be believed.
#[derive(Debug, thiserror::Error)]
pub enum WhiteListError {
    /// Not safe XML.
    #[error("the liste blanche is not XML that may be read: {0}")]
    Xml(#[from] XmlError),
    /// Not this format; which part.
    #[error("the liste blanche has not the format of the national one: {0}")]
    Form(&'static str),
    /// No signature, several, or of another profile; which part.
    #[error("the liste blanche is not signed as the national one is: {0}")]
    Signature(&'static str),
    /// The certificate is not the signer's.
    #[error("the liste blanche is signed by a certificate that is not trusted: {0}")]
    Trust(Untrusted),
    /// The content was changed.
    #[error("the liste blanche was changed after it was signed (digest)")]
    Digest,
    /// The signature was not made with the certificate's key.
    #[error("the signature of the liste blanche is wrong")]
    Value,
}

/// Writes a list, signed.
///
/// # Errors
/// [`SignError`] when the key is not RSA.
pub fn write(list: &WhiteList, at: Timestamp, signer: &Credentials) -> Result<String, SignError> {
    let unsigned = document(list, at, "");
    let tree = socle_xml::parse(&unsigned, &Limits::default())?;
    let content = Canonical { exclusive: true, ..Canonical::default() }.of(tree.root());
    let content = STANDARD.encode(digest(&SHA256, content.as_bytes()));
    let signed_info = signed_info(&content);
    let key = any_supported_type(signer.key()).map_err(|_| SignError::Key)?;
    let key = key.choose_scheme(&[SignatureScheme::RSA_PKCS1_SHA256]).ok_or(SignError::Key)?;
    let value = key.sign(signed_info.as_bytes()).map_err(|_| SignError::Key)?;
    // `SignedInfo` stands in the signature's namespace, which its canonical form repeats.
    let inside = signed_info.replacen(&format!(" xmlns=\"{NS_DS}\""), "", 1);
    let signature = format!(
        "<Signature xmlns=\"{NS_DS}\">{inside}<SignatureValue>{}</SignatureValue><KeyInfo><X509Data><X509Certificate>{}\
         </X509Certificate></X509Data></KeyInfo></Signature>",
        STANDARD.encode(value),
        STANDARD.encode(signer.certificate().der())
    );
    Ok(document(list, at, &signature))
}

/// In canonical form.
fn signed_info(content: &str) -> String {
    let method = |name: &str, algorithm: &str| format!("<{name} Algorithm=\"{algorithm}\"></{name}>");
    format!(
        "<SignedInfo xmlns=\"{NS_DS}\">{}{}<Reference URI=\"\"><Transforms>{}{}</Transforms>{}<DigestValue>{content}\
         </DigestValue></Reference></SignedInfo>",
        method("CanonicalizationMethod", EXCLUSIVE),
        method("SignatureMethod", RSA_SHA256),
        method("Transform", ENVELOPED),
        method("Transform", EXCLUSIVE),
        method("DigestMethod", DIGEST),
    )
}

fn document(list: &WhiteList, at: Timestamp, signature: &str) -> String {
    let date = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListeBlancheMSSante xmlns=\"{NS}\">\n    \
         <DateDeGeneration>{date}</DateDeGeneration>\n    <ListeDomaines>\n"
    );
    for domain in list.domains() {
        for operator in list.operators_of(domain) {
            xml.push_str(&domaine(domain.as_str(), operator, &date));
        }
    }
    xml.push_str("    </ListeDomaines>\n");
    xml.push_str(signature);
    xml.push_str("</ListeBlancheMSSante>");
    xml
}

/// All six children, in the order of the national list.
fn domaine(domain: &str, operator: &DistinguishedName, date: &str) -> String {
    let operator = escaped(&operator.to_string());
    format!(
        "        <Domaine>\n            <Nom>{domain}</Nom>\n            \
         <Description>Domaine d'un jumeau local non officiel</Description>\n            \
         <DNCertificatOperateur>{operator}</DNCertificatOperateur>\n            \
         <ResponsableContact>aucun, jumeau local</ResponsableContact>\n            \
         <SupportContact>aucun, jumeau local</SupportContact>\n            \
         <DateMAJ>{date}</DateMAJ>\n        </Domaine>\n"
    )
}

/// Why a list cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Not an RSA key.
    #[error("the liste blanche is signed with an RSA key, and this one is none or cannot sign")]
    Key,
    /// What was written is no XML.
    #[error("the liste blanche cannot be written: {0}")]
    Xml(#[from] XmlError),
}
