//! The index of blobs: which digest is where in the segments.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension as _};

use super::segments::{Place, Segments};
use super::sql::{to_i64, to_u64};
use crate::{Blob, Digest, StoreError};

/// Where a blob is.
pub(super) fn place(db: &Connection, digest: &Digest) -> Result<Option<Place>, StoreError> {
    let select = "SELECT segment, offset, length FROM blob WHERE digest = ?1";
    let found = db
        .prepare_cached(select)?
        .query_row([digest.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    found.map(|(segment, offset, length)| read_place(segment, offset, length)).transpose()
}

/// A place from its columns.
pub(super) fn read_place(segment: i64, offset: i64, length: i64) -> Result<Place, StoreError> {
    Ok(Place { segment, offset: to_u64(offset)?, length: to_u64(length)? })
}

/// The end of the last indexed record: its segment and the offset behind it.
pub(super) fn end(db: &Connection) -> Result<Option<(i64, u64)>, StoreError> {
    let select = "SELECT segment, offset + length FROM blob ORDER BY segment DESC, offset DESC, length DESC LIMIT 1";
    let found = db.query_row(select, [], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.map(|(segment, end)| Ok((segment, to_u64(end)?))).transpose()
}

/// Appends those of `blobs` that are not there yet, and syncs them. Nothing is indexed yet.
pub(super) fn append<'a>(
    db: &Connection,
    segments: &mut Segments,
    blobs: impl Iterator<Item = &'a Blob>,
) -> Result<HashMap<Digest, Place>, StoreError> {
    let mut places = HashMap::new();
    for blob in blobs {
        if !places.contains_key(&blob.digest()) && place(db, &blob.digest())?.is_none() {
            places.insert(blob.digest(), segments.append(blob)?);
        }
    }
    if !places.is_empty() {
        segments.sync()?;
    }
    Ok(places)
}

/// Indexes a blob of a batch, unless it was there before.
pub(super) fn index(db: &Connection, digest: &Digest, places: &HashMap<Digest, Place>) -> Result<(), StoreError> {
    let Some(place) = places.get(digest) else { return Ok(()) };
    let insert = "INSERT OR IGNORE INTO blob (digest, segment, offset, length) VALUES (?1, ?2, ?3, ?4)";
    let row = (digest.as_bytes(), place.segment, to_i64(place.offset), to_i64(place.length));
    db.prepare_cached(insert)?.execute(row)?;
    Ok(())
}
