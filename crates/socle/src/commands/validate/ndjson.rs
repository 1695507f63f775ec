//! NDJSON: one resource a line, many lines at once, however long the file is.
//!
//! One thread reads groups of lines, the others judge them; what is found is put together in the order of the file.
//! No more groups are in memory than threads can hold, so the size of the file does not matter.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Read as _};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use socle_finding::{Finding, Location, Rule, Severity, Text};

use super::checked::{Excerpt, Judged, MOST_KEPT};
use super::fhir::Fhir;
use super::work::{STACK, threads};

/// Lines are taken in groups of so many, or of so many bytes.
const GROUP: usize = 64;
const GROUP_BYTES: usize = 4 << 20;

/// Judges all lines; one longer than `longest` is a finding.
///
/// # Errors
/// The source cannot be read to its end.
pub(super) fn judge(source: impl BufRead, longest: u64, fhir: &Fhir) -> io::Result<Judged> {
    let mut lines = Lines { source, longest, number: 0 };
    let kept = Mutex::new(Kept::default());
    let mut group = lines.group()?;
    let mut next = lines.group()?;
    if next.is_empty() {
        Kept::add(&kept, 0, judge_group(&group, fhir));
    } else {
        let most = threads(usize::MAX);
        let (sender, receiver) = sync_channel(most);
        let receiver = Mutex::new(receiver);
        std::thread::scope(|scope| -> io::Result<()> {
            // The channel closes when reading ends, however it does: then the threads end too.
            let sender = sender;
            let mut workers = 0;
            for index in 0.. {
                if group.is_empty() {
                    break;
                }
                if workers < most {
                    let work = || work(&receiver, &kept, fhir);
                    let spawned = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
                    workers += usize::from(spawned.is_ok());
                }
                // A system that gives no thread has this one do the work.
                let unsent = if workers == 0 { Some(group) } else { sender.send((index, group)).err().map(|e| e.0.1) };
                if let Some(group) = unsent {
                    Kept::add(&kept, index, judge_group(&group, fhir));
                }
                group = std::mem::take(&mut next);
                next = if group.is_empty() { Vec::new() } else { lines.group()? };
            }
            Ok(())
        })?;
    }
    let Kept { mut all, count, .. } = kept.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.what = Some(Text::new(format!("{count} ressource(s)"), format!("{count} resource(s)")));
    Ok(all)
}

fn work(groups: &Mutex<Receiver<(usize, Vec<Line>)>>, kept: &Mutex<Kept>, fhir: &Fhir) {
    loop {
        let taken = groups.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((index, group)) = taken else { return };
        Kept::add(kept, index, judge_group(&group, fhir));
    }
}

/// A line that holds something.
struct Line {
    number: u32,
    /// None when it is too long.
    text: Option<Bytes>,
}

struct Lines<R> {
    source: R,
    longest: u64,
    number: u32,
}

impl<R: BufRead> Lines<R> {
    /// The next lines; none at the end.
    fn group(&mut self) -> io::Result<Vec<Line>> {
        let (mut group, mut bytes) = (Vec::new(), 0);
        while group.len() < GROUP && bytes < GROUP_BYTES {
            let Some(line) = self.line()? else { break };
            bytes += line.text.as_ref().map_or(0, Bytes::len);
            if line.text.as_ref().is_none_or(|text| !text.iter().all(u8::is_ascii_whitespace)) {
                group.push(line);
            }
        }
        Ok(group)
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        let mut text = Vec::new();
        self.source.by_ref().take(self.longest + 1).read_until(b'\n', &mut text)?;
        if text.is_empty() {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        let is_whole = text.last() == Some(&b'\n');
        if is_whole {
            text.pop();
        } else if text.len() as u64 > self.longest {
            self.skip()?;
            return Ok(Some(Line { number: self.number, text: None }));
        }
        Ok(Some(Line { number: self.number, text: Some(text.into()) }))
    }

    /// To the end of the line.
    fn skip(&mut self) -> io::Result<()> {
        loop {
            let held = self.source.fill_buf()?;
            if held.is_empty() {
                return Ok(());
            }
            let end = held.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(held.len(), |end| end + 1);
            self.source.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

fn judge_group(lines: &[Line], fhir: &Fhir) -> (Judged, usize) {
    let mut all = Judged::default();
    for line in lines {
        let Some(text) = &line.text else {
            all.push(too_long(line.number));
            continue;
        };
        let mut one = fhir.judge(text.clone());
        for spotted in &mut one.findings {
            let at = &mut spotted.finding.at;
            at.line = Some(line.number);
            let column = at.column.unwrap_or(1) as usize;
            spotted.excerpt = std::str::from_utf8(text).ok().map(|text| Excerpt::of(line.number, text, column));
        }
        merge(&mut all, one);
    }
    (all, lines.len())
}

fn too_long(line: u32) -> Finding {
    Finding {
        severity: Severity::Error,
        rule: Rule::fixed("NDJSON", "1"),
        at: Location { path: String::new(), line: Some(line), column: Some(1) },
        message: Text::fixed("cette ligne dépasse 256 Mo", "this line is larger than 256 MB"),
        mend: Text::fixed("écrivez une ressource par ligne", "write one resource a line"),
    }
}

/// What was found so far.
#[derive(Default)]
struct Kept {
    all: Judged,
    count: usize,
    turn: usize,
    /// Judged before their turn.
    early: BTreeMap<usize, (Judged, usize)>,
}

impl Kept {
    fn add(kept: &Mutex<Self>, index: usize, group: (Judged, usize)) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.early.insert(index, group);
        loop {
            let turn = kept.turn;
            let Some((group, count)) = kept.early.remove(&turn) else { return };
            merge(&mut kept.all, group);
            kept.count += count;
            kept.turn += 1;
        }
    }
}

fn merge(all: &mut Judged, one: Judged) {
    all.counts.add(one.counts);
    let left = MOST_KEPT.saturating_sub(all.findings.len());
    all.findings.extend(one.findings.into_iter().take(left));
    one.not_checked.into_iter().for_each(|unchecked| all.push_unchecked(unchecked));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_grouped_and_cut_where_they_are_too_long() {
        let text = format!("a\n\n  \nb\r\n{}\nlast", "x".repeat(20));
        let mut lines = Lines { source: text.as_bytes(), longest: 10, number: 0 };
        let group = lines.group().unwrap();
        let seen: Vec<_> = group.iter().map(|line| (line.number, line.text.as_deref())).collect();
        let expected = [(1, Some(&b"a"[..])), (4, Some(b"b\r")), (5, None), (6, Some(b"last"))];
        assert_eq!(seen, expected);
        assert!(lines.group().unwrap().is_empty());

        let many = "{}\n".repeat(GROUP + 1);
        let mut lines = Lines { source: many.as_bytes(), longest: 10, number: 0 };
        assert_eq!([lines.group().unwrap().len(), lines.group().unwrap().len()], [GROUP, 1]);
    }
}
