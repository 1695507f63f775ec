//! Writing: names of ISO 9660 level 1, times fixed, so that the same content gives the same bytes.

use std::io::{Cursor, Write as _};

use bytes::Bytes;
use socle_xml::write::Writer;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Outgoing, Sender, XdmError};
use crate::codes;
use crate::xds::{DocumentEntry, Submission, sha1_hex, write_submission};

const FOLDER: &str = "IHE_XDM/SUBSET01";
/// `DOC` and five digits.
const MOST: usize = 99_999;

pub(super) fn write(outgoing: &Outgoing) -> Result<Bytes, XdmError> {
    if outgoing.documents.is_empty() {
        return Err(XdmError::Empty);
    }
    if outgoing.documents.len() > MOST {
        return Err(XdmError::TooMany);
    }
    let entries: Vec<DocumentEntry> =
        (1..).zip(&outgoing.documents).map(|(rank, (entry, bytes))| located(rank, entry, bytes)).collect();
    let index = index(outgoing, &entries);
    let readme = readme(&outgoing.sender, &entries);
    let names: Vec<String> = entries.iter().filter_map(|entry| entry.uri.clone()).collect();
    let submission = Submission::new(outgoing.set.clone(), entries);
    let metadata = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", write_submission(&submission));

    let mut files: Vec<(String, &[u8])> = vec![
        ("INDEX.HTM".to_owned(), index.as_bytes()),
        ("README.TXT".to_owned(), readme.as_bytes()),
        (format!("{FOLDER}/METADATA.XML"), metadata.as_bytes()),
    ];
    for (name, (_, bytes)) in names.iter().zip(&outgoing.documents) {
        files.push((format!("{FOLDER}/{name}"), bytes));
    }
    zipped(&files).map(Bytes::from).map_err(|error| XdmError::Zip(error.to_string()))
}

fn zipped(files: &[(String, &[u8])]) -> zip::result::ZipResult<Vec<u8>> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(6))
        .last_modified_time(zip::DateTime::default())
        .unix_permissions(0o644);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        archive.start_file(name.as_str(), options)?;
        archive.write_all(bytes)?;
    }
    Ok(archive.finish()?.into_inner())
}

/// The entry as it stands in an archive: file, hash and size; nothing that only a registry or the DMP
/// knows (visibility codes mean nothing to the professional who receives a mail).
fn located(rank: usize, entry: &DocumentEntry, bytes: &Bytes) -> DocumentEntry {
    let mut located = DocumentEntry {
        logical_id: None,
        version: None,
        status: None,
        repository_id: None,
        hash: Some(sha1_hex(bytes)),
        size: Some(bytes.len() as u64),
        uri: Some(format!("DOC{rank:05}.{}", extension(&entry.mime_type))),
        ..entry.clone()
    };
    if !located.is_signature() {
        located.set_visibility(crate::xds::Visibility::OPEN);
    }
    located
}

fn extension(mime_type: &str) -> &'static str {
    match mime_type {
        "text/xml" | "application/xml" | "application/xslt+xml" => "XML",
        "application/pdf" => "PDF",
        "application/dicom" => "DCM",
        "text/plain" => "TXT",
        "text/rtf" | "application/rtf" => "RTF",
        "image/jpeg" => "JPG",
        "image/tiff" => "TIF",
        _ => "BIN",
    }
}

/// The page for people: a list of links. Neither logo nor patient.
fn index(outgoing: &Outgoing, entries: &[DocumentEntry]) -> String {
    let mut w = Writer::document();
    w.raw("\n<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML Basic 1.1//EN\" \"http://www.w3.org/TR/xhtml-basic/xhtml-basic11.dtd\">\n");
    w.open("html").ns("", "http://www.w3.org/1999/xhtml").attr("xml:lang", "fr");
    w.open("head").leaf("title", "Documents de santé (IHE XDM)").close();
    w.open("body").leaf("h1", "Documents de santé");
    w.leaf("p", &format!("Émetteur : {}", outgoing.sender.organisation));
    w.open("ul");
    for entry in entries {
        let uri = entry.uri.as_deref().unwrap_or_default();
        let title = entry.title.as_deref().or_else(|| codes::type_label(&entry.type_code.code)).unwrap_or(uri);
        w.open("li").open("a").attr("href", &format!("{FOLDER}/{uri}")).text(title).close();
        w.text(&format!(" ({}, {} octets)", entry.type_code.label, entry.size.unwrap_or_default())).close();
    }
    w.close();
    w.leaf("p", "Les métadonnées sont dans IHE_XDM/SUBSET01/METADATA.XML.");
    w.close().close();
    w.finish()
}

/// Sender, software, contact, instructions, tree (IHE ITI TF-2 3.32.4.1.2).
fn readme(sender: &Sender, entries: &[DocumentEntry]) -> String {
    let mut lines = vec![
        format!("Émetteur / Sender: {}", sender.organisation),
        format!("Logiciel / Software: {} {} ({})", sender.software, sender.version, sender.editor),
        format!("Contact: {}", sender.contact),
        String::new(),
        "Cette archive suit le profil IHE XDM. Ouvrez INDEX.HTM pour voir la liste des documents.".to_owned(),
        "This archive follows the IHE XDM profile. Open INDEX.HTM for the list of documents.".to_owned(),
        String::new(),
        "INDEX.HTM".to_owned(),
        "README.TXT".to_owned(),
        format!("{FOLDER}/METADATA.XML"),
    ];
    lines.extend(entries.iter().filter_map(|entry| entry.uri.as_ref()).map(|uri| format!("{FOLDER}/{uri}")));
    lines.join("\r\n") + "\r\n"
}
