//! `socle jobs`: what is waiting, stuck or dead, and why.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use http::Method;
use serde_json::Value;

use super::configuration;
use crate::cli::{Format, Jobs, JobsAction};
use crate::remote::Remote;
use crate::say::Speaker;

pub(crate) async fn run(file: Option<&Path>, options: &Jobs, speaker: &Speaker) -> Result<ExitCode> {
    let config = configuration(file)?;
    let remote = Remote::connect(&config, speaker.lang).await?;
    match &options.action {
        JobsAction::List { format } => {
            let answer = remote.operator(Method::GET, "/operator/jobs").await?;
            list(&answer, *format, speaker);
        }
        JobsAction::Retry { id } => {
            let job = remote.operator(Method::POST, &format!("/operator/jobs/{id}/retry")).await?;
            speaker.line(format!("{} {}", speaker.pick("relancé :", "put back to work:"), line_of(&job, speaker)));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(answer: &Value, format: Format, speaker: &Speaker) {
    let jobs = answer.get("jobs").and_then(Value::as_array).cloned().unwrap_or_default();
    match format {
        Format::Json => jobs.iter().for_each(|job| speaker.line(job)),
        Format::Text if jobs.is_empty() => {
            speaker.line(speaker.pick("rien n'attend : tout est livré", "nothing waits: everything is delivered"))
        }
        Format::Text => jobs.iter().for_each(|job| speaker.line(line_of(job, speaker))),
    }
}

fn line_of(job: &Value, speaker: &Speaker) -> String {
    let text = |name: &str| job.get(name).and_then(Value::as_str).unwrap_or("–").to_owned();
    let number = |name: &str| job.get(name).and_then(Value::as_u64).unwrap_or_default();
    format!(
        "{:>6}  {:<8} {:<9} {} {}  {}  {}",
        number("id"),
        text("state"),
        text("kind"),
        number("attempts"),
        speaker.pick("essai(s)", "attempt(s)"),
        text("due"),
        text("error")
    )
}
