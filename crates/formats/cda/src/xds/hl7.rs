//! HL7 v2 composites inside XDS metadata: CX, XCN, XON (IHE ITI TF-3 4.2.3.1.7; CI-SIS).
//!
//! `^` parts components, `&` subcomponents; in a text, these and `| ~ \` are escaped as HL7 v2 says.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use socle_identity::Ins;

const MOST: usize = 1024;

/// CX: an identifier and who gave it. `Debug` shows no identifier: it may be a person's.
///
/// The effective dates that some samples carry in components 7 and 8 are read and dropped.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cx {
    /// The identifier.
    pub id: String,
    /// OID of the authority; empty in some reference ids.
    pub authority: String,
    /// Type: `NH` for an INS, `PI` for a local identifier, a URN for a reference id.
    pub kind: String,
}

impl Cx {
    /// A local identifier (`PI`).
    #[must_use]
    pub fn local(id: &str, authority: &str) -> Self {
        Self { id: id.into(), authority: authority.into(), kind: "PI".into() }
    }

    /// The INS, when it is one with a right key.
    #[must_use]
    pub fn ins(&self) -> Option<Ins> {
        Some(Ins { matricule: self.id.parse().ok()?, authority: self.authority.parse().ok()? })
    }

    /// Same identifier of the same authority, whatever the type.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        self.id == other.id && self.authority == other.authority
    }
}

impl From<&Ins> for Cx {
    /// The type is `NH`, not `INS` (CI-SIS).
    fn from(ins: &Ins) -> Self {
        Self { id: ins.matricule.as_str().to_owned(), authority: ins.authority.oid().to_owned(), kind: "NH".to_owned() }
    }
}

impl fmt::Display for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}^^^{}^{}", escape(&self.id), authority(&self.authority), escape(&self.kind))
    }
}

impl fmt::Debug for Cx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cx(…, {}, {})", self.authority, self.kind)
    }
}

impl FromStr for Cx {
    type Err = CxError;

    fn from_str(text: &str) -> Result<Self, CxError> {
        let parts = components(text)?;
        let at = |n: usize| parts.get(n).copied().unwrap_or_default();
        let id = unescape(at(0));
        if id.is_empty() {
            return Err(CxError::NoIdentifier);
        }
        Ok(Self { id, authority: oid_of(at(3)), kind: unescape(at(4)) })
    }
}

impl TryFrom<String> for Cx {
    type Error = CxError;

    fn try_from(text: String) -> Result<Self, CxError> {
        text.parse()
    }
}

impl From<Cx> for String {
    fn from(cx: Cx) -> Self {
        cx.to_string()
    }
}

/// XCN: a person or a system. `Debug` shows no name.
///
/// Vendor samples put family and given in either order: people are told apart by `id`, never by name.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Xcn {
    /// 1: identifier; empty when unknown.
    pub id: String,
    /// 2: family name.
    pub family: String,
    /// 3: given name.
    pub given: String,
    /// 4: other given names.
    pub other_given: String,
    /// 5: suffix.
    pub suffix: String,
    /// 6: prefix.
    pub prefix: String,
    /// 9: OID of the authority.
    pub authority: String,
    /// 10: `D` or `U`.
    pub name_type: String,
    /// 13: `IDNPS` professional, `NH` patient, `RI` system.
    pub id_type: String,
}

impl fmt::Display for Xcn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let e = escape;
        let text = format!(
            "{}^{}^{}^{}^{}^{}^^^{}^{}^^^{}",
            e(&self.id),
            e(&self.family),
            e(&self.given),
            e(&self.other_given),
            e(&self.suffix),
            e(&self.prefix),
            authority(&self.authority),
            e(&self.name_type),
            e(&self.id_type),
        );
        f.write_str(text.trim_end_matches('^'))
    }
}

impl fmt::Debug for Xcn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xcn(…, {}, {})", self.authority, self.id_type)
    }
}

impl FromStr for Xcn {
    type Err = CxError;

