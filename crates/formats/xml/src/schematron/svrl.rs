//! The outcome as SVRL (ISO/IEC 19757-3 annex D), for tools that read it.

use super::model::Role;
use super::run::{Outcome, Unchecked};

const NS: &str = "http://purl.oclc.org/dsdl/svrl";

impl Outcome<'_> {
    /// The report as an SVRL document. What could not be checked is a `failed-assert` with the role `unchecked`: a reader
    /// that knows nothing of Socle must not take silence for success.
    #[must_use]
    pub fn to_svrl(&self) -> String {
        let mut out = Svrl::default();
        out.0.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let schema = self.schema;
        out.open(
            "schematron-output",
            &[("xmlns:svrl", NS), ("title", &schema.title), ("schemaVersion", &schema.version)],
        );
        for (prefix, uri) in &schema.namespaces {
            out.empty("ns-prefix-in-attribute-values", &[("uri", uri), ("prefix", prefix)]);
        }
        let mut failures = self.failures.iter().peekable();
        let mut fired = self.fired.iter().enumerate().peekable();
        for (number, pattern) in (0_u32..).zip(&schema.patterns) {
            out.empty("active-pattern", &[("id", &pattern.id), ("name", &pattern.name)]);
            while let Some((place, rule)) = fired.next_if(|(_, rule)| rule.pattern == number) {
                let written = &schema.rules[rule.rule as usize];
                let role = written.role.map_or("", Role::name);
                out.empty("fired-rule", &[("context", &written.context), ("id", &written.id), ("role", role)]);
                while let Some(failure) = failures.next_if(|failure| failure.fired == place) {
                    let (name, check) = (
                        if self.is_report(failure) { "successful-report" } else { "failed-assert" },
                        self.check(failure),
                    );
                    let (id, see) = check.map_or(("", ""), |check| (&check.id, &check.see));
                    let role = self.role(failure).name();
                    let (test, location) = (self.test(failure), failure.location.as_str());
                    out.open(name, &[("test", test), ("id", id), ("role", role), ("see", see), ("location", location)]);
                    let named = check.map_or(&[][..], |check| &check.diagnostics);
                    for (at, text) in named.iter().zip(&failure.diagnostics) {
                        let id = schema.diagnostics.get(*at as usize).map_or("", |diagnostic| &diagnostic.id);
                        out.text("diagnostic-reference", &[("diagnostic", id)], text);
                    }
                    out.text("text", &[], &failure.text);
                    out.close(name);
                }
            }
        }
        self.unchecked.iter().for_each(|unchecked| self.write_unchecked(&mut out, unchecked));
        out.close("schematron-output");
        out.0
    }

    fn write_unchecked(&self, out: &mut Svrl, unchecked: &Unchecked<'_>) {
        let rule = self.schema.rules.get(unchecked.rule as usize).map_or("", |rule| &rule.context);
        let check = unchecked.check.and_then(|check| self.schema.checks.get(check as usize));
        let test = check.map_or(rule, |check| &check.test_text);
        let location = unchecked.node.location();
        out.open("failed-assert", &[("test", test), ("role", "unchecked"), ("location", &location)]);
        out.text("text", &[], &format!("Socle: non vérifié / not checked: {}", self.reason(unchecked).en));
        out.close("failed-assert");
    }
}

#[derive(Default)]
struct Svrl(String);

impl Svrl {
    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.0.push_str("<svrl:");
        self.0.push_str(name);
        for (name, value) in attributes.iter().filter(|(_, value)| !value.is_empty()) {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            escape(value, &mut self.0);
            self.0.push('"');
        }
    }

    fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push_str(">\n");
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.0.push_str("/>\n");
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.0.push('>');
        escape(text, &mut self.0);
        self.close(name);
    }

    fn close(&mut self, name: &str) {
        self.0.push_str("</svrl:");
        self.0.push_str(name);
        self.0.push_str(">\n");
    }
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
}
