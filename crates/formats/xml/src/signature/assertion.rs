//! The binding rule: the assertion of the message is the signed one, whole, and nothing else looks like it.
//!
//! Each step closes an attack that a valid signature alone lets through: an evil assertion beside, around or
//! instead of the signed one (signature wrapping), an identifier used twice, a comment that cuts a value,
//! a key of the attacker's choice.

use roxmltree::{Document, Node};

use super::core::{NS_DS, Signature, with_id};
use super::{Algorithm, Method, Policy, SignatureError, Trust};
use crate::c14n::EXCLUSIVE;
use crate::soap::{self, NS_WSSE};
use crate::tree::NodeExt;
use crate::write::Writer;

/// Namespace of SAML 2.0 assertions.
pub const NS_SAML2: &str = "urn:oasis:names:tc:SAML:2.0:assertion";

/// An assertion is a few KB; canonicalising what anybody sends must stay cheap.
const LARGEST: usize = 128 << 10;

/// The assertion of a message, proven to be signed. Read values only below [`node`](Self::node), as the
/// concatenation of their text nodes ([`NodeExt::full_text`]).
#[derive(Debug, Clone)]
pub struct SignedAssertion<'a> {
    /// The assertion element.
    pub node: Node<'a, 'a>,
    /// Certificate of the signer, DER; accepted by the caller's [`Trust`].
    pub certificate: Vec<u8>,
    /// The other certificates that came with it, DER.
    pub chain: Vec<Vec<u8>>,
    /// How it is signed.
    pub method: Method,
}

/// Finds the one assertion of a SOAP message, and proves that it is signed.
///
/// `trust` decides on the certificate before its key is used: chain, usage, validity, revocation.
///
/// # Errors
/// [`SignatureError`], with the step of the rule that failed.
///
/// # Source
/// XML Signature 1.1 §3.2 and §4; SAML 2.0 Core §5.4; CI-SIS Transport synchrone (VIHF).
pub fn verify_assertion<'a>(
    document: &'a Document<'a>,
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<SignedAssertion<'a>, SignatureError> {
    let envelope = soap::read(document)?;
    let headers: Vec<_> = envelope.header.iter().flat_map(|h| h.children_named(Some(NS_WSSE), "Security")).collect();
    let [security] = headers[..] else {
        return Err(SignatureError::SecurityHeader { found: headers.len() });
    };
    let assertion = only_assertion(document)?;
    if assertion.parent() != Some(security) {
        return Err(SignatureError::AssertionPlace);
    }
    verify(document, assertion, policy, trust)
}

/// As [`verify_assertion`], for a document whose root is the assertion.
///
/// # Errors
/// [`SignatureError`], with the step of the rule that failed.
pub fn verify_bare_assertion<'a>(
    document: &'a Document<'a>,
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<SignedAssertion<'a>, SignatureError> {
    let assertion = only_assertion(document)?;
    if assertion != document.root_element() {
        return Err(SignatureError::AssertionPlace);
    }
    verify(document, assertion, policy, trust)
}

fn only_assertion<'a>(document: &'a Document<'a>) -> Result<Node<'a, 'a>, SignatureError> {
    let mut all = document.descendants().filter(|node| node.is(Some(NS_SAML2), "Assertion"));
    match (all.next(), all.next()) {
        (Some(assertion), None) => Ok(assertion),
        (first, second) => {
            let found = usize::from(first.is_some()) + usize::from(second.is_some()) + all.count();
            Err(SignatureError::AssertionCount { found })
        }
    }
}

