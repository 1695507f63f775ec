//! The table of units, resolved to base units once, when the first unit is read.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::ratio::Ratio;
use super::{BASE, Unit, UnitError, parse};
use crate::fhirpath::Decimal;

const UNITS: &str = include_str!("units.txt");

struct Table {
    units: HashMap<&'static str, Entry>,
    /// By line, for those that nothing defines.
    codes: Vec<&'static str>,
    prefixes: Vec<(&'static str, Ratio)>,
}

struct Entry {
    unit: Unit,
    is_metric: bool,
}

/// A line of the table.
#[derive(Clone, Copy)]
struct Line {
    index: u16,
    code: &'static str,
    flags: &'static str,
    /// Function of a special unit, else empty.
    function: &'static str,
    value: &'static str,
    unit: &'static str,
}

static TABLE: LazyLock<Table> = LazyLock::new(load);

/// The unit of one symbol, with a prefix when it is a metric one.
pub(super) fn unit(symbol: &str) -> Result<Unit, UnitError> {
    let unknown = || UnitError::Unknown(symbol.to_owned());
    if let Some(entry) = TABLE.units.get(symbol) {
        return Ok(entry.unit.clone());
    }
    let (factor, entry) = prefixed(symbol, &TABLE.prefixes, |rest| TABLE.units.get(rest)).ok_or_else(unknown)?;
    if !entry.is_metric {
        return Err(unknown());
    }
    scaled(&entry.unit, factor).ok_or_else(|| UnitError::Special(symbol.to_owned()))
}

/// The code of a line.
pub(super) fn code(index: u16) -> &'static str {
    TABLE.codes.get(usize::from(index)).copied().unwrap_or_default()
}

fn prefixed<T>(symbol: &str, prefixes: &[(&str, Ratio)], find: impl Fn(&str) -> Option<T>) -> Option<(Ratio, T)> {
    prefixes.iter().find_map(|(prefix, factor)| Some((*factor, find(symbol.strip_prefix(prefix)?)?)))
}

fn scaled(unit: &Unit, factor: Ratio) -> Option<Unit> {
    if unit.offset.is_some() {
        return None;
    }
    Some(Unit { factor: unit.factor.times(factor)?, ..unit.clone() })
}

fn load() -> Table {
    let mut lines = HashMap::new();
    let mut table = Table { units: HashMap::new(), codes: Vec::new(), prefixes: Vec::new() };
    for text in UNITS.lines().filter(|line| !line.starts_with('#')) {
        let fields: Vec<&str> = text.split('\t').collect();
        match fields.as_slice() {
            ["P", prefix, value] => table.prefixes.extend(Ratio::read(value).map(|factor| (*prefix, factor))),
            [code, flags, rest @ ..] => {
                let index = u16::try_from(table.codes.len()).unwrap_or(u16::MAX);
                let (function, value, unit) = match rest {
                    [function, value, unit] => (*function, *value, *unit),
                    [value, unit] => ("", *value, *unit),
                    _ => ("", "1", "1"),
                };
                lines.insert(*code, Line { index, code, flags, function, value, unit });
                table.codes.push(code);
            }
            _ => {}
        }
    }
    let resolver = Resolver { lines: &lines, prefixes: &table.prefixes };
    for line in lines.values() {
        if let Ok(unit) = resolver.define(*line, 0) {
            table.units.insert(line.code, Entry { unit, is_metric: line.flags.contains('m') });
        }
    }
    table
}

struct Resolver<'a> {
    lines: &'a HashMap<&'static str, Line>,
    prefixes: &'a [(&'static str, Ratio)],
}

impl Resolver<'_> {
    fn define(&self, line: Line, depth: u32) -> Result<Unit, UnitError> {
        if depth > 12 {
            return Err(UnitError::TooLong);
        }
        if let Some(place) = BASE.iter().position(|base| *base == line.code) {
            let mut powers = [0; 7];
            powers[place] = 1;
            return Ok(Unit { powers, ..Unit::one() });
        }
        if line.flags.contains('s') {
            return Ok(self.special(line, depth).unwrap_or_else(|| opaque(line)));
        }
        if line.flags.contains('a') {
            return Ok(opaque(line));
        }
        let definition = parse::parse(line.unit, &|symbol| self.symbol(symbol, depth + 1))?;
        let factor = Ratio::read(line.value).and_then(|value| value.times(definition.factor));
        Ok(Unit { factor: factor.ok_or(UnitError::TooLong)?, ..definition })
    }

    /// The temperatures: kelvins are (value + zero) · factor.
    fn special(&self, line: Line, depth: u32) -> Option<Unit> {
        let zero = match line.function {
            "Cel" => "273.15",
            "degF" => "459.67",
            "degRe" => "218.52",
            _ => return None,
        };
        let definition = parse::parse(line.unit, &|symbol| self.symbol(symbol, depth + 1)).ok()?;
        let factor = Ratio::read(line.value)?.times(definition.factor)?;
        let offset: Option<Decimal> = zero.parse().ok();
        Some(Unit { factor, offset, ..definition })
    }

    fn symbol(&self, symbol: &str, depth: u32) -> Result<Unit, UnitError> {
        if let Some(line) = self.lines.get(symbol) {
            return self.define(*line, depth);
        }
        let unknown = || UnitError::Unknown(symbol.to_owned());
        let (factor, line) =
            prefixed(symbol, self.prefixes, |rest| self.lines.get(rest).copied()).ok_or_else(unknown)?;
        scaled(&self.define(line, depth)?, factor).ok_or_else(unknown)
    }
}

fn opaque(line: Line) -> Unit {
    Unit { opaque: vec![(line.index, 1)], ..Unit::one() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_unit() {
        let lines = UNITS.lines().filter(|line| !line.starts_with(['#', 'P']) || line.starts_with("Pa\t")).count();
        assert!(TABLE.codes.len() > 300, "{} units", TABLE.codes.len());
        assert!(lines <= TABLE.codes.len());
        for code in &TABLE.codes {
            assert!(TABLE.units.contains_key(code), "{code}");
        }
        assert_eq!(TABLE.prefixes.len(), 24);
    }
}
