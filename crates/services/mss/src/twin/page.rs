//! The twin's page: what it is, how to reach it, what is faithful and what is ours, its mailboxes, its last mails.
//!
//! It shows no patient: citizens' mailboxes are counted, not named.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use socle_finding::Lang;
use socle_store::StoreError;

use super::office::{Holder, Office, SubmissionRecord};
use super::{Addresses, UNOFFICIAL};

/// What the page is made of.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) office: Arc<Office>,
    pub(crate) addresses: Addresses,
    /// The liste blanche, signed.
    pub(crate) list: String,
    pub(crate) has_tokens: bool,
}

/// What of the twin is documented, with its source.
const FAITHFUL: [(&str, &str); 8] = [
    (
        "Soumission SMTP avec STARTTLS obligatoire, IMAP4rev1 avec STARTTLS : Référentiel #2, ECO.1.0.1 et ECO.1.0.2 ; RFC 5321, 6409, 3501",
        "SMTP submission with mandatory STARTTLS, IMAP4rev1 with STARTTLS: Référentiel #2, ECO.1.0.1 and ECO.1.0.2; RFC 5321, 6409, 3501",
    ),
    (
        "TLS 1.2 ou plus, certificats de la chaîne IGC-Santé (ici une PKI de test qui lui ressemble) : ECO.1.1.1, ECO.1.1.10",
        "TLS 1.2 or more, certificates of the IGC-Santé chain (here a look-alike test PKI): ECO.1.1.1, ECO.1.1.10",
    ),
    (
        "XOAUTH2 avec un jeton Pro Santé Connect dont le porteur détient la boîte : ECO.1.2.1",
        "XOAUTH2 with a Pro Santé Connect token whose subject holds the mailbox: ECO.1.2.1",
    ),
    (
        "Un domaine hors de la liste blanche est refusé avant DATA, 550 5.7.1",
        "A domain outside the liste blanche is refused before DATA, 550 5.7.1",
    ),
    (
        "Format et profil de signature de la liste blanche : fichier national du 28/02/2025",
        "Format and signature profile of the liste blanche: national file of 28/02/2025",
    ),
    (
        "Accusés de réception : DSN, RFC 3461 et 3464 (ECO.2.3.1)",
        "Delivery reports: DSN, RFC 3461 and 3464 (ECO.2.3.1)",
    ),
    (
        "Usagers : <matricule INS>@patient.mssante.fr, 25 Mo au plus (ENS V1.3)",
        "Citizens: <matricule INS>@patient.mssante.fr, at most 25 MB (ENS V1.3)",
    ),
    (
        "Dossiers \\Sent, \\Drafts, \\Trash, \\Archive, \\Junk (RFC 6154), IDLE, UIDPLUS, MOVE",
        "Folders \\Sent, \\Drafts, \\Trash, \\Archive, \\Junk (RFC 6154), IDLE, UIDPLUS, MOVE",
    ),
];

/// What is ours, because nothing is published or because it helps tests.
const SUBSTITUTES: [(&str, &str); 9] = [
    (
        "AUTH EXTERNAL après TLS mutuel pour une boîte applicative : l'étape SASL réelle n'est pas publiée",
        "AUTH EXTERNAL after mutual TLS for an application mailbox: the real SASL step is not published",
    ),
    (
        "Audience et portée du jeton : celles de la configuration, les vraies ne sont pas publiées",
        "Audience and scope of the token: those of the configuration, the real ones are not published",
    ),
    (
        "TLS immédiat (ports 465 et 993) : rien ne dit s'il est admis par le Référentiel #2",
        "TLS at once (ports 465 and 993): nothing says whether Référentiel #2 admits it",
    ),
    (
        "Mot de passe de test (LOGIN, AUTH PLAIN) : commodité pour les clients de messagerie ordinaires, aucun opérateur ne l'offre",
        "Test password (LOGIN, AUTH PLAIN): a convenience for ordinary mail clients, no operator offers it",
    ),
    (
        "Un seul opérateur porte tous les domaines : pas de relais entre opérateurs (MX, port 25)",
        "One operator holds all domains: no relaying between operators (MX, port 25)",
    ),
    (
        "La boîte d'un usager naît au premier message ; ni fermeture, ni avis de non-distribution de Mon espace santé, dont les textes ne sont pas publiés",
        "A citizen's mailbox is made by its first mail; no closing and no non-delivery notice of Mon espace santé, whose texts are not published",
    ),
    (
        "Ni antivirus, ni quota, ni rétention ; taille maximale 25 Mo pour tous",
        "No antivirus, quota or retention; 25 MB at most for everybody",
    ),
    (
        "Pas de DNS (SRV, MX), pas de révocation (CRL, OCSP) : les ports sont libres et annoncés ici",
        "No DNS (SRV, MX), no revocation (CRL, OCSP): ports are free and told here",
    ),
    (
        "L'en-tête X-MSS manquant ou incohérent n'est pas refusé : il est noté avec le message",
        "A missing or inconsistent X-MSS header is not refused: it is noted beside the mail",
    ),
];

