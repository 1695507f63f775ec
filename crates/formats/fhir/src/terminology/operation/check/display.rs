//! The display that came with a code: one of its names, in one of the languages asked for.

use socle_finding::Severity::{self, Error, Information, Warning};

use super::super::issue::TxIssue;
use super::super::language::{Languages, Names, squeezed_equal};
use super::super::message::{self, Displays};
use super::super::scope::System;
use super::super::validate::under;
use super::{Checked, Checker};
use crate::terminology::model::Coding;

impl Checker<'_, '_> {
    fn display_severity(&self) -> Severity {
        if self.request.is_true("lenient-display-validation") { Warning } else { Error }
    }

    /// The display of a code that is in the value set.
    pub(in super::super) fn check_display(
        &mut self,
        names: &Names<'_>,
        of: &Coding,
        display: &str,
        checked: &Checked,
        path: &str,
    ) {
        let languages = self.request.working_languages();
        let (system, code) = (of.system.as_deref().unwrap_or_default(), of.code.as_deref().unwrap_or_default());
        let lang = self.scope.lang;
        let at = under(path, "display");
        if names.has(languages, None, display, false) {
            if !names.has(languages, None, display, true) {
                let name = names.all.iter().find(|name| squeezed_equal(name.value, display));
                let status = name.and_then(|name| name.status).unwrap_or("inactive");
                let message = message::inactive_display(lang, display, code, &names.allowed().join(","), status);
                self.issue(TxIssue::new(Warning, "invalid", "display-comment", message, &at));
            }
            return;
        }
        let mut severity = self.display_severity();
        let mut count = names.count(languages, true);
        let displays_only = count > 0;
        if count == 0 {
            severity = Warning;
            count = names.count(languages, false);
        }
        let summary = languages.map_or_else(|| "--".to_owned(), Languages::summary);
        let or = self.or();
        let right = match count {
            0 => names.preferred(None).map(|name| name.value.to_owned()).unwrap_or_default(),
            _ => names.presented(languages, displays_only, or),
        };
        let about = Displays { given: display, system, code, count, right: &right, languages: &summary };
        let message = if count == 0 {
            let is_right = names.has(None, checked.default_language(), display, false);
            severity = if is_right { Information } else { self.display_severity() };
            message::display_in_other_language(lang, is_right, &about)
        } else {
            message::wrong_display(lang, names.has_but_for_spaces(languages, display), &about)
        };
        self.messages.push(message.text.clone());
        self.issue(TxIssue::new(severity, "invalid", "invalid-display", message, &at));
    }

    /// The display of a code that exists but is not in the value set.
    pub(in super::super) fn check_foreign_display(
        &mut self,
        names: &Names<'_>,
        system: &System,
        code: &str,
        display: &str,
        path: &str,
    ) {
        let languages = self.request.working_languages();
        if names.has(languages, Some(system.language()), display, false) {
            return;
        }
        let (lang, mut severity) = (self.scope.lang, self.display_severity());
        let count = names.count(languages, true);
        let message = if count == 0 {
            severity = Warning;
            message::no_display(lang, display, system.url(), code)
        } else {
            let right = names.presented(languages, true, self.or());
            let summary = languages.map_or_else(|| "--".to_owned(), Languages::summary);
            let about =
                Displays { given: display, system: system.url(), code, count, right: &right, languages: &summary };
            message::wrong_display(lang, names.has_but_for_spaces(languages, display), &about)
        };
        self.messages.push(message.text.clone());
        self.issue(TxIssue::new(severity, "invalid", "invalid-display", message, &under(path, "display")));
    }

    const fn or(&self) -> &'static str {
        match self.scope.lang {
            socle_finding::Lang::Fr => "ou",
            socle_finding::Lang::En => "or",
        }
    }
}
