//! Conversions with their known results, codes that are none, and properties.

use proptest::prelude::*;

use super::*;

fn unit(code: &str) -> Unit {
    Unit::parse(code).unwrap_or_else(|error| panic!("{code}: {error}"))
}

#[test]
fn converts() {
    for (value, from, to, result) in [
        ("4", "g", "mg", "4000"),
        ("1", "[in_i]", "cm", "2.54"),
        ("1", "[lb_av]", "g", "453.59237"),
        ("1", "wk", "d", "7"),
        ("37", "Cel", "K", "310.15"),
        ("98.6", "[degF]", "Cel", "37"),
        ("100", "mg/dL", "g/L", "1"),
        ("120", "mm[Hg]", "kPa", "15.99864"),
        ("5", "10*3/uL", "10*9/L", "5"),
        ("1", "10^3.m2", "m2", "1000"),
        ("3", "{tablets}/d", "/wk", "21"),
        ("50", "%", "1", "0.5"),
        ("2", "[iU]/mL", "k[iU]/L", "2"),
        ("1", "mo", "d", "30.4375"),
        ("1", "m/s", "km/h", "3.6"),
        ("1", "(kg.m)/(s2)", "N", "1"),
        ("60", "/min", "Hz", "1"),
        ("1", "dam", "m", "10"),
        ("1", "KiBy", "bit", "8192"),
    ] {
        let converted = convert(value.parse().unwrap(), &unit(from), &unit(to));
        assert_eq!(
            converted.map(|value| value.trimmed().to_string()).as_deref(),
            Some(result),
            "{value} {from} in {to}"
        );
    }
}

#[test]
fn compares_only_what_measures_the_same() {
    for (left, right) in [("g", "m"), ("[iU]", "[arb'U]"), ("[pH]", "mol/L"), ("Cel", "g"), ("cm", "[s]")] {
        let comparable = Unit::parse(right).is_ok_and(|right| unit(left).is_comparable(&right));
        assert!(!comparable, "{left} {right}");
    }
    let order = compare("6".parse().unwrap(), &unit("d"), "1".parse().unwrap(), &unit("wk"));
    assert_eq!(order, Some(Ordering::Less));
    let same = compare("1".parse().unwrap(), &unit("[ft_i]"), "12".parse().unwrap(), &unit("[in_i]"));
    assert_eq!(same, Some(Ordering::Equal));
}

#[test]
fn refuses_what_is_no_unit() {
    for code in
        ["", "x", "mg/", "mg//dL", "(mg", "mg)", "m[Hg", "{open", "J/Cel", "k%", "é", "m-", "m99", &"(".repeat(40)]
    {
        assert!(Unit::parse(code).is_err(), "{code}");
    }
    assert!(Unit::parse(&"m.".repeat(200)).is_err());
    assert!(Unit::parse("16.l16.20").is_err(), "its base units would not be read back");
}

#[test]
fn writes_base_units() {
    for (code, canonical) in [("mg/dL", "m-3.g"), ("N", "m.s-2.g"), ("1", "1"), ("%", "1"), ("[iU]/L", "m-3.[iU]")] {
        assert_eq!(unit(code).canonical(), canonical, "{code}");
        assert!(unit(canonical).is_comparable(&unit(code)), "{code}");
    }
}

proptest! {
    /// There and back is where it was.
    #[test]
    fn conversion_has_a_way_back(value in -1_000_000_i64..1_000_000, pair in 0_usize..5) {
        let (from, to) = [("mg", "kg"), ("[degF]", "Cel"), ("mm[Hg]", "Pa"), ("h", "s"), ("[lb_av]", "g")][pair];
        let value = Decimal::from(value);
        let there = convert(value, &unit(from), &unit(to)).unwrap();
        let back = convert(there, &unit(to), &unit(from)).unwrap();
        prop_assert_eq!(back.rounded(6), value);
    }

    #[test]
    fn reads_anything(code in "[a-zA-Z0-9./()\\[\\]{}*^+%' -]{0,30}") {
        if let Ok(unit) = Unit::parse(&code) {
            prop_assert!(Unit::parse(&unit.canonical()).is_ok());
        }
    }
}
