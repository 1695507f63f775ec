//! The VIHF on the wire: a SAML 2.0 assertion, written unsigned with the place of its signature, and read
//! below the node whose signature was proven.
//!
//! We write `Authentification_mode`; the DMP also takes `Authentification_Mode`, so names are compared
//! without case and the twin logs the difference. Order: names, writing, reading, errors.
//!
//! Not here: the signature itself (`socle_xml::signature`), freshness, replay and rights (`twin`).
//! Source: CI-SIS, volet Transport synchrone pour client lourd; SAML 2.0 core.

mod read;

pub use read::{Received, VihfError, read};

use jiff::Timestamp;
use socle_xml::signature::{Algorithm, assertion_signature_template};
use socle_xml::write::Writer;
use uuid::Uuid;

use crate::model::{Mode, Role, Speaker, Vihf};

/// Namespace of SAML 2.0 assertions.
pub const NS_SAML: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
/// Namespace of HL7 v3, where `Role` and `PurposeOfUse` live.
pub(crate) const NS_HL7: &str = "urn:hl7-org:v3";
const NS_XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
const X509_SUBJECT: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName";
/// Code system of the mode of access (`purposeofuse`).
const PURPOSE_SYSTEM: &str = "1.2.250.1.213.1.1.4.248";
/// Code system of the sectors of activity.
const SECTOR_SYSTEM: &str = "1.2.250.1.71.4.2.4";
/// The service that is called, as a VIHF names it.
const RESOURCE_URN: &str = "urn:dmp";

/// Names of attributes.
mod name {
    pub(super) const VERSION: &str = "VIHF_Version";
    pub(super) const MODE: &str = "Authentification_mode";
    pub(super) const STRUCTURE: &str = "Identifiant_Structure";
    pub(super) const SECTOR: &str = "Secteur_Activite";
    pub(super) const SUBJECT_ID: &str = "urn:oasis:names:tc:xspa:1.0:subject:subject-id";
    pub(super) const ROLE: &str = "urn:oasis:names:tc:xacml:2.0:subject:role";
    pub(super) const RESOURCE_ID: &str = "urn:oasis:names:tc:xacml:2.0:resource:resource-id";
    pub(super) const RESOURCE_URN: &str = "Ressource_URN";
    pub(super) const PURPOSE: &str = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse";
    pub(super) const CONFIDENTIALITY: &str = "urn:oasis:names:tc:xspa:1.0:resource:patient:hl7:confidentiality-code";
    pub(super) const LPS_ID: &str = "LPS_ID";
    pub(super) const LPS_NAME: &str = "LPS_Nom";
    pub(super) const LPS_VERSION: &str = "LPS_Version";
    pub(super) const LPS_HOMOLOGATION: &str = "LPS_ID_HOMOLOGATION_DMP";
}

/// What goes into an assertion beside the VIHF itself.
#[derive(Debug, Clone)]
pub struct Issue<'a> {
    /// The instant of issue, and of authentication unless [`Self::authenticated_at`] says otherwise.
    pub at: Timestamp,
    /// When the professional authenticated (AIR).
    pub authenticated_at: Option<Timestamp>,
    /// Subject DN of the signing certificate, by RFC 2253.
    pub issuer: &'a str,
    /// The `VIHF_Version`.
    pub version: &'a str,
    /// How the signature will be made.
    pub algorithm: Algorithm,
}

/// Writes the assertion, with an empty signature to be filled by `socle_xml::signature::sign`.
///
/// Each call makes a new `ID`: an assertion serves once.
#[must_use]
pub fn write(vihf: &Vihf, issue: &Issue<'_>) -> String {
    let id = format!("_{}", Uuid::new_v4().simple());
    let at = instant(issue.at);
    let mut w = Writer::fragment();
    w.open("saml2:Assertion").ns("saml2", NS_SAML).ns("xsi", NS_XSI);
    w.attr("Version", "2.0").attr("ID", &id).attr("IssueInstant", &at);
    w.open("saml2:Issuer").attr("Format", X509_SUBJECT).text(issue.issuer).close();
    w.raw(&assertion_signature_template(&id, issue.algorithm));
    w.open("saml2:Subject").leaf("saml2:NameID", &vihf.name_id()).close();
    write_authentication(&mut w, vihf.mode(), &instant(issue.authenticated_at.unwrap_or(issue.at)));
    write_attributes(&mut w, vihf, issue.version);
    w.finish()
}

/// The structure authenticates by TLS; in AIR the means by which the professional did is told beside.
fn write_authentication(w: &mut Writer, mode: Mode, at: &str) {
    let class = match mode {
        Mode::Direct => "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
        Mode::Indirect | Mode::IndirectRenforcee => "urn:oasis:names:tc:SAML:2.0:ac:classes:TLSClient",
    };
    w.open("saml2:AuthnStatement").attr("AuthnInstant", at).open("saml2:AuthnContext");
    w.leaf("saml2:AuthnContextClassRef", class);
    if mode == Mode::IndirectRenforcee {
        w.leaf("saml2:AuthnContextDecl", "APP_BROWSER_AUTH");
    }
    w.close().close();
}

