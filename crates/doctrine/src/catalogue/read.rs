//! From tables to a catalogue: each row typed, then the tables held against one another.

use std::collections::{BTreeMap, BTreeSet};

use socle_finding::Text;

use super::csv::{self, Row, Table};
use super::day::{Bound, Day, Due, Known};
use super::model::{
    Condition, Corridor, Edition, Fact, FicheNews, Milestone, Programme, Reference, Requirement, RequirementId, Source,
    Window,
};
use super::problem::{CatalogueError, Problem, Problems};
use super::token::Token;
use super::{Catalogue, Tables};

/// Reads every table, then checks that they agree.
pub(super) fn catalogue(tables: &Tables) -> Result<Catalogue, CatalogueError> {
    let mut found = Vec::new();
    let editions = table(tables, "edition.csv", EDITION, edition, &mut found);
    let requirements = table(tables, "requirements.csv", REQUIREMENTS, requirement, &mut found);
    let corridors = table(tables, "dispositifs.csv", CORRIDORS, corridor, &mut found);
    let programmes = table(tables, "programmes.csv", PROGRAMMES, programme, &mut found);
    let windows = table(tables, "windows.csv", WINDOWS, window, &mut found);
    let milestones = table(tables, "milestones.csv", MILESTONES, milestone, &mut found);
    let fiches = table(tables, "fiches.csv", FICHES, fiche, &mut found);
    let sources = table(tables, "sources.csv", SOURCES, source, &mut found);
    let conditions = table(tables, "conditions.csv", CONDITIONS, condition, &mut found);
    let facts = table(tables, "facts.csv", FACTS, fact, &mut found);
    let edition = editions.into_iter().next();
    if edition.is_none() && found.is_empty() {
        let mut problems = Problems::new("edition.csv");
        problems.add(
            0,
            "",
            Text::fixed("aucune édition", "no edition"),
            Text::fixed("donnez une ligne sous l'en-tête", "give one row below the heading"),
        );
        found.append(&mut problems.found);
    }
    let (Some((_, edition)), true) = (edition, found.is_empty()) else { return Err(CatalogueError(found)) };
    agree(&requirements, &corridors, &programmes, &windows, &fiches, &conditions, &facts, &sources, &mut found);
    if !found.is_empty() {
        return Err(CatalogueError(found));
    }
    Ok(Catalogue {
        edition,
        requirements: rows(requirements),
        corridors: rows(corridors),
        programmes: rows(programmes),
        windows: rows(windows),
        milestones: rows(milestones),
        fiches: rows(fiches),
        sources: rows(sources),
        conditions: rows(conditions),
        facts: rows(facts),
        sha256: tables.sha256(),
    })
}

/// Rows with their number in the file.
type Numbered<T> = Vec<(usize, T)>;

fn rows<T>(numbered: Numbered<T>) -> Vec<T> {
    numbered.into_iter().map(|(_, row)| row).collect()
}

fn table<T>(
    tables: &Tables,
    file: &str,
    columns: &'static [&'static str],
    read: fn(&mut Cells<'_, '_>) -> Option<T>,
    found: &mut Vec<Problem>,
) -> Numbered<T> {
    let mut problems = Problems::new(file);
    let Some(text) = tables.get(file) else {
        problems.add(
            0,
            "",
            Text::fixed("la table manque", "the table is missing"),
            Text::new(format!("ajoutez {file}"), format!("add {file}")),
        );
        found.append(&mut problems.found);
        return Vec::new();
    };
    let table = csv::read(text, columns, &mut problems);
    let mut all = Vec::with_capacity(table.rows.len());
    for row in &table.rows {
        let mut cells = Cells { table: &table, row, problems: &mut problems };
        if let Some(value) = read(&mut cells) {
            all.push((row.number, value));
        }
    }
    found.append(&mut problems.found);
    all
}

/// The cells of one row, and where its problems go.
struct Cells<'a, 'p> {
    table: &'a Table,
    row: &'a Row,
    problems: &'a mut Problems<'p>,
}

