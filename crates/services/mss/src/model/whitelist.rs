use std::collections::BTreeMap;

use socle_identity::{Domain, Environment, EnvironmentMix};
use socle_trust::DistinguishedName;

/// The liste blanche: which domains one may write to, and by which certificates their operators
/// are known.
///
/// A domain is compared whole and in lower case (the national list holds domains of 3 to 7 labels,
/// some in capitals, not all under `mssante.fr`). It belongs to one environment, and everything
/// that is checked against it does too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhiteList {
    environment: Environment,
    operators: BTreeMap<Domain, Vec<DistinguishedName>>,
}

impl WhiteList {
    /// A list of (domain, operator's certificate name); a domain may come several times, once for
    /// each certificate of its operator.
    ///
    /// # Errors
    /// [`EnvironmentMix`] for a domain that does not live in `environment`.
    pub fn new(
        environment: Environment,
        entries: impl IntoIterator<Item = (Domain, DistinguishedName)>,
    ) -> Result<Self, EnvironmentMix> {
        let mut operators: BTreeMap<Domain, Vec<DistinguishedName>> = BTreeMap::new();
        for (domain, name) in entries {
            domain.admit_in(environment)?;
            let names = operators.entry(domain).or_default();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        Ok(Self { environment, operators })
    }

    /// Is the whole domain listed?
    #[must_use]
    pub fn lists(&self, domain: &Domain) -> bool {
        self.operators.contains_key(domain)
    }

    /// The names of the certificates by which the domain's operator is known.
    pub fn operators_of(&self, domain: &Domain) -> impl Iterator<Item = &DistinguishedName> {
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

#[cfg(test)]
mod tests {
    use super::*;

    const DN: &str = "CN=smtp.op-a.test,OU=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69),C=FR";

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
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
