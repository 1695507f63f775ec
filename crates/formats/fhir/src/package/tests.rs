use std::io::Write as _;
use std::slice;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::definitions::Definitions as _;

/// A tar entry, as `npm pack` writes it.
fn entry(kind: u8, path: &str, content: &[u8], size: Option<u64>) -> Vec<u8> {
    let mut header = [0; 512];
    header[..path.len()].copy_from_slice(path.as_bytes());
    header[100..107].copy_from_slice(b"0000644");
    header[124..135].copy_from_slice(format!("{:011o}", size.unwrap_or(content.len() as u64)).as_bytes());
    header[156] = kind;
    header[257..263].copy_from_slice(b"ustar\0");
    header[148..156].fill(b' ');
    let sum: u64 = header.iter().map(|byte| u64::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    let mut out = header.to_vec();
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = files.iter().flat_map(|(path, text)| entry(b'0', path, text.as_bytes(), None)).collect::<Vec<_>>();
    tar.resize(tar.len() + 1024, 0);
    gzip(&tar)
}

fn manifest(name: &str, version: &str, needs: &[(&str, &str)]) -> String {
    let needs: Vec<_> = needs.iter().map(|(name, version)| format!("\"{name}\":\"{version}\"")).collect();
    format!(
        r#"{{"name":"{name}","version":"{version}","fhirVersions":["4.0.1"],"dependencies":{{{}}}}}"#,
        needs.join(",")
    )
}

fn value_set(url: &str, version: &str, title: &str) -> String {
    format!(r#"{{"resourceType":"ValueSet","id":"v","url":"{url}","version":"{version}","title":"{title}"}}"#)
}

fn package(name: &str, version: &str, needs: &[(&str, &str)], resources: &[String]) -> Arc<Package> {
    let manifest = manifest(name, version, needs);
    let names: Vec<String> = (0..resources.len()).map(|n| format!("package/ValueSet-{n}.json")).collect();
    let mut files = vec![("package/package.json", manifest.as_str())];
    files.extend(names.iter().zip(resources).map(|(name, text)| (name.as_str(), text.as_str())));
    Arc::new(Package::from_archive(name, &archive(&files), &Limits::default()).unwrap())
}

fn title(view: &View, canonical: &str) -> Option<String> {
    view.document(Some("ValueSet"), canonical)?.root().text("title").map(str::to_owned)
}

#[test]
fn names_that_could_not_be_a_folder_are_refused() {
    let good = ["hl7.fhir.fr.core#2.1.0", "ans.fhir.fr.annuaire#1.2.0-snapshot-2", "a#current", "a_b-c#1.1.x"];
    for text in good {
        assert_eq!(text.parse::<PackageId>().unwrap().to_string(), text);
    }
    let bad = [
        "", "a", "#1", "a#", "../a#1", "a/b#1", "a\\b#1", "a#../1", "a#1/2", ".a#1", "a#.1", "a b#1", "a#1:2", "a#1.",
        "é#1",
    ];
    for text in bad {
        assert!(text.parse::<PackageId>().is_err(), "{text}");
    }
}

#[test]
fn versions_are_ordered_as_semver_says() {
    let ordered = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0",
        "1.2.0-snapshot-2",
        "1.2.0",
        "1.10.0",
        "2",
    ];
    let ids: Vec<PackageId> = ordered.iter().map(|version| PackageId::new("a", version).unwrap()).collect();
    for (at, id) in ids.iter().enumerate() {
        for (other_at, other) in ids.iter().enumerate() {
            assert_eq!(id.by_version(other), at.cmp(&other_at), "{id} and {other}");
        }
    }
    let wanted = |version| PackageId::new("a", version).unwrap();
    assert!(wanted("1.1.x").admits(&wanted("1.1.4")) && !wanted("1.1.x").admits(&wanted("1.10.0")));
    assert!(wanted("latest").admits(&wanted("3")) && !wanted("1.1.0").admits(&wanted("1.1.1")));
}

#[test]
fn a_hostile_archive_is_refused_as_a_whole() {
    let manifest = manifest("a", "1.0.0", &[]);
    let good = entry(b'0', "package/package.json", manifest.as_bytes(), None);
    let with = |more: Vec<u8>| gzip(&[good.clone(), more].concat());
    let pax =
        |record: &[u8]| [entry(b'x', "pax", record, None), entry(b'0', "package/short.json", b"{}", None)].concat();
    let mut broken_sum = entry(b'0', "package/a.json", b"{}", None);
    broken_sum[0] = b'q';
    type Expected = fn(&PackageErrorKind) -> bool;
    let cases: [(&str, Vec<u8>, Expected); 16] = [
        ("nothing", Vec::new(), |kind| matches!(kind, PackageErrorKind::NoManifest | PackageErrorKind::NotAnArchive)),
        ("no gzip", b"PK\x03\x04".to_vec(), |kind| matches!(kind, PackageErrorKind::NotAnArchive)),
        ("gzip of no tar", gzip(&[7; 2048]), |kind| matches!(kind, PackageErrorKind::NotAnArchive)),
        ("cut gzip", with(vec![]).split_last().unwrap().1[..40].to_vec(), |kind| {
            matches!(kind, PackageErrorKind::NotAnArchive)
        }),
        ("cut tar", gzip(&good[..540]), |kind| matches!(kind, PackageErrorKind::NotAnArchive)),
        ("climbing", with(entry(b'0', "package/../../etc/passwd", b"{}", None)), |kind| {
            matches!(kind, PackageErrorKind::PathEscape)
        }),
        ("absolute", with(entry(b'0', "/etc/passwd", b"{}", None)), |kind| {
            matches!(kind, PackageErrorKind::PathEscape)
        }),
        ("backslash", with(entry(b'0', "package\\..\\a.json", b"{}", None)), |kind| {
            matches!(kind, PackageErrorKind::PathEscape)
        }),
        ("drive", with(entry(b'0', "c:/a.json", b"{}", None)), |kind| matches!(kind, PackageErrorKind::PathEscape)),
        ("climbing by pax", with(pax(b"19 path=../../evil\n")), |kind| matches!(kind, PackageErrorKind::PathEscape)),
        ("symbolic link", with(entry(b'2', "package/a.json", b"", None)), |kind| {
            matches!(kind, PackageErrorKind::NotAFile)
        }),
        ("hard link", with(entry(b'1', "package/a.json", b"", None)), |kind| {
            matches!(kind, PackageErrorKind::NotAFile)
        }),
        ("device", with(entry(b'3', "package/a.json", b"", None)), |kind| matches!(kind, PackageErrorKind::NotAFile)),
        ("twice", with(good.clone()), |kind| matches!(kind, PackageErrorKind::Twice)),
        ("a size that lies", with(entry(b'0', "package/a.json", b"{}", Some(1 << 20))), |kind| {
            matches!(kind, PackageErrorKind::NotAnArchive)
        }),
        ("a wrong sum", with(broken_sum), |kind| matches!(kind, PackageErrorKind::NotAnArchive)),
    ];
    for (case, bytes, expected) in cases {
        let error = Package::from_archive("a.tgz", &bytes, &Limits::default()).unwrap_err();
        assert!(expected(&error.kind), "{case}: {error}");
    }
}

#[test]
fn limits_hold_before_memory_is_taken() {
    let bomb = archive(&[("package/package.json", &manifest("a", "1", &[])), ("package/a.json", &" ".repeat(1 << 20))]);
    assert!(bomb.len() < 16 << 10, "the bomb is small: {}", bomb.len());
    let limits = Limits { archive_bytes: 1 << 20, file_bytes: 2 << 20, total_bytes: 4 << 20, files: 10 };
    assert!(Package::from_archive("a", &bomb, &limits).is_ok());
    let cases = [
        ("archive", Limits { archive_bytes: 100, ..limits }),
        ("file", Limits { file_bytes: 1 << 19, ..limits }),
        ("total", Limits { total_bytes: 1 << 20, ..limits }),
        ("files", Limits { files: 1, ..limits }),
    ];
    for (case, limits) in cases {
        let error = Package::from_archive("a", &bomb, &limits).unwrap_err();
        assert!(matches!(error.kind, PackageErrorKind::TooBig { .. }), "{case}: {error}");
    }
}

#[test]
fn a_manifest_without_what_it_must_say_is_refused_by_the_member() {
    let cases = [
        ("{", "JSON"),
        ("[]", "`name`"),
        (r#"{"name":"a"}"#, "`version`"),
        (r#"{"name":"../a","version":"1"}"#, "the id of a package"),
        (r#"{"name":"a","version":"1","dependencies":[]}"#, "`dependencies`"),
    ];
    for (text, word) in cases {
        let error =
            Package::from_archive("a", &archive(&[("package/package.json", text)]), &Limits::default()).unwrap_err();
        let said = error.to_string();
        assert!(said.contains(word) || matches!(error.kind, PackageErrorKind::Json(_)), "{text}: {said}");
    }
    let none = Package::from_archive("a", &archive(&[("package/a.json", "{}")]), &Limits::default()).unwrap_err();
    assert!(matches!(none.kind, PackageErrorKind::NoManifest));
}

#[test]
fn long_names_and_packages_without_their_folder_are_read() {
    let path = format!("package/{}.json", "x".repeat(150));
    let record = format!("{} path={path}\n", path.len() + 10);
    assert_eq!(record.len(), path.len() + 10);
    let manifest = manifest("a", "1", &[]);
    let text = value_set("u", "1", "long");
    let tar = [
        entry(b'0', "package/package.json", manifest.as_bytes(), None),
        entry(b'x', "pax", record.as_bytes(), None),
        entry(b'0', "package/cut.json", text.as_bytes(), None),
        entry(b'L', "././@LongLink", format!("package/example/{}.json\0", "y".repeat(120)).as_bytes(), None),
        entry(b'0', "package/cut.json", text.as_bytes(), None),
    ];
    let package = Package::from_archive("a", &gzip(&tar.concat()), &Limits::default()).unwrap();
    let paths: Vec<_> = package.entries().iter().map(|entry| (entry.path.len(), entry.is_example)).collect();
    assert_eq!(paths, [("example/.json".len() + 120, true), (".json".len() + 150, false)]);
    let flat =
        Package::from_archive("a", &archive(&[("package.json", &manifest), ("v.json", &text)]), &Limits::default());
    assert_eq!(flat.unwrap().entries().len(), 1);
}

#[test]
fn versions_of_one_package_live_side_by_side() {
    let old = package("core", "1.1.0", &[], &[value_set("u", "1.1.0", "old"), value_set("only-old", "1.1.0", "x")]);
    let new = package("core", "2.2.0", &[], &[value_set("u", "2.2.0", "new")]);
    let sas = package("sas", "1.2.0", &[("core", "1.1.0"), ("hl7.fhir.r4.core", "4.0.1")], &[]);
    let annuaire = package("annuaire", "1.2.0", &[("core", "2.2.0")], &[]);
    let shelf = [old, new];
    let see = |roots: &[Arc<Package>]| View::of(Closure::of(roots, &shelf[..]));
    let (from_sas, from_annuaire) = (see(slice::from_ref(&sas)), see(slice::from_ref(&annuaire)));
    assert_eq!(title(&from_sas, "u").as_deref(), Some("old"));
    assert_eq!(title(&from_annuaire, "u").as_deref(), Some("new"));
    assert_eq!(title(&from_annuaire, "u|1.1.0"), None, "not in its closure");
    assert_eq!(title(&from_annuaire, "only-old"), None);
    assert!(from_sas.problems().is_empty(), "R4 is inside: {:?}", from_sas.problems());
    let both = see(&[annuaire, sas]);
    assert_eq!(title(&both, "u").as_deref(), Some("new"), "the first root's");
    assert_eq!(title(&both, "u|1.1.0").as_deref(), Some("old"));
    assert_eq!(title(&both, "u|1.1").as_deref(), Some("old"), "as publishers shorten it");
    assert_eq!(title(&both, "u|1"), title(&both, "u|1.1"));
    assert_eq!(title(&both, "u|1.1.00"), None);
}

#[test]
fn what_the_user_gives_comes_first() {
    let mut view = View::of(Closure::of(&[package("a", "1", &[], &[value_set("u", "1", "packaged")])], &[][..]));
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"collection","entry":[{{"resource":{}}},{{"fullUrl":"x"}}]}}"#,
        value_set("u", "1", "given")
    );
    view.add(Arc::new(crate::Document::parse(bundle.into_bytes()).unwrap())).unwrap();
    assert_eq!(title(&view, "u|1").as_deref(), Some("given"));
    assert_eq!(title(&view, "u|2"), None);
}

#[test]
fn cycles_and_missing_dependencies_are_told_and_stop_nothing() {
    let a = package("a", "1", &[("b", "1"), ("nowhere", "3.0.0")], &[value_set("a", "1", "of a")]);
    let b = package("b", "1", &[("c", "1")], &[]);
    let c = package("c", "1", &[("b", "1"), ("odd/one", "1")], &[value_set("c", "1", "of c")]);
    let view = View::of(Closure::of(&[a], &[b, c][..]));
    assert_eq!(title(&view, "c").as_deref(), Some("of c"));
    assert_eq!(view.closure().missing().len(), 1);
    assert_eq!(view.closure().cycles().len(), 1);
    let said: Vec<_> = view.problems().into_iter().map(|finding| finding.message.en.into_owned()).collect();
    for word in ["nowhere#3.0.0 is missing", "in a circle", "odd/one"] {
        assert!(said.iter().any(|line| line.contains(word)), "{word}: {said:?}");
    }
}

#[test]
fn a_file_that_is_no_resource_is_told() {
    let manifest = manifest("a", "1", &[]);
    let files = [
        ("package/package.json", manifest.as_str()),
        ("package/bad.json", "{\"resourceType\":"),
        ("package/other.json", "{}"),
    ];
    let package = Arc::new(Package::from_archive("a", &archive(&files), &Limits::default()).unwrap());
    assert_eq!(package.unread().map(|(path, _)| path).collect::<Vec<_>>(), ["bad.json"]);
    assert!(package.entries().is_empty());
    let view = View::of(Closure::of(&[package], &[][..]));
    assert!(view.problems()[0].at.path.contains("bad.json"));
}

#[test]
fn the_cache_keeps_finds_checks_and_removes() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path().join("packages"));
    assert!(cache.list().unwrap().is_empty(), "no folder is an empty one");
    let one = package("a", "1.0.0", &[], &[value_set("u", "1", "one")]);
    let added = cache.add(&one).unwrap();
    assert!(!added.was_there && cache.add(&one).unwrap().was_there);
    let other = package("a", "1.0.0", &[], &[value_set("u", "1", "other")]);
    assert!(matches!(cache.add(&other).unwrap_err().kind, PackageErrorKind::Differs { .. }));
    cache.add(&package("a", "1.0.10", &[], &[])).unwrap();
    cache.add(&package("a", "1.0.9", &[], &[])).unwrap();
    let newest = cache.take(&"a#1.0.x".parse().unwrap()).unwrap().unwrap();
    assert_eq!(newest.id().version(), "1.0.10");
    assert!(cache.take(&"a#7".parse().unwrap()).unwrap().is_none());

    let kept = cache.open(one.id()).unwrap();
    assert_eq!((kept.entries(), kept.archive_sha256()), (one.entries(), one.archive_sha256()));
    assert!(added.folder.join(index::FILE).is_file());
    assert!(cache.check(one.id()).unwrap().is_empty());

    // Somebody changes a file in place: it is seen when it is used.
    std::fs::write(added.folder.join("package/ValueSet-0.json"), value_set("u", "1", "evil")).unwrap();
    let view = View::of(Closure::of(&[cache.open(one.id()).unwrap()], &cache));
    assert_eq!(title(&view, "u"), None);
    assert!(view.problems()[0].message.en.contains("has changed"), "{:?}", view.problems());
    assert_eq!(cache.check(one.id()).unwrap().len(), 1);

    cache.remove(one.id()).unwrap();
    assert!(matches!(cache.open(one.id()).unwrap_err().kind, PackageErrorKind::Unknown));
    assert!(matches!(cache.remove(one.id()).unwrap_err().kind, PackageErrorKind::Unknown));
}

