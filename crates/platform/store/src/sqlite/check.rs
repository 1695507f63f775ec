//! The check of the whole store: the database, what its tables say of each other, blobs, audit log.

use std::path::Path;

use rusqlite::Connection;
use socle_trust::audit::checkpoint::NotePublicKey;

use super::keys::Keyring;
use super::{blobs, postings, segments, verify};
use crate::{BlobProblem, CheckReport, Digest, StoreError};

/// Most bad blobs that a report lists.
const LISTED: usize = 1000;

/// Contradictions between tables: what is said, and the rows that should not exist.
const CONTRADICTIONS: [(&str, &str); 8] = [
    (
        "resources without their current version",
        "SELECT r.id FROM resource r LEFT JOIN version v ON v.seq = r.seq \
         WHERE v.rid IS NOT r.rid OR v.version IS NOT r.version OR v.deleted IS NOT r.deleted",
    ),
    (
        "resources with a gap in their versions",
        "SELECT r.id FROM resource r WHERE r.version <> (SELECT count(*) FROM version v WHERE v.rid = r.rid)",
    ),
    (
        "versions of no resource",
        "SELECT v.seq FROM version v LEFT JOIN resource r ON r.rid = v.rid WHERE r.rid IS NULL",
    ),
    (
        "index entries of no living resource",
        "SELECT p.rid FROM posting p LEFT JOIN resource r ON r.rid = p.rid WHERE r.deleted IS NOT 0",
    ),
    (
        "typed entries of no living resource",
        "SELECT e.rid FROM (SELECT rid FROM entry_exact UNION SELECT rid FROM entry_text \
         UNION SELECT rid FROM entry_range UNION SELECT rid FROM entry_link) e \
         LEFT JOIN resource r ON r.rid = e.rid WHERE r.deleted IS NOT 0",
    ),
    (
        "versions that are not in the order of changes of their kind",
        "SELECT v.seq FROM version v JOIN resource r ON r.rid = v.rid \
         WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.space = r.space AND c.seq = v.seq)",
    ),
    (
        "lanes without exactly one first job",
        "SELECT min(id) FROM job WHERE state < 2 AND lane IS NOT NULL GROUP BY tenant, environment, lane \
         HAVING sum(behind = 0) <> 1",
    ),
    (
        "steps with an exchange that is not kept",
        "SELECT n FROM flow_step WHERE request NOT IN (SELECT digest FROM blob) OR response NOT IN (SELECT digest FROM blob)",
    ),
];

/// Checks everything, on one snapshot.
pub(super) fn check(
    db: &Connection,
    folder: &Path,
    keyring: &Keyring,
    key: &NotePublicKey,
) -> Result<CheckReport, StoreError> {
    let mut report = CheckReport { audit: verify::verify(db, keyring, key)?, ..CheckReport::default() };
    let snapshot = db.unchecked_transaction()?;
    report.database = database(&snapshot)?;
    for (what, select) in CONTRADICTIONS {
        report.rows.extend(contradictions(&snapshot, what, select)?);
    }
    report.rows.extend(unindexed(&snapshot)?);
    check_blobs(&snapshot, folder, &mut report)?;
    Ok(report)
}

fn database(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut statement = db.prepare("PRAGMA integrity_check(100)")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(if lines == ["ok"] { Vec::new() } else { lines })
}

fn contradictions(db: &Connection, what: &str, select: &str) -> Result<Vec<String>, StoreError> {
    let mut statement =
        db.prepare(&format!("WITH found (one) AS ({select}) SELECT CAST(one AS TEXT) FROM found LIMIT 100"))?;
    let found = statement.query_map([], |row| row.get::<_, String>(0))?;
    Ok(found.map(|one| one.map(|one| format!("{what}: {one}"))).collect::<Result<_, _>>()?)
}

/// Living resources that the index would not find.
fn unindexed(db: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let mut statement = db.prepare("SELECT rid, space, id, postings FROM resource WHERE deleted = 0")?;
    let mut indexed = db.prepare("SELECT 1 FROM posting WHERE term = ?1 AND rid = ?2")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (rid, space): (i64, i64) = (row.get(0)?, row.get(1)?);
        for entry in postings::entries(space, row.get_ref(3)?.as_blob().unwrap_or_default()) {
            if !indexed.exists((entry, rid))? && found.len() < 100 {
                found.push(format!("a resource is missing in the index: {}", row.get::<_, String>(2)?));
            }
        }
    }
    Ok(found)
}

fn check_blobs(db: &Connection, folder: &Path, report: &mut CheckReport) -> Result<(), StoreError> {
    let mut statement = db.prepare("SELECT digest, segment, offset, length FROM blob ORDER BY segment, offset")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let digest = Digest::from_bytes(row.get(0)?);
        let place = blobs::read_place(row.get(1)?, row.get(2)?, row.get(3)?)?;
        report.blobs += 1;
        report.blob_bytes += place.length;
        let read = segments::read(folder, &digest, place);
        if let Err(error) = read
            && report.bad_blobs.len() < LISTED
        {
            report.bad_blobs.push(BlobProblem { digest, why: error.to_string() });
        }
    }
    Ok(())
}
