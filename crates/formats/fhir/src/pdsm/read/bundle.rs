//! The entries of a transaction, and where a reference leads.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use super::issues;
use crate::datatypes::Identifier;
use crate::outcome::{Issue, Issues};
use crate::pdsm::names;
use crate::tape::Node;

/// The entries, found by `fullUrl` and by type and id.
pub(super) struct Bundle<'a> {
    root: Node<'a>,
    entries: Vec<Entry<'a>>,
    by_url: HashMap<&'a str, usize>,
    by_id: HashMap<(&'a str, &'a str), usize>,
    /// Entries that something refers to.
    named: RefCell<HashSet<usize>>,
}

struct Entry<'a> {
    resource: Node<'a>,
    kind: &'a str,
}

impl<'a> Bundle<'a> {
    /// No entry: the resource stands alone.
    pub(super) fn alone(root: Node<'a>) -> Self {
        Self { root, entries: Vec::new(), by_url: HashMap::new(), by_id: HashMap::new(), named: RefCell::default() }
    }

    /// Reads the entries; none when the resource is no transaction.
    pub(super) fn read(root: Node<'a>, issues: &mut Issues) -> Option<Self> {
        if root.resource_type() != Some("Bundle") {
            issues.push(issues::not_a_bundle().at(root));
            return None;
        }
        if root.text("type") != Some("transaction") {
            let place = root.get("type").unwrap_or(root);
            issues.push(issues::not_a_transaction().at(place));
        }
        let mut bundle = Self::alone(root);
        for entry in root.all("entry") {
            bundle.add(entry, issues);
        }
        Some(bundle)
    }

    fn add(&mut self, entry: Node<'a>, issues: &mut Issues) {
        let resource = entry.get("resource");
        let Some((resource, kind)) = resource.and_then(|resource| Some((resource, resource.resource_type()?))) else {
            issues.push(issues::missing("Bundle.entry.resource").missing_in(entry, "resource"));
            return;
        };
        check_request(entry, kind, issues);
        if !matches!(kind, "List" | "DocumentReference" | "Binary" | "Patient") {
            issues.push(issues::unexpected_resource().at(resource));
        }
        let at = self.entries.len();
        self.entries.push(Entry { resource, kind });
        if let Some(url) = entry.text("fullUrl")
            && self.by_url.insert(url, at).is_some()
        {
            issues.push(issues::same_full_url().at(entry));
        }
        if let Some(id) = resource.text("id").or_else(|| id_in_url(entry, kind)) {
            self.by_id.insert((kind, id), at);
        }
    }

    pub(super) const fn root(&self) -> Node<'a> {
        self.root
    }

    pub(super) const fn len(&self) -> usize {
        self.entries.len()
    }

    /// The resources of a type, each with its place among the entries.
    pub(super) fn resources(&self, kind: &'static str) -> impl Iterator<Item = (usize, Node<'a>)> {
        let entries = self.entries.iter().enumerate();
        entries.filter(move |(_, entry)| entry.kind == kind).map(|(at, entry)| (at, entry.resource))
    }

    pub(super) fn resource(&self, at: usize) -> Option<Node<'a>> {
        self.entries.get(at).map(|entry| entry.resource)
    }

    /// The one lot; folders and second lots are refused by name.
    pub(super) fn submission_set(&self, issues: &mut Issues) -> Option<Node<'a>> {
        let mut lot = None;
        for (_, list) in self.resources("List") {
            match list_type(list) {
                Some("submissionset") if lot.is_none() => lot = Some(list),
                Some("submissionset") => issues.push(issues::several_lots().at(list)),
                Some("folder") => issues.push(issues::folder().at(list)),
                _ => issues.push(issues::list_without_type().missing_in(list, "code")),
            }
        }
        if lot.is_none() {
            issues.push(issues::no_lot().missing_in(self.root(), "entry"));
        }
        lot
    }

    /// A Binary or a Patient that nothing refers to would be lost in silence.
    pub(super) fn refuse_what_nobody_names(&self, issues: &mut Issues) {
        let named = self.named.borrow();
        for (at, entry) in self.entries.iter().enumerate() {
            if matches!(entry.kind, "Binary" | "Patient") && !named.contains(&at) {
                issues.push(issues::unnamed_entry().at(entry.resource));
            }
        }
    }

    fn find(&self, reference: &str) -> Option<usize> {
        if let Some(at) = self.by_url.get(reference) {
            return Some(*at);
        }
        let versionless = reference.split_once("/_history/").map_or(reference, |(before, _)| before);
        let (kind, id) = versionless.split_once('/').filter(|(_, id)| !id.contains('/'))?;
        self.by_id.get(&(kind, id)).copied()
    }
}

