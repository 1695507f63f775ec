//! The twin's page: what it is, how to call it, what is faithful and what is ours, whom it knows.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, Uri, header};
use axum::response::Html;
use maud::{DOCTYPE, Markup, html};
use socle_finding::Lang;

use super::panel::Fault;
use super::people::People;
use super::service::{Service, Twin};
use super::{Strictness, UNOFFICIAL};

/// What of the twin is documented, with its source.
const FAITHFUL: [(&str, &str); 9] = [
    (
        "ITI-41, ITI-18, ITI-43 : SOAP 1.2, WS-Addressing, MTOM/XOP, ebRIM, codes d'erreur (IHE ITI TF-2, TF-3)",
        "ITI-41, ITI-18, ITI-43: SOAP 1.2, WS-Addressing, MTOM/XOP, ebRIM, error codes (IHE ITI TF-2, TF-3)",
    ),
    (
        "Chemins /si-dmp-server/v2/services/… (clients publics du DMP)",
        "Paths /si-dmp-server/v2/services/… (public clients of the DMP)",
    ),
    (
        "TLS mutuel, version 1.2 exactement, suites ECDHE avec AES-GCM ou ChaCha20 (PDT-INF-579v4)",
        "Mutual TLS, version 1.2 exactly, ECDHE suites with AES-GCM or ChaCha20 (PDT-INF-579v4)",
    ),
    (
        "VIHF : attributs, modes, rôles, signature par un certificat de signature (CI-SIS, DRIMbox)",
        "VIHF: attributes, modes, roles, signature by a signature certificate (CI-SIS, DRIMbox)",
    ),
    (
        "Matrices des droits fonctionnels : PDT-INF-526 v1.8, PDT-INF-606 (AIR)",
        "Functional rights matrices: PDT-INF-526 v1.8, PDT-INF-606 (AIR)",
    ),
    (
        "Métadonnées : codes et codingScheme, classe tirée du type (ASS_X04), UTC (CI-SIS)",
        "Metadata: codes and codingScheme, class from type (ASS_X04), UTC (CI-SIS)",
    ),
    (
        "Signature du lot : manifeste, empreintes, XAdES (CI-SIS, IHE DSG)",
        "Signature of the lot: manifest, digests, XAdES (CI-SIS, IHE DSG)",
    ),
    (
        "Masquage, invisibilité, versions, remplacement (CI-SIS TRE_A07, PDT-INF-526)",
        "Masking, invisibility, versions, replacement (CI-SIS TRE_A07, PDT-INF-526)",
    ),
    (
        "Attributs du serveur : entryUUID, lid, version, statut, hash SHA-1, size, repositoryUniqueId",
        "Attributes of the server: entryUUID, lid, version, status, SHA-1 hash, size, repositoryUniqueId",
    ),
];

