//! The receiver as providers and strangers meet it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::http::{raw, request};
use crate::payments::{MOLLIE, NAME, activation, mollie_paid, post, post_mollie, started, text, wait_for_state};
use crate::server::{Installation, wait_for};

#[test]
fn fault_01_02_03_what_is_not_authentic_gets_one_constant_answer_and_can_be_explained() {
    let installation = Installation::new();
    let server = installation.serve();
    let body = mollie_paid("event_bad", "tr_1", "RF00", NAME).to_string().into_bytes();
    let right = eencent_webhooks::signing::mollie(MOLLIE, &body);
    let mut changed = body.clone();
    let last = changed.iter().rposition(u8::is_ascii_digit).unwrap();
    changed[last] ^= 1;
    let answers = [
        post(&server, "mollie", &[], &body).unwrap(),
        post(&server, "mollie", &[("x-mollie-signature", "sha256=zz".into())], &body).unwrap(),
        post(&server, "mollie", &right, &changed).unwrap(),
        post(&server, "stripe", &right, &body).unwrap(),
        post(
            &server,
            "mollie",
            &eencent_webhooks::signing::mollie("another", &body),
            &body,
        )
        .unwrap(),
    ];
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (401, &answers[0].body));
    }
    let request_id = answers[4].header("x-request-id").unwrap();
    let explained = wait_for("the refusal to be recorded", || {
        let ran = installation.run(&["explain", request_id]);
        ran.status.success().then_some(ran)
    });
    assert!(explained.stdout.contains("signature_mismatch"), "{}", explained.stdout);
    let by_event = installation.run(&["explain", "event_bad"]);
    assert!(by_event.stdout.contains("signature_mismatch"), "{}", by_event.stdout);
}

#[test]
fn fault_08_11_a_repeat_gets_the_same_answer_and_does_nothing() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    let body = mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let posts: Vec<_> = (0..50)
            .map(|_| scope.spawn(|| post_mollie(&server, &body).unwrap()))
            .collect();
        posts.into_iter().map(|post| post.join().unwrap()).collect()
    });
    assert!(
        answers
            .iter()
            .all(|answer| (answer.status, answer.body.as_str()) == (200, ""))
    );
    let now = wait_for_state(&server, text(&view, "id"), "awaiting_confirmation");
    assert_eq!(
        (
            now["payments"].as_array().unwrap().len(),
            now["emails"].as_array().unwrap().len()
        ),
        (1, 1)
    );
}

#[test]
fn fault_16_17_22_what_is_too_much_or_not_a_notification_is_turned_away() {
    let installation = Installation::new();
    let server = installation.serve();
    let big = vec![b'x'; 10 * 1024 * 1024];
    assert_eq!(
        request(&server.public, "POST", "/webhooks/mollie", &[], &big)
            .unwrap()
            .status,
        413
    );
    assert_eq!(
        request(&server.public, "POST", "/webhooks/nobody", &[], b"{}")
            .unwrap()
            .status,
        404
    );
    assert_eq!(
        request(
            &server.public,
            "POST",
            "/webhooks/mollie",
            &[("content-encoding", "gzip")],
            b"{}"
        )
        .unwrap()
        .status,
        415
    );
    assert_eq!(
        request(&server.public, "GET", "/webhooks/mollie", &[], b"")
            .unwrap()
            .status,
        405
    );
    let slash = request(&server.public, "POST", "/webhooks/mollie/", &[], b"{}").unwrap();
    assert_eq!(slash.status, 404, "never a redirect");
}

#[test]
fn fault_19_a_client_that_dawdles_is_cut_off_and_others_are_served() {
    let installation = Installation::new().with("LISTEN__HEAD_SECONDS", "1");
    let server = installation.serve();
    let mut slow = TcpStream::connect(&server.public).unwrap();
    slow.write_all(b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\n")
        .unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let view = started(&server, 1, "ideal");
    post_mollie(&server, &mollie_paid("event_1", "tr_1", text(&view, "reference"), NAME)).unwrap();
    let begun = Instant::now();
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest);
    assert!(
        begun.elapsed() < Duration::from_secs(19),
        "the connection was left open"
    );
}

#[test]
fn fault_23_a_request_in_two_lengths_is_turned_away() {
    let installation = Installation::new();
    let server = installation.serve();
    let bytes = b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\nGET /live HTTP/1.1\r\n\r\n";
    let answer = raw(&server.public, bytes);
    assert!(answer.is_err() || answer.is_ok_and(|answer| [400, 401].contains(&answer.status)));
    let twice = b"POST /webhooks/mollie HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\nconnection: close\r\n\r\nxxxxx";
    assert!(raw(&server.public, twice).is_ok_and(|answer| answer.status == 400));
}

#[test]
fn fault_13_authentic_but_unreadable_is_kept_and_answered_as_a_success() {
    let installation = Installation::new();
    let server = installation.serve();
    for body in [&b"not json"[..], b"{}", b"\xff\xfe", b"[1,2,3]"] {
        let answer = post(
            &server,
            "mollie",
            &eencent_webhooks::signing::mollie(MOLLIE, body),
            body,
        )
        .unwrap();
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(body));
    }
    let metrics = wait_for("the metric", || {
        let answer = request(&server.operations, "GET", "/metrics", &[], b"").unwrap();
        answer
            .body
            .lines()
            .any(|line| line.starts_with("eencent_waiting") && line.contains("quarantined") && line.ends_with(" 4"))
            .then_some(answer)
    });
    assert_eq!(metrics.status, 200);
}

#[test]
fn fault_72_two_secrets_are_believed_while_one_takes_the_place_of_the_other() {
    let installation = Installation::new().with("WEBHOOKS__MOLLIE__SECRETS", r#"["new-secret","mollie-secret"]"#);
    let server = installation.serve();
    let body = mollie_paid("event_1", "tr_1", "RF00", NAME).to_string().into_bytes();
    for secret in ["mollie-secret", "new-secret"] {
        assert_eq!(
            post(
                &server,
                "mollie",
                &eencent_webhooks::signing::mollie(secret, &body),
                &body
            )
            .unwrap()
            .status,
            200
        );
    }
}

#[test]
fn fault_69_no_name_account_or_address_is_in_the_log() {
    let installation = Installation::new().with("LOG__LEVEL", "trace");
    let server = installation.serve();
    let view = started(&server, 1, "ideal");
    post_mollie(
        &server,
        &mollie_paid("event_1", "tr_1", text(&view, "reference"), "Kwekerij Zonneschijn"),
    )
    .unwrap();
    wait_for_state(&server, text(&view, "id"), "under_review");
    wait_for("the e-mail", || crate::mail::read(&installation.mail()).pop());
    activation(&server, text(&view, "id"));
    let log = server.log();
    assert!(log.len() > 100);
    for personal in [
        "Zonneschijn",
        "NL91ABNA",
        "0417164300",
        "jansen@",
        "Anna",
        MOLLIE,
        crate::server::KEY,
    ] {
        assert!(!log.contains(personal), "{personal} is in the log:\n{log}");
    }
}
