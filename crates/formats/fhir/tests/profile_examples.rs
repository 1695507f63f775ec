//! The official R4 examples against R4: what is reported as an error is one, and is listed with the reason.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it cannot go on, and says what it skips"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;

use socle_fhir::Document;
use socle_fhir::profile::{Options, Validator};
use socle_finding::Finding;

/// What breaks in the `*-questionnaire.json`, which a tool made: inner items lack `linkId`, two have the same,
/// groups are empty.
const OF_THE_TOOL: &[&str] = &["Questionnaire.item.linkId min 1", "que-1", "que-2"];

/// Examples that break R4, and how.
const WRONG: &[(&str, &str)] = &[
    ("activitydefinition-servicerequest-example.json", "narrative of white space only"),
    ("activitydefinition-supplyrequest-example.json", "narrative of white space only"),
    ("devicemetric-example.json", "parent is a DeviceDefinition, R4 asks for a Device"),
    ("deviceusestatement-example.json", "reasonReference leads to a Procedure"),
    ("diagnosticreport-example-lri.json", "the ids in fullUrl are not those of the resources"),
    ("eventdefinition-example.json", "narrative of white space only"),
    ("library-zika-virus-intervention-logic.json", "urn:oid:X.Y.Z is no OID"),
    ("medicationrequest0301.json", "dispenseRequest.performer is a Practitioner"),
    ("message-request-link.json", "the id in fullUrl is not that of the resource"),
    ("message-response-link.json", "the id in fullUrl is not that of the resource"),
    ("observation-example-clinical-gender.json", "performer is an Encounter"),
    (
        "observation-example-f202-temperature.json",
        "a body temperature without effective[x], which its R4 profile asks for",
    ),
    ("questionnaire-zika-virus-exposure-assessment.json", "narrative of white space only"),
    ("testscript-example-multisystem.json", "`xml` is no media type"),
    ("testscript-example-readtest.json", "`xml` is no media type"),
    ("testscript-example-search.json", "`xml` is no media type"),
    ("testscript-example-update.json", "`xml` is no media type"),
];

#[test]
fn an_official_example_is_wrong_only_where_we_know_why() {
    let Some(tgz) = support::shared("official examples validated", "fhir/examples/r4-examples.tgz") else { return };
    let validator = Validator::core(Options::default());
    let mut wrong = BTreeSet::new();
    for (path, bytes) in support::unpack(&tgz) {
        let name = path.rsplit('/').next().unwrap().to_owned();
        let document = Document::parse(bytes).unwrap();
        let report = validator.validate(&document, &[]);
        let errors: Vec<_> = report.findings.iter().filter(|finding| finding.is_error()).collect();
        let is_tools_fault =
            |finding: &&Finding| name.ends_with("-questionnaire.json") && OF_THE_TOOL.contains(&&*finding.rule.point);
        let others: Vec<_> = errors.into_iter().filter(|finding| !is_tools_fault(finding)).collect();
        if !others.is_empty() {
            for error in others.iter().take(3) {
                println!("{name} {} {} {}", error.at.path, error.rule, error.message.en);
            }
            wrong.insert(name);
        }
    }
    let known: BTreeSet<String> = WRONG.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(wrong, known);
}
