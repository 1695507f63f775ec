//! Times anywhere in the document: in the calendar, in form, in order.
//!
//! Source: CI-SIS, volet Structuration minimale V1.16.8, data types TS and IVL_TS.

use socle_xml::roxmltree::Node;

use super::XSI;
use crate::document::child;
use crate::finding::{Findings, at};
use crate::header::{rule, text};
use crate::time::{Time, TimeError};

/// Judges an element, if it holds a time or an interval of times.
pub(super) fn judge(node: Node<'_, '_>, found: &mut Findings) {
    if !is_time(node) {
        return;
    }
    if let Some(value) = node.attribute("value") {
        judge_value(node, value.trim(), found);
    }
    judge_order(node, found);
}

fn is_time(node: Node<'_, '_>) -> bool {
    match node.tag_name().name() {
        "effectiveTime" | "time" | "birthTime" | "deceasedTime" | "availabilityTime" | "existenceTime" => true,
        "low" | "high" | "center" | "phase" => node.parent_element().is_some_and(is_interval_of_times),
        "value" => is_typed_as_time(node),
        _ => false,
    }
}

fn is_interval_of_times(node: Node<'_, '_>) -> bool {
    matches!(node.tag_name().name(), "effectiveTime" | "time" | "phase" | "useablePeriod") || is_typed_as_time(node)
}

fn is_typed_as_time(node: Node<'_, '_>) -> bool {
    let kind = node.attribute((XSI, "type")).map(|kind| kind.rsplit(':').next().unwrap_or(kind));
    matches!(kind, Some("TS" | "IVL_TS"))
}

fn judge_value(node: Node<'_, '_>, value: &str, found: &mut Findings) {
    let in_body = node.ancestors().any(|parent| parent.has_tag_name((crate::document::HL7_V3, "structuredBody")));
    let point = "types de données, TS";
    let mend = text("écrivez AAAAMMJJhhmmss±ZZzz, dans le calendrier", "write AAAAMMJJhhmmss±ZZzz, in the calendar");
    match value.parse::<Time>() {
        Err(TimeError::Calendar) if !found.has_at(&at(node)) => {
            let message = text("la date n'existe pas dans le calendrier", "the date does not exist in the calendar");
            found.warning(rule("types de données, TS, calendrier"), at(node), message, mend);
        }
        Err(TimeError::Form | TimeError::Offset) if !found.has_at(&at(node)) => {
            found.warning(
                rule(point),
                at(node),
                text("la date n'a pas une forme admise", "the time is not in an admitted form"),
                mend,
            );
        }
        Ok(time) if time.to_utc().is_none() && in_body => found.note(
            rule("types de données, TS, décalage"),
            at(node),
            text("l'heure n'a pas de décalage par rapport à UTC", "the time has no offset from UTC"),
            text("ajoutez le décalage, par exemple +0100", "add the offset, for instance +0100"),
        ),
        Ok(time) if time.to_utc().is_none() && !found.has_at(&at(node)) => found.warning(
            rule("types de données, TS, décalage"),
            at(node),
            text("l'heure n'a pas de décalage par rapport à UTC", "the time has no offset from UTC"),
            text("ajoutez le décalage, par exemple +0100", "add the offset, for instance +0100"),
        ),
        _ => {}
    }
}

/// `low` is not after `high`. Without an offset on both sides, what the clock showed is compared; what is
/// vague (a day, a month) is compared no finer than it is.
fn judge_order(node: Node<'_, '_>, found: &mut Findings) {
    let bound = |name: &str| child(node, name)?.attribute("value")?.trim().parse::<Time>().ok();
    let (Some(low), Some(high)) = (bound("low"), bound("high")) else { return };
    if !starts_after(&low, &high) {
        return;
    }
    found.warning(
        rule("types de données, IVL_TS, ordre"),
        at(node),
        text("l'intervalle finit avant de commencer", "the interval ends before it starts"),
        text("vérifiez low et high", "check low and high"),
    );
}

fn starts_after(low: &Time, high: &Time) -> bool {
    if let (Some(low), Some(high)) = (low.timestamp(), high.timestamp()) {
        return low > high;
    }
    let precision = low.precision().min(high.precision());
    let digits = |time: &Time| {
        let t = time.local();
        let all = [
            i32::from(t.year()),
            t.month().into(),
            t.day().into(),
            t.hour().into(),
            t.minute().into(),
            t.second().into(),
        ];
        let kept = match precision {
            crate::time::Precision::Year => 1,
            crate::time::Precision::Month => 2,
            crate::time::Precision::Day => 3,
            crate::time::Precision::Minute => 5,
            crate::time::Precision::Second => 6,
        };
        all[..kept].to_vec()
    };
    digits(low) > digits(high)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_compared_as_finely_as_they_are_known() {
        let cases = [
            ("20240101", "20240101", false),
            ("20240102", "20240101", true),
            ("20240101120000+0100", "20240101", false),
            ("20240101", "202401", false),
            ("2025", "202401", true),
            ("20240101120000+0100", "20240101113000+0000", false),
            ("20240101120000+0000", "20240101123000+0100", true),
            ("20181003111700+0100", "19000101", true),
            ("202401011200", "20240101115959+0100", true),
        ];
        for (low, high, wrong) in cases {
            assert_eq!(starts_after(&low.parse().unwrap(), &high.parse().unwrap()), wrong, "{low} {high}");
        }
    }
}
