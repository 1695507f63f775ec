//! Reading: names and sizes judged before anything is unpacked, then lots, then their files.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read as _};

use bytes::Bytes;
use socle_finding::{Location, Rule, Severity, Text};
use socle_xml::Limits as XmlLimits;
use zip::ZipArchive;

use super::{Archive, Limits, Subset};
use crate::finding::{Findings, Refused};
use crate::xds::{DocumentEntry, Profile, Submission, read_submission, sha1_hex};

pub(super) const XDM: &str = "IHE ITI TF-2 3.32 (XDM)";
const SAFETY: &str = "Socle: limits on archives";

pub(super) fn read(bytes: &[u8], limits: &Limits) -> Result<Archive, Refused> {
    let Inspected { archive, found, .. } = inspect(bytes, limits);
    found.conclude(archive).map(|checked| Archive { warnings: checked.warnings, ..checked.value })
}

/// An archive and all that was found in it, whether or not it may be used.
pub(super) struct Inspected {
    /// None when nothing may be unpacked.
    pub(super) archive: Option<Archive>,
    /// The names of its files, as written.
    pub(super) names: Vec<String>,
    /// INDEX.HTM.
    pub(super) index: Option<Bytes>,
    pub(super) found: Findings,
}

pub(super) fn inspect(bytes: &[u8], limits: &Limits) -> Inspected {
    let mut found = Findings::default();
    let Some(mut files) = open(bytes, limits, &mut found) else {
        return Inspected { archive: None, names: Vec::new(), index: None, found };
    };
    let mut ranked: Vec<(usize, String)> = files.by_name.values().cloned().collect();
    ranked.sort_unstable();
    let archive = unpack(&mut files, limits, &mut found);
    let index = files.unpack("INDEX.HTM", limits).ok();
    Inspected { archive: Some(archive), names: ranked.into_iter().map(|(_, name)| name).collect(), index, found }
}

/// The files of an archive, by upper-case path.
struct Files<'b> {
    zip: ZipArchive<Cursor<&'b [u8]>>,
    /// Upper-case path → rank in the archive, path as written (with `/`).
    by_name: HashMap<String, (usize, String)>,
    left: u64,
}

fn open<'b>(bytes: &'b [u8], limits: &Limits, found: &mut Findings) -> Option<Files<'b>> {
    if declared_entries(bytes).is_some_and(|entries| entries > limits.entries) {
        refuse(found, SAFETY, "nombre de fichiers", "", TOO_MANY, SMALLER);
        return None;
    }
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else {
        refuse(found, XDM, "archive ZIP", "", NOT_ZIP, SEND_ZIP);
        return None;
    };
    let raw_names = central_names(bytes, zip.central_directory_start(), limits.entries);
    let distinct: HashSet<&[u8]> = raw_names.iter().copied().collect();
    if distinct.len() != raw_names.len() {
        refuse(found, SAFETY, "noms en double", "", DOUBLE, ONE_NAME);
    }
    let mut by_name = HashMap::new();
    for rank in 0..zip.len() {
        let Ok(file) = zip.by_index_raw(rank) else {
            refuse(found, XDM, "archive ZIP", &place(rank), NOT_ZIP, SEND_ZIP);
            continue;
        };
        let Some(name) = safe_name(file.name()) else {
            refuse(found, SAFETY, "noms de fichiers", &place(rank), ESCAPES, INSIDE);
            continue;
        };
        let is_link = file.unix_mode().is_some_and(|mode| mode & 0o170_000 == 0o120_000);
        if file.encrypted() || is_link {
            refuse(found, SAFETY, "fichiers simples", &place(rank), NOT_PLAIN, PLAIN);
            continue;
        }
        if !file.is_dir() && by_name.insert(name.to_uppercase(), (rank, name)).is_some() {
            refuse(found, SAFETY, "noms en double", &place(rank), DOUBLE, ONE_NAME);
        }
    }
    if found.has_error() {
        return None;
    }
    Some(Files { zip, by_name, left: limits.total_bytes })
}

/// Places are ranks: names are the sender's, and may be anything.
fn place(rank: usize) -> String {
    format!("entry[{}]", rank + 1)
}

/// `/` as separator, no empty, `.`-only or `..` step, no drive, no control character.
fn safe_name(name: &str) -> Option<String> {
    if name.len() > 512 || name.chars().any(char::is_control) || name.contains(':') {
        return None;
    }
    let slashed = name.replace('\\', "/");
    let trimmed = slashed.strip_prefix("./").unwrap_or(&slashed).trim_end_matches('/');
    let steps_are_safe = trimmed.split('/').all(|step| !step.is_empty() && step != "." && step != "..");
    steps_are_safe.then(|| trimmed.to_owned())
}

/// The number in the end-of-central-directory record: judged before any entry is read.
fn declared_entries(bytes: &[u8]) -> Option<usize> {
    let tail_start = bytes.len().saturating_sub(22 + 65_535);
    let tail = &bytes[tail_start..];
    let at = tail.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let count = tail.get(at + 10..at + 12)?;
    Some(usize::from(u16::from_le_bytes([count[0], count[1]])))
}

