use socle_identity::{Environment, EnvironmentMix, MssAddress};

use super::{HeaderText, TextError};

/// The kind of a mailbox: it decides who may open it and by which means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum MailboxKind {
    /// Personnelle: a professional with an RPPS; opened with a Pro Santé Connect token.
    #[serde(rename = "PER")]
    Personal,
    /// Organisationnelle: a service or a team; opened by its declared members, with their tokens.
    #[serde(rename = "ORG")]
    Organisational,
    /// Applicative: a software of a structure; opened with the structure's certificate.
    #[serde(rename = "APP")]
    Application,
}

impl MailboxKind {
    /// The code of TRE_R257-TypeBAL.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Personal => "PER",
            Self::Organisational => "ORG",
            Self::Application => "APP",
        }
    }
}

/// The display name of a `From`, mandatory and meaningful (Référentiel #2, ECO.2.2.7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label(HeaderText);

impl Label {
    /// `<Titre>_<Prénom>_<NOM>_<Entité fonctionnelle>`: title and entity may be absent, the name is in
    /// capitals, the separator is U+005F.
    ///
    /// # Errors
    /// [`LabelError::Separator`] when a field holds an underscore: a reader could not split it again.
    pub fn person(
        title: Option<&HeaderText>,
        given_name: &HeaderText,
        name: &HeaderText,
        entity: Option<&HeaderText>,
    ) -> Result<Self, LabelError> {
        let name = name.to_uppercase();
        let fields = [title, Some(given_name), Some(&name), entity];
        let fields = fields.into_iter().flatten().map(HeaderText::as_str).collect::<Vec<_>>();
        if fields.iter().any(|field| field.contains('_')) {
            return Err(LabelError::Separator);
        }
        Ok(Self(fields.join("_").parse()?))
    }

    /// `<Entité fonctionnelle>`, of an organisation or an application.
    #[must_use]
    pub const fn entity(name: HeaderText) -> Self {
        Self(name)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// Why a label cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// An underscore inside a field.
    #[error("a field of the sender's label holds the separator `_` (Référentiel #2, ECO.2.2.7)")]
    Separator,
    /// All fields together are too long.
    #[error("the sender's label: {0}")]
    Text(#[from] TextError),
}

/// Who sends: a mailbox of an operator, with its kind and label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    address: MssAddress,
    kind: MailboxKind,
    label: Label,
    environment: Environment,
}

impl Sender {
    /// A mailbox of `environment`.
    ///
    /// # Errors
    /// [`SenderError`] when the address is a patient's, or its domain lives in another environment.
    pub fn new(
        address: MssAddress,
        kind: MailboxKind,
        label: Label,
        environment: Environment,
    ) -> Result<Self, SenderError> {
        if matches!(address, MssAddress::Patient(_)) {
            return Err(SenderError::Patient);
        }
        address.domain().admit_in(environment)?;
        Ok(Self { address, kind, label, environment })
    }

    /// The address.
    #[must_use]
    pub const fn address(&self) -> &MssAddress {
        &self.address
    }

    /// The kind of the mailbox.
    #[must_use]
    pub const fn kind(&self) -> MailboxKind {
        self.kind
    }

    /// The display name.
    #[must_use]
    pub const fn label(&self) -> &Label {
        &self.label
    }

    /// The environment of its domain.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }
}

/// Why a mailbox cannot send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SenderError {
    /// Mon espace santé sends by itself.
    #[error("a patient's mailbox is opened in Mon espace santé only")]
    Patient,
    /// The domain lives elsewhere.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> HeaderText {
        text.parse().unwrap()
    }

    #[test]
    fn labels_are_those_of_the_reference() {
        let (dr, marie, martin) = (text("Dr"), text("Marie"), text("Martin"));
        let office = text("Cabinet Medical");
        let full = Label::person(Some(&dr), &marie, &martin, Some(&office)).unwrap();
        assert_eq!(full.as_str(), "Dr_Marie_MARTIN_Cabinet Medical");
        let short = Label::person(None, &text("Jean"), &text("Dupont-Légaré"), None).unwrap();
        assert_eq!(short.as_str(), "Jean_DUPONT-LÉGARÉ");
        assert_eq!(Label::person(None, &marie, &text("MAR_TIN"), None), Err(LabelError::Separator));
        assert_eq!(Label::entity(text("Hopital C – Biologie")).as_str(), "Hopital C – Biologie");
    }

    #[test]
    fn a_sender_lives_in_one_environment_and_is_no_patient() {
        let make = |address: &str, environment| {
            Sender::new(address.parse().unwrap(), MailboxKind::Application, Label::entity(text("Socle")), environment)
        };
        assert!(make("socle@hopital-a.mssante.test", Environment::Jumeau).is_ok());
        let mixed = make("socle@hopital-a.mssante.test", Environment::Production);
        assert!(matches!(mixed, Err(SenderError::Environment(_))));
        assert_eq!(make("279035121518989@patient.mssante.fr", Environment::Jumeau), Err(SenderError::Patient));
    }
}
