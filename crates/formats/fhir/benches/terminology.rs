//! How fast codes are validated and value sets expanded.
//!
//! `cargo bench -p socle-fhir --bench terminology`; nothing but what is made here is needed.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a bench prints its figures and stops when it cannot")]
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socle_fhir::Document;
use socle_fhir::terminology::{CodeSystemBuilder, Content, Context, Library, Terminology};

const SYSTEM: &str = "http://example.org/big";
const CODES: usize = 350_000;

fn main() {
    let terminology = terminology();
    println!("{CODES} concepts in a tree, value sets: all of it, one branch, 10 000 of it");
    member(&terminology);
    validate(&terminology);
    threads(&terminology);
    expand(&terminology);
    subsumes();
}

/// A tree with ten children each, two languages.
fn terminology() -> Terminology {
    let mut builder = CodeSystemBuilder::new(SYSTEM, Content::Complete);
    builder.version("1").language("en");
    for at in 0..CODES {
        let parent = (at > 0).then(|| u32::try_from((at - 1) / 10).unwrap());
        builder.concept(&format!("C{at:07}"), &format!("Concept number {at} of the heart and the lung"), parent);
    }
    let mut library = Library::new();
    library.add_code_system(builder.finish());
    let mut list = String::new();
    for at in 0..10_000 {
        let comma = if at == 0 { "" } else { "," };
        write!(list, r#"{comma}{{"code":"C{:07}"}}"#, at * 7).unwrap();
    }
    let sets = [
        ("all", format!(r#"{{"system":"{SYSTEM}"}}"#)),
        (
            "branch",
            format!(r#"{{"system":"{SYSTEM}","filter":[{{"property":"concept","op":"is-a","value":"C0000003"}}]}}"#),
        ),
        ("list", format!(r#"{{"system":"{SYSTEM}","concept":[{list}]}}"#)),
    ];
    for (name, include) in sets {
        let json = format!(
            r#"{{"resourceType":"ValueSet","url":"http://example.org/{name}","compose":{{"include":[{include}]}}}}"#
        );
        library.add(Document::parse(json).unwrap().root()).unwrap();
    }
    Terminology::new(Arc::new(library))
}

fn codes() -> Vec<String> {
    (0..10_000).map(|at| format!("C{:07}", (at * 7919) % CODES)).collect()
}

fn member(terminology: &Terminology) {
    let codes = codes();
    for set in ["all", "branch", "list"] {
        let url = format!("http://example.org/{set}");
        let time = best(|| {
            for code in &codes {
                black_box(terminology.member(&url, Some(SYSTEM), code, None));
            }
        });
        rate(&format!("member, {set}"), codes.len(), time);
    }
}

fn questions(set: &str) -> Vec<Document> {
    let question = |code: String| {
        Document::parse(format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"url","valueUri":"http://example.org/{set}"}},
            {{"name":"coding","valueCoding":{{"system":"{SYSTEM}","code":"{code}"}}}}]}}"#
        ))
        .unwrap()
    };
    codes().into_iter().take(2_000).map(question).collect()
}

fn validate(terminology: &Terminology) {
    for set in ["all", "list"] {
        let questions = questions(set);
        let time = best(|| {
            for question in &questions {
                black_box(terminology.validate_code(question.root(), Context::default()).unwrap());
            }
        });
        rate(&format!("$validate-code, {set}, 1 thread"), questions.len(), time);
    }
}

fn threads(terminology: &Terminology) {
    let questions = questions("all");
    let time = best(|| {
        std::thread::scope(|scope| {
            for half in questions.chunks(questions.len() / 2) {
                scope.spawn(move || {
                    for question in half {
                        black_box(terminology.validate_code(question.root(), Context::default()).unwrap());
                    }
                });
            }
        });
    });
    rate("$validate-code, all, 2 threads", questions.len(), time);
}

fn expand(terminology: &Terminology) {
    let ask = |more: &str| {
        Document::parse(format!(
            r#"{{"resourceType":"Parameters","parameter":[{{"name":"url","valueUri":"http://example.org/list"}}{more}]}}"#
        ))
        .unwrap()
    };
    let cases = [
        ("expand 10 000, all written", ask("")),
        (
            "expand 10 000, filter that fits all, 100 written",
            ask(r#",{"name":"filter","valueString":"lung"},{"name":"count","valueInteger":100}"#),
        ),
        ("expand 10 000, filter that fits 1 111", ask(r#",{"name":"filter","valueString":"1"}"#)),
    ];
    for (name, question) in cases {
        let time = best(|| _ = black_box(terminology.expand(question.root(), Context::default()).unwrap()));
        println!("  {name:<52} {:>10.2} ms", time.as_secs_f64() * 1e3);
    }
}

fn subsumes() {
    let mut builder = CodeSystemBuilder::new(SYSTEM, Content::Complete);
    for at in 0..CODES {
        builder.concept("", "", (at > 0).then(|| u32::try_from((at - 1) / 10).unwrap()));
    }
    let system = builder.finish();
    let pairs: Vec<(u32, u32)> =
        (0..10_000_u32).map(|at| (at % 1_000, (at * 7919) % u32::try_from(CODES).unwrap())).collect();
    let time = best(|| {
        for (above, below) in &pairs {
            black_box(system.hierarchy().subsumes(*above, *below));
        }
    });
    rate("subsumes", pairs.len(), time);
}

fn rate(name: &str, count: usize, time: Duration) {
    println!("  {name:<52} {:>10.0} /s", count as f64 / time.as_secs_f64());
}

fn best(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let mut best = Duration::MAX;
    while start.elapsed() < Duration::from_secs(2) {
        let begin = Instant::now();
        work();
        best = best.min(begin.elapsed());
    }
    best
}
