//! The platform is told: signed events, in order, again when it was away, verified by the specification's own library.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

use eencent_activations::failpoint::Moment;
use serde_json::{Value, json};

use crate::main_job::{click, round_off_link};
use crate::moments::runs_into;
use crate::payments::{NAME, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, wait_for};
use crate::vendors::python;

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A request as the platform got it.
#[derive(Clone)]
pub struct Heard {
    pub path: String,
    pub headers: Value,
    pub body: String,
}

/// A platform that answers 503 once, then 200; and 410 at `/gone`.
pub struct Platform {
    pub port: u16,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Platform {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<Heard>>> = Arc::default();
        let all = Arc::clone(&heard);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut first = String::new();
                if reader.read_line(&mut first).unwrap_or(0) == 0 {
                    continue;
                }
                let path = first.split(' ').nth(1).unwrap().to_owned();
                let mut headers = json!({});
                let mut line = String::new();
                while reader.read_line(&mut line).unwrap() > 2 {
                    let (name, value) = line.trim_end().split_once(": ").unwrap();
                    headers[name.to_lowercase()] = value.into();
                    line.clear();
                }
                let length = headers["content-length"].as_str().unwrap().parse().unwrap();
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let before = {
                    let mut all = all.lock().unwrap();
                    let before = all.iter().filter(|one: &&Heard| one.path == path).count();
                    let body = String::from_utf8(body).unwrap();
                    all.push(Heard {
                        path: path.clone(),
                        headers,
                        body,
                    });
                    before
                };
                let status = match (path.as_str(), before) {
                    ("/gone", _) => "410 Gone",
                    (_, 0) => "503 Service Unavailable",
                    _ => "200 OK",
                };
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, heard }
    }

    /// The same installation, with this platform to be told of everything.
    pub fn told(&self, home: Installation) -> Installation {
        home.with(
            "EVENTS__PLATFORM__URL",
            &format!("http://127.0.0.1:{}/events", self.port),
        )
        .with("EVENTS__PLATFORM__SECRETS", SECRET)
        .with("EVENTS__PLATFORM__PRIVATE", "true")
    }

    /// The first event of a type.
    pub fn first(&self, kind: &str) -> Value {
        wait_for(kind, || {
            let heard = self.at("/events");
            let mut events = heard
                .iter()
                .map(|one| serde_json::from_str::<Value>(&one.body).unwrap());
            events.find(|event| event["type"] == kind)
        })
    }

    pub fn at(&self, path: &str) -> Vec<Heard> {
        let heard = self.heard.lock().unwrap();
        heard.iter().filter(|one| one.path == path).cloned().collect()
    }
}

