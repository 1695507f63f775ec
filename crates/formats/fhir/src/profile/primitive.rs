//! The formats of the primitive types (FHIR R4 §2.24.0.1), checked by hand: no regular expression, no
//! allocation.

use socle_finding::Text;

use crate::definitions::{JsonForm, PrimitiveKind, types};
use crate::tape::{Kind, Node};

/// The type of that name; none for a complex type and for `xhtml`, which the narrative checks.
pub(super) fn named(name: &str) -> Option<PrimitiveKind> {
    let types = types();
    types.primitive(types.named(name)?).filter(|primitive| *primitive != PrimitiveKind::Xhtml)
}

/// The JSON that carries it.
pub(super) const fn kind(primitive: PrimitiveKind) -> Kind {
    match primitive.json_form() {
        JsonForm::Boolean => Kind::Boolean,
        JsonForm::Number => Kind::Number,
        JsonForm::String => Kind::String,
    }
}

/// What is wrong with a value of the right kind.
pub(super) fn check(primitive: PrimitiveKind, node: Node<'_>) -> Option<Fault> {
    match primitive.json_form() {
        JsonForm::Boolean => None,
        JsonForm::Number => number(primitive, node.number()?),
        JsonForm::String => text(primitive, node.str()?),
    }
}

fn number(primitive: PrimitiveKind, text: &str) -> Option<Fault> {
    let (low, fault) = match primitive {
        PrimitiveKind::Decimal => return None, // the tape refuses what is no number
        PrimitiveKind::Integer => (i64::from(i32::MIN), Fault::Integer),
        PrimitiveKind::PositiveInt => (1, Fault::PositiveInt),
        _ => (0, Fault::UnsignedInt),
    };
    let value: i64 = match text.parse() {
        Ok(value) => value,
        Err(_) => return Some(fault),
    };
    let fits = (low..=i64::from(i32::MAX)).contains(&value) && text != "-0";
    (!fits).then_some(fault)
}

fn text(primitive: PrimitiveKind, text: &str) -> Option<Fault> {
    if text.is_empty() {
        return None; // reported once, as an oddity of the tape
    }
    let ok = match primitive {
        PrimitiveKind::String | PrimitiveKind::Markdown => return string(text),
        PrimitiveKind::Base64Binary => is_base64(text),
        PrimitiveKind::Code => is_code(text),
        PrimitiveKind::Date => date(text.as_bytes()).is_some_and(<[u8]>::is_empty),
        PrimitiveKind::DateTime => return date_time(text),
        PrimitiveKind::Instant => is_instant(text.as_bytes()),
        PrimitiveKind::Time => time(text.as_bytes()).is_some_and(<[u8]>::is_empty),
        PrimitiveKind::Id => is_id(text),
        PrimitiveKind::Oid => text.strip_prefix("urn:oid:").is_some_and(is_oid),
        PrimitiveKind::Uuid => text.strip_prefix("urn:uuid:").is_some_and(is_uuid),
        _ => return uri(text),
    };
    (!ok).then_some(match primitive {
        PrimitiveKind::Base64Binary => Fault::Base64,
        PrimitiveKind::Code => Fault::Code,
        PrimitiveKind::Date => Fault::Date,
        PrimitiveKind::Instant => Fault::Instant,
        PrimitiveKind::Time => Fault::Time,
        PrimitiveKind::Id => Fault::Id,
        PrimitiveKind::Oid => Fault::Oid,
        _ => Fault::Uuid,
    })
}

/// What can be wrong with a primitive value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    Base64,
    Code,
    Control,
    Date,
    DateTime,
    Zone,
    Edges,
    Id,
    Instant,
    Integer,
    Oid,
    PositiveInt,
    Blank,
    Time,
    TooLong,
    UnsignedInt,
    Uri,
    Uuid,
}

impl Fault {
    /// A remark, or an error.
    pub(super) const fn is_error(self) -> bool {
        !matches!(self, Self::Edges)
    }

