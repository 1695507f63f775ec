use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::connection::Connection;

/// Open, authenticated connections by mailbox, and a limit on how many are open at once.
#[derive(Debug)]
pub(super) struct Pool {
    places: Semaphore,
    idle_max: Duration,
    idle: Mutex<HashMap<String, Vec<(Instant, Connection)>>>,
}

impl Pool {
    pub(super) fn new(connections_max: usize, idle_max: Duration) -> Self {
        let places = connections_max.clamp(1, Semaphore::MAX_PERMITS);
        Self { places: Semaphore::new(places), idle_max, idle: Mutex::new(HashMap::new()) }
    }

    /// Waits for the right to use a connection; never closed, so there is always one in the end.
    pub(super) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.acquire().await.ok()
    }

    /// The connection used last: the others grow old and are closed.
    pub(super) fn take(&self, mailbox: &str) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = idle.get_mut(mailbox)?;
        connections.retain(|(since, _)| since.elapsed() < self.idle_max);
        connections.pop().map(|(_, connection)| connection)
    }

    pub(super) fn put(&self, mailbox: &str, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        for connections in idle.values_mut() {
            connections.retain(|(since, _)| since.elapsed() < self.idle_max);
        }
        idle.retain(|_, connections| !connections.is_empty());
        idle.entry(mailbox.to_owned()).or_default().push((Instant::now(), connection));
    }
}
