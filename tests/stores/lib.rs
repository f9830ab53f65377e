//! Where a test keeps its truth: a file in its folder; or a schema of its own on the PostgreSQL of
//! `tests/with-servers`, where EENCENT_TEST_STORE is `postgres`. Shared by the tests of several crates.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests stop at what they did not expect"
)]

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// Whether this run is one on PostgreSQL and Redis.
pub fn on_servers() -> bool {
    std::env::var("EENCENT_TEST_STORE").as_deref() == Ok("postgres")
}

/// The address of an empty database.
pub fn database(folder: &Path) -> String {
    if on_servers() {
        return postgres();
    }
    format!("sqlite://{}", folder.join("truth.db").display())
}

/// The address of an empty schema on PostgreSQL.
#[expect(
    clippy::disallowed_methods,
    reason = "a name that no other run has had; it tells no time"
)]
pub fn postgres() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    // Each test is a process of its own; its number may come again, the moment doesn't.
    let moment = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos();
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let schema = format!("test_{}_{number}_{moment}", std::process::id());
    let server = server("EENCENT_TEST_POSTGRES");
    let made = Command::new(Path::new(&server_programs()).join("psql"))
        .args([&server, "-q", "-c", &format!("CREATE SCHEMA {schema}")])
        .status()
        .unwrap();
    assert!(made.success(), "no schema could be made");
    format!("{server}?options=-csearch_path%3D{schema}")
}

/// The address of an empty database on Redis. There are 512 of them, and each test is a process of its own.
pub fn redis() -> String {
    let url = format!("{}/{}", server("EENCENT_TEST_REDIS"), std::process::id() % 512);
    let emptied = Command::new("redis-cli")
        .args(["-u", &url, "--no-auth-warning", "FLUSHDB"])
        .output()
        .unwrap();
    assert!(emptied.status.success(), "Redis could not be emptied");
    url
}

/// Where PostgreSQL's programs are.
pub fn server_programs() -> String {
    server("EENCENT_TEST_POSTGRES_BIN")
}

/// The address of a server that `tests/with-servers` started.
pub fn server(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("no {name}; run: tests/with-servers cargo nextest run"))
}
