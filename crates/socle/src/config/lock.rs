//! The environment lock: every address, certificate and mail domain of a configuration belongs to
//! its environment, or nothing starts.

use socle_finding::Text;
use socle_identity::{Environment, EnvironmentMix};

use super::{Config, Endpoint};

/// Two environments meet in one configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockBreach {
    /// The field of `socle.toml`.
    pub field: &'static str,
    /// What meets what.
    pub reason: Text,
}

/// Checks what can be told from the text alone; certificates are checked when they are read.
///
/// # Errors
/// Every breach, not the first.
pub(crate) fn check_lock(config: &Config) -> Result<(), Vec<LockBreach>> {
    let mut breaches = Vec::new();
    let endpoints = [
        ("prosante.endpoint", &config.prosante.endpoint),
        ("ins.endpoint", &config.ins.endpoint),
        ("dmp.endpoint", &config.dmp.endpoint),
        ("mss.endpoint", &config.mss.endpoint),
    ];
    for (field, endpoint) in endpoints {
        if let Err(reason) = check_endpoint(config.environment, endpoint) {
            breaches.push(LockBreach { field, reason });
        }
    }
    if let Err(mix) = config.mss.mailbox.domain().admit_in(config.environment) {
        breaches.push(LockBreach { field: "mss.mailbox", reason: mailbox_elsewhere(&mix) });
    }
    if config.uses_twins() && !config.server.expose_with_twins {
        let addresses = [
            ("server.listen", config.server.listen.ip()),
            ("server.listen_tls", config.server.listen_tls.ip()),
            ("twins.address", config.twins.address),
        ];
        for (field, ip) in addresses {
            if !ip.is_loopback() {
                let reason = Text::new(
                    format!(
                        "{ip} n'est pas une boucle locale, et des jumeaux sont en service ; server.expose_with_twins = true si c'est voulu"
                    ),
                    format!(
                        "{ip} is not loopback, and twins are switched on; set server.expose_with_twins = true if that is wanted"
                    ),
                );
                breaches.push(LockBreach { field, reason });
            }
        }
    }
    if !config.server.listen.ip().is_loopback() {
        let reason = Text::fixed(
            "HTTP sans TLS n'est servi que sur cette machine ; utilisez server.listen_tls, ou un mandataire local",
            "plain HTTP is served on loopback only; use server.listen_tls, or a proxy on this machine",
        );
        breaches.push(LockBreach { field: "server.listen", reason });
    }
    if breaches.is_empty() { Ok(()) } else { Err(breaches) }
}

fn mailbox_elsewhere(mix: &EnvironmentMix) -> Text {
    let EnvironmentMix { belongs_to, used_in, .. } = mix;
    Text::new(
        format!("ce domaine de messagerie appartient à « {belongs_to} », et la configuration est « {used_in} »"),
        format!("this mail domain belongs to `{belongs_to}`, and the configuration is `{used_in}`"),
    )
}

fn check_endpoint(environment: Environment, endpoint: &Endpoint) -> Result<(), Text> {
    let Endpoint::At(address) = endpoint else {
        return match environment {
            Environment::Jumeau => Ok(()),
            other => Err(Text::new(
                format!("un jumeau ne peut pas servir en « {other} »"),
                format!("a twin may not serve in `{other}`"),
            )),
        };
    };
    let host = host_of(address).ok_or_else(|| {
        Text::new(format!("« {address} » ne désigne aucun hôte"), format!("`{address}` holds no host"))
    })?;
    match (environment, environment_of(host)) {
        (Environment::Jumeau, None) => Err(Text::new(
            format!(
                "{host} n'est pas sur cette machine ; en « jumeau », tout service est un jumeau ou une adresse de boucle locale"
            ),
            format!("{host} is not on this machine; in `jumeau` every service is a twin or a loopback address"),
        )),
        (_, None) => Ok(()),
        (here, Some(there)) if here == there => Ok(()),
        (here, Some(there)) => Err(Text::new(
            format!("{host} appartient à « {there} », et la configuration est « {here} »"),
            format!("{host} belongs to `{there}`, and the configuration is `{here}`"),
        )),
    }
}

/// The host of a URL or of `host:port`.
fn host_of(address: &str) -> Option<&str> {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next()?;
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if let Some(six) = authority.strip_prefix('[') {
        return six.split(']').next();
    }
    let host = authority.split(':').next()?;
    (!host.is_empty()).then_some(host)
}

