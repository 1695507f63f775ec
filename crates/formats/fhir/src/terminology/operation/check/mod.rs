//! Whether one coding is in a value set, include by include, and what is worth saying on the way;
//! `display` judges the words that came with it.

mod display;

use std::collections::BTreeSet;
use std::sync::Arc;

use socle_finding::Severity::{self, Error, Information, Warning};

use super::issue::{Message, TxIssue};
use super::language::Names;
use super::message;
use super::request::Request;
use super::scope::{Scope, Spot, System};
use super::validate::{under, unknown_message};
use crate::terminology::filter;
use crate::terminology::model::{Coding, Header, Include, IncludedConcept, ValueSet};
use crate::terminology::set::{Part, PartSystem, Set};
use crate::terminology::version::{self, RuleKind, chosen};

/// What was found of one coding.
#[derive(Default)]
pub(super) struct Checked {
    /// None: nobody can say.
    pub(super) is_member: Option<bool>,
    /// The version of the system where it was found.
    pub(super) version: Option<String>,
    /// The system, when it was not given.
    pub(super) inferred: Option<String>,
    found: Option<Found>,
}

/// Where a coding was found.
struct Found {
    system: System,
    code: String,
    included: Option<(IncludedConcept, Option<Box<str>>)>,
}

impl Checked {
    /// The names of the concept that was found.
    pub(super) fn names(&self) -> Names<'_> {
        let Some(found) = &self.found else { return Names::default() };
        let included = found.included.as_ref().map(|(concept, language)| (concept, language.as_deref()));
        match &found.system {
            System::Defined(system) => {
                system.find(&found.code).map(|id| Names::of(system, id, included)).unwrap_or_default()
            }
            System::Grammar(_) => Names::default(),
        }
    }

    fn default_language(&self) -> Option<&str> {
        self.found.as_ref().map(|found| found.system.language())
    }
}

/// An inactive concept that was met.
pub(super) struct Inactive {
    pub(super) path: String,
    pub(super) code: String,
    pub(super) status: Option<String>,
}

/// Checks codings one after the other and remembers what there is to say.
pub(super) struct Checker<'a, 'r> {
    scope: &'a Scope,
    request: &'a Request<'r>,
    pub(super) issues: Vec<TxIssue>,
    pub(super) messages: Vec<String>,
    pub(super) unknown: Vec<String>,
    pub(super) inactive: Option<Inactive>,
    pub(super) deprecated: Option<String>,
    pub(super) normalized: Option<String>,
    pub(super) inferred: Option<String>,
    /// A value set that is being looked into leaves out inactive codes.
    no_inactive: bool,
}

/// The coding that is looked for.
struct Wanted<'w> {
    path: &'w str,
    system: &'w str,
    version: Option<&'w str>,
    code: &'w str,
    display: Option<&'w str>,
}

impl<'a, 'r> Checker<'a, 'r> {
    pub(super) const fn new(scope: &'a Scope, request: &'a Request<'r>) -> Self {
        Self {
            scope,
            request,
            issues: Vec::new(),
            messages: Vec::new(),
            unknown: Vec::new(),
            inactive: None,
            deprecated: None,
            normalized: None,
            inferred: None,
            no_inactive: false,
        }
    }

    /// Keeps an issue, once.
    pub(super) fn issue(&mut self, issue: TxIssue) {
        if !self.issues.contains(&issue) {
            self.issues.push(issue);
        }
    }

    pub(super) fn has_error(&self) -> bool {
        self.issues.iter().any(|issue| issue.severity == Error)
    }

    /// Remembers that a system is not known; true the first time.
    pub(super) fn see_unknown(&mut self, name: String) -> bool {
        let is_new = !self.unknown.contains(&name);
        if is_new {
            self.unknown.push(name);
        }
        is_new
    }

    /// Remembers that a concept is inactive or deprecated; the first is kept.
    pub(super) fn see_inactive(&mut self, spot: &Spot<'_>, path: &str, code: &str) {
        if self.inactive.is_some() {
            return;
        }
        if spot.is_inactive {
            let status = spot.status.map(str::to_owned);
            self.inactive = Some(Inactive { path: path.to_owned(), code: code.to_owned(), status });
        } else if spot.status.is_some_and(|status| status.eq_ignore_ascii_case("deprecated")) {
            self.deprecated = Some(code.to_owned());
        }
    }