    pub(super) const fn message(self) -> Text {
        match self {
            Self::Base64 => Text::fixed("ce n'est pas du base64", "this is not base64"),
            Self::Code => Text::fixed(
                "un code n'a ni espace au bord ni deux espaces de suite",
                "a code has no space at its ends nor two spaces in a row",
            ),
            Self::Control => Text::fixed("caractère de contrôle dans le texte", "control character in the text"),
            Self::Date => Text::fixed("ce n'est pas une date", "this is not a date"),
            Self::DateTime => Text::fixed("ce n'est pas une date avec heure", "this is not a date and time"),
            Self::Zone => Text::fixed("l'heure n'a pas de fuseau", "the time has no zone"),
            Self::Edges => {
                Text::fixed("le texte commence ou finit par un espace", "the text begins or ends with a space")
            }
            Self::Id => Text::fixed("ce n'est pas un identifiant FHIR", "this is not a FHIR id"),
            Self::Instant => Text::fixed("ce n'est pas un instant", "this is not an instant"),
            Self::Integer => Text::fixed("ce n'est pas un entier de 32 bits", "this is not a 32-bit integer"),
            Self::Oid => Text::fixed("ce n'est pas un OID", "this is not an OID"),
            Self::PositiveInt => Text::fixed("ce n'est pas un entier positif", "this is not a positive integer"),
            Self::Blank => Text::fixed("le texte n'a que des espaces", "the text is white space only"),
            Self::Time => Text::fixed("ce n'est pas une heure", "this is not a time"),
            Self::TooLong => Text::fixed("le texte dépasse 1 Mio", "the text is longer than 1 MiB"),
            Self::UnsignedInt => {
                Text::fixed("ce n'est pas un entier positif ou nul", "this is not an unsigned integer")
            }
            Self::Uri => Text::fixed("une URI n'a pas d'espace", "a URI has no white space"),
            Self::Uuid => Text::fixed("ce n'est pas un UUID", "this is not a UUID"),
        }
    }

    pub(super) const fn mend(self) -> Text {
        match self {
            Self::Base64 => Text::fixed(
                "encodez selon la RFC 4648 §4, avec le remplissage =",
                "encode as RFC 4648 §4 says, with = padding",
            ),
            Self::Code | Self::Edges => Text::fixed("retirez les espaces", "remove the spaces"),
            Self::Control => Text::fixed("ne gardez que tabulation et fins de ligne", "keep tabs and line ends only"),
            Self::Date => Text::fixed(
                "écrivez AAAA, AAAA-MM ou AAAA-MM-JJ, un jour du calendrier",
                "write YYYY, YYYY-MM or YYYY-MM-DD, a day of the calendar",
            ),
            Self::DateTime | Self::Zone => Text::fixed(
                "écrivez une date, ou AAAA-MM-JJThh:mm:ss suivi de Z ou +hh:mm",
                "write a date, or YYYY-MM-DDThh:mm:ss followed by Z or +hh:mm",
            ),
            Self::Id => Text::fixed(
                "1 à 64 lettres sans accent, chiffres, tirets ou points",
                "1 to 64 ASCII letters, digits, hyphens or points",
            ),
            Self::Instant => Text::fixed(
                "écrivez AAAA-MM-JJThh:mm:ss suivi de Z ou +hh:mm",
                "write YYYY-MM-DDThh:mm:ss followed by Z or +hh:mm",
            ),
            Self::Integer => Text::fixed(
                "écrivez un entier entre -2147483648 et 2147483647",
                "write a whole number between -2147483648 and 2147483647",
            ),
            Self::Oid => Text::fixed("écrivez urn:oid: suivi de l'OID", "write urn:oid: followed by the OID"),
            Self::PositiveInt => {
                Text::fixed("écrivez un entier entre 1 et 2147483647", "write a whole number between 1 and 2147483647")
            }
            Self::UnsignedInt => {
                Text::fixed("écrivez un entier entre 0 et 2147483647", "write a whole number between 0 and 2147483647")
            }
            Self::Blank => Text::fixed("retirez l'élément ou écrivez-y un texte", "remove the element or write a text"),
            Self::Time => Text::fixed("écrivez hh:mm:ss, sans fuseau", "write hh:mm:ss, without a zone"),
            Self::TooLong => {
                Text::fixed("mettez le contenu dans une ressource Binary", "put the content in a Binary resource")
            }
            Self::Uri => Text::fixed("encodez les espaces en %20", "write spaces as %20"),
            Self::Uuid => Text::fixed(
                "écrivez urn:uuid: suivi de l'UUID en minuscules",
                "write urn:uuid: followed by the UUID in lower case",
            ),
        }
    }
}

const MAX_STRING: usize = 1 << 20;

fn string(text: &str) -> Option<Fault> {
    let bytes = text.as_bytes();
    // Without an early exit the compiler looks at many bytes at once.
    let has_low = bytes.iter().fold(false, |found, byte| found | (*byte < b' '));
    if has_low && bytes.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
        return Some(Fault::Control);
    }
    if bytes.len() > MAX_STRING {
        return Some(Fault::TooLong);
    }
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else { return None };
    if !first.is_ascii_whitespace() && !last.is_ascii_whitespace() {
        return None;
    }
    Some(if bytes.iter().all(u8::is_ascii_whitespace) { Fault::Blank } else { Fault::Edges })
}

