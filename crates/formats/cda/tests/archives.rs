//! XDM archives: ours read back by us and by Python, those of others, hostile ones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may fail, and says aloud what it skips"
)]

mod fixtures;

use std::io::{Cursor, Write as _};

use bytes::Bytes;
use socle_cda::xdm::{self, Archive, Limits, Outgoing, Sender};
use socle_cda::xds::{Cx, DocumentEntry, EntryOptions, Submission, SubmissionSet, sha1_hex, write_submission};
use socle_cda::{Document, Header, Refused};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const MINIMAL: &str = include_str!("minimal.xml");

/// Names and contents.
type Files = Vec<(String, Vec<u8>)>;

fn document() -> Document {
    Document::parse(MINIMAL.as_bytes().to_vec()).unwrap()
}

fn outgoing() -> Outgoing {
    let document = document();
    let header = Header::read(&document).unwrap();
    let patient = Cx::from(&header.ins().unwrap().unwrap());
    let entry = DocumentEntry::from_header(&document, &patient, &EntryOptions::new("Doc1")).unwrap().value;
    let (set_id, source) = ("1.2.250.1.999.1.1".parse().unwrap(), "1.2.250.1.999.1".parse().unwrap());
    let set = SubmissionSet::around(&entry, header, &set_id, &source, "2026-11-24T10:00:00Z".parse().unwrap());
    let note = DocumentEntry {
        id: "Doc2".into(),
        unique_id: "1.2.250.1.999.1.2".into(),
        mime_type: "text/plain".into(),
        ..entry.clone()
    };
    Outgoing {
        set,
        documents: vec![(entry, document.bytes().clone()), (note, Bytes::from_static(b"note"))],
        sender: Sender {
            organisation: "Clinique de l'Étang".into(),
            software: "Socle".into(),
            version: "0.1".into(),
            editor: "Socle".into(),
            contact: "contact@example.org".into(),
        },
    }
}

fn read(bytes: &[u8]) -> Result<Archive, Refused> {
    xdm::read(bytes, &Limits::default())
}

#[test]
fn what_we_write_we_read_and_the_same_content_gives_the_same_bytes() {
    let sent = outgoing();
    let bytes = xdm::write(&sent).unwrap();
    assert_eq!(bytes, xdm::write(&sent).unwrap());
    let archive = read(&bytes).unwrap();
    assert!(archive.warnings.iter().all(|f| f.rule.point == "formatCode"), "{:?}", archive.warnings);
    let [subset] = archive.subsets.as_slice() else { panic!("one lot") };
    assert_eq!(subset.folder, "IHE_XDM/SUBSET01");
    assert_eq!(subset.submission.set, sent.set);
    assert_eq!(subset.files, [document().bytes().clone(), Bytes::from_static(b"note")]);
    let first = &subset.submission.entries[0];
    assert_eq!(first.uri.as_deref(), Some("DOC00001.XML"));
    assert_eq!(first.hash.as_deref(), Some(sha1_hex(MINIMAL.as_bytes()).as_str()));
    assert_eq!(first.size, Some(MINIMAL.len() as u64));
    assert_eq!(subset.submission.entries[1].uri.as_deref(), Some("DOC00002.TXT"));
    let facts = archive.mail_facts();
    assert_eq!(facts.cda_codes, ["11488-4"]);
    assert!(facts.carries_ins);
    assert_eq!(archive.cda_documents().len(), 1);
}

#[test]
fn visibility_of_the_dmp_does_not_travel_by_mail() {
    let mut sent = outgoing();
    let masked = socle_cda::xds::Visibility::new(true, false, false, Default::default()).unwrap();
    sent.documents[0].0.set_visibility(masked);
    let archive = read(&xdm::write(&sent).unwrap()).unwrap();
    let entry = &archive.subsets[0].submission.entries[0];
    assert_eq!(entry.confidentiality.len(), 1);
    assert!(entry.confidentiality[0].is("N", "2.16.840.1.113883.5.25"));
}

