//! What was assessed, with which evidence: the dossier, read from JSON under its rules.
//!
//! The rules are in the types: an [`Assessment`] that says conform without evidence, or not applicable
//! without a reason, cannot be made; one that says conform on a signed statement alone, where a program
//! can try it, is partial.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use socle_finding::Text;

use crate::applicability::Applicability;
use crate::catalogue::{Catalogue, Method, Requirement, RequirementId};

/// Largest dossier read.
const BYTES_MAX: usize = 16 << 20;

/// What an assessment says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Shown.
    Conform,
    /// Shown in part, or declared where it can be tried.
    Partial,
    /// Shown not to be.
    NonConform,
    /// Nobody looked.
    NotAssessed,
    /// It cannot be tried.
    NotTestable,
}

/// What a piece of evidence is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// Bytes exchanged.
    WireCapture,
    /// What a validator said.
    ValidatorReport,
    /// A document that the product made.
    DocumentSample,
    /// Settings.
    Configuration,
    /// Not machine-verifiable.
    Screenshot,
    /// Not machine-verifiable.
    Video,
    /// A certificate.
    Certificate,
    /// A contract.
    Contract,
    /// Somebody's word.
    SignedStatement,
    /// The national form of a penetration test.
    PentestForm,
}

/// Where it was produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// On a local twin: preparatory evidence only.
    Twin,
    /// On a national test environment.
    NationalTestEnvironment,
    /// In production.
    Production,
    /// By the vendor.
    Vendor,
    /// By somebody else.
    ThirdParty,
}

/// How much a piece of evidence is worth, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// A signed statement.
    Statement,
    /// A screenshot or a video.
    Screenshot,
    /// A document, a report, a certificate.
    Sample,
    /// Bytes exchanged.
    Wire,
    /// The report of a national test environment, with its permanent link.
    NationalReport,
}

/// A piece of evidence, known by its digest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// What it is.
    pub kind: EvidenceKind,
    /// Its file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The permanent link of a national test environment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub permalink: Option<String>,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// When it was produced.
    pub produced: Timestamp,
    /// Where.
    pub origin: Origin,
    /// By which tool.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tool: Option<String>,
    /// Is its data synthetic?
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub synthetic_data: Option<bool>,
    /// Who signed it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signed_by: Option<String>,
    /// The slot of the receiving desk: `INS/va1.53`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub official_slot: Option<String>,
}

impl Evidence {
    /// What it is worth.
    #[must_use]
    pub const fn strength(&self) -> Strength {
        match (self.kind, self.origin) {
            (EvidenceKind::SignedStatement, _) => Strength::Statement,
            (EvidenceKind::Screenshot | EvidenceKind::Video, _) => Strength::Screenshot,
            (_, Origin::NationalTestEnvironment) if self.permalink.is_some() => Strength::NationalReport,
            (EvidenceKind::WireCapture, _) => Strength::Wire,
            _ => Strength::Sample,
        }
    }

    /// Was it made by a machine that anybody can ask again?
    #[must_use]
    pub fn is_machine(&self) -> bool {
        matches!(self.kind, EvidenceKind::WireCapture | EvidenceKind::ValidatorReport)
            || self.strength() == Strength::NationalReport
    }
}

/// What is to be done about a gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remediation {
    /// What.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub action: Option<String>,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<String>,
    /// By when.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub due: Option<Date>,
}

/// An assessment as somebody proposes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// Of which requirement.
    pub requirement: String,
    /// Does it bind?
    pub applicability: ProposedApplicability,
    /// Why not.
    #[serde(default)]
    pub justification: Option<String>,
    /// What is said.
    pub status: Status,
    /// By what.
    #[serde(default)]
    pub method: Option<String>,
    /// Left out of account: severity follows from the catalogue.
    #[serde(default)]
    pub severity: Option<String>,
    /// When.
    pub date: Timestamp,
    /// Until when it holds.
    #[serde(default)]
    pub expires: Option<Date>,
    /// With what.
    #[serde(default)]
    pub evidence: Vec<Evidence>,
    /// What is to be done.
    #[serde(default)]
    pub remediation: Option<Remediation>,
}

