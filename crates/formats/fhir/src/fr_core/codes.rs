/// The canonical base of FR Core 2.x.
pub const BASE: &str = "https://hl7.fr/ig/fhir/core";

/// The editions of FR Core that we write; all of them are read, without being told which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edition {
    /// 2.1.0 (2024-09), what PDSm 3.1.1 is built on.
    #[default]
    V2_1,
    /// 2.2.0 (2026-03).
    V2_2,
    /// In preparation: the four statuses of RNIV, and its list of devices.
    Rniv,
}
