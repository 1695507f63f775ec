//! Many files at once, reported in their order.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, IsTerminal as _, Read, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use bytes::Bytes;
use socle_finding::Text;

use super::checked::{Checked, Judged, Outcome};
use super::formats::{Formats, Head};
use super::inputs::{Input, refused};
use super::ndjson;
use crate::cli::{ReportFormat, Validate};

/// A file larger than this is not read, nor a line: documents are in memory, whole.
pub(super) const BIGGEST: u64 = 256 << 20;

/// A deep document is walked by recursion: its limit of depth fits in a stack of this size.
pub(super) const STACK: usize = 16 << 20;

/// As many threads as processors, and never more than there is work.
pub(super) fn threads(work: usize) -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(work).max(1)
}

/// Judges all inputs and gives each to `report`, in their order.
pub(super) fn judge(inputs: &[Input], formats: &Formats, options: &Validate, report: &mut dyn FnMut(Checked)) {
    let next = AtomicUsize::new(0);
    let (sender, receiver) = sync_channel(256);
    let mut progress = Progress::new(inputs.len());
    std::thread::scope(|scope| {
        for _ in 0..threads(inputs.len()) {
            let (sender, next) = (sender.clone(), &next);
            let work = move || take(inputs, next, formats, options, &sender);
            // A system that gives no further thread lets the others do the work.
            if std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        drop(sender);
        // What is finished before its turn waits here: reports are small, their files are gone.
        let mut early = BTreeMap::new();
        let mut turn = 0;
        for (index, checked) in receiver {
            early.insert(index, checked);
            while let Some(checked) = early.remove(&turn) {
                progress.hide();
                report(checked);
                turn += 1;
            }
            progress.show(turn);
        }
        progress.hide();
    });
}

fn take(
    inputs: &[Input],
    next: &AtomicUsize,
    formats: &Formats,
    options: &Validate,
    sender: &SyncSender<(usize, Checked)>,
) {
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(input) = inputs.get(index) else { return };
        if sender.send((index, judge_one(input, formats, options))).is_err() {
            return;
        }
    }
}

fn judge_one(input: &Input, formats: &Formats, options: &Validate) -> Checked {
    let began = Instant::now();
    let (file, judged) = match input {
        Input::Unusable { name, why, mend } => (name.clone(), Err((why.clone(), mend.clone()))),
        Input::Stdin => ("-".to_owned(), judge_source(&mut std::io::stdin().lock(), "", 0, formats, options)),
        Input::File(path) => (path.display().to_string(), judge_file(path, formats, options)),
    };
    let (kind, outcome) = match judged {
        Ok((format, judged)) => (Some(format), Outcome::Judged(judged)),
        Err((why, mend)) => (None, Outcome::Unusable { why, mend }),
    };
    Checked { file, kind, outcome, took: began.elapsed() }
}

type Unusable = (Text, Text);

fn judge_file(path: &Path, formats: &Formats, options: &Validate) -> Result<(&'static str, Judged), Unusable> {
    let mut file = File::open(path).map_err(|error| refused(&error))?;
    let size = file.metadata().map_err(|error| refused(&error))?.len();
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    judge_source(&mut file, ending, size, formats, options)
}

/// Its beginning tells what it is; the rest is read whole, or line by line.
fn judge_source(
    source: &mut dyn Read,
    ending: &str,
    size: u64,
    formats: &Formats,
    options: &Validate,
) -> Result<(&'static str, Judged), Unusable> {
    let mut bytes = Vec::new();
    source.take(Head::BYTES as u64).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
    let format = formats.of(&Head::of(&bytes, ending)).map_err(|why| if size > BIGGEST { too_big() } else { why })?;
    if let Some(fhir) = format.by_line() {
        let lines = BufReader::new(bytes.as_slice().chain(source));
        let judged = ndjson::judge(lines, BIGGEST, fhir).map_err(|error| refused(&error))?;
        return Ok((format.name(), judged));
    }
    let bytes = read(bytes, source, size)?;
    let mut judged = format.judge(bytes.clone());
    if options.format == ReportFormat::Text && format.shows_lines() {
        judged.show(&bytes);
    }
    Ok((format.name(), judged))
}

fn read(mut bytes: Vec<u8>, source: &mut dyn Read, size: u64) -> Result<Bytes, Unusable> {
    if size > BIGGEST {
        return Err(too_big());
    }
    bytes.reserve(usize::try_from(size).unwrap_or(0).saturating_sub(bytes.len()) + 1);
    let left = (BIGGEST + 1).saturating_sub(bytes.len() as u64);
    source.take(left).read_to_end(&mut bytes).map_err(|error| refused(&error))?;
    if bytes.len() as u64 > BIGGEST { Err(too_big()) } else { Ok(bytes.into()) }
}

fn too_big() -> Unusable {
    (
        Text::fixed("ce fichier dépasse 256 Mo", "this file is larger than 256 MB"),
        Text::fixed(
            "découpez-le : un document par fichier, ou une ressource par ligne (NDJSON), sans limite",
            "split it: one document a file, or one resource a line (NDJSON), without limit",
        ),
    )
}

/// How far it is, for whoever watches a terminal.
struct Progress {
    all: usize,
    began: Instant,
    last: Option<Instant>,
    is_shown: bool,
    is_on: bool,
}

impl Progress {
    const PAUSE: Duration = Duration::from_millis(100);

    fn new(all: usize) -> Self {
        // When the report itself goes to the terminal its lines are the progress.
        let is_on = all > 20 && std::io::stderr().is_terminal() && !std::io::stdout().is_terminal();
        Self { all, began: Instant::now(), last: None, is_shown: false, is_on }
    }

    fn show(&mut self, done: usize) {
        let is_due = self.last.unwrap_or(self.began).elapsed() >= Self::PAUSE;
        if self.is_on && is_due {
            let percent = done * 100 / self.all;
            let _ = write!(std::io::stderr().lock(), "\r{done}/{} ({percent} %)\u{1b}[K", self.all);
            (self.last, self.is_shown) = (Some(Instant::now()), true);
        }
    }

    fn hide(&mut self) {
        if std::mem::take(&mut self.is_shown) {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
