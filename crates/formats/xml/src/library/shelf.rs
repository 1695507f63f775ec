//! Installed packages: one folder each, `package.json` last, so that what is half written is no package.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ring::digest::{Context, SHA256};

use super::install::{Source, family, newest, sorted};
use super::{CDA_XSD, Family, Library, Package};
use crate::schematron::{Files, Folder};

/// What can go wrong with packages.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    /// What was given is no test bed.
    #[error("{path}: not a test bed of the CI-SIS (no schematrons/CI-SIS_*.sch inside)")]
    NotATestBed {
        /// What was given.
        path: PathBuf,
    },
    /// There is no such package.
    #[error("no package {id} is installed")]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// Several packages begin so.
    #[error("several installed packages begin with {id}")]
    Ambiguous {
        /// The id asked for.
        id: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> LibraryError + use<> {
    let path = path.to_owned();
    move |source| LibraryError::Io { path, source }
}

/// The folder of installed packages.
#[derive(Debug, Clone)]
pub struct Shelf {
    folder: PathBuf,
}

impl Shelf {
    /// The shelf of a folder, which need not exist yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// Copies a test bed (folder or ZIP archive) into the shelf. The same files again are the same package.
    ///
    /// # Errors
    /// What was given is no test bed, or is too big, or a file cannot be read or written; nothing is installed then.
    pub fn add(&self, path: &Path) -> Result<Package, LibraryError> {
        let mut source = Source::open(path).map_err(at(path))?;
        let prefix = source.prefix().ok_or_else(|| LibraryError::NotATestBed { path: path.to_owned() })?;
        let part = self.folder.join(format!(".part-{}", uuid::Uuid::new_v4()));
        let added = self.copy(&mut source, &prefix, &part, path);
        if added.is_err() {
            let _ = fs::remove_dir_all(&part);
        }
        added
    }

    fn copy(&self, source: &mut Source, prefix: &str, part: &Path, path: &Path) -> Result<Package, LibraryError> {
        let files = part.join("files");
        fs::create_dir_all(&files).map_err(at(&files))?;
        let (mut digest, mut bytes, mut count) = (Context::new(&SHA256), 0_u64, 0_usize);
        source
            .each(prefix, |name, content| {
                for field in [name.as_bytes(), &content] {
                    digest.update(&(field.len() as u64).to_be_bytes());
                    digest.update(field);
                }
                (bytes, count) = (bytes + content.len() as u64, count + 1);
                let target = files.join(name);
                if let Some(folder) = target.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(target, content)
            })
            .map_err(at(path))?;
        let fingerprint: String = digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let folder = Folder::open(&files).map_err(at(&files))?;
        let package = described(&folder, fingerprint, count, bytes);
        self.finish(part, package)
    }

    fn finish(&self, part: &Path, package: Package) -> Result<Package, LibraryError> {
        let target = self.folder.join(&package.id);
        if let Ok(known) = read(&target) {
            fs::remove_dir_all(part).map_err(at(part))?;
            return Ok(known);
        }
        let _ = fs::remove_dir_all(&target);
        fs::rename(part, &target).map_err(at(&target))?;
        let card = target.join("package.json");
        let json = serde_json::to_vec_pretty(&package).map_err(|e| at(&card)(io::Error::other(e)))?;
        super::keep(&card, &json).map_err(at(&card))?;
        Ok(package)
    }

    /// What is installed, the newest first.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn list(&self) -> Result<Vec<Package>, LibraryError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(at(&self.folder)(error)),
        };
        let mut found: Vec<Package> = entries.filter_map(|entry| read(&entry.ok()?.path()).ok()).collect();
        found.sort_by(|a, b| b.added.cmp(&a.added).then_with(|| a.id.cmp(&b.id)));
        Ok(found)
    }

    /// The installed package of this id, or whose id begins so.
    ///
    /// # Errors
    /// There is none, or several.
    pub fn find(&self, id: &str) -> Result<Package, LibraryError> {
        let mut found = self.list()?.into_iter().filter(|package| !id.is_empty() && package.id.starts_with(id));
        let first = found.next().ok_or_else(|| LibraryError::Unknown { id: id.to_owned() })?;
        if found.next().is_some() {
            return Err(LibraryError::Ambiguous { id: id.to_owned() });
        }
        Ok(first)
    }

    /// Removes a package, by id or the beginning of it.
    ///
    /// # Errors
    /// There is none, or several; a file cannot be removed.
    pub fn remove(&self, id: &str) -> Result<Package, LibraryError> {
        let package = self.find(id)?;
        let folder = self.folder.join(&package.id);
        let card = folder.join("package.json");
        fs::remove_file(&card).map_err(at(&card))?;
        fs::remove_dir_all(&folder).map_err(at(&folder))?;
        Ok(package)
    }

    /// The rules of a package.
    ///
    /// # Errors
    /// Its folder cannot be read.
    pub fn open(&self, package: Package) -> Result<Library, LibraryError> {
        let folder = self.folder.join(&package.id);
        let files = Folder::open(folder.join("files")).map_err(at(&folder))?;
        Ok(Library::open(package, files, folder.join("compiled")))
    }

    /// The rules of the package that was installed last; of a family when one is named.
    ///
    /// # Errors
    /// The folder cannot be read. `None` when nothing is installed.
    pub fn newest(&self, of: Option<Family>) -> Result<Option<Library>, LibraryError> {
        let wanted = |package: &Package| of.is_none_or(|family| package.family == family);
        self.list()?.into_iter().find(wanted).map(|package| self.open(package)).transpose()
    }
}

fn read(folder: &Path) -> io::Result<Package> {
    serde_json::from_slice(&fs::read(folder.join("package.json"))?).map_err(io::Error::other)
}

fn described(files: &dyn Files, fingerprint: String, count: usize, bytes: u64) -> Package {
    let (common, volets) = sorted(files);
    let id: String = fingerprint.chars().take(12).collect();
    let family = family(&volets);
    let name = match (family, newest(&volets)) {
        (Family::DmpHomologation, _) => "CI-SIS, structuration minimale (homologation DMP)".to_owned(),
        (Family::Segur, Some(newest)) => {
            format!("CI-SIS, banc de test (Ségur, d'après son contenu), volets jusqu'à {newest}")
        }
        (Family::Segur, None) => "CI-SIS, banc de test (Ségur, d'après son contenu)".to_owned(),
    };
    let names = files.list();
    Package {
        edition: format!("{name}, empreinte {id}"),
        family,
        common,
        volets,
        schema: files.find(CDA_XSD).is_some(),
        value_sets: names.iter().filter(|name| name.starts_with("jeuxDeValeurs/") && name.ends_with(".xml")).count(),
        files: count,
        bytes,
        added: jiff::Timestamp::now().to_string(),
        id,
        fingerprint,
    }
}
