//! The narrative: what its XHTML may hold, and what a profile asks of its languages and of where its texts come
//! from (extensions `narrative-language-control` and `narrative-source-control`).

use socle_finding::{Severity, Text};

use super::Walk;
use super::say::{both, rule_of};
use crate::definitions::NarrativeControl;
use crate::narrative::{Sections, check_in, sections};
use crate::profile::program::{Program, Spec};
use crate::tape::Node;

impl<'d> Walk<'_, 'd> {
    /// The XHTML itself (FHIR R4 §2.4.0.2, txt-1, txt-2).
    pub(super) fn div(&mut self, node: Node<'d>) {
        let Some(text) = node.str() else { return };
        let resource = self.resources.last().copied();
        let is_contained = |id: &str| {
            resource.is_some_and(|resource| resource.all("contained").any(|held| held.text("id") == Some(id)))
        };
        for problem in check_in(text, &is_contained) {
            let kind = &problem.kind;
            self.say_within(Severity::Error, node, Some(problem.offset), kind.rule(), kind.message(), kind.mend());
        }
    }

    /// A narrative against what a profile asks of it. One that is no XML is told by [`Self::div`].
    pub(super) fn narrative(&mut self, node: Node<'d>, program: &Program, spec: &Spec, asked: &NarrativeControl) {
        let Some(div) = node.get("div") else { return };
        let Some(found) = div.str().and_then(sections) else { return };
        for language in &asked.languages {
            self.section_asked(div, program, spec, &found, language);
        }
        if let Some(severity) = asked.source.as_deref().and_then(severity) {
            self.sources(div, program, spec, &found, severity);
        }
    }

    fn section_asked(&mut self, div: Node<'d>, program: &Program, spec: &Spec, found: &Sections, asked: &str) {
        let languages = found.languages.join(", ");
        let (message, mend) = match asked {
            "_no" if !found.languages.is_empty() => (
                both(
                    format!("le texte narratif a des sections par langue ({languages}), que le profil exclut"),
                    format!("the narrative has sections by language ({languages}), which the profile excludes"),
                ),
                Text::fixed(
                    "retirez l'attribut lang des div de premier niveau",
                    "remove lang from the divs at the top",
                ),
            ),
            "_yes" if found.languages.is_empty() => (
                Text::fixed(
                    "le texte narratif n'a pas de section par langue, que le profil demande",
                    "the narrative has no section by language, which the profile asks for",
                ),
                Text::fixed(
                    "mettez chaque langue dans un div à elle : <div lang=\"fr\" xml:lang=\"fr\">…</div>",
                    "put each language in a div of its own: <div lang=\"fr\" xml:lang=\"fr\">…</div>",
                ),
            ),
            "_no" | "_yes" => return,
            asked => {
                let resource = || self.resources.last().and_then(|resource| resource.text("language"));
                // A resource that says no language asks for none.
                let Some(wanted) = (if asked == "_resource" { resource() } else { Some(asked) }) else { return };
                if found.languages.iter().any(|language| language.eq_ignore_ascii_case(wanted)) {
                    return;
                }
                (
                    both(
                        format!("le texte narratif n'a pas la section en {wanted} que le profil demande"),
                        format!("the narrative lacks the section in {wanted} that the profile asks for"),
                    ),
                    both(
                        format!("ajoutez <div lang=\"{wanted}\" xml:lang=\"{wanted}\">…</div> au premier niveau"),
                        format!("add <div lang=\"{wanted}\" xml:lang=\"{wanted}\">…</div> at the top"),
                    ),
                )
            }
        };
        let rule = rule_of(program, format!("{} narrative-language-control", program.id(spec)));
        self.error(div, rule, message, mend);
    }

    fn sources(&mut self, div: Node<'d>, program: &Program, spec: &Spec, found: &Sections, severity: Severity) {
        for offset in &found.without_source {
            self.say_within(
                severity,
                div,
                Some(*offset),
                rule_of(program, format!("{} narrative-source-control", program.id(spec))),
                Text::fixed(
                    "ce texte ne dit pas d'où il vient, que le profil demande",
                    "this text does not say where it comes from, which the profile asks for",
                ),
                Text::fixed(
                    "mettez-le dans un élément de classe generated, extension, additional ou boilerplate",
                    "put it in an element of class generated, extension, additional or boilerplate",
                ),
            );
        }
    }
}

/// What the extension says that a lack is worth.
fn severity(code: &str) -> Option<Severity> {
    Some(match code {
        "error" => Severity::Error,
        "warning" => Severity::Warning,
        "hint" => Severity::Information,
        _ => return None,
    })
}
