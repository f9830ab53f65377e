//! Support's console, in a real browser and as its people work with it: each kind of case, two people at once, what is
//! masked, and everything that a stranger wrote shown as text.

use serde_json::{Value, json};

use crate::browser::{Browser, Visitor};
use crate::mail;
use crate::payments::{activation, mollie_paid, post_bank, post_mollie, started, text, transfer, wait_for_state};
use crate::people::{Member, between};
use crate::server::{Installation, Server, wait_for};

/// What strangers may write: markup, script, template, header lines.
const STRANGE: &str = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'><b>{{ 7*7 }}\r\nBcc: evil@example";

/// An activation under review, because somebody else paid for it.
fn under_review(server: &Server, kvk: u32, payer: &str) -> Value {
    let view = started(server, kvk, "ideal");
    let paid = mollie_paid(
        &format!("e{kvk}"),
        &format!("tr_{kvk}"),
        text(&view, "reference"),
        payer,
    );
    assert_eq!(post_mollie(server, &paid).unwrap().status, 200);
    wait_for_state(server, text(&view, "id"), "under_review")
}

fn signed_in(server: &Server, member: &Member, visitor: Visitor) -> Browser {
    let browser = Browser::of(visitor);
    browser.signs_in(member, &format!("http://{}", server.staff));
    browser
}

#[test]
fn each_kind_of_case_is_decided_after_it_was_shown_what_will_happen() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["lead"]);
    let (first, second, third) = (
        under_review(&server, 61_100_001, "P. de Boer"),
        under_review(&server, 61_100_002, "Slagerij Van Dam B.V."),
        under_review(&server, 61_100_003, "P. de Boer"),
    );
    let browser = signed_in(&server, &sam, Visitor::speaking("nl"));
    let staff = format!("http://{}", server.staff);
    browser.open(&staff);
    browser.sees("h1", "Wat op een besluit wacht");
    browser.finds_it_accessible();
    browser.picture("console-queue");

    browser.click("form[action='/queue/next'] button");
    browser.sees("h1", "in beoordeling");
    browser.sees("#whose ~ p", "Sam Steun");
    browser.sees("#names-1", "naast elkaar");
    browser.finds_it_accessible();
    browser.picture("console-case");
    browser.picture_for_docs("console-support", (1_200, 1_000));
    browser.fill("#reason-approve", "de eigenaar belde");
    browser.click("button[value=approve_now]");
    browser.sees("h2", "Wat er zal gebeuren");
    browser.sees("main", "Deze e-mail gaat naar");
    browser.finds_it_accessible();
    browser.picture("console-foreseen");
    let foreseen = browser.text("main");
    assert!(
        !foreseen.contains("kantoor is nu gesloten"),
        "it takes effect at once: {foreseen}"
    );
    assert_eq!(
        text(&activation(&server, text(&first, "id")), "state"),
        "under_review",
        "nothing has happened yet"
    );
    browser.click("main form button");
    browser.sees("h1", "Bakkerij De Korenaar B.V.");
    let now = wait_for_state(&server, text(&first, "id"), "awaiting_confirmation");
    browser.sees("h1", "wacht op de klik");
    let history = now["history"].as_array().unwrap();
    let line = history.iter().find(|line| line["event"] == "person_approved").unwrap();
    assert_eq!(text(line, "actor"), "Sam Steun <sam.steun@example.nl> (console)");

    browser.open(&format!("{staff}/activations/{}", text(&second, "id")));
    browser.click("#decide ~ details summary");
    browser.click("a[href^='?question=2']");
    browser.sees("#reason-ask", "Van wie is de rekening, en hoe hoort");
    browser.click("button[value=ask]");
    browser.sees(
        "main",
        "Van wie is de rekening, en hoe hoort de rekeninghouder bij de organisatie?",
    );
    browser.click("main form button");
    browser.sees("h1", "informatie gevraagd");

    browser.open(&format!("{staff}/activations/{}", text(&third, "id")));
    browser.fill("#reason-reject", "De rekening is niet van de organisatie.");
    browser.click("button[value=reject]");
    browser.sees("main", "De rekening is niet van de organisatie.");
    browser.click("main form button.danger");
    browser.sees("h1", "afgewezen");
    wait_for("the e-mail that tells why", || {
        let all = mail::read(&installation.mail());
        let told = all.iter().any(|email| {
            email.header("x-activation") == text(&third, "reference") && email.text.contains("niet van de organisatie")
        });
        told.then_some(())
    });

    browser.open(&format!("{staff}/activations/{}", text(&first, "id")));
    browser.fill("#reason-take_back", "toch niet");
    browser.click("button[value=take_back]");
    browser.sees("main", "Goedkeuring terugnemen");
    browser.click("main form button.danger");
    browser.sees("h1", "in beoordeling");
    for (page, name) in [
        ("/schedule", "schedule"),
        ("/payments", "payments"),
        ("/report", "report"),
        ("/search", "search"),
    ] {
        browser.open(&format!("{staff}{page}"));
        browser.finds_it_accessible();
        browser.picture(&format!("console-{name}"));
    }
}

