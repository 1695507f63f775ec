//! Certificates that come with a signature, and what a signature needs of one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use roxmltree::Node;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use super::SignatureError;
use super::algorithm::PublicKey;
use super::core::NS_DS;
use crate::tree::NodeExt;

/// More certificates than any chain has.
const MOST: usize = 8;
/// Larger than any certificate of IGC-Santé, by far.
const LARGEST: usize = 16 << 10;

/// The certificates of a KeyInfo, leaf first.
pub(super) struct Certificates {
    pub(super) leaf: Vec<u8>,
    pub(super) others: Vec<Vec<u8>>,
}

/// A parsed certificate.
pub(super) struct Leaf(Certificate);

impl Certificates {
    /// Reads `X509Data/X509Certificate`. A KeyValue or a KeyName beside it is never used.
    pub(super) fn read(key_info: Node<'_, '_>) -> Result<Self, SignatureError> {
        let nodes = key_info
            .children_named(Some(NS_DS), "X509Data")
            .flat_map(|data| data.children_named(Some(NS_DS), "X509Certificate"));
        let mut all = Vec::new();
        for node in nodes {
            let text: Vec<u8> = node.full_text().bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            if all.len() == MOST || text.len() > LARGEST * 4 / 3 {
                return Err(SignatureError::Certificate);
            }
            all.push(STANDARD.decode(text).map_err(|_| SignatureError::Certificate)?);
        }
        Self::leaf_first(all)
    }

    /// The leaf is the one that issued none of the others; their order is free (XML Signature §4.5.4).
    fn leaf_first(mut all: Vec<Vec<u8>>) -> Result<Self, SignatureError> {
        let parsed: Vec<Certificate> =
            all.iter().map(|der| parse(der)).collect::<Option<_>>().ok_or(SignatureError::Certificate)?;
        let issued_another = |at: usize| {
            let subject = &parsed[at].tbs_certificate.subject;
            parsed.iter().enumerate().any(|(other, c)| other != at && c.tbs_certificate.issuer == *subject)
        };
        let leaf = (0..all.len()).find(|at| !issued_another(*at)).unwrap_or(0);
        if all.is_empty() {
            return Err(SignatureError::Certificate);
        }
        Ok(Self { leaf: all.remove(leaf), others: all })
    }

    pub(super) fn parsed_leaf(&self) -> Result<Leaf, SignatureError> {
        Leaf::parse(&self.leaf).ok_or(SignatureError::Certificate)
    }
}

fn parse(der: &[u8]) -> Option<Certificate> {
    Certificate::from_der(der).ok()
}

impl Leaf {
    pub(super) fn parse(der: &[u8]) -> Option<Self> {
        parse(der).map(Self)
    }

    pub(super) fn public_key(&self) -> Result<PublicKey<'_>, SignatureError> {
        let spki = &self.0.tbs_certificate.subject_public_key_info;
        let bits = spki.subject_public_key.as_bytes().ok_or(SignatureError::Certificate)?;
        Ok(PublicKey { algorithm: spki.algorithm.oid, bits })
    }

    /// Issuer as RFC 4514 writes it, the successor of RFC 2253 that XAdES names.
    pub(super) fn issuer(&self) -> String {
        self.0.tbs_certificate.issuer.to_string()
    }

    /// Serial number in decimal.
    pub(super) fn serial(&self) -> String {
        decimal(self.0.tbs_certificate.serial_number.as_bytes())
    }
}

/// Decimal digits of a big-endian number, by schoolbook division; a serial has at most 20 bytes.
fn decimal(bytes: &[u8]) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::new();
    while number.iter().any(|b| *b != 0) {
        let mut rest = 0_u32;
        for byte in &mut number {
            let value = rest << 8 | u32::from(*byte);
            *byte = u8::try_from(value / 10).unwrap_or(u8::MAX);
            rest = value % 10;
        }
        digits.extend(char::from_digit(rest, 10));
    }
    if digits.is_empty() {
        return "0".to_owned();
    }
    digits.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn serials_are_decimal() {
        let cases: [(&[u8], &str); 6] = [
            (&[], "0"),
            (&[0], "0"),
            (&[9], "9"),
            (&[1, 0], "256"),
            (&[0xFF; 8], "18446744073709551615"),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "340282366920938463463374607431768211456"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(decimal(bytes), expected);
        }
    }
}
