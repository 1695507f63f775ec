//! `socle serve`: the platform, until it is told to stop.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use socle_trust::Shutdown;

use super::{configuration, service};
use crate::cli::Serve;
use crate::platform::Platform;
use crate::say::Speaker;
use crate::twins::NOTICE;

pub(crate) async fn run(file: Option<&Path>, options: &Serve, speaker: &Speaker) -> Result<ExitCode> {
    let config = configuration(file)?;
    if options.print_config {
        speaker.line(toml::to_string(&config)?);
        return Ok(ExitCode::SUCCESS);
    }
    service::log();
    let shutdown = Shutdown::new();
    let platform = Platform::start(&config, speaker.lang, &shutdown).await?;
    tracing::info!(environment = %config.environment, version = env!("CARGO_PKG_VERSION"), "socle is up");
    speaker.line(format!(
        "Socle {} · {} · {}",
        env!("CARGO_PKG_VERSION"),
        speaker.pick("environnement", "environment"),
        config.environment
    ));
    speaker.line(format!(
        "  FHIR R4    http://{}/fhir   https://localhost:{}/fhir",
        platform.plain,
        platform.tls.port()
    ));
    speaker.line(format!("  console    http://{}/console", platform.plain));
    for (name, address) in platform.twins.addresses() {
        speaker.line(format!("  {} {:<9} {address}", speaker.pick("jumeau", "twin"), name.as_str()));
    }
    if config.uses_twins() {
        speaker.line(NOTICE);
    }
    service::until_told(&shutdown).await;
    tracing::info!("stopping: requests and deliveries under way are finished first");
    shutdown.trigger();
    let grace = std::time::Duration::from_secs(20);
    if tokio::time::timeout(grace, platform.stopped()).await.is_err() {
        tracing::warn!("some deliveries were cut; they are done again at the next start");
    }
    Ok(ExitCode::SUCCESS)
}
