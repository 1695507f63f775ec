//! XDS and CDA name a code system by OID, FHIR by URL: the table of both, for the metadata of documents.
//!
//! URLs and OIDs are those of the code systems in the package ans.fhir.fr.pdsm 3.1.1 and its dependencies
//! (`identifier` of each CodeSystem), of HL7 (THO) and of IHE. What no table knows keeps its OID, which
//! FHIR takes as `urn:oid:…`: nothing is invented.

use crate::datatypes::Coding;

/// LOINC.
pub const LOINC: &str = "http://loinc.org";
/// HL7 v3 Confidentiality: N, R, V.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// TRE_A07, visibility codes, as PDSm spells it.
pub const VISIBILITY: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_A07-StatusVisibiliteDocument/FHIR/TRE-A07-StatusVisibiliteDocument";

/// TRE_A07 as the draft PDSm4DMP spells it, and IHE's own name for what TRE_A11 holds in France: read, not written.
const OTHER_SPELLINGS: [(&str, &str); 2] = [
    (
        "1.2.250.1.213.1.1.4.13",
        "https://mos.esante.gouv.fr/NOS/TRE_A07-StatutVisibiliteDocument/FHIR/TRE-A07-StatutVisibiliteDocument",
    ),
    ("1.3.6.1.4.1.19376.1.2.3", "http://ihe.net/fhir/ihe.formatcode.fhir/CodeSystem/formatcode"),
];

/// The URL of a nomenclature of the NOS: its name twice, the second time with hyphens.
macro_rules! nos {
    ($name:literal, $id:literal) => {
        concat!("https://mos.esante.gouv.fr/NOS/", $name, "/FHIR/", $id)
    };
}

const SYSTEMS: [(&str, &str); 24] = [
    ("2.16.840.1.113883.6.1", LOINC),
    ("2.16.840.1.113883.6.96", "http://snomed.info/sct"),
    ("2.16.840.1.113883.6.3", "http://hl7.org/fhir/sid/icd-10"),
    ("1.2.840.10008.2.16.4", "http://dicom.nema.org/resources/ontology/DCM"),
    ("2.16.840.1.113883.5.25", CONFIDENTIALITY),
    ("1.2.250.1.213.1.1.4.13", VISIBILITY),
    ("1.2.250.1.213.1.1.4.6", nos!("TRE_A00-ProducteurDocNonPS", "TRE-A00-ProducteurDocNonPS")),
    ("1.2.250.1.213.1.1.4.9", nos!("TRE_A01-CadreExercice", "TRE-A01-CadreExercice")),
    ("1.2.250.1.213.1.1.4.1", nos!("TRE_A03-ClasseDocument", "TRE-A03-ClasseDocument")),
    ("1.2.250.1.213.1.1.4.12", nos!("TRE_A05-TypeDocComplementaire", "TRE-A05-TypeDocComplementaire")),
    ("1.2.250.1.213.1.1.4.2.282", nos!("TRE_A06-FormatCodeComplementaire", "TRE-A06-FormatCodeComplementaire")),
    ("1.2.840.10008.2.6.1", nos!("TRE_A09-DICOMuidRegistry", "TRE-A09-DICOMuidRegistry")),
    ("URN", nos!("TRE_A10-NomenclatureURN", "TRE-A10-NomenclatureURN")),
    ("1.3.6.1.4.1.19376.1.2.3", nos!("TRE_A11-IheFormatCode", "TRE-A11-IheFormatCode")),
    ("ASTM", nos!("TRE_A12-NomenclatureASTM", "TRE-A12-NomenclatureASTM")),
    ("1.2.250.1.71.1.2.7", nos!("TRE_G15-ProfessionSante", "TRE-G15-ProfessionSante")),
    ("1.2.250.1.71.4.2.5", nos!("TRE_R01-EnsembleSavoirFaire-CISIS", "TRE-R01-EnsembleSavoirFaire-CISIS")),
    ("1.2.250.1.71.4.2.4", nos!("TRE_R02-SecteurActivite", "TRE-R02-SecteurActivite")),
    ("1.2.250.1.213.1.6.1.17", nos!("TRE_R21-Fonction", "TRE-R21-Fonction")),
    ("1.2.250.1.213.2.28", nos!("TRE_R38-SpecialiteOrdinale", "TRE-R38-SpecialiteOrdinale")),
    ("1.2.250.1.213.1.6.1.107", nos!("TRE_R85-RolePriseCharge", "TRE-R85-RolePriseCharge")),
    ("1.2.250.1.213.1.6.1.4", nos!("TRE_R94-ProfessionSocial", "TRE-R94-ProfessionSocial")),
    ("1.2.250.1.213.2.2", nos!("TRE_R209-TypeActivite", "TRE-R209-TypeActivite")),
    ("1.2.250.1.213.1.6.1.128", nos!("TRE_R276-FormeActivite", "TRE-R276-FormeActivite")),
];

