//! The page on which the creator rounds off the activation.
//!
//! Opening a link changes nothing: mail scanners and previews open links too. The button does it,
//! at any hour. The link itself is the only secret there is, so it is in no log and in no referrer.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use eencent_activations::desk::{Desk, LinkStanding, RoundOff};
use eencent_activations::refused::DeskError;
use eencent_activations::rules::Rules;
use eencent_activations::state;
use minijinja::context;

use super::language::{self, Language};
use super::pages::Pages;
use super::problem::Problem;

const TEMPLATE: &str = "round_off.html";

/// Other texts aren't tokens of ours: they aren't looked up, nor ever written into a page.
pub(super) fn may_be_a_token(text: &str) -> bool {
    text.len() <= 200
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// What the page works with.
#[derive(Clone)]
pub struct RoundOffPage {
    /// Where links are looked up and used.
    pub desk: Desk,
    /// The templates.
    pub pages: Arc<Pages>,
    /// The base of links, and the zone in which times are told.
    pub rules: Arc<Rules>,
    /// Support's e-mail address and page, each maybe empty.
    pub support: (String, String),
}

/// The addresses of the page.
pub fn router(page: RoundOffPage) -> Router {
    Router::new()
        .route("/round-off/{token}", get(open).post(click))
        .route("/round-off/{token}/again", post(again))
        .with_state(page)
}

async fn open(State(page): State<RoundOffPage>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    if !may_be_a_token(&token) {
        return page.unknown(&headers);
    }
    let found = page.desk.round_off(&token).await;
    page.answer(found, &token, &headers)
}

async fn click(State(page): State<RoundOffPage>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    if !may_be_a_token(&token) {
        return page.unknown(&headers);
    }
    let done = page.desk.confirm(&token).await;
    page.answer(done, &token, &headers)
}

async fn again(State(page): State<RoundOffPage>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    if !may_be_a_token(&token) {
        return page.unknown(&headers);
    }
    let sent = page.desk.fresh_link(&token).await;
    page.answer(sent, &token, &headers)
}

impl RoundOffPage {
    fn answer(&self, found: Result<RoundOff, DeskError>, token: &str, headers: &HeaderMap) -> Response {
        match found {
            Ok(found) => self.show(&found, token, headers),
            Err(error) => self
                .pages
                .trouble(Problem::from(error).status(), language::preferred(headers)),
        }
    }

    fn unknown(&self, headers: &HeaderMap) -> Response {
        let language = language::preferred(headers);
        self.page((LinkStanding::Unknown, None), language, None, "", None, (false, false))
    }

    fn show(&self, found: &RoundOff, token: &str, headers: &HeaderMap) -> Response {
        let language = match found.standing {
            LinkStanding::Unknown => language::preferred(headers),
            _ => Language::of_code(&found.language),
        };
        let action = format!("{}/round-off/{token}", path_of(self.rules.public_url()));
        let again = (found.sent_again, found.can_send_again);
        self.page(
            (found.standing, found.state),
            language,
            found.organisation.as_deref(),
            &action,
            found.expires_local.as_deref(),
            again,
        )
    }

    fn page(
        &self,
        (standing, state): (LinkStanding, Option<state::State>),
        language: Language,
        organisation: Option<&str>,
        action: &str,
        expires: Option<&str>,
        (sent_again, can_send_again): (bool, bool),
    ) -> Response {
        let (heading, told) = words(standing, state, language);
        let (support_email, support_url) = &self.support;
        let with = context! {
            heading, told, organisation, action, expires, sent_again, can_send_again, support_email, support_url,
            standing => if standing == LinkStanding::Ready { "ready" } else { "told" },
        };
        self.pages.show(status(standing), TEMPLATE, language, &with)
    }
}

/// The path under which the outside reaches us: behind a proxy it may not be the root.
pub(super) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/')
        .and_then(|at| rest.get(at..))
        .unwrap_or_default()
        .trim_end_matches('/')
}

fn status(standing: LinkStanding) -> StatusCode {
    match standing {
        LinkStanding::Ready | LinkStanding::Activated | LinkStanding::Used => StatusCode::OK,
        LinkStanding::Replaced | LinkStanding::Expired | LinkStanding::Withdrawn => StatusCode::GONE,
        LinkStanding::Unknown => StatusCode::NOT_FOUND,
    }
}

