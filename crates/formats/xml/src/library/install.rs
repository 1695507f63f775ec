//! What is in a folder or an archive, and which of its files are kept.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use super::{COMMON, Family};
use crate::schematron::{Files, Folder};

/// Files of a package.
pub(super) const COUNT: usize = 20_000;
/// Bytes of one file.
pub(super) const FILE: u64 = 64 << 20;
/// Bytes of all files.
pub(super) const TOTAL: u64 = 1 << 30;

/// The folders of a test bed; what is beside them (documents, programs) is not kept.
const ROOMS: [&str; 3] = ["infrastructure/", "schematrons/", "jeuxDeValeurs/"];
const ENDINGS: [&str; 4] = [".sch", ".xsd", ".xml", ".rdf"];

/// Is this folder or ZIP archive a test bed of the CI-SIS?
///
/// # Errors
/// What the system says; an archive that cannot be read.
pub fn recognise(path: &Path) -> io::Result<bool> {
    Source::open(path).map(|source| source.prefix().is_some())
}

/// Where a package comes from.
pub(super) enum Source {
    Folder(Folder),
    Archive(zip::ZipArchive<fs::File>, Vec<String>),
}

impl Source {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.is_dir() {
            return Folder::open(path).map(Self::Folder);
        }
        let mut archive = zip::ZipArchive::new(fs::File::open(path)?).map_err(io::Error::other)?;
        if archive.len() > COUNT * 2 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "too many files in the archive"));
        }
        let mut names = Vec::with_capacity(archive.len());
        for index in 0..archive.len() {
            let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
            names.push(entry.name().replace('\\', "/"));
        }
        Ok(Self::Archive(archive, names))
    }

    fn names(&self) -> Vec<String> {
        match self {
            Self::Folder(folder) => folder.list(),
            Self::Archive(_, names) => names.clone(),
        }
    }

    /// The folder that holds `schematrons/`: the package itself, or one inside, as in an archive of a repository.
    pub(super) fn prefix(&self) -> Option<String> {
        let names = self.names();
        let inside = names.iter().filter_map(|name| {
            let at = name.find("schematrons/")?;
            let is_room = at == 0 || name[..at].ends_with('/');
            (is_room && name.ends_with(".sch") && name[..at].matches('/').count() <= 2).then(|| &name[..at])
        });
        let prefix = inside.min_by_key(|prefix| prefix.len())?.to_owned();
        let is_bed = |name: &String| {
            let inside = name.strip_prefix(prefix.as_str()).unwrap_or_default();
            inside.starts_with("schematrons/CI-SIS_") || inside.ends_with("ASIP-STRUCT-MIN-StrucMin.sch")
        };
        names.iter().any(is_bed).then_some(prefix)
    }

    /// Calls `keep` with the name (relative to the package) and the bytes of each file that belongs to it.
    pub(super) fn each(
        &mut self,
        prefix: &str,
        mut keep: impl FnMut(&str, Vec<u8>) -> io::Result<()>,
    ) -> io::Result<()> {
        let (mut count, mut total) = (0, 0_u64);
        let mut kept: Vec<(usize, String)> = self.names().into_iter().enumerate().collect();
        kept.retain(|(_, name)| name.strip_prefix(prefix).is_some_and(belongs));
        kept.sort_by(|(_, a), (_, b)| a.cmp(b));
        for (index, name) in kept {
            let bytes = self.bytes(index, &name)?;
            (count, total) = (count + 1, total + bytes.len() as u64);
            if count > COUNT || total > TOTAL {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the package is too big"));
            }
            keep(&name[prefix.len()..], bytes)?;
        }
        Ok(())
    }

    fn bytes(&mut self, index: usize, name: &str) -> io::Result<Vec<u8>> {
        match self {
            Self::Folder(folder) => folder.read(name),
            Self::Archive(archive, _) => {
                let entry = archive.by_index(index).map_err(io::Error::other)?;
                let mut bytes = Vec::new();
                // The size that an archive declares is not believed.
                entry.take(FILE + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 > FILE {
                    return Err(io::Error::new(io::ErrorKind::FileTooLarge, "a file of the archive is too big"));
                }
                Ok(bytes)
            }
        }
    }
}

/// A plain name in one of the rooms: nothing that could lead outside the folder it is written to.
fn belongs(name: &str) -> bool {
    let plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains([':', '\0']);
    ROOMS.iter().any(|room| name.starts_with(room))
        && ENDINGS.iter().any(|ending| name.to_ascii_lowercase().ends_with(ending))
        && name.len() < 512
        && name.split('/').all(plain)
}

/// The schematrons of a package, by name: the volets of `schematrons/`, and the common profiles.
pub(super) fn schematrons(files: &dyn Files) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for path in files.list() {
        let Some(inside) = path.strip_prefix("schematrons/") else { continue };
        let Some(name) = path.rsplit('/').next().and_then(|file| file.strip_suffix(".sch")) else { continue };
        let is_volet = !inside.contains('/') && name.starts_with("CI-SIS_");
        let is_common = inside.starts_with("profils/") && COMMON.contains(&name) && !inside.contains("/include/");
        if is_volet || is_common {
            found.insert(name.to_owned(), path);
        }
    }
    found
}

/// Common schematrons in the order of the test bed, then volets.
pub(super) fn sorted(files: &dyn Files) -> (Vec<String>, Vec<String>) {
    let all = schematrons(files);
    let common = COMMON.iter().filter(|name| all.contains_key(**name)).map(|&name| name.to_owned()).collect();
    let volets = all.into_keys().filter(|name| !COMMON.contains(&name.as_str())).collect();
    (common, volets)
}

pub(super) fn family(volets: &[String]) -> Family {
    if volets.is_empty() { Family::DmpHomologation } else { Family::Segur }
}

/// The newest year and month that volets are named after: `2025.01`.
pub(super) fn newest(volets: &[String]) -> Option<&str> {
    let dated = volets.iter().filter_map(|name| name.rsplit('_').next());
    dated.filter(|end| end.len() == 7 && end.as_bytes()[4] == b'.').max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_of_the_rooms_are_kept() {
        let cases = [
            ("schematrons/CI-SIS_A.sch", true),
            ("jeuxDeValeurs/JDV_A.xml", true),
            ("infrastructure/cda/CDA.XSD", true),
            ("schematrons/../../etc/cron.d/a.xml", false),
            ("schematrons//a.sch", false),
            ("schematrons/c:/a.sch", false),
            ("schematrons/run.bat", false),
            ("ExemplesCDA/a.xml", false),
            ("/schematrons/a.sch", false),
        ];
        for (name, expected) in cases {
            assert_eq!(belongs(name), expected, "{name}");
        }
    }

    #[test]
    fn the_edition_is_the_newest_volet() {
        let volets = ["CI-SIS_A_2022.01", "CI-SIS_B-2_2025.01", "CI-SIS_C"].map(str::to_owned);
        assert_eq!(newest(&volets), Some("2025.01"));
        assert_eq!(newest(&[]), None);
    }
}
