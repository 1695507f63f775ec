//! The readable copy of a document, for the mail that carries it (MSSanté, Référentiel #2, ECO.2.1.1,
//! 2.1.5 and 2.1.6): the file inside a niveau 1, else a PDF/A-1b of header and narrative.
//!
//! Order: what is shown of the header, then blocks of text (`narrative`), lines on pages (`layout`),
//! fonts (`font`), the file (`file`). The same document gives the same bytes. What it will not do: run
//! a stylesheet, draw images of the narrative (a mark tells that there is one), shape scripts that need
//! it (Arabic, Devanagari), style beyond headings, tables and lists.

mod file;
mod font;
mod layout;
mod narrative;

pub(crate) use narrative::lines_in as narrative_lines;

use jiff::civil::{Date, DateTime};

use self::layout::Layout;
use self::narrative::{Block, Cell, Row};
use crate::codes;
use crate::document::{Body, Document, child, children, path};
use crate::finding::Refused;
use crate::header::{AuthoredBy, Header, Organisation, Patient, PersonName};
use crate::time::{Precision, Time};

/// A PDF that shows the document.
///
/// The PDF inside a niveau 1 comes as it is (ECO.2.1.5); a text inside one is shown under the header.
///
/// # Errors
/// [`PdfError`] when the document cannot be shown.
pub fn of(document: &Document) -> Result<Vec<u8>, PdfError> {
    if let Body::Level1 { media_type } = document.body() {
        let payload = document.payload().map_err(|_| PdfError::Payload)?.ok_or(PdfError::Payload)?;
        return match media_type.as_str() {
            "application/pdf" => Ok(payload),
            "text/plain" => shown(document, plain(&payload)),
            _ => Err(PdfError::MediaType),
        };
    }
    let blocks = document.with_root(sections).map_err(|_| PdfError::Payload)?;
    shown(document, blocks)
}

/// `<date of the act>_<type>_<NAME>_<given name>.pdf` (ECO.2.1.6). Signs that file systems refuse, and the
/// separator itself, are left out of the fields.
#[must_use]
pub fn file_name(header: &Header) -> String {
    let date = header.main_event.start.local().date();
    let kind = codes::type_label(&header.code.code).unwrap_or(&header.title);
    let name = &header.patient.name;
    let field = |text: &str| -> String {
        let kept = text.chars().filter(|c| !c.is_control() && !"\\/:*?\"<>|_".contains(*c));
        kept.collect::<String>().trim().to_owned()
    };
    let day = format!("{:04}{:02}{:02}", date.year(), date.month(), date.day());
    format!("{day}_{}_{}_{}.pdf", field(kind), field(&name.birth), field(&name.first_given_name))
}

fn shown(document: &Document, body: Vec<Block>) -> Result<Vec<u8>, PdfError> {
    let header = Header::read(document).map_err(PdfError::Header)?;
    let mut layout = Layout::new().ok_or(PdfError::Font)?;
    layout.set(&Block::Title(header.title.clone()));
    layout.set(&Block::Table(identity_rows(&header.patient)));
    layout.set(&Block::Table(document_rows(header)));
    for block in &body {
        layout.set(block);
    }
    let footer = format!("Copie lisible du document {}", header.id.to_unique_id());
    let pages = layout.finish(&footer).ok_or(PdfError::TooLong)?;
    let info = file::Info { title: header.title.clone(), created: header.effective_time };
    file::write(&pages, &info).ok_or(PdfError::Font)
}

/// Sections in order, a nested one under its parent. The depth is bounded by the XML limits.
fn sections(root: socle_xml::roxmltree::Node<'_, '_>) -> Vec<Block> {
    let mut blocks = Vec::new();
    if let Some(body) = path(root, &["component", "structuredBody"]) {
        section_blocks(body, 1, &mut blocks);
    }
    blocks
}

fn section_blocks(parent: socle_xml::roxmltree::Node<'_, '_>, level: u8, blocks: &mut Vec<Block>) {
    for section in children(parent, "component").filter_map(|component| child(component, "section")) {
        if let Some(title) = child(section, "title") {
            blocks.push(Block::Heading(level, narrative::inline_text(title)));
        }
        if let Some(text) = child(section, "text") {
            blocks.extend(narrative::blocks_of(text));
        }
        section_blocks(section, level.saturating_add(1), blocks);
    }
}

/// A plain text: UTF-8, else Latin-1.
fn plain(bytes: &[u8]) -> Vec<Block> {
    let text =
        std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|b| char::from(*b)).collect(), str::to_owned);
    text.lines().map(|line| Block::Paragraph { marker: String::new(), indent: 0, text: line.to_owned() }).collect()
}

