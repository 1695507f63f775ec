//! Who the patient is: the lot's word, the document's word, and INSi's.

use jiff::Timestamp;
use socle_cda::Header;
use socle_fhir::fr_core::DeclaredPatient;
use socle_fhir::pdsm::{ProvideBundle, SubmittedPatient};
use socle_fhir::{Issue, IssueType, Issues};
use socle_finding::{Rule, Text};
use socle_identity::{Difference, Identity, Ins, Refused, Traits, consistent_first_given_name};
use socle_ins::client::{SearchError, SearchFailed};
use socle_ins::model::{FaultClass, SearchOutcome, SearchRefused, SearchTraits};
use socle_store::Blob;
use socle_trust::Actor;

use super::Checked;
use super::documents::on;
use crate::desk::Gateway;
use crate::person::PersonKey;
use crate::refusal::{Stop, issue_of, store_stop};
use crate::{TENANT, kind};

/// What came of the identification.
pub(crate) struct Identified {
    /// The person's name in the store.
    pub(crate) key: PersonKey,
    /// The identity, with its status.
    pub(crate) identity: Identity,
    /// How we came to know it.
    pub(crate) known: Known,
    /// The INS that the documents carry, when they carry one.
    pub(crate) carried: Option<Ins>,
    /// What went over the wire to INSi.
    pub(crate) exchange: Option<(Blob, Option<Blob>)>,
    /// Warnings.
    pub(crate) remarks: Vec<Issue>,
}

/// How an identity came to be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// INSi answered now.
    Asked,
    /// INSi answered for an earlier document, not long ago.
    Before(Timestamp),
    /// INSi does not answer: the deliveries wait.
    Unreachable,
}

const RNIV: &str = "RNIV v2.0";

impl Gateway {
    pub(super) async fn identify(
        &self,
        actor: &Actor,
        lot: &ProvideBundle,
        documents: &[Checked],
    ) -> Result<Identified, Stop> {
        let (declared, carried) = one_patient(lot, documents)?;
        let stated = stated_identity(&declared, actor)?;
        let key =
            carried.as_ref().map_or_else(|| self.persons.of_traits(stated.traits()), |ins| self.persons.of_ins(ins));
        if let Some(identity) = self.known_before(&key, &stated).await? {
            let at = identity.qualified().map_or(Timestamp::UNIX_EPOCH, |known| known.answer().received_at);
            let found =
                Identified { key, identity, known: Known::Before(at), carried, exchange: None, remarks: Vec::new() };
            return may_leave(found);
        }
        self.ask_insi(key, stated, carried).await
    }

    /// The identity that this domain qualified for an earlier document, when the traits are the same
    /// and INSi's answer is not too old.
    pub(crate) async fn known_before(&self, key: &PersonKey, stated: &Identity) -> Result<Option<Identity>, Stop> {
        let stored = self.store.read(TENANT, kind::IDENTITY, key.as_str()).await;
        let Some(version) = stored.map_err(|error| store_stop("identify", &error))? else { return Ok(None) };
        let Ok(identity) = serde_json::from_slice::<Identity>(&version.body) else { return Ok(None) };
        let Some(qualified) = identity.qualified() else { return Ok(None) };
        let age = Timestamp::now().duration_since(qualified.answer().received_at).unsigned_abs();
        let same = blocking(&stated.traits().differences(qualified.traits())).is_empty();
        let here = qualified.admit_in(self.settings.environment).is_ok();
        Ok((same && here && age <= self.settings.insi_answer_valid).then_some(identity))
    }

    async fn ask_insi(&self, key: PersonKey, stated: Identity, carried: Option<Ins>) -> Result<Identified, Stop> {
        let traits = SearchTraits::of(&stated).map_err(|refused| Stop::new("identify", 422, unaskable(&refused)))?;
        match self.services.ins.search(&traits).await {
            Ok(search) => {
                let exchange = kept_exchange(&search.exchanges);
                let (identity, remarks) = conclude(&stated, search.outcome, carried.as_ref())
                    .map_err(|issue| Stop::new("identify", 422, *issue))?;
                may_leave(Identified { key, identity, known: Known::Asked, carried, exchange, remarks })
            }
            Err(failed) if may_pass(&failed.error) => without_insi(key, stated, carried, &failed),
            Err(failed) => Err(Stop::new("identify", 422, issue_of(&failed.error.finding(), IssueType::Processing))),
        }
    }
}

