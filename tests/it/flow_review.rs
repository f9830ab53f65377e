//! What the flow says of review, sentence by sentence, through the public interfaces.

use std::io::Write as _;
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::http::{Answer, request};
use crate::mail::{self, Email};
use crate::payments::{NAME, activation, mollie_paid, post_bank, post_mollie, started, text, transfer, wait_for_state};
use crate::server::{Installation, KEY, Server, wait_for};

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0";

fn act(now: &Value, reason: &str) -> Value {
    json!({ "version": now["version"], "actor": "M. de Vries", "reason": reason })
}

/// An activation under review, because somebody else paid for it.
fn under_review(server: &Server, kvk: u32) -> Value {
    let view = started(server, kvk, "ideal");
    let paid = mollie_paid(
        &format!("e{kvk}"),
        &format!("tr_{kvk}"),
        text(&view, "reference"),
        "P. de Boer",
    );
    assert_eq!(post_mollie(server, &paid).unwrap().status, 200);
    wait_for_state(server, text(&view, "id"), "under_review")
}

fn ask(server: &Server, now: &Value, question: &str) -> Value {
    let path = format!("/v1/activations/{}/request-information", text(now, "id"));
    let asked = server.api("POST", &path, &act(now, question));
    assert_eq!(asked.status, 200, "{}", asked.body);
    asked.json()
}

/// The e-mails to the creator of an activation that hold these words.
fn emails(installation: &Installation, now: &Value, words: &str) -> Vec<Email> {
    let mut all = mail::read(&installation.mail());
    all.retain(|email| email.header("x-activation") == text(now, "reference") && email.text.contains(words));
    all
}

/// The path of the link in the e-mail that asks.
fn question_link(installation: &Installation, now: &Value, question: &str) -> String {
    let email = wait_for("the e-mail that asks", || emails(installation, now, question).pop());
    let link = email.link().unwrap().to_owned();
    link[link.find("/information/").unwrap()..].to_owned()
}

fn part(name: &str, file: Option<&str>, content: &[u8]) -> Vec<u8> {
    let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
    let mut part = format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes();
    part.extend_from_slice(content);
    part.extend_from_slice(b"\r\n");
    part
}

/// As a browser sends the form.
fn send(server: &Server, link: &str, parts: &[Vec<u8>]) -> Answer {
    let mut body = parts.concat();
    body.extend_from_slice(b"--edge--\r\n");
    let headers = [("content-type", "multipart/form-data; boundary=edge")];
    request(&server.public, "POST", link, &headers, &body).unwrap()
}

fn explained(server: &Server, now: &Value) -> Value {
    let path = format!("/v1/activations/{}/explanation", text(now, "id"));
    server.api("GET", &path, &Value::Null).json()
}

#[test]
fn review_asks_the_creator_who_answers_with_words_and_files_and_it_is_in_review_again() {
    let installation = Installation::new();
    let server = installation.serve();
    let now = ask(
        &server,
        &under_review(&server, 61_000_001),
        "Wie is P. de Boer?\nStuur een uittreksel mee.",
    );
    let link = question_link(&installation, &now, "Wie is P. de Boer?");

    let page = request(&server.public, "GET", &link, &[], b"").unwrap();
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains(NAME) && page.body.contains("Wie is P. de Boer?"),
        "{}",
        page.body
    );
    assert_eq!(
        text(&activation(&server, text(&now, "id")), "state"),
        "information_requested",
        "opening changes nothing"
    );

    let files = [
        part("answer", None, "Mijn vader <b>& ik</b>".as_bytes()),
        part("files", Some("../../uittreksel.exe"), PDF),
        part("files", Some("foto.png"), PNG),
        part("files", Some(""), b""),
    ];
    let answered = send(&server, &link, &files);
    assert_eq!(answered.status, 200, "{}", answered.body);
    assert!(answered.body.contains("Dank u wel"), "{}", answered.body);
    let now = wait_for_state(&server, text(&now, "id"), "under_review");
    let last = now["history"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (text(last, "actor"), text(last, "reason")),
        ("creator", "the creator answered, with 2 files")
    );

    let question = explained(&server, &now)["questions"][0].clone();
    assert_eq!(question["answer"], "Mijn vader <b>& ik</b>");
    let names: Vec<_> = question["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| text(file, "name"))
        .collect();
    assert_eq!(names, ["uittreksel.pdf", "foto.png"]);
    let file = format!(
        "/v1/activations/{}/files/{}",
        text(&now, "id"),
        text(&question["files"][0], "id")
    );
    let fetched = server.api("GET", &file, &Value::Null);
    assert_eq!((fetched.status, fetched.body.as_bytes()), (200, PDF));
    assert_eq!(fetched.header("content-type"), Some("application/pdf"));
    assert!(
        fetched
            .header("content-disposition")
            .unwrap()
            .starts_with("attachment;")
    );
    assert_eq!(fetched.header("x-content-type-options"), Some("nosniff"));
    let other = under_review(&server, 61_000_002);
    let elsewhere = file.replace(text(&now, "id"), text(&other, "id"));
    assert_eq!(
        server.api("GET", &elsewhere, &Value::Null).status,
        404,
        "only under its own activation"
    );

    // Once more, as an impatient finger does, and from the e-mail a week later.
    let again = send(&server, &link, &[part("answer", None, b"nog eens")]);
    assert!(again.status == 200 && again.body.contains("Al beantwoord"), "{again:?}");
    assert_eq!(
        explained(&server, &now)["questions"][0]["answer"],
        "Mijn vader <b>& ik</b>"
    );
}

