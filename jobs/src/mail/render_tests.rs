//! Every e-mail in both languages, and what strangers' names must not do to them.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests stop at what they did not expect"
)]

use proptest::prelude::*;

use super::*;
use crate::testing::{data_for, renderer, stationery};
use eencent_activations::desk::Letter;

#[test]
fn fault_59_every_kind_renders_in_both_languages_as_it_was_read_over() {
    let renderer = renderer();
    for language in ["nl", "en"] {
        for kind in EmailKind::ALL {
            let rendered = renderer.render(*kind, language, &data_for(*kind, language)).unwrap();
            let name = format!("{kind}.{language}");
            insta::assert_snapshot!(
                format!("{name}.txt"),
                format!("Subject: {}\n\n{}", rendered.subject, rendered.text)
            );
            insta::assert_snapshot!(format!("{name}.html"), rendered.html);
            // What mail programs take: no scripts, nothing that is fetched, nothing that they cut off.
            for bad in ["<script", "<img", "<link", "<form", "url(", "@import"] {
                assert!(!rendered.html.contains(bad), "{name} has {bad}");
            }
            if kind.is_to_the_house() {
                continue;
            }
            assert!(
                rendered.text.contains("Bakkerij De Korenaar B.V."),
                "{name} names the organisation"
            );
            let reference = data_for(*kind, language)["reference"].as_str().unwrap().to_owned();
            assert!(rendered.text.contains(&reference), "{name} has the reference");
            assert!(rendered.html.len() < 25_000, "{name} has {} bytes", rendered.html.len());
        }
    }
}

#[test]
fn fault_59_the_other_paragraphs_of_conditions() {
    let renderer = renderer();
    for language in ["nl", "en"] {
        for kind in EmailKind::ALL {
            for (case, data) in samples(*kind, language).into_iter().skip(1) {
                let rendered = renderer.render(*kind, language, &data).unwrap();
                let general = case.contains("support") && *kind != EmailKind::Cancelled;
                if !general {
                    insta::assert_snapshot!(format!("{kind}.{case}.{language}.txt"), rendered.text);
                }
            }
        }
    }
}

#[test]
fn fault_59_a_placeholder_that_is_missing_is_an_error_and_no_gap() {
    let renderer = renderer();
    for kind in EmailKind::ALL {
        let whole = data_for(*kind, "nl");
        let needed: &[&str] = match kind {
            EmailKind::Invoice => &["iban", "due_local", "beneficiary", "amount"],
            EmailKind::PartlyPaid => &["received", "missing"],
            EmailKind::TakesLonger => &["reasons"],
            EmailKind::InformationRequested => &["question"],
            EmailKind::Rejected => &["reason"],
            EmailKind::Scheduled => &["takes_effect_local"],
            EmailKind::RoundOff | EmailKind::ReminderToRoundOff => &["link", "link_expires_local"],
            EmailKind::Activated => &["peppol_url"],
            EmailKind::ReminderToPay => &["expires_local", "method"],
            EmailKind::ReminderToAnswer => &["question", "expires_local"],
            EmailKind::Expired => &["was"],
            EmailKind::Cancelled => &["method"],
            EmailKind::ReviewDigest => &["waiting", "asked", "unallocated", "oldest_local", "reasons", "console"],
        };
        let always: &[&str] = if kind.is_to_the_house() {
            &[]
        } else {
            &["organisation", "reference", "support"]
        };
        for key in needed.iter().chain(always) {
            let mut data = whole.clone();
            data.as_object_mut().unwrap().remove(*key);
            assert!(renderer.render(*kind, "nl", &data).is_err(), "{kind} without {key}");
        }
    }
}

#[test]
fn a_reminder_of_what_was_paid_in_part_asks_for_the_rest_in_its_subject() {
    let renderer = renderer();
    for (language, rest) in [("nl", "er ontbreekt nog € 8,15"), ("en", "€ 8.15 is still missing")] {
        let mut data = data_for(EmailKind::ReminderToPay, language);
        data["received"] = json!("10.00");
        data["missing"] = json!("8.15");
        let subject = renderer
            .render(EmailKind::ReminderToPay, language, &data)
            .unwrap()
            .subject;
        assert!(subject.replace('\u{a0}', " ").contains(rest), "{subject}");
    }
}

#[test]
fn another_language_gets_english() {
    let data = data_for(EmailKind::Cancelled, "en");
    let renderer = renderer();
    let english = renderer.render(EmailKind::Cancelled, "en", &data).unwrap();
    let frisian = renderer.render(EmailKind::Cancelled, "fy", &data).unwrap();
    assert_eq!((frisian.subject, frisian.text), (english.subject, english.text));
}

#[test]
fn the_link_is_the_first_address_whatever_people_are_called() {
    let renderer = renderer();
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
    let renderer = renderer();
    let mut data = data_for(EmailKind::Scheduled, "nl");
    for called in ["https://evil.example", "Win! www.evil.nl", "a@b.nl", "[klik](x)"] {
        data["creator"] = json!(called);
        let text = renderer.render(EmailKind::Scheduled, "nl", &data).unwrap().text;
        assert!(!text.contains(called), "{text}");
    }
}

#[test]
fn fault_58_html_in_a_name_is_text_and_the_plain_part_exact() {
    let renderer = renderer();
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

/// Every tag with its attributes, as it stands; the title and what is said between tags are left out.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, from)) = rest.split_once('<') {
        let (tag, after) = from.split_once('>').unwrap();
        // Its label repeats the subject.
        if !tag.contains("aria-roledescription") {
            tags.push(tag);
        }
        rest = after;
    }
    tags
}