#[test]
fn what_another_tool_put_in_the_cache_is_used_and_what_is_broken_there_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let inner = folder.path().join("b#2/package");
    std::fs::create_dir_all(inner.join("example")).unwrap();
    std::fs::write(inner.join("package.json"), manifest("b", "2", &[])).unwrap();
    std::fs::write(inner.join("v.json"), value_set("u", "1", "there")).unwrap();
    std::fs::write(inner.join("example/e.json"), value_set("example", "1", "there")).unwrap();
    std::fs::create_dir_all(folder.path().join("c#1")).unwrap();
    std::fs::create_dir_all(folder.path().join("not-a-package")).unwrap();
    let kept = cache.list().unwrap();
    assert_eq!(kept.len(), 2);
    assert!(matches!(kept[1].package.as_ref().unwrap_err().kind, PackageErrorKind::NoManifest));
    let view = View::of(Closure::of(&[cache.open(&"b#2".parse().unwrap()).unwrap()], &cache));
    assert_eq!(title(&view, "u").as_deref(), Some("there"));
    assert_eq!(title(&view, "example"), None, "an example defines nothing");
    assert_eq!(view.packages()[0].entries().len(), 2);
    // The index follows the folder.
    std::fs::write(inner.join("w.json"), value_set("w", "1", "later")).unwrap();
    let view = View::of(Closure::of(&[cache.open(&"b#2".parse().unwrap()).unwrap()], &cache));
    assert_eq!(title(&view, "w").as_deref(), Some("later"));
    // A broken index is made again.
    std::fs::write(folder.path().join("b#2").join(index::FILE), "{").unwrap();
    assert_eq!(cache.open(&"b#2".parse().unwrap()).unwrap().entries().len(), 3);
}

