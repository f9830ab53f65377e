//! The commands, as they are typed.

use std::process::Command;

use serde_json::Value;

use crate::payments::{MOLLIE, NAME, mollie_paid, post_mollie, started, text, wait_for_state};
use crate::server::Installation;

#[test]
fn webhook_verify_says_whether_a_stored_request_is_authentic_and_what_it_says() {
    let installation = Installation::new();
    let body = mollie_paid("event_1", "tr_1", "RF00", NAME).to_string();
    let headers: String = eencent_webhooks::signing::mollie(MOLLIE, body.as_bytes())
        .iter()
        .map(|(name, value)| format!("{name}: {value}\n"))
        .collect();
    std::fs::write(installation.path().join("body"), &body).unwrap();
    std::fs::write(installation.path().join("headers"), headers).unwrap();
    let verify = |secret: &str| {
        installation.run(&[
            "webhook",
            "verify",
            "--provider",
            "mollie",
            "--secret",
            secret,
            "--headers",
            "headers",
            "--body",
            "body",
        ])
    };
    let good = verify(MOLLIE);
    let answer: Value = serde_json::from_str(&good.stdout).unwrap();
    assert_eq!(
        (good.status.code(), &answer["authentic"]),
        (Some(0), &Value::Bool(true))
    );
    assert_eq!(answer["notifications"][0]["payment_id"], "tr_1");
    let bad = verify("another");
    let answer: Value = serde_json::from_str(&bad.stdout).unwrap();
    assert_eq!(
        (bad.status.code(), &answer["authentic"]),
        (Some(1), &Value::Bool(false))
    );
    assert!(!text(&answer, "reason").is_empty());
}

#[test]
fn match_gives_each_row_of_a_file_a_verdict() {
    let installation = Installation::new();
    let rows = "id,account_name,legal_name,trade_names,legal_form,kind\n\
                1,BAKKERIJ DE KORENAAR BV,Bakkerij De Korenaar B.V.,[],Besloten Vennootschap,company\n\
                2,\"Slagerij, Van Dam\",Bakkerij De Korenaar B.V.,\"[\"\"De Korenaar\"\"]\",Besloten Vennootschap,company\n";
    std::fs::write(installation.path().join("in.csv"), rows).unwrap();
    let ran = installation.run(&["match", "--input", "in.csv", "--output", "out.csv"]);
    assert!(ran.status.success(), "{}", ran.stderr);
    let out = std::fs::read_to_string(installation.path().join("out.csv")).unwrap();
    let lines: Vec<_> = out.lines().collect();
    assert_eq!(lines[0], "id,verdict,score,reasons");
    assert!(
        lines[1].starts_with("1,match,100,") && lines[2].starts_with("2,review,"),
        "{out}"
    );
    std::fs::write(installation.path().join("in.csv"), rows.replace("[]", "[oops")).unwrap();
    let ran = installation.run(&["match", "--input", "in.csv", "--output", "out.csv"]);
    assert!(!ran.status.success() && ran.stderr.contains('2'), "{}", ran.stderr);
}

#[test]
fn explain_answers_why_from_the_stored_record() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let reference = text(&view, "reference");
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", reference, "Slagerij Van Dam B.V."),
    )
    .unwrap();
    wait_for_state(&server, text(&view, "id"), "under_review");
    for question in [text(&view, "id"), reference, "event_1", "tr_1"] {
        let ran = installation.run(&["explain", question]);
        assert!(ran.status.success(), "{}", ran.stderr);
        for part in ["Slagerij Van Dam B.V.", NAME, "under_review", "event_1", "takes_longer"] {
            assert!(ran.stdout.contains(part), "{question}: no {part} in\n{}", ran.stdout);
        }
        assert!(!ran.stdout.contains("NL91ABNA0417164300"), "the account is masked");
    }
    let nothing = installation.run(&["explain", "nonsense"]);
    assert!(
        !nothing.status.success() && nothing.stderr.contains("nonsense"),
        "{nothing:?}"
    );
}

#[test]
fn fault_71_all_that_is_wrong_with_the_settings_is_told_at_once_without_secrets() {
    let installation = Installation::new()
        .with("OFFICE__HOURS", "Mo-Fr 25:00-26:00")
        .with("ACTIVATION__IDEAL_AMOUNT", "one cent")
        .with("NONSENSE__KEY", "x")
        .with("API__KEYS", "too-short-secret")
        .with("MAIL__URL", "carrier-pigeon://loft");
    for command in ["serve", "check"] {
        let ran = installation.run(&[command]);
        assert!(!ran.status.success());
        let told = format!("{}{}", ran.stdout, ran.stderr);
        for part in ["office", "ideal_amount", "EENCENT__NONSENSE", "api.keys", "mail.url"] {
            assert!(told.contains(part), "{command}: no {part} in\n{told}");
        }
        assert!(!told.contains("too-short-secret"), "{told}");
    }
}

#[test]
fn help_teaches() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["demo", "--help"],
        &["explain", "--help"],
        &["webhook", "verify", "--help"],
        &["match", "--help"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_eencent"))
            .args(arguments)
            .env_clear()
            .output()
            .unwrap();
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().len() > 200, "{arguments:?}");
    }
}

