//! References: their form, what they may point at, and what they do point at inside the document
//! (FHIR R4 §2.26.0.3, §2.36.4).

use std::collections::HashMap;

use socle_finding::{Severity, Text};

use super::Walk;
use super::say::{both, r4, rule_of};
use crate::profile::library::Followed;
use crate::profile::primitive::is_id;
use crate::profile::program::{Program, Spec, Target, TypeSpec};
use crate::tape::{Kind, Node};

/// What references of the document can point at.
pub(super) struct Targets<'d> {
    /// Entries by `fullUrl`.
    by_url: HashMap<&'d str, Vec<Node<'d>>>,
    /// Entries by `Type/id`.
    by_id: HashMap<String, Vec<Node<'d>>>,
}

impl<'d> Targets<'d> {
    fn of(root: Node<'d>) -> Self {
        let mut targets = Self { by_url: HashMap::new(), by_id: HashMap::new() };
        if root.resource_type() != Some("Bundle") {
            return targets;
        }
        for entry in root.all("entry") {
            if let Some(url) = entry.text("fullUrl") {
                targets.by_url.entry(url).or_default().push(entry);
            }
            if let Some(resource) = entry.get("resource")
                && let (Some(kind), Some(id)) = (resource.resource_type(), resource.text("id"))
            {
                targets.by_id.entry(format!("{kind}/{id}")).or_default().push(entry);
            }
        }
        targets
    }
}

/// The type that a reference says by its form: `Patient/1`, `https://a/fhir/Patient/1/_history/2`.
pub(super) fn type_in(reference: &str) -> Option<&str> {
    if reference.starts_with('#') || reference.starts_with("urn:") {
        return None;
    }
    let plain = reference.split(['?', '|']).next().unwrap_or_default();
    let plain = plain.split("/_history/").next().unwrap_or(plain);
    if reference.contains('?') {
        return plain.rsplit('/').next().filter(|kind| looks_like_type(kind));
    }
    let (before, id) = plain.rsplit_once('/')?;
    let kind = before.rsplit('/').next()?;
    (is_id(id) && looks_like_type(kind)).then_some(kind)
}

fn looks_like_type(name: &str) -> bool {
    crate::definitions::types().resource(name).is_some()
}

fn is_absolute(reference: &str) -> bool {
    reference.split(['/', '?', '#']).next().is_some_and(|head| head.contains(':'))
}

fn without_version(reference: &str) -> &str {
    reference.split("/_history/").next().unwrap_or(reference)
}

