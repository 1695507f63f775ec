//! The differential walked over the base: slices, choices, types, content references.

use std::sync::Arc;

use socle_finding::{Finding, Severity, Text};

use super::merge::{add_constraints, merge};
use super::tree::{DEEPEST, Node};
use super::{Lookup, MOST_ELEMENTS, finding};
use crate::definitions::{
    Derivation, Discriminator, DiscriminatorKind, Element, Slicing, SlicingRules, Structure, StructureKind, TypeRef,
};

pub(super) struct Walk<'a> {
    profile: &'a Structure,
    /// The base as it was, for content references.
    base: Node,
    lookup: &'a Lookup<'a>,
    findings: Vec<Finding>,
    unplaced: Vec<Box<str>>,
    /// Elements made so far.
    made: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(profile: &'a Structure, base: Node, lookup: &'a Lookup<'a>) -> Self {
        let made = base.count();
        Self { profile, base, lookup, findings: Vec::new(), unplaced: Vec::new(), made }
    }

    pub(super) fn is_full(&self) -> bool {
        self.made > MOST_ELEMENTS
    }

    pub(super) fn take_unplaced(&mut self) -> Vec<Box<str>> {
        std::mem::take(&mut self.unplaced)
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    fn is_profile(&self) -> bool {
        self.profile.derivation == Some(Derivation::Constraint)
    }

    /// The differential as a tree.
    pub(super) fn differential(&mut self) -> Option<Node> {
        let too_deep = |element: &&Element| element.path.split('.').count() > DEEPEST;
        if let Some(element) = self.profile.differential.iter().find(too_deep) {
            let id = element.path.chars().take(80).collect::<String>();
            let message = Text::new(
                format!("plus de {DEEPEST} niveaux : élément laissé de côté"),
                format!("more than {DEEPEST} levels: the element is left out"),
            );
            self.tell(&id, message, Text::fixed("vérifiez le chemin", "check the path"));
        }
        Node::tree(&self.profile.differential)
    }

    /// Lays a node of the differential, and all below it, over its element.
    pub(super) fn apply(&mut self, target: &mut Node, over: &Node) {
        self.lay(target, over);
        if over.children.is_empty() || self.is_full() {
            return;
        }
        if target.children.is_empty() {
            self.expand(target, over);
        }
        let models = models(target, over);
        for child in &over.children {
            self.apply_child(target, child, &models);
        }
    }

    fn lay(&mut self, target: &mut Node, over: &Node) {
        for told in merge(&mut target.element, &over.element, self.is_profile()) {
            self.tell(&over.element.id, told.message, told.mend);
        }
        self.adopt_profile(target, over);
    }

    /// An element whose type now follows one profile takes the invariants of that profile's root; an
    /// extension also its cardinality and whether it modifies, as its own definition says them.
    fn adopt_profile(&mut self, target: &mut Node, over: &Node) {
        let [TypeRef { code, profiles, .. }] = over.element.types.as_slice() else { return };
        let [profile] = profiles.as_slice() else { return };
        let Some(structure) = (self.lookup)(profile) else { return };
        let Some(root) = structure.elements.first() else { return };
        if structure.kind == StructureKind::Resource {
            return;
        }
        add_constraints(&mut target.element.constraints, &root.constraints);
        if &**code == "Extension" {
            target.element.is_modifier |= root.is_modifier;
            if over.element.max.is_none() {
                target.element.max = root.max.or(target.element.max);
            }
        }
    }

    fn apply_child(&mut self, target: &mut Node, over: &Node, models: &Models<'_>) {
        if let Some(at) = target.position(&over.name, None) {
            match &over.slice {
                None => self.apply(&mut target.children[at], over),
                Some(slice) => self.apply_slice(target, at, slice, over, models),
            }
            return;
        }
        if let Some((at, type_ref)) = choice_of(target, &over.name) {
            self.apply_shortcut(target, at, type_ref, over, models);
            return;
        }
        if !self.is_profile() {
            self.made += over.count();
            target.children.push(over.clone());
            return;
        }
        let message = Text::new(
            format!("« {} » n'existe pas à cet endroit de la base", over.name),
            format!("`{}` does not exist at this place of the base", over.name),
        );
        let id = first_id(over);
        self.unplaced.push(id.into());
        self.tell(id, message, Text::fixed("corrigez le chemin de l'élément", "mend the path of the element"));
    }

    /// `valueQuantity` says two things: `value[x]` has no other type than those so named, and what follows
    /// is of the slice of that name.
    fn apply_shortcut(&mut self, target: &mut Node, at: usize, type_ref: TypeRef, over: &Node, models: &Models<'_>) {
        let choice = &mut target.children[at].element;
        let by_shortcut = |slicing: &Slicing| slicing.rules == SlicingRules::Closed;
        if !choice.slicing.as_ref().is_some_and(by_shortcut) {
            choice.types = Vec::new();
            choice.slicing = Some(Slicing { rules: SlicingRules::Closed, ..by(DiscriminatorKind::Type, "$this") });
            choice.min = over.element.min.or(choice.min);
            choice.max = over.element.max.or(choice.max);
        }
        let mut typed = over.clone();
        if typed.element.types.is_empty() {
            typed.element.types.push(type_ref.clone());
        }
        choice.types.push(type_ref);
        self.apply_slice(target, at, &over.name, &typed, models);
    }

    fn apply_slice(&mut self, target: &mut Node, sliced: usize, slice: &str, over: &Node, models: &Models<'_>) {
        let name = target.children[sliced].name.clone();
        let at = match target.position(&name, Some(slice)) {
            Some(at) => at,
            None => self.new_slice(target, sliced, slice, over, models),
        };
        self.apply(&mut target.children[at], over);
    }

    /// Makes a slice that the base does not have, and says where it is.
    fn new_slice(&mut self, target: &mut Node, sliced: usize, slice: &str, over: &Node, models: &Models<'_>) -> usize {
        let name = target.children[sliced].name.clone();
        let parent = slice.rsplit_once('/').and_then(|(parent, _)| target.position(&name, Some(parent)));
        let place = parent.unwrap_or(sliced);
        self.slice_entry(target, place, over);
        let model = models.iter().find(|model| parent.is_none() && model.before.name == name);
        let mut made = match model {
            Some(model) => model.before.clone(),
            None => target.children[place].clone(),
        };
        made.slice = Some(slice.into());
        made.element.slicing = None;
        // A slice need not be there unless it says so (R4 §5.1.0.15).
        made.element.min = Some(0);
        if over.element.types.is_empty()
            && let Some((_, type_ref)) = choice_of(target, slice)
        {
            made.element.types = vec![type_ref];
        }
        let inherited = model.map(|model| model.over).filter(|over| !over.children.is_empty());
        self.fill_slice(&mut made, over, inherited);
        self.made += made.count();
        let at = after_slices(target, place, slice);
        target.children.insert(at, made);
        at
    }

    /// What the differential says of the inside of all repetitions holds inside each new slice.
    fn fill_slice(&mut self, made: &mut Node, over: &Node, inherited: Option<&Node>) {
        if over.children.is_empty() && inherited.is_none() {
            made.children = Vec::new();
            return;
        }
        let Some(inherited) = inherited else { return };
        // The slice's own type first: it may be another profile of the type than that of the others.
        if !over.element.types.is_empty() {
            if made.element.types != over.element.types {
                made.children = Vec::new();
            }
            made.element.types.clone_from(&over.element.types);
        }
        // What is wrong in there was told once.
        let told = self.findings.len();
        self.apply(made, &Node { element: Element::default(), ..inherited.clone() });
        self.findings.truncate(told);
    }

    /// What is sliced must say how. Extensions are told apart by their url, choices by their type.
    fn slice_entry(&mut self, target: &mut Node, model: usize, over: &Node) {
        let node = &mut target.children[model];
        if node.element.slicing.is_some() {
            return;
        }
        if matches!(&*node.name, "extension" | "modifierExtension") {
            node.element.slicing = Some(by(DiscriminatorKind::Value, "url"));
        } else if node.name.ends_with("[x]") {
            node.element.slicing = Some(by(DiscriminatorKind::Type, "$this"));
        } else {
            let message = Text::fixed(
                "cette tranche est définie sans que l'élément dise comment ses répétitions se distinguent (slicing)",
                "this slice is defined but its element does not say how its repetitions are told apart (slicing)",
            );
            let mend = Text::fixed("ajoutez slicing sur l'élément tranché", "add slicing on the sliced element");
            self.tell(&over.element.id, message, mend);
        }
    }

    /// Gives an element the children of its type, of its type's profile, or of what it refers to.
    fn expand(&mut self, target: &mut Node, over: &Node) {
        if let Some(reference) = target.element.content_reference.clone() {
            self.follow_reference(target, &reference, over);
            return;
        }
        let Some(structure) = self.type_of(target, over) else { return };
        let Some(root) = Node::tree(&structure.elements) else { return };
        self.made += root.count();
        target.children = root.children;
    }

    fn follow_reference(&mut self, target: &mut Node, reference: &str, over: &Node) {
        let path = reference.rsplit('#').next().unwrap_or_default();
        let Some(found) = self.base.find(path).cloned() else {
            let message = Text::new(
                format!("la référence de contenu {reference} ne mène nulle part"),
                format!("content reference {reference} leads nowhere"),
            );
            self.tell(first_id(over), message, Text::fixed("corrigez la base", "mend the base"));
            return;
        };
        self.made += found.count();
        target.element.content_reference = None;
        target.element.types = found.element.types;
        target.children = found.children;
    }

    /// The structure that says what is inside an element.
    fn type_of(&mut self, target: &Node, over: &Node) -> Option<Arc<Structure>> {
        let canonical = match target.element.types.as_slice() {
            [TypeRef { profiles, .. }] if profiles.len() == 1 => profiles[0].to_string(),
            [TypeRef { code, .. }] => type_url(code),
            [first, rest @ ..] if rest.iter().all(|other| other.code == first.code) => type_url(&first.code),
            // Whatever the type, it has an id and extensions.
            _ if over.children.iter().all(|child| matches!(&*child.name, "id" | "extension")) => type_url("Element"),
            _ => {
                let message = Text::fixed(
                    "on ne peut pas entrer dans un élément qui a plusieurs types",
                    "one cannot walk into an element that has several types",
                );
                let mend = Text::fixed(
                    "restreignez d'abord le type, ou tranchez par type",
                    "restrict the type first, or slice by type",
                );
                self.tell(first_id(over), message, mend);
                return None;
            }
        };
        let found = (self.lookup)(&canonical).filter(|structure| !structure.elements.is_empty());
        // A profile that is not at hand still leaves the type itself.
        let found = found.or_else(|| match target.element.types.as_slice() {
            [TypeRef { code, profiles, .. }] if !profiles.is_empty() => (self.lookup)(&type_url(code)),
            _ => None,
        });
        if found.is_none() {
            let message = Text::new(
                format!("la définition {canonical} est introuvable : ce qui est dit de l'intérieur est laissé de côté"),
                format!("definition {canonical} is not found: what is said of the inside is left out"),
            );
            let mend = Text::fixed("ajoutez le paquet qui la définit", "add the package that defines it");
            self.tell(first_id(over), message, mend);
        }
        found
    }

    fn tell(&mut self, element: &str, message: Text, mend: Text) {
        self.findings.push(finding(self.profile, element, Severity::Warning, message, mend));
    }
}