#[test]
fn an_answer_that_can_t_be_taken_says_why_and_keeps_what_was_written() {
    let installation = Installation::new().with("ACTIVATION__ANSWER_MEGABYTES", "1");
    let server = installation.serve();
    let now = ask(&server, &under_review(&server, 61_000_003), "Wat is dit?");
    let link = question_link(&installation, &now, "Wat is dit?");
    let big = [PDF, &vec![b' '; 1_100_000]].concat();
    let many: Vec<_> = (0..6).map(|_| part("files", Some("a.pdf"), PDF)).collect();
    let (long, longer) = ("x".repeat(4_001), "x".repeat(40_000));
    let words = part("answer", None, b"dit schreef ik");
    for (parts, told) in [
        (vec![part("answer", None, b" \r\n ")], "Schrijf een antwoord"),
        (vec![part("answer", None, long.as_bytes())], "hooguit 4000 tekens"),
        (vec![part("answer", None, longer.as_bytes())], "hooguit 4000 tekens"),
        (vec![words.clone(), part("files", Some("a.pdf"), &big)], "hooguit 1 MB"),
        (
            vec![
                words.clone(),
                part("files", Some("a.pdf"), b"<script>alert(1)</script>"),
            ],
            "geen PDF, JPEG of PNG",
        ),
        ([vec![words.clone()], many].concat(), "hooguit 5 bestanden"),
    ] {
        let refused = send(&server, &link, &parts);
        assert_eq!(refused.status, 422, "{told}: {}", refused.body);
        assert!(refused.body.contains(told), "{told}: {}", refused.body);
        assert!(
            parts.len() == 1 || refused.body.contains("dit schreef ik"),
            "{}",
            refused.body
        );
    }
    assert_eq!(
        text(&activation(&server, text(&now, "id")), "state"),
        "information_requested"
    );
    assert_eq!(send(&server, &link, &[words]).status, 200);
}

#[test]
fn who_sends_slowly_by_one_link_keeps_nobody_else_from_answering() {
    let installation = Installation::new();
    let server = installation.serve();
    let asked: Vec<_> = (61_000_020..61_000_022)
        .map(|number| ask(&server, &under_review(&server, number), "Wie is P. de Boer?"))
        .collect();
    let links: Vec<_> = asked
        .iter()
        .map(|now| question_link(&installation, now, "Wie is P. de Boer?"))
        .collect();
    // More of them than there are places, each of which has sent something and goes on for ever.
    let slow: Vec<_> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(&server.public).unwrap();
            let begun = part("files", Some("a.pdf"), PDF);
            write!(
                stream,
                "POST {} HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data; boundary=edge\r\n\
                 content-length: 100000\r\n\r\n",
                links[0]
            )
            .unwrap();
            stream.write_all(&begun).unwrap();
            stream
        })
        .collect();
    let answered = send(&server, &links[1], &[part("answer", None, b"Mijn vader")]);
    assert_eq!(answered.status, 200, "{}", answered.body);
    // Nor himself, when he tries again.
    let answered = send(&server, &links[0], &[part("answer", None, b"Mijn moeder")]);
    assert_eq!(answered.status, 200, "{}", answered.body);
    drop(slow);
}

