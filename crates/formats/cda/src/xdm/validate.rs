//! Judging an archive as a whole: what reading finds, the layout of the media, its page for people, its
//! metadata against its documents, and each document by every layer that is installed.
//!
//! Reading (`read`) decides what may be used; this says all that could be better.

use bytes::Bytes;
use serde::Serialize;
use socle_finding::{Finding, Location, Rule, Text};

use super::Limits;
use super::read::{Inspected, XDM, inspect};
use crate::document::Document;
use crate::finding::Findings;
use crate::validate::{Official, Report, validate_document};
use crate::xds::{DocumentEntry, Visibility, disagreements};

/// What validation says of an archive.
#[derive(Debug, Clone, Serialize)]
pub struct Validated {
    /// The archive and its metadata.
    pub findings: Vec<Finding>,
    /// Its CDA documents, in order.
    pub documents: Vec<Member>,
}

/// A document of an archive.
#[derive(Debug, Clone, Serialize)]
pub struct Member {
    /// Where: `IHE_XDM/SUBSET01/DOC00001.XML`.
    pub path: String,
    /// What was found in it.
    pub report: Report,
}

impl Validated {
    /// No error, neither in the archive nor in a document.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        !socle_finding::any_error(&self.findings) && self.documents.iter().all(|member| member.report.is_valid())
    }
}

/// Validates an archive. Nothing is written on disk.
#[must_use]
pub fn validate(bytes: &[u8], limits: &Limits, official: Option<&dyn Official>) -> Validated {
    let Inspected { archive, names, index, mut found } = inspect(bytes, limits);
    judge_names(&names, &mut found);
    if let Some(index) = &index {
        judge_index(index, &names, &mut found);
    }
    let mut documents = Vec::new();
    for subset in archive.iter().flat_map(|archive| &archive.subsets) {
        for (rank, (entry, bytes)) in (1..).zip(subset.documents()) {
            let place = format!("{}, DocumentEntry[{rank}]", subset.folder);
            judge_entry(entry, &place, &mut found);
            if let Some(member) = judge_document(entry, bytes, &subset.folder, &place, official, &mut found) {
                documents.push(member);
            }
        }
        judge_undescribed(&subset.folder, &subset.submission.entries, &names, &mut found);
    }
    Validated { findings: found.into_vec(), documents }
}

/// ISO 9660 level 1: eight capitals, digits or `_`, a dot, three.
fn judge_names(names: &[String], found: &mut Findings) {
    let plain = |part: &str, most: usize| {
        part.len() <= most && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_level_1 = |step: &str| match step.split_once('.') {
        None => plain(step, 8),
        Some((stem, extension)) => !stem.is_empty() && plain(stem, 8) && plain(extension, 3),
    };
    let odd = names.iter().filter(|name| !name.trim_end_matches('/').split('/').all(is_level_1)).count();
    if odd > 0 {
        found.note(
            Rule::fixed(XDM, "noms ISO 9660 niveau 1"),
            Location::path("/"),
            Text::new(
                format!("{odd} nom(s) de fichier ne sont pas en 8.3 et en majuscules"),
                format!("{odd} file name(s) are not 8.3 in capitals"),
            ),
            Text::fixed("nommez les fichiers DOC00001.XML", "name files DOC00001.XML"),
        );
    }
}

/// The page for people leads to files of the archive, and does nothing else.
fn judge_index(index: &Bytes, names: &[String], found: &mut Findings) {
    let text = String::from_utf8_lossy(index);
    let lower = text.to_ascii_lowercase();
    let rule = |point| Rule::fixed(XDM, point);
    if ["<script", "javascript:", "<iframe", "<object", "<embed", "http-equiv=\"refresh\""]
        .iter()
        .any(|act| lower.contains(act))
    {
        found.warning(
            rule("INDEX.HTM, page simple"),
            Location::path("INDEX.HTM"),
            Text::fixed(
                "la page contient de quoi agir (script, cadre…)",
                "the page holds something that acts (script, frame…)",
            ),
            Text::fixed("n'y mettez que du texte et des liens", "put text and links only"),
        );
    }
    let links = text.split("href=").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split(quote).next()
    });
    for link in links.take(1_000) {
        let target = link.replace('\\', "/");
        let target = target.trim_start_matches("./").split(['#', '?']).next().unwrap_or_default().to_owned();
        let leads = target.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case(&target));
        if !leads {
            found.warning(
                rule("INDEX.HTM, liens"),
                Location::path("INDEX.HTM"),
                Text::fixed(
                    "un lien de la page ne mène pas à un fichier de l'archive",
                    "a link of the page does not lead to a file of the archive",
                ),
                Text::fixed(
                    "liez les documents par leur nom dans l'archive",
                    "link documents by their name in the archive",
                ),
            );
            return;
        }
    }
}

