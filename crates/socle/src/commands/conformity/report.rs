//! `socle conformity report`: the Doctrine as one page.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use socle_doctrine::applicability::rule;
use socle_doctrine::catalogue::Catalogue;
use socle_doctrine::guide;
use socle_doctrine::timeline::Timeline;

use crate::cli::Report;
use crate::say::{Speaker, today};
use crate::trouble::{OrTrouble as _, Trouble};

pub(super) fn run(options: &Report, catalogue: &Catalogue, speaker: &Speaker) -> Result<ExitCode> {
    let day = options.date.unwrap_or_else(today);
    let timeline = Timeline::of(catalogue, day);
    let page = match &options.product {
        None => guide::page(catalogue, &timeline, None, speaker.lang),
        Some(file) => {
            let Some(product) = super::product(file, catalogue, speaker)? else { return Ok(ExitCode::from(2)) };
            let name = format!("{} {}", product.name, product.version);
            let rulings = rule(catalogue, &product, day);
            guide::page(catalogue, &timeline, Some((&name, &rulings)), speaker.lang)
        }
    };
    let Some(file) = &options.output else {
        std::io::stdout().lock().write_all(page.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::write(file, page).or_trouble(|| {
        Trouble::new(
            format!("{} ne peut pas être écrit", file.display()),
            format!("{} cannot be written", file.display()),
        )
    })?;
    speaker.line(format!("✓ {}", file.display()));
    Ok(ExitCode::SUCCESS)
}
