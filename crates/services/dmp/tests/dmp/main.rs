//! The client against the twin over real TLS, other stacks against the twin, and hostile messages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]
#![allow(clippy::print_stdout, reason = "a skipped test says so")]

mod consult;
mod deposit;
mod draft;
mod durable;
mod faults;
mod limits;
mod peers;
mod refusals;
mod registry;
mod support;
mod vihf;
