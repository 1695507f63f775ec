//! The document of a fiche: found, decoded, and compared with what the fiche says of it.

use bytes::Bytes;

use super::bundle::{Scope, Target};
use super::issues;
use crate::base64;
use crate::outcome::Issues;
use crate::tape::Node;

/// The bytes of the document; none when they cannot be had, each reason being said.
pub(super) fn bytes(scope: Scope<'_>, issues: &mut Issues) -> Option<Bytes> {
    let attachment = scope.owner.all("content").next()?.get("attachment")?;
    let data = data(scope, attachment, issues)?;
    let Ok(bytes) = base64::decode(data.str().unwrap_or_default()) else {
        issues.push(issues::bad_base64().at(data));
        return None;
    };
    if bytes.is_empty() {
        issues.push(issues::empty_document().at(data));
    }
    check_size(attachment, bytes.len(), issues);
    check_hash(attachment, &bytes, issues);
    Some(bytes.into())
}

/// The node that holds the base64.
fn data<'a>(scope: Scope<'a>, attachment: Node<'a>, issues: &mut Issues) -> Option<Node<'a>> {
    match (attachment.get("url"), attachment.get("data")) {
        (Some(_), Some(data)) => {
            issues.push(issues::url_and_data().at(data));
            None
        }
        (None, Some(data)) => {
            issues.push(issues::data_instead_of_url().at(data));
            Some(data)
        }
        (Some(url), None) => in_binary(scope, attachment, url, issues),
        (None, None) => {
            issues.push(issues::missing("DocumentReference.content.attachment.url").missing_in(attachment, "url"));
            None
        }
    }
}

fn in_binary<'a>(scope: Scope<'a>, attachment: Node<'a>, url: Node<'a>, issues: &mut Issues) -> Option<Node<'a>> {
    let binary = match scope.follow(url.str().unwrap_or_default(), url) {
        Target::Entry(_, node) if node.resource_type() == Some("Binary") => node,
        Target::Broken(issue) => {
            issues.push(*issue);
            return None;
        }
        _ => {
            issues.push(issues::not_a_binary().at(url));
            return None;
        }
    };
    check_content_type(attachment, binary, issues);
    let data = binary.get("data");
    if data.is_none() {
        issues.push(issues::missing("Binary.data").missing_in(binary, "data"));
    }
    data
}

fn check_content_type(attachment: Node<'_>, binary: Node<'_>, issues: &mut Issues) {
    let (said, kept) = (attachment.text("contentType"), binary.text("contentType"));
    let Some(kept) = kept else {
        issues.push(issues::missing("Binary.contentType").missing_in(binary, "contentType"));
        return;
    };
    // A missing one is said by the fiche.
    if let Some(said) = said
        && !same_type(said, kept)
    {
        issues.push(issues::other_content_type().at(binary));
    }
}

/// The same media type, parameters (charset) left out; XML has two names (RFC 7303 §9.1, §9.2).
fn same_type(a: &str, b: &str) -> bool {
    let bare = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_xml = |text: &str| matches!(text, "text/xml" | "application/xml");
    let (a, b) = (bare(a), bare(b));
    a == b || (is_xml(&a) && is_xml(&b))
}

fn check_size(attachment: Node<'_>, length: usize, issues: &mut Issues) {
    let Some(size) = attachment.get("size") else {
        issues.push(issues::missing("DocumentReference.content.attachment.size").missing_in(attachment, "size"));
        return;
    };
    if size.u64() != Some(length as u64) {
        issues.push(issues::other_size(length).at(size));
    }
}

fn check_hash(attachment: Node<'_>, bytes: &[u8], issues: &mut Issues) {
    let Some(hash) = attachment.get("hash") else {
        issues.push(issues::missing("DocumentReference.content.attachment.hash").missing_in(attachment, "hash"));
        return;
    };
    let text = hash.str().unwrap_or_default();
    let said = base64::decode(text).unwrap_or_default();
    if said.len() != 20 {
        let is_hex = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        issues.push(issues::bad_hash(is_hex).at(hash));
    } else if said != base64::sha1(bytes) {
        issues.push(issues::other_hash().at(hash));
    }
}