/// `https://server/fhir/Binary/12` is what `Binary/12` leads to (FHIR R4 §3.1.0.11.2).
fn id_in_url<'a>(entry: Node<'a>, kind: &str) -> Option<&'a str> {
    let (before, id) = entry.text("fullUrl")?.rsplit_once('/')?;
    before.ends_with(kind).then_some(id)
}

fn check_request(entry: Node<'_>, kind: &str, issues: &mut Issues) {
    let Some(method) = entry.at(&["request", "method"]) else {
        issues.push(issues::missing("Bundle.entry.request.method").missing_in(entry, "request.method"));
        return;
    };
    let is_right = match kind {
        "Patient" => matches!(method.str(), Some("POST" | "PUT")),
        _ => method.str() == Some("POST"),
    };
    if !is_right {
        issues.push(issues::bad_method().at(method));
    }
}

fn list_type(list: Node<'_>) -> Option<&str> {
    let mut codings = list.get("code")?.all("coding");
    codings.find(|coding| coding.text("system") == Some(names::LIST_TYPES))?.text("code")
}

/// Where references are written: in a resource of a bundle, or in one that stands alone.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) bundle: &'a Bundle<'a>,
    /// The resource that is not contained in another.
    pub(super) owner: Node<'a>,
}

/// Where a reference leads.
pub(super) enum Target<'a> {
    /// To a resource inside its owner.
    Contained(Node<'a>),
    /// To an entry of the bundle.
    Entry(usize, Node<'a>),
    /// To a resource of the receiver.
    Elsewhere(&'a str),
    /// To whoever has that identifier.
    Named(Identifier),
    /// Nowhere.
    Broken(Box<Issue>),
}

impl<'a> Target<'a> {
    /// The resource, when it came along.
    pub(super) fn resource(&self) -> Option<Node<'a>> {
        match self {
            Self::Contained(node) | Self::Entry(_, node) => Some(*node),
            _ => None,
        }
    }
}

impl<'a> Scope<'a> {
    /// Follows a Reference (FHIR R4 §2.36.2, §3.1.0.11.2; a search `Patient?identifier=` counts as a name).
    pub(super) fn resolve(self, reference: Node<'a>) -> Target<'a> {
        let Some(text) = reference.text("reference") else {
            let identifier = reference.get("identifier").and_then(Identifier::read);
            return identifier.map_or_else(|| broken(issues::empty_reference().at(reference)), Target::Named);
        };
        self.follow(text, reference)
    }

    /// The entry that a Reference leads to.
    pub(super) fn entry(self, reference: Node<'a>) -> Option<(usize, Node<'a>)> {
        match self.resolve(reference) {
            Target::Entry(at, node) => Some((at, node)),
            _ => None,
        }
    }

    /// Follows the text of a reference; `node` is where it is written.
    pub(super) fn follow(self, text: &'a str, node: Node<'a>) -> Target<'a> {
        if let Some(id) = text.strip_prefix('#') {
            let found = self.owner.all("contained").find(|contained| contained.text("id") == Some(id));
            return found.map_or_else(|| broken(issues::not_contained().at(node)), Target::Contained);
        }
        if let Some(at) = self.bundle.find(text)
            && let Some(resource) = self.bundle.resource(at)
        {
            self.bundle.named.borrow_mut().insert(at);
            return Target::Entry(at, resource);
        }
        if text.starts_with("urn:") {
            return broken(issues::unresolved().at(node));
        }
        match text.split_once("?identifier=") {
            Some((_, token)) => {
                let token = token.replace("%7C", "|").replace("%7c", "|");
                Identifier::from_token(&token).map_or_else(|| broken(issues::bad_search().at(node)), Target::Named)
            }
            None if text.contains('?') => broken(issues::bad_search().at(node)),
            None => Target::Elsewhere(text),
        }
    }
}

fn broken<'a>(issue: Issue) -> Target<'a> {
    Target::Broken(Box::new(issue))
}
