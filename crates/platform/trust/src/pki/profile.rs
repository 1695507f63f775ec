//! The profiles of IGC-Santé, as observed on its test certificates.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use socle_identity::{IdNatPs, IdNatStruct};
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::flagset::FlagSet;
use x509_cert::ext::pkix::KeyUsages;

use super::issue::Template;
use crate::certificate::{EMAIL_PROTECTION, TEST_BIT, TWIN_ORGANISATION};
use crate::{DistinguishedName, DnAttribute};

/// Three years, as IGC-Santé's leaves.
const LEAF_DAYS: i64 = 3 * 365;
/// Twenty years, as IGC-Santé's authorities.
const AUTHORITY_DAYS: i64 = 20 * 365;
/// O is cut there by IGC-Santé.
const ORGANISATION_MAX: usize = 40;
/// Low bits of the private extension: software certificate of an organisation, card of a person.
const ORGANISATION_USAGE: u8 = TEST_BIT | 0x03;
const CARD_USAGE: u8 = TEST_BIT;

const SERVER_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const CLIENT_AUTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2");

/// What a certificate of the twins is for; the profiles are those of IGC-Santé.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// TLS server: `localhost`, `127.0.0.1`, `::1` and these names. Also a TLS client, as IGC-Santé's.
    Server {
        /// More DNS names or IP addresses; the first one is the CN.
        names: Vec<String>,
    },
    /// ORG AUTH_CLI: the TLS client of a structure.
    OrgAuthCli(Organisation),
    /// ORG SIGN, the seal of a structure.
    OrgSign(Organisation),
    /// Signature of a person (CPS).
    PersonSign(Person),
    /// Authentication of a person (CPS).
    PersonAuth(Person),
}

/// Subject of a structure's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// CN: DNS name or free text.
    pub cn: String,
    /// OU: Struct_IdNat.
    pub id: IdNatStruct,
    /// O: name, cut at 40 characters.
    pub name: String,
    /// ST: `Paris (75)`.
    pub department: String,
}

/// Subject of a professional's certificate.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// CN: PS_IdNat.
    pub id: IdNatPs,
    /// SN: exercise surname.
    pub family: String,
    /// GN: exercise given name.
    pub given: String,
    /// title: `Médecin`.
    pub title: String,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").finish_non_exhaustive()
    }
}

impl Profile {
    pub(super) const fn range(&self) -> Range {
        match self {
            Self::Server { .. } | Self::OrgAuthCli(_) | Self::OrgSign(_) => Range::Elementaire,
            Self::PersonSign(_) | Self::PersonAuth(_) => Range::Fort,
        }
    }

    pub(super) fn template(&self) -> Template {
        use KeyUsages::{DigitalSignature, KeyEncipherment, NonRepudiation};
        match self {
            Self::Server { names } => server(names),
            Self::OrgAuthCli(of) => leaf(of.subject(), DigitalSignature | KeyEncipherment, &[CLIENT_AUTH]),
            Self::OrgSign(of) => leaf(of.subject(), DigitalSignature | NonRepudiation, &[EMAIL_PROTECTION]),
            Self::PersonSign(of) => card(leaf(of.subject(), NonRepudiation, &[EMAIL_PROTECTION])),
            Self::PersonAuth(of) => card(leaf(of.subject(), DigitalSignature, &[CLIENT_AUTH])),
        }
    }
}

fn leaf(subject: DistinguishedName, usage: impl Into<FlagSet<KeyUsages>>, extended: &[ObjectIdentifier]) -> Template {
    Template {
        subject,
        authority: None,
        key_usage: usage.into(),
        extended_usages: extended.to_vec(),
        dns: Vec::new(),
        addresses: Vec::new(),
        private_usage: Some(ORGANISATION_USAGE),
        days: LEAF_DAYS,
    }
}

fn card(template: Template) -> Template {
    Template { private_usage: Some(CARD_USAGE), ..template }
}

fn server(names: &[String]) -> Template {
    let mut dns = vec!["localhost".to_owned()];
    let mut addresses: Vec<IpAddr> = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    for name in names {
        match name.parse::<IpAddr>() {
            Ok(address) if !addresses.contains(&address) => addresses.push(address),
            Err(_) if !dns.contains(name) => dns.push(name.clone()),
            _ => {}
        }
    }
    let cn = names.first().map_or("localhost", String::as_str);
    let subject = name(&[("C", "FR"), ("ST", "Paris (75)"), ("O", TWIN_ORGANISATION), ("OU", TWIN_UNIT), ("CN", cn)]);
    let usage = KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment;
    Template { dns, addresses, ..leaf(subject, usage, &[SERVER_AUTH, CLIENT_AUTH]) }
}

/// The OU of every authority where IGC-Santé has `0002` and a SIREN.
const TWIN_UNIT: &str = "JUMEAU LOCAL SANS LIEN AVEC L'ANS";

impl Organisation {
    fn subject(&self) -> DistinguishedName {
        let organisation: String = self.name.chars().take(ORGANISATION_MAX).collect();
        name(&[("C", "FR"), ("ST", &self.department), ("O", &organisation), ("OU", self.id.as_str()), ("CN", &self.cn)])
    }
}

impl Person {
    /// The last part holds three attributes.
    fn subject(&self) -> DistinguishedName {
        let person = [("GN", self.given.as_str()), ("CN", self.id.as_str()), ("SN", &self.family)];
        let person = person.map(|(kind, value)| attribute(kind, value)).to_vec();
        DistinguishedName::new(vec![vec![attribute("C", "FR")], vec![attribute("title", &self.title)], person])
    }
}

fn name(parts: &[(&str, &str)]) -> DistinguishedName {
    DistinguishedName::new(parts.iter().map(|(kind, value)| vec![attribute(kind, value)]).collect())
}

fn attribute(kind: &str, value: &str) -> DnAttribute {
    DnAttribute { kind: kind.to_owned(), value: value.to_owned() }
}

/// A range of IGC-Santé with the one domain that the twins need of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Range {
    Elementaire,
    Fort,
}

impl Range {
    pub(super) const ALL: [Self; 2] = [Self::Elementaire, Self::Fort];

    pub(super) const fn root_file(self) -> &'static str {
        match self {
            Self::Elementaire => "ACR-EL",
            Self::Fort => "ACR-FO",
        }
    }

    pub(super) const fn intermediate_file(self) -> &'static str {
        match self {
            Self::Elementaire => "ACI-EL-ORG",
            Self::Fort => "ACI-FO-PP",
        }
    }

    pub(super) fn root_template(self) -> Template {
        authority(
            match self {
                Self::Elementaire => "TEST AC RACINE IGC-SANTE ELEMENTAIRE",
                Self::Fort => "TEST AC RACINE IGC-SANTE FORT",
            },
            1,
        )
    }

    pub(super) fn intermediate_template(self) -> Template {
        authority(
            match self {
                Self::Elementaire => "TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS",
                Self::Fort => "TEST AC IGC-SANTE FORT PERSONNES",
            },
            0,
        )
    }
}

fn authority(cn: &str, below: u8) -> Template {
    let subject =
        name(&[("C", "FR"), ("O", TWIN_ORGANISATION), ("OU", TWIN_UNIT), ("OU", "IGC-SANTE TEST"), ("CN", cn)]);
    Template {
        authority: Some(below),
        private_usage: None,
        days: AUTHORITY_DAYS,
        ..leaf(subject, KeyUsages::KeyCertSign | KeyUsages::CRLSign, &[])
    }
}
