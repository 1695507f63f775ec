//! The header, in the order of the schema.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8, en-tête. What is not known has nullFlavor `NASK`
//! (the patient's) or `NAV` (others'), where a nullFlavor is allowed.

use socle_identity::{IdNatPs, IdNatStruct, Sex};

use super::model::{Address, Professional, Recipient, Structure};
use super::{ACT_CODE, Page, System};
use crate::codes;

const SPECIALTY_NAME: &str = "TRE_A01";

impl Page<'_> {
    /// `model`: templateIds after the two of every document, with their edition. `kind`: code, system, label.
    pub(super) fn header(&mut self, model: &[(&str, Option<&str>)], kind: (&str, &str, &str), title: &str) {
        self.identification(model, kind, title);
        self.patient();
        self.author();
        self.custodian();
        self.recipients();
        self.legal_authenticator();
        self.family_doctor();
        self.act();
        self.replaced();
        self.encounter();
    }

    fn identification(&mut self, model: &[(&str, Option<&str>)], kind: (&str, &str, &str), title: &str) {
        let head = self.head;
        self.line();
        self.w.open("realmCode").attr("code", "FR").close();
        self.w.open("typeId").attr("root", "2.16.840.1.113883.1.3").attr("extension", "POCD_HD000040").close();
        self.templates(&["2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1"]);
        for (root, edition) in model {
            self.w.open("templateId").attr("root", root).attr_opt("extension", *edition).close();
        }
        self.w.open("id").attr("root", &head.document_oid()).close();
        let name = if kind.1 == codes::LOINC { "LOINC" } else { "" };
        self.code("code", kind.0, System { oid: kind.1, name }, kind.2);
        self.w.leaf("title", title);
        self.value("effectiveTime", &head.written_at.to_string());
        let (code, label) = head.confidentiality.parts();
        self.code("confidentialityCode", code, System { oid: codes::CONFIDENTIALITY, name: "" }, label);
        self.w.open("languageCode").attr("code", "fr-FR").close();
        self.w.open("setId").attr("root", &head.set_oid()).close();
        self.value("versionNumber", &head.version.to_string());
        self.line();
    }

    fn patient(&mut self) {
        let subject = &self.head.patient;
        let traits = &subject.traits;
        self.w.open("recordTarget").open("patientRole");
        if let Some(ins) = subject.ins() {
            self.id(ins.authority.oid(), ins.matricule.as_str());
        }
        for (oid, value) in &subject.local_ids {
            self.id(oid, value);
        }
        self.address(subject.address.as_ref(), "NASK");
        for telecom in &subject.telecoms {
            self.w.open("telecom").attr("value", telecom).close();
        }
        if subject.telecoms.is_empty() {
            self.null("telecom", "NASK");
        }
        self.w.open("patient").attr("classCode", "PSN").open("name");
        self.qualified("family", "BR", &traits.birth_name);
        self.w
            .leaf("given", if traits.given_names.is_empty() { &traits.first_given_name } else { &traits.given_names });
        self.qualified("given", "BR", &traits.first_given_name);
        if let Some(used) = &traits.used_name {
            self.qualified("family", "CL", used);
        }
        if let Some(used) = &traits.used_given_name {
            self.qualified("given", "CL", used);
        }
        self.w.close();
        self.w.open("administrativeGenderCode").attr("code", gender(traits.sex));
        self.w.attr("codeSystem", "2.16.840.1.113883.5.1").close();
        self.value("birthTime", &traits.birth_date.strftime("%Y%m%d").to_string());
        if let Some(place) = &traits.birth_place {
            self.w.open("birthplace").open("place").open("addr").leaf("county", place.as_str());
            self.w.close().close().close();
        }
        self.w.close().close().close();
        self.line();
    }

    fn qualified(&mut self, element: &'static str, qualifier: &str, text: &str) {
        self.w.open(element).attr("qualifier", qualifier).text(text).close();
    }

    fn address(&mut self, address: Option<&Address>, absent: &str) {
        let Some(address) = address.filter(|address| **address != Address::default()) else {
            self.null("addr", absent);
            return;
        };
        self.w.open("addr");
        self.w.leaf_opt("houseNumber", address.number.as_deref()).leaf_opt("streetName", address.street.as_deref());
        self.w.leaf_opt("postalCode", address.postal_code.as_deref()).leaf_opt("city", address.city.as_deref());
        self.w.close();
    }

    fn telecom(&mut self, telecom: Option<&String>) {
        match telecom {
            Some(value) => {
                self.w.open("telecom").attr("value", value).attr("use", "WP").close();
            }
            None => self.null("telecom", "NAV"),
        }
    }

    /// `assignedAuthor` or `assignedEntity`: who and where.
    fn assigned(&mut self, element: &'static str, person: &Professional) {
        self.w.open(element);
        self.id(IdNatPs::OID, person.id.as_str());
        self.specialty(person);
        self.address(person.address.as_ref(), "NAV");
        self.telecom(person.telecom.as_ref());
        self.w.open("assignedPerson");
        self.name(person);
        self.w.close().open("representedOrganization");
        self.structure(&person.structure);
        self.w.close().close();
    }

    fn specialty(&mut self, person: &Professional) {
        let code = &person.specialty;
        self.code("code", &code.code, System { oid: &code.system, name: SPECIALTY_NAME }, &code.label);
    }

    fn structure(&mut self, structure: &Structure) {
        self.id(IdNatStruct::OID, structure.id.as_str());
        self.w.leaf("name", &structure.name);
        if let Some(telecom) = &structure.telecom {
            self.telecom(Some(telecom));
        }
        if let Some(address) = &structure.address {
            self.address(Some(address), "NAV");
        }
    }

    fn name(&mut self, person: &Professional) {
        self.w.open("name").leaf("family", &person.family).leaf("given", &person.given);
        self.w.leaf_opt("suffix", person.title.as_deref()).close();
    }

    fn author(&mut self) {
        self.w.open("author");
        self.value("time", &self.head.written_at.to_string());
        self.assigned("assignedAuthor", &self.head.author);
        self.w.close();
        self.line();
    }

    fn custodian(&mut self) {
        let structure = self.head.custodian.as_ref().unwrap_or(&self.head.author.structure);
        self.w.open("custodian").open("assignedCustodian").open("representedCustodianOrganization");
        self.id(IdNatStruct::OID, structure.id.as_str());
        self.w.leaf("name", &structure.name);
        self.telecom(structure.telecom.as_ref());
        self.address(structure.address.as_ref(), "NAV");
        self.w.close().close().close();
        self.line();
    }

    fn recipients(&mut self) {
        let head = self.head;
        for Recipient { professional, mss_address } in &head.recipients {
            self.w.open("informationRecipient").open("intendedRecipient");
            self.id(IdNatPs::OID, professional.id.as_str());
            if let Some(address) = mss_address {
                self.w.open("telecom").attr("value", &format!("mailto:{address}")).attr("use", "DIR").close();
            }
            self.w.open("informationRecipient");
            self.name(professional);
            self.w.close().open("receivedOrganization");
            self.structure(&professional.structure);
            self.w.close().close().close();
            self.line();
        }
    }

    fn legal_authenticator(&mut self) {
        self.w.open("legalAuthenticator");
        self.value("time", &self.head.written_at.to_string());
        self.w.open("signatureCode").attr("code", "S").close();
        self.assigned("assignedEntity", self.head.legal_authenticator.as_ref().unwrap_or(&self.head.author));
        self.w.close();
        self.line();
    }

    fn family_doctor(&mut self) {
        let Some(doctor) = &self.head.family_doctor else { return };
        self.w.open("participant").attr("typeCode", "INF").open("functionCode").attr("code", "PCP");
        self.w.attr("displayName", "Médecin traitant").attr("codeSystem", "2.16.840.1.113883.5.88").close();
        self.null("time", "NA");
        self.w.open("associatedEntity").attr("classCode", "PROV");
        self.id(IdNatPs::OID, doctor.id.as_str());
        self.specialty(doctor);
        self.address(doctor.address.as_ref(), "NAV");
        self.telecom(doctor.telecom.as_ref());
        self.w.open("associatedPerson");
        self.name(doctor);
        self.w.close().open("scopingOrganization");
        self.structure(&doctor.structure);
        self.w.close().close().close();
        self.line();
    }

    fn act(&mut self) {
        let head = self.head;
        let (act, author) = (&head.act, &head.author);
        self.w.open("documentationOf").open("serviceEvent");
        if let Some(code) = &act.code {
            self.code("code", &code.code, System { oid: &code.system, name: "" }, &code.label);
        }
        self.interval(&act.start.to_string(), act.stop.map(|stop| stop.to_string()).as_deref());
        self.w.open("performer").attr("typeCode", "PRF").open("assignedEntity");
        self.id(IdNatPs::OID, author.id.as_str());
        self.w.open("assignedPerson");
        self.name(author);
        self.w.close().open("representedOrganization");
        self.id(IdNatStruct::OID, author.structure.id.as_str());
        self.w.leaf("name", &author.structure.name);
        // A code that is not listed is written without its system: the header's own rule refuses it.
        match codes::practice_setting(&act.practice_setting) {
            Some(code) => {
                let system = System { oid: &code.system, name: "practiceSettingCode" };
                self.code("standardIndustryClassCode", &code.code, system, &code.label);
            }
            None => {
                self.w.open("standardIndustryClassCode").attr("code", &act.practice_setting).close();
            }
        }
        self.w.close().close().close().close().close();
        self.line();
    }

    fn replaced(&mut self) {
        let Some(old) = &self.head.replaces else { return };
        self.w.open("relatedDocument").attr("typeCode", "RPLC").open("parentDocument");
        self.w.open("id").attr("root", old).close().close().close();
        self.line();
    }

    fn encounter(&mut self) {
        let head = self.head;
        let encounter = &head.encounter;
        self.w.open("componentOf").open("encompassingEncounter");
        if let Some(kind) = &encounter.kind {
            let name = if kind.system == ACT_CODE.oid { ACT_CODE.name } else { "" };
            self.code("code", &kind.code, System { oid: &kind.system, name }, &kind.label);
        }
        let start = encounter.start.unwrap_or(head.act.start);
        self.interval(&start.to_string(), encounter.stop.map(|stop| stop.to_string()).as_deref());
        self.w.open("location").open("healthCareFacility");
        match codes::facility(&encounter.facility) {
            Some(code) => {
                self.code(
                    "code",
                    &code.code,
                    System { oid: &code.system, name: "TRE_R02-SecteurActivite" },
                    &code.label,
                );
            }
            None => {
                self.w.open("code").attr("code", &encounter.facility).close();
            }
        }
        self.w.close().close().close().close();
        self.line();
    }
}

/// JDV_J143 has `UN` where identities have `I`.
const fn gender(sex: Sex) -> &'static str {
    match sex {
        Sex::Indeterminate => "UN",
        known => known.letter(),
    }
}