impl Cells<'_, '_> {
    fn text(&self, column: &str) -> &str {
        self.table.cell(self.row, column)
    }

    fn optional(&self, column: &str) -> Option<String> {
        let text = self.text(column);
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn required(&mut self, column: &str) -> Option<String> {
        let text = self.optional(column);
        if text.is_none() {
            self.problem(
                column,
                Text::fixed("cellule vide", "empty cell"),
                Text::fixed(
                    "donnez une valeur, UNKNOWN si elle n'a pas été trouvée",
                    "give a value, UNKNOWN when it was not found",
                ),
            );
        }
        text
    }

    fn problem(&mut self, column: &str, message: Text, mend: Text) {
        self.problems.add(self.row.number, column, message, mend);
    }

    fn unknown<T>(&mut self, column: &str, found: &str, accepted: &str) -> Option<T> {
        self.problem(
            column,
            Text::new(format!("« {found} » n'est pas une valeur admise"), format!("`{found}` is no accepted value")),
            Text::new(format!("donnez {accepted}"), format!("give {accepted}")),
        );
        None
    }

    /// A cell read by `of`, else a problem that says what is accepted.
    fn read<T>(&mut self, column: &str, of: fn(&str) -> Option<T>, accepted: &str) -> Option<T> {
        let text = self.required(column)?;
        of(&text).or_else(|| self.unknown(column, &text, accepted))
    }

    fn token<T: Token>(&mut self, column: &str) -> Option<T> {
        let accepted = T::accepted();
        self.read(column, T::read, &accepted)
    }

    /// A list of tokens; none is allowed only when `may_be_empty`.
    fn list<T>(
        &mut self,
        column: &str,
        separator: char,
        of: fn(&str) -> Option<T>,
        accepted: &str,
        may_be_empty: bool,
    ) -> Option<Vec<T>> {
        let text = if may_be_empty { self.text(column).to_owned() } else { self.required(column)? };
        let parts = text.split(separator).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| of(part).or_else(|| self.unknown(column, part, accepted))).collect()
    }

    fn reference(&mut self, column: &str) -> Option<Reference> {
        self.read(column, Reference::of, "une adresse absolue / an absolute address: https://…")
    }

    fn bound(&mut self, column: &str) -> Option<Bound> {
        self.read(column, Bound::of, "YYYY-MM-DD, YYYY-MM, YYYY, permanent, UNKNOWN")
    }

    fn text_in_both(&mut self, fr: &str, en: &str) -> Option<Text> {
        let (fr, en) = (self.required(fr), self.required(en));
        Some(Text::new(fr?, en?))
    }
}

const EDITION: &[&str] = &["code", "read_on", "label_fr", "label_en"];

fn edition(cells: &mut Cells<'_, '_>) -> Option<Edition> {
    let code = cells.required("code");
    let read_on = cells.read("read_on", |text| text.parse().ok(), "YYYY-MM-DD");
    let label = cells.text_in_both("label_fr", "label_en");
    Some(Edition { code: code?, read_on: read_on?, label: label? })
}

const REQUIREMENTS: &[&str] = &[
    "id",
    "pillar",
    "chapter",
    "fiche",
    "requirement_fr",
    "requirement_en",
    "applies_to",
    "level",
    "date",
    "condition",
    "legal_basis",
    "official_id",
    "reference",
    "automatable",
    "verification",
    "source_grade",
];

