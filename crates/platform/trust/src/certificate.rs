//! A certificate as we look at it: names, dates, uses, the private extensions of IGC-Santé.
//!
//! Order: what one can ask of a certificate, how it is read, errors. Trust is not decided here:
//! [`crate::chain`] does.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use ring::digest;
use rustls_pki_types::CertificateDer;
use socle_identity::{Environment, EnvironmentMix};
use x509_cert::der::asn1::{
    Ia5StringRef, ObjectIdentifier, OctetString, PrintableStringRef, TeletexStringRef, Utf8StringRef,
};
use x509_cert::der::{Any, Decode, Encode, Tag, Tagged};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};

pub(crate) mod name;

pub use name::{DistinguishedName, DnAttribute, DnError};

/// Largest certificate read: those of IGC-Santé are under 3 KB.
const SIZE_MAX: usize = 64 * 1024;

/// The organisation that marks every certificate of the local twins, so that none passes for another.
pub(crate) const TWIN_ORGANISATION: &str = "SOCLE JUMEAU NON OFFICIEL";

/// Private extension "certificate usage": one byte, bit 0x80 = TEST, low bits = kind of support.
pub(crate) const PRIVATE_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.250.1.71.1.2.5");
/// id-kp-emailProtection (RFC 5280 §4.2.1.12).
pub(crate) const EMAIL_PROTECTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.4");
/// The TEST bit of [`PRIVATE_USAGE`].
pub(crate) const TEST_BIT: u8 = 0x80;

/// A parsed X.509 certificate.
#[derive(Clone)]
pub struct Certificate {
    der: CertificateDer<'static>,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    serial: Vec<u8>,
    not_before: Timestamp,
    not_after: Timestamp,
    spki: Vec<u8>,
    key_usage: Option<KeyUsage>,
    extended_usages: Vec<ObjectIdentifier>,
    names: AltNames,
    authority: bool,
    private_usage: Option<u8>,
    thumbprint: [u8; 32],
}

/// Subject alternative names of the kinds that matter here.
#[derive(Debug, Clone, Default)]
struct AltNames {
    dns: Vec<String>,
    addresses: Vec<IpAddr>,
    emails: Vec<String>,
}

/// Which authority family a certificate comes from, as it says itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// Made by Socle for its twins.
    Twin,
    /// IGC-Santé TEST, or GIP-CPS TEST before it.
    Test,
    /// IGC-Santé.
    IgcSante,
    /// Another authority, e.g. of the public web.
    Other,
}

