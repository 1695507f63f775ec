//! The octets that `BODY[…]` names (RFC 3501 §6.4.5).

use std::borrow::Cow;
use std::num::NonZeroU32;

use imap_codec::imap_types::core::AString;
use imap_codec::imap_types::fetch::{Part as Numbers, Section};

use super::out::Out;
use super::session::octets;
use crate::twin::mime::{self, Inside, Part};

/// A message with its structure.
pub(super) struct Parsed<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) root: &'a Part,
}

impl<'a> Parsed<'a> {
    /// The octets of a section; nothing when there is no such part.
    pub(super) fn section(&self, section: Option<&Section<'_>>) -> Option<Cow<'a, [u8]>> {
        match section {
            None => Some(Cow::Borrowed(self.bytes)),
            Some(Section::Part(numbers)) => self.part(numbers).map(|part| self.slice(&part.body)),
            Some(Section::Mime(numbers)) => self.part(numbers).map(|part| self.slice(&part.header)),
            Some(Section::Header(numbers)) => self.message(numbers.as_ref()).map(|part| self.slice(&part.header)),
            Some(Section::Text(numbers)) => self.message(numbers.as_ref()).map(|part| self.slice(&part.body)),
            Some(Section::HeaderFields(numbers, names)) => self.fields(numbers.as_ref(), names.as_ref(), true),
            Some(Section::HeaderFieldsNot(numbers, names)) => self.fields(numbers.as_ref(), names.as_ref(), false),
        }
    }

    fn part(&self, numbers: &Numbers) -> Option<&Part> {
        let path = numbers.0.as_ref().iter().map(|number| number.get()).collect::<Vec<_>>();
        self.root.at(&path)
    }

    /// `HEADER` and `TEXT` are of the message, or of a message inside it.
    fn message(&self, numbers: Option<&Numbers>) -> Option<&Part> {
        let Some(numbers) = numbers else { return Some(self.root) };
        match &self.part(numbers)?.inside {
            Inside::Message(message) => Some(message),
            Inside::Octets | Inside::Parts(_) => None,
        }
    }

    /// The fields of the given names, or all others, and the empty line.
    fn fields(&self, numbers: Option<&Numbers>, names: &[AString<'_>], wanted: bool) -> Option<Cow<'a, [u8]>> {
        let header = &self.bytes[self.message(numbers)?.header.clone()];
        let names = names.iter().map(octets).collect::<Vec<_>>();
        let mut out = Vec::new();
        for range in mime::field_ranges(header) {
            let field = &header[range];
            let name = field.split(|b| *b == b':').next().unwrap_or_default().trim_ascii_end();
            if names.iter().any(|known| known.eq_ignore_ascii_case(name)) == wanted {
                out.extend_from_slice(field);
            }
        }
        out.extend_from_slice(b"\r\n");
        Some(Cow::Owned(out))
    }

    fn slice(&self, range: &std::ops::Range<usize>) -> Cow<'a, [u8]> {
        Cow::Borrowed(&self.bytes[range.clone()])
    }
}

/// The section as the answer repeats it.
pub(super) fn write_name(out: &mut Out, section: Option<&Section<'_>>) {
    let numbers = |numbers: &Numbers| numbers.0.as_ref().iter().map(ToString::to_string).collect::<Vec<_>>().join(".");
    let prefix = |of: &Option<Numbers>| of.as_ref().map(|of| numbers(of) + ".").unwrap_or_default();
    match section {
        None => {}
        Some(Section::Part(of)) => {
            out.raw(&numbers(of));
        }
        Some(Section::Mime(of)) => {
            out.raw(&numbers(of)).raw(".MIME");
        }
        Some(Section::Header(of)) => {
            out.raw(&prefix(of)).raw("HEADER");
        }
        Some(Section::Text(of)) => {
            out.raw(&prefix(of)).raw("TEXT");
        }
        Some(Section::HeaderFields(of, names)) => {
            out.raw(&prefix(of)).raw("HEADER.FIELDS ");
            write_names(out, names.as_ref());
        }
        Some(Section::HeaderFieldsNot(of, names)) => {
            out.raw(&prefix(of)).raw("HEADER.FIELDS.NOT ");
            write_names(out, names.as_ref());
        }
    }
}

fn write_names(out: &mut Out, names: &[AString<'_>]) {
    out.raw("(");
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            out.raw(" ");
        }
        match name {
            AString::Atom(atom) => out.raw(atom.inner()),
            AString::String(_) => out.string(&octets(name)),
        };
    }
    out.raw(")");
}

/// `<start.count>` of the octets.
pub(super) fn partial(bytes: &[u8], range: Option<(u32, NonZeroU32)>) -> &[u8] {
    let Some((start, count)) = range else { return bytes };
    let start = (start as usize).min(bytes.len());
    let end = start.saturating_add(count.get() as usize).min(bytes.len());
    &bytes[start..end]
}

#[cfg(test)]
mod tests {
    use imap_codec::CommandCodec;
    use imap_codec::decode::Decoder as _;
    use imap_codec::imap_types::command::CommandBody;
    use imap_codec::imap_types::fetch::{MacroOrMessageDataItemNames, MessageDataItemName};