/// INSi is out of order, or our access to it is: neither is the caller's to mend, so the document waits.
pub(crate) fn may_pass(error: &SearchError) -> bool {
    matches!(error.class(), Some(FaultClass::Retryable | FaultClass::Configuration))
}

/// The message that gave the outcome, as it went and came (EXI REC 07).
pub(crate) fn kept_exchange(exchanges: &[socle_ins::client::Exchange]) -> Option<(Blob, Option<Blob>)> {
    let last = exchanges.last()?;
    Some((Blob::new(last.request.clone()), last.response.clone().map(Blob::new)))
}

fn unaskable(refused: &SearchRefused) -> Issue {
    Issue::error(
        IssueType::Value,
        Rule::fixed("SEL-MP-043 v05.00.01", "traits d'appel"),
        Text::new(
            format!("INSi n'accepte pas ces traits : {refused}"),
            format!("INSi does not take these traits: {refused}"),
        ),
        Text::fixed("corrigez le trait nommé", "mend the trait that is named"),
    )
}

/// The lot's patient and the documents' patient are one person, or nothing is done.
fn one_patient(lot: &ProvideBundle, documents: &[Checked]) -> Result<(DeclaredPatient, Option<Ins>), Stop> {
    let mut issues = Issues::default();
    let mut carried: Vec<Option<Ins>> = Vec::new();
    for (index, checked) in documents.iter().enumerate() {
        match carried_ins(&checked.header, index) {
            Ok(ins) => carried.push(ins),
            Err(finding) => issues.push(*finding),
        }
        if let Some(finding) = inconsistent_names(&checked.header, index) {
            issues.push(finding);
        }
    }
    let declared = match &lot.patient {
        SubmittedPatient::Described(declared) => Some(declared.as_ref().clone()),
        SubmittedPatient::Identified(_) | SubmittedPatient::Referenced(_) => {
            issues.push(no_traits());
            None
        }
    };
    if let Some(declared) = &declared {
        for (index, checked) in documents.iter().enumerate() {
            issues.0.extend(hold_against_patient(declared, checked, index));
        }
    }
    carried.dedup();
    if carried.len() > 1 {
        issues.push(several_patients());
    }
    match declared {
        Some(declared) if !issues.refuse() => Ok((declared, carried.pop().flatten())),
        _ => Err(Stop::all("identify", 422, issues)),
    }
}

fn carried_ins(header: &Header, index: usize) -> Result<Option<Ins>, Box<Issue>> {
    header.ins().transpose().map_err(|error| {
        let text = Text::new(
            format!("le matricule INS du document {} est faux : {error}", index + 1),
            format!("the matricule INS of document {} is wrong: {error}", index + 1),
        );
        let mend = Text::fixed(
            "reprenez le matricule de la réponse d'INSi ; ne le saisissez pas à la main",
            "take the matricule of INSi's answer; do not type it by hand",
        );
        let rule = Rule::fixed("Référentiel INS", "INS key: 97 − (numéro mod 97)");
        Box::new(on(Issue::error(IssueType::Value, rule, text, mend), "recordTarget/patientRole/id[1]"))
    })
}

fn inconsistent_names(header: &Header, index: usize) -> Option<Issue> {
    let name = &header.patient.name;
    if name.given_names.is_empty() || consistent_first_given_name(&name.first_given_name, &name.given_names) {
        return None;
    }
    let text = Text::new(
        format!("document {} : le premier prénom n'est pas le début de la liste des prénoms de naissance", index + 1),
        format!("document {}: the first given name is not the beginning of the list of given names", index + 1),
    );
    let mend =
        Text::fixed("reprenez la liste d'INSi, complète et dans l'ordre", "take INSi's list, complete and in order");
    let rule = Rule::fixed("Guide d'implémentation de l'INS v3.0", "EXI ID 10");
    Some(on(Issue::error(IssueType::BusinessRule, rule, text, mend), "recordTarget/patientRole/patient/name/given"))
}