fn row(label: &str, value: impl Into<String>) -> Row {
    let cell = |text: String, bold| Cell { text, bold, span: 1 };
    Row { cells: vec![cell(label.to_owned(), true), cell(value.into(), false)] }
}

fn identity_rows(patient: &Patient) -> Vec<Row> {
    let name = &patient.name;
    let mut rows = vec![
        row("Nom de naissance", name.birth.as_str()),
        row(
            "Prénoms de naissance",
            if name.given_names.is_empty() { &name.first_given_name } else { &name.given_names },
        ),
    ];
    if name.used.is_some() || name.used_given_name.is_some() {
        let used = [name.used.as_deref(), name.used_given_name.as_deref()];
        rows.push(row("Nom et prénom utilisés", used.into_iter().flatten().collect::<Vec<_>>().join(" ")));
    }
    rows.extend(patient.gender.as_deref().map(|gender| row("Sexe", sex(gender))));
    rows.extend(patient.birth_date.map(|date| row("Date de naissance", day(date))));
    rows.extend(patient.birth_place.as_ref().map(|place| row("Lieu de naissance (COG)", place.as_str())));
    rows.extend(
        patient
            .ins_candidates
            .first()
            .map(|ins| row("Matricule INS", format!("{} ({})", ins.matricule, ins.authority.type_code()))),
    );
    rows
}

fn document_rows(header: &Header) -> Vec<Row> {
    let kind = codes::type_label(&header.code.code).unwrap_or(&header.code.label);
    let mut rows = vec![row("Type de document", kind), row("Date", moment(&header.effective_time))];
    rows.extend(header.authors.iter().map(|author| row("Auteur", author_text(author))));
    let signer = &header.legal_authenticator;
    let name = signer.name.as_ref().map(person).unwrap_or_default();
    rows.push(row("Responsable", with_structure(name, signer.organisation.as_ref())));
    for recipient in &header.recipients {
        let name = recipient.name.as_ref().map(person).unwrap_or_default();
        rows.push(row("Destinataire", with_structure(name, recipient.organisation.as_ref())));
    }
    rows.push(row("Version", header.version.to_string()));
    rows
}

pub(crate) fn author_text(author: &crate::header::Author) -> String {
    let name = match &author.by {
        AuthoredBy::Person(name) => person(name),
        AuthoredBy::Device { model, software } => {
            [model.as_deref(), software.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(" ")
        }
    };
    let specialty = author.specialty.as_ref().map(|code| code.label.as_str()).filter(|label| !label.is_empty());
    let text = specialty.map_or_else(|| name.clone(), |specialty| format!("{name}, {specialty}"));
    with_structure(text, author.organisation.as_ref())
}

pub(crate) fn with_structure(text: String, organisation: Option<&Organisation>) -> String {
    let Some(structure) = organisation.and_then(|organisation| organisation.name.as_deref()) else { return text };
    if text.is_empty() { structure.to_owned() } else { format!("{text}, {structure}") }
}

pub(crate) fn person(name: &PersonName) -> String {
    let parts = [name.suffix.as_deref(), Some(name.given.as_str()), Some(name.family.as_str())];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn sex(gender: &str) -> &'static str {
    match gender {
        "F" => "Féminin",
        "M" => "Masculin",
        _ => "Indéterminé",
    }
}

fn day(date: Date) -> String {
    format!("{:02}/{:02}/{:04}", date.day(), date.month(), date.year())
}

/// As precise as it was written, where it was written.
pub(crate) fn moment(time: &Time) -> String {
    let local: DateTime = time.local();
    match time.precision() {
        Precision::Year => format!("{:04}", local.year()),
        Precision::Month => format!("{:02}/{:04}", local.month(), local.year()),
        Precision::Day => day(local.date()),
        Precision::Minute | Precision::Second => {
            format!("{} à {:02} h {:02}", day(local.date()), local.hour(), local.minute())
        }
    }
}

/// Why there is no PDF.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PdfError {
    /// The header is refused.
    #[error("the document's header is refused: {0}")]
    Header(Refused),
    /// A niveau 1 body that is neither PDF nor text: no copy is made of it.
    #[error("the encapsulated file is neither a PDF nor a text: it has no readable copy")]
    MediaType,
    /// The body cannot be decoded.
    #[error("the document's body cannot be decoded")]
    Payload,
    /// More pages than anybody reads.
    #[error("the readable copy would have more than {} pages", layout::MOST_PAGES)]
    TooLong,
    /// The embedded fonts could not be read: the program itself is damaged.
    #[error("the embedded fonts cannot be read")]
    Font,
}
