//! Reading the header, element by element, in the order of the document. Every fault is a finding.

use socle_finding::{Rule, Severity, Text};
use socle_xml::NodeExt as _;
use socle_xml::roxmltree::Node;

use super::acts::{encounter, service_event, service_events};
use super::patient::patient_of;
use super::people::{authenticator_of, author_of, organisation_of, participant_of, recipient_of};
use super::{Header, Order, Patient, Related, RelatedKind, Template, Time};
use crate::code::{Code, Identifier};
use crate::codes;
use crate::document::{child, children, path};
use crate::finding::{Findings, at, missing_in};

/// The text that makes the rules of this module.
const SMIN: &str = "CI-SIS Structuration minimale 1.16.8";
const DICOM: &str = "urn:dicom-org:ps3-20";
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const HL7_FRANCE: &str = "2.16.840.1.113883.2.8.2.1";
const CI_SIS: &str = "1.2.250.1.213.1.1.1.1";
const XDS_SD: &str = "1.3.6.1.4.1.19376.1.2.20";
/// CI-SIS; XDS stops at 128 too (IHE ITI TF-3 4.2.3.2.22).
const TITLE_MOST: usize = 128;

/// A rule of the header.
pub(crate) const fn rule(point: &'static str) -> Rule {
    Rule::fixed(SMIN, point)
}

pub(crate) const fn text(fr: &'static str, en: &'static str) -> Text {
    Text::fixed(fr, en)
}

/// Reads the header, none when something mandatory is not there or not in form, and the patient, who may
/// be known all the same.
pub(crate) fn read(root: Node<'_, '_>, found: &mut Findings) -> (Option<Header>, Option<Patient>) {
    let mut patient = None;
    (parts(root, &mut patient, found), patient)
}

/// What a reader may see of a header, even of one that is refused: each part that can be read.
pub(crate) struct Loose {
    pub(crate) id: Option<String>,
    pub(crate) version: Option<u32>,
    pub(crate) replaces: Option<String>,
    pub(crate) confidentiality: Option<String>,
    pub(crate) authors: Vec<super::Author>,
    pub(crate) custodian: Option<super::Organisation>,
    pub(crate) legal_authenticator: Option<super::Authenticator>,
    pub(crate) recipients: Vec<super::Recipient>,
    pub(crate) participants: Vec<super::Participant>,
    pub(crate) events: Vec<super::ServiceEvent>,
    pub(crate) encounter: Option<super::Encounter>,
}

/// Reads what can be read; what is wrong is told by [`read`].
pub(crate) fn loosely(root: Node<'_, '_>) -> Loose {
    let ignored = &mut Findings::default();
    let replaced = child(root, "relatedDocument").filter(|node| node.attribute("typeCode") == Some("RPLC"));
    let custodian = path(root, &["custodian", "assignedCustodian", "representedCustodianOrganization"]);
    Loose {
        id: child(root, "id").and_then(identifier).map(|id| id.to_unique_id()),
        version: child(root, "versionNumber").and_then(|node| node.attribute("value")?.trim().parse().ok()),
        replaces: replaced
            .and_then(|node| path(node, &["parentDocument", "id"]))
            .and_then(identifier)
            .map(|id| id.to_unique_id()),
        confidentiality: child(root, "confidentialityCode").and_then(|node| node.attribute("code")).map(str::to_owned),
        authors: children(root, "author").filter_map(|node| author_of(node, ignored)).collect(),
        custodian: custodian.map(organisation_of),
        legal_authenticator: child(root, "legalAuthenticator").and_then(|node| authenticator_of(node, ignored)),
        recipients: children(root, "informationRecipient").filter_map(recipient_of).collect(),
        participants: children(root, "participant").filter_map(participant_of).collect(),
        events: children(root, "documentationOf").filter_map(|n| child(n, "serviceEvent")).map(service_event).collect(),
        encounter: child(root, "componentOf").and_then(|node| encounter(node, ignored)),
    }
}