    fn from_str(text: &str) -> Result<Self, CxError> {
        let parts = components(text)?;
        let at = |n: usize| parts.get(n - 1).copied().unwrap_or_default();
        let read = Self {
            id: unescape(at(1)),
            family: unescape(at(2)),
            given: unescape(at(3)),
            other_given: unescape(at(4)),
            suffix: unescape(at(5)),
            prefix: unescape(at(6)),
            authority: oid_of(at(9)),
            name_type: unescape(at(10)),
            id_type: unescape(at(13)),
        };
        if read.id.is_empty() && read.family.is_empty() && read.given.is_empty() {
            return Err(CxError::NoIdentifier);
        }
        Ok(read)
    }
}

impl TryFrom<String> for Xcn {
    type Error = CxError;

    fn try_from(text: String) -> Result<Self, CxError> {
        text.parse()
    }
}

impl From<Xcn> for String {
    fn from(xcn: Xcn) -> Self {
        xcn.to_string()
    }
}

/// XON: an organisation. `Debug` shows no name: a practice bears its doctor's.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Xon {
    /// 1: name.
    pub name: String,
    /// 6: OID of the authority.
    pub authority: String,
    /// 7: `IDNST`.
    pub id_type: String,
    /// 10: identifier.
    pub id: String,
}

impl fmt::Display for Xon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, kind, id) = (escape(&self.name), escape(&self.id_type), escape(&self.id));
        let text = format!("{name}^^^^^{}^{kind}^^^{id}", authority(&self.authority));
        f.write_str(text.trim_end_matches('^'))
    }
}

impl fmt::Debug for Xon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Xon(…, {}, {})", self.authority, self.id)
    }
}

impl FromStr for Xon {
    type Err = CxError;

    /// An identifier that is itself an OID may come without authority (IHE ITI TF-3 4.2.3.1.7).
    fn from_str(text: &str) -> Result<Self, CxError> {
        let parts = components(text)?;
        let at = |n: usize| parts.get(n - 1).copied().unwrap_or_default();
        let read =
            Self { name: unescape(at(1)), authority: oid_of(at(6)), id_type: unescape(at(7)), id: unescape(at(10)) };
        if read.name.is_empty() && read.id.is_empty() {
            return Err(CxError::NoIdentifier);
        }
        Ok(read)
    }
}

impl TryFrom<String> for Xon {
    type Error = CxError;

    fn try_from(text: String) -> Result<Self, CxError> {
        text.parse()
    }
}

impl From<Xon> for String {
    fn from(xon: Xon) -> Self {
        xon.to_string()
    }
}

/// Why a text is not such a composite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CxError {
    /// Nothing to identify.
    #[error("the identifier (and name) is empty")]
    NoIdentifier,
    /// Over the limit, or with control characters.
    #[error("the text is longer than 1024 bytes or holds control characters")]
    Text,
}

fn components(text: &str) -> Result<Vec<&str>, CxError> {
    if text.len() > MOST || text.chars().any(char::is_control) {
        return Err(CxError::Text);
    }
    Ok(text.trim().split('^').collect())
}

/// `&<OID>&ISO`, or nothing.
fn authority(oid: &str) -> String {
    if oid.is_empty() { String::new() } else { format!("&{}&ISO", escape(oid)) }
}

/// The OID of `&<OID>&ISO`; some senders write the bare OID.
fn oid_of(component: &str) -> String {
    let mut parts = component.split('&');
    let first = parts.next().unwrap_or_default();
    unescape(parts.next().unwrap_or(first))
}

/// Writes delimiters as HL7 v2 escapes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '|' => out.push_str("\\F\\"),
            '~' => out.push_str("\\R\\"),
            '\\' => out.push_str("\\E\\"),
            _ => out.push(c),
        }
    }
    out
}

