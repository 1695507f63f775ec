//! What we write is valid by the schemas of the teleservice, in the eyes of libxml2.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod fixtures;

use std::path::Path;
use std::process::Command;

use socle_identity::Sex;
use socle_ins::model::SearchPlan;
use socle_ins::twin::{Population, Scenario};
use socle_ins::wire::{self, Contexts, HistoryOrder, LIMITS, Request};
use socle_xml::soap;
use socle_xml::write::subtree;

fn has_xmllint(test: &str) -> bool {
    let found = Command::new("xmllint").arg("--version").output().is_ok();
    if !found {
        fixtures::skip(test, "xmllint is not installed (Debian: libxml2-utils)");
    }
    found
}

fn validate(xml: &str, schema: &Path, folder: &Path) -> Result<(), String> {
    let file = folder.join("part.xml");
    std::fs::write(&file, xml).unwrap();
    let output =
        Command::new("xmllint").args(["--nonet", "--noout", "--schema"]).arg(schema).arg(&file).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

fn part(xml: &str, pick: impl Fn(&soap::Envelope<'_>) -> String) -> String {
    let document = socle_xml::parse(xml, &LIMITS).unwrap();
    pick(&soap::read(&document).unwrap())
}

#[test]
fn our_requests_follow_the_schemas() {
    let test = "our_requests_follow_the_schemas";
    let (Some(data), true) = (fixtures::shared(test), has_xmllint(test)) else { return };
    let (xsd, folder) = (data.join("wsdl/xsd"), tempfile::tempdir().unwrap());
    let software = fixtures::software("IDAM<&>\"1");
    let with_place = fixtures::traits("L'Hôte", "Ana", "", Sex::Male, "1950-02-01", Some("2A004"));
    let plans = [SearchPlan::new(fixtures::dominique()), SearchPlan::new(with_place)];
    let placed = plans[1].clone().after(socle_ins::model::Miss::Several).unwrap();
    for plan in plans.iter().chain([&placed]) {
        let query = plan.query();
        let request = Request {
            contexts: Contexts::new("10B0000001", &software),
            message_id: uuid::Uuid::new_v4(),
            query: &query,
        };
        let xml = request.to_xml();
        let header = |name: &'static str| {
            part(&xml, move |envelope| {
                let mut blocks = envelope.header.unwrap().children();
                subtree(blocks.find(|node| node.tag_name().name() == name).unwrap())
            })
        };
        let body = part(&xml, |envelope| subtree(envelope.content.unwrap()));
        for (xml, schema) in [
            (body, "ServiceIdentiteCertifiee/INSi_RECSANS_INS.xsd"),
            (header("ContexteBAM"), "CTX/ROOT_ctxbam_CTXBAM_V01_02.xsd"),
            (header("ContexteLPS"), "CTX/ROOT_ctxlps_CTXLPS_V01_00.xsd"),
        ] {
            assert_eq!(validate(&xml, &xsd.join(schema), folder.path()), Ok(()), "{schema}");
        }
    }
}

#[test]
fn the_twin_s_answers_follow_the_schema_but_the_one_published_without() {
    let test = "the_twin_s_answers_follow_the_schema_but_the_one_published_without";
    let (Some(data), true) = (fixtures::shared(test), has_xmllint(test)) else { return };
    let schema = data.join("wsdl/xsd/ServiceIdentiteCertifiee/INSi_RESULTAT_INS.xsd");
    let folder = tempfile::tempdir().unwrap();
    let mut answers: Vec<(wire::Answer, HistoryOrder, bool)> = Population::official()
        .people()
        .iter()
        .map(|person| {
            let (answer, order) = person.answer();
            (answer, order, person.scenario != Scenario::OddOrder)
        })
        .collect();
    answers.push((wire::Answer::NotFound, HistoryOrder::Schema, true));
    answers.push((wire::Answer::Several, HistoryOrder::Schema, true));
    for (answer, order, valid) in answers {
        let body = part(&wire::write_answer(&answer, order), |envelope| subtree(envelope.content.unwrap()));
        assert_eq!(validate(&body, &schema, folder.path()).is_ok(), valid, "{body}");
    }
}

#[test]
fn our_faults_carry_an_error_of_the_schema() {
    let test = "our_faults_carry_an_error_of_the_schema";
    let (Some(data), true) = (fixtures::shared(test), has_xmllint(test)) else { return };
    let fault = socle_ins::model::InsiFault {
        sender: true,
        subcode: Some("siram_10".into()),
        code: Some("insi_19".into()),
        severity: Some(socle_ins::model::Severity::Fatal),
        reason: "r".into(),
        detail: Some("d < e".into()),
        message_id: Some("uuid:1".into()),
    };
    let erreur = part(&wire::write_fault(&fault), |envelope| {
        subtree(envelope.content.unwrap().descendants().find(|node| node.tag_name().name() == "Erreur").unwrap())
    });
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(validate(&erreur, &data.join("wsdl/xsd/schema_faultSOAP_V01_01.xsd"), folder.path()), Ok(()));
}