#[test]
fn bench_seed_loads_all_of_a_file_or_nothing_and_names_the_line_that_is_wrong() {
    let installation = Installation::new();
    let file = installation.path().join("seed.tsv");
    let good = "ACT-00000001\tDe Korenaar B.V.\tanna@example.org\tDE KORENAAR BV\n";
    std::fs::write(&file, format!("{good}ACT-00000002\tDe Linde\tnobody\tx\n")).unwrap();
    let ran = installation.run(&["bench", "seed", "seed.tsv"]);
    assert!(
        !ran.status.success() && ran.stderr.contains("seed.tsv line 2: creator.email"),
        "{ran:?}"
    );
    std::fs::write(&file, good).unwrap();
    let ran = installation.run(&["bench", "seed", "seed.tsv"]);
    assert!(
        ran.status.success() && ran.stdout.starts_with("1 activations await their payment"),
        "{ran:?}"
    );
    let ran = installation.run(&["explain", "ACT-00000001"]);
    assert!(ran.stdout.contains("awaiting_payment"), "{ran:?}");
    let ran = installation.run(&["bench", "seed", "seed.tsv"]);
    assert!(
        !ran.status.success()
            && ran
                .stderr
                .contains("seed.tsv line 1: there is an activation with this reference"),
        "{ran:?}"
    );
}

#[test]
fn bench_load_tells_how_a_server_answered_and_puts_no_other_machine_under_load() {
    let installation = Installation::new();
    let server = installation.serve();
    let url = format!("http://{}/webhooks/bank", server.public);
    let load = |secret: &str, more: &[&str]| {
        let mut arguments = vec![
            "bench",
            "load",
            "--secret",
            secret,
            "--seconds",
            "1",
            "--warmup",
            "0",
            "--json",
        ];
        arguments.extend(more);
        let ran = installation.run(&arguments);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        (ran, report)
    };
    let (ran, report) = load(crate::payments::BANK, &["--rate", "40", &url]);
    assert!(ran.status.success(), "{ran:?}");
    assert!((1..=40).contains(&report["accepted"].as_u64().unwrap()), "{report}");
    assert_eq!(
        (&report["refused"], &report["unanswered"]),
        (&0.into(), &0.into()),
        "{report}"
    );
    assert!(report["p50_ms"].as_f64() <= report["max_ms"].as_f64(), "{report}");
    // What it counted is what the server stored: each message is another.
    let metrics = crate::http::request(&server.operations, "GET", "/metrics", &[], b"")
        .unwrap()
        .body;
    let stored = metrics
        .lines()
        .filter(|line| line.starts_with("eencent_webhook_requests_total") && line.contains("bank"))
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok())
        .sum::<u64>();
    assert!(stored >= report["accepted"].as_u64().unwrap(), "{metrics}");

    let (ran, report) = load(
        "whsec_b3RoZXIgc2VjcmV0LCBub3QgdGhlIGJhbmsncw==",
        &["--connections", "2", &url],
    );
    assert!(!ran.status.success(), "{ran:?}");
    assert!(
        report["accepted"] == 0 && report["refused"].as_u64() > Some(0),
        "{report}"
    );

    let (ran, _) = load(crate::payments::BANK, &["http://192.0.2.1/webhooks/bank"]);
    assert!(
        !ran.status.success() && ran.stderr.contains("is not this machine"),
        "{ran:?}"
    );
}

#[test]
fn a_command_whose_reader_has_seen_enough_ends_without_a_word() {
    let installation = Installation::new();
    assert!(installation.run(&["migrate"]).status.success());
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ended = installation
        .command(&["audit", "verify"])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
    assert_eq!(ended.status.code(), Some(141));
}

#[test]
fn audit_tells_who_did_what_exports_it_and_holds_what_was_kept() {
    let installation = Installation::new();
    let ran = installation.run(&["migrate"]);
    assert!(ran.status.success(), "{}", ran.stderr);
    let ran = installation.run(&["audit", "verify"]);
    assert!(
        ran.status.success() && ran.stdout.contains("no entry yet"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    let formula = "=cmd|' /C calc'!A0";
    let ran = installation.run(&["mail", "stop", "--by", formula, "--reason", "a wrong template"]);
    assert!(ran.status.success(), "{}", ran.stderr);
    let ran = installation.run(&["mail", "start", "--by", "Jansen", "--reason", "mended"]);
    assert!(ran.status.success(), "{}", ran.stderr);

    let listed = installation.run(&["audit", "list", "--actor", "jansen"]);
    assert!(
        listed.stdout.contains("     2  ") && listed.stdout.contains("mail_started  mail: mended"),
        "{}",
        listed.stdout
    );
    assert_eq!(listed.stdout.lines().count(), 1);
    let csv = installation.run(&["audit", "export", "--format", "csv"]).stdout;
    assert!(csv.contains("'=cmd|"), "{csv}");
    let exported = installation.run(&["audit", "export"]);
    let entries: Vec<Value> = exported
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((&entries[0]["actor"], entries.len()), (&Value::from(formula), 2));
    let head = exported.stderr.trim().strip_prefix("head ").unwrap().to_owned();
    assert_eq!(head, format!("2:{}", text(&entries[1], "hash")));

    installation.run(&["mail", "stop", "--by", "Jansen", "--reason", "again"]);
    let kept = installation.run(&["audit", "verify", "--head", &head]);
    assert!(
        kept.status.success() && kept.stdout.contains("3 entries"),
        "{}{}",
        kept.stdout,
        kept.stderr
    );
    let other = installation.run(&["audit", "verify", "--head", &"ab".repeat(32)]);
    assert_eq!(other.status.code(), Some(1), "{}", other.stdout);
    let nonsense = installation.run(&["audit", "verify", "--head", "12"]);
    assert!(nonsense.stderr.contains("64 hexadecimal digits"), "{}", nonsense.stderr);
}