fn kinds(heard: &[Heard]) -> Vec<String> {
    let kind = |one: &Heard| {
        serde_json::from_str::<Value>(&one.body).unwrap()["type"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    heard.iter().map(kind).collect()
}

/// Fails when the library of the specification doesn't believe it.
fn verify(heard: &Heard) {
    let script = "import json, sys\nfrom standardwebhooks import Webhook\n\
                  Webhook(sys.argv[1]).verify(sys.argv[2], json.loads(sys.argv[3]))\n";
    let ran = Command::new(python())
        .args(["-c", script, SECRET, &heard.body, &heard.headers.to_string()])
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_platform_is_told_in_order_with_signatures_that_its_library_believes_and_again_when_it_was_away() {
    let platform = Platform::start();
    let url = |path: &str| format!("http://127.0.0.1:{}/{path}", platform.port);
    let installation = Installation::new()
        .with("EVENTS__PLATFORM__URL", &url("events"))
        .with("EVENTS__PLATFORM__SECRETS", SECRET)
        .with("EVENTS__PLATFORM__PRIVATE", "true")
        .with("EVENTS__OLD__URL", &url("gone"))
        .with("EVENTS__OLD__SECRETS", SECRET)
        .with("EVENTS__OLD__TYPES", "organisation.activated")
        .with("EVENTS__OLD__PRIVATE", "true");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let reference = text(&view, "reference");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", reference, NAME)).unwrap();
    wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    // Activated while the platform hasn't taken the first event: the second waits for it.
    click(&server, &round_off_link(&installation, reference));
    let heard = wait_for("both events", || {
        Some(platform.at("/events")).filter(|heard| heard.len() == 3)
    });
    assert_eq!(
        kinds(&heard),
        ["activation.approved", "activation.approved", "organisation.activated"]
    );
    assert_eq!(heard[0].headers["webhook-id"], heard[1].headers["webhook-id"]);
    assert_eq!(heard[0].body, heard[1].body);
    assert_ne!(heard[1].headers["webhook-id"], heard[2].headers["webhook-id"]);
    heard.iter().for_each(verify);
    let told: Value = serde_json::from_str(&heard[2].body).unwrap();
    assert_eq!(told["data"]["activation"], view["id"]);
    assert_eq!(told["data"]["environment"], "tests");
    assert_eq!(
        told["data"]["identifier"],
        json!({ "scheme": "NL:KVK", "value": "00000001" })
    );

    // The endpoint that wants only activations said that it is gone: given up at once, and shown.
    let gone = wait_for("the other to be given up", || {
        let listed = installation.run(&["events", "list", "--state", "failed"]);
        Some(listed.stdout).filter(|text| text.contains("to old"))
    });
    assert_eq!(gone.lines().count(), 1, "{gone}");
    assert!(
        gone.contains("organisation.activated") && gone.contains("410"),
        "{gone}"
    );
    let explained = installation.run(&["explain", reference]).stdout;
    assert!(
        explained.contains("organisation.activated to platform: delivered"),
        "{explained}"
    );

    let id = heard[2].headers["webhook-id"].as_str().unwrap();
    let by = ["--by", "Test", "--reason", "asked for by the platform"];
    let again = installation.run(&[&["events", "resend", id, "--endpoint", "platform"], &by[..]].concat());
    assert!(again.status.success(), "{}", again.stderr);
    let heard = wait_for("it again", || {
        Some(platform.at("/events")).filter(|heard| heard.len() == 4)
    });
    assert_eq!(heard[3].headers["webhook-id"], id);
    verify(&heard[3]);
    let again = installation.run(&[&["events", "resend"], &by[..]].concat());
    assert!(
        again.stdout.starts_with("1 to be delivered again"),
        "{} {}",
        again.stdout,
        again.stderr
    );
    wait_for("the given up one again", || {
        (platform.at("/gone").len() == 2).then_some(())
    });
    let nothing = installation.run(&[&["events", "resend", "out_of_nowhere"], &by[..]].concat());
    assert!(
        !nothing.status.success() && nothing.stderr.contains("events list"),
        "{}",
        nothing.stderr
    );
}

#[test]
fn fault_28_killed_between_the_platforms_yes_and_its_record_an_event_comes_again_under_the_same_id() {
    let platform = Platform::start();
    let installation = Installation::new()
        .with(
            "EVENTS__PLATFORM__URL",
            &format!("http://127.0.0.1:{}/events", platform.port),
        )
        .with("EVENTS__PLATFORM__SECRETS", SECRET)
        .with("EVENTS__PLATFORM__PRIVATE", "true");
    let mut server = installation.launch_until(Moment::EventTaken, 1, "serve");
    server.wait_until_ready();
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    assert!(runs_into(server, || false));
    let taken = platform.at("/events").len();
    let server = installation.serve();
    let explained = || installation.run(&["explain", text(&view, "reference")]).stdout;
    wait_for("it to be on record", || {
        explained()
            .contains("activation.approved to platform: delivered")
            .then_some(())
    });
    let heard = platform.at("/events");
    assert_eq!(heard.len(), taken + 1);
    assert!(
        heard
            .iter()
            .all(|one| one.headers["webhook-id"] == heard[0].headers["webhook-id"])
    );
    assert!(heard.iter().all(|one| one.body == heard[0].body));
    drop(server);
}