fn parts(root: Node<'_, '_>, patient: &mut Option<Patient>, found: &mut Findings) -> Option<Header> {
    check_realm(root, found);
    let templates = templates(root, found);
    let id = document_id(root, found);
    let code = type_code(root, found);
    let title = title(root, found);
    let effective_time = effective_time(root, found);
    let confidentiality = confidentiality(root, found);
    let language = language(root, found);
    let set_id = set_id(root, found);
    let version = version(root, found);
    check_obsolete(root, found);
    *patient = one(root, "recordTarget", "en-tête, recordTarget 1..1", found).and_then(|t| patient_of(t, found));
    let authors = authors(root, found);
    let custodian = custodian(root, found);
    let recipients = children(root, "informationRecipient").filter_map(recipient_of).collect();
    let legal_authenticator = one(root, "legalAuthenticator", "en-tête, legalAuthenticator 1..1", found)
        .and_then(|node| authenticator_of(node, found));
    let participants = children(root, "participant").filter_map(participant_of).collect();
    let orders = children(root, "inFulfillmentOf").filter_map(|n| child(n, "order")).map(order).collect();
    let events = service_events(root, found);
    let related = related(root, found);
    let encounter =
        one(root, "componentOf", "en-tête, componentOf 1..1", found).and_then(|node| encounter(node, found));
    let (main_event, other_events) = events?;
    Some(Header {
        templates,
        id: id?,
        code: code?,
        title: title?,
        effective_time: effective_time?,
        confidentiality: confidentiality?,
        language: language?,
        set_id: set_id?,
        version: version?,
        related: related?,
        patient: patient.clone()?,
        authors: authors?,
        custodian: custodian?,
        legal_authenticator: legal_authenticator?,
        recipients,
        participants,
        orders,
        main_event,
        other_events,
        encounter: encounter?,
    })
}

/// The only child of this name; its absence, its repetition and a nullFlavor are errors.
pub(super) fn one<'a, 'i: 'a>(
    parent: Node<'a, 'i>,
    name: &'static str,
    point: &'static str,
    found: &mut Findings,
) -> Option<Node<'a, 'i>> {
    let mut all = children(parent, name);
    let Some(first) = all.next() else {
        missing(parent, name, point, found);
        return None;
    };
    if let Some(second) = all.next() {
        repeated(second, point, found);
    }
    if first.has_attribute("nullFlavor") {
        found.error(
            rule(point),
            at(first),
            text("nullFlavor est interdit sur cet élément", "nullFlavor is forbidden on this element"),
            text("donnez la valeur", "give the value"),
        );
        return None;
    }
    Some(first)
}

pub(crate) fn missing(parent: Node<'_, '_>, name: &str, point: &'static str, found: &mut Findings) {
    found.error(
        rule(point),
        missing_in(parent, name),
        text("un élément obligatoire est absent", "a mandatory element is missing"),
        Text::new(format!("ajoutez l'élément {name}"), format!("add the element {name}")),
    );
}

fn repeated(node: Node<'_, '_>, point: &'static str, found: &mut Findings) {
    found.error(
        rule(point),
        at(node),
        text("l'élément ne doit pas être répété", "the element must not be repeated"),
        text("n'en gardez qu'un", "keep one"),
    );
}

pub(crate) fn bad_value(node: Node<'_, '_>, point: &'static str, mend: Text, found: &mut Findings) {
    found.error(
        rule(point),
        at(node),
        text("la valeur n'a pas la forme attendue", "the value is not in the expected form"),
        mend,
    );
}

/// `realmCode` and `typeId` say the same in every document.
fn check_realm(root: Node<'_, '_>, found: &mut Findings) {
    if root.has_attribute((XSI, "schemaLocation")) {
        found.add(
            Severity::Information,
            rule("xsi:schemaLocation interdit"),
            at(root),
            text("xsi:schemaLocation est présent", "xsi:schemaLocation is present"),
            text("retirez cet attribut", "remove this attribute"),
        );
    }
    let point = "en-tête, realmCode 1..1";
    if let Some(realm) = one(root, "realmCode", point, found)
        && realm.attribute("code") != Some("FR")
    {
        bad_value(realm, point, text("écrivez code=\"FR\"", "write code=\"FR\""), found);
    }
    let point = "en-tête, typeId 1..1";
    if let Some(kind) = one(root, "typeId", point, found)
        && (kind.attribute("root"), kind.attribute("extension"))
            != (Some("2.16.840.1.113883.1.3"), Some("POCD_HD000040"))
    {
        let mend = text(
            "écrivez root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"",
            "write root=\"2.16.840.1.113883.1.3\" extension=\"POCD_HD000040\"",
        );
        bad_value(kind, point, mend, found);
    }
}

/// `templateId` of an element, those that have a root.
pub(crate) fn templates_of(node: Node<'_, '_>) -> Vec<Template> {
    let read = |node: Node<'_, '_>| {
        let root = node.attribute("root")?.trim().to_owned();
        Some(Template { root, version: node.attribute("extension").map(str::to_owned) })
    };
    children(node, "templateId").filter_map(read).collect()
}

