//! A flood on the public listener, from an address that isn't trusted: what it gets, and what it takes from
//! others, which has to be nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use eencent_activations::clock::Timestamp;
use socket2::{Domain, Socket, Type};

use crate::http::{Answer, request};
use crate::payments::{NAME, STRIPE, mollie_paid, now, post, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, Server, wait_for};

/// An address of this machine's that isn't trusted by default; every one of 127.0.0.0/8 is ours on Linux.
const STRANGER: &str = "127.0.0.66:0";

/// A connection from the stranger's address.
fn connect(to: &str) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    let from: SocketAddr = STRANGER.parse().unwrap();
    let to: SocketAddr = to.parse().unwrap();
    socket.bind(&from.into())?;
    socket.connect_timeout(&to.into(), Duration::from_secs(10))?;
    Ok(socket.into())
}

/// What the stranger hears when he posts a forgery; the head may hold more.
fn forge(server: &Server, endpoint: &str, head: &str) -> std::io::Result<Heard> {
    let mut stream = connect(&server.public)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let sent = format!(
        "POST /webhooks/{endpoint} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{head}content-length: 2\r\n\r\n{{}}"
    );
    stream.write_all(sent.as_bytes())?;
    let mut heard = String::new();
    stream.read_to_string(&mut heard)?;
    Ok(Heard(heard))
}

struct Heard(String);

impl Heard {
    fn status(&self) -> u16 {
        self.0
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0)
    }
}

fn metrics(server: &Server) -> String {
    let answer = request(&server.operations, "GET", "/metrics", &[], b"").unwrap();
    assert_eq!(answer.status, 200);
    answer.body
}

/// The value of the one measurement whose line begins so.
fn measured(server: &Server, begins: &str) -> Option<f64> {
    let text = metrics(server);
    let line = text.lines().find(|line| line.starts_with(begins))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn answers(to: &str, path: &str) -> Answer {
    request(to, "GET", path, &[], b"").unwrap()
}

#[test]
fn fault_20_21_75_in_a_flood_staff_and_operations_are_served_and_notifications_are_taken() {
    let installation = Installation::new().with("LISTEN__CONNECTIONS_PER_ADDRESS", "100");
    let server = installation.serve();
    let before = resident(&server);
    // Connections that say a little and then nothing, ten times as many as one address may have.
    let mut slow = Vec::new();
    for _ in 0..1_000 {
        let mut stream = connect(&server.public).unwrap();
        let _ = stream.write_all(b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ncontent-length: 65536\r\n\r\n{");
        slow.push(stream);
    }
    wait_for("connections to be refused", || {
        measured(&server, "eencent_connections_refused_total{listener=\"public\"}").filter(|refused| *refused >= 800.0)
    });
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // And forgeries, over many connections at once.
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let _ = forge(&server, "mollie", "");
                }
            });
        }
        let flooded = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for number in 1..=10 {
                let view = started(&server, number, "ideal");
                let event = format!("event_{number}");
                let body = mollie_paid(&event, &format!("tr_{number}"), text(&view, "reference"), NAME);
                assert_eq!(post_mollie(&server, &body).unwrap().status, 200);
                wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
                assert_eq!(answers(&server.operations, "/ready").status, 200);
                assert_eq!(answers(&server.operations, "/metrics").status, 200);
                assert_eq!(answers(&server.staff, "/sign-in").status, 200);
            }
        }));
        over.store(true, Ordering::Relaxed);
        if let Err(panic) = flooded {
            std::panic::resume_unwind(panic);
        }
    });
    let grown = resident(&server).saturating_sub(before);
    assert!(
        grown < 100 * 1024 * 1024,
        "a hundred slow bodies and a flood took {grown} bytes"
    );
    drop(slow);
}

#[test]
fn an_idle_server_holds_less_than_32_mib_of_memory_of_its_own() {
    // What is left of the goal of 40 MiB is the text of the program, which is larger in the build that tests run.
    let installation = Installation::new();
    let server = installation.serve();
    let own = memory(&server, "RssAnon:");
    assert!(own < 32 * 1024 * 1024, "{own} bytes");
}

/// Bytes of memory that the process has.
fn resident(server: &Server) -> u64 {
    memory(server, "VmRSS:")
}

fn memory(server: &Server, of_kind: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(of_kind)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn fault_21_23_forgeries_are_limited_by_address_and_no_header_of_the_strangers_changes_whose_they_are() {
    let installation = Installation::new().with("LISTEN__REFUSALS_A_MINUTE", "1");
    let server = installation.serve();
    for number in 0..20 {
        let spoofed = format!("x-forwarded-for: 192.0.2.{number}\r\nforwarded: for=192.0.2.{number}\r\n");
        assert_eq!(forge(&server, "mollie", &spoofed).unwrap().status(), 401);
    }
    let limited = forge(&server, "mollie", "x-forwarded-for: 192.0.2.200\r\n").unwrap();
    assert_eq!(limited.status(), 429);
    assert!(
        limited.0.to_ascii_lowercase().contains("\r\nretry-after: "),
        "{}",
        limited.0
    );
    assert!(limited.0.contains("\"code\":\"too_many_unproven\""));
    assert_eq!(forge(&server, "stripe", "").unwrap().status(), 401, "another endpoint");
    assert_eq!(
        measured(
            &server,
            "eencent_webhook_requests_total{endpoint=\"mollie\",outcome=\"too_many_unproven\"}"
        ),
        Some(1.0)
    );
    // The proxy on this machine is trusted: it says who is who.
    let through_the_proxy = |client: &str| {
        let headers = [("x-forwarded-for", format!("10.9.8.7, {client}"))];
        post(&server, "mollie", &headers, b"{}").unwrap().status
    };
    for _ in 0..20 {
        assert_eq!(through_the_proxy("192.0.2.1"), 401);
    }
    assert_eq!(through_the_proxy("192.0.2.1"), 429);
    assert_eq!(through_the_proxy("192.0.2.2"), 401);
    assert_eq!(through_the_proxy("127.0.0.66"), 429, "the stranger, by the proxy");
}

#[test]
fn fault_07_a_wrong_clock_is_measured_and_logged_as_such() {
    let installation = Installation::new();
    let server = installation.serve();
    let send = |at: Timestamp, id: &str| {
        let body = format!("{{\"id\":\"{id}\",\"object\":\"event\",\"type\":\"customer.created\"}}").into_bytes();
        let signed = eencent_webhooks::signing::stripe(STRIPE, at, &body);
        post(&server, "stripe", &signed, &body).unwrap().status
    };
    let doubted = || measured(&server, "eencent_webhook_clock_doubted{endpoint=\"stripe\"}");
    for _ in 0..3 {
        assert_eq!(doubted(), None);
        assert_eq!(send(now().minus(Duration::from_secs(600)), "evt_1"), 401);
    }
    assert_eq!(doubted(), Some(1.0));
    assert!(server.log().contains("check this machine's clock"));
    assert_eq!(send(now(), "evt_1"), 200);
    assert_eq!(doubted(), Some(0.0));
}
