//! The generated authorities, their certificates by profile, and the chain rules on them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod fixtures;

use std::fs;
use std::time::Instant;

use fixtures::{organisation, person, pki, server};
use jiff::{SignedDuration, Timestamp};
use socle_identity::Environment;
use socle_trust::chain::{self, ChainError, Usage};
use socle_trust::pki::{PkiError, Profile, TestPki};
use socle_trust::{Anchors, Credentials, CredentialsError, Nature};

fn all_profiles() -> [(&'static str, Profile); 5] {
    [
        ("server", server()),
        ("auth-cli", Profile::OrgAuthCli(organisation())),
        ("sign", Profile::OrgSign(organisation())),
        ("cps-sign", Profile::PersonSign(person())),
        ("cps-auth", Profile::PersonAuth(person())),
    ]
}

#[test]
fn each_profile_is_good_for_its_uses_and_no_other() {
    let credentials = pki().credentials_for(&all_profiles()).unwrap();
    let now = Timestamp::now();
    let uses = [
        (Usage::TlsServer, [true, false, false, false, false]),
        (Usage::TlsClient, [true, true, false, false, true]),
        (Usage::Signature, [false, false, true, true, false]),
    ];
    for (usage, expected) in uses {
        for ((name, _), (credentials, good)) in all_profiles().iter().zip(credentials.iter().zip(expected)) {
            let leaf = credentials.certificate();
            let answer = chain::verify(leaf.der(), &[], pki().anchors(), usage, now);
            match answer {
                Ok(_) => assert!(good, "{name} must not be good for {usage:?}"),
                Err(error) => {
                    assert!(!good, "{name} for {usage:?}: {error}");
                    assert_eq!(error, ChainError::WrongUsage, "{name} for {usage:?}");
                }
            }
        }
    }
}

#[test]
fn certificates_look_like_those_of_igc_sante_and_say_that_they_are_not() {
    let credentials = pki().credentials_for(&all_profiles()).unwrap();
    let [server, client, seal, signature, _] = <[Credentials; 5]>::try_from(credentials).unwrap();
    let server = server.certificate();
    assert_eq!(server.dns_names(), ["localhost", "smtp.op-a.test"]);
    let addresses: Vec<_> = server.addresses().iter().map(ToString::to_string).collect();
    assert_eq!(addresses, ["127.0.0.1", "::1", "192.0.2.7"]);
    assert_eq!(
        client.certificate().subject().to_string(),
        "CN=dpi.hopital-a.test,OU=10B0152872,O=CENTRE HOSPITALIER DE TEST DONT LE NOM E,ST=Côte-d'Or (21),C=FR"
    );
    assert_eq!(
        seal.certificate().issuer().to_string(),
        "CN=TEST AC IGC-SANTE ELEMENTAIRE ORGANISATIONS,OU=IGC-SANTE TEST,OU=JUMEAU LOCAL SANS LIEN AVEC L'ANS,\
         O=SOCLE JUMEAU NON OFFICIEL,C=FR"
    );
    let person = signature.certificate();
    assert_eq!(person.issuer().get("CN"), Some("TEST AC IGC-SANTE FORT PERSONNES"));
    assert_eq!(person.subject().parts().last().unwrap().len(), 3, "GN, CN and SN are one part");
    assert_eq!(person.subject(), &"SN=DOC0021889+GN=KIT+CN=899700218896,title=Médecin,C=FR".parse().unwrap());
    for certificate in [server, client.certificate(), seal.certificate(), person] {
        assert!(certificate.is_test());
        assert_eq!(certificate.nature(), Nature::Twin);
        let days = (certificate.not_after().as_second() - certificate.not_before().as_second()) / 86_400;
        assert_eq!(days, 3 * 365);
    }
}

#[test]
fn a_chain_is_refused_with_the_name_of_its_fault() {
    let folder = tempfile::tempdir().unwrap();
    let stranger = TestPki::open_or_create(folder.path()).unwrap();
    let ours = pki().credentials("sign", &all_profiles()[2].1).unwrap();
    let leaf = ours.certificate();
    let now = Timestamp::now();
    let years = |n: i64| SignedDuration::from_hours(n * 365 * 24);
    let check = |anchors: &Anchors, at| chain::verify(leaf.der(), &ours.chain()[1..], anchors, Usage::Signature, at);

    assert!(matches!(check(pki().anchors(), now + years(4)), Err(ChainError::Expired { .. })));
    assert!(matches!(check(pki().anchors(), now - years(1)), Err(ChainError::NotYetValid { .. })));
    // The stranger's root has the same name and another key.
    assert!(matches!(check(stranger.anchors(), now), Err(ChainError::UnknownIssuer | ChainError::BadSignature)));
    let mut changed = leaf.der().to_vec();
    *changed.last_mut().unwrap() ^= 1;
    let answer = chain::verify(&changed, &[], pki().anchors(), Usage::Signature, now);
    assert!(matches!(answer, Err(ChainError::BadSignature | ChainError::UnknownIssuer)), "{answer:?}");
    let root = pki().anchors().certificates().iter().find(|c| c.subject() == c.issuer()).unwrap();
    let answer = chain::verify(root.der(), &[], pki().anchors(), Usage::Signature, now);
    assert_eq!(answer.unwrap_err(), ChainError::WrongUsage, "an authority is no signer");
    let answer = chain::verify(b"not a certificate", &[], pki().anchors(), Usage::Signature, now);
    assert!(matches!(answer, Err(ChainError::Certificate(_))));
}

#[test]
fn nothing_of_the_twin_serves_another_environment() {
    let credentials = pki().credentials("sign", &all_profiles()[2].1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("seal.pem"), folder.path().join("seal.key"));
    fs::write(&chain, credentials.chain_pem()).unwrap();
    fs::write(&key, credentials.key_pem()).unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, pki().anchors().to_pem()).unwrap();

    assert!(Credentials::from_pem_files(&chain, &key, Environment::Jumeau).is_ok());
    assert!(Anchors::from_pem_files(&[&roots], Environment::Jumeau).is_ok());
    for environment in [Environment::BacASable, Environment::Production] {
        let refused = Credentials::from_pem_files(&chain, &key, environment).unwrap_err();
        assert!(matches!(&refused, CredentialsError::Environment { file, .. } if file.ends_with("seal.pem")));
        let refused = Anchors::from_pem_files(&[&roots], environment).unwrap_err();
        assert!(matches!(&refused, CredentialsError::Environment { file, .. } if file.ends_with("roots.pem")));
        assert!(refused.to_string().contains("jumeau"), "{refused}");
    }
}

