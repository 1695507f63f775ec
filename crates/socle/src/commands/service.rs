//! What long-running commands share: logs, and the order to stop.

use socle_trust::Shutdown;
use tracing_subscriber::EnvFilter;

/// Structured logs on standard error; people read them as text, programs as JSON (`SOCLE_LOG_FORMAT=json`).
pub(super) fn log() {
    let filter = EnvFilter::try_from_env("SOCLE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // A second subscriber is refused: the first one, of a test, goes on.
    let _ = if std::env::var("SOCLE_LOG_FORMAT").as_deref() == Ok("json") {
        builder.json().try_init()
    } else {
        builder.try_init()
    };
}

/// Waits for Ctrl-C, or for the order of the system where there is one.
pub(super) async fn until_told(shutdown: &Shutdown) {
    #[cfg(unix)]
    {
        let term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut term) = term {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = term.recv() => {}
                () = shutdown.triggered() => {}
            }
            return;
        }
    }
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = shutdown.triggered() => {}
    }
}
