//! E-mails as they would look, with sample data.

use eencent_activations::clock::Timestamp;
use eencent_activations::desk::Letter;
use eencent_activations::links::LINK_PLACEHOLDER;
use eencent_activations::personal::EmailAddress;
use eencent_activations::state::EmailKind;
use serde_json::Value;

use super::samples::samples;
use super::templates::LANGUAGES;
use super::{CheckedMail, Renderer};

/// The link of previews; it leads nowhere.
const LINK: &str = "https://activate.example.nl/round-off/this-is-a-preview";

/// An e-mail with sample data.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Which.
    pub kind: EmailKind,
    /// `nl` or `en`.
    pub language: &'static str,
    /// The file that its template was read from; none: it is compiled in.
    pub file: Option<std::path::PathBuf>,
    /// Subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// The whole message, signed where keys are set.
    pub message: Vec<u8>,
}

/// Every e-mail in every language, with these settings.
pub(crate) fn previews(mail: &CheckedMail) -> Result<Vec<Preview>, Vec<String>> {
    let mailer = mail.open()?;
    let mut all = Vec::new();
    for kind in EmailKind::ALL {
        for language in LANGUAGES {
            let (letter, rendered) = sample(&mailer.renderer, *kind, language).ok_or_else(broken)?;
            let sealed = mailer.stationery.seal(&letter, &rendered);
            all.push(Preview {
                kind: *kind,
                language,
                file: mailer.renderer.templates().file_of(*kind, language).map(Into::into),
                message: sealed.map_err(|error| vec![error.to_string()])?.bytes,
                subject: rendered.subject,
                text: rendered.text.replace(LINK_PLACEHOLDER, LINK),
                html: rendered.html.replace(LINK_PLACEHOLDER, LINK),
            });
        }
    }
    Ok(all)
}

fn broken() -> Vec<String> {
    vec!["a template can't be rendered with its sample".to_owned()]
}

fn sample(
    renderer: &Renderer,
    kind: EmailKind,
    language: &str,
) -> Option<(Letter, eencent_activations::desk::Rendered)> {
    let (_, data) = samples(kind, language).into_iter().next()?;
    let rendered = renderer.render(kind, language, &data).ok()?;
    Some((letter(kind, language, data)?, rendered))
}

fn letter(kind: EmailKind, language: &str, data: Value) -> Option<Letter> {
    let (of, to) = if kind.is_to_the_house() {
        ("house", "support@eencent.example")
    } else {
        ("act_01JD5W9A4H8S6P0D2E7XGK5NQM", "ans@korenaar.example")
    };
    let key = format!("{of}/{kind}/1");
    Some(Letter {
        message_id: format!("<{}@eencent.invalid>", key.replace('/', ".")),
        key,
        created_at: Timestamp::parse_rfc3339("2026-01-09T17:30:00Z")?,
        to: EmailAddress::parse(to).ok()?,
        to_name: (!kind.is_to_the_house()).then(|| "Ans Jansen".to_owned()),
        language: language.to_owned(),
        kind,
        reference: (!kind.is_to_the_house()).then(|| "EC-7K3M-9PX2".to_owned()),
        data,
        rendered: None,
        link: Some(LINK.to_owned()),
        give_up_at: Timestamp::parse_rfc3339("2026-01-12T17:30:00Z")?,
    })
}