fn requirement(cells: &mut Cells<'_, '_>) -> Option<Requirement> {
    let id = cells.read("id", RequirementId::of, "DOC-<FICHE>-<NN>");
    let pillar = cells.token("pillar");
    let (chapter, fiche) = (cells.required("chapter"), cells.required("fiche"));
    let text = cells.text_in_both("requirement_fr", "requirement_en");
    let applies_to = cells.list("applies_to", ';', Token::read, &super::token::Kind::accepted(), false);
    let level = cells.token("level");
    let due = cells.read(
        "date",
        Due::of,
        "YYYY-MM-DD, YYYY-MM, YYYY, YYYY-YYYY, depuis …, en vigueur, Ségur …, selon …, UNKNOWN",
    );
    let reference = cells.reference("reference");
    let methods = cells.list("automatable", '+', Token::read, &super::token::Method::accepted(), false);
    let (verification, grade) = (cells.required("verification"), cells.token("source_grade"));
    Some(Requirement {
        id: id?,
        pillar: pillar?,
        chapter: chapter?,
        fiche: fiche?,
        text: text?,
        applies_to: applies_to?,
        level: level?,
        due: due?,
        condition: cells.optional("condition"),
        legal_basis: cells.optional("legal_basis"),
        official_ids: cells.list("official_id", ';', |text| Some(text.to_owned()), "", true)?,
        reference: reference?,
        methods: methods?,
        verification: verification?,
        grade: grade?,
    })
}

const CORRIDORS: &[&str] = &[
    "code",
    "couloir",
    "dispositif",
    "vagues",
    "dates_et_notes",
    "reference",
    "arrete",
    "etat_fenetre_vague_2",
    "source_grade",
];

fn wave(text: &str) -> Option<u8> {
    text.parse().ok().filter(|wave| (1..=9).contains(wave))
}

fn corridor(cells: &mut Cells<'_, '_>) -> Option<Corridor> {
    let (code, corridor, name) = (cells.required("code"), cells.required("couloir"), cells.required("dispositif"));
    let waves = cells.list("vagues", ';', wave, "1;2", false);
    let (notes, reference) = (cells.required("dates_et_notes"), cells.reference("reference"));
    let (order, wave_2) = (cells.required("arrete"), cells.required("etat_fenetre_vague_2"));
    let grade = cells.token("source_grade");
    Some(Corridor {
        code: code?,
        corridor: corridor?,
        name: name?,
        waves: waves?,
        notes: notes?,
        reference: reference?,
        order: Known::of(&order?),
        wave_2: Known::of(&wave_2?),
        grade: grade?,
    })
}

const PROGRAMMES: &[&str] = &[
    "code",
    "name",
    "authority",
    "applicant",
    "basis",
    "conditions_and_evidence",
    "reference",
    "status_2026_11",
    "amount",
    "applicant_kinds",
    "requires_ids",
    "requires_facts",
    "source_grade",
];

fn programme(cells: &mut Cells<'_, '_>) -> Option<Programme> {
    let (code, name, authority) = (cells.required("code"), cells.required("name"), cells.required("authority"));
    let (applicant, basis) = (cells.required("applicant"), cells.required("basis"));
    let (conditions, reference) = (cells.required("conditions_and_evidence"), cells.reference("reference"));
    let status = cells.required("status_2026_11");
    let applicants = cells.list("applicant_kinds", ';', Token::read, &super::token::Kind::accepted(), false);
    let requires = cells.list("requires_ids", ';', RequirementId::of, "DOC-<FICHE>-<NN>", true);
    let questions = cells.list("requires_facts", ';', |text| Some(text.to_owned()), "", true);
    let grade = cells.token("source_grade");
    Some(Programme {
        code: code?,
        name: name?,
        authority: authority?,
        applicant: applicant?,
        basis: basis?,
        conditions: conditions?,
        reference: reference?,
        status: Known::of(&status?),
        amount: cells.optional("amount").as_deref().map(Known::of),
        applicants: applicants?,
        requires: requires?,
        questions: questions?,
        grade: grade?,
    })
}

const WINDOWS: &[&str] = &["scheme", "wave", "step", "opens", "closes", "time", "reference", "source_grade", "note"];

fn window(cells: &mut Cells<'_, '_>) -> Option<Window> {
    let scheme = cells.required("scheme");
    let waves = cells.list("wave", ';', wave, "1, 2", true);
    let (step, opens, closes) = (cells.required("step"), cells.bound("opens"), cells.bound("closes"));
    let (reference, grade) = (cells.reference("reference"), cells.token("source_grade"));
    Some(Window {
        scheme: scheme?,
        wave: waves?.first().copied(),
        step: step?,
        opens: opens?,
        closes: closes?,
        time: cells.optional("time"),
        reference: reference?,
        grade: grade?,
        note: cells.optional("note"),
    })
}

