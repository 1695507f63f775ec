//! `socle audit verify`: walks the whole log. A platform that runs is asked; a folder at rest is opened.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use http::Method;
use serde_json::{Value, json};
use socle_store::{Options, SqliteStore, Store};

use super::configuration;
use crate::cli::{Audit, AuditAction, Format};
use crate::config::Config;
use crate::remote::Remote;
use crate::say::Speaker;

pub(crate) async fn run(file: Option<&Path>, options: &Audit, speaker: &Speaker) -> Result<ExitCode> {
    let AuditAction::Verify { format } = options.action;
    let config = configuration(file)?;
    let report = verify(&config, speaker).await?;
    let is_sound = report.get("sound").and_then(Value::as_bool).unwrap_or(false);
    match format {
        Format::Json => speaker.line(&report),
        Format::Text => tell(&report, is_sound, speaker),
    }
    Ok(if is_sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn verify(config: &Config, speaker: &Speaker) -> Result<Value> {
    let folder = config.data.join("store");
    match tokio::task::spawn_blocking(move || SqliteStore::open(&folder, Options::default())).await? {
        Ok(store) => {
            let report = store.audit_verify().await?;
            Ok(json!({
                "sound": report.is_sound(),
                "size": report.size,
                "opened": report.opened,
                "erased": report.erased,
                "checkpoints": report.checkpoints,
                "covered": report.covered,
                "problems": report.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
            }))
        }
        Err(socle_store::StoreError::InUse { .. }) => {
            let remote = Remote::connect(config, speaker.lang).await?;
            remote.operator(Method::POST, "/operator/audit/verify").await
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(report: &Value, is_sound: bool, speaker: &Speaker) {
    let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (size, checkpoints, covered) = (number("size"), number("checkpoints"), number("covered"));
    if is_sound {
        let (fr, en) = (
            format!(
                "journal intègre : {size} enregistrements, {checkpoints} points de contrôle signés (jusqu'au n° {covered})"
            ),
            format!("the log is whole: {size} records, {checkpoints} signed checkpoints (up to no. {covered})"),
        );
        speaker.line(speaker.pick(&fr, &en));
        return;
    }
    speaker.line(speaker.pick("le journal d'audit a été altéré :", "the audit log was altered:"));
    for problem in report.get("problems").and_then(Value::as_array).into_iter().flatten() {
        speaker.line(format!("  {}", problem.as_str().unwrap_or("?")));
    }
    speaker.line(speaker.pick(
        "remède : gardez une copie du dossier, restaurez la dernière sauvegarde, prévenez le RSSI",
        "mend: keep a copy of the folder, restore the last backup, tell the security officer",
    ));
}
