//! The structure of a message, as ranges of its octets: what IMAP's `BODY[…]` and `BODYSTRUCTURE` need.
//!
//! Nothing is decoded: a part is given as it came. Whatever the octets, there is an answer: what is not MIME is one
//! part of text, and what is nested too deep or too often is left whole.

use std::ops::Range;

/// Parts inside parts; more is left as one part.
const DEPTH_MAX: usize = 20;
/// Parts of one message; more are left in the last one.
const PARTS_MAX: usize = 500;

/// A part of a message, or the message itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The header, the empty line after it included.
    pub(crate) header: Range<usize>,
    /// What follows.
    pub(crate) body: Range<usize>,
    pub(crate) content: ContentType,
    pub(crate) inside: Inside,
}

/// What is inside a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inside {
    Octets,
    Parts(Vec<Part>),
    Message(Box<Part>),
}

/// `Content-Type`, or what stands for its absence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ContentType {
    pub(crate) kind: String,
    pub(crate) subtype: String,
    pub(crate) parameters: Vec<(String, String)>,
}

/// Finds the parts of a message.
pub(crate) fn parse(bytes: &[u8]) -> Part {
    let mut parts_left = PARTS_MAX;
    Reader { bytes, parts_left: &mut parts_left }.part(0..bytes.len(), 0, ContentType::text())
}

impl Part {
    /// The part that `BODY[n.m…]` of this message names (RFC 3501 §6.4.5): a message that is not multipart is its own
    /// part 1.
    pub(crate) fn at(&self, path: &[u32]) -> Option<&Self> {
        match (&self.inside, path) {
            (Inside::Parts(_), _) | (_, []) => self.below(path),
            (_, [1, rest @ ..]) => self.below(rest),
            _ => None,
        }
    }

    /// The numbers go through messages inside.
    fn below(&self, path: &[u32]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let index = usize::try_from(*first).ok()?.checked_sub(1)?;
        match &self.inside {
            Inside::Parts(parts) => parts.get(index)?.below(rest),
            Inside::Message(message) => message.at(path),
            Inside::Octets => None,
        }
    }

    /// The parts that hold no other, in order.
    pub(crate) fn leaves(&self) -> Vec<&Self> {
        match &self.inside {
            Inside::Parts(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Inside::Octets | Inside::Message(_) => vec![self],
        }
    }
}

impl ContentType {
    fn text() -> Self {
        let parameters = vec![("charset".to_owned(), "us-ascii".to_owned())];
        Self { kind: "text".to_owned(), subtype: "plain".to_owned(), parameters }
    }

    fn message() -> Self {
        Self { kind: "message".to_owned(), subtype: "rfc822".to_owned(), parameters: Vec::new() }
    }

    pub(crate) fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
    }

    fn read(value: &str) -> Option<Self> {
        let (main, parameters) = value_and_parameters(value);
        let (kind, subtype) = main.split_once('/')?;
        let (kind, subtype) = (kind.trim(), subtype.trim());
        let is_token = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let known = is_token(kind) && is_token(subtype);
        known.then(|| Self { kind: kind.to_owned(), subtype: subtype.to_owned(), parameters })
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

struct Reader<'a, 'b> {
    bytes: &'a [u8],
    parts_left: &'b mut usize,
}

impl Reader<'_, '_> {
    fn part(&mut self, range: Range<usize>, depth: usize, default: ContentType) -> Part {
        *self.parts_left = self.parts_left.saturating_sub(1);
        let length = header_length(&self.bytes[range.clone()]);
        let (header, body) = (range.start..range.start + length, range.start + length..range.end);
        let content = field(&self.bytes[header.clone()], "Content-Type");
        let content = content.and_then(|value| ContentType::read(&value)).unwrap_or(default);
        let inside = self.inside(&content, body.clone(), depth);
        Part { header, body, content, inside }
    }

    fn inside(&mut self, content: &ContentType, body: Range<usize>, depth: usize) -> Inside {
        if depth == DEPTH_MAX || *self.parts_left == 0 {
            return Inside::Octets;
        }
        if content.is("message", "rfc822") {
            return Inside::Message(Box::new(self.part(body, depth + 1, ContentType::text())));
        }
        let boundary = content.parameter("boundary").filter(|_| content.kind.eq_ignore_ascii_case("multipart"));
        let Some(boundary) = boundary else { return Inside::Octets };
        let in_digest = content.subtype.eq_ignore_ascii_case("digest");
        let default = if in_digest { ContentType::message() } else { ContentType::text() };
        let ranges = split(self.bytes, body, boundary, *self.parts_left);
        if ranges.is_empty() {
            return Inside::Octets;
        }
        Inside::Parts(ranges.into_iter().map(|range| self.part(range, depth + 1, default.clone())).collect())
    }
}

/// The header's octets, the empty line included; all of them when there is no empty line.
pub(crate) fn header_length(bytes: &[u8]) -> usize {
    if bytes.starts_with(b"\r\n") {
        return 2;
    }
    memchr::memmem::find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 4)
}

/// The ranges between the lines `--boundary`; the line break before such a line belongs to it (RFC 2046 §5.1.1).
fn split(bytes: &[u8], body: Range<usize>, boundary: &str, parts_max: usize) -> Vec<Range<usize>> {
    let delimiter = format!("--{boundary}");
    let mut ranges = Vec::new();
    let mut start = None;
    let mut line = body.start;
    while line < body.end {
        let next = memchr::memchr(b'\n', &bytes[line..body.end]).map_or(body.end, |at| line + at + 1);
        let text = &bytes[line..next];
        if text.starts_with(delimiter.as_bytes()) {
            let rest = text[delimiter.len()..].trim_ascii_end();
            let is_last = rest == b"--";
            if rest.is_empty() || is_last {
                if let Some(start) = start.take() {
                    ranges.push(start..before_line_break(bytes, start, line));
                }
                if is_last {
                    return ranges;
                }
                if ranges.len() < parts_max {
                    start = Some(next);
                }
            }
        }
        line = next;
    }
    if let Some(start) = start {
        ranges.push(start..body.end);
    }
    ranges
}

fn before_line_break(bytes: &[u8], start: usize, line: usize) -> usize {
    let end = if line > start && bytes[line - 1] == b'\n' { line - 1 } else { line };
    if end > start && bytes[end - 1] == b'\r' { end - 1 } else { end }
}

/// The fields of a header, as (name, everything after the colon with its folds), in order.
pub(crate) fn fields(header: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    field_ranges(header).filter_map(|range| {
        let line = &header[range];
        let colon = memchr::memchr(b':', line)?;
        Some((line[..colon].trim_ascii_end(), &line[colon + 1..]))
    })
}

/// The whole of each field, line breaks included, the empty line at the end left out.
pub(crate) fn field_ranges(header: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        loop {
            let end = memchr::memchr(b'\n', &header[at..]).map_or(header.len(), |found| at + found + 1);
            if end == at {
                break;
            }
            at = end;
            if !header.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t')) {
                break;
            }
        }
        let is_field = start < at && !header[start..at].trim_ascii().is_empty();
        is_field.then_some(start..at)
    })
}