fn write_attributes(w: &mut Writer, vihf: &Vihf, version: &str) {
    let structure = vihf.structure();
    let software = vihf.software();
    w.open("saml2:AttributeStatement");
    attribute(w, name::VERSION, version);
    attribute(w, name::MODE, vihf.mode().as_str());
    attribute(w, name::STRUCTURE, structure.id.as_str());
    attribute(w, name::SECTOR, &format!("{}^{SECTOR_SYSTEM}", structure.sector));
    attribute(w, name::SUBJECT_ID, subject_name(vihf.speaker()));
    write_roles(w, vihf.speaker());
    if let Some(patient) = vihf.patient() {
        attribute(w, name::RESOURCE_ID, &patient.to_cx());
    }
    attribute(w, name::RESOURCE_URN, RESOURCE_URN);
    w.open("saml2:Attribute").attr("Name", name::PURPOSE).open("saml2:AttributeValue");
    write_ce(w, "PurposeOfUse", vihf.purpose().code(), PURPOSE_SYSTEM, "");
    w.close().close();
    attribute(w, name::LPS_ID, &software.id);
    attribute(w, name::LPS_NAME, &software.name);
    attribute(w, name::LPS_VERSION, &software.version);
    attribute(w, name::LPS_HOMOLOGATION, &software.homologation);
    w.close();
}

fn subject_name(speaker: &Speaker) -> &str {
    match speaker {
        Speaker::Professional(professional) => professional.name(),
        Speaker::Employee(employee) => &employee.name,
        Speaker::Automaton(automaton) => &automaton.name,
    }
}

fn write_roles(w: &mut Writer, speaker: &Speaker) {
    w.open("saml2:Attribute").attr("Name", name::ROLE);
    let mut role = |code: &str, system: &str, display: &str| {
        w.open("saml2:AttributeValue");
        write_ce(w, "Role", code, system, display);
        w.close();
    };
    match speaker {
        Speaker::Professional(professional) => {
            professional.roles().for_each(|r| role(&r.code, &r.system, &r.display));
        }
        Speaker::Employee(employee) => role(&employee.role.code, &employee.role.system, &employee.role.display),
        Speaker::Automaton(_) => role(Role::AUTOMATON, Role::AUTOMATON_SYSTEM, "Automate"),
    }
    w.close();
}

/// An HL7 `CE`; its `xsi:type` is a QName of the default namespace, which is why that one is declared here.
fn write_ce(w: &mut Writer, element: &'static str, code: &str, system: &str, display: &str) {
    w.open(element).ns("", NS_HL7).attr("xsi:type", "CE").attr("code", code).attr("codeSystem", system);
    if !display.is_empty() {
        w.attr("displayName", display);
    }
    w.close();
}

fn attribute(w: &mut Writer, name: &str, value: &str) {
    w.open("saml2:Attribute").attr("Name", name).leaf("saml2:AttributeValue", value).close();
}

