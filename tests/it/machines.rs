//! Several machines on one PostgreSQL and one Redis: receivers and workers come and go, servers are restarted, the
//! queue is emptied; counted by id, nothing is lost and nothing happens twice.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::load::{Load, activations, count};
use crate::payments::NAME;
use crate::server::{Installation, wait_for};

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A PostgreSQL and a Redis of this test's own, which it may restart.
pub struct Servers {
    folder: tempfile::TempDir,
    pub postgres_port: u16,
    pub redis_port: u16,
    redis: Child,
}

impl Servers {
    pub fn start() -> Self {
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

    pub fn installation(&self) -> Installation {
        self.installation_on(self.postgres_port, self.redis_port)
    }

    /// With other ports in between.
    pub fn installation_on(&self, postgres_port: u16, redis_port: u16) -> Installation {
        Installation::embedded()
            .with(
                "DATABASE__URL",
                &format!("postgres://eencent@127.0.0.1:{postgres_port}/postgres"),
            )
            .with("QUEUE__URL", &format!("redis://127.0.0.1:{redis_port}"))
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

#[test]
fn fault_31_34_74_receivers_and_workers_come_and_go_under_load_and_no_request_is_refused() {
    let servers = Servers::start();
    let installation = servers.installation();
    let mut receivers = vec![installation.role("receive"), installation.role("receive")];
    let mut workers = vec![installation.role("work"), installation.role("work")];
    let views = activations(&receivers[0], 80);
    let load = Load::start(
        &views,
        |_| NAME,
        receivers.iter().map(|one| one.public.clone()).collect(),
    );
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
    let views = activations(&server, 80);
    let load = Load::start(&views, |_| NAME, vec![server.public.clone()]);
    for _ in 0..2 {
        servers.pg_ctl("restart");
        servers.restart_redis();
    }
    let (acknowledged, refused) = load.ended();
    count(&server, &installation, &views, acknowledged, refused);
}