/// The names of the central directory as they stand; the ZIP reader keeps only the last of two equal ones.
fn central_names(bytes: &[u8], start: u64, most: usize) -> Vec<&[u8]> {
    let mut names = Vec::new();
    let mut rest = usize::try_from(start).ok().and_then(|start| bytes.get(start..)).unwrap_or_default();
    while names.len() <= most && rest.starts_with(b"PK\x01\x02") && rest.len() >= 46 {
        let length = |at: usize| usize::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
        let (name, extra, comment) = (length(28), length(30), length(32));
        let Some(text) = rest.get(46..46 + name) else { break };
        names.push(text);
        rest = rest.get(46 + name + extra + comment..).unwrap_or_default();
    }
    names
}

impl Files<'_> {
    /// Unpacks one file within the limits.
    fn unpack(&mut self, name: &str, limits: &Limits) -> Result<Bytes, Text> {
        let (rank, _) = self.by_name.get(name).ok_or(ABSENT)?;
        let mut file = self.zip.by_index(*rank).map_err(|_| UNREADABLE)?;
        let by_ratio = (1 << 20).max(file.compressed_size().saturating_mul(limits.ratio));
        let most = limits.file_bytes.min(self.left).min(by_ratio);
        let mut bytes = Vec::new();
        file.by_ref().take(most + 1).read_to_end(&mut bytes).map_err(|_| UNREADABLE)?;
        let length = bytes.len() as u64;
        if length > most {
            return Err(BOMB);
        }
        self.left -= length;
        Ok(bytes.into())
    }
}

fn unpack(files: &mut Files<'_>, limits: &Limits, found: &mut Findings) -> Archive {
    for (name, point) in [("INDEX.HTM", "INDEX.HTM"), ("README.TXT", "README.TXT")] {
        if !files.by_name.contains_key(name) {
            found.warning(Rule::fixed(XDM, point), Location::path(name), ABSENT, ADD_IT);
        }
    }
    let mut folders: Vec<(usize, String)> = Vec::new();
    for (upper, (rank, _)) in &files.by_name {
        let folder = upper.strip_suffix("/METADATA.XML").filter(|folder| folder.split('/').any(|s| s == "IHE_XDM"));
        folders.extend(folder.map(|folder| (*rank, folder.to_owned())));
    }
    folders.sort_unstable();
    if folders.is_empty() {
        refuse(found, XDM, "METADATA.XML", "IHE_XDM/SUBSET01/METADATA.XML", ABSENT, ADD_IT);
    }
    let mut subsets = Vec::new();
    for (_, folder) in folders {
        check_folder(&folder, found);
        subsets.extend(subset(files, &folder, limits, found));
    }
    check_one_patient(&subsets, found);
    Archive { subsets, warnings: Vec::new() }
}

/// `IHE_XDM/<lot>`: some senders leave the lot's folder out, or pack one folder too many.
fn check_folder(folder: &str, found: &mut Findings) {
    let steps: Vec<&str> = folder.split('/').collect();
    if steps.len() == 2 && steps[0] == "IHE_XDM" {
        return;
    }
    found.warning(
        Rule::fixed(XDM, "IHE_XDM/SUBSET01"),
        Location::path("METADATA.XML"),
        Text::fixed("METADATA.XML n'est pas dans IHE_XDM/<lot>/", "METADATA.XML is not in IHE_XDM/<set>/"),
        Text::fixed("rangez chaque lot dans un dossier de IHE_XDM", "put each set in a folder of IHE_XDM"),
    );
}

fn subset(files: &mut Files<'_>, folder: &str, limits: &Limits, found: &mut Findings) -> Option<Subset> {
    let metadata = format!("{folder}/METADATA.XML");
    let bytes = files.unpack(&metadata, limits).map_err(|text| refuse_file(found, "METADATA.XML", text)).ok()?;
    let submission = submission(&bytes, found)?;
    let written = files.by_name.get(&metadata).map_or(folder, |(_, name)| name.as_str());
    let written = written.get(..folder.len()).unwrap_or(folder).to_owned();
    let mut contents = Vec::new();
    for (rank, entry) in (1..).zip(&submission.entries) {
        let name = format!("DocumentEntry[{rank}]");
        contents.extend(content(files, folder, entry, &name, limits, found));
    }
    (contents.len() == submission.entries.len()).then_some(Subset { folder: written, submission, files: contents })
}

fn submission(bytes: &[u8], found: &mut Findings) -> Option<Submission> {
    let limits = XmlLimits::ENVELOPE;
    let text = socle_xml::decode(bytes, &limits).map_err(|error| found.extend([error.finding()])).ok()?;
    let tree = socle_xml::parse(&text, &limits).map_err(|error| found.extend([error.finding()])).ok()?;
    match read_submission(tree.root_element(), Profile::Xdm) {
        Ok(checked) => {
            found.extend(checked.warnings);
            Some(checked.value)
        }
        Err(refused) => {
            found.extend(refused.findings);
            None
        }
    }
}

