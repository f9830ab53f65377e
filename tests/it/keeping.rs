//! Backup while it runs, restore, and moving up to PostgreSQL.

use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use eencent_test_stores as stores;
use serde_json::Value;

use crate::http::request;
use crate::payments::{NAME, activation, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::Installation;

/// On a file, also where the other tests run on servers.
fn on_a_file() -> Installation {
    Installation::new()
        .without("DATABASE__URL")
        .without("QUEUE__URL")
        .without("LINKS__KEY")
}

fn ok(installation: &Installation, arguments: &[&str]) -> String {
    let ran = installation.run(arguments);
    assert!(ran.status.success(), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
    ran.stdout
}

fn refused(installation: &Installation, arguments: &[&str], because: &str) {
    let ran = installation.run(arguments);
    assert!(!ran.status.success(), "{arguments:?}: {}", ran.stdout);
    assert!(ran.stderr.contains(because), "{arguments:?}: {}", ran.stderr);
}

#[test]
fn fault_40_a_backup_made_under_load_is_restored_knows_what_it_knew_and_takes_what_is_new() {
    let installation = on_a_file();
    let server = installation.serve();
    let first = started(&server, 1, "ideal");
    let paid = mollie_paid("event_1", "tr_1", text(&first, "reference"), NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, text(&first, "id"), "awaiting_confirmation");
    let second = started(&server, 2, "ideal");

    // Providers go on posting while the backup is made.
    let stop = Arc::new(AtomicBool::new(false));
    let posting = std::thread::spawn({
        let (stop, public) = (Arc::clone(&stop), server.public.clone());
        move || {
            let mut taken = 0;
            while !stop.load(Ordering::SeqCst) {
                let body =
                    mollie_paid(&format!("load_{taken}"), &format!("load_{taken}"), "nobody's", NAME).to_string();
                let signed = eencent_webhooks::signing::mollie(crate::payments::MOLLIE, body.as_bytes());
                let headers: Vec<(&str, &str)> = signed.iter().map(|(name, value)| (&**name, value.as_str())).collect();
                let answer = request(&public, "POST", "/webhooks/mollie", &headers, body.as_bytes()).unwrap();
                assert_eq!(answer.status, 200, "{}", answer.body);
                taken += 1;
            }
            taken
        }
    });
    ok(&installation, &["backup", "kept.db"]);
    ok(&installation, &["backup", "kept.db"]);
    stop.store(true, Ordering::SeqCst);
    assert!(posting.join().unwrap() > 0);
    for file in ["kept.db", "kept.db.links.key"] {
        let rights = std::fs::metadata(installation.path().join(file)).unwrap().permissions();
        assert_eq!(rights.mode() & 0o777, 0o600, "{file}");
    }
    refused(
        &installation,
        &["restore", "--force", "kept.db"],
        "another eencent process works",
    );

    // After the backup: one more, which is lost with the disk.
    let late = mollie_paid("event_2", "tr_2", text(&second, "reference"), NAME);
    assert_eq!(post_mollie(&server, &late).unwrap().status, 200);
    wait_for_state(&server, text(&second, "id"), "awaiting_confirmation");
    server.kill();
    refused(&installation, &["restore", "kept.db"], "--force");
    let key = installation.path().join("eencent-data/links.key");
    let made = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    ok(&installation, &["restore", "--force", "kept.db"]);
    let whole = ok(&installation, &["audit", "verify"]);
    assert!(whole.contains("unbroken"), "{whole}");
    assert_eq!(std::fs::read(&key).unwrap(), made);
    assert!(installation.path().join("eencent-data/eencent.db.replaced-1").exists());

    let server = installation.serve();
    assert_eq!(
        text(&activation(&server, text(&second, "id")), "state"),
        "awaiting_payment"
    );
    // The providers send again what they sent: the one is known, the other new.
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    assert_eq!(post_mollie(&server, &late).unwrap().status, 200);
    wait_for_state(&server, text(&second, "id"), "awaiting_confirmation");
    let again = activation(&server, text(&first, "id"));
    assert_eq!(text(&again, "state"), "awaiting_confirmation");
    assert_eq!(again["payments"].as_array().map(Vec::len), Some(1));
    assert_eq!(again["history"], activation(&server, text(&first, "id"))["history"]);
    let page = ok(&installation, &["explain", "event_1"]);
    assert!(page.contains("tr_1"), "{page}");
}

#[test]
fn what_is_no_backup_is_not_restored_and_nothing_is_changed() {
    let installation = on_a_file();
    let server = installation.serve();
    started(&server, 1, "ideal");
    ok(&installation, &["backup", "kept.db"]);
    server.kill();
    let file = |name: &str| installation.path().join(name);
    let database = std::fs::read(file("eencent-data/eencent.db")).unwrap();
    std::fs::write(file("text.db"), "this is no database").unwrap();
    let mut broken = std::fs::read(file("kept.db")).unwrap();
    let middle = broken.len() / 2;
    broken[middle..middle + 8_192].fill(0xa5);
    std::fs::write(file("broken.db"), broken).unwrap();
    for (name, because) in [
        ("text.db", "can't be restored"),
        ("broken.db", "can't be restored"),
        ("absent.db", "can't be restored"),
    ] {
        refused(&installation, &["restore", "--force", name], because);
    }
    refused(
        &installation,
        &["backup", "eencent-data/eencent.db"],
        "the database itself",
    );
    assert_eq!(std::fs::read(file("eencent-data/eencent.db")).unwrap(), database);
}

#[test]
fn everything_moves_to_postgresql_and_goes_on_there() {
    let installation = on_a_file();
    let server = installation.serve();
    let one = started(&server, 1, "ideal");
    let paid = mollie_paid("event_1", "tr_1", text(&one, "reference"), NAME);
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    wait_for_state(&server, text(&one, "id"), "awaiting_confirmation");
    let two = started(&server, 2, "invoice");
    let before = activation(&server, text(&one, "id"));
    let target = stores::postgres();
    let arguments = ["migrate-data", "--to", target.as_str()];
    refused(&installation, &arguments, "another eencent process works");
    server.signal("TERM");
    assert!(server.ended().success());

    let head = ok(&installation, &["audit", "verify"]);
    let head = head.lines().last().unwrap_or_default().replace("head ", "");
    let told = ok(&installation, &arguments);
    let counted = |table: &str| {
        let line = told.lines().find(|line| line.starts_with(table)).unwrap_or_default();
        line.rsplit(' ').next().unwrap_or_default().to_owned()
    };
    assert_eq!(
        (counted("activations"), counted("notifications")),
        ("2".into(), "1".into()),
        "{told}"
    );
    let key = std::fs::read_to_string(installation.path().join("eencent-data/links.key")).unwrap();
    assert!(told.contains("links.key") && !told.contains(key.trim()), "{told}");
    refused(&installation, &arguments, "isn't empty");

    let installation = installation
        .with("DATABASE__URL", &target)
        .with("LINKS__KEY", key.trim());
    let server = installation.serve();
    let after = activation(&server, text(&one, "id"));
    for part in ["version", "history", "payments", "expires_at"] {
        assert_eq!(after[part], before[part], "{part}");
    }
    assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
    assert_eq!(
        activation(&server, text(&one, "id"))["payments"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert_eq!(
        text(&activation(&server, text(&two, "id")), "state"),
        "awaiting_payment"
    );
    let next = started(&server, 3, "ideal");
    assert_ne!(next, Value::Null);
    let whole = ok(&installation, &["audit", "verify", "--head", &head]);
    assert!(whole.starts_with("3 entries, unbroken"), "{whole}");
}
