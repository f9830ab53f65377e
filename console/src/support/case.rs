//! One activation on one page, drawn from what was stored of it.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use eencent_activations::desk::support::Case;
use eencent_activations::language::Language;
use eencent_activations::people::Permission;
use eencent_activations::state::State as Stands;
use minijinja::{Value, context};

use super::names;
use crate::Console;
use crate::download::download;
use crate::trouble::Trouble;
use crate::visitor::Visitor;

pub(super) fn router() -> Router<Console> {
    Router::new()
        .route("/activations/{id}", get(show))
        .route("/activations/{id}/files/{file}", get(file))
}

async fn show(State(console): State<Console>, visitor: Visitor, Path(id): Path<String>) -> Result<Response, Trouble> {
    visitor.must(Permission::ReadCases)?;
    shown(&console, &visitor, &id, StatusCode::OK, context! {}).await
}

/// The page, with what has just happened: `wrong` (why it didn't), `typed` (what was filled in), `revealed`.
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
        wrong => (), typed => (), revealed => (), people,
        compared => names::compared(&case, visitor.language()),
        acts => acts(&case),
        questions => questions(visitor.language()),
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

/// What is asked most, to begin with; people write the rest themselves.
fn questions(language: Language) -> [&'static str; 3] {
    match language {
        Language::English => [
            "Please send an extract of the trade register that shows that you may act for the organisation.",
            "The account that was paid from is in another name than the organisation's. Whose account is it, and how does its holder belong to the organisation?",
            "Please pay again from an account in the organisation's name, or tell us why that is not possible.",
        ],
        Language::Dutch => [
            "Wilt u een uittreksel uit het handelsregister sturen waaruit blijkt dat u namens de organisatie mag handelen?",
            "De rekening waarvan is betaald, staat op een andere naam dan die van de organisatie. Van wie is de rekening, en hoe hoort de rekeninghouder bij de organisatie?",
            "Wilt u opnieuw betalen vanaf een rekening op naam van de organisatie, of ons laten weten waarom dat niet kan?",
        ],
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
