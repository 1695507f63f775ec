//! `socle validate`: documents of any supported format, judged offline.
//!
//! Order of the work: the files (`inputs.rs`), what each one is and its judgement (`formats.rs`, then
//! `fhir.rs`, `cda.rs`, `xdm.rs`), side by side on all processors (`work.rs`), and the report
//! (`report/`). A new format is one more entry of `formats::Formats`.
//!
//! Exit: 0 all valid, 1 one is not, 2 one could not be judged.

mod cda;
mod checked;
mod fhir;
mod formats;
mod inputs;
mod ndjson;
mod official;
mod report;
mod work;
mod xdm;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Validate;
use crate::say::Speaker;
use checked::Verdict;
use formats::Formats;

pub(crate) fn run(options: &Validate, speaker: &Speaker) -> Result<ExitCode> {
    let formats = Formats::prepare(options, speaker)?;
    let inputs = inputs::expand(&options.files);
    let mut report = report::begin(options, speaker);
    let mut worst = Verdict::Valid;
    work::judge(&inputs, &formats, options, &mut |checked| {
        worst = worst.max(checked.verdict(options.fail_on));
        report.add(&checked);
    });
    report.end();
    Ok(match worst {
        Verdict::Valid => ExitCode::SUCCESS,
        Verdict::Invalid => ExitCode::from(1),
        Verdict::Unusable => ExitCode::from(2),
    })
}
