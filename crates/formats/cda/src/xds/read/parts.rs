//! Slots, names, classifications and identifiers of one registry object.

use std::str::FromStr;

use socle_finding::{Location, Rule, Severity, Text};
use socle_identity::Oid;
use socle_xml::NodeExt as _;
use socle_xml::roxmltree::Node;

use super::super::hl7::unescape;
use super::super::{Author, Cx, Profile, scheme};
use super::{DMP, XDS};
use crate::code::Code;
use crate::finding::{Findings, at};
use crate::time::UtcTime;

/// One object being read: where findings about it go, and under which name.
pub(super) struct Reader<'f, 'a, 'i> {
    pub(super) node: Node<'a, 'i>,
    name: String,
    profile: Profile,
    found: &'f mut Findings,
}

impl<'f, 'a, 'i: 'a> Reader<'f, 'a, 'i> {
    pub(super) fn new(node: Node<'a, 'i>, name: String, profile: Profile, found: &'f mut Findings) -> Self {
        Self { node, name, profile, found }
    }

    fn place(&self, attribute: &str) -> Location {
        Location { path: format!("{}.{attribute}", self.name), ..at(self.node) }
    }

    /// What the DMP requires is an error in a feed, a warning elsewhere.
    pub(super) fn dmp_severity(&self) -> Severity {
        if self.profile == Profile::Dmp { Severity::Error } else { Severity::Warning }
    }

    pub(super) fn absent(&mut self, attribute: &'static str) {
        let mend = Text::new(format!("ajoutez {attribute}"), format!("add {attribute}"));
        self.found.error(Rule::fixed(XDS, attribute), self.place(attribute), ABSENT, mend);
    }

    pub(super) fn absent_for_dmp(&mut self, attribute: &'static str) {
        let mend = Text::new(format!("ajoutez {attribute}"), format!("add {attribute}"));
        self.found.add(self.dmp_severity(), Rule::fixed(DMP, attribute), self.place(attribute), ABSENT, mend);
    }

    pub(super) fn absent_tolerated(&mut self, attribute: &'static str) {
        let mend = Text::new(format!("ajoutez {attribute}"), format!("add {attribute}"));
        self.found.warning(Rule::fixed(DMP, attribute), self.place(attribute), ABSENT, mend);
    }

    pub(super) fn malformed(&mut self, severity: Severity, attribute: &'static str, form: Text) {
        let message = Text::fixed(
            "la métadonnée n'a pas la forme attendue",
            "the metadata attribute is not in the expected form",
        );
        self.found.add(severity, Rule::fixed(XDS, attribute), self.place(attribute), message, form);
    }

    pub(super) fn incoherent(&mut self, severity: Severity, attribute: &'static str, message: Text, mend: Text) {
        self.found.add(severity, Rule::fixed(DMP, attribute), self.place(attribute), message, mend);
    }

    /// A mandatory XML attribute.
    pub(super) fn attribute(&mut self, name: &'static str) -> Option<String> {
        let value = self.node.attribute(name).map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned);
        if value.is_none() {
            self.absent(name);
        }
        value
    }

    /// `Name` or `Description`: the first text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text_of(self.node, name)
    }

    /// All slots with a name.
    pub(super) fn all_slots(&self) -> impl Iterator<Item = (&'a str, Vec<String>)> {
        slots_of(self.node)
    }

    /// The values of a slot; empty when it is not there.
    pub(super) fn slot(&self, name: &str) -> Vec<String> {
        slot_of(self.node, name)
    }

    /// The first value of a slot.
    pub(super) fn first(&self, name: &str) -> Option<String> {
        self.slot(name).into_iter().next()
    }

    pub(super) fn mandatory_slot(&mut self, name: &'static str) -> Option<String> {
        let value = self.first(name);
        if value.is_none() {
            self.absent(name);
        }
        value
    }

    pub(super) fn mandatory_time(&mut self, name: &'static str) -> Option<UtcTime> {
        let value = self.mandatory_slot(name)?;
        self.parsed(Severity::Error, name, &value, UTC_FORM)
    }

    /// A text that must parse; none and a finding when it does not.
    pub(super) fn parsed<T: FromStr>(
        &mut self,
        severity: Severity,
        attribute: &'static str,
        value: &str,
        form: Text,
    ) -> Option<T> {
        let read = value.parse().ok();
        if read.is_none() {
            self.malformed(severity, attribute, form);
        }
        read
    }

    /// The codes under a scheme; one without code or without coding scheme is an error.
    pub(super) fn codes(&mut self, attribute: &'static str, wanted: &str) -> Vec<Code> {
        let nodes: Vec<_> = classifications(self.node, wanted).collect();
        let mut codes = Vec::new();
        for node in nodes {
            let code = node.attribute("nodeRepresentation").map(str::trim).unwrap_or_default();
            let system = slot_of(node, "codingScheme").into_iter().next().unwrap_or_default();
            let label = text_of(node, "Name").unwrap_or_default();
            if code.is_empty() || system.is_empty() {
                self.malformed(Severity::Error, attribute, CODE_FORM);
                continue;
            }
            codes.push(Code::new(code, system, label));
        }
        codes
    }

    /// Exactly one code.
    pub(super) fn mandatory_code(&mut self, attribute: &'static str, wanted: &str) -> Option<Code> {
        let many = classifications(self.node, wanted).count();
        if many == 0 {
            self.absent(attribute);
            return None;
        }
        if many > 1 {
            self.malformed(Severity::Error, attribute, ONCE);
        }
        self.codes(attribute, wanted).into_iter().next()
    }

    /// The value of an external identifier.
    pub(super) fn identifier(&mut self, attribute: &'static str, wanted: &str) -> Option<String> {
        let same = |n: &Node<'_, '_>| n.attribute("identificationScheme").is_some_and(|s| is_scheme(s, wanted));
        let mut all = self.node.children_named(Some(scheme::RIM), "ExternalIdentifier").filter(same);
        let value = all.next().and_then(|n| n.attribute("value")).map(str::trim).filter(|v| !v.is_empty());
        let repeated = all.next().is_some();
        if value.is_none() {
            self.absent(attribute);
        }
        if repeated {
            self.malformed(Severity::Error, attribute, ONCE);
        }
        value.map(str::to_owned)
    }

    pub(super) fn mandatory_oid(&mut self, attribute: &'static str, wanted: &str) -> Option<String> {
        let value = self.identifier(attribute, wanted)?;
        let severity = self.dmp_severity();
        self.parsed::<Oid>(severity, attribute, &value, OID_FORM);
        Some(value)
    }

    /// patientId: an identifier and the OID of its authority.
    pub(super) fn mandatory_patient(&mut self, wanted: &str) -> Option<Cx> {
        let value = self.identifier("patientId", wanted)?;
        let read = value.parse::<Cx>().ok().filter(|cx| cx.authority.parse::<Oid>().is_ok());
        if read.is_none() {
            self.malformed(Severity::Error, "patientId", CX_FORM);
        }
        read
    }

    /// All authors under a scheme; a part that cannot be read is told and left out.
    pub(super) fn authors(&mut self, wanted: &str) -> Vec<Author> {
        let nodes: Vec<_> = classifications(self.node, wanted).collect();
        nodes.into_iter().filter_map(|node| self.author(node)).collect()
    }

    fn author(&mut self, node: Node<'_, '_>) -> Option<Author> {
        let severity = self.dmp_severity();
        let persons = slot_of(node, "authorPerson");
        let person = persons.first().and_then(|text| self.parsed(severity, "author.authorPerson", text, XCN_FORM));
        let mut institutions = Vec::new();
        for text in slot_of(node, "authorInstitution") {
            institutions.extend(self.parsed(severity, "author.authorInstitution", &text, XON_FORM));
        }
        let specialties = slot_of(node, "authorSpecialty").iter().map(|text| specialty(text)).collect();
        let author = Author {
            person,
            institutions,
            roles: slot_of(node, "authorRole"),
            specialties,
            telecoms: slot_of(node, "authorTelecommunication"),
        };
        if author == Author::default() {
            self.malformed(severity, "author", XCN_FORM);
            return None;
        }
        Some(author)
    }
}

