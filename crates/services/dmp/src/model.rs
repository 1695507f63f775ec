//! The words and rules of the DMP, pure: how one authenticates ([`Mode`], [`Vihf`]), who may do what
//! ([`rights`]), who sees which document ([`visibility`]), what is asked ([`query`]), and what the
//! errors mean ([`ErrorCode`]).
//!
//! Not here: bytes and XML (`wire`), sockets (`client`, `twin`), the metadata of documents (they are
//! the CI-SIS', in `socle_cda::xds`).

mod error_code;
mod existence;
pub mod query;

pub mod rights;
mod vihf;
pub mod visibility;

pub use error_code::{ErrorCode, Recovery};
pub use existence::{Authorisation, Existence};
pub use vihf::{
    Automaton, Employee, Professional, ProfessionalError, Purpose, Role, Software, Speaker, Structure, Vihf,
};

/// How a software authenticates on the DMP (TD0.1). One mode cannot both feed and consult for a
/// structure: [`Mode::Indirect`] feeds, [`Mode::IndirectRenforcee`] consults (PDT-INF-526, PDT-INF-606).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The professional's card signs.
    Direct,
    /// The structure's ORG_SIGN certificate signs, nobody in particular speaks.
    Indirect,
    /// AIR: the structure signs and vouches for a professional it authenticated strongly.
    IndirectRenforcee,
}

impl Mode {
    /// The value of the VIHF attribute `Authentification_mode`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Direct => "DIRECTE",
            Self::Indirect => "INDIRECTE",
            Self::IndirectRenforcee => "INDIRECTE_RENFORCEE",
        }
    }

    /// Reads that value.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        [Self::Direct, Self::Indirect, Self::IndirectRenforcee].into_iter().find(|mode| mode.as_str() == text)
    }
}
