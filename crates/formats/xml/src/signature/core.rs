//! `ds:Signature` as XML Signature 1.1 §4 defines it: read strictly, digested, its value checked.
//!
//! What a signature must cover is not decided here (`assertion`, `xades`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use super::algorithm::{DigestMethod, Method};
use super::certificate::Certificates;
use super::{Policy, SignatureError};
use crate::c14n::{Canonical, EXCLUSIVE};
use crate::tree::NodeExt;

/// Namespace of XML Signature.
pub(super) const NS_DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Enveloped signature transform.
pub(super) const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// A signature whose parts were found and whose algorithms are accepted; nothing is proven yet.
pub(super) struct Signature<'a> {
    signed_info: Node<'a, 'a>,
    canonical: Canonical,
    pub(super) canonical_uri: &'a str,
    pub(super) method: Method,
    pub(super) references: Vec<Reference<'a>>,
    value: Vec<u8>,
    pub(super) certificates: Certificates,
}

/// One `ds:Reference` of SignedInfo or of a Manifest.
pub(super) struct Reference<'a> {
    pub(super) uri: &'a str,
    pub(super) transforms: Vec<Transform<'a>>,
    pub(super) digest: DigestMethod,
    pub(super) value: Vec<u8>,
}

/// One `ds:Transform`.
pub(super) struct Transform<'a> {
    pub(super) algorithm: &'a str,
    pub(super) prefixes: Vec<String>,
}

impl<'a> Signature<'a> {
    /// Reads `SignedInfo, SignatureValue, KeyInfo, Object*` in that order; Objects are the caller's affair.
    pub(super) fn read(signature: Node<'a, 'a>, policy: &Policy) -> Result<Self, SignatureError> {
        let mut children = signature.child_elements();
        let mut next = |name: &'static str| {
            children.next().filter(|c| c.is(Some(NS_DS), name)).ok_or(SignatureError::Structure(name))
        };
        let (signed_info, value, key_info) = (next("SignedInfo")?, next("SignatureValue")?, next("KeyInfo")?);
        if !children.all(|child| child.is(Some(NS_DS), "Object")) {
            return Err(SignatureError::Structure("something else after KeyInfo than Object"));
        }

        let mut children = signed_info.child_elements();
        let mut next = |name: &'static str| {
            children.next().filter(|c| c.is(Some(NS_DS), name)).ok_or(SignatureError::Structure(name))
        };
        let (c14n, method) = (next("CanonicalizationMethod")?, next("SignatureMethod")?);
        let references = children.map(|node| Reference::read(node, policy)).collect::<Result<_, _>>()?;
        Ok(Self {
            signed_info,
            canonical: canonical_of(c14n)?,
            canonical_uri: algorithm_of(c14n)?,
            method: Method::accepted(algorithm_of(method)?, policy)
                .ok_or(SignatureError::Algorithm("SignatureMethod"))?,
            references,
            value: base64_of(value).ok_or(SignatureError::Structure("SignatureValue"))?,
            certificates: Certificates::read(key_info)?,
        })
    }

    /// Checks SignatureValue with the key of the leaf certificate. Trust comes before, digests beside.
    pub(super) fn verify_value(&self) -> Result<(), SignatureError> {
        let message = self.canonical.of(self.signed_info);
        let leaf = self.certificates.parsed_leaf()?;
        if self.method.verifies(&leaf.public_key()?, message.as_bytes(), &self.value) {
            return Ok(());
        }
        Err(SignatureError::Value)
    }
}

impl<'a> Reference<'a> {
    pub(super) fn read(node: Node<'a, 'a>, policy: &Policy) -> Result<Self, SignatureError> {
        if !node.is(Some(NS_DS), "Reference") {
            return Err(SignatureError::Structure("something else than Reference"));
        }
        let transforms = node.child(Some(NS_DS), "Transforms");
        let method = node.child(Some(NS_DS), "DigestMethod").ok_or(SignatureError::Structure("DigestMethod"))?;
        let value = node.child(Some(NS_DS), "DigestValue").ok_or(SignatureError::Structure("DigestValue"))?;
        let expected = usize::from(transforms.is_some()) + 2;
        if node.child_elements().count() != expected {
            return Err(SignatureError::Structure("Reference"));
        }
        Ok(Self {
            uri: node.attribute("URI").ok_or(SignatureError::Structure("Reference without URI"))?,
            transforms: transforms.map(read_transforms).transpose()?.unwrap_or_default(),
            digest: DigestMethod::of_uri(algorithm_of(method)?)
                .filter(|digest| digest.is_accepted(policy))
                .ok_or(SignatureError::Algorithm("DigestMethod"))?,
            value: base64_of(value).ok_or(SignatureError::Structure("DigestValue"))?,
        })
    }

