//! Content transfer encodings of RFC 2045 that carry text in place of bytes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use super::MtomError;

/// Base64, white space anywhere.
pub(super) fn base64(text: &[u8]) -> Result<Bytes, MtomError> {
    let compact: Vec<u8> = text.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).map(Bytes::from).map_err(|_| MtomError::Encoding("base64"))
}

/// Quoted-printable (RFC 2045 §6.7); `=` not followed by two hexadecimal digits or a line end is an error.
pub(super) fn quoted_printable(text: &[u8]) -> Result<Bytes, MtomError> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'=' {
            out.push(byte);
            continue;
        }
        rest = match rest {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
            [high, low, after @ ..] => {
                out.push(hex(*high, *low).ok_or(MtomError::Encoding("quoted-printable"))?);
                after
            }
            _ => return Err(MtomError::Encoding("quoted-printable")),
        };
    }
    Ok(Bytes::from(out))
}

fn hex(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
