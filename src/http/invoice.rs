//! The page of an invoice or a credit note, and the document itself as PDF and UBL.
//!
//! The link is the only key to it. Nothing is changed here: what has been paid, the bank tells.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use eencent_activations::desk::{self, Desk, InvoiceStanding};
use eencent_activations::money::Money;
use eencent_activations::refused::DeskError;
use eencent_activations::rules::Rules;
use eencent_activations::state;
use eencent_invoices::Amount;
use eencent_invoices::invoice::Document;
use eencent_invoices::qr::Qr;
use minijinja::context;

use super::language::{self, Language};
use super::pages::Pages;
use super::problem::Problem;
use super::round_off::{may_be_a_token, path_of};
use eencent_activations::local_time;

const TEMPLATE: &str = "invoice.html";

const SCRIPT: &str = include_str!("../../config/pages/copy.js");

/// What the pages work with.
#[derive(Clone)]
pub struct InvoicePages {
    /// Where links are looked up.
    pub desk: Desk,
    /// The templates.
    pub pages: Arc<Pages>,
    /// The base of links.
    pub rules: Arc<Rules>,
    /// Support's e-mail address and page, each maybe empty.
    pub support: (String, String),
}

/// The addresses of the pages.
pub fn router(pages: InvoicePages) -> Router {
    let script = get(async || {
        let headers = [
            (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::CACHE_CONTROL, "max-age=3600"),
        ];
        (headers, SCRIPT)
    });
    Router::new()
        .route("/copy.js", script)
        .route("/invoice/{token}", get(open))
        .route("/invoice/{token}/{file}", get(download))
        .with_state(pages)
}

async fn open(State(pages): State<InvoicePages>, headers: HeaderMap, Path(token): Path<String>) -> Response {
    match pages.look_up(&token).await {
        Ok(Some(found)) => pages.show(&found, &token),
        Ok(None) => pages.unknown(&headers),
        Err(error) => pages.trouble(error, &headers),
    }
}

