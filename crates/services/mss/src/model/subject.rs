use jiff::civil::Date;
use socle_identity::Traits;

use super::{HeaderText, TextError};

const PREFIX: &str = "XDM/1.0/DDM+";

/// A patient as a subject and a file name show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientName {
    /// Nom de naissance, written in capitals.
    pub birth_name: HeaderText,
    /// Premier prénom.
    pub given_name: HeaderText,
    /// The only field that may be absent.
    pub birth_date: Option<Date>,
}

impl TryFrom<&Traits> for PatientName {
    type Error = TextError;

    fn try_from(traits: &Traits) -> Result<Self, TextError> {
        Ok(Self {
            birth_name: traits.birth_name.parse::<HeaderText>()?.to_uppercase(),
            given_name: traits.first_given_name.parse()?,
            birth_date: Some(traits.birth_date),
        })
    }
}

/// The subject of a document mail: `XDM/1.0/DDM+<libellé> <NOM> <prenom> <date de naissance>`
/// (Référentiel #2, ECO.2.1.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject(HeaderText);

impl Subject {
    /// For a document whose type is called `label`.
    ///
    /// # Errors
    /// [`TextError::TooLong`].
    pub fn document(label: &HeaderText, patient: &PatientName) -> Result<Self, TextError> {
        let (name, given) = (patient.birth_name.to_uppercase(), &patient.given_name);
        let birth = patient.birth_date.map(|date| date.strftime(" %d/%m/%Y").to_string()).unwrap_or_default();
        let text = format!("{PREFIX}{} {} {}{birth}", label.as_str(), name.as_str(), given.as_str());
        Ok(Self(text.parse()?))
    }

    /// The text, before any encoding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// The name of a readable copy: `<date de l'acte>_<type document>_<NOM>_<prenom>_<numéro de dossier>.pdf`,
/// the last field optional (Référentiel #2, ECO.2.1.6).
///
/// `_` separates the fields, so one inside a field becomes a space, as do the signs that Windows
/// refuses in a file name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PdfName(HeaderText);

impl PdfName {
    /// For a document about an act of `date`, whose type is called `label`.
    ///
    /// # Errors
    /// [`TextError`] when a field has nothing left, or all are too long together.
    pub fn new(
        date: Date,
        label: &HeaderText,
        patient: &PatientName,
        folder: Option<&HeaderText>,
    ) -> Result<Self, TextError> {
        let name = patient.birth_name.to_uppercase();
        let texts = [Some(label), Some(&name), Some(&patient.given_name), folder];
        let mut fields = vec![date.strftime("%Y%m%d").to_string()];
        for text in texts.into_iter().flatten() {
            fields.push(field(text)?.as_str().to_owned());
        }
        Ok(Self(format!("{}.pdf", fields.join("_")).parse()?))
    }

