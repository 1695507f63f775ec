//! The words of FR Core, and what they mean in each edition.
//!
//! Checked against the packages hl7.fhir.fr.core 2.1.0 and 2.2.0; the edition in preparation after the
//! sources of the guide (2026). The published packages and RNIV do not list the same devices: what a code
//! cannot tell exactly is not taken for evidence, and what an edition cannot say is not written.

use socle_identity::{Doubt, HighConfidenceDevice as Device, InsAuthority, Status};

/// The canonical base of FR Core 2.x.
pub const BASE: &str = "https://hl7.fr/ig/fhir/core";

macro_rules! canonical {
    ($rest:literal) => {
        concat!("https://hl7.fr/ig/fhir/core/", $rest)
    };
}

pub(super) const PATIENT: &str = canonical!("StructureDefinition/fr-core-patient");
pub(super) const PATIENT_INS: &str = canonical!("StructureDefinition/fr-core-patient-ins");
pub(super) const RELIABILITY: &str = canonical!("StructureDefinition/fr-core-identity-reliability");
pub(super) const GIVEN_NAMES: &str = canonical!("StructureDefinition/fr-core-patient-birth-list-given-name");
pub(super) const INSEE_CODE: &str = canonical!("StructureDefinition/fr-core-address-insee-code");
pub(super) const BIRTH_PLACE: &str = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace";

pub(super) const IDENTIFIER_TYPES: &str = canonical!("CodeSystem/fr-core-cs-v2-0203");
pub(super) const V2_IDENTIFIER_TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
pub(super) const V2_STATUSES: &str = canonical!("CodeSystem/fr-core-cs-v2-0445");
pub(super) const RNIV_STATUSES: &str = canonical!("CodeSystem/fr-core-cs-identity-status");
pub(super) const RNIV_COMMENTS: &str = canonical!("CodeSystem/fr-core-cs-identity-status-comment");
pub(super) const DEVICES: &str = canonical!("CodeSystem/fr-core-cs-mode-validation-identity");
pub(super) const METHODS: &str = canonical!("CodeSystem/fr-core-cs-method-collection");
pub(super) const COMMUNES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM";

/// The editions of FR Core that we write; all of them are read, without being told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edition {
    /// 2.1.0 (2024-09), what PDSm 3.1.1 is built on.
    #[default]
    V2_1,
    /// 2.2.0 (2026-03).
    V2_2,
    /// In preparation: the four statuses of RNIV, and its list of devices.
    Rniv,
}

impl Edition {
    /// From the oldest to the newest.
    pub const ALL: [Self; 3] = [Self::V2_1, Self::V2_2, Self::Rniv];

    /// The code of a device, when this edition has one that means this device and no other.
    #[must_use]
    pub fn device_code(self, device: Device) -> Option<&'static str> {
        let known = match self {
            Self::Rniv => return Some(device.code()),
            Self::V2_1 => &V2_1_DEVICES[..],
            Self::V2_2 => &V2_2_DEVICES[..],
        };
        known.iter().find(|(_, meant)| *meant == device).map(|(code, _)| *code)
    }

    /// The code of a status beside the presence of an INS; none when it would say something else.
    ///
    /// Until 2.2.0, `VALI` beside an INS says "qualified" (HL7 v2 PID-32, fr-core-1).
    pub(super) const fn status_code(self, status: Status, has_ins: bool) -> Option<&'static str> {
        match (self, status) {
            (Self::Rniv, _) => Some(status.code()),
            (_, Status::Provisional | Status::Retrieved) => Some("PROV"),
            (_, Status::Validated) if has_ins => None,
            (_, Status::Qualified) if !has_ins => None,
            (_, Status::Validated | Status::Qualified) => Some("VALI"),
        }
    }

    /// `use` of the identifier of that authority.
    pub(super) const fn ins_use(self, authority: InsAuthority) -> &'static str {
        match (self, authority) {
            (Self::V2_1, InsAuthority::Nia) => "temp",
            _ => "official",
        }
    }

    /// The element that says when INSi was asked.
    pub(super) const fn asked_insi(self) -> &'static str {
        match self {
            Self::Rniv => "dateInterrogationINSi",
            Self::V2_1 | Self::V2_2 => "dateCollection",
        }
    }
}

