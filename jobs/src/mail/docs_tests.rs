//! What stands in the project beside the code: the layout as MJML makes it, and the e-mails as the docs show them.
#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use eencent_activations::links::LINK_PLACEHOLDER;
use eencent_activations::state::{EmailKind, MOVES, State};
use mrml::prelude::render::RenderOptions;

use crate::testing::{data_for, renderer};

/// Writes what is made, where `UPDATE_EMAILS` says so; holds the two equal.
fn is_as_made(path: &str, made: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    if std::env::var_os("UPDATE_EMAILS").is_some() {
        std::fs::write(&path, made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|there| there == made),
        "{} is not as it is made; run UPDATE_EMAILS=1 cargo nextest run -p eencent-jobs as_made",
        path.display()
    );
}

#[test]
fn the_layout_is_as_made_of_its_mjml() {
    let parsed = mrml::parse(include_str!("../../../config/emails/layout.mjml")).unwrap();
    assert!(parsed.warnings.is_empty(), "{:?}", parsed.warnings);
    let options = RenderOptions {
        disable_comments: true,
        // It would fetch them from Google, and tell it who reads what.
        fonts: std::collections::HashMap::new(),
        ..RenderOptions::default()
    };
    is_as_made("config/emails/layout.html", &parsed.element.render(&options).unwrap());
}

const ABOUT: &str = "\
# E-mails

Made of the templates in `config/emails` by a test, which fails when this page differs. To make it again:
`UPDATE_EMAILS=1 cargo nextest run -p eencent-jobs as_made`. `eencent mail preview` shows the same on your machine,
in text, in HTML and as whole messages, with templates of your own where there are any.

## Templates of your own

Put them in a folder and name it in `mail.templates`. A file takes the place of the template of its name (`nl/round_off.txt`,
`en/_signature.txt`, `layout.html`); the others stay. They are read once, when a worker starts, and rendered with sample
data of every case first: one that is wrong keeps it from starting, and `eencent check` tells the file, the line and
the reason. A file that is no template is told, and not used. E-mails that were begun keep their words.

A template is plain text; the HTML is made of it.

```text
Subject: …                        the first line
Preheader: …                      what mailboxes show beside the subject; may be left out

Dear {{ greeted or 'Sir or Madam' }},

A paragraph, of one line          an empty line ends it
or several, with **bold** and     bold
<{{ support.email }}>             an address that can be clicked

- an item of a list               > what somebody asked or answered, set apart
| Label | {{ value }}             a row of a table
[Label]({{ address }})            a button; left out when the address is empty
---                               what follows is small print
```

Between `{{` and `}}` stands what is filled in, with the notation of [minijinja](https://docs.rs/minijinja) (Jinja2):
`{% if method == \"invoice\" %}`, `{% for reason in reasons %}`. What isn't there is an error and never a gap. What is
filled in is only ever text: no name can make a paragraph, a button, bold letters or HTML. `{{ amount|money(currency,
language) }}` writes an amount. Below each e-mail stands `_signature.txt`; around the HTML `layout.html`, made of
`layout.mjml` with [MJML](https://mjml.io): copy that, change it, compile it, and put the `layout.html` in your folder.

Every e-mail to a creator has: `organisation`, `creator` (as it was typed) and `greeted` (the same, empty where it doesn't look like a
name), `reference`, `method`, `amount`, `currency`, `expires_at`, `expires_local`, `link_expires_local`, `question`,
`support.email`, `support.url`, `sender`, `language`. What else each has is told below; `reminder_to_pay` has `received` and
`missing` besides where a part was paid (`{% if missing is defined %}`).

## How they leave

`From` is `mail.from`, `Reply-To` is `mail.reply_to` or support's address, and what can't be delivered is reported to
`mail.bounce_to`. `Auto-Submitted` and `X-Auto-Response-Suppress` keep answering machines silent. Each attempt hands over the
same bytes with the same `Message-ID`, signed (DKIM) where `mail.dkim_keys` is set. How each stands is in
`GET /v1/activations/{id}` under `emails`, in `eencent explain`, and in `eencent mail list`: one that a server refused for
good, or that could not be delivered in three days, is `failed`, with the reason in words; `eencent mail resend` sends it
again, to the creator's address as it is by then.
";

/// When an e-mail is sent, by the table of moves.
fn sent_when(kind: EmailKind) -> String {
    let moves = MOVES.iter().filter(|row| row.email == Some(kind));
    let told = moves.map(|row| format!("`{}`: {}", row.from.map_or("–", State::as_str), row.happening));
    told.collect::<Vec<_>>().join("; ")
}

fn page() -> String {
    let renderer = renderer();
    let mut page = ABOUT.to_owned();
    for kind in EmailKind::ALL {
        let _ = write!(
            page,
            "\n## {kind}\n\nSent {}.",
            match kind.is_to_the_house() {
                true =>
                    "to `support.digest_to` when `support.digest` says, if anything waits; it has no signature below it"
                        .to_owned(),
                false => format!("at {}", sent_when(*kind)),
            }
        );
        let (common, own) = (data_for(EmailKind::PartlyPaid, "en"), data_for(*kind, "en"));
        let always = |key: &str| common.get(key).is_some() && !["received", "missing"].contains(&key);
        let more: Vec<String> = own
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| !always(key))
            .map(|key| format!("`{key}`"))
            .collect();
        if !more.is_empty() {
            let has = if kind.is_to_the_house() {
                "It has"
            } else {
                "It also has"
            };
            let _ = write!(page, " {has} {}.", more.join(", "));
        }
        page.push('\n');
        for language in ["nl", "en"] {
            let rendered = renderer.render(*kind, language, &data_for(*kind, language)).unwrap();
            let text = rendered
                .text
                .replace(LINK_PLACEHOLDER, "https://activate.example.nl/round-off/…");
            let _ = write!(page, "\n```text\n{}\n\n{text}```\n", rendered.subject);
        }
    }
    page
}

#[test]
fn the_docs_show_e_mails_as_made_of_the_templates() {
    is_as_made("docs/emails.md", &page());
}

#[test]
fn every_move_that_tells_the_creator_has_an_e_mail_and_every_e_mail_a_move() {
    for kind in EmailKind::ALL {
        assert_ne!(
            sent_when(*kind).is_empty(),
            !kind.is_to_the_house(),
            "when {kind} is sent"
        );
    }
}