#[test]
fn support_works_in_english_by_night_as_well_and_asks_in_the_language_of_whoever_reads_it() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support", "administrator"]);
    let chosen = sam.send(&server.staff, "/account", "/language", &[("language", "en")]);
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    let waits = under_review(&server, 61_800_001, "P. de Boer");
    let browser = signed_in(&server, &sam, Visitor::speaking("en").by_night());
    let staff = format!("http://{}", server.staff);
    let case = format!("/activations/{}", text(&waits, "id"));
    for (page, name) in [
        ("/queue", "queue"),
        (case.as_str(), "case"),
        (&format!("{case}?question=1"), "case-question"),
        ("/schedule", "schedule"),
        ("/payments", "payments"),
        ("/report", "report"),
        ("/search", "search"),
        ("/people", "people"),
        ("/account", "account"),
    ] {
        browser.open(&format!("{staff}{page}"));
        browser.sees("header", "Sam Steun");
        browser.finds_it_accessible();
        browser.picture(&format!("console-{name}"));
    }
    browser.open(&format!("{staff}{case}?question=1"));
    browser.sees("#reason-ask", "Wilt u een uittreksel");
    browser.click("button[value=ask]");
    browser.sees("h2", "What will happen");
    browser.sees("main", "Wilt u een uittreksel uit het handelsregister sturen");
    browser.finds_it_accessible();
}

#[test]
fn of_two_people_at_once_the_second_sees_who_was_first_and_nothing_happens_twice() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let lea = Member::of(&installation, &server, "Lea Leid", &["support"]);
    let waits = under_review(&server, 61_200_001, "P. de Boer");
    let id = text(&waits, "id");
    let (page, version) = (format!("/activations/{id}"), waits["version"].to_string());
    let reject = [
        ("act", "reject"),
        ("reason", "niet van de organisatie"),
        ("version", version.as_str()),
    ];
    let done = sam.send(&server.staff, &page, &format!("{page}/acts"), &reject);
    assert_eq!(done.status, 303, "{}", done.body);
    let approve = [
        ("act", "approve_now"),
        ("reason", "lijkt goed"),
        ("version", version.as_str()),
    ];
    let late = lea.send(&server.staff, &page, &format!("{page}/acts"), &approve);
    assert_eq!(late.status, 409);
    assert!(late.body.contains("is veranderd sinds versie"), "{}", late.body);
    assert!(
        late.body.contains("Sam Steun &lt;sam.steun@example.nl&gt;"),
        "who was first: {}",
        late.body
    );
    assert_eq!(text(&activation(&server, id), "state"), "rejected");

    // Taking one, at the same moment.
    let other = under_review(&server, 61_200_002, "P. de Boer");
    let page = format!("/activations/{}", text(&other, "id"));
    let account = |member: &Member| {
        let body = member.get(&server.staff, &page).body;
        between(&body, "<option value=\"acc_", "\"").to_owned()
    };
    let to = format!("acc_{}", account(&sam));
    let first = sam.send(
        &server.staff,
        &page,
        &format!("{page}/assign"),
        &[("seen", ""), ("to", &to)],
    );
    assert_eq!(first.status, 303, "{}", first.body);
    let second = lea.send(
        &server.staff,
        &page,
        &format!("{page}/assign"),
        &[("seen", ""), ("to", &to)],
    );
    assert_eq!(second.status, 409, "{}", second.body);
}

