//! The pages that applicants meet, in a real browser.

use serde_json::{Value, json};

use crate::browser::{Browser, Visitor};
use crate::mail;
use crate::main_job::round_off_link;
use crate::payments::{NAME, mollie_paid, organisation, post_bank, post_mollie, text, transfer, wait_for_state};
use crate::server::{Installation, Server, wait_for};

fn visitors(language: &'static str) -> [Visitor; 4] {
    let visitor = Visitor::speaking(language);
    [
        visitor,
        visitor.by_night(),
        visitor.on_a_phone().by_night(),
        visitor.on_a_phone().without_scripts(),
    ]
}

/// An approved activation, whose creator speaks a language.
fn approved(server: &Server, number: u32, language: &str) -> Value {
    let mut body = organisation(number);
    body["creator"]["language"] = language.into();
    let made = server.api("POST", "/v1/organisations", &body).json();
    let path = format!("/v1/organisations/{}/activations", text(&made, "id"));
    let view = server.api("POST", &path, &json!({ "method": "ideal" })).json();
    let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
    let paid = mollie_paid(&event, &payment, text(&view, "reference"), NAME);
    assert_eq!(post_mollie(server, &paid).unwrap().status, 200);
    wait_for_state(server, text(&view, "id"), "awaiting_confirmation");
    view
}

/// Looks at a page and keeps a picture of it.
fn reads(browser: &Browser, page: &str, heading: &str) {
    browser.sees("h1", heading);
    browser.finds_it_accessible();
    browser.picture(page);
}

/// What the headings say, in one language.
struct Words {
    language: &'static str,
    front: &'static str,
    unknown: &'static str,
    ready: &'static str,
    activated: &'static str,
    used: &'static str,
    replaced: &'static str,
    sent_again: &'static str,
    expired: &'static str,
}

const DUTCH: Words = Words {
    language: "nl",
    front: "Activering van organisaties",
    unknown: "Deze link kennen we niet",
    ready: "Nog één klik",
    activated: "Geactiveerd",
    used: "Al afgerond",
    replaced: "Er is een nieuwere link",
    sent_again: "We hebben een nieuwe e-mail met een link gestuurd",
    expired: "Deze link is verlopen",
};

const ENGLISH: Words = Words {
    language: "en",
    front: "Activation of organisations",
    unknown: "We don't know this link",
    ready: "One click to go",
    activated: "Activated",
    used: "Already completed",
    replaced: "There is a newer link",
    sent_again: "We have sent a new e-mail with a link",
    expired: "This link has expired",
};

fn everybody_rounds_off(words: &Words) {
    let installation = Installation::embedded().with("CONTACT__SUPPORT_EMAIL", "support@example.nl");
    let server = installation.serve();
    for (number, visitor) in (1..).zip(visitors(words.language)) {
        let view = approved(&server, number, words.language);
        let browser = Browser::of(visitor);
        browser.open(&format!("http://{}/", server.public));
        reads(&browser, "front", words.front);
        browser.open(&format!("http://{}/round-off/not-a-link", server.public));
        reads(&browser, "link-unknown", words.unknown);
        let link = round_off_link(&installation, text(&view, "reference"));
        browser.open(&format!("http://{}{link}", server.public));
        assert!(browser.text("main").contains(NAME));
        reads(&browser, "link-ready", words.ready);
        browser.click("main button");
        reads(&browser, "link-activated", words.activated);
        wait_for_state(&server, text(&view, "id"), "activated");
        browser.open(&format!("http://{}{link}", server.public));
        reads(&browser, "link-used", words.used);
    }
}

#[test]
fn everybody_can_round_off_in_dutch_by_night_on_a_phone_and_without_javascript() {
    everybody_rounds_off(&DUTCH);
}

#[test]
fn everybody_can_round_off_in_english_by_night_on_a_phone_and_without_javascript() {
    everybody_rounds_off(&ENGLISH);
}

#[test]
fn everybody_can_read_what_became_of_an_old_link_and_ask_for_a_fresh_one() {
    let installation = Installation::embedded().with("CONTACT__SUPPORT_URL", "https://example.nl/support");
    let server = installation.serve();
    for (number, words) in [(1, &DUTCH), (2, &ENGLISH)] {
        let view = approved(&server, number, words.language);
        let link = round_off_link(&installation, text(&view, "reference"));
        let resend = format!("/v1/activations/{}/resend", text(&view, "id"));
        assert_eq!(server.api("POST", &resend, &Value::Null).status, 200);
        let browser = Browser::of(Visitor::speaking(words.language).on_a_phone());
        browser.open(&format!("http://{}{link}", server.public));
        reads(&browser, "link-replaced", words.replaced);
        browser.click("main button");
        browser.sees("[role=status]", words.sent_again);
        reads(&browser, "link-sent-again", words.replaced);
        let late = approved(&server, 10 + number, words.language);
        let link = round_off_link(&installation, text(&late, "reference"));
        installation.sql("UPDATE links SET expires_at = 0");
        browser.open(&format!("http://{}{link}", server.public));
        reads(&browser, "link-expired", words.expired);
    }
}