    /// A remark when a resource is deprecated, withdrawn, experimental or a draft (its user is `by`).
    pub(super) fn check_status(&mut self, kind: &'static str, of: &Header, by: Option<&Header>) {
        let Some(id) = status_of(of, by) else { return };
        let message = message::status(self.scope.lang, id, kind, &of.canonical());
        self.issue(TxIssue::new(Information, "business-rule", "status-check", message, ""));
    }

    /// The version of a system is one that the request allows (`check-system-version`).
    pub(super) fn check_version(&mut self, system: &System, path: &str) {
        for rule in &self.scope.rules {
            let is_meant = rule.kind == RuleKind::Check && &*rule.url == system.url();
            let version = system.version().unwrap_or_default();
            if is_meant && !version::fits(&rule.version, version) {
                let message = message::version_check(self.scope.lang, system.url(), version, &rule.version);
                self.issue(TxIssue::new(Error, "exception", "version-error", message, &under(path, "version")));
            }
        }
    }

    pub(super) fn check(&mut self, set: &Arc<Set>, path: &str, given: &Coding, code: &str) -> Checked {
        let mut checked = Checked { is_member: Some(false), ..Checked::default() };
        let lang = self.scope.lang;
        let system = match &given.system {
            Some(system) => system.to_string(),
            None if self.request.is_true("inferSystem") => match self.infer(set, code) {
                Some(system) => {
                    checked.inferred = Some(system.clone());
                    self.inferred = Some(system.clone());
                    system
                }
                None => return checked,
            },
            None => {
                let message = message::no_system(lang);
                self.messages.push(message.text.clone());
                self.issue(TxIssue::new(Warning, "invalid", "invalid-data", message, path));
                return checked;
            }
        };
        let wanted = Wanted {
            path,
            system: &system,
            version: given.version.as_deref(),
            code,
            display: given.display.as_deref(),
        };
        checked.is_member = self.in_set(set, &wanted, &mut checked);
        checked
    }

    /// The one system of the value set that has the code.
    fn infer(&mut self, set: &Arc<Set>, code: &str) -> Option<String> {
        let has = |system: &&str| set.member(Some(system), code, None).is_member();
        let systems: BTreeSet<_> = set.systems().into_iter().filter(has).map(str::to_owned).collect();
        let (lang, name) = (self.scope.lang, set.value_set().header.canonical());
        let message = match systems.len() {
            1 => return systems.into_iter().next(),
            0 => message::cannot_infer(lang, code, &name),
            _ => message::many_systems(lang, code, &name, &systems.into_iter().collect::<Vec<_>>().join(", ")),
        };
        self.messages.push(message.text.clone());
        self.issue(TxIssue::new(Error, "not-found", "cannot-infer", message, "code"));
        None
    }

    fn in_set(&mut self, set: &Arc<Set>, wanted: &Wanted<'_>, checked: &mut Checked) -> Option<bool> {
        let outer = self.no_inactive;
        self.no_inactive |= set.leaves_out_inactive();
        let answer = self.in_parts(set, wanted, checked);
        self.no_inactive = outer;
        answer
    }

