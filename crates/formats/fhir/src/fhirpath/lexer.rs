//! Characters to tokens.

use super::decimal::Decimal;
use super::error::{ErrorKind, FhirPathError, Result};
use super::temporal::Temporal;

/// A token and the character where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Lexed {
    pub(super) token: Token,
    pub(super) at: u32,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A plain name; keywords are names that the parser knows.
    Name(Box<str>),
    /// A name between back quotes or double quotes: never a keyword.
    Quoted(Box<str>),
    String(Box<str>),
    Integer(i64),
    Decimal(Literal<Decimal>),
    Temporal(Literal<Temporal>),
    /// `@T14:30Z`
    TimeWithZone,
    /// `$this`, `$index`, `$total`
    Dollar(Box<str>),
    /// `%name`
    External(Box<str>),
    Sign(Sign),
    End,
}

/// A value that compares by identity of its text, for tests of the lexer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<T>(pub(super) T);

impl<T: std::fmt::Display> PartialEq for Literal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_string() == other.0.to_string()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Dot,
    Comma,
    OpenBracket,
    CloseBracket,
    OpenSquare,
    CloseSquare,
    OpenBrace,
    CloseBrace,
    Plus,
    Minus,
    Times,
    Over,
    Ampersand,
    Pipe,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Equivalent,
    NotEquivalent,
}

/// All tokens of a text, the last one [`Token::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Lexed>> {
    if text.len() > MAX_LENGTH {
        return Err(FhirPathError::new(ErrorKind::TooComplex, 0));
    }
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip_space()?;
        let at = lexer.at;
        let token = lexer.token()?;
        let is_end = token == Token::End;
        tokens.push(Lexed { token, at: place(at) });
        if is_end {
            return Ok(tokens);
        }
    }
}

