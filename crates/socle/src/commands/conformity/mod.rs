//! `socle conformity`: the Doctrine as a program. No network, no configuration.

mod init;
mod list;
mod report;
mod status;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use socle_doctrine::catalogue::Catalogue;
use socle_doctrine::product::{Product, ProductError};

use crate::cli::{Conformity, ConformityAction};
use crate::say::Speaker;
use crate::trouble::{OrTrouble as _, Trouble};

pub(crate) fn run(options: &Conformity, speaker: &Speaker) -> Result<ExitCode> {
    let catalogue = Catalogue::embedded()?;
    match &options.action {
        ConformityAction::Init(options) => init::run(options, &catalogue, speaker),
        ConformityAction::List(options) => list::run(options, &catalogue, speaker),
        ConformityAction::Status(options) => status::run(options, &catalogue, speaker),
        ConformityAction::Report(options) => report::run(options, &catalogue, speaker),
    }
}

/// The product of a file, or none when the file cannot be used, which is said problem by problem.
fn product(file: &Path, catalogue: &Catalogue, speaker: &Speaker) -> Result<Option<Product>> {
    let text = std::fs::read_to_string(file).or_trouble(|| {
        Trouble::new(format!("{} ne peut pas être lu", file.display()), format!("{} cannot be read", file.display()))
            .mend("« socle conformity init » en écrit un", "`socle conformity init` writes one")
    })?;
    match Product::read(&text, catalogue) {
        Ok(product) => Ok(Some(product)),
        Err(error) => {
            say_problems(&file.display().to_string(), &error, speaker);
            Ok(None)
        }
    }
}

fn say_problems(subject: &str, error: &ProductError, speaker: &Speaker) {
    for problem in &error.0 {
        let said = problem.message.get(speaker.lang);
        speaker.note(format!("{} : {subject} : {said}", speaker.pick("erreur", "error")));
        speaker.note(format!("{:>8} : {}", speaker.pick("où", "where"), problem.place));
        speaker.note(format!("{:>8} : {}", speaker.pick("remède", "mend"), problem.mend.get(speaker.lang)));
    }
}
