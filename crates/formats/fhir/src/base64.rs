//! The base64 of FHIR (R4 §2.24.0.1, base64Binary): read fast, white space tolerated; and the SHA-1 that
//! FHIR asks for beside it.

use std::borrow::Cow;

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;

/// The text is not base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not base64 (RFC 4648 §4, padded)")]
pub struct NotBase64;

/// The bytes of a base64 text. White space is dropped, as FHIR R4 allows producers to write it.
///
/// # Errors
/// [`NotBase64`]; it does not say where, since nobody reads base64.
pub fn decode(text: &str) -> Result<Vec<u8>, NotBase64> {
    STANDARD.decode(without_space(text.as_bytes()).as_ref()).map_err(|_| NotBase64)
}

/// The base64 text of bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn without_space(text: &[u8]) -> Cow<'_, [u8]> {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    // Without an early exit the compiler looks at many bytes at once; `+` and `/` are all above the space.
    let has_space = text.iter().fold(false, |found, byte| found | (*byte <= b' '));
    if has_space {
        Cow::Owned(text.iter().copied().filter(|byte| !is_space(byte)).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// SHA-1, the digest of `attachment.hash` (FHIR R4 §2.24.0.10, IHE XDS). It proves nothing against an
/// adversary; it tells a transfer that went wrong.
#[must_use]
pub fn sha1(bytes: &[u8]) -> [u8; 20] {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes);
    let mut sha1 = [0; 20];
    sha1.copy_from_slice(digest.as_ref());
    sha1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_not_base64_is_refused() {
        for bad in ["A", "AA", "AAA", "AA=A", "AAA*", "AAAA=", "AAA_", "é", "QQ==QQ==", "QR=="] {
            assert_eq!(decode(bad), Err(NotBase64), "{bad}");
        }
        assert_eq!(decode(""), Ok(Vec::new()));
        assert_eq!(decode("\t+/+/\r\n"), Ok(vec![0xFB, 0xFF, 0xBF]));
    }

    #[test]
    fn the_sha1_of_abc_is_that_of_fips_180() {
        assert_eq!(encode(&sha1(b"abc")), "qZk+NkcGgWq6PiVxeFDCbJzQ2J0=");
    }

    proptest! {
        #[test]
        fn bytes_come_back_whatever_the_lines(bytes in prop::collection::vec(any::<u8>(), 0..300), width in 1usize..80) {
            let text = encode(&bytes);
            let lines: Vec<&str> = (0..text.len()).step_by(width).map(|at| &text[at..(at + width).min(text.len())]).collect();
            prop_assert_eq!(decode(&text), Ok(bytes.clone()));
            prop_assert_eq!(decode(&lines.join("\r\n ")), Ok(bytes));
        }
    }
}
