//! The catalogue that comes with the program, and catalogues with one thing broken.
#![allow(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use socle_doctrine::catalogue::{Catalogue, Change, EditionDiff, Grade, Tables};

/// Acceptance test 1: load the catalogue.
#[test]
fn acceptance_01_the_catalogue_loads_whole() {
    let tables = Tables::embedded();
    let catalogue = Catalogue::read(&tables).unwrap();
    // No cell of requirements.csv holds a line break, so that lines are rows.
    assert_eq!(catalogue.requirements.len() + 1, tables.get("requirements.csv").unwrap().lines().count());
    assert_eq!(catalogue.requirements.len(), 233);
    let mut ids: Vec<_> = catalogue.requirements.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 233);
    for one in &catalogue.requirements {
        assert!(!one.text.fr.is_empty() && !one.text.en.is_empty(), "{}", one.id);
        assert!(one.reference.as_str().starts_with("http"), "{}", one.id);
    }
    let count = |grade| catalogue.requirements.iter().filter(|one| one.grade == grade).count();
    assert_eq!((count(Grade::A), count(Grade::B), count(Grade::C)), (181, 47, 5));
    assert_eq!((catalogue.corridors.len(), catalogue.programmes.len(), catalogue.windows.len()), (15, 24, 76));
    assert_eq!((catalogue.milestones.len(), catalogue.fiches.len(), catalogue.sources.len()), (68, 23, 179));
    assert_eq!(catalogue.sha256.len(), 64);
}

/// Replaces a text that must be there, once.
fn broken(file: &str, from: &str, to: &str) -> Tables {
    let mut tables = Tables::embedded();
    let text = tables.get(file).unwrap().to_owned();
    assert!(text.contains(from), "{from} is not in {file}");
    tables.set(file, text.replacen(from, to, 1));
    tables
}

#[test]
fn one_thing_broken_is_named_with_file_row_and_column() {
    let cases = [
        (
            "an id twice",
            "requirements.csv",
            "\nDOC-INTEROP-02,",
            "\nDOC-INTEROP-01,",
            "row 3, column id: `DOC-INTEROP-01` is in row 2 already",
        ),
        ("an id of another form", "requirements.csv", "\nDOC-INTEROP-02,", "\nDOC-interop-2,", "row 3, column id"),
        (
            "a relative address",
            "requirements.csv",
            "https://esante.gouv.fr/doctrine/interoperabilite,document+attestation",
            "/doctrine,document+attestation",
            "row 2, column reference",
        ),
        (
            "no English",
            "requirements.csv",
            "\"For every exchange between systems, use the CI-SIS specification (business, service, transport layer) covering the use case instead of a proprietary format.\"",
            "",
            "row 2, column requirement_en: empty cell",
        ),
        (
            "unknown kind",
            "requirements.csv",
            ",ANY,obligatoire,en vigueur,,CSP L.1470-5 ; L.1110-4-1",
            ",ANYONE,obligatoire,en vigueur,,CSP L.1470-5 ; L.1110-4-1",
            "row 2, column applies_to: `ANYONE`",
        ),
        (
            "unknown level",
            "requirements.csv",
            ",ANY,obligatoire,en vigueur,,CSP L.1470-5 ; L.1110-4-1",
            ",ANY,forcé,en vigueur,,CSP L.1470-5 ; L.1110-4-1",
            "row 2, column level: `forcé`",
        ),
        (
            "a day that does not exist",
            "requirements.csv",
            ",ANY,obligatoire,en vigueur,,CSP L.1470-5 ; L.1110-4-1",
            ",ANY,obligatoire,2026-02-30,,CSP L.1470-5 ; L.1110-4-1",
            "row 2, column date: `2026-02-30`",
        ),
        (
            "unknown method",
            "requirements.csv",
            ",document+attestation,Inventory",
            ",document+magic,Inventory",
            "row 2, column automatable: `magic`",
        ),
        ("unknown grade", "requirements.csv", "on samples.,A\n", "on samples.,D\n", "row 2, column source_grade: `D`"),
        ("a condition without meaning", "conditions.csv", "\nPECAN,", "\nPECAM,", "`PECAN` is not in conditions.csv"),
        ("a fact that nobody asks", "facts.csv", "\ncra_scope,", "\ncra,", "`cra_scope` is not in facts.csv"),
        (
            "a window of no scheme",
            "windows.csv",
            "\nHOP-PFI,2,avance",
            "\nHOP-NIL,2,avance",
            "`HOP-NIL` is not in programmes.csv, dispositifs.csv",
        ),
        (
            "a programme that asks what is not there",
            "programmes.csv",
            ",DOC-FUND-01,",
            ",DOC-FUND-99,",
            "`DOC-FUND-99` is not in requirements.csv",
        ),
        ("status of a milestone", "milestones.csv", ",A,annoncé", ",A,promis", "column status: `promis`"),
        ("edition without a day", "edition.csv", "2026-11-22", "bientôt", "edition.csv, row 2, column read_on"),
    ];
    for (name, file, from, to, said) in cases {
        let error = Catalogue::read(&broken(file, from, to)).unwrap_err();
        let all: Vec<_> = error.0.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|problem| problem.contains(said)), "{name}: {all:#?}");
        assert!(error.0.iter().all(|problem| !problem.mend.fr.is_empty() && !problem.mend.en.is_empty()), "{name}");
    }
}

#[test]
fn all_problems_are_listed_not_the_first() {
    let mut tables = broken("requirements.csv", ",A\n", ",D\n");
    tables.set("facts.csv", "fact\n");
    let error = Catalogue::read(&tables).unwrap_err();
    let files: Vec<_> = error.0.iter().map(|problem| problem.file.as_str()).collect();
    assert_eq!(files, ["requirements.csv", "facts.csv"]);
}

#[test]
fn a_missing_table_is_named() {
    let error = Catalogue::read(&Tables::default()).unwrap_err();
    assert_eq!(error.0.len(), 10);
    assert_eq!(error.0[1].to_string(), "requirements.csv: the table is missing (add requirements.csv)");
}

#[test]
fn the_hash_changes_with_any_byte_and_with_nothing_else() {
    let tables = Tables::embedded();
    assert_eq!(tables.sha256(), Tables::embedded().sha256());
    assert_ne!(tables.sha256(), broken("sources.csv", "Note AD'OCC", "Note AD OCC").sha256());
}

#[test]
fn two_editions_are_compared_by_requirement_and_column() {
    let before = Catalogue::embedded().unwrap();
    let mut tables = broken("requirements.csv", ",EDITOR,obligatoire,depuis 2024,", ",EDITOR,recommandé,2027,");
    let text = tables.get("requirements.csv").unwrap().replacen("DOC-INTEROP-01,", "DOC-INTEROP-99,", 1);
    tables.set("requirements.csv", text);
    let after = Catalogue::read(&tables).unwrap();
    let diff: Vec<_> =
        EditionDiff::between(&before, &after).0.into_iter().map(|(id, change)| (id.to_string(), change)).collect();
    assert_eq!(
        diff,
        [
            ("DOC-INTEROP-01".to_owned(), Change::Retired),
            ("DOC-INTEROP-03".to_owned(), Change::Changed(vec!["level", "date"])),
            ("DOC-INTEROP-99".to_owned(), Change::Added),
        ]
    );
    assert!(EditionDiff::between(&before, &before).0.is_empty());
}