/// The applicability in a dossier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProposedApplicability {
    /// It binds.
    Applicable,
    /// It does not.
    NotApplicable,
    /// Not yet.
    NotYet,
}

impl From<ProposedApplicability> for Applicability {
    fn from(proposed: ProposedApplicability) -> Self {
        match proposed {
            ProposedApplicability::Applicable => Self::Applicable,
            ProposedApplicability::NotApplicable => Self::NotApplicable,
            ProposedApplicability::NotYet => Self::NotYet,
        }
    }
}

/// An assessment that keeps the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    requirement: RequirementId,
    applicability: Applicability,
    justification: Option<String>,
    status: Status,
    method: Option<Method>,
    date: Timestamp,
    expires: Option<Date>,
    evidence: Vec<Evidence>,
    remediation: Option<Remediation>,
}

/// Why an assessment was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Conform, and nothing shows it.
    #[error("{0} is said conform without evidence: attach evidence, or say not-assessed")]
    ConformWithoutEvidence(RequirementId),
    /// Not applicable, and nobody says why.
    #[error("{0} is said not applicable without a justification: say why")]
    NoJustification(RequirementId),
    /// Not in the catalogue.
    #[error("{0} is no requirement of this catalogue: take its id from `socle conformity list`")]
    UnknownRequirement(String),
    /// Not a way of proving.
    #[error("{requirement}: `{method}` is no method: probe, document, config or attestation")]
    UnknownMethod {
        /// Of which requirement.
        requirement: RequirementId,
        /// What was written.
        method: String,
    },
    /// Not a SHA-256.
    #[error("{0}: a piece of evidence has no SHA-256 of 64 hexadecimal digits")]
    Digest(RequirementId),
}

impl Refusal {
    /// The HTTP status that says it: a rule of the dossier is broken.
    #[must_use]
    pub const fn http_status(&self) -> u16 {
        409
    }

    /// In both languages.
    #[must_use]
    pub fn said(&self) -> Text {
        let fr = match self {
            Self::ConformWithoutEvidence(id) => {
                format!("{id} est dit conforme sans preuve : joignez une preuve, ou dites not-assessed")
            }
            Self::NoJustification(id) => format!("{id} est dit non applicable sans justification : dites pourquoi"),
            Self::UnknownRequirement(id) => {
                format!(
                    "{id} n'est pas une exigence de ce catalogue : prenez son identifiant dans « socle conformity list »"
                )
            }
            Self::UnknownMethod { requirement, method } => {
                format!("{requirement} : « {method} » n'est pas une méthode : probe, document, config ou attestation")
            }
            Self::Digest(id) => format!("{id} : une preuve n'a pas de SHA-256 de 64 chiffres hexadécimaux"),
        };
        Text::new(fr, self.to_string())
    }
}

impl Assessment {
    /// Takes a proposal when it keeps the rules.
    ///
    /// # Errors
    /// [`Refusal`] names the rule.
    pub fn accept(proposal: Proposal, catalogue: &Catalogue) -> Result<Self, Refusal> {
        let Some(requirement) = catalogue.requirement(&proposal.requirement) else {
            return Err(Refusal::UnknownRequirement(proposal.requirement));
        };
        let id = requirement.id.clone();
        let applicability = Applicability::from(proposal.applicability);
        if applicability == Applicability::NotApplicable
            && proposal.justification.as_deref().is_none_or(|text| text.trim().is_empty())
        {
            return Err(Refusal::NoJustification(id));
        }
        if proposal.status == Status::Conform && proposal.evidence.is_empty() {
            return Err(Refusal::ConformWithoutEvidence(id));
        }
        if !proposal.evidence.iter().all(|evidence| is_sha256(&evidence.sha256)) {
            return Err(Refusal::Digest(id));
        }
        let method = match proposal.method {
            None => None,
            Some(word) => match Method::of(&word) {
                Some(method) => Some(method),
                None => return Err(Refusal::UnknownMethod { requirement: id, method: word }),
            },
        };
        Ok(Self {
            status: honest(proposal.status, requirement, &proposal.evidence),
            requirement: id,
            applicability,
            justification: proposal.justification,
            method,
            date: proposal.date,
            expires: proposal.expires,
            evidence: proposal.evidence,
            remediation: proposal.remediation,
        })
    }

