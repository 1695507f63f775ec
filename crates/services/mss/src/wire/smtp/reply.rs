use std::fmt;

/// A reply of a server: a code, its enhanced code (RFC 3463) and lines of text.
#[derive(Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
}

/// An enhanced status code, `class.subject.detail`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Enhanced(pub u8, pub u16, pub u16);

impl fmt::Display for Enhanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Enhanced {
    fn read(text: &str) -> Option<Self> {
        let mut numbers = text.split('.');
        let mut next = |length_max: usize| {
            let number = numbers.next()?;
            let ok = (1..=length_max).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
            if ok { number.parse::<u16>().ok() } else { None }
        };
        let (class, subject, detail) = (next(1)?, next(3)?, next(3)?);
        let class = u8::try_from(class).ok().filter(|class| matches!(class, 2 | 4 | 5))?;
        numbers.next().is_none().then_some(Self(class, subject, detail))
    }
}

impl Reply {
    /// A reply of one line.
    #[must_use]
    pub fn new(code: u16, enhanced: Enhanced, text: impl Into<String>) -> Self {
        Self { code, enhanced: Some(enhanced), lines: vec![text.into()] }
    }

    /// A reply without enhanced code: the greeting, `EHLO`, `354`, `334` (RFC 2034 §4).
    #[must_use]
    pub fn bare(code: u16, lines: Vec<String>) -> Self {
        Self { code, enhanced: None, lines }
    }

    /// The code, 200 to 599.
    #[must_use]
    pub const fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced code, when the server gave one.
    #[must_use]
    pub const fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// The lines of text, codes left out.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.lines
    }

    /// 2xx.
    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 4xx: the same may succeed later.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.code / 100 == 4
    }

    /// The octets to send.
    #[must_use]
    pub fn to_wire(&self) -> String {
        let mut out = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            let separator = if at + 1 == self.lines.len() { ' ' } else { '-' };
            out.push_str(&format!("{}{separator}", self.code));
            if let Some(enhanced) = self.enhanced {
                out.push_str(&format!("{enhanced} "));
            }
            // A reply never holds more lines than were meant.
            out.extend(line.chars().map(|c| if c.is_control() { ' ' } else { c }));
            out.push_str("\r\n");
        }
        out
    }
}

