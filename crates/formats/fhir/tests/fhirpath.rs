//! The official FHIRPath suites, every expression of the R4 definitions, and the search parameters of R4 over
//! the official examples.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "tests")]

mod support;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use socle_fhir::Document;
use socle_fhir::definitions::{r4, read_structure, types};
use socle_fhir::fhirpath::{Decimal, Environment, Item, Options, Program, Stage, Type, TypeId, compile};

/// A case of `tests-fhir-r4.json`, or of an XML file of the same shape.
#[derive(Deserialize)]
struct Case {
    name: String,
    inputfile: Option<String>,
    mode: Option<String>,
    predicate: bool,
    expression: String,
    invalid: Option<String>,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    value: Option<String>,
}

struct Inputs {
    folder: PathBuf,
    read: HashMap<String, Option<Document>>,
}

impl Inputs {
    fn of(suite: &Path, folder: &str) -> Self {
        Self { folder: suite.with_file_name(folder), read: HashMap::new() }
    }

    /// The input in the form that the case names, or the other one; none for a type that R4 does not have.
    fn read(&mut self, name: &str) -> Option<&Document> {
        let folder = &self.folder;
        let read = self.read.entry(name.to_owned()).or_insert_with(|| {
            let named = Path::new(name).extension().map_or("json".into(), |form| form.to_string_lossy());
            let forms = [&*named, "json", "xml"].map(|form| folder.join(Path::new(name).with_extension(form)));
            let bytes = forms.iter().find_map(|file| std::fs::read(file).ok())?;
            Document::read(bytes).ok().filter(|document| Item::resource(document.root()).is_some())
        });
        read.as_ref()
    }
}

fn run(case: &Case, document: Option<&Document>) -> Result<(), String> {
    let focus = document.map(|document| Item::resource(document.root()).unwrap());
    let kind = focus.as_ref().and_then(|item| match item.type_of() {
        Type::Fhir(id) => Some(id),
        Type::System(_) => None,
    });
    let options = kind.map_or_else(Options::default, Options::on);
    let options = if case.mode.as_deref() == Some("strict") { options.strict() } else { options };
    let wanted = case.invalid.as_deref();
    let program = match compile(&case.expression, &options) {
        Ok(program) => program,
        Err(error) => {
            let stage = match error.stage() {
                Stage::Syntax => "syntax",
                Stage::Semantic => "semantic",
                Stage::Execution => "execution",
            };
            return if wanted == Some(stage) { Ok(()) } else { Err(format!("{stage}: {error}")) };
        }
    };
    let environment = Environment::default();
    let nothing = Item::Boolean(true);
    let result = program.evaluate(focus.as_ref().unwrap_or(&nothing), &environment);
    match (result, wanted) {
        (Err(_), Some("execution")) => Ok(()),
        (Err(error), _) => Err(format!("execution: {error}")),
        (Ok(_), Some(wanted)) => Err(format!("no error, where one of {wanted} was due")),
        (Ok(items), None) if case.predicate => {
            let holds = items.first().is_some_and(|item| item.as_bool().unwrap_or(true));
            let due = case.outputs.first().and_then(|output| output.value.as_deref()) == Some("true");
            if holds == due { Ok(()) } else { Err(format!("{holds}")) }
        }
        (Ok(items), None) => {
            let shown = || items.iter().map(show).collect::<Vec<_>>().join(" ; ");
            let same =
                items.len() == case.outputs.len() && items.iter().zip(&case.outputs).all(|(item, due)| is(item, due));
            if same { Ok(()) } else { Err(shown()) }
        }
    }
}

fn show(item: &Item<'_>) -> String {
    format!("{}:{}", item.type_of().name(), text(item))
}

/// As the suite writes values.
fn text(item: &Item<'_>) -> String {
    match item {
        Item::Element(element) => {
            let text = element.text().unwrap_or_default();
            match item.type_of().name() {
                "date" | "dateTime" | "instant" => format!("@{text}"),
                "time" => format!("@T{text}"),
                _ => text.to_owned(),
            }
        }
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::String(text) => text.to_string(),
        Item::Decimal(value) => value.to_string(),
        Item::Temporal(value) if item.type_of().name() == "Time" => format!("@T{value}"),
        Item::Temporal(value) => format!("@{value}"),
        Item::Quantity(quantity) => quantity.to_string(),
        Item::Type(kind) => kind.to_string(),
    }
}

