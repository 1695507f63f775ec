//! Headers and bodies of mail as 7-bit text: RFC 2047 encoded words, RFC 2231 parameters, RFC 2045
//! quoted-printable and base64.
//!
//! Not here: which headers a mail has ([`super::message`]).

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Where a header line is folded, in octets (RFC 5322 §2.1.1 and RFC 2047 §2).
const LINE: usize = 76;

/// Appends `name: text`, folded, as encoded words when it is not plain ASCII.
pub fn unstructured(out: &mut String, name: &str, text: &str) {
    let start = out.len();
    let _ = write!(out, "{name}:");
    if is_plain(text) {
        words(out, start, text.split(' '));
    } else {
        words(out, start, encoded_words(text).iter().map(String::as_str));
    }
    out.push_str("\r\n");
}

/// Appends `name: "label" <address>, …`, one address per line after the first.
pub fn addresses<'a>(out: &mut String, name: &str, list: impl Iterator<Item = (Option<&'a str>, &'a str)>) {
    let _ = write!(out, "{name}:");
    for (at, (label, address)) in list.enumerate() {
        if at > 0 {
            out.push_str(",\r\n");
        }
        let start = out.len();
        match label {
            None => {
                let _ = write!(out, " {address}");
                continue;
            }
            Some(label) if is_plain(label) && label.len() < LINE - 16 => {
                let _ = write!(out, " \"{}\"", label.replace('\\', "\\\\").replace('"', "\\\""));
            }
            Some(label) => words(out, start, encoded_words(label).iter().map(String::as_str)),
        }
        words(out, start, std::iter::once(format!("<{address}>").as_str()));
    }
    out.push_str("\r\n");
}

/// Appends `; name="value"`, or the percent-encoded pieces of RFC 2231 when the value is not plain
/// ASCII or too long for a line.
pub fn parameter(out: &mut String, name: &str, value: &str) {
    if is_plain(value) && value.len() < LINE - 24 {
        let _ = write!(out, ";\r\n {name}=\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""));
        return;
    }
    let pieces = percent_pieces(value, LINE - 24);
    let numbered = pieces.len() > 1;
    for (at, piece) in pieces.iter().enumerate() {
        let number = if numbered { format!("*{at}") } else { String::new() };
        let charset = if at == 0 { "UTF-8''" } else { "" };
        let _ = write!(out, ";\r\n {name}{number}*={charset}{piece}");
    }
}

/// Printable ASCII that no decoder takes for an encoded word.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b)) && !text.contains("=?")
}

/// Appends words, each after a space; a line that would be too long is folded before the word.
fn words<'a>(out: &mut String, start: usize, list: impl Iterator<Item = &'a str>) {
    let mut line = start;
    for word in list {
        if out.len() - line + 1 + word.len() > LINE && out.len() > start {
            out.push_str("\r\n");
            line = out.len();
        }
        out.push(' ');
        out.push_str(word);
    }
}

/// The text as encoded words of at most 75 octets, never cutting a character (RFC 2047 §5): `Q`, whose
/// letters stay readable. White space between encoded words is dropped by readers, so it is inside.
#[must_use]
pub fn encoded_words(text: &str) -> Vec<String> {
    const OPEN: &str = "=?UTF-8?Q?";
    let mut list = Vec::new();
    let mut word = String::from(OPEN);
    for sign in text.chars() {
        let piece = q_encoded(sign);
        // One line also holds the first header name (at most 32 octets here), hence 40 and not 75.
        if word.len() + piece.len() + 2 > LINE - 32 && word.len() > OPEN.len() {
            word.push_str("?=");
            list.push(std::mem::replace(&mut word, String::from(OPEN)));
        }
        word.push_str(&piece);
    }
    word.push_str("?=");
    list.push(word);
    list
}