    /// Of which requirement.
    #[must_use]
    pub const fn requirement(&self) -> &RequirementId {
        &self.requirement
    }

    /// Does it bind, as the dossier says?
    #[must_use]
    pub const fn applicability(&self) -> Applicability {
        self.applicability
    }

    /// Why it does not.
    #[must_use]
    pub fn justification(&self) -> Option<&str> {
        self.justification.as_deref()
    }

    /// What is said, after the rules.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// By what it was proven.
    #[must_use]
    pub const fn method(&self) -> Option<Method> {
        self.method
    }

    /// When.
    #[must_use]
    pub const fn date(&self) -> Timestamp {
        self.date
    }

    /// Until when it holds.
    #[must_use]
    pub const fn expires(&self) -> Option<Date> {
        self.expires
    }

    /// With what.
    #[must_use]
    pub fn evidence(&self) -> &[Evidence] {
        &self.evidence
    }

    /// What is to be done.
    #[must_use]
    pub const fn remediation(&self) -> Option<&Remediation> {
        self.remediation.as_ref()
    }

    /// The strongest of its evidence.
    #[must_use]
    pub fn strength(&self) -> Option<Strength> {
        self.evidence.iter().map(Evidence::strength).max()
    }
}

/// A word alone does not make conform what a program can try.
fn honest(said: Status, requirement: &Requirement, evidence: &[Evidence]) -> Status {
    let is_word_alone = evidence.iter().all(|one| one.strength() == Strength::Statement);
    if said == Status::Conform && requirement.is_probed() && is_word_alone { Status::Partial } else { said }
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// A dossier: the assessments of one version of a product against one catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dossier {
    /// The version assessed.
    pub product_version: String,
    /// SHA-256 of the catalogue it was assessed against.
    pub catalogue_sha256: String,
    /// The assessments.
    pub assessments: Vec<Assessment>,
}

#[derive(Deserialize)]
struct Shape {
    product: ProductShape,
    catalogue: CatalogueShape,
    assessments: Vec<Proposal>,
}

#[derive(Deserialize)]
struct ProductShape {
    version: String,
}

#[derive(Deserialize)]
struct CatalogueShape {
    sha256: String,
}

/// Why a dossier was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DossierError {
    /// Not the JSON of a dossier.
    #[error("not a dossier: {0}")]
    Shape(String),
    /// Assessments that break rules: all of them.
    #[error("{} assessment(s) refused, the first: {}", .0.len(), .0.first().map(ToString::to_string).unwrap_or_default())]
    Refused(Vec<Refusal>),
}

impl Dossier {
    /// Reads a dossier.
    ///
    /// # Errors
    /// [`DossierError`] lists every assessment that breaks a rule.
    pub fn read(text: &str, catalogue: &Catalogue) -> Result<Self, DossierError> {
        if text.len() > BYTES_MAX {
            return Err(DossierError::Shape("more than 16 MB".to_owned()));
        }
        let shape: Shape = serde_json::from_str(text).map_err(|error| DossierError::Shape(error.to_string()))?;
        let (mut assessments, mut refused) = (Vec::new(), Vec::new());
        for proposal in shape.assessments {
            match Assessment::accept(proposal, catalogue) {
                Ok(assessment) => assessments.push(assessment),
                Err(refusal) => refused.push(refusal),
            }
        }
        if !refused.is_empty() {
            return Err(DossierError::Refused(refused));
        }
        Ok(Self { product_version: shape.product.version, catalogue_sha256: shape.catalogue.sha256, assessments })
    }

    /// The assessment of a requirement: the last of them.
    #[must_use]
    pub fn assessment(&self, id: &RequirementId) -> Option<&Assessment> {
        self.assessments.iter().filter(|one| one.requirement() == id).max_by_key(|one| one.date())
    }
}
