use std::fs::{self, File};
use std::io::{Result, Write};
use std::path::Path;

/// Writes a secret file, whole or not at all, durable, readable by its owner only where the platform
/// has modes.
///
/// # Errors
/// The system's.
pub fn write_secret(file: &Path, bytes: &[u8]) -> Result<()> {
    let draft = file.with_extension("new");
    let mut out = create_private(&draft)?;
    out.write_all(bytes)?;
    out.sync_all()?;
    drop(out);
    fs::rename(&draft, file)?;
    file.parent().map_or(Ok(()), sync_folder)
}

/// Makes the names in a folder durable. Windows does it by itself and refuses to open a folder.
fn sync_folder(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(unix)]
fn create_private(file: &Path) -> Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // A draft left by a crash could have another mode: it goes first.
    let _ = fs::remove_file(file);
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)
}

#[cfg(not(unix))]
fn create_private(file: &Path) -> Result<File> {
    File::create(file)
}
