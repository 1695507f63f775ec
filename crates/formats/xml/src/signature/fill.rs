//! Signing by template: an empty `ds:Signature` is filled in, the rest of the text stays as it is.

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

use super::core::{NS_DS, Reference, algorithm_of, canonical_of, resolve};
use super::{Algorithm, Policy, Sha1, SignError, SignatureError, Signer};
use crate::tree::NodeExt;
use crate::{Limits, parse};

/// Fills the one empty `ds:Signature` of a document: digests, signature value, certificate.
///
/// Everything else stays byte for byte; after signing not a byte may be touched. References are `#id`,
/// transforms enveloped-signature and canonicalisation, algorithms those of [`Algorithm`].
///
/// # Errors
/// [`SignError`] when there is no such template or the key cannot sign.
pub fn sign(template_xml: &str, signer: &Signer) -> Result<String, SignError> {
    let with_digests = fill_digests(template_xml)?;
    fill_value(&with_digests, signer)
}

fn fill_digests(text: &str) -> Result<String, SignError> {
    let document = parse(text, &Limits::default())?;
    let signature = template(&document)?;
    let signed_info = part(signature, "SignedInfo")?;
    let mut edits = Vec::new();
    for node in signed_info.children_named(Some(NS_DS), "Reference") {
        let reference = Reference::read(node, &Policy { sha1: Sha1::DmpKit }).map_err(unfit)?;
        let target = resolve(&document, reference.uri).map_err(unfit)?;
        let canonical = reference.canonical(signature).map_err(unfit)?;
        let digest = reference.digest.of_pieces(|sink| canonical.write(target, sink));
        edits.push(filled(part(node, "DigestValue")?, &STANDARD.encode(digest)));
    }
    Ok(edited(text, edits))
}

fn fill_value(text: &str, signer: &Signer) -> Result<String, SignError> {
    let document = parse(text, &Limits::default())?;
    let signature = template(&document)?;
    let signed_info = part(signature, "SignedInfo")?;
    let method = algorithm_of(part(signed_info, "SignatureMethod")?).map_err(unfit)?;
    let algorithm = Algorithm::of_uri(method).ok_or_else(|| SignError::Template("SignatureMethod".to_owned()))?;
    let canonical = canonical_of(part(signed_info, "CanonicalizationMethod")?).map_err(unfit)?;
    let value = signer.value(algorithm, canonical.of(signed_info).as_bytes())?;
    let mut edits = vec![filled(part(signature, "SignatureValue")?, &STANDARD.encode(value))];
    let certificate = signature.path(Some(NS_DS), &["KeyInfo", "X509Data", "X509Certificate"]);
    if let Some(node) = certificate.filter(|node| node.full_text().trim().is_empty()) {
        edits.push(filled(node, &STANDARD.encode(signer.certificate())));
    }
    Ok(edited(text, edits))
}

/// The signature that has no value yet.
fn template<'a>(document: &'a Document<'a>) -> Result<Node<'a, 'a>, SignError> {
    let is_empty = |node: &Node<'a, 'a>| {
        node.child(Some(NS_DS), "SignatureValue").is_some_and(|value| value.full_text().trim().is_empty())
    };
    let signatures = document.descendants().filter(|node| node.is(Some(NS_DS), "Signature"));
    let templates: Vec<_> = signatures.filter(is_empty).collect();
    match templates[..] {
        [one] => Ok(one),
        _ => Err(SignError::NoTemplate { found: templates.len() }),
    }
}

fn part<'a>(node: Node<'a, 'a>, name: &'static str) -> Result<Node<'a, 'a>, SignError> {
    node.child(Some(NS_DS), name).ok_or_else(|| SignError::Template(format!("no {name}")))
}

fn unfit(error: SignatureError) -> SignError {
    SignError::Template(error.to_string())
}

/// The text of an element with content put into it, and where it goes.
fn filled(node: Node<'_, '_>, content: &str) -> (Range<usize>, String) {
    let source = node.source();
    let start = source.find('>').map_or(source, |end| &source[..end]);
    let start = start.strip_suffix('/').unwrap_or(start).trim_end();
    (node.range(), format!("{start}>{content}</{}>", node.qname()))
}

/// Applies edits, which are in document order.
fn edited(text: &str, edits: Vec<(Range<usize>, String)>) -> String {
    let mut out = String::with_capacity(text.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>());
    let mut at = 0;
    for (range, new) in edits {
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}
