//! Pages for people: templates that are compiled in, and the headers that keep them safe.
//!
//! Nothing from elsewhere; the style is in the page and allowed by its hash. No page needs a script; the one that
//! is better with one has it from a file of ours.

use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::{Environment, UndefinedBehavior, Value, context};
use sha2::{Digest as _, Sha256};

use super::language::Language;
use super::problem::Problem;

const STYLE: &str = include_str!("../../config/pages/style.css");

const TEMPLATES: [(&str, &str); 6] = [
    ("base.html", include_str!("../../config/pages/base.html")),
    ("front.html", include_str!("../../config/pages/front.html")),
    ("information.html", include_str!("../../config/pages/information.html")),
    ("invoice.html", include_str!("../../config/pages/invoice.html")),
    ("round_off.html", include_str!("../../config/pages/round_off.html")),
    ("trouble.html", include_str!("../../config/pages/trouble.html")),
];

/// The templates, parsed, and the policy that fits them.
pub struct Pages {
    templates: Environment<'static>,
    policy: HeaderValue,
}

impl Pages {
    /// Parses the templates.
    ///
    /// # Errors
    /// When one of them isn't a template; a test holds that they are.
    pub fn new() -> Result<Self, minijinja::Error> {
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::Strict);
        for (name, source) in TEMPLATES {
            templates.add_template(name, source)?;
        }
        let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        );
        let policy = HeaderValue::try_from(policy)
            .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
        Ok(Self { templates, policy })
    }

    /// A page in a language, with leave to run the scripts that we serve.
    pub fn show_with_script(&self, status: StatusCode, template: &str, language: Language, with: &Value) -> Response {
        let mut response = self.show(status, template, language, with);
        if let Some(policy) = response.headers_mut().get_mut(header::CONTENT_SECURITY_POLICY) {
            let more = policy.to_str().map(|policy| format!("{policy}; script-src 'self'"));
            if let Some(more) = more.ok().and_then(|more| HeaderValue::try_from(more).ok()) {
                *policy = more;
            }
        }
        response
    }

    /// A page in a language.
    pub fn show(&self, status: StatusCode, template: &str, language: Language, with: &Value) -> Response {
        match self.rendered(template, language, with) {
            Ok(html) => {
                let headers = self.headers(language);
                (status, headers, Html(html)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, template, "a page can't be made");
                Problem::internal().into_response()
            }
        }
    }

    /// The HTML of a page.
    pub(super) fn rendered(
        &self,
        template: &str,
        language: Language,
        with: &Value,
    ) -> Result<String, minijinja::Error> {
        let common = context! { language => language.code(), style => STYLE };
        let all = context! { ..common, ..with.clone() };
        self.templates.get_template(template)?.render(all)
    }

    /// A page that says only what is wrong.
    pub fn trouble(&self, status: StatusCode, language: Language) -> Response {
        let (heading, told) = match (status, language) {
            (StatusCode::SERVICE_UNAVAILABLE, Language::English) => (
                "Not available at the moment",
                "Please try again in a few minutes. Nothing has been lost.",
            ),
            (StatusCode::SERVICE_UNAVAILABLE, Language::Dutch) => (
                "Even niet beschikbaar",
                "Probeer het over een paar minuten opnieuw. Er is niets verloren gegaan.",
            ),
            (StatusCode::CONFLICT, Language::English) => (
                "Sent once more",
                "You have sent the same page again since. What becomes of it is shown there.",
            ),
            (StatusCode::CONFLICT, Language::Dutch) => (
                "Nog eens verstuurd",
                "U hebt dezelfde pagina daarna nog eens verstuurd. Daar staat wat ervan wordt.",
            ),
            (_, Language::English) => ("Something went wrong", "It has been logged. Please try again."),
            (_, Language::Dutch) => ("Er ging iets mis", "Het is vastgelegd. Probeer het nog eens."),
        };
        self.show(status, "trouble.html", language, &context! { heading, told })
    }

    fn headers(&self, language: Language) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let mut put = |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
        put(header::CACHE_CONTROL, "no-store");
        put(header::REFERRER_POLICY, "no-referrer");
        put(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
        put(header::X_FRAME_OPTIONS, "DENY");
        put(header::CONTENT_LANGUAGE, language.code());
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_61_what_a_stranger_wrote_is_shown_as_text() {
        let pages = Pages::new().unwrap();
        for language in [Language::English, Language::Dutch] {
            let page = context! {
                heading => "x", standing => "ready", organisation => "<script>alert(1)</script>", action => "/round-off/t",
                expires => (), told => "", sent_again => false, can_send_again => false, support_email => "", support_url => "",
            };
            let template = pages.templates.get_template("round_off.html").unwrap();
            let html = template
                .render(context! { language => language.code(), style => STYLE, ..page })
                .unwrap();
            assert!(html.contains("&lt;script&gt;"), "{html}");
            assert!(!html.contains("<script"), "{html}");
        }
    }

    #[test]
    fn the_style_is_written_as_it_was_hashed() {
        let pages = Pages::new().unwrap();
        let template = pages.templates.get_template("front.html").unwrap();
        let html = template.render(context! { language => "en", style => STYLE }).unwrap();
        assert!(html.contains(&format!("<style>{STYLE}</style>")));
    }
}
