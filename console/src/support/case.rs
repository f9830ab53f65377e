//! One activation on one page, drawn from what was stored of it.

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use eencent_activations::desk::support::Case;
use eencent_activations::people::Permission;
use eencent_activations::state::State as Stands;
use minijinja::{Value, context};
use serde::Deserialize;

use super::names;
use crate::Console;
use crate::download::download;
use crate::settings::Checked;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/activations/{id}", get(show))
        .route("/activations/{id}/files/{file}", get(file))
}

/// Which of the questions is to be asked, counted from 1; whatever else stands there picks none.
#[derive(Deserialize)]
struct Picked {
    question: Option<String>,
}

async fn show(
    State(console): State<Console>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(Picked { question }): Query<Picked>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let picked = question.and_then(|number| number.parse::<usize>().ok());
    shown(&console, &visitor, &id, StatusCode::OK, context! { picked }).await
}

/// The page, with what has just happened: `wrong` (why it didn't), `typed` (what was filled in), `revealed`, `picked`
/// (which question is to be asked).
pub(super) async fn shown(
    console: &Console,
    visitor: &Visitor,
    id: &str,
    status: StatusCode,
    more: Value,
) -> Result<Response, Trouble> {
    let case = console.desk.case(id).await?;
    let people = if case.in_review.is_some() && visitor.person.may(Permission::Decide) {
        deciders(console).await?
    } else {
        Vec::new()
    };
    let usual = context! {
        wrong => (), typed => (), revealed => (), picked => (), people,
        compared => names::compared(&case, visitor.language()),
        acts => acts(&case),
        questions => questions(&console.settings, &case),
        register => register_page(&case),
        case,
    };
    // Of two that are the same the first counts.
    let with = context! { ..more, ..usual };
    Ok(console.page_with_status(status, visitor, "queue", "support/case.html", &with))
}

/// What can be done in the state that it is in.
fn acts(case: &Case) -> Value {
    let stands = case.explanation.activation.state;
    let reviewed = matches!(stands, Stands::UnderReview | Stands::InformationRequested);
    context! {
        decide => reviewed && case.proposal.is_none(),
        proposed => case.proposal.is_some(),
        ask => stands == Stands::UnderReview,
        resume => stands == Stands::InformationRequested,
        take_back => matches!(stands, Stands::Scheduled | Stands::AwaitingConfirmation),
        hasten => stands == Stands::Scheduled,
        link_again => stands == Stands::AwaitingConfirmation,
    }
}

/// What is asked most, to begin with, in the language in which the creator reads it.
fn questions<'s>(settings: &'s Checked, case: &Case) -> &'s [String] {
    let organisation = case.explanation.organisation.as_ref();
    match organisation.map(|organisation| organisation.creator.language.as_str()) {
        Some("en") => &settings.questions_en,
        _ => &settings.questions_nl,
    }
}

/// The people to whom it can be given.
async fn deciders(console: &Console) -> Result<Vec<(String, String)>, Trouble> {
    let accounts = console.desk.accounts().await?;
    let decide = accounts.into_iter().filter(|account| {
        account.disabled_at.is_none() && account.roles.iter().any(|role| role.may(Permission::Decide))
    });
    Ok(decide.map(|account| (account.id, account.name)).collect())
}

/// The organisation's page at the trade register, where it has a number there.
fn register_page(case: &Case) -> Option<String> {
    let organisation = case.explanation.organisation.as_ref()?;
    let number = organisation
        .identifiers
        .iter()
        .find(|one| one.scheme().as_str() == "NL:KVK")?;
    Some(format!(
        "https://www.kvk.nl/bestellen/#/{}",
        number.value().chars().filter(char::is_ascii_digit).collect::<String>()
    ))
}

/// A stranger made it: it comes to be saved, and that it was fetched is recorded.
async fn file(
    State(console): State<Console>,
    visitor: Visitor,
    Path((id, file)): Path<(String, String)>,
) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    let (file, content) = console.desk.upload(&visitor.actor(), &id, &file).await?;
    Ok(download(&file.media_type, &file.name, content))
}
