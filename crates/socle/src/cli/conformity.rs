//! What can be typed after `socle conformity`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;

use super::Format;

#[derive(Debug, Args)]
pub(crate) struct Conformity {
    #[command(subcommand)]
    pub action: ConformityAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConformityAction {
    /// Write a product file: asks on a terminal what the options do not say
    Init(InitProduct),
    /// Which requirements bind the product, which do not, which will
    List(ListRequirements),
    /// What is proven, declared, missing and coming, and whether the schemes aimed at are open
    Status(ProductStatus),
    /// The Doctrine as one HTML page, fiche by fiche: searchable, nothing fetched
    Report(Report),
}

#[derive(Debug, Args)]
pub(crate) struct InitProduct {
    /// Where to write
    #[arg(long, short, value_name = "FILE", default_value = "produit.toml")]
    pub output: PathBuf,
    /// The product's name
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Its version
    #[arg(long, value_name = "VERSION")]
    pub version: Option<String>,
    /// The legal name of its vendor
    #[arg(long, value_name = "NAME")]
    pub vendor: Option<String>,
    /// What it is: LGC, DPI, APP, DMN… (an unknown one is answered by the list)
    #[arg(long = "kind", value_name = "KIND")]
    pub kinds: Vec<String>,
    /// What it aims at: SEGUR-REF, MES-CAT, IMG-DRIMBOX… (an unknown one is answered by the list)
    #[arg(long = "scheme", value_name = "CODE")]
    pub schemes: Vec<String>,
    /// A fact that conditions ask for, such as dmp_access=yes; what is not said stays unknown
    #[arg(long = "fact", value_name = "FACT=yes|no", value_parser = fact)]
    pub facts: Vec<(String, bool)>,
    /// Replace the file when it exists
    #[arg(long)]
    pub force: bool,
}

fn fact(text: &str) -> Result<(String, bool), String> {
    let (name, answer) = text.split_once('=').ok_or("write FACT=yes or FACT=no")?;
    let answer = match answer {
        "yes" | "oui" | "true" => true,
        "no" | "non" | "false" => false,
        _ => return Err("write FACT=yes or FACT=no".to_owned()),
    };
    Ok((name.to_owned(), answer))
}

#[derive(Debug, Args)]
pub(crate) struct ListRequirements {
    /// The product file
    #[arg(long, short, value_name = "FILE", default_value = "produit.toml")]
    pub product: PathBuf,
    /// On which day (default: today)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<Date>,
    /// Also what does not bind, and for each requirement the reason and the source
    #[arg(long)]
    pub explain: bool,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ProductStatus {
    /// The product file
    #[arg(long, short, value_name = "FILE", default_value = "produit.toml")]
    pub product: PathBuf,
    /// What was assessed, with its evidence: a dossier in JSON (default: nothing was)
    #[arg(long, value_name = "FILE")]
    pub dossier: Option<PathBuf>,
    /// On which day (default: today)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<Date>,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Where to write the page (default: standard output)
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Also say of each requirement whether it binds this product
    #[arg(long, short, value_name = "FILE")]
    pub product: Option<PathBuf>,
    /// On which day (default: today)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub date: Option<Date>,
}
