//! The commands and replies of SMTP submission, read and written (RFC 5321, 1870, 2920, 3207, 3461,
//! 4954, 6152, 6531, 2034).
//!
//! The twin reads commands and writes replies, the client does the contrary. In order: commands
//! ([`Command`]), replies ([`Reply`]), what a server says it can do ([`Capabilities`]).

mod capabilities;
mod command;
mod reply;
mod xtext;

pub use capabilities::Capabilities;
pub use command::{Command, CommandError, Mail, Notify, Rcpt, Return};
pub use reply::{Enhanced, Reply, ReplyError, ReplyReader};
pub use xtext::{xtext, xtext_decode};

/// The longest line of a dialogue, in octets, line break included: what RFC 4954 §4 sets for `AUTH`, which
/// carries tokens; everything else is shorter (RFC 5321 §4.5.3.1.4: 512 and the extensions).
pub const LINE_MAX: usize = 12_288;

/// The longest path, in octets (RFC 5321 §4.5.3.1.3).
pub const PATH_MAX: usize = 256;
