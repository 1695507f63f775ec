//! What can be typed. The doc comment of an option is its help; each command begins its help with an
//! example.

mod conformity;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use conformity::{Conformity, ConformityAction, InitProduct, ListRequirements, ProductStatus, Report};

/// Socle: one FHIR front door to the national e-health services of France, and their local twins.
#[derive(Debug, Parser)]
#[command(name = "socle", version, about, disable_help_subcommand = true)]
#[command(after_help = "Exit: 0 done, 1 refused or invalid, 2 unusable input, usage or configuration")]
pub(crate) struct Cli {
    /// The configuration (default: ./socle.toml when there is one, else twins for everything)
    #[arg(long, global = true, value_name = "FILE", env = "SOCLE_CONFIG")]
    pub config: Option<PathBuf>,

    /// fr or en (default: the locale's)
    #[arg(long, global = true, value_name = "LANG")]
    pub lang: Option<String>,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start everything, play the main way on a real document, show each step
    #[command(
        after_help = "Examples:\n  socle demo           plays once and stops\n  socle demo --keep    leaves everything running, with the console's address"
    )]
    Demo(Demo),
    /// Run the platform (default: embedded, all services are twins)
    #[command(
        after_help = "Examples:\n  socle serve                      twins for everything, on this machine only\n  socle serve --config socle.toml  as configured"
    )]
    Serve(Serve),
    /// Run the national services on this machine, for any software to test against
    #[command(
        after_help = "Examples:\n  socle twin            all of them, with the official test identities\n  socle twin ins mss    only INSi and MSSanté\n  socle twin --list     names, addresses, what each one does\n\nNothing leaves this machine."
    )]
    Twin(Twin),
    /// Send documents: the main way from the command line
    #[command(
        after_help = "Examples:\n  socle send lettre.xml --to dr.marie.martin@medecin.mssante.test --checked-document PA\n  socle send *.xml --to patient --checked-document CN     to the patient and to the DMP\n  socle send lettre.xml --to dpi@hopital-a.mssante.test --no-dmp\n\nThe platform must be running (socle serve)."
    )]
    Send(Send),
    /// Judge documents offline: FHIR (JSON, NDJSON, XML), CDA, XDM, recognised by their content
    #[command(
        after_help = "Examples:\n  socle validate lettre.xml                       any supported format\n  socle validate dossier/ '**/*.json'             folders and patterns\n  cat patient.json | socle validate -             standard input\n  socle validate patient.json --package hl7.fhir.fr.core#2.1.0\n  socle validate patient.json --with profils/ --profile https://exemple.fr/StructureDefinition/patient\n  socle validate dossier/ --format sarif > report.sarif\n  socle validate export.ndjson --best-practice ignore\n\nExit: 0 all valid, 1 one is not, 2 one could not be judged"
    )]
    Validate(Validate),
    /// FHIR packages, and the test bed of the CI-SIS: add, list, remove
    #[command(
        after_help = "Examples:\n  socle package add hl7.fhir.fr.core-2.1.0.tgz    from a file (or a folder)\n  socle package add testbed.zip                   the official rules for CDA (a ZIP or a folder)\n  socle package add hl7.fhir.fr.core#2.1.0        from the registry, the only use of the network\n  socle package list --check\n  socle package remove hl7.fhir.fr.core#2.1.0"
    )]
    Package(PackageCommand),
    /// Check the configuration: what is wrong, and how to mend it
    #[command(after_help = "Example:\n  socle doctor --config socle.toml")]
    Doctor(Doctor),
    /// What is waiting, stuck or dead, and why
    #[command(after_help = "Examples:\n  socle jobs list\n  socle jobs retry 42")]
    Jobs(Jobs),
    /// The audit log
    #[command(after_help = "Example:\n  socle audit verify     walks the whole log and proves it")]
    Audit(Audit),
    /// Show, compare and build CDA documents
    #[command(
        after_help = "Examples:\n  socle cda show lettre.xml > lettre.html          a page for people, safe whatever the document holds\n  socle cda diff lettre-1.xml lettre-2.xml         what changed from one version to the next\n  socle cda build --example n1 > cr.json           a plan to start from\n  socle cda build cr.json --file cr.pdf > cr.xml   a document, valid or not made at all\n\nExit of diff: 0 same, 1 different, 2 unusable"
    )]
    Cda(Cda),
    /// The Doctrine: which requirements bind a product, why, and what is missing
    #[command(
        after_help = "Examples:\n  socle conformity init                    asks, and writes produit.toml\n  socle conformity init --name CabinetPlus --version 4.2.0 --vendor 'Exemple SAS' --kind LGC --scheme SEGUR-REF\n  socle conformity list                    what binds today, and what will\n  socle conformity list --explain --date 2029-03-26   everything, with reasons and sources, on that day\n  socle conformity status --dossier dossier.json      gaps, roadmap, alerts, open windows\n  socle conformity report -o doctrine.html            the Doctrine as a page\n\nExit of status: 0 nothing blocks, 1 gaps, 2 unusable"
    )]
    Conformity(Conformity),
    /// Measure the main way on this machine
    #[command(after_help = "Example:\n  socle bench --documents 3000 --clients 16")]
    Bench(Bench),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Leave everything running afterwards
    #[arg(long)]
    pub keep: bool,
    /// Where to keep the state (default: a folder of its own, removed at the end unless --keep)
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Write the configuration that is in force and stop
    #[arg(long)]
    pub print_config: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Twin {
    /// Which ones (default: all): prosante, ins, dmp, mss
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Names, what each one does, what is substitute rather than documented
    #[arg(long)]
    pub list: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Send {
    /// CDA documents of the CI-SIS, each one its own lot
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// MSSanté addresses, or `patient` for the patient of the document
    #[arg(long, value_name = "ADDRESS", num_args = 1..)]
    pub to: Vec<String>,
    /// An FR Core Patient in JSON (default: the patient of the document's header)
    #[arg(long, value_name = "FILE")]
    pub patient: Option<PathBuf>,
    /// The identity paper that was checked: CN, PA, CS, eCN, IN, AV, LECV, AN, LEP, CC, ANCV; nothing is assumed
    #[arg(long, value_name = "CODE")]
    pub checked_document: Option<String>,
    /// When it was checked (default: today)
    #[arg(long, value_name = "DATE")]
    pub checked_on: Option<String>,
    /// Do not feed the DMP
    #[arg(long)]
    pub no_dmp: bool,
    /// Hide from professionals other than the author and the médecin traitant (MASQUE_PS)
    #[arg(long)]
    pub masked: bool,
    /// Hide from the patient until it is announced (INVISIBLE_PATIENT)
    #[arg(long)]
    pub invisible: bool,
    /// How to say the result: json is one object a line per file
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Validate {
    /// Files, folders, patterns, or `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format, instead of what the content shows
    #[arg(long = "as", value_enum, value_name = "FORMAT")]
    pub kind: Option<As>,
    /// FHIR: also this profile (its canonical), whatever the resource claims
    #[arg(long = "profile", value_name = "URL")]
    pub profiles: Vec<String>,
    /// FHIR: what a package defines, with all that it depends on: a .tgz, a folder, or id#version when it is installed
    ///
    /// May be given several times. Where a resource names a profile or a value set without its version, the first
    /// package that has it decides the version; inside a package, what it depends on decides.
    #[arg(long = "package", value_name = "FILE|ID#VERSION")]
    pub packages: Vec<String>,
    /// FHIR: further conformance resources: a file, or a folder with all that is below it
    #[arg(long, value_name = "FILE|FOLDER")]
    pub with: Vec<PathBuf>,
    /// Where the packages are (default: ~/.fhir/packages, which the ecosystem shares)
    #[arg(long = "packages", value_name = "FOLDER", env = "SOCLE_PACKAGES")]
    pub cache: Option<PathBuf>,
    /// FHIR: also tell which must-support elements of the profiles are absent, as information (off by default)
    #[arg(long)]
    pub must_support: bool,
    /// FHIR: what a rule of good practice is worth, such as "a resource should have a narrative" (dom-6)
    #[arg(long, value_enum, default_value_t, value_name = "LEVEL")]
    pub best_practice: GoodPractice,
    /// How to say the result: json is one object a line for each file
    #[arg(long, value_enum, default_value_t)]
    pub format: ReportFormat,
    /// From which severity on a file is not valid
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    pub fail_on: FailOn,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum GoodPractice {
    /// Not told
    Ignore,
    /// Worth knowing
    Hint,
    /// A warning
    #[default]
    Warning,
    /// An error: the file is not valid
    Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum As {
    /// A FHIR resource in JSON
    FhirJson,
    /// A FHIR resource in each line
    FhirNdjson,
    /// A FHIR resource in XML
    FhirXml,
    /// A CDA document of the CI-SIS
    Cda,
    /// An XDM archive
    Xdm,
}

impl As {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::FhirJson => "fhir-json",
            Self::FhirNdjson => "fhir-ndjson",
            Self::FhirXml => "fhir-xml",
            Self::Cda => "cda",
            Self::Xdm => "xdm",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
    /// For code hosts and editors (SARIF 2.1.0)
    Sarif,
    /// For test reporters (JUnit XML)
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum FailOn {
    /// Errors only
    #[default]
    Error,
    /// Warnings too
    Warning,
}

#[derive(Debug, Args)]
pub(crate) struct PackageCommand {
    /// Where the packages are (default: ~/.fhir/packages, which the ecosystem shares)
    #[arg(long, global = true, value_name = "FOLDER", env = "SOCLE_PACKAGES")]
    pub packages: Option<PathBuf>,
    #[command(subcommand)]
    pub action: PackageAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PackageAction {
    /// Keep packages: files (.tgz, or .zip for a test bed), folders, or id#version from the registry
    Add(AddPackage),
    /// What is kept
    List(ListPackages),
    /// Forget packages
    Remove(RemovePackage),
}

#[derive(Debug, Args)]
pub(crate) struct AddPackage {
    /// A .tgz, a folder, or id#version (1.1.x and latest are allowed); the test bed of the CI-SIS as .zip or folder
    #[arg(required = true, value_name = "FILE|FOLDER|ID#VERSION")]
    pub sources: Vec<String>,
    /// Also download what it depends on and is missing
    #[arg(long)]
    pub dependencies: bool,
    /// The registry
    #[arg(long, value_name = "URL", env = "SOCLE_REGISTRY", default_value = "https://packages.fhir.org")]
    pub registry: String,
    /// The authorities that the registry's certificate is judged by, in PEM (default: those of the system)
    #[arg(long, value_name = "FILE")]
    pub anchors: Option<PathBuf>,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct ListPackages {
    /// Compare every file with its SHA-256 when it was added
    #[arg(long)]
    pub check: bool,
    /// How to say the result: json is one object a line
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct RemovePackage {
    /// id#version
    #[arg(required = true, value_name = "ID#VERSION")]
    pub ids: Vec<String>,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Jobs {
    #[command(subcommand)]
    pub action: JobsAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsAction {
    /// What is not done yet, the dead ones first
    List {
        /// How to say the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Put a job back to work now
    Retry {
        /// Its number
        id: u64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(subcommand)]
    pub action: AuditAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AuditAction {
    /// Recompute every leaf and every root, check every signed checkpoint
    Verify {
        /// How to say the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Cda {
    #[command(subcommand)]
    pub action: CdaAction,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CdaAction {
    /// A document as one HTML page: no script, nothing fetched
    Show {
        /// The document
        file: PathBuf,
        /// Where to write (default: standard output)
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// What a reader must see between two versions
    Diff {
        /// The former
        before: PathBuf,
        /// The newer
        after: PathBuf,
        /// How to say the result
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// A document from a plan in JSON or from FHIR: niveau 1 around a file, or a lettre de liaison à la sortie
    ///
    /// FHIR, in JSON or XML: a Bundle with a Composition makes a lettre de liaison, a PDSm transaction (ITI-65) of one
    /// document makes a niveau 1.
    Build {
        /// The plan, or the FHIR Bundle
        #[arg(required_unless_present = "example")]
        plan: Option<PathBuf>,
        /// The file inside a niveau 1 document: PDF, text, RTF, JPEG, TIFF
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        /// Where to write (default: standard output)
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Write a plan to start from, and stop
        #[arg(long, value_name = "MODEL", value_enum, conflicts_with = "plan")]
        example: Option<Example>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Example {
    /// A niveau 1 document
    N1,
    /// A lettre de liaison à la sortie
    LdlSes,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// How many documents
    #[arg(long, default_value_t = 3000)]
    pub documents: usize,
    /// Size of each, in KB
    #[arg(long, default_value_t = 200)]
    pub size_kb: usize,
    /// How many senders at once
    #[arg(long, default_value_t = 16)]
    pub clients: usize,
    /// How many patients the documents are of: the deliveries of one go in order
    #[arg(long, default_value_t = 32)]
    pub patients: usize,
    /// How to say the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed_and_every_command_has_an_example() {
        let command = Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("socle {}", sub.get_name())), "{} has no example", sub.get_name());
        }
    }
}
