//! `socle package`: FHIR packages, kept where the whole ecosystem keeps them.
//!
//! The test bed of the CI-SIS, which holds the official rules for CDA, is kept beside them
//! (`test_bed.rs`).
//!
//! A package comes from a file, a folder or, when the user names `id#version`, from a registry
//! (`registry.rs`); nothing else ever goes to the network.

mod registry;
mod test_bed;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use socle_fhir::package::{self, Added, Cache, Closure, Limits, Package, PackageError, PackageId};
use socle_xml::library::Shelf;

use crate::cli::{AddPackage, Format, ListPackages, PackageAction, PackageCommand, RemovePackage};
use crate::say::Speaker;
use crate::trouble::Trouble;
use registry::Registry;
pub(crate) use test_bed::test_beds;

pub(crate) async fn run(options: &PackageCommand, speaker: &Speaker) -> Result<ExitCode> {
    let kept =
        Kept { cache: cache_of(options.packages.as_deref())?, test_beds: test_beds(options.packages.as_deref())? };
    match &options.action {
        PackageAction::Add(options) => add(&kept, options, speaker).await,
        PackageAction::List(options) => list(&kept, options, speaker),
        PackageAction::Remove(options) => remove(&kept, options, speaker),
    }
}

/// What is kept on this machine.
struct Kept {
    cache: Cache,
    test_beds: Shelf,
}

/// The folder of packages: the one named, else the one that the ecosystem shares.
pub(crate) fn cache_of(folder: Option<&Path>) -> Result<Cache, PackageError> {
    folder.map_or_else(Cache::shared, |folder| Ok(Cache::at(folder)))
}

async fn add(kept: &Kept, options: &AddPackage, speaker: &Speaker) -> Result<ExitCode> {
    let mut worst = ExitCode::SUCCESS;
    for source in &options.sources {
        if let Err(error) = add_one(kept, source, options, speaker).await {
            speaker.trouble(None, &error);
            worst = ExitCode::from(2);
        }
    }
    Ok(worst)
}

async fn add_one(kept: &Kept, source: &str, options: &AddPackage, speaker: &Speaker) -> Result<()> {
    if test_bed::is_one(Path::new(source)) {
        let package = kept.test_beds.add(Path::new(source))?;
        test_bed::tell("✓", speaker.pick("ajouté ", "added "), &package, options.format, speaker);
        return Ok(());
    }
    let cache = &kept.cache;
    let package = Arc::new(obtain(source, options).await?);
    let added = cache.add(&package)?;
    let missing = missing_of(&package, cache);
    tell_added(&package, &added, &missing, options.format, speaker);
    if !options.dependencies {
        return Ok(());
    }
    // Each round adds what the round before made known; a dependency that was tried is not tried again.
    let mut tried = Vec::new();
    let mut waiting = missing;
    while let Some(wanted) = waiting.pop() {
        if tried.contains(&wanted) {
            continue;
        }
        tried.push(wanted.clone());
        let package = Arc::new(download(&wanted, options).await?);
        let added = cache.add(&package)?;
        tell_added(&package, &added, &[], options.format, speaker);
        waiting.extend(missing_of(&package, cache));
    }
    Ok(())
}

/// What it depends on, at any distance, and is not kept.
fn missing_of(package: &Arc<Package>, cache: &Cache) -> Vec<PackageId> {
    let closure = Closure::of(std::slice::from_ref(package), cache);
    closure.missing().iter().map(|missing| missing.wanted.clone()).collect()
}

async fn obtain(source: &str, options: &AddPackage) -> Result<Package> {
    let path = Path::new(source);
    if path.is_dir() {
        return Ok(Package::from_folder(path, &Limits::default())?);
    }
    if !path.exists() && !source.contains('#') {
        let trouble = Trouble::new(
            format!("{source} : ni fichier, ni dossier"),
            format!("{source}: neither a file nor a folder"),
        );
        return Err(trouble
            .mend(
                "donnez un fichier .tgz, un dossier, ou un identifiant avec sa version : hl7.fhir.fr.core#2.1.0",
                "give a .tgz file, a folder, or an id with its version: hl7.fhir.fr.core#2.1.0",
            )
            .into());
    }
    if path.is_file() || !source.contains('#') {
        return Ok(Package::open_archive(path, &Limits::default())?);
    }
    let wanted: PackageId = source.parse().map_err(|error| PackageError::new(source, error))?;
    download(&wanted, options).await
}

