//! `$validate-code` of a value set and of a code system (FHIR R4 §4.9, §4.8; the answers are
//! those of the FHIR terminology ecosystem).

use std::sync::Arc;

use socle_finding::Severity::{Error, Information, Warning};

use super::check::{Checked, Checker};
use super::issue::{Message, Refusal, TxIssue, write_outcome};
use super::language::Names;
use super::message;
use super::request::Request;
use super::scope::{Scope, System, unreadable};
use crate::tape::Node;
use crate::terminology::library::{Source, Terminology};
use crate::terminology::model::{Coding, Compose, Header, Include, ValueSet};
use crate::terminology::read::{coding, read_value_set};
use crate::terminology::set::{Set, SetError};
use crate::write::{Json, Object};

/// What was given to validate; it says how places are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Code,
    Coding,
    CodeableConcept,
}

impl Mode {
    const fn path(self) -> &'static str {
        match self {
            Self::Code => "",
            Self::Coding => "Coding",
            Self::CodeableConcept => "CodeableConcept",
        }
    }
}

/// The value to validate.
struct Coded<'a> {
    mode: Mode,
    codings: Vec<Coding>,
    concept: Option<Node<'a>>,
}

pub(super) fn in_value_set(terminology: &Terminology, request: &mut Request<'_>) -> Result<Vec<u8>, Refusal> {
    let mut scope = Scope::new(terminology.source(), request)?;
    let value_set = asked_value_set(&scope, request)?;
    let coded = coded(request, false).ok_or_else(|| nothing(&scope))?;
    request.see_value_set(&value_set);
    scope.rules.clone_from(&request.rules);
    scope.supplements.extend(value_set.supplements.iter().cloned());
    scope.check_supplements()?;
    let set = match scope.set(terminology, &value_set) {
        Ok(set) => set,
        // An import that is missing is said in the answer; the value set itself was found.
        Err(error @ SetError::Unknown(_)) => return Ok(unresolved(&scope, &value_set, &error, &coded)),
        Err(error) => return Err(scope.unresolved(&error, &value_set)),
    };
    Ok(Validation::new(&scope, request, &set, false).run(&coded))
}

pub(super) fn in_code_system(base: &Arc<dyn Source>, request: &Request<'_>) -> Result<Vec<u8>, Refusal> {
    let scope = Scope::new(base, request)?;
    let coded = coded(request, true).ok_or_else(|| nothing(&scope))?;
    scope.check_supplements()?;
    let first = coded.codings.first();
    // A code system that the request brings is in the scope already.
    let own = request.resource("codeSystem");
    let asked = own.and_then(|own| own.text("url")).or_else(|| request.text("url"));
    let Some(url) = asked.or_else(|| first.and_then(|coding| coding.system.as_deref())) else {
        return Ok(without_system(&scope, &coded));
    };
    let said = own.and_then(|own| own.text("version")).or_else(|| request.text("version"));
    let version = said.or_else(|| first.filter(|_| asked.is_none()).and_then(|coding| coding.version.as_deref()));
    let Some(system) = scope.system(url, version) else {
        return Ok(unknown_system(&scope, url, version, &coded));
    };
    let value_set = Arc::new(whole(&system));
    let set = Set::resolve(&value_set, &*scope.source, &[]).map_err(|error| scope.unresolved(&error, &value_set))?;
    Ok(Validation::new(&scope, request, &set, true).run(&coded))
}

/// The value set of all codes of a system, for the validation in the system alone.
fn whole(system: &System) -> ValueSet {
    let include =
        Include { system: Some(system.url().into()), version: system.version().map(Into::into), ..Include::default() };
    ValueSet {
        header: Header { url: format!("{}/vs", system.url()).into(), ..Header::default() },
        compose: Some(Compose { include: vec![include], ..Compose::default() }),
        ..ValueSet::default()
    }
}

/// The value set that a request is about: its own, or the one that it names.
pub(super) fn asked_value_set(scope: &Scope, request: &Request<'_>) -> Result<Arc<ValueSet>, Refusal> {
    if let Some(own) = request.resource("valueSet") {
        return read_value_set(own).map(Arc::new).map_err(|error| unreadable(scope.lang, &error.to_string()));
    }
    let Some(url) = request.text("url") else {
        let message = message::missing_parameter(scope.lang, "url, valueSet");
        return Err(Refusal::new(400, "invalid", None, message));
    };
    let version = request.text("valueSetVersion");
    scope.value_set(url, version).ok_or_else(|| {
        let asked = version.map_or_else(|| url.to_owned(), |version| format!("{url}|{version}"));
        Refusal::new(422, "not-found", Some("not-found"), message::unknown_value_set(scope.lang, &asked))
    })
}

