//! Templates become a subject, a plain text and an HTML page.
//!
//! One source gives both parts. It is cut into paragraphs *before* anything is filled in, so a name
//! that holds line breaks, `[a](b)` or `{{` can't make a paragraph, a button or a placeholder of its
//! own; it is only ever text, escaped in HTML. A paragraph that turns out empty is left out, which
//! is how conditions are written. A placeholder that isn't there is an error, never a gap.
//!
//! ```text
//! Subject: …                     the first line
//!
//! A paragraph, of one line       <p>…</p>
//! or several.
//!
//! [Label]({{ address }})         a button; in the text "Label:" and the address on its own line
//! ```

use std::collections::HashMap;

use eencent_activations::desk::Rendered;
use eencent_activations::links::LINK_PLACEHOLDER;
use eencent_activations::state::EmailKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use serde_json::{Value, json};

use super::letter::one_line;

macro_rules! template {
    ($language:literal, $name:literal) => {
        include_str!(concat!("../../../config/emails/", $language, "/", $name, ".txt"))
    };
}

macro_rules! templates {
    ($language:literal) => {
        Templates {
            language: $language,
            signature: template!($language, "_signature"),
            kinds: &[
                (EmailKind::Invoice, template!($language, "invoice")),
                (EmailKind::PartlyPaid, template!($language, "partly_paid")),
                (EmailKind::TakesLonger, template!($language, "takes_longer")),
                (
                    EmailKind::InformationRequested,
                    template!($language, "information_requested"),
                ),
                (EmailKind::Rejected, template!($language, "rejected")),
                (EmailKind::Scheduled, template!($language, "scheduled")),
                (EmailKind::RoundOff, template!($language, "round_off")),
                (EmailKind::Activated, template!($language, "activated")),
                (EmailKind::ReminderToPay, template!($language, "reminder_to_pay")),
                (
                    EmailKind::ReminderToRoundOff,
                    template!($language, "reminder_to_round_off"),
                ),
                (EmailKind::ReminderToAnswer, template!($language, "reminder_to_answer")),
                (EmailKind::Expired, template!($language, "expired")),
                (EmailKind::Cancelled, template!($language, "cancelled")),
            ],
        }
    };
}

struct Templates {
    language: &'static str,
    signature: &'static str,
    kinds: &'static [(EmailKind, &'static str)],
}

const LANGUAGES: [Templates; 2] = [templates!("nl"), templates!("en")];
const LAYOUT: &str = include_str!("../../../config/emails/layout.html");

/// An e-mail can't be rendered: its template is wrong, or its data isn't what the template needs.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unrendered {
    #[error("there is no template for {0}")]
    NoTemplate(EmailKind),
    #[error("the template's first line must be \"Subject: …\"")]
    NoSubject,
    #[error("the template of {0} and its data don't fit")]
    Template(EmailKind, #[source] Error),
}

enum Block<'a> {
    Paragraph(&'a str),
    Button { label: &'a str, address: &'a str },
}

/// Renders e-mails.
pub(crate) struct Renderer {
    plain: Environment<'static>,
    html: Environment<'static>,
    sources: HashMap<(&'static str, EmailKind), (&'static str, &'static str)>,
}

impl Renderer {
    /// With the templates that are compiled in.
    pub(crate) fn new() -> Self {
        let sources = LANGUAGES
            .iter()
            .flat_map(|of| {
                of.kinds
                    .iter()
                    .map(|(kind, source)| ((of.language, *kind), (*source, of.signature)))
            })
            .collect();
        Self {
            plain: environment(AutoEscape::None),
            html: environment(AutoEscape::Html),
            sources,
        }
    }

