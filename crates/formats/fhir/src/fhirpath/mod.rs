//! FHIRPath 2.0 over the tape: compiled once, evaluated anywhere.
//!
//! [`compile`] reads an expression, checks it against the types of R4 and gives a [`Program`], which is
//! `Send + Sync` and knows elements by number. [`Program::evaluate`] runs it on an [`Item`] and gives a
//! [`Collection`] whose elements still say where they stand. What a document alone cannot say (references to
//! elsewhere, value sets, profiles) is asked of [`Hooks`]; what an evaluation may cost is its [`Budget`].
//!
//! ```
//! use socle_fhir::Document;
//! use socle_fhir::definitions::types;
//! use socle_fhir::fhirpath::{Environment, Item, Options, compile};
//!
//! let document = Document::parse(&br#"{"resourceType":"Patient","name":[{"family":"PAT-TROIS","given":["DOMINIQUE"]}]}"#[..])?;
//! let patient = Item::resource(document.root()).ok_or("no resource of R4")?;
//! let environment = Environment::default();
//!
//! let options = types().named("Patient").map(Options::on).unwrap_or_default();
//! let program = compile("Patient.name.where(family.startsWith('PAT')).given", &options)?;
//! let given = program.evaluate(&patient, &environment)?;
//! assert_eq!(given[0].as_text().as_deref(), Some("DOMINIQUE"));
//! assert_eq!(given[0].node().map(|node| node.path()).as_deref(), Some("Patient.name[0].given[0]"));
//!
//! assert!(compile("name.exists() and (name.count() < 3)", &options)?.holds(&patient, &environment)?);
//! let error = compile("name.givn", &options).unwrap_err();
//! assert_eq!(error.to_string(), "HumanName has no element givn (character 6)");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Implemented: FHIRPath 2.0 as the R4 test suite has it, the functions of FHIR R4 §2.9.1.4, and of later drafts
//! `sort`, `coalesce`, `lowBoundary`, `highBoundary`, `precision`, `comparable`, `encode`, `escape`, parts of
//! dates. Not here: `defineVariable`, and any I/O.
//!
//! Order of the rooms: text to tree (`lexer`, `parser`, `ast`), tree to program (`functions`, `typing`, `compile`, `special`,
//! `program`), evaluation (`machine`, `bodies`, `navigate`, `call`, `compare`, `arithmetic`, `convert`, `strings`), values
//! (`value`, `decimal`, `temporal`, `model`).

mod arithmetic;
mod ast;
mod bodies;
mod call;
mod compare;
mod compile;
mod convert;
mod decimal;
mod environment;
mod error;
mod functions;
mod lexer;
mod machine;
mod model;
mod navigate;
mod parser;
mod program;
mod special;
mod strings;
mod temporal;
#[cfg(test)]
mod tests;
mod typing;
mod value;

pub use compile::{Options, compile};
pub use decimal::{Decimal, NotADecimal};
pub use environment::{Alone, Budget, Environment, Hooks};
pub use error::{ErrorKind, FhirPathError, Stage};
pub use model::{System, Type, TypeId};
pub use navigate::resolve_inside;
pub use program::Program;
pub use temporal::{CalendarUnit, Precision, Temporal, TemporalKind};
pub use value::{Collection, Element, Item, Quantity, QuantityUnit};
