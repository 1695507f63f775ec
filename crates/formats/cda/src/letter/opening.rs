//! The header of the letter, in the order of the schema.

use socle_identity::{IdNatPs, IdNatStruct, Sex};

use super::{ACT_CODE, LOINC, Page, Professional, System, written};

const PRACTICE_SETTING: System = System { oid: "1.2.250.1.213.1.1.4.9", name: "practiceSettingCode" };
const SECTOR: System = System { oid: "1.2.250.1.71.4.2.4", name: "TRE_R02-SecteurActivite" };
const SPECIALTY: System = System { oid: "1.2.250.1.213.1.1.4.5", name: "TRE_A01" };
const TITLE: &str = "Lettre de liaison à la sortie de l'établissement de santé";
/// OID of the local identifiers (IPP), invented.
const LOCAL_IDS: &str = "1.2.250.1.999.1.9";

impl Page<'_> {
    pub(super) fn header(&mut self) {
        self.identification();
        self.patient();
        self.author();
        self.custodian();
        self.recipient();
        self.legal_authenticator();
        self.family_doctor();
        self.stay();
        self.replaced();
        self.encounter();
    }

    fn identification(&mut self) {
        let letter = self.letter;
        self.line();
        self.w.open("realmCode").attr("code", "FR").close();
        self.id_like("typeId", "2.16.840.1.113883.1.3", "POCD_HD000040");
        self.templates(&["2.16.840.1.113883.2.8.2.1", "1.2.250.1.213.1.1.1.1"]);
        self.id_like("templateId", "1.2.250.1.213.1.1.1.29", "2022.01");
        self.w.open("id").attr("root", &letter.document_oid()).close();
        self.code("code", "11490-0", LOINC, "Lettre de liaison à la sortie d'un établissement de soins");
        self.w.leaf("title", TITLE);
        self.value("effectiveTime", &letter.now().to_string());
        self.w.open("confidentialityCode").attr("code", "N").attr("codeSystem", "2.16.840.1.113883.5.25");
        self.w.attr("displayName", "Normal").close();
        self.w.open("languageCode").attr("code", "fr-FR").close();
        self.w.open("setId").attr("root", &format!("2.25.{}", letter.set_id.as_u128())).close();
        self.value("versionNumber", &letter.version.to_string());
        self.line();
    }

    fn patient(&mut self) {
        let (ins, traits) = (&self.letter.ins, &self.letter.traits);
        self.w.open("recordTarget").open("patientRole");
        self.id(ins.authority.oid(), ins.matricule.as_str());
        self.id(LOCAL_IDS, "IPP-0042");
        self.address(&[
            ("houseNumber", "12"),
            ("streetName", "rue des Glycines"),
            ("postalCode", "51300"),
            ("city", "DOMPREMY"),
        ]);
        self.w.open("telecom").attr("value", "tel:0199000012").attr("use", "H").close();
        self.w.open("patient").attr("classCode", "PSN").open("name");
        self.qualified("family", "BR", &traits.birth_name);
        self.w.leaf("given", &traits.given_names);
        self.qualified("given", "BR", &traits.first_given_name);
        self.qualified("family", "CL", traits.used_name.as_ref().unwrap_or(&traits.birth_name));
        self.qualified("given", "CL", traits.used_given_name.as_ref().unwrap_or(&traits.first_given_name));
        self.w.close();
        self.w.open("administrativeGenderCode").attr("code", gender(traits.sex));
        self.w.attr("codeSystem", "2.16.840.1.113883.5.1").close();
        self.value("birthTime", &written(traits.birth_date));
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

    fn address(&mut self, parts: &[(&'static str, &str)]) {
        self.w.open("addr");
        for (part, text) in parts {
            self.w.leaf(part, text);
        }
        self.w.close();
    }

    fn hospital_address(&mut self) {
        self.address(&[("streetName", "avenue de la Source"), ("postalCode", "51000"), ("city", "VALBRUNE")]);
    }

    /// `assignedAuthor` or `assignedEntity`: who and where.
    fn assigned(&mut self, element: &'static str, person: &Professional) {
        self.w.open(element);
        self.id(IdNatPs::OID, person.id.as_str());
        self.code("code", &person.specialty.code, SPECIALTY, &person.specialty.label);
        self.hospital_address();
        self.w.open("telecom").attr("value", "tel:0199000017").attr("use", "WP").close();
        self.w.open("assignedPerson");
        self.name(person);
        self.w.close().open("representedOrganization");
        self.structure(person);
        self.w.close().close();
    }

    fn structure(&mut self, person: &Professional) {
        self.id(IdNatStruct::OID, person.structure.as_str());
        self.w.leaf("name", &person.structure_name);
    }

    fn name(&mut self, person: &Professional) {
        self.w.open("name").leaf("family", &person.family).leaf("given", &person.given).leaf("suffix", "DR").close();
    }

    fn author(&mut self) {
        self.w.open("author");
        self.value("time", &self.letter.now().to_string());
        self.assigned("assignedAuthor", &self.letter.author);
        self.w.close();
        self.line();
    }

    fn custodian(&mut self) {
        self.w.open("custodian").open("assignedCustodian").open("representedCustodianOrganization");
        self.structure(&self.letter.author);
        self.w.open("telecom").attr("value", "tel:0199000017").attr("use", "WP").close();
        self.hospital_address();
        self.w.close().close().close();
        self.line();
    }

    fn recipient(&mut self) {
        let recipient = &self.letter.recipient;
        self.w.open("informationRecipient").open("intendedRecipient");
        self.id(IdNatPs::OID, recipient.id.as_str());
        if let Some(address) = &self.letter.recipient_address {
            self.w.open("telecom").attr("value", &format!("mailto:{address}")).attr("use", "DIR").close();
        }
        self.w.open("informationRecipient");
        self.name(recipient);
        self.w.close().open("receivedOrganization");
        self.structure(recipient);
        self.w.close().close().close();
        self.line();
    }

    fn legal_authenticator(&mut self) {
        self.w.open("legalAuthenticator");
        self.value("time", &self.letter.now().to_string());
        self.w.open("signatureCode").attr("code", "S").close();
        self.assigned("assignedEntity", &self.letter.author);
        self.w.close();
        self.line();
    }

    fn family_doctor(&mut self) {
        let doctor = &self.letter.recipient;
        self.w.open("participant").attr("typeCode", "INF").open("functionCode").attr("code", "PCP");
        self.w.attr("displayName", "Médecin traitant").attr("codeSystem", "2.16.840.1.113883.5.88").close();
        self.w.open("time").attr("nullFlavor", "NA").close();
        self.w.open("associatedEntity").attr("classCode", "PROV");
        self.id(IdNatPs::OID, doctor.id.as_str());
        self.code("code", &doctor.specialty.code, SPECIALTY, &doctor.specialty.label);
        self.address(&[("streetName", "place des Tilleuls"), ("postalCode", "51300"), ("city", "DOMPREMY")]);
        self.w.open("telecom").attr("value", "tel:0199000025").attr("use", "WP").close();
        self.w.open("associatedPerson");
        self.name(doctor);
        self.w.close().open("scopingOrganization");
        self.structure(doctor);
        self.w.close().close().close();
        self.line();
    }

    /// The main act: the hospital stay.
    fn stay(&mut self) {
        let (admitted, now) = (self.letter.admitted().to_string(), self.letter.now().to_string());
        self.w.open("documentationOf").open("serviceEvent");
        self.code("code", "IMP", ACT_CODE, "Hospitalisation (établissement, y compris HAD)");
        self.interval(&admitted, &now);
        self.w.open("performer").attr("typeCode", "PRF").open("assignedEntity");
        self.id(IdNatPs::OID, self.letter.author.id.as_str());
        self.w.open("assignedPerson");
        self.name(&self.letter.author);
        self.w.close().open("representedOrganization");
        self.structure(&self.letter.author);
        self.code("standardIndustryClassCode", "ETABLISSEMENT", PRACTICE_SETTING, "Etablissement de santé");
        self.w.close().close().close().close().close();
        self.line();
    }

    fn replaced(&mut self) {
        let Some(old) = &self.letter.replaces else { return };
        self.w.open("relatedDocument").attr("typeCode", "RPLC").open("parentDocument");
        self.w.open("id").attr("root", old).close().close().close();
        self.line();
    }

    fn encounter(&mut self) {
        let (admitted, now) = (self.letter.admitted().to_string(), self.letter.now().to_string());
        self.w.open("componentOf").open("encompassingEncounter");
        self.code("code", "IMP", ACT_CODE, "Hospitalisation (établissement, y compris HAD)");
        self.interval(&admitted, &now);
        self.w.open("location").open("healthCareFacility");
        self.code("code", "SA01", SECTOR, "Etablissement public de santé");
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
