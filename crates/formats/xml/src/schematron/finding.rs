//! The outcome as findings of Socle. The message is the schema's own, in the language that its authors wrote it in.

use std::collections::HashSet;

use socle_finding::{Finding, Location, Rule, Severity, Text};

use super::model::{Defect, DefectKind, Role, Schematron};
use super::run::{Failure, Outcome, Reason, Unchecked};
use crate::tree::line_and_column;
use crate::xpath::Code;

impl Outcome<'_> {
    /// Failures in order, then what could not be checked, each reason once per check. `source` is the text that the
    /// document was parsed from: it gives lines and columns.
    #[must_use]
    pub fn findings(&self, source: &str) -> Vec<Finding> {
        let mut findings: Vec<Finding> = self.failures.iter().map(|failure| self.failure(failure, source)).collect();
        let mut told = HashSet::new();
        for unchecked in &self.unchecked {
            let key = match unchecked.reason.missing_document() {
                Some(document) => format!("document {document}"),
                None => format!("{} {:?} {:?}", unchecked.rule, unchecked.check, unchecked.reason),
            };
            if told.insert(key) {
                findings.push(self.unchecked(unchecked, source));
            }
        }
        findings
    }

    fn failure(&self, failure: &Failure<'_>, source: &str) -> Finding {
        let mut text = failure.text.clone();
        for diagnostic in &failure.diagnostics {
            text.push(' ');
            text.push_str(diagnostic);
        }
        Finding {
            severity: match self.role(failure) {
                Role::Error => Severity::Error,
                Role::Warning => Severity::Warning,
                Role::Information => Severity::Information,
            },
            rule: self.rule(failure.fired, Some(failure.check)),
            at: at(failure.location.clone(), failure.node.offset(), source),
            message: Text::new(text.clone(), text),
            mend: Text::fixed(
                "corrigez l'élément indiqué selon le volet du CI-SIS que le document déclare",
                "correct the element according to the CI-SIS volume that the document claims",
            ),
        }
    }

    fn unchecked(&self, unchecked: &Unchecked<'_>, source: &str) -> Finding {
        let place = self.fired.iter().position(|fired| fired.rule == unchecked.rule && fired.node == unchecked.node);
        let mend = match unchecked.reason.missing_document() {
            Some(_) => Text::fixed(
                "installez un banc de test qui contient ce jeu de valeurs ; d'ici là, contrôlez ce code à la main",
                "install a test bed that holds this value set; until then, check this code by hand",
            ),
            None => Text::fixed(
                "signalez cette règle à l'éditeur du schématron ; d'ici là, contrôlez ce point à la main",
                "report this rule to the publisher of the schematron; until then, check this point by hand",
            ),
        };
        Finding {
            severity: Severity::Warning,
            rule: self.rule(place.unwrap_or(usize::MAX), unchecked.check),
            at: at(unchecked.node.location(), unchecked.node.offset(), source),
            message: self.reason(unchecked),
            mend,
        }
    }

    pub(super) fn reason(&self, unchecked: &Unchecked<'_>) -> Text {
        let check = unchecked.check.and_then(|check| self.schema.checks.get(check as usize));
        let (fr, en) = if check.is_some() { ("contrôle", "check") } else { ("règle", "rule") };
        match &unchecked.reason {
            Reason::Unread(error) => Text::new(
                format!("{fr} non effectué : son expression n'est pas comprise ({})", error.what),
                format!("{en} not made: its expression is not understood ({})", error.what),
            ),
            Reason::Failed(error) if error.code == Code::Document => {
                let name = error.document.as_deref().unwrap_or_default();
                Text::new(
                    format!("{fr} non effectué : le jeu de valeurs {name} est absent ou illisible"),
                    format!("{en} not made: the value set {name} is missing or cannot be read"),
                )
            }
            Reason::Failed(error) => Text::new(
                format!("{fr} non effectué : erreur pendant l'évaluation ({error})"),
                format!("{en} not made: error while evaluating ({error})"),
            ),
        }
    }

    /// The schema's file and the check: its id when it has one, else a short name that stays the same as long as the
    /// check does.
    fn rule(&self, fired: usize, check: Option<u32>) -> Rule {
        let fired = self.fired.get(fired);
        let pattern = fired.map_or("", |fired| self.pattern_id(fired));
        let context = fired.map_or("", |fired| self.context(fired));
        let point = match check.and_then(|check| self.schema.checks.get(check as usize)) {
            None => pattern.to_owned(),
            Some(check) if !check.id.is_empty() => check.id.to_string(),
            Some(check) => {
                let hash = short_hash(&[self.schema.name(), pattern, context, &check.test_text]);
                format!("{pattern}{}{hash}", if pattern.is_empty() { "" } else { " " })
            }
        };
        Rule { text: self.schema.name().to_owned().into(), point: point.into() }
    }
}

fn at(path: String, offset: usize, source: &str) -> Location {
    let (line, column) = line_and_column(source, offset);
    Location { path, line: Some(line), column: Some(column) }
}

/// FNV-1a, 32 bits: a name, not a proof.
fn short_hash(parts: &[&str]) -> String {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    let hash = bytes.fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{hash:08x}")
}

impl Schematron {
    /// What is wrong with the schema itself, as findings: what these places hold is not checked.
    #[must_use]
    pub fn defect_findings(&self) -> Vec<Finding> {
        self.defects.iter().map(|defect| self.defect(defect)).collect()
    }

    fn defect(&self, defect: &Defect) -> Finding {
        let harmless = defect.kind == DefectKind::NeverFires;
        Finding {
            severity: if harmless { Severity::Information } else { Severity::Warning },
            rule: Rule { text: self.name().to_owned().into(), point: defect.place.clone().into() },
            at: Location::path(self.path()),
            message: Text::new(
                format!("défaut du schématron lui-même : {} ; cette partie n'est pas contrôlée", defect.kind.french()),
                format!("defect of the schematron itself: {}; this part is not checked", defect.kind),
            ),
            mend: Text::fixed(
                "installez une version corrigée du banc de test, ou signalez le défaut à son éditeur",
                "install a corrected version of the test bed, or report the defect to its publisher",
            ),
        }
    }
}

impl DefectKind {
    fn french(&self) -> String {
        match self {
            Self::MissingInclude => "le fichier inclus est absent".to_owned(),
            Self::CyclicInclude => "le fichier s'inclut lui-même".to_owned(),
            Self::NotXml { line } => format!("le fichier n'est pas du XML lisible (ligne {line})"),
            Self::TooMany { .. } => "le schéma dépasse toute taille raisonnable".to_owned(),
            Self::Expression(error) => format!("une expression n'est pas comprise ({})", error.what),
            Self::NeverFires => "une règle ne s'applique jamais (contexte attribut ou texte)".to_owned(),
            Self::UnknownAbstract => "un modèle abstrait n'existe pas".to_owned(),
            Self::CyclicExtends => "des règles abstraites s'étendent en boucle".to_owned(),
            Self::UnknownVariable => "une variable n'est déclarée nulle part".to_owned(),
            Self::Unsupported => "cette forme de Schematron n'est pas prise en charge".to_owned(),
        }
    }
}