/// Bytes of an expression; the longest one of R4 has about 2 000.
const MAX_LENGTH: usize = 100_000;

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn token(&mut self) -> Result<Token> {
        let Some(first) = self.peek(0) else { return Ok(Token::End) };
        match first {
            'a'..='z' | 'A'..='Z' | '_' => Ok(Token::Name(self.name())),
            '0'..='9' => self.number(),
            '\'' => Ok(Token::String(self.quoted('\'')?)),
            '`' | '"' => Ok(Token::Quoted(self.quoted(first)?)),
            '@' => self.temporal(),
            '$' => {
                self.at += 1;
                Ok(Token::Dollar(self.name()))
            }
            '%' => self.external(),
            _ => self.sign(first),
        }
    }

    /// White space and comments.
    fn skip_space(&mut self) -> Result<()> {
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some(sign), _) if sign.is_whitespace() => self.at += 1,
                (Some('/'), Some('/')) => {
                    while self.peek(0).is_some_and(|sign| sign != '\n') {
                        self.at += 1;
                    }
                }
                (Some('/'), Some('*')) => {
                    let start = self.at;
                    while (self.peek(0), self.peek(1)) != (Some('*'), Some('/')) {
                        if self.peek(0).is_none() {
                            return self.fail(ErrorKind::Unterminated, start);
                        }
                        self.at += 1;
                    }
                    self.at += 2;
                }
                _ => return Ok(()),
            }
        }
    }

    fn name(&mut self) -> Box<str> {
        self.take_while(|sign| sign.is_ascii_alphanumeric() || sign == '_').into()
    }

    /// Text between quotes. An unknown escape keeps its backslash: published regular expressions need it.
    fn quoted(&mut self, quote: char) -> Result<Box<str>> {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let Some(sign) = self.peek(0) else { return self.fail(ErrorKind::Unterminated, start) };
            self.at += 1;
            match sign {
                _ if sign == quote => return Ok(text.into()),
                '\\' => self.escape(&mut text)?,
                _ => text.push(sign),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<()> {
        let Some(sign) = self.peek(0) else { return self.fail(ErrorKind::Unterminated, self.at) };
        self.at += 1;
        match sign {
            '\'' | '"' | '`' | '\\' | '/' => text.push(sign),
            'f' => text.push('\u{C}'),
            'n' => text.push('\n'),
            'r' => text.push('\r'),
            't' => text.push('\t'),
            'u' => {
                let start = self.at;
                let digits: String = self.chars.iter().skip(self.at).take(4).collect();
                let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 4);
                let Some(code) = code else { return self.fail(ErrorKind::Expected("\\u0000"), start) };
                self.at += 4;
                text.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            other => text.extend(['\\', other]),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<Token> {
        let start = self.at;
        let mut text = self.take_while(|sign| sign.is_ascii_digit());
        if self.peek(0) == Some('.') && self.peek(1).is_some_and(|sign| sign.is_ascii_digit()) {
            self.at += 1;
            text.push('.');
            text.push_str(&self.take_while(|sign| sign.is_ascii_digit()));
        } else if let Ok(value) = text.parse() {
            return Ok(Token::Integer(value));
        }
        match text.parse() {
            Ok(value) => Ok(Token::Decimal(Literal(value))),
            Err(_) => self.fail(ErrorKind::Number, start),
        }
    }

    /// `@2014-01-25T14:30:15.123+01:00`, `@T14:30`; a dot that is followed by no digit is not part of it.
    fn temporal(&mut self) -> Result<Token> {
        let start = self.at;
        self.at += 1;
        let from = self.at;
        if self.peek(0) == Some('T') {
            self.at += 1;
            self.scan_time();
            let time: String = self.chars[from + 1..self.at].iter().collect();
            if self.scan_zone() {
                return Ok(Token::TimeWithZone);
            }
            return self.literal(Temporal::read_time(&time), start);
        }
        self.scan_digits();
        while self.peek(0) == Some('-') && self.digit_at(1) && self.at - from < 8 {
            self.at += 1;
            self.scan_digits();
        }
        if self.peek(0) != Some('T') {
            let date: String = self.chars[from..self.at].iter().collect();
            return self.literal(Temporal::read_date(&date), start);
        }
        self.at += 1;
        if self.digit_at(0) {
            self.scan_time();
            self.scan_zone();
        }
        let moment: String = self.chars[from..self.at].iter().collect();
        self.literal(Temporal::read_date_time(&moment), start)
    }

    fn literal(&self, value: Option<Temporal>, start: usize) -> Result<Token> {
        value.map_or_else(|| self.fail(ErrorKind::Date, start), |value| Ok(Token::Temporal(Literal(value))))
    }

    fn scan_time(&mut self) {
        self.scan_digits();
        while self.peek(0) == Some(':') && self.digit_at(1) {
            self.at += 1;
            self.scan_digits();
        }
        if self.peek(0) == Some('.') && self.digit_at(1) {
            self.at += 1;
            self.scan_digits();
        }
    }

    fn scan_zone(&mut self) -> bool {
        match self.peek(0) {
            Some('Z') => self.at += 1,
            Some('+' | '-') if self.digit_at(1) && self.digit_at(2) && self.peek(3) == Some(':') => {
                self.at += 4;
                self.scan_digits();
            }
            _ => return false,
        }
        true
    }

    fn scan_digits(&mut self) {
        while self.digit_at(0) {
            self.at += 1;
        }
    }

    fn digit_at(&self, ahead: usize) -> bool {
        self.peek(ahead).is_some_and(|sign| sign.is_ascii_digit())
    }

    /// `%ucum`, `%vs-name`, `` %`ext-name` ``, `%"ext-name"`, `%'ext-name'`.
    fn external(&mut self) -> Result<Token> {
        let start = self.at;
        self.at += 1;
        let name = match self.peek(0) {
            Some(quote @ ('`' | '"' | '\'')) => self.quoted(quote)?,
            _ => {
                let name = self.name();
                self.external_with_hyphens(name)
            }
        };
        if name.is_empty() { self.fail(ErrorKind::Expected("%name"), start) } else { Ok(Token::External(name)) }
    }

    /// The FHIR specification writes `%vs-administrative-gender` and `%ext-…` without quotes.
    fn external_with_hyphens(&mut self, name: Box<str>) -> Box<str> {
        if !matches!(&*name, "vs" | "ext") || self.peek(0) != Some('-') {
            return name;
        }
        let rest = self.take_while(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_'));
        format!("{name}{rest}").into()
    }

    fn sign(&mut self, first: char) -> Result<Token> {
        let second = self.peek(1);
        let (sign, length) = match (first, second) {
            ('!', Some('=')) => (Sign::NotEqual, 2),
            ('!', Some('~')) => (Sign::NotEquivalent, 2),
            ('<', Some('=')) => (Sign::LessOrEqual, 2),
            ('>', Some('=')) => (Sign::GreaterOrEqual, 2),
            ('<', _) => (Sign::Less, 1),
            ('>', _) => (Sign::Greater, 1),
            ('=', _) => (Sign::Equal, 1),
            ('~', _) => (Sign::Equivalent, 1),
            ('.', _) => (Sign::Dot, 1),
            (',', _) => (Sign::Comma, 1),
            ('(', _) => (Sign::OpenBracket, 1),
            (')', _) => (Sign::CloseBracket, 1),
            ('[', _) => (Sign::OpenSquare, 1),
            (']', _) => (Sign::CloseSquare, 1),
            ('{', _) => (Sign::OpenBrace, 1),
            ('}', _) => (Sign::CloseBrace, 1),
            ('+', _) => (Sign::Plus, 1),
            ('-', _) => (Sign::Minus, 1),
            ('*', _) => (Sign::Times, 1),
            ('/', _) => (Sign::Over, 1),
            ('&', _) => (Sign::Ampersand, 1),
            ('|', _) => (Sign::Pipe, 1),
            _ => return self.fail(ErrorKind::UnexpectedCharacter(first), self.at),
        };
        self.at += length;
        Ok(Token::Sign(sign))
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.peek(0).is_some_and(&accept) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    #[expect(clippy::unused_self, reason = "reads as the end of a step of the lexer")]
    fn fail<T>(&self, kind: ErrorKind, at: usize) -> Result<T> {
        Err(FhirPathError::new(kind, place(at)))
    }
}

/// Texts are shorter than [`MAX_LENGTH`].
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
