//! `socle conformity init`: a product file, from options, and from questions for what they leave open.

use std::collections::BTreeSet;
use std::fs::OpenOptions;
use std::io::{BufRead, ErrorKind, IsTerminal as _, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use socle_doctrine::applicability::rule;
use socle_doctrine::catalogue::{Catalogue, Kind};
use socle_doctrine::product::{Draft, Product};

use super::say_problems;
use crate::cli::InitProduct;
use crate::say::{Speaker, today};
use crate::trouble::{OrTrouble as _, Trouble};

pub(super) fn run(options: &InitProduct, catalogue: &Catalogue, speaker: &Speaker) -> Result<ExitCode> {
    let mut draft = Draft {
        name: options.name.clone().unwrap_or_default(),
        version: options.version.clone().unwrap_or_default(),
        vendor: options.vendor.clone().unwrap_or_default(),
        kinds: options.kinds.clone(),
        schemes: options.schemes.clone(),
        facts: options.facts.iter().cloned().collect(),
    };
    let missing = missing(&draft);
    if !missing.is_empty() {
        if !std::io::stdin().is_terminal() {
            let list = missing.join(" ");
            let trouble = Trouble::new(format!("il manque : {list}"), format!("missing: {list}")).mend(
                "donnez ces options, ou lancez la commande sur un terminal : elle pose les questions",
                "give these options, or run the command on a terminal: it asks",
            );
            return Err(trouble.into());
        }
        let mut wizard =
            Wizard { input: std::io::stdin().lock(), output: std::io::stderr().lock(), speaker, catalogue };
        wizard.fill(&mut draft)?;
    }
    let text = draft.to_toml(catalogue, speaker.lang);
    let product = match Product::read(&text, catalogue) {
        Ok(product) => product,
        Err(error) => {
            say_problems("socle conformity init", &error, speaker);
            return Ok(ExitCode::from(2));
        }
    };
    write(&options.output, &text, options.force)?;
    let asked = open_facts(catalogue, &product).len();
    speaker.line(format!("✓ {}", options.output.display()));
    if asked > 0 {
        speaker.line(format!(
            "  {asked} {}",
            speaker.pick(
                "faits inconnus y attendent une réponse : chacun garde des exigences dans la feuille de route",
                "unknown facts wait there for an answer: each keeps requirements in the roadmap"
            )
        ));
    }
    speaker.line("  socle conformity list --explain");
    Ok(ExitCode::SUCCESS)
}

fn missing(draft: &Draft) -> Vec<&'static str> {
    let options = [
        ("--name", draft.name.is_empty()),
        ("--version", draft.version.is_empty()),
        ("--vendor", draft.vendor.is_empty()),
        ("--kind", draft.kinds.is_empty()),
    ];
    options.into_iter().filter(|(_, is_missing)| *is_missing).map(|(name, _)| name).collect()
}

fn write(file: &Path, text: &str, force: bool) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(!force).create(true).truncate(force);
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let trouble =
                Trouble::new(format!("{} existe déjà", file.display()), format!("{} exists already", file.display()));
            return Err(trouble
                .mend("choisissez un autre nom (--output), ou --force", "choose another name (--output), or --force")
                .into());
        }
        other => other.or_trouble(|| cannot_be_written(file))?,
    };
    opened.write_all(text.as_bytes()).or_trouble(|| cannot_be_written(file))?;
    Ok(())
}

fn cannot_be_written(file: &Path) -> Trouble {
    Trouble::new(format!("{} ne peut pas être écrit", file.display()), format!("{} cannot be written", file.display()))
}

/// Facts without an answer on which some requirement of this product rests.
fn open_facts(catalogue: &Catalogue, product: &Product) -> BTreeSet<String> {
    rule(catalogue, product, today()).into_iter().flat_map(|ruling| ruling.missing_facts).collect()
}

/// Asks one question a line; an empty line is "I do not know".
struct Wizard<'a, R, W> {
    input: R,
    output: W,
    speaker: &'a Speaker,
    catalogue: &'a Catalogue,
}