    fn in_parts(&mut self, set: &Arc<Set>, wanted: &Wanted<'_>, checked: &mut Checked) -> Option<bool> {
        let value_set = set.value_set();
        let Some(compose) = &value_set.compose else { return self.in_expansion(set, wanted, checked) };
        let mut order: Vec<_> = (0..compose.include.len()).collect();
        // Of several versions of one system, the newest is tried first.
        order.sort_by(|one, two| {
            let (one, two) = (&compose.include[*one], &compose.include[*two]);
            let is_comparable = one.system == two.system && one.version.is_some() && two.version.is_some();
            if is_comparable {
                version::order(two.version.as_deref(), one.version.as_deref())
            } else {
                std::cmp::Ordering::Equal
            }
        });
        let only = self.only_version(&compose.include, wanted);
        let mut result = Some(false);
        for at in order {
            let (include, Some(part)) = (&compose.include[at], set.includes().get(at)) else { continue };
            result = match &include.system {
                None => Some(true),
                Some(system)
                    if &**system == wanted.system && is_version_meant(&compose.include, include, &only, wanted) =>
                {
                    match self.in_include(value_set, include, part, wanted, checked) {
                        // The system is not known: nothing more can be said.
                        None => return None,
                        other => other,
                    }
                }
                Some(_) => Some(false),
            };
            for import in &part.imports {
                let imported = &import.value_set().header;
                self.check_status("ValueSet", imported, Some(&value_set.header));
                if result == Some(true) {
                    result = self.in_set(import, wanted, checked);
                }
            }
            if result == Some(true) {
                break;
            }
        }
        if result == Some(true) && self.is_excluded(set, wanted) {
            return Some(false);
        }
        result
    }

    fn in_expansion(&mut self, set: &Arc<Set>, wanted: &Wanted<'_>, checked: &mut Checked) -> Option<bool> {
        if !set.member(Some(wanted.system), wanted.code, None).is_member() {
            return Some(false);
        }
        let Some(system) = self.scope.system(wanted.system, wanted.version) else { return Some(true) };
        if let Some(spot) = system.locate(wanted.code) {
            self.see_inactive(&spot, wanted.path, wanted.code);
        }
        checked.version = system.version().map(str::to_owned);
        checked.found = Some(Found { system, code: wanted.code.to_owned(), included: None });
        Some(true)
    }

    /// When the value set takes several versions of the system and the coding gives none: the newest
    /// that has the code, and the display when there is one.
    fn only_version(&self, includes: &[Include], wanted: &Wanted<'_>) -> Option<Box<str>> {
        if wanted.version.is_some() {
            return None;
        }
        let of_system = includes.iter().filter(|include| include.system.as_deref() == Some(wanted.system));
        let mut versions: Vec<_> = of_system.filter_map(|include| include.version.clone()).collect();
        versions.sort_by(|one, two| version::order(Some(two), Some(one)));
        versions.dedup();
        if versions.len() < 2 {
            return None;
        }
        let has = |version: &str| {
            let Some(system) = self.scope.system(wanted.system, Some(version)) else { return false };
            let Some(spot) = system.locate(wanted.code) else { return false };
            wanted.display.is_none_or(|display| system.names(&spot, None).all.iter().any(|name| name.value == display))
        };
        let found: Vec<_> = versions.iter().filter(|version| has(version)).collect();
        match found.len() {
            all if all == versions.len() => None,
            0 => versions.into_iter().next(),
            _ => found.first().map(|version| (*version).clone()),
        }
    }

    fn in_include(
        &mut self,
        value_set: &ValueSet,
        include: &Include,
        part: &Part,
        wanted: &Wanted<'_>,
        checked: &mut Checked,
    ) -> Option<bool> {
        let version = self.version_for(include, wanted);
        let Some(system) = self.scope.system(wanted.system, version.as_deref()) else {
            if self.request.is_true("valueset-membership-only") {
                return Some(false);
            }
            let (message, name) = unknown_message(self.scope, wanted.system, version.as_deref());
            self.messages.push(message.text.clone());
            if self.see_unknown(name) {
                let at = under(wanted.path, "system");
                self.issue(TxIssue::new(Error, "not-found", "not-found", message, &at));
            }
            return None;
        };
        self.check_version(&system, wanted.path);
        if let System::Defined(defined) = &system {
            self.check_status("CodeSystem", defined.header(), Some(&value_set.header));
        }
        let is_in = self.in_concepts(value_set, include, part, &system, wanted);
        if is_in {
            checked.version = system.version().map(str::to_owned);
            let own = include.concepts.iter().find(|concept| &*concept.code == wanted.code).cloned();
            let language = value_set.header.language.clone();
            checked.found =
                Some(Found { system, code: wanted.code.to_owned(), included: own.map(|concept| (concept, language)) });
        }
        Some(is_in)
    }

