//! `ENVELOPE`, `BODY` and `BODYSTRUCTURE` (RFC 3501 §7.4.2), in 7 bits.

use mail_parser::{Addr, Address, HeaderName, HeaderValue, Message, MessageParser};

use super::out::Out;
use crate::twin::mime::{self, Inside, Part};
use crate::wire::header::encoded_words;

/// Writes the envelope of a message, from its header.
pub(super) fn envelope(out: &mut Out, header: &[u8]) {
    let parsed = MessageParser::new().parse_headers(header);
    let text = |name: &str| mime::field(header, name);
    let list = |name: HeaderName<'static>| parsed.as_ref().and_then(|message| address_list(message, name));
    let from = list(HeaderName::From);
    out.raw("(").nstring(text("Date").as_deref()).raw(" ").nstring(text("Subject").as_deref());
    // Without them, the sender and where to answer are the author (RFC 3501 §7.4.2).
    let sender = list(HeaderName::Sender).or_else(|| from.clone());
    let reply_to = list(HeaderName::ReplyTo).or_else(|| from.clone());
    let lists = [from, sender, reply_to, list(HeaderName::To), list(HeaderName::Cc), list(HeaderName::Bcc)];
    for list in lists {
        out.raw(" ");
        match list {
            None => out.raw("NIL"),
            Some(list) => out.raw(&list),
        };
    }
    out.raw(" ").nstring(text("In-Reply-To").as_deref());
    out.raw(" ").nstring(text("Message-ID").as_deref()).raw(")");
}

/// `((name NIL mailbox host)…)`; nothing for no address.
fn address_list(message: &Message<'_>, name: HeaderName<'static>) -> Option<String> {
    let HeaderValue::Address(addresses) = message.header(name)? else { return None };
    let mut out = Out::default();
    match addresses {
        Address::List(list) => list.iter().for_each(|addr| address(&mut out, addr)),
        Address::Group(groups) => {
            for group in groups {
                if let Some(name) = group.name.as_deref() {
                    group_edge(&mut out, Some(name));
                }
                group.addresses.iter().for_each(|addr| address(&mut out, addr));
                if group.name.is_some() {
                    group_edge(&mut out, None);
                }
            }
        }
    }
    let octets = out.take();
    (!octets.is_empty()).then(|| format!("({})", String::from_utf8_lossy(&octets)))
}

fn address(out: &mut Out, addr: &Addr<'_>) {
    let Some(address) = addr.address.as_deref() else { return };
    let (mailbox, host) = address.rsplit_once('@').map_or((address, None), |(mailbox, host)| (mailbox, Some(host)));
    let name = addr.name.as_deref().map(seven_bits);
    out.raw("(").nstring(name.as_deref()).raw(" NIL ").nstring(Some(&seven_bits(mailbox)));
    out.raw(" ").nstring(Some(&seven_bits(host.unwrap_or("")))).raw(")");
}

/// A group begins and ends with an address without host.
fn group_edge(out: &mut Out, name: Option<&str>) {
    let name = name.map(seven_bits);
    out.raw("(NIL NIL ").nstring(name.as_deref()).raw(" NIL)");
}

/// A text that was decoded goes back to encoded words.
fn seven_bits(text: &str) -> String {
    if text.bytes().all(|b| (b' '..=b'~').contains(&b)) { text.to_owned() } else { encoded_words(text).join(" ") }
}

/// Writes the structure of a message; `extended` for `BODYSTRUCTURE`.
pub(super) fn structure(out: &mut Out, bytes: &[u8], part: &Part, extended: bool) {
    match &part.inside {
        Inside::Parts(parts) => multipart(out, bytes, part, parts, extended),
        Inside::Octets | Inside::Message(_) => single(out, bytes, part, extended),
    }
}

fn multipart(out: &mut Out, bytes: &[u8], part: &Part, parts: &[Part], extended: bool) {
    out.raw("(");
    for inner in parts {
        structure(out, bytes, inner, extended);
    }
    out.raw(" ").string(&upper(&part.content.subtype));
    if extended {
        out.raw(" ");
        parameters(out, &part.content.parameters);
        extension(out, &bytes[part.header.clone()]);
    }
    out.raw(")");
}

fn single(out: &mut Out, bytes: &[u8], part: &Part, extended: bool) {
    let header = &bytes[part.header.clone()];
    let text = |name: &str| mime::field(header, name);
    // A multipart whose parts cannot be found is told as what it is not: octets.
    let is_broken = part.content.kind.eq_ignore_ascii_case("multipart");
    let (kind, subtype) =
        if is_broken { ("application", "octet-stream") } else { (&*part.content.kind, &*part.content.subtype) };
    out.raw("(").string(&upper(kind)).raw(" ").string(&upper(subtype)).raw(" ");
    parameters(out, &part.content.parameters);
    out.raw(" ").nstring(text("Content-ID").as_deref()).raw(" ").nstring(text("Content-Description").as_deref());
    let encoding = text("Content-Transfer-Encoding").unwrap_or_else(|| "7bit".to_owned());
    out.raw(" ").string(&upper(&encoding)).raw(&format!(" {}", part.body.len()));
    match &part.inside {
        Inside::Message(message) => {
            out.raw(" ");
            envelope(out, &bytes[message.header.clone()]);
            out.raw(" ");
            structure(out, bytes, message, extended);
            out.raw(&format!(" {}", lines(&bytes[part.body.clone()])));
        }
        _ if kind.eq_ignore_ascii_case("text") => {
            out.raw(&format!(" {}", lines(&bytes[part.body.clone()])));
        }
        _ => {}
    }
    if extended {
        out.raw(" ").nstring(text("Content-MD5").as_deref());
        extension(out, header);
    }
    out.raw(")");
}