fn is(item: &Item<'_>, due: &Output) -> bool {
    let kind = due.kind.as_deref().filter(|kind| !kind.is_empty());
    let has_type = kind.is_none_or(|kind| kind.eq_ignore_ascii_case(item.type_of().name()));
    let due = due.value.as_deref().unwrap_or_default();
    let found = text(item);
    let number = |text: &str| text.parse::<Decimal>().ok();
    let has_value = match (number(&found), number(due)) {
        // A negative zero is zero.
        (Some(found), Some(due)) => found == due && found.scale() == due.scale(),
        _ => found == due,
    };
    has_type && has_value
}

/// Runs all cases, and tells those that failed.
fn failures(cases: &[Case], inputs: &mut Inputs) -> Vec<String> {
    let mut failed = Vec::new();
    for case in cases {
        let document = case.inputfile.as_ref().map(|name| (name, inputs.read(name)));
        let result = match document {
            Some((name, None)) => Err(format!("{name} is no document of R4")),
            Some((_, document)) => run(case, document),
            None => run(case, None),
        };
        if let Err(found) = result {
            let due: Vec<_> = case.outputs.iter().filter_map(|output| output.value.clone()).collect();
            failed.push(format!("{}: {} => {found}, due {due:?} {:?}", case.name, case.expression, case.invalid));
        }
    }
    failed
}

#[test]
fn the_official_suite_for_r4() {
    let Some(file) = support::shared("the official suite for R4", "fhir/fhirpath/tests-fhir-r4.json") else { return };
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let failed = failures(&cases, &mut Inputs::of(&file, "r4-input"));
    println!("R4: {} of {} cases", cases.len() - failed.len(), cases.len());
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert_eq!(cases.len(), 935);
}

/// The suite for R5 on R4 semantics. What fails needs `defineVariable`, an R5 document, or is encoded twice.
#[test]
fn the_official_suite_for_r5() {
    let Some(file) = support::shared("the official suite for R5", "fhir/fhirpath/tests-fhir-r5.xml") else { return };
    let text = std::fs::read_to_string(&file).unwrap();
    let cases = read_suite(&text);
    let failed = failures(&cases, &mut Inputs::of(&file, "r5-input"));
    println!("R5: {} of {} cases\n{}", cases.len() - failed.len(), cases.len(), failed.join("\n"));
    assert!(cases.len() - failed.len() >= 1000, "{} of {}", cases.len() - failed.len(), cases.len());
}

/// The cases of an XML suite (`testSchema.xsd`).
fn read_suite(text: &str) -> Vec<Case> {
    let suite = socle_xml::roxmltree::Document::parse(text).unwrap();
    let text = |node: socle_xml::roxmltree::Node<'_, '_>| node.text().map(str::to_owned);
    let cases = suite.descendants().filter(|node| node.has_tag_name("test") || node.tag_name().name() == "test");
    cases
        .map(|case| {
            let attribute = |name: &str| case.attribute(name).map(str::to_owned);
            let expression = case.children().find(|node| node.tag_name().name() == "expression").unwrap();
            let outputs = case.children().filter(|node| node.tag_name().name() == "output");
            Case {
                name: attribute("name").unwrap_or_default(),
                inputfile: attribute("inputfile"),
                mode: attribute("mode"),
                predicate: case.attribute("predicate") == Some("true"),
                expression: text(expression).unwrap_or_default(),
                invalid: expression.attribute("invalid").map(str::to_owned),
                outputs: outputs
                    .map(|output| Output { kind: output.attribute("type").map(str::to_owned), value: text(output) })
                    .collect(),
            }
        })
        .collect()
}

/// Invariants that R4 publishes on types without the elements that they name.
const WRONG: [(&str, &str); 2] = [
    ("cid-0", "ChargeItemDefinition has no element name: that came with R5"),
    ("inv-1", "substanceExposureRisk is the name of the extension, not an element of it"),
];

