//! The page on which a creator answers a question of support, with words and files.
//!
//! Opening the link changes nothing. What is sent is held in memory until it is committed: so few at a time, and of
//! those who have a link to an open question only. See [`upload`] for what keeps a place from being sat on.

use std::sync::Arc;

use axum::Router;
use axum::extract::multipart::{Field, Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware;
use axum::response::Response;
use axum::routing::get;
use eencent_activations::desk::{Desk, LONGEST_ANSWER, QuestionPage, QuestionStanding};
use eencent_activations::document::Document;
use eencent_activations::refused::DeskError;
use eencent_activations::rules::Rules;
use eencent_activations::state;
use minijinja::context;

use super::language::{self, Language};
use super::pages::Pages;
use super::problem::Problem;
use super::round_off::{may_be_a_token, path_of};
use super::upload::{self, Places};

const TEMPLATE: &str = "information.html";

/// So many answers are taken in at a time; each holds its files in memory.
const AT_ONCE: usize = 4;

/// What is too large is read to its end up to so many times the limit, and thrown away: a browser that is cut off
/// shows a broken connection instead of what is wrong.
const PATIENCE: usize = 4;

/// What the page works with.
#[derive(Clone)]
pub struct InformationPage {
    desk: Desk,
    pages: Arc<Pages>,
    rules: Arc<Rules>,
    support: (String, String),
    places: Places,
}

impl InformationPage {
    /// `support`: its e-mail address and page, each maybe empty.
    pub fn new(desk: Desk, pages: Arc<Pages>, rules: Arc<Rules>, support: (String, String)) -> Self {
        Self {
            desk,
            pages,
            rules,
            support,
            places: Places::new(AT_ONCE),
        }
    }
}

/// The addresses of the page.
pub fn router(page: InformationPage) -> Router {
    let most = page.rules.answers().bytes().saturating_mul(PATIENCE);
    Router::new()
        .route("/information/{token}", get(open).post(answer))
        .layer(DefaultBodyLimit::max(most))
        .layer(middleware::from_fn(upload::paced))
        .with_state(page)
}

async fn open(State(page): State<InformationPage>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    if !may_be_a_token(&token) {
        return page.unknown(&headers);
    }
    match page.desk.question(&token).await {
        Ok(found) => page.show(&found, &token, &headers, &Again::default()),
        Err(error) => page.trouble(error, &headers),
    }
}

async fn answer(
    State(page): State<InformationPage>,
    headers: HeaderMap,
    Path(token): Path<String>,
    sent: Multipart,
) -> Response {
    if !may_be_a_token(&token) {
        return page.unknown(&headers);
    }
    // Nothing is read for those who have no open question.
    let found = match page.desk.question(&token).await {
        Ok(found) if found.standing == QuestionStanding::Open => found,
        Ok(found) => return page.show(&found, &token, &headers, &Again::default()),
        Err(error) => return page.trouble(error, &headers),
    };
    let language = Language::of_code(&found.language);
    let Some(place) = page.places.of(&token).await else {
        return page.pages.trouble(StatusCode::CONFLICT, language);
    };
    let sent = tokio::select! {
        sent = page.read(sent, language) => sent,
        () = place.replaced() => return page.pages.trouble(StatusCode::CONFLICT, language),
    };
    let wrong = match sent.wrong {
        Some(wrong) => wrong,
        None => match page.desk.answer(&token, &sent.text, sent.files).await {
            Ok(answered) => return page.show(&answered, &token, &headers, &Again::default()),
            Err(DeskError::Refused(refused)) => match language {
                Language::Dutch => refused.text_nl.clone(),
                Language::English => refused.text.clone(),
            },
            Err(error) => return page.trouble(error, &headers),
        },
    };
    page.show(&found, &token, &headers, &Again { text: sent.text, wrong })
}

/// What was sent.
#[derive(Default)]
struct Sent {
    text: String,
    files: Vec<Document>,
    /// What is wrong with it.
    wrong: Option<String>,
}

/// The page once more: what was written, and what is wrong.
#[derive(Default)]
struct Again {
    text: String,
    wrong: String,
}

impl InformationPage {
    /// Reads the parts; goes on to the end when something is wrong, holding no more than is allowed.
    async fn read(&self, mut sent: Multipart, language: Language) -> Sent {
        let limits = self.rules.answers();
        let mut read = Sent::default();
        let mut left = limits.bytes();
        let said = |nl: String, en: String| match language {
            Language::Dutch => nl,
            Language::English => en,
        };
        loop {
            let field = match sent.next_field().await {
                Ok(Some(field)) => field,
                Ok(None) => break,
                Err(error) => {
                    read.wrong.get_or_insert_with(|| broken_off(&error, language));
                    break;
                }
            };
            let is_file = field.name() == Some("files");
            let name = field.file_name().unwrap_or_default().to_owned();
            let most = if is_file { left } else { LONGEST_ANSWER * 4 };
            let bytes = match taken(field, most).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    read.wrong.get_or_insert_with(|| broken_off(&error, language));
                    break;
                }
            };
            let Some(bytes) = bytes else {
                if !is_file {
                    // So long that it isn't even held; a shorter one is measured by the desk.
                    read.wrong.get_or_insert_with(|| {
                        said(
                            format!("Schrijf hooguit {LONGEST_ANSWER} tekens; zet de rest in een bestand."),
                            format!("Write at most {LONGEST_ANSWER} characters; put the rest in a file."),
                        )
                    });
                    continue;
                }
                let mb = limits.megabytes;
                read.wrong.get_or_insert_with(|| {
                    said(
                        format!(
                            "Dat is te veel: samen mogen de bestanden hooguit {mb} MB zijn. Kies de bestanden opnieuw."
                        ),
                        format!("That is too much: together the files may be {mb} MB at most. Choose the files again."),
                    )
                });
                continue;
            };
            if !is_file {
                read.text = String::from_utf8_lossy(&bytes).into_owned();
            } else if !bytes.is_empty() && read.wrong.is_none() {
                left = left.saturating_sub(bytes.len());
                // One more than may be is enough to be told so.
                if read.files.len() > limits.files {
                    continue;
                }
                match Document::parse(&name, bytes) {
                    Ok(document) => read.files.push(document),
                    Err(_) => {
                        read.wrong = Some(said(
                            format!("“{name}” is geen PDF, JPEG of PNG. Kies de bestanden opnieuw."),
                            format!("“{name}” is no PDF, JPEG or PNG. Choose the files again."),
                        ));
                    }
                }
            }
        }
        if read.wrong.is_some() {
            read.files.clear();
        }
        read
    }

    fn show(&self, found: &QuestionPage, token: &str, headers: &HeaderMap, again: &Again) -> Response {
        let language = match found.standing {
            QuestionStanding::Unknown => language::preferred(headers),
            _ => Language::of_code(&found.language),
        };
        let action = format!("{}/information/{token}", path_of(self.rules.public_url()));
        let (heading, told) = words(found.standing, found.state, language);
        let (support_email, support_url) = &self.support;
        let limits = self.rules.answers();
        let standing = match found.standing {
            QuestionStanding::Open => "open",
            QuestionStanding::Answered => "answered",
            _ => "told",
        };
        let with = context! {
            heading, told, action, standing, support_email, support_url,
            organisation => found.organisation, question => found.question, expires => found.expires_local,
            answer => again.text, wrong => again.wrong, longest => LONGEST_ANSWER,
            most_files => limits.files, megabytes => limits.megabytes,
        };
        let status = match found.standing {
            _ if !again.wrong.is_empty() => StatusCode::UNPROCESSABLE_ENTITY,
            QuestionStanding::Open | QuestionStanding::Answered | QuestionStanding::AnsweredBefore => StatusCode::OK,
            QuestionStanding::Replaced | QuestionStanding::Over => StatusCode::GONE,
            QuestionStanding::Unknown => StatusCode::NOT_FOUND,
        };
        self.pages.show(status, TEMPLATE, language, &with)
    }

    fn unknown(&self, headers: &HeaderMap) -> Response {
        let unknown = QuestionPage {
            standing: QuestionStanding::Unknown,
            organisation: None,
            question: None,
            language: String::new(),
            expires_local: None,
            state: None,
        };
        self.show(&unknown, "", headers, &Again::default())
    }

    fn trouble(&self, error: DeskError, headers: &HeaderMap) -> Response {
        let status = Problem::from(error).status();
        self.pages.trouble(status, language::preferred(headers))
    }
}