/// What is ours, because nothing is published.
const SUBSTITUTES: [(&str, &str); 12] = [
    (
        "Le catalogue complet des codes DMP… : les deux codes publics, sinon ceux d'IHE, WS-Security et WS-Addressing",
        "The complete catalogue of DMP… codes: the two public ones, else those of IHE, WS-Security and WS-Addressing",
    ),
    ("L'espace de noms du sous-code DMP… : aucun", "The namespace of the DMP… subcode: none"),
    (
        "La fenêtre de fraîcheur du VIHF (5 minutes) et le refus d'une assertion rejouée",
        "The freshness window of the VIHF (5 minutes) and the refusal of a replayed assertion",
    ),
    (
        "La taille maximale d'une requête et le nombre maximal de résultats",
        "The maximum size of a request and the maximum number of results",
    ),
    (
        "Toute INS a un DMP ouvert et une autorisation VALIDE, hors personnes scénarisées",
        "Every INS has an open DMP and a VALID authorisation, but for scripted persons",
    ),
    (
        "En mode indirect, une structure ne retrouve que les références de ses propres documents",
        "In indirect mode a structure finds the references of its own documents only",
    ),
    (
        "Un uniqueId déjà enregistré est refusé même à l'identique (XDSDuplicateUniqueIdInRegistry)",
        "A uniqueId already registered is refused even with the same content (XDSDuplicateUniqueIdInRegistry)",
    ),
    (
        "Le code d'une signature de lot fausse : XDSRepositoryMetadataError",
        "The code for a wrong signature of a lot: XDSRepositoryMetadataError",
    ),
    (
        "Ni XSD ni Schematron des documents, ni révocation, ni annuaire des structures",
        "Neither XSD nor Schematron of documents, nor revocation, nor directory of structures",
    ),
    (
        "TD0.3 à TD1.6 et TD3.3 : une faute SOAP dit qu'ils n'y sont pas encore",
        "TD0.3 to TD1.6 and TD3.3: a SOAP fault says that they are not there yet",
    ),
    ("Les WSDL sont écrits ici", "The WSDL are written here"),
    (
        "repositoryUniqueId, VIHF_Version et codes de TD0.2 : vus dans des messages publics du kit éditeur, remplaçables",
        "repositoryUniqueId, VIHF_Version and codes of TD0.2: seen in public messages of the vendor kit, replaceable",
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
    let strictness = match twin.strictness {
        Strictness::Strict => {
            t("strict : ce que les textes interdisent est refusé", "strict: what the texts forbid is refused")
        }
        Strictness::Lenient => t(
            "tolérant : ce qui se voit en pratique est accepté, et noté",
            "lenient: what is seen in the field is taken, and noted",
        ),
    };
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (t("Jumeau du DMP", "DMP twin")) }
                style { (STYLE) }
            }
            body {
                main {
                    p { a href=(t("?lang=en", "?lang=fr")) lang=(t("en", "fr")) { (t("English", "Français")) } }
                    h1 { (t("Jumeau du système DMP", "Twin of the système DMP")) }
                    p.notice { strong lang="fr" { (UNOFFICIAL) } }
                    h2 { (t("L'appeler", "Calling it")) }
                    dl {
                        @for (_, name) in Service::ALL {
                            dt { (name) }
                            dd { code { (twin.url) "/" (name) } " · WSDL " code { "?wsdl" } }
                        }
                        dt { (t("Certificat du client", "Client certificate")) } dd { "ORG_AUTH_CLI, " (t("PKI des jumeaux", "PKI of the twins")) }
                        dt { "VIHF, " (t("lots", "lots")) } dd { "ORG_SIGN" }
                        dt { (t("Rigueur", "Strictness")) } dd { (strictness) }
                    }
                    h2 { (t("Fidèle à ce qui est publié", "Faithful to what is published")) }
                    ul { @for (fr, en) in FAITHFUL { li { (t(fr, en)) } } }
                    h2 { (t("Substitut, faute de publication", "Substitute, nothing being published")) }
                    ul { @for (fr, en) in SUBSTITUTES { li { (t(fr, en)) } } }
                    h2 { (t("Personnes scénarisées", "Scripted persons")) }
                    ul { @for (fr, en) in People::notes() { li { (t(fr, en)) } } }
                    h2 { (t("Panneau de fautes", "Fault panel")) }
                    p { code { "POST /faults/{nom}?times=1" } " · " code { "GET /faults" } " · " code { "DELETE /faults" } }
                    ul { @for name in Fault::names() { li { code { (name) } } } }
                    @let leniencies = twin.panel.leniencies();
                    @if !leniencies.is_empty() {
                        h2 { (t("Tolérances utilisées", "Leniencies used")) }
                        ul { @for (name, count) in leniencies { li { (name) " : " (count) } } }
                    }
                }
            }
        }
    }
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}\
main{max-width:60rem;margin:0 auto;padding:1rem}\
.notice{border-left:.3rem solid #b34000;padding:.5rem 1rem;background:#fff4ec}\
dt{font-weight:600}code{overflow-wrap:anywhere}\
a:focus{outline:.2rem solid #00539f}";