/// A sliced element before the differential is laid over it, and what that says of all repetitions.
struct Model<'o> {
    before: Node,
    over: &'o Node,
}

type Models<'o> = [Model<'o>];

/// The elements of which the differential makes new slices. A slice starts from the base, as the tools of
/// the publishers do: what is said of the sliced element itself is said of the whole list.
fn models<'o>(target: &Node, over: &'o Node) -> Vec<Model<'o>> {
    let is_new = |name: &str| {
        over.children.iter().any(|child| {
            *child.name == *name
                && child.slice.as_deref().is_some_and(|slice| target.position(name, Some(slice)).is_none())
        })
    };
    let sliced = over.children.iter().filter(|child| child.slice.is_none() && is_new(&child.name));
    sliced
        .filter_map(|over| Some(Model { before: target.children[target.position(&over.name, None)?].clone(), over }))
        .collect()
}

fn by(kind: DiscriminatorKind, path: &str) -> Slicing {
    let discriminators = vec![Discriminator { kind, path: path.into() }];
    Slicing { discriminators, ordered: false, rules: SlicingRules::Open }
}

fn type_url(code: &str) -> String {
    if code.contains("://") { code.to_owned() } else { format!("http://hl7.org/fhir/StructureDefinition/{code}") }
}

/// The choice element that a name such as `valueQuantity` stands for, and the type it names.
fn choice_of(target: &Node, name: &str) -> Option<(usize, TypeRef)> {
    target.children.iter().enumerate().find_map(|(at, child)| {
        let stem = child.name.strip_suffix("[x]").filter(|_| child.slice.is_none())?;
        let suffix = name.strip_prefix(stem)?;
        let is_named = |type_ref: &&TypeRef| {
            let mut letters = type_ref.code.chars();
            letters
                .next()
                .is_some_and(|first| suffix.strip_prefix(first.to_ascii_uppercase()) == Some(letters.as_str()))
        };
        child.element.types.iter().find(is_named).map(|type_ref| (at, type_ref.clone()))
    })
}

/// The place after the slices of an element; of a re-slice, after those of its slice.
fn after_slices(target: &Node, model: usize, slice: &str) -> usize {
    let name = &target.children[model].name;
    let prefix = slice.rsplit_once('/').map(|(parent, _)| format!("{parent}/"));
    let belongs = |node: &Node| {
        node.name == *name
            && node
                .slice
                .as_deref()
                .is_some_and(|other| prefix.as_deref().is_none_or(|prefix| other.starts_with(prefix)))
    };
    target.children.iter().rposition(belongs).unwrap_or(model).max(model) + 1
}

/// The first element said at or below a node: a node that only leads further says nothing itself.
fn first_id(over: &Node) -> &str {
    let mut node = over;
    while node.element.id.is_empty() {
        match node.children.first() {
            Some(child) => node = child,
            None => break,
        }
    }
    if node.element.id.is_empty() { &node.element.path } else { &node.element.id }
}
