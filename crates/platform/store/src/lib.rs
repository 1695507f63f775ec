//! Durable state: resources, blobs, jobs, flows and audit leaves, behind one trait.
//!
//! Enter by [`Store`]: callers hold an `Arc<dyn Store>`, write with a [`Batch`] and never see which engine
//! keeps it. [`SqliteStore`] is the embedded engine, in one folder of its own.
//!
//! ```
//! # use socle_store::*;
//! # async fn example(folder: &std::path::Path) -> Result<(), StoreError> {
//! let store = SqliteStore::open(folder, Options::default())?;
//! let letter = Blob::new("<ClinicalDocument/>");
//! let mut batch = Batch::new("platform");
//! batch.writes.push(
//!     Write::new("DocumentReference", "0198c5…", r#"{"resourceType":"DocumentReference"}"#)
//!         .posting("status", "current")
//!         .expect(Expect::Absent),
//! );
//! batch.blobs.push(letter.clone());
//! assert_eq!(store.commit(batch).await?.writes, [1]); // durable from here on
//!
//! let current = vec![Term::is("status", "current")];
//! let found = store.search("platform", "DocumentReference", current, Page::first(20)).await?;
//! assert_eq!(found[0].version, 1);
//! assert_eq!(store.blob(&letter.digest()).await?.as_ref(), Some(letter.bytes()));
//! # Ok(())
//! # }
//! # let dir = tempfile::tempdir().unwrap();
//! # tokio::runtime::Runtime::new().unwrap().block_on(example(dir.path())).unwrap();
//! ```
//!
//! *Promise:* once [`Store::commit`] has answered, the whole batch (resources, blobs, audit records,
//! jobs) survives a crash and a power cut; if it has not, either all of it is there or nothing.
//! *Absent on purpose:* no SQL in the trait, no knowledge of FHIR or of any service, no way to change or
//! drop an audit record.

pub mod audit;
pub mod batch;
pub mod check;
mod digest;
pub mod error;
pub mod flow;
pub mod index;
pub mod job;
pub mod query;
pub mod resource;
mod sqlite;
mod store;

pub use audit::{AuditContent, AuditEntry, AuditFilter, AuditHead, AuditProblem, AuditReport, Checkpoint, Erased};
pub use batch::{Batch, Committed, Delete, Enqueued, Expect, Posting, Release, Unique, Write};
pub use check::{BlobProblem, CheckReport};
pub use digest::{Blob, Digest, DigestError};
pub use error::StoreError;
pub use flow::{Exchange, Flow, FlowFilter, FlowState, FlowStep, FlowSummary, NewFlow, StepState};
pub use index::{Entry, Key};
pub use job::{Claim, Job, JobCount, JobFilter, JobId, JobState, JobUpdate, NewJob, Outcome};
pub use query::{Bounds, Filter, Found, Query, Sort, SortBy, TextTest};
pub use resource::{Cursor, Page, Term, Version};
pub use sqlite::{Options, SqliteStore};
pub use store::{Store, Stored};
