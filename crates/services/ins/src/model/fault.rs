use std::fmt;
use std::str::FromStr;

use socle_finding::Text;

/// A fault of INSi, as it came: a SOAP 1.2 fault whose detail is `siram:Erreur`.
///
/// The texts are the teleservice's own, for the person in front of the screen; they describe the call,
/// not the patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InsiFault {
    /// Does SOAP's code accuse the caller (`Sender`) rather than the service (`Receiver`)?
    pub sender: bool,
    /// `siram_10`, `siram_40`, `siram_100`…; none in a fault of SOAP itself.
    pub subcode: Option<String>,
    /// `desir_550`, `insi_19`…
    pub code: Option<String>,
    /// How bad it is.
    pub severity: Option<Severity>,
    /// `env:Reason/env:Text`.
    pub reason: String,
    /// The text of `siram:Erreur`.
    pub detail: Option<String>,
    /// The `MessageID` of the question, when the detail repeats it.
    pub message_id: Option<String>,
}

/// What a fault asks of the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultClass {
    /// The teleservice is out of order: ask again later, with a new `MessageID`; work goes on without INS.
    Retryable,
    /// What was typed is refused: a person corrects the traits.
    UserInput,
    /// Authorisation number, certificate or software: an administrator mends it, asking again is of no use.
    Configuration,
}

impl InsiFault {
    /// Sorts by the published codes; the full table being UNKNOWN, an unlisted code is sorted by its
    /// family (`siram_…`), then by the side that SOAP accuses.
    #[must_use]
    pub fn class(&self) -> FaultClass {
        if matches!(self.code.as_deref(), Some("desir_550" | "desir_560")) {
            return FaultClass::Configuration;
        }
        match self.subcode.as_deref() {
            Some("siram_10") => FaultClass::UserInput,
            Some("siram_40") => FaultClass::Retryable,
            Some("siram_100") => FaultClass::Configuration,
            _ if self.sender => FaultClass::Configuration,
            _ => FaultClass::Retryable,
        }
    }

    /// What the teleservice says: the detail, else the reason.
    #[must_use]
    pub fn text(&self) -> &str {
        self.detail.as_deref().unwrap_or(&self.reason)
    }

    /// What to do.
    #[must_use]
    pub fn mend(&self) -> Text {
        match (self.class(), self.code.as_deref()) {
            (_, Some("desir_550")) => Text::fixed(
                "vérifiez le numéro d'autorisation du logiciel (IDAM) donné par le CNDA dans la configuration d'INSi",
                "check the software's authorisation number (IDAM, given by the CNDA) in the configuration of INSi",
            ),
            (_, Some("desir_560")) => Text::fixed(
                "le certificat doit porter le nom commun INSI-AUTO ou INSI-MANU ; changez de certificat",
                "the certificate's common name must be INSI-AUTO or INSI-MANU; use another certificate",
            ),
            (FaultClass::Configuration, _) => Text::fixed(
                "corrigez la configuration d'INSi, puis relancez",
                "mend the configuration of INSi, then run again",
            ),
            (FaultClass::UserInput, _) => Text::fixed(
                "corrigez les traits d'identité, puis relancez",
                "correct the traits of identity, then run again",
            ),
            (FaultClass::Retryable, _) => Text::fixed(
                "le téléservice est indisponible : l'identité garde son statut, réessayez plus tard",
                "the teleservice is unavailable: the identity keeps its status, try again later",
            ),
        }
    }
}

impl fmt::Display for InsiFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = if self.sender { "Sender" } else { "Receiver" };
        let subcode = self.subcode.as_deref().unwrap_or("no subcode");
        let code = self.code.as_deref().unwrap_or("no code");
        write!(f, "INSi answered a fault ({side}, {subcode}, {code}): {}", self.text())
    }
}

impl std::error::Error for InsiFault {}

/// `severite` of `siram:Erreur`. The schema says `fatale`; `fatal` is also emitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// `information`.
    Information,
    /// `avertissement`.
    Warning,
    /// `erreur`.
    Error,
    /// `fatale`.
    Fatal,
}

impl Severity {
    /// The word of the schema.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "avertissement",
            Self::Error => "erreur",
            Self::Fatal => "fatale",
        }
    }
}

impl FromStr for Severity {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "information" => Ok(Self::Information),
            "avertissement" => Ok(Self::Warning),
            "erreur" => Ok(Self::Error),
            "fatale" | "fatal" => Ok(Self::Fatal),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_published_code_says_whose_turn_it_is() {
        let cases = [
            (true, Some("siram_100"), Some("desir_550"), FaultClass::Configuration),
            (true, None, Some("desir_560"), FaultClass::Configuration),
            (true, Some("siram_10"), Some("desir_560"), FaultClass::Configuration),
            (true, Some("siram_10"), Some("insi_19"), FaultClass::UserInput),
            (true, Some("siram_10"), Some("insi_27"), FaultClass::UserInput),
            (false, Some("siram_40"), Some("insi_102"), FaultClass::Retryable),
            (false, Some("siram_40"), Some("insi_111"), FaultClass::Retryable),
            (true, None, None, FaultClass::Configuration),
            (true, Some("siram_77"), None, FaultClass::Configuration),
            (false, None, None, FaultClass::Retryable),
        ];
        for (sender, subcode, code, class) in cases {
            let fault = InsiFault {
                sender,
                subcode: subcode.map(Into::into),
                code: code.map(Into::into),
                severity: None,
                reason: "r".into(),
                detail: None,
                message_id: None,
            };
            assert_eq!(fault.class(), class, "{fault}");
            assert_ne!(fault.mend().fr, fault.mend().en);
        }
    }
}
