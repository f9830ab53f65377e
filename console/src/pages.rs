//! How pages are made: templates that are compiled in, with one look, and files of ours for style and script.
//!
//! In templates: `t("in English", "in het Nederlands")`; the filters `local` (an instant in words), `brief` (in digits),
//! `ago` (its age), `clock` (hours and minutes);
//! `many` (a number), `lasting` (seconds), `took` (milliseconds), `cut` (a long text), `query` (a field of an address); `may.decide` and so on; `token` in every form. Everything is escaped.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use eencent_activations::clock::{Clock, Timestamp};
use eencent_activations::language::Language;
use eencent_activations::local_time;
use eencent_activations::office_hours::OfficeHours;
use eencent_activations::people::Permission;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest as _, Sha256};

use crate::trouble::Trouble;
use crate::visitor::Visitor;
use crate::{Console, Side, operations, support, words};

const STYLE: &str = include_str!("../../config/console/style.css");
const SCRIPT: &str = include_str!("../../config/console/console.js");

/// A template: its name and its text.
pub(crate) type Template = (&'static str, &'static str);

const TEMPLATES: [Template; 11] = [
    ("base.html", include_str!("../../config/console/base.html")),
    ("menu.html", include_str!("../../config/console/menu.html")),
    ("roles.html", include_str!("../../config/console/roles.html")),
    ("sessions.html", include_str!("../../config/console/sessions.html")),
    ("bare.html", include_str!("../../config/console/bare.html")),
    ("trouble.html", include_str!("../../config/console/trouble.html")),
    ("sign_in.html", include_str!("../../config/console/sign_in.html")),
    ("invitation.html", include_str!("../../config/console/invitation.html")),
    ("people.html", include_str!("../../config/console/people.html")),
    ("person.html", include_str!("../../config/console/person.html")),
    ("account.html", include_str!("../../config/console/account.html")),
];

/// The templates, parsed, once for each language: what they say is the same wherever in them it is said.
pub struct Pages {
    english: Environment<'static>,
    dutch: Environment<'static>,
}

impl Pages {
    /// Parses the templates. Times are told in the zone of the office, ages by the clock.
    ///
    /// # Errors
    /// When one of them isn't a template; a test holds that they are.
    pub fn new(hours: &OfficeHours, clock: &Arc<dyn Clock>) -> Result<Self, minijinja::Error> {
        Ok(Self {
            english: templates(Language::English, hours, Arc::clone(clock))?,
            dutch: templates(Language::Dutch, hours, Arc::clone(clock))?,
        })
    }

    /// A page for nobody in particular: signing in, and what went wrong.
    pub fn bare(&self, status: StatusCode, template: &str, language: Language, with: &Value) -> Response {
        let common = context! { language => language.code(), nl => language == Language::Dutch };
        self.made(status, language, template, context! { ..common, ..with.clone() })
    }

    fn made(&self, status: StatusCode, language: Language, template: &str, with: Value) -> Response {
        let templates = match language {
            Language::English => &self.english,
            Language::Dutch => &self.dutch,
        };
        let html = templates
            .get_template(template)
            .and_then(|template| template.render(with));
        match html {
            Ok(html) => (status, Html(html)).into_response(),
            Err(error) => {
                tracing::error!(error = %format!("{error:#}"), template, "a page can't be made");
                let told = "<!doctype html><title>Eencent</title><p>Something went wrong. It has been logged.</p>";
                (StatusCode::INTERNAL_SERVER_ERROR, Html(told)).into_response()
            }
        }
    }
}

impl Console {
    /// A page for who is signed in. `section` is which entry of the menu it belongs to.
    pub fn page(&self, visitor: &Visitor, section: &str, template: &str, with: &Value) -> Response {
        self.page_with_status(StatusCode::OK, visitor, section, template, with)
    }

