//! Everything that goes wrong, as a page that says what to do, in the language of who asks.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use eencent_activations::language::{Language, Sentence};
use eencent_activations::refused::{DeskError, Kind, Refused};
use minijinja::context;

use crate::Console;
use crate::visitor::session;

/// What went wrong.
#[derive(Debug, Clone)]
pub enum Trouble {
    /// There is no such page, or it isn't theirs.
    NotFound,
    /// Nobody is signed in; after signing in they go on there.
    SignedOut(String),
    /// The form came from a foreign page.
    Elsewhere,
    /// The form's token isn't of this session.
    Stale,
    /// The form can't be read.
    Unreadable,
    /// The form is too large.
    TooLarge,
    /// It won't be done, and why.
    Refused(Box<Refused>),
    /// The store doesn't do its part.
    Unavailable,
    /// A mistake of ours.
    Ours,
}

impl Trouble {
    pub(crate) fn signed_out(method: &Method, uri: &Uri) -> Self {
        // A form isn't sent again by itself: they go on at its page's start.
        let reads = matches!(*method, Method::GET | Method::HEAD);
        let there = if reads {
            uri.path_and_query().map_or("/", |path| path.as_str())
        } else {
            "/"
        };
        Self::SignedOut(there.to_owned())
    }

    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignedOut(_) => StatusCode::SEE_OTHER,
            Self::Elsewhere => StatusCode::FORBIDDEN,
            Self::Stale => StatusCode::CONFLICT,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Refused(refused) => match refused.kind {
                Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
                Kind::Forbidden => StatusCode::FORBIDDEN,
                Kind::NotFound => StatusCode::NOT_FOUND,
                Kind::Conflict => StatusCode::CONFLICT,
            },
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Ours => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self) -> (Sentence, Sentence) {
        let both = |heading: (&str, &str), told: (&str, &str)| {
            (Sentence::new(heading.0, heading.1), Sentence::new(told.0, told.1))
        };
        match self {
            Self::NotFound | Self::SignedOut(_) => both(
                ("There is no such page", "Deze pagina is er niet"),
                (
                    "Perhaps the address is incomplete, or the page is for people with another role.",
                    "Misschien is het adres niet volledig, of is de pagina voor mensen met een andere rol.",
                ),
            ),
            Self::Elsewhere => both(
                ("This came from another page", "Dit kwam van een andere pagina"),
                (
                    "Nothing was changed. Go to the console yourself, and do it there.",
                    "Er is niets veranderd. Ga zelf naar de console, en doe het daar.",
                ),
            ),
            Self::Stale => both(
                (
                    "This page was of an earlier session",
                    "Deze pagina was van een eerdere sessie",
                ),
                (
                    "Nothing was changed. Open the page again, look at how things stand, and do it once more.",
                    "Er is niets veranderd. Open de pagina opnieuw, kijk hoe het ervoor staat, en doe het nog eens.",
                ),
            ),
            Self::Unreadable => both(
                ("That could not be read", "Dat kon niet worden gelezen"),
                (
                    "Nothing was changed. Go back, check what you filled in, and send it again.",
                    "Er is niets veranderd. Ga terug, controleer wat u invulde, en verstuur het opnieuw.",
                ),
            ),
            Self::TooLarge => both(
                ("That is too much text", "Dat is te veel tekst"),
                (
                    "Nothing was changed. Go back and make it shorter.",
                    "Er is niets veranderd. Ga terug en maak het korter.",
                ),
            ),
            Self::Refused(refused) => (
                Sentence::new("Not as things stand", "Kan niet zoals het er nu voor staat"),
                Sentence::new(refused.text.clone(), refused.text_nl.clone()),
            ),
            Self::Unavailable => both(
                ("Not available at the moment", "Even niet beschikbaar"),
                (
                    "The database does not answer. Nothing was changed; try again in a minute.",
                    "De database antwoordt niet. Er is niets veranderd; probeer het over een minuut opnieuw.",
                ),
            ),
            Self::Ours => both(
                ("Something went wrong", "Er ging iets mis"),
                (
                    "It has been logged. Try again, or tell operations.",
                    "Het is vastgelegd. Probeer het opnieuw, of vertel het aan beheer.",
                ),
            ),
        }
    }
}

impl From<DeskError> for Trouble {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::Refused(refused) => Self::Refused(refused),
            DeskError::Store(error) => {
                tracing::error!(%error, "the store did not do what was asked");
                Self::Unavailable
            }
        }
    }
}

impl IntoResponse for Trouble {
    /// The status; the page is made by [`written`], which knows who asks.
    fn into_response(self) -> Response {
        if let Self::SignedOut(there) = &self {
            let mut to = String::from("/sign-in");
            if there != "/"
                && let Ok(next) = serde_urlencoded::to_string([("next", there)])
            {
                to.push('?');
                to.push_str(&next);
            }
            return Redirect::to(&to).into_response();
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// Makes the page of what went wrong.
pub async fn written(State(console): State<Console>, request: Request, next: Next) -> Response {
    let asked = request.headers().get(header::ACCEPT_LANGUAGE);
    let preferred = Language::preferred(asked.and_then(|value| value.to_str().ok()));
    let session = session(request.headers());
    let mut response = next.run(request).await;
    let trouble = response.extensions_mut().remove::<Arc<Trouble>>();
    let bare = || {
        let unread = response.headers().get(header::CONTENT_TYPE);
        let plain = unread.is_none_or(|kind| kind.to_str().is_ok_and(|kind| kind.starts_with("text/plain")));
        let trouble = match response.status() {
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => Trouble::NotFound,
            StatusCode::INTERNAL_SERVER_ERROR => Trouble::Ours,
            StatusCode::SERVICE_UNAVAILABLE => Trouble::Unavailable,
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Trouble::Unreadable,
            _ => return None,
        };
        plain.then(|| Arc::new(trouble))
    };
    let Some(trouble) = trouble.or_else(bare) else {
        return response;
    };
    // Only for its language and the way back: a session that can't be looked up changes nothing here.
    let person = match session {
        Some(session) => console.desk.person_of(&session, console.limits()).await.ok().flatten(),
        None => None,
    };
    let language = person.as_ref().map_or(preferred, |person| person.language);
    let (heading, told) = trouble.words();
    let with = context! {
        heading => heading.text(language),
        told => told.text(language),
    };
    let mut page = console.pages.bare(trouble.status(), "trouble.html", language, &with);
    if matches!(*trouble, Trouble::Unavailable) {
        page.headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
    }
    page
}
