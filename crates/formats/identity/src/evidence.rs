use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Proof that someone compared the traits with an identity paper of high confidence.
///
/// There is no default device (EXI ID 19, EXI SI 10, EXI SI 23): the person who checked names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// What was shown.
    pub device: HighConfidenceDevice,
    /// When it was checked.
    pub checked_on: Date,
    /// Who checked it: the actor's national identifier, or the system that vouches for them.
    pub checked_by: String,
}

/// A "dispositif à haut niveau de confiance" of RNIV, by the codes of FR Core
/// (`fr-core-cs-mode-validation-identity`) and of ZFD in HL7 v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum HighConfidenceDevice {
    /// Carte nationale d'identité.
    CN,
    /// Passeport.
    PA,
    /// Carte de séjour.
    CS,
    /// Carte nationale d'identité électronique.
    #[serde(rename = "eCN")]
    ECN,
    /// Identité numérique.
    IN,
    /// Application carte Vitale.
    AV,
    /// Livret de famille and carte Vitale.
    LECV,
    /// Acte de naissance.
    AN,
    /// Livret de famille and a parent's paper.
    LEP,
    /// Carte de circulation of a minor.
    CC,
    /// Acte de naissance and carte Vitale.
    ANCV,
}

impl HighConfidenceDevice {
    /// All of them, in the order of the code system.
    pub const ALL: [Self; 11] = [
        Self::CN,
        Self::PA,
        Self::CS,
        Self::ECN,
        Self::IN,
        Self::AV,
        Self::LECV,
        Self::AN,
        Self::LEP,
        Self::CC,
        Self::ANCV,
    ];

    /// The code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CN => "CN",
            Self::PA => "PA",
            Self::CS => "CS",
            Self::ECN => "eCN",
            Self::IN => "IN",
            Self::AV => "AV",
            Self::LECV => "LECV",
            Self::AN => "AN",
            Self::LEP => "LEP",
            Self::CC => "CC",
            Self::ANCV => "ANCV",
        }
    }
}

impl fmt::Display for HighConfidenceDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for HighConfidenceDevice {
    type Err = UnknownDevice;

    fn from_str(text: &str) -> Result<Self, UnknownDevice> {
        Self::ALL.into_iter().find(|device| device.code() == text).ok_or_else(|| UnknownDevice(text.to_owned()))
    }
}

/// The code names no device of high confidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no device of high confidence; known: CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC, ANCV")]
pub struct UnknownDevice(pub String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_read_back_and_written_alike_in_json() {
        for device in HighConfidenceDevice::ALL {
            assert_eq!(device.code().parse(), Ok(device));
            assert_eq!(serde_json::to_string(&device).unwrap(), format!("\"{}\"", device.code()));
        }
        assert_eq!("carte Vitale".parse::<HighConfidenceDevice>(), Err(UnknownDevice("carte Vitale".into())));
    }
}
