//! An installation as an operator has one: a `socle.toml`, a data folder, the binary as child processes,
//! real sockets. Every process is killed when the installation is dropped.
//!
//! Order: the installation and its processes, what is asked of it (command line, HTTP, DMP, mailbox),
//! then ports and skipping.
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "helpers of tests")]

pub(crate) mod dmp;
pub(crate) mod door;
#[path = "../../src/commands/lot.rs"]
#[allow(unreachable_pub, reason = "the binary's own file: the lot of a test is the one that `socle send` makes")]
pub(crate) mod lot;
pub(crate) mod mailbox;

use std::collections::HashSet;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use socle_trust::pki::TestPki;

/// How long a process may take to serve. A first start makes keys, on a machine that may be busy.
const START_MAX: Duration = Duration::from_secs(120);

/// The twins that can run in a process of their own.
pub(crate) const TWINS: [&str; 4] = ["prosante", "ins", "dmp", "mss"];

/// Where everything listens.
#[derive(Debug, Clone)]
pub(crate) struct Ports {
    pub(crate) plain: u16,
    pub(crate) tls: u16,
    pub(crate) prosante: u16,
    pub(crate) wallet: u16,
    pub(crate) ins: u16,
    pub(crate) ins_page: u16,
    pub(crate) dmp: u16,
    pub(crate) dmp_page: u16,
    pub(crate) submission: u16,
    pub(crate) submissions: u16,
    pub(crate) imap: u16,
    pub(crate) imaps: u16,
    pub(crate) mss_page: u16,
}

impl Ports {
    fn free() -> Self {
        Self {
            plain: free_port(),
            tls: free_port(),
            prosante: free_port(),
            wallet: free_port(),
            ins: free_port(),
            ins_page: free_port(),
            dmp: free_port(),
            dmp_page: free_port(),
            submission: free_port(),
            submissions: free_port(),
            imap: free_port(),
            imaps: free_port(),
            mss_page: free_port(),
        }
    }

    fn of_twin(&self, name: &str) -> Vec<u16> {
        match name {
            "prosante" => vec![self.prosante, self.wallet],
            "ins" => vec![self.ins, self.ins_page],
            "dmp" => vec![self.dmp, self.dmp_page],
            "mss" => vec![self.submission, self.submissions, self.imap, self.imaps, self.mss_page],
            other => panic!("no twin {other}"),
        }
    }
}

/// A data folder with its configuration, and the processes that work on it.
pub(crate) struct Installation {
    folder: tempfile::TempDir,
    pub(crate) ports: Ports,
    /// Each twin in a process of its own, or all in the platform's?
    apart: bool,
    log_level: &'static str,
    platform: Option<Process>,
    twins: Vec<(&'static str, Process)>,
}

impl Installation {
    /// One process: the platform and its twins.
    pub(crate) fn embedded() -> Self {
        let mut installation = Self::at_rest(false);
        installation.start_platform();
        installation
    }

    /// Five processes: each twin alone, and the platform that reaches them by their addresses.
    pub(crate) fn apart() -> Self {
        let mut installation = Self::at_rest(true);
        installation.start_all();
        installation
    }

    pub(crate) fn start_all(&mut self) {
        if self.apart {
            TWINS.into_iter().for_each(|name| self.start_twin(name));
        }
        self.start_platform();
    }

    /// Folder and configuration; nothing runs.
    pub(crate) fn at_rest(apart: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = Ports::free();
        let installation = Self { folder, ports, apart, log_level: "debug", platform: None, twins: Vec::new() };
        std::fs::create_dir_all(installation.data()).unwrap();
        std::os::unix::fs::symlink(kept_keys(), installation.data().join("pki")).unwrap();
        installation.write_config(&installation.config_text());
        installation
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.folder.path().join("socle.toml")
    }

    pub(crate) fn write_config(&self, text: &str) {
        std::fs::write(self.config_file(), text).unwrap();
    }

    /// The configuration of this installation.
    pub(crate) fn config_text(&self) -> String {
        let Ports { plain, tls, prosante, wallet, ins, ins_page, dmp, dmp_page, .. } = self.ports;
        let Ports { submission, submissions, imap, imaps, mss_page, .. } = self.ports;
        let endpoints = if self.apart {
            format!(
                "[prosante]\nendpoint = \"https://localhost:{prosante}/auth/realms/esante-wallet\"\n\
                 [ins]\nendpoint = \"https://localhost:{ins}/lps\"\n\
                 [dmp]\nendpoint = \"https://localhost:{dmp}/si-dmp-server/v2/services\"\n\
                 [mss]\nendpoint = \"localhost:{submission}\"\n"
            )
        } else {
            String::new()
        };
        format!(
            "data = {data:?}\n\
             [server]\nlisten = \"127.0.0.1:{plain}\"\nlisten_tls = \"127.0.0.1:{tls}\"\n\
             {endpoints}\
             [dispatch]\nfirst_wait_s = 1\nlongest_wait_s = 2\nmax_attempts = 1000\n\
             [twins]\nprosante = {prosante}\nwallet = {wallet}\nins = {ins}\nins_page = {ins_page}\n\
             dmp = {dmp}\ndmp_page = {dmp_page}\nsubmission = {submission}\nsubmissions = {submissions}\n\
             imap = {imap}\nimaps = {imaps}\nmss_page = {mss_page}\n",
            data = self.data().display().to_string(),
        )
    }