#[test]
fn fault_64_65_who_only_looks_sees_no_acts_and_can_do_none() {
    let installation = Installation::new();
    let server = installation.serve();
    let rik = Member::of(&installation, &server, "Rik Kijk", &["read-only"]);
    let ops = Member::of(&installation, &server, "Olga Ops", &["operations"]);
    let waits = under_review(&server, 61_300_001, "P. de Boer");
    let page = format!("/activations/{}", text(&waits, "id"));
    let seen = rik.get(&server.staff, &page);
    assert!(
        seen.status == 200 && !seen.body.contains("/foresee") && !seen.body.contains("/reveal"),
        "{}",
        seen.body
    );
    let version = waits["version"].to_string();
    for (to, fields) in [
        (
            "acts",
            vec![("act", "approve_now"), ("reason", "x"), ("version", version.as_str())],
        ),
        (
            "foresee",
            vec![("act", "approve"), ("reason", "x"), ("version", version.as_str())],
        ),
        ("notes", vec![("note", "x")]),
        ("assign", vec![("seen", ""), ("to", "")]),
        ("reveal", vec![("payment", "x"), ("reason", "x")]),
    ] {
        let answer = rik.send(&server.staff, "/account", &format!("{page}/{to}"), &fields);
        assert_eq!(answer.status, 404, "{to}");
    }
    assert_eq!(
        ops.get(&server.staff, &page).status,
        404,
        "operations has no business with whose it is"
    );
    assert_eq!(ops.get(&server.staff, "/queue").status, 404);
    assert_eq!(text(&activation(&server, text(&waits, "id")), "state"), "under_review");
}

#[test]
fn an_account_number_is_masked_until_somebody_says_why_and_that_is_recorded() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let view = started(&server, 61_400_001, "invoice");
    let paid = transfer("b1", 1815, text(&view, "reference"), "P. de Boer");
    assert_eq!(post_bank(&server, "b1", &paid).unwrap().status, 200);
    let waits = wait_for_state(&server, text(&view, "id"), "under_review");
    let page = format!("/activations/{}", text(&waits, "id"));
    let body = sam.get(&server.staff, &page).body;
    let payment = between(&body, "name=\"payment\" value=\"", "\"").to_owned();
    let masked = between(&body, "<dt>Rekening</dt><dd><code>", "</code>");
    assert!(masked.contains("**"), "{masked}");
    let nothing = sam.send(
        &server.staff,
        &page,
        &format!("{page}/reveal"),
        &[("payment", &payment), ("reason", " ")],
    );
    assert!(nothing.status == 409 || nothing.status == 422, "{}", nothing.status);
    let shown = sam.send(
        &server.staff,
        &page,
        &format!("{page}/reveal"),
        &[("payment", &payment), ("reason", "de bank belt")],
    );
    assert_eq!(shown.status, 200);
    let account = between(&shown.body, "<dt>Rekening</dt><dd><code class=\"secret\">", "</code>").replace(' ', "");
    assert!(account.len() >= 15 && !account.contains('*'), "{account}");
    assert!(
        !sam.get(&server.staff, &page).body.contains("class=\"secret\""),
        "shown once"
    );
    let audit = installation.run(&["audit", "list", "--act", "account revealed"]);
    assert!(
        audit.stdout.contains("Sam Steun") && audit.stdout.contains("de bank belt"),
        "{audit:?}"
    );
}