async fn download(wanted: &PackageId, options: &AddPackage) -> Result<Package> {
    let registry = Registry::open(&options.registry, options.anchors.as_deref())?;
    registry.fetch(wanted).await
}

fn tell_added(package: &Package, added: &Added, missing: &[PackageId], format: Format, speaker: &Speaker) {
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    if format == Format::Json {
        speaker.line(json!({
            "id": added.id.to_string(), "added": !added.was_there, "folder": added.folder,
            "resources": package.entries().len(), "sha256": package.archive_sha256(), "missing": missing,
            "unreadable": package.unread().map(|(path, _)| path).collect::<Vec<_>>(),
        }));
        return;
    }
    let word = match added.was_there {
        true => speaker.pick("était déjà là", "was there already"),
        false => speaker.pick("ajouté", "added"),
    };
    let resources = speaker.pick("ressources", "resources");
    speaker.line(format!("✓ {}  {word}  ({} {resources})", added.id, package.entries().len()));
    for (path, why) in package.unread() {
        let why = why.get(speaker.lang);
        speaker.line(format!("  ! {path} : {} ({why})", speaker.pick("fichier illisible", "file that cannot be read")));
    }
    for id in missing {
        let needs = speaker.pick("il dépend de", "it depends on");
        let so = speaker.pick(
            "qui manque : ce qu'il définit ne sera pas contrôlé",
            "which is missing: what that defines will not be checked",
        );
        speaker.line(format!("  ! {needs} {id}, {so}"));
        speaker.line(format!("    {} : socle package add {id}", speaker.pick("remède", "mend")));
    }
}

fn list(kept: &Kept, options: &ListPackages, speaker: &Speaker) -> Result<ExitCode> {
    let cache = &kept.cache;
    let (all, test_beds) = (cache.list()?, kept.test_beds.list()?);
    for package in &test_beds {
        test_bed::tell("✓", "", package, options.format, speaker);
    }
    if all.is_empty() && test_beds.is_empty() && options.format == Format::Text {
        speaker.line(format!("{} ({})", speaker.pick("aucun paquet", "no package"), cache.root().display()));
    }
    let mut is_whole = true;
    for one in &all {
        is_whole &= tell_kept(cache, one, options, speaker);
    }
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// One package, and whether all is well with it.
fn tell_kept(cache: &Cache, kept: &package::Kept, options: &ListPackages, speaker: &Speaker) -> bool {
    let lang = speaker.lang;
    let troubles: Vec<String> = match &kept.package {
        Err(error) => vec![error.shown(lang)],
        Ok(package) if options.check => match cache.check(package.id()) {
            Ok(altered) => altered.iter().map(|error| error.shown(lang)).collect(),
            Err(error) => vec![error.shown(lang)],
        },
        Ok(_) => Vec::new(),
    };
    let package = kept.package.as_deref();
    if options.format == Format::Json {
        speaker.line(json!({
            "id": kept.name,
            "title": package.as_ref().ok().and_then(|package| package.manifest().title.clone()),
            "resources": package.as_ref().ok().map(|package| package.entries().len()),
            "sha256": package.as_ref().ok().and_then(|package| package.archive_sha256()),
            "troubles": troubles,
        }));
    } else {
        let sign = if troubles.is_empty() { "✓" } else { "✗" };
        let count = package.map(|package| package.entries().len().to_string()).unwrap_or_default();
        speaker.line(format!("{sign} {:<48} {count:>6} {}", kept.name, speaker.pick("ressources", "resources")));
        troubles.iter().for_each(|trouble| speaker.line(format!("  ! {trouble}")));
    }
    troubles.is_empty()
}

fn remove(kept: &Kept, options: &RemovePackage, speaker: &Speaker) -> Result<ExitCode> {
    for source in &options.ids {
        // Without a version it can only be a test bed, which has none.
        if !source.contains('#') && kept.test_beds.find(source).is_ok() {
            let package = kept.test_beds.remove(source)?;
            test_bed::tell("✓", speaker.pick("retiré ", "removed "), &package, options.format, speaker);
            continue;
        }
        let id: PackageId = source.parse().map_err(|error| PackageError::new(source, error))?;
        let folder = kept.cache.remove(&id)?;
        match options.format {
            Format::Json => speaker.line(json!({"id": id.to_string(), "removed": true, "folder": folder})),
            Format::Text => speaker.line(format!("✓ {id}  {}", speaker.pick("retiré", "removed"))),
        }
    }
    Ok(ExitCode::SUCCESS)
}