const MILESTONES: &[&str] = &["date", "event", "reference", "source_grade", "status"];

fn milestone(cells: &mut Cells<'_, '_>) -> Option<Milestone> {
    let day = cells.read("date", Day::of, "YYYY-MM-DD, YYYY-MM, YYYY, YYYY-YYYY");
    let (event, reference) = (cells.required("event"), cells.reference("reference"));
    let (grade, status) = (cells.token("source_grade"), cells.token("status"));
    Some(Milestone { day: day?, event: event?, reference: reference?, grade: grade?, status: status? })
}

const FICHES: &[&str] = &[
    "fiche",
    "catalogue_ids",
    "announced_2026",
    "announced_reference",
    "published_since",
    "published_date",
    "published_reference",
    "source_grade",
];

fn known<T>(text: &str, of: fn(&str) -> Option<T>) -> Option<Known<T>> {
    if text == "UNKNOWN" { Some(Known::Unknown) } else { of(text).map(Known::Known) }
}

fn fiche(cells: &mut Cells<'_, '_>) -> Option<FicheNews> {
    let fiche = cells.required("fiche");
    let requirements = cells.list("catalogue_ids", ';', RequirementId::of, "DOC-<FICHE>-<NN>", true);
    let announced = cells.required("announced_2026");
    let announced_reference = match cells.optional("announced_reference") {
        Some(_) => Some(cells.reference("announced_reference")?),
        None => None,
    };
    let published = cells.required("published_since");
    let published_on = cells.read("published_date", |text| known(text, Day::of), "YYYY-MM-DD, UNKNOWN");
    let published_reference =
        cells.read("published_reference", |text| known(text, Reference::of), "https://…, UNKNOWN");
    let grade = cells.token("source_grade");
    Some(FicheNews {
        fiche: fiche?,
        requirements: requirements?,
        announced: Known::of(&announced?),
        announced_reference,
        published: published?,
        published_on: published_on?,
        published_reference: published_reference?,
        grade: grade?,
    })
}

const SOURCES: &[&str] = &["key", "url", "title"];

fn source(cells: &mut Cells<'_, '_>) -> Option<Source> {
    let (key, url, title) = (cells.required("key"), cells.reference("url"), cells.required("title"));
    Some(Source { key: key?, url: url?, title: title? })
}

const CONDITIONS: &[&str] = &["condition", "schemes", "facts"];

fn condition(cells: &mut Cells<'_, '_>) -> Option<Condition> {
    let words = cells.required("condition");
    let schemes = cells.list("schemes", ';', |text| Some(text.to_owned()), "", true)?;
    let facts = cells.list("facts", ';', |text| Some(text.to_owned()), "", true)?;
    if schemes.is_empty() && facts.is_empty() {
        return cells.unknown("schemes", "", "un dispositif ou un fait / a scheme or a fact");
    }
    Some(Condition { words: words?, schemes, facts })
}

const FACTS: &[&str] = &["fact", "question_fr", "question_en"];

fn fact(cells: &mut Cells<'_, '_>) -> Option<Fact> {
    let name = cells.required("fact");
    let question = cells.text_in_both("question_fr", "question_en");
    Some(Fact { name: name?, question: question? })
}

/// The rules that conditions may use instead of a fact: the EHDS reads three facts at once.
const RULES: &[&str] =
    &["ehds:marketed:abc", "ehds:marketed:def", "ehds:in-house-or-service", "ehds:category:abc", "ehds:category:def"];