/// `xs:dateTime` in UTC, to the millisecond (SAML 2.0 core §1.3.3).
fn instant(at: Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use socle_xml::{Limits, parse};

    use super::*;
    use crate::model::{Professional, Purpose, Software, Structure};
    use crate::wire::CxError;

    const ISSUER: &str = "CN=SIGN,OU=10B0000001,O=HOPITAL,C=FR";

    fn vihf() -> Vihf {
        let who =
            Professional::new("899700000017".parse().unwrap(), "Zoé <O'Hara> & fils", "10", Some("SM26")).unwrap();
        let structure = Structure { id: "10B0000001".parse().unwrap(), sector: "SA01".into() };
        let software =
            Software { id: "1".into(), name: "Socle".into(), version: "0.1".into(), homologation: "TEST".into() };
        let ins = crate::wire::ins_from_cx("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH").unwrap();
        Vihf { patient: Some(ins), ..Vihf::reinforced(structure, who, software) }.because(Purpose::BrisDeGlace)
    }

    fn written() -> String {
        let at = "2026-11-24T10:00:00Z".parse().unwrap();
        let issue =
            Issue { at, authenticated_at: None, issuer: ISSUER, version: "3.0", algorithm: Algorithm::RsaSha256 };
        write(&vihf(), &issue)
    }

    fn read_text(xml: &str) -> Result<Received, VihfError> {
        let document = parse(xml, &Limits::default()).unwrap();
        read(document.root_element())
    }

    #[test]
    fn what_is_written_is_read_back() {
        let received = read_text(&written()).unwrap();
        assert_eq!(received.vihf, vihf());
        assert_eq!(received.issuer, ISSUER);
        assert_eq!(received.version, "3.0");
        assert_eq!(received.issued_at, "2026-11-24T10:00:00Z".parse().unwrap());
        assert!(!received.other_mode_name);
        assert_ne!(received.id, read_text(&written()).unwrap().id, "an assertion serves once");
    }

    #[test]
    fn the_parts_come_in_the_order_of_the_schema() {
        let xml = written();
        let document = parse(&xml, &Limits::default()).unwrap();
        let names: Vec<_> =
            document.root_element().children().filter(|n| n.is_element()).map(|n| n.tag_name().name()).collect();
        let without_signature: Vec<_> = names.into_iter().filter(|name| *name != "Signature").collect();
        assert_eq!(without_signature, ["Issuer", "Subject", "AuthnStatement", "AttributeStatement"]);
    }

    #[test]
    fn says_what_is_missing_or_wrong() {
        let value = |what| move |e: VihfError| matches!(e, VihfError::Value { what: w, .. } if w == what);
        let missing = |what| move |e: VihfError| e == VihfError::Missing(what);
        type Check = Box<dyn Fn(VihfError) -> bool>;
        let cases: [(&str, &str, &str, Check); 18] = [
            ("SAML 1.1", "Version=\"2.0\"", "Version=\"1.1\"", Box::new(|e| e == VihfError::SamlVersion)),
            ("no mode", "Authentification_mode", "Mode", Box::new(missing(name::MODE))),
            ("unknown mode", "INDIRECTE_RENFORCEE", "SIMPLE", Box::new(value(name::MODE))),
            ("no structure", "Identifiant_Structure", "S", Box::new(missing(name::STRUCTURE))),
            ("sector of another system", "SA01^1.2.250.1.71.4.2.4", "SA01^1.2", Box::new(value(name::SECTOR))),
            ("no role", "xacml:2.0:subject:role", "xacml:2.0:subject:rol", Box::new(missing(name::ROLE))),
            ("physician without savoir-faire", Role::SPECIALTIES, "1.2.3", Box::new(|e| e == VihfError::NoSpecialty)),
            ("role of nobody", Role::PROFESSIONS, "1.2.3", Box::new(|e| e == VihfError::NameId)),
            (
                "AIR by an automaton",
                "code=\"10\" codeSystem=\"1.2.250.1.71.1.2.7\"",
                "code=\"AUTOMATE\" codeSystem=\"1.2.250.1.213.1.1.4.6\"",
                Box::new(|e| e == VihfError::NameId),
            ),
            (
                "INS with a wrong key",
                "279035121518989",
                "279035121518988",
                Box::new(|e| e == VihfError::Patient(CxError::Matricule)),
            ),
            ("another service", "urn:dmp", "urn:ROR", Box::new(value(name::RESOURCE_URN))),
            ("unknown purpose", "bris_de_glace", "curiosite", Box::new(value(name::PURPOSE))),
            ("no purpose", "purposeofuse", "purpose", Box::new(missing(name::PURPOSE))),
            ("no homologation", "LPS_ID_HOMOLOGATION_DMP", "LPS_X", Box::new(missing(name::LPS_HOMOLOGATION))),
            ("attribute twice", "LPS_Nom", "LPS_ID", Box::new(|e| e == VihfError::Twice(name::LPS_ID))),
            ("local time", "2026-11-24T10:00:00.000Z", "24/11/2026 10:00", Box::new(value("IssueInstant"))),
            ("issuer of another format", "X509SubjectName", "unspecified", Box::new(value("Issuer/@Format"))),
            ("no name", "Zoé &lt;O'Hara&gt; &amp; fils", " ", Box::new(missing(name::SUBJECT_ID))),
        ];
        let good = written();
        for (case, from, to, check) in cases {
            let spoiled = good.replace(from, to);
            assert_ne!(spoiled, good, "{case}: nothing was spoiled");
            let error = read_text(&spoiled).unwrap_err();
            assert!(check(error), "{case}: {error:?}");
            assert!(!error.to_string().contains("27903"), "{case}: an error shows a person");
        }
    }

    #[test]
    fn an_automaton_speaks_in_mode_indirecte_only() {
        let automaton = written()
            .replace(
                "code=\"10\" codeSystem=\"1.2.250.1.71.1.2.7\"",
                "code=\"AUTOMATE\" codeSystem=\"1.2.250.1.213.1.1.4.6\"",
            )
            .replace(">899700000017<", ">10B0000001/pfi<");
        assert_eq!(read_text(&automaton).unwrap_err(), VihfError::AutomatonAlone);
        let indirect = read_text(&automaton.replace("INDIRECTE_RENFORCEE", "INDIRECTE")).unwrap();
        assert!(matches!(indirect.vihf.speaker(), Speaker::Automaton(who) if who.internal_id == "pfi"));
    }

    #[test]
    fn the_name_of_the_mode_is_read_in_both_cases() {
        let received = read_text(&written().replace("Authentification_mode", "Authentification_Mode")).unwrap();
        assert!(received.other_mode_name);
        assert_eq!(received.vihf, vihf());
    }
}