/// An organisation whose creator speaks a language, with an activation by a method.
fn started(server: &Server, number: u32, language: &str, method: &str) -> Value {
    let mut body = organisation(number);
    body["creator"]["language"] = language.into();
    let made = server.api("POST", "/v1/organisations", &body).json();
    let path = format!("/v1/organisations/{}/activations", text(&made, "id"));
    server.api("POST", &path, &json!({ "method": method })).json()
}

#[test]
fn everybody_can_read_an_invoice_and_what_became_of_it() {
    let installation = Installation::embedded().with("CONTACT__SUPPORT_EMAIL", "support@example.nl");
    let server = installation.serve();
    let words = [
        (
            "nl",
            "Betaal om te activeren",
            "Uw betaling is binnen",
            "Deze factuur is vervallen",
            "Creditnota",
        ),
        (
            "en",
            "Pay to activate",
            "Your payment has come in",
            "This invoice is void",
            "Credit note",
        ),
    ];
    let mut number = 100;
    for (language, open, paid, void, note) in words {
        for visitor in visitors(language) {
            number += 1;
            let view = started(&server, number, language, "invoice");
            let at = |now: &Value, key: &str| {
                let url = text(&now["invoice"], key);
                format!("http://{}{}", server.public, &url[url.find("/invoice/").unwrap()..])
            };
            let browser = Browser::of(visitor);
            browser.open(&at(&view, "url"));
            assert!(browser.text("main").contains("18"), "the amount");
            assert!(browser.text("dl").contains("NL91 ABNA 0417 1643 00"));
            reads(&browser, "invoice-open", open);
            // One is paid, the other withdrawn.
            if number % 2 == 0 {
                let told = transfer(&format!("t{number}"), 1815, text(&view, "reference"), NAME);
                post_bank(&server, &format!("m{number}"), &told).unwrap();
                wait_for_state(&server, text(&view, "id"), "activated");
                browser.open(&at(&view, "url"));
                reads(&browser, "invoice-paid", paid);
            } else {
                let cancel = format!("/v1/activations/{}/cancel", text(&view, "id"));
                let over = server.api("POST", &cancel, &json!({})).json();
                browser.open(&at(&view, "url"));
                reads(&browser, "invoice-void", void);
                browser.open(&at(&over, "credit_note_url"));
                reads(&browser, "credit-note", note);
            }
        }
    }
}

#[test]
fn everybody_can_answer_a_question() {
    let installation = Installation::embedded().with("CONTACT__SUPPORT_EMAIL", "support@example.nl");
    let server = installation.serve();
    let words = [
        ("nl", "Wij hebben een vraag", "Dank u wel", "Al beantwoord"),
        ("en", "We have a question", "Thank you", "Already answered"),
    ];
    let mut number = 200;
    for (language, asks, thanks, before) in words {
        for visitor in visitors(language) {
            number += 1;
            let view = started(&server, number, language, "ideal");
            let (event, payment) = (format!("event_{number}"), format!("tr_{number}"));
            let paid = mollie_paid(&event, &payment, text(&view, "reference"), "P. de Boer");
            assert_eq!(post_mollie(&server, &paid).unwrap().status, 200);
            let now = wait_for_state(&server, text(&view, "id"), "under_review");
            let ask = format!("/v1/activations/{}/request-information", text(&view, "id"));
            let act = json!({ "version": now["version"], "actor": "M. de Vries", "reason": "Wie is P. de Boer?" });
            assert_eq!(server.api("POST", &ask, &act).status, 200);
            let link = wait_for("the e-mail that asks", || {
                let all = mail::read(&installation.mail());
                let mine = all
                    .iter()
                    .filter(|one| one.header("x-activation") == text(&view, "reference"));
                let link = mine
                    .filter_map(|one| one.link().filter(|link| link.contains("/information/")))
                    .next();
                link.map(str::to_owned)
            });
            let at = format!(
                "http://{}{}",
                server.public,
                &link[link.find("/information/").unwrap()..]
            );
            let browser = Browser::of(visitor);
            browser.open(&at);
            assert!(browser.text("main").contains("Wie is P. de Boer?"));
            reads(&browser, "question-open", asks);
            browser.fill("#answer", "Mijn vader.");
            browser.click("main button");
            reads(&browser, "question-answered", thanks);
            wait_for_state(&server, text(&view, "id"), "under_review");
            browser.open(&at);
            reads(&browser, "question-answered-before", before);
        }
    }
}
