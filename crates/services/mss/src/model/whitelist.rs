use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use socle_identity::{Domain, Environment, EnvironmentMix};

/// The liste blanche: which domains one may write to, and by which certificates their operators
/// are known.
///
/// A domain is compared whole and in lower case (the national list holds domains of 3 to 7 labels,
/// some in capitals, not all under `mssante.fr`). It belongs to one environment, and everything
/// that is checked against it does too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhiteList {
    environment: Environment,
    operators: BTreeMap<Domain, BTreeSet<Dn>>,
}

impl WhiteList {
    /// A list of (domain, operator's certificate name); a domain may come several times, once for
    /// each certificate of its operator.
    ///
    /// # Errors
    /// [`EnvironmentMix`] for a domain that does not live in `environment`.
    pub fn new(
        environment: Environment,
        entries: impl IntoIterator<Item = (Domain, Dn)>,
    ) -> Result<Self, EnvironmentMix> {
        let mut operators: BTreeMap<Domain, BTreeSet<Dn>> = BTreeMap::new();
        for (domain, dn) in entries {
            domain.admit_in(environment)?;
            operators.entry(domain).or_default().insert(dn);
        }
        Ok(Self { environment, operators })
    }

    /// Is the whole domain listed?
    #[must_use]
    pub fn lists(&self, domain: &Domain) -> bool {
        self.operators.contains_key(domain)
    }

    /// The names of the certificates by which the domain's operator is known.
    pub fn operators_of(&self, domain: &Domain) -> impl Iterator<Item = &Dn> {
        self.operators.get(domain).into_iter().flatten()
    }

    /// The domains, in alphabetical order.
    pub fn domains(&self) -> impl Iterator<Item = &Domain> {
        self.operators.keys()
    }

    /// The environment that the list belongs to.
    #[must_use]
    pub const fn environment(&self) -> Environment {
        self.environment
    }
}

/// A distinguished name, compared attribute by attribute: the list prints some with a space after
/// the comma, and values differ in case.
#[derive(Debug, Clone)]
pub struct Dn {
    text: String,
    attributes: Vec<(String, String)>,
}

/// The attribute types seen in the list, and those that a certificate of IGC-Santé may add.
const ATTRIBUTE_TYPES: [&str; 12] =
    ["CN", "OU", "O", "ST", "C", "L", "SN", "GN", "GIVENNAME", "SERIALNUMBER", "EMAILADDRESS", "DC"];

impl Dn {
    /// The attributes, most specific first: type in capitals, value as printed.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(kind, value)| (kind.as_str(), value.as_str()))
    }

    fn key(&self) -> Vec<(&str, String)> {
        self.attributes.iter().map(|(kind, value)| (kind.as_str(), value.to_lowercase())).collect()
    }
}

impl FromStr for Dn {
    type Err = WhiteListError;

    /// Splits on a comma that a known attribute type follows: an organisation's name may hold commas,
    /// and nothing is escaped in the list (RFC 4514 escapes are read too).
    fn from_str(text: &str) -> Result<Self, WhiteListError> {
        let mut attributes: Vec<(String, String)> = Vec::new();
        for piece in text.split(',') {
            match (attribute(piece), attributes.last_mut()) {
                (Some(attribute), _) => attributes.push(attribute),
                (None, Some((_, value))) => {
                    value.push(',');
                    value.push_str(piece);
                }
                (None, None) => return Err(WhiteListError::Dn),
            }
        }
        let attributes = attributes.into_iter().map(|(kind, value)| (kind, unescape(value.trim()))).collect::<Vec<_>>();
        if attributes.iter().any(|(_, value)| value.is_empty()) {
            return Err(WhiteListError::Dn);
        }
        Ok(Self { text: text.trim().to_owned(), attributes })
    }
}

fn attribute(piece: &str) -> Option<(String, String)> {
    let (kind, value) = piece.split_once('=')?;
    let kind = kind.trim().to_ascii_uppercase();
    ATTRIBUTE_TYPES.contains(&kind.as_str()).then(|| (kind, value.to_owned()))
}

fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        out.push(if sign == '\\' { signs.next().unwrap_or('\\') } else { sign });
    }
    out
}

impl PartialEq for Dn {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Dn {}

impl PartialOrd for Dn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Dn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Why a liste blanche, or a name in it, cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WhiteListError {
    /// Not a sequence of known attributes.
    #[error("the name of the operator's certificate is not a list of CN, OU, O, ST, C…")]
    Dn,
    /// A listed domain lives in another environment.
    #[error(transparent)]
    Environment(#[from] EnvironmentMix),
}

#[cfg(test)]
mod tests {
    use super::*;

    const DN: &str = "CN=smtp.op-a.test,OU=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69),C=FR";

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_is_compared_by_its_attributes() {
        let name: Dn = DN.parse().unwrap();
        let cases = [
            (DN.replace(',', ", "), true),
            (DN.replace("OPERATEUR TEST A", "Operateur Test A"), true),
            (DN.replace("Rhône", "RHÔNE"), true),
            (DN.replace("op-a", "op-b"), false),
            (DN.replace(",C=FR", ""), false),
            (DN.replace("CN=smtp.op-a.test,OU=300000000000001", "OU=300000000000001,CN=smtp.op-a.test"), false),
        ];
        for (text, same) in cases {
            assert_eq!(text.parse::<Dn>().unwrap() == name, same, "{text}");
        }
    }

    #[test]
    fn a_comma_in_a_value_does_not_split_the_name() {
        let name: Dn = "CN=a.test,O=CH L'ESTRAN, SITE NORD,ST=Côtes-d'Armor (22),C=FR".parse().unwrap();
        let organisation = name.attributes().find(|(kind, _)| *kind == "O").unwrap();
        assert_eq!(organisation.1, "CH L'ESTRAN, SITE NORD");
        let escaped: Dn = r"CN=a.test,O=CH L'ESTRAN\, SITE NORD,ST=Côtes-d'Armor (22),C=FR".parse().unwrap();
        assert_eq!(name, escaped);
        for bad in ["", "smtp.op-a.test", "CN=,C=FR"] {
            assert_eq!(bad.parse::<Dn>(), Err(WhiteListError::Dn), "{bad}");
        }
    }

    #[test]
    fn domains_are_listed_whole_and_in_any_case() {
        let entries = ["CH-B.mssante.fr", "medecin.mssante.fr", "medecin.mssante.fr", "mssante.apicrypt.org"];
        let list =
            WhiteList::new(Environment::Production, entries.map(|name| (domain(name), DN.parse().unwrap()))).unwrap();
        for (name, listed) in [
            ("ch-b.mssante.fr", true),
            ("Medecin.MSSante.fr", true),
            ("mssante.apicrypt.org", true),
            ("cardio.ch-b.mssante.fr", false),
            ("mssante.fr", false),
            ("autre.mssante.fr", false),
        ] {
            assert_eq!(list.lists(&domain(name)), listed, "{name}");
        }
        assert_eq!(list.operators_of(&domain("medecin.mssante.fr")).count(), 1);
        assert_eq!(list.domains().count(), 3);
    }

    #[test]
    fn a_list_holds_domains_of_its_environment_only() {
        let entry = || [(domain("hopital-a.mssante.test"), DN.parse().unwrap())];
        assert!(WhiteList::new(Environment::Jumeau, entry()).is_ok());
        assert!(WhiteList::new(Environment::Production, entry()).is_err());
    }
}
