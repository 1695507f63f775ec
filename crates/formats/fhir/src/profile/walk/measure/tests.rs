//! Each row breaks one thing of a report that is right.

use std::sync::Arc;

use crate::package::View;
use crate::profile::{Options, Report, Validator};
use crate::tape::Document;

const MEASURE: &str = r#"{"resourceType":"Measure","url":"http://x.org/Measure/m","status":"active","library":["http://x.org/Library/Flu"],
"scoring":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/measure-scoring","code":"proportion"}]},
"group":[{"code":{"coding":[{"system":"s:s","code":"g1"}]},"population":[
  {"code":{"coding":[{"system":"s:s","code":"all"}]},"criteria":{"language":"text/cql","expression":"Flu.Adults"}},
  {"code":{"coding":[{"system":"s:s","code":"some"}]},"criteria":{"language":"text/cql.identifier","expression":"Sick adults"}}]},
 {"code":{"text":"second"},"population":[{"criteria":{"language":"text/cql","expression":"Flu.Adults"}}]}]}"#;

const REPORT: &str = r##"{"resourceType":"MeasureReport","status":"complete","type":"summary","measure":"http://x.org/Measure/m",
"period":{"start":"2024-01-01","end":"2024-12-31"},
"contained":[{"resourceType":"List","id":"l","status":"current","mode":"snapshot","entry":[{"item":{"display":"a"}},{"item":{"display":"b"}}]}],
"group":[{"code":{"coding":[{"system":"s:s","code":"g1"}]},"measureScore":{"value":0.5},"population":[
  {"code":{"coding":[{"system":"s:s","code":"all"}]},"count":4},
  {"code":{"coding":[{"system":"s:s","code":"some"}]},"count":2,"subjectResults":{"reference":"#l"}}]},
 {"code":{"text":"second"},"population":[{"count":1}]}]}"##;

fn validate(document: &str, measure: &str) -> Report {
    let source = "library Flu version '1'\ndefine Adults: [Patient]\ndefine \"Sick adults\": [Patient]\n";
    let data = crate::base64::encode(source.as_bytes());
    let library = format!(
        r#"{{"resourceType":"Library","url":"http://x.org/Library/Flu","name":"Flu","status":"active",
        "type":{{"text":"l"}},"content":[{{"contentType":"text/cql","data":"{data}"}}]}}"#
    );
    let mut view = View::core();
    for resource in [library.as_str(), measure] {
        view.add(Arc::new(Document::parse(resource.to_owned()).unwrap())).unwrap();
    }
    let validator = Validator::of(Arc::new(view), Options::default());
    validator.validate(&Document::parse(document.to_owned()).unwrap(), &[])
}

fn errors(report: &Report) -> Vec<(&str, &str)> {
    let errors = report.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| (finding.at.path.as_str(), finding.message.en.as_ref())).collect()
}

#[test]
fn a_right_measure_and_its_report_have_no_error() {
    assert_eq!(errors(&validate(REPORT, MEASURE)), []);
    assert_eq!(errors(&validate(MEASURE, MEASURE)), []);
}

#[test]
fn each_broken_report_is_reported_where_it_is() {
    let second = r#",
 {"code":{"text":"second"},"population":[{"count":1}]}"#;
    for (name, from, to, at, says) in [
        (
            "no such group",
            second,
            r#",{"code":{"text":"second"}},{"code":{"text":"third"}}"#,
            "MeasureReport.group[2]",
            "the code of a group",
        ),
        ("group missing", second, "", "MeasureReport", "group of the measure is missing"),
        (
            "population missing",
            r#"{"code":{"coding":[{"system":"s:s","code":"all"}]},"count":4},"#,
            "",
            "MeasureReport.group[0]",
            "missing: all",
        ),
        ("count", r#""count":2"#, r#""count":3"#, "MeasureReport.group[0].population[1]", "gives 2 subject"),
        (
            "one subject",
            r##""reference":"#l""##,
            r#""reference":"Patient/1""#,
            "MeasureReport.group[0].population[1]",
            "gives 1 subject",
        ),
        ("proportion", r#""value":0.5"#, r#""value":50"#, "MeasureReport.group[0].measureScore", "between 0 and 1"),
    ] {
        assert!(REPORT.contains(from), "{name}");
        let report = validate(&REPORT.replacen(from, to, 1), MEASURE);
        let mut errors = errors(&report);
        // A reference to a Patient leaves the List unused, and is no reference to a List.
        errors
            .retain(|(_, message)| !message.contains("leads to Patient") && !message.contains("refers to a contained"));
        assert!(
            matches!(errors.as_slice(), [(path, message)] if *path == at && message.contains(says)),
            "{name}: {errors:?}"
        );
    }
}

#[test]
fn a_cohort_has_no_score() {
    let cohort = MEASURE.replace("\"proportion\"", "\"cohort\"");
    let report = validate(REPORT, &cohort);
    assert!(matches!(errors(&report).as_slice(), [("MeasureReport.group[0].measureScore", _)]));
}

#[test]
fn a_percentage_is_a_proportion_too() {
    let percent = REPORT.replace(r#""value":0.5"#, r#""value":50,"unit":"%""#);
    assert_eq!(errors(&validate(&percent, MEASURE)), []);
}

#[test]
fn a_criterion_names_what_its_library_defines() {
    for (from, to, refused) in [
        ("\"Flu.Adults\"", "\"Flu.Children\"", true),
        ("\"Sick adults\"", "\"Sick children\"", true),
        // Another library, or more than a name: nobody can say.
        ("\"Flu.Adults\"", "\"Cold.Children\"", false),
        ("\"Flu.Adults\"", "\"exists Flu.Children\"", false),
    ] {
        let report = validate(&MEASURE.replacen(from, to, 1), MEASURE);
        assert_eq!(!errors(&report).is_empty(), refused, "{to}: {:?}", errors(&report));
    }
}

#[test]
fn an_unknown_measure_is_listed_as_not_checked() {
    let report = validate(&REPORT.replace("Measure/m", "Measure/n"), MEASURE);
    assert_eq!(errors(&report), []);
    assert!(report.not_checked.iter().any(|one| one.name == "http://x.org/Measure/n"));
}
