//! Rules of Socle's own, that need no external package: what the schema and the official schematrons let
//! pass, and what a bare Socle must know all the same.
//!
//! One set, used by the front door and by `socle validate`: [`crate::Document::findings`] is the header's
//! reading (`header`) and then these. Order here: identity (`ins`), people and structures (`people`), model
//! (`model`), times (`times`), sections (`sections`), narrative (`narrative`), files (`payload`), stylesheets
//! (`stylesheet`). A rule that the published examples break often is a warning, never an error.
//!
//! Not here: value sets and units (the official schematrons have them).

mod ins;
mod model;
mod narrative;
mod payload;
mod people;
mod sections;
mod stylesheet;
mod tables;
mod times;

pub(crate) use narrative::is_safe_link;

use std::collections::{HashMap, HashSet};

use socle_xml::roxmltree::Node;

use crate::document::{Body, HL7_V3};
use crate::finding::Findings;
use crate::header::{Patient, Template, missing};

/// What was read of the document before.
pub(crate) struct Known<'k> {
    pub(crate) body: &'k Body,
    pub(crate) templates: &'k [Template],
    pub(crate) patient: Option<&'k Patient>,
}

impl Known<'_> {
    /// A document of production: the INS is a real one. Identifiers of test people and structures often have
    /// a wrong key, on purpose or not: nothing is said of those.
    fn is_real(&self) -> bool {
        use socle_identity::InsAuthority::{Nia, Nir};
        let first = self.patient.and_then(|patient| patient.ins_candidates.first());
        first.is_some_and(|ins| matches!(ins.authority, Nir | Nia))
    }
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// The text that makes the rules of the narrative block.
const CDA_R2: &str = "HL7 CDA R2";

/// What makes a document unusable whatever its header: no body, or a niveau 1 body without its file.
pub(crate) fn judge_container(root: Node<'_, '_>, body: &Body, found: &mut Findings) {
    match body {
        Body::Missing => missing(root, "component/structuredBody", "corps, component 1..1", found),
        Body::Level1 { .. } => payload::judge_level_1(root, found),
        Body::Level3 => {}
    }
}

/// All that is wrong, but for the container and the header's own reading.
pub(crate) fn judge(root: Node<'_, '_>, known: &Known<'_>, found: &mut Findings) {
    stylesheet::judge(root, found);
    ins::judge(root, known, found);
    model::judge(root, known, found);
    let ids = Ids::of(root, found);
    let mut seen = people::Seen::default();
    for node in root.descendants().filter(|node| node.is_element() && node.tag_name().namespace() == Some(HL7_V3)) {
        match node.tag_name().name() {
            "assignedAuthor" | "assignedEntity" | "associatedEntity" | "intendedRecipient" => {
                people::judge_person(node, known, &mut seen, found);
            }
            "representedOrganization"
            | "representedCustodianOrganization"
            | "receivedOrganization"
            | "scopingOrganization"
            | "serviceProviderOrganization" => people::judge_structure(node, known, &mut seen, found),
            "section" => sections::judge(node, &ids, found),
            "reference" => narrative::judge_reference(node, &ids, found),
            "templateId" => sections::judge_template(node, found),
            _ => {}
        }
        times::judge(node, found);
        payload::judge(node, found);
    }
    sections::judge_body(root, known, found);
}

/// The identifiers (`xs:ID`) of a document.
struct Ids<'a>(HashSet<&'a str>);

impl<'a> Ids<'a> {
    fn of(root: Node<'a, '_>, found: &mut Findings) -> Self {
        let mut seen: HashMap<&str, Node<'_, '_>> = HashMap::new();
        for node in root.descendants().filter(Node::is_element) {
            let Some(id) = node.attribute("ID") else { continue };
            if seen.insert(id, node).is_some() {
                narrative::double_id(node, found);
            }
        }
        Self(seen.into_keys().collect())
    }

    fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }
}
