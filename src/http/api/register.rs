//! The trade register: what is found in it, and registering by a number alone.

use axum::Json;
use axum::extract::State;
use eencent_activations::desk::NewOrganisation;
use eencent_activations::identifier::{Identifier, Scheme};
use eencent_activations::register::{Entry, Lookup as _, NoEntry, Standing, tidy};
use eencent_activations::views::OrganisationView;
use eencent_registers::{Hit, Query};
use serde::Deserialize;

use super::Api;
use super::body::Asked;
use super::callers::{By, Platform};
use super::{failures, shapes};
use crate::http::language::Sentence;
use crate::http::problem::Problem;

/// Longest words to search for.
const LONGEST: usize = 200;

/// What is looked for.
#[derive(Deserialize)]
pub struct Searched {
    query: Option<String>,
    place: Option<String>,
    kvk: Option<String>,
}

/// Find organisations in the trade register.
///
/// By words of a name, by place, or both: registered organisations, without details. By KvK number: that organisation
/// with everything that the register says of it, also when it is not registered any more.
#[utoipa::path(
    get, path = "/v1/register", operation_id = "searchRegister",
    tag = "organisations",
    params(
        ("query" = Option<String>, Query, description = "Whole words of a name.", max_length = 200),
        ("place" = Option<String>, Query, description = "A place.", max_length = 200),
        ("kvk" = Option<String>, Query, description = "A KvK number; then nothing else is looked at.", example = "68750110")
    ),
    responses(
        (status = 200, description = "What was found; may be nothing.", body = Vec<shapes::Found>),
        failures::Failures, failures::FromRegister, failures::Invalid,
    )
)]
pub async fn search(
    State(api): State<Api>,
    _by: By<Platform>,
    Asked(searched): Asked<Searched>,
) -> Result<Json<Vec<shapes::Found>>, Problem> {
    if let Some(kvk) = given(searched.kvk.as_deref(), "kvk")? {
        let number = Identifier::parse("NL:KVK", &kvk).map_err(|error| {
            let nl = "Een KvK-nummer heeft 8 cijfers, zoals `12345678`.";
            Problem::invalid_parameter("kvk", Sentence::new(error.to_string(), nl))
        })?;
        return match api.registers.entry(&number).await {
            Ok(entry) => Ok(Json(vec![of_entry(entry)])),
            Err(NoEntry::Unknown) => Ok(Json(Vec::new())),
            Err(error) => Err(error.into()),
        };
    }
    let query = Query {
        name: given(searched.query.as_deref(), "query")?,
        place: given(searched.place.as_deref(), "place")?,
    };
    if query == Query::default() {
        return Err(Problem::invalid_parameter(
            "query",
            Sentence::new(
                "Say what to look for: `query` (words of a name), `place`, or `kvk` (a number).",
                "Vermeld waarop gezocht moet worden: `query` (woorden van een naam), `place` (plaats) of `kvk` (een nummer).",
            ),
        ));
    }
    let hits = api.registers.search(&Scheme::Kvk, &query).await?;
    Ok(Json(hits.into_iter().map(of_hit).collect()))
}

/// Registers what was typed, or, by a number alone, what the register says of it.
pub(super) async fn registered(
    api: &Api,
    by: &By<Platform>,
    new: NewOrganisation,
) -> Result<OrganisationView, Problem> {
    let Some(number) = new.to_look_up()? else {
        return Ok(by.desk.register(&by.actor, new).await?);
    };
    let entry = api.registers.entry(&number).await?;
    Ok(by.desk.register_found(&by.actor, new, &entry).await?)
}

fn given(text: Option<&str>, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    match tidy(text, LONGEST) {
        Some(text) => Ok(Some(text)),
        None => Err(Problem::invalid_parameter(
            name,
            Sentence::new(
                format!("Write at most {LONGEST} characters."),
                format!("Schrijf hooguit {LONGEST} tekens."),
            ),
        )),
    }
}

fn identifier(identifier: &Identifier) -> shapes::Identifier {
    shapes::Identifier {
        scheme: identifier.scheme().to_string(),
        value: identifier.value().to_owned(),
    }
}

fn of_hit(hit: Hit) -> shapes::Found {
    let mut names = hit.names.into_iter();
    shapes::Found {
        identifier: identifier(&hit.identifier),
        name: names.next().unwrap_or_default(),
        other_names: names.collect(),
        street: hit.street,
        place: hit.place,
        registered: true,
        details: None,
    }
}

fn of_entry(entry: Entry) -> shapes::Found {
    shapes::Found {
        identifier: identifier(&entry.identifier),
        name: entry.legal_name,
        other_names: entry.trade_names,
        street: None,
        place: entry.place,
        registered: entry.standing == Standing::Registered,
        details: Some(shapes::FoundDetails {
            legal_form: entry.legal_form,
            rsin: entry.rsin.map(|rsin| rsin.value().to_owned()),
            fetched_at: entry.fetched_at.to_string(),
        }),
    }
}