const V2_1_DEVICES: [(&str, Device); 5] =
    [("CN", Device::CN), ("PA", Device::PA), ("CS", Device::CS), ("AN", Device::AN), ("CC", Device::CC)];

const V2_2_DEVICES: [(&str, Device); 7] = [
    ("CN", Device::CN),
    ("PA", Device::PA),
    ("CS", Device::CS),
    ("AN", Device::AN),
    ("DC", Device::CC),
    ("AC", Device::ANCV),
    ("IE", Device::IN),
];

/// The device that a code of any edition means.
pub(super) fn device_of(code: &str) -> Option<Device> {
    let published = V2_2_DEVICES.iter().find(|(known, _)| *known == code).map(|(_, device)| *device);
    published.or_else(|| code.parse().ok())
}

/// Codes of the published editions that name a paper, but not one that RNIV takes, or not it alone:
/// carte européenne, carte militaire, livret de famille, permis de conduire, tiers de confiance.
pub(super) fn is_lesser_paper(code: &str) -> bool {
    matches!(code, "CE" | "CM" | "LE" | "PC" | "TC")
}

/// What a code of `identityStatus` or `comment` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Status(Status),
    Doubt(Doubt),
    /// `VIDE` and the codes of record keeping: duplicates, collisions, homonyms…
    Nothing,
}

/// Reads a code; `VALI` outside RNIV's code system depends on whether an INS goes with it.
pub(super) fn said(system: Option<&str>, code: &str, has_ins: bool) -> Option<Said> {
    let is_rniv = system == Some(RNIV_STATUSES);
    Some(match code {
        "PROV" => Said::Status(Status::Provisional),
        "RECUP" => Said::Status(Status::Retrieved),
        "VALI" if has_ins && !is_rniv => Said::Status(Status::Qualified),
        "VALI" => Said::Status(Status::Validated),
        "QUAL" => Said::Status(Status::Qualified),
        "DOUT" => Said::Doubt(Doubt::Doubtful),
        "FICT" => Said::Doubt(Doubt::Fictive),
        "VIDE" | "DOUB" | "DESA" | "DPOT" | "DOUA" | "COLP" | "COLV" | "FILI" | "CACH" | "ANOM" | "IDVER" | "RECD"
        | "IDRA" | "USUR" | "HOMD" | "HOMA" | "INVA" => Said::Nothing,
        _ => return None,
    })
}

pub(super) const fn doubt_code(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Doubtful => "DOUT",
        Doubt::Fictive => "FICT",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_edition_writes_is_read_as_the_same_device() {
        for edition in Edition::ALL {
            for device in Device::ALL {
                if let Some(code) = edition.device_code(device) {
                    assert_eq!(device_of(code), Some(device), "{code} in {edition:?}");
                }
            }
        }
        for code in ["CE", "CM", "LE", "PC", "TC"] {
            assert!(device_of(code).is_none() && is_lesser_paper(code), "{code}");
        }
    }

    /// The table of the three worlds: RNIV, HL7 v2's words in 2.1 and 2.2, RNIV's words after.
    #[test]
    fn statuses_are_said_in_the_words_of_each_edition() {
        let cases = [
            (Status::Provisional, false, Some("PROV"), Some("PROV")),
            (Status::Retrieved, false, Some("PROV"), Some("RECUP")),
            (Status::Validated, false, Some("VALI"), Some("VALI")),
            (Status::Validated, true, None, Some("VALI")),
            (Status::Qualified, true, Some("VALI"), Some("QUAL")),
            (Status::Qualified, false, None, Some("QUAL")),
        ];
        for (status, has_ins, published, rniv) in cases {
            assert_eq!(Edition::V2_1.status_code(status, has_ins), published, "{status} {has_ins}");
            assert_eq!(Edition::V2_2.status_code(status, has_ins), published, "{status} {has_ins}");
            assert_eq!(Edition::Rniv.status_code(status, has_ins), rniv, "{status} {has_ins}");
        }
    }
}
