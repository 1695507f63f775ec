//! Operators and functions on numbers, quantities and dates (FHIRPath 2.0 §6.6, §5.7).

use super::ast::Binary;
use super::compare;
use super::decimal::Decimal;
use super::error::{ErrorKind, Result};
use super::functions::Function;
use super::machine::Machine;
use super::temporal::{CalendarUnit, Temporal, TemporalKind};
use super::value::{Collection, Item, Quantity, QuantityUnit, one, optional};
use crate::ucum::Unit;

impl<'a> Machine<'a, '_> {
    /// Both sides from the stack. An empty side makes the result empty; so does a division by zero.
    pub(super) fn arithmetic(&mut self, operator: Binary) -> Result<()> {
        let what = operator.text();
        let (right, left) = (self.single(what)?, self.single(what)?);
        let (Some(left), Some(right)) = (left, right) else {
            self.push(Collection::new());
            return Ok(());
        };
        let (Some(left), Some(right)) = (compare::value(&left), compare::value(&right)) else {
            let has_no_value = |item: &Item<'_>| item.node().is_some() && item.type_of().system().is_some();
            if has_no_value(&left) || has_no_value(&right) {
                self.push(Collection::new());
                return Ok(());
            }
            return self.fail(ErrorKind::Operands(what));
        };
        let result = match (&left, &right) {
            (Item::Integer(left), Item::Integer(right)) => integers(operator, *left, *right),
            (Item::String(left), Item::String(right)) if operator == Binary::Plus => {
                self.spend_text(left.len() + right.len())?;
                Ok(Some(Item::from(format!("{left}{right}"))))
            }
            (Item::Temporal(moment), Item::Quantity(amount)) => move_by(operator, *moment, amount),
            (Item::Quantity(left), Item::Quantity(right)) => quantities(operator, left, right),
            (Item::Quantity(left), right) => mixed(operator, left, right, false),
            (left, Item::Quantity(right)) => mixed(operator, right, left, true),
            _ => match (compare::decimal(&left), compare::decimal(&right)) {
                (Some(left), Some(right)) => decimals(operator, left, right).map(|value| value.map(Item::from)),
                _ => Err(ErrorKind::Operands(what)),
            },
        };
        match result {
            Ok(result) => self.push(optional(result)),
            Err(kind) => return self.fail(kind),
        }
        Ok(())
    }

    /// Unary minus.
    pub(super) fn negate(&mut self) -> Result<()> {
        let Some(item) = self.single("-")? else {
            self.push(Collection::new());
            return Ok(());
        };
        let result = match compare::value(&item) {
            Some(Item::Integer(value)) => value.checked_neg().map(Item::Integer),
            Some(Item::Decimal(value)) => value.negated().map(Item::from),
            Some(Item::Quantity(quantity)) => {
                quantity.value.negated().map(|value| Item::from(Quantity { value, unit: quantity.unit }))
            }
            _ => return self.fail(ErrorKind::Operands("-")),
        };
        match result {
            Some(item) => self.push(one(item)),
            None => return self.fail(ErrorKind::Overflow),
        }
        Ok(())
    }

    /// Unary plus.
    pub(super) fn number(&mut self) -> Result<()> {
        let item = self.single("+")?;
        let is_number = |value| matches!(value, Item::Integer(_) | Item::Decimal(_) | Item::Quantity(_));
        if item.as_ref().is_some_and(|item| !compare::value(item).is_some_and(is_number)) {
            return self.fail(ErrorKind::Operands("+"));
        }
        self.push(optional(item));
        Ok(())
    }

    /// A function of one number, with at most one more number.
    pub(super) fn math(&mut self, function: Function, arguments: usize) -> Result<()> {
        let argument = if arguments > 0 { Some(self.single("math")?) } else { None };
        let Some(item) = self.single("math")? else {
            self.push(Collection::new());
            return Ok(());
        };
        let argument = match argument {
            Some(None) => {
                self.push(Collection::new());
                return Ok(());
            }
            Some(Some(item)) => match compare::decimal(&item) {
                Some(value) => Some(value),
                None => return self.fail(ErrorKind::Operands("math")),
            },
            None => None,
        };
        let result = match compare::value(&item) {
            Some(Item::Integer(value)) => of_integer(function, value, argument),
            Some(Item::Decimal(value)) => of_decimal(function, *value, argument),
            Some(Item::Quantity(quantity)) => of_quantity(function, &quantity, argument),
            _ => Err(ErrorKind::Operands("math")),
        };
        match result {
            Ok(result) => self.push(optional(result)),
            Err(kind) => return self.fail(kind),
        }
        Ok(())
    }
}

