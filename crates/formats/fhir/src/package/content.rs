//! One open package: its manifest, its index, and its files when asked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use socle_finding::Text;

use super::archive::{self, ARCHIVE_BYTES, FILE_BYTES, FILES, Files, Limits, TOTAL_BYTES};
use super::index::{self, Entry, Index};
use super::{Manifest, PackageError, PackageErrorKind, PackageId};
use crate::tape::Document;

/// A package that is open. Its files are read, and their SHA-256 checked, when asked.
pub struct Package {
    manifest: Manifest,
    index: Index,
    source: Source,
}

enum Source {
    /// Files by their path below `package/`.
    Memory(Files),
    /// The folder that holds `package.json`.
    Folder(PathBuf),
}

impl Package {
    /// Reads an archive (`.tgz`) that stays in memory.
    ///
    /// # Errors
    /// [`PackageError`] when it is no safe archive, passes the limits, or has no usable manifest. A file
    /// that is no resource is no error: see [`Self::unread`].
    pub fn from_archive(subject: &str, bytes: &[u8], limits: &Limits) -> Result<Self, PackageError> {
        let files = archive::read(subject, bytes, limits)?;
        let has_prefix = files.contains_key("package/package.json");
        let below = |(path, bytes): (String, Bytes)| {
            if !has_prefix {
                return Some((path, bytes));
            }
            Some((path.strip_prefix("package/")?.to_owned(), bytes))
        };
        let mut package = Self::from_files(subject, files.into_iter().filter_map(below).collect())?;
        package.index.archive = Some(index::sha256(bytes));
        Ok(package)
    }

    /// Reads an archive file that stays in memory.
    ///
    /// # Errors
    /// As for [`Self::from_archive`], and [`PackageErrorKind::Io`].
    pub fn open_archive(file: &Path, limits: &Limits) -> Result<Self, PackageError> {
        let failed = |kind: PackageErrorKind| PackageError::new(file.display().to_string(), kind);
        let data = fs::metadata(file).map_err(|error| failed(error.into()))?;
        if data.len() > limits.archive_bytes {
            return Err(failed(Limits::too_big(ARCHIVE_BYTES, limits.archive_bytes)));
        }
        let bytes = fs::read(file).map_err(|error| failed(error.into()))?;
        Self::from_archive(&file.display().to_string(), &bytes, limits)
    }

    /// Reads a folder, `package` or the one around it, into memory.
    ///
    /// # Errors
    /// As for [`Self::from_archive`]; links are refused.
    pub fn from_folder(folder: &Path, limits: &Limits) -> Result<Self, PackageError> {
        let inner = folder.join("package");
        let root = if inner.join("package.json").is_file() { inner } else { folder.to_owned() };
        let files = read_folder(&root, limits)?;
        Self::from_files(&folder.display().to_string(), files)
    }

    fn from_files(subject: &str, files: Files) -> Result<Self, PackageError> {
        let no_manifest = || PackageError::new(subject, PackageErrorKind::NoManifest);
        let manifest = files.get("package.json").ok_or_else(no_manifest)?;
        let manifest = Manifest::read(&format!("{subject}!package.json"), manifest.clone())?;
        let mut index = Index::default();
        for (path, bytes) in &files {
            index.add(path, bytes);
        }
        Ok(Self { manifest, index, source: Source::Memory(files) })
    }

    pub(super) fn kept(manifest: Manifest, index: Index, folder: PathBuf) -> Self {
        Self { manifest, index, source: Source::Folder(folder) }
    }

    /// The files, when they are in memory.
    pub(super) fn files(&self) -> Option<&Files> {
        match &self.source {
            Source::Memory(files) => Some(files),
            Source::Folder(_) => None,
        }
    }

    pub(super) const fn index(&self) -> &Index {
        &self.index
    }

    /// Its name and version.
    #[must_use]
    pub const fn id(&self) -> &PackageId {
        &self.manifest.id
    }