#[cfg(unix)]
#[test]
fn a_link_in_a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("package.json"), manifest("a", "1", &[])).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.path().join("a.json")).unwrap();
    let error = Package::from_folder(folder.path(), &Limits::default()).unwrap_err();
    assert!(matches!(error.kind, PackageErrorKind::NotAFile), "{error}");
}

fn profile(url: &str, base: &str, element: &str) -> String {
    format!(
        r#"{{"resourceType":"StructureDefinition","id":"p","url":"{url}","name":"P","kind":"resource","abstract":false,
            "type":"Patient","baseDefinition":"{base}","derivation":"constraint","differential":{{"element":[{element}]}}}}"#
    )
}

#[test]
fn structures_get_their_snapshot_from_their_own_closure_and_cycles_are_told() {
    let resources = [
        profile("http://a/1", "http://a/2", r#"{"path":"Patient.name","min":1}"#),
        profile(
            "http://a/2",
            "http://hl7.org/fhir/StructureDefinition/Patient|4.0.1",
            r#"{"path":"Patient.gender","min":1}"#,
        ),
        profile("http://a/3", "http://a/4", ""),
        profile("http://a/4", "http://a/3", ""),
        profile("http://a/5", "http://a/none", ""),
        profile("http://a/6", "http://a/2", r#"{"path":"Patient.nom","min":1}"#),
        r#"{"resourceType":"StructureDefinition","url":"http://a/7"}"#.to_owned(),
    ];
    let view = View::of(Closure::of(&[package("a", "1", &[], &resources)], &[][..]));
    let made = view.structure("http://a/1").unwrap();
    let min = |path: &str| made.elements.iter().find(|element| &*element.path == path).unwrap().min;
    assert_eq!((min("Patient.name"), min("Patient.gender"), min("Patient.active")), (Some(1), Some(1), Some(0)));
    assert!(Arc::ptr_eq(&made, &view.structure("http://a/1").unwrap()), "made once");
    assert!(view.problems().is_empty());
    for broken in ["http://a/3", "http://a/4", "http://a/5", "http://a/7", "http://a/8"] {
        assert!(view.structure(broken).is_none(), "{broken}");
    }
    assert!(view.structure("http://a/6").is_some(), "what contradicts its base still holds elsewhere");
    assert!(view.structure("http://hl7.org/fhir/StructureDefinition/Patient").is_some(), "R4 is always there");
    assert!(view.resource("ValueSet", "http://hl7.org/fhir/ValueSet/administrative-gender").is_some());
    let said: Vec<_> = view.problems().into_iter().map(|finding| (finding.at.path, finding.message.en)).collect();
    for (at, word) in [
        ("http://a/3", "depends on"),
        ("http://a/5", "http://a/none"),
        ("http://a/6#", "does not exist"),
        ("http://a/7", "cannot be read"),
    ] {
        assert!(
            said.iter().any(|(path, message)| path.starts_with(at) && message.contains(word)),
            "{at} {word}: {said:?}"
        );
    }
}