#[test]
fn a_payment_without_a_place_is_given_one_by_reference_after_it_was_shown_whose_and_never_by_a_name() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let view = started(&server, 61_700_001, "invoice");
    let paid = transfer("b7", 1815, "zonder kenmerk", "Bakkerij De Korenaar B.V.");
    assert_eq!(post_bank(&server, "b7", &paid).unwrap().status, 200);
    let page = wait_for("the payment", || {
        let page = sam.get(&server.staff, "/payments").body;
        page.contains("zonder kenmerk").then_some(page)
    });
    let to = format!(
        "/payments/{}/allocate",
        between(&page, "action=\"/payments/", "/allocate")
    );
    let by_name = sam.send(
        &server.staff,
        "/payments",
        &to,
        &[("activation", "Bakkerij"), ("reason", "x")],
    );
    assert!(matches!(by_name.status, 404 | 409), "{}", by_name.body);
    let shown = sam.send(
        &server.staff,
        "/payments",
        &to,
        &[("activation", text(&view, "reference")), ("reason", "zelfde bedrag")],
    );
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert_eq!(
        text(&activation(&server, text(&view, "id")), "state"),
        "awaiting_payment",
        "nothing has happened yet"
    );
    let version = between(&shown.body, "name=\"version\" value=\"", "\"").to_owned();
    let confirmed = [
        ("activation", text(&view, "id")),
        ("reason", "zelfde bedrag"),
        ("version", version.as_str()),
    ];
    let done = sam.send(&server.staff, "/payments", &to, &confirmed);
    assert_eq!(done.status, 303, "{}", done.body);
    wait_for_state(&server, text(&view, "id"), "activated");
    let late = sam.send(&server.staff, "/account", &to, &confirmed);
    assert_eq!(late.status, 409, "a second time it is told");
}

#[test]
fn fault_61_whatever_a_stranger_wrote_is_shown_as_text_on_every_page_of_support() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["lead"]);
    let organisation = server.api(
        "POST",
        "/v1/organisations",
        &json!({
            "environment": STRANGE.replace("\r\n", " "), "legal_name": STRANGE.replace("\r\n", " "),
            "trade_names": [STRANGE.replace("\r\n", " ")], "legal_form": "<i>x</i>", "country": "NL",
            "names_source": "register", "identifiers": [{ "scheme": "NL:KVK", "value": "61500001" }],
            "creator": { "name": STRANGE.replace("\r\n", " "), "email": "a@example.nl", "language": "nl", "role": "administrator" }
        }),
    );
    assert_eq!(organisation.status, 201, "{}", organisation.body);
    let id = text(&organisation.json(), "id").to_owned();
    let view = server
        .api(
            "POST",
            &format!("/v1/organisations/{id}/activations"),
            &json!({ "method": "ideal" }),
        )
        .json();
    let paid = mollie_paid(
        "estrange",
        "tr_strange",
        text(&view, "reference"),
        &format!("Iemand anders {STRANGE}"),
    );
    let posted = post_mollie(&server, &paid).unwrap();
    assert_eq!(posted.status, 200, "{}", posted.body);
    let waits = wait_for_state(&server, text(&view, "id"), "under_review");
    let page = format!("/activations/{}", text(&waits, "id"));
    let noted = sam.send(&server.staff, &page, &format!("{page}/notes"), &[("note", STRANGE)]);
    assert_eq!(noted.status, 303, "{}", noted.body);
    let version = waits["version"].to_string();
    let asked = [("act", "ask"), ("reason", STRANGE), ("version", version.as_str())];
    let mut seen = vec![sam.send(&server.staff, &page, &format!("{page}/foresee"), &asked).body];
    let done = sam.send(&server.staff, &page, &format!("{page}/acts"), &asked);
    assert_eq!(done.status, 303, "{}", done.body);
    let found = sam.send(&server.staff, "/search", "/search", &[("sought", STRANGE)]);
    assert_eq!(found.status, 200);
    seen.push(found.body);
    for path in [
        page.as_str(),
        "/queue",
        "/queue?asked=yes",
        "/queue?reason=%3Cscript%3Ealert(4)%3C/script%3E",
        "/payments",
        "/schedule",
        "/report",
    ] {
        let answer = sam.get(&server.staff, path);
        assert_eq!(answer.status, 200, "{path}");
        seen.push(answer.body);
    }
    for body in seen {
        for markup in ["<script>alert", "<img src=x", "<i>x</i>", "\"'><b>"] {
            assert!(!body.contains(markup), "{markup} in {body}");
        }
        assert!(!body.contains(">49"), "no template is read in what they wrote");
    }
    let email = wait_for("the question's e-mail", || {
        let all = mail::read(&installation.mail());
        all.into_iter().find(|email| email.text.contains("alert(1)"))
    });
    assert_eq!(email.header("bcc"), "", "no header line of theirs");
}

