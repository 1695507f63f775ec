//! Each row breaks one thing of a response that is right.

use std::sync::Arc;

use crate::package::View;
use crate::profile::{Options, Report, Validator};
use crate::tape::Document;

const FORM: &str = r##"{"resourceType":"Questionnaire","url":"http://x.org/Questionnaire/f","status":"active",
"contained":[{"resourceType":"ValueSet","id":"vs","status":"active","compose":{"include":[
  {"system":"http://x.org/s","concept":[{"code":"a"},{"code":"b"}]}]}}],
"item":[
 {"linkId":"d","type":"display","text":"Bonjour"},
 {"linkId":"g","type":"group","required":true,"item":[
   {"linkId":"b","type":"boolean","required":true,"item":[{"linkId":"why","type":"string","maxLength":5}]},
   {"linkId":"n","type":"integer","repeats":true,"extension":[
     {"url":"http://hl7.org/fhir/StructureDefinition/minValue","valueInteger":1},
     {"url":"http://hl7.org/fhir/StructureDefinition/maxValue","valueInteger":9},
     {"url":"http://hl7.org/fhir/StructureDefinition/questionnaire-maxOccurs","valueInteger":2}]}]},
 {"linkId":"if","type":"string","required":true,"enableWhen":[{"question":"b","operator":"=","answerBoolean":true}]},
 {"linkId":"c","type":"choice","answerOption":[{"valueCoding":{"system":"http://x.org/s","code":"a"}},{"valueString":"other"}]},
 {"linkId":"v","type":"choice","answerValueSet":"#vs"},
 {"linkId":"m","type":"string","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/regex","valueString":"[a-z]+@[a-z]+"}]}
]}"##;

const RESPONSE: &str = r#"{"resourceType":"QuestionnaireResponse","questionnaire":"http://x.org/Questionnaire/f","status":"completed","item":[
{"linkId":"d"},
{"linkId":"g","item":[{"linkId":"b","answer":[{"valueBoolean":true,"item":[{"linkId":"why","answer":[{"valueString":"aux"}]}]}]},{"linkId":"n","answer":[{"valueInteger":2},{"valueInteger":3}]}]},
{"linkId":"if","answer":[{"valueString":"oui"}]},
{"linkId":"c","answer":[{"valueCoding":{"system":"http://x.org/s","code":"a"}}]},
{"linkId":"v","answer":[{"valueCoding":{"system":"http://x.org/s","code":"b"}}]},
{"linkId":"m","answer":[{"valueString":"a@b"}]}]}"#;

fn validate(form: &str, response: &str) -> Report {
    let mut view = View::core();
    view.add(Arc::new(Document::parse(form.to_owned()).unwrap())).unwrap();
    let validator = Validator::of(Arc::new(view), Options::default());
    validator.validate(&Document::parse(response.to_owned()).unwrap(), &[])
}

fn errors(report: &Report) -> Vec<(&str, &str)> {
    let errors = report.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| (finding.at.path.as_str(), finding.message.en.as_ref())).collect()
}

#[test]
fn a_right_response_has_no_error() {
    assert_eq!(errors(&validate(FORM, RESPONSE)), []);
}

