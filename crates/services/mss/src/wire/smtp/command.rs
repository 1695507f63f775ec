use std::fmt;

use super::{Enhanced, PATH_MAX, Reply, xtext, xtext_decode};
use crate::wire::sasl::Mechanism;

/// A command of a submission client.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// `EHLO <name>`.
    Ehlo(String),
    /// `HELO <name>`, of clients that know no extension.
    Helo(String),
    /// `STARTTLS`.
    StartTls,
    /// `AUTH <mechanism> [<initial response>]`, the response in base64, `=` for an empty one.
    Auth(Mechanism, Option<String>),
    /// `MAIL FROM:<…>`.
    Mail(Mail),
    /// `RCPT TO:<…>`.
    Rcpt(Rcpt),
    /// `DATA`.
    Data,
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `VRFY`: the twin tells nothing.
    Vrfy,
    /// `HELP`.
    Help,
    /// `QUIT`.
    Quit,
}

/// `MAIL FROM` and its parameters.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Mail {
    /// The return path; empty for reports (`<>`).
    pub from: String,
    /// `SIZE=`, the octets that will come (RFC 1870).
    pub size: Option<u64>,
    /// `BODY=8BITMIME` (RFC 6152).
    pub is_8bit: bool,
    /// `SMTPUTF8` (RFC 6531).
    pub is_utf8: bool,
    /// `RET=`: what a report of failure gives back (RFC 3461).
    pub ret: Option<Return>,
    /// `ENVID=`, decoded.
    pub envid: Option<String>,
}

/// `RET=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum Return {
    /// The whole message.
    Full,
    /// Its headers.
    Headers,
}

/// `RCPT TO` and its parameters.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Rcpt {
    /// The path.
    pub to: String,
    /// `NOTIFY=`; none leaves it to the server (failures and delays).
    pub notify: Option<Notify>,
    /// `ORCPT=`, decoded, the address type left out.
    pub orcpt: Option<String>,
}

/// `NOTIFY=`: when the sender wants a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Notify {
    /// `SUCCESS`.
    pub success: bool,
    /// `FAILURE`.
    pub failure: bool,
    /// `DELAY`.
    pub delay: bool,
}

impl Notify {
    /// `SUCCESS,FAILURE,DELAY`.
    pub const ALL: Self = Self { success: true, failure: true, delay: true };

    fn to_parameter(self) -> String {
        let words = [(self.success, "SUCCESS"), (self.failure, "FAILURE"), (self.delay, "DELAY")];
        let words = words.into_iter().filter_map(|(asked, word)| asked.then_some(word)).collect::<Vec<_>>();
        if words.is_empty() { "NEVER".to_owned() } else { words.join(",") }
    }
}

impl Command {
    /// Reads a line, its line break left out.
    ///
    /// # Errors
    /// [`CommandError`], which knows the reply to send.
    pub fn read(line: &str) -> Result<Self, CommandError> {
        if line.chars().any(char::is_control) {
            return Err(CommandError::Syntax("a control character"));
        }
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" => Ok(Self::Ehlo(client_name(rest)?)),
            "HELO" => Ok(Self::Helo(client_name(rest)?)),
            "STARTTLS" => alone(rest, Self::StartTls),
            "AUTH" => read_auth(rest),
            "MAIL" => read_mail(rest),
            "RCPT" => read_rcpt(rest),
            "DATA" => alone(rest, Self::Data),
            "RSET" => alone(rest, Self::Rset),
            "NOOP" => Ok(Self::Noop),
            "VRFY" => Ok(Self::Vrfy),
            "HELP" => Ok(Self::Help),
            "QUIT" => alone(rest, Self::Quit),
            _ => Err(CommandError::Unknown),
        }
    }

    /// The line to send, its line break left out.
    #[must_use]
    pub fn to_line(&self) -> String {
        match self {
            Self::Ehlo(name) => format!("EHLO {name}"),
            Self::Helo(name) => format!("HELO {name}"),
            Self::StartTls => "STARTTLS".to_owned(),
            Self::Auth(mechanism, None) => format!("AUTH {}", mechanism.name()),
            Self::Auth(mechanism, Some(response)) => format!("AUTH {} {response}", mechanism.name()),
            Self::Mail(mail) => mail.to_line(),
            Self::Rcpt(rcpt) => rcpt.to_line(),
            Self::Data => "DATA".to_owned(),
            Self::Rset => "RSET".to_owned(),
            Self::Noop => "NOOP".to_owned(),
            Self::Vrfy => "VRFY".to_owned(),
            Self::Help => "HELP".to_owned(),
            Self::Quit => "QUIT".to_owned(),
        }
    }
}

