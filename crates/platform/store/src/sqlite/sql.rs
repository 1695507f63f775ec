//! Small conversions between our words and SQLite's.

use jiff::Timestamp;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::Path;
use std::time::Duration;

use crate::StoreError;

/// Most prepared statements that one connection keeps: more than this crate has.
const STATEMENTS: usize = 128;

/// How long one connection waits for another. They hardly ever meet: one writes, and readers do not lock.
const BUSY: Duration = Duration::from_secs(2);

/// How much of the database a connection keeps in memory at most, in KiB: the writer moves the index about, the readers
/// have the system's cache.
const WRITER_CACHE: i64 = 16 * 1024;
const READER_CACHE: i64 = 4 * 1024;

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => damaged(format!("socle.db: {error}")),
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            _ => Self::Database(error.to_string()),
        }
    }
}

pub(super) fn damaged(what: impl Into<String>) -> StoreError {
    StoreError::Damaged { what: what.into() }
}

pub(super) fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    move |source| match source.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::DiskFull,
        _ => StoreError::Io { doing, source },
    }
}

/// The connection that writes. Only one exists.
pub(super) fn open_writer(path: &Path) -> Result<Connection, StoreError> {
    let db = Connection::open(path)?;
    configure(&db, WRITER_CACHE)?;
    // A database that is not ours fails here first, since this reads its header.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    // FULL: the log is synced at each commit; NORMAL would lose acknowledged commits with the power.
    db.pragma_update(None, "synchronous", "FULL")?;
    // Some 16 MB: pages that every commit touches are then moved into the database once, not four times.
    db.pragma_update(None, "wal_autocheckpoint", 4000)?;
    // What is deleted is overwritten, an erased person's key above all.
    db.pragma_update(None, "secure_delete", "ON")?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    configure(&db, READER_CACHE)?;
    db.pragma_update(None, "query_only", true)?;
    Ok(db)
}

fn configure(db: &Connection, cache: i64) -> Result<(), StoreError> {
    db.busy_timeout(BUSY)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.pragma_update(None, "foreign_keys", false)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    db.pragma_update(None, "cache_size", -cache)?;
    Ok(())
}

/// Looks at every page, not at every index: what a broken disk or a foreign hand does.
pub(super) fn quick_check(db: &Connection) -> Result<(), StoreError> {
    let found: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(damaged(format!("socle.db: {found}"))) }
}

/// Microseconds since 1970.
pub(super) fn to_micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

pub(super) fn from_micros(micros: i64) -> Result<Timestamp, StoreError> {
    Timestamp::from_microsecond(micros).map_err(|_| damaged("an instant is out of range"))
}

/// An instant as the store keeps it: whole microseconds.
pub(super) fn rounded(at: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at)
}

/// A count or number of the database: never negative, unless somebody edited the file.
pub(super) fn to_u64(number: i64) -> Result<u64, StoreError> {
    u64::try_from(number).map_err(|_| damaged("a number is negative"))
}

/// A number of ours in the database's type. Ours stay below 2^63; one from outside finds nothing.
pub(super) fn to_i64(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
