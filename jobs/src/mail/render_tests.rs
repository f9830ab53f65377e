//! Every e-mail in both languages, and what strangers' names must not do to them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

use proptest::prelude::*;

use super::*;
use crate::testing::data_for;

#[test]
fn fault_59_every_kind_renders_in_both_languages_as_it_was_read_over() {
    let renderer = Renderer::new();
    for language in ["nl", "en"] {
        for kind in EmailKind::ALL {
            let rendered = renderer.render(*kind, language, &data_for(*kind, language)).unwrap();
            let name = format!("{kind}.{language}");
            insta::assert_snapshot!(
                format!("{name}.txt"),
                format!("Subject: {}\n\n{}", rendered.subject, rendered.text)
            );
            insta::assert_snapshot!(format!("{name}.html"), rendered.html);
            assert!(
                rendered.text.contains("Bakkerij De Korenaar B.V."),
                "{name} names the organisation"
            );
            assert!(rendered.text.contains("EC-7K3M-9PX2"), "{name} has the reference");
        }
    }
}

#[test]
fn fault_59_the_other_paragraphs_of_conditions() {
    let renderer = Renderer::new();
    for language in ["nl", "en"] {
        for (kind, key, value) in [
            (EmailKind::Expired, "was", "awaiting_confirmation"),
            (EmailKind::Expired, "was", "information_requested"),
            (EmailKind::Cancelled, "method", "invoice"),
            (EmailKind::ReminderToPay, "method", "invoice"),
        ] {
            let mut data = data_for(kind, language);
            data[key] = json!(value);
            if value == "invoice" {
                data["link"] = json!(LINK_PLACEHOLDER);
            }
            let rendered = renderer.render(kind, language, &data).unwrap();
            insta::assert_snapshot!(format!("{kind}.{value}.{language}.txt"), rendered.text);
        }
    }
}

#[test]
fn fault_59_a_placeholder_that_is_missing_is_an_error_and_no_gap() {
    let renderer = Renderer::new();
    for kind in EmailKind::ALL {
        let whole = data_for(*kind, "nl");
        let needed: &[&str] = match kind {
            EmailKind::Invoice => &["iban", "due_local", "beneficiary", "amount"],
            EmailKind::PartlyPaid => &["received", "missing"],
            EmailKind::TakesLonger => &["reasons"],
            EmailKind::InformationRequested => &["question", "link"],
            EmailKind::Rejected => &["reason"],
            EmailKind::Scheduled => &["takes_effect_local"],
            EmailKind::RoundOff | EmailKind::ReminderToRoundOff => &["link", "link_expires_local"],
            EmailKind::Activated => &["peppol_url"],
            EmailKind::ReminderToPay => &["expires_local", "method"],
            EmailKind::ReminderToAnswer => &["question", "link", "expires_local"],
            EmailKind::Expired => &["was"],
            EmailKind::Cancelled => &["method"],
        };
        for key in needed.iter().chain(&["organisation", "reference", "support"]) {
            let mut data = whole.clone();
            data.as_object_mut().unwrap().remove(*key);
            assert!(renderer.render(*kind, "nl", &data).is_err(), "{kind} without {key}");
        }
    }
}

#[test]
fn another_language_gets_english() {
    let data = data_for(EmailKind::Cancelled, "en");
    let renderer = Renderer::new();
    let english = renderer.render(EmailKind::Cancelled, "en", &data).unwrap();
    let frisian = renderer.render(EmailKind::Cancelled, "fy", &data).unwrap();
    assert_eq!((frisian.subject, frisian.text), (english.subject, english.text));
}

#[test]
fn the_link_is_the_first_address_whatever_people_are_called() {
    let renderer = Renderer::new();
    for kind in [EmailKind::RoundOff, EmailKind::ReminderToRoundOff] {
        for language in ["nl", "en"] {
            let mut data = data_for(kind, language);
            data["organisation"] = json!("https://evil.example/ B.V. @@LINK@@");
            data["creator"] = json!("https://evil.example/");
            data["support"]["url"] = json!("https://help.example/");
            let text = renderer.render(kind, language, &data).unwrap().text;
            let link = text.find(LINK_PLACEHOLDER).unwrap();
            assert!(text.find("://").unwrap() > link, "{text}");
            assert_eq!(text.matches(LINK_PLACEHOLDER).count(), 1, "{text}");
        }
    }
}

#[test]
fn a_creator_called_like_an_address_is_not_greeted_by_it() {
    let renderer = Renderer::new();
    let mut data = data_for(EmailKind::Scheduled, "nl");
    for called in ["https://evil.example", "Win! www.evil.nl", "a@b.nl", "[klik](x)"] {
        data["creator"] = json!(called);
        let text = renderer.render(EmailKind::Scheduled, "nl", &data).unwrap().text;
        assert!(!text.contains(called), "{text}");
    }
}

#[test]
fn fault_58_html_in_a_name_is_text_and_the_plain_part_exact() {
    let renderer = Renderer::new();
    let mut data = data_for(EmailKind::TakesLonger, "nl");
    let name = "<script>alert('x')</script> & \"Zonen\" <a href=https://evil.example>";
    data["organisation"] = json!(name);
    data["reasons"] = json!([{ "code": "x", "text": "<img src=x onerror=alert(1)>" }]);
    let rendered = renderer.render(EmailKind::TakesLonger, "nl", &data).unwrap();
    assert!(rendered.text.contains(name));
    for evil in ["<script>", "<img", "<a href=https"] {
        assert!(!rendered.html.contains(evil), "{}", rendered.html);
    }
}

fn nasty() -> impl Strategy<Value = String> {
    let parts = prop_oneof![
        Just("\r\n"),
        Just("\n\n"),
        Just("\0"),
        Just("<b>"),
        Just("{{ link }}"),
        Just("{% if %}"),
        Just("[x](https://evil.example)"),
        Just("@@LINK@@"),
        Just("=?utf-8?B?eA==?="),
        Just("\u{202e}"),
        Just("\""),
        Just("&amp;"),
        Just("é"),
        Just("a"),
        Just(" "),
        Just("</p>"),
    ];
    proptest::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn fault_58_no_name_makes_a_tag_a_button_or_a_second_link(organisation in nasty(), creator in nasty()) {
        let renderer = Renderer::new();
        let clean = renderer.render(EmailKind::RoundOff, "nl", &data_for(EmailKind::RoundOff, "nl")).unwrap();
        let mut data = data_for(EmailKind::RoundOff, "nl");
        data["organisation"] = json!(organisation);
        data["creator"] = json!(creator);
        let rendered = renderer.render(EmailKind::RoundOff, "nl", &data).unwrap();
        let count = |text: &str, what: &str| text.matches(what).count();
        for tag in ["<p", "</p>", "<a", "<script", "<b>", LINK_PLACEHOLDER] {
            prop_assert_eq!(count(&rendered.html, tag), count(&clean.html, tag), "{}", tag);
        }
        prop_assert_eq!(count(&rendered.text, LINK_PLACEHOLDER), 1);
        prop_assert!(!rendered.subject.contains(['\r', '\n', '\0']));
        prop_assert!(!rendered.text.contains(['\r', '\0']));
    }
}