/// Addresses may be a patient's, and `AUTH` carries tokens.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.to_line();
        f.write_str(line.split([' ', ':']).next().unwrap_or_default())
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("size", &self.size).finish_non_exhaustive()
    }
}

impl fmt::Debug for Rcpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rcpt").field("notify", &self.notify).finish_non_exhaustive()
    }
}

impl Mail {
    fn to_line(&self) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.from);
        if let Some(size) = self.size {
            line.push_str(&format!(" SIZE={size}"));
        }
        if self.is_8bit {
            line.push_str(" BODY=8BITMIME");
        }
        if self.is_utf8 {
            line.push_str(" SMTPUTF8");
        }
        match self.ret {
            Some(Return::Full) => line.push_str(" RET=FULL"),
            Some(Return::Headers) => line.push_str(" RET=HDRS"),
            None => {}
        }
        if let Some(envid) = &self.envid {
            line.push_str(&format!(" ENVID={}", xtext(envid)));
        }
        line
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), CommandError> {
        match (name, value) {
            ("SIZE", Some(value)) => self.size = Some(number(value)?),
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("7BIT") => self.is_8bit = false,
            ("BODY", Some(value)) if value.eq_ignore_ascii_case("8BITMIME") => self.is_8bit = true,
            ("SMTPUTF8", None) => self.is_utf8 = true,
            ("RET", Some(value)) if value.eq_ignore_ascii_case("FULL") => self.ret = Some(Return::Full),
            ("RET", Some(value)) if value.eq_ignore_ascii_case("HDRS") => self.ret = Some(Return::Headers),
            ("ENVID", Some(value)) => {
                let envid = xtext_decode(value).filter(|envid| !envid.is_empty() && envid.len() <= 100);
                self.envid = Some(envid.ok_or(CommandError::Syntax("ENVID (RFC 3461 §4.4)"))?);
            }
            // RFC 4954 §5: of use between servers that trust each other; we do not pass it on.
            ("AUTH", Some(_)) => {}
            _ => return Err(CommandError::Parameter),
        }
        Ok(())
    }
}

impl Rcpt {
    fn to_line(&self) -> String {
        let mut line = format!("RCPT TO:<{}>", self.to);
        if let Some(notify) = self.notify {
            line.push_str(&format!(" NOTIFY={}", notify.to_parameter()));
        }
        if let Some(orcpt) = &self.orcpt {
            line.push_str(&format!(" ORCPT=rfc822;{}", xtext(orcpt)));
        }
        line
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), CommandError> {
        match (name, value) {
            ("NOTIFY", Some(value)) => self.notify = Some(read_notify(value)?),
            ("ORCPT", Some(value)) => {
                let address = value.split_once(';').and_then(|(_, address)| xtext_decode(address));
                let address = address.filter(|address| !address.is_empty() && address.len() <= 500);
                self.orcpt = Some(address.ok_or(CommandError::Syntax("ORCPT (RFC 3461 §4.2)"))?);
            }
            _ => return Err(CommandError::Parameter),
        }
        Ok(())
    }
}

fn read_notify(value: &str) -> Result<Notify, CommandError> {
    if value.eq_ignore_ascii_case("NEVER") {
        return Ok(Notify::default());
    }
    let mut notify = Notify::default();
    for word in value.split(',') {
        match word.to_ascii_uppercase().as_str() {
            "SUCCESS" => notify.success = true,
            "FAILURE" => notify.failure = true,
            "DELAY" => notify.delay = true,
            _ => return Err(CommandError::Syntax("NOTIFY (RFC 3461 §4.1)")),
        }
    }
    Ok(notify)
}

/// A domain or an address literal; kept for the trace header, so nothing that could break out of it.
fn client_name(text: &str) -> Result<String, CommandError> {
    let sign = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    if (1..=255).contains(&text.len()) && text.bytes().all(sign) {
        return Ok(text.to_owned());
    }
    Err(CommandError::Syntax("the name of the client (RFC 5321 §4.1.1.1)"))
}