/// The set that RFC 2047 §5 (3) allows in a phrase, the narrowest of all.
fn q_encoded(sign: char) -> String {
    if sign == ' ' {
        return "_".to_owned();
    }
    if sign.is_ascii_alphanumeric() || "!*+-/".contains(sign) {
        return sign.to_string();
    }
    let mut buffer = [0; 4];
    sign.encode_utf8(&mut buffer).bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "={byte:02X}");
        out
    })
}

/// RFC 2231 attribute characters are kept; a piece never ends inside a character.
fn percent_pieces(value: &str, piece_max: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for sign in value.chars() {
        let mut buffer = [0; 4];
        let encoded = if sign.is_ascii_alphanumeric() || "-._~".contains(sign) {
            sign.to_string()
        } else {
            sign.encode_utf8(&mut buffer).bytes().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "%{byte:02X}");
                out
            })
        };
        match pieces.last_mut() {
            Some(last) if last.len() + encoded.len() <= piece_max => last.push_str(&encoded),
            _ => pieces.push(encoded),
        }
    }
    pieces
}

/// Appends a text part's body (lines separated by `\n`) with the header that names its encoding: 7 bits when
/// it is ASCII with short lines, otherwise quoted-printable.
pub fn text_body(out: &mut String, text: &str) {
    // `=_` begins our boundaries: a body that holds it is encoded, so that no line of it is one.
    let short_ascii = text.is_ascii() && text.split('\n').all(|line| line.len() <= LINE) && !text.contains("=_");
    let encoding = if short_ascii { "7bit" } else { "quoted-printable" };
    let _ = write!(out, "Content-Transfer-Encoding: {encoding}\r\n\r\n");
    for line in text.split('\n') {
        if short_ascii {
            out.push_str(line);
        } else {
            quoted_printable_line(out, line);
        }
        out.push_str("\r\n");
    }
}

fn quoted_printable_line(out: &mut String, line: &str) {
    let mut width = 0;
    for (at, byte) in line.bytes().enumerate() {
        let is_last = at + 1 == line.len();
        let is_literal = matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !is_last);
        let length = if is_literal { 1 } else { 3 };
        if width + length > LINE - 1 {
            out.push_str("=\r\n");
            width = 0;
        }
        width += length;
        if is_literal {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "={byte:02X}");
        }
    }
}

/// Appends bytes as base64 lines of 76 characters, with the header that says so.
pub fn base64_body(out: &mut String, bytes: &[u8]) {
    out.push_str("Content-Transfer-Encoding: base64\r\n\r\n");
    out.reserve(base64_body_length(bytes.len()));
    for line in bytes.chunks(LINE / 4 * 3) {
        STANDARD.encode_string(line, out);
        out.push_str("\r\n");
    }
}

/// The octets that [`base64_body`] adds for so many bytes, its header left out.
#[must_use]
pub const fn base64_body_length(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4 + bytes.div_ceil(LINE / 4 * 3) * 2
}

#[cfg(test)]
mod tests {
    use mail_parser::{MessageParser, MimeHeaders as _};
    use proptest::prelude::*;

    use super::*;

    fn header(text: &str) -> String {
        let mut out = String::new();
        unstructured(&mut out, "Subject", text);
        out
    }

    #[test]
    fn plain_text_stays_readable_and_is_folded_at_spaces() {
        assert_eq!(header("Bonjour"), "Subject: Bonjour\r\n");
        let long = "mot ".repeat(40);
        let folded = header(long.trim());
        assert!(folded.lines().all(|line| line.len() <= 76), "{folded}");
        assert_eq!(folded.replace("\r\n ", " ").trim_end(), format!("Subject: {}", long.trim()));
        assert!(header("=?UTF-8?Q?ruse?=").starts_with("Subject: =?UTF-8?Q?=3D=3FUTF-8"));
    }

