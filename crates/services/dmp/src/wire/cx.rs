use socle_identity::{Ins, InsAuthority, Matricule};

/// Reads an INS from a CX of XDS: `<matricule>^^^&<OID>&ISO^NH`.
///
/// An effective date in the seventh or eighth component is seen in the field (`…^NH^^20260302`): it is
/// passed over.
///
/// # Errors
/// [`CxError`], which never repeats the text.
pub fn ins_from_cx(text: &str) -> Result<Ins, CxError> {
    let mut components = text.split('^');
    let number = components.next().unwrap_or_default();
    let (second, third) = (components.next(), components.next());
    let authority = components.next().ok_or(CxError::Form)?;
    let kind = components.next();
    let dates_only = components.all(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    if second != Some("") || third != Some("") || !dates_only {
        return Err(CxError::Form);
    }
    if kind != Some("NH") {
        return Err(CxError::Kind);
    }
    let oid = authority.strip_prefix('&').and_then(|rest| rest.strip_suffix("&ISO")).ok_or(CxError::Form)?;
    let authority: InsAuthority = oid.parse().map_err(|_| CxError::Authority)?;
    let matricule: Matricule = number.parse().map_err(|_| CxError::Matricule)?;
    if matricule.as_str() != number {
        return Err(CxError::Matricule);
    }
    Ok(Ins { matricule, authority })
}

/// Why a text is not the CX of an INS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CxError {
    /// Not the components of a CX.
    #[error("a patient identifier has the form <matricule>^^^&<OID>&ISO^NH (IHE ITI TF-3 4.2.3.1.7)")]
    Form,
    /// Another type than NH.
    #[error("the identifier type of an INS is NH (CI-SIS)")]
    Kind,
    /// Not an OID of the INS.
    #[error("the assigning authority is none of the INS")]
    Authority,
    /// Not a matricule, or a wrong key.
    #[error("the identifier is not a matricule INS with a right key")]
    Matricule,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_identity_writes_and_passes_dates_over() {
        let text = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH";
        assert_eq!(ins_from_cx(text).unwrap().to_cx(), text);
        for dated in ["^^20260302", "^20260302", "^^^"] {
            assert_eq!(ins_from_cx(&format!("{text}{dated}")).unwrap().to_cx(), text, "{dated}");
        }
    }

    #[test]
    fn says_what_is_wrong_without_repeating_it() {
        let cases = [
            ("", CxError::Form),
            ("279035121518989", CxError::Form),
            ("279035121518989^x^^&1.2.250.1.213.1.4.10&ISO^NH", CxError::Form),
            ("279035121518989^^^1.2.250.1.213.1.4.10^NH", CxError::Form),
            ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH^x", CxError::Form),
            ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO^PI", CxError::Kind),
            ("279035121518989^^^&1.2.250.1.213.1.4.10&ISO", CxError::Kind),
            ("279035121518989^^^&1.2.3&ISO^NH", CxError::Authority),
            ("279035121518988^^^&1.2.250.1.213.1.4.10&ISO^NH", CxError::Matricule),
            ("2 79035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH", CxError::Matricule),
        ];
        for (text, expected) in cases {
            assert_eq!(ins_from_cx(text), Err(expected), "{text}");
            assert!(!expected.to_string().contains("27903"));
        }
    }
}
