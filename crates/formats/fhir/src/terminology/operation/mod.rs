//! The operations of FHIR: `Parameters` in, JSON out, nothing else touched.
//!
//! Inside, from the request to the answer: `request`, `scope` (what the request sees), `language`
//! (names and their choice), `message` and `issue` (what is said), then one module per operation;
//! `check` is the inside of validation, `collect` that of expansion.

mod batch;
mod check;
mod collect;
mod expand;
mod issue;
mod language;
mod lookup;
mod message;
mod request;
mod scope;
mod subsumes;
mod translate;
mod validate;

pub use issue::{Refusal, TxIssue};
pub use request::{Context, Form};

use request::Request;

use super::library::Terminology;
use crate::tape::Node;

/// An expansion without paging has at most so many codes.
const MOST_CODES: usize = 10_000;

impl Terminology {
    /// `ValueSet/$validate-code`: the answer is a `Parameters`.
    ///
    /// # Errors
    /// When the value set is not known, or the question is incomplete.
    pub fn validate_code(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        validate::in_value_set(self, &mut Request::read(parameters, None, context))
    }

    /// `CodeSystem/$validate-code`: the answer is a `Parameters`.
    ///
    /// # Errors
    /// When the question is incomplete.
    pub fn validate_code_in_system(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        validate::in_code_system(self.source(), &Request::read(parameters, None, context))
    }

    /// `ValueSet/$expand`: the answer is a `ValueSet`.
    ///
    /// # Errors
    /// When the value set, or one of its systems, is not known, or it has too many codes for one answer.
    pub fn expand(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        let most = context.most_codes.unwrap_or(MOST_CODES);
        expand::expand(self, &mut Request::read(parameters, None, context), most)
    }

    /// `CodeSystem/$lookup`: the answer is a `Parameters`.
    ///
    /// # Errors
    /// When the system or the code is not known.
    pub fn lookup(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        lookup::lookup(self.source(), &Request::read(parameters, None, context))
    }

    /// `CodeSystem/$subsumes`: the answer is a `Parameters`.
    ///
    /// # Errors
    /// When the system or a code is not known.
    pub fn subsumes(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        subsumes::subsumes(self.source(), &Request::read(parameters, None, context))
    }

    /// `$closure` over the concepts of the request: the answer is a `ConceptMap`.
    ///
    /// # Errors
    /// When the request has no name.
    pub fn closure(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        subsumes::closure(self.source(), &Request::read(parameters, None, context))
    }

    /// `ConceptMap/$translate`: the answer is a `Parameters`.
    ///
    /// # Errors
    /// When the map is not known, or the question is incomplete.
    pub fn translate(&self, parameters: Node<'_>, context: Context<'_>) -> Result<Vec<u8>, Refusal> {
        translate::translate(self.source(), &Request::read(parameters, None, context))
    }

    /// `ValueSet/$batch-validate-code`: the answer is a `Parameters`, whose refusals stand beside its answers.
    #[must_use]
    pub fn batch_validate_code(&self, parameters: Node<'_>, context: Context<'_>) -> Vec<u8> {
        batch::batch(self, parameters, context)
    }
}

#[cfg(test)]
mod tests;