/// The file of an entry, with the hash and size that the metadata say.
fn content(
    files: &mut Files<'_>,
    folder: &str,
    entry: &DocumentEntry,
    name: &str,
    limits: &Limits,
    found: &mut Findings,
) -> Option<Bytes> {
    let Some(uri) = entry.uri.as_deref() else {
        refuse(
            found,
            XDM,
            "URI",
            &format!("{name}.URI"),
            ABSENT,
            Text::fixed("donnez le nom du fichier", "give the file's name"),
        );
        return None;
    };
    let Some(uri) = safe_name(uri) else {
        refuse(found, SAFETY, "URI", &format!("{name}.URI"), ESCAPES, INSIDE);
        return None;
    };
    let path = format!("{folder}/{uri}").to_uppercase();
    let bytes = files.unpack(&path, limits).map_err(|text| refuse_file(found, name, text)).ok()?;
    check_size(entry, &bytes, name, found);
    check_hash(entry, &bytes, name, found);
    Some(bytes)
}

fn check_size(entry: &DocumentEntry, bytes: &Bytes, name: &str, found: &mut Findings) {
    match entry.size {
        Some(size) if size == bytes.len() as u64 => {}
        Some(_) => refuse(found, XDM, "size", &format!("{name}.size"), DIFFERS, PACK_AGAIN),
        None => found.warning(Rule::fixed(XDM, "size"), Location::path(format!("{name}.size")), ABSENT, ADD_IT),
    }
}

fn check_hash(entry: &DocumentEntry, bytes: &Bytes, name: &str, found: &mut Findings) {
    match &entry.hash {
        Some(hash) if *hash == sha1_hex(bytes) => {}
        Some(_) => refuse(found, XDM, "hash", &format!("{name}.hash"), DIFFERS, PACK_AGAIN),
        None => found.warning(Rule::fixed(XDM, "hash"), Location::path(format!("{name}.hash")), ABSENT, ADD_IT),
    }
}

fn check_one_patient(subsets: &[Subset], found: &mut Findings) {
    let mut patients = subsets.iter().map(|subset| &subset.submission.set.patient_id);
    let Some(first) = patients.next() else { return };
    if patients.all(|other| other.same(first)) {
        return;
    }
    found.warning(
        Rule::fixed("MSSanté, Référentiel #2", "ECO.2.1.1"),
        Location::path("SubmissionSet.patientId"),
        Text::fixed(
            "les lots n'ont pas le même identifiant de patient",
            "the sets have not the same patient identifier",
        ),
        Text::fixed("un message ne concerne qu'un usager", "one message is about one patient"),
    );
}

fn refuse(found: &mut Findings, rule: &'static str, point: &'static str, place: &str, message: Text, mend: Text) {
    found.add(Severity::Error, Rule::fixed(rule, point), Location::path(place), message, mend);
}

fn refuse_file(found: &mut Findings, place: &str, message: Text) {
    refuse(found, XDM, "fichiers", place, message, PACK_AGAIN);
}

const TOO_MANY: Text = Text::fixed("l'archive contient trop de fichiers", "the archive holds too many files");
const SMALLER: Text = Text::fixed("envoyez plusieurs archives", "send several archives");
const NOT_ZIP: Text = Text::fixed("ce n'est pas une archive ZIP lisible", "this is not a readable ZIP archive");
const SEND_ZIP: Text = Text::fixed("envoyez IHE_XDM.zip", "send IHE_XDM.zip");
const DOUBLE: Text = Text::fixed("deux fichiers ont le même nom", "two files have the same name");
const ONE_NAME: Text = Text::fixed("donnez un nom par fichier", "give each file its name");
const ESCAPES: Text = Text::fixed("un nom de fichier sort de l'archive", "a file's name leaves the archive");
const INSIDE: Text = Text::fixed("utilisez des noms simples, sans .. ni racine", "use plain names, without .. or root");
const NOT_PLAIN: Text = Text::fixed("un fichier est chiffré ou est un lien", "a file is encrypted or is a link");
const PLAIN: Text = Text::fixed("n'envoyez que des fichiers ordinaires", "send ordinary files only");
const ABSENT: Text = Text::fixed("absent de l'archive", "missing in the archive");
const ADD_IT: Text = Text::fixed("ajoutez-le", "add it");
const UNREADABLE: Text = Text::fixed("un fichier de l'archive est illisible", "a file of the archive cannot be read");
const BOMB: Text = Text::fixed(
    "un fichier dépasse, une fois décompressé, ce qui est admis",
    "a file is bigger, once unpacked, than what is admitted",
);
const DIFFERS: Text = Text::fixed(
    "le fichier n'est pas celui que disent les métadonnées",
    "the file is not the one that the metadata tell",
);
const PACK_AGAIN: Text = Text::fixed("refaites l'archive", "make the archive again");