fn coded<'a>(request: &Request<'a>, in_system: bool) -> Option<Coded<'a>> {
    if let Some(concept) = request.value("codeableConcept", "valueCodeableConcept") {
        let codings = concept.all("coding").map(coding).collect();
        return Some(Coded { mode: Mode::CodeableConcept, codings, concept: Some(concept) });
    }
    if let Some(one) = request.value("coding", "valueCoding") {
        return Some(Coded { mode: Mode::Coding, codings: vec![coding(one)], concept: None });
    }
    let code = request.text("code")?;
    let (system, version) = if in_system {
        (request.text("url").or_else(|| request.text("system")), request.text("version"))
    } else {
        (request.text("system"), request.text("systemVersion"))
    };
    if system.is_none() && !request.is_true("inferSystem") {
        return None;
    }
    let given = Coding {
        system: system.map(Into::into),
        version: version.map(Into::into),
        code: Some(code.into()),
        display: request.text("display").map(Into::into),
    };
    Some(Coded { mode: Mode::Code, codings: vec![given], concept: None })
}

fn nothing(scope: &Scope) -> Refusal {
    Refusal::new(400, "invalid", None, message::no_value_to_check(scope.lang))
}

/// The answer that says one thing: that a value set or a system is not known.
fn single(issue: TxIssue, coded: &Coded<'_>, unknown: Option<&str>) -> Vec<u8> {
    let mut answer = Answer::default();
    if coded.mode != Mode::CodeableConcept
        && let Some(given) = coded.codings.first()
    {
        answer.code.clone_from(&given.code.as_deref().map(str::to_owned));
        answer.system.clone_from(&given.system.as_deref().map(str::to_owned));
    }
    answer.unknown_systems.extend(unknown.map(|url| ("x-unknown-system", url.to_owned())));
    answer.messages.push(issue.message.text.clone());
    answer.issues.push(issue);
    answer.write(coded)
}

fn unresolved(scope: &Scope, of: &ValueSet, error: &SetError, coded: &Coded<'_>) -> Vec<u8> {
    let mut refusal = scope.unresolved(error, of);
    match refusal.issues.pop() {
        Some(issue) => single(issue, coded, None),
        None => refusal.outcome(),
    }
}

fn without_system(scope: &Scope, coded: &Coded<'_>) -> Vec<u8> {
    let path = coded_path(coded.mode, 0);
    let issue = TxIssue::new(Warning, "invalid", "invalid-data", message::no_system(scope.lang), &path);
    single(issue, coded, None)
}

fn unknown_system(scope: &Scope, url: &str, version: Option<&str>, coded: &Coded<'_>) -> Vec<u8> {
    let at = under(&coded_path(coded.mode, 0), "system");
    let lang = scope.lang;
    let supplement = scope.source.supplement(url);
    if let Some(supplement) = supplement.first() {
        let message = message::system_is_supplement(lang, &supplement.header().canonical());
        return single(TxIssue::new(Error, "invalid", "invalid-data", message, &at), coded, None);
    }
    if scope.value_set(url, None).is_some() {
        let message = message::system_is_value_set(lang, url);
        return single(TxIssue::new(Error, "invalid", "invalid-data", message, &at), coded, None);
    }
    let (message, name) = unknown_message(scope, url, version);
    single(TxIssue::new(Error, "not-found", "not-found", message, &at), coded, Some(&name))
}

/// The sentence for a system that is not known, and the name of what is not known.
pub(super) fn unknown_message(scope: &Scope, url: &str, version: Option<&str>) -> (Message, String) {
    let Some(version) = version else { return (message::unknown_system(scope.lang, url), url.to_owned()) };
    let known = scope.known_versions(url);
    let name = if known.is_empty() { url.to_owned() } else { format!("{url}|{version}") };
    (message::unknown_version(scope.lang, url, version, &known), name)
}

fn coded_path(mode: Mode, at: usize) -> String {
    match mode {
        Mode::CodeableConcept => format!("CodeableConcept.coding[{at}]"),
        mode => mode.path().to_owned(),
    }
}