impl Certificate {
    /// Reads DER.
    ///
    /// # Errors
    /// [`CertificateError`] when it is too big or not an X.509 certificate (RFC 5280 §4.1).
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        if der.len() > SIZE_MAX {
            return Err(CertificateError::TooBig);
        }
        let parsed = x509_cert::Certificate::from_der(der).map_err(|e| CertificateError::Der(e.to_string()))?;
        let tbs = parsed.tbs_certificate;
        let mut certificate = Self {
            der: CertificateDer::from(der.to_vec()),
            subject: distinguished_name(&tbs.subject)?,
            issuer: distinguished_name(&tbs.issuer)?,
            serial: tbs.serial_number.as_bytes().to_vec(),
            not_before: timestamp(&tbs.validity.not_before)?,
            not_after: timestamp(&tbs.validity.not_after)?,
            spki: tbs.subject_public_key_info.to_der().map_err(|e| CertificateError::Der(e.to_string()))?,
            key_usage: None,
            extended_usages: Vec::new(),
            names: AltNames::default(),
            authority: false,
            private_usage: None,
            thumbprint: sha256(der),
        };
        for extension in tbs.extensions.iter().flatten() {
            certificate.read_extension(extension.extn_id, extension.extn_value.as_bytes())?;
        }
        Ok(certificate)
    }

    fn read_extension(&mut self, id: ObjectIdentifier, value: &[u8]) -> Result<(), CertificateError> {
        use x509_cert::der::oid::AssociatedOid;

        let wrong = |_| CertificateError::Extension(id.to_string());
        match id {
            KeyUsage::OID => self.key_usage = Some(KeyUsage::from_der(value).map_err(wrong)?),
            ExtendedKeyUsage::OID => self.extended_usages = ExtendedKeyUsage::from_der(value).map_err(wrong)?.0,
            BasicConstraints::OID => self.authority = BasicConstraints::from_der(value).map_err(wrong)?.ca,
            SubjectAltName::OID => self.names = AltNames::read(&SubjectAltName::from_der(value).map_err(wrong)?),
            PRIVATE_USAGE => {
                self.private_usage = OctetString::from_der(value).map_err(wrong)?.as_bytes().first().copied();
            }
            _ => {}
        }
        Ok(())
    }

    /// The DER bytes.
    #[must_use]
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// Whom it names. Written by RFC 2253, compared as a set.
    #[must_use]
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// Who signed it.
    #[must_use]
    pub const fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// Serial number, big-endian.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// Not valid before this second.
    #[must_use]
    pub const fn not_before(&self) -> Timestamp {
        self.not_before
    }

    /// Not valid after this second.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// `SubjectPublicKeyInfo`, DER.
    #[must_use]
    pub fn spki(&self) -> &[u8] {
        &self.spki
    }

    /// May it sign certificates (basic constraints)?
    #[must_use]
    pub const fn is_authority(&self) -> bool {
        self.authority
    }

    /// DNS names of the subject.
    #[must_use]
    pub fn dns_names(&self) -> &[String] {
        &self.names.dns
    }

    /// IP addresses of the subject.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        &self.names.addresses
    }

    /// Mail addresses of the subject.
    #[must_use]
    pub fn emails(&self) -> &[String] {
        &self.names.emails
    }

    /// Does its key usage have nonRepudiation (contentCommitment)?
    #[must_use]
    pub fn allows_non_repudiation(&self) -> bool {
        self.key_usage.is_some_and(|usage| usage.0.contains(KeyUsages::NonRepudiation))
    }

    /// Does its key usage have digitalSignature?
    #[must_use]
    pub fn allows_digital_signature(&self) -> bool {
        self.key_usage.is_some_and(|usage| usage.0.contains(KeyUsages::DigitalSignature))
    }

    /// Does its extended key usage have emailProtection, as every signature certificate of IGC-Santé?
    #[must_use]
    pub fn allows_email_protection(&self) -> bool {
        self.extended_usages.contains(&EMAIL_PROTECTION)
    }

    /// Extended key usages, as dotted OIDs.
    #[must_use]
    pub fn extended_key_usages(&self) -> Vec<String> {
        self.extended_usages.iter().map(ToString::to_string).collect()
    }

    /// SHA-256 of the DER (`x5t#S256` of RFC 8705 before base64url).
    #[must_use]
    pub const fn thumbprint_sha256(&self) -> &[u8; 32] {
        &self.thumbprint
    }

    /// Is it a certificate for tests: TEST bit of the private extension, issuer or own CN that begins
    /// with `TEST `, or made by Socle for its twins?
    #[must_use]
    pub fn is_test(&self) -> bool {
        matches!(self.nature(), Nature::Twin | Nature::Test)
    }

    /// Which authority family it comes from.
    #[must_use]
    pub fn nature(&self) -> Nature {
        let names = [&self.subject, &self.issuer];
        if names.iter().any(|name| name.all("O").any(|o| o == TWIN_ORGANISATION)) {
            return Nature::Twin;
        }
        let test_name = names.iter().any(|name| name.all("CN").any(|cn| cn.starts_with("TEST ")));
        if test_name || self.private_usage.is_some_and(|usage| usage & TEST_BIT != 0) {
            return Nature::Test;
        }
        let igc = self.issuer.all("OU").any(|ou| ou == "IGC-SANTE");
        if igc || self.private_usage.is_some() { Nature::IgcSante } else { Nature::Other }
    }

    /// Refuses a certificate of another world: test in production, real in tests, a twin's anywhere
    /// but in `jumeau`. An authority that is not IGC-Santé's ([`Nature::Other`]) goes anywhere: the
    /// national services also show certificates of the public web.
    ///
    /// # Errors
    /// [`EnvironmentMix`], which says where the certificate belongs.
    pub fn admit(&self, environment: Environment) -> Result<(), EnvironmentMix> {
        let home = match self.nature() {
            Nature::Twin => Environment::Jumeau,
            Nature::Test => Environment::BacASable,
            Nature::IgcSante => Environment::Production,
            Nature::Other => return Ok(()),
        };
        environment.admit(home, "a certificate")
    }
}

