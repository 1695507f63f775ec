//! Findings: where, what, by which rule, how to mend it. Never a value of the document.

use std::borrow::Cow;

use socle_finding::{Finding, Location, Rule, Severity, Text};

use super::Walk;
use crate::profile::primitive::Fault;
use crate::profile::program::{Code, Program, Spec};
use crate::profile::report::{NotChecked, Subject};
use crate::tape::{Kind, NameId, Node};

/// Both languages at once.
pub(super) fn both(fr: String, en: String) -> Text {
    Text::new(fr, en)
}

/// A rule of R4 itself.
pub(super) const fn r4(point: &'static str) -> Rule {
    Rule::fixed("FHIR R4", point)
}

/// A rule of a profile or type: its canonical, and the element or key.
pub(super) fn rule_of(program: &Program, point: impl Into<String>) -> Rule {
    Rule { text: Cow::Owned(program.canonical.to_string()), point: Cow::Owned(point.into()) }
}

impl<'d> Walk<'_, 'd> {
    pub(super) fn say(&mut self, severity: Severity, node: Node<'d>, rule: Rule, message: Text, mend: Text) {
        self.say_within(severity, node, None, rule, message, mend);
    }

    /// The same, that many bytes into the text of the node.
    pub(super) fn say_within(
        &mut self,
        severity: Severity,
        node: Node<'d>,
        offset: Option<usize>,
        rule: Rule,
        message: Text,
        mend: Text,
    ) {
        if severity == Severity::Error {
            self.errors += 1;
        }
        if self.quiet > 0 || self.findings.len() >= self.options.max_findings {
            return;
        }
        let at = self.location_within(node, offset);
        let is_new = !self.findings.iter().rev().take(256).any(|known| {
            known.at == at && known.rule == rule && known.severity == severity && known.message == message
        });
        if is_new {
            self.findings.push(Finding { severity, rule, at, message, mend });
        }
    }

    pub(super) fn error(&mut self, node: Node<'d>, rule: Rule, message: Text, mend: Text) {
        self.say(Severity::Error, node, rule, message, mend);
    }

    pub(super) fn location(&self, node: Node<'d>) -> Location {
        self.location_within(node, None)
    }

    fn location_within(&self, node: Node<'d>, offset: Option<usize>) -> Location {
        let position = offset.map_or_else(|| node.position(), |offset| node.position_within(offset));
        let count = |number: usize| u32::try_from(number).ok();
        Location { path: self.path(node), line: count(position.line), column: count(position.column) }
    }

    pub(super) fn not_checked(&mut self, subject: Subject, name: &str, node: Node<'d>) {
        if self.quiet > 0 {
            return;
        }
        if let Some(known) = self.not_checked.iter_mut().find(|known| known.subject == subject && known.name == name) {
            known.count += 1;
            return;
        }
        let at = self.location(node);
        self.not_checked.push(NotChecked { subject, name: Cow::Owned(name.to_owned()), count: 1, at });
    }

    /// The FHIRPath of a node: `Observation.value.ofType(Quantity).unit`.
    pub(super) fn path(&self, node: Node<'d>) -> String {
        let mut way = vec![node];
        let mut here = node;
        while let Some(parent) = here.parent() {
            way.push(parent);
            here = parent;
        }
        let mut path = String::new();
        let mut place: Option<(&Program, &Spec)> = None;
        for node in way.into_iter().rev() {
            if let Some(name) = node.name() {
                let name_only = name.strip_prefix('_').unwrap_or(name);
                place = self.step(place, name_only, &mut path);
            } else if let Some(array) = node.parent() {
                path.push_str(&format!("[{}]", array.items().take_while(|item| *item != node).count()));
            } else {
                path.push_str(node.resource_type().unwrap_or("$"));
            }
            if let Some(kind) = node.resource_type() {
                let base = self.library.resource_named(kind).and_then(|ix| self.library.base(ix));
                place = base.map(|base| (base, base.root()));
            }
        }
        path
    }

    fn step<'p>(
        &'p self,
        place: Option<(&'p Program, &'p Spec)>,
        name: &str,
        path: &mut String,
    ) -> Option<(&'p Program, &'p Spec)> {
        path.push('.');
        let found = place.and_then(|(program, spec)| {
            let (program, children) = self.children_of(program, spec)?;
            let member = children.find(NameId::of(name)?)?;
            let child = &program.specs[*children.list.get(member.child as usize)? as usize];
            Some((program, child, member))
        });
        let Some((program, child, member)) = found else {
            path.push_str(name);
            return None;
        };
        let stem = name.len() - member.suffix as usize;
        path.push_str(&name[..stem]);
        let of = child.types.get(member.ty as usize);
        if let (true, Some(of)) = (member.suffix > 0, of) {
            path.push_str(&format!(".ofType({})", of.name));
        }
        match of.map(|of| of.code) {
            Some(Code::Complex(ix)) if child.children.is_none() => {
                let base = self.library.base(ix)?;
                Some((base, base.root()))
            }
            _ => Some((program, child)),
        }
    }

    fn children_of<'p>(
        &'p self,
        program: &'p Program,
        spec: &'p Spec,
    ) -> Option<(&'p Program, &'p crate::profile::program::Children)> {
        if let Some(children) = &spec.children {
            return Some((program, children));
        }
        if let Some(same) = spec.same_as {
            return Some((program, program.specs.get(same as usize)?.children.as_ref()?));
        }
        let element = self.library.base(self.library.known.element?)?;
        Some((element, element.root().children.as_ref()?))
    }

    pub(super) fn unknown_member(&mut self, node: Node<'d>) {
        self.unknown.push(node);
        self.error(
            node,
            r4("2.6.2"),
            Text::fixed("FHIR ne connaît pas cet élément ici", "FHIR knows no such element here"),
            Text::fixed(
                "corrigez le nom, ou portez l'information dans une extension",
                "mend the name, or carry the information in an extension",
            ),
        );
    }

    pub(super) fn two_types(&mut self, node: Node<'d>) {
        self.error(
            node,
            r4("2.6.2"),
            Text::fixed(
                "l'élément a deux valeurs de types différents",
                "the element has two values of different types",
            ),
            Text::fixed("gardez un seul des types", "keep one of the types only"),
        );
    }

    pub(super) fn too_few(&mut self, node: Node<'d>, program: &Program, spec: &Spec, count: u32) {
        if self.quiet > 0 {
            self.errors += 1;
            return;
        }
        let (id, min) = (program.id(spec).to_owned(), spec.min);
        let last = id.rsplit('.').next().unwrap_or_default().to_owned();
        self.error(
            node,
            rule_of(program, format!("{id} min {min}")),
            both(
                format!("{id} : au moins {min}, trouvé {count}"),
                format!("{id}: at least {min} required, {count} found"),
            ),
            both(format!("ajoutez {last}"), format!("add {last}")),
        );
    }

    /// A must-support element is not there: allowed, and worth knowing for who has the value.
    pub(super) fn unsupported(&mut self, holder: Node<'d>, program: &Program, spec: &Spec) {
        if !self.options.must_support || self.quiet > 0 {
            return;
        }
        let id = program.id(spec).to_owned();
        self.say(
            Severity::Information,
            holder,
            rule_of(program, format!("{id} must-support")),
            both(
                format!("{id} est absent, et le profil demande de le gérer (must-support)"),
                format!("{id} is absent, and the profile asks to support it (must-support)"),
            ),
            Text::fixed(
                "donnez-le si votre logiciel a cette information ; son absence n'est pas une faute",
                "give it when your software has this information; its absence is no fault",
            ),
        );
    }

    pub(super) fn too_many(&mut self, node: Node<'d>, holder: Node<'d>, program: &Program, spec: &Spec, count: u32) {
        if self.quiet > 0 {
            self.errors += 1;
            return;
        }
        let _ = node;
        let (id, max) = (program.id(spec).to_owned(), spec.max);
        let mend = if max == 0 {
            Text::fixed("retirez l'élément", "remove the element")
        } else {
            both(format!("n'en gardez que {max}"), format!("keep {max} only"))
        };
        self.error(
            holder,
            rule_of(program, format!("{id} max {max}")),
            both(
                format!("{id} : au plus {max}, trouvé {count}"),
                format!("{id}: at most {max} allowed, {count} found"),
            ),
            mend,
        );
    }

    pub(super) fn wrong_shape(&mut self, node: Node<'d>, many: bool) {
        let (message, mend) = if many {
            (
                Text::fixed(
                    "cet élément peut se répéter : il s'écrit en tableau",
                    "this element may repeat: it is written as an array",
                ),
                Text::fixed("mettez la valeur entre crochets", "put the value in brackets"),
            )
        } else {
            (
                Text::fixed(
                    "cet élément ne se répète pas : il ne s'écrit pas en tableau",
                    "this element does not repeat: it is not written as an array",
                ),
                Text::fixed("retirez les crochets", "remove the brackets"),
            )
        };
        self.error(node, r4("2.6.2"), message, mend);
    }

    pub(super) fn unaligned(&mut self, node: Node<'d>) {
        self.error(
            node,
            r4("2.6.2.3"),
            Text::fixed(
                "les deux tableaux de l'élément n'ont pas la même longueur",
                "the two arrays of the element are not of the same length",
            ),
            Text::fixed("complétez le plus court par des null", "fill the shorter one with nulls"),
        );
    }

    pub(super) fn wrong_kind(&mut self, node: Node<'d>, kind: Kind) {
        let ((fr, en), (found_fr, found_en)) = (kind.named(), node.kind().named());
        self.error(
            node,
            r4("2.6.2"),
            both(format!("{fr} est attendu, pas {found_fr}"), format!("{en} is expected, not {found_en}")),
            both(format!("écrivez {fr}"), format!("write {en}")),
        );
    }

    pub(super) fn no_content(&mut self, node: Node<'d>) {
        self.error(
            node,
            r4("ele-1"),
            Text::fixed("l'élément n'a ni valeur ni contenu", "the element has neither value nor content"),
            Text::fixed("retirez-le ou donnez-lui une valeur", "remove it or give it a value"),
        );
    }

    pub(super) fn bad_primitive(&mut self, node: Node<'d>, fault: Fault) {
        let severity = if fault.is_error() { Severity::Error } else { Severity::Warning };
        self.say(severity, node, r4("2.24.0.1"), fault.message(), fault.mend());
    }

    pub(super) fn type_not_allowed(&mut self, node: Node<'d>, program: &Program, spec: &Spec) {
        let id = program.id(spec).to_owned();
        let names: Vec<&str> = spec.types.iter().map(|of| &*of.name).collect();
        let names = names.join(", ");
        self.error(
            node,
            rule_of(program, format!("{id} type")),
            both(
                format!("le profil n'admet pas ce type pour {id}, mais : {names}"),
                format!("the profile does not allow this type for {id}, but: {names}"),
            ),
            Text::fixed("changez le type de la valeur", "change the type of the value"),
        );
    }

    pub(super) fn no_profile_fits(&mut self, node: Node<'d>, program: &Program, spec: &Spec, profiles: &[&str]) {
        let (id, names) = (program.id(spec).to_owned(), profiles.join(", "));
        self.error(
            node,
            rule_of(program, format!("{id} profile")),
            both(
                format!("{id} ne suit aucun des profils demandés : {names}"),
                format!("{id} follows none of the profiles asked for: {names}"),
            ),
            Text::fixed(
                "validez contre l'un d'eux pour voir ce qui manque",
                "validate against one of them to see what is missing",
            ),
        );
    }

    pub(super) fn wrong_resource(&mut self, node: Node<'d>, program: &Program) {
        let wanted = program.structure.type_name.to_string();
        self.error(
            node,
            rule_of(program, "type"),
            both(
                format!("le profil porte sur une ressource {wanted}"),
                format!("the profile is about a {wanted} resource"),
            ),
            both(
                format!("mettez ici une ressource {wanted}, ou retirez le profil"),
                format!("put a {wanted} resource here, or remove the profile"),
            ),
        );
    }
}