#[test]
fn an_archive_needs_documents() {
    let nothing = Outgoing { documents: Vec::new(), ..outgoing() };
    assert!(matches!(xdm::write(&nothing), Err(xdm::XdmError::Empty)));
}

/// Somebody else's ZIP and XML readers, on what we write.
#[test]
fn python_reads_what_we_write() {
    let script = r#"
import sys, io, re, zipfile, hashlib
from xml.etree import ElementTree
rim = '{urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0}'
z = zipfile.ZipFile(io.BytesIO(sys.stdin.buffer.read()))
assert z.testzip() is None
names = z.namelist()
assert names == ['INDEX.HTM', 'README.TXT', 'IHE_XDM/SUBSET01/METADATA.XML',
                 'IHE_XDM/SUBSET01/DOC00001.XML', 'IHE_XDM/SUBSET01/DOC00002.TXT'], names
for name in names:
    for step in name.split('/'):
        assert re.fullmatch(r'[A-Z0-9_]{1,8}(\.[A-Z0-9_]{1,3})?', step), step
root = ElementTree.fromstring(z.read('IHE_XDM/SUBSET01/METADATA.XML'))
assert root.tag == '{urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0}SubmitObjectsRequest'
for entry in root.iter(rim + 'ExtrinsicObject'):
    slots = {s.get('name'): [v.text for v in s.iter(rim + 'Value')] for s in entry.findall(rim + 'Slot')}
    content = z.read('IHE_XDM/SUBSET01/' + slots['URI'][0])
    assert slots['hash'] == [hashlib.sha1(content).hexdigest()]
    assert slots['size'] == [str(len(content))]
index = ElementTree.fromstring(z.read('INDEX.HTM'))
links = [a.get('href') for a in index.iter('{http://www.w3.org/1999/xhtml}a')]
assert links == names[3:], links
z.read('README.TXT').decode('utf-8')
print('read')
"#;
    let python = std::process::Command::new("python3")
        .args(["-c", script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|v| v != "1"), "no python3");
        println!("SKIPPED python_reads_what_we_write: no python3");
        return;
    };
    python.stdin.take().unwrap().write_all(&xdm::write(&outgoing()).unwrap()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "read\n", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_composed_archives_are_read_or_refused_as_they_say() {
    let Some(folder) = fixtures::shared("the_composed_archives", "messaging/xdm") else { return };
    let open = |name: &str| read(&std::fs::read(folder.join(name)).unwrap());

    let with_ins = open("IHE_XDM_CR_imagerie_INS.zip").unwrap();
    assert_eq!(with_ins.subsets[0].files[0].len(), 245_855);
    assert_eq!(with_ins.mail_facts().cda_codes, ["18748-4"]);
    assert!(with_ins.mail_facts().carries_ins);

    let without_ins = open("IHE_XDM_CR_imagerie_sans_INS.zip").unwrap();
    assert_eq!(without_ins.mail_facts().cda_codes, ["18748-4"]);
    assert!(!without_ins.mail_facts().carries_ins);

    let points = |refused: Refused| refused.errors().map(|f| f.rule.point.to_string()).collect::<Vec<_>>();
    assert_eq!(points(open("IHE_XDM_invalid_hash_mismatch.zip").unwrap_err()), ["hash"]);
    assert_eq!(points(open("IHE_XDM_invalid_no_metadata.zip").unwrap_err()), ["METADATA.XML"]);
}

/// The files of a good archive, for tests to rename and spoil.
fn good_files() -> Files {
    let archive = read(&xdm::write(&outgoing()).unwrap()).unwrap();
    let subset = &archive.subsets[0];
    let metadata = write_submission(&subset.submission);
    vec![
        ("INDEX.HTM".into(), b"<html/>".to_vec()),
        ("README.TXT".into(), b"readme".to_vec()),
        ("IHE_XDM/SUBSET01/METADATA.XML".into(), metadata.into_bytes()),
        ("IHE_XDM/SUBSET01/DOC00001.XML".into(), subset.files[0].to_vec()),
        ("IHE_XDM/SUBSET01/DOC00002.TXT".into(), subset.files[1].to_vec()),
    ]
}

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn replace(bytes: &[u8], what: &[u8], by: &[u8]) -> Vec<u8> {
    assert_eq!(what.len(), by.len());
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(found) = out[at..].windows(what.len()).position(|w| w == what) {
        out[at + found..at + found + what.len()].copy_from_slice(by);
        at += found + what.len();
    }
    assert_ne!(out, bytes);
    out
}

#[test]
fn what_senders_do_is_tolerated() {
    type Spell = fn(&mut Files);
    let renamed = |from: &'static str, to: &'static str| {
        move |files: &mut Files| files.iter_mut().for_each(|(name, _)| *name = name.replace(from, to))
    };
    let lower: Spell = |files| files.iter_mut().for_each(|(name, _)| *name = name.to_lowercase());
    let backslash: Spell = |files| files.iter_mut().for_each(|(name, _)| *name = name.replace('/', "\\"));
    let no_index: Spell = |files| drop(files.drain(..2));
    let extra: Spell = |files| files.push(("IHE_XDM/SUBSET01/SIGN.BIN".into(), vec![0; 10]));
    let direct: Spell = |files| files.iter_mut().for_each(|(name, _)| *name = name.replace("SUBSET01/", ""));
    let cases: [(&str, Files, usize); 7] = [
        ("another folder", spelled(renamed("SUBSET01", "SS000001")), 0),
        ("lower case", spelled(lower), 0),
        ("backslashes", spelled(backslash), 0),
        ("no INDEX, no README", spelled(no_index), 2),
        ("an extra file", spelled(extra), 0),
        ("METADATA directly in IHE_XDM", spelled(direct), 1),
        ("one folder too many", spelled(renamed("IHE_XDM/", "MAIL/IHE_XDM/")), 1),
    ];
    for (name, files, warnings) in cases {
        let archive = read(&zip(&files)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(archive.subsets[0].files.len(), 2, "{name}");
        let of_the_archive = archive.warnings.iter().filter(|f| f.rule.point != "formatCode");
        assert_eq!(of_the_archive.count(), warnings, "{name}: {:?}", archive.warnings);
    }
}

fn spelled(spell: impl FnOnce(&mut Files)) -> Files {
    let mut files = good_files();
    spell(&mut files);
    files
}

#[test]
fn several_lots_come_in_the_order_of_the_archive() {
    let mut files = good_files();
    for (name, bytes) in good_files().into_iter().skip(2) {
        files.push((name.replace("SUBSET01", "SUBSET02"), bytes));
    }
    let archive = read(&zip(&files)).unwrap();
    let folders: Vec<_> = archive.subsets.iter().map(|subset| subset.folder.as_str()).collect();
    assert_eq!(folders, ["IHE_XDM/SUBSET01", "IHE_XDM/SUBSET02"]);
    assert_eq!(archive.mail_facts().cda_codes, ["11488-4", "11488-4"]);
}

fn with_submission(spoil: impl FnOnce(&mut Submission)) -> Vec<u8> {
    let archive = read(&xdm::write(&outgoing()).unwrap()).unwrap();
    let mut submission = archive.subsets[0].submission.clone();
    spoil(&mut submission);
    let mut files = good_files();
    files[2].1 = write_submission(&submission).into_bytes();
    zip(&files)
}

#[test]
fn hostile_and_lying_archives_are_refused_by_rule() {
    let named = |name: &str| {
        let mut files = good_files();
        files.push((name.into(), b"x".to_vec()));
        zip(&files)
    };
    let doctype = spelled(|files| files[2].1 = b"<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>".to_vec());
    let encrypted = {
        let mut bytes = zip(&good_files());
        let central = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        bytes[central + 8] |= 1;
        bytes
    };
    let linked = {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        zip.add_symlink("IHE_XDM/L", "/etc/passwd", SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap().into_inner()
    };
    let damaged = {
        let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in good_files() {
            zip.start_file(name, stored).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        replace(&zip.finish().unwrap().into_inner(), b"SubmitObjectsRequest", b"SubmitObjectsrequest")
    };
    let good = zip(&good_files());
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("not a ZIP", b"%PDF-1.4".to_vec(), "archive ZIP"),
        ("empty", Vec::new(), "archive ZIP"),
        ("cut", good[..good.len() / 2].to_vec(), "archive ZIP"),
        ("leaves by ..", named("../../etc/passwd"), "noms de fichiers"),
        ("leaves by ..\\", named("IHE_XDM\\..\\..\\x"), "noms de fichiers"),
        ("absolute", named("/etc/passwd"), "noms de fichiers"),
        ("drive", named("C:\\x"), "noms de fichiers"),
        ("twice by case", named("Index.htm"), "noms en double"),
        ("twice", replace(&named("INDEX.HTX"), b"INDEX.HTX", b"INDEX.HTM"), "noms en double"),
        ("encrypted", encrypted, "fichiers simples"),
        ("a link", linked, "fichiers simples"),
        ("damaged", damaged, "fichiers"),
        ("DOCTYPE", zip(&doctype), "no DTD"),
        ("size lies", with_submission(|s| s.entries[0].size = Some(1)), "size"),
        ("hash lies", with_submission(|s| s.entries[0].hash = Some("0".repeat(40))), "hash"),
        ("file missing", with_submission(|s| s.entries[0].uri = Some("DOC9.XML".into())), "fichiers"),
        ("no URI", with_submission(|s| s.entries[0].uri = None), "URI"),
        ("URI leaves", with_submission(|s| s.entries[0].uri = Some("../../x".into())), "URI"),
        (
            "another patient inside",
            with_submission(|s| s.entries[1].patient_id = Cx::local("9", "1.2.3")),
            "XDSPatientIdDoesNotMatch",
        ),
    ];
    for (name, bytes, point) in cases {
        let refused = read(&bytes).expect_err(name);
        let points: Vec<_> = refused.errors().map(|f| format!("{} {}", f.rule.text, f.rule.point)).collect();
        assert!(points.iter().any(|p| p.contains(point)), "{name}: {points:?}");
    }
}

#[test]
fn bombs_are_not_unpacked() {
    let bomb = |megabytes: usize| {
        let mut files = good_files();
        files[3].1 = vec![b' '; megabytes << 20];
        zip(&files)
    };
    let many = {
        let mut files = good_files();
        files.extend((0..20).map(|n| (format!("F{n}"), Vec::new())));
        zip(&files)
    };
    let small = Limits { file_bytes: 1 << 20, ..Limits::default() };
    let total = Limits { total_bytes: 2 << 20, ..Limits::default() };
    let few = Limits { entries: 20, ..Limits::default() };
    for (name, bytes, limits) in [
        ("by ratio", bomb(16), Limits::default()),
        ("by size", bomb(2), small),
        ("by total", bomb(3), total),
        ("by number", many, few),
    ] {
        let refused = xdm::read(&bytes, &limits).expect_err(name);
        let points: Vec<_> = refused.errors().map(|f| f.rule.point.as_ref()).collect();
        assert!(matches!(points.as_slice(), ["fichiers" | "nombre de fichiers"]), "{name}: {points:?}");
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
        let _ = read(&bytes);
    }

    #[test]
    fn one_changed_byte_never_gives_other_documents(at in 0usize..4000, by in 1u8..255) {
        let mut bytes = xdm::write(&outgoing()).unwrap().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= by;
        if let Ok(archive) = read(&bytes) {
            for subset in archive.subsets {
                proptest::prop_assert_eq!(&subset.files[0][..], MINIMAL.as_bytes());
            }
        }
    }
}

fn validated(bytes: &[u8]) -> xdm::Validated {
    xdm::validate(bytes, &Limits::default(), None)
}

#[test]
fn what_we_write_is_valid_and_its_document_is_judged() {
    let validated = validated(&xdm::write(&outgoing()).unwrap());
    assert!(validated.is_valid(), "{:?}", validated.findings);
    let odd: Vec<_> = validated.findings.iter().filter(|f| f.rule.point != "formatCode").collect();
    assert_eq!(odd, Vec::<&socle_cda::Finding>::new());
    let [member] = validated.documents.as_slice() else { panic!("one CDA") };
    assert_eq!(member.path, "IHE_XDM/SUBSET01/DOC00001.XML");
    assert!(member.report.claim.as_ref().unwrap().level == Some(1));
    assert!(member.report.not_checked().count() == 1, "no package is installed");
}

#[test]
fn metadata_that_do_not_say_what_the_document_says_are_found() {
    use socle_cda::Severity::{Error, Information, Warning};
    let other = || socle_cda::Code::new("11490-0", "2.16.840.1.113883.6.1", "autre");
    type Spoil = fn(&mut DocumentEntry, socle_cda::Code);
    let cases: [(&str, Spoil, socle_cda::Severity); 9] = [
        ("uniqueId", |e, _| e.unique_id = "1.2.3".into(), Error),
        ("typeCode", |e, code| e.type_code = code, Error),
        ("classCode", |e, code| e.class_code = code, Error),
        ("title", |e, _| e.title = Some("autre".into()), Warning),
        ("languageCode", |e, _| e.language = "en-US".into(), Warning),
        ("creationTime", |e, _| e.creation_time = "20200101".parse().unwrap(), Warning),
        ("practiceSettingCode", |e, code| e.practice_setting = code, Warning),
        ("author", |e, _| e.authors.push(e.authors[0].clone()), Warning),
        ("repositoryUniqueId", |e, _| e.repository_id = Some("1.2.3".into()), Information),
    ];
    for (attribute, spoil, severity) in cases {
        let bytes = with_submission(|submission| spoil(&mut submission.entries[0], other()));
        let validated = validated(&bytes);
        let it = validated.findings.iter().find(|f| f.rule.point == attribute && f.severity == severity);
        assert!(it.is_some_and(|f| f.at.path.contains("DocumentEntry[1]")), "{attribute}: {:?}", validated.findings);
        assert_eq!(validated.is_valid(), severity != Error, "{attribute}");
    }
}

#[test]
fn the_layout_and_the_page_for_people_are_judged() {
    type Spoil = fn(&mut Files);
    let spoiled = |spoil: Spoil| {
        let mut files = good_files();
        spoil(&mut files);
        zip(&files)
    };
    let cases: [(&str, Spoil); 5] = [
        ("noms ISO 9660", |files| files.push(("IHE_XDM/SUBSET01/un nom long.xml".into(), b"x".to_vec()))),
        ("fichiers décrits", |files| files.push(("IHE_XDM/SUBSET01/EXTRA.TXT".into(), b"x".to_vec()))),
        ("INDEX.HTM, page simple", |files| files[0].1 = b"<script>alert(1)</script>".to_vec()),
        ("INDEX.HTM, liens", |files| files[0].1 = b"<a href=\"https://evil.example/\">x</a>".to_vec()),
        ("INDEX.HTM, liens", |files| files[0].1 = b"<a href='IHE_XDM/SUBSET01/NULLE.XML'>x</a>".to_vec()),
    ];
    for (point, spoil) in cases {
        let validated = validated(&spoiled(spoil));
        assert!(validated.findings.iter().any(|f| f.rule.point.contains(point)), "{point}: {:?}", validated.findings);
        assert!(validated.is_valid(), "{point} stops nobody");
    }
}

#[test]
fn an_archive_that_may_not_be_used_is_not_valid_and_a_bad_document_neither() {
    for bytes in [b"PK".to_vec(), Vec::new(), with_submission(|s| s.entries[0].size = Some(1))] {
        assert!(!validated(&bytes).is_valid());
    }
    let mut sent = outgoing();
    let bad = MINIMAL.replace("code=\"SA07\"", "kode=\"SA07\"");
    sent.documents[0].1 = Bytes::from(bad.into_bytes());
    let judged = validated(&xdm::write(&sent).unwrap());
    assert!(!judged.is_valid() && !judged.documents[0].report.is_valid());
    assert!(judged.findings.iter().any(|f| f.message.en.contains("not compared")), "{:?}", judged.findings);
}