type Answer<'a> = std::result::Result<Option<Item<'a>>, ErrorKind>;

fn integers<'a>(operator: Binary, left: i64, right: i64) -> Answer<'a> {
    if right == 0 && matches!(operator, Binary::Over | Binary::Div | Binary::Mod) {
        return Ok(None);
    }
    let result = match operator {
        Binary::Plus => left.checked_add(right),
        Binary::Minus => left.checked_sub(right),
        Binary::Times => left.checked_mul(right),
        Binary::Div => left.checked_div(right),
        Binary::Mod => left.checked_rem(right),
        _ => {
            let quotient = Decimal::from(left).over(right.into()).ok_or(ErrorKind::Overflow)?;
            return Ok(Some(Item::from(quotient)));
        }
    };
    result.map(|value| Some(Item::Integer(value))).ok_or(ErrorKind::Overflow)
}

fn decimals(operator: Binary, left: Decimal, right: Decimal) -> std::result::Result<Option<Decimal>, ErrorKind> {
    if right.is_zero() && matches!(operator, Binary::Over | Binary::Div | Binary::Mod) {
        return Ok(None);
    }
    let result = match operator {
        Binary::Plus => left.plus(right),
        Binary::Minus => left.minus(right),
        Binary::Times => left.times(right),
        Binary::Over => left.over(right),
        Binary::Div => left.whole_quotient(right),
        Binary::Mod => left.remainder(right),
        _ => return Err(ErrorKind::Operands(operator.text())),
    };
    result.map(Some).ok_or(ErrorKind::Overflow)
}

fn quantities<'a>(operator: Binary, left: &Quantity, right: &Quantity) -> Answer<'a> {
    match operator {
        Binary::Plus | Binary::Minus => sum(operator, left, right),
        Binary::Times | Binary::Over => product(operator, left, right),
        _ => Err(ErrorKind::Operands(operator.text())),
    }
}

/// In the unit of the left side.
fn sum<'a>(operator: Binary, left: &Quantity, right: &Quantity) -> Answer<'a> {
    let amount = if left.unit == right.unit {
        Some(right.value)
    } else {
        match (left.unit.ucum(), right.unit.ucum()) {
            (Some(to), Some(from)) => crate::ucum::convert(right.value, &from, &to),
            _ => None,
        }
    };
    let value = decimals(operator, left.value, amount.ok_or(ErrorKind::Unit)?)?;
    Ok(value.map(|value| Item::from(Quantity { value, unit: left.unit.clone() })))
}

/// In base units, unless one side is a plain number or both have the same unit.
fn product<'a>(operator: Binary, left: &Quantity, right: &Quantity) -> Answer<'a> {
    let one = QuantityUnit::Ucum("1".into());
    let same_unit = operator == Binary::Over && left.unit == right.unit;
    if right.unit == one || same_unit || (left.unit == one && operator == Binary::Times) {
        let unit = match (same_unit, right.unit == one) {
            (true, _) => one,
            (false, true) => left.unit.clone(),
            (false, false) => right.unit.clone(),
        };
        let value = decimals(operator, left.value, right.value)?;
        return Ok(value.map(|value| Item::from(Quantity { value, unit })));
    }
    let units = left.unit.ucum().zip(right.unit.ucum()).ok_or(ErrorKind::Unit)?;
    let base = |quantity: &Quantity, unit: &Unit| unit.to_canonical(quantity.value).ok_or(ErrorKind::Overflow);
    let (left, right) = (base(left, &units.0)?, base(right, &units.1)?);
    let combined = if operator == Binary::Times { units.0.times(&units.1) } else { units.0.over(&units.1) };
    let code = combined.ok_or(ErrorKind::Unit)?.canonical();
    let value = decimals(operator, left, right)?;
    Ok(value.map(|value| Item::from(Quantity { value, unit: QuantityUnit::Ucum(code.into()) })))
}

/// A quantity and a plain number, which comes first when `is_reversed`.
fn mixed<'a>(operator: Binary, quantity: &Quantity, number: &Item<'_>, is_reversed: bool) -> Answer<'a> {
    let value = compare::decimal(number).ok_or(ErrorKind::Operands(operator.text()))?;
    let number = Quantity { value, unit: QuantityUnit::Ucum("1".into()) };
    if is_reversed { quantities(operator, &number, quantity) } else { quantities(operator, quantity, &number) }
}

