//! The Doctrine made readable: one HTML page, fiche by fiche, in French or English.
//!
//! The page stands alone: its style and its search are inside, nothing is fetched, and without script it
//! reads whole. Announced and published stand side by side, never merged; grade C and UNKNOWN are shown.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use socle_finding::{Lang, Text};

use crate::applicability::{Applicability, Ruling};
use crate::catalogue::{Catalogue, FicheNews, Grade, Known, Level, Milestone, Pillar, Requirement};
use crate::timeline::Timeline;

const STYLE: &str = include_str!("guide/style.css");
const SEARCH: &str = include_str!("guide/search.js");

/// The page. With the rulings on a product, each requirement also says whether it binds it, and why.
#[must_use]
pub fn page(
    catalogue: &Catalogue,
    timeline: &Timeline<'_>,
    product: Option<(&str, &[Ruling<'_>])>,
    lang: Lang,
) -> String {
    let page = Page { catalogue, rulings: product.map(|(_, rulings)| rulings).unwrap_or_default(), lang };
    page.whole(timeline, product.map(|(name, _)| name)).into_string()
}

struct Page<'a> {
    catalogue: &'a Catalogue,
    rulings: &'a [Ruling<'a>],
    lang: Lang,
}

impl Page<'_> {
    const fn pick(&self, fr: &'static str, en: &'static str) -> &'static str {
        match self.lang {
            Lang::Fr => fr,
            Lang::En => en,
        }
    }

    fn say<'t>(&self, text: &'t Text) -> &'t str {
        text.get(self.lang)
    }

    fn whole(&self, timeline: &Timeline<'_>, product: Option<&str>) -> Markup {
        let title = self.pick(
            "La Doctrine du numérique en santé, fiche par fiche",
            "The Doctrine of digital health, fiche by fiche",
        );
        let edition = &self.catalogue.edition;
        html! {
            (DOCTYPE)
            html lang=(self.lang.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#main" { (self.pick("Aller au contenu", "Skip to content")) }
                    header {
                        h1 { (title) }
                        p { (self.say(&edition.label)) " · " (self.pick("sources lues jusqu'au ", "sources read until ")) (edition.read_on) }
                        @if let Some(product) = product {
                            p { (self.pick("Pour ", "For ")) strong { (product) } ", " (timeline.today) }
                        }
                        p.note { (self.pick(
                            "Texte propre à Socle, sans valeur officielle : chaque exigence renvoie à sa source, avec son degré (A énoncé, B déduit, C à revérifier). UNKNOWN : non trouvé.",
                            "Socle's own wording, not official: each requirement points to its source, with its grade (A stated, B deduced, C to be checked again). UNKNOWN: not found.",
                        )) }
                        div.search role="search" {
                            label for="search" { (self.pick("Chercher", "Search")) }
                            input #search type="search" autocomplete="off";
                            p #count aria-live="polite" data-words=(self.pick("exigences affichées", "requirements shown")) {}
                        }
                        (self.contents())
                    }
                    main #main {
                        @for pillar in Pillar::ALL {
                            section {
                                h2 { (self.say(&pillar.name())) }
                                @for fiche in self.fiches(*pillar) { (self.fiche(fiche)) }
                            }
                        }
                        (self.news())
                        (self.dates(timeline))
                    }
                    footer {
                        p { (self.pick("Catalogue ", "Catalogue ")) (edition.code) " · SHA-256 " code { (self.catalogue.sha256) } }
                    }
                    script { (PreEscaped(SEARCH)) }
                }
            }
        }
    }

    /// The fiches of a pillar, in the order of the catalogue.
    fn fiches(&self, pillar: Pillar) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for one in self.catalogue.requirements.iter().filter(|one| one.pillar == pillar) {
            if !all.contains(&one.fiche.as_str()) {
                all.push(&one.fiche);
            }
        }
        all
    }

    fn contents(&self) -> Markup {
        html! {
            nav aria-label=(self.pick("Sommaire", "Contents")) {
                @for pillar in Pillar::ALL {
                    h2.small { (self.say(&pillar.name())) }
                    ul {
                        @for fiche in self.fiches(*pillar) {
                            li { a href={ "#" (anchor(fiche)) } { (fiche) } }
                        }
                    }
                }
                ul {
                    li { a href="#news" { (self.pick("Ce qui change", "What changes")) } }
                    li { a href="#dates" { (self.pick("Dates", "Dates")) } }
                }
            }
        }
    }

    fn fiche(&self, fiche: &str) -> Markup {
        let all: Vec<&Requirement> = self.catalogue.requirements.iter().filter(|one| one.fiche == fiche).collect();
        let count = |level| all.iter().filter(|one| one.level == level).count();
        html! {
            section.fiche {
                h3 id=(anchor(fiche)) { (fiche) }
                p.counts {
                    @for level in Level::ALL {
                        @if count(*level) > 0 { span { (count(*level)) " " (self.say(&level.name())) } " " }
                    }
                }
                @for one in &all { (self.requirement(one)) }
            }
        }
    }

    fn requirement(&self, one: &Requirement) -> Markup {
        let kinds: Vec<_> = one.applies_to.iter().map(|kind| kind.name().get(self.lang).to_owned()).collect();
        html! {
            article.requirement id=(one.id) {
                h4 { a href={ "#" (one.id) } { (one.id) } }
                p.text { (self.say(&one.text)) }
                @if let Some(ruling) = self.rulings.iter().find(|ruling| ruling.requirement.id == one.id) { (self.ruling(ruling)) }
                dl {
                    dt { (self.pick("Qui", "Who")) } dd { (kinds.join(", ")) }
                    dt { (self.pick("Niveau", "Level")) } dd { (self.say(&one.level.name())) }
                    dt { "Date" } dd { (one.due) }
                    @if let Some(condition) = &one.condition { dt { "Condition" } dd lang="fr" { (condition) } }
                    @if let Some(basis) = &one.legal_basis { dt { (self.pick("Base", "Basis")) } dd lang="fr" { (basis) } }
                    @if !one.official_ids.is_empty() {
                        dt { (self.pick("Identifiant officiel", "Official identifier")) } dd { (one.official_ids.join(" ; ")) }
                    }
                    dt { (self.pick("Vérification", "Check")) } dd lang="en" { (one.verification) }
                    dt { "Source" } dd { (link(one.reference.as_str())) " " (self.grade(one.grade)) }
                }
            }
        }
    }

    fn ruling(&self, ruling: &Ruling<'_>) -> Markup {
        let (class, word) = match ruling.applicability {
            Applicability::Applicable => ("yes", self.pick("Applicable", "Applicable")),
            Applicability::NotYet => ("later", self.pick("Pas encore", "Not yet")),
            Applicability::NotApplicable => ("no", self.pick("Non applicable", "Not applicable")),
        };
        let reasons: Vec<_> = ruling.reasons.iter().map(|reason| self.say(reason)).collect();
        html! { p.ruling.(class) { strong { (word) } " : " (reasons.join(" ; ")) } }
    }

    fn grade(&self, grade: Grade) -> Markup {
        let name = grade.name();
        html! {
            span.grade.warn[grade == Grade::C] {
                @if grade == Grade::C { "⚠ " }
                (self.pick("degré ", "grade ")) (grade.token()) " (" (self.say(&name)) ")"
            }
        }
    }

    fn news(&self) -> Markup {
        html! {
            section {
                h2 #news { (self.pick("Ce qui change : annoncé, et publié depuis", "What changes: announced, and published since")) }
                p { (self.pick(
                    "Une annonce n'est pas un acte : les deux colonnes ne se mêlent jamais.",
                    "An announcement is no act: the two columns are never merged.",
                )) }
                table {
                    thead { tr {
                        th scope="col" { "Fiche" }
                        th scope="col" { (self.pick("Annoncé", "Announced")) }
                        th scope="col" { (self.pick("Publié depuis", "Published since")) }
                        th scope="col" { "Date" }
                    } }
                    tbody lang="fr" { @for one in &self.catalogue.fiches { (news_row(one)) } }
                }
            }
        }
    }

    fn dates(&self, timeline: &Timeline<'_>) -> Markup {
        let lists = [
            (self.pick("Publié", "Published"), &timeline.published, None),
            (
                self.pick(
                    "Adopté, publication au Journal officiel de l'Union non vue",
                    "Adopted, publication in the Official Journal of the Union not seen",
                ),
                &timeline.adopted,
                Some("adopté, JOUE non vu"),
            ),
            (self.pick("Seulement annoncé", "Only announced"), &timeline.announced, None),
        ];
        html! {
            section {
                h2 #dates { "Dates" }
                @for (title, list, remark) in lists {
                    h3 { (title) }
                    ol.dates { @for one in list { (self.date(one, timeline, remark)) } }
                }
            }
        }
    }

    fn date(&self, one: &Milestone, timeline: &Timeline<'_>, remark: Option<&str>) -> Markup {
        html! {
            li.past[timeline.is_past(one)] {
                strong { (one.day) } " " span lang="fr" { (one.event) } " "
                @if let Some(remark) = remark { em lang="fr" { "(" (remark) ")" } " " }
                (link(one.reference.as_str())) " " (self.grade(one.grade))
            }
        }
    }
}

fn news_row(one: &FicheNews) -> Markup {
    html! {
        tr {
            th scope="row" { (one.fiche) }
            td {
                (one.announced)
                @if let Some(reference) = &one.announced_reference { " " (link(reference.as_str())) }
            }
            td {
                (one.published)
                @if let Known::Known(reference) = &one.published_reference { " " (link(reference.as_str())) }
            }
            td { (one.published_on) }
        }
    }
}

/// A link that is followed only when somebody asks, and tells the other site nothing of this page.
fn link(url: &str) -> Markup {
    let host = url.split('/').nth(2).unwrap_or(url);
    html! { a href=(url) rel="noreferrer noopener" { (host) } }
}

fn anchor(fiche: &str) -> String {
    let word = |sign: char| if sign.is_alphanumeric() { sign.to_lowercase().next().unwrap_or('-') } else { '-' };
    format!("f-{}", fiche.chars().map(word).collect::<String>())
}
