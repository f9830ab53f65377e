//! Notifications that the vendors' own libraries signed, and an SMTP server that we didn't write.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::http::request;
use crate::payments::{
    ADYEN, ADYEN_BASIC, BANK, MOLLIE, NAME, STRIPE, adyen_paid, mollie_paid, started, stripe_charge, text, transfer,
    wait_for_state,
};
use crate::server::{Installation, wait_for};

/// Python with the vendors' libraries, as `tests/run` sets it up.
pub fn python() -> PathBuf {
    let python = std::env::var_os("EENCENT_TEST_PYTHON").map(PathBuf::from);
    let python =
        python.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/test-tools/bin/python"));
    assert!(
        python.exists(),
        "no Python with the vendors' libraries at {}; run tests/run once, it makes one",
        python.display()
    );
    python
}

/// The headers and the body that a vendor's library makes of a body.
fn signed(vendor: &str, secret: &str, body: &Value) -> (Vec<(String, String)>, Vec<u8>) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/sign.py");
    let output = Command::new(python())
        .args([script, vendor, secret, &body.to_string()])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let headers = answer["headers"].as_array().unwrap().iter();
    let headers = headers
        .map(|pair| {
            (
                pair[0].as_str().unwrap().to_owned(),
                pair[1].as_str().unwrap().to_owned(),
            )
        })
        .collect();
    (headers, answer["body"].as_str().unwrap().as_bytes().to_vec())
}

/// An SMTP server in a process of its own.
pub struct MailServer {
    child: Child,
    pub port: u16,
    pub folder: tempfile::TempDir,
}

impl MailServer {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// With a certificate and its key: it takes nothing before STARTTLS.
    pub fn with(certificate: &[&Path]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/smtp_server.py");
        let mut child = Command::new(python())
            .arg(script)
            .arg(folder.path())
            .args(certificate)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        Self {
            child,
            port: line.trim().parse().unwrap(),
            folder,
        }
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_a_vendors_own_library_signed_ends_in_an_activated_organisation_and_mail_in_a_servers_hands() {
    let mail = MailServer::start();
    let installation = Installation::new().with("MAIL__URL", &format!("smtp://127.0.0.1:{}", mail.port));
    let server = installation.serve();
    let cases: [(&str, &str, &str, &str); 4] = [
        ("mollie", "mollie", MOLLIE, ""),
        ("stripe", "stripe", STRIPE, ""),
        ("standard_webhooks", "bank", BANK, "invoice"),
        ("adyen", "adyen", ADYEN, ""),
    ];
    for (number, (vendor, endpoint, secret, method)) in cases.into_iter().enumerate() {
        let method = if method.is_empty() { "ideal" } else { method };
        let view = started(&server, u32::try_from(number).unwrap() + 1, method);
        let reference = text(&view, "reference");
        let body = match vendor {
            "mollie" => mollie_paid("event_v", "tr_v", reference, NAME),
            "stripe" => stripe_charge("evt_v", "pi_v", reference, NAME),
            "adyen" => adyen_paid("QFQTPCQ8HXSKGK82", reference, NAME),
            _ => transfer("trx_v", 1815, reference, NAME),
        };
        let (headers, bytes) = signed(vendor, secret, &body);
        let mut all: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        if vendor == "adyen" {
            all.push(("authorization", ADYEN_BASIC));
        }
        let answer = request(&server.public, "POST", &format!("/webhooks/{endpoint}"), &all, &bytes).unwrap();
        assert_eq!(answer.status, 200, "{vendor}: {answer:?}");
        // The same with its last letter changed is a stranger's.
        let mut tampered = bytes.clone();
        let last = tampered.iter().rposition(u8::is_ascii_alphabetic).unwrap();
        tampered[last] ^= 1;
        if vendor != "adyen" {
            let answer = request(
                &server.public,
                "POST",
                &format!("/webhooks/{endpoint}"),
                &all,
                &tampered,
            )
            .unwrap();
            assert_eq!(answer.status, 401, "{vendor}");
        }
        let wanted = if method == "ideal" {
            "awaiting_confirmation"
        } else {
            "activated"
        };
        let now = wait_for_state(&server, text(&view, "id"), wanted);
        let message_id = text(&now["emails"].as_array().unwrap().last().unwrap().clone(), "message_id").to_owned();
        let email = wait_for("the e-mail", || {
            crate::mail::read(mail.folder.path())
                .into_iter()
                .find(|email| email.header("message-id") == message_id)
        });
        assert_eq!(email.header("x-activation"), reference);
        if method == "ideal" {
            let link = email.link().unwrap();
            crate::main_job::click(&server, &link[link.find("/round-off/").unwrap()..]);
            wait_for_state(&server, text(&view, "id"), "activated");
        }
    }
}