#[test]
fn without_scripts_a_case_is_decided_all_the_same() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let waits = under_review(&server, 61_600_001, "P. de Boer");
    let browser = signed_in(
        &server,
        &sam,
        Visitor::speaking("nl").on_a_phone().by_night().without_scripts(),
    );
    let page = format!("http://{}/activations/{}", server.staff, text(&waits, "id"));
    browser.open(&page);
    browser.finds_it_accessible();
    browser.picture("console-case");
    browser.fill("#reason-approve", "de eigenaar belde");
    browser.click("button[value=approve]");
    browser.sees("main", "Wat er zal gebeuren");
    browser.picture("console-foreseen");
    browser.click("main form button");
    wait_for_state(&server, text(&waits, "id"), "awaiting_confirmation");
}

#[test]
fn an_e_mail_that_never_came_is_sent_once_more_from_its_page() {
    let installation = Installation::new();
    let server = installation.serve();
    let sam = Member::of(&installation, &server, "Sam Steun", &["support"]);
    let waits = under_review(&server, 61_700_001, "P. de Boer");
    let id = text(&waits, "id");
    let email = wait_for("the e-mail that it takes longer", || {
        let view = activation(&server, id);
        let sent = view["emails"]
            .as_array()
            .unwrap()
            .iter()
            .find(|one| one["state"] == "sent");
        sent.map(|one| text(one, "id").to_owned())
    });
    let page = format!("/activations/{id}/emails/{email}");
    let again = format!("{page}/again");
    let shown = sam.get(&server.staff, &page);
    assert!(shown.body.contains(&again), "{}", shown.body);
    let asked = [("reason", "it never came")];
    let at_once = sam.send(&server.staff, &page, &again, &asked);
    assert_eq!(at_once.status, 409);
    assert!(
        at_once.body.contains("minder dan een minuut geleden"),
        "{}",
        at_once.body
    );

    installation.sql("UPDATE emails SET created_at = created_at - 61000000, sent_at = sent_at - 61000000");
    let before = mail::read(&installation.mail()).len();
    assert_eq!(sam.send(&server.staff, &page, &again, &asked).status, 303);
    let all = wait_for("its copy", || {
        let all = mail::read(&installation.mail());
        (all.len() > before).then_some(all)
    });
    let subject = all[0].header("subject");
    let copies: Vec<_> = all.iter().filter(|one| one.header("subject") == subject).collect();
    assert_eq!(copies.len(), 2, "{subject}");
    assert_eq!(copies[0].text, copies[1].text);
    assert_ne!(copies[0].header("message-id"), copies[1].header("message-id"));
    let audit = installation.run(&["audit", "list"]);
    assert!(
        audit.stdout.contains("email_sent_again") && audit.stdout.contains("it never came"),
        "{audit:?}"
    );
}
