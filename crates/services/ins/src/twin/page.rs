//! The twin's page: what it is, how to call it, what is faithful and what is ours, whom it knows.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};
use socle_finding::Lang;

use super::service::Twin;
use super::{IDAM, Person, UNOFFICIAL};

/// What of the twin is documented, with its source.
const FAITHFUL: [(&str, &str); 7] = [
    (
        "Opération WS_INS2, noms, espaces de noms, actions, schémas : WSDL DESIR_ICIR_EXP 1.5.0",
        "Operation WS_INS2, names, namespaces, actions, schemas: WSDL DESIR_ICIR_EXP 1.5.0",
    ),
    (
        "TLS mutuel, nom commun INSI-AUTO ou INSI-MANU, sinon desir_560 : guide SEL-MP-043",
        "Mutual TLS, common name INSI-AUTO or INSI-MANU, else desir_560: guide SEL-MP-043",
    ),
    ("Numéro d'autorisation inconnu : siram_100, desir_550", "Unknown authorisation number: siram_100, desir_550"),
    ("Nom de naissance absent : siram_10, insi_19", "No birth name: siram_10, insi_19"),
    ("Codes 00, 01, 02 et leurs libellés sans accent", "Codes 00, 01, 02 and their labels without accent"),
    (
        "Identités de test officielles, avec leurs bizarreries (clés fausses, ordre, préfixes mêlés)",
        "Official test identities, with their oddities (wrong keys, order, mixed prefixes)",
    ),
    ("Une faute est HTTP 500, quel que soit le camp accusé", "A fault is HTTP 500, whichever side is accused"),
];

/// What is ours, because nothing is published.
const SUBSTITUTES: [(&str, &str); 6] = [
    (
        "Les codes socle_nom, socle_prenom, socle_sexe, socle_date, socle_lieu : les vrais codes voisins d'insi_19 nous sont inconnus",
        "The codes socle_nom, socle_prenom, socle_sexe, socle_date, socle_lieu: the real neighbours of insi_19 are unknown to us",
    ),
    (
        "Les fautes SOAP nues pour un message mal formé, une autre version, une action inconnue, un schéma non respecté",
        "Bare SOAP faults for a malformed message, another version, an unknown action, a schema not respected",
    ),
    (
        "La règle de rapprochement : nom exact, premier prénom ou début de la liste, sexe, date, lieu s'il est donné",
        "The matching rule: exact name, first given name or beginning of the list, sex, date, place when given",
    ),
    (
        "Le sous-code siram_100 de desir_560 ; les textes des fautes",
        "The subcode siram_100 of desir_560; the texts of faults",
    ),
    (
        "Le certificat du serveur : ses noms ne sont pas ceux de services-ps.ameli.fr",
        "The server's certificate: its names are not those of services-ps.ameli.fr",
    ),
    (
        "Les personnes d'OID .10 nées en 99999 ou nommées HOMONYME : inventées ici",
        "The persons with OID .10 born in 99999 or named HOMONYME: invented here",
    ),
];

pub(super) async fn show(State(twin): State<Arc<Twin>>, uri: Uri, headers: HeaderMap) -> Html<String> {
    let lang = match uri.query() {
        Some("lang=en") => Lang::En,
        Some("lang=fr") => Lang::Fr,
        _ => headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).map_or(Lang::Fr, Lang::of),
    };
    Html(render(&twin, lang).into_string())
}

fn render(twin: &Twin, lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (t("Jumeau d'INSi", "INSi twin")) }
                style { (STYLE) }
            }
            body {
                main {
                    p { a href=(t("?lang=en", "?lang=fr")) lang=(t("en", "fr")) { (t("English", "Français")) } }
                    h1 { (t("Jumeau du téléservice INSi", "Twin of the INSi teleservice")) }
                    p.notice { strong lang="fr" { (UNOFFICIAL) } }
                    h2 { (t("L'appeler", "Calling it")) }
                    dl {
                        dt { (t("Adresse", "Address")) } dd { code { (twin.url) } }
                        dt { "WSDL" } dd { code { (twin.url) "?wsdl" } }
                        dt { (t("Certificat du client", "Client certificate")) } dd { code { "CN=INSI-AUTO" } " / " code { "CN=INSI-MANU" } }
                        dt { "IDAM" } dd { code { (IDAM) } }
                    }
                    h2 { (t("Fidèle à ce qui est publié", "Faithful to what is published")) }
                    ul { @for (fr, en) in FAITHFUL { li { (t(fr, en)) } } }
                    h2 { (t("Substitut, faute de publication", "Substitute, nothing being published")) }
                    ul { @for (fr, en) in SUBSTITUTES { li { (t(fr, en)) } } }
                    h2 { (t("Personnes connues", "Persons known")) }
                    p { (t(
                        "Identités de test officielles ou inventées. HOUILLES (M, 1993-01-27) est toujours introuvable : 01.",
                        "Official or invented test identities. HOUILLES (M, 1993-01-27) is never found: 01.",
                    )) }
                    (people(twin.population.people(), lang))
                }
            }
        }
    }
}

/// The most persons shown: a CSV file may hold many.
const SHOWN_MAX: usize = 200;

fn people(people: &[Person], lang: Lang) -> Markup {
    let t = |fr: &'static str, en: &'static str| if lang == Lang::Fr { fr } else { en };
    html! {
        div.scroll tabindex="0" role="region" aria-label=(t("Personnes connues", "Persons known")) {
            table {
                thead { tr {
                    th scope="col" { (t("Nom", "Name")) }
                    th scope="col" { (t("Prénoms", "Given names")) }
                    th scope="col" { (t("Sexe", "Sex")) }
                    th scope="col" { (t("Naissance", "Birth")) }
                    th scope="col" { "COG" }
                    th scope="col" { (t("Pourquoi", "Why")) }
                } }
                tbody {
                    @for person in people.iter().take(SHOWN_MAX) {
                        @let traits = &person.individual.traits;
                        tr {
                            td { (traits.birth_name.as_deref().unwrap_or_default()) }
                            td { (traits.given_names.as_deref().unwrap_or_default()) }
                            td { (traits.sex.as_deref().unwrap_or_default()) }
                            td.date { (traits.birth_date.as_deref().unwrap_or_default()) }
                            td { (traits.birth_place.as_deref().unwrap_or_default()) }
                            td { (t(person.note.0, person.note.1)) }
                        }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}\
main{max-width:60rem;margin:0 auto;padding:1rem}\
.notice{border-left:.3rem solid #b34000;padding:.5rem 1rem;background:#fff4ec}\
dt{font-weight:600}.date{white-space:nowrap}.scroll{overflow-x:auto}\
table{border-collapse:collapse;width:100%}th,td{border:1px solid #767676;padding:.3rem .5rem;text-align:left;vertical-align:top}\
a:focus,.scroll:focus{outline:.2rem solid #00539f}";
