//! The rules that PDSm 3.1.1 states in French words alone, without FHIRPath (CI-SIS, volet Partage de documents de
//! santé en mobilité: constraints `constr-bind-*` and `constr-cdr-rempl` of its profiles).
//!
//! Order: which rule a constraint is, whether it holds on a value, what is said when it does not. A nomenclature is
//! named by its OID, as the words do, so that each spelling of its URL counts.
//!
//! Not here: the code itself, which bindings check; the flow that carried the document, which it does not tell.

use socle_finding::Text;

use crate::mapping::oid_of_system;
use crate::tape::Node;

/// Where the profiles of PDSm are.
const PROFILES: &str = "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/";

/// What a replaced document follows (`constr-bind-relatesToTarget`).
pub(super) const DOCUMENT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/pdsm/StructureDefinition/pdsm-comprehensive-document-reference";

const PATIENT_PRODUCERS: &str = "1.2.250.1.213.1.1.4.6";
const SECTORS: &str = "1.2.250.1.71.4.2.4";

const TYPES: Nomenclatures = &[
    ("1.2.250.1.213.1.1.4.12", "TRE_A05-TypeDocComplementaire"),
    ("2.16.840.1.113883.6.1", "LOINC"),
    ("ASTM", "TRE_A12-NomenclatureASTM"),
];
const CLASSES: Nomenclatures =
    &[("1.2.250.1.213.1.1.4.1", "TRE_A03-ClasseDocument"), ("URN", "TRE_A10-NomenclatureURN")];
const FORMATS: Nomenclatures = &[
    ("1.2.250.1.213.1.1.4.2.282", "TRE_A06-FormatCodeComplementaire"),
    ("1.3.6.1.4.1.19376.1.2.3", "TRE_A11-IheFormatCode"),
    ("1.2.840.10008.2.6.1", "TRE_A09-DICOMuidRegistry"),
    ("URN", "TRE_A10-NomenclatureURN"),
];
const PRODUCERS: Nomenclatures =
    &[(PATIENT_PRODUCERS, "TRE_A00-ProducteurDocNonPS"), (SECTORS, "TRE_R02-SecteurActivite")];
/// The words on `practiceSetting` are those on `facilityType`, copied; JDV_J04, which the same element binds and the
/// published example follows, is of TRE_A00 and TRE_A01.
const SETTINGS: Nomenclatures = &[
    (PATIENT_PRODUCERS, "TRE_A00-ProducteurDocNonPS"),
    ("1.2.250.1.213.1.1.4.9", "TRE_A01-CadreExercice"),
    (SECTORS, "TRE_R02-SecteurActivite"),
];
/// The words name the first three; JDV_J03, which they let use, holds the fourth too.
const CONTENTS: Nomenclatures = &[
    (PATIENT_PRODUCERS, "TRE_A00-ProducteurDocNonPS"),
    ("1.2.250.1.213.2.2", "TRE_R209-TypeActivite"),
    (SECTORS, "TRE_R02-SecteurActivite"),
    ("1.2.250.1.213.1.6.1.128", "TRE_R276-FormeActivite"),
];

/// OID and name of each.
type Nomenclatures = &'static [(&'static str, &'static str)];

/// One of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// A code comes from one of these nomenclatures.
    From(Nomenclatures),
    /// The producer of the document: of patients when one wrote it, else of professionals (`constr-bind-ProducteurDoc`
    /// on `facilityType`).
    Producer,
    /// The same words on `practiceSetting`.
    Setting,
    /// The same as advice (`constr-bind-ProducteurDoc-simplified`).
    ProducerAdvised,
    /// An event is of CCAM, of CIM-10, of TRE_A00 or of another nomenclature: of one.
    Event,
    /// The URL leads to the Binary that is sent, or to the document that was found.
    Url,
    /// A replacement has one `relatesTo`.
    OneReplaced,
    /// What is replaced follows the same profile; only the walk can tell.
    ReplacedFollows,
    /// `relatesTo` is there in a replacement: which flow it is, a document tells by `relatesTo` alone.
    Replacement,
}

