//! What will be delivered to whom, and what may not be.

use socle_fhir::pdsm::{Addressee, ProvideBundle};
use socle_fhir::{Issue, IssueType};
use socle_finding::{Rule, Severity, Text};
use socle_identity::{Matricule, MssAddress, QualifiedIdentity};

use super::{Checked, Identified, Known};
use crate::dispatch::job::Target;
use crate::refusal::Stop;
use crate::settings::{Services, Settings};

/// The deliveries of a lot.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// What will be done.
    pub(crate) targets: Vec<Target>,
    /// What was asked for and is forbidden, though the lot itself may be taken.
    pub(crate) refused: Vec<RefusedTarget>,
    /// The same, as warnings for the caller.
    pub(crate) remarks: Vec<Issue>,
}

/// A delivery that a rule forbids.
#[derive(Debug)]
pub(crate) struct RefusedTarget {
    pub(crate) step: String,
    pub(crate) summary: Text,
    pub(crate) rule: String,
}

impl Plan {
    pub(crate) fn summary(&self) -> Text {
        if self.targets.is_empty() {
            return Text::fixed("gardé ; aucune livraison", "kept; no delivery");
        }
        let names = self.targets.iter().map(Target::shown).collect::<Vec<_>>();
        let names = Text::join(&names, ", ");
        Text::new(
            format!("accès permis ; livraisons : {}", names.fr),
            format!("access permitted; deliveries: {}", names.en),
        )
    }
}

/// One line on the documents, for the flow: types and sizes, nothing of the patient.
pub(crate) fn said_of(documents: &[Checked]) -> Text {
    let each = |unit: &str| {
        let one = |checked: &Checked| {
            format!("{} ({} {unit})", checked.header.code.code, checked.document.bytes().len().div_ceil(1024))
        };
        documents.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let count = documents.len();
    Text::new(
        format!("{count} document(s) lisible(s) : {}", each("Ko")),
        format!("{count} readable document(s): {}", each("KB")),
    )
}

pub(crate) fn make(
    settings: &Settings,
    services: &Services,
    lot: &ProvideBundle,
    documents: &[Checked],
    identified: &Identified,
) -> Result<Plan, Stop> {
    let mut plan = Plan::default();
    if lot.feed_dmp {
        plan_dmp(&mut plan, documents, may_be_qualified(identified) && identified.carried.is_some());
    }
    let mut refusals = Vec::new();
    for recipient in &lot.recipients {
        match may_write(settings, services, &recipient.to, identified) {
            Ok(target) if plan.targets.contains(&target) => {}
            Ok(target) => plan.targets.push(target),
            Err(issue) => refusals.push(*issue),
        }
    }
    if !refusals.is_empty() {
        return Err(Stop { step: "decide", status: 422, issues: refusals });
    }
    if plan.targets.is_empty() && !plan.refused.is_empty() {
        let mut issues = plan.remarks;
        issues.iter_mut().for_each(|issue| issue.finding.severity = Severity::Error);
        return Err(Stop { step: "decide", status: 422, issues });
    }
    Ok(plan)
}

fn plan_dmp(plan: &mut Plan, documents: &[Checked], has_qualified_ins: bool) {
    if has_qualified_ins {
        plan.targets.push(Target::Dmp);
        return;
    }
    let all_without = documents.iter().all(|checked| checked.header.ins().is_none());
    let (fr, en) = if all_without {
        (
            "le document ne porte pas d'INS : il n'alimente pas le DMP",
            "the document carries no INS: it does not feed the DMP",
        )
    } else {
        (
            "l'identité n'est pas qualifiée : le DMP n'est pas alimenté",
            "the identity is not qualified: the DMP is not fed",
        )
    };
    plan.refused.push(RefusedTarget {
        step: "dmp".to_owned(),
        summary: Text::fixed(fr, en),
        rule: "DMP, EX_GEN-1530".to_owned(),
    });
    let mend = Text::fixed(
        "qualifiez l'identité, produisez le document avec son INS, renvoyez-le",
        "qualify the identity, produce the document with its INS, send it again",
    );
    let rule = Rule::fixed("DMP", "EX_GEN-1530");
    plan.remarks.push(Issue::warning(IssueType::BusinessRule, rule, Text::fixed(fr, en), mend));
}

fn may_write(
    settings: &Settings,
    services: &Services,
    to: &Addressee,
    identified: &Identified,
) -> Result<Target, Box<Issue>> {
    let address = match to {
        Addressee::ThePatient => return patient_target(identified, None),
        Addressee::Mailbox(MssAddress::Patient(named)) => {
            return patient_target(identified, Some(named));
        }
        Addressee::Mailbox(address) => address,
    };
    address.domain().admit_in(settings.environment).map_err(|mix| {
        let text = Text::new(
            format!("le domaine {} n'appartient pas à l'environnement « {} »", address.domain(), settings.environment),
            format!("{}: {mix}", address.domain()),
        );
        let mend = Text::fixed(
            "écrivez à une adresse du même environnement (les jumeaux vivent sous .test)",
            "write to an address of the same environment (the twins live under .test)",
        );
        Box::new(Issue::error(IssueType::Security, Rule::fixed("Socle", "verrou d'environnement"), text, mend))
    })?;
    let domain = address.domain();
    if services.white_list.lists(&domain) {
        return Ok(Target::Professional(address.clone()));
    }
    let text = Text::new(
        format!("le domaine {domain} n'est pas dans la liste blanche MSSanté"),
        format!("the domain {domain} is not in the liste blanche of MSSanté"),
    );
    let mend = Text::fixed("vérifiez l'adresse dans l'Annuaire Santé", "check the address in the Annuaire Santé");
    let rule = Rule::fixed("MSSanté Référentiel #1", "liste blanche");
    Err(Box::new(Issue::error(IssueType::BusinessRule, rule, text, mend)))
}

/// The patient of the lot, and nobody else: an address that names another person would take the
/// document to them.
fn patient_target(identified: &Identified, named: Option<&Matricule>) -> Result<Target, Box<Issue>> {
    if !may_be_qualified(identified) {
        return Err(Box::new(patient_not_qualified()));
    }
    let of_the_lot = identified.identity.qualified().map(QualifiedIdentity::ins).or(identified.carried.as_ref());
    match named {
        Some(named) if of_the_lot.is_none_or(|ins| ins.matricule != *named) => Err(Box::new(another_patient())),
        _ => Ok(Target::Patient),
    }
}

/// Qualified, or to be before anything leaves: while INSi is silent the deliveries wait for its answer.
fn may_be_qualified(identified: &Identified) -> bool {
    identified.identity.qualified().is_some() || identified.known == Known::Unreachable
}

fn another_patient() -> Issue {
    Issue::error(
        IssueType::BusinessRule,
        Rule::fixed("MSSanté Référentiel #2", "ECO.2.2.6"),
        Text::fixed(
            "cette adresse de patient est celle d'une autre personne que le patient du document",
            "this patient's address is that of another person than the patient of the document",
        ),
        Text::fixed(
            "adressez-vous au patient du lot (« patient » avec socle send), Socle construit l'adresse",
            "address the patient of the lot (`patient` with socle send), Socle builds the address",
        ),
    )
}

fn patient_not_qualified() -> Issue {
    Issue::error(
        IssueType::BusinessRule,
        Rule::fixed("MSSanté Référentiel #2", "ECO.2.2.6"),
        Text::fixed(
            "l'adresse d'un patient se construit depuis une identité qualifiée seulement",
            "a patient's address is built from a qualified identity only",
        ),
        Text::fixed("qualifiez l'identité d'abord", "qualify the identity first"),
    )
}
