//! The twin's pages, in French and English: login, refusal, logout, and what the twin is.

use maud::{DOCTYPE, Markup, html};
use socle_finding::Lang;

use super::UNOFFICIAL;
use super::provider::{Authorization, Provider};
use crate::model::PERSONAS;
use crate::wire::form::{Parameters, with_query};
use crate::wire::{DISCOVERY_WALLET, PROTOCOL, REALM};

const FAITHFUL: [(&str, &str); 7] = [
    (
        "Chemins du royaume esante-wallet, document wallet-openid-configuration, page de portefeuille sur un autre hôte",
        "Paths of the realm esante-wallet, document wallet-openid-configuration, wallet page on another host",
    ),
    (
        "Code d'autorisation, PKCE exigé s'il est envoyé, redirect_uri à la lettre, state, nonce et iss renvoyés",
        "Authorization code, PKCE enforced when sent, redirect_uri to the letter, state, nonce and iss echoed",
    ),
    (
        "Durées : code 60 s, jeton d'accès 120 s, rafraîchissement 30 min, session 4 h ou 30 min sans usage",
        "Lives: code 60 s, access token 120 s, refresh 30 min, session 4 h or 30 min without use",
    ),
    (
        "client_secret_basic, client_secret_post, tls_client_auth avec cnf",
        "client_secret_basic, client_secret_post, tls_client_auth with cnf",
    ),
    (
        "UserInfo : toutes les clés des exemples publiés, valeurs absentes vides, plusieurs exercices, EDIT, PSI",
        "UserInfo: every key of the published samples, absent values empty, several exercises, EDIT, PSI",
    ),
    (
        "Introspection : SubjectNameID pour un jeton d'accès seulement",
        "Introspection: SubjectNameID for an access token only",
    ),
    ("Déconnexion par le navigateur seulement ; aucun en-tête CORS", "Logout by the browser only; no CORS header"),
];

const SUBSTITUTES: [(&str, &str); 5] = [
    (
        "Choisir un professionnel remplace la carte CPS et l'application e-CPS",
        "Choosing a professional stands for the CPS card and the e-CPS application",
    ),
    (
        "Portefeuille et déconnexion : http sur la boucle locale sauf demande contraire, pour qu'un navigateur ne rencontre pas de certificat inconnu",
        "Wallet and logout: plain http on loopback unless asked otherwise, so that a browser meets no unknown certificate",
    ),
    (
        "Un jeton de rafraîchissement reste utilisable jusqu'à sa fin : l'usage réel n'est pas publié",
        "A refresh token stays usable until its end: the real use is not published",
    ),
    (
        "Pas encore : CIBA, fournisseur d'identité local, HS256, PAR",
        "Not yet: CIBA, local identity provider, HS256, PAR",
    ),
    (
        "Les professionnels sont inventés, leurs RPPS ont une clé fausse",
        "The professionals are invented, their RPPS have a wrong key",
    ),
];

fn t(lang: Lang, fr: &'static str, en: &'static str) -> &'static str {
    if lang == Lang::Fr { fr } else { en }
}

fn layout(lang: Lang, title: &'static str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (STYLE) }
            }
            body {
                main {
                    p.notice lang="fr" { (UNOFFICIAL) }
                    h1 { (title) }
                    (content)
                }
            }
        }
    }
}

/// The wallet page. The form repeats the request, which is checked again when it comes back.
pub(super) fn login(request: &Authorization, lang: Lang) -> Markup {
    let title = t(lang, "Choisir un professionnel de test", "Choose a test professional");
    let (other, other_name) = if lang == Lang::Fr { ("en", "English") } else { ("fr", "Français") };
    layout(
        lang,
        title,
        &html! {
            p { a href=(in_language(&request.parameters, other)) lang=(other) { (other_name) } }
            p { (t(lang, "Le logiciel ", "The software ")) code { (request.client_id) } (t(lang, " demande qui vous êtes.", " asks who you are.")) }
            form method="post" action="/auth" {
                (hidden(&request.parameters))
                ul.people {
                    @for persona in PERSONAS {
                        li {
                            button type="submit" name="professional" value=(persona.id) {
                                strong { (persona.given_name) " " (persona.family_name) }
                                span { (t(lang, persona.note.0, persona.note.1)) }
                                small { (persona.national_id) }
                            }
                        }
                    }
                }
                button.quiet type="submit" { (t(lang, "Renoncer", "Give up")) }
            }
        },
    )
}