/// The first field of a name, unfolded and trimmed.
pub(crate) fn field(header: &[u8], name: &str) -> Option<String> {
    let found = fields(header).find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))?;
    Some(unfold(found.1))
}

/// Without line breaks. What is not UTF-8 is shown as Latin-1, where every octet has a sign.
fn unfold(value: &[u8]) -> String {
    let value = value.trim_ascii();
    let text =
        std::str::from_utf8(value).map_or_else(|_| value.iter().map(|b| char::from(*b)).collect(), str::to_owned);
    text.replace(['\r', '\n'], "")
}

/// `value; name=value; name="value"`: names in lower case, values without quotes; comments stay.
pub(crate) fn value_and_parameters(text: &str) -> (&str, Vec<(String, String)>) {
    let mut pieces = split_outside_quotes(text);
    let main = pieces.next().unwrap_or_default().trim();
    let parameters = pieces.filter_map(|piece| {
        let (name, value) = piece.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        (!name.is_empty()).then(|| (name, unquote(value.trim())))
    });
    (main, parameters.take(50).collect())
}

fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |sign| {
        let was_escaped = std::mem::replace(&mut escaped, false);
        match sign {
            '\\' if quoted && !was_escaped => escaped = true,
            '"' if !was_escaped => quoted = !quoted,
            ';' => return !quoted,
            _ => {}
        }
        false
    })
}

fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut out = String::with_capacity(inner.len());
    let mut signs = inner.chars();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => break,
            '\\' => out.extend(signs.next()),
            sign => out.push(sign),
        }
    }
    out
}

/// The file name of a part as far as its ending tells: the pieces of RFC 2231 are joined, not decoded.
pub(crate) fn file_name(bytes: &[u8], part: &Part) -> Option<String> {
    let disposition = field(&bytes[part.header.clone()], "Content-Disposition");
    let disposition = disposition.map(|value| value_and_parameters(&value).1).unwrap_or_default();
    joined(&disposition, "filename").or_else(|| joined(&part.content.parameters, "name"))
}

