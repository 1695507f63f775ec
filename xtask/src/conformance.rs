//! The official validator cases against our validator: verdict, number of errors, places of errors.
//!
//! Read from the shared data: `validator/manifest.json`, the files, and what the Java validator answered. A
//! case is validated against R4 (and what it claims), then a second time against its profile when it names
//! one; each of the two is a step. Texts are not compared.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use socle_fhir::package::View;
use socle_fhir::profile::{BestPractice, EntryProfile, Options, Validator};
use socle_fhir::{Document, without_comments, xml};
use socle_finding::Severity;

/// What every step of a group agrees on with the Java validator.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Score {
    pub(crate) steps: usize,
    /// Valid or not.
    pub(crate) verdict: usize,
    /// The number of errors.
    pub(crate) count: usize,
    /// Expected errors, and those of them that we report at the same place.
    pub(crate) places: usize,
    pub(crate) places_found: usize,
}

impl Score {
    fn add(&mut self, step: &Step) {
        self.steps += 1;
        self.verdict += usize::from((step.expected > 0) == (step.found > 0));
        self.count += usize::from(step.expected == step.found);
        self.places += step.places;
        self.places_found += step.places_found;
    }
}

/// All scores, by name.
pub(crate) type Scores = BTreeMap<String, Score>;

struct Step {
    name: String,
    module: String,
    is_offline: bool,
    is_base: bool,
    expected: usize,
    found: usize,
    places: usize,
    places_found: usize,
    /// What we said, for those who mend the validator.
    said: Vec<String>,
    wanted: Vec<String>,
}

/// Where the shared data are: `SOCLE_SHARED`, or beside the workspace.
pub(crate) fn shared() -> PathBuf {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    std::env::var_os("SOCLE_SHARED").map_or_else(beside, PathBuf::from).join("data/fhir/validator")
}

fn baseline() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance.json")
}

/// Runs, prints, and with `update` writes the baseline.
pub(crate) fn run(update: bool, show: Option<&str>) -> Result<()> {
    let steps = steps(&shared())?;
    if let Some(part) = show {
        print!("{}", shown(&steps, part)?);
    }
    let scores = scores(&steps);
    println!("{:<22} {:>6} {:>9} {:>9} {:>9}", "", "steps", "verdict", "count", "places");
    for (name, score) in &scores {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        println!(
            "{name:<22} {:>6} {:>8.1}% {:>8.1}% {:>8.1}%",
            score.steps,
            share(score.verdict, score.steps),
            share(score.count, score.steps),
            share(score.places_found, score.places),
        );
    }
    if update {
        fs::write(baseline(), serde_json::to_string_pretty(&scores)? + "\n")?;
    }
    Ok(())
}

fn shown(steps: &[Step], part: &str) -> Result<String> {
    let mut text = String::new();
    for step in steps.iter().filter(|step| step.is_offline) {
        let differs = (step.expected > 0) != (step.found > 0);
        let chosen = match part {
            "verdict" => differs,
            "count" => !differs && step.expected != step.found,
            part => step.name.contains(part),
        };
        if !chosen {
            continue;
        }
        writeln!(text, "## {} [{}] expected {} found {}", step.name, step.module, step.expected, step.found)?;
        for said in step.said.iter().take(12) {
            writeln!(text, "  ours {said}")?;
        }
        for wanted in step.wanted.iter().take(12) {
            writeln!(text, "  java {wanted}")?;
        }
    }
    Ok(text)
}

fn scores(steps: &[Step]) -> Scores {
    let mut scores = Scores::new();
    for step in steps {
        if step.is_offline {
            scores.entry("= offline, all".into()).or_default().add(step);
            if step.is_base {
                scores.entry("= offline, base".into()).or_default().add(step);
            }
            scores.entry(step.module.clone()).or_default().add(step);
        }
        scores.entry("= all".into()).or_default().add(step);
    }
    scores
}

fn steps(root: &Path) -> Result<Vec<Step>> {
    let manifest = fs::read(root.join("manifest.json")).with_context(|| format!("no cases at {}", root.display()))?;
    let manifest: Value = serde_json::from_slice(&manifest)?;
    let cases = manifest["test-cases"].as_array().context("no test-cases")?;
    let mut steps = Vec::new();
    for case in cases {
        steps.push(step(root, case, None).with_context(|| format!("case {}", case["name"]))?);
        if case["expected"]["profile"].is_object() {
            steps.push(step(root, case, Some(&case["profile"])).with_context(|| format!("case {}", case["name"]))?);
        }
    }
    Ok(steps)
}