#[test]
fn who_has_no_link_gets_in_nowhere_and_an_old_link_says_what_happened() {
    let installation = Installation::new();
    let server = installation.serve();
    for path in [
        "/information/",
        "/information/x",
        "/information/%2e%2e",
        &format!("/information/{}", "A".repeat(43)),
    ] {
        let page = request(&server.public, "GET", path, &[], b"").unwrap();
        assert_eq!(page.status, 404, "{path}");
        let sent = send(&server, path, &[part("answer", None, b"x")]);
        assert_eq!(sent.status, 404, "{path}");
    }
    let now = ask(&server, &under_review(&server, 61_000_004), "Eerste vraag?");
    let first = question_link(&installation, &now, "Eerste vraag?");
    let resume = format!("/v1/activations/{}/resume", text(&now, "id"));
    let now = server.api("POST", &resume, &act(&now, "gebeld")).json();
    let gone = send(&server, &first, &[part("answer", None, b"te laat")]);
    assert!(
        gone.status == 410 && gone.body.contains("zonder antwoord verdergegaan"),
        "{gone:?}"
    );

    let now = ask(&server, &now, "Tweede vraag?");
    let second = question_link(&installation, &now, "Tweede vraag?");
    assert_ne!(first, second);
    let old = request(&server.public, "GET", &first, &[], b"").unwrap();
    assert!(old.status == 410 && old.body.contains("nieuwere vraag"), "{old:?}");
    assert!(
        !old.body.contains("Eerste vraag?") && !old.body.contains("Tweede vraag?"),
        "{}",
        old.body
    );

    let reject = format!("/v1/activations/{}/reject", text(&now, "id"));
    assert_eq!(server.api("POST", &reject, &act(&now, "nee")).status, 200);
    let over = request(&server.public, "GET", &second, &[], b"").unwrap();
    assert!(over.status == 410 && over.body.contains("afgewezen"), "{over:?}");
}

#[test]
fn review_allocates_a_payment_that_names_no_activation_and_it_is_decided_as_ever() {
    let installation = Installation::new();
    let server = installation.serve();
    let bakery = started(&server, 61_000_005, "invoice");
    let reference = text(&bakery, "reference");
    // A slip in the reference: two characters changed places.
    let mut typed: Vec<char> = reference.chars().collect();
    let at = (5..typed.len() - 1).find(|at| typed[*at] != typed[at + 1]).unwrap();
    typed.swap(at, at + 1);
    let typed: String = typed.into_iter().collect();
    post_bank(
        &server,
        "m1",
        &transfer("t1", 1815, &format!("factuur {typed}"), "BAKKERIJ DE KORENAAR BV"),
    )
    .unwrap();
    post_bank(&server, "m2", &transfer("t2", 1815, "bedankt", "Slagerij Van Dam")).unwrap();
    let list = wait_for("two unallocated payments", || {
        let list = server.api("GET", "/v1/payments?state=unallocated", &Value::Null).json();
        (list.as_array()?.len() == 2).then_some(list)
    });
    // They came in one after the other, and may have been worked on in either order.
    let of = |holder: &str| {
        let one = list
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["payment"]["holder_name"] == holder);
        one.unwrap().clone()
    };
    let list = [of("BAKKERIJ DE KORENAAR BV"), of("Slagerij Van Dam")];
    let likely = &list[0]["likely"][0];
    assert_eq!(likely["activation"], bakery["id"]);
    assert_eq!(
        (&likely["similar_reference"], &likely["same_amount"]),
        (&json!(true), &json!(true))
    );
    assert!(likely["likeness"].as_u64().unwrap() > 90, "{likely}");
    assert_eq!(list[0]["remittance"], format!("factuur {typed}"));
    assert_eq!(
        list[1]["likely"][0]["similar_reference"], false,
        "only its amount speaks for it"
    );

    // By whom and why is asked, and what was looked at has to be current.
    let allocate = |payment: &Value, body: &Value| {
        server.api("POST", &format!("/v1/payments/{}/allocate", text(payment, "id")), body)
    };
    let mut body = act(&bakery, "name, amount and nearly the reference");
    body["activation"] = bakery["id"].clone();
    assert_eq!(allocate(&list[0], &json!({ "activation": bakery["id"] })).status, 422);
    let mut stale = body.clone();
    stale["version"] = json!(99);
    assert_eq!(allocate(&list[0], &stale).json()["code"], "version_stale");
    let done = allocate(&list[0], &body);
    assert_eq!(done.status, 200, "{}", done.body);
    let now = wait_for_state(&server, text(&bakery, "id"), "activated");
    let line = &now["history"][1];
    assert_eq!(
        (text(line, "event"), text(line, "actor")),
        ("payment_noted", "M. de Vries (key settings-key-1)")
    );
    assert!(text(line, "reason").contains("nearly the reference"), "{line}");
    assert_eq!(now["payments"][0]["standing"], "counts");
    assert_eq!(
        allocate(&list[0], &body).json()["code"],
        "payment_not_unallocated",
        "the second person is told"
    );

    // A stranger's money is decided as a stranger's, whoever allocates it.
    let other = started(&server, 61_000_006, "invoice");
    let mut body = act(&other, "the butcher says it is his");
    body["activation"] = other["id"].clone();
    assert_eq!(allocate(&list[1], &body).status, 200);
    let now = wait_for_state(&server, text(&other, "id"), "under_review");
    assert_eq!(now["payments"][0]["holder_name"], "Slagerij Van Dam");
    let left = server.api("GET", "/v1/payments?state=unallocated", &Value::Null).json();
    assert_eq!(left, json!([]));
    for wrong in ["", "?state=paid", "?state=unallocated&limit=0"] {
        assert_eq!(
            server.api("GET", &format!("/v1/payments{wrong}"), &Value::Null).status,
            422,
            "{wrong}"
        );
    }
}