/// The URL that FHIR uses for a code system that CDA and XDS name by OID (`URN` and `ASTM` are two of their words).
///
/// An OID that the table does not know stays one: `urn:oid:…`. A URL is taken as it is.
#[must_use]
pub fn system_of_oid(oid: &str) -> String {
    let bare = oid.strip_prefix("urn:oid:").unwrap_or(oid);
    if let Some((_, url)) = SYSTEMS.iter().find(|(known, _)| *known == bare) {
        return (*url).to_owned();
    }
    if bare.contains("://") { bare.to_owned() } else { format!("urn:oid:{bare}") }
}

/// The OID that CDA and XDS use for a code system that FHIR names by URL; none for a URL that the table
/// does not know.
#[must_use]
pub fn oid_of_system(system: &str) -> Option<&str> {
    if let Some(oid) = system.strip_prefix("urn:oid:") {
        return Some(oid);
    }
    SYSTEMS.iter().chain(&OTHER_SPELLINGS).find(|(_, url)| *url == system).map(|(oid, _)| *oid)
}

/// A code of CDA or XDS as a Coding of FHIR.
#[must_use]
pub fn coding(code: &str, oid: &str, display: Option<&str>) -> Coding {
    Coding::new(system_of_oid(oid), code, display)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_oid_has_one_url_and_leads_back() {
        for (oid, url) in SYSTEMS {
            assert_eq!(system_of_oid(oid), url);
            assert_eq!(oid_of_system(url), Some(oid), "{url}");
            assert_eq!(SYSTEMS.iter().filter(|(other, link)| *other == oid || *link == url).count(), 1, "{oid}");
        }
        for (oid, url) in OTHER_SPELLINGS {
            assert_eq!(oid_of_system(url), Some(oid));
            assert_ne!(system_of_oid(oid), url);
        }
    }

    #[test]
    fn what_is_not_in_the_table_keeps_its_name() {
        let cases = [
            ("1.2.250.1.213.1.1.4.5", "urn:oid:1.2.250.1.213.1.1.4.5"),
            ("urn:oid:1.2.250.1.213.2.5", "urn:oid:1.2.250.1.213.2.5"),
            ("urn:oid:2.16.840.1.113883.6.1", LOINC),
            ("http://example.org/codes", "http://example.org/codes"),
        ];
        for (oid, url) in cases {
            assert_eq!(system_of_oid(oid), url);
        }
        assert_eq!(oid_of_system("urn:oid:1.2.3"), Some("1.2.3"));
        assert_eq!(oid_of_system("http://example.org/codes"), None);
        let class = coding("10", "1.2.250.1.213.1.1.4.1", Some("Compte rendu"));
        assert_eq!(class.system, "https://mos.esante.gouv.fr/NOS/TRE_A03-ClasseDocument/FHIR/TRE-A03-ClasseDocument");
    }
}
