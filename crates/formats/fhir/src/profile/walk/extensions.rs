//! Extensions: the URL, the definition, where it may stand (FHIR R4 §2.4).

use socle_finding::Text;

use super::Walk;
use super::say::{both, r4, rule_of};
use crate::definitions::{ContextKind, TypeId, TypeKind, types};
use crate::profile::library::Followed;
use crate::profile::program::{Code, Program, Spec};
use crate::profile::report::Subject;
use crate::profile::slicing::TestRule;
use crate::tape::{Kind, NameId, Node};

impl<'d> Walk<'_, 'd> {
    pub(super) fn extension(&mut self, node: Node<'d>) {
        let Some(at) = node.get("url") else {
            self.error(
                node,
                r4("2.4.1"),
                Text::fixed("une extension sans URL ne dit rien", "an extension without URL says nothing"),
                Text::fixed("ajoutez son URL", "add its URL"),
            );
            return;
        };
        let Some(url) = at.str().filter(|url| !url.is_empty()) else { return };
        let holder = holder(node);
        let is_inner = holder.is_some_and(is_extension);
        if !url.contains(':') {
            if !is_inner {
                self.error(
                    at,
                    r4("2.4.1"),
                    Text::fixed("l'URL d'une extension est absolue", "the URL of an extension is absolute"),
                    Text::fixed("écrivez l'URL entière de sa définition", "write the whole URL of its definition"),
                );
            }
            return;
        }
        if url.contains('|') {
            self.error(
                at,
                r4("2.4.1"),
                Text::fixed(
                    "l'URL d'une extension ne porte pas de version",
                    "the URL of an extension carries no version",
                ),
                Text::fixed("retirez ce qui suit |", "remove what follows |"),
            );
        }
        let plain = url.split('|').next().unwrap_or(url);
        match self.library.follow(plain) {
            Followed::Profile(program) if &*program.structure.type_name == "Extension" => {
                self.against(node, &program);
                self.inner_urls(node, &program);
                self.context(node, holder, &program);
                self.modifier(node, &program);
            }
            _ => self.unknown_extension(at, url),
        }
    }

    fn unknown_extension(&mut self, at: Node<'d>, url: &str) {
        self.not_checked(Subject::Extension, url, at);
        let hl7 = url.starts_with("http://hl7.org/fhir/StructureDefinition/");
        if is_example(url) && !self.options.example_urls {
            self.error(
                at,
                r4("2.4.1"),
                Text::fixed("une URL d'exemple n'a pas sa place ici", "an example URL has no place here"),
                Text::fixed("mettez l'URL de la vraie définition", "put the URL of the real definition"),
            );
        } else if hl7 || is_cross_version(url) || is_example(url) {
            return;
        }
        let severity = self.options.unknown_extension;
        self.say(
            severity,
            at,
            r4("2.4.1"),
            both(
                format!("l'extension {url} n'est pas connue : elle n'est pas vérifiée"),
                format!("the extension {url} is not known: it is not checked"),
            ),
            Text::fixed(
                "ajoutez le paquet qui la définit (socle package add) ou donnez-la par --with",
                "add the package that defines it (socle package add) or give it by --with",
            ),
        );
    }

    /// The relative URLs inside a complex extension are those of its definition.
    fn inner_urls(&mut self, node: Node<'d>, program: &Program) {
        let Some(children) = &program.root().children else { return };
        let inner = children.list.iter().map(|at| &program.specs[*at as usize]);
        let inner = inner.filter(|spec| program.element(spec).path.ends_with(".extension"));
        let Some(slicing) = inner.filter_map(|spec| spec.slicing.as_ref()).next() else { return };
        for extension in node.all("extension") {
            let Some(at) = extension.get("url") else { continue };
            let Some(url) = at.str().filter(|url| !url.contains(':') && !url.is_empty()) else { continue };
            let known = slicing.slices.iter().flat_map(|slice| &slice.tests).any(|test| match &test.rule {
                TestRule::Fixed(value) | TestRule::Pattern(value) => value.node().str() == Some(url),
                TestRule::Url(known) => &**known == url,
                _ => true,
            });
            if !known {
                self.error(
                    extension,
                    rule_of(program, "Extension.extension"),
                    Text::fixed(
                        "la définition de l'extension ne connaît pas cette partie",
                        "the definition of the extension knows no such part",
                    ),
                    Text::fixed("corrigez l'url de la partie", "mend the url of the part"),
                );
            }
        }
    }

    fn modifier(&mut self, node: Node<'d>, program: &Program) {
        let name = node.name().or_else(|| node.parent().and_then(Node::name));
        let stands_as_modifier = name == Some("modifierExtension");
        if program.element(program.root()).is_modifier == stands_as_modifier {
            return;
        }
        let (message, mend) = if stands_as_modifier {
            (
                Text::fixed("cette extension ne modifie pas le sens", "this extension does not modify the meaning"),
                Text::fixed("mettez-la dans extension", "put it in extension"),
            )
        } else {
            (
                Text::fixed("cette extension modifie le sens", "this extension modifies the meaning"),
                Text::fixed("mettez-la dans modifierExtension", "put it in modifierExtension"),
            )
        };
        self.error(node, rule_of(program, "isModifier"), message, mend);
    }

    fn context(&mut self, node: Node<'d>, holder: Option<Node<'d>>, program: &Program) {
        self.context_invariants(node, holder, program);
        let contexts = &program.structure.contexts;
        // R4's own definitions have this one on `type`, its definition says `type.code`.
        if contexts.is_empty() || program.structure.url.ends_with("/structuredefinition-fhir-type") {
            return;
        }
        let anywhere = contexts
            .iter()
            .any(|context| context.kind == ContextKind::Element && matches!(&*context.expression, "Element" | "*"));
        if anywhere {
            return;
        }
        let Some(holder) = holder else { return };
        let names = self.names(holder);
        let fits = contexts.iter().any(|context| match context.kind {
            ContextKind::Element => {
                let path = context.expression.rsplit('#').next().unwrap_or_default();
                names.iter().any(|name| name == path)
            }
            ContextKind::Extension => {
                let url = context.expression.split('#').next().unwrap_or_default();
                // `Extension.value` may be a primitive, whose `_value…` holds the extension.
                let above = [Some(holder), holder.parent()].into_iter().flatten();
                above.filter(|node| is_extension(*node)).any(|node| node.text("url") == Some(url))
            }
            ContextKind::FhirPath => self.is_context(&context.expression, holder),
        });
        if fits {
            return;
        }
        let allowed: Vec<&str> = contexts.iter().map(|context| &*context.expression).collect();
        let allowed = allowed.join(", ");
        self.error(
            node,
            rule_of(program, "context"),
            both(
                format!("l'extension n'a pas sa place ici, mais sur : {allowed}"),
                format!("the extension has no place here, but on: {allowed}"),
            ),
            Text::fixed(
                "mettez-la sur un de ces éléments, ou retirez-la",
                "put it on one of these elements, or remove it",
            ),
        );
    }

    /// A FHIRPath context: one of the elements that it gives from the resource is the holder.
    fn is_context(&self, text: &str, holder: Node<'d>) -> bool {
        let Some(resource) = self.resources.last() else { return true };
        self.selects(text, *resource, holder).unwrap_or(true)
    }

    /// FHIRPath that must hold on the element that has the extension.
    fn context_invariants(&mut self, node: Node<'d>, holder: Option<Node<'d>>, program: &Program) {
        let Some(holder) = holder else { return };
        for text in &program.structure.context_invariants {
            let on = if holder.resource_type().is_some() { None } else { self.kind_of(holder) };
            if self.holds_here(text, holder, on) == Some(false) {
                let text = text.to_string();
                self.error(
                    node,
                    rule_of(program, "contextInvariant"),
                    both(
                        format!("l'extension ne peut être ici que si : {text}"),
                        format!("the extension may be here only if: {text}"),
                    ),
                    Text::fixed(
                        "retirez-la, ou corrigez l'élément qui la porte",
                        "remove it, or mend the element that has it",
                    ),
                );
            }
        }
    }

    /// What the definitions call an element: `Patient.name`, `HumanName`, `Element`.
    fn names(&self, node: Node<'d>) -> Vec<String> {
        let (place, whole) = self.standing(node);
        let mut names = vec![whole];
        if let Some(standing) = place {
            names.push(standing.path().to_owned());
            let base = standing.program.element(standing.spec).base.as_ref();
            names.extend(base.map(|base| base.path.to_string()));
            if let Some(same) = standing.same() {
                names.push(standing.program.element(same).path.to_string());
            }
        }
        let kinds = types();
        let of = place.and_then(|standing| match standing.spec.types.get(standing.ty as usize) {
            Some(of) => kinds.named(&of.name),
            None => kinds.named(&standing.program.structure.type_name).filter(|_| standing.spec.element == 0),
        });
        let mut of = of;
        let is_canonical = |id: TypeId| kinds.kind(id) == TypeKind::Resource && kinds.child(id, NameId::URL).is_some();
        names.extend(of.filter(|id| is_canonical(*id)).map(|_| "CanonicalResource".to_owned()));
        while let Some(id) = of {
            names.push(kinds.name(id).to_owned());
            of = kinds.parent(id);
        }
        for at in 0..names.len() {
            let bare = names[at].replace("[x]", "");
            if bare != names[at] {
                names.push(bare);
            }
        }
        names
    }

    /// The definition of an element, found from the resource down, and its whole path.
    fn standing(&self, node: Node<'d>) -> (Option<Standing<'_>>, String) {
        let mut way = vec![node];
        let mut here = node;
        while let Some(parent) = here.parent() {
            way.push(parent);
            here = parent;
        }
        let mut place: Option<Standing<'_>> = None;
        let mut whole = String::new();
        for node in way.into_iter().rev() {
            if let Some(name) = node.name() {
                let name = name.strip_prefix('_').unwrap_or(name);
                place = place.and_then(|standing| self.child_of(standing, name));
                whole.push('.');
                whole.push_str(place.map_or(name, |standing| standing.path().rsplit('.').next().unwrap_or(name)));
            }
            if node.kind() == Kind::Object
                && let Some(kind) = node.resource_type()
            {
                let base = self.library.resource_named(kind).and_then(|ix| self.library.base(ix));
                place = base.map(|base| Standing { program: base, spec: base.root(), ty: 0 });
                whole = kind.to_owned();
            }
        }
        (place, whole)
    }

    fn kind_of(&self, node: Node<'d>) -> Option<TypeId> {
        let standing = self.standing(node).0?;
        standing.spec.types.get(standing.ty as usize).and_then(|of| of.kind).or(standing.spec.kind)
    }

    /// A child by its JSON name.
    fn child_of<'p>(&'p self, standing: Standing<'p>, name: &str) -> Option<Standing<'p>> {
        let Standing { program, spec, ty } = standing;
        let own = match spec.types.get(ty as usize).map(|of| of.code) {
            Some(Code::Complex(ix)) if spec.children.is_none() => self.library.base(ix),
            _ => None,
        };
        let (program, spec) = match own {
            Some(base) => (base, base.root()),
            None => (program, standing.same().unwrap_or(spec)),
        };
        let children = spec.children.as_ref()?;
        let member = children.find(NameId::of(name)?)?;
        let child = &program.specs[*children.list.get(member.child as usize)? as usize];
        Some(Standing { program, spec: child, ty: member.ty })
    }
}