fn alone(rest: &str, command: Command) -> Result<Command, CommandError> {
    if rest.is_empty() { Ok(command) } else { Err(CommandError::Syntax("nothing may follow this command")) }
}

fn read_auth(rest: &str) -> Result<Command, CommandError> {
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let mechanism = words.next().ok_or(CommandError::Syntax("AUTH names a mechanism"))?;
    let initial = words.next().map(str::to_owned);
    if words.next().is_some() {
        return Err(CommandError::Syntax("AUTH takes a mechanism and one response"));
    }
    let mechanism = Mechanism::read(mechanism).ok_or(CommandError::Mechanism)?;
    Ok(Command::Auth(mechanism, initial))
}

fn read_mail(rest: &str) -> Result<Command, CommandError> {
    let (from, parameters) = path(rest, "FROM:")?;
    let mut mail = Mail { from: from.to_owned(), ..Mail::default() };
    for (name, value) in read_parameters(parameters)? {
        mail.set(&name, value)?;
    }
    Ok(Command::Mail(mail))
}

fn read_rcpt(rest: &str) -> Result<Command, CommandError> {
    let (to, parameters) = path(rest, "TO:")?;
    if to.is_empty() {
        return Err(CommandError::Path);
    }
    let mut rcpt = Rcpt { to: to.to_owned(), ..Rcpt::default() };
    for (name, value) in read_parameters(parameters)? {
        rcpt.set(&name, value)?;
    }
    Ok(Command::Rcpt(rcpt))
}

/// `FROM:<path> parameters`; a space after the colon is a common fault that everybody reads.
fn path<'a>(rest: &'a str, keyword: &str) -> Result<(&'a str, &'a str), CommandError> {
    let head = rest.get(..keyword.len()).ok_or(CommandError::Path)?;
    if !head.eq_ignore_ascii_case(keyword) {
        return Err(CommandError::Path);
    }
    let rest = rest[keyword.len()..].trim_start().strip_prefix('<').ok_or(CommandError::Path)?;
    let (path, parameters) = rest.split_once('>').ok_or(CommandError::Path)?;
    if path.len() > PATH_MAX || path.contains(['<', ' ']) || !(parameters.is_empty() || parameters.starts_with(' ')) {
        return Err(CommandError::Path);
    }
    Ok((path, parameters))
}

fn read_parameters(text: &str) -> Result<Vec<(String, Option<&str>)>, CommandError> {
    let words = text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>();
    if words.len() > 10 {
        return Err(CommandError::Parameter);
    }
    let split = |word: &'_ str| word.split_once('=').map_or((word.len(), false), |(name, _)| (name.len(), true));
    let parameters = words.into_iter().map(|word| {
        let (length, has_value) = split(word);
        (word[..length].to_ascii_uppercase(), has_value.then(|| &word[length + 1..]))
    });
    Ok(parameters.collect())
}