impl AltNames {
    fn read(extension: &SubjectAltName) -> Self {
        let mut names = Self::default();
        for name in &extension.0 {
            match name {
                GeneralName::DnsName(dns) => names.dns.push(dns.to_string()),
                GeneralName::Rfc822Name(mail) => names.emails.push(mail.to_string()),
                GeneralName::IpAddress(bytes) => names.addresses.extend(address(bytes.as_bytes())),
                _ => {}
            }
        }
        names
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    <[u8; 4]>::try_from(bytes).map(IpAddr::from).or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
}

/// Subject and thumbprint of a person would lead back to them: only the family and the dates show.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("nature", &self.nature())
            .field("issuer", &self.issuer)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn distinguished_name(name: &x509_cert::name::Name) -> Result<DistinguishedName, CertificateError> {
    let mut parts = Vec::with_capacity(name.0.len());
    for part in &name.0 {
        let mut attributes = Vec::with_capacity(part.0.len());
        for attribute in part.0.iter() {
            let value = text(&attribute.value).ok_or_else(|| CertificateError::Name(attribute.oid.to_string()))?;
            attributes.push(DnAttribute { kind: name::kind_of(&attribute.oid.to_string()), value });
        }
        parts.push(attributes);
    }
    Ok(DistinguishedName::new(parts))
}

/// The text of a DirectoryString, or of the IA5String of a domain component or mail address.
fn text(value: &Any) -> Option<String> {
    match value.tag() {
        Tag::Utf8String => value.decode_as::<Utf8StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::PrintableString => value.decode_as::<PrintableStringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        Tag::Ia5String => value.decode_as::<Ia5StringRef<'_>>().ok().map(|s| s.as_str().to_owned()),
        // Authorities wrote Latin-1 into TeletexString; the crate's type refuses the bytes above 0x7f.
        Tag::TeletexString => match value.decode_as::<TeletexStringRef<'_>>() {
            Ok(s) => Some(s.as_str().to_owned()),
            Err(_) => Some(value.value().iter().map(|b| char::from(*b)).collect()),
        },
        Tag::BmpString => {
            let units: Vec<_> = value.value().chunks_exact(2).map(|b| u16::from_be_bytes([b[0], b[1]])).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    }
}

fn timestamp(time: &x509_cert::time::Time) -> Result<Timestamp, CertificateError> {
    i64::try_from(time.to_unix_duration().as_secs())
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| CertificateError::Der("a date out of range".to_owned()))
}

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    out
}

/// Why bytes are not a certificate that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Over 64 KB.
    #[error("a certificate of more than {SIZE_MAX} bytes is not read")]
    TooBig,
    /// Not the DER of a certificate.
    #[error("not an X.509 certificate (RFC 5280 §4.1): {0}")]
    Der(String),
    /// A name attribute that is not text.
    #[error("the value of the name attribute {0} is not text (RFC 5280 §4.1.2.4)")]
    Name(String),
    /// An extension whose value does not parse.
    #[error("the extension {0} is malformed (RFC 5280 §4.2)")]
    Extension(String),
}
