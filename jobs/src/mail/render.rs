//! Templates become a subject, a plain text and an HTML page.
//!
//! A template is plain text: its first lines say `Subject: …` and, for what mailboxes show beside it, `Preheader: …`;
//! the rest is made of [blocks](super::blocks). It is rendered once and both parts are made of that, so that they say
//! the same. A placeholder that isn't there is an error, never a gap; every template is rendered with
//! [samples](super::samples) of all its cases before anything is sent.

use std::collections::BTreeSet;

use eencent_activations::desk::Rendered;
use eencent_activations::links::LINK_PLACEHOLDER;
use eencent_activations::state::EmailKind;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde_json::{Value, json};

use super::blocks::{self, html_escaped, is_quoted, quoted, unquoted};
use super::letter::one_line;
use super::samples::{must_say, samples};
use super::templates::{LANGUAGES, LAYOUT, Templates, name_of, signature_of};

/// An e-mail can't be rendered: its template is wrong, or its data isn't what the template needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{called}{}: {reason}", .line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub(crate) struct Unrendered {
    /// Which template.
    called: String,
    line: Option<usize>,
    reason: String,
}

/// Renders e-mails.
pub(crate) struct Renderer {
    environment: Environment<'static>,
    templates: Templates,
    /// Who writes, as people read it.
    sender: String,
}

impl Renderer {
    /// With these templates, each of which is rendered with all its samples.
    ///
    /// # Errors
    /// Everything that is wrong, each a sentence with file and line.
    pub(crate) fn new(templates: Templates, sender: &str) -> Result<Self, Vec<String>> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|name| match name {
            LAYOUT => AutoEscape::Html,
            _ => AutoEscape::None,
        });
        environment.set_formatter(written);
        environment.set_trim_blocks(true);
        environment.add_filter("money", money);
        let mut renderer = Self {
            environment,
            templates,
            sender: one_line(sender),
        };
        let mut problems: Vec<String> = Vec::new();
        for (name, source) in &renderer.templates.all {
            let added = renderer.environment.add_template_owned(*name, source.text.clone());
            if let Err(error) = added {
                problems.push(renderer.unrendered(name, &error, None).to_string());
            }
        }
        if problems.is_empty() {
            problems = renderer.problems();
        }
        if problems.is_empty() {
            Ok(renderer)
        } else {
            Err(problems)
        }
    }

    /// The templates that it renders.
    pub(crate) const fn templates(&self) -> &Templates {
        &self.templates
    }

    fn problems(&self) -> Vec<String> {
        let (mut problems, mut told) = (Vec::new(), BTreeSet::new());
        let cases = LANGUAGES.iter().flat_map(|language| {
            let kinds = EmailKind::ALL.iter().map(move |kind| (*kind, *language));
            kinds.flat_map(|(kind, language)| {
                samples(kind, language)
                    .into_iter()
                    .map(move |case| (kind, language, case))
            })
        });
        for (kind, language, (_, data)) in cases {
            let wrong = match self.render(kind, language, &data) {
                Ok(rendered) => self.unsaid(kind, language, &data, &rendered),
                Err(unrendered) => Some(unrendered),
            };
            // The same place is wrong in each case that comes by it.
            if let Some(wrong) = wrong
                && told.insert((wrong.called.clone(), wrong.line))
            {
                problems.push(wrong.to_string());
            }
        }
        problems
    }

    /// What this e-mail has to say and doesn't.
    fn unsaid(&self, kind: EmailKind, language: &str, data: &Value, rendered: &Rendered) -> Option<Unrendered> {
        let said = one_line_of(&rendered.text);
        let lacking = must_say(kind).iter().find(|key| {
            let value = data.get(**key).and_then(Value::as_str).unwrap_or_default();
            !said.contains(&one_line_of(value))
        })?;
        Some(Unrendered {
            called: self.templates.called(&name_of(kind, language)),
            line: None,
            reason: format!("it never says {{{{ {lacking} }}}}, which whoever gets it needs"),
        })
    }

    /// Renders one e-mail; any language but Dutch gets English.
    pub(crate) fn render(&self, kind: EmailKind, language: &str, data: &Value) -> Result<Rendered, Unrendered> {
        let language = if language == "nl" { "nl" } else { "en" };
        let data = self.shown(data, language);
        let (name, signature) = (name_of(kind, language), signature_of(language));
        let rendered = self.fill(&name, &data)?;
        let head = Head::read(&rendered).map_err(|(line, reason)| Unrendered {
            called: self.templates.called(&name),
            line: Some(line),
            reason,
        })?;
        // What stands below the others is about their organisation.
        let below = match kind.is_to_the_house() {
            true => String::new(),
            false => self.fill(&signature, &data)?,
        };
        let mut blocks = blocks::read(head.body);
        blocks.extend(blocks::read(&below));
        let subject = one_line(&unquoted(head.subject));
        let page = json!({
            "language": language,
            "subject": subject,
            "preheader": one_line(&unquoted(head.preheader)),
            "sender": self.sender,
            "blocks": blocks::for_layout(&blocks),
        });
        Ok(Rendered {
            html: self.fill(LAYOUT, &page)?,
            text: blocks::as_text(&blocks),
            subject,
        })
    }

    fn fill(&self, name: &str, data: &Value) -> Result<String, Unrendered> {
        let template = self.environment.get_template(name);
        let rendered = template.and_then(|template| template.render(data));
        rendered.map_err(|error| self.unrendered(name, &error, Some(data)))
    }

    fn unrendered(&self, name: &str, error: &Error, data: Option<&Value>) -> Unrendered {
        let unknown = data
            .filter(|_| error.kind() == ErrorKind::UndefinedError)
            .and_then(|data| self.unknown(name, data));
        let reason = unknown.unwrap_or_else(|| match error.detail() {
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        });
        Unrendered {
            called: self.templates.called(name),
            line: error.line(),
            reason,
        }
    }

    /// Which placeholders of a template its data doesn't have, and which there are.
    fn unknown(&self, name: &str, data: &Value) -> Option<String> {
        let template = self.environment.get_template(name).ok()?;
        let asked: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
        let there = |path: &str| data.pointer(&format!("/{}", path.replace('.', "/"))).is_some();
        let unknown: Vec<String> = asked
            .iter()
            .filter(|path| !there(path))
            .map(|path| format!("{{{{ {path} }}}}"))
            .collect();
        let known: Vec<&str> = data.as_object()?.keys().map(String::as_str).collect();
        (!unknown.is_empty()).then(|| format!("there is no {}; there is: {}", unknown.join(" or "), known.join(", ")))
    }

    /// The data as templates get it. Texts lose what could disturb the lines of a plain text, and the
    /// creator is greeted by name only when it looks like one: it was typed by whoever registered, and
    /// must not carry a stranger's address into a mail that we send.
    fn shown(&self, data: &Value, language: &str) -> Value {
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
            fields.insert("sender".to_owned(), json!(self.sender));
        }
        data
    }
}