type Spoil = fn(&std::path::Path);

#[test]
fn the_folder_keeps_what_it_made_and_mends_what_no_longer_serves() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("pki");
    let first = TestPki::open_or_create(&dir).unwrap();
    let profile = Profile::OrgAuthCli(organisation());
    let made = first.credentials("client", &profile).unwrap();
    let again = TestPki::open_or_create(&dir).unwrap();
    let before = Instant::now();
    let kept = again.credentials("client", &profile).unwrap();
    println!("kept credentials read in {:?}", before.elapsed());
    assert_eq!(made.certificate().der(), kept.certificate().der());

    let spoils: [(&str, Spoil); 3] = [
        ("certificate cut", |dir| fs::write(dir.join("client.pem"), "-----BEGIN CERTIFICATE-----\nMII").unwrap()),
        ("key gone", |dir| fs::remove_file(dir.join("client.key")).unwrap()),
        ("key of another", |dir| {
            fs::copy(dir.join("ACI-EL-ORG.key"), dir.join("client.key")).unwrap();
        }),
    ];
    let mut last = kept;
    for (name, spoil) in spoils {
        spoil(&dir);
        let next = again.credentials("client", &profile).unwrap();
        assert_ne!(last.certificate().der(), next.certificate().der(), "{name}");
        last = next;
    }
    let renamed = Profile::OrgAuthCli(socle_trust::pki::Organisation { cn: "other".to_owned(), ..organisation() });
    let next = again.credentials("client", &renamed).unwrap();
    assert_eq!(next.certificate().subject().get("CN"), Some("other"));
    for bad in ["", "ACR-EL", "a/b", "..", "é"] {
        assert!(matches!(again.credentials(bad, &profile), Err(PkiError::Name(_))), "{bad}");
    }
}

#[cfg(unix)]
#[test]
fn keys_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("pki");
    let pki = TestPki::open_or_create(&dir).unwrap();
    pki.credentials("client", &Profile::OrgAuthCli(organisation())).unwrap();
    let mut keys = 0;
    for entry in fs::read_dir(&dir).unwrap() {
        let entry = entry.unwrap();
        if entry.path().extension().is_some_and(|e| e == "key") {
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
            keys += 1;
        }
    }
    assert_eq!(keys, 5, "two ranges of two authorities, and one leaf");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("occupied");
    fs::write(&file, "").unwrap();
    let error = TestPki::open_or_create(&file.join("pki")).unwrap_err();
    assert!(error.to_string().contains("occupied"), "{error}");
}

