//! Terminologies from the files of their publishers: SNOMED CT (RF2), LOINC (CSV), classifications in
//! ClaML such as CIM-10, tables with a code and a name such as CCAM, value sets of the NOS in SVS.
//!
//! Only importers: no content of these terminologies is in Socle, nor in its tests. Who imports them
//! holds the licence. What is published as FHIR (TRE and JDV of the NOS as JSON) needs none of this:
//! [`super::Library::add`] takes it.

pub mod claml;
pub mod loinc;
pub mod rf2;
pub mod svs;
pub mod table;

/// Why a file was not imported. Nothing of it is kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The first line lacks a column.
    #[error("the file has no column {0}: check that it is the file that is expected here")]
    Column(String),
    /// A line is not like the others.
    #[error("line {line}: {what}")]
    Line {
        /// From 1.
        line: usize,
        /// What is wrong.
        what: &'static str,
    },
    /// The XML is not what is expected.
    #[error("{0}")]
    Xml(String),
    /// The file could not be read.
    #[error("the file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The file has no concept.
    #[error("the file has no concept: check that it is the file that is expected here")]
    Empty,
}
