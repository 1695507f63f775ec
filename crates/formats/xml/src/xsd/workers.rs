//! Threads that each own a compiled schema with its prepared content models, and judge one document after another.
//!
//! The library's compiled set is not for two threads at once (it holds cells), and what it prepares for judging, most of
//! the cost of a small document, borrows the set. A thread that keeps both on its stack needs neither `unsafe` nor a
//! second preparation, and there are never more compiled sets than processors, whatever number of threads ask.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use xsd_schema::SchemaSet;
use xsd_schema::validation::{
    SchemaValidator, SchemaValidity, ValidationError, ValidationFlags, ValidationSink, ValidationWarning,
    drive_quick_xml_in,
};
use xsd_schema::xml::ParseLimits;

use super::{FINDINGS, XsdError, load};
use crate::Limits;
use crate::schematron::Files;

/// What the compiled schema says of a text.
#[derive(Debug, Default)]
pub(super) struct Judged {
    pub(super) root_is_valid: bool,
    /// How many there are; the first [`FINDINGS`] are kept.
    pub(super) count: usize,
    pub(super) errors: Vec<ValidationError>,
    /// Why the text was not walked to its end.
    pub(super) stopped: Option<String>,
}

struct Job {
    text: String,
    answer: Sender<Judged>,
}

#[derive(Default)]
struct Idle {
    /// The last that worked first: its memory is warm.
    ready: Vec<Sender<Job>>,
    made: usize,
}

/// The threads of one schema. They end when this is dropped.
pub(super) struct Workers {
    idle: Mutex<Idle>,
    back: Condvar,
    most: usize,
}

impl Workers {
    pub(super) fn new() -> Self {
        let most = thread::available_parallelism().map_or(1, usize::from);
        Self { idle: Mutex::default(), back: Condvar::new(), most }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes one when there is none.
    pub(super) fn prepare(&self, files: &Arc<dyn Files>, entry: &str) -> Result<(), XsdError> {
        let worker = self.take(files, entry)?;
        self.give_back(worker);
        Ok(())
    }

    pub(super) fn judge(&self, files: &Arc<dyn Files>, entry: &str, text: &str) -> Result<Judged, XsdError> {
        let worker = self.take(files, entry)?;
        let (answer, judged) = channel();
        let sent = worker.send(Job { text: text.to_owned(), answer });
        let Some(judged) = sent.ok().and_then(|()| judged.recv().ok()) else {
            // The thread has ended on a fault of the library: the next document gets another.
            self.lost();
            return Ok(Judged { stopped: Some("the schema engine failed".to_owned()), ..Judged::default() });
        };
        self.give_back(worker);
        Ok(judged)
    }

    /// A worker for one document; waits for one when all that may be are at work.
    fn take(&self, files: &Arc<dyn Files>, entry: &str) -> Result<Sender<Job>, XsdError> {
        let mut idle = self.idle();
        loop {
            if let Some(worker) = idle.ready.pop() {
                return Ok(worker);
            }
            if idle.made < self.most {
                idle.made += 1;
                drop(idle);
                return start(files.clone(), entry.to_owned()).inspect_err(|_| self.lost());
            }
            idle = self.back.wait(idle).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give_back(&self, worker: Sender<Job>) {
        self.idle().ready.push(worker);
        self.back.notify_one();
    }

    fn lost(&self) {
        self.idle().made -= 1;
        self.back.notify_one();
    }
}

fn start(files: Arc<dyn Files>, entry: String) -> Result<Sender<Job>, XsdError> {
    let failed = |reason: &str| XsdError::Unusable { entry: entry.clone(), reason: reason.to_owned() };
    let (started, result) = channel();
    let (jobs, received) = channel();
    let of_thread = entry.clone();
    let run = move || match load::load(&files, &of_thread) {
        Ok(set) => {
            let _ = started.send(Ok(()));
            work(&set, &received);
        }
        Err(error) => drop(started.send(Err(error))),
    };
    let spawned = thread::Builder::new().name("xml-schema".to_owned()).spawn(run);
    spawned.map_err(|_| failed("the system gives no thread"))?;
    result.recv().map_err(|_| failed("the schema engine failed"))??;
    Ok(jobs)
}

fn work(set: &SchemaSet, jobs: &Receiver<Job>) {
    let validator = SchemaValidator::new(set, ValidationFlags::default() - ValidationFlags::BUILD_PSVI_TYPED_VALUES);
    let mut buffer = Vec::new();
    for job in jobs {
        let judged = judge(set, &validator, &job.text, &mut buffer);
        // Nobody waits any more when the caller has gone.
        let _ = job.answer.send(judged);
        buffer.clear();
        buffer.shrink_to(KEPT);
    }
}

/// Bytes of the reader's buffer that stay between two documents.
const KEPT: usize = 1 << 20;

fn judge(set: &SchemaSet, validator: &SchemaValidator<'_>, text: &str, buffer: &mut Vec<u8>) -> Judged {
    let mut judged = Judged::default();
    let mut runtime = validator.start_run(&mut judged);
    let limits = Limits::default();
    runtime.set_parse_limits(
        ParseLimits::none()
            .with_max_depth(limits.depth)
            .with_max_name_bytes(limits.name)
            .with_max_nodes(limits.nodes as usize * 4),
    );
    let driven = drive_quick_xml_in(text.as_bytes(), &mut runtime, set, buffer);
    drop(runtime);
    match driven {
        Ok(outcome) => judged.root_is_valid = outcome.root_validity == Some(SchemaValidity::Valid),
        Err(error) => judged.stopped = Some(error.to_string()),
    }
    judged
}

impl ValidationSink for &mut Judged {
    fn on_error(&mut self, error: ValidationError) {
        self.count += 1;
        if self.errors.len() < FINDINGS {
            self.errors.push(error);
        }
    }

    fn on_warning(&mut self, _: ValidationWarning) {}
}