fn verify<'a>(
    document: &'a Document<'a>,
    assertion: Node<'a, 'a>,
    policy: &Policy,
    trust: &Trust<'_>,
) -> Result<SignedAssertion<'a>, SignatureError> {
    if assertion.range().len() > LARGEST {
        return Err(SignatureError::TooBig { limit: LARGEST });
    }
    if let Some(node) = assertion.descendants().find(|node| node.is_comment() || node.is_pi()) {
        return Err(SignatureError::Comment { line: node.position().0 });
    }
    let id = assertion.attribute("ID").filter(|id| !id.is_empty()).ok_or(SignatureError::Id)?;
    if with_id(document, id) != [assertion] {
        return Err(SignatureError::Id);
    }
    let node = signature_of(assertion)?;
    let signature = Signature::read(node, policy)?;
    let [reference] = &signature.references[..] else {
        return Err(SignatureError::Structure("exactly one Reference is expected"));
    };
    if reference.uri.strip_prefix('#') != Some(id) {
        return Err(SignatureError::Structure("the Reference is not to the assertion"));
    }
    if !reference.is_of_assertion() {
        return Err(SignatureError::Algorithm("another list of Transforms than enveloped-signature, exc-c14n"));
    }
    if signature.canonical_uri != EXCLUSIVE {
        return Err(SignatureError::Algorithm("CanonicalizationMethod"));
    }
    trust(&signature.certificates.leaf, &signature.certificates.others).map_err(SignatureError::Trust)?;
    signature.verify_value()?;
    if !reference.fits_node(assertion, node)? {
        return Err(SignatureError::Digest("the assertion"));
    }
    let method = signature.method;
    let certificates = signature.certificates;
    Ok(SignedAssertion { node: assertion, certificate: certificates.leaf, chain: certificates.others, method })
}

/// The only signature below the assertion, right after its Issuer, with nothing in it to hide behind.
fn signature_of<'a>(assertion: Node<'a, 'a>) -> Result<Node<'a, 'a>, SignatureError> {
    let found = assertion.descendants().filter(|node| node.is(Some(NS_DS), "Signature")).count();
    if found != 1 {
        return Err(SignatureError::SignatureCount { found });
    }
    let mut children = assertion.child_elements();
    let issuer = children.next().filter(|child| child.is(Some(NS_SAML2), "Issuer"));
    let signature = children.next().filter(|child| child.is(Some(NS_DS), "Signature"));
    let (Some(_), Some(signature)) = (issuer, signature) else {
        return Err(SignatureError::SignaturePlace);
    };
    // What is in the signature is not signed: nothing there may look like a part of the assertion.
    let is_foreign = |node: &Node<'_, '_>| !matches!(node.tag_name().namespace(), Some(NS_DS | EXCLUSIVE));
    if signature.descendants().filter(Node::is_element).any(|node| is_foreign(&node) || node.is(Some(NS_DS), "Object"))
    {
        return Err(SignatureError::Structure("an Object or a foreign element in the signature of an assertion"));
    }
    Ok(signature)
}

/// The empty `ds:Signature` that [`sign`](super::sign) fills: enveloped, exclusive c14n, certificate inline.
/// It goes right after `saml2:Issuer`.
///
/// There is no PrefixList: the signature then holds in any envelope. An assertion with `xsi:type="xs:string"`
/// declares `xs` and `xsi` itself.
#[must_use]
pub fn assertion_signature_template(reference_id: &str, algorithm: Algorithm) -> String {
    let mut w = Writer::fragment();
    w.open("ds:Signature").ns("ds", NS_DS);
    w.open("ds:SignedInfo");
    w.open("ds:CanonicalizationMethod").attr("Algorithm", EXCLUSIVE).close();
    w.open("ds:SignatureMethod").attr("Algorithm", algorithm.uri()).close();
    w.open("ds:Reference").attr("URI", &format!("#{reference_id}"));
    w.open("ds:Transforms");
    w.open("ds:Transform").attr("Algorithm", super::core::ENVELOPED).close();
    w.open("ds:Transform").attr("Algorithm", EXCLUSIVE).close();
    w.close();
    w.open("ds:DigestMethod").attr("Algorithm", algorithm.digest().uri()).close();
    w.leaf("ds:DigestValue", "").close().close();
    w.leaf("ds:SignatureValue", "");
    w.open("ds:KeyInfo").open("ds:X509Data").leaf("ds:X509Certificate", "");
    w.finish()
}
