//! The pages that applicants meet, in a real browser.

use serde_json::{Value, json};

use crate::browser::{Browser, Visitor};
use crate::main_job::round_off_link;
use crate::payments::{NAME, mollie_paid, organisation, post_mollie, text, wait_for_state};
use crate::server::{Installation, Server};

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
