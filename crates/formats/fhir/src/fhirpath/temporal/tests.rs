//! Precision, zones, the calendar.

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Temporal {
    Temporal::read_date_time(text).unwrap()
}

#[test]
fn reads_and_writes_every_precision() {
    for text in [
        "2014",
        "2014-01",
        "2014-01-25",
        "2014-01-25T14",
        "2014-01-25T14:30",
        "2014-01-25T14:30:15",
        "2014-01-25T14:30:15.1",
        "2014-01-25T14:30:15.123Z",
        "2014-01-25T14:30:15-05:30",
    ] {
        assert_eq!(at(text).to_string(), text);
    }
    for text in ["", "14", "2014-", "2014-13", "2014-02-30", "2014T10", "2014-01-01T25", "2014-01-01T10:30+1", "0000"] {
        assert!(Temporal::read_date_time(text).is_none(), "{text}");
    }
    assert!(Temporal::read_date("2014-01-25T14").is_none());
    assert_eq!(Temporal::read_time("14:30:15.123").unwrap().to_string(), "14:30:15.123");
}

#[test]
fn compares_what_can_be_compared() {
    use Ordering::{Equal, Greater, Less};
    for (left, right, order) in [
        ("2014", "2015-06", Some(Less)),
        ("2014", "2014-06", None),
        ("2018-03-01T10:30:00", "2018-03-01T10:30:00.0", Some(Equal)),
        ("2018-03-01T10:30", "2018-03-01T10:30:00", None),
        ("2012-04-15T15:00:00+02:00", "2012-04-15T16:00:00+03:00", Some(Equal)),
        ("2012-04-15T15:00:00Z", "2012-04-15T10:00:00", None),
        ("2012-04-18T15:00:00Z", "2012-04-15T10:00:00", Some(Greater)),
        ("2012-04-15", "2012-04-16T00:30:00+02:00", Some(Less)),
    ] {
        assert_eq!(at(left).compare(at(right)), order, "{left} {right}");
        assert_eq!(at(right).compare(at(left)), order.map(Ordering::reverse), "{right} {left}");
    }
}

#[test]
fn adds_by_the_calendar() {
    use CalendarUnit::{Day, Hour, Millisecond, Month, Second, Week, Year};
    for (start, amount, unit, end) in [
        ("1973-12-25", "7.7", Day, "1974-01-01"),
        ("2024-01-31", "1", Month, "2024-02-29"),
        ("2024-02-29", "1", Year, "2025-02-28"),
        ("2014", "25", Month, "2016"),
        ("2014", "-13", Month, "2013"),
        ("2014-01", "45", Day, "2014-02"),
        ("2014-01-01", "30", Hour, "2014-01-02"),
        ("2014-01-01", "-1", Week, "2013-12-25"),
        ("2014-01-01T00:00:00Z", "0.25", Second, "2014-01-01T00:00:00.250Z"),
        ("2014-01-01T00:00:00.000Z", "10", Millisecond, "2014-01-01T00:00:00.010Z"),
    ] {
        let sum = at(start).plus(amount.parse().unwrap(), unit).unwrap();
        assert_eq!(sum.to_string(), end, "{start} + {amount}");
    }
    assert!(at("9999").plus(Decimal::ONE, Year).is_none());
    assert!(at("0001").plus("-1".parse().unwrap(), Year).is_none());
    let time = Temporal::read_time("23:00:00").unwrap().plus("50".parse().unwrap(), Hour).unwrap();
    assert_eq!(time.to_string(), "01:00:00");
}

proptest! {
    /// No text is a panic, and what is read is written as it was but for a long fraction.
    #[test]
    fn survives_its_own_text(text in "[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}(:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?)?)?)?)?") {
        if let Some(value) = Temporal::read_date_time(&text) {
            prop_assert_eq!(value.to_string(), text.replace(":60", ":59"));
        }
    }

    #[test]
    fn reads_anything(text in "\\PC{0,30}") {
        let _ = (Temporal::read_date(&text), Temporal::read_date_time(&text), Temporal::read_time(&text));
    }
}