#[expect(clippy::too_many_arguments, reason = "every table is held against the others, in one place")]
fn agree(
    requirements: &Numbered<Requirement>,
    corridors: &Numbered<Corridor>,
    programmes: &Numbered<Programme>,
    windows: &Numbered<Window>,
    fiches: &Numbered<FicheNews>,
    conditions: &Numbered<Condition>,
    facts: &Numbered<Fact>,
    sources: &Numbered<Source>,
    found: &mut Vec<Problem>,
) {
    unique("requirements.csv", "id", requirements.iter().map(|(row, one)| (*row, one.id.as_str())), found);
    unique("sources.csv", "key", sources.iter().map(|(row, one)| (*row, one.key.as_str())), found);
    unique("conditions.csv", "condition", conditions.iter().map(|(row, one)| (*row, one.words.as_str())), found);
    unique("facts.csv", "fact", facts.iter().map(|(row, one)| (*row, one.name.as_str())), found);
    let codes = programmes.iter().map(|(row, one)| (*row, one.code.as_str()));
    unique("programmes.csv", "code", codes.clone(), found);
    let corridor_codes = corridors.iter().map(|(row, one)| (*row, one.code.as_str()));
    unique("dispositifs.csv", "code", corridor_codes.clone(), found);

    let ids: BTreeSet<&str> = requirements.iter().map(|(_, one)| one.id.as_str()).collect();
    let schemes: BTreeSet<&str> = codes.chain(corridor_codes).map(|(_, code)| code).collect();
    let words: BTreeSet<&str> = conditions.iter().map(|(_, one)| one.words.as_str()).collect();
    let facts: BTreeSet<&str> = facts.iter().map(|(_, one)| one.name.as_str()).chain(RULES.iter().copied()).collect();
    let mut must_be = |file, column, all: &BTreeSet<&str>, row, name: &str, where_from: &str| {
        if all.contains(name) {
            return;
        }
        let mut problems = Problems::new(file);
        problems.add(
            row,
            column,
            Text::new(format!("« {name} » n'est pas dans {where_from}"), format!("`{name}` is not in {where_from}")),
            Text::new(
                format!("corrigez-le ou ajoutez-le à {where_from}"),
                format!("mend it or add it to {where_from}"),
            ),
        );
        found.append(&mut problems.found);
    };
    for (row, one) in requirements {
        if let Some(condition) = &one.condition {
            must_be("requirements.csv", "condition", &words, *row, token_of(condition), "conditions.csv");
        }
    }
    for (row, one) in programmes {
        one.requires.iter().for_each(|id| {
            must_be("programmes.csv", "requires_ids", &ids, *row, id.as_str(), "requirements.csv");
        });
    }
    for (row, one) in fiches {
        one.requirements.iter().for_each(|id| {
            must_be("fiches.csv", "catalogue_ids", &ids, *row, id.as_str(), "requirements.csv");
        });
    }
    for (row, one) in windows {
        must_be("windows.csv", "scheme", &schemes, *row, &one.scheme, "programmes.csv, dispositifs.csv");
    }
    for (row, one) in conditions {
        for scheme in &one.schemes {
            must_be("conditions.csv", "schemes", &schemes, *row, scheme, "programmes.csv, dispositifs.csv");
        }
        one.facts.iter().for_each(|fact| must_be("conditions.csv", "facts", &facts, *row, fact, "facts.csv"));
    }
}

/// `EHDS-ABC : …` is compared by its token alone.
pub(crate) fn token_of(condition: &str) -> &str {
    match condition.split_once(" : ") {
        Some((token, _))
            if token.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-') =>
        {
            token
        }
        _ => condition,
    }
}

fn unique<'a>(file: &str, column: &str, values: impl Iterator<Item = (usize, &'a str)>, found: &mut Vec<Problem>) {
    let mut seen = BTreeMap::new();
    for (row, value) in values {
        if let Some(first) = seen.insert(value, row) {
            let mut problems = Problems::new(file);
            problems.add(
                row,
                column,
                Text::new(
                    format!("« {value} » est déjà en ligne {first}"),
                    format!("`{value}` is in row {first} already"),
                ),
                Text::fixed("un identifiant ne sert qu'une fois", "an identifier is used once"),
            );
            found.append(&mut problems.found);
        }
    }
}
