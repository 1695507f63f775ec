//! The words of the console in both languages, kept together so that they stay of one voice.

use socle_finding::{Lang, Text};
use socle_store::{FlowState, JobState, StepState};

pub(super) const FLOWS: Text = Text::fixed("Flux", "Flows");
pub(super) const JOBS: Text = Text::fixed("Livraisons en cours", "Deliveries under way");
pub(super) const LOGIN: Text = Text::fixed("Se connecter avec Pro Santé Connect", "Log in with Pro Santé Connect");
pub(super) const LOGOUT: Text = Text::fixed("Se déconnecter", "Log out");
pub(super) const SKIP: Text = Text::fixed("Aller au contenu", "Skip to content");
pub(super) const WHEN: Text = Text::fixed("Reçu le", "Received");
pub(super) const STATE: Text = Text::fixed("État", "State");
pub(super) const DOCUMENT: Text = Text::fixed("Document", "Document");
pub(super) const BY: Text = Text::fixed("Par", "By");
pub(super) const ALL: Text = Text::fixed("Tous", "All");
pub(super) const MORE: Text = Text::fixed("Plus anciens", "Older");
pub(super) const NONE: Text = Text::fixed(
    "Aucun flux pour l'instant. Envoyez un document : socle send lettre.xml --to …",
    "No flow yet. Send a document: socle send letter.xml --to …",
);
pub(super) const NO_JOB: Text =
    Text::fixed("Rien n'attend : tout est livré.", "Nothing waits: everything is delivered.");
pub(super) const RETRY: Text = Text::fixed("Relancer maintenant", "Run again now");
pub(super) const ATTEMPTS: Text = Text::fixed("Essais", "Attempts");
pub(super) const NEXT: Text = Text::fixed("Prochain essai", "Next attempt");
pub(super) const REASON: Text = Text::fixed("Raison", "Reason");
pub(super) const REQUEST: Text = Text::fixed("Message envoyé", "Message sent");
pub(super) const RESPONSE: Text = Text::fixed("Message reçu", "Message received");
pub(super) const RULE: Text = Text::fixed("Règle", "Rule");
pub(super) const BACK: Text = Text::fixed("Retour au flux", "Back to the flow");
pub(super) const WELCOME: Text = Text::fixed(
    "La console montre où en est chaque document : reçu, identifié, déposé dans le DMP, envoyé par MSSanté, tracé.",
    "The console shows where each document stands: received, identified, deposited in the DMP, sent by MSSanté, traced.",
);
pub(super) const NO_PAGE: Text = Text::fixed("Page introuvable", "Page not found");
pub(super) const NOTHING_DONE: Text = Text::fixed("Demande refusée", "Request refused");
pub(super) const NOT_FOUND: Text = Text::fixed("Cette page n'existe pas.", "There is no such page.");
pub(super) const FORGED: Text = Text::fixed(
    "La demande ne vient pas de la console : rien n'a été fait.",
    "The request does not come from the console: nothing was done.",
);
pub(super) const LOGIN_FAILED: Text = Text::fixed("La connexion n'a pas abouti.", "The login did not succeed.");
pub(super) const FLOW: Text = Text::fixed("Flux", "Flow");
pub(super) const STEPS: Text = Text::fixed("Étapes", "Steps");
pub(super) const MESSAGE: Text = Text::fixed("Message échangé", "Exchanged message");
pub(super) const PERSONAL: Text = Text::fixed(
    "Ce message contient des données personnelles ; cette lecture est tracée.",
    "This message holds personal data; this reading is traced.",
);

pub(super) const READ: Text = Text::fixed("Lire le document", "Read the document");
pub(super) const BACK_TO_FLOWS: Text = Text::fixed("Retour aux flux", "Back to the flows");
pub(super) const PERSONAL_DOCUMENT: Text = Text::fixed(
    "Ce document contient des données personnelles ; cette lecture est tracée.",
    "This document holds personal data; this reading is traced.",
);
pub(super) const NOT_SHOWN: Text = Text::fixed(
    "Ce fichier n'est pas un document CDA lisible : la console ne le montre pas. Lisez-le par l'API :",
    "This file is no CDA document that can be read: the console does not show it. Read it by the API:",
);

pub(super) fn flow_state(state: FlowState, lang: Lang) -> &'static str {
    match (state, lang) {
        (FlowState::Waiting, Lang::Fr) => "en cours",
        (FlowState::Waiting, Lang::En) => "under way",
        (FlowState::Done, Lang::Fr) => "terminé",
        (FlowState::Done, Lang::En) => "done",
        (FlowState::Refused, Lang::Fr) => "refusé",
        (FlowState::Refused, Lang::En) => "refused",
        (FlowState::Failed, Lang::Fr) => "bloqué",
        (FlowState::Failed, Lang::En) => "stuck",
    }
}

pub(super) fn step_state(state: StepState, lang: Lang) -> &'static str {
    match (state, lang) {
        (StepState::Ok, Lang::Fr) => "fait",
        (StepState::Ok, Lang::En) => "done",
        (StepState::Waiting, Lang::Fr) => "en attente",
        (StepState::Waiting, Lang::En) => "waiting",
        (StepState::Refused, Lang::Fr) => "refusé",
        (StepState::Refused, Lang::En) => "refused",
        (StepState::Failed, Lang::Fr) => "en échec",
        (StepState::Failed, Lang::En) => "failed",
    }
}

pub(super) fn job_state(state: JobState, lang: Lang) -> &'static str {
    match (state, lang) {
        (JobState::Waiting, Lang::Fr) => "en attente",
        (JobState::Waiting, Lang::En) => "waiting",
        (JobState::Running, Lang::Fr) => "en cours",
        (JobState::Running, Lang::En) => "running",
        (JobState::Done, Lang::Fr) => "fait",
        (JobState::Done, Lang::En) => "done",
        (JobState::Dead, Lang::Fr) => "abandonné",
        (JobState::Dead, Lang::En) => "dead letter",
    }
}

/// The name of a step for people.
pub(super) fn step(name: &str, lang: Lang) -> String {
    let known = match (name.split(' ').next().unwrap_or_default(), lang) {
        ("authenticate", Lang::Fr) => "Appelant reconnu",
        ("authenticate", Lang::En) => "Caller recognised",
        ("validate", Lang::Fr) => "Documents vérifiés",
        ("validate", Lang::En) => "Documents checked",
        ("identify", Lang::Fr) => "Patient identifié (INSi)",
        ("identify", Lang::En) => "Patient identified (INSi)",
        ("decide", Lang::Fr) => "Accès et livraisons décidés",
        ("decide", Lang::En) => "Access and deliveries decided",
        ("store", Lang::Fr) => "Enregistré et tracé",
        ("store", Lang::En) => "Stored and traced",
        ("dmp", Lang::Fr) => "Déposé dans le DMP / Mon espace santé",
        ("dmp", Lang::En) => "Deposited in the DMP / Mon espace santé",
        ("mssante", Lang::Fr) => "Envoyé par MSSanté",
        ("mssante", Lang::En) => "Sent by MSSanté",
        _ => name,
    };
    match name.split_once(' ') {
        Some((_, to)) if lang == Lang::Fr => format!("{known} : {to}"),
        Some((_, to)) => format!("{known}: {to}"),
        None => known.to_owned(),
    }
}
