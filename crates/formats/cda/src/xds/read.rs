//! ebRIM read, with every fault as a finding that names the object and the XDS attribute.
//!
//! Order: submissions and lists, lots, associations, what must agree across objects. Entries are in
//! `entry`, slots and classifications in `parts`. Tolerated without a word: any prefix, any
//! `charset` and `xml:lang`, scheme UUIDs in any case and without `urn:uuid:`, spaces around values,
//! classification of the lot inside or beside it, slots we do not know.

mod entry;
mod parts;

use socle_finding::{Rule, Severity, Text};
use socle_xml::NodeExt as _;
use socle_xml::roxmltree::Node;

use self::parts::Reader;
use super::{
    Association, AssociationKind, DocumentEntry, Profile, RegistryObjects, Slot, Status, Submission, SubmissionSet,
    scheme,
};
use crate::finding::{Checked, Findings, Refused, at, missing_in};

/// The text that makes most rules here.
const XDS: &str = "IHE ITI TF-3 4.2";
/// What the DMP adds.
const DMP: &str = "CI-SIS, DMP (ITI-41)";

/// Reads a `lcm:SubmitObjectsRequest` element (or any element around one `RegistryObjectList`): one lot.
///
/// # Errors
/// [`Refused`]: each error names the object and the XDS attribute.
pub fn read_submission(node: Node<'_, '_>, profile: Profile) -> Result<Checked<Submission>, Refused> {
    let mut found = Findings::default();
    let list = node.descendants().find(|n| n.is(Some(scheme::RIM), "RegistryObjectList"));
    let Some(list) = list else {
        found.error(
            Rule::fixed(XDS, "SubmitObjectsRequest"),
            missing_in(node, "RegistryObjectList"),
            Text::fixed("les métadonnées sont absentes", "the metadata are missing"),
            Text::fixed("ajoutez rim:RegistryObjectList", "add rim:RegistryObjectList"),
        );
        return found.conclude(None);
    };
    let objects = objects_of(list, profile, &mut found);
    let submission = one_lot(list, objects, &mut found);
    if let Some(submission) = &submission {
        check_agreement(list, submission, profile, &mut found);
    }
    found.conclude(submission)
}

/// Reads a `rim:RegistryObjectList` element.
///
/// # Errors
/// As [`read_submission`].
pub fn read_list(list: Node<'_, '_>, profile: Profile) -> Result<Checked<RegistryObjects>, Refused> {
    let mut found = Findings::default();
    let objects = objects_of(list, profile, &mut found);
    found.conclude(Some(objects))
}

fn objects_of(list: Node<'_, '_>, profile: Profile, found: &mut Findings) -> RegistryObjects {
    let mut objects = RegistryObjects::default();
    for node in list.child_elements().filter(|n| n.tag_name().namespace() == Some(scheme::RIM)) {
        match node.tag_name().name() {
            "RegistryPackage" if is_classified(list, node, scheme::FOLDER) => folder(node, found),
            "RegistryPackage" => {
                let name = format!("SubmissionSet[{}]", objects.sets.len() + 1);
                let classified = is_classified(list, node, scheme::SUBMISSION_SET);
                objects.sets.extend(set_of(&mut Reader::new(node, name, profile, found), classified));
            }
            "ExtrinsicObject" => {
                let name = format!("DocumentEntry[{}]", objects.entries.len() + 1);
                objects.entries.extend(entry::entry_of(&mut Reader::new(node, name, profile, found)));
            }
            "Association" => {
                let name = format!("Association[{}]", objects.associations.len() + 1);
                objects.associations.extend(association_of(&mut Reader::new(node, name, profile, found)));
            }
            "ObjectRef" => objects.references.extend(node.attribute("id").map(|id| id.trim().to_owned())),
            _ => {}
        }
    }
    objects
}

/// The classification that says what a package is, inside it or beside it.
fn is_classified(list: Node<'_, '_>, package: Node<'_, '_>, wanted: &str) -> bool {
    let about_it = |n: &Node<'_, '_>| n.attribute("classifiedObject") == package.attribute("id");
    let says_so =
        |n: &Node<'_, '_>| n.attribute("classificationNode").is_some_and(|node| parts::is_scheme(node, wanted));
    let beside = list.children_named(Some(scheme::RIM), "Classification").filter(about_it);
    package.children_named(Some(scheme::RIM), "Classification").chain(beside).any(|n| says_so(&n))
}

fn folder(node: Node<'_, '_>, found: &mut Findings) {
    found.warning(
        Rule::fixed(DMP, "Folder"),
        at(node),
        Text::fixed("les classeurs ne sont pas utilisés : ignoré", "folders are not used: ignored"),
        Text::fixed("retirez le classeur", "remove the folder"),
    );
}

