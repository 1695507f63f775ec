//! The frame of every page: languages, navigation, who is logged in, and what this is not.

use axum::http::HeaderMap;
use maud::{DOCTYPE, Markup, html};
use ring::hmac;
use socle_finding::Lang;
use socle_trust::Actor;

use super::{language, words};
use crate::Door;

pub(super) const STYLE: &str = include_str!("style.css");

/// What every page shows around its content.
pub(super) struct Frame<'a> {
    door: &'a Door,
    pub(super) lang: Lang,
    visitor: Option<(String, String)>,
}

impl<'a> Frame<'a> {
    pub(super) fn of_stranger(door: &'a Door, headers: &HeaderMap) -> Self {
        Self { door, lang: language(headers, door.settings.lang), visitor: None }
    }

    pub(super) fn of_visitor(door: &'a Door, headers: &HeaderMap, actor: &Actor, session: &str) -> Self {
        let visitor = Some((actor.name.clone(), guard_of(session)));
        Self { visitor, ..Self::of_stranger(door, headers) }
    }

    /// What a form carries to show that it is one of ours.
    pub(super) fn guard(&self) -> &str {
        self.visitor.as_ref().map_or("", |(_, guard)| guard)
    }

    /// Compared by their digests, so that the time tells nothing of the guard itself.
    pub(super) fn guards(&self, shown: &str) -> bool {
        let digest = |text: &str| ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        !shown.is_empty() && digest(shown).as_ref() == digest(self.guard()).as_ref()
    }

    pub(super) fn page(&self, title: &str, content: &Markup) -> Markup {
        let content = html! { h1 { (title) } (content) };
        self.around(title, None, &content)
    }

    /// A page whose content has its own title and style.
    pub(super) fn around(&self, title: &str, style: Option<&str>, content: &Markup) -> Markup {
        let lang = self.lang;
        html! {
            (DOCTYPE)
            html lang=(lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) " – Socle" }
                    @if let Some(style) = style { link rel="stylesheet" href=(style); }
                    link rel="stylesheet" href="/console/style.css";
                }
                body {
                    a.skip href="#content" { (words::SKIP.get(lang)) }
                    @if let Some(notice) = self.door.settings.notice {
                        p.notice role="note" lang="fr" { (notice) }
                    }
                    header {
                        p.brand { a href="/console" { "Socle" } " " span.where { (self.door.console.settings.title) " · " (self.door.gateway.settings().environment) } }
                        (self.navigation())
                    }
                    main id="content" tabindex="-1" { (content) }
                }
            }
        }
    }

    fn navigation(&self) -> Markup {
        let lang = self.lang;
        html! {
            nav aria-label="Socle" {
                @if let Some((name, guard)) = &self.visitor {
                    a href="/console" { (words::FLOWS.get(lang)) }
                    a href="/console/jobs" { (words::JOBS.get(lang)) }
                    span.who { (name) }
                    form method="post" action="/console/logout" {
                        input type="hidden" name="guard" value=(guard);
                        button type="submit" { (words::LOGOUT.get(lang)) }
                    }
                }
                @match lang {
                    Lang::Fr => a href="/console/lang/en" lang="en" hreflang="en" { "English" },
                    Lang::En => a href="/console/lang/fr" lang="fr" hreflang="fr" { "Français" },
                }
            }
        }
    }
}

/// Bound to the session's own random name, which no other site knows.
fn guard_of(session: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, session.as_bytes());
    hmac::sign(&key, b"console form").as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}
