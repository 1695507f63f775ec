use super::Reply;
use crate::wire::sasl::Mechanism;

/// What a server offers after `EHLO`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// `STARTTLS`.
    pub starttls: bool,
    /// `SIZE`: nothing when the server sets no limit or does not say.
    pub size_max: Option<u64>,
    /// `DSN`.
    pub dsn: bool,
    /// `PIPELINING`.
    pub pipelining: bool,
    /// `8BITMIME`.
    pub is_8bit: bool,
    /// `SMTPUTF8`.
    pub is_utf8: bool,
    /// `AUTH`, those we know.
    pub mechanisms: Vec<Mechanism>,
}

impl Capabilities {
    /// Reads a reply to `EHLO`; the first line is a greeting.
    #[must_use]
    pub fn read(reply: &Reply) -> Self {
        let mut found = Self::default();
        for line in reply.lines().iter().skip(1) {
            let line = line.to_ascii_uppercase();
            let mut words = line.split([' ', '=']).filter(|word| !word.is_empty());
            match words.next() {
                Some("STARTTLS") => found.starttls = true,
                Some("SIZE") => found.size_max = words.next().and_then(|n| n.parse().ok()).filter(|n| *n > 0),
                Some("DSN") => found.dsn = true,
                Some("PIPELINING") => found.pipelining = true,
                Some("8BITMIME") => found.is_8bit = true,
                Some("SMTPUTF8") => found.is_utf8 = true,
                Some("AUTH") => found.mechanisms.extend(words.filter_map(Mechanism::read)),
                _ => {}
            }
        }
        found
    }

    /// The reply to `EHLO`.
    #[must_use]
    pub fn to_reply(&self, greeting: String) -> Reply {
        let mut lines = vec![greeting];
        let mechanisms = self.mechanisms.iter().map(|mechanism| mechanism.name()).collect::<Vec<_>>().join(" ");
        let flags = [
            (self.pipelining, "PIPELINING"),
            (self.is_8bit, "8BITMIME"),
            (self.is_utf8, "SMTPUTF8"),
            (self.dsn, "DSN"),
            (true, "ENHANCEDSTATUSCODES"),
            (self.starttls, "STARTTLS"),
        ];
        lines.extend(self.size_max.map(|size| format!("SIZE {size}")));
        lines.extend(flags.into_iter().filter(|(offered, _)| *offered).map(|(_, word)| word.to_owned()));
        if !mechanisms.is_empty() {
            lines.push(format!("AUTH {mechanisms}"));
        }
        Reply::bare(250, lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_offered_is_read_back() {
        let all = Capabilities {
            starttls: true,
            size_max: Some(26_214_400),
            dsn: true,
            pipelining: true,
            is_8bit: true,
            is_utf8: true,
            mechanisms: vec![Mechanism::Xoauth2, Mechanism::External],
        };
        for offered in [all, Capabilities::default()] {
            assert_eq!(Capabilities::read(&offered.to_reply("twin".into())), offered);
        }
    }

    #[test]
    fn forms_of_the_field_are_read() {
        let lines = ["smtp.test at your service", "size 0", "AUTH=PLAIN LOGIN", "auth xoauth2", "X-SOMETHING"];
        let found = Capabilities::read(&Reply::bare(250, lines.map(str::to_owned).to_vec()));
        assert_eq!(found.size_max, None);
        assert_eq!(found.mechanisms, [Mechanism::Plain, Mechanism::Xoauth2]);
    }
}
