//! RSA keys and certificates made for the tests, once per test program.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, PKCS_RSA_SHA256};
use rsa::pkcs8::EncodePrivateKey;
use rustls_pki_types::PrivatePkcs8KeyDer;
use socle_xml::signature::Signer;

/// A key with a certificate of its own and one from an authority.
pub(crate) struct Keys {
    pub(crate) pkcs8: Vec<u8>,
    pub(crate) pkcs8_pem: String,
    /// Issued by `authority`.
    pub(crate) certificate: Vec<u8>,
    pub(crate) certificate_pem: String,
    /// Another certificate of the same key.
    pub(crate) renewed: Vec<u8>,
    pub(crate) authority: Vec<u8>,
    pub(crate) authority_pem: String,
}

impl Keys {
    pub(crate) fn signer(&self) -> Signer {
        Signer::from_der(vec![self.certificate.clone()], &self.pkcs8).expect("signer")
    }
}

fn pair(key: &rsa::RsaPrivateKey) -> KeyPair {
    let der = key.to_pkcs8_der().expect("PKCS#8");
    KeyPair::from_pkcs8_der_and_sign_algo(&PrivatePkcs8KeyDer::from(der.as_bytes()), &PKCS_RSA_SHA256)
        .expect("RSA pair")
}

fn params(name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("parameters");
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CountryName, "FR");
    params.distinguished_name.push(DnType::OrganizationName, "Établissement, \"essai\"");
    params.distinguished_name.push(DnType::CommonName, name);
    params.serial_number = Some(serial.into());
    params
}

fn make(name: &str) -> Keys {
    let mut random = rsa::rand_core::OsRng;
    let key = rsa::RsaPrivateKey::new(&mut random, 2048).expect("key");
    let authority_key = rsa::RsaPrivateKey::new(&mut random, 2048).expect("key");
    let mut authority_params = params("TEST AC", 7);
    authority_params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_pair = pair(&authority_key);
    let authority = authority_params.self_signed(&authority_pair).expect("authority");
    let issuer = Issuer::new(authority_params, authority_pair);
    let own = pair(&key);
    let certificate = params(name, 0x1234_5678_9abc).signed_by(&own, &issuer).expect("certificate");
    let renewed = params(name, 0x1234_5678_9abd).signed_by(&own, &issuer).expect("certificate");
    Keys {
        pkcs8: key.to_pkcs8_der().expect("PKCS#8").as_bytes().to_vec(),
        pkcs8_pem: own.serialize_pem(),
        certificate: certificate.der().to_vec(),
        certificate_pem: certificate.pem(),
        renewed: renewed.der().to_vec(),
        authority: authority.der().to_vec(),
        authority_pem: authority.pem(),
    }
}

/// The keys of the tests.
pub(crate) fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| make("DOC HÉLÈNE 899700000012"))
}

/// Somebody else's.
pub(crate) fn other_keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| make("EVIL"))
}
