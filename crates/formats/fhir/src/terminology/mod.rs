//! Terminologies: code systems, value sets and maps, and what can be asked of them.
//!
//! Enter by [`Library`] or [`Defined`] (what is known) and [`Terminology`] (what is asked):
//! [`Terminology::member`] answers the question of validators without allocation; the operations of
//! FHIR take the tape of a `Parameters` and give the JSON of the answer.
//!
//! ```
//! use std::sync::Arc;
//! use socle_fhir::terminology::{Context, Defined, Terminology};
//! use socle_fhir::{Document, package::View};
//!
//! let terminology = Terminology::new(Arc::new(Defined::new(Arc::new(View::core()))));
//! let question = Document::parse(r#"{"resourceType":"Parameters","parameter":[
//!     {"name":"url","valueUri":"http://hl7.org/fhir/ValueSet/administrative-gender"},
//!     {"name":"coding","valueCoding":{"system":"http://hl7.org/fhir/administrative-gender","code":"femme"}},
//!     {"name":"displayLanguage","valueCode":"fr-FR"}]}"#)?;
//! let answer = Document::parse(terminology.validate_code(question.root(), Context::default())?)?;
//! let message = answer.root().all("parameter").find(|one| one.text("name") == Some("message")).unwrap();
//! assert!(message.text("valueString").unwrap().starts_with("Code inconnu 'femme'"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Inside: `model` (facts), `read` (from the tape), `code_system` and `hierarchy` (compiled systems),
//! `version`, `filter` and `set` (compiled value sets), `grammar` and `iso` (systems that are rules, or
//! facts), `implicit` (value sets that nobody wrote), `library` and `defined` (sources), `operation`,
//! `import`.
//!
//! Not here: the content of SNOMED CT, LOINC, CIM-10 or CCAM, which cannot be given away; a database;
//! the network.

mod code_system;
mod defined;
mod filter;
mod grammar;
mod hierarchy;
mod implicit;
pub mod import;
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