    /// The file name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

fn field(text: &HeaderText) -> Result<HeaderText, TextError> {
    text.as_str().replace(['_', '/', '\\', ':', '*', '?', '"', '<', '>', '|'], " ").parse()
}

/// A subject as it came, for display: never for identity, since libellé, name and given name may
/// all hold spaces (who the mail is about is said by `METADATA.XML`, ECO.2.1.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedSubject<'a> {
    /// The integration failed at the recipient's; with the code of the error, from CI-SIS volet
    /// Transmission au LPS v1.1.3 on.
    pub failure: Option<Option<&'a str>>,
    /// Vendors' practice, not normalised.
    pub replaces: bool,
    /// Did it start with `XDM/1.0/DDM+`?
    pub is_document: bool,
    /// What a list of mails shows (ECO.3.1.3: without the prefix).
    pub shown: &'a str,
}

impl<'a> ReceivedSubject<'a> {
    /// Reads any text.
    #[must_use]
    pub fn read(text: &'a str) -> Self {
        let (failure, rest) = failure(text.trim());
        let (replaces, rest) = match strip_prefix_ignoring_case(rest, "[Annule et remplace]") {
            Some(rest) => (true, rest.trim_start()),
            None => (false, rest),
        };
        let (is_document, shown) = match strip_prefix_ignoring_case(rest, PREFIX) {
            Some(rest) => (true, rest.trim_start()),
            None => (false, rest),
        };
        Self { failure, replaces, is_document, shown }
    }
}

/// `[KO Intégration système !][902] `, with the older forms: no code, a space before `]`,
/// `[Erreur d'intégration !]`.
fn failure(text: &str) -> (Option<Option<&str>>, &str) {
    let Some((label, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) else {
        return (None, text);
    };
    let label = label.trim_end_matches([' ', '!', '\u{a0}']);
    let known = label == "KO Intégration système" || label.starts_with("Erreur d") && label.ends_with("intégration");
    if !known {
        return (None, text);
    }
    let code = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match code.filter(|(code, _)| !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit())) {
        Some((code, rest)) => (Some(Some(code)), rest.trim_start()),
        None => (Some(None), rest.trim_start()),
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn text(text: &str) -> HeaderText {
        text.parse().unwrap()
    }

    fn patient() -> PatientName {
        PatientName {
            birth_name: text("Pat-Trois"),
            given_name: text("DOMINIQUE"),
            birth_date: Some(date(1979, 3, 28)),
        }
    }

    #[test]
    fn a_subject_names_the_document_then_the_patient() {
        let subject = Subject::document(&text("CR d'imagerie médicale"), &patient()).unwrap();
        assert_eq!(subject.as_str(), "XDM/1.0/DDM+CR d'imagerie médicale PAT-TROIS DOMINIQUE 28/03/1979");
        let undated = PatientName { birth_date: None, ..patient() };
        let subject = Subject::document(&text("CR d'imagerie médicale"), &undated).unwrap();
        assert_eq!(subject.as_str(), "XDM/1.0/DDM+CR d'imagerie médicale PAT-TROIS DOMINIQUE");
    }

    #[test]
    fn a_pdf_is_named_by_fields_that_can_be_split_again() {
        let name = PdfName::new(date(2022, 5, 31), &text("CR d'imagerie médicale"), &patient(), None).unwrap();
        assert_eq!(name.as_str(), "20220531_CR d'imagerie médicale_PAT-TROIS_DOMINIQUE.pdf");
        let name = PdfName::new(date(2022, 5, 31), &text("../CR_1"), &patient(), Some(&text("D/42"))).unwrap();
        assert_eq!(name.as_str(), "20220531_.. CR 1_PAT-TROIS_DOMINIQUE_D 42.pdf");
        assert_eq!(PdfName::new(date(2022, 5, 31), &text("_"), &patient(), None), Err(TextError::Empty));
    }

    #[test]
    fn subjects_of_the_field_are_read() {
        let rest = "CR PAT-TROIS DOMINIQUE 28/03/1979";
        let cases: [(String, Option<Option<&str>>, bool, bool); 9] = [
            (format!("XDM/1.0/DDM+{rest}"), None, false, true),
            (format!("xdm/1.0/ddm+ {rest}"), None, false, true),
            (format!("[Annule et remplace] XDM/1.0/DDM+{rest}"), None, true, true),
            (format!("[KO Intégration système !][902] XDM/1.0/DDM+{rest}"), Some(Some("902")), false, true),
            (format!("[KO Intégration système ! ] XDM/1.0/DDM+{rest}"), Some(None), false, true),
            (format!("[KO Intégration système !][] XDM/1.0/DDM+{rest}"), Some(None), false, false),
            (format!("[Erreur d'intégration !][904] XDM/1.0/DDM+{rest}"), Some(Some("904")), false, true),
            (format!("[Autre chose] XDM/1.0/DDM+{rest}"), None, false, false),
            (rest.to_owned(), None, false, false),
        ];
        for (subject, failure, replaces, is_document) in cases {
            let read = ReceivedSubject::read(&subject);
            assert_eq!((read.failure, read.replaces, read.is_document), (failure, replaces, is_document), "{subject}");
            assert!(!is_document || read.shown == rest, "{subject}");
        }
        for odd in ["", "[", "[]", "é", "[KO Intégration système", "XDM/1.0/DDM"] {
            assert!(!ReceivedSubject::read(odd).is_document, "{odd}");
        }
    }
}