#[test]
fn a_revoked_certificate_is_refused_once_its_list_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let pki = TestPki::open_or_create(folder.path()).unwrap();
    let seal = Profile::OrgSign(organisation());
    let [good, bad] =
        <[Credentials; 2]>::try_from(pki.credentials_for(&[("a", seal.clone()), ("b", seal)]).unwrap()).unwrap();
    let check = |credentials: &Credentials, anchors: &Anchors, at| {
        chain::verify(credentials.certificate().der(), &[], anchors, Usage::Signature, at).map(|_| ())
    };
    let now = Timestamp::now() + SignedDuration::from_secs(2);
    let lists = || pki.anchors().clone().with_revocation_lists(&pki.revocation_lists().unwrap()).unwrap();
    assert_eq!(check(&bad, &lists(), now), Ok(()), "an empty list");
    pki.revoke(bad.certificate()).unwrap();
    pki.revoke(bad.certificate()).unwrap();
    assert_eq!(check(&bad, &lists(), now), Err(ChainError::Revoked));
    assert_eq!(check(&good, &lists(), now), Ok(()));
    assert_eq!(check(&bad, pki.anchors(), now), Ok(()), "no list, no check");
    // A year later the list is over, and a signature needs one in force; TLS does not.
    let later = now + SignedDuration::from_hours(400 * 24);
    assert_eq!(check(&good, &lists(), later), Err(ChainError::RevocationUnknown));
    let client = pki.credentials("client", &Profile::OrgAuthCli(organisation())).unwrap();
    assert!(chain::verify(client.certificate().der(), &[], &lists(), Usage::TlsClient, later).is_ok());
    // The list of another authority says nothing of this one.
    let other = folder.path().join("ACI-FO-PP.crl");
    let only_other = pki.anchors().clone().with_revocation_lists(&[&other]).unwrap();
    assert_eq!(check(&good, &only_other, now), Err(ChainError::RevocationUnknown));

    let stranger = fixtures::pki().credentials("server", &server()).unwrap();
    assert!(matches!(
        pki.revoke(fixtures::pki().anchors().certificates().first().unwrap()),
        Err(PkiError::Make { .. })
    ));
    assert!(pki.revoke(stranger.certificate()).is_ok(), "twins share their authorities' names");
    let error = pki.anchors().clone().with_revocation_lists(&[folder.path().join("a.pem")]).unwrap_err();
    assert!(matches!(&error, CredentialsError::RevocationList { file, .. } if file.ends_with("a.pem")), "{error}");
}

#[test]
fn credentials_of_another_day_are_expired_or_not_yet_valid() {
    let profile = Profile::OrgAuthCli(organisation());
    let now = Timestamp::now();
    let day = SignedDuration::from_hours(24);
    let check = |made| {
        let credentials = pki().credentials_made_on(&profile, made).unwrap();
        chain::verify(credentials.certificate().der(), &[], pki().anchors(), Usage::TlsClient, now).map(|_| ())
    };
    assert!(matches!(check(now - day * 4 * 365), Err(ChainError::Expired { .. })));
    assert!(matches!(check(now + day * 2), Err(ChainError::NotYetValid { .. })));
    assert_eq!(check(now), Ok(()));
}

/// A PKCS#12 made by openssl in the way it likes today and in the way of older tools.
#[test]
fn a_pkcs12_of_openssl_opens_with_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let made = pki().credentials("sign", &Profile::OrgSign(organisation())).unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("chain.pem"), made.chain_pem()).unwrap();
    fs::write(at("key.pem"), made.key_pem()).unwrap();
    let old = ["-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"];
    // RC2-40, as old Java and Windows wrote.
    let oldest = ["-legacy"];
    for (name, options) in [("today", &[][..]), ("older", &old[..]), ("oldest", &oldest[..])] {
        let file = at(name);
        let mut openssl = std::process::Command::new("openssl");
        openssl.args(["pkcs12", "-export", "-passout", "pass:été 2026", "-in"]).arg(at("chain.pem"));
        openssl.arg("-inkey").arg(at("key.pem")).arg("-out").arg(&file).args(options);
        let Ok(output) = openssl.output() else {
            return fixtures::skip("a_pkcs12_of_openssl_opens_with_its_password", "no openssl");
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let open = |password, environment| Credentials::from_pkcs12_file(&file, password, environment);
        let read = open("été 2026", Environment::Jumeau).unwrap();
        assert_eq!(read.chain(), made.chain(), "{name}");
        assert_eq!(read.key_pem(), made.key_pem(), "{name}");
        assert!(matches!(open("autre", Environment::Jumeau), Err(CredentialsError::Pkcs12 { .. })), "{name}");
        assert!(matches!(open("été 2026", Environment::Production), Err(CredentialsError::Environment { .. })));
        let whole = fs::read(&file).unwrap();
        for cut in (0..whole.len()).step_by(37) {
            fs::write(&file, &whole[..cut]).unwrap();
            assert!(matches!(open("été 2026", Environment::Jumeau), Err(CredentialsError::Pkcs12 { .. })), "{cut}");
        }
    }
    fs::write(at("chain.p12"), made.chain_pem()).unwrap();
    let error = Credentials::from_pkcs12_file(&at("chain.p12"), "", Environment::Jumeau).unwrap_err();
    assert!(error.to_string().contains("chain.p12"), "{error}");
}