/// An element by its definition.
#[derive(Clone, Copy)]
struct Standing<'p> {
    program: &'p Program,
    spec: &'p Spec,
    ty: u16,
}

impl<'p> Standing<'p> {
    fn path(self) -> &'p str {
        &self.program.element(self.spec).path
    }

    /// The element whose definition holds here.
    fn same(self) -> Option<&'p Spec> {
        self.spec.same_as.and_then(|at| self.program.specs.get(at as usize))
    }
}

/// The element that holds an extension: a primitive's `_name` stands for the primitive.
fn holder(node: Node<'_>) -> Option<Node<'_>> {
    let array = node.parent()?;
    array.parent()
}

fn is_extension(node: Node<'_>) -> bool {
    let name = node.name().or_else(|| node.parent().and_then(Node::name));
    matches!(name, Some("extension" | "modifierExtension")) && node.get("url").is_some()
}

/// `http://hl7.org/fhir/5.0/StructureDefinition/extension-Slot.serviceType`: what another version of FHIR has
/// as an element.
fn is_cross_version(url: &str) -> bool {
    url.strip_prefix("http://hl7.org/fhir/")
        .and_then(|rest| rest.split_once("/StructureDefinition/extension-"))
        .is_some_and(|(version, path)| {
            matches!(version, "1.0" | "3.0" | "4.0" | "4.3" | "5.0" | "6.0") && path.contains('.')
        })
}

/// RFC 2606: names that nobody resolves.
pub(super) fn is_example(url: &str) -> bool {
    url.contains("://example.org/") || url.contains("://example.com/")
}

#[cfg(test)]
mod tests {
    use super::is_cross_version;

    #[test]
    fn extensions_of_other_versions_are_known_by_their_url() {
        assert!(is_cross_version("http://hl7.org/fhir/5.0/StructureDefinition/extension-Slot.serviceType"));
        assert!(is_cross_version("http://hl7.org/fhir/4.3/StructureDefinition/extension-Patient.name"));
        assert!(!is_cross_version("http://hl7.org/fhir/5.0/StructureDefinition/Slot"));
        assert!(!is_cross_version("http://hl7.org/fhir/9.0/StructureDefinition/extension-Slot.serviceType"));
        assert!(!is_cross_version("http://example.org/5.0/StructureDefinition/extension-Slot.serviceType"));
    }
}
