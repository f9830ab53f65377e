//! The message, byte for byte, and names that want to be headers.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use eencent_activations::state::EmailKind;
use proptest::prelude::*;

use super::*;
use crate::testing::{letter, sealed, stationery};

fn text_of(sealed: &Sealed) -> String {
    String::from_utf8(sealed.bytes.clone()).unwrap()
}

fn head(message: &str) -> &str {
    message.split_once("\r\n\r\n").unwrap().0
}

fn simple() -> Rendered {
    let text = "Hallo, Bakkerij De Korenaar.\n".to_owned();
    Rendered {
        subject: "Onderwerp".to_owned(),
        html: format!("<p>{text}</p>"),
        text,
    }
}

#[test]
fn each_attempt_makes_the_same_bytes() {
    let first = sealed();
    assert_eq!(first.bytes, sealed().bytes);
    assert_eq!(
        first.file_name,
        "20260310T090000Z-act_01JD5W9A4H8S6P0D2E7XGK5NQM-round_off-1.eml"
    );
    insta::assert_snapshot!("round_off.nl.head", head(&text_of(&first)).replace("\r\n", "\n"));
}

#[test]
fn only_the_creator_is_written_to() {
    let sealed = sealed();
    let to: Vec<String> = sealed.envelope.to().iter().map(ToString::to_string).collect();
    assert_eq!(to, ["ans@korenaar.example"]);
}

#[test]
fn the_link_takes_its_place_escaped_where_it_must_be() {
    let mut letter = letter(EmailKind::RoundOff, "nl");
    let mut rendered = simple();
    rendered.text = "Link:\n@@LINK@@\n".to_owned();
    rendered.html = "<a href=\"@@LINK@@\">x</a>".to_owned();
    let message = text_of(&stationery().seal(&letter, &rendered).unwrap());
    assert!(
        message.contains("\r\nhttps://eencent.example/r/abc?x=1&y=2\r\n"),
        "{message}"
    );
    assert!(message.contains("r/abc?x=1&amp;y=2"), "{message}");
    letter.link = None;
    assert!(matches!(stationery().seal(&letter, &rendered), Err(Unsealed::Link)));
}

#[test]
fn fault_57_a_domain_outside_ascii_is_written_as_servers_know_it() {
    let mut letter = letter(EmailKind::Cancelled, "nl");
    letter.to = eencent_activations::personal::EmailAddress::parse("info@café.example").unwrap();
    let sealed = stationery().seal(&letter, &simple()).unwrap();
    assert_eq!(
        sealed.envelope.to().first().unwrap().to_string(),
        "info@xn--caf-dma.example"
    );
}

#[test]
fn fault_56_what_looks_encoded_is_not_decoded_by_anybody() {
    let mut letter = letter(EmailKind::Cancelled, "nl");
    letter.to_name = Some("=?utf-8?B?RXZpbA==?=".to_owned());
    let mut rendered = simple();
    rendered.subject = "=?utf-8?Q?=0D=0ABcc:_x@y.nl?= Jansen, Piet".to_owned();
    let message = text_of(&stationery().seal(&letter, &rendered).unwrap());
    assert!(
        !head(&message).contains("=?utf-8?B?RXZ") && !head(&message).contains("=?utf-8?Q?"),
        "{message}"
    );
}

#[test]
fn answers_go_to_support_and_what_cannot_be_delivered_where_it_is_set() {
    let reply_to = |stationery: &Stationery, letter: &Letter| {
        let sealed = stationery.seal(letter, &simple()).unwrap();
        let message = text_of(&sealed);
        let line = head(&message).lines().find(|line| line.starts_with("Reply-To:"));
        line.and_then(|line| line.strip_prefix("Reply-To: ")).map(str::to_owned)
    };
    let mut letter = letter(EmailKind::Cancelled, "nl");
    let mut stationery = stationery();
    assert_eq!(
        reply_to(&stationery, &letter).as_deref(),
        Some("support@eencent.example")
    );
    stationery.reply_to = Some("Helpdesk <help@eencent.example>".parse().unwrap());
    assert_eq!(
        reply_to(&stationery, &letter).as_deref(),
        Some("Helpdesk <help@eencent.example>")
    );
    stationery.reply_to = None;
    letter.data = serde_json::json!({ "support": { "email": "", "url": "" } });
    assert_eq!(reply_to(&stationery, &letter), None);

    let from = |stationery: &Stationery| {
        let sealed = stationery.seal(&letter, &simple()).unwrap();
        assert!(text_of(&sealed).contains("From: Eencent <noreply@eencent.example>"));
        sealed.envelope.from().unwrap().to_string()
    };
    assert_eq!(from(&stationery), "noreply@eencent.example");
    stationery.bounce_to = Some("bounces@eencent.example".parse().unwrap());
    assert_eq!(from(&stationery), "bounces@eencent.example");
}

proptest! {
    #[test]
    fn fault_56_no_name_and_no_subject_adds_a_header_or_a_recipient(
        name in "(\r\n|\n|\r|\0|,|;|<|>|\"|=\\?utf-8\\?B\\?QQ==\\?=|Bcc: x@y\\.nl|[a-zé\u{2028} ]){0,12}",
        subject in "(\r\n|\n|\0|Bcc: x@y\\.nl|To: x@y\\.nl|[a-zé ,]){0,12}",
        reference in "(\r\n|[A-Z0-9-]){0,12}",
    ) {
        let mut letter = letter(EmailKind::Cancelled, "nl");
        letter.to_name = Some(name);
        letter.reference = Some(reference);
        let mut rendered = simple();
        rendered.subject = subject;
        let sealed = stationery().seal(&letter, &rendered).unwrap();
        let message = text_of(&sealed);
        let names: Vec<&str> = head(&message)
            .split("\r\n")
            .filter(|line| !line.starts_with([' ', '\t']))
            .filter_map(|line| line.split_once(':').map(|(name, _)| name))
            .collect();
        prop_assert_eq!(names, [
            "From", "To", "Subject", "Date", "Message-ID", "X-Activation", "Auto-Submitted",
            "X-Auto-Response-Suppress", "Content-Language", "Reply-To", "MIME-Version", "Content-Type",
        ]);
        prop_assert!(!head(&message).replace("\r\n", "").contains(['\r', '\n', '\0']));
        prop_assert_eq!(sealed.envelope.to().len(), 1);
        prop_assert_eq!(sealed.envelope.to().first().unwrap().to_string(), "ans@korenaar.example");
    }
}
