//! Packages of official rules: installed from folder and archive, listed, removed, kept compiled; hostile archives.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops where it cannot go on")]

mod fixtures;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use socle_finding::Severity;
use socle_xml::library::{COMMON, Family, LayerOutcome, LibraryError, Shelf, Which, recognise};
use zip::write::SimpleFileOptions;

const SCHEMA: &str = r#"<schema xmlns="http://purl.oclc.org/dsdl/schematron"><pattern id="p"><rule context="/a">
    <assert test="b">[p] b manque</assert>
    <assert test="document('../jeuxDeValeurs/v.xml')//v[@c=current()/@c]">[p] code inconnu</assert>
    </rule></pattern></schema>"#;

/// Names and contents.
type Files<'f> = &'f [(&'f str, &'f [u8])];

fn archive(path: &Path, files: Files<'_>) {
    let mut zip = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn messages(shelf: &Shelf, document: &str) -> Vec<String> {
    let library = shelf.newest(None).unwrap().unwrap();
    let report = library.check(document.as_bytes(), Which::Named(&["CI-SIS_A_2024.01"]));
    let mut all = Vec::new();
    for layer in &report.layers {
        match &layer.outcome {
            LayerOutcome::Checked(findings) => {
                all.extend(findings.iter().map(|finding| format!("{:?} {}", finding.severity, finding.message.fr)));
            }
            LayerOutcome::NotChecked(why) => all.push(format!("not checked: {}", why.fr)),
        }
    }
    all
}

#[test]
fn a_package_is_installed_listed_used_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let zip = folder.path().join("bed.zip");
    let files: [(&str, &[u8]); 4] = [
        ("repo-main/schematrons/CI-SIS_A_2024.01.sch", SCHEMA.as_bytes()),
        ("repo-main/jeuxDeValeurs/v.xml", br#"<vs><v c="1"/></vs>"#),
        ("repo-main/moteur/run.bat", b"format c:"),
        ("repo-main/ExemplesCDA/a.xml", b"<a/>"),
    ];
    archive(&zip, &files);
    assert!(recognise(&zip).unwrap());
    let shelf = Shelf::new(folder.path().join("shelf"));
    assert_eq!(shelf.list().unwrap(), []);
    assert!(shelf.newest(None).unwrap().is_none());
    let package = shelf.add(&zip).unwrap();
    assert_eq!(package.volets, ["CI-SIS_A_2024.01"]);
    assert_eq!((package.files, package.value_sets, package.schema, package.family), (2, 1, false, Family::Segur));
    assert!(package.edition.contains("2024.01") && package.edition.contains(&package.id), "{}", package.edition);
    assert_eq!(shelf.add(&zip).unwrap(), package, "the same files again are the same package");
    assert_eq!(shelf.list().unwrap(), std::slice::from_ref(&package));

    let no_schema = "not checked: le paquet installé ne contient pas le schéma XML";
    assert_eq!(messages(&shelf, "<a c='1'><b/></a>"), [no_schema]);
    assert_eq!(messages(&shelf, "<a c='2'/>"), [no_schema, "Error [p] b manque", "Error [p] code inconnu"]);
    assert_eq!(messages(&shelf, "<a").len(), 1);

    assert!(matches!(shelf.remove("zzz"), Err(LibraryError::Unknown { .. })));
    assert!(matches!(shelf.remove(""), Err(LibraryError::Unknown { .. })));
    shelf.remove(&package.id[..4]).unwrap();
    assert_eq!(shelf.list().unwrap(), []);
    assert_eq!(fs::read_dir(folder.path().join("shelf")).unwrap().count(), 0);
}

#[test]
fn what_is_no_test_bed_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("evil.sch");
    let slip: [(&str, &[u8]); 3] = [
        ("schematrons/CI-SIS_A_2024.01.sch", SCHEMA.as_bytes()),
        ("schematrons/../../evil.sch", b"x"),
        ("/schematrons/evil.sch", b"x"),
    ];
    let bomb = vec![b' '; (64 << 20) + 1];
    let cases: [(&str, Files<'_>, bool); 4] = [
        ("nothing of interest", &[("readme.md", b"x")], false),
        ("schematrons of something else", &[("schematrons/other.sch", b"x")], false),
        ("names that lead outside", &slip, true),
        ("a file that swells", &[("schematrons/CI-SIS_A_2024.01.sch", &bomb)], false),
    ];
    for (name, files, installed) in cases {
        let zip = folder.path().join("bed.zip");
        archive(&zip, files);
        let shelf = Shelf::new(folder.path().join("shelf"));
        assert_eq!(shelf.add(&zip).is_ok(), installed, "{name}");
        assert_eq!(shelf.list().unwrap().len(), usize::from(installed), "{name}");
        assert!(!outside.exists() && !folder.path().join("shelf/evil.sch").exists(), "{name}");
        shelf.list().unwrap().iter().for_each(|package| drop(shelf.remove(&package.id).unwrap()));
        let left = fs::read_dir(folder.path().join("shelf")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "{name}: nothing is left behind");
    }
    fs::write(folder.path().join("not.zip"), b"PK").unwrap();
    assert!(recognise(&folder.path().join("not.zip")).is_err());
}

#[test]
fn the_compiled_form_says_the_same_and_damage_is_seen() {
    let test = "the_compiled_form_says_the_same_and_damage_is_seen";
    let Some(shared) = fixtures::shared(test) else { return };
    let bed = shared.join("data/documents/cda/testbed");
    let folder = tempfile::tempdir().unwrap();
    let shelf = Shelf::new(folder.path());
    let package = shelf.add(&bed).unwrap();
    assert_eq!(package.common, COMMON);
    assert!(package.volets.len() >= 60 && package.schema && package.value_sets > 500, "{package:?}");

    let which = Which::Volet("CI-SIS_AVC-AUNV_2022.01");
    let document = fs::read(shared.join("data/documents/cda/examples/AVC-AUNV_2022.01.xml")).unwrap();
    let compiled = shelf.open(package.clone()).unwrap().check(&document, which);
    assert_eq!(compiled.layers.len(), 7);
    assert!(compiled.layers.iter().all(|layer| matches!(layer.outcome, LayerOutcome::Checked(_))));
    assert!(compiled.findings().any(|finding| finding.message.fr.contains("Mydriase")));
    let errors = compiled.findings().filter(|finding| finding.severity == Severity::Error).count();
    assert_eq!(errors, 1);
    let kept = shelf.open(package.clone()).unwrap().check(&document, which);
    assert_eq!(kept, compiled, "from the compiled form");

    // One byte of each compiled file changed, then files cut short: compiled again, same report.
    let folder = folder.path().join(&package.id).join("compiled");
    for damage in [|bytes: &mut Vec<u8>| bytes[40] ^= 1, |bytes: &mut Vec<u8>| bytes.truncate(20), Vec::clear] {
        let mut damaged = 0;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mut bytes = fs::read(&path).unwrap();
            damage(&mut bytes);
            fs::write(&path, bytes).unwrap();
            damaged += 1;
        }
        assert_eq!(damaged, 6);
        assert_eq!(shelf.open(package.clone()).unwrap().check(&document, which), compiled);
    }

    let dmp = shelf.open(package).unwrap().check(&document, Which::DmpHomologation);
    let names: Vec<&str> = dmp.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["CDA_extended.xsd", "ASIP-STRUCT-MIN-StrucMin"]);
    assert!(dmp.is_valid());
}
