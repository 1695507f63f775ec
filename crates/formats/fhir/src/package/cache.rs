//! The folder of packages that the tools of the ecosystem share.
//!
//! `{root}/{id}#{version}/package/*.json`, by default `~/.fhir/packages`. What another tool put there is
//! used as well: its index is made at the first opening. A package is written beside its place and
//! renamed, so that a half-written one is never seen.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use uuid::Uuid;

use super::content::read_folder;
use super::index::{self, Index};
use super::{Limits, Manifest, Package, PackageError, PackageErrorKind, PackageId, Shelf};

/// The folder of packages.
#[derive(Debug, Clone)]
pub struct Cache {
    root: PathBuf,
    limits: Limits,
}

/// What adding a package did.
#[derive(Debug, Clone)]
pub struct Added {
    /// Which.
    pub id: PackageId,
    /// It was there already, the same.
    pub was_there: bool,
    /// Where it is.
    pub folder: PathBuf,
}

/// A package that is kept.
#[derive(Debug)]
pub struct Kept {
    /// The name of its folder, which is its id when the package can be used.
    pub name: String,
    /// The package, or why it cannot be used.
    pub package: Result<Arc<Package>, PackageError>,
}

impl Cache {
    /// The folder at this place; it need not exist yet.
    #[must_use]
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), limits: Limits::default() }
    }

    /// The folder that the ecosystem shares, `.fhir/packages` of the user's home.
    ///
    /// # Errors
    /// [`PackageErrorKind::NoHome`] when the user has none.
    pub fn shared() -> Result<Self, PackageError> {
        let home = std::env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let home = home.ok_or_else(|| PackageError::new("~/.fhir/packages", PackageErrorKind::NoHome))?;
        Ok(Self::at(home.join(".fhir").join("packages")))
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Keeps a package. The same one again changes nothing.
    ///
    /// # Errors
    /// [`PackageErrorKind::Differs`] when another content is kept under that name; [`PackageErrorKind::Io`].
    pub fn add(&self, package: &Package) -> Result<Added, PackageError> {
        let id = package.id().clone();
        let folder = self.folder(&id);
        if folder.exists() {
            let same = self.open(&id).is_ok_and(|kept| same_content(&kept, package));
            if !same {
                let subject = folder.display().to_string();
                return Err(PackageError::new(subject, PackageErrorKind::Differs { id }));
            }
            return Ok(Added { id, was_there: true, folder });
        }
        let beside = self.root.join(format!(".adding-{}", Uuid::new_v4()));
        let written = self.write(package, &beside).and_then(|()| fs::rename(&beside, &folder));
        if let Err(error) = written {
            // What is left of it is of no use; that it cannot be removed either changes nothing.
            let _ = fs::remove_dir_all(&beside);
            return Err(PackageError::new(folder.display().to_string(), error));
        }
        // The rename is a change of the folder around it only, so the index stays true.
        Ok(Added { id, was_there: false, folder })
    }

    fn write(&self, package: &Package, folder: &Path) -> std::io::Result<()> {
        let inner = folder.join("package");
        fs::create_dir_all(&inner)?;
        for (path, bytes) in package.files().into_iter().flatten() {
            let place = inner.join(path);
            if let Some(parent) = place.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(place, bytes)?;
        }
        let index = Index { changed: changed(&inner), ..package.index().clone() };
        fs::write(folder.join(index::FILE), index.write())
    }

    /// Opens a kept package, by its exact version.
    ///
    /// # Errors
    /// [`PackageErrorKind::Unknown`] when it is not there; what is wrong with it otherwise.
    pub fn open(&self, id: &PackageId) -> Result<Arc<Package>, PackageError> {
        let folder = self.folder(id);
        if !folder.is_dir() {
            return Err(PackageError::new(id.to_string(), PackageErrorKind::Unknown));
        }
        self.open_folder(&folder).map(Arc::new)
    }

    fn open_folder(&self, folder: &Path) -> Result<Package, PackageError> {
        let inner = folder.join("package");
        let place = inner.join("package.json");
        let bytes = match fs::read(&place) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(PackageError::new(folder.display().to_string(), PackageErrorKind::NoManifest));
            }
            Err(error) => return Err(PackageError::new(place.display().to_string(), error)),
        };
        let manifest = Manifest::read(&place.display().to_string(), bytes.into())?;
        let index = match read_index(folder, &inner) {
            Some(index) => index,
            None => self.make_index(folder, &inner)?,
        };
        Ok(Package::kept(manifest, index, inner))
    }

    /// The index of a package that another tool put there, or that has changed since.
    fn make_index(&self, folder: &Path, inner: &Path) -> Result<Index, PackageError> {
        let mut index = Index { changed: changed(inner), ..Index::default() };
        for (path, bytes) in read_folder(inner, &self.limits)? {
            index.add(&path, &bytes);
        }
        // A folder that cannot be written (shared, read-only) costs time at each opening, nothing else.
        let _ = fs::write(folder.join(index::FILE), index.write());
        Ok(index)
    }

    /// What is kept, by name. What cannot be opened is listed with the reason.
    ///
    /// # Errors
    /// [`PackageErrorKind::Io`] when the folder cannot be listed; one that does not exist is empty.
    pub fn list(&self) -> Result<Vec<Kept>, PackageError> {
        Ok(self.names()?.into_iter().map(|name| self.kept(name)).collect())
    }

    fn kept(&self, name: String) -> Kept {
        let package = self.open_folder(&self.root.join(&name)).map(Arc::new);
        Kept { name, package }
    }

    fn names(&self) -> Result<Vec<String>, PackageError> {
        let failed = |error: std::io::Error| PackageError::new(self.root.display().to_string(), error);
        let items = match fs::read_dir(&self.root) {
            Ok(items) => items,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for item in items {
            let name = item.map_err(failed)?.file_name().into_string().unwrap_or_default();
            if name.contains('#') {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Checks every file of a package against the SHA-256 it had when it was added.
    ///
    /// # Errors
    /// As for [`Self::open`].
    pub fn check(&self, id: &PackageId) -> Result<Vec<PackageError>, PackageError> {
        let package = self.open(id)?;
        Ok(package.entries().iter().filter_map(|entry| package.bytes(entry).err()).collect())
    }

    /// Removes a package.
    ///
    /// # Errors
    /// [`PackageErrorKind::Unknown`] when it is not there; [`PackageErrorKind::Io`].
    pub fn remove(&self, id: &PackageId) -> Result<PathBuf, PackageError> {
        let folder = self.folder(id);
        if !folder.is_dir() {
            return Err(PackageError::new(id.to_string(), PackageErrorKind::Unknown));
        }
        fs::remove_dir_all(&folder).map_err(|error| PackageError::new(folder.display().to_string(), error))?;
        Ok(folder)
    }

    fn folder(&self, id: &PackageId) -> PathBuf {
        self.root.join(id.to_string())
    }
}

impl Shelf for Cache {
    fn take(&self, wanted: &PackageId) -> Result<Option<Arc<Package>>, PackageError> {
        if wanted.is_exact() {
            return match self.open(wanted) {
                Err(PackageError { kind: PackageErrorKind::Unknown, .. }) => Ok(None),
                opened => opened.map(Some),
            };
        }
        let ids = self.names()?.into_iter().filter_map(|name| name.parse::<PackageId>().ok());
        let newest = ids.filter(|id| wanted.admits(id)).max_by(PackageId::by_version);
        newest.map(|id| self.open(&id)).transpose()
    }
}

/// The same archive, or the same resources.
fn same_content(kept: &Package, new: &Package) -> bool {
    let same_archive = kept.archive_sha256().is_some() && kept.archive_sha256() == new.archive_sha256();
    same_archive || (kept.manifest() == new.manifest() && kept.entries() == new.entries())
}

fn read_index(folder: &Path, inner: &Path) -> Option<Index> {
    let index = Index::read(fs::read(folder.join(index::FILE)).ok()?.into())?;
    (index.changed == changed(inner)).then_some(index)
}

/// When files were last added to or removed from a folder; 0 where the system does not say.
fn changed(folder: &Path) -> u64 {
    let modified = fs::metadata(folder).and_then(|data| data.modified()).ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_nanos()).ok()).unwrap_or_default()
}