/// `code^label^system`; some senders write the code alone, or HL7's CE order with an empty label.
fn specialty(text: &str) -> Code {
    let mut parts = text.split('^').map(unescape);
    let mut next = || parts.next().unwrap_or_default();
    let (code, label, system) = (next(), next(), next());
    Code::new(code, system, label)
}

fn slots_of<'a, 'i: 'a>(node: Node<'a, 'i>) -> impl Iterator<Item = (&'a str, Vec<String>)> {
    node.children_named(Some(scheme::RIM), "Slot")
        .filter_map(|slot| Some((slot.attribute("name")?.trim(), values(slot))))
}

fn slot_of(node: Node<'_, '_>, name: &str) -> Vec<String> {
    slots_of(node).filter(|(slot, _)| *slot == name).flat_map(|(_, values)| values).collect()
}

fn values(slot: Node<'_, '_>) -> Vec<String> {
    let lists = slot.children_named(Some(scheme::RIM), "ValueList");
    let values = lists.flat_map(|list| list.children_named(Some(scheme::RIM), "Value"));
    values.map(socle_xml::NodeExt::trimmed_text).filter(|value| !value.is_empty()).collect()
}

fn text_of(node: Node<'_, '_>, name: &str) -> Option<String> {
    let texts = node.child(Some(scheme::RIM), name)?;
    let value = |n: Node<'_, '_>| n.attribute("value").map(|value| value.trim().to_owned());
    texts.children_named(Some(scheme::RIM), "LocalizedString").filter_map(value).find(|value| !value.is_empty())
}