fn words(standing: LinkStanding, state: Option<state::State>, language: Language) -> (&'static str, &'static str) {
    match (standing, language) {
        (LinkStanding::Ready, Language::English) => ("One click to go", ""),
        (LinkStanding::Ready, Language::Dutch) => ("Nog één klik", ""),
        (LinkStanding::Activated, Language::English) => (
            "Activated",
            "The organisation is active: it can send e-invoices in its own name. You get an e-mail that confirms it and says what comes next.",
        ),
        (LinkStanding::Activated, Language::Dutch) => (
            "Geactiveerd",
            "De organisatie is actief: zij kan in eigen naam e-facturen versturen. U krijgt een e-mail die dat bevestigt en zegt wat de volgende stap is.",
        ),
        (LinkStanding::Used, Language::English) => (
            "Already completed",
            "This link has been used: the activation was completed before. There is nothing left to do.",
        ),
        (LinkStanding::Used, Language::Dutch) => (
            "Al afgerond",
            "Deze link is al gebruikt: de activering is eerder afgerond. U hoeft niets meer te doen.",
        ),
        (LinkStanding::Replaced, Language::English) => (
            "There is a newer link",
            "A newer e-mail with another link has been sent, and only the newest link works. Look for it in your mailbox.",
        ),
        (LinkStanding::Replaced, Language::Dutch) => (
            "Er is een nieuwere link",
            "Er is een nieuwere e-mail met een andere link gestuurd, en alleen de nieuwste link werkt. Zoek die op in uw mailbox.",
        ),
        (LinkStanding::Expired, Language::English) => (
            "This link has expired",
            "It was not used in time, and nothing has been activated by it. A new activation can be started on the platform.",
        ),
        (LinkStanding::Expired, Language::Dutch) => (
            "Deze link is verlopen",
            "Hij is niet op tijd gebruikt, en er is niets mee geactiveerd. Op het platform kan een nieuwe activering worden gestart.",
        ),
        (LinkStanding::Withdrawn, Language::English) => {
            ("This activation can't be completed now", withdrawn(state, language))
        }
        (LinkStanding::Withdrawn, Language::Dutch) => (
            "Deze activering kan nu niet worden afgerond",
            withdrawn(state, language),
        ),
        (LinkStanding::Unknown, Language::English) => (
            "We don't know this link",
            "Perhaps it was not copied as a whole. Open the link from the e-mail once more, or copy all of it.",
        ),
        (LinkStanding::Unknown, Language::Dutch) => (
            "Deze link kennen we niet",
            "Misschien is hij niet helemaal gekopieerd. Open de link nog eens vanuit de e-mail, of kopieer hem in zijn geheel.",
        ),
    }
}

/// Why a link that was taken back doesn't work, as far as the activation's state tells.
fn withdrawn(state: Option<state::State>, language: Language) -> &'static str {
    use state::State::{Cancelled, InformationRequested, Rejected, UnderReview};
    match (state, language) {
        (Some(Cancelled), Language::English) => "The activation has been withdrawn.",
        (Some(Cancelled), Language::Dutch) => "De activering is ingetrokken.",
        (Some(Rejected), Language::English) => "The request has been rejected; the reason is in our e-mail.",
        (Some(Rejected), Language::Dutch) => "De aanvraag is afgewezen; de reden staat in onze e-mail.",
        (Some(InformationRequested), Language::English) => {
            "We have asked you something by e-mail. Please answer that e-mail."
        }
        (Some(InformationRequested), Language::Dutch) => {
            "We hebben u per e-mail iets gevraagd. Beantwoord die e-mail alstublieft."
        }
        (Some(UnderReview), Language::English) => {
            "One of our employees is looking at this activation again. You do not have to do anything now."
        }
        (Some(UnderReview), Language::Dutch) => {
            "Een medewerker kijkt opnieuw naar deze activering. U hoeft nu niets te doen."
        }
        (_, Language::English) => "The last e-mail that you received about it says how things stand.",
        (_, Language::Dutch) => "In de laatste e-mail die u erover kreeg, staat hoe het ervoor staat.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_standing_of_a_link_reads_as_it_was_read_over() {
        let pages = Pages::new().unwrap();
        let standings = [
            (LinkStanding::Ready, None),
            (LinkStanding::Activated, None),
            (LinkStanding::Used, None),
            (LinkStanding::Replaced, None),
            (LinkStanding::Expired, None),
            (LinkStanding::Withdrawn, Some(state::State::Cancelled)),
            (LinkStanding::Withdrawn, Some(state::State::Rejected)),
            (LinkStanding::Withdrawn, Some(state::State::UnderReview)),
            (LinkStanding::Withdrawn, Some(state::State::InformationRequested)),
            (LinkStanding::Withdrawn, None),
            (LinkStanding::Unknown, None),
        ];
        let mut all = String::new();
        for ((standing, state), language) in standings
            .into_iter()
            .flat_map(|one| [(one, Language::Dutch), (one, Language::English)])
        {
            let (heading, told) = words(standing, state, language);
            let which = state.map_or_else(String::new, |state| format!(" ({state})"));
            let known = standing != LinkStanding::Unknown;
            let with = context! {
                heading, told,
                organisation => known.then_some("Bakkerij De Korenaar B.V."),
                action => "/round-off/token",
                expires => known.then_some("24 maart 2026 om 10:00"),
                sent_again => false,
                can_send_again => standing == LinkStanding::Replaced,
                support_email => "support@example.nl",
                support_url => "",
                standing => if standing == LinkStanding::Ready { "ready" } else { "told" },
            };
            let html = pages.rendered(TEMPLATE, language, &with).unwrap();
            let main = html.split_once("<main>").unwrap().1.split_once("</main>").unwrap().0;
            all.push_str(&format!(
                "=== {standing:?}{which}, {}, {}\n{}\n",
                language.code(),
                status(standing),
                main.trim()
            ));
        }
        insta::assert_snapshot!(all);
    }

    #[test]
    fn a_form_posts_to_where_the_outside_reaches_us() {
        assert_eq!(path_of("https://activate.example.nl"), "");
        assert_eq!(path_of("https://example.nl/eencent/"), "/eencent");
    }
}
