//! The public certificates of IGC-Santé, production and test, read and verified as they are.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod fixtures;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use socle_identity::Environment;
use socle_trust::chain::{self, ChainError, Usage};
use socle_trust::{Anchors, Certificate, CertificateDer, CredentialsError, DistinguishedName, DnError, Nature};

const SEAL: &str = "leaf_test_org_seal_expired.pem";
const CPS: &str = "leaf_test_cps_signature_expired.pem";
const SERVER: &str = "leaf_test_server_auth_expired.pem";
const REAL_SERVER: &str = "leaf_prod_server_auth_expired.pem";
const LEGACY: &str = "leaf_test_legacy_classe4_expired.pem";

fn folder(test: &str) -> Option<PathBuf> {
    fixtures::shared(test).map(|data| data.join("identity/igc"))
}

fn der(file: &Path) -> CertificateDer<'static> {
    use rustls_pki_types::pem::PemObject;
    CertificateDer::from_pem_file(file).unwrap()
}

fn read(folder: &Path, name: &str) -> Certificate {
    Certificate::from_der(&der(&folder.join(name))).unwrap()
}

fn anchors(folder: &Path, environment: Environment) -> Anchors {
    let names = match environment {
        Environment::Production => vec!["prod_ACR-EL.pem", "prod_ACI-EL-ORG.pem"],
        _ => vec!["test_ACR-EL.pem", "test_ACI-EL-ORG.pem", "test_ACR-ST.pem", "test_ACI-ST-PP.pem"],
    };
    let files: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    Anchors::from_pem_files(&files, environment).unwrap()
}

#[test]
fn every_public_certificate_is_read_and_tells_its_family() {
    let Some(folder) = folder("every_public_certificate_is_read_and_tells_its_family") else { return };
    let mut count = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let certificate = read(&folder, &name);
        let expected = if name.contains("prod_") { Nature::IgcSante } else { Nature::Test };
        assert_eq!(certificate.nature(), expected, "{name}");
        assert_eq!(certificate.is_test(), expected == Nature::Test, "{name}");
        assert_eq!(certificate.is_authority(), name.contains("_AC"), "{name}");
        assert!(certificate.not_before() < certificate.not_after(), "{name}");
        let printed: DistinguishedName = certificate.subject().to_string().parse().unwrap();
        assert_eq!(&printed, certificate.subject(), "{name}");
        count += 1;
    }
    assert_eq!(count, 11);
}

#[test]
fn names_are_written_most_specific_part_first() {
    let Some(folder) = folder("names_are_written_most_specific_part_first") else { return };
    let cases = [
        (SEAL, "CN=testsign.test.asipsante.fr,OU=300000000077081,O=MINISTERE DE TEST7708,ST=Côte-d'Or (21),C=FR"),
        (
            REAL_SERVER,
            "CN=tops.demo.asipsante.fr,OU=318751275100020,O=AGENCE DES SYSTEMES D'INFORMATION PARTAG,ST=Paris (75),C=FR",
        ),
        (LEGACY, "CN=cpxservices.tra.asipsante.fr,OU=318751275100020,L=Paris (75),O=TEST,C=FR"),
    ];
    for (name, subject) in cases {
        assert_eq!(read(&folder, name).subject().to_string(), subject);
    }
    let issuer = read(&folder, REAL_SERVER).issuer().clone();
    assert_eq!(
        issuer.to_string(),
        "CN=AC IGC-SANTE ELEMENTAIRE ORGANISATIONS,OU=IGC-SANTE,OU=0002 187512751,O=ASIP-SANTE,C=FR"
    );
    // One part holds three attributes, which libraries print in any order.
    let person = read(&folder, CPS);
    for printed in [
        "2.5.4.42=OLIVIER+CN=00B6087510+SN=INFIRMCS ADELI8751,title=Infirmier,C=FR",
        "SN=INFIRMCS ADELI8751+CN=00B6087510+GN=OLIVIER, title=Infirmier, C=FR",
    ] {
        assert_eq!(person.subject(), &printed.parse().unwrap(), "{printed}");
    }
    assert_eq!(person.subject().get("CN"), Some("00B6087510"));
    assert_eq!(read(&folder, SERVER).dns_names().len(), 2);
}