    /// Does the digest fit an element of this document, the signature being left out where the transforms
    /// say so?
    pub(super) fn fits_node(&self, node: Node<'_, '_>, signature: Node<'_, '_>) -> Result<bool, SignatureError> {
        let canonical = self.canonical(signature)?;
        Ok(self.digest.of_pieces(|sink| canonical.write(node, sink)) == self.value)
    }

    /// The canonical form that the transforms make of an element: an optional enveloped-signature, then an
    /// optional canonicalisation (without one, Canonical XML 1.0: XML Signature §4.4.3.2).
    pub(super) fn canonical(&self, signature: Node<'_, '_>) -> Result<Canonical, SignatureError> {
        let mut transforms = self.transforms.iter().peekable();
        let enveloped = transforms.next_if(|t| t.algorithm == ENVELOPED).is_some();
        let canonical = match transforms.next() {
            None => Canonical::default(),
            Some(transform) => transform.canonical().ok_or(SignatureError::Algorithm("Transform"))?,
        };
        if transforms.next().is_some() {
            return Err(SignatureError::Structure("Transforms"));
        }
        Ok(Canonical { without: enveloped.then_some(signature.id()), comments: false, ..canonical })
    }

    /// Exactly enveloped-signature, then exclusive canonicalisation.
    pub(super) fn is_of_assertion(&self) -> bool {
        matches!(&self.transforms[..], [first, second]
            if first.algorithm == ENVELOPED && first.prefixes.is_empty() && second.algorithm == EXCLUSIVE)
    }
}

impl Transform<'_> {
    pub(super) fn canonical(&self) -> Option<Canonical> {
        Some(Canonical { prefixes: self.prefixes.clone(), ..Canonical::from_uri(self.algorithm)? })
    }
}

fn read_transforms<'a>(node: Node<'a, 'a>) -> Result<Vec<Transform<'a>>, SignatureError> {
    node.child_elements()
        .map(|transform| match transform.is(Some(NS_DS), "Transform") {
            true => Ok(Transform { algorithm: algorithm_of(transform)?, prefixes: prefix_list(transform) }),
            false => Err(SignatureError::Structure("Transforms")),
        })
        .collect()
}

/// `ec:InclusiveNamespaces/@PrefixList` (Exclusive C14N §4).
fn prefix_list(node: Node<'_, '_>) -> Vec<String> {
    let list = node.child(Some(EXCLUSIVE), "InclusiveNamespaces").and_then(|list| list.attribute("PrefixList"));
    list.unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect()
}

/// The form that a CanonicalizationMethod asks for.
pub(super) fn canonical_of<'a>(method: Node<'a, 'a>) -> Result<Canonical, SignatureError> {
    let canonical =
        Canonical::from_uri(algorithm_of(method)?).ok_or(SignatureError::Algorithm("CanonicalizationMethod"))?;
    Ok(Canonical { prefixes: prefix_list(method), ..canonical })
}

pub(super) fn algorithm_of<'a>(node: Node<'a, 'a>) -> Result<&'a str, SignatureError> {
    node.attribute("Algorithm").ok_or(SignatureError::Structure("Algorithm"))
}

pub(super) fn base64_of(node: Node<'_, '_>) -> Option<Vec<u8>> {
    let text: Vec<u8> = node.full_text().bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(text).ok()
}

/// Elements with an identifier of this value, whatever the attribute is called: `ID`, `Id`, `id`,
/// `AssertionID`, `wsu:Id`, `xml:id`. A peer may resolve any of them.
pub(super) fn with_id<'a>(document: &'a Document<'a>, id: &str) -> Vec<Node<'a, 'a>> {
    let is_id = |name: &str| name.eq_ignore_ascii_case("id") || name == "AssertionID";
    document.descendants().filter(|node| node.attributes().any(|a| is_id(a.name()) && a.value() == id)).collect()
}

/// The element of a `#id` reference, which must be the only one with that identifier.
pub(super) fn resolve<'a>(document: &'a Document<'a>, uri: &str) -> Result<Node<'a, 'a>, SignatureError> {
    let id = uri.strip_prefix('#').filter(|id| !id.is_empty()).ok_or(SignatureError::Structure("Reference URI"))?;
    match with_id(document, id)[..] {
        [node] => Ok(node),
        _ => Err(SignatureError::Id),
    }
}