/// The page and the list.
pub(crate) fn router(page: Arc<Page>) -> Router {
    Router::new().route("/", get(show)).route("/listeblanchemssante.xml", get(list)).with_state(page)
}

async fn list(State(page): State<Arc<Page>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/xml; charset=utf-8")], page.list.clone())
}

async fn show(State(page): State<Arc<Page>>, uri: Uri, headers: HeaderMap) -> Response {
    let lang = match uri.query() {
        Some("lang=en") => Lang::En,
        Some("lang=fr") => Lang::Fr,
        _ => headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Lang::Fr, Lang::of),
    };
    match Content::read(&page).await {
        Ok(content) => Html(render(&page, &content, lang).into_string()).into_response(),
        Err(error) => {
            tracing::error!(%error, "the mail twin's page could not be read from its store");
            (StatusCode::INTERNAL_SERVER_ERROR, UNOFFICIAL).into_response()
        }
    }
}

/// What is read from the store for one showing.
struct Content {
    mailboxes: Vec<(String, &'static str, String, BTreeMap<String, usize>)>,
    patients: usize,
    patients_mails: usize,
    submissions: Vec<SubmissionRecord>,
}

impl Content {
    const SUBMISSIONS: usize = 20;

    async fn read(page: &Page) -> Result<Self, StoreError> {
        let mut content = Self {
            mailboxes: Vec::new(),
            patients: 0,
            patients_mails: 0,
            submissions: page.office.submissions(Self::SUBMISSIONS).await?,
        };
        for mailbox in page.office.mailboxes() {
            let counts = page.office.counts(&mailbox).await?;
            match &mailbox.holder {
                Holder::Seed(seed) => {
                    let row = (mailbox.address.shown(), mailbox.kind(), seed.name.clone(), counts);
                    content.mailboxes.push(row);
                }
                Holder::Patient => {
                    content.patients += 1;
                    content.patients_mails += counts.values().sum::<usize>();
                }
                Holder::Gone => {}
            }
        }
        Ok(content)
    }
}

fn render(page: &Page, content: &Content, lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (t("Jumeau d'un opérateur MSSanté", "Twin of an MSSanté operator")) }
                style { (STYLE) }
            }
            body {
                main {
                    p { a href=(t("?lang=en", "?lang=fr")) lang=(t("en", "fr")) { (t("English", "Français")) } }
                    h1 { (t("Jumeau d'un opérateur MSSanté", "Twin of an MSSanté operator")) }
                    p.notice { strong lang="fr" { (UNOFFICIAL) } }
                    h2 { (t("S'y connecter", "Connecting")) }
                    (access(page, lang))
                    h2 { (t("Boîtes aux lettres", "Mailboxes")) }
                    (mailboxes(content, lang))
                    h2 { (t("Derniers messages soumis", "Last mails submitted")) }
                    (submissions(&content.submissions, lang))
                    h2 { (t("Fidèle à ce qui est publié", "Faithful to what is published")) }
                    ul { @for (fr, en) in FAITHFUL { li { (t(fr, en)) } } }
                    h2 { (t("Substitut, faute de publication", "Substitute, nothing being published")) }
                    ul { @for (fr, en) in SUBSTITUTES { li { (t(fr, en)) } } }
                }
            }
        }
    }
}

