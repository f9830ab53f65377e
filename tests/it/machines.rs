//! Several machines on one PostgreSQL and one Redis: receivers and workers come and go, servers are restarted, the
//! queue is emptied; counted by id, nothing is lost and nothing happens twice.

use std::collections::{HashMap, HashSet};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use serde_json::Value;

use crate::mail;
use crate::payments::{MOLLIE, NAME, mollie_paid, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};

const ACTIVATIONS: u32 = 80;

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A PostgreSQL and a Redis of this test's own, which it may restart.
struct Servers {
    folder: tempfile::TempDir,
    postgres_port: u16,
    redis_port: u16,
    redis: Child,
}

impl Servers {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (postgres_port, redis_port) = (free_port(), free_port());
        let data = folder.path().join("postgres");
        std::fs::create_dir(&data).unwrap();
        for open in [folder.path(), &data] {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(open, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        let made = postgres("initdb")
            .args(["-U", "eencent", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(data.join("data"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let redis = redis(redis_port, folder.path());
        let servers = Self {
            folder,
            postgres_port,
            redis_port,
            redis,
        };
        servers.pg_ctl("start");
        servers
    }

    fn pg_ctl(&self, what: &str) {
        let options = format!(
            "-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200",
            self.postgres_port
        );
        let data = self.folder.path().join("postgres");
        let done = postgres("pg_ctl")
            .args(["-w", "-t", "60", "-m", "immediate", "-o", &options, "-l"])
            .arg(data.join("log"))
            .arg("-D")
            .arg(data.join("data"))
            .arg(what)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(done.success(), "pg_ctl {what}");
    }

    /// Killed, and started again with nothing in it.
    fn restart_redis(&mut self) {
        self.redis.kill().unwrap();
        self.redis.wait().unwrap();
        self.redis = redis(self.redis_port, self.folder.path());
    }

    fn installation(&self) -> Installation {
        Installation::embedded()
            .with(
                "DATABASE__URL",
                &format!("postgres://eencent@127.0.0.1:{}/postgres", self.postgres_port),
            )
            .with("QUEUE__URL", &format!("redis://127.0.0.1:{}", self.redis_port))
            .with("LINKS__KEY", &"0123456789abcdef".repeat(4))
            .with("PUBLIC__URL", "https://activate.example.nl")
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        let _ = self.redis.kill();
        let _ = self.redis.wait();
        let data = self.folder.path().join("postgres/data");
        let stop = postgres("pg_ctl")
            .args(["-m", "immediate", "stop", "-D"])
            .arg(data)
            .output();
        drop(stop);
    }
}

/// One of PostgreSQL's programs, which don't run as root.
fn postgres(program: &str) -> Command {
    let program = PathBuf::from(eencent_test_stores::server_programs()).join(program);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .arg(program);
    command
}

fn redis(port: u16, folder: &Path) -> Child {
    let child = Command::new("redis-server")
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ])
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("Redis", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
    child
}

/// What posts notifications to whichever receivers there are, as a load balancer would.
struct Load {
    receivers: Arc<RwLock<Vec<String>>>,
    acknowledged: Arc<Mutex<HashSet<u32>>>,
    refused: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    posters: Vec<std::thread::JoinHandle<()>>,
}

impl Load {
    /// Posts each until it is acknowledged, and every fifth once more.
    fn start(views: &[Value], receivers: Vec<String>) -> Self {
        let load = Self {
            receivers: Arc::new(RwLock::new(receivers)),
            acknowledged: Arc::default(),
            refused: Arc::default(),
            stop: Arc::default(),
            posters: Vec::new(),
        };
        let bodies: Vec<(u32, Vec<u8>)> = (0..)
            .zip(views)
            .map(|(number, view)| {
                let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
                let body = mollie_paid(&event, &payment, text(view, "reference"), NAME);
                (number, body.to_string().into_bytes())
            })
            .collect();
        let posters = (0..4_u32).map(|poster| {
            let mut waiting: Vec<_> = bodies
                .iter()
                .filter(|(number, _)| number % 4 == poster)
                .cloned()
                .collect();
            let (receivers, acknowledged) = (Arc::clone(&load.receivers), Arc::clone(&load.acknowledged));
            let (refused, stop) = (Arc::clone(&load.refused), Arc::clone(&load.stop));
            std::thread::spawn(move || {
                let mut turn = 0_usize;
                while let (Some((number, body)), false) = (waiting.first().cloned(), stop.load(Ordering::SeqCst)) {
                    turn += 1;
                    let signature = eencent_webhooks::signing::mollie(MOLLIE, &body);
                    let headers: Vec<_> = signature.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    // Held over the request: a receiver leaves the list only when nobody is talking to it.
                    let answer = {
                        let receivers = receivers.read().unwrap();
                        let to = &receivers[turn % receivers.len()];
                        crate::http::request(to, "POST", "/webhooks/mollie", &headers, &body)
                    };
                    if answer.is_ok_and(|answer| answer.status == 200) {
                        let first = acknowledged.lock().unwrap().insert(number);
                        waiting.remove(0);
                        if first && number.is_multiple_of(5) {
                            waiting.push((number, body));
                        }
                    } else {
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    std::thread::sleep(Duration::from_millis(60));
                }
            })
        });
        Self {
            posters: posters.collect(),
            ..load
        }
    }

    fn leaves(&self, receiver: &str) {
        self.receivers.write().unwrap().retain(|one| one != receiver);
    }

    fn joins(&self, receiver: &str) {
        self.receivers.write().unwrap().push(receiver.to_owned());
    }

    /// How many were acknowledged, and how many requests were not answered with success.
    fn ended(self) -> (usize, usize) {
        let all = usize::try_from(ACTIVATIONS).unwrap();
        wait_for("all to be acknowledged", || {
            (self.acknowledged.lock().unwrap().len() == all).then_some(())
        });
        for poster in self.posters {
            poster.join().unwrap();
        }
        (all, self.refused.load(Ordering::SeqCst))
    }
}

/// Every activation got its link, once, with one e-mail; prints the counts.
fn count(server: &Server, installation: &Installation, views: &[Value], acknowledged: usize, refused: usize) {
    for view in views {
        let now = wait_for_state(server, text(view, "id"), "awaiting_confirmation");
        let links = now["history"].as_array().unwrap().iter();
        assert_eq!(links.filter(|line| line["event"] == "link_sent").count(), 1, "{now}");
        assert_eq!(now["payments"].as_array().unwrap().len(), 1, "{now}");
        assert_eq!(now["emails"].as_array().unwrap().len(), 1, "{now}");
    }
    let told = wait_for("every e-mail", || {
        let mut told: HashMap<String, usize> = HashMap::new();
        for email in mail::read(&installation.mail()) {
            *told.entry(email.header("x-activation").to_owned()).or_default() += 1;
        }
        (told.len() == views.len()).then_some(told)
    });
    let twice = told.values().filter(|times| **times > 1).count();
    println!(
        "acknowledged {acknowledged}, approved once {}, told {}, told twice {twice}, requests without success {refused}",
        views.len(),
        told.len()
    );
    assert_eq!(twice, 0, "somebody was told twice");
}

fn activations(server: &Server) -> Vec<Value> {
    (1..=ACTIVATIONS)
        .map(|number| started(server, number, "ideal"))
        .collect()
}

#[test]
fn fault_31_34_74_receivers_and_workers_come_and_go_under_load_and_no_request_is_refused() {
    let servers = Servers::start();
    let installation = servers.installation();
    let mut receivers = vec![installation.role("receive"), installation.role("receive")];
    let mut workers = vec![installation.role("work"), installation.role("work")];
    let views = activations(&receivers[0]);
    let load = Load::start(&views, receivers.iter().map(|one| one.public.clone()).collect());
    for round in 0..3 {
        let next = installation.role("receive");
        load.joins(&next.public);
        let old = receivers.remove(0);
        load.leaves(&old.public);
        old.signal("TERM");
        assert!(old.ended().success());
        receivers.push(next);

        let next = installation.role("work");
        let old = workers.remove(0);
        if round == 1 {
            // One in three is killed; the others take over what it had begun.
            old.kill();
        } else {
            old.signal("TERM");
            assert!(old.ended().success());
        }
        workers.push(next);
        let flushed = Command::new("redis-cli")
            .args(["-p", &servers.redis_port.to_string(), "FLUSHALL"])
            .output()
            .unwrap();
        assert!(flushed.status.success());
    }
    let (acknowledged, refused) = load.ended();
    assert_eq!(refused, 0, "a request was refused during a rolling restart");
    count(&receivers[0], &installation, &views, acknowledged, refused);
}

#[test]
fn fault_26_33_34_postgresql_and_redis_are_restarted_in_mid_flight_and_nothing_is_lost() {
    let mut servers = Servers::start();
    let installation = servers.installation();
    let server = installation.role("receive");
    let _workers = [installation.role("work"), installation.role("work")];
    let views = activations(&server);
    let load = Load::start(&views, vec![server.public.clone()]);
    for _ in 0..2 {
        servers.pg_ctl("restart");
        servers.restart_redis();
    }
    let (acknowledged, refused) = load.ended();
    count(&server, &installation, &views, acknowledged, refused);
}