#[test]
fn each_broken_answer_is_reported_where_it_is() {
    let group = r#""item":[{"linkId":"b""#;
    for (name, from, to, at, says) in [
        ("unknown linkId", r#"{"linkId":"d"}"#, r#"{"linkId":"x"}"#, "QuestionnaireResponse.item[0]", "no such linkId"),
        ("misplaced", r#"{"linkId":"d"}"#, r#"{"linkId":"b"}"#, "QuestionnaireResponse.item[0]", "not at this place"),
        (
            "display answered",
            r#"{"linkId":"d"}"#,
            r#"{"linkId":"d","answer":[{"valueString":"x"}]}"#,
            "QuestionnaireResponse.item[0]",
            "displayed text",
        ),
        (
            "group answered",
            r#"{"linkId":"g","#,
            r#"{"linkId":"g","answer":[{"valueString":"x"}],"#,
            "QuestionnaireResponse.item[1]",
            "a group has no answer",
        ),
        (
            "wrong type",
            r#""valueString":"oui""#,
            r#""valueInteger":1"#,
            "QuestionnaireResponse.item[2].answer[0].value.ofType(integer)",
            "does not expect",
        ),
        (
            "not enabled",
            r#""valueBoolean":true"#,
            r#""valueBoolean":false"#,
            "QuestionnaireResponse.item[2]",
            "enableWhen",
        ),
        (
            "required missing",
            r#"{"linkId":"if","answer":[{"valueString":"oui"}]},"#,
            "",
            "QuestionnaireResponse",
            "required",
        ),
        (
            "answer twice",
            r#"[{"valueString":"oui"}]"#,
            r#"[{"valueString":"oui"},{"valueString":"non"}]"#,
            "QuestionnaireResponse.item[2]",
            "one answer only",
        ),
        (
            "out of order",
            r#"{"linkId":"m","answer":[{"valueString":"a@b"}]}"#,
            r#"{"linkId":"d"}"#,
            "QuestionnaireResponse.item[5]",
            "order",
        ),
        (
            "not an option",
            r#""code":"a""#,
            r#""code":"z""#,
            "QuestionnaireResponse.item[3].answer[0].value.ofType(Coding)",
            "none of the options",
        ),
        (
            "not in the value set",
            r#""code":"b""#,
            r#""code":"z""#,
            "QuestionnaireResponse.item[4].answer[0]",
            "not among the allowed",
        ),
        ("regex", "a@b", "a b", "QuestionnaireResponse.item[5].answer[0].value.ofType(string)", "expected form"),
        (
            "too long",
            r#""aux""#,
            r#""depuis toujours""#,
            "QuestionnaireResponse.item[1].item[0].answer[0].item[0].answer[0].value.ofType(string)",
            "longer than 5",
        ),
        (
            "below the minimum",
            r#""valueInteger":2"#,
            r#""valueInteger":0"#,
            "QuestionnaireResponse.item[1].item[1].answer[0].value.ofType(integer)",
            "below",
        ),
        (
            "above the maximum",
            r#""valueInteger":3"#,
            r#""valueInteger":10"#,
            "QuestionnaireResponse.item[1].item[1].answer[1].value.ofType(integer)",
            "above",
        ),
        (
            "too many",
            r#"{"valueInteger":3}"#,
            r#"{"valueInteger":3},{"valueInteger":4}"#,
            "QuestionnaireResponse.item[1].item[1]",
            "at most 2",
        ),
        (
            "inner questions beside the answer",
            group,
            r#""item":[{"linkId":"b","item":[{"linkId":"why"}]"#,
            "QuestionnaireResponse.item[1].item[0]",
            "inner questions",
        ),
    ] {
        assert!(RESPONSE.contains(from), "{name}");
        let report = validate(FORM, &RESPONSE.replacen(from, to, 1));
        let mut errors = errors(&report);
        // R4 says that one of the two has to go, not which.
        errors.retain(|(_, message)| !message.contains("qrs-1"));
        if name == "out of order" {
            // What stands out of order is there twice.
            errors.retain(|(_, message)| !message.contains("one answer only"));
        }
        assert!(
            matches!(errors.as_slice(), [(path, message)] if *path == at && message.contains(says)),
            "{name}: {errors:?}"
        );
    }
}

#[test]
fn a_response_in_progress_may_lack_what_is_required() {
    let started = RESPONSE
        .replace("completed", "in-progress")
        .replace(r#"{"linkId":"if","answer":[{"valueString":"oui"}]},"#, "");
    assert_eq!(errors(&validate(FORM, &started)), []);
}

#[test]
fn an_unknown_questionnaire_is_listed_as_not_checked() {
    let report = validate(FORM, &RESPONSE.replace("Questionnaire/f", "Questionnaire/g"));
    assert_eq!(errors(&report), []);
    assert!(report.not_checked.iter().any(|one| one.name == "http://x.org/Questionnaire/g"));
}

/// One question `q` beside the conditions on `a`; whether an answer to `q` is reported.
fn is_refused(conditions: &str, answers: &str) -> bool {
    let form = format!(
        r#"{{"resourceType":"Questionnaire","url":"http://x.org/Questionnaire/e","status":"active","item":[
        {{"linkId":"a","type":"choice","repeats":true}},{{"linkId":"q","type":"string",{conditions}}}]}}"#
    );
    let response = format!(
        r#"{{"resourceType":"QuestionnaireResponse","questionnaire":"http://x.org/Questionnaire/e","status":"completed","item":[
        {answers}{{"linkId":"q","answer":[{{"valueString":"x"}}]}}]}}"#
    );
    errors(&validate(&form, &response)).iter().any(|(_, message)| message.contains("enableWhen"))
}

