//! From a value of a resource to the entries that it is found by, by the type of the search parameter
//! (FHIR R4 §3.1.1.4).

use std::sync::Arc;

use socle_fhir::definitions::{PrimitiveKind, SearchKind, types};
use socle_fhir::fhirpath::{Decimal, Element, Item};
use socle_fhir::{Node, ucum};
use socle_store::{Entry, Key};

use crate::values::{fold, interval, ordered};

/// The entries of one value.
pub(crate) fn entries(name: &Arc<str>, kind: SearchKind, value: &Item<'_>, base: &str, out: &mut Vec<Entry>) {
    let mut found = Found { name, out };
    match (kind, value) {
        (SearchKind::Token, Item::Boolean(value)) => found.code("", &value.to_string()),
        (_, Item::Element(element)) => {
            let node = element.node();
            let type_name = types().name(element.type_id());
            match kind {
                SearchKind::Token => found.token(*element, node, type_name),
                SearchKind::String => found.string(*element, node, type_name),
                SearchKind::Date => found.date(*element, node, type_name),
                SearchKind::Number => found.number(*element, node),
                SearchKind::Quantity => found.quantity(node, type_name),
                SearchKind::Uri => found.uri(*element),
                SearchKind::Reference => found.reference(*element, node, base),
                SearchKind::Composite | SearchKind::Special => {}
            }
        }
        _ => {}
    }
}

struct Found<'a> {
    name: &'a Arc<str>,
    out: &'a mut Vec<Entry>,
}

impl Found<'_> {
    fn put(&mut self, key: Key) {
        self.out.push(Entry { name: Arc::clone(self.name), value: key });
    }

    /// A code is found with its system, without it, and by its system alone.
    fn code(&mut self, system: &str, code: &str) {
        if !code.is_empty() {
            self.put(Key::Exact(code.to_owned()));
            self.put(Key::Exact(format!("{system}|{code}")));
        }
        if !system.is_empty() {
            self.put(Key::Exact(format!("{system}|")));
        }
    }

    /// What `:text` looks at.
    fn words(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.put(Key::Text { folded: fold(text), written: text.to_owned() });
        }
    }

    fn coding(&mut self, node: Node<'_>) {
        self.code(node.text("system").unwrap_or_default(), node.text("code").unwrap_or_default());
        self.words(node.text("display"));
    }

    fn token(&mut self, element: Element<'_>, node: Node<'_>, type_name: &str) {
        match type_name {
            "Coding" => self.coding(node),
            "CodeableConcept" => {
                node.all("coding").for_each(|coding| self.coding(coding));
                self.words(node.text("text"));
            }
            "Identifier" => self.identifier(node),
            // The use takes the place of a system (FHIR R4 §3.1.1.4.10).
            "ContactPoint" => {
                self.code(node.text("use").unwrap_or_default(), node.text("value").unwrap_or_default());
            }
            _ => {
                if let Some(text) = element.text() {
                    self.code("", text);
                }
            }
        }
    }

    fn identifier(&mut self, node: Node<'_>) {
        let value = node.text("value").unwrap_or_default();
        self.code(node.text("system").unwrap_or_default(), value);
        let Some(kind) = node.get("type") else { return };
        self.words(kind.text("text"));
        for coding in kind.all("coding") {
            let (system, code) = (coding.text("system").unwrap_or_default(), coding.text("code").unwrap_or_default());
            self.put(Key::Exact(of_type(system, code, value)));
        }
    }

    fn string(&mut self, element: Element<'_>, node: Node<'_>, type_name: &str) {
        let (singles, lists): (&[&str], &[&str]) = match type_name {
            "HumanName" => (&["text", "family"], &["given", "prefix", "suffix"]),
            "Address" => (&["text", "city", "district", "state", "postalCode", "country"], &["line"]),
            _ => {
                self.words(element.text());
                return;
            }
        };
        for single in singles {
            self.words(node.text(single));
        }
        for list in lists {
            node.all(list).for_each(|item| self.words(item.str()));
        }
    }

    fn date(&mut self, element: Element<'_>, node: Node<'_>, type_name: &str) {
        match type_name {
            "Period" => self.period(node),
            "Timing" => {
                node.all("event").for_each(|event| self.moment(event.str()));
                if let Some(bounds) = node.at(&["repeat", "boundsPeriod"]) {
                    self.period(bounds);
                }
            }
            _ => self.moment(element.text()),
        }
    }

    fn moment(&mut self, text: Option<&str>) {
        if let Some((low, high)) = text.and_then(interval) {
            self.put(Key::Range { unit: String::new(), low, high });
        }
    }

    /// An end that is not said is open (FHIR R4 §3.1.1.4.7).
    fn period(&mut self, node: Node<'_>) {
        let end = |name| node.text(name).map(interval);
        let (low, high) = match (end("start"), end("end")) {
            (None, None) | (Some(None), _) | (_, Some(None)) => return,
            (start, end) => (start.flatten().map_or(i64::MIN, |it| it.0), end.flatten().map_or(i64::MAX, |it| it.1)),
        };
        self.put(Key::Range { unit: String::new(), low, high });
    }

    fn number(&mut self, element: Element<'_>, node: Node<'_>) {
        if let Some(key) = element.text().and_then(read_number) {
            self.put(Key::Range { unit: String::new(), low: key, high: key });
        } else if types().name(element.type_id()) == "Range" {
            self.range(node, &["low", "value"], &["high", "value"]);
        }
    }

    fn range(&mut self, node: Node<'_>, low: &[&str], high: &[&str]) {
        let end = |way| node.at(way).and_then(Node::number).and_then(read_number);
        let (low, high) = (end(low), end(high));
        if low.is_some() || high.is_some() {
            self.put(Key::Range { unit: String::new(), low: low.unwrap_or(i64::MIN), high: high.unwrap_or(i64::MAX) });
        }
    }

    /// A quantity is found by its number alone, with its unit as written, and in base units.
    fn quantity(&mut self, node: Node<'_>, type_name: &str) {
        let Some(value) = node.get("value").and_then(Node::number).and_then(|text| text.parse::<Decimal>().ok()) else {
            return;
        };
        let Some(key) = ordered(value) else { return };
        let mut put = |unit: String| self.put(Key::Range { unit, low: key, high: key });
        put(String::new());
        if type_name == "Money" {
            if let Some(currency) = node.text("currency") {
                put(coded_unit("urn:iso:std:iso:4217", currency));
                put(coded_unit("", currency));
            }
            return;
        }
        let (system, code) = (node.text("system").unwrap_or_default(), node.text("code"));
        if let Some(code) = code {
            put(coded_unit("", code));
            put(coded_unit(system, code));
        }
        if let Some(unit) = node.text("unit").filter(|unit| Some(*unit) != code) {
            put(coded_unit("", unit));
        }
        if let Some((unit, value)) = code.filter(|_| system == ucum::SYSTEM).and_then(|code| canonical(code, value))
            && let Some(key) = ordered(value)
        {
            self.put(Key::Range { unit, low: key, high: key });
        }
    }

    fn uri(&mut self, element: Element<'_>) {
        let Some(text) = element.text() else { return };
        self.put(Key::Text { folded: text.to_owned(), written: String::new() });
        // A canonical is found without its version, too.
        if types().primitive(element.type_id()) == Some(PrimitiveKind::Canonical)
            && let Some((url, _)) = text.split_once('|')
        {
            self.put(Key::Text { folded: url.to_owned(), written: String::new() });
        }
    }

    fn reference(&mut self, element: Element<'_>, node: Node<'_>, base: &str) {
        if let Some(text) = element.text() {
            self.put(outside(text));
            if let Some((url, _)) = text.split_once('|') {
                self.put(outside(url));
            }
            return;
        }
        if let Some(text) = node.text("reference")
            && let Some(key) = link(text, base)
        {
            self.put(key);
        }
        if let Some(identifier) = node.get("identifier") {
            let name: Arc<str> = format!("{}:identifier", self.name).into();
            Found { name: &name, out: self.out }.identifier(identifier);
        }
    }
}