/// The first lines of a template, and what follows them.
struct Head<'a> {
    subject: &'a str,
    preheader: &'a str,
    body: &'a str,
}

impl<'a> Head<'a> {
    fn read(rendered: &'a str) -> Result<Self, (usize, String)> {
        let (first, rest) = rendered.split_once('\n').unwrap_or((rendered, ""));
        let subject = first
            .strip_prefix("Subject: ")
            .filter(|subject| !subject.trim().is_empty())
            .ok_or((1, "it must begin with a line \"Subject: …\"".to_owned()))?;
        let (preheader, body) = match rest.strip_prefix("Preheader: ") {
            Some(rest) => rest.split_once('\n').unwrap_or((rest, "")),
            None => ("", rest),
        };
        let line = if preheader.is_empty() { 2 } else { 3 };
        if !body.starts_with('\n') {
            return Err((
                line,
                "an empty line must follow \"Subject: …\" and \"Preheader: …\"".to_owned(),
            ));
        }
        if body.trim().is_empty() {
            return Err((line, "it says nothing below its subject".to_owned()));
        }
        Ok(Self {
            subject,
            preheader,
            body,
        })
    }
}

/// How a value is written: escaped in the layout, quoted in a text.
fn written(out: &mut Output<'_>, state: &State<'_, '_>, value: &minijinja::Value) -> Result<(), Error> {
    if value.is_none() {
        return Ok(());
    }
    let text = value.to_string();
    let written = match state.auto_escape() {
        AutoEscape::Html if value.is_safe() => text,
        AutoEscape::Html => html_escaped(&text),
        _ => quoted(&text),
    };
    out.write_str(&written).map_err(Error::from)
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

/// Only the field `link` may hold the place of the secret link, not an organisation that
/// calls itself so.
fn cleaned(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            let kept = text.replace("\r\n", "\n").replace('\r', "\n").replace("@@", "@ @");
            json!(
                kept.chars()
                    .filter(|c| *c == '\n' || !c.is_control() && !is_quoted(*c))
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

fn one_line_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