fn set_of(r: &mut Reader<'_, '_, '_>, classified: bool) -> Option<SubmissionSet> {
    let id = r.attribute("id");
    if !classified {
        r.absent_for_dmp("classificationNode");
    }
    let submission_time = r.mandatory_time("submissionTime");
    let authors = r.authors(scheme::SET_AUTHOR);
    if authors.is_empty() {
        r.absent_for_dmp("author");
    }
    let content_type = r.mandatory_code("contentTypeCode", scheme::SET_CONTENT_TYPE);
    let unique_id = r.mandatory_oid("uniqueId", scheme::SET_UNIQUE_ID);
    let source_id = r.mandatory_oid("sourceId", scheme::SET_SOURCE_ID);
    let patient_id = r.mandatory_patient(scheme::SET_PATIENT_ID);
    Some(SubmissionSet {
        id: id?,
        status: r.node.attribute("status").and_then(Status::read),
        unique_id: unique_id?,
        source_id: source_id?,
        patient_id: patient_id?,
        submission_time: submission_time?,
        title: r.text("Name"),
        comments: r.text("Description"),
        authors,
        content_type: content_type?,
        intended_recipients: r.slot("intendedRecipient"),
    })
}

fn association_of(r: &mut Reader<'_, '_, '_>) -> Option<Association> {
    let kind = r.attribute("associationType").map(|urn| AssociationKind::read(&urn));
    let (source, target) = (r.attribute("sourceObject"), r.attribute("targetObject"));
    let id = r.node.attribute("id").unwrap_or_default().trim().to_owned();
    let slots = r.all_slots().map(|(name, values)| Slot { name: name.to_owned(), values }).collect();
    Some(Association { id, kind: kind?, source: source?, target: target?, slots })
}

fn one_lot(list: Node<'_, '_>, objects: RegistryObjects, found: &mut Findings) -> Option<Submission> {
    let RegistryObjects { sets, entries, associations, .. } = objects;
    let mut sets = sets.into_iter();
    let (first, second) = (sets.next(), sets.next());
    if let (Some(set), None) = (first, second) {
        return Some(Submission { set, entries, associations });
    }
    if !found.has_error() {
        found.error(
            Rule::fixed(XDS, "SubmissionSet 1..1"),
            at(list),
            Text::fixed(
                "la requête doit porter un lot de soumission, et un seul",
                "the request must carry one submission set, and one only",
            ),
            Text::fixed("mettez un seul RegistryPackage", "put one RegistryPackage"),
        );
    }
    None
}

/// One patient, members that exist, identifiers used once.
fn check_agreement(list: Node<'_, '_>, submission: &Submission, profile: Profile, found: &mut Findings) {
    let mut fault = |severity, rule: Rule, name: String, fr: &'static str, en: &'static str, mend: Text| {
        let place = socle_finding::Location { path: name, ..at(list) };
        found.add(severity, rule, place, Text::fixed(fr, en), mend);
    };
    let Submission { set, entries, associations } = submission;
    for (rank, entry) in (1..).zip(entries) {
        if !entry.patient_id.same(&set.patient_id) {
            fault(
                Severity::Error,
                Rule::fixed(XDS, "XDSPatientIdDoesNotMatch"),
                format!("DocumentEntry[{rank}].patientId"),
                "le patient de la fiche n'est pas celui du lot",
                "the patient of the entry is not that of the submission set",
                Text::fixed("un lot ne concerne qu'un patient", "a submission set is about one patient"),
            );
        }
        if !is_member(entry, submission) {
            fault(
                if profile == Profile::Dmp { Severity::Error } else { Severity::Warning },
                Rule::fixed(XDS, "HasMember"),
                format!("DocumentEntry[{rank}]"),
                "aucune association HasMember ne met la fiche dans le lot",
                "no HasMember association puts the entry in the submission set",
                Text::fixed(
                    "ajoutez l'association du lot vers la fiche",
                    "add the association from the set to the entry",
                ),
            );
        }
        if entries[..rank - 1].iter().any(|other| other.unique_id == entry.unique_id || other.id == entry.id) {
            fault(
                Severity::Error,
                Rule::fixed(XDS, "XDSDuplicateUniqueIdInRegistry"),
                format!("DocumentEntry[{rank}].uniqueId"),
                "deux fiches du lot ont le même identifiant",
                "two entries of the submission set have the same identifier",
                Text::fixed("donnez un identifiant par document", "give one identifier per document"),
            );
        }
    }
    for (rank, association) in (1..).zip(associations) {
        let known = |id: &String| id.starts_with("urn:uuid:") || *id == set.id || entries.iter().any(|e| e.id == *id);
        if !known(&association.source) || !known(&association.target) {
            fault(
                Severity::Error,
                Rule::fixed(XDS, "Association"),
                format!("Association[{rank}]"),
                "l'association vise un objet qui n'existe pas",
                "the association is about an object that does not exist",
                Text::fixed(
                    "sourceObject et targetObject sont des id de la requête ou des urn:uuid",
                    "sourceObject and targetObject are ids of the request or urn:uuid",
                ),
            );
        }
    }
}

fn is_member(entry: &DocumentEntry, submission: &Submission) -> bool {
    submission.associations.iter().any(|association| {
        association.kind == AssociationKind::HasMember
            && association.source == submission.set.id
            && association.target == entry.id
    })
}
