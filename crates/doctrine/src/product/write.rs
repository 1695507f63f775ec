//! A product file to start from, with every fact that its kinds and schemes make it worth answering.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use socle_finding::Lang;

use crate::catalogue::Catalogue;

/// What a wizard has gathered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft {
    /// The product's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The vendor's legal name.
    pub vendor: String,
    /// Kinds, by token.
    pub kinds: Vec<String>,
    /// Schemes, by code.
    pub schemes: Vec<String>,
    /// Facts that were answered; the others are written as unknown, with their question.
    pub facts: BTreeMap<String, bool>,
}

impl Draft {
    /// The file, in TOML, with its comments in one language.
    #[must_use]
    pub fn to_toml(&self, catalogue: &Catalogue, lang: Lang) -> String {
        let pick = |fr: &'static str, en: &'static str| match lang {
            Lang::Fr => fr,
            Lang::En => en,
        };
        let mut out = String::new();
        let _ = writeln!(
            out,
            "# {}",
            pick("Fichier produit de « socle conformity ».", "Product file of `socle conformity`.")
        );
        let _ = writeln!(out, "\n[product]\nname = {}\nversion = {}", quoted(&self.name), quoted(&self.version));
        let _ = writeln!(
            out,
            "# released = \"2026-01-31\"    # {}",
            pick("date de sortie de cette version", "when this version came out")
        );
        let _ = writeln!(out, "kinds = {}\nschemes = {}", list(&self.kinds), list(&self.schemes));
        let _ = writeln!(out, "\n[vendor]\nlegal_name = {}\n# siren = \"000000000\"", quoted(&self.vendor));
        out.push_str(pick(COMPONENTS_FR, COMPONENTS_EN));
        let _ = writeln!(
            out,
            "\n# {}\n[facts]",
            pick(
                "true, false ou \"unknown\" ; un fait inconnu laisse l'exigence dans la feuille de route.",
                "true, false or \"unknown\"; an unknown fact keeps the requirement in the roadmap.",
            )
        );
        for fact in &catalogue.facts {
            let answer =
                self.facts.get(&fact.name).map_or("\"unknown\"", |answer| if *answer { "true" } else { "false" });
            let _ = writeln!(out, "# {}\n{} = {answer}", fact.question.get(lang), fact.name);
        }
        out.push_str(pick(EHR_FR, EHR_EN));
        out
    }
}

const COMPONENTS_FR: &str = r#"
# Un bloc par composant de l'Espace de Confiance PSC : LPS, PROXY, EAI, OPERATEUR, AUTRE.
# [[components]]
# role = "PROXY"
# name = "…"
# version = "…"

# Un bloc par hébergeur de la chaîne, s'il y en a.
# [[hosting]]
# host = "…"
# hds_certificate = "…"
# hds_reference = 2            # 1 : référentiel de 2018, 2 : celui de 2024
# activities = [1, 2, 3, 4, 5, 6]
# valid_until = "2028-06-30"
# countries = ["FR"]
"#;

const COMPONENTS_EN: &str = r#"
# One block for each component of the PSC trust space: LPS, PROXY, EAI, OPERATEUR, AUTRE.
# [[components]]
# role = "PROXY"
# name = "…"
# version = "…"

# One block for each host of the chain, if there is any.
# [[hosting]]
# host = "…"
# hds_certificate = "…"
# hds_reference = 2            # 1: reference of 2018, 2: that of 2024
# activities = [1, 2, 3, 4, 5, 6]
# valid_until = "2028-06-30"
# countries = ["FR"]
"#;

const EHR_FR: &str = r#"# Système de DME au sens du règlement (UE) 2025/327 ? true, false ou "unknown"
ehr_system = "unknown"
# a résumés patients, b prescriptions, c dispensations, d imagerie, e résultats d'examens, f lettres de sortie
ehr_categories = "unknown"    # ["a", "b"]
# Mis sur le marché, développé en interne, offert comme service
ehr_mode = "unknown"          # ["marketed", "in-house", "service"]
"#;

const EHR_EN: &str = r#"# An EHR system in the sense of Regulation (EU) 2025/327? true, false or "unknown"
ehr_system = "unknown"
# a patient summaries, b prescriptions, c dispensations, d imaging, e test results, f discharge reports
ehr_categories = "unknown"    # ["a", "b"]
# Placed on the market, developed in-house, offered as a service
ehr_mode = "unknown"          # ["marketed", "in-house", "service"]
"#;

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list(words: &[String]) -> String {
    toml::Value::Array(words.iter().cloned().map(toml::Value::String).collect()).to_string()
}
