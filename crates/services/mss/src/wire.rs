//! The formats of mail, read and written; pure, no I/O.
//!
//! Shared by the client and the twin: what one writes the other reads, so golden mails and foreign
//! programs (smtplib, imaplib, msmtp, openssl) pass through here too. In order: the message
//! ([`message`], on [`header`]), the commands and replies of SMTP ([`smtp`]), the message inside
//! SMTP ([`data`]), authentication ([`sasl`]), delivery reports ([`dsn`]); and the liste
//! blanche ([`white_list`]).
//!
//! We write strictly (7 bits, CRLF, RFC 2047 and 2231) and read what the field sends.

pub mod data;
pub mod dsn;
pub mod header;
pub mod message;
pub mod sasl;
pub mod smtp;
pub mod white_list;
