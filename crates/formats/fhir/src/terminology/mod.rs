//! Terminologies: code systems, value sets and maps, and what can be asked of them.
//!
//! Enter by [`Library`] (what is known) and [`Terminology`] (what is asked): [`Terminology::member`]
//! answers the question of validators without allocation; the operations of FHIR take the tape of a
//! `Parameters` and give the JSON of the answer.
//!
//! Inside: `model` (facts), `read` (from the tape), `code_system` and `hierarchy` (compiled systems),
//! `version`, `filter` and `set` (compiled value sets), `grammar` (systems that are rules), `implicit`
//! (value sets that nobody wrote).
//!
//! Not here: the content of SNOMED CT, LOINC, CIM-10 or CCAM, which cannot be given away; a database;
//! the network.

mod code_system;
mod defined;
mod filter;
mod grammar;
mod hierarchy;
mod implicit;
mod iso;
mod library;
mod model;
mod operation;
mod read;
mod set;
pub mod version;

pub use code_system::{CodeSystem, CodeSystemBuilder, ConceptId};
pub use defined::Defined;
pub use filter::{FilterError, FilterFault};
pub use grammar::Grammar;
pub use hierarchy::Hierarchy;
pub use library::{Library, Source, Terminology, Versioned, newest};
pub use model::{
    Coding, Compose, Concept, ConceptMap, Contained, Content, Designation, Extension, Filter, FilterOp, Header,
    Include, IncludedConcept, MapElement, MapGroup, MapTarget, NamingSystem, Property, PropertyDefinition,
    PropertyValue, Unmapped, ValueSet,
};
pub use operation::{Context, Form, Refusal, TxIssue};
pub use read::{ReadError, coding, read_code_system, read_concept_map, read_naming_system, read_value_set};
pub use set::{Members, Membership, Reason, Set, SetError};

#[cfg(test)]
mod tests;
