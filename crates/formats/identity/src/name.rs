use serde::{Deserialize, Serialize};

/// A name as INSi takes it: `A-Z`, space, apostrophe, hyphen; nothing else.
///
/// The stored name keeps its accents; this form is made at the boundary only (identity
/// specification §3.1, after SEL-MP-043 v05.00.01 §2 and §3.4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsiName(String);

impl InsiName {
    /// A birth name (EF_INS01_03): a double hyphen is allowed.
    ///
    /// # Errors
    /// [`NameError`]: a sign that INSi refuses is never dropped in silence.
    pub fn birth_name(text: &str) -> Result<Self, NameError> {
        let name = transliterate(text)?;
        check_common(&name)?;
        Ok(Self(name))
    }

    /// A given name (EF_INS10_02): no double hyphen, no hyphen or apostrophe at the end.
    ///
    /// # Errors
    /// As for [`Self::birth_name`].
    pub fn given_name(text: &str) -> Result<Self, NameError> {
        let name = transliterate(text)?;
        check_common(&name)?;
        if name.contains("--") {
            return Err(NameError::DoubleHyphen);
        }
        if name.ends_with(['-', '\'']) {
            return Err(NameError::End);
        }
        Ok(Self(name))
    }

    /// The text to send.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn check_common(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.chars().count() > 100 {
        return Err(NameError::Length);
    }
    if name.starts_with([' ', '-']) {
        return Err(NameError::Start);
    }
    if ["  ", "''", " '", "' "].iter().any(|pair| name.contains(pair)) {
        return Err(NameError::Separators);
    }
    Ok(())
}

fn transliterate(text: &str) -> Result<String, NameError> {
    let mut out = String::with_capacity(text.len());
    for sign in text.trim().chars().flat_map(char::to_uppercase) {
        match sign {
            'A'..='Z' | ' ' | '\'' | '-' => out.push(sign),
            '’' | 'ʼ' => out.push('\''),
            'À'..='Å' => out.push('A'),
            'Ç' => out.push('C'),
            'È'..='Ë' => out.push('E'),
            'Ì'..='Ï' => out.push('I'),
            'Ñ' => out.push('N'),
            'Ò'..='Ö' | 'Ø' => out.push('O'),
            'Ù'..='Ü' => out.push('U'),
            'Ý' | 'Ÿ' => out.push('Y'),
            'Š' => out.push('S'),
            'Ž' => out.push('Z'),
            'Æ' => out.push_str("AE"),
            'Œ' => out.push_str("OE"),
            _ => return Err(NameError::Sign),
        }
    }
    Ok(out)
}

/// Same name for RNIV: case, accents, hyphens, apostrophes and repeated spaces do not count (§3.3, §3.4).
///
/// Signs outside INSi's alphabet are compared as they are, never ignored.
#[must_use]
pub fn same_name(a: &str, b: &str) -> bool {
    comparison_key(a) == comparison_key(b)
}

pub(crate) fn comparison_key(text: &str) -> String {
    let plain = text
        .chars()
        .flat_map(char::to_uppercase)
        .map(|sign| match transliterate(&sign.to_string()) {
            Ok(letters) if !letters.is_empty() => letters,
            _ => sign.to_string(),
        })
        .collect::<String>();
    plain.replace(['-', '\''], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Why INSi would not take a name. Never shows the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Empty, or over 100 characters.
    #[error("a name has 1 to 100 characters")]
    Length,
    /// A digit, `_`, `!`, `/`, `.`, ß or a letter of another script.
    #[error("a name holds only letters A-Z (accents are removed), spaces, apostrophes and hyphens")]
    Sign,
    /// Space or hyphen in front.
    #[error("a name starts with a letter or an apostrophe")]
    Start,
    /// Hyphen or apostrophe at the end of a given name.
    #[error("a given name does not end with a hyphen or an apostrophe")]
    End,
    /// `--` in a given name.
    #[error("a given name holds no double hyphen")]
    DoubleHyphen,
    /// Two spaces, two apostrophes, or a space beside an apostrophe.
    #[error("two spaces, two apostrophes or a space beside an apostrophe are not allowed in a name")]
    Separators,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_names_as_insi_takes_them() {
        let cases = [
            ("Élodie", Ok("ELODIE")),
            ("L’Hôte", Ok("L'HOTE")),
            ("Œdipe-Ænéas", Ok("OEDIPE-AENEAS")),
            ("D'ARC", Ok("D'ARC")),
            ("'T HOOFT", Ok("'T HOOFT")),
            ("DUPONT--MARTIN", Ok("DUPONT--MARTIN")),
            ("Groß", Ok("GROSS")),
            ("ANNE 2", Err(NameError::Sign)),
            ("ANNE_MARIE", Err(NameError::Sign)),
            ("-ANNE", Err(NameError::Start)),
            ("ANNE  MARIE", Err(NameError::Separators)),
            ("", Err(NameError::Length)),
            ("Анна", Err(NameError::Sign)),
        ];
        for (text, expected) in cases {
            let got = InsiName::birth_name(text);
            assert_eq!(got.as_ref().map(InsiName::as_str).map_err(|e| *e), expected, "{text}");
        }
        assert_eq!(InsiName::given_name("ANNE--LISE"), Err(NameError::DoubleHyphen));
        assert_eq!(InsiName::given_name("ANNE-"), Err(NameError::End));
    }

    #[test]
    fn compares_as_a_person_would() {
        assert!(same_name("Jean-Christophe", "JEAN CHRISTOPHE"));
        assert!(same_name("L’Hôte", "l'hote"));
        assert!(!same_name("MARIE", "MARIA"));
        assert!(!same_name("ANNE2", "ANNE"));
    }

    proptest! {
        #[test]
        fn what_is_sent_is_in_the_alphabet(text in ".{0,120}") {
            if let Ok(name) = InsiName::birth_name(&text) {
                prop_assert!(name.as_str().chars().all(|c| c.is_ascii_uppercase() || " '-".contains(c)));
            }
        }
    }
}