fn no_traits() -> Issue {
    Issue::error(
        IssueType::Required,
        Rule::fixed(RNIV, "traits stricts"),
        Text::fixed(
            "la transaction ne dit pas qui est le patient : ses traits sont nécessaires pour interroger INSi",
            "the transaction does not say who the patient is: INSi needs the traits",
        ),
        Text::fixed(
            "joignez un Patient FR Core (contenu dans la fiche, ou entrée du lot)",
            "add an FR Core Patient (contained in the fiche, or an entry of the lot)",
        ),
    )
}

fn several_patients() -> Issue {
    Issue::error(
        IssueType::BusinessRule,
        Rule::fixed("MSSanté Référentiel #2", "ECO.2.1.1"),
        Text::fixed(
            "les documents du lot ne sont pas tous du même patient",
            "the documents of the lot are not all of one patient",
        ),
        Text::fixed("un lot par patient", "one lot per patient"),
    )
}

/// The document's patient is the submission's, strict trait by strict trait, and INS for INS.
fn hold_against_patient(declared: &DeclaredPatient, checked: &Checked, index: usize) -> Vec<Issue> {
    let mut found = Vec::new();
    if let Some(traits) = &checked.header.patient.traits {
        let differences = blocking(&declared.traits.differences(traits));
        if !differences.is_empty() {
            let (fr, en) = (names(&differences, Difference::french), names(&differences, Difference::english));
            found.push(other_patient(index, &fr, &en));
        }
    }
    if let (Some(declared), Some(Ok(carried))) = (&declared.ins, checked.header.ins())
        && *declared != carried
    {
        found.push(other_patient(index, "INS", "INS"));
    }
    found
}

fn other_patient(index: usize, fr: &str, en: &str) -> Issue {
    let text = Text::new(
        format!("le patient du document {} n'est pas celui de la transaction ({fr})", index + 1),
        format!("the patient of document {} is not that of the transaction ({en})", index + 1),
    );
    let mend = Text::fixed("vérifiez quel dossier était ouvert", "check whose record was open");
    let rule = Rule::fixed("DMP", "XDSPatientIdDoesNotMatch");
    on(Issue::error(IssueType::BusinessRule, rule, text, mend), "recordTarget/patientRole")
}

fn names(differences: &[Difference], name: fn(Difference) -> &'static str) -> String {
    differences.iter().map(|difference| name(*difference)).collect::<Vec<_>>().join(", ")
}

/// Differences that stop: the code of a birth place changes over the years, and INSi does not ask for it.
fn blocking(differences: &[Difference]) -> Vec<Difference> {
    differences.iter().copied().filter(|difference| *difference != Difference::BirthPlace).collect()
}

/// What the caller states: the traits, and the paper that was checked, if one was.
fn stated_identity(declared: &DeclaredPatient, actor: &Actor) -> Result<Identity, Stop> {
    if let Some(doubt) = declared.doubt {
        return Err(refused_by_rniv(&Refused::Doubtful(doubt)));
    }
    let identity = Identity::declared(declared.traits.clone());
    let Some(evidence) = declared.evidence else { return Ok(identity) };
    identity.check(evidence.vouched_by(actor.id.as_str().to_owned())).map_err(|refused| refused_by_rniv(&refused))
}

fn refused_by_rniv(refused: &Refused) -> Stop {
    Stop::new("identify", 422, rniv_issue(refused))
}

pub(crate) fn rniv_issue(refused: &Refused) -> Issue {
    let (point, fr) = match refused {
        Refused::Doubtful(_) => (
            "EXI ID 26",
            "l'identité est douteuse ou fictive : INSi n'est pas interrogé, l'INS n'est pas utilisé".to_owned(),
        ),
        Refused::Differs(differences) => (
            "EXI SI 08",
            format!("la réponse d'INSi n'est pas de ce patient ({})", names(differences, Difference::french)),
        ),
        Refused::FirstGivenName => {
            ("EXI ID 10", "le premier prénom n'est pas le début de la liste des prénoms de naissance".to_owned())
        }
        Refused::Empty => ("EXI SI 07", "l'identité est vide".to_owned()),
    };
    let mend = Text::fixed(
        "faites lever le doute par la cellule d'identitovigilance",
        "have the doubt settled by the identity desk",
    );
    Issue::error(IssueType::BusinessRule, Rule::fixed(RNIV, point), Text::new(fr, refused.to_string()), mend)
}

