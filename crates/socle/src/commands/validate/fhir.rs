//! FHIR resources: JSON, NDJSON and XML, against R4, the profiles that they claim and those asked for.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use bytes::Bytes;
use socle_fhir::package::{Cache, Closure, Limits, Package, PackageError, PackageId, View};
use socle_fhir::profile::{BestPractice, Options, Report, Subject, Validator};
use socle_fhir::{Document, xml};
use socle_finding::{Finding, Lang, Text};

use super::checked::{Judged, Unchecked};
use super::formats::{Format, Head};
use super::inputs::{self, Input};
use super::ndjson;
use super::work::BIGGEST;
use crate::cli::{GoodPractice, Validate};
use crate::commands::package::cache_of;
use crate::say::Speaker;
use crate::trouble::Trouble;

/// What all FHIR files are judged with. Cheap to clone.
#[derive(Clone)]
pub(super) struct Fhir {
    validator: Arc<Validator>,
    profiles: Arc<[String]>,
    hints: Arc<Hints>,
}

impl Fhir {
    pub(super) fn prepare(options: &Validate, speaker: &Speaker) -> Result<Self> {
        let validator = if options.packages.is_empty() && options.with.is_empty() {
            Validator::core(asked(options))
        } else {
            let view = Arc::new(view_of(options)?);
            tell(view.problems(), speaker);
            Validator::of(view, asked(options))
        };
        if let Some(unknown) = options.profiles.iter().find(|profile| !validator.knows(profile)) {
            return Err(Trouble::new(
                format!("le profil {unknown} est inconnu, ou sa définition ne peut pas servir"),
                format!("profile {unknown} is unknown, or its definition cannot be used"),
            )
            .mend(
                "ajoutez ce qui le définit : --package FICHIER ou id#version, --with FICHIER",
                "add what defines it: --package FILE or id#version, --with FILE",
            )
            .into());
        }
        let hints = Hints { cache: cache_of(options.cache.as_deref()).ok(), known: OnceLock::new() };
        Ok(Self { validator: Arc::new(validator), profiles: options.profiles.clone().into(), hints: Arc::new(hints) })
    }

    /// Judges one resource.
    pub(super) fn judge(&self, bytes: Bytes) -> Judged {
        match Document::parse(bytes) {
            Ok(document) => self.judge_document(&document),
            Err(error) => Judged::of(None, vec![error.issue().finding], Vec::new()),
        }
    }

    /// The same, in XML.
    fn judge_xml(&self, bytes: Bytes) -> Judged {
        match xml::read(bytes) {
            Ok(document) => self.judge_document(&document),
            Err(error) => Judged::of(None, vec![error.issue().finding], Vec::new()),
        }
    }

    fn judge_document(&self, document: &Document) -> Judged {
        let profiles: Vec<&str> = self.profiles.iter().map(String::as_str).collect();
        let what = document.root().resource_type().map(|kind| {
            let kind: String = kind.chars().take(64).collect();
            Text::new(kind.clone(), kind)
        });
        let Report { findings, not_checked } = self.validator.validate(document, &profiles);
        let unchecked = not_checked.into_iter().map(|unchecked| {
            let (fr, en) = unchecked.subject.named();
            let hint = match unchecked.subject {
                Subject::Profile | Subject::Extension => self.hints.package_of(&unchecked.name),
                _ => None,
            };
            let hint = hint.map(|id| format!(" (--package {id})")).unwrap_or_default();
            Unchecked {
                what: Text::new(format!("{fr} {}{hint}", unchecked.name), format!("{en} {}{hint}", unchecked.name)),
                count: unchecked.count.into(),
            }
        });
        Judged::of(what, findings, unchecked.collect())
    }
}

/// What the command line says of the validation.
fn asked(options: &Validate) -> Options {
    let best_practice = match options.best_practice {
        GoodPractice::Ignore => BestPractice::Ignored,
        GoodPractice::Hint => BestPractice::Information,
        GoodPractice::Warning => BestPractice::Warning,
        GoodPractice::Error => BestPractice::Error,
    };
    Options { best_practice, must_support: options.must_support, ..Options::default() }
}

/// Which installed package defines what a document asks for: looked up when something is missing first.
/// It is told, and not used unasked: a verdict must not depend on what else is installed.
struct Hints {
    cache: Option<Cache>,
    known: OnceLock<HashMap<Box<str>, PackageId>>,
}

impl Hints {
    fn package_of(&self, canonical: &str) -> Option<&PackageId> {
        let (url, _) = socle_fhir::definitions::canonical(canonical);
        self.known.get_or_init(|| self.read()).get(url)
    }

    fn read(&self) -> HashMap<Box<str>, PackageId> {
        let kept = self.cache.as_ref().and_then(|cache| cache.list().ok()).unwrap_or_default();
        let mut packages: Vec<_> = kept.into_iter().filter_map(|kept| kept.package.ok()).collect();
        // Of several versions the newest is told.
        packages.sort_by(|one, other| one.id().by_version(other.id()));
        let structures = packages.iter().flat_map(|package| {
            let defined = package.entries().iter().filter(|entry| &*entry.kind == "StructureDefinition");
            defined.filter_map(|entry| Some((entry.url.clone()?, package.id().clone())))
        });
        structures.collect()
    }
}