/// For logs and errors: a server's text may repeat a patient's address, which is the matricule.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(enhanced) = self.enhanced {
            write!(f, " {enhanced}")?;
        }
        for line in self.lines.iter().filter(|line| !line.is_empty()) {
            write!(f, " {}", without_matricules(line))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Hides every run of letters and digits that is as long as a matricule and has its digits.
fn without_matricules(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for sign in text.chars().chain(std::iter::once(' ')) {
        if sign.is_ascii_alphanumeric() {
            run.push(sign);
            continue;
        }
        let is_matricule = run.len() >= 13 && run.bytes().filter(u8::is_ascii_digit).count() >= 12;
        out.push_str(if is_matricule { "(matricule)" } else { &run });
        run.clear();
        out.push(sign);
    }
    out.pop();
    out
}

/// Gathers the lines of a reply.
#[derive(Debug, Default)]
pub struct ReplyReader {
    code: Option<u16>,
    enhanced: Option<Enhanced>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// More lines than any server has capabilities.
    const LINES_MAX: usize = 128;

    /// Takes a line, its line break left out; gives the reply at its last line.
    ///
    /// # Errors
    /// [`ReplyError`]: the peer does not speak SMTP.
    pub fn push(&mut self, line: &str) -> Result<Option<Reply>, ReplyError> {
        let code = line.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let code = code.and_then(|code| code.parse::<u16>().ok()).filter(|code| (200..600).contains(code));
        let code = code.ok_or(ReplyError::Code)?;
        if self.code.is_some_and(|first| first != code) {
            return Err(ReplyError::Mixed);
        }
        if self.lines.len() == Self::LINES_MAX {
            return Err(ReplyError::TooLong);
        }
        let is_last = match line.as_bytes().get(3) {
            None | Some(b' ') => true,
            Some(b'-') => false,
            Some(_) => return Err(ReplyError::Code),
        };
        self.code = Some(code);
        self.keep(line.get(4..).unwrap_or_default());
        if !is_last {
            return Ok(None);
        }
        let Self { enhanced, lines, .. } = std::mem::take(self);
        Ok(Some(Reply { code, enhanced, lines }))
    }

    fn keep(&mut self, text: &str) {
        let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
        match Enhanced::read(first) {
            Some(enhanced) if self.enhanced.is_none_or(|known| known == enhanced) => {
                self.enhanced = Some(enhanced);
                self.lines.push(rest.to_owned());
            }
            _ => self.lines.push(text.to_owned()),
        }
    }
}

/// What a peer sent is no reply of SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReplyError {
    /// No code in front.
    #[error("a line does not begin with a code of SMTP")]
    Code,
    /// Two codes in one reply.
    #[error("the lines of one reply have different codes")]
    Mixed,
    /// More than 128 lines, or a line too long.
    #[error("the reply is too long")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Option<Reply>, ReplyError> {
        let mut reader = ReplyReader::default();
        let mut found = Ok(None);
        for line in text.split("\r\n").filter(|line| !line.is_empty()) {
            found = reader.push(line);
            found.as_ref().map_err(|error| *error)?;
        }
        found
    }

    #[test]
    fn replies_are_read_with_their_enhanced_code() {
        let reply = read("550-5.1.1 unknown\r\n550 5.1.1 mailbox\r\n").unwrap().unwrap();
        assert_eq!((reply.code(), reply.enhanced()), (550, Some(Enhanced(5, 1, 1))));
        assert_eq!(reply.lines(), ["unknown", "mailbox"]);
        let cases = [
            ("250\r\n", 250, None, ""),
            ("250 OK\r\n", 250, None, "OK"),
            ("250 2.0.0\r\n", 250, Some(Enhanced(2, 0, 0)), ""),
            ("354 go\r\n", 354, None, "go"),
            ("250 1.2.3.4 is here\r\n", 250, None, "1.2.3.4 is here"),
            ("250 7.0.0 x\r\n", 250, None, "7.0.0 x"),
        ];
        for (text, code, enhanced, line) in cases {
            let reply = read(text).unwrap().unwrap();
            assert_eq!(
                (reply.code(), reply.enhanced(), reply.lines()),
                (code, enhanced, &[line.to_owned()][..]),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_reply_is_refused() {
        for (text, error) in [
            ("SSH-2.0-x", ReplyError::Code),
            ("99 x", ReplyError::Code),
            ("600 x", ReplyError::Code),
            ("250x", ReplyError::Code),
            ("250-a\r\n251 b", ReplyError::Mixed),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
        assert_eq!(read(&"250-x\r\n".repeat(129)), Err(ReplyError::TooLong));
        assert_eq!(read("250-x\r\n"), Ok(None));
    }

    #[test]
    fn a_log_shows_no_matricule() {
        let reply = Reply::new(550, Enhanced(5, 1, 1), "<279035121518989@patient.mssante.fr> 180032B02040123 unknown");
        assert_eq!(reply.to_string(), "550 5.1.1 <(matricule)@patient.mssante.fr> (matricule) unknown");
        let ticket = Reply::new(250, Enhanced(2, 0, 0), "queued as 0198c3ab-7e6f");
        assert_eq!(ticket.to_string(), "250 2.0.0 queued as 0198c3ab-7e6f");
    }

    #[test]
    fn no_text_adds_a_line_to_a_reply() {
        let reply = Reply::new(250, Enhanced(2, 0, 0), "a\r\n250 b");
        assert_eq!(reply.to_wire(), "250 2.0.0 a  250 b\r\n");
    }

    proptest! {
        #[test]
        fn a_reply_comes_back(code in 200u16..600, detail in 0u16..999, lines in prop::collection::vec("[a-z ]{0,20}x", 1..5)) {
            let reply = Reply { code, enhanced: Some(Enhanced(2, 1, detail)), lines };
            prop_assert_eq!(read(&reply.to_wire()), Ok(Some(reply)));
        }

        #[test]
        fn any_line_is_read_or_refused(line in any::<String>()) {
            let _ = ReplyReader::default().push(&line);
        }
    }
}
