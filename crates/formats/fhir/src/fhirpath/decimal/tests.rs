//! Texts, arithmetic, and what has no value.

use proptest::prelude::*;

use super::*;

fn of(text: &str) -> Decimal {
    text.parse().unwrap()
}

#[test]
fn reads_and_writes_what_was_written() {
    for text in ["0", "1", "-1.50", "0.00000001", "1234567890987654321.0", "-0.5"] {
        assert_eq!(of(text).to_string(), text);
    }
    assert_eq!(of("1.5e3").to_string(), "1500");
    assert_eq!(of("15E-3").to_string(), "0.015");
    for text in ["", "-", ".5", "1.", "1.a", "1e", "0x1", "1e99", "1e-99", &"9".repeat(40)] {
        assert!(text.parse::<Decimal>().is_err(), "{text}");
    }
}

#[test]
fn computes() {
    let cases: [(&str, Option<Decimal>, &str); 22] = [
        ("plus", of("1.2").plus(of("1.8")), "3.0"),
        ("minus", of("1.8").minus(of("1.2")), "0.6"),
        ("times", of("1.2").times(of("1.8")), "2.16"),
        ("over", of("1").over(of("2")), "0.5"),
        ("over, rounded", of("2").over(of("3")), "0.6666666666666667"),
        ("over, negative", of("-1").over(of("3")), "-0.3333333333333333"),
        ("whole quotient", of("-5.5").whole_quotient(of("2")), "-2"),
        ("remainder", of("-5.5").remainder(of("2")), "-1.5"),
        ("rounded", Some(of("3.14159").rounded(3)), "3.142"),
        ("rounded, negative half", Some(of("-2.5").rounded(0)), "-3"),
        ("floor", Some(of("-2.1").floor()), "-3"),
        ("ceiling", Some(of("-1.1").ceiling()), "-1"),
        ("root", of("81").square_root(), "9"),
        ("root of a fraction", of("0.25").square_root(), "0.5"),
        ("power", of("2.5").power(of("2")), "6.25"),
        ("negative power", of("2").power(of("-2")), "0.25"),
        ("power that is no whole number", of("8").power(of("1").over(of("3")).unwrap()), "2"),
        ("exponential", of("1").exponential(), "2.71828182845905"),
        ("exponential, negative", of("-1").exponential(), "0.36787944117144"),
        ("logarithm", of("10").natural_logarithm(), "2.30258509299405"),
        ("logarithm to a base", of("16").logarithm(of("2")), "4"),
        ("logarithm to base ten", of("100.0").logarithm(of("10.0")), "2"),
    ];
    for (name, value, text) in cases {
        assert_eq!(value.unwrap().to_string(), text, "{name}");
    }
}

#[test]
fn has_no_value_where_there_is_none() {
    assert!(of("1").over(of("0")).is_none());
    assert!(of("-1").square_root().is_none());
    assert!(of("-1").power(of("0.5")).is_none());
    assert!(of("0").natural_logarithm().is_none());
    assert!(of("1000").exponential().is_none());
    assert!(of("16").logarithm(of("1")).is_none());
    let huge = of(&"9".repeat(38));
    assert!(huge.plus(huge).is_none() && huge.times(huge).is_none());
    assert!(of("0.0000000000000000000000000000000001") < huge);
}

proptest! {
    /// Text, value, text again.
    #[test]
    fn survives_its_own_text(mantissa in any::<i64>(), scale in 0_u8..18) {
        let value = Decimal::new(i128::from(mantissa), scale).unwrap();
        let again = of(&value.to_string());
        prop_assert_eq!((again.mantissa(), again.scale()), (value.mantissa(), value.scale()));
    }

    /// What was divided comes back, but for the last digits.
    #[test]
    fn a_quotient_times_its_divisor_is_what_was_divided(left in -1_000_000_i64..1_000_000, right in 1_i64..10_000) {
        let (left, right) = (Decimal::from(left), Decimal::from(right));
        let back = left.over(right).unwrap().times(right).unwrap();
        prop_assert_eq!(back.rounded(8), left);
    }

    /// Foreign text is never a panic.
    #[test]
    fn reads_anything(text in "[-+0-9.eE]{0,45}") {
        if let Ok(value) = text.parse::<Decimal>() {
            prop_assert_eq!(of(&value.to_string()), value);
            let _ = (value.square_root(), value.exponential(), value.natural_logarithm(), value.times(value));
            let _ = (value.over(of("7")), value.power(of("1.5")), value.rounded(2), value.floor(), value.cmp(&Decimal::ONE));
        }
    }
}
