//! MSSanté: secure health mail (Référentiel socle MSSanté #2, clients de messageries).
//!
//! Enter by [`model::DocumentMail`]: a mail about one usager, with its archive `IHE_XDM.zip` and its
//! X-headers, that cannot be written wrong. [`client::Client`] submits it to an operator;
//! [`twin`] is an operator, with SMTP submission and IMAP, for tests without network.
//!
//! *Invariant:* a [`model::Recipient`] comes from the liste blanche (a professional) or from a
//! qualified identity (a patient, ECO.2.2.6), never from a text. *Invariant:* the X-headers are
//! computed from the archive that leaves, never from fields of a form. *Absent on purpose:* the
//! content of the documents (`socle-cda`), the directory, and any `if twin` in the client.

pub mod client;
pub mod model;
mod net;
pub mod twin;
pub mod wire;
