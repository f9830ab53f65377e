//! The playground: a page on which a newcomer plays the platform and the bank, and watches what comes of it.
//!
//! It knows no more than anybody outside: it calls the platform API, posts what a provider would, and reads the
//! e-mails. It exists in the demonstration only. Nobody logs in, so it listens on this machine unless asked
//! otherwise, takes a POST from its own pages only, and answers on this machine only to this machine's names.
//!
//! - `offers`: what there is to choose from.
//! - `story`: one payment, and what came of it.
//! - `pages`: how it is shown.

mod offers;
mod pages;
mod story;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Form, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use eencent_activations::clock::Timestamp;
use eencent_activations::office_hours::OfficeHours;
use minijinja::context;
use serde::Deserialize;

use super::mailbox;
use super::stage::Stage;
use crate::http::accept::{Limits, Listener};
use crate::http::language::{self, Language};
use crate::http::proxies::Proxies;
use eencent_activations::local_time;

use offers::{MOMENTS, ORGANISATIONS, WAYS};
use pages::Pages;
use story::{Payment, Story};

/// So many stories are kept; then no more are played.
const STORIES: usize = 200;

/// How many connections it holds.
const CONNECTIONS: usize = 100;

/// What the pages work with.
#[derive(Clone)]
struct Play {
    stage: Stage,
    hours: OfficeHours,
    stories: Arc<Mutex<Vec<Arc<Story>>>>,
    ready: Arc<AtomicBool>,
    pages: Arc<Pages>,
}

/// The playground, listening.
pub struct Playground {
    url: String,
    ready: Arc<AtomicBool>,
}