/// `path.name`, or `name` alone.
pub(super) fn under(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// The answer as it grows.
#[derive(Default)]
struct Answer {
    result: bool,
    system: Option<String>,
    code: Option<String>,
    version: Option<String>,
    display: Option<String>,
    normalized: Option<String>,
    inactive: bool,
    status: Option<String>,
    unknown_systems: Vec<(&'static str, String)>,
    messages: Vec<String>,
    issues: Vec<TxIssue>,
}

impl Answer {
    fn write(mut self, coded: &Coded<'_>) -> Vec<u8> {
        let errors = self.issues.iter().filter(|issue| issue.severity == Error);
        let texts: Vec<_> = errors.map(|issue| issue.message.text.clone()).collect();
        self.messages.extend(texts);
        self.messages.sort();
        self.messages.dedup();
        let mut json = Json::new();
        json.object(|out| {
            out.text("resourceType", "Parameters").array("parameter", |list| {
                let mut put = |name: &str, fill: &dyn Fn(&mut Object<'_>)| {
                    list.object(|one| fill(one.text("name", name)));
                };
                put("result", &|one| _ = one.bool("valueBoolean", self.result));
                let strings = [
                    ("system", "valueUri", &self.system),
                    ("code", "valueCode", &self.code),
                    ("version", "valueString", &self.version),
                    ("display", "valueString", &self.display),
                    ("normalized-code", "valueCode", &self.normalized),
                    ("status", "valueCode", &self.status),
                ];
                for (name, kind, value) in strings {
                    if let Some(value) = value {
                        put(name, &|one| _ = one.text(kind, value));
                    }
                }
                if self.inactive {
                    put("inactive", &|one| _ = one.bool("valueBoolean", true));
                }
                for (name, url) in &self.unknown_systems {
                    put(name, &|one| _ = one.text("valueCanonical", url));
                }
                if !self.messages.is_empty() {
                    put("message", &|one| _ = one.text("valueString", &self.messages.join("; ")));
                }
                if let Some(concept) = coded.concept {
                    put("codeableConcept", &|one| _ = one.raw("valueCodeableConcept", concept.raw().as_bytes()));
                }
                if !self.issues.is_empty() {
                    put("issues", &|one| _ = one.object("resource", |out| write_outcome(out, &self.issues)));
                }
            });
        });
        json.finish()
    }
}

/// The validation of one value, coding by coding.
struct Validation<'a, 'r> {
    scope: &'a Scope,
    request: &'a Request<'r>,
    set: &'a Arc<Set>,
    /// The value set was made for a code system: the caller never named one.
    is_system_only: bool,
    checker: Checker<'a, 'r>,
    answer: Answer,
    codes: Vec<String>,
}

/// What is said of the coding that the answer repeats.
#[derive(Default)]
struct Shown {
    system: Option<String>,
    code: Option<String>,
    version: Option<String>,
    path: String,
}

impl<'a, 'r> Validation<'a, 'r> {
    fn new(scope: &'a Scope, request: &'a Request<'r>, set: &'a Arc<Set>, is_system_only: bool) -> Self {
        let checker = Checker::new(scope, request);
        let answer = Answer::default();
        Self { scope, request, set, is_system_only, checker, answer, codes: Vec::new() }
    }

    fn set_name(&self) -> String {
        let header = &self.set.value_set().header;
        if header.url.is_empty() { "(unidentified)".to_owned() } else { header.canonical() }
    }

    fn run(mut self, coded: &Coded<'_>) -> Vec<u8> {
        let header = &self.set.value_set().header;
        self.checker.check_status("ValueSet", header, Some(header));
        let mut found: Option<Shown> = None;
        let mut tried = Shown::default();
        let mut is_member = Some(false);
        for (at, given) in coded.codings.iter().enumerate() {
            let path = coded_path(coded.mode, at);
            let Some(code) = given.code.as_deref() else {
                let message = message::no_code(self.scope.lang);
                self.say(message.text.clone());
                self.checker.issue(TxIssue::new(Warning, "invalid", "invalid-data", message, &path));
                break;
            };
            let checked = self.checker.check(self.set, &path, given, code);
            let shown = Shown {
                system: given.system.as_deref().map(str::to_owned),
                code: Some(code.to_owned()),
                version: given.version.as_deref().map(str::to_owned),
                path: path.clone(),
            };
            if tried.code.is_none() || checked.is_member == Some(true) {
                tried = shown;
            }
            if tried.version.is_none() {
                tried.version.clone_from(&checked.version);
            }
            self.name(given, &checked);
            if checked.is_member == Some(false) && !self.is_system_only && coded.mode == Mode::CodeableConcept {
                let codes = self.codes.last().cloned().unwrap_or_default();
                let message = message::not_in_value_set(self.scope.lang, &codes, &self.set_name());
                let at = under(&path, "code");
                self.checker.issue(TxIssue::new(Information, "code-invalid", "this-code-not-in-vs", message, &at));
            }
            if is_member != Some(true) && checked.is_member != Some(false) {
                is_member = checked.is_member;
            }
            if checked.is_member == Some(true) {
                self.take(given, &checked, &path, &mut found);
            } else if !self.request.is_true("valueset-membership-only") {
                self.explain(given, code, coded.mode, &path, &checked);
            }
        }
        self.conclude(coded, is_member, found, tried)
    }

    /// Says a sentence in the summary too.
    fn say(&mut self, text: String) {
        self.answer.messages.push(text);
    }

    /// The coding as messages call it.
    fn name(&mut self, given: &Coding, checked: &Checked) {
        let system = checked.inferred.as_deref().or(given.system.as_deref()).unwrap_or_default();
        let code = given.code.as_deref().unwrap_or_default();
        let version = given.version.as_deref().map(|version| format!("|{version}")).unwrap_or_default();
        let display = given.display.as_deref().map(|display| format!(" ('{display}')")).unwrap_or_default();
        self.codes.push(format!("'{system}{version}#{code}{display}'"));
    }

    /// A coding that is in the value set: its display is judged, the first is the one of the answer.
    fn take(&mut self, given: &Coding, checked: &Checked, path: &str, found: &mut Option<Shown>) {
        let names = checked.names();
        if let Some(display) = &given.display
            && !names.all.is_empty()
        {
            self.checker.check_display(&names, given, display, checked, path);
        }
        if found.is_some() {
            return;
        }
        self.answer.display = self.display(&names);
        *found = Some(Shown {
            system: given.system.as_deref().map(str::to_owned),
            code: given.code.as_deref().map(str::to_owned),
            version: checked.version.clone(),
            path: path.to_owned(),
        });
    }

    fn display(&self, names: &Names<'_>) -> Option<String> {
        let languages = self.request.working_languages();
        let best = names.preferred(languages).or_else(|| names.preferred(None));
        best.map(|name| name.value.to_owned())
    }

    /// A coding that is not in the value set: whether its system and its code exist at all.
    fn explain(&mut self, given: &Coding, code: &str, mode: Mode, path: &str, checked: &Checked) {
        let lang = self.scope.lang;
        let Some(url) = checked.inferred.as_deref().or(given.system.as_deref()) else { return };
        if !is_absolute(url) {
            let message = message::relative_system(lang);
            let at = if mode == Mode::Code { String::new() } else { under(path, "system") };
            self.checker.issue(TxIssue::new(Error, "invalid", "invalid-data", message, &at));
        }
        let version = given.version.as_deref().map(str::to_owned).or_else(|| self.version_of_set(url));
        let Some(system) = self.scope.system(url, version.as_deref()) else {
            self.unknown(url, version.as_deref(), path);
            return;
        };
        if let System::Defined(defined) = &system {
            self.checker.check_status("CodeSystem", defined.header(), Some(&self.set.value_set().header));
        }
        self.checker.check_version(&system, path);
        let Some(spot) = system.locate(code) else {
            let (url, version) = (system.url(), system.version());
            let at = under(path, "code");
            let issue = if system.is_complete() {
                let message = message::unknown_code(lang, code, url, version);
                TxIssue::new(Error, "code-invalid", "invalid-code", message, &at)
            } else {
                let message = message::unknown_in_fragment(lang, code, url, version);
                TxIssue::new(Warning, "code-invalid", "invalid-code", message, &at)
            };
            self.checker.issue(issue);
            return;
        };
        self.checker.see_inactive(&spot, path, code);
        let names = system.names(&spot, None);
        if self.answer.display.is_none() {
            self.answer.display = self.display(&names);
        }
        if let Some(display) = &given.display
            && !names.all.is_empty()
        {
            self.checker.check_foreign_display(&names, &system, code, display, path);
        }
        if mode != Mode::CodeableConcept && self.answer.version.is_none() {
            self.answer.version = system.version().map(str::to_owned);
        }
    }

    /// The newest version that an include of the value set gives for a system.
    fn version_of_set(&self, url: &str) -> Option<String> {
        let compose = self.set.value_set().compose.as_ref()?;
        let versions = compose.include.iter().filter(|include| include.system.as_deref() == Some(url));
        let newest = versions
            .filter_map(|include| include.version.as_deref())
            .max_by(|one, two| crate::terminology::version::order(Some(one), Some(two)))?;
        Some(newest.to_owned())
    }

    fn unknown(&mut self, url: &str, version: Option<&str>, path: &str) {
        let lang = self.scope.lang;
        let at = under(path, "system");
        if let Some(supplement) = self.scope.source.supplement(url).first() {
            let message = message::system_is_supplement(lang, &supplement.header().canonical());
            self.checker.issue(TxIssue::new(Error, "invalid", "invalid-data", message, &at));
            return;
        }
        if self.scope.value_set(url, None).is_some() {
            let message = message::system_is_value_set(lang, url);
            self.checker.issue(TxIssue::new(Error, "invalid", "invalid-data", message, &at));
            return;
        }
        let (message, name) = unknown_message(self.scope, url, version);
        self.say(message.text.clone());
        if self.checker.see_unknown(name) {
            self.checker.issue(TxIssue::new(Error, "not-found", "not-found", message, &at));
        }
    }

    fn conclude(mut self, coded: &Coded<'_>, is_member: Option<bool>, found: Option<Shown>, tried: Shown) -> Vec<u8> {
        let has_error = self.checker.has_error();
        let has_code = coded.codings.iter().all(|given| given.code.is_some());
        if is_member == Some(false) && (has_code || coded.mode == Mode::CodeableConcept) {
            self.refuse(coded.mode, has_error);
        }
        let valid = is_member == Some(true) && !self.checker.has_error();
        self.answer.result = valid;
        let is_concept = coded.mode == Mode::CodeableConcept;
        let inferred = self.checker.inferred.clone();
        let found_path = found.as_ref().map(|found| found.path.clone());
        let shown = match found {
            Some(found) => Some(found),
            None if is_concept => None,
            None => Some(tried),
        };
        if let Some(shown) = shown {
            self.answer.system = shown.system.or(inferred.filter(|_| is_member == Some(true)));
            self.answer.code = shown.code;
            self.answer.version = shown.version.or(self.answer.version);
        } else {
            self.answer.display = None;
        }
        if !valid {
            let kind = if is_member == Some(false) { "x-unknown-system" } else { "x-caused-by-unknown-system" };
            let unknown = self.checker.unknown.iter().map(|url| (kind, url.clone()));
            self.answer.unknown_systems = unknown.collect();
        }
        self.answer.normalized = self.checker.normalized.take();
        self.remark_on_status(coded, found_path.as_deref());
        self.answer.messages.append(&mut self.checker.messages);
        self.answer.issues = self.checker.issues;
        self.answer.write(coded)
    }

    /// Nothing was found in the value set.
    fn refuse(&mut self, mode: Mode, has_error: bool) {
        if self.is_system_only && (has_error || self.checker.issues.iter().any(|issue| issue.severity == Warning)) {
            return;
        }
        let (lang, set) = (self.scope.lang, self.set_name());
        let (message, at) = match mode {
            Mode::CodeableConcept => (message::no_valid_coding(lang, &set), String::new()),
            mode => (message::not_in_value_set(lang, &self.codes.join(", "), &set), under(mode.path(), "code")),
        };
        self.checker.issue(TxIssue::new(Error, "code-invalid", "not-in-vs", message, &at));
    }

    /// The concept is inactive or deprecated: true, but worth a word.
    fn remark_on_status(&mut self, coded: &Coded<'_>, found_path: Option<&str>) {
        let lang = self.scope.lang;
        if let Some(inactive) = self.checker.inactive.take() {
            let status = inactive.status.as_deref();
            if coded.mode != Mode::CodeableConcept || found_path == Some(&inactive.path) {
                self.answer.inactive = true;
                self.answer.status = status.filter(|status| *status != "inactive").map(str::to_owned);
            }
            let message = message::inactive(lang, &inactive.code, status);
            self.say(message.text.clone());
            let at = if inactive.path.is_empty() { "code" } else { &inactive.path };
            self.checker.issue(TxIssue::new(Warning, "business-rule", "code-comment", message, at));
        } else if let Some(code) = self.checker.deprecated.take() {
            self.answer.status = Some("deprecated".to_owned());
            let message = message::deprecated(lang, &code);
            self.say(message.text.clone());
            let at = if coded.mode == Mode::Code { "code" } else { coded.mode.path() };
            self.checker.issue(TxIssue::new(Warning, "business-rule", "code-comment", message, at));
        }
    }
}

/// A URI with a scheme, as `Coding.system` must be.
fn is_absolute(url: &str) -> bool {
    url.split_once(':').is_some_and(|(scheme, rest)| {
        !rest.is_empty() && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}
