//! The public listener: notifications, the platform API, and the pages that links in e-mails open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::get;
use minijinja::context;
use tower::ServiceExt as _;

use super::information::{self, InformationPage};
use super::invoice::{self, InvoicePages};
use super::language;
use super::proxies::Proxies;
use super::request_id::RequestIds;
use super::round_off::{self, RoundOffPage};
use super::{api, layers};

/// What it is called where it is measured.
const LISTENER: &str = "public";

/// Under which path the providers post.
const WEBHOOKS: &str = "/webhooks/";

/// Under which path creators answer with files.
const INFORMATION: &str = "/information/";

/// How long sending files may take, over the line of a phone.
const UPLOAD: Duration = Duration::from_secs(5 * 60);

/// What the public listener answers.
pub fn router(
    webhooks: Router,
    api: api::Api,
    round_off: RoundOffPage,
    information: InformationPage,
    invoice: InvoicePages,
    proxies: Arc<Proxies>,
    ids: &RequestIds,
) -> Router {
    let pages = Arc::clone(&round_off.pages);
    let front = get(async move |headers: HeaderMap| {
        pages.show(
            StatusCode::OK,
            "front.html",
            language::preferred(&headers),
            &context! {},
        )
    });
    let rest = Router::new()
        .route("/", front)
        .merge(api::router(api))
        .merge(round_off::router(round_off))
        .merge(invoice::router(invoice));
    let rest = layers::with_problems(LISTENER, ids, rest);
    let information = layers::with_problems_within(LISTENER, ids, information::router(information), UPLOAD);
    // Providers get the receiver's own answers, to the byte: no layer of ours stands before them.
    Router::new().fallback(
        async move |ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Request| {
            let client = proxies.client(peer.ip(), request.headers());
            request.extensions_mut().insert(client);
            let endpoint = request.uri().path().strip_prefix(WEBHOOKS);
            let posted = endpoint.is_some_and(|name| !name.is_empty() && !name.contains('/'));
            if posted {
                let asked = layers::Asked::of(LISTENER, &request, Some("/webhooks/{endpoint}"));
                let answer = webhooks.clone().oneshot(request).await;
                asked.answered(
                    answer
                        .as_ref()
                        .map_or(StatusCode::INTERNAL_SERVER_ERROR, Response::status),
                );
                return answer;
            }
            let to = if request.uri().path().starts_with(INFORMATION) {
                information.clone()
            } else {
                rest.clone()
            };
            to.oneshot(request).await
        },
    )
}