#[test]
fn a_payment_for_one_that_is_over_can_be_allocated_to_the_next_and_not_to_the_one_that_is_over() {
    let installation = Installation::new();
    let server = installation.serve();
    let first = started(&server, 61_000_007, "invoice");
    let cancel = format!("/v1/activations/{}/cancel", text(&first, "id"));
    assert_eq!(server.api("POST", &cancel, &json!({})).status, 200);
    post_bank(&server, "m1", &transfer("t1", 1815, text(&first, "reference"), NAME)).unwrap();
    let waiting = wait_for("the unallocated payment", || {
        let list = server.api("GET", "/v1/payments?state=unallocated", &Value::Null).json();
        list.get(0).cloned()
    });
    assert_eq!(waiting["activation"], first["id"], "the one that it names is suggested");
    let again = format!("/v1/organisations/{}/activations", text(&first, "organisation"));
    let second = server.api("POST", &again, &json!({ "method": "invoice" })).json();
    let path = format!("/v1/payments/{}/allocate", text(&waiting, "id"));
    let over = activation(&server, text(&first, "id"));
    let mut body = act(&over, "it names this one");
    body["activation"] = first["id"].clone();
    assert_eq!(server.api("POST", &path, &body).json()["code"], "activation_over");
    let mut body = act(&second, "it was for the one before");
    body["activation"] = second["id"].clone();
    assert_eq!(server.api("POST", &path, &body).status, 200);
    wait_for_state(&server, text(&second, "id"), "activated");
}

#[test]
fn an_allocation_that_comes_again_under_its_key_is_answered_as_the_first_time_also_by_who_never_answered() {
    let installation = Installation::new();
    let server = installation.serve();
    let view = started(&server, 61_000_008, "invoice");
    post_bank(&server, "m1", &transfer("t1", 1000, "bedankt", NAME)).unwrap();
    let payment = wait_for("the unallocated payment", || {
        let list = server.api("GET", "/v1/payments?state=unallocated", &Value::Null).json();
        list.get(0).cloned()
    });
    let mut body = act(&view, "the name fits");
    body["activation"] = view["id"].clone();
    let key = format!("Bearer {KEY}");
    let headers = [
        ("authorization", key.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", "once"),
    ];
    let path = format!("/v1/payments/{}/allocate", text(&payment, "id"));
    let send = || request(&server.public, "POST", &path, &headers, body.to_string().as_bytes()).unwrap();
    let first = send();
    assert_eq!(
        (first.status, first.json()["payments"][0]["standing"].clone()),
        (200, json!("counts"))
    );
    assert_eq!(send().body, first.body);
    // As after a crash between the act and its answer.
    installation.sql("UPDATE kept_answers SET status = NULL, location = NULL, body = NULL");
    let anew = send();
    assert_eq!(
        (anew.status, anew.header("location")),
        (200, None),
        "it was done, and nothing was made"
    );
    let happened = anew.json()["history"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|line| line["event"] == "payment_noted")
        .count();
    assert_eq!(happened, 1);
}