impl<'d> Walk<'_, 'd> {
    /// The resource that a reference points at, when it is in the document.
    pub(super) fn resolve(&mut self, reference: &str, from: Node<'d>) -> Option<Node<'d>> {
        if let Some(id) = reference.strip_prefix('#') {
            let container = container(from)?;
            if id.is_empty() {
                return Some(container);
            }
            return container.all("contained").find(|resource| resource.text("id") == Some(id));
        }
        let found = self.entries(reference, from);
        found.first().and_then(|entry| entry.get("resource"))
    }

    /// The entries of the bundle that a reference may mean, by the rules on `fullUrl` (FHIR R4 §2.36.4.1).
    pub(super) fn entries(&mut self, reference: &str, from: Node<'d>) -> Vec<Node<'d>> {
        let root = self.document.root();
        let targets = self.targets.get_or_insert_with(|| Targets::of(root));
        let by_url = |url: &str| targets.by_url.get(url).cloned().unwrap_or_default();
        let plain = without_version(reference);
        let version = reference.strip_prefix(plain).and_then(|rest| rest.strip_prefix("/_history/"));
        let mut found = if is_absolute(plain) {
            by_url(plain)
        } else {
            match entry(from).and_then(|entry| entry.text("fullUrl")).and_then(base_of) {
                Some(base) => by_url(&format!("{base}{plain}")),
                None => targets.by_id.get(plain).cloned().unwrap_or_default(),
            }
        };
        if let Some(version) = version {
            found.retain(|entry| {
                entry.at(&["resource", "meta"]).and_then(|meta| meta.text("versionId")) == Some(version)
            });
        }
        found
    }

    /// A reference of an element, in both modes.
    pub(super) fn reference(&mut self, node: Node<'d>, program: &Program, spec: &Spec, of: &TypeSpec) {
        let Some(at) = node.get("reference") else { return };
        let Some(reference) = at.str() else { return };
        let target = self.resolve(reference, node);
        if let (Some(said), Some(found)) = (type_in(reference), target.and_then(Node::resource_type))
            && said != found
        {
            self.error(
                at,
                r4("2.36.4.1"),
                both(
                    format!("la référence dit {said}, la ressource trouvée est {found}"),
                    format!("the reference says {said}, the resource found is {found}"),
                ),
                Text::fixed(
                    "corrigez la référence ou le fullUrl de l'entrée",
                    "mend the reference or the fullUrl of the entry",
                ),
            );
            return;
        }
        if target.is_none() && self.has_other_type(at, reference) {
            return;
        }
        let said = type_in(reference).or_else(|| node.text("type"));
        let kind = target.and_then(Node::resource_type).or(said);
        let Some(kind) = kind else { return };
        self.aggregation(at, reference, target, program, spec, of);
        if of.targets.is_empty() {
            return;
        }
        let fits = |target: &&Target| {
            target.kind.as_deref().is_none_or(|of| of == kind || matches!(of, "Resource" | "DomainResource"))
        };
        let fitting: Vec<&Target> = of.targets.iter().filter(fits).collect();
        if fitting.is_empty() {
            if target.is_none() && !self.options.reference_types {
                return;
            }
            self.wrong_target(at, program, spec, of, kind);
            return;
        }
        let Some(target) = target else { return };
        if fitting.iter().any(|target| target.is_type) {
            return;
        }
        let mut unknown = false;
        for fitting in &fitting {
            match self.library.follow(&fitting.canonical) {
                Followed::Type(_) => return,
                Followed::Unknown => unknown = true,
                Followed::Profile(wanted) => {
                    if self.follows(target, &wanted) {
                        return;
                    }
                }
            }
        }
        if !unknown {
            self.no_target_profile(at, program, spec, &fitting);
        }
    }

    /// In a bundle of `urn:uuid:` addresses, `Practitioner/5d95…` may mean the entry of that UUID; when that is an
    /// Organization, one of the two is wrong.
    fn has_other_type(&mut self, at: Node<'d>, reference: &str) -> bool {
        let Some((said, id)) = reference.split_once('/') else { return false };
        let is_uuid = id.len() == 36 && uuid::Uuid::try_parse(id).is_ok();
        if !is_uuid || !looks_like_type(said) || entry(at).is_none() {
            return false;
        }
        let found = self.entries(&format!("urn:uuid:{id}"), at);
        let kind = found.first().and_then(|entry| entry.get("resource")).and_then(Node::resource_type);
        let Some(found) = kind.filter(|kind| *kind != said) else { return false };
        self.error(
            at,
            r4("2.36.4.1"),
            both(
                format!("la référence dit {said}, l'entrée de cet UUID est {found}"),
                format!("the reference says {said}, the entry of this UUID is {found}"),
            ),
            Text::fixed(
                "référencez l'entrée par son fullUrl urn:uuid:…, et corrigez le type",
                "refer to the entry by its fullUrl urn:uuid:…, and mend the type",
            ),
        );
        true
    }

    /// `contained`, `bundled`, `referenced`: how the target is to be had (FHIR R4 §5.1.0.11).
    fn aggregation(
        &mut self,
        at: Node<'d>,
        reference: &str,
        target: Option<Node<'d>>,
        program: &Program,
        spec: &Spec,
        of: &TypeSpec,
    ) {
        let asked = |mode: &str| of.aggregation.iter().any(|own| **own == *mode);
        let is = if reference.starts_with('#') {
            "contained"
        } else if target.is_some() {
            "bundled"
        } else {
            "referenced"
        };
        // What is bundled is referred to as well.
        if of.aggregation.is_empty() || asked(is) || (is == "bundled" && asked("referenced")) {
            return;
        }
        let (id, modes) = (program.id(spec).to_owned(), of.aggregation.join(", "));
        self.error(
            at,
            rule_of(program, format!("{id} aggregation")),
            both(
                format!("la ressource référencée doit être donnée autrement : {modes}"),
                format!("the resource referred to has to be given otherwise: {modes}"),
            ),
            Text::fixed(
                "contained : mettez la ressource dans contained et « #id » dans la référence ; bundled : mettez-la dans \
                 une entrée du même Bundle",
                "contained: put the resource in contained and \"#id\" in the reference; bundled: put it in an entry of \
                 the same Bundle",
            ),
        );
    }

    fn wrong_target(&mut self, at: Node<'d>, program: &Program, spec: &Spec, of: &TypeSpec, kind: &str) {
        let id = program.id(spec).to_owned();
        let mut allowed: Vec<&str> = of.targets.iter().filter_map(|target| target.kind.as_deref()).collect();
        allowed.dedup();
        let allowed = allowed.join(", ");
        self.error(
            at,
            rule_of(program, format!("{id} targetProfile")),
            both(
                format!("la référence mène à {kind}, or {id} n'admet que : {allowed}"),
                format!("the reference leads to {kind}, but {id} allows only: {allowed}"),
            ),
            Text::fixed("référencez une ressource d'un type permis", "refer to a resource of an allowed type"),
        );
    }

    fn no_target_profile(&mut self, at: Node<'d>, program: &Program, spec: &Spec, wanted: &[&Target]) {
        let id = program.id(spec).to_owned();
        let names: Vec<&str> = wanted.iter().map(|target| &*target.canonical).collect();
        let names = names.join(", ");
        self.error(
            at,
            rule_of(program, format!("{id} targetProfile")),
            both(
                format!("la ressource référencée ne suit aucun des profils demandés : {names}"),
                format!("the resource referred to follows none of the profiles asked for: {names}"),
            ),
            Text::fixed(
                "validez cette ressource contre le profil pour voir ce qui manque",
                "validate that resource against the profile to see what is missing",
            ),
        );
    }

    /// The form of a reference: contained ones exist, relative ones are `Type/id`.
    pub(super) fn reference_form(&mut self, node: Node<'d>) {
        let Some(at) = node.get("reference") else { return };
        let Some(reference) = at.str() else { return };
        if reference.starts_with('#') {
            if self.resolve(reference, node).is_none() {
                self.error(
                    at,
                    r4("2.26.0.3"),
                    Text::fixed("aucune ressource contenue n'a cet identifiant", "no contained resource has this id"),
                    Text::fixed(
                        "ajoutez la ressource dans contained, avec cet id",
                        "add the resource to contained, with this id",
                    ),
                );
            }
            return;
        }
        if is_absolute(reference) || reference.contains('?') || reference.is_empty() {
            return;
        }
        if type_in(reference).is_none() && self.options.strict_references {
            // In a bundle nothing can be found by it; alone, a server may still know.
            let severity = if entry(node).is_some() { Severity::Error } else { Severity::Warning };
            self.say(
                severity,
                at,
                r4("2.26.0.3"),
                Text::fixed("une référence relative s'écrit Type/id", "a relative reference is written Type/id"),
                Text::fixed(
                    "écrivez par exemple Patient/123, ou une URL absolue",
                    "write Patient/123 for instance, or an absolute URL",
                ),
            );
        }
        if let (Some(said), Some(kind)) = (node.text("type"), type_in(reference))
            && said != kind
        {
            self.error(
                at,
                r4("2.26.0.3"),
                Text::fixed(
                    "type et reference disent deux types différents",
                    "type and reference say two different types",
                ),
                Text::fixed("corrigez l'un des deux", "mend one of them"),
            );
        }
    }
}

/// The resource that contains what a node is in; not a contained one.
fn container(from: Node<'_>) -> Option<Node<'_>> {
    let mut here = Some(from);
    while let Some(node) = here {
        let is_resource = node.kind() == Kind::Object && node.resource_type().is_some();
        if is_resource && node.parent().and_then(Node::name) != Some("contained") {
            return Some(node);
        }
        here = node.parent();
    }
    None
}

/// The entry of the outermost bundle that a node is in.
pub(super) fn entry(from: Node<'_>) -> Option<Node<'_>> {
    let (mut here, mut last) = (from, None);
    while let Some(parent) = here.parent() {
        let is_bundle = || parent.parent().and_then(Node::resource_type) == Some("Bundle");
        if parent.name() == Some("entry") && parent.kind() == Kind::Array && is_bundle() {
            last = Some(here);
        }
        here = parent;
    }
    last
}

/// `https://a/fhir/` of `https://a/fhir/Patient/1`; none for what is no RESTful URL.
pub(super) fn base_of(full_url: &str) -> Option<&str> {
    let kind = type_in(full_url)?;
    if !full_url.starts_with("http") {
        return None;
    }
    let plain = without_version(full_url);
    let (before, _) = plain.rsplit_once('/')?;
    before.strip_suffix(kind)
}