/// The packages and the resources that the user named, seen together.
fn view_of(options: &Validate) -> Result<View> {
    let cache = cache_of(options.cache.as_deref())?;
    let mut roots = Vec::new();
    for source in &options.packages {
        roots.push(package_of(source, &cache)?);
    }
    let mut view = View::of(Closure::of(&roots, &cache));
    for source in &options.with {
        add_all(&mut view, source)?;
    }
    Ok(view)
}

fn package_of(source: &str, cache: &Cache) -> Result<Arc<Package>, PackageError> {
    let path = Path::new(source);
    if path.is_dir() {
        return Package::from_folder(path, &Limits::default()).map(Arc::new);
    }
    if path.is_file() || !source.contains('#') {
        return Package::open_archive(path, &Limits::default()).map(Arc::new);
    }
    let id: PackageId = source.parse().map_err(|error| PackageError::new(source, error))?;
    cache.open(&id)
}

/// A file of a conformance resource or a Bundle, or all of a folder and below it.
fn add_all(view: &mut View, source: &Path) -> Result<()> {
    let files = if source.is_dir() { definitions_in(source)? } else { vec![source.to_owned()] };
    for file in files {
        let refused = |fr: String, en: String| {
            Trouble::new(format!("{} : {fr}", file.display()), format!("{}: {en}", file.display())).mend(
                "donnez une ressource de conformité FHIR, en JSON ou en XML",
                "give a FHIR conformance resource, in JSON or XML",
            )
        };
        let bytes = fs::read(&file)
            .map_err(|error| refused(format!("illisible ({error})"), format!("cannot be read ({error})")))?;
        view.add(Arc::new(conformance(bytes).map_err(|(fr, en)| refused(fr, en))?))?;
    }
    Ok(())
}

/// The JSON and XML files of a folder and below it, by name.
fn definitions_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let (mut files, mut troubles) = (Vec::new(), Vec::new());
    inputs::walk(folder, inputs::DEEPEST, &mut files, &mut troubles);
    if let Some(Input::Unusable { name, why, .. }) = troubles.into_iter().next() {
        let said = |lang| format!("{name}: {}", why.get(lang));
        return Err(Trouble::new(said(Lang::Fr), said(Lang::En)).into());
    }
    files.retain(|file| {
        let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ending.eq_ignore_ascii_case("json") || ending.eq_ignore_ascii_case("xml")
    });
    Ok(files)
}

/// A conformance resource in JSON or XML; or what is wrong with it, in both languages.
fn conformance(bytes: Vec<u8>) -> Result<Document, (String, String)> {
    if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<') {
        return xml::read(bytes).map_err(|error| (error.shown(Lang::Fr), error.shown(Lang::En)));
    }
    Document::parse(bytes).map_err(|error| (error.shown(Lang::Fr), error.shown(Lang::En)))
}

/// What is wrong with the packages is said once, to whoever watches.
fn tell(problems: Vec<Finding>, speaker: &Speaker) {
    for problem in problems {
        let (word, lang) = (speaker.pick("attention", "warning"), speaker.lang);
        speaker.note(format!(
            "{word} : {} : {} ; {}",
            problem.at.path,
            problem.message.get(lang),
            problem.mend.get(lang)
        ));
    }
}

/// A resource, or a Bundle, in JSON.
pub(super) struct FhirJson(pub(super) Fhir);

impl Format for FhirJson {
    fn name(&self) -> &'static str {
        "fhir-json"
    }

    fn recognises(&self, head: &Head) -> bool {
        head.text.starts_with(['{', '['])
    }

    fn judge(&self, bytes: Bytes) -> Judged {
        self.0.judge(bytes)
    }
}

/// A resource in each line.
pub(super) struct FhirNdjson(pub(super) Fhir);

impl Format for FhirNdjson {
    fn name(&self) -> &'static str {
        "fhir-ndjson"
    }

    /// By its name; else two lines that are an object each.
    fn recognises(&self, head: &Head) -> bool {
        if matches!(head.ending.as_str(), "ndjson" | "jsonl") {
            return true;
        }
        let mut lines = head.text.lines().filter(|line| !line.trim().is_empty()).map(str::trim);
        let is_object = |line: Option<&str>| line.is_some_and(|line| line.starts_with("{\"") && line.ends_with('}'));
        is_object(lines.next()) && lines.next().is_some_and(|line| line.starts_with("{\""))
    }

    /// Each line was shown where it was judged.
    fn shows_lines(&self) -> bool {
        false
    }

    fn by_line(&self) -> Option<&Fhir> {
        Some(&self.0)
    }

    /// Memory is always read to its end.
    fn judge(&self, bytes: Bytes) -> Judged {
        ndjson::judge(&*bytes, BIGGEST, &self.0).unwrap_or_default()
    }
}

/// A resource, or a Bundle, in XML.
pub(super) struct FhirXml(pub(super) Fhir);

impl Format for FhirXml {
    fn name(&self) -> &'static str {
        "fhir-xml"
    }

    fn recognises(&self, head: &Head) -> bool {
        head.root().is_some_and(|root| root.contains("http://hl7.org/fhir"))
    }

    fn judge(&self, bytes: Bytes) -> Judged {
        self.0.judge_xml(bytes)
    }
}