#[test]
fn enable_when_has_all_operators() {
    let when = |operator: &str, answer: &str| {
        format!(r#""enableWhen":[{{"question":"a","operator":"{operator}","answer{answer}}}]"#)
    };
    let given = |values: &[&str]| {
        let values: Vec<String> = values.iter().map(|value| format!(r#"{{"value{value}}}"#)).collect();
        format!(r#"{{"linkId":"a","answer":[{}]}},"#, values.join(","))
    };
    for (operator, answer, values, refused) in [
        ("exists", r#"Boolean":true"#, &[r#"Integer":3"#][..], false),
        ("exists", r#"Boolean":true"#, &[], true),
        ("exists", r#"Boolean":false"#, &[r#"Integer":3"#], true),
        ("=", r#"Integer":3"#, &[r#"Integer":3"#], false),
        ("=", r#"Integer":3"#, &[r#"Integer":2"#, r#"Integer":3"#], false),
        ("=", r#"Integer":3"#, &[r#"Integer":2"#], true),
        ("=", r#"Integer":3"#, &[], true),
        ("!=", r#"Integer":3"#, &[r#"Integer":2"#], false),
        ("!=", r#"Integer":3"#, &[r#"Integer":3"#], true),
        // R4 leaves it open: nothing is reported.
        ("!=", r#"Integer":3"#, &[], false),
        (">", r#"Integer":3"#, &[r#"Decimal":3.5"#], false),
        (">", r#"Integer":3"#, &[r#"Integer":3"#], true),
        (">=", r#"Integer":3"#, &[r#"Integer":3"#], false),
        ("<", r#"Date":"2020-01-01""#, &[r#"Date":"2019-12-31""#], false),
        ("<", r#"Date":"2020-01-01""#, &[r#"Date":"2020-01-01""#], true),
        ("<=", r#"Date":"2020-01-01""#, &[r#"Date":"2020-01-01""#], false),
        ("=", r#"Coding":{"system":"s:s","code":"a"}"#, &[r#"Coding":{"system":"s:s","code":"a"}"#], false),
        ("=", r#"Coding":{"system":"s:s","code":"a"}"#, &[r#"Coding":{"system":"s:t","code":"a"}"#], true),
        ("=", r#"Coding":{"system":"s:s","code":"a"}"#, &[r#"Coding":{"code":"a"}"#], false),
        ("=", r#"String":"a""#, &[r#"Integer":3"#], true),
    ] {
        let answers = if values.is_empty() { String::new() } else { given(values) };
        assert_eq!(is_refused(&when(operator, answer), &answers), refused, "{operator} {answer} on {values:?}");
    }
}

#[test]
fn several_conditions_are_joined_as_the_behavior_says() {
    let two = |behavior: &str| {
        let condition = |value| format!(r#"{{"question":"a","operator":"=","answerInteger":{value}}}"#);
        format!(r#""enableBehavior":"{behavior}","enableWhen":[{},{}]"#, condition(1), condition(2))
    };
    let one = r#"{"linkId":"a","answer":[{"valueInteger":1}]},"#;
    let both = r#"{"linkId":"a","answer":[{"valueInteger":1},{"valueInteger":2}]},"#;
    for (behavior, answers, refused) in
        [("any", one, false), ("any", "", true), ("all", one, true), ("all", both, false)]
    {
        assert_eq!(is_refused(&two(behavior), answers), refused, "{behavior} {answers}");
    }
}

#[test]
fn an_expression_may_say_it() {
    let by = |text: &str| {
        format!(
            r#""extension":[{{"url":"http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-enableWhenExpression",
            "valueExpression":{{"language":"text/fhirpath","expression":"{text}"}}}}]"#
        )
    };
    let answer = r#"{"linkId":"a","answer":[{"valueInteger":1}]},"#;
    let about = |value| by(&format!("item.where(linkId = 'a').answer.value = {value}"));
    assert!(!is_refused(&about(1), answer));
    assert!(is_refused(&about(2), answer));
    // What cannot be evaluated is no reason to refuse an answer.
    assert!(!is_refused(&by("%age > 3"), answer));
}