/// Every invariant of every structure, on the types of the element that it is about.
#[test]
fn every_invariant_of_r4_compiles() {
    let mut seen = HashSet::new();
    let mut failed = BTreeSet::new();
    for named in r4().structures() {
        let structure = r4().structure(named.url).unwrap();
        for element in &structure.elements {
            for constraint in &element.constraints {
                let Some(expression) = &constraint.expression else { continue };
                let contexts = contexts(&element.path, element.types.iter().map(|kind| &*kind.code));
                let options = Options::on_any(&contexts);
                if !seen.insert((expression.clone(), contexts.clone())) {
                    continue;
                }
                let Err(error) = compile(expression, &options) else { continue };
                let is_listed = WRONG.iter().any(|(key, _)| **key == *constraint.key);
                if !is_listed || compile(expression, &options.lenient()).is_err() {
                    failed.insert(format!("{} on {}: {error}: {expression}", constraint.key, element.path));
                }
            }
        }
    }
    println!("{} invariants on their types", seen.len());
    assert!(seen.len() > 500, "{}", seen.len());
    assert!(failed.is_empty(), "{failed:#?}");
}

/// The type of an element by its path, or else those that it may have.
fn contexts<'a>(path: &str, kinds: impl Iterator<Item = &'a str>) -> Vec<TypeId> {
    match types().named(path) {
        Some(kind) => vec![kind],
        None => kinds.filter_map(|kind| types().named(kind)).collect(),
    }
}

/// Every search parameter of R4 on each of its bases, then on every official example of that type.
#[test]
fn every_search_parameter_of_r4_works_on_the_examples() {
    let mut programs: HashMap<TypeId, Vec<(&str, Program)>> = HashMap::new();
    let mut failed = BTreeSet::new();
    for parameter in r4().search_parameters() {
        let Some(expression) = parameter.expression.as_deref() else { continue };
        for base in parameter.base.iter().filter_map(|base| types().named(base)) {
            match compile(expression, &Options::on(base)) {
                Ok(program) => programs.entry(base).or_default().push((&parameter.url, program)),
                Err(error) => _ = failed.insert(format!("{}: {error}: {expression}", parameter.url)),
            }
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
    let Some(tgz) = support::shared("search parameters on the examples", "fhir/examples/r4-examples.tgz") else {
        return;
    };
    let (mut evaluations, mut found) = (0, 0);
    for (name, bytes) in support::unpack(&tgz) {
        let document = Document::parse(bytes).unwrap();
        let item = Item::resource(document.root()).unwrap();
        let Type::Fhir(own) = item.type_of() else { continue };
        let environment = Environment::default();
        let bases = programs.iter().filter(|(base, _)| types().is_subtype(own, **base));
        for (url, program) in bases.flat_map(|(_, programs)| programs) {
            match program.evaluate(&item, &environment) {
                Ok(items) => found += items.len(),
                Err(error) => _ = failed.insert(format!("{name}: {url}: {error}")),
            }
            evaluations += 1;
        }
    }
    println!("{evaluations} evaluations, {found} values");
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(evaluations > 10_000 && found > 5_000, "{evaluations} {found}");
}

/// Every invariant that the French packages bring.
#[test]
fn every_invariant_of_the_french_packages_compiles() {
    let (mut seen, mut failed) = (HashSet::new(), BTreeSet::new());
    let Some(folder) = support::shared("invariants of the French packages", "fhir/packages") else { return };
    let packages = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for package in packages.filter(|path| path.to_string_lossy().contains(".fr.")) {
        for (name, bytes) in support::unpack(&package) {
            let Some(document) = Document::parse(bytes).ok().filter(|document| {
                document.root().resource_type() == Some("StructureDefinition") && !name.contains("/example/")
            }) else {
                continue;
            };
            let Ok(structure) = read_structure(document.root()) else { continue };
            for element in structure.elements.iter().chain(&structure.differential) {
                let path = element.path.split_once('.').map_or_else(
                    || structure.type_name.to_string(),
                    |(_, rest)| format!("{}.{rest}", structure.type_name),
                );
                for constraint in &element.constraints {
                    let Some(expression) = &constraint.expression else { continue };
                    for context in contexts(&path, element.types.iter().map(|kind| &*kind.code)) {
                        if seen.insert((expression.clone(), context))
                            && let Err(error) = compile(expression, &Options::on(context))
                        {
                            failed.insert(format!(
                                "{} on {}: {error}: {expression}",
                                constraint.key,
                                types().name(context)
                            ));
                        }
                    }
                }
            }
        }
    }
    println!("{} invariants on their types", seen.len());
    assert!(failed.is_empty(), "{failed:#?}");
}
