//! FHIR R4 REST over one tenant of the store: the front door's own records and, later, every twin that speaks FHIR.
//!
//! Enter by [`Base`]: it answers a [`Call`], whose caller was recognised before, as HTTP. It decides whether the
//! actor may, does the interaction, and leaves one record in the audit log for it: in the same commit as what is
//! written, before anything is shown.
//!
//! *The way of a write.* `answer` reads what the caller wants back, `route` what is asked. `resource` reads the body
//! (JSON or XML) into a tape and makes the bytes to keep; the validator of `socle-fhir` judges them; `catalogue` and
//! `extract` evaluate the search parameters of the type, compiled once; `write` puts all of it into one batch;
//! `transaction` makes one batch of a whole bundle.
//! *The way of a read.* `search` makes a query of the store out of the parameters; bodies go out as they were kept,
//! with their version put in; `shape` cuts parts out for `_summary` and `_elements`; `bundle` writes lists.
//!
//! Absent on purpose: SQL, authentication, and anything that `capability` does not list.

mod answer;
mod base;
mod bundle;
mod capability;
mod catalogue;
mod extract;
mod problem;
mod read;
mod resource;
mod route;
mod search;
mod shape;
mod trace;
mod transaction;
mod values;
mod write;

pub use base::{Base, Call, Settings, Unusable, Validation};
