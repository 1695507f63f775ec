//! The words of Pro Santé Connect: what it says of a professional ([`UserInfo`]), in which situation of
//! exercise they work ([`Situation`]), and the test professionals of the twin ([`PERSONAS`]).
//!
//! Read tolerantly: absent values are `""`, identifiers may be letters or UUIDs, an exercise may have no
//! activity. Never assumed: that the identifier is an RPPS, that there is one situation, that `sub` is a
//! stable key (a merge of identities changes it).
//!
//! Source: published samples of UserInfo, CI-SIS volet Sécurisation de la couche transport API REST
//! 1.2.0, MOS/NOS code lists. What PSI and the next claims will be is UNKNOWN.

mod persona;
mod situation;
mod userinfo;

pub use persona::{PERSONAS, Persona, Place, Practice, persona};
pub use situation::{ActorError, Professional, Situation};
pub use userinfo::{Activity, Exercise, OtherId, RefPro, UserInfo};

/// `SubjectRole` as Pro Santé Connect writes professions.
pub const SUBJECT_ROLE_OID: &str = "1.2.250.1.213.1.1.5.5";
/// Sectors of activity, `SA07^1.2.250.1.71.4.2.4`.
pub const SECTOR_OID: &str = "1.2.250.1.71.4.2.4";
/// Savoir-faire (`SM26`).
pub const SKILL_OID: &str = "1.2.250.1.71.4.2.5";
