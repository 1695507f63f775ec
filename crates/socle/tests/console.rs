//! The console in a real Chromium: the demonstration's flow read with the keyboard alone, on a desk and on a
//! phone, in both languages, light and dark. What the browser does and checks is in `peers/console.py`.
//! The pictures of each page stay in `artifacts/`, for people to look at.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops at what it did not expect, and says what it skips"
)]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `socle demo --keep`, stopped with the test.
struct Demo {
    child: Child,
    console: String,
}

impl Demo {
    fn start(data: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_socle"))
            .args(["demo", "--keep", "--lang", "fr", "--data"])
            .arg(data)
            .current_dir(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut demo = Self { console: String::new(), child };
        let mut said = String::new();
        for line in BufReader::new(demo.child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some(address) = line.strip_prefix("console : ") {
                address.split_whitespace().next().unwrap().clone_into(&mut demo.console);
                return demo;
            }
            said.push_str(&line);
            said.push('\n');
        }
        demo.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        panic!("the demonstration ended without a console:\n{said}");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Already gone, when these fail.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program of the search path.
fn program(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| path.is_file())
}

fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    assert!(std::env::var_os("SOCLE_STRICT").is_none_or(|value| value != "1"), "{test} was skipped: {why}");
}

#[test]
fn a_keyboard_goes_everywhere_in_the_console() {
    let test = "a_keyboard_goes_everywhere_in_the_console";
    let (Some(chromium), Some(driver)) = (program("chromium"), program("chromedriver")) else {
        return skip(test, "no chromium or no chromedriver");
    };
    let Some(python) = program("python3") else { return skip(test, "no python3") };
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path());
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python)
        .arg(root.join("tests/peers/console.py"))
        .args([Path::new(&demo.console), &driver, &chromium, &root.join("../../artifacts")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    for page in ["accueil", "flux", "un-flux", "message", "document", "livraisons"] {
        assert!(said.contains(&format!("checked light {page} ")), "{page} was not looked at:\n{said}");
        assert!(said.contains(&format!("checked dark {page} ")), "{page} was not looked at in the dark:\n{said}");
    }
}
