//! E-mails on their way to a real mail server: encrypted, signed, paced, refused and sent again; and previews.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::http::request;
use crate::mail::Email;
use crate::payments::{activation, started, text};
use crate::server::{Installation, Server, wait_for};
use crate::vendors::{MailServer, python};

/// The creator's address in these tests.
const CREATOR: &str = "jansen@example.nl";

fn openssl(folder: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate for localhost, by an authority that nobody knows.
fn certificate(folder: &Path) {
    openssl(
        folder,
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Nobody -days 2",
    );
    openssl(
        folder,
        "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost",
    );
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost").unwrap();
    openssl(
        folder,
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -days 2 -extfile names",
    );
}

fn messages(mail: &MailServer) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(mail.folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "eml"));
    files.sort();
    files
}

fn first_email(server: &Server, id: &str) -> Value {
    activation(server, id)["emails"][0].clone()
}

#[test]
fn fault_55_it_is_encrypted_for_an_authority_that_is_named_and_another_program_verifies_the_signatures() {
    let folder = tempfile::tempdir().unwrap();
    certificate(folder.path());
    openssl(
        folder.path(),
        "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem",
    );
    openssl(folder.path(), "genpkey -algorithm ed25519 -out ed25519.pem");
    let path = |name: &str| folder.path().join(name);
    let mail = MailServer::with(&[&path("server.pem"), &path("server.key")]);
    let url = format!("smtp://localhost:{}?tls=required", mail.port);

    // By an authority that nobody named, nothing is handed over, and it says so.
    let distrusting = Installation::new().with("MAIL__URL", &url);
    let server = distrusting.serve();
    let id = text(&started(&server, 1, "invoice"), "id").to_owned();
    let email = wait_for("the refusal", || {
        let email = first_email(&server, &id);
        (email["problem"]["code"] == "not_let_in").then_some(email)
    });
    assert!(text(&email, "last_error").contains("mail.ca_file"), "{email}");
    assert_eq!((text(&email, "state"), messages(&mail).len()), ("waiting", 0));
    drop(server);

    let keys = serde_json::json!([
        format!("one={}", path("rsa.pem").display()),
        format!("two={}", path("ed25519.pem").display()),
    ]);
    let trusting = Installation::new()
        .with("MAIL__URL", &url)
        .with("MAIL__CA_FILE", path("ca.pem").to_str().unwrap())
        .with("MAIL__DKIM_KEYS", &keys.to_string())
        .with("MAIL__FROM", "Platform X <hello@platform.example>")
        .with("MAIL__REPLY_TO", "help@platform.example")
        .with("MAIL__BOUNCE_TO", "bounces@platform.example");
    let check = trusting.run(&["check"]);
    let records: Vec<String> = check
        .stdout
        .lines()
        .filter_map(|line| line.split_once("publish ")?.1.split_once(" TXT "))
        .map(|(name, record)| format!("{name}={}", record.trim_matches('"')))
        .collect();
    assert_eq!(records.len(), 2, "{}", check.stdout);
    assert!(
        records[0].starts_with("one._domainkey.platform.example=v=DKIM1; k=rsa; p="),
        "{records:?}"
    );

    let server = trusting.serve();
    started(&server, 2, "invoice");
    let file = wait_for("the e-mail", || messages(&mail).pop());
    let envelope = std::fs::read_to_string(file.with_extension("from")).unwrap();
    assert_eq!(envelope, "bounces@platform.example");
    let raw = std::fs::read(&file).unwrap();
    let email = Email::parse(&String::from_utf8(raw.clone()).unwrap());
    assert_eq!(email.header("From"), "\"Platform X\" <hello@platform.example>");
    assert_eq!(email.header("Reply-To"), "help@platform.example");
    assert_eq!(email.header("Auto-Submitted"), "auto-generated");
    assert_eq!(email.header("Content-Language"), "nl");

    let verified = |bytes: &[u8]| {
        let message = folder.path().join("message.eml");
        std::fs::write(&message, bytes).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vendors/verify_dkim.py");
        let output = Command::new(python())
            .arg(script)
            .arg(&message)
            .args(&records)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(verified(&raw), "valid\nvalid\n");
    // A second Subject on top is what programs would show.
    let added = [b"Subject: Something else\r\n".to_vec(), raw.clone()].concat();
    assert_eq!(verified(&added), "wrong\nwrong\n");
    let mut changed = raw;
    let last = changed.iter().rposition(u8::is_ascii_lowercase).unwrap();
    changed[last] ^= 1;
    assert!(!verified(&changed).contains("valid"));
}

#[test]
fn fault_55_a_refused_address_is_shown_in_words_and_sent_again_by_command() {
    let mail = MailServer::start();
    let refused = mail.folder.path().join("refused");
    std::fs::write(&refused, CREATOR).unwrap();
    let installation = Installation::new().with("MAIL__URL", &format!("smtp://127.0.0.1:{}", mail.port));
    let server = installation.serve();
    let view = started(&server, 1, "invoice");
    let id = text(&view, "id").to_owned();
    let email = wait_for("the refusal", || {
        let email = first_email(&server, &id);
        (text(&email, "state") == "failed").then_some(email)
    });
    assert_eq!(text(&email["problem"], "code"), "address_refused");
    assert_eq!(text(&email, "recipient_masked"), "j***@example.nl");
    assert!(text(&email, "last_error").contains("no such user here"), "{email}");
    assert!(!email.to_string().contains(CREATOR), "{email}");
    let explained = installation.run(&["explain", text(&view, "reference")]).stdout;
    let resend = format!("eencent mail resend {}", text(&email, "id"));
    assert!(
        explained.contains("[address_refused]") && explained.contains(&resend),
        "{explained}"
    );
    let listed = installation.run(&["mail", "list", "--state", "failed"]).stdout;
    assert!(
        listed.contains(text(&email, "id")) && !listed.contains(CREATOR),
        "{listed}"
    );

    // What is put off is tried again by itself.
    std::fs::remove_file(&refused).unwrap();
    let delayed = mail.folder.path().join("delayed");
    std::fs::write(&delayed, CREATOR).unwrap();
    let who = ["--by", "Jansen", "--reason", "mended"];
    let again = installation.run(&[&["mail", "resend", text(&email, "id")], &who[..]].concat());
    assert!(again.status.success(), "{}", again.stderr);
    wait_for("the delay", || {
        (first_email(&server, &id)["problem"]["code"] == "put_off").then_some(())
    });
    std::fs::remove_file(&delayed).unwrap();
    wait_for("the e-mail", || {
        (text(&first_email(&server, &id), "state") == "sent").then_some(())
    });
    assert_eq!(messages(&mail).len(), 1);
    let twice = installation.run(&[&["mail", "resend", text(&email, "id")], &who[..]].concat());
    assert!(
        !twice.status.success() && twice.stderr.contains("sent less than a minute ago"),
        "{}",
        twice.stderr
    );
}

#[test]
fn fault_60_a_burst_leaves_at_the_pace_that_is_set_and_is_not_counted_as_attempts() {
    // Six at once, and one more in each further second.
    let installation = Installation::new().with("MAIL__MOST_A_MINUTE", "60");
    let server = installation.serve();
    let views: Vec<Value> = (1..=10).map(|number| started(&server, number, "invoice")).collect();
    let emails = wait_for("all e-mails", || {
        let emails: Vec<Value> = views
            .iter()
            .map(|view| first_email(&server, text(view, "id")))
            .collect();
        emails
            .iter()
            .all(|email| text(email, "state") == "sent")
            .then_some(emails)
    });
    assert!(emails.iter().all(|email| email["attempts"] == 0), "{emails:?}");
    let mut sent: Vec<i64> = emails
        .iter()
        .map(|email| {
            eencent_activations::clock::Timestamp::parse_rfc3339(text(email, "sent_at"))
                .unwrap()
                .micros()
        })
        .collect();
    sent.sort_unstable();
    // The seventh had to wait for its turn, and each after it.
    assert!(sent[9] - sent[0] >= 3_000_000, "{sent:?}");
    let metrics = request(&server.operations, "GET", "/metrics", &[], b"").unwrap().body;
    assert!(metrics.contains("eencent_emails_put_off_total"), "{metrics}");
    let status = installation.run(&["mail", "status"]).stdout;
    assert!(status.starts_with("E-mails go, at most 60 a minute."), "{status}");
}

#[test]
fn fault_59_a_template_that_is_wrong_is_refused_at_the_start_and_by_check_and_one_that_is_right_is_previewed() {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join("nl/round_off.txt");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "Subject: Klaar\n\nHoi {{ naam }}\n\n[Rond af]({{ link }})\n").unwrap();
    std::fs::write(folder.path().join("notes.txt"), "x").unwrap();
    let installation = Installation::new().with("MAIL__TEMPLATES", folder.path().to_str().unwrap());
    let wanted = format!("mail.templates: {}, line 3: there is no {{{{ naam }}}}", own.display());
    for command in ["serve", "check"] {
        let ran = installation.run(&[command]);
        let told = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!ran.status.success() && told.contains(&wanted), "{command}: {told}");
    }

    std::fs::write(&own, "Subject: Klaar: {{ organisation }}\n\n[Rond af]({{ link }})\n").unwrap();
    let check = installation.run(&["check"]);
    assert!(
        check.status.success() && check.stdout.contains("notes.txt is no template"),
        "{}",
        check.stdout
    );
    let listed = installation.run(&["mail", "preview"]).stdout;
    assert!(listed.contains(&format!("from {}", own.display())), "{listed}");
    let shown = installation
        .run(&["mail", "preview", "round_off", "--language", "nl"])
        .stdout;
    assert!(
        shown.starts_with("Subject: Klaar: Bakkerij De Korenaar B.V.\n\nRond af:\nhttps://"),
        "{shown}"
    );
    let page = installation
        .run(&["mail", "preview", "round_off", "--language", "en", "--format", "html"])
        .stdout;
    assert!(
        page.starts_with("<!doctype html>") && page.contains("Complete the activation"),
        "{page}"
    );
    let out = folder.path().join("out");
    let written = installation.run(&["mail", "preview", "--out", out.to_str().unwrap()]);
    assert!(
        written.status.success() && written.stdout.starts_with("84 files"),
        "{}",
        written.stdout
    );
    let message = std::fs::read_to_string(out.join("en/cancelled.eml")).unwrap();
    assert!(
        message.contains("Message-ID: <") && message.contains("Content-Language: en"),
        "{message}"
    );
    let unknown = installation.run(&["mail", "preview", "nothing"]);
    assert!(unknown.stderr.contains("there is no such e-mail"), "{}", unknown.stderr);
}
