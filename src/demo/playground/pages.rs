//! How the playground is shown: its templates, in the look of the applicants' pages, and what browsers may do with them.

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::http::language::Language;

const LOOK: &str = include_str!("../../../config/pages/style.css");
const OWN_LOOK: &str = include_str!("../../../config/playground/style.css");
const SCRIPT: &str = include_str!("../../../config/playground/live.js");

const TEMPLATES: [(&str, &str); 6] = [
    ("base.html", include_str!("../../../config/playground/base.html")),
    ("front.html", include_str!("../../../config/playground/front.html")),
    (
        "organisation.html",
        include_str!("../../../config/playground/organisation.html"),
    ),
    ("story.html", include_str!("../../../config/playground/story.html")),
    ("mail.html", include_str!("../../../config/playground/mail.html")),
    ("raw.html", include_str!("../../../config/playground/raw.html")),
];

/// Nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// An e-mail brings its own style. It runs nothing, and its links open beside the page.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; \
    sandbox allow-popups allow-popups-to-escape-sandbox";

fn with_policy(policy: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
    ]
}

/// The templates.
pub struct Pages(Environment<'static>);

impl Pages {
    /// Parses them.
    ///
    /// # Errors
    /// When one isn't a template.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        Ok(Self(templates))
    }

    /// A page.
    pub fn show(&self, template: &str, language: Language, with: &Value) -> Response {
        let common = context! { language => language.code(), nl => language == Language::Dutch };
        let all = context! { ..common, ..with.clone() };
        let made = self.0.get_template(template).and_then(|template| template.render(all));
        match made {
            Ok(html) => (with_policy(POLICY), Html(html)).into_response(),
            Err(error) => {
                tracing::error!(%error, template, "a page of the playground can't be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    /// What can't be played.
    pub fn refused(&self, language: Language) -> Response {
        let said = match language {
            Language::English => {
                "That can't be played: give a name, and an amount such as 18.15. Go back and try again.\n"
            }
            Language::Dutch => {
                "Dat kan niet worden gespeeld: geef een naam, en een bedrag zoals 18.15. Ga terug en probeer het opnieuw.\n"
            }
        };
        (StatusCode::UNPROCESSABLE_ENTITY, said).into_response()
    }
}

/// An e-mail's HTML, for a frame.
pub fn mail(html: &str) -> Response {
    let html = html.replacen("<head>", "<head><base target=\"_blank\">", 1);
    (with_policy(MAIL_POLICY), Html(html)).into_response()
}

/// The style sheet.
pub async fn style() -> Response {
    let both = format!("{LOOK}{OWN_LOOK}");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], both).into_response()
}

/// The script.
pub async fn script() -> Response {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT).into_response()
}
