//! Published samples are read, and what the twin writes has their keys.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use socle_identity::Environment;
use socle_prosante::model::{ActorError, PERSONAS, Professional, UserInfo};
use socle_prosante::wire::{Discovery, user_info};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn published_user_infos_are_read() {
    let Some(data) = fixtures::shared("published_user_infos_are_read") else { return };
    let read = |name: &str| -> UserInfo {
        serde_json::from_slice(&fs::read(data.join("examples").join(name)).unwrap()).unwrap()
    };

    let edit = Professional::new(read("userinfo_EDIT_medecin_5_activities.json"), Environment::BacASable);
    assert_eq!(edit.user().national_id().as_str(), "ANS20210107161422");
    assert_eq!(edit.name(), "Paul Docteur OIDC");
    let situations = edit.situations();
    assert_eq!(situations.len(), 5);
    assert!(situations.iter().all(|s| s.profession == "10" && s.category == "C" && s.skill == "SM54"));
    let structures: Vec<_> = situations.iter().filter_map(|s| s.structure.as_ref().map(ToString::to_string)).collect();
    assert_eq!(structures, ["300000000016972", "300000000079608"]);
    assert!(matches!(edit.actor(None), Err(ActorError::ChooseSituation(keys)) if keys.len() == 5));
    assert_eq!(edit.actor(Some("10C/300000000016972")).unwrap().structure.unwrap().as_str(), "300000000016972");

    let minimal = Professional::new(read("userinfo_minimal_medecin.json"), Environment::BacASable);
    let actor = minimal.actor(None).unwrap();
    assert_eq!((actor.id.as_str(), actor.name.as_str()), ("899700218896", "ROBERT SPECIALISTE0021889"));
    assert_eq!((actor.roles[0].code.as_str(), actor.structure), ("10", None));
}

#[test]
fn the_twin_s_user_info_has_the_published_keys() {
    let Some(data) = fixtures::shared("the_twin_s_user_info_has_the_published_keys") else { return };
    let sample = fs::read(data.join("examples/userinfo_EDIT_medecin_5_activities.json")).unwrap();
    let sample: Value = serde_json::from_slice(&sample).unwrap();
    let exercise = |value: &Value| value["SubjectRefPro"]["exercices"][0].clone();
    for persona in PERSONAS {
        let ours = user_info(persona);
        assert_eq!(keys(&ours), keys(&sample), "{}", persona.id);
        assert_eq!(keys(&exercise(&ours)), keys(&exercise(&sample)), "{}", persona.id);
        if let Some(activity) = exercise(&ours)["activities"].get(0) {
            assert_eq!(keys(activity), keys(&exercise(&sample)["activities"][0]), "{}", persona.id);
        }
    }
}

#[test]
fn the_published_discovery_document_is_read() {
    let Some(data) = fixtures::shared("the_published_discovery_document_is_read") else { return };
    let bytes = fs::read(data.join("examples/discovery_wallet-openid-configuration_mock.json")).unwrap();
    let document: Discovery = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document.authorization_endpoint, "https://wallet.bas.psc.esante.gouv.fr/auth");
    assert!(document.authorization_response_iss_parameter_supported);
    assert!(document.end_session_endpoint.unwrap().ends_with("/protocol/openid-connect/logout"));
}