    #[test]
    fn a_label_is_quoted_or_encoded() {
        let mut out = String::new();
        let list = [(Some("Dr_Marie_MARTIN"), "m@a.test"), (Some("A \"B\" \\"), "b@a.test"), (None, "c@a.test")];
        addresses(&mut out, "To", list.into_iter());
        assert_eq!(out, "To: \"Dr_Marie_MARTIN\" <m@a.test>,\r\n \"A \\\"B\\\" \\\\\" <b@a.test>,\r\n c@a.test\r\n");
        let mut out = String::new();
        addresses(&mut out, "From", std::iter::once((Some("Hopital C – Biologie"), "r@c.test")));
        assert_eq!(out, "From: =?UTF-8?Q?Hopital_C_=E2=80=93_Biologie?= <r@c.test>\r\n");
    }

    #[test]
    fn a_parameter_is_plain_or_in_pieces() {
        let write = |value: &str| {
            let mut out = String::new();
            parameter(&mut out, "filename", value);
            out
        };
        assert_eq!(write("IHE_XDM.zip"), ";\r\n filename=\"IHE_XDM.zip\"");
        assert_eq!(write("é.pdf"), ";\r\n filename*=UTF-8''%C3%A9.pdf");
        let pieces = write(&"é".repeat(30));
        assert!(pieces.contains("\r\n filename*0*=UTF-8''%C3") && pieces.contains(";\r\n filename*1*=%C3"), "{pieces}");
        assert!(pieces.lines().all(|line| line.len() <= 78), "{pieces}");
    }

    #[test]
    fn bodies_are_seven_bits() {
        let write = |text: &str| {
            let mut out = String::new();
            text_body(&mut out, text);
            out
        };
        assert_eq!(write("a\nb"), "Content-Transfer-Encoding: 7bit\r\n\r\na\r\nb\r\n");
        assert!(write("Chère").ends_with("\r\n\r\nCh=C3=A8re\r\n"));
        assert!(write("--=_x").contains("--=3D_x"), "no line of a body is a boundary");
        assert!(write("fin \nx é").contains("fin=20\r\n"));
        let mut out = String::new();
        base64_body(&mut out, &[0; 58]);
        assert_eq!(out.lines().map(str::len).skip(2).collect::<Vec<_>>(), [76, 4]);
        assert_eq!(out.len(), "Content-Transfer-Encoding: base64\r\n\r\n".len() + base64_body_length(58));
    }

    proptest! {
        /// Read back by a parser that is not ours.
        #[test]
        fn any_header_text_comes_back(text in "\\PC{1,200}") {
            let Ok(text) = text.parse::<crate::model::HeaderText>() else { return Ok(()) };
            let mut out = header(text.as_str());
            addresses(&mut out, "From", std::iter::once((Some(text.as_str()), "a@b.test")));
            prop_assert!(out.is_ascii());
            prop_assert!(out.lines().all(|line| line.len() <= 998));
            let message = MessageParser::new().parse(out.as_bytes()).unwrap();
            prop_assert_eq!(message.subject(), Some(text.as_str()));
            let from = message.from().unwrap().first().unwrap();
            prop_assert_eq!(from.name(), Some(text.as_str()));
            prop_assert_eq!(from.address(), Some("a@b.test"));
        }

        #[test]
        fn any_file_name_and_body_come_back(name in "\\PC{1,120}", body in "(\\PC|\n|\t){1,300}") {
            let (Ok(name), Ok(body)) =
                (name.parse::<crate::model::HeaderText>(), body.parse::<crate::model::BodyText>()) else { return Ok(()) };
            let mut out = String::from("Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: attachment");
            parameter(&mut out, "filename", name.as_str());
            out.push_str("\r\n");
            text_body(&mut out, body.as_str());
            prop_assert!(out.is_ascii());
            prop_assert!(out.lines().all(|line| line.len() <= 998));
            let message = MessageParser::new().parse(out.as_bytes()).unwrap();
            prop_assert_eq!(message.root_part().attachment_name(), Some(name.as_str()));
            let read = String::from_utf8(message.root_part().contents().to_vec()).unwrap();
            let read = read.replace("\r\n", "\n");
            prop_assert_eq!(read.trim_end_matches('\n'), body.as_str());
        }
    }
}