/// The bytes of a part; `None` when there are more than `most`: those are read and thrown away.
async fn taken(mut field: Field<'_>, most: usize) -> Result<Option<Vec<u8>>, MultipartError> {
    let mut bytes = Vec::new();
    let mut fits = true;
    while let Some(chunk) = field.chunk().await? {
        fits = fits && bytes.len().saturating_add(chunk.len()) <= most;
        if fits {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
    }
    Ok(fits.then_some(bytes))
}

fn broken_off(error: &MultipartError, language: Language) -> String {
    let too_large = error.status() == StatusCode::PAYLOAD_TOO_LARGE;
    match (too_large, language) {
        (true, Language::Dutch) => "Dat is veel te veel. Kies minder of kleinere bestanden.",
        (true, Language::English) => "That is far too much. Choose fewer or smaller files.",
        (false, Language::Dutch) => "Het versturen brak af. Probeer het nog eens.",
        (false, Language::English) => "Sending broke off. Please try again.",
    }
    .to_owned()
}

fn words(standing: QuestionStanding, state: Option<state::State>, language: Language) -> (&'static str, &'static str) {
    use QuestionStanding as Q;
    match (standing, language) {
        (Q::Open, Language::Dutch) => ("Wij hebben een vraag", ""),
        (Q::Open, Language::English) => ("We have a question", ""),
        (Q::Answered, Language::Dutch) => (
            "Dank u wel",
            "Wij hebben uw antwoord. Een medewerker gaat verder met de beoordeling; u krijgt een e-mail zodra er nieuws is.",
        ),
        (Q::Answered, Language::English) => (
            "Thank you",
            "We have your answer. One of our employees goes on with the review; you get an e-mail as soon as there is news.",
        ),
        (Q::AnsweredBefore, Language::Dutch) => (
            "Al beantwoord",
            "Deze vraag is al beantwoord. U hoeft niets meer te doen; u krijgt een e-mail zodra er nieuws is.",
        ),
        (Q::AnsweredBefore, Language::English) => (
            "Already answered",
            "This question has been answered. There is nothing left to do; you get an e-mail as soon as there is news.",
        ),
        (Q::Replaced, Language::Dutch) => (
            "Er is een nieuwere vraag",
            "Er is een nieuwere e-mail met een andere vraag gestuurd. Beantwoord die; zoek haar op in uw mailbox.",
        ),
        (Q::Replaced, Language::English) => (
            "There is a newer question",
            "A newer e-mail with another question has been sent. Please answer that one; look for it in your mailbox.",
        ),
        (Q::Over, language) => over(state, language),
        (Q::Unknown, Language::Dutch) => (
            "Deze link kennen we niet",
            "Misschien is hij niet helemaal gekopieerd. Open de link nog eens vanuit de e-mail, of kopieer hem in zijn geheel.",
        ),
        (Q::Unknown, Language::English) => (
            "We don't know this link",
            "Perhaps it was not copied as a whole. Open the link from the e-mail once more, or copy all of it.",
        ),
    }
}

/// Why a question can't be answered any more.
fn over(state: Option<state::State>, language: Language) -> (&'static str, &'static str) {
    use state::State::{Cancelled, Expired, Rejected};
    let heading = match language {
        Language::Dutch => "Een antwoord is niet meer nodig",
        Language::English => "An answer is no longer needed",
    };
    let told = match (state, language) {
        (Some(Expired), Language::Dutch) => {
            "De tijd om te antwoorden is voorbij en de activering is vervallen. Op het platform kan een nieuwe worden gestart."
        }
        (Some(Expired), Language::English) => {
            "The time to answer is over and the activation has lapsed. A new one can be started on the platform."
        }
        (Some(Cancelled), Language::Dutch) => "De activering is ingetrokken.",
        (Some(Cancelled), Language::English) => "The activation has been withdrawn.",
        (Some(Rejected), Language::Dutch) => "De aanvraag is afgewezen; de reden staat in onze e-mail.",
        (Some(Rejected), Language::English) => "The request has been rejected; the reason is in our e-mail.",
        (_, Language::Dutch) => {
            "Een medewerker is zonder antwoord verdergegaan. In onze laatste e-mail staat hoe het ervoor staat."
        }
        (_, Language::English) => {
            "One of our employees went on without an answer. Our last e-mail says how things stand."
        }
    };
    (heading, told)
}