    /// What it says of itself.
    #[must_use]
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Its resources, by path.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.index.entries
    }

    /// The files that should hold a resource and could not be read: path and why.
    pub fn unread(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.index.unread.iter().map(|(path, why)| (&**path, why))
    }

    /// SHA-256 of the archive it came from, in hexadecimal; none when it was a folder.
    #[must_use]
    pub fn archive_sha256(&self) -> Option<&str> {
        self.index.archive.as_deref()
    }

    /// The bytes of a resource, as they were when the package was added.
    ///
    /// # Errors
    /// [`PackageErrorKind::Altered`] when the file is another one now; [`PackageErrorKind::Io`].
    pub fn bytes(&self, entry: &Entry) -> Result<Bytes, PackageError> {
        let failed = |kind| PackageError::new(format!("{}!{}", self.id(), entry.path), kind);
        match &self.source {
            Source::Memory(files) => {
                files.get(&*entry.path).cloned().ok_or_else(|| failed(PackageErrorKind::NoManifest))
            }
            Source::Folder(folder) => {
                let bytes = fs::read(folder.join(&*entry.path)).map_err(|error| failed(error.into()))?;
                if index::sha256(&bytes) != entry.sha256 {
                    return Err(failed(PackageErrorKind::Altered));
                }
                Ok(bytes.into())
            }
        }
    }

    /// A resource.
    ///
    /// # Errors
    /// As for [`Self::bytes`], and when it is not JSON.
    pub fn document(&self, entry: &Entry) -> Result<Arc<Document>, PackageError> {
        let bytes = self.bytes(entry)?;
        let parsed = Document::parse(bytes);
        parsed.map(Arc::new).map_err(|error| PackageError::new(format!("{}!{}", self.id(), entry.path), error))
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Package({}, {} resources)", self.id(), self.entries().len())
    }
}

/// The files of a folder and of its example folders that may hold a resource, and its manifest.
pub(super) fn read_folder(root: &Path, limits: &Limits) -> Result<Files, PackageError> {
    let mut files = Files::new();
    let mut total = 0;
    for name in list(root)? {
        let path = root.join(&name);
        if fs::symlink_metadata(&path).is_ok_and(|data| data.is_dir()) {
            if matches!(name.as_str(), "example" | "examples") {
                for inner in list(&path)? {
                    read_file(&path.join(&inner), format!("{name}/{inner}"), &mut files, &mut total, limits)?;
                }
            }
            continue;
        }
        read_file(&path, name, &mut files, &mut total, limits)?;
    }
    Ok(files)
}

fn list(folder: &Path) -> Result<Vec<String>, PackageError> {
    let failed = |error: std::io::Error| PackageError::new(folder.display().to_string(), error);
    let mut names = Vec::new();
    for item in fs::read_dir(folder).map_err(failed)? {
        names.extend(item.map_err(failed)?.file_name().into_string());
    }
    names.sort_unstable();
    Ok(names)
}

fn read_file(
    path: &Path,
    name: String,
    files: &mut Files,
    total: &mut u64,
    limits: &Limits,
) -> Result<(), PackageError> {
    if name != "package.json" && index::role(&name).is_none() {
        return Ok(());
    }
    let failed = |kind: PackageErrorKind| PackageError::new(path.display().to_string(), kind);
    let data = fs::symlink_metadata(path).map_err(|error| failed(error.into()))?;
    if !data.is_file() {
        return Err(failed(PackageErrorKind::NotAFile));
    }
    *total += data.len();
    if data.len() > limits.file_bytes {
        return Err(failed(Limits::too_big(FILE_BYTES, limits.file_bytes)));
    }
    if *total > limits.total_bytes {
        return Err(failed(Limits::too_big(TOTAL_BYTES, limits.total_bytes)));
    }
    if files.len() >= limits.files {
        return Err(failed(Limits::too_big(FILES, limits.files as u64)));
    }
    let bytes = fs::read(path).map_err(|error| failed(error.into()))?;
    files.insert(name, bytes.into());
    Ok(())
}
