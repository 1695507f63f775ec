//! The lot feeds the patient's DMP (TD2.1, ITI-41), in the name of the structure.
//!
//! What the flow keeps of the exchange is the SOAP part alone: the documents are in the store already.

use bytes::Bytes;
use socle_cda::header::RelatedKind;
use socle_dmp::client::{
    Attempt as Sent, Deposit, Document, Exchange, Failure, FailureKind, Message, Placed, Provided, Refusal,
};
use socle_dmp::model::{Automaton, Speaker};
use socle_finding::{Finding, Location, Rule, Severity, Text};
use socle_store::{Blob, Job};
use socle_trust::audit::{Code, RecordAction};
use socle_xml::mtom;

use super::job::{DeliveryJob, Target};
use super::package::Package;
use super::{Attempt, End};
use crate::desk::Gateway;

const PROTOCOL: &str = "SOAP 1.2, ITI-41, MTOM, VIHF, mTLS";

impl Gateway {
    pub(super) async fn deliver_to_dmp(&self, job: &Job) -> Attempt {
        let Ok(DeliveryJob { lot, .. }) = serde_json::from_slice(&job.payload) else {
            return self.unreadable(job, "dmp", PROTOCOL);
        };
        let attempt = self.begin(job, &lot, &Target::Dmp, PROTOCOL, Code::ihe("ITI-41"), RecordAction::C);
        let package = match self.package(&lot).await {
            Ok(package) => package,
            Err(unpacked) => return attempt.unpacked(unpacked),
        };
        let Some(identity) = package.identity.qualified().cloned() else { return attempt.never(&not_qualified()) };
        let sent = if job.attempts > 1 { Sent::Again } else { Sent::First };
        let deposit = deposit_of(package, sent);
        match self.services.dmp.provide(&identity, deposit).await {
            Ok(provided) => delivered(attempt, &provided),
            Err(failure) => not_delivered(attempt, &failure),
        }
    }
}

fn deposit_of(package: Package, attempt: Sent) -> Deposit {
    let documents = package.documents.iter().map(|packed| Document {
        entry: packed.entry.clone(),
        bytes: packed.bytes().clone(),
        replaces: packed
            .header
            .related
            .as_ref()
            .filter(|related| related.kind == RelatedKind::Replaces)
            .map(|related| related.parent.to_unique_id()),
    });
    let automaton = Automaton { internal_id: "socle".to_owned(), name: "Socle".to_owned() };
    Deposit { documents: documents.collect(), set: package.set, speaker: Speaker::Automaton(automaton), attempt }
}

fn delivered(mut attempt: Attempt, provided: &Provided) -> Attempt {
    let how = provided.documents.iter().map(|document| match document.how {
        Placed::Original => Text::fixed("déposé", "deposited"),
        Placed::Replaced { .. } => {
            Text::fixed("déposé, remplace la version précédente", "deposited, replaces the former version")
        }
        Placed::OriginalInsteadOfReplacement => Text::fixed(
            "déposé comme original : le DMP n'a pas la version à remplacer",
            "deposited as an original: the DMP has not the version to replace",
        ),
        Placed::AlreadyThere => Text::fixed("déjà là, avec la même empreinte", "there already, with the same digest"),
    });
    attempt.end = End::Done;
    attempt.summary = Text::join(&how.collect::<Vec<_>>(), " ; ");
    attempt.exchange = kept(&provided.exchanges);
    attempt
}

fn not_delivered(mut attempt: Attempt, failure: &Failure) -> Attempt {
    attempt.exchange = kept(&failure.exchanges);
    match &failure.kind {
        FailureKind::Refused(refusal) => attempt.never(&refused(refusal)),
        FailureKind::Temporary(trouble) => attempt.later(Text::new(
            format!("le DMP ne peut pas répondre : {trouble}"),
            format!("the DMP cannot answer: {trouble}"),
        )),
        FailureKind::Unknown(trouble) => attempt.later(Text::new(
            format!("issue inconnue, le DMP sera interrogé avant tout renvoi : {trouble}"),
            format!("outcome unknown, the DMP will be asked before anything is sent again: {trouble}"),
        )),
    }
}

fn kept(exchanges: &[Exchange]) -> Option<(Blob, Option<Blob>)> {
    let last = exchanges.last()?;
    let response = last.response.as_ref().map(|(_, message)| Blob::new(envelope_of(message)));
    Some((Blob::new(envelope_of(&last.request)), response))
}

/// The SOAP envelope of a message, without the documents beside it.
fn envelope_of(message: &Message) -> Bytes {
    let whole = message.to_bytes();
    if !mtom::is_multipart(&message.content_type) {
        return whole;
    }
    mtom::read(&message.content_type, whole.clone(), &mtom::Limits::default()).map_or(whole, |read| read.root)
}

fn refused(refusal: &Refusal) -> Finding {
    let point = match &refusal.reason {
        socle_dmp::client::Reason::Code(code) => code.as_str().to_owned(),
        _ => "ITI-41".to_owned(),
    };
    Finding {
        severity: Severity::Error,
        rule: Rule { text: "DMP".into(), point: point.into() },
        at: Location::default(),
        message: Text::new(format!("le DMP refuse le dépôt : {}", refusal.reason), refusal.reason.to_string()),
        mend: refusal.reason.mend().clone(),
    }
}

fn not_qualified() -> Finding {
    Finding {
        severity: Severity::Error,
        rule: Rule::fixed("DMP", "EX_GEN-1530"),
        at: Location::default(),
        message: Text::fixed(
            "l'identité n'est pas qualifiée : le DMP n'est pas alimenté",
            "the identity is not qualified: the DMP is not fed",
        ),
        mend: Text::fixed(
            "qualifiez l'identité, puis relancez le travail",
            "qualify the identity, then run the job again",
        ),
    }
}