    /// Whether an include, in that edition of its system, has the code; with what there is to say of it.
    fn in_concepts(
        &mut self,
        value_set: &ValueSet,
        include: &Include,
        part: &Part,
        system: &System,
        wanted: &Wanted<'_>,
    ) -> bool {
        let lang = self.scope.lang;
        let is_whole = include.concepts.is_empty() && include.filters.is_empty();
        let at = under(wanted.path, "code");
        let is_quiet = self.request.is_true("valueset-membership-only");
        let Some(spot) = system.locate(wanted.code) else {
            if !is_whole || is_quiet {
                return false;
            }
            let (url, version) = (system.url(), system.version());
            if system.is_complete() {
                let message = message::unknown_code(lang, wanted.code, url, version);
                self.issue(TxIssue::new(Error, "code-invalid", "invalid-code", message, &at));
                return false;
            }
            let message = message::unknown_in_fragment(lang, wanted.code, url, version);
            self.issue(TxIssue::new(Warning, "code-invalid", "invalid-code", message, &at));
            return true;
        };
        if !selects(include, part, system, &spot, wanted.code) {
            return false;
        }
        if is_whole && spot.code != wanted.code {
            let message = message::case_difference(lang, wanted.code, &spot.code, &system.canonical());
            self.issue(TxIssue::new(Information, "business-rule", "code-rule", message, &at));
            self.normalized = Some(spot.code.clone().into_owned());
        }
        if spot.is_abstract && self.request.is_false("abstract") {
            let message = message::abstract_code(lang, system.url(), wanted.code);
            self.issue(TxIssue::new(Error, "business-rule", "code-rule", message, &at));
            return false;
        }
        if spot.is_inactive && (self.no_inactive || (is_whole && self.request.active_only == Some(true))) {
            self.see_inactive(&spot, wanted.path, wanted.code);
            if is_whole {
                let message = message::not_active(lang, wanted.code);
                self.issue(TxIssue::new(Error, "business-rule", "code-rule", message, &at));
            }
            return false;
        }
        if let Some(concept) = include.concepts.iter().find(|concept| &*concept.code == wanted.code) {
            self.check_deprecated_in_set(concept, system, &value_set.header, &at);
        }
        self.see_inactive(&spot, wanted.path, wanted.code);
        true
    }

    fn check_deprecated_in_set(&mut self, concept: &IncludedConcept, system: &System, set: &Header, at: &str) {
        const STANDARDS: &str = "http://hl7.org/fhir/StructureDefinition/structuredefinition-standards-status";
        const DEPRECATED: &str = "http://hl7.org/fhir/StructureDefinition/valueset-deprecated";
        let value = |url: &str| concept.extensions.iter().find(|ext| &*ext.url == url);
        let standards = value(STANDARDS).and_then(|ext| ext.value.as_ref()).map(|value| value.text());
        let status = match standards {
            Some(status @ ("withdrawn" | "deprecated")) => status,
            _ if value(DEPRECATED).is_some() => "deprecated",
            _ => return,
        };
        let message =
            message::deprecated_in_set(self.scope.lang, system.url(), &concept.code, status, &set.canonical());
        self.issue(TxIssue::new(Warning, "business-rule", "code-comment", message, at));
    }

    /// An exclude takes the code out. Nothing is said of it.
    fn is_excluded(&self, set: &Arc<Set>, wanted: &Wanted<'_>) -> bool {
        let Some(compose) = &set.value_set().compose else { return false };
        compose.exclude.iter().zip(set.excludes()).any(|(exclude, part)| {
            let by_system = match &exclude.system {
                None => true,
                Some(system) if &**system != wanted.system => false,
                Some(_) => {
                    let system = self.scope.system(wanted.system, exclude.version.as_deref());
                    system.is_some_and(|system| {
                        system
                            .locate(wanted.code)
                            .is_some_and(|spot| selects(exclude, part, &system, &spot, wanted.code))
                    })
                }
            };
            by_system
                && part.imports.iter().all(|import| import.member(Some(wanted.system), wanted.code, None).is_member())
        })
    }

