use socle_xml::roxmltree::Node;

use super::Header;
use crate::finding::Findings;

pub(crate) fn read(_root: Node<'_, '_>, _findings: &mut Findings) -> Option<Header> {
    None
}

pub(crate) fn check_payload(_text: Node<'_, '_>, _media_type: &str, _findings: &mut Findings) {}

pub(crate) fn no_body(_root: Node<'_, '_>, _findings: &mut Findings) {}
