//! Plays the platform: registers organisations, starts activations, looks how they stand, over its API.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::client::{Answer, send};
use super::mailbox;
use super::stage::Stage;

/// How long to wait for something to happen; it takes a second.
const PATIENCE: Duration = Duration::from_secs(15);

/// How often to look.
const LOOK: Duration = Duration::from_millis(50);

/// An organisation to register.
#[derive(Clone, Copy)]
pub struct Company<'a> {
    /// Statutory name.
    pub name: &'static str,
    /// The register's own wording.
    pub form: &'static str,
    /// A trade name, if it has one.
    pub trade_name: Option<&'static str>,
    /// Chamber of Commerce number.
    pub kvk: &'a str,
}

/// An activation that was started.
#[derive(Clone)]
pub struct Started {
    /// Its id.
    pub id: String,
    /// Its payment reference.
    pub reference: String,
    /// What it asks.
    pub cents: i64,
}

/// Sends a request to the platform API.
async fn call(stage: &Stage, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Answer> {
    let mut headers = vec![("authorization", format!("Bearer {}", stage.key))];
    let bytes = body.map(|body| {
        headers.push(("content-type", "application/json".to_owned()));
        body.to_string().into_bytes()
    });
    send(stage.public, method, path, &headers, &bytes.unwrap_or_default()).await
}

async fn create(stage: &Stage, path: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = call(stage, "POST", path, Some(body)).await?;
    ensure!(
        answer.status == 201,
        "{path} answered {}: {}",
        answer.status,
        answer.body
    );
    answer.json()
}

/// Registers an organisation and starts an activation.
///
/// # Errors
/// When the API refuses.
pub async fn start(stage: &Stage, company: &Company<'_>, method: &str, language: &str) -> anyhow::Result<Started> {
    let trade_names: Vec<&str> = company.trade_name.into_iter().collect();
    let organisation = create(
        stage,
        "/v1/organisations",
        &json!({
            "environment": "demo", "legal_name": company.name, "trade_names": trade_names, "legal_form": company.form,
            "country": "NL", "names_source": "register",
            "identifiers": [{"scheme": "NL:KVK", "value": company.kvk}],
            "creator": {"name": "A. Demo", "email": "demo@example.nl", "language": language, "role": "administrator"}
        }),
    )
    .await?;
    let id = organisation
        .get("id")
        .and_then(Value::as_str)
        .context("the organisation has no id")?;
    let activation = create(
        stage,
        &format!("/v1/organisations/{id}/activations"),
        &json!({"method": method}),
    )
    .await?;
    let text = |key: &str| {
        activation
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned)
            .context("the activation lacks a field")
    };
    Ok(Started {
        id: text("id")?,
        reference: text("reference")?,
        cents: if method == "ideal" { 1 } else { 1815 },
    })
}

/// How an activation stands.
///
/// # Errors
/// When the API refuses.
pub async fn look(stage: &Stage, started: &Started) -> anyhow::Result<Value> {
    let answer = call(stage, "GET", &format!("/v1/activations/{}", started.id), None).await?;
    ensure!(
        answer.status == 200,
        "reading the activation answered {}",
        answer.status
    );
    answer.json()
}

/// All that is known of an activation.
///
/// # Errors
/// When the API refuses.
pub async fn explanation(stage: &Stage, started: &Started) -> anyhow::Result<Value> {
    let path = format!("/v1/activations/{}/explanation", started.id);
    let answer = call(stage, "GET", &path, None).await?;
    ensure!(answer.status == 200, "reading the record answered {}", answer.status);
    answer.json()
}

/// Where an activation stands.
pub fn state(activation: &Value) -> &str {
    activation.get("state").and_then(Value::as_str).unwrap_or_default()
}

/// Waits until an activation stands somewhere, and its e-mail of this kind has been sent.
///
/// # Errors
/// When that doesn't happen in time.
pub async fn until(stage: &Stage, started: &Started, wanted: &str, email: &str) -> anyhow::Result<Value> {
    let begun = Instant::now();
    loop {
        let activation = look(stage, started).await?;
        if state(&activation) == wanted && emails(&activation, email) > 0 {
            return Ok(activation);
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "expected {wanted} with e-mail {email}; it is {} with {}",
            state(&activation),
            activation.get("emails").map(Value::to_string).unwrap_or_default()
        );
        tokio::time::sleep(LOOK).await;
    }
}

/// How many e-mails of a kind have been sent.
pub fn emails(activation: &Value, kind: &str) -> usize {
    let all = activation.get("emails").and_then(Value::as_array);
    let is = |email: &&Value, key: &str, wanted: &str| email.get(key).and_then(Value::as_str) == Some(wanted);
    all.into_iter()
        .flatten()
        .filter(|email| is(email, "kind", kind) && is(email, "state", "sent"))
        .count()
}

/// Waits for the e-mail with the link, opens the link (which changes nothing), and clicks.
///
/// # Errors
/// When there is no such e-mail, or the page isn't as it should be.
pub async fn round_off(stage: &Stage, started: &Started) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mail = loop {
        if let Some(mail) = mailbox::with_link(&stage.mail(), &started.reference, "/round-off/") {
            break mail;
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no e-mail with a link about {} in {}",
            started.reference,
            stage.mail().display()
        );
        tokio::time::sleep(LOOK).await;
    };
    let address = mail.first_address().context("the e-mail has no link")?;
    let path = address
        .find("/round-off/")
        .and_then(|at| address.get(at..))
        .context("the link is of another kind")?;
    let page = send(stage.public, "GET", path, &[], b"").await?;
    ensure!(
        page.status == 200 && page.body.contains("<form"),
        "opening the link answered {}",
        page.status
    );
    ensure!(
        state(&look(stage, started).await?) == "awaiting_confirmation",
        "opening the link changed something"
    );
    let done = send(stage.public, "POST", path, &[], b"").await?;
    ensure!(done.status == 200, "the click answered {}", done.status);
    Ok(())
}
