//! IMAP4rev1 of the operator (RFC 3501), with what mail clients use: SASL-IR, LITERAL+, ID, NAMESPACE, IDLE, UIDPLUS,
//! MOVE, UNSELECT, CHILDREN, SPECIAL-USE.
//!
//! Commands are read by `imap-codec`. In order of the files: the session and its commands, authentication, folders,
//! messages, search; then what is pure: sections and structures of a message, and writing.
//!
//! A session sees a snapshot of its folder: sequence numbers move only when it is told (RFC 3501 §7.4.1).

mod auth;
mod command;
mod fetch;
mod folder;
mod out;
mod search;
mod section;
mod session;
mod structure;
mod view;

pub(crate) use session::serve;
