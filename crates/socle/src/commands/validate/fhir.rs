//! FHIR resources: JSON, NDJSON and XML, against R4, the profiles that they claim and those asked for.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use bytes::Bytes;
use socle_fhir::package::{Cache, Closure, Limits, Package, PackageError, PackageId, View};
use socle_fhir::profile::{Options, Report, Subject, Validator};
use socle_fhir::{Document, xml};
use socle_finding::{Finding, Lang, Text};

use super::checked::{Judged, Unchecked};
use super::formats::{Format, Head};
use super::ndjson;
use crate::cli::Validate;
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
            Validator::core(Options::default())
        } else {
            let view = Arc::new(view_of(options)?);
            tell(view.problems(), speaker);
            Validator::of(view, Options::default())
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

/// A file of a conformance resource or a Bundle, or a folder of them.
fn add_all(view: &mut View, source: &Path) -> Result<()> {
    let mut files = vec![source.to_owned()];
    if source.is_dir() {
        let unreadable = |error: std::io::Error| {
            Trouble::new(
                format!("{} ne se lit pas ({error})", source.display()),
                format!("{} cannot be read ({error})", source.display()),
            )
        };
        let listed = fs::read_dir(source).map_err(unreadable)?;
        files = listed.filter_map(|item| Some(item.ok()?.path())).collect();
        files.retain(|file| file.extension().is_some_and(|ending| ending == "json" || ending == "xml"));
        files.sort();
    }
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

    fn judge(&self, bytes: Bytes) -> Judged {
        ndjson::judge(&bytes, &self.0)
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
