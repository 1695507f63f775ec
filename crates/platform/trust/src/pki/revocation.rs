//! Revocation lists of the twins' authorities (RFC 5280 §5), version 2 with number and authority key.

use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use x509_cert::Version;
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::der::asn1::{BitString, Uint};
use x509_cert::der::{self, Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::CrlNumber;
use x509_cert::serial_number::SerialNumber;

use super::PkiError;
use super::issue::{SHA256_WITH_RSA, Signer, algorithm, authority_key_id, extension, key_id, name, time};

/// The next list is announced for then; lists are made again well before.
const DAYS: i64 = 365;

/// A list that says what `previous` (DER) says, and that certificate `serial` is revoked.
pub(super) fn list(
    previous: Option<&[u8]>,
    serial: Option<&[u8]>,
    signer: &Signer<'_>,
    now: Timestamp,
) -> Result<Vec<u8>, PkiError> {
    let wrong = |error: String| PkiError::Make { what: "a revocation list".to_owned(), error };
    let signing = RsaKeyPair::from_pkcs8(signer.key).map_err(|e| wrong(e.to_string()))?;
    let revoked = revoked(previous, serial, now).map_err(|e| wrong(e.to_string()))?;
    let to_sign = tbs(revoked, signer, &signing, now).map_err(|e| wrong(e.to_string()))?;
    let bytes = to_sign.to_der().map_err(|e| wrong(e.to_string()))?;
    let mut signature = vec![0; signing.public().modulus_len()];
    signing
        .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &bytes, &mut signature)
        .map_err(|_| wrong("ring refused to sign".to_owned()))?;
    assemble(to_sign, &signature).map_err(|e| wrong(e.to_string()))
}

fn revoked(previous: Option<&[u8]>, serial: Option<&[u8]>, now: Timestamp) -> der::Result<Vec<RevokedCert>> {
    let previous = previous.map(CertificateList::from_der).transpose()?;
    let mut revoked = previous.and_then(|list| list.tbs_cert_list.revoked_certificates).unwrap_or_default();
    if let Some(serial) = serial {
        let serial_number = SerialNumber::new(serial)?;
        let revocation_date = time(now.as_second())?;
        revoked.retain(|entry| entry.serial_number != serial_number);
        revoked.push(RevokedCert { serial_number, revocation_date, crl_entry_extensions: None });
    }
    Ok(revoked)
}

fn tbs(
    revoked: Vec<RevokedCert>,
    signer: &Signer<'_>,
    signing: &RsaKeyPair,
    now: Timestamp,
) -> der::Result<TbsCertList> {
    Ok(TbsCertList {
        version: Version::V2,
        signature: algorithm(SHA256_WITH_RSA),
        issuer: name(signer.name)?,
        this_update: time(now.as_second())?,
        next_update: Some(time(now.as_second() + DAYS * 86_400)?),
        // An empty sequence is not allowed (RFC 5280 §5.1.2.6).
        revoked_certificates: (!revoked.is_empty()).then_some(revoked),
        crl_extensions: Some(vec![extension(&authority_key_id(&key_id(signing))?, false)?, number(now)?]),
    })
}

/// Milliseconds of the clock: larger in each later list, as RFC 5280 §5.2.3 asks.
fn number(now: Timestamp) -> der::Result<Extension> {
    extension(&CrlNumber(Uint::new(&now.as_millisecond().to_be_bytes())?), false)
}

fn assemble(to_sign: TbsCertList, signature: &[u8]) -> der::Result<Vec<u8>> {
    CertificateList {
        tbs_cert_list: to_sign,
        signature_algorithm: algorithm(SHA256_WITH_RSA),
        signature: BitString::from_bytes(signature)?,
    }
    .to_der()
}