    /// The version of the system to look in, when the include and the coding each say something.
    fn version_for(&mut self, include: &Include, wanted: &Wanted<'_>) -> Option<String> {
        let said = include.version.as_deref();
        let mut used = chosen(&self.scope.rules, wanted.system, said).0.map(str::to_owned);
        let Some(given) = wanted.version else { return used };
        let known = self.scope.source.code_systems(wanted.system);
        match &used {
            Some(pattern) if version::fits(pattern, given) => used = Some(given.to_owned()),
            Some(_) => {}
            None => {
                let has = known.iter().any(|system| system.version().is_some_and(|one| version::fits(given, one)));
                used = has.then(|| given.to_owned());
            }
        }
        let system = self.scope.system(wanted.system, used.as_deref());
        let found = system.as_ref().map(|system| system.version().unwrap_or_default().to_owned());
        match found {
            Some(version) if !version::fits(given, &version) => {
                self.say_mismatch(wanted, used.as_deref(), said, given, &version);
            }
            None if used.as_deref() != Some(given) => {
                let used = used.as_deref().unwrap_or_default();
                let message = message::version_mismatch(self.scope.lang, wanted.system, used, given);
                self.mismatch(Error, message, wanted.path);
            }
            _ => {}
        }
        used
    }

    fn say_mismatch(&mut self, wanted: &Wanted<'_>, used: Option<&str>, said: Option<&str>, given: &str, found: &str) {
        let lang = self.scope.lang;
        match used {
            None => {
                let message = message::version_mismatch_default(lang, wanted.system, found, given);
                self.mismatch(Warning, message, wanted.path);
            }
            Some(used) if said != Some(used) => {
                let said = said.unwrap_or_default();
                let message = message::version_mismatch_changed(lang, wanted.system, used, said, given);
                self.mismatch(Error, message, wanted.path);
            }
            Some(used) => {
                let message = message::version_mismatch(lang, wanted.system, used, given);
                self.mismatch(Error, message, wanted.path);
            }
        }
        if self.scope.system_as_said(wanted.system, Some(given)).is_none() {
            let (message, name) = unknown_message(self.scope, wanted.system, Some(given));
            self.messages.push(message.text.clone());
            self.see_unknown(name);
            self.issue(TxIssue::new(Error, "not-found", "not-found", message, &under(wanted.path, "system")));
        }
    }

    fn mismatch(&mut self, severity: Severity, message: Message, path: &str) {
        self.issue(TxIssue::new(severity, "invalid", "vs-invalid", message, &under(path, "version")));
    }
}

/// An include of the version that the coding means.
fn is_version_meant(includes: &[Include], include: &Include, only: &Option<Box<str>>, wanted: &Wanted<'_>) -> bool {
    if only.is_some() && include.version != *only {
        return false;
    }
    let Some(given) = wanted.version else { return true };
    let said = |one: &Include| one.version.as_deref() == Some(given);
    said(include) || !includes.iter().any(said)
}

/// The include takes the concept, in the edition that was found.
fn selects(include: &Include, part: &Part, system: &System, spot: &Spot<'_>, code: &str) -> bool {
    match (system, spot.id) {
        (System::Defined(system), Some(id)) => match &part.system {
            Some(PartSystem::Known { system: own, members }) if own.version() == system.version() => {
                members.contains(id)
            }
            _ => filter::selected(system, include).is_ok_and(|members| members.contains(id)),
        },
        _ => part.system.as_ref().is_some_and(|own| own.has(system.url(), code)),
    }
}

/// The remark that the status of a resource deserves, when `by` uses it.
pub(super) fn status_of(of: &Header, by: Option<&Header>) -> Option<&'static str> {
    match (of.standards_status.as_deref(), of.status.as_deref()) {
        (Some("deprecated"), _) => Some("MSG_DEPRECATED"),
        (Some("withdrawn"), _) => Some("MSG_WITHDRAWN"),
        (_, Some("retired")) => Some("MSG_RETIRED"),
        _ => {
            let by = by?;
            let is_draft = |header: &Header| {
                header.status.as_deref() == Some("draft") || header.standards_status.as_deref() == Some("draft")
            };
            if of.experimental == Some(true) {
                return (by.experimental != Some(true)).then_some("MSG_EXPERIMENTAL");
            }
            (is_draft(of) && !is_draft(by)).then_some("MSG_DRAFT")
        }
    }
}
