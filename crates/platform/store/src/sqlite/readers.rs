//! Reader connections: a few, opened when first needed, used on the runtime's blocking threads.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::sql;
use crate::StoreError;

/// The pool. Clones share it.
#[derive(Clone)]
pub(super) struct Readers {
    database: PathBuf,
    idle: Arc<Mutex<Vec<Connection>>>,
    slots: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(database: PathBuf, connections: usize) -> Self {
        Self { database, idle: Arc::default(), slots: Arc::new(Semaphore::new(connections.max(1))) }
    }

    /// Runs `read` with a connection; waits while all are in use.
    pub(super) async fn run<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    {
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let readers = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let _slot = slot;
            let db = readers.take()?;
            let result = read(&db);
            readers.give(db);
            result
        });
        // The error is a panic in `read` or the end of the runtime.
        work.await.map_err(|_| StoreError::Closed)?
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| sql::open_reader(&self.database), Ok)
    }

    fn give(&self, db: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(db);
    }
}