/// The word of `:of-type` (FHIR R4 §3.1.1.4.10).
pub(crate) fn of_type(system: &str, code: &str, value: &str) -> String {
    format!("type {system}|{code}|{value}")
}

/// The scale of a unit as it is written.
pub(crate) fn coded_unit(system: &str, code: &str) -> String {
    format!("{system}|{code}")
}

/// The scale of base units, and the value on it.
pub(crate) fn canonical(code: &str, value: Decimal) -> Option<(String, Decimal)> {
    let unit = ucum::Unit::parse(code).ok()?;
    Some((format!("base {}", unit.canonical()), unit.to_canonical(value)?))
}

fn read_number(text: &str) -> Option<i64> {
    ordered(text.parse().ok()?)
}

fn outside(url: &str) -> Key {
    Key::Link { kind: String::new(), id: url.chars().take(250).collect() }
}

/// Where a reference leads: into this base, or outside; nowhere for one inside its own document.
pub(crate) fn link(text: &str, base: &str) -> Option<Key> {
    if text.starts_with('#') || text.contains('?') {
        return None;
    }
    let relative = text.strip_prefix(base).map_or(text, |rest| rest.trim_start_matches('/'));
    let relative = relative.split_once("/_history/").map_or(relative, |(path, _)| path);
    if let Some((kind, id)) = relative.split_once('/')
        && types().resource(kind).is_some()
        && crate::resource::is_id(id)
    {
        return Some(Key::Link { kind: kind.to_owned(), id: id.to_owned() });
    }
    Some(outside(text))
}