/// Reads HL7 v2 escapes; a lone `\` is itself.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let known = [("\\S\\", '^'), ("\\T\\", '&'), ("\\F\\", '|'), ("\\R\\", '~'), ("\\E\\", '\\')];
        match known.iter().find(|(escape, _)| rest[at..].starts_with(escape)) {
            Some((_, c)) => {
                out.push(*c);
                rest = &rest[at + 3..];
            }
            None => {
                out.push('\\');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn published_forms_are_written_as_they_were_read() {
        for text in [
            "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH",
            "IPP0001^^^&1.2.250.1.999.7.9&ISO^PI",
            "1.2.3.4^^^^urn:ihe:iti:xds:2016:studyInstanceUID",
        ] {
            assert_eq!(text.parse::<Cx>().unwrap().to_string(), text);
        }
        for text in [
            "801234567897^MARTIN^ALICE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS",
            "^WELBY^MARCUS^^MD^DR",
            "11375^^^^^^^^&1.2.3&ISO",
        ] {
            assert_eq!(text.parse::<Xcn>().unwrap().to_string(), text);
        }
        for text in [
            "CABINET DR MARTIN^^^^^&1.2.250.1.71.4.2.2&ISO^IDNST^^^499900000000001",
            "Some Hospital",
            "H^^^^^^^^^1.2.3.4",
        ] {
            assert_eq!(text.parse::<Xon>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn oddities_of_senders_are_read() {
        let dated: Cx = "1^^^&1.2.3&ISO^PI^^20260302".parse().unwrap();
        assert_eq!(dated, Cx::local("1", "1.2.3"));
        assert_eq!("1^^^1.2.3".parse::<Cx>().unwrap().authority, "1.2.3");
        assert!("^^^&1.2.3&ISO^PI".parse::<Cx>().is_err());
        assert!("".parse::<Xon>().is_err() && "^^^^".parse::<Xcn>().is_err());
        assert!("a\u{0}b".parse::<Xon>().is_err());
        assert_eq!("A \\T\\ B \\X0D\\ \\".parse::<Xon>().unwrap().name, "A & B \\X0D\\ \\");
    }

    #[test]
    fn debug_shows_nobody() {
        let cx: Cx = "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH".parse().unwrap();
        let xcn: Xcn = "801234567897^MARTIN^ALICE^^^^^^&1.2.250.1.71.4.2.1&ISO^D^^^IDNPS".parse().unwrap();
        let told = format!("{cx:?} {xcn:?}");
        assert!(!told.contains("279035") && !told.contains("MARTIN"), "{told}");
        assert_eq!(cx.ins().unwrap().to_cx(), cx.to_string());
    }

    /// No space at the ends: composites are trimmed when read.
    fn text() -> impl Strategy<Value = String> {
        "[A-Za-zéÀ^&~|\\\\'0-9]([A-Za-zéÀ^&~|\\\\' 0-9.-]{0,20}[A-Za-z0-9^&|\\\\])?"
    }

    proptest! {
        #[test]
        fn composites_are_read_back(id in text(), name in text(), given in text(), oid in "[0-2](\\.[1-9][0-9]{0,4}){1,6}") {
            let cx = Cx { id: id.clone(), authority: oid.clone(), kind: "PI".into() };
            prop_assert_eq!(cx.to_string().parse::<Cx>().unwrap(), cx);
            let xcn = Xcn {
                id: id.clone(), family: name.clone(), given, authority: oid.clone(),
                name_type: "D".into(), id_type: "IDNPS".into(), ..Xcn::default()
            };
            prop_assert_eq!(xcn.to_string().parse::<Xcn>().unwrap(), xcn);
            let xon = Xon { name, authority: oid, id_type: "IDNST".into(), id };
            prop_assert_eq!(xon.to_string().parse::<Xon>().unwrap(), xon);
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in "[\\^&\\\\STFRE A-Z0-9.]{0,40}|.{0,20}") {
            if let Ok(cx) = text.parse::<Cx>() {
                prop_assert_eq!(cx.to_string().parse::<Cx>().map(|again| again.id.trim().to_owned()), Ok(cx.id.trim().to_owned()));
            }
            let _ = text.parse::<Xcn>();
            let _ = text.parse::<Xon>();
        }
    }
}