fn templates(root: Node<'_, '_>, found: &mut Findings) -> Vec<Template> {
    let point = "en-tête, templateId 3..*";
    let all = templates_of(root);
    for (template, fr, en) in [
        (HL7_FRANCE, "le templateId HL7 France est absent", "the templateId of HL7 France is missing"),
        (CI_SIS, "le templateId du CI-SIS est absent", "the templateId of the CI-SIS is missing"),
    ] {
        if !all.iter().any(|t| t.root == template) {
            let mend =
                Text::new(format!("ajoutez templateId root={template}"), format!("add templateId root={template}"));
            found.error(rule(point), missing_in(root, "templateId"), text(fr, en), mend);
        }
    }
    let model = |t: &&Template| t.root != HL7_FRANCE && t.root != CI_SIS;
    if !all.iter().any(|t| model(&t)) {
        found.error(
            rule(point),
            missing_in(root, "templateId"),
            text("aucun templateId ne dit le modèle du document", "no templateId tells the model of the document"),
            text(
                "ajoutez celui du volet, ou 1.3.6.1.4.1.19376.1.2.20 pour un corps non structuré",
                "add that of the volet, or 1.3.6.1.4.1.19376.1.2.20 for an unstructured body",
            ),
        );
    }
    let roots: Vec<&str> = all.iter().take(2).map(|t| t.root.as_str()).collect();
    if all.len() >= 3 && roots != [HL7_FRANCE, CI_SIS] {
        found.warning(
            rule("en-tête, templateId, ordre"),
            missing_in(root, "templateId"),
            text("les templateId ne sont pas dans l'ordre prescrit", "the templateIds are not in the prescribed order"),
            text("HL7 France, CI-SIS, puis le modèle", "HL7 France, CI-SIS, then the model"),
        );
    }
    let unstructured = path(root, &["component", "nonXMLBody"]).is_some();
    if unstructured && !all.iter().any(|t| t.root == XDS_SD) {
        found.warning(
            rule("en-tête, templateId, corps non structuré"),
            missing_in(root, "templateId"),
            text("le templateId IHE XDS-SD est absent", "the templateId of IHE XDS-SD is missing"),
            text("ajoutez templateId root=1.3.6.1.4.1.19376.1.2.20", "add templateId root=1.3.6.1.4.1.19376.1.2.20"),
        );
    }
    all
}

/// `II`: none without root.
pub(crate) fn identifier(node: Node<'_, '_>) -> Option<Identifier> {
    let root = node.attribute("root").map(str::trim).filter(|root| !root.is_empty())?;
    let extension = node.attribute("extension").map(str::trim).filter(|extension| !extension.is_empty());
    Some(Identifier { root: root.to_owned(), extension: extension.map(str::to_owned) })
}

/// All `id` children that identify something.
pub(super) fn identifiers(node: Node<'_, '_>) -> Vec<Identifier> {
    children(node, "id").filter_map(identifier).collect()
}

fn document_id(root: Node<'_, '_>, found: &mut Findings) -> Option<Identifier> {
    let point = "en-tête, id 1..1";
    let node = one(root, "id", point, found)?;
    let id = identifier(node).filter(|id| id.oid().is_ok());
    let Some(id) = id else {
        let mend = text("donnez un OID dans l'attribut root", "give an OID in the attribute root");
        bad_value(node, point, mend, found);
        return None;
    };
    if id.extension.is_some() {
        found.warning(
            rule("en-tête, id sans extension"),
            at(node),
            text("le DMP ne gère pas root et extension", "the DMP does not support root and extension"),
            text("mettez tout l'identifiant dans root", "put the whole identifier in root"),
        );
    }
    Some(id)
}

/// `CD`/`CE` with code and system.
pub(crate) fn code_of(node: Node<'_, '_>) -> Option<Code> {
    let part = |name: &str| node.attribute(name).map(str::trim).filter(|text| !text.is_empty());
    Some(Code::new(part("code")?, part("codeSystem")?, part("displayName").unwrap_or_default()))
}

pub(super) fn mandatory_code(node: Node<'_, '_>, point: &'static str, found: &mut Findings) -> Option<Code> {
    let code = code_of(node);
    if code.is_none() {
        let mend = text("donnez code, codeSystem et displayName", "give code, codeSystem and displayName");
        bad_value(node, point, mend, found);
    } else if code.as_ref().is_some_and(|code| code.label.is_empty()) {
        found.warning(
            rule("types de données, displayName"),
            at(node),
            text("le code n'a pas de libellé", "the code has no label"),
            text("donnez displayName", "give displayName"),
        );
    }
    code
}

