//! Who is who: the INS and its traits, the statuses of RNIV, qualified identities, professionals,
//! structures, mail addresses. Types without I/O, parsed once at the edge.
//!
//! Enter by [`Identity`]: it grades what we know of a person, as RNIV does, and is the only way to a
//! [`QualifiedIdentity`], which `dmp` and `mss` ask for in their signatures. Everything else here is
//! a word that those two need.
//!
//! Absent on purpose: no network, no automatic merge, no default identity paper, and no `Debug` that
//! shows a person (a matricule or a name printed by mistake is a leak).

mod address;
mod environment;
mod evidence;
mod identity;
mod ins;
mod name;
mod oid;
mod professional;
mod structure;
mod traits;

pub use address::{Domain, MssAddress, MssAddressError};
pub use environment::{Environment, EnvironmentMix};
pub use evidence::{Evidence, HighConfidenceDevice, UnknownDevice};
pub use identity::{Doubt, Identity, InsiAnswer, QualifiedIdentity, Refused, Status, StoredIdentity};
pub use ins::{Ins, InsAuthority, InsError, Matricule, UnknownInsAuthority};
pub use name::{InsiName, NameError, same_name};
pub use oid::{Oid, OidError};
pub use professional::{IdNatPs, IdNatPsError, Rpps};
pub use structure::{Finess, IdNatStruct, IdNatStructError};
pub use traits::{BirthPlace, BirthPlaceError, Difference, Sex, Traits, UnknownSex, consistent_first_given_name};