/// INSi has answered: the identity with its new status.
pub(crate) fn conclude(
    stated: &Identity,
    outcome: SearchOutcome,
    carried: Option<&Ins>,
) -> Result<(Identity, Vec<Issue>), Box<Issue>> {
    match outcome {
        SearchOutcome::Found(answer) => {
            if carried.is_some_and(|carried| *carried != answer.ins) {
                return Err(Box::new(not_qualified(
                    "l'INS que porte le document n'est pas celui que donne INSi (matricule ou OID)",
                    "the INS that the document carries is not the one that INSi gives (matricule or OID)",
                )));
            }
            let remarks = place_remark(stated.traits(), &answer.traits);
            let identity = stated.accept(*answer).map_err(|refused| Box::new(rniv_issue(&refused)))?;
            Ok((identity, remarks))
        }
        SearchOutcome::NotFound if carried.is_some() => Err(Box::new(not_qualified(
            "INSi ne trouve personne avec ces traits (code 01), et le document porte un INS",
            "INSi finds nobody with these traits (code 01), and the document carries an INS",
        ))),
        SearchOutcome::Several if carried.is_some() => Err(Box::new(not_qualified(
            "INSi trouve plusieurs personnes avec ces traits (code 02), et le document porte un INS",
            "INSi finds several people with these traits (code 02), and the document carries an INS",
        ))),
        SearchOutcome::NotFound | SearchOutcome::Several => Ok((stated.clone(), Vec::new())),
    }
}

fn place_remark(stated: &Traits, reference: &Traits) -> Vec<Issue> {
    if !stated.differences(reference).contains(&Difference::BirthPlace) {
        return Vec::new();
    }
    vec![Issue::warning(
        IssueType::BusinessRule,
        Rule::fixed(RNIV, "traits stricts"),
        Text::fixed(
            "le lieu de naissance n'est pas celui que donne INSi",
            "the place of birth is not the one that INSi gives",
        ),
        Text::fixed("reprenez le code d'INSi", "take INSi's code"),
    )]
}

/// INSi does not answer. With a checked paper the document waits here; without, it could never leave.
fn without_insi(
    key: PersonKey,
    stated: Identity,
    carried: Option<Ins>,
    failed: &SearchFailed,
) -> Result<Identified, Stop> {
    if carried.is_some() && !matches!(stated, Identity::Validated { .. }) {
        return Err(no_paper(&stated));
    }
    let remark = Issue::warning(
        IssueType::Transient,
        Rule::fixed(RNIV, "INSi indisponible"),
        Text::fixed(
            "INSi ne répond pas : le document est gardé, il partira quand l'identité sera qualifiée",
            "INSi does not answer: the document is kept, it will leave once the identity is qualified",
        ),
        Text::fixed("rien à faire : INSi sera interrogé de nouveau", "nothing to do: INSi will be asked again"),
    );
    let exchange = kept_exchange(&failed.exchanges);
    Ok(Identified { key, identity: stated, known: Known::Unreachable, carried, exchange, remarks: vec![remark] })
}

/// A document that carries an INS leaves with a qualified identity only.
fn may_leave(found: Identified) -> Result<Identified, Stop> {
    if found.carried.is_some() && found.identity.qualified().is_none() {
        return Err(no_paper(&found.identity));
    }
    Ok(found)
}

fn no_paper(identity: &Identity) -> Stop {
    let status = identity.status();
    let text = Text::new(
        format!("l'identité du patient est {} ({status}), pas qualifiée : son INS ne peut pas sortir", status.french()),
        format!("the patient's identity is {status}, not qualified: its INS may not leave"),
    );
    let mend = Text::fixed(
        "contrôlez une pièce d'identité à haut niveau de confiance et dites laquelle (extension identityReliability, ou --checked-document)",
        "check an identity paper of high confidence and say which one (extension identityReliability, or --checked-document)",
    );
    let issue = Issue::error(IssueType::BusinessRule, Rule::fixed(RNIV, "EXI SI 08"), text, mend);
    Stop::new("identify", 422, issue)
}

fn not_qualified(fr: &'static str, en: &'static str) -> Issue {
    let mend = Text::fixed(
        "corrigez les traits d'après INSi, faites confirmer, produisez de nouveau le document",
        "mend the traits after INSi, have them confirmed, produce the document again",
    );
    Issue::error(IssueType::BusinessRule, Rule::fixed(RNIV, "EXI SI 08"), Text::fixed(fr, en), mend)
}