fn hidden(parameters: &Parameters) -> Markup {
    html! {
        @for (name, value) in parameters.iter().filter(|(name, _)| *name != "professional") {
            input type="hidden" name=(name) value=(value);
        }
    }
}

fn in_language(parameters: &Parameters, lang: &'static str) -> String {
    let mut pairs: Vec<(&str, Option<&str>)> =
        parameters.iter().filter(|(name, _)| *name != "ui_locales").map(|(name, value)| (name, Some(value))).collect();
    pairs.push(("ui_locales", Some(lang)));
    with_query("/auth", &pairs)
}

pub(super) fn refused((fr, en): (&'static str, &'static str), lang: Lang) -> Markup {
    layout(lang, t(lang, "Demande refusée", "Request refused"), &html! { p role="alert" { (t(lang, fr, en)) "." } })
}

pub(super) fn confirm_logout(parameters: &Parameters, lang: Lang) -> Markup {
    layout(
        lang,
        t(lang, "Se déconnecter ?", "Log out?"),
        &html! {
            form method="post" action=(format!("{REALM}{PROTOCOL}/logout")) {
                (hidden(parameters))
                button type="submit" { (t(lang, "Se déconnecter", "Log out")) }
            }
        },
    )
}

pub(super) fn logged_out(lang: Lang) -> Markup {
    layout(
        lang,
        t(lang, "Vous êtes déconnecté", "You are logged out"),
        &html! {
            p { (t(lang, "La session du jumeau est terminée.", "The session of the twin has ended.")) }
        },
    )
}

/// What the twin is.
pub(super) fn home(provider: &Provider, lang: Lang) -> Markup {
    layout(
        lang,
        t(lang, "Jumeau de Pro Santé Connect", "Twin of Pro Santé Connect"),
        &html! {
            p { a href=(t(lang, "?lang=en", "?lang=fr")) lang=(t(lang, "en", "fr")) { (t(lang, "English", "Français")) } }
            h2 { (t(lang, "L'utiliser", "Using it")) }
            dl {
                dt { (t(lang, "Émetteur", "Issuer")) } dd { code { (provider.issuer()) } }
                dt { (t(lang, "Découverte", "Discovery")) } dd { code { (provider.issuer()) (DISCOVERY_WALLET) } }
                dt { (t(lang, "Clients enregistrés", "Registered clients")) }
                dd { ul { @for client in provider.clients() { li { code { (client.id) } } } } }
            }
            h2 { (t(lang, "Fidèle à ce qui est publié", "Faithful to what is published")) }
            ul { @for (fr, en) in FAITHFUL { li { (t(lang, fr, en)) } } }
            h2 { (t(lang, "Substitut, faute de publication", "Substitute, nothing being published")) }
            ul { @for (fr, en) in SUBSTITUTES { li { (t(lang, fr, en)) } } }
            h2 { (t(lang, "Professionnels de test", "Test professionals")) }
            ul { @for persona in PERSONAS {
                li { code { (persona.id) } " : " (persona.given_name) " " (persona.family_name) ", " (t(lang, persona.note.0, persona.note.1)) }
            } }
        },
    )
}

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}\
main{max-width:40rem;margin:0 auto;padding:1rem}\
.notice{border-left:.3rem solid #b34000;padding:.5rem 1rem;background:#fff4ec}\
.people{list-style:none;padding:0;display:grid;gap:.5rem}\
button{font:inherit;width:100%;text-align:left;padding:.75rem 1rem;border:1px solid #767676;border-radius:.4rem;background:#fff;color:inherit;cursor:pointer}\
button strong,button span,button small{display:block}button small{color:#595959}\
button:hover{background:#eef5fb}button:focus,a:focus{outline:.2rem solid #00539f;outline-offset:.1rem}\
.quiet{width:auto}dt{font-weight:600}dd{margin-left:1rem;overflow-wrap:anywhere}";