/// The first tags that differ; line breaks aside.
fn different<'a>(one: &'a str, other: &'a str) -> Option<(&'a str, &'a str)> {
    let without_breaks = |html| tags(html).into_iter().filter(|tag| !tag.starts_with("br"));
    let end = std::iter::once("the end");
    let pairs = without_breaks(one)
        .chain(end.clone())
        .zip(without_breaks(other).chain(end));
    pairs.into_iter().find(|(one, other)| one != other)
}

/// What strangers have tried, and what programs trip over.
const NASTY: [&str; 26] = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)>",
    "'-alert(1)-'",
    "</title><script>x</script>",
    "</td></tr></table><h1>x",
    "<!-- x --> <![endif]--> <!--[if mso]>",
    "<style>*{display:none}</style>",
    "javascript:alert(1)",
    "{{ link }} {% raw %} {{ 7*7 }} {# x #}",
    "@@LINK@@",
    "[click](https://evil.example)",
    "<https://evil.example/>",
    "**bold** <a@evil.example>",
    "- one\n- two\n| a | b\n> c\n---\n[x](https://evil.example)",
    "a\r\nBcc: x@evil.example\r\n\r\n<b>",
    "Subject: other\n\nDear you",
    "=?utf-8?q?=0d=0aBcc:_x@evil.example?=",
    "\u{202e}gpj.exe",
    "\u{0}\u{1}\u{7f}\u{85}\u{2028}\u{2029}",
    "\u{E03C}script\u{E03E}",
    "&lt;b&gt; &amp; &#60;",
    "%0d%0aBcc:x@evil.example",
    "'; DROP TABLE emails; --",
    "\u{FEFF}\u{200B}x",
    "\u{1F4A9} \u{0301}\u{0301}\u{0301}",
];

#[test]
fn fault_58_whatever_strangers_fill_in_it_is_text_in_every_e_mail_and_one_line_in_its_head() {
    let renderer = renderer();
    for language in ["nl", "en"] {
        for kind in EmailKind::ALL {
            let clean = data_for(*kind, language);
            let wanted = renderer.render(*kind, language, &clean).unwrap();
            let texts = [
                "organisation",
                "creator",
                "question",
                "reason",
                "beneficiary",
                "reasons",
            ];
            for (field, nasty) in texts
                .iter()
                .flat_map(|field| NASTY.iter().map(move |nasty| (*field, *nasty)))
            {
                let mut data = clean.clone();
                match (field, data.get(field).is_some()) {
                    ("reasons", true) => data["reasons"][0]["text"] = json!(nasty),
                    // The usual question is none, and says nothing.
                    ("question", true) if clean["question"] == "" => continue,
                    (_, true) => data[field] = json!(nasty),
                    (_, false) => continue,
                }
                let rendered = renderer.render(*kind, language, &data).unwrap();
                assert_eq!(
                    different(&rendered.html, &wanted.html),
                    None,
                    "{kind} {field} {nasty:?}"
                );
                assert!(
                    !rendered.subject.contains(|c: char| c.is_control() || c == '\u{2028}'),
                    "{:?}",
                    rendered.subject
                );
                assert!(!rendered.text.contains(['\r', '\0', '\u{E03C}']), "{:?}", rendered.text);
                assert_eq!(
                    rendered.text.matches(LINK_PLACEHOLDER).count(),
                    wanted.text.matches(LINK_PLACEHOLDER).count()
                );
                let letter = crate::testing::letter(*kind, language);
                let mut letter = Letter {
                    to_name: Some(nasty.to_owned()),
                    ..letter
                };
                letter.reference = Some(nasty.to_owned());
                let sealed = stationery().seal(&letter, &rendered).unwrap();
                let message = String::from_utf8(sealed.bytes).unwrap();
                let head = message.split_once("\r\n\r\n").unwrap().0;
                assert!(
                    !head.lines().any(|line| line.to_lowercase().starts_with("bcc")),
                    "{head}"
                );
                assert_eq!(
                    head.lines().filter(|line| line.starts_with("Subject:")).count(),
                    1,
                    "{head}"
                );
                assert_eq!(sealed.envelope.to().len(), 1);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn fault_58_no_name_makes_a_tag_a_button_or_a_second_link(organisation in nasty(), creator in nasty()) {
        let renderer = renderer();
        let clean = renderer.render(EmailKind::RoundOff, "nl", &data_for(EmailKind::RoundOff, "nl")).unwrap();
        let mut data = data_for(EmailKind::RoundOff, "nl");
        data["organisation"] = json!(organisation);
        data["creator"] = json!(creator);
        let rendered = renderer.render(EmailKind::RoundOff, "nl", &data).unwrap();
        let count = |text: &str, what: &str| text.matches(what).count();
        prop_assert_eq!(different(&rendered.html, &clean.html), None);
        prop_assert_eq!(count(&rendered.html, LINK_PLACEHOLDER), count(&clean.html, LINK_PLACEHOLDER));
        prop_assert_eq!(count(&rendered.text, LINK_PLACEHOLDER), 1);
        prop_assert!(!rendered.subject.contains(['\r', '\n', '\0']));
        prop_assert!(!rendered.text.contains(['\r', '\0']));
    }
}
