//! The words and rules of INSi: what may be asked, in which order, what an answer and a fault mean.
//!
//! Order: [`SearchTraits`] (an identity at the boundary of the teleservice), [`SearchPlan`] (which
//! question comes next), [`SearchOutcome`] (what was found), [`InsiFault`] (what the teleservice
//! refuses, and whose turn it is). No I/O and no XML: `wire.rs` reads and writes, `client.rs` asks.
//!
//! Absent on purpose: no search by variants of dates (a wrong person would be found one day), no
//! decision that an answer is the right person (a person decides; `socle_identity::Identity::accept`
//! compares the traits), no verification of an INS already held (WS_INS3 to 5 are not public).
//!
//! Source: guide d'intégration SEL-MP-043 v05.00.01 as its public integrators quote it, and the
//! WSDL `DESIR_ICIR_EXP` 1.5.0. What no public text says is marked UNKNOWN.

mod answer;
mod fault;
mod search;

pub use answer::{AnswerError, Remark, SearchOutcome, interpret};
pub use fault::{FaultClass, InsiFault, Severity};
pub use search::{Caller, InsiSex, Miss, Query, SearchPlan, SearchRefused, SearchTraits, UnknownCaller};
