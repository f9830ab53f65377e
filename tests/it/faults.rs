//! A store that can't keep up: a locked database, a full disk, an answer that never arrived.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};

use crate::http::request;
use crate::payments::{MOLLIE, NAME, activation, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, wait_for};
use crate::vendors::python;

/// Another process that has the database to itself until it is dropped.
struct Lock(Child);

impl Lock {
    fn take(installation: &Installation) -> Self {
        let script = "import sqlite3, sys\n\
                      c = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)\n\
                      c.execute('BEGIN IMMEDIATE')\n\
                      print('locked', flush=True)\n\
                      sys.stdin.read()\n";
        let file = installation.path().join("eencent-data/eencent.db");
        let mut command = Command::new(python());
        let mut child = command
            .arg("-c")
            .arg(script)
            .arg(file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().unwrap()), &mut line).unwrap();
        assert_eq!(line, "locked\n");
        Self(child)
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn fault_25_33_75_while_the_database_is_locked_nothing_is_acknowledged_and_operations_still_sees() {
    let installation = Installation::embedded();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let body = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    let lock = Lock::take(&installation);
    let answer = post_mollie(&server, &body).unwrap();
    assert_eq!(answer.status, 503, "before the provider's own deadline");
    assert!(answer.header("retry-after").is_some());
    assert_eq!(
        request(&server.operations, "GET", "/metrics", &[], b"").unwrap().status,
        200
    );
    assert_eq!(
        request(&server.operations, "GET", "/live", &[], b"").unwrap().status,
        200
    );
    drop(lock);
    // The provider sends it again, and the same process takes it.
    wait_for("the notification to be taken", || {
        (post_mollie(&server, &body).unwrap().status == 200).then_some(())
    });
    let now = wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    assert_eq!(now["payments"].as_array().unwrap().len(), 1);
}

#[test]
fn fault_27_an_answer_that_never_arrived_is_asked_for_again_and_changes_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let body = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    let bytes = body.to_string();
    let (name, value) = eencent_webhooks::signing::mollie(MOLLIE, bytes.as_bytes()).remove(0);
    let mut stream = TcpStream::connect(&server.public).unwrap();
    let head = format!(
        "POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\n{name}: {value}\r\ncontent-length: {}\r\n\r\n",
        bytes.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    stream.shutdown(Shutdown::Both).unwrap();
    assert_eq!(post_mollie(&server, &body).unwrap().status, 200);
    assert_eq!(
        activation(&server, text(&view, "id"))["payments"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

/// A file system of a few megabytes; only root can make one.
struct SmallDisk(std::path::PathBuf);

impl SmallDisk {
    fn mount(at: &std::path::Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let mut command = Command::new("mount");
        let mounted = command
            .args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"])
            .arg(at)
            .stderr(Stdio::null())
            .status();
        mounted
            .is_ok_and(|status| status.success())
            .then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn fault_32_on_a_full_disk_nothing_is_acknowledged_and_it_recovers_by_itself() {
    let installation = Installation::embedded()
        .with("QUEUE__URL", "sqlite://queue.db")
        .with("MAIL__URL", "file:mail");
    let Some(disk) = SmallDisk::mount(&installation.path().join("eencent-data")) else {
        eprintln!("skipped: only root can mount a small file system");
        return;
    };
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let filler = disk.0.join("filler");
    let mut file = std::fs::File::create(&filler).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
    let body = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    // What is already allocated to the log may still take some; then there is no room, and for long enough
    // that every part of the process has met it.
    let mut refused = 0;
    wait_for("the disk to be full", || {
        let mut other = body.clone();
        other["id"] = format!("event_{}", crate::payments::now().micros()).into();
        other["_embedded"]["entity"]["id"] = format!("tr_{}", crate::payments::now().micros()).into();
        other["_embedded"]["entity"]["metadata"] = serde_json::Value::Null;
        let status = post_mollie(&server, &other).unwrap().status;
        assert!([200, 503].contains(&status), "{status}");
        refused += u32::from(status == 503);
        (refused == 500).then_some(())
    });
    drop(file);
    std::fs::remove_file(&filler).unwrap();
    wait_for("the notification to be taken", || {
        (post_mollie(&server, &body).unwrap().status == 200).then_some(())
    });
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
}

#[test]
fn fault_24_nothing_in_an_address_changes_anything() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    let link = crate::main_job::round_off_link(&installation, text(&view, "reference"));
    for query in ["?confirm=1", "?status=paid&_method=POST", "/again", "/"] {
        let answer = request(&server.public, "GET", &format!("{link}{query}"), &[], b"").unwrap();
        assert!([200, 404, 405].contains(&answer.status), "{answer:?}");
    }
    let head = request(&server.public, "HEAD", &link, &[], b"");
    assert!(head.is_err() || head.is_ok_and(|answer| answer.status == 200));
    let now = activation(&server, text(&view, "id"));
    assert_eq!(
        (text(&now, "state"), now["emails"].as_array().unwrap().len()),
        ("awaiting_confirmation", 1)
    );
}
