//! What is proven, what is declared, what is missing, what comes: one product on one day.
//!
//! Counts per fiche, never a single percentage. Evidence that no longer holds (older than twelve months,
//! made before this version, made against another catalogue, expired) takes the conformity it carried
//! with it: the status falls to partial and says why; nothing is carried over silently.

mod alert;
mod maturity;

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Span, Timestamp};
use serde::Serialize;
use socle_finding::Text;

use crate::applicability::{Applicability, Ruling, rule};
use crate::catalogue::{Catalogue, EditionDiff, Level, Published, Requirement, RequirementId, token_of};
use crate::dossier::{Assessment, Dossier, Evidence, Status, Strength};
use crate::product::Product;

pub use alert::Alert;
pub use maturity::{Maturity, SCALE};

/// How bad a gap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GapSeverity {
    /// Not binding yet.
    Info,
    /// Recommended.
    Low,
    /// Mandatory under a scheme aimed at.
    Medium,
    /// Mandatory, due, unconditional.
    High,
}

/// One requirement, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Does it bind, and why.
    pub ruling: Ruling<'a>,
    /// What holds today.
    pub status: Status,
    /// The strongest evidence.
    pub strength: Option<Strength>,
    /// Was it made by a machine?
    pub is_machine: bool,
    /// Why what was assessed does not hold as it was.
    pub remarks: Vec<Text>,
    /// How bad the gap is; none when there is none.
    pub severity: Option<GapSeverity>,
}

impl Row<'_> {
    /// Is it mandatory, due and not conform?
    #[must_use]
    pub fn is_blocking(&self) -> bool {
        self.ruling.blocks && self.status != Status::Conform
    }
}

/// Counts of one fiche, over what is applicable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FicheReport {
    /// Chapter.
    pub chapter: String,
    /// Fiche.
    pub fiche: String,
    /// Conform.
    pub conform: usize,
    /// Partial.
    pub partial: usize,
    /// Not conform.
    pub non_conform: usize,
    /// Not assessed.
    pub not_assessed: usize,
    /// Not testable.
    pub not_testable: usize,
    /// Gaps that block.
    pub blocking: usize,
    /// Conform, proven by a machine.
    pub by_machine: usize,
    /// Not yet.
    pub coming: usize,
}

/// One line of the roadmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Which requirement.
    pub requirement: &'a Requirement,
    /// When; none when the day is not known.
    pub day: Option<Date>,
    /// What must be said with the day: facts that are missing, an act that was not seen.
    pub remarks: Vec<Text>,
}

/// Everything that is to be said of a product on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation<'a> {
    /// The day.
    pub day: Date,
    /// Every requirement, in the order of the catalogue.
    pub rows: Vec<Row<'a>>,
    /// Per fiche, those with something applicable or coming.
    pub fiches: Vec<FicheReport>,
    /// What comes, by day; unknown days last.
    pub roadmap: Vec<Step<'a>>,
    /// What expires or turns soon.
    pub alerts: Vec<Alert>,
    /// Per theme, on a scale of our own.
    pub maturity: Vec<Maturity>,
}

impl Evaluation<'_> {
    /// Gaps that block.
    pub fn blocking(&self) -> impl Iterator<Item = &Row<'_>> {
        self.rows.iter().filter(|row| row.is_blocking())
    }
}

/// Judges a product on a day, with its dossier when there is one.
#[must_use]
pub fn evaluate<'a>(
    catalogue: &'a Catalogue,
    product: &Product,
    dossier: Option<&Dossier>,
    day: Date,
) -> Evaluation<'a> {
    let judge = Judge { catalogue, product, dossier, day };
    let rows: Vec<Row<'a>> = rule(catalogue, product, day).into_iter().map(|ruling| judge.row(ruling)).collect();
    Evaluation {
        day,
        fiches: fiches(&rows),
        roadmap: roadmap(catalogue, &rows),
        alerts: alert::alerts(catalogue, product, dossier, day),
        maturity: maturity::of(&rows),
        rows,
    }
}

/// Assessments that a new catalogue touches. None is carried over as conform: each waits to be confirmed.
#[must_use]
pub fn affected<'d>(dossier: &'d Dossier, before: &Catalogue, after: &Catalogue) -> Vec<&'d Assessment> {
    let diff = EditionDiff::between(before, after);
    let is_touched = |id: &RequirementId| diff.0.iter().any(|(changed, _)| changed == id);
    dossier.assessments.iter().filter(|assessment| is_touched(assessment.requirement())).collect()
}

struct Judge<'a, 'p> {
    catalogue: &'a Catalogue,
    product: &'p Product,
    dossier: Option<&'p Dossier>,
    day: Date,
}

