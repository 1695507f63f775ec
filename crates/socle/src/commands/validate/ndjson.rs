//! NDJSON: one resource a line, many lines at once.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::checked::{Excerpt, Judged, MOST_KEPT};
use super::fhir::Fhir;
use super::work::threads;

/// Lines are taken in groups of so many.
const GROUP: usize = 64;

pub(super) fn judge(bytes: &Bytes, fhir: &Fhir) -> Judged {
    let lines = lines(bytes);
    let next = AtomicUsize::new(0);
    let groups: Mutex<Vec<(usize, Judged)>> = Mutex::default();
    let worker = || {
        loop {
            let from = next.fetch_add(GROUP, Ordering::Relaxed);
            if from >= lines.len() {
                break;
            }
            let group = judge_group(&lines[from..lines.len().min(from + GROUP)], fhir);
            groups.lock().unwrap_or_else(PoisonError::into_inner).push((from, group));
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads(lines.len().div_ceil(GROUP)) {
            scope.spawn(worker);
        }
        worker();
    });
    let mut groups = groups.into_inner().unwrap_or_else(PoisonError::into_inner);
    groups.sort_by_key(|(from, _)| *from);
    let mut all = Judged::default();
    for (_, group) in groups {
        merge(&mut all, group);
    }
    let count = lines.len();
    all.what = Some(socle_finding::Text::new(format!("{count} ressource(s)"), format!("{count} resource(s)")));
    all
}

/// The lines that hold something, with their number.
fn lines(bytes: &Bytes) -> Vec<(u32, Bytes)> {
    let mut lines = Vec::new();
    let mut start = 0;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if !line.iter().all(u8::is_ascii_whitespace) {
            lines.push((number, bytes.slice(start..start + line.len())));
        }
        start += line.len() + 1;
    }
    lines
}

fn judge_group(lines: &[(u32, Bytes)], fhir: &Fhir) -> Judged {
    let mut all = Judged::default();
    for (number, line) in lines {
        let mut one = fhir.judge(line.clone());
        for spotted in &mut one.findings {
            let at = &mut spotted.finding.at;
            at.line = Some(*number);
            spotted.excerpt =
                std::str::from_utf8(line).ok().map(|text| Excerpt::of(*number, text, at.column.unwrap_or(1) as usize));
        }
        merge(&mut all, one);
    }
    all
}

fn merge(all: &mut Judged, one: Judged) {
    all.counts.add(one.counts);
    let left = MOST_KEPT.saturating_sub(all.findings.len());
    all.findings.extend(one.findings.into_iter().take(left));
    one.not_checked.into_iter().for_each(|unchecked| all.push_unchecked(unchecked));
}
