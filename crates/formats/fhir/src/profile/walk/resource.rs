//! Resources: the one that is validated, those it holds, the profiles that they claim.

use socle_finding::{Severity, Text};

use super::say::{both, r4, rule_of};
use super::{Item, Mode, Walk};
use crate::definitions::StructureKind;
use crate::profile::library::Followed;
use crate::profile::primitive::is_id;
use crate::profile::program::{Program, Spec};
use crate::profile::report::Subject;
use crate::tape::{Kind, Node};

impl<'d> Walk<'_, 'd> {
    /// The document, against R4, the profiles that it claims, and those that are asked for.
    pub(in crate::profile) fn document(&mut self, profiles: &[&str]) {
        let root = self.document.root();
        if root.kind() != Kind::Object {
            self.oddities();
            self.wrong_kind(root, Kind::Object);
            return;
        }
        self.resource(root);
        self.oddities();
        self.resources.push(root);
        for profile in profiles {
            self.asked(root, profile);
        }
        self.resources.pop();
        self.asked_of_entries(root);
    }

    /// The profiles that entries of a bundle are asked to follow.
    fn asked_of_entries(&mut self, bundle: Node<'d>) {
        let options = self.options;
        for asked in &options.entries {
            let resources = bundle.all("entry").filter_map(|entry| entry.get("resource"));
            let of_kind =
                |resource: &Node<'d>| asked.kind.is_none() || resource.resource_type() == asked.kind.as_deref();
            if let Some(resource) = resources.filter(of_kind).nth(asked.place) {
                self.resources.push(resource);
                self.asked(resource, &asked.profile);
                self.resources.pop();
            }
        }
    }

    /// What JSON or XML allows and FHIR does not; inside an element that R4 does not know nothing more is said.
    fn oddities(&mut self) {
        let document = self.document;
        for oddity in document.oddities() {
            let is_inside =
                std::iter::successors(Some(oddity.node), |node| node.parent()).any(|node| self.unknown.contains(&node));
            if !is_inside {
                let issue = oddity.issue().finding;
                self.say(issue.severity, oddity.node, issue.rule, issue.message, issue.mend);
            }
        }
    }

    fn asked(&mut self, root: Node<'d>, profile: &str) {
        match self.library.follow(profile) {
            Followed::Type(ix) => {
                let name = self.library.name(ix);
                if root.resource_type() != Some(name) && !matches!(name, "Resource" | "DomainResource") {
                    self.other_type(root, name.to_owned());
                }
            }
            Followed::Profile(program) => self.against(root, &program),
            Followed::Unknown => {
                self.not_checked(Subject::Profile, profile, root);
                let severity = self.options.asked_profile_unknown;
                self.profile_unknown(root, severity, profile);
            }
        }
    }

    pub(super) fn other_type(&mut self, node: Node<'d>, name: String) {
        self.error(
            node,
            r4("2.26"),
            both(format!("une ressource {name} est attendue ici"), format!("a {name} resource is expected here")),
            Text::fixed("vérifiez le type de la ressource", "check the type of the resource"),
        );
    }

    /// A profile asks for another one that nobody here knows.
    pub(super) fn profile_of_type_unknown(&mut self, node: Node<'d>, program: &Program, spec: &Spec, profile: &str) {
        self.not_checked(Subject::Profile, profile, node);
        let id = program.id(spec).to_owned();
        let severity = self.options.required_profile_unknown;
        self.say(
            severity,
            node,
            rule_of(program, format!("{id} profile")),
            both(
                format!("{id} doit suivre le profil {profile}, qui n'est pas connu : il n'est pas vérifié"),
                format!("{id} has to follow the profile {profile}, which is not known: it is not checked"),
            ),
            mend_unknown(),
        );
    }

    fn profile_unknown(&mut self, node: Node<'d>, severity: Severity, profile: &str) {
        self.say(
            severity,
            node,
            r4("2.41"),
            both(
                format!("le profil {profile} n'est pas connu : il n'est pas vérifié"),
                format!("the profile {profile} is not known: it is not checked"),
            ),
            mend_unknown(),
        );
    }

    /// A resource: the document, or contained, in an entry, in a parameter.
    pub(super) fn resource(&mut self, node: Node<'d>) {
        let Some(ix) = node.resource_type().and_then(|name| self.library.resource_named(name)) else {
            self.unknown_resource(node);
            return;
        };
        let Some(base) = self.library.base(ix) else { return };
        self.resources.push(node);
        if let Some(children) = &base.root().children {
            self.members(Some(node), node, base, children, Mode::Base);
        }
        if let Some(id) = node.get("id")
            && id.str().is_some_and(|id| !is_id(id) && !id.is_empty())
        {
            self.bad_primitive(id, crate::profile::primitive::Fault::Id);
        }
        self.invariants(Item { value: Some(node), extra: None }, node, base, base.root(), None);
        self.claims(node);
        match self.library.name(ix) {
            "Observation" => self.vital_sign(node),
            "Bundle" => self.bundle(node),
            "StructureDefinition" => self.structure_definition(node),
            "Questionnaire" => self.questionnaire(node),
            "QuestionnaireResponse" => self.response(node),
            "Measure" => self.measure(node),
            "MeasureReport" => self.measure_report(node),
            _ => {}
        }
        self.resources.pop();
    }

    fn unknown_resource(&mut self, node: Node<'d>) {
        let at = node.get("resourceType").unwrap_or(node);
        self.error(
            at,
            r4("2.6.2"),
            Text::fixed("FHIR R4 ne connaît pas ce type de ressource", "FHIR R4 knows no such resource type"),
            Text::fixed(
                "écrivez resourceType avec un nom de ressource R4, par exemple Patient",
                "write resourceType with the name of a resource of R4, such as Patient",
            ),
        );
    }

    /// `meta.profile` (FHIR R4 §2.26.0.2, §5.1.0.3): each claim is checked.
    fn claims(&mut self, node: Node<'d>) {
        let Some(profiles) = node.get("meta").and_then(|meta| meta.get("profile")) else { return };
        for (at, claim) in profiles.items().enumerate() {
            let Some(canonical) = claim.str() else { continue };
            if profiles.items().take(at).any(|before| before.str() == Some(canonical)) {
                continue;
            }
            match self.library.follow(canonical) {
                Followed::Type(ix) => {
                    let name = self.library.name(ix);
                    if node.resource_type() != Some(name) && !matches!(name, "Resource" | "DomainResource") {
                        self.other_type(claim, name.to_owned());
                    }
                }
                Followed::Profile(program) if program.structure.kind == StructureKind::Resource => {
                    self.against(node, &program);
                }
                Followed::Profile(program) => self.wrong_resource(claim, &program),
                Followed::Unknown => {
                    self.not_checked(Subject::Profile, canonical, claim);
                    let severity = self.options.claimed_profile_unknown;
                    self.profile_unknown(claim, severity, canonical);
                }
            }
        }
    }
}

const fn mend_unknown() -> Text {
    Text::fixed(
        "ajoutez le paquet qui le définit (socle package add) ou donnez-le par --with",
        "add the package that defines it (socle package add) or give it by --with",
    )
}