impl Playground {
    /// Listens; nothing can be played before it is [`Self::ready`].
    ///
    /// # Errors
    /// When the address can't be had.
    pub async fn open(stage: Stage, listen: &str) -> anyhow::Result<Self> {
        let listener = Listener::bind("playground", listen).await?;
        let url = listener.url();
        let ready = Arc::new(AtomicBool::new(false));
        let play = Play {
            hours: OfficeHours::parse(OfficeHours::DEFAULT_EXPRESSION, OfficeHours::DEFAULT_ZONE, stage.now())?,
            stories: Arc::default(),
            ready: Arc::clone(&ready),
            pages: Arc::new(Pages::new()?),
            stage: stage.clone(),
        };
        let own = OwnPages {
            this_machine: url.contains("//127.") || url.contains("//[::1]"),
        };
        let router = Router::new()
            .route("/", get(front))
            .route("/organisations/{number}", get(organisation).post(pay))
            .route("/stories/{number}", get(shown))
            .route("/stories/{number}/opening", post(opening))
            .route("/stories/{number}/request", get(request))
            .route("/stories/{number}/told/{event}", get(told))
            .route("/stories/{number}/explanation", get(explanation))
            .route("/stories/{number}/mail/{mail}", get(mail))
            .route("/stories/{number}/mail/{mail}/html", get(mail_html))
            .route("/style.css", get(pages::style))
            .route("/live.js", get(pages::script))
            .with_state(play)
            .layer(middleware::from_fn(own_pages_only))
            .layer(Extension(own));
        let limits = Limits {
            connections: CONNECTIONS,
            per_address: CONNECTIONS,
            proxies: Arc::new(Proxies::default()),
            head: Duration::from_secs(30),
        };
        tokio::spawn(listener.serve(router, limits, stage.stop));
        Ok(Self { url, ready })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The cases have been played: the clock is the visitor's now.
    pub fn ready(&self) {
        self.ready.store(true, Ordering::SeqCst);
    }
}

/// Whose requests are answered.
#[derive(Clone, Copy)]
struct OwnPages {
    /// It listens for this machine alone, where a foreign name that resolves to it is a trick.
    this_machine: bool,
}

async fn own_pages_only(Extension(own): Extension<OwnPages>, request: Request, next: Next) -> Response {
    if own.sent(&request) {
        return next.run(request).await;
    }
    (
        StatusCode::FORBIDDEN,
        "Open the playground itself and use its own pages.\n",
    )
        .into_response()
}

impl OwnPages {
    fn sent(self, request: &Request) -> bool {
        let text = |name: header::HeaderName| {
            let value = request.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default()
        };
        let host = text(header::HOST);
        let ours = !self.this_machine || names_this_machine(host);
        let from_us = text(header::ORIGIN).strip_prefix("http://") == Some(host);
        ours && (from_us || *request.method() == Method::GET)
    }
}

/// Whether a `Host` is an address of this machine, or `localhost`.
fn names_this_machine(host: &str) -> bool {
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl Play {
    fn story(&self, number: usize) -> Option<Arc<Story>> {
        let stories = self.stories.lock().unwrap_or_else(PoisonError::into_inner);
        stories.get(number.checked_sub(1)?).cloned()
    }

    fn told(&self, at: Timestamp, language: Language) -> String {
        local_time::told(&self.hours.local(at), language)
    }

    fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

async fn front(State(play): State<Play>, headers: HeaderMap) -> Response {
    let organisations = ORGANISATIONS.map(
        |one| context! { name => one.company.name, form => one.company.form, trade_name => one.company.trade_name },
    );
    let stories: Vec<_> = {
        let stories = play.stories.lock().unwrap_or_else(PoisonError::into_inner);
        let all = (1..).zip(stories.iter());
        all.map(|(number, one)| context! { number, organisation => one.organisation, holder => one.holder })
            .collect()
    };
    let with = context! { ready => play.is_ready(), organisations, stories };
    play.pages.show("front.html", language::preferred(&headers), &with)
}

async fn organisation(State(play): State<Play>, headers: HeaderMap, Path(number): Path<usize>) -> Response {
    let language = language::preferred(&headers);
    let Some(chosen) = number.checked_sub(1).and_then(|at| ORGANISATIONS.get(at)) else {
        return nothing();
    };
    let now = play.stage.now();
    let pick = |words: offers::Words| words.in_language(language);
    let holders: Vec<_> = chosen
        .holders
        .iter()
        .map(|(name, what)| context! { name, what => pick(*what) })
        .collect();
    let ways = WAYS.map(|way| context! { code => way.code, told => pick(way.told) });
    let moments: Vec<_> = MOMENTS
        .iter()
        .filter_map(|moment| {
            let at = moment.after(&play.hours, now)?;
            Some(context! { code => moment.code, what => pick(moment.told), told => play.told(at, language) })
        })
        .collect();
    let company = chosen.company;
    let with = context! {
        number, holders, ways, moments,
        organisation => context! { name => company.name, form => company.form, trade_name => company.trade_name },
    };
    play.pages.show("organisation.html", language, &with)
}

/// What a visitor chose.
#[derive(Deserialize)]
struct Chosen {
    #[serde(default)]
    holder: String,
    #[serde(default)]
    typed: String,
    way: String,
    moment: String,
    #[serde(default)]
    amount: String,
}

async fn pay(
    State(play): State<Play>,
    headers: HeaderMap,
    Path(number): Path<usize>,
    Form(chosen): Form<Chosen>,
) -> Response {
    let language = language::preferred(&headers);
    let organisation = number.checked_sub(1).and_then(|at| ORGANISATIONS.get(at));
    let way = WAYS.iter().find(|way| way.code == chosen.way);
    let moment = MOMENTS.iter().find(|moment| moment.code == chosen.moment);
    let holder = if chosen.holder.is_empty() {
        chosen.typed
    } else {
        chosen.holder
    };
    let holder: String = holder.trim().chars().filter(|c| !c.is_control()).take(140).collect();
    let cents = offers::cents(&chosen.amount);
    let (Some(organisation), Some(way), Some(moment), Ok(cents), false, true) =
        (organisation, way, moment, cents, holder.is_empty(), play.is_ready())
    else {
        return play.pages.refused(language);
    };
    let story = {
        let mut stories = play.stories.lock().unwrap_or_else(PoisonError::into_inner);
        if stories.len() >= STORIES {
            return play.pages.refused(language);
        }
        if let Some(at) = moment.after(&play.hours, play.stage.now()) {
            play.stage.clock.set(at);
        }
        let story = Arc::new(Story::new(stories.len() + 1, organisation.company.name, &holder));
        stories.push(Arc::clone(&story));
        story
    };
    let payment = Payment {
        company: organisation.company,
        way: *way,
        cents,
        language,
    };
    let number = story.number;
    // What happens is watched on the page that the visitor is sent to.
    tokio::spawn(async move { story.play(&play.stage, payment).await });
    Redirect::to(&format!("/stories/{number}")).into_response()
}

async fn shown(State(play): State<Play>, headers: HeaderMap, Path(number): Path<usize>) -> Response {
    let language = language::preferred(&headers);
    let Some(story) = play.story(number) else {
        return nothing();
    };
    let now = play.stage.now();
    let told = |at: Timestamp| play.told(at, language);
    let view = story.view(&play.stage, language, &told).await;
    let with = context! {
        number,
        organisation => story.organisation,
        now => told(now),
        open => play.hours.is_open(now),
        next_opening => play.hours.next_opening(now).map(told),
        ..view
    };
    play.pages.show("story.html", language, &with)
}

async fn opening(State(play): State<Play>, Path(number): Path<usize>) -> Response {
    let Some(at) = play.hours.next_opening(play.stage.now()) else {
        return nothing();
    };
    if !play.is_ready() {
        return nothing();
    }
    play.stage.clock.set(at);
    Redirect::to(&format!("/stories/{number}")).into_response()
}

async fn request(State(play): State<Play>, headers: HeaderMap, Path(number): Path<usize>) -> Response {
    let language = language::preferred(&headers);
    let sent = play.story(number).and_then(|story| story.sent());
    let Some(text) = sent else { return nothing() };
    let heading = offers::Words {
        en: "The signed request",
        nl: "Het getekende verzoek",
    };
    let with = context! { number, text, heading => heading.in_language(language) };
    play.pages.show("raw.html", language, &with)
}

async fn told(State(play): State<Play>, headers: HeaderMap, Path((number, event)): Path<(usize, usize)>) -> Response {
    let told = play.story(number).map(|story| story.told(&play.stage));
    let found = event.checked_sub(1).and_then(|at| told?.into_iter().nth(at));
    let Some(found) = found else { return nothing() };
    let with = context! { number, heading => found.kind, text => found.written };
    play.pages.show("raw.html", language::preferred(&headers), &with)
}

async fn explanation(State(play): State<Play>, headers: HeaderMap, Path(number): Path<usize>) -> Response {
    let language = language::preferred(&headers);
    let Some(story) = play.story(number) else {
        return nothing();
    };
    let Some(record) = story.record(&play.stage).await else {
        return nothing();
    };
    let heading = offers::Words {
        en: "The stored record",
        nl: "Het vastgelegde dossier",
    };
    let text = serde_json::to_string_pretty(&record).unwrap_or_default();
    let with = context! { number, text, heading => heading.in_language(language) };
    play.pages.show("raw.html", language, &with)
}

impl Play {
    fn mail(&self, number: usize, mail: usize) -> Option<mailbox::Mail> {
        let reference = self.story(number)?.reference()?;
        mailbox::about(&self.stage.mail(), &reference)
            .into_iter()
            .nth(mail.checked_sub(1)?)
    }
}

async fn mail(State(play): State<Play>, headers: HeaderMap, Path((number, mail)): Path<(usize, usize)>) -> Response {
    let Some(found) = play.mail(number, mail) else {
        return nothing();
    };
    let with = context! { number, mail, subject => found.subject, text => found.text };
    play.pages.show("mail.html", language::preferred(&headers), &with)
}

async fn mail_html(State(play): State<Play>, Path((number, mail)): Path<(usize, usize)>) -> Response {
    play.mail(number, mail)
        .map_or_else(nothing, |found| pages::mail(&found.html))
}

fn nothing() -> Response {
    (StatusCode::NOT_FOUND, "There is nothing here.\n").into_response()
}
