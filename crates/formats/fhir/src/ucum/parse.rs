//! UCUM codes: terms, powers, brackets, annotations (UCUM 2.0.1 §§4-12).

use super::ratio::Ratio;
use super::{Unit, UnitError};
use crate::fhirpath::Decimal;

/// Reads a code; `atom` finds the unit of one symbol, prefix included.
pub(super) fn parse(code: &str, atom: &dyn Fn(&str) -> Result<Unit, UnitError>) -> Result<Unit, UnitError> {
    if code.len() > MAX_LENGTH {
        return Err(UnitError::TooLong);
    }
    if !code.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(UnitError::Malformed { at: 1 });
    }
    let mut parser = Parser { code, at: 0, depth: 0, atom };
    let unit = parser.term()?;
    if parser.at < code.len() {
        return parser.malformed();
    }
    Ok(unit)
}

const MAX_LENGTH: usize = 200;
const MAX_DEPTH: usize = 20;
pub(super) const MAX_POWER: i32 = 30;

struct Parser<'a> {
    code: &'a str,
    at: usize,
    depth: usize,
    atom: &'a dyn Fn(&str) -> Result<Unit, UnitError>,
}

impl<'a> Parser<'a> {
    /// Components joined by `.` and `/`, from the left; a slash may come first.
    fn term(&mut self) -> Result<Unit, UnitError> {
        let mut unit = if self.take(b'/') {
            let first = self.component()?;
            self.combine(&Unit::one(), &first, true)?
        } else {
            self.component()?
        };
        loop {
            let is_division = match self.peek() {
                Some(b'.') => false,
                Some(b'/') => true,
                _ => return Ok(unit),
            };
            self.at += 1;
            let next = self.component()?;
            unit = self.combine(&unit, &next, is_division)?;
        }
    }

    fn combine(&self, left: &Unit, right: &Unit, is_division: bool) -> Result<Unit, UnitError> {
        if left.offset.is_some() || right.offset.is_some() {
            return Err(UnitError::Special(self.code.to_owned()));
        }
        let combined = if is_division { left.over(right) } else { left.times(right) };
        combined.ok_or(UnitError::TooLong)
    }

    fn component(&mut self) -> Result<Unit, UnitError> {
        let unit = match self.peek() {
            Some(b'{') => Unit::one(),
            Some(b'(') => self.brackets()?,
            Some(b'0'..=b'9') if !self.rest().starts_with("10*") && !self.rest().starts_with("10^") => self.number()?,
            Some(_) => self.symbol_with_power()?,
            None => return self.malformed(),
        };
        self.annotation()?;
        Ok(unit)
    }

    fn brackets(&mut self) -> Result<Unit, UnitError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(UnitError::TooLong);
        }
        self.at += 1;
        let unit = self.term()?;
        if !self.take(b')') {
            return self.malformed();
        }
        self.depth -= 1;
        Ok(unit)
    }

    fn number(&mut self) -> Result<Unit, UnitError> {
        let digits = self.digits();
        let value: Decimal = digits.parse().map_err(|_| UnitError::TooLong)?;
        Ok(Unit { factor: Ratio::of(value), ..Unit::one() })
    }

    fn symbol_with_power(&mut self) -> Result<Unit, UnitError> {
        let symbol = self.symbol()?;
        let unit = (self.atom)(symbol)?;
        let Some(power) = self.power()? else { return Ok(unit) };
        if unit.offset.is_some() {
            return Err(UnitError::Special(symbol.to_owned()));
        }
        unit.power(power).ok_or(UnitError::TooLong)
    }

    /// Characters up to an operator, a digit or a bracket; everything inside `[…]` belongs to the symbol.
    fn symbol(&mut self) -> Result<&'a str, UnitError> {
        let start = self.at;
        if self.rest().starts_with("10") {
            self.at += 3;
        }
        while let Some(byte) = self.peek() {
            match byte {
                b'[' => match self.rest().find(']') {
                    Some(length) => self.at += length + 1,
                    None => return self.malformed(),
                },
                b'.' | b'/' | b'(' | b')' | b'{' | b'}' | b'+' | b'-' | b'0'..=b'9' | b' ' => break,
                _ => self.at += 1,
            }
        }
        if self.at == start { self.malformed() } else { Ok(&self.code[start..self.at]) }
    }

    fn power(&mut self) -> Result<Option<i32>, UnitError> {
        let sign = match self.peek() {
            Some(b'-') => -1,
            Some(b'+') => 1,
            Some(b'0'..=b'9') => {
                let power: i32 = self.digits().parse().map_err(|_| UnitError::TooLong)?;
                return if power <= MAX_POWER { Ok(Some(power)) } else { Err(UnitError::TooLong) };
            }
            _ => return Ok(None),
        };
        self.at += 1;
        let digits = self.digits();
        if digits.is_empty() {
            return self.malformed();
        }
        let power: i32 = digits.parse().map_err(|_| UnitError::TooLong)?;
        if power <= MAX_POWER { Ok(Some(sign * power)) } else { Err(UnitError::TooLong) }
    }

    fn annotation(&mut self) -> Result<(), UnitError> {
        if self.peek() != Some(b'{') {
            return Ok(());
        }
        let Some(length) = self.rest().find('}') else { return self.malformed() };
        self.at += length + 1;
        Ok(())
    }

    fn digits(&mut self) -> &'a str {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        &self.code[start..self.at]
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn peek(&self) -> Option<u8> {
        self.code.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'a str {
        &self.code[self.at..]
    }

    const fn malformed<T>(&self) -> Result<T, UnitError> {
        Err(UnitError::Malformed { at: self.at + 1 })
    }
}
