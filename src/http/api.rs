//! The platform API, under `/v1`. Each resource has a file; `/openapi.json` is made of what stands
//! there.

mod activations;
mod acts;
mod body;
mod callers;
mod description;
mod environments;
mod failures;
mod files;
mod idempotency;
mod organisations;
mod paging;
mod payments;
mod register;
mod shapes;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::header;
use axum::middleware;
use axum::routing::get;
use eencent_activations::desk::Desk;
use eencent_registers::Registers;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, Server};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use callers::PlainKeys;
pub use idempotency::UnderWay;

/// The largest body of a request to the API; an organisation with hundreds of trade names fits.
const BODY: usize = 256 * 1024;

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    /// Where everything happens.
    pub desk: Desk,
    /// The keys that stand in the settings.
    pub plain_keys: Arc<PlainKeys>,
    /// Where organisations are looked up.
    pub registers: Arc<Registers>,
    /// What is being done under an `Idempotency-Key`.
    pub under_way: UnderWay,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Eencent platform API",
        description = "Register organisations, start activations, and decide on what is set apart for review.\n\n\
            **Keys.** Every call carries `Authorization: Bearer KEY`. A key has scopes: `platform` registers, starts, \
            cancels and resends; `review` decides and reads explanations; `operator` grants environments more \
            organisations; all read. A key that may start an activation can't for that reason decide on it.\n\n\
            **Errors** are problem documents (RFC 9457) with a stable `code`, and a `detail` that says what to do, in \
            English, or in Dutch when `Accept-Language` prefers it. docs/problems.md lists the codes.\n\n\
            **Repeats.** A POST may carry an `Idempotency-Key`: sent again with the same key within a day, it is answered as \
            the first time, with `Idempotency-Replayed: true`, and not done again. A refusal did nothing, and is not kept.\n\n\
            **Events** are posted to the endpoints of `[events]` in the settings: see `webhooks` below, and docs/events.md.\n\n\
            **Reading.** Unknown fields in a request are ignored; answers may get new fields. Ids are opaque. Times are \
            RFC 3339 in UTC, money is a decimal string with its currency."
    ),
    tags(
        (name = "organisations", description = "Companies, foundations, associations and sole traders to be activated."),
        (name = "activations", description = "One attempt to activate one organisation by one method."),
        (name = "environments", description = "The platform's tenants, and how many organisations each may have."),
        (name = "events", description = "What the platform is told, signed as Standard Webhooks says."),
        (name = "review", description = "What support does with an activation that is not clear by itself.")
    ),
    components(schemas(shapes::Problem, shapes::FieldProblem, shapes::Event, shapes::SetAside)),
    modifiers(&Bearer),
    security(("bearer" = []))
)]
struct Described;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut Document) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document
            .components
            .get_or_insert_default()
            .add_security_scheme("bearer", scheme);
        document.servers = Some(vec![Server::new("/")]);
    }
}

/// The API with its description.
pub fn router(api: Api) -> Router {
    let (router, document) = described().split_for_parts();
    let text: Arc<str> = description::completed(&document).to_string().into();
    let description = get(async move || ([(header::CONTENT_TYPE, "application/json")], text.to_string()));
    router
        .layer(middleware::from_fn_with_state(api.clone(), idempotency::once))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(api)
        .route("/openapi.json", description)
}

fn described() -> OpenApiRouter<Api> {
    OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(organisations::register, organisations::list))
        .routes(routes!(register::search))
        .routes(routes!(
            organisations::read,
            organisations::change,
            organisations::delete
        ))
        .routes(routes!(activations::start))
        .routes(routes!(activations::list))
        .routes(routes!(activations::read))
        .routes(routes!(activations::checkout))
        .routes(routes!(activations::cancel))
        .routes(routes!(activations::resend))
        .routes(routes!(activations::explanation))
        .routes(routes!(acts::approve))
        .routes(routes!(acts::reject))
        .routes(routes!(acts::request_information))
        .routes(routes!(acts::resume))
        .routes(routes!(files::fetch))
        .routes(routes!(payments::list))
        .routes(routes!(payments::allocate))
        .routes(routes!(environments::read))
        .routes(routes!(environments::grant))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_says_how_it_can_fail() {
        let (_, document) = described().split_for_parts();
        let json = description::completed(&document);
        let paths = json["paths"].as_object().unwrap();
        assert_eq!(paths.len(), 19, "{:?}", paths.keys());
        for (path, methods) in paths {
            for (method, operation) in methods.as_object().unwrap() {
                let answers = operation["responses"].as_object().unwrap();
                for status in ["401", "403", "500", "503"] {
                    assert!(answers.contains_key(status), "{method} {path} lacks {status}");
                }
                assert!(operation["summary"].is_string(), "{method} {path}");
            }
        }
    }
}