fn joined(parameters: &[(String, String)], name: &str) -> Option<String> {
    let is_piece = |known: &str| known == name || known.strip_prefix(name).is_some_and(|rest| rest.starts_with('*'));
    let pieces = parameters.iter().filter(|(known, _)| is_piece(known)).map(|(_, value)| value.as_str());
    let text = pieces.collect::<String>();
    let text = text.strip_prefix("UTF-8''").or_else(|| text.strip_prefix("utf-8''")).unwrap_or(&text);
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NESTED: &str = "Subject: out\r\nContent-Type: multipart/mixed; boundary=\"a b\"\r\n\r\npreamble\r\n\
        --a b\r\n\r\nfirst\r\n--a b  \r\nContent-Type: message/rfc822\r\n\r\n\
        Subject: in\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n\
        --c\r\nContent-Type: text/html\r\n\r\n<p>\r\n--c--\r\n\
        --a b\r\nContent-Type: application/zip; name=x.zip\r\nContent-Disposition: attachment;\r\n filename*0*=UTF-8''IHE;\r\n filename*1*=_XDM.zip\r\n\r\nUEs=\r\n\r\n--a b--\r\nepilogue";

    fn text(range: &Range<usize>) -> &'static str {
        &NESTED[range.clone()]
    }

    #[test]
    fn parts_are_found_by_their_numbers() {
        let message = parse(NESTED.as_bytes());
        let cases: [(&[u32], Option<&str>); 9] = [
            (&[1], Some("first")),
            (&[3], Some("UEs=\r\n")),
            (&[2, 1], Some("<p>")),
            (&[4], None),
            (&[0], None),
            (&[1, 1], None),
            (&[1, 2], None),
            (&[2, 2], None),
            (&[3, 1, 1], None),
        ];
        for (path, body) in cases {
            assert_eq!(message.at(path).map(|part| text(&part.body)), body, "{path:?}");
        }
        let inner = message.at(&[2]).unwrap();
        assert!(matches!(&inner.inside, Inside::Message(message) if text(&message.header).starts_with("Subject: in")));
        assert_eq!(message.leaves().len(), 3);
        assert_eq!(file_name(NESTED.as_bytes(), message.at(&[3]).unwrap()).as_deref(), Some("IHE_XDM.zip"));
    }

    #[test]
    fn what_is_no_mime_is_one_part_of_text() {
        for odd in [
            "",
            "\r\nbody",
            "Subject: x",
            "Content-Type: multipart/mixed\r\n\r\nx",
            "Content-Type: multipart/mixed; boundary=z\r\n\r\nno such line",
            "Content-Type: ;;;=\r\n\r\nx",
        ] {
            assert_eq!(parse(odd.as_bytes()).inside, Inside::Octets, "{odd:?}");
        }
        let plain = parse(b"Subject: x\r\n\r\nhello\r\n");
        assert_eq!(plain.at(&[1]), Some(&plain));
        assert_eq!((plain.at(&[2]), plain.at(&[1, 1])), (None, None));
        let forwarded = parse(b"Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nhello");
        assert_eq!(forwarded.at(&[1]).map(|part| part.body.clone()), Some(32..52));
        assert_eq!(forwarded.at(&[1, 1]).map(|part| part.body.clone()), Some(47..52));
        assert!(plain.content.is("TEXT", "Plain"));
        assert_eq!(plain.body, 14..21);
    }

    #[test]
    fn what_never_ends_is_bounded() {
        let deep = "Content-Type: message/rfc822\r\n\r\n".repeat(100);
        assert_eq!(depth(&parse(deep.as_bytes())), DEPTH_MAX);
        let wide = format!("Content-Type: multipart/mixed; boundary=z\r\n\r\n{}", "--z\r\n\r\nx\r\n".repeat(2000));
        assert!(parse(wide.as_bytes()).leaves().len() <= PARTS_MAX);
    }

    fn depth(part: &Part) -> usize {
        match &part.inside {
            Inside::Message(inner) => 1 + depth(inner),
            _ => 0,
        }
    }

    #[test]
    fn fields_keep_their_folds_until_asked() {
        let header = b"A: 1\r\n 2\r\nb : 3\r\nno colon\r\n\r\n";
        let names = fields(header).map(|(name, _)| String::from_utf8_lossy(name).into_owned()).collect::<Vec<_>>();
        assert_eq!(names, ["A", "b"]);
        assert_eq!(field(header, "a").as_deref(), Some("1 2"));
        assert_eq!(field(header, "c"), None);
        let (main, parameters) = value_and_parameters("attachment; FileName=\"a;\\\"b\" ; x = y");
        assert_eq!(main, "attachment");
        assert_eq!(parameters, [("filename".into(), "a;\"b".into()), ("x".into(), "y".into())]);
    }

    proptest! {
        #[test]
        fn any_octets_have_a_structure_inside_their_bounds(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            check(&parse(&bytes), 0..bytes.len())?;
        }

        #[test]
        fn any_mime_like_text_too(pieces in prop::collection::vec(prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=z\r\n", "Content-Type: message/rfc822\r\n", "\r\n", "--z\r\n", "--z--\r\n",
            "x\r\n", "--z", "\n", "\r",
        ]), 0..40)) {
            let text = pieces.concat();
            check(&parse(text.as_bytes()), 0..text.len())?;
        }
    }

    fn check(part: &Part, within: Range<usize>) -> Result<(), TestCaseError> {
        prop_assert!(part.header.start >= within.start && part.header.end == part.body.start);
        prop_assert!(part.body.start <= part.body.end && part.body.end <= within.end);
        match &part.inside {
            Inside::Octets => {}
            Inside::Message(inner) => check(inner, part.body.clone())?,
            Inside::Parts(parts) => {
                for inner in parts {
                    check(inner, part.body.clone())?;
                }
            }
        }
        Ok(())
    }
}
