//! A message as a person can read it: XML indented, text as it is, the rest by its size.

/// At most so much of a message is shown.
const MAX: usize = 256 * 1024;

pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = &bytes[..bytes.len().min(MAX)];
    let text = match std::str::from_utf8(cut) {
        Ok(text) => text,
        Err(error) if cut.len() == MAX && error.error_len().is_none() => {
            std::str::from_utf8(&cut[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return format!("({} octets)", bytes.len()),
    };
    if text.trim_start().starts_with('<') { indented(text) } else { text.to_owned() }
}

/// Breaks a line before each tag and indents by depth. A view for eyes: it is never parsed again.
fn indented(xml: &str) -> String {
    let mut out = String::with_capacity(xml.len() * 5 / 4);
    let mut depth: usize = 0;
    for piece in xml.split_inclusive('>') {
        let (text, tag) = piece.split_at(piece.find('<').unwrap_or(piece.len()));
        out.push_str(text.trim_end_matches(['\n', '\r', ' ', '\t']));
        if tag.is_empty() {
            continue;
        }
        let closes = tag.starts_with("</");
        if closes {
            depth = depth.saturating_sub(1);
        }
        let follows_text = closes && !text.trim().is_empty();
        let is_leaf_end = closes && out.ends_with('>') && !out.ends_with("/>") && last_opened(&out, tag);
        if !out.is_empty() && !follows_text && !is_leaf_end {
            out.push('\n');
            out.push_str(&"  ".repeat(depth.min(40)));
        }
        out.push_str(tag);
        let opens = !closes && !tag.ends_with("/>") && !tag.starts_with("<?") && !tag.starts_with("<!");
        if opens {
            depth += 1;
        }
    }
    out
}

/// Was the element that `end` closes opened just before, with nothing inside?
fn last_opened(out: &str, end: &str) -> bool {
    let name = end.trim_start_matches("</").trim_end_matches('>').trim();
    let opened = out.rfind('<').map(|at| &out[at + 1..]).unwrap_or_default();
    opened.trim_end_matches('>').split(|c: char| c.is_whitespace()).next() == Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_indented_and_its_text_kept() {
        assert_eq!(shown(b"<a><b x=\"1\">t</b><c/><d></d></a>"), "<a>\n  <b x=\"1\">t</b>\n  <c/>\n  <d></d>\n</a>");
    }

    #[test]
    fn anything_can_be_shown() {
        assert_eq!(shown(&[0xFF, 0xFE, 0x00]), "(3 octets)");
        assert_eq!(shown("Message-ID: <x>\r\n".as_bytes()), "Message-ID: <x>\r\n");
        assert!(shown(&"é".repeat(MAX).into_bytes()).len() <= MAX);
        for odd in ["<", "<a", "a<b>c", "></a>", "<!--x-->", ""] {
            let _ = shown(odd.as_bytes());
        }
    }
}