pub(super) fn not_in_value_set(node: Node<'_, '_>, set: &'static str, found: &mut Findings) {
    found.warning(
        rule(set),
        at(node),
        text("le code n'est pas dans le jeu de valeurs", "the code is not in the value set"),
        text("vérifiez le code", "check the code"),
    );
}

fn type_code(root: Node<'_, '_>, found: &mut Findings) -> Option<Code> {
    let point = "en-tête, code 1..1";
    let node = one(root, "code", point, found)?;
    let code = mandatory_code(node, point, found)?;
    if !codes::is_listed_type(&code) {
        not_in_value_set(node, "JDV_J07 XdsTypeCode", found);
    }
    Some(code)
}

/// Text of an element, spaces folded.
pub(crate) fn folded(node: Node<'_, '_>) -> String {
    node.full_text().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn title(root: Node<'_, '_>, found: &mut Findings) -> Option<String> {
    let point = "en-tête, title 1..1, 128 caractères";
    let node = one(root, "title", point, found)?;
    let title = folded(node);
    if title.is_empty() || title.chars().count() > TITLE_MOST {
        let mend = text("donnez un titre de 1 à 128 caractères", "give a title of 1 to 128 characters");
        bad_value(node, point, mend, found);
        return None;
    }
    Some(title)
}

const LOCAL_TIME: Text =
    text("écrivez AAAAMMJJhhmmss±ZZzz, dans le calendrier", "write AAAAMMJJhhmmss±ZZzz, in the calendar");

/// A time that XDS needs in UTC: without an offset, nobody can know which instant is meant.
pub(super) fn utc_time(node: Node<'_, '_>, point: &'static str, found: &mut Findings) -> Option<Time> {
    let time = node.attribute("value").and_then(|value| value.trim().parse::<Time>().ok());
    let Some(time) = time else {
        bad_value(node, point, LOCAL_TIME, found);
        return None;
    };
    if time.to_utc().is_none() {
        found.error(
            rule(point),
            at(node),
            text("l'heure n'a pas de décalage par rapport à UTC", "the time has no offset from UTC"),
            text("ajoutez le décalage, par exemple +0100", "add the offset, for instance +0100"),
        );
        return None;
    }
    Some(time)
}

/// A time that is kept when it can be read; `rules` says what is wrong with the others.
pub(super) fn tolerated_time(node: Option<Node<'_, '_>>) -> Option<Time> {
    node?.attribute("value")?.trim().parse::<Time>().ok()
}

fn effective_time(root: Node<'_, '_>, found: &mut Findings) -> Option<Time> {
    let point = "en-tête, effectiveTime 1..1";
    let node = one(root, "effectiveTime", point, found)?;
    let time = utc_time(node, point, found)?;
    if time.precision() != crate::time::Precision::Second {
        found.warning(
            rule("en-tête, effectiveTime à la seconde"),
            at(node),
            text("la date de création n'est pas à la seconde", "the creation time is not to the second"),
            LOCAL_TIME,
        );
    }
    Some(time)
}

fn confidentiality(root: Node<'_, '_>, found: &mut Findings) -> Option<Code> {
    let point = "en-tête, confidentialityCode 1..1";
    let node = one(root, "confidentialityCode", point, found)?;
    let code = mandatory_code(node, point, found)?;
    if code.system == codes::CONFIDENTIALITY && matches!(code.code.as_str(), "N" | "R" | "V") {
        return Some(code);
    }
    let mend = text(
        "écrivez N, R ou V du système 2.16.840.1.113883.5.25 ; la visibilité se dit dans les métadonnées",
        "write N, R or V of system 2.16.840.1.113883.5.25; visibility is told in the metadata",
    );
    bad_value(node, point, mend, found);
    None
}

fn language(root: Node<'_, '_>, found: &mut Findings) -> Option<String> {
    let point = "en-tête, languageCode 1..1";
    let node = one(root, "languageCode", point, found)?;
    let Some(code) = node.attribute("code").map(str::trim).filter(|code| !code.is_empty()) else {
        bad_value(node, point, text("écrivez code=\"fr-FR\"", "write code=\"fr-FR\""), found);
        return None;
    };
    if code != "fr-FR" {
        found.warning(
            rule("en-tête, languageCode fr-FR"),
            at(node),
            text("la langue n'est pas fr-FR", "the language is not fr-FR"),
            text("écrivez code=\"fr-FR\"", "write code=\"fr-FR\""),
        );
    }
    Some(code.to_owned())
}

fn set_id(root: Node<'_, '_>, found: &mut Findings) -> Option<Identifier> {
    let point = "en-tête, setId 1..1";
    let node = one(root, "setId", point, found)?;
    let id = identifier(node);
    match &id {
        None => bad_value(node, point, text("donnez l'attribut root", "give the attribute root"), found),
        Some(id) if id.oid().is_err() => found.warning(
            rule("en-tête, setId, OID"),
            at(node),
            text("l'identifiant du lot de versions n'est pas un OID", "the identifier of the versions is not an OID"),
            text("donnez un OID dans root", "give an OID in root"),
        ),
        Some(_) => {}
    }
    id
}

fn version(root: Node<'_, '_>, found: &mut Findings) -> Option<u32> {
    let point = "en-tête, versionNumber 1..1";
    let node = one(root, "versionNumber", point, found)?;
    let version = node.attribute("value").and_then(|v| v.trim().parse::<u32>().ok()).filter(|v| *v >= 1);
    if version.is_none() {
        bad_value(node, point, text("donnez un entier à partir de 1", "give an integer from 1"), found);
    }
    version
}

fn check_obsolete(root: Node<'_, '_>, found: &mut Findings) {
    if let Some(node) = child(root, "copyTime") {
        found.warning(
            rule("en-tête, copyTime obsolète"),
            at(node),
            text("copyTime est obsolète", "copyTime is obsolete"),
            text("retirez-le", "remove it"),
        );
    }
    if let Some(second) = children(root, "dataEnterer").nth(1) {
        repeated(second, "en-tête, dataEnterer 0..1", found);
    }
}

fn authors(root: Node<'_, '_>, found: &mut Findings) -> Option<Vec<super::Author>> {
    let nodes: Vec<_> = children(root, "author").collect();
    if nodes.is_empty() {
        missing(root, "author", "en-tête, author 1..*", found);
        return None;
    }
    let read: Vec<_> = nodes.iter().map(|node| author_of(*node, found)).collect();
    read.into_iter().collect()
}

fn custodian(root: Node<'_, '_>, found: &mut Findings) -> Option<super::Organisation> {
    let point = "en-tête, custodian 1..1";
    let node = one(root, "custodian", point, found)?;
    let assigned = one(node, "assignedCustodian", point, found)?;
    let node = one(assigned, "representedCustodianOrganization", point, found)?;
    let organisation = organisation_of(node);
    if organisation.ids.is_empty() {
        missing(node, "id", point, found);
        return None;
    }
    if organisation.name.is_none() {
        found.warning(
            rule("en-tête, custodian, nom"),
            missing_in(node, "name"),
            text("l'organisation n'a pas de nom", "the organisation has no name"),
            text("ajoutez l'élément name", "add the element name"),
        );
    }
    Some(organisation)
}

fn order(node: Node<'_, '_>) -> Order {
    let accession = node.children_named(Some(DICOM), "accessionNumber").filter_map(identifier).collect();
    Order { ids: identifiers(node), accession_numbers: accession }
}

/// `0..1`: `Some(None)` when there is none, `None` when it is wrong.
#[expect(clippy::option_option, reason = "absent is right, wrong is not: the two must stay apart")]
fn related(root: Node<'_, '_>, found: &mut Findings) -> Option<Option<Related>> {
    let point = "en-tête, relatedDocument 0..1";
    let mut all = children(root, "relatedDocument");
    let Some(node) = all.next() else { return Some(None) };
    if let Some(second) = all.next() {
        repeated(second, point, found);
    }
    let kind = match node.attribute("typeCode") {
        Some("RPLC") => Some(RelatedKind::Replaces),
        Some("XFRM") => Some(RelatedKind::Transforms),
        _ => None,
    };
    if kind.is_none() {
        bad_value(node, point, text("écrivez typeCode RPLC ou XFRM", "write typeCode RPLC or XFRM"), found);
    }
    let parent = one(node, "parentDocument", point, found)?;
    let id = one(parent, "id", point, found)?;
    let Some(identifier) = identifier(id) else {
        bad_value(id, point, text("donnez l'attribut root", "give the attribute root"), found);
        return None;
    };
    if identifier.oid().is_err() || identifier.extension.is_some() {
        found.warning(
            rule("en-tête, relatedDocument, id du parent"),
            at(id),
            text(
                "l'identifiant du document remplacé n'est pas un OID seul : le DMP ne le retrouvera pas",
                "the identifier of the replaced document is not an OID alone: the DMP will not find it",
            ),
            text("donnez l'OID du document remplacé dans root", "give the OID of the replaced document in root"),
        );
    }
    Some(Some(Related { kind: kind?, parent: identifier }))
}