/// A moment and a length of time. Years and months of UCUM are no lengths of the calendar.
fn move_by<'a>(operator: Binary, moment: Temporal, amount: &Quantity) -> Answer<'a> {
    let (unit, value) = match &amount.unit {
        QuantityUnit::Calendar(unit) => (*unit, amount.value),
        // A fraction of a definite second is left out: R4 suite, testPlusDate19.
        QuantityUnit::Ucum(code) => (CalendarUnit::of_ucum(code).ok_or(ErrorKind::Unit)?, amount.value.truncated()),
        QuantityUnit::Other(_) => return Err(ErrorKind::Unit),
    };
    if moment.kind() == TemporalKind::Time && matches!(unit, CalendarUnit::Year | CalendarUnit::Month) {
        return Err(ErrorKind::Unit);
    }
    let value = match operator {
        Binary::Plus => value,
        Binary::Minus => value.negated().ok_or(ErrorKind::Overflow)?,
        _ => return Err(ErrorKind::Operands(operator.text())),
    };
    moment.plus(value, unit).map(|moved| Some(Item::Temporal(moved))).ok_or(ErrorKind::Overflow)
}

fn of_integer<'a>(function: Function, value: i64, argument: Option<Decimal>) -> Answer<'a> {
    match function {
        Function::Abs => value.checked_abs().map(|value| Some(Item::Integer(value))).ok_or(ErrorKind::Overflow),
        Function::Ceiling | Function::Floor | Function::Truncate | Function::Round => Ok(Some(Item::Integer(value))),
        Function::Power => {
            let exponent = argument.and_then(Decimal::to_i64).and_then(|exponent| u32::try_from(exponent).ok());
            match exponent.and_then(|exponent| value.checked_pow(exponent)) {
                Some(power) => Ok(Some(Item::Integer(power))),
                None => of_decimal(function, value.into(), argument),
            }
        }
        _ => of_decimal(function, value.into(), argument),
    }
}

fn of_decimal<'a>(function: Function, value: Decimal, argument: Option<Decimal>) -> Answer<'a> {
    let whole = |value: Decimal| value.to_i64().map(|value| Some(Item::Integer(value))).ok_or(ErrorKind::Overflow);
    let result = match function {
        Function::Abs => value.absolute(),
        Function::Ceiling => return whole(value.ceiling()),
        Function::Floor => return whole(value.floor()),
        Function::Truncate => return whole(value.truncated()),
        Function::Round => {
            let digits = argument.unwrap_or(Decimal::ZERO).to_i64().and_then(|digits| u8::try_from(digits).ok());
            Some(value.rounded(digits.ok_or(ErrorKind::Operands("round"))?))
        }
        Function::Exp => return value.exponential().map(|value| Some(Item::from(value))).ok_or(ErrorKind::Overflow),
        Function::Sqrt => value.square_root(),
        Function::Ln => value.natural_logarithm(),
        Function::Log => argument.and_then(|base| value.logarithm(base)),
        Function::Power => argument.and_then(|exponent| value.power(exponent)),
        _ => return Err(ErrorKind::Operands("math")),
    };
    Ok(result.map(Item::from))
}

fn of_quantity<'a>(function: Function, quantity: &Quantity, argument: Option<Decimal>) -> Answer<'a> {
    let value = match function {
        Function::Abs | Function::Round => of_decimal(function, quantity.value, argument)?,
        Function::Ceiling => Some(Item::from(quantity.value.ceiling())),
        Function::Floor => Some(Item::from(quantity.value.floor())),
        Function::Truncate => Some(Item::from(quantity.value.truncated())),
        _ => return Err(ErrorKind::Operands("math")),
    };
    let value = value.as_ref().and_then(compare::decimal);
    Ok(value.map(|value| Item::from(Quantity { value, unit: quantity.unit.clone() })))
}

/// The least or the greatest value that was rounded to this one, with so many digits after the point.
///
/// A value of which no digit is left there is zero, and so are its boundaries, as the R4 suite has it.
pub(super) fn decimal_boundary(value: Decimal, digits: u8, is_low: bool) -> Option<Decimal> {
    const MAX_DIGITS: u8 = 31;
    if digits > MAX_DIGITS {
        return None;
    }
    if !value.is_zero()
        && digits < value.scale()
        && value.with_truncated_scale(digits).is_zero()
        && value.truncated().is_zero()
    {
        return Decimal::new(0, digits);
    }
    let half = value.half_of_last_digit()?;
    let bound = if is_low { value.minus(half)? } else { value.plus(half)? };
    let cut = if is_low { bound.floor_at(digits) } else { bound.ceiling_at(digits) };
    cut.with_scale(digits)
}