impl<'a> Judge<'a, '_> {
    fn row(&self, ruling: Ruling<'a>) -> Row<'a> {
        let assessment = self.dossier.and_then(|dossier| dossier.assessment(&ruling.requirement.id));
        let mut row = Row {
            status: assessment.map_or(Status::NotAssessed, Assessment::status),
            strength: assessment.and_then(Assessment::strength),
            is_machine: assessment.is_some_and(|one| one.evidence().iter().any(Evidence::is_machine)),
            remarks: assessment.map(|one| self.doubts(one)).unwrap_or_default(),
            severity: None,
            ruling,
        };
        if row.status == Status::Conform && !row.remarks.is_empty() {
            row.status = Status::Partial;
        }
        if row.ruling.applicability != Applicability::NotApplicable && row.status != Status::Conform {
            row.severity = Some(self.severity(&row.ruling));
        }
        row
    }

    /// Why what was assessed no longer holds.
    fn doubts(&self, assessment: &Assessment) -> Vec<Text> {
        let mut doubts = Vec::new();
        if let Some(dossier) = self.dossier {
            if dossier.product_version != self.product.version {
                doubts.push(Text::new(
                    format!("preuves de la version {} : à requalifier", dossier.product_version),
                    format!("evidence of version {}: to be qualified again", dossier.product_version),
                ));
            }
            if dossier.catalogue_sha256 != self.catalogue.sha256 {
                doubts.push(Text::fixed(
                    "évalué avec un autre catalogue : à confirmer",
                    "assessed against another catalogue: to be confirmed",
                ));
            }
        }
        if assessment.expires().is_some_and(|last| last < self.day) {
            doubts.push(Text::fixed("l'évaluation a expiré", "the assessment has expired"));
        }
        let made = |evidence: &Evidence| date_of(evidence.produced);
        let newest = assessment.evidence().iter().map(made).max();
        let year_ago = self.day.saturating_sub(Span::new().months(12));
        if newest.is_some_and(|newest| newest < year_ago) {
            doubts.push(Text::fixed("preuves de plus de douze mois", "evidence older than twelve months"));
        }
        if let (Some(newest), Some(released)) = (newest, self.product.released)
            && newest < released
        {
            doubts.push(Text::fixed("preuves antérieures à cette version", "evidence made before this version"));
        }
        doubts
    }

    fn severity(&self, ruling: &Ruling<'_>) -> GapSeverity {
        match ruling.requirement.level {
            Level::Coming => GapSeverity::Info,
            _ if ruling.applicability == Applicability::NotYet => GapSeverity::Info,
            Level::Recommended => GapSeverity::Low,
            Level::Mandatory if self.is_unconditional(ruling) => GapSeverity::High,
            Level::Mandatory => GapSeverity::Medium,
        }
    }

    /// No condition, or one that the product's own facts meet: no scheme has to be aimed at.
    fn is_unconditional(&self, ruling: &Ruling<'_>) -> bool {
        let Some(words) = &ruling.requirement.condition else { return true };
        let condition = self.catalogue.conditions.iter().find(|one| one.words == token_of(words));
        condition.is_some_and(|one| one.schemes.is_empty()) && ruling.missing_facts.is_empty()
    }
}

fn date_of(moment: Timestamp) -> Date {
    Offset::UTC.to_datetime(moment).date()
}

fn fiches(rows: &[Row<'_>]) -> Vec<FicheReport> {
    let mut all: Vec<FicheReport> = Vec::new();
    for row in rows.iter().filter(|row| row.ruling.applicability != Applicability::NotApplicable) {
        let requirement = row.ruling.requirement;
        let at = all.iter().position(|one| one.fiche == requirement.fiche).unwrap_or_else(|| {
            all.push(FicheReport::new(requirement));
            all.len() - 1
        });
        if let Some(report) = all.get_mut(at) {
            report.count(row);
        }
    }
    all
}

impl FicheReport {
    fn new(requirement: &Requirement) -> Self {
        Self {
            chapter: requirement.chapter.clone(),
            fiche: requirement.fiche.clone(),
            conform: 0,
            partial: 0,
            non_conform: 0,
            not_assessed: 0,
            not_testable: 0,
            blocking: 0,
            by_machine: 0,
            coming: 0,
        }
    }

    fn count(&mut self, row: &Row<'_>) {
        if row.ruling.applicability == Applicability::NotYet {
            self.coming += 1;
            return;
        }
        match row.status {
            Status::Conform => self.conform += 1,
            Status::Partial => self.partial += 1,
            Status::NonConform => self.non_conform += 1,
            Status::NotAssessed => self.not_assessed += 1,
            Status::NotTestable => self.not_testable += 1,
        }
        self.blocking += usize::from(row.is_blocking());
        self.by_machine += usize::from(row.status == Status::Conform && row.is_machine);
    }
}

fn roadmap<'a>(catalogue: &Catalogue, rows: &[Row<'a>]) -> Vec<Step<'a>> {
    let coming = rows.iter().filter(|row| row.ruling.applicability == Applicability::NotYet);
    let mut steps: Vec<Step<'a>> = coming
        .map(|row| {
            let requirement = row.ruling.requirement;
            let missing = &row.ruling.missing_facts;
            let mut remarks = Vec::new();
            if !missing.is_empty() {
                let list = missing.join(", ");
                remarks.push(Text::new(format!("fait manquant : {list}"), format!("fact missing: {list}")));
            }
            if rests_on_an_act_not_seen(catalogue, requirement) {
                remarks.push(Published::AdoptedNotSeen.name());
            }
            Step { requirement, day: requirement.due.planned(), remarks }
        })
        .collect();
    steps.sort_by_key(|step| (step.day.is_none(), step.day));
    steps
}

/// Dates of the AI Act rest on an act whose publication was not seen; they are said with that remark.
fn rests_on_an_act_not_seen(catalogue: &Catalogue, requirement: &Requirement) -> bool {
    let Some(day) = requirement.due.planned() else { return false };
    let is_ai = requirement.id.as_str().starts_with("DOC-IA-");
    let not_seen =
        |one: &crate::catalogue::Milestone| one.status == Published::AdoptedNotSeen && one.day.first() == day;
    is_ai && catalogue.milestones.iter().any(not_seen)
}