#[test]
fn real_chains_verify_on_a_day_of_their_life() {
    let Some(folder) = folder("real_chains_verify_on_a_day_of_their_life") else { return };
    let (test, production) = (Environment::BacASable, Environment::Production);
    let cases = [
        (SEAL, test, Usage::Signature, "2023-06-01T00:00:00Z", Ok(())),
        (SERVER, test, Usage::TlsServer, "2019-06-01T00:00:00Z", Ok(())),
        (SERVER, test, Usage::TlsClient, "2019-06-01T00:00:00Z", Ok(())),
        (REAL_SERVER, production, Usage::TlsServer, "2021-06-01T00:00:00Z", Ok(())),
        (SERVER, test, Usage::Signature, "2019-06-01T00:00:00Z", Err(ChainError::WrongUsage)),
        (SEAL, test, Usage::TlsClient, "2023-06-01T00:00:00Z", Err(ChainError::WrongUsage)),
        // FORT PERSONNES is not among the anchors.
        (CPS, test, Usage::Signature, "2022-06-01T00:00:00Z", Err(ChainError::UnknownIssuer)),
    ];
    for (name, environment, usage, day, expected) in cases {
        let at: Timestamp = day.parse().unwrap();
        let certificate = der(&folder.join(name));
        let answer = chain::verify(&certificate, &[], &anchors(&folder, environment), usage, at).map(|_| ());
        assert_eq!(answer, expected, "{name} {usage:?}");
    }
    let seal = der(&folder.join(SEAL));
    let check = |at: &str| {
        chain::verify(&seal, &[], &anchors(&folder, test), Usage::Signature, at.parse().unwrap()).unwrap_err()
    };
    assert!(matches!(check("2026-06-01T00:00:00Z"), ChainError::Expired { .. }));
    assert!(matches!(check("2020-06-01T00:00:00Z"), ChainError::NotYetValid { .. }));
}

#[test]
fn test_and_production_do_not_mix() {
    let Some(folder) = folder("test_and_production_do_not_mix") else { return };
    let at: Timestamp = "2021-06-01T00:00:00Z".parse().unwrap();
    let verify = |name: &str, environment| {
        let certificate = der(&folder.join(name));
        chain::verify(&certificate, &[], &anchors(&folder, environment), Usage::TlsServer, at).unwrap_err()
    };
    assert!(matches!(verify(SERVER, Environment::Production), ChainError::Environment(_)));
    assert!(matches!(verify(REAL_SERVER, Environment::BacASable), ChainError::Environment(_)));
    for (name, environment) in [
        ("test_ACR-EL.pem", Environment::Production),
        ("prod_ACR-EL.pem", Environment::BacASable),
        ("test_ACR-EL.pem", Environment::Jumeau),
        ("prod_ACR-EL.pem", Environment::Jumeau),
    ] {
        let error = Anchors::from_pem_files(&[folder.join(name)], environment).unwrap_err();
        assert!(matches!(&error, CredentialsError::Environment { file, .. } if file.ends_with(name)), "{error}");
    }
    let error = Anchors::from_pem_files(&[folder.join(SERVER)], Environment::BacASable).unwrap_err();
    assert!(matches!(error, CredentialsError::NotAuthority { .. }), "{error}");
    let error = Anchors::from_pem_files(&[folder.join("test_ACI-EL-ORG.pem")], Environment::BacASable).unwrap_err();
    assert_eq!(error, CredentialsError::NoRoot);
}