async fn download(
    State(pages): State<InvoicePages>,
    headers: HeaderMap,
    Path((token, file)): Path<(String, String)>,
) -> Response {
    let found = match pages.look_up(&token).await {
        Ok(Some(found)) => found,
        Ok(None) => return pages.unknown(&headers),
        Err(error) => return pages.trouble(error, &headers),
    };
    let name = in_path(found.invoice.facts().number.as_str());
    let Some((stem, ending)) = file.rsplit_once('.').filter(|(stem, _)| *stem == name) else {
        return pages.unknown(&headers);
    };
    let (media_type, content) = match ending {
        "xml" => ("application/xml", eencent_invoices::ubl(&found.invoice).into_bytes()),
        "pdf" => match eencent_invoices::pdf(&found.invoice) {
            Ok(content) => ("application/pdf", content),
            Err(error) => {
                tracing::error!(%error, number = stem, "an invoice can't be drawn");
                return pages
                    .pages
                    .trouble(StatusCode::INTERNAL_SERVER_ERROR, language::preferred(&headers));
            }
        },
        _ => return pages.unknown(&headers),
    };
    let headers: [(HeaderName, String); 5] = [
        (header::CONTENT_TYPE, media_type.to_owned()),
        (
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{name}.{ending}\""),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (headers, content).into_response()
}

impl InvoicePages {
    async fn look_up(&self, token: &str) -> Result<Option<desk::InvoicePage>, DeskError> {
        if !may_be_a_token(token) {
            return Ok(None);
        }
        self.desk.invoice(token).await
    }

    fn show(&self, found: &desk::InvoicePage, token: &str) -> Response {
        let language = Language::of_code(&found.language);
        let base = path_of(self.rules.public_url());
        let facts = found.invoice.facts();
        let (heading, told) = words(found, language);
        let (support_email, support_url) = &self.support;
        let payment = found.invoice.payment();
        let missing = u64::try_from(found.missing.minor).ok().map(Amount::from_cents);
        let qr = payment
            .zip(missing.and_then(Result::ok))
            .and_then(|(payment, missing)| Qr::new(payment, missing).ok())
            .map(|qr| {
                qr.svg(match language {
                    Language::Dutch => "QR-code om mee te betalen",
                    Language::English => "QR code to pay with",
                })
            });
        let with = context! {
            heading, told, support_email, support_url,
            organisation => found.organisation,
            open => found.standing == InvoiceStanding::Open,
            number => facts.number.as_str(),
            number_in_path => in_path(facts.number.as_str()),
            is_credit_note => found.invoice.is_credit_note(),
            total => euros(found.invoice.totals().gross, language),
            action => format!("{base}/invoice/{token}"),
            script => format!("{base}/copy.js"),
            missing => written(found.missing, language),
            missing_plain => found.missing.value(),
            iban => payment.map(|payment| payment.iban().grouped()),
            iban_plain => payment.map(|payment| payment.iban().as_str()),
            beneficiary => payment.map(|payment| payment.name().as_str()),
            reference => payment.map(|payment| payment.reference().grouped()),
            reference_plain => payment.map(|payment| payment.reference().as_str()),
            due => due(&found.invoice, language),
            qr => qr.unwrap_or_default(),
        };
        self.pages.show_with_script(StatusCode::OK, TEMPLATE, language, &with)
    }

    fn unknown(&self, headers: &HeaderMap) -> Response {
        let language = language::preferred(headers);
        let (heading, told) = match language {
            Language::Dutch => (
                "Deze link kennen we niet",
                "Misschien is hij niet helemaal gekopieerd. Open de link nog eens vanuit de e-mail, of kopieer hem in zijn geheel.",
            ),
            Language::English => (
                "We don't know this link",
                "Perhaps it was not copied as a whole. Open the link from the e-mail once more, or copy all of it.",
            ),
        };
        let (support_email, support_url) = &self.support;
        let with = context! {
            heading, told, support_email, support_url, organisation => (), open => false, number => (),
        };
        self.pages.show(StatusCode::NOT_FOUND, TEMPLATE, language, &with)
    }

    fn trouble(&self, error: DeskError, headers: &HeaderMap) -> Response {
        let status = Problem::from(error).status();
        self.pages.trouble(status, language::preferred(headers))
    }
}

/// A number may hold slashes, which a file's name can't.
fn in_path(number: &str) -> String {
    number.replace('/', "-")
}

fn euros(amount: Amount, language: Language) -> String {
    let written = amount.to_string();
    match language {
        Language::Dutch => format!("€\u{a0}{}", written.replace('.', ",")),
        Language::English => format!("€{written}"),
    }
}

fn written(money: Money, language: Language) -> String {
    let cents = u64::try_from(money.minor).unwrap_or(0);
    Amount::from_cents(cents).map_or_else(|_| money.to_string(), |amount| euros(amount, language))
}

/// The last day to pay, as people write it.
fn due(invoice: &eencent_invoices::Invoice, language: Language) -> Option<String> {
    match invoice.facts().document {
        Document::Invoice { due, .. } => Some(local_time::day_told(due, language)),
        Document::CreditNote { .. } => None,
    }
}

fn words(found: &desk::InvoicePage, language: Language) -> (String, String) {
    use InvoiceStanding as S;
    let partly = found.received.minor > 0;
    let both = |nl: (&str, &str), en: (&str, &str)| match language {
        Language::Dutch => (nl.0.to_owned(), nl.1.to_owned()),
        Language::English => (en.0.to_owned(), en.1.to_owned()),
    };
    match found.standing {
        S::Open if partly => {
            let received = written(found.received, language);
            match language {
                Language::Dutch => (
                    "Er ontbreekt nog een deel".to_owned(),
                    format!("Wij hebben {received} ontvangen. Maak alleen het ontbrekende bedrag over."),
                ),
                Language::English => (
                    "A part is still missing".to_owned(),
                    format!("We have received {received}. Please transfer only the missing amount."),
                ),
            }
        }
        S::Open => both(
            (
                "Betaal om te activeren",
                "Aan de tenaamstelling van de rekening zien wij dat u namens de organisatie mag handelen.",
            ),
            (
                "Pay to activate",
                "The name on the account shows us that you may act for the organisation.",
            ),
        ),
        S::Paid => paid(found.state, language),
        S::Credited => both(
            (
                "Deze factuur is vervallen",
                "De activering is voorbij, en er is een creditnota gemaakt. Betaal niet meer.",
            ),
            (
                "This invoice is void",
                "The activation is over, and a credit note was made. Please do not pay any more.",
            ),
        ),
        S::Over => both(
            (
                "Betaal deze factuur niet meer",
                "De activering is voorbij. In onze laatste e-mail staat wat er is gebeurd.",
            ),
            (
                "Please do not pay this invoice any more",
                "The activation is over. Our last e-mail says what happened.",
            ),
        ),
        S::CreditNote => both(
            (
                "Creditnota",
                "Deze creditnota neemt de factuur in haar geheel terug. U hoeft niets te betalen.",
            ),
            (
                "Credit note",
                "This credit note takes back the whole invoice. There is nothing to pay.",
            ),
        ),
    }
}

fn paid(state: state::State, language: Language) -> (String, String) {
    use state::State::{Activated, AwaitingPayment, InformationRequested, UnderReview};
    let heading = match language {
        Language::Dutch => "Uw betaling is binnen",
        Language::English => "Your payment has come in",
    };
    let told = match (state, language) {
        (Activated, Language::Dutch) => "De organisatie is geactiveerd. U hoeft niets meer te doen.",
        (Activated, Language::English) => "The organisation is active. There is nothing left to do.",
        (UnderReview | InformationRequested | AwaitingPayment, Language::Dutch) => {
            "Een medewerker kijkt naar de activering. U krijgt een e-mail zodra er nieuws is; opnieuw betalen is niet nodig."
        }
        (UnderReview | InformationRequested | AwaitingPayment, Language::English) => {
            "One of our employees is looking at the activation. You get an e-mail as soon as there is news; there is no need to pay again."
        }
        (_, Language::Dutch) => {
            "Alles is in orde. U krijgt een e-mail over wat er nu gebeurt; opnieuw betalen is niet nodig."
        }
        (_, Language::English) => {
            "Everything is in order. You get an e-mail about what happens now; there is no need to pay again."
        }
    };
    (heading.to_owned(), told.to_owned())
}
