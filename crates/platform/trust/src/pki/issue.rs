//! Certificates written: a template, the authority that signs it, DER.
//!
//! Written on x509-cert's types rather than by a generator: the subject of a person is one part with
//! three attributes, which generators do not make.

use std::net::IpAddr;

use jiff::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use x509_cert::der::asn1::{
    BitString, GeneralizedTime, Ia5String, Null, ObjectIdentifier, OctetString, PrintableStringRef, SetOfVec, UtcTime,
    Utf8StringRef,
};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{self, Any, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::{Name, RdnSequence, RelativeDistinguishedName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{TbsCertificate, Version};

use super::PkiError;
use crate::certificate::name::oid_of;
use crate::certificate::{PRIVATE_USAGE, sha256};
use crate::{Certificate, DistinguishedName};

pub(super) const SHA256_WITH_RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// What a certificate says, but for its key and its issuer.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) subject: DistinguishedName,
    /// An authority, and how many authorities may follow it.
    pub(super) authority: Option<u8>,
    pub(super) key_usage: FlagSet<KeyUsages>,
    pub(super) extended_usages: Vec<ObjectIdentifier>,
    pub(super) dns: Vec<String>,
    pub(super) addresses: Vec<IpAddr>,
    /// Private extension "certificate usage".
    pub(super) private_usage: Option<u8>,
    pub(super) days: i64,
}

impl Template {
    /// Does a certificate say what this template says (dates and key aside)?
    pub(super) fn is_said_by(&self, certificate: &Certificate) -> bool {
        let usages: Vec<_> = self.extended_usages.iter().map(ToString::to_string).collect();
        certificate.subject() == &self.subject
            && certificate.dns_names() == self.dns
            && certificate.addresses() == self.addresses
            && certificate.extended_key_usages() == usages
    }
}

/// Who signs: a name and a key.
pub(super) struct Signer<'a> {
    pub(super) name: &'a DistinguishedName,
    pub(super) key: &'a [u8],
}

/// Writes and signs a certificate for `key` (PKCS#8 DER), valid from an hour before `now`: clocks of
/// one machine and of its containers differ.
pub(super) fn issue(template: &Template, key: &[u8], signer: &Signer<'_>, now: Timestamp) -> Result<Vec<u8>, PkiError> {
    let what = || template.subject.get("CN").unwrap_or_default().to_owned();
    let wrong = |error: String| PkiError::Make { what: format!("the certificate of {}", what()), error };
    let signing = RsaKeyPair::from_pkcs8(signer.key).map_err(|e| wrong(e.to_string()))?;
    let own = RsaKeyPair::from_pkcs8(key).map_err(|e| wrong(e.to_string()))?;
    let tbs = tbs(template, &own, signer.name, &signing, now).map_err(|e| wrong(e.to_string()))?;
    let to_sign = tbs.to_der().map_err(|e| wrong(e.to_string()))?;
    let mut signature = vec![0; signing.public().modulus_len()];
    signing
        .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &to_sign, &mut signature)
        .map_err(|_| wrong("ring refused to sign".to_owned()))?;
    assemble(tbs, &signature).map_err(|e| wrong(e.to_string()))
}

fn assemble(tbs: TbsCertificate, signature: &[u8]) -> der::Result<Vec<u8>> {
    x509_cert::Certificate {
        tbs_certificate: tbs,
        signature_algorithm: algorithm(SHA256_WITH_RSA),
        signature: BitString::from_bytes(signature)?,
    }
    .to_der()
}

fn tbs(
    template: &Template,
    own: &RsaKeyPair,
    issuer: &DistinguishedName,
    signing: &RsaKeyPair,
    now: Timestamp,
) -> der::Result<TbsCertificate> {
    let from = now.as_second() - 3600;
    Ok(TbsCertificate {
        version: Version::V3,
        serial_number: serial()?,
        signature: algorithm(SHA256_WITH_RSA),
        issuer: name(issuer)?,
        validity: Validity { not_before: time(from)?, not_after: time(now.as_second() + template.days * 86_400)? },
        subject: name(&template.subject)?,
        subject_public_key_info: public_key(own)?,
        issuer_unique_id: None,
        subject_unique_id: None,
        extensions: Some(extensions(template, &key_id(own), &key_id(signing))?),
    })
}

/// 127 random bits: never negative, never longer than RFC 5280 §4.1.2.2 allows.
fn serial() -> der::Result<SerialNumber> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| der::ErrorKind::Failed)?;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    SerialNumber::new(&bytes)
}

