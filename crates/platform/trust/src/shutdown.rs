use std::sync::Arc;

use tokio::sync::watch;

/// The order to stop, given once and heard by everything that runs.
///
/// Clones share the order: one clone goes to each server, runner and loop; any of them may give it.
/// What hears it stops taking new work, ends what it has begun, and returns.
#[derive(Debug, Clone)]
pub struct Shutdown {
    order: Arc<watch::Sender<bool>>,
}

impl Shutdown {
    /// An order not yet given.
    #[must_use]
    pub fn new() -> Self {
        Self { order: Arc::new(watch::Sender::new(false)) }
    }

    /// Gives the order. Giving it again changes nothing.
    pub fn trigger(&self) {
        self.order.send_replace(true);
    }

    /// Has the order been given?
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.order.borrow()
    }

    /// Returns when the order is given, at once if it was before. Safe to drop and call again.
    pub async fn triggered(&self) {
        let mut order = self.order.subscribe();
        // The sender lives in `self`, so waiting cannot fail.
        let _ = order.wait_for(|given| *given).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_clone_hears_the_order_before_and_after_it_is_given() {
        let shutdown = Shutdown::new();
        let waiting = {
            let clone = shutdown.clone();
            tokio::spawn(async move { clone.triggered().await })
        };
        assert!(!shutdown.is_triggered());
        shutdown.clone().trigger();
        waiting.await.unwrap();
        shutdown.triggered().await;
        assert!(shutdown.is_triggered());
    }
}
