//! The test bed of the CI-SIS (schema, schematrons, value sets of CDA documents), kept beside the FHIR
//! packages: it has no id and no version, its fingerprint names it.

use std::path::Path;

use anyhow::Result;
use serde_json::json;
use socle_finding::Lang;
use socle_xml::library::{Package, Shelf, recognise};

use super::cache_of;
use crate::cli::Format;
use crate::say::Speaker;

/// The test beds that are installed.
pub(crate) fn test_beds(packages: Option<&Path>) -> Result<Shelf> {
    Ok(Shelf::new(cache_of(packages)?.root().join(".socle").join("cda")))
}

/// Is this folder or ZIP archive a test bed? What cannot be read is none.
pub(super) fn is_one(path: &Path) -> bool {
    recognise(path).unwrap_or(false)
}

pub(super) fn tell(sign: &str, word: &str, package: &Package, format: Format, speaker: &Speaker) {
    if format == Format::Json {
        speaker.line(json!({
            "id": package.id, "edition": package.edition, "schematrons": package.common.len() + package.volets.len(),
            "valueSets": package.value_sets, "sha256": package.fingerprint, "troubles": [],
        }));
        return;
    }
    let (schematrons, sets) = (package.common.len() + package.volets.len(), package.value_sets);
    let what = match speaker.lang {
        Lang::Fr => format!("{schematrons} schématrons, {sets} jeux de valeurs"),
        Lang::En => format!("{schematrons} schematrons, {sets} value sets"),
    };
    speaker.line(format!("{sign} {}  {}  {word}({what})", package.id, package.edition));
}