/// What only a registry or the DMP knows has no meaning in a mail.
fn judge_entry(entry: &DocumentEntry, place: &str, found: &mut Findings) {
    if !entry.is_signature() && entry.visibility() != Visibility::OPEN {
        found.note(
            Rule::fixed("CI-SIS", "visibilité dans le DMP"),
            Location::path(format!("{place}.confidentialityCode")),
            Text::fixed(
                "un code de visibilité du DMP n'a pas de sens pour le destinataire d'un message",
                "a visibility code of the DMP has no meaning for the recipient of a mail",
            ),
            Text::fixed("retirez-le de l'archive", "remove it from the archive"),
        );
    }
    if entry.repository_id.is_some() {
        found.note(
            Rule::fixed(XDM, "repositoryUniqueId"),
            Location::path(format!("{place}.repositoryUniqueId")),
            Text::fixed(
                "repositoryUniqueId n'a pas de sens dans une archive",
                "repositoryUniqueId has no meaning in an archive",
            ),
            Text::fixed("retirez-le", "remove it"),
        );
    }
}

fn judge_document(
    entry: &DocumentEntry,
    bytes: &Bytes,
    folder: &str,
    place: &str,
    official: Option<&dyn Official>,
    found: &mut Findings,
) -> Option<Member> {
    let says_xml = matches!(entry.mime_type.as_str(), "text/xml" | "application/xml" | "application/xslt+xml");
    if !says_xml || entry.is_signature() {
        return None;
    }
    let path = format!("{folder}/{}", entry.uri.as_deref().unwrap_or_default());
    match Document::parse(bytes.clone()) {
        Ok(document) => {
            found.extend(disagreements(entry, &document, place));
            Some(Member { path, report: validate_document(&document, official) })
        }
        Err(error) => {
            let finding = error.finding();
            let at = Location { path: format!("{path}: {}", finding.at.path), ..finding.at };
            found.extend([Finding { at, ..finding }]);
            None
        }
    }
}

/// Files beside the metadata that no entry describes.
fn judge_undescribed(folder: &str, entries: &[DocumentEntry], names: &[String], found: &mut Findings) {
    let prefix = format!("{}/", folder.to_uppercase());
    let described = |name: &str| {
        name == "METADATA.XML"
            || entries.iter().any(|entry| entry.uri.as_ref().is_some_and(|uri| uri.eq_ignore_ascii_case(name)))
    };
    let upper = names.iter().map(|name| name.to_uppercase());
    let extra = upper
        .filter(|name| name.strip_prefix(&prefix).is_some_and(|name| !name.is_empty() && !described(name)))
        .count();
    if extra > 0 {
        found.note(
            Rule::fixed(XDM, "fichiers décrits"),
            Location::path(folder),
            Text::new(
                format!("{extra} fichier(s) du lot ne sont décrits par aucune fiche"),
                format!("{extra} file(s) of the set are described by no entry"),
            ),
            Text::fixed(
                "décrivez-les dans METADATA.XML, ou retirez-les",
                "describe them in METADATA.XML, or remove them",
            ),
        );
    }
}