impl Rule {
    /// The rule of a constraint without expression, by the canonical of its profile and its key.
    pub(super) fn of(profile: &str, key: &str) -> Option<Self> {
        let profile = profile.strip_prefix(PROFILES)?;
        Some(match (profile, key) {
            ("pdsm-comprehensive-document-reference" | "pdsm-simplified-publish", "constr-bind-type") => {
                Self::From(TYPES)
            }
            ("pdsm-comprehensive-document-reference" | "pdsm-simplified-publish", "constr-bind-category") => {
                Self::From(CLASSES)
            }
            ("pdsm-comprehensive-document-reference" | "pdsm-simplified-publish", "constr-bind-format") => {
                Self::From(FORMATS)
            }
            ("pdsm-comprehensive-document-reference" | "pdsm-simplified-publish", "constr-bind-context-event") => {
                Self::Event
            }
            ("pdsm-comprehensive-document-reference", "constr-bind-ProducteurDoc") => Self::Producer,
            ("pdsm-simplified-publish", "constr-bind-ProducteurDoc-simplified") => Self::ProducerAdvised,
            ("pdsm-comprehensive-document-reference", "constr-bind-attachmenturl") => Self::Url,
            ("pdsm-comprehensive-document-reference", "constr-bind-relatesTo") => Self::OneReplaced,
            ("pdsm-comprehensive-document-reference", "constr-bind-relatesToTarget") => Self::ReplacedFollows,
            ("pdsm-comprehensive-document-reference", "constr-cdr-rempl") => Self::Replacement,
            ("pdsm-submissionset-comprehensive", "constr-bind-designationtype") => Self::From(CONTENTS),
            _ => return None,
        })
    }

    /// The same, where the element says which of two rules is meant.
    fn on(self, node: Node<'_>) -> Self {
        match self {
            Self::Producer if node.name() == Some("practiceSetting") => Self::Setting,
            other => other,
        }
    }

    /// Whether it holds; none for what only the walk can tell.
    pub(super) fn holds(self, node: Node<'_>) -> Option<bool> {
        Some(match self.on(node) {
            Self::From(nomenclatures) => is_from(node, nomenclatures),
            Self::Setting => is_from(node, SETTINGS),
            // The words of the simplified profile have no rule of their own for `practiceSetting`.
            Self::ProducerAdvised if node.name() == Some("practiceSetting") => is_from(node, SETTINGS),
            Self::ProducerAdvised => is_from(node, PRODUCERS),
            Self::Producer => match document(node).and_then(author) {
                Some(Author::Patient) => is_from(node, &PRODUCERS[..1]),
                Some(Author::Professional) => is_from(node, &PRODUCERS[1..]),
                None => is_from(node, PRODUCERS),
            },
            Self::Event => codings(node).all(|coding| coding.text("code").is_none() || coding.text("system").is_some()),
            Self::Url => node.str().is_none_or(|url| leads_to_the_document(node, url)),
            Self::OneReplaced => is_one_replaced(node),
            Self::Replacement => true,
            Self::ReplacedFollows => return None,
        })
    }

    /// The words of the rule make it advice, whatever the severity that the profile gives it.
    pub(super) const fn is_advice(self) -> bool {
        matches!(self, Self::ProducerAdvised)
    }

    /// What is wrong, and how to mend it.
    pub(super) fn say(self, node: Node<'_>) -> (Text, Text) {
        match self.on(node) {
            Self::From(of) => of_these(of),
            Self::Setting => of_these(SETTINGS),
            Self::ProducerAdvised if node.name() == Some("practiceSetting") => of_these(SETTINGS),
            Self::ProducerAdvised => of_these(PRODUCERS),
            Self::Producer => match document(node).and_then(author) {
                Some(Author::Patient) => of_these(&PRODUCERS[..1]),
                Some(Author::Professional) => of_these(&PRODUCERS[1..]),
                None => of_these(PRODUCERS),
            },
            Self::Event => (
                Text::fixed("le code n'est d'aucune nomenclature", "the code is of no nomenclature"),
                Text::fixed(
                    "donnez le système du code : CCAM, CIM-10, TRE_A00-ProducteurDocNonPS ou autre",
                    "give the system of the code: CCAM, CIM-10, TRE_A00-ProducteurDocNonPS or another",
                ),
            ),
            Self::Url => (
                Text::fixed("cette URL ne mène pas au document", "this URL does not lead to the document"),
                Text::fixed(
                    "à l'ajout : Binary/[id], ou le fullUrl du Binary du même Bundle ; à la recherche : l'URL complète \
                     du document",
                    "when adding: Binary/[id], or the fullUrl of the Binary of the same Bundle; in a search: the whole \
                     URL of the document",
                ),
            ),
            Self::OneReplaced => (
                Text::fixed(
                    "un remplacement de document a un relatesTo et un seul",
                    "a replacement of a document has one relatesTo, and only one",
                ),
                Text::fixed(
                    "ne gardez que le relatesTo de code replaces",
                    "keep the relatesTo whose code is replaces only",
                ),
            ),
            Self::ReplacedFollows | Self::Replacement => (
                Text::fixed(
                    "le document visé ne suit pas le profil pdsm-comprehensive-document-reference",
                    "the document aimed at does not follow the profile pdsm-comprehensive-document-reference",
                ),
                Text::fixed(
                    "visez une DocumentReference de ce profil, ou mettez celle-ci en règle",
                    "aim at a DocumentReference of this profile, or mend that one",
                ),
            ),
        }
    }
}