#[test]
fn printed_names_of_the_white_list_compare_as_sets() {
    let reference: DistinguishedName =
        "CN=smtp.op-a.test,OU=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69),C=FR".parse().unwrap();
    let same = [
        "CN=smtp.op-a.test, OU=300000000000001, O=OPERATEUR TEST A, ST=Rhône (69), C=FR",
        "C=FR,ST=Rhône (69),O=OPERATEUR TEST A,OU=300000000000001,CN=smtp.op-a.test",
        "cn=SMTP.OP-A.TEST,ou=300000000000001,o= operateur  test a ,st=RHÔNE (69),c=fr",
        "CN=smtp.op-a.test;OU=300000000000001;O=\"OPERATEUR TEST A\";S=Rh\\C3\\B4ne (69);2.5.4.6=FR",
    ];
    for text in same {
        assert_eq!(text.parse::<DistinguishedName>().as_ref(), Ok(&reference), "{text}");
    }
    let different = [
        "CN=smtp.op-a.test,OU=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69)",
        "CN=smtp.op-a.test,OU=300000000000002,O=OPERATEUR TEST A,ST=Rhône (69),C=FR",
        "CN=smtp.op-a.test,OU=300000000000001,OU=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69),C=FR",
        "OU=smtp.op-a.test,CN=300000000000001,O=OPERATEUR TEST A,ST=Rhône (69),C=FR",
    ];
    for text in different {
        assert_ne!(text.parse::<DistinguishedName>().as_ref(), Ok(&reference), "{text}");
    }
    let untidy: DistinguishedName =
        "CN=a.test,O=CABINET DUPONT, MARTIN ET L'AUTRE,ST=Côtes-d'Armor (22),C=FR".parse().unwrap();
    assert_eq!(untidy.get("O"), Some("CABINET DUPONT, MARTIN ET L'AUTRE"));
    assert_eq!(untidy.get("ST"), Some("Côtes-d'Armor (22)"));
}

#[test]
fn escapes_are_read_and_written_back() {
    let cases = [
        (r"CN=a\,b\+c,C=FR", "a,b+c"),
        (r"CN=\#1,C=FR", "#1"),
        (r"CN=\ a\ ,C=FR", " a "),
        (r#"CN=\"q\"\\,C=FR"#, r#""q"\"#),
        (r"CN=a\,O=b,C=FR", "a,O=b"),
    ];
    for (text, value) in cases {
        let name: DistinguishedName = text.parse().unwrap();
        assert_eq!(name.get("CN"), Some(value), "{text}");
        assert_eq!(name.to_string(), text);
    }
    for (text, error) in [
        ("", DnError::NoAttribute { at: 0 }),
        ("no name", DnError::NoAttribute { at: 0 }),
        ("XY=a", DnError::NoAttribute { at: 0 }),
        (r"CN=a\", DnError::Escape),
        (r"CN=a\FF", DnError::Escape),
        ("CN=\"a", DnError::Quote),
        ("CN=\"a\"b", DnError::Quote),
    ] {
        assert_eq!(text.parse::<DistinguishedName>(), Err(error), "{text}");
    }
    let long = format!("CN={}", "x".repeat(5000));
    assert_eq!(long.parse::<DistinguishedName>(), Err(DnError::TooLong));
}

proptest::proptest! {
    /// What is written reads back as the same name, whatever its values.
    #[test]
    fn written_names_read_back(values in proptest::collection::vec("[^\\p{C}]{1,20}", 1..6)) {
        let kinds = ["CN", "OU", "O", "ST", "C"];
        let parts = values.iter().zip(kinds).map(|(value, kind)| {
            vec![socle_trust::DnAttribute { kind: kind.to_owned(), value: value.clone() }]
        });
        let name = DistinguishedName::new(parts.collect());
        let back: DistinguishedName = name.to_string().parse().unwrap();
        proptest::prop_assert_eq!(back.parts(), name.parts());
    }

    #[test]
    fn any_text_is_answered(text in "[CNOU=,+;\"\\\\ a-fé0-9.]{0,40}") {
        let _ = text.parse::<DistinguishedName>();
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        proptest::prop_assert!(Certificate::from_der(&bytes).is_err());
    }
}

#[test]
fn a_certificate_cut_or_changed_anywhere_never_panics() {
    let Some(folder) = folder("a_certificate_cut_or_changed_anywhere_never_panics") else { return };
    for name in [CPS, SEAL] {
        let whole = der(&folder.join(name));
        for at in 0..whole.len() {
            assert!(Certificate::from_der(&whole[..at]).is_err(), "cut at {at}");
            let mut changed = whole.to_vec();
            changed[at] ^= 0xff;
            let _ = Certificate::from_der(&changed);
        }
    }
    assert!(Certificate::from_der(&vec![0x30; 100_000]).is_err());
}