    /// Renders one e-mail; any language but Dutch gets English.
    pub(crate) fn render(&self, kind: EmailKind, language: &str, data: &Value) -> Result<Rendered, Unrendered> {
        let language = if language == "nl" { "nl" } else { "en" };
        let (source, signature) = self
            .sources
            .get(&(language, kind))
            .ok_or(Unrendered::NoTemplate(kind))?;
        let (subject, body) = source
            .strip_prefix("Subject: ")
            .and_then(|rest| rest.split_once('\n'))
            .ok_or(Unrendered::NoSubject)?;
        let data = shown(data, language);
        let wrong = |error| Unrendered::Template(kind, error);
        let fill = |environment: &Environment<'static>, source: &str| {
            environment
                .render_str(source, &data)
                .map(|text| text.trim().to_owned())
                .map_err(wrong)
        };
        let subject = one_line(&fill(&self.plain, subject)?);
        let (mut text, mut html) = (String::new(), String::new());
        for block in blocks(body).chain(blocks(signature)) {
            match block {
                Block::Paragraph(source) => {
                    let paragraph = fill(&self.plain, source)?;
                    if paragraph.is_empty() {
                        continue;
                    }
                    text.push_str(&format!("{paragraph}\n\n"));
                    let paragraph = fill(&self.html, source)?.replace('\n', "<br>\n");
                    html.push_str(&format!("<p>{paragraph}</p>\n"));
                }
                Block::Button { label, address } => {
                    let (label, address) = (fill(&self.plain, label)?, fill(&self.plain, address)?);
                    if !is_address(&address) {
                        continue;
                    }
                    text.push_str(&format!("{label}:\n{address}\n\n"));
                    let (label, address) = (html_escaped(&label), html_escaped(&address));
                    html.push_str(&format!(
                        "<p><a class=\"button\" href=\"{address}\">{label}</a></p>\n\
                         <p class=\"address\">{address}</p>\n"
                    ));
                }
            }
        }
        let page = json!({ "subject": subject, "language": language, "body": html });
        let html = self.html.render_str(LAYOUT, page).map_err(wrong)?;
        Ok(Rendered {
            subject,
            text: format!("{}\n", text.trim_end()),
            html,
        })
    }
}

fn environment(escape: AutoEscape) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape);
    environment.set_trim_blocks(true);
    environment.add_filter("money", money);
    environment
}

/// `€ 18,15`, or `€ 18.15` in English.
fn money(value: &str, currency: &str, language: &str) -> Result<String, Error> {
    let plain = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    if !plain {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "an amount is written like 18.15",
        ));
    }
    let value = if language == "nl" {
        value.replace('.', ",")
    } else {
        value.to_owned()
    };
    let currency = if currency == "EUR" { "€" } else { currency };
    Ok(format!("{currency}\u{a0}{value}"))
}

/// The data as templates get it. Texts lose what could disturb the lines of a plain text, and the
/// creator is greeted by name only when it looks like one: it was typed by whoever registered, and
/// must not carry a stranger's address into a mail that we send.
fn shown(data: &Value, language: &str) -> Value {
    let mut data = cleaned(data);
    if let Value::Object(fields) = &mut data {
        let creator = fields.get("creator").and_then(Value::as_str).unwrap_or_default();
        let creator = one_line(creator);
        let is_name = creator.chars().count() <= 80
            && !creator.contains(['/', '@', ':', '<', '>', '[', ']', '{', '}'])
            && !creator.to_lowercase().contains("www.");
        fields.insert(
            "greeted".to_owned(),
            json!(if is_name { creator } else { String::new() }),
        );
        fields.insert("language".to_owned(), json!(language));
    }
    data
}

/// Only the field `link` may hold the place of the secret link, not an organisation that
/// calls itself so.
fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let kept = text.replace("\r\n", "\n").replace('\r', "\n").replace("@@", "@ @");
            json!(
                kept.chars()
                    .filter(|c| *c == '\n' || !c.is_control())
                    .collect::<String>()
            )
        }
        Value::Array(values) => values.iter().map(cleaned).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| {
                let is_link = name == "link" && value.as_str() == Some(LINK_PLACEHOLDER);
                (name.clone(), if is_link { value.clone() } else { cleaned(value) })
            })
            .collect(),
        other => other.clone(),
    }
}

fn blocks(body: &str) -> impl Iterator<Item = Block<'_>> {
    body.split("\n\n")
        .map(str::trim)
        .filter(|block| !block.is_empty())
        .map(|block| {
            let button = block
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(')'))
                .and_then(|rest| rest.split_once("]("))
                .filter(|_| !block.contains('\n'));
            match button {
                Some((label, address)) => Block::Button { label, address },
                None => Block::Paragraph(block),
            }
        })
}

/// What a button may lead to; never a script.
fn is_address(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    (web || text == LINK_PLACEHOLDER) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Text as it stands in HTML, also within quotes.
pub(crate) fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
