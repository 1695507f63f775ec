//! The data folder: made, locked against a second process, readable by its owner only.
//!
//! The only place that knows about Unix permissions.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use crate::StoreError;

/// A data folder that this process alone holds, until dropped.
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if needed and locks it.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        make(path)?;
        make(&path.join("blobs"))?;
        let lock_path = path.join("store.lock");
        let lock = private()
            .create(true)
            .truncate(false)
            .open(&lock_path)
            .map_err(|source| StoreError::Folder { path: lock_path.clone(), source })?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(StoreError::Folder { path: lock_path, source }),
        }
    }

    /// Makes the names in a new folder durable, and its own.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        let failed = |source| StoreError::Folder { path: self.path.clone(), source };
        sync_folder(&self.path).map_err(failed)?;
        let Some(parent) = self.path.parent().filter(|parent| !parent.as_os_str().is_empty()) else { return Ok(()) };
        match sync_folder(parent) {
            // One may write in a folder that one may not read; whoever made it so made our folder too.
            Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
            synced => synced.map_err(failed),
        }
    }

    /// The database's file, made when it is new: SQLite would let everybody read it, if they may enter the folder.
    pub(super) fn database(&self) -> Result<PathBuf, StoreError> {
        let path = self.path.join("socle.db");
        let made = private().create(true).truncate(false).open(&path);
        made.map_err(|source| StoreError::Folder { path: path.clone(), source })?;
        Ok(path)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn blobs(&self) -> PathBuf {
        self.path.join("blobs")
    }
}

fn make(path: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| StoreError::Folder { path: path.to_owned(), source })
}

/// How to open a file that, when it is made, only its owner may read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the names in a folder durable. Windows does it by itself and refuses to open a folder.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    File::open(path)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