    pub(crate) fn start_platform(&mut self) {
        let mut ports = vec![self.ports.plain, self.ports.tls];
        if !self.apart {
            ports.extend(TWINS.iter().flat_map(|name| self.ports.of_twin(name)));
        }
        let mut process = self.spawn("platform", &["serve"]);
        process.wait_until_it_listens(&ports);
        self.platform = Some(process);
    }

    pub(crate) fn start_twin(&mut self, name: &'static str) {
        let mut process = self.spawn(name, &["twin", name]);
        process.wait_until_it_listens(&self.ports.of_twin(name));
        self.twins.push((name, process));
    }

    /// SIGKILL: nothing is finished, nothing is said.
    pub(crate) fn kill_platform(&mut self) {
        drop(self.platform.take().expect("the platform runs"));
    }

    /// Asks the platform to stop and waits until it has.
    pub(crate) fn stop_platform(&mut self) {
        let mut process = self.platform.take().expect("the platform runs");
        let asked = Command::new("kill").arg(process.child.id().to_string()).status().unwrap();
        assert!(asked.success());
        let status = process.child.wait().unwrap();
        assert!(status.success(), "{status}: {}", self.logs());
    }

    /// SIGKILL on one twin.
    pub(crate) fn kill_twin(&mut self, name: &str) {
        let place = self.twins.iter().position(|(running, _)| *running == name).expect("the twin runs");
        drop(self.twins.remove(place));
    }

    fn spawn(&self, name: &str, arguments: &[&str]) -> Process {
        let log = self.folder.path().join(format!("{name}.log"));
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let child = self
            .command(arguments)
            .env("SOCLE_LOG", self.log_level)
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap();
        Process { child, log }
    }

    /// The binary on this configuration, in English, without the caller's own settings.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.arg("--config").arg(self.config_file()).args(arguments).current_dir(self.folder.path());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// Everything that the processes wrote so far.
    pub(crate) fn logs(&self) -> String {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        logs.map(|path| std::fs::read_to_string(path).unwrap()).collect()
    }

    /// Nobody panicked, and no log names the patient of the tests.
    pub(crate) fn check_logs(&self) {
        let logs = self.logs();
        for forbidden in ["panicked", "279035121518989", "2790351215189", "PAT-TROIS", "Pat-Trois"] {
            if let Some(at) = logs.find(forbidden) {
                let start = logs[..at].rfind('\n').map_or(0, |line| line + 1);
                let end = logs[at..].find('\n').map_or(logs.len(), |line| at + line);
                panic!("{forbidden} in the logs: {}", &logs[start..end]);
            }
        }
        assert!(logs.contains("DEBUG"), "the logs are those of SOCLE_LOG=debug");
    }

    /// The keys of this installation.
    pub(crate) fn pki(&self) -> TestPki {
        TestPki::open_or_create(&self.data().join("pki")).unwrap()
    }
}

/// The binary under test, without the caller's own settings.
pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_socle"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("SOCLE_")) {
        command.env_remove(name);
    }
    command.env("SOCLE_LANG", "en");
    command
}

/// A child that dies with its owner.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn wait_until_it_listens(&mut self, ports: &[u16]) {
        let began = Instant::now();
        for port in ports {
            while TcpStream::connect(("127.0.0.1", *port)).is_err() {
                let log = || std::fs::read_to_string(&self.log).unwrap_or_default();
                if let Some(status) = self.child.try_wait().unwrap() {
                    panic!("it ended instead of serving ({status}):\n{}", log());
                }
                assert!(began.elapsed() < START_MAX, "nothing listens on {port} after {START_MAX:?}:\n{}", log());
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// RSA keys take seconds to make: all installations of one checkout use the same folder of them.
fn kept_keys() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pki");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A port that nothing holds. It is taken outside the range that the system gives to outgoing
/// connections, so that a process that restarts finds it free again.
fn free_port() -> u16 {
    static TAKEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut taken = TAKEN.lock().unwrap();
    let taken = taken.get_or_insert_with(HashSet::new);
    for _ in 0..10_000 {
        let port = 12_000 + u16::try_from(uuid::Uuid::new_v4().as_u128() % 18_000).unwrap();
        if !taken.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            taken.insert(port);
            return port;
        }
    }
    panic!("no free port");
}

/// Says that a test is skipped; in strict mode that is a failure.
pub(crate) fn skip(test: &str, why: &str) {
    println!("SKIPPED {test}: {why}");
    assert!(std::env::var("SOCLE_STRICT").as_deref() != Ok("1"), "{test} may not be skipped: {why}");
}

/// A folder of the shared sample data, or `None` after saying visibly that the test is skipped.
pub(crate) fn shared(test: &str, path: &str) -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("SOCLE_SHARED").map_or_else(default, PathBuf::from);
    let found = root.join("data").join(path);
    if found.exists() {
        return Some(found);
    }
    skip(test, "no shared data");
    None
}

/// Waits for something to become true; says what it was when it does not.
pub(crate) async fn eventually<F: Future<Output = bool>>(what: &str, within: Duration, mut is_true: impl FnMut() -> F) {
    let began = Instant::now();
    while !is_true().await {
        assert!(began.elapsed() < within, "not within {within:?}: {what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