fn texts<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a str> {
    value[name].as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn step(root: &Path, case: &Value, profile: Option<&Value>) -> Result<Step> {
    let mut view = View::core();
    let mut files: Vec<&str> =
        ["supporting", "supporting5", "profiles"].into_iter().flat_map(|name| texts(case, name)).collect();
    let mut asked = Vec::new();
    if let Some(profile) = profile {
        files.extend(texts(profile, "supporting").chain(texts(profile, "profiles")));
        let source = profile["source"].as_str().context("a profile without source")?;
        if source.starts_with("http:") || source.starts_with("https:") {
            asked.push(source.to_owned());
        } else {
            files.push(source);
            let url = read(root, source).ok().and_then(|document| document.root().text("url").map(str::to_owned));
            asked.push(url.unwrap_or_else(|| source.to_owned()));
        }
    }
    for file in files {
        if let Ok(document) = read(root, file) {
            view.add(Arc::new(document))?;
        }
    }
    let mut options = options(case);
    // In the Java validator: what looks like the address of a resource of a type is taken to be one.
    options.reference_types |= profile.is_some_and(|profile| profile["assumeValidRestReferences"] == true);
    let validator = Validator::of(Arc::new(view), options);
    let file = case["file"].as_str().context("a case without file")?;
    let (mut said, mut at) = (Vec::new(), Vec::new());
    match read_as(root, file, case["allow-comments"] == true) {
        Err(error) => {
            said.push(format!("{error:#}"));
            at.push(String::new());
        }
        Ok(document) => {
            let asked: Vec<&str> = asked.iter().map(String::as_str).collect();
            let report = validator.validate(&document, &asked);
            for finding in report.findings.iter().filter(|finding| finding.is_error()) {
                said.push(format!("{} | {} | {}", finding.at.path, finding.rule, finding.message.en));
                at.push(place(&finding.at.path));
            }
        }
    }
    let counts = &case["expected"][if profile.is_some() { "profile" } else { "base" }];
    let expected = ["error", "fatal"].iter().filter_map(|severity| counts[severity].as_u64()).sum::<u64>();
    // A few cases give the number of errors alone.
    let outcome: Value = match profile.unwrap_or(case)["java"].as_str() {
        Some(answer) => serde_json::from_slice(&fs::read(root.join("outcomes").join(answer))?)?,
        None => Value::Null,
    };
    let issues = outcome["issue"].as_array().into_iter().flatten();
    let errors: Vec<&Value> =
        issues.filter(|issue| matches!(issue["severity"].as_str(), Some("error" | "fatal"))).collect();
    let wanted = errors.iter().map(|issue| {
        format!(
            "{} | {}",
            issue["expression"][0].as_str().unwrap_or_default(),
            issue["details"]["text"].as_str().unwrap_or_default()
        )
    });
    let mut free = at.clone();
    let places_found = errors.iter().filter(|issue| {
        let wanted = place(issue["expression"][0].as_str().unwrap_or_default());
        let found = free.iter().position(|own| *own == wanted);
        found.map(|found| free.swap_remove(found)).is_some()
    });
    let places_found = places_found.count();
    Ok(Step {
        name: format!(
            "{} {}",
            case["name"].as_str().unwrap_or_default(),
            if profile.is_some() { "profile" } else { "base" }
        ),
        module: case["module"].as_str().unwrap_or("none").to_owned(),
        is_offline: case["offline"] == true,
        is_base: profile.is_none(),
        expected: usize::try_from(expected)?,
        found: at.len(),
        places: errors.len(),
        places_found,
        said,
        wanted: wanted.collect(),
    })
}

/// What the Java validator does by default, and what a case asks of it.
fn options(case: &Value) -> Options {
    Options {
        unknown_extension: Severity::Error,
        required_profile_unknown: Severity::Error,
        wrong_display: Severity::Error,
        security_checks: case["security-checks"] == true,
        example_urls: case["examples"] != false,
        reference_types: case["validateReference"].is_string(),
        best_practice: match case["best-practice"].as_str() {
            Some("error") => BestPractice::Error,
            _ => BestPractice::Warning,
        },
        entries: entry(case).into_iter().collect(),
        ..Options::default()
    }
}

/// `Patient:0` and a profile: the first Patient of the bundle follows it.
fn entry(case: &Value) -> Option<EntryProfile> {
    let asked = &case["bundle-param"];
    let (kind, place) = asked["rule"].as_str()?.split_once(':')?;
    Some(EntryProfile {
        kind: Some(kind.into()),
        place: place.parse().ok()?,
        profile: asked["profile"].as_str()?.into(),
    })
}

fn read(root: &Path, file: &str) -> Result<Document> {
    read_as(root, file, false)
}

fn read_as(root: &Path, file: &str, has_comments: bool) -> Result<Document> {
    let path = root.join("files").join(file);
    let mut bytes = fs::read(&path).with_context(|| format!("no file {}", path.display()))?;
    if has_comments {
        bytes = without_comments(&bytes);
    }
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<') || file.ends_with(".xml") {
        return xml::read(bytes).map_err(|error| anyhow::anyhow!("{error}"));
    }
    match Document::parse(bytes) {
        Ok(document) => Ok(document),
        Err(error) => bail!("{error}"),
    }
}

/// A path as both validators write it: without the comments that say which resource an entry holds.
fn place(path: &str) -> String {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once("/*") {
        text.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_compared_without_comments() {
        assert_eq!(place("Bundle.entry[0].resource/*Patient/1*/.name[0]"), "Bundle.entry[0].resource.name[0]");
        assert_eq!(place("Bundle.entry[0].resource/*Patient/1*/"), "Bundle.entry[0].resource");
    }

    #[test]
    fn agreement_with_the_java_validator_never_drops() {
        if !shared().exists() {
            assert!(
                std::env::var("SOCLE_STRICT").as_deref() != Ok("1"),
                "no validator cases at {}",
                shared().display()
            );
            println!("SKIPPED conformance: no shared data");
            return;
        }
        let scores = scores(&steps(&shared()).unwrap());
        let known: Scores = serde_json::from_slice(&fs::read(baseline()).unwrap()).unwrap();
        for (name, known) in known {
            let now = scores.get(&name).copied().unwrap_or_default();
            assert_eq!(now.steps, known.steps, "{name}: other cases than those of the baseline");
            assert!(
                now.verdict >= known.verdict,
                "{name}: verdict {} of {}, was {}",
                now.verdict,
                now.steps,
                known.verdict
            );
            assert!(now.count >= known.count, "{name}: count {} of {}, was {}", now.count, now.steps, known.count);
        }
    }
}