fn access(page: &Page, lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    let at = &page.addresses;
    html! {
        dl {
            dt { (t("Envoi (SMTP, STARTTLS)", "Sending (SMTP, STARTTLS)")) } dd { code { (at.submission) } }
            dt { (t("Envoi (SMTP, TLS)", "Sending (SMTP, TLS)")) } dd { code { (at.submissions) } }
            dt { (t("Lecture (IMAP, STARTTLS)", "Reading (IMAP, STARTTLS)")) } dd { code { (at.imap) } }
            dt { (t("Lecture (IMAP, TLS)", "Reading (IMAP, TLS)")) } dd { code { (at.imaps) } }
            dt { (t("Jetons Pro Santé Connect", "Pro Santé Connect tokens")) }
            dd { (if page.has_tokens { t("vérifiés", "checked") } else { t("non acceptés : le jumeau a démarré sans eux", "not accepted: the twin was started without them") }) }
            dt { (t("Mot de passe de test", "Test password")) } dd { code { (super::TEST_PASSWORD) } }
            dt { (t("Liste blanche", "Liste blanche")) }
            dd { a href="/listeblanchemssante.xml" { "listeblanchemssante.xml" } " (" (t("signée", "signed")) ")" }
        }
    }
}

fn mailboxes(content: &Content, lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t("Boîtes aux lettres", "Mailboxes")) {
            table {
                thead { tr {
                    th scope="col" { (t("Adresse", "Address")) }
                    th scope="col" { "Type" }
                    th scope="col" { (t("Titulaire", "Holder")) }
                    th scope="col" { (t("Messages par dossier", "Messages by folder")) }
                } }
                tbody {
                    @for (address, kind, name, counts) in &content.mailboxes {
                        tr {
                            td { code { (address) } }
                            td { (kind) }
                            td { (name) }
                            td { (counts_text(counts, t("aucun", "none"))) }
                        }
                    }
                }
            }
        }
        p {
            (t("Usagers (patient.mssante.fr) : ", "Citizens (patient.mssante.fr): "))
            (content.patients) (t(" boîte(s), ", " mailbox(es), ")) (content.patients_mails) (t(" message(s). Leurs adresses ne sont pas montrées.", " message(s). Their addresses are not shown."))
        }
    }
}

fn counts_text(counts: &BTreeMap<String, usize>, none: &str) -> String {
    let counts = counts.iter().filter(|(_, count)| **count > 0).map(|(folder, count)| format!("{folder} {count}"));
    let text = counts.collect::<Vec<_>>().join(", ");
    if text.is_empty() { none.to_owned() } else { text }
}

fn submissions(list: &[SubmissionRecord], lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    if list.is_empty() {
        return html! { p { (t("Aucun message pour l'instant.", "No mail yet.")) } };
    }
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t("Derniers messages soumis", "Last mails submitted")) {
            table {
                thead { tr {
                    th scope="col" { (t("Reçu", "Received")) }
                    th scope="col" { (t("De", "From")) }
                    th scope="col" { (t("À", "To")) }
                    th scope="col" { (t("Octets", "Octets")) }
                    th scope="col" { "Message-ID" }
                    th scope="col" { (t("Remarques", "Remarks")) }
                } }
                tbody {
                    @for mail in list {
                        tr {
                            td { (mail.received.strftime("%Y-%m-%d %H:%M:%S")) }
                            td { code { (mail.from) } }
                            td { (mail.to.join(", ")) }
                            td { (mail.size) }
                            td { code { (mail.message_id.as_deref().unwrap_or("-")) } }
                            td {
                                @if mail.copies_before > 0 {
                                    (t("même Message-ID déjà reçu ", "same Message-ID received before, times: ")) (mail.copies_before) (t(" fois. ", ". "))
                                }
                                (mail.warnings.join(" ; "))
                            }
                        }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "
body { font-family: system-ui, sans-serif; line-height: 1.5; margin: 0; color: #1b1b1b; background: #fff; }
main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
.notice { border-left: .3rem solid #b34000; padding: .5rem 1rem; background: #fff4ec; }
dt { font-weight: 600; margin-top: .5rem; } dd { margin-left: 0; }
code { overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } .scroll:focus-visible, a:focus-visible { outline: .2rem solid #00529b; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ccc; }
";