fn number(text: &str) -> Result<u64, CommandError> {
    let is_number = (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let parsed = if is_number { text.parse().ok() } else { None };
    parsed.ok_or(CommandError::Syntax("SIZE is a number (RFC 1870)"))
}

/// Why a line is no command; each has its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// No such verb.
    #[error("the command is not known")]
    Unknown,
    /// A verb with wrong arguments; what was expected.
    #[error("syntax: {0}")]
    Syntax(&'static str),
    /// `FROM:<…>` or `TO:<…>` is not there.
    #[error("syntax: a path in angle brackets is expected")]
    Path,
    /// A parameter that was not offered.
    #[error("the parameter is not known")]
    Parameter,
    /// A mechanism that was not offered.
    #[error("the mechanism is not known")]
    Mechanism,
    /// More than [`super::LINE_MAX`] octets.
    #[error("the line is too long")]
    TooLong,
    /// Not UTF-8.
    #[error("the line is not UTF-8")]
    Encoding,
}

impl CommandError {
    /// The reply of RFC 5321 §4.2.2, with the enhanced code of RFC 3463.
    #[must_use]
    pub fn reply(self) -> Reply {
        let (code, enhanced) = match self {
            Self::Unknown => (500, Enhanced(5, 5, 1)),
            Self::Syntax(_) | Self::Encoding => (501, Enhanced(5, 5, 4)),
            Self::Path => (501, Enhanced(5, 1, 7)),
            Self::Parameter => (555, Enhanced(5, 5, 4)),
            Self::Mechanism => (504, Enhanced(5, 5, 4)),
            Self::TooLong => (500, Enhanced(5, 5, 6)),
        };
        Reply::new(code, enhanced, self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_are_read_and_written_alike() {
        let lines = [
            "EHLO lps.cabinet.test",
            "EHLO [127.0.0.1]",
            "STARTTLS",
            "AUTH EXTERNAL =",
            "AUTH XOAUTH2 dXNlcj0=",
            "MAIL FROM:<> SIZE=12 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=2f1c",
            "MAIL FROM:<a@b.test> RET=FULL ENVID=a+2Bb",
            "RCPT TO:<a@b.test> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=rfc822;a@b.test",
            "RCPT TO:<a@b.test> NOTIFY=NEVER",
            "DATA",
            "QUIT",
        ];
        for line in lines {
            assert_eq!(Command::read(line).map(|command| command.to_line()), Ok(line.to_owned()));
        }
        for (line, same) in [
            ("mail from: <a@b.test> size=3", "MAIL FROM:<a@b.test> SIZE=3"),
            ("ehlo x ", "EHLO x"),
            ("MAIL FROM:<a@b.test> BODY=7BIT AUTH=<>", "MAIL FROM:<a@b.test>"),
        ] {
            assert_eq!(Command::read(line).unwrap().to_line(), same, "{line}");
        }
    }

    #[test]
    fn wrong_lines_have_the_reply_of_the_standard() {
        let cases = [
            ("", 500),
            ("HELLO x", 500),
            ("EHLO", 501),
            ("EHLO x\u{7}", 501),
            ("EHLO a b", 501),
            ("EHLO x)(y", 501),
            ("DATA now", 501),
            ("AUTH", 501),
            ("AUTH CRAM-MD5", 504),
            ("AUTH PLAIN a b", 501),
            ("MAIL a@b.test", 501),
            ("MAIL FROM:a@b.test", 501),
            ("MAIL FROM:<a@b.test", 501),
            ("MAIL FROM:<a@b.test>SIZE=3", 501),
            ("MAIL FROM:<a b@b.test>", 501),
            ("MAIL FROM:<a@b.test> SIZE=x", 501),
            ("MAIL FROM:<a@b.test> SIZE=99999999999999999999", 501),
            ("MAIL FROM:<a@b.test> SIZE", 555),
            ("MAIL FROM:<a@b.test> X=1", 555),
            ("MAIL FROM:<a@b.test> BODY=BINARYMIME", 555),
            ("MAIL FROM:<a@b.test> ENVID=+", 501),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a@b.test> NOTIFY=NEVER,SUCCESS", 501),
            ("RCPT TO:<a@b.test> ORCPT=a@b.test", 501),
        ];
        for (line, code) in cases {
            assert_eq!(Command::read(line).unwrap_err().reply().code(), code, "{line}");
        }
        let long = format!("MAIL FROM:<{}@b.test>", "a".repeat(300));
        assert_eq!(Command::read(&long), Err(CommandError::Path));
    }

    #[test]
    fn nothing_of_a_command_is_shown_but_its_verb() {
        for line in ["AUTH XOAUTH2 dXNlcj0=", "RCPT TO:<279035121518989@patient.mssante.fr>"] {
            assert!(!format!("{:?}", Command::read(line).unwrap()).contains([' ', '<']), "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in any::<String>()) {
            if let Ok(command) = Command::read(&line) {
                let written = command.to_line();
                prop_assert!(!written.chars().any(char::is_control), "{written:?}");
                prop_assert_eq!(Command::read(&written), Ok(command));
            }
        }

        #[test]
        fn any_parameters_are_read_or_refused(path in "[a-zé@.<>]{0,9}", rest in "( [A-Za-z]{2,8}(=[ -~]{0,9})?){0,4}") {
            let line = format!("RCPT TO:<{path}>{rest}");
            if let Ok(command) = Command::read(&line) {
                prop_assert_eq!(Command::read(&command.to_line()), Ok(command));
            }
        }
    }
}
