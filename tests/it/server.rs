//! The process under test.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use eencent_activations::failpoint::Moment;
use eencent_test_stores as stores;

use crate::http::{Answer, request};

/// All scopes; 32 characters.
pub const KEY: &str = "test-key-test-key-test-key-test-key";
/// Longer than anything takes on a busy machine; a test that waits so long has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A folder and settings, in which the program can be started again and again.
pub struct Installation {
    pub folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

impl Installation {
    /// The embedded default, whatever the other tests run on.
    pub fn embedded() -> Self {
        Self::empty().with_the_usual()
    }

    /// As a newcomer has it, plus a key to the API, the four providers, and an office that never closes; on
    /// PostgreSQL and Redis where the tests run on servers.
    pub fn new() -> Self {
        let installation = Self::empty();
        let installation = if stores::on_servers() {
            installation
                .with("DATABASE__URL", &stores::postgres())
                .with("QUEUE__URL", &stores::redis())
                .with("LINKS__KEY", &"0123456789abcdef".repeat(4))
        } else {
            installation
        };
        installation.with_the_usual()
    }

    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            settings: Vec::new(),
        }
    }

    fn with_the_usual(self) -> Self {
        self.with("LISTEN__PUBLIC", "127.0.0.1:0")
            .with("LISTEN__STAFF", "127.0.0.1:0")
            .with("LISTEN__OPERATIONS", "127.0.0.1:0")
            .with("API__KEYS", KEY)
            .with("OFFICE__HOURS", "24/7")
            .with("ORGANISATIONS__FREE", "100000")
            .with("INVOICE__IBAN", "NL91ABNA0417164300")
            .with("INVOICE__SELLER_NAME", "Eencent B.V.")
            .with("INVOICE__SELLER_STREET", "Keizersgracht 1")
            .with("INVOICE__SELLER_POSTCODE", "1015 CJ")
            .with("INVOICE__SELLER_CITY", "Amsterdam")
            .with("INVOICE__SELLER_KVK", "68750110")
            .with("INVOICE__SELLER_VAT", "NL822010690B01")
            .with("INVOICE__NUMBER_PREFIX", "EC-")
            .with("WEBHOOKS__MOLLIE__PROVIDER", "mollie")
            .with("WEBHOOKS__MOLLIE__SECRETS", crate::payments::MOLLIE)
            .with("WEBHOOKS__STRIPE__PROVIDER", "stripe")
            .with("WEBHOOKS__STRIPE__SECRETS", crate::payments::STRIPE)
            .with("WEBHOOKS__BANK__PROVIDER", "standard_webhooks")
            .with("WEBHOOKS__BANK__SECRETS", crate::payments::BANK)
            .with("WEBHOOKS__ADYEN__PROVIDER", "adyen")
            .with("WEBHOOKS__ADYEN__SECRETS", crate::payments::ADYEN)
            .with("WEBHOOKS__ADYEN__ACCOUNT", "EencentECOM")
            .with("WEBHOOKS__ADYEN__USERNAME", "adyen")
            .with("WEBHOOKS__ADYEN__PASSWORD", "colon:and:more")
    }

    /// One more setting, `SECTION__KEY`.
    pub fn with(mut self, key: &str, value: &str) -> Self {
        self.settings.push((format!("EENCENT__{key}"), value.to_owned()));
        self
    }

    /// Not that setting.
    pub fn without(mut self, key: &str) -> Self {
        self.settings.retain(|(name, _)| *name != format!("EENCENT__{key}"));
        self
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn mail(&self) -> PathBuf {
        self.path().join("eencent-data/mail")
    }

    /// The program with these settings and nothing else of the environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_eencent"));
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .envs(self.settings.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null());
        command
    }

    /// Statements that somebody else gives the database.
    pub fn sql(&self, statements: &str) {
        let url = self.settings.iter().find(|(key, _)| key == "EENCENT__DATABASE__URL");
        let mut command = match url {
            Some((_, url)) => {
                let mut psql = Command::new(Path::new(&stores::server_programs()).join("psql"));
                psql.args([url, "-q", "-v", "ON_ERROR_STOP=1"]);
                // Each by itself: one transaction that locks several tables can end in a deadlock with who works on them.
                let statements = statements.split(';').filter(|one| !one.trim().is_empty());
                psql.args(statements.flat_map(|one| ["-c", one]));
                psql
            }
            None => {
                let script = "import sqlite3, sys\n\
                              c = sqlite3.connect(sys.argv[1], timeout=30)\n\
                              c.executescript(sys.argv[2])\n";
                let mut python = Command::new(crate::vendors::python());
                python.args(["-c", script]);
                python.arg(self.path().join("eencent-data/eencent.db")).arg(statements);
                python
            }
        };
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }

    /// Every row of every table but these, as text; bytes as far as they are text, or in hexadecimal.
    pub fn stored(&self, but: &[&str]) -> String {
        let url = self.settings.iter().find(|(key, _)| key == "EENCENT__DATABASE__URL");
        let mut command = match url {
            Some((_, url)) => {
                let mut psql = Command::new(Path::new(&stores::server_programs()).join("psql"));
                let but: Vec<String> = but.iter().map(|table| format!("'{table}'")).collect();
                let each = format!(
                    "SELECT format('SELECT row_to_json(t) FROM %I t', tablename) FROM pg_tables \
                     WHERE schemaname = current_schema() AND tablename NOT IN ({}) \\gexec",
                    [but, vec!["''".to_owned()]].concat().join(", ")
                );
                psql.args([url, "-q", "-At", "-v", "ON_ERROR_STOP=1"]);
                std::fs::write(self.path().join("stored.sql"), each).unwrap();
                psql.arg("-f").arg(self.path().join("stored.sql"));
                psql
            }
            None => {
                let script = "import sqlite3, sys\n\
                              c = sqlite3.connect(sys.argv[1], timeout=30)\n\
                              for (t,) in c.execute(\"SELECT name FROM sqlite_master WHERE type = 'table'\").fetchall():\n\
                              \x20   if t not in sys.argv[2:]:\n\
                              \x20       for row in c.execute(f'SELECT * FROM {t}'):\n\
                              \x20           print(t, *[v.decode('utf-8', 'replace') if isinstance(v, bytes) else v for v in row])\n";
                let mut python = Command::new(crate::vendors::python());
                python.args(["-c", script]);
                python.arg(self.path().join("eencent-data/eencent.db")).args(but);
                python
            }
        };
        let ran = command.output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let output = self.command(arguments).output().unwrap();
        Ran {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn serve(&self) -> Server {
        self.role("serve")
    }

    pub fn role(&self, role: &str) -> Server {
        let mut server = self.launch(role);
        server.wait_until_ready();
        server
    }

    /// Starts without waiting for anything.
    pub fn launch(&self, role: &str) -> Server {
        Self::spawn(self.command(&[role]))
    }

    /// The same, and it ends as if it were killed when it passes that moment for the `time`th time.
    pub fn launch_until(&self, moment: Moment, time: u32, role: &str) -> Server {
        let mut command = self.command(&[role]);
        command.env("EENCENT_TEST_FAILPOINT", format!("{}:{time}", moment.as_str()));
        Self::spawn(command)
    }

    /// The same with a clock of its own, which `offset` sets: what the file says (`+3600`, `-3600`) is how far off it is.
    pub fn launch_by(&self, offset: &Path, role: &str) -> Server {
        let mut command = self.command(&[role]);
        command
            .env("LD_PRELOAD", faketime())
            .env("FAKETIME_TIMESTAMP_FILE", offset)
            .env("FAKETIME_NO_CACHE", "1")
            // What only goes forward isn't set with the clock.
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Server {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().unwrap();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let mut log = sink.lock().unwrap();
                log.push_str(&line);
                log.push('\n');
            }
        });
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (said, heard) = std::sync::mpsc::channel();
        let sink = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if line.starts_with("listening ") {
                    let _ = said.send(line);
                } else {
                    let mut log = sink.lock().unwrap();
                    log.push_str(&line);
                    log.push('\n');
                }
            }
        });
        let line = heard.recv_timeout(PATIENCE).unwrap_or_default();
        let address = |name: &str| {
            let found = line
                .split(' ')
                .find_map(|part| part.strip_prefix(&format!("{name}=http://")));
            found.unwrap_or_default().to_owned()
        };
        Server {
            public: address("public"),
            staff: address("staff"),
            operations: address("operations"),
            child,
            log,
        }
    }
}