/// What is publicly known of a host. An unknown one is whatever the configuration says.
fn environment_of(host: &str) -> Option<Environment> {
    let host = host.to_ascii_lowercase();
    let is_local = host == "localhost"
        || host.ends_with(".test")
        || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
    if is_local {
        return Some(Environment::Jumeau);
    }
    // Public hosts of the test platforms: INSi qualification, Pro Santé Connect BAS, DMP development.
    let is_test = (host.contains("qualiflps") && host.ends_with(".ameli.fr"))
        || host.ends_with(".bas.psc.esante.gouv.fr")
        || host.ends_with(".bas.esw.esante.gouv.fr")
        || (host.ends_with(".dmp.gouv.fr") && host.split('.').any(|label| label.starts_with("dev")))
        || host.ends_with(".formation.mssante.fr");
    if is_test {
        return Some(Environment::BacASable);
    }
    let is_production = host.ends_with(".services-ps.ameli.fr")
        || host == "services-ps.ameli.fr"
        || host.ends_with(".esw.esante.gouv.fr")
        || host.ends_with(".dmp.gouv.fr")
        || host.ends_with(".mssante.fr");
    is_production.then_some(Environment::Production)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(spoil: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let mut config = Config::default();
        spoil(&mut config);
        check_lock(&config).err().unwrap_or_default().iter().map(|breach| breach.field).collect()
    }

    fn all_at(config: &mut Config, environment: Environment, hosts: [&str; 4], mailbox: &str) {
        config.environment = environment;
        config.prosante.endpoint = Endpoint::At(hosts[0].into());
        config.ins.endpoint = Endpoint::At(hosts[1].into());
        config.dmp.endpoint = Endpoint::At(hosts[2].into());
        config.mss.endpoint = Endpoint::At(hosts[3].into());
        config.mss.mailbox = mailbox.parse().unwrap();
    }

    const PRODUCTION: [&str; 4] = [
        "https://auth.esw.esante.gouv.fr/auth/realms/esante-wallet",
        "https://lps.services-ps.ameli.fr/lps",
        "https://lps.dmp.gouv.fr/si-dmp-server/v2/services",
        "smtp.operateur.example:587",
    ];
    const SANDBOX: [&str; 4] = [
        "https://auth.bas.psc.esante.gouv.fr/auth/realms/esante-wallet",
        "https://qualiflps-services-ps-tlsm.ameli.fr:443/lps",
        "https://lps.dev9.dmp.gouv.fr/si-dmp-server/v2/services",
        "smtp.operateur.example:587",
    ];

    #[test]
    fn one_environment_is_let_through() {
        assert!(breaches(|_| {}).is_empty());
        assert!(breaches(|c| all_at(c, Environment::Production, PRODUCTION, "app@hopital-a.mssante.fr")).is_empty());
        assert!(breaches(|c| all_at(c, Environment::BacASable, SANDBOX, "app@hopital-a.mssante.fr")).is_empty());
    }

    type Case<'a> = (&'a str, &'a dyn Fn(&mut Config), &'a [&'a str]);

    #[test]
    fn each_mix_is_refused_by_the_field_that_mixes() {
        let production = |c: &mut Config| all_at(c, Environment::Production, PRODUCTION, "app@hopital-a.mssante.fr");
        let cases: [Case<'_>; 11] = [
            (
                "the twins' INSi in production",
                &|c| {
                    production(c);
                    c.ins.endpoint = Endpoint::Twin
                },
                &["ins.endpoint"],
            ),
            (
                "INSi qualification in production",
                &|c| {
                    production(c);
                    c.ins.endpoint = Endpoint::At(SANDBOX[1].into())
                },
                &["ins.endpoint"],
            ),
            (
                "a loopback DMP in production",
                &|c| {
                    production(c);
                    c.dmp.endpoint = Endpoint::At("https://127.0.0.1:1/x".into())
                },
                &["dmp.endpoint"],
            ),
            (
                "BAS tokens in production",
                &|c| {
                    production(c);
                    c.prosante.endpoint = Endpoint::At(SANDBOX[0].into())
                },
                &["prosante.endpoint"],
            ),
            (
                "a twin's mailbox in production",
                &|c| {
                    production(c);
                    c.mss.mailbox = "socle@hopital-a.mssante.test".parse().unwrap()
                },
                &["mss.mailbox"],
            ),
            (
                "the national INSi beside twins",
                &|c| c.ins.endpoint = Endpoint::At(PRODUCTION[1].into()),
                &["ins.endpoint"],
            ),
            (
                "an unknown host beside twins",
                &|c| c.mss.endpoint = Endpoint::At("smtp.example.org:25".into()),
                &["mss.endpoint"],
            ),
            (
                "a real mailbox beside twins",
                &|c| c.mss.mailbox = "app@hopital-a.mssante.fr".parse().unwrap(),
                &["mss.mailbox"],
            ),
            ("twins seen from outside", &|c| c.twins.address = "0.0.0.0".parse().unwrap(), &["twins.address"]),
            (
                "a front door seen from outside, with twins",
                &|c| c.server.listen_tls = "0.0.0.0:1".parse().unwrap(),
                &["server.listen_tls"],
            ),
            (
                "everything wrong is said at once",
                &|c| c.environment = Environment::BacASable,
                &["prosante.endpoint", "ins.endpoint", "dmp.endpoint", "mss.endpoint", "mss.mailbox"],
            ),
        ];
        for (name, spoil, expected) in cases {
            assert_eq!(breaches(spoil), expected, "{name}");
        }
    }

    #[test]
    fn a_host_is_found_wherever_it_stands() {
        let cases = [
            ("https://a.b:443/lps", Some("a.b")),
            ("a.b:25", Some("a.b")),
            ("https://u:p@a.b/", Some("a.b")),
            ("https://[::1]:8/", Some("::1")),
            ("https://", None),
        ];
        for (address, host) in cases {
            assert_eq!(host_of(address), host, "{address}");
        }
    }
}
