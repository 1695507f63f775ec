//! The tables of the embedded engine and their version.
//!
//! Laid out for speed: short integer keys, hashed postings, WITHOUT ROWID where the key is the row.
//! Instants are microseconds since 1970 (UTC). Names of states are in the module that uses the table.

use rusqlite::Connection;

use super::sql::damaged;
use crate::StoreError;

/// The schema that this program writes.
pub(super) const VERSION: i64 = 2;

/// "SOCL": what `file` and other tools see in the header of the database.
const APPLICATION: i64 = 0x534f_434c;

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

-- A space is a kind of resource of one tenant.
CREATE TABLE space (id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, UNIQUE (tenant, kind)) STRICT;
CREATE TABLE resource (
    rid INTEGER PRIMARY KEY, space INTEGER NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL,
    seq INTEGER NOT NULL, deleted INTEGER NOT NULL, postings BLOB NOT NULL, UNIQUE (space, id)
) STRICT;
CREATE TABLE version (
    seq INTEGER PRIMARY KEY, rid INTEGER NOT NULL, version INTEGER NOT NULL, at INTEGER NOT NULL,
    deleted INTEGER NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX version_of ON version (rid, version);
-- term: the first 8 bytes of a SHA-256 over space, name and value; a hit is checked against resource.postings.
CREATE TABLE posting (term INTEGER NOT NULL, rid INTEGER NOT NULL, PRIMARY KEY (term, rid)) STRICT, WITHOUT ROWID;
CREATE TABLE uniq (
    tenant TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, owner TEXT NOT NULL,
    PRIMARY KEY (tenant, name, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE blob (
    digest BLOB PRIMARY KEY, segment INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_place ON blob (segment, offset, length);

-- state: 0 waiting, 1 running, 2 done, 3 dead. behind: an older job of the lane goes first.
CREATE TABLE job (
    id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, lane TEXT,
    environment TEXT NOT NULL, flow BLOB, payload BLOB NOT NULL, state INTEGER NOT NULL, behind INTEGER NOT NULL,
    due INTEGER NOT NULL, attempts INTEGER NOT NULL, claim INTEGER NOT NULL, claimed INTEGER, error TEXT,
    created INTEGER NOT NULL,
    UNIQUE (tenant, kind, key)
) STRICT;
CREATE INDEX job_due ON job (environment, kind, due, id) WHERE state < 2 AND behind = 0;
CREATE INDEX job_lane ON job (tenant, environment, lane, id) WHERE state < 2 AND lane IS NOT NULL;
CREATE INDEX job_flow ON job (flow, id) WHERE flow IS NOT NULL;
CREATE INDEX job_unfinished ON job (state, id) WHERE state <> 2;

-- state: 0 waiting, 1 done, 2 refused, 3 failed.
CREATE TABLE flow (
    n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, tenant TEXT NOT NULL, kind TEXT NOT NULL, state INTEGER NOT NULL,
    document TEXT, actor TEXT, created INTEGER NOT NULL
) STRICT;
CREATE INDEX flow_tenant ON flow (tenant, n);
CREATE INDEX flow_state ON flow (state, n) WHERE state <> 1;
-- state: 0 ok, 1 waiting, 2 refused, 3 failed.
CREATE TABLE flow_step (
    n INTEGER PRIMARY KEY, flow INTEGER NOT NULL, step TEXT NOT NULL, state INTEGER NOT NULL,
    started INTEGER NOT NULL, ended INTEGER, protocol TEXT NOT NULL, summary TEXT NOT NULL, rule TEXT,
    request BLOB, response BLOB
) STRICT;
CREATE INDEX flow_step_of ON flow_step (flow, n);

-- person: a keyed hash. wrapped: NULL once erased.
CREATE TABLE person_key (
    id INTEGER PRIMARY KEY, person BLOB NOT NULL, wrapped BLOB, created INTEGER NOT NULL, erased INTEGER
) STRICT;
CREATE INDEX person_key_of ON person_key (person);
-- recorded is in milliseconds. salt and sealed: NULL once erased.
CREATE TABLE audit_leaf (
    idx INTEGER PRIMARY KEY, person INTEGER NOT NULL, flow BLOB, recorded INTEGER NOT NULL, leaf BLOB NOT NULL,
    salt BLOB, sealed BLOB
) STRICT;
CREATE INDEX audit_person ON audit_leaf (person, idx);
CREATE INDEX audit_flow ON audit_leaf (flow, idx) WHERE flow IS NOT NULL;
-- Roots of whole subtrees of at least 256 leaves, for proofs.
CREATE TABLE audit_node (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, root BLOB NOT NULL, PRIMARY KEY (level, idx)
) STRICT, WITHOUT ROWID;
CREATE TABLE audit_head (one INTEGER PRIMARY KEY, size INTEGER NOT NULL, nodes BLOB NOT NULL) STRICT;
CREATE TABLE audit_checkpoint (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL) STRICT;
";

/// Typed entries, and the order of changes of each kind: what version 2 added.
///
/// A `param` is an entry name of a space, so that each key begins with tenant and kind in one short integer. The
/// clustered tables lead with the resource, which is appended to and cleared as one run; the index beside each one
/// leads with the value.
const TYPED: &str = "
CREATE TABLE param (id INTEGER PRIMARY KEY, space INTEGER NOT NULL, name TEXT NOT NULL, UNIQUE (space, name)) STRICT;
-- hash: the first 8 bytes of the SHA-256 of the word.
CREATE TABLE entry_exact (
    rid INTEGER NOT NULL, param INTEGER NOT NULL, hash INTEGER NOT NULL, PRIMARY KEY (rid, param, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_exact_by ON entry_exact (param, hash, rid);
CREATE TABLE entry_text (
    rid INTEGER NOT NULL, param INTEGER NOT NULL, folded TEXT NOT NULL, written TEXT NOT NULL,
    PRIMARY KEY (rid, param, folded, written)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_text_by ON entry_text (param, folded, rid);
-- unit: the first 8 bytes of its SHA-256; 0 for none.
CREATE TABLE entry_range (
    rid INTEGER NOT NULL, param INTEGER NOT NULL, unit INTEGER NOT NULL, low INTEGER NOT NULL, high INTEGER NOT NULL,
    PRIMARY KEY (rid, param, unit, low, high)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_range_by ON entry_range (param, unit, low, high, rid);
-- space and id: what is linked to; space 0 for a URL outside.
CREATE TABLE entry_link (
    rid INTEGER NOT NULL, param INTEGER NOT NULL, space INTEGER NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (rid, param, space, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_link_by ON entry_link (param, space, id, rid);
CREATE TABLE change (space INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (space, seq)) STRICT, WITHOUT ROWID;
";

/// What an older folder lacks, in order: the version that a step leads to, its tables, and what fills them.
const STEPS: [(i64, &str, &str); 1] = [(
    2,
    TYPED,
    "INSERT INTO change (space, seq) SELECT r.space, v.seq FROM version v JOIN resource r ON r.rid = v.rid;",
)];

/// Makes the tables in a new database, or checks that those there are ours and not newer.
pub(super) fn prepare(db: &Connection) -> Result<(), StoreError> {
    let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
    if version == 0 && application == 0 {
        return create(db);
    }
    if application != APPLICATION {
        return Err(damaged("socle.db is the database of another program"));
    }
    if version > VERSION {
        return Err(StoreError::Newer { found: version, known: VERSION });
    }
    migrate(db, version)
}

/// Brings an older database forward: all of it, or nothing.
fn migrate(db: &Connection, version: i64) -> Result<(), StoreError> {
    for (leads_to, tables, fill) in STEPS.iter().filter(|(leads_to, ..)| *leads_to > version) {
        let step = format!("BEGIN IMMEDIATE; {tables} {fill} PRAGMA user_version = {leads_to}; COMMIT;");
        if let Err(error) = db.execute_batch(&step) {
            if !db.is_autocommit() {
                db.execute_batch("ROLLBACK")?;
            }
            return Err(error.into());
        }
        tracing::info!(version = leads_to, "the data folder was brought to a newer schema");
    }
    Ok(())
}

fn create(db: &Connection) -> Result<(), StoreError> {
    let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 {
        return Err(damaged("socle.db is the database of another program"));
    }
    db.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {TYPED} PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION}; COMMIT;"
    ))?;
    Ok(())
}
