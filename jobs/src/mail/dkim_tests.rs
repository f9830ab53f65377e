//! The examples of RFC 8463, and keys as people have them. tests/it lets another program verify.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::process::Command;

use super::*;

fn at() -> Timestamp {
    Timestamp::parse_rfc3339("2026-03-10T09:00:00Z").unwrap()
}

fn key_made_by_openssl(arguments: &[&str]) -> String {
    let made = Command::new("openssl").args(arguments).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap()
}

const MESSAGE: &[u8] = b"From: a@example.nl\r\nTo: b@example.nl\r\nSubject: =?utf-8?q?x?=\r\n  y\r\nDate: x\r\n\r\nHello  \t you \r\n\r\n\r\n";

/// The body and the headers of RFC 6376, 3.4.5.
#[test]
fn text_is_relaxed_as_the_rfc_has_it() {
    assert_eq!(relaxed_header("A", " X"), "a:X");
    assert_eq!(relaxed_header("B", " Y\t\r\n\tZ  "), "b:Y Z");
    assert_eq!(relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n"), b" C\r\nD E\r\n");
    assert_eq!(relaxed_body(b""), b"");
    // RFC 8463, A.3: the hash of its body, and of a body that is empty.
    let body = b"Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n\r\n";
    assert_eq!(
        STANDARD.encode(Sha256::digest(relaxed_body(body))),
        "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    );
}

/// RFC 8463, A.2: the private key's public half is the one that is published there.
#[test]
fn the_published_record_is_that_of_the_key() {
    // The seed of the RFC in PKCS#8, as OpenSSL writes it.
    let mut der = vec![
        0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ];
    der.extend(STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap());
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        STANDARD.encode(der)
    );
    let signer = KeyPlace::parse(&format!("brisbane={pem}"))
        .unwrap()
        .open("football.example.com")
        .unwrap();
    assert_eq!(
        signer.record(),
        (
            "brisbane._domainkey.football.example.com".to_owned(),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned()
        )
    );
}

#[test]
fn every_attempt_is_signed_the_same_whatever_the_key_is_kept_in() {
    let folder = tempfile::tempdir().unwrap();
    let rsa = key_made_by_openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let file = folder.path().join("rsa.pem");
    std::fs::write(&file, &rsa).unwrap();
    let old = Command::new("openssl")
        .args(["rsa", "-traditional", "-in"])
        .arg(&file)
        .output()
        .unwrap();
    let old = String::from_utf8(old.stdout).unwrap();
    assert!(
        old.starts_with("-----BEGIN RSA PRIVATE KEY-----"),
        "PKCS#1, as some tools still write it"
    );
    let open = |text: String| KeyPlace::parse(&text).unwrap().open("example.nl").unwrap();
    let (first, again) = (open(format!("s={}", file.display())), open(format!("s={old}")));
    let signed = first.sign(MESSAGE, at()).unwrap();
    assert_eq!(Some(&signed), first.sign(MESSAGE, at()).as_ref());
    assert_eq!(Some(&signed), again.sign(MESSAGE, at()).as_ref());
    assert!(signed.split("\r\n").all(|line| line.len() < 100), "{signed}");
    // What is published is what OpenSSL takes for the public half.
    let public = Command::new("openssl")
        .args(["pkey", "-pubout", "-in"])
        .arg(&file)
        .output()
        .unwrap();
    let public: String = String::from_utf8(public.stdout)
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    assert_eq!(first.record().1, format!("v=DKIM1; k=rsa; p={public}"));
}

#[test]
fn a_key_that_cannot_sign_is_refused_and_never_shown() {
    let small = key_made_by_openssl(&["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"]);
    let curve = key_made_by_openssl(&["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    for key in [
        small,
        curve,
        "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----".to_owned(),
    ] {
        let place = KeyPlace::parse(&format!("sel={key}")).unwrap();
        let Err(problem) = place.open("example.nl") else {
            unreachable!("{key} can't sign");
        };
        assert!(problem.starts_with("sel: it is not a private key"), "{problem}");
        assert!(!format!("{place:?}").contains("BEGIN"));
    }
    for wrong in ["", "secret-key", "=x", "a b=x", "a=", "-a=x", "a..b=x"] {
        let problem = KeyPlace::parse(wrong).unwrap_err();
        assert!(!problem.contains("secret-key"), "{problem}");
    }
    let missing = KeyPlace::parse("sel=/not/there.pem")
        .unwrap()
        .open("example.nl")
        .err()
        .unwrap();
    assert!(missing.contains("/not/there.pem"), "{missing}");
}