impl<R: BufRead, W: Write> Wizard<'_, R, W> {
    fn fill(&mut self, draft: &mut Draft) -> Result<()> {
        let speaker = *self.speaker;
        if draft.name.is_empty() {
            draft.name = self.must(speaker.pick("Nom du produit", "Name of the product"))?;
        }
        if draft.version.is_empty() {
            draft.version = self.must(speaker.pick("Version", "Version"))?;
        }
        if draft.vendor.is_empty() {
            draft.vendor = self.must(speaker.pick("Éditeur (raison sociale)", "Vendor (legal name)"))?;
        }
        if draft.kinds.is_empty() {
            draft.kinds = self.kinds()?;
        }
        if draft.schemes.is_empty() {
            draft.schemes = self.schemes()?;
        }
        self.facts(draft)
    }

    fn ask(&mut self, question: &str) -> Result<Option<String>> {
        write!(self.output, "{question} : ")?;
        self.output.flush()?;
        let mut line = String::new();
        if self.input.read_line(&mut line)? == 0 {
            let trouble = Trouble::fixed(
                "les réponses s'arrêtent là, rien n'est écrit",
                "the answers end here, nothing is written",
            );
            return Err(trouble.into());
        }
        let answer = line.trim();
        Ok((!answer.is_empty()).then(|| answer.to_owned()))
    }

    fn must(&mut self, question: &str) -> Result<String> {
        loop {
            if let Some(answer) = self.ask(question)? {
                return Ok(answer);
            }
        }
    }

    fn kinds(&mut self) -> Result<Vec<String>> {
        let lang = self.speaker.lang;
        for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Any) {
            writeln!(self.output, "  {:<11} {}", kind.token(), kind.name().get(lang))?;
        }
        let question = self
            .speaker
            .pick("Ce que c'est (plusieurs, séparés par des espaces)", "What it is (several, separated by spaces)");
        self.words(question, |word| Kind::of(word).is_some_and(|kind| kind != Kind::Any), true)
    }

    fn schemes(&mut self) -> Result<Vec<String>> {
        for programme in &self.catalogue.programmes {
            writeln!(self.output, "  {:<14} {}", programme.code, programme.name)?;
        }
        for corridor in &self.catalogue.corridors {
            writeln!(self.output, "  {:<14} Ségur, {} : {}", corridor.code, corridor.corridor, corridor.name)?;
        }
        let question = self.speaker.pick(
            "Ce qu'il vise (plusieurs, séparés par des espaces ; vide : rien)",
            "What it aims at (several, separated by spaces; empty: nothing)",
        );
        let catalogue = self.catalogue;
        self.words(question, |word| catalogue.knows_scheme(word), false)
    }

    fn words(&mut self, question: &str, known: impl Fn(&str) -> bool, at_least_one: bool) -> Result<Vec<String>> {
        loop {
            let answer = self.ask(question)?.unwrap_or_default().to_uppercase();
            let words: Vec<String> =
                answer.split([' ', ',', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
            let unknown: Vec<&str> = words.iter().map(String::as_str).filter(|word| !known(word)).collect();
            if !unknown.is_empty() {
                writeln!(self.output, "  {} : {}", self.speaker.pick("inconnu", "unknown"), unknown.join(", "))?;
            } else if !(at_least_one && words.is_empty()) {
                return Ok(words);
            }
        }
    }

    /// Only the facts on which a requirement of this product rests.
    fn facts(&mut self, draft: &mut Draft) -> Result<()> {
        let Ok(product) = Product::read(&draft.to_toml(self.catalogue, self.speaker.lang), self.catalogue) else {
            return Ok(()); // What the options said wrong is told when the file is read for good.
        };
        let open = open_facts(self.catalogue, &product);
        for fact in self.catalogue.facts.iter().filter(|fact| open.contains(&fact.name)) {
            let hint = self.speaker.pick("oui, non, vide : ne sais pas", "yes, no, empty: do not know");
            let question = format!("{} ({hint})", fact.question.get(self.speaker.lang));
            loop {
                let answer = self.ask(&question)?.map(|answer| answer.to_lowercase());
                match answer.as_deref() {
                    None => break,
                    Some("oui" | "o" | "yes" | "y") => _ = draft.facts.insert(fact.name.clone(), true),
                    Some("non" | "n" | "no") => _ = draft.facts.insert(fact.name.clone(), false),
                    Some(_) => continue,
                }
                break;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]
mod tests {
    use super::*;

    fn answers(input: &str) -> (Result<Draft>, String) {
        let catalogue = Catalogue::embedded().unwrap();
        let (speaker, mut output, mut draft) = (Speaker::new(Some("en")), Vec::new(), Draft::default());
        let mut wizard =
            Wizard { input: input.as_bytes(), output: &mut output, speaker: &speaker, catalogue: &catalogue };
        let done = wizard.fill(&mut draft);
        (done.map(|()| draft), String::from_utf8(output).unwrap())
    }

    #[test]
    fn the_wizard_asks_again_for_what_it_needs_and_lets_facts_stay_open() {
        let input = "\nCabinetPlus\n4.2\nExemple SAS\ncabinet\nlgc, dmn\n\nmaybe\nyes\n".to_owned() + &"\n".repeat(30);
        let (draft, asked) = answers(&input);
        let draft = draft.unwrap();
        assert_eq!((draft.name.as_str(), draft.version.as_str()), ("CabinetPlus", "4.2"));
        assert_eq!(draft.kinds, ["LGC", "DMN"]);
        assert!(draft.schemes.is_empty());
        assert_eq!(draft.facts.len(), 1, "one answer, the others stay unknown");
        assert!(asked.contains("unknown : CABINET"));
        assert!(!asked.contains("teleconsultation be recorded"), "no requirement of this product rests on it");
    }

    #[test]
    fn answers_that_stop_early_write_nothing() {
        let (draft, _) = answers("CabinetPlus\n");
        assert!(draft.unwrap_err().to_string().contains("nothing is written"));
    }
}