/// Disposition, language, location.
fn extension(out: &mut Out, header: &[u8]) {
    out.raw(" ");
    match mime::field(header, "Content-Disposition") {
        None => {
            out.raw("NIL");
        }
        Some(value) => {
            let (kind, list) = mime::value_and_parameters(&value);
            out.raw("(").string(&upper(kind)).raw(" ");
            parameters(out, &list);
            out.raw(")");
        }
    }
    out.raw(" ").nstring(mime::field(header, "Content-Language").as_deref());
    out.raw(" ").nstring(mime::field(header, "Content-Location").as_deref());
}

fn parameters(out: &mut Out, list: &[(String, String)]) {
    if list.is_empty() {
        out.raw("NIL");
        return;
    }
    out.raw("(");
    for (at, (name, value)) in list.iter().enumerate() {
        if at > 0 {
            out.raw(" ");
        }
        out.string(&upper(name)).raw(" ").string(value.as_bytes());
    }
    out.raw(")");
}

/// What has no case is written in capitals, as most servers do.
fn upper(text: &str) -> Vec<u8> {
    text.to_ascii_uppercase().into_bytes()
}

fn lines(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

#[cfg(test)]
mod tests {
    use imap_codec::ResponseCodec;
    use imap_codec::decode::Decoder as _;
    use proptest::prelude::*;

    use super::*;

    fn write(write: impl FnOnce(&mut Out)) -> String {
        let mut out = Out::default();
        write(&mut out);
        String::from_utf8(out.take().to_vec()).unwrap()
    }

    #[test]
    fn an_envelope_has_its_ten_fields() {
        let header = "Date: Sat, 21 Nov 2026 08:00:00 +0100\r\nFrom: =?utf-8?q?H=C3=B4pital?= A <a@b.test>\r\nTo: x@y.test,\r\n \"Z\" <z@y.test>\r\n\
            Subject: =?utf-8?q?m=C3=A9dicale?=\r\n suite\r\nMessage-ID: <1@b.test>\r\n\r\n";
        let from = "((\"=?UTF-8?Q?H=C3=B4pital_A?=\" NIL \"a\" \"b.test\"))";
        let expected = format!(
            "(\"Sat, 21 Nov 2026 08:00:00 +0100\" \"=?utf-8?q?m=C3=A9dicale?= suite\" {from} {from} {from} \
             ((NIL NIL \"x\" \"y.test\")(\"Z\" NIL \"z\" \"y.test\")) NIL NIL NIL \"<1@b.test>\")"
        );
        assert_eq!(write(|out| envelope(out, header.as_bytes())), expected);
        assert_eq!(write(|out| envelope(out, b"")), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    }

    #[test]
    fn a_structure_tells_parts_parameters_and_dispositions() {
        let mail = "Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\nContent-Type: text/plain; charset=utf-8\r\n\r\na\r\nb\r\n\
            --z\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment; filename=\"IHE_XDM.zip\"\r\n\r\nUEs=\r\n\
            --z\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n--z--\r\n";
        let root = mime::parse(mail.as_bytes());
        let plain = "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 4 1";
        let zip = "(\"APPLICATION\" \"ZIP\" NIL NIL NIL \"BASE64\" 4";
        let inner = "(\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 16 (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
            (\"TEXT\" \"PLAIN\" (\"CHARSET\" \"us-ascii\") NIL NIL \"7BIT\" 1 0";
        let body = write(|out| structure(out, mail.as_bytes(), &root, false));
        assert_eq!(body, format!("({plain}){zip}){inner}) 2) \"MIXED\")"));
        let none = " NIL NIL NIL NIL";
        let full = write(|out| structure(out, mail.as_bytes(), &root, true));
        let disposition = " NIL (\"ATTACHMENT\" (\"FILENAME\" \"IHE_XDM.zip\")) NIL NIL";
        assert_eq!(
            full,
            format!(
                "({plain}{none}){zip}{disposition}){inner}{none}) 2{none}) \"MIXED\" (\"BOUNDARY\" \"z\") NIL NIL NIL)"
            )
        );
    }

    proptest! {
        /// Whatever came in a mail, what we answer is IMAP for a parser that is not ours.
        #[test]
        fn any_message_has_a_readable_structure(pieces in prop::collection::vec(prop::sample::select(vec![
            "Content-Type: multipart/mixed; boundary=z\r\n", "Content-Type: message/rfc822\r\n", "\r\n", "--z\r\n", "--z--\r\n",
            "Subject: =?utf-8?q?=C3?= \"\r\n", "From: \"a\\\"b\" <c@d>, g: x@y, z;\r\n", "To: é <é@é>\r\n", "x\r\n",
            "Content-Type: text/plain; charset=\"u\\tf\"; x\r\n", "Content-Disposition: attachment; filename*=UTF-8''%C3\r\n",
            "Content-ID: \u{7f}\r\n",
        ]), 0..30)) {
            let mail = pieces.concat();
            let root = mime::parse(mail.as_bytes());
            let mut out = Out::default();
            out.raw("* 1 FETCH (ENVELOPE ");
            envelope(&mut out, &mail.as_bytes()[root.header.clone()]);
            out.raw(" BODYSTRUCTURE ");
            structure(&mut out, mail.as_bytes(), &root, true);
            out.raw(")\r\n");
            let octets = out.take();
            let read = ResponseCodec::new().decode(&octets);
            prop_assert!(read.is_ok(), "{}", String::from_utf8_lossy(&octets));
        }
    }
}