/// What lies to a program about the time; Debian keeps it in a folder of the machine's kind.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap().map_while(Result::ok);
    folders
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime; tests/run installs it")
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

/// A running process; killed when dropped.
pub struct Server {
    pub public: String,
    pub staff: String,
    pub operations: String,
    child: Child,
    log: Arc<Mutex<String>>,
}

impl Server {
    pub fn wait_until_ready(&mut self) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("ended with {status} before it was ready:\n{}", self.log());
            }
            if !self.operations.is_empty()
                && request(&self.operations, "GET", "/ready", &[], b"").is_ok_and(|answer| answer.status == 200)
            {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "not ready in time:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// A call to the platform API with the key that has all scopes.
    pub fn api(&self, method: &str, path: &str, body: &serde_json::Value) -> Answer {
        let key = format!("Bearer {KEY}");
        let headers = [("authorization", key.as_str()), ("content-type", "application/json")];
        let bytes = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        request(&self.public, method, path, &headers, &bytes).unwrap()
    }

    /// SIGKILL, and the end of it.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// How it ended, if it has.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
    }

    /// Waits for its end.
    pub fn ended(mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < PATIENCE, "did not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- log of the server\n{}", self.log());
        }
    }
}

/// Waits until there is something; tries again every few milliseconds.
pub fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
