//! HTTP: the front door (documents by FHIR R4, and FHIR bases), tokens for applications, the console, health and metrics.
//!
//! Enter by [`Door`]: it makes two routers over one [`socle_gateway::Gateway`]: [`Door::plain`] for
//! this machine's browsers and programs, [`Door::tls`] for applications with a certificate. A handler
//! turns a request into a call of the gateway and the answer into HTTP; it decides nothing.
//!
//! *Absent on purpose:* no business rule, no access without an [`socle_trust::Actor`], no personal data
//! in a URL that we make, in a log line or in a metric.

mod authenticate;
mod base;
mod console;
mod door;
mod fhir;
mod health;
mod metrics;
mod operator;
mod token;

pub use authenticate::{Application, Authenticator, Refused};
pub use console::ConsoleSettings;
pub use door::{Door, DoorSettings};