pub(super) fn algorithm(oid: ObjectIdentifier) -> AlgorithmIdentifierOwned {
    AlgorithmIdentifierOwned { oid, parameters: Some(Any::from(Null)) }
}

/// UTCTime up to 2049 (RFC 5280 §4.1.2.5).
pub(super) fn time(second: i64) -> der::Result<Time> {
    let since_1970 = std::time::Duration::from_secs(u64::try_from(second).map_err(|_| der::ErrorKind::DateTime)?);
    match UtcTime::from_unix_duration(since_1970) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => Ok(Time::GeneralTime(GeneralizedTime::from_unix_duration(since_1970)?)),
    }
}

fn public_key(key: &RsaKeyPair) -> der::Result<SubjectPublicKeyInfoOwned> {
    Ok(SubjectPublicKeyInfoOwned { algorithm: algorithm(RSA), subject_public_key: BitString::from_bytes(pkcs1(key))? })
}

/// `RSAPublicKey` of RFC 8017 appendix A.1.1.
fn pkcs1(key: &RsaKeyPair) -> &[u8] {
    use ring::signature::KeyPair;
    key.public_key().as_ref()
}

/// Method 1 of RFC 7093 §2: 160 bits of SHA-256 of the public key.
pub(super) fn key_id(key: &RsaKeyPair) -> [u8; 20] {
    let mut id = [0; 20];
    id.copy_from_slice(&sha256(pkcs1(key))[..20]);
    id
}

pub(super) fn name(name: &DistinguishedName) -> der::Result<Name> {
    let part = |attributes: &Vec<crate::DnAttribute>| {
        let attributes = attributes.iter().map(attribute).collect::<der::Result<Vec<_>>>()?;
        Ok(RelativeDistinguishedName(SetOfVec::try_from(attributes)?))
    };
    Ok(RdnSequence(name.parts().iter().map(part).collect::<der::Result<_>>()?))
}

fn attribute(attribute: &crate::DnAttribute) -> der::Result<x509_cert::attr::AttributeTypeAndValue> {
    let oid = oid_of(&attribute.kind).unwrap_or(&attribute.kind);
    let value = match attribute.kind.as_str() {
        "C" => Any::from(PrintableStringRef::new(&attribute.value)?),
        _ => Any::from(Utf8StringRef::new(&attribute.value)?),
    };
    Ok(x509_cert::attr::AttributeTypeAndValue { oid: ObjectIdentifier::new(oid)?, value })
}

fn extensions(template: &Template, own: &[u8; 20], issuer: &[u8; 20]) -> der::Result<Vec<Extension>> {
    let constraints = BasicConstraints { ca: template.authority.is_some(), path_len_constraint: template.authority };
    let mut all = vec![
        extension(&constraints, template.authority.is_some())?,
        extension(&SubjectKeyIdentifier(OctetString::new(own.as_slice())?), false)?,
        extension(&authority_key_id(issuer)?, false)?,
        extension(&KeyUsage(template.key_usage), true)?,
    ];
    if !template.extended_usages.is_empty() {
        all.push(extension(&ExtendedKeyUsage(template.extended_usages.clone()), false)?);
    }
    let names = alternative_names(template)?;
    if !names.is_empty() {
        all.push(extension(&SubjectAltName(names), false)?);
    }
    if let Some(usage) = template.private_usage {
        let value = OctetString::new([usage].as_slice())?.to_der()?;
        all.push(Extension { extn_id: PRIVATE_USAGE, critical: false, extn_value: OctetString::new(value)? });
    }
    Ok(all)
}

pub(super) fn authority_key_id(id: &[u8; 20]) -> der::Result<AuthorityKeyIdentifier> {
    Ok(AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(id.as_slice())?),
        authority_cert_issuer: None,
        authority_cert_serial_number: None,
    })
}

pub(super) fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> der::Result<Extension> {
    Ok(Extension { extn_id: T::OID, critical, extn_value: OctetString::new(value.to_der()?)? })
}

fn alternative_names(template: &Template) -> der::Result<Vec<GeneralName>> {
    let dns = template.dns.iter().map(|name| Ok(GeneralName::DnsName(Ia5String::new(name)?)));
    let address = |address: &IpAddr| match address {
        IpAddr::V4(v4) => OctetString::new(v4.octets().as_slice()),
        IpAddr::V6(v6) => OctetString::new(v6.octets().as_slice()),
    };
    dns.chain(template.addresses.iter().map(|a| Ok(GeneralName::IpAddress(address(a)?)))).collect()
}