fn of_these(nomenclatures: Nomenclatures) -> (Text, Text) {
    let names: Vec<&str> = nomenclatures.iter().map(|(_, name)| *name).collect();
    let names = names.join(", ");
    (
        Text::new(
            format!("le code ne vient d'aucune des nomenclatures de PDSm : {names}"),
            format!("the code is of none of the nomenclatures of PDSm: {names}"),
        ),
        Text::new(format!("donnez un code d'une de : {names}"), format!("give a code of one of: {names}")),
    )
}

/// The codings of a CodeableConcept, of an extension that holds one, or a Coding itself.
fn codings(node: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let concept = node.get("valueCodeableConcept").unwrap_or(node);
    let itself = concept.get("coding").is_none().then_some(concept);
    concept.all("coding").chain(itself)
}

fn is_from(node: Node<'_>, nomenclatures: Nomenclatures) -> bool {
    codings(node).any(|coding| {
        let oid = coding.text("system").and_then(oid_of_system);
        coding.get("code").is_some() && nomenclatures.iter().any(|(known, _)| Some(*known) == oid)
    })
}

/// The resource that holds an element.
fn document(node: Node<'_>) -> Option<Node<'_>> {
    std::iter::successors(node.parent(), |node| node.parent()).find(|node| node.resource_type().is_some())
}

enum Author {
    Patient,
    Professional,
}

/// Who wrote the document, when all its authors are of one kind and it can be told.
fn author(document: Node<'_>) -> Option<Author> {
    let kinds: Vec<&str> = document.all("author").map(|author| kind_of(document, author).unwrap_or_default()).collect();
    let all = |known: &[&str]| !kinds.is_empty() && kinds.iter().all(|kind| known.contains(kind));
    if all(&["Patient", "RelatedPerson"]) {
        return Some(Author::Patient);
    }
    all(&["Practitioner", "PractitionerRole", "Organization"]).then_some(Author::Professional)
}

fn kind_of<'d>(document: Node<'d>, reference: Node<'d>) -> Option<&'d str> {
    let text = reference.text("reference").unwrap_or_default();
    if let Some(id) = text.strip_prefix('#') {
        return document.all("contained").find(|held| held.text("id") == Some(id))?.resource_type();
    }
    reference.text("type").or_else(|| text.rsplit('/').nth(1))
}

fn leads_to_the_document(node: Node<'_>, url: &str) -> bool {
    let bundle = document(node).and_then(document).filter(|bundle| bundle.resource_type() == Some("Bundle"));
    let is_sent = bundle.is_some_and(|bundle| matches!(bundle.text("type"), Some("transaction" | "batch")));
    let is_binary = is_binary(url);
    if !is_sent {
        return is_binary || url.contains("://");
    }
    let mut entries = bundle.into_iter().flat_map(|bundle| bundle.all("entry"));
    let is_beside = entries.any(|entry| {
        entry.text("fullUrl") == Some(url) && entry.get("resource").and_then(Node::resource_type) == Some("Binary")
    });
    is_binary || is_beside
}

/// `Binary/[id]`, whatever stands before.
fn is_binary(url: &str) -> bool {
    let mut steps = url.rsplit('/');
    let (id, kind) = (steps.next().unwrap_or_default(), steps.next());
    let is_id =
        (1..=64).contains(&id.len()) && id.bytes().all(|sign| sign.is_ascii_alphanumeric() || b"-.".contains(&sign));
    kind == Some("Binary") && is_id
}

/// Said once, at the first `relatesTo`.
fn is_one_replaced(node: Node<'_>) -> bool {
    let Some(document) = document(node) else { return true };
    let is_replacement = document.all("relatesTo").any(|related| related.text("code") == Some("replaces"));
    let is_first = document.all("relatesTo").next() == Some(node);
    !is_replacement || !is_first || document.all("relatesTo").count() == 1
}