fn is_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    !bytes.first().is_some_and(is_space)
        && !bytes.last().is_some_and(is_space)
        && !bytes.windows(2).any(|pair| pair.iter().all(is_space))
        && !bytes.iter().any(|byte| byte.is_ascii_control())
}

/// 1 to 64 letters, digits, hyphens, points.
pub(super) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

/// Digits separated by points, the first arc 0 to 2, no leading zero.
pub(super) fn is_oid(text: &str) -> bool {
    let arc = |arc: &str| {
        !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'))
    };
    let mut arcs = text.split('.');
    arcs.next().is_some_and(|first| matches!(first, "0" | "1" | "2")) && text.contains('.') && arcs.all(arc)
}

/// 8-4-4-4-12 hexadecimal digits, of either case: the case is asked for by the type `uuid` alone.
pub(super) fn is_any_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_uuid(text: &str) -> bool {
    is_any_uuid(text) && !text.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn uri(text: &str) -> Option<Fault> {
    let has_space = text.bytes().fold(false, |found, byte| found | (byte <= b' '));
    if has_space {
        return Some(Fault::Uri);
    }
    if let Some(oid) = text.strip_prefix("urn:oid:") {
        return (!is_oid(oid)).then_some(Fault::Oid);
    }
    if let Some(uuid) = text.strip_prefix("urn:uuid:") {
        // A fragment may follow the UUID of an entry.
        return (!is_any_uuid(uuid.split('#').next().unwrap_or_default())).then_some(Fault::Uuid);
    }
    None
}

fn is_base64(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    let bytes = text.as_bytes();
    let all_digits = bytes.iter().fold(true, |all, byte| all & is_digit(*byte));
    if all_digits {
        return bytes.len().is_multiple_of(4);
    }
    let (mut digits, mut pads) = (0_usize, 0_usize);
    for byte in bytes {
        match *byte {
            b' ' | b'\n' | b'\r' | b'\t' => {}
            b'=' => pads += 1,
            byte if pads == 0 && is_digit(byte) => digits += 1,
            _ => return false,
        }
    }
    pads <= 2 && digits > 0 && (digits + pads).is_multiple_of(4)
}

/// What is after the date, when the text starts with one.
fn date(text: &[u8]) -> Option<&[u8]> {
    let (year, rest) = digits(text, 4)?;
    if year == 0 {
        return None;
    }
    let Some(rest) = rest.strip_prefix(b"-") else { return Some(rest) };
    let (month, rest) = digits(rest, 2)?;
    if !(1..=12).contains(&month) {
        return None;
    }
    let Some(rest) = rest.strip_prefix(b"-") else { return Some(rest) };
    let (day, rest) = digits(rest, 2)?;
    (1..=days(year, month)).contains(&day).then_some(rest)
}

fn days(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u32::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is after the time, when the text starts with one. The second 60 exists (leap seconds).
fn time(text: &[u8]) -> Option<&[u8]> {
    let (hour, rest) = digits(text, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    let (second, rest) = digits(rest.strip_prefix(b":")?, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let Some(fraction) = rest.strip_prefix(b".") else { return Some(rest) };
    let count = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &fraction[count..])
}

fn is_zone(text: &[u8]) -> bool {
    if text == b"Z" {
        return true;
    }
    let Some((b'+' | b'-', rest)) = text.split_first() else { return false };
    let Some((hour, rest)) = digits(rest, 2) else { return false };
    let Some((minute, rest)) = rest.strip_prefix(b":").and_then(|rest| digits(rest, 2)) else { return false };
    rest.is_empty() && minute < 60 && (hour < 14 || (hour == 14 && minute == 0))
}

fn date_time(text: &str) -> Option<Fault> {
    let Some(rest) = date(text.as_bytes()) else { return Some(Fault::DateTime) };
    if rest.is_empty() {
        return None;
    }
    let is_whole = text.len() - rest.len() == 10;
    let after = rest.strip_prefix(b"T").filter(|_| is_whole).and_then(time);
    match after {
        Some(zone) if is_zone(zone) => None,
        Some([]) => Some(Fault::Zone),
        _ => Some(Fault::DateTime),
    }
}

fn is_instant(text: &[u8]) -> bool {
    text.len() > 10 && text[10] == b'T' && date(&text[..10]) == Some(b"") && time(&text[11..]).is_some_and(is_zone)
}

fn digits(text: &[u8], count: usize) -> Option<(u32, &[u8])> {
    let (digits, rest) = text.split_at_checked(count)?;
    let value = digits
        .iter()
        .try_fold(0_u32, |value, byte| byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0')))?;
    Some((value, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tape::Document;

    #[test]
    fn each_primitive_takes_its_values_and_refuses_the_others() {
        let long = "a".repeat(65);
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "date",
                &["2020", "2020-02", "2020-02-29", "1900-01-31"],
                &[
                    "0000",
                    "20",
                    "2020-13",
                    "2021-02-29",
                    "1900-02-29",
                    "2020-2-1",
                    "2020-02-29T",
                    "2020-04-31",
                    "not a date",
                    "2020-02-29T00:00:00Z",
                ],
            ),
            (
                "dateTime",
                &[
                    "2020",
                    "2020-02-29",
                    "2020-02-29T23:59:60Z",
                    "2020-02-29T00:00:00.123+14:00",
                    "2015-02-07T13:28:17-05:00",
                ],
                &[
                    "2020-02T10:00:00Z",
                    "2020-02-29T24:00:00Z",
                    "2020-02-29T10:00:00",
                    "2020-02-29T10:00Z",
                    "2020-02-29T10:00:00+14:01",
                    "2020-02-29T10:00:00.Z",
                    "2020-02-29 10:00:00Z",
                    "2020-02-29T10:00:00z",
                ],
            ),
            (
                "instant",
                &["2015-02-07T13:28:17.239+02:00", "2017-01-01T00:00:00Z"],
                &["2017-01-01", "2017-01-01T00:00:00", "2017-01T00:00:00Z", "2017-01-01T00:00Z", "T"],
            ),
            ("time", &["00:00:00", "23:59:60.5"], &["24:00:00", "10:00", "10:00:00Z", "1:00:00"]),
            ("id", &["a", "A-1.b"], &[&long, "a_b", "a b", "é"]),
            ("oid", &["urn:oid:1.2.250.1"], &["1.2.250", "urn:oid:3.1", "urn:oid:1.02", "urn:oid:1.", "urn:oid:1"]),
            (
                "uuid",
                &["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
                &[
                    "c757873d-ec9a-4326-a141-556f43239520",
                    "urn:uuid:C757873D-ec9a-4326-a141-556f43239520",
                    "urn:uuid:c757873d",
                ],
            ),
            (
                "uri",
                &["http://x", "urn:oid:1.2", "a/b", "urn:uuid:C757873D-ec9a-4326-a141-556f43239520"],
                &["a b", " a", "urn:oid:x", "urn:uuid:1", "a\\n"],
            ),
            ("code", &["a", "a b"], &[" a", "a ", "a  b", "a\\tb c\\n"]),
            ("base64Binary", &["QUJD", "QUI=", "QQ==", "QU JD\\n"], &["%%%2@()()", "QUJ", "Q===", "=QUJ", "QU=D"]),
            ("string", &["a", "é\\n\\tà"], &["a\\u0001", "  ", "\\u007f\\u0000"]),
            ("markdown", &["# a\\n"], &["\\u0002"]),
        ];
        for (name, good, bad) in cases {
            let primitive = named(name).unwrap();
            for (texts, wanted) in [(good, true), (bad, false)] {
                for text in *texts {
                    let document = Document::parse(format!("[\"{text}\"]").into_bytes()).unwrap();
                    let node = document.root().items().next().unwrap();
                    let fine = !check(primitive, node).is_some_and(Fault::is_error);
                    assert_eq!(fine, wanted, "{name} {text}");
                }
            }
        }
    }

    #[test]
    fn numbers_keep_their_ranges() {
        for (name, text, wanted) in [
            ("integer", "-2147483648", true),
            ("integer", "2147483648", false),
            ("integer", "1.0", false),
            ("integer", "1e2", false),
            ("positiveInt", "0", false),
            ("positiveInt", "1", true),
            ("unsignedInt", "0", true),
            ("unsignedInt", "-1", false),
            ("unsignedInt", "99999999999999999999", false),
            ("decimal", "1.00e-7", true),
        ] {
            let document = Document::parse(format!("[{text}]").into_bytes()).unwrap();
            let fault = check(named(name).unwrap(), document.root().items().next().unwrap());
            assert_eq!(fault.is_none(), wanted, "{name} {text}");
        }
    }
}
