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

/// XON: an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