    /// The same with another status, for a form that has to be filled in better.
    pub fn page_with_status(
        &self,
        status: StatusCode,
        visitor: &Visitor,
        section: &str,
        template: &str,
        with: &Value,
    ) -> Response {
        let language = visitor.language();
        let person = &visitor.person;
        let may = context! {
            read_cases => person.may(Permission::ReadCases),
            decide => person.may(Permission::Decide),
            confirm => person.may(Permission::Confirm),
            read_operations => person.may(Permission::ReadOperations),
            operate => person.may(Permission::Operate),
            administer => person.may(Permission::Administer),
        };
        let common = context! {
            language => language.code(),
            nl => language == Language::Dutch,
            person => context! { id => person.account, name => person.name, email => person.email },
            token => visitor.form_token,
            may, section,
            staff => self.side == Side::Staff,
            local => self.is_local(),
            now => self.clock.now(),
        };
        self.pages
            .made(status, language, template, context! { ..common, ..with.clone() })
    }
}

fn templates(
    language: Language,
    hours: &OfficeHours,
    clock: Arc<dyn Clock>,
) -> Result<Environment<'static>, minijinja::Error> {
    let mut templates = Environment::new();
    // Fields that a view leaves out are no in an `if`; written out they are a mistake.
    templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    templates.set_trim_blocks(true);
    templates.set_lstrip_blocks(true);
    let all = TEMPLATES
        .into_iter()
        .chain(support::TEMPLATES)
        .chain(operations::TEMPLATES);
    for (name, source) in all {
        templates.add_template(name, source)?;
    }
    templates.add_function("t", move |en: String, nl: String| match language {
        Language::English => en,
        Language::Dutch => nl,
    });
    let hours = Arc::new(hours.clone());
    let local = Arc::clone(&hours);
    templates.add_filter("local", move |at: String| {
        instant(&at).map_or(at, |at| local_time::told(&local.local(at), language))
    });
    let wall = Arc::clone(&hours);
    templates.add_filter("clock", move |at: String| {
        instant(&at).map_or(at, |at| wall.local(at).format("%H:%M").to_string())
    });
    templates.add_filter("brief", move |at: String| {
        instant(&at).map_or(at, |at| hours.local(at).format("%Y-%m-%d %H:%M").to_string())
    });
    templates.add_filter("ago", move |at: String| {
        instant(&at).map_or(at, |at| words::age(clock.now().since(at), language))
    });
    templates.add_filter("many", move |many: i64| words::many(many, language));
    templates.add_filter("lasting", move |seconds: u64| {
        words::age(Duration::from_secs(seconds), language)
    });
    templates.add_filter("took", move |milliseconds: u64| words::took(milliseconds, language));
    templates.add_filter("cut", |text: String, most: usize| {
        text.char_indices().nth(most).map_or(text.clone(), |(end, _)| {
            format!("{}…", text.get(..end).unwrap_or_default())
        })
    });
    // One field of an address: names may hold anything.
    templates.add_filter("query", |value: String, name: String| {
        serde_urlencoded::to_string([(name, value)]).unwrap_or_default()
    });
    templates.add_global("style", style_address());
    templates.add_global("script", script_address());
    Ok(templates)
}

fn instant(told: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(told)
}

/// Their addresses hold what they are: a browser that has one never asks again, and never has an old one.
fn style_address() -> String {
    format!("/assets/{}.css", digest(STYLE))
}

fn script_address() -> String {
    format!("/assets/{}.js", digest(SCRIPT))
}

fn digest(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes())).chars().take(16).collect()
}

/// The files of ours that pages are made with.
pub(crate) fn assets() -> Router<Console> {
    Router::new().route("/assets/{name}", get(asset))
}

async fn asset(Path(name): Path<String>) -> Result<Response, Trouble> {
    let address = format!("/assets/{name}");
    let (kind, text) = if address == style_address() {
        ("text/css; charset=utf-8", STYLE)
    } else if address == script_address() {
        ("text/javascript; charset=utf-8", SCRIPT)
    } else {
        return Err(Trouble::NotFound);
    };
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=31536000, immutable"),
    );
    Ok(response)
}