fn classifications<'a, 'i: 'a>(node: Node<'a, 'i>, wanted: &str) -> impl Iterator<Item = Node<'a, 'i>> {
    let same = move |n: &Node<'_, '_>| n.attribute("classificationScheme").is_some_and(|s| is_scheme(s, wanted));
    node.children_named(Some(scheme::RIM), "Classification").filter(same)
}

/// UUIDs compare without case; some senders leave `urn:uuid:` out.
pub(super) fn is_scheme(written: &str, wanted: &str) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches("urn:uuid:").to_ascii_lowercase();
    bare(written) == bare(wanted)
}

const ABSENT: Text = Text::fixed("une métadonnée obligatoire est absente", "a mandatory metadata attribute is missing");
pub(super) const UTC_FORM: Text =
    Text::fixed("écrivez AAAAMMJJhhmmss en UTC, sans décalage", "write YYYYMMDDhhmmss in UTC, without offset");
const CODE_FORM: Text = Text::fixed(
    "donnez nodeRepresentation et le slot codingScheme",
    "give nodeRepresentation and the slot codingScheme",
);
const ONCE: Text = Text::fixed("ne la donnez qu'une fois", "give it once");
const OID_FORM: Text = Text::fixed("donnez un OID", "give an OID");
const CX_FORM: Text = Text::fixed("écrivez identifiant^^^&OID&ISO^type", "write identifier^^^&OID&ISO^type");
pub(super) const XCN_FORM: Text = Text::fixed(
    "écrivez identifiant^NOM^PRENOM^^^^^^&OID&ISO^D^^^IDNPS",
    "write identifier^FAMILY^GIVEN^^^^^^&OID&ISO^D^^^IDNPS",
);
const XON_FORM: Text =
    Text::fixed("écrivez NOM^^^^^&OID&ISO^IDNST^^^identifiant", "write NAME^^^^^&OID&ISO^IDNST^^^identifier");