    use super::*;

    const MAIL: &str = "Subject: out\r\nTo: a@b.test,\r\n c@d.test\r\nContent-Type: multipart/mixed; boundary=z\r\n\r\n\
        --z\r\nContent-Type: text/plain\r\n\r\nfirst\r\n--z\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhello\r\n--z--\r\n";

    /// The answer to `BODY[…]`: how it is named, and its octets.
    fn fetch(item: &str) -> (String, Option<String>) {
        let command = format!("a FETCH 1 BODY.PEEK{item}\r\n");
        let (_, command) = CommandCodec::new().decode_static(command.as_bytes()).unwrap();
        let CommandBody::Fetch {
            macro_or_item_names: MacroOrMessageDataItemNames::MessageDataItemNames(items), ..
        } = command.body
        else {
            panic!("{item}")
        };
        let MessageDataItemName::BodyExt { section, partial: range, .. } = &items[0] else { panic!("{item}") };
        let mut name = Out::default();
        write_name(&mut name, section.as_ref());
        let message = Parsed { bytes: MAIL.as_bytes(), root: &mime::parse(MAIL.as_bytes()) };
        let found = message.section(section.as_ref());
        let found = found.map(|bytes| String::from_utf8(partial(&bytes, *range).to_vec()).unwrap());
        (String::from_utf8(name.take().to_vec()).unwrap(), found)
    }

    #[test]
    fn each_section_is_the_octets_of_the_standard() {
        let (header, body) = MAIL.split_at(MAIL.find("--z").unwrap());
        let cases: [(&str, &str, Option<&str>); 16] = [
            ("[]", "", Some(MAIL)),
            ("[]<0.7>", "", Some("Subject")),
            ("[]<100000.7>", "", Some("")),
            ("[HEADER]", "HEADER", Some(header)),
            ("[TEXT]", "TEXT", Some(body)),
            ("[1]", "1", Some("first")),
            ("[1.MIME]", "1.MIME", Some("Content-Type: text/plain\r\n\r\n")),
            ("[1.HEADER]", "1.HEADER", None),
            ("[2]", "2", Some("Subject: in\r\n\r\nhello")),
            ("[2.HEADER]", "2.HEADER", Some("Subject: in\r\n\r\n")),
            ("[2.TEXT]", "2.TEXT", Some("hello")),
            ("[2.1]", "2.1", Some("hello")),
            ("[3]", "3", None),
            ("[HEADER.FIELDS (to x)]", "HEADER.FIELDS (to x)", Some("To: a@b.test,\r\n c@d.test\r\n\r\n")),
            (
                "[HEADER.FIELDS.NOT (To Content-Type)]",
                "HEADER.FIELDS.NOT (To Content-Type)",
                Some("Subject: out\r\n\r\n"),
            ),
            ("[2.HEADER.FIELDS (Subject)]", "2.HEADER.FIELDS (Subject)", Some("Subject: in\r\n\r\n")),
        ];
        for (item, name, octets) in cases {
            assert_eq!(fetch(item), (name.to_owned(), octets.map(str::to_owned)), "{item}");
        }
    }
}
