//! `/openapi.json`: what stands at the addresses, and what holds for all of them.

use eencent_activations::state::MOVES;
use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::idempotency::LONGEST;

/// What each event tells, in the order of an activation's life.
const EVENTS: &[(&str, &str, &str)] = &[
    (
        "activation.invoiced",
        "awaiting_payment",
        "An activation was started by invoice.",
    ),
    (
        "activation.partly_paid",
        "awaiting_payment",
        "An activation was paid in part.",
    ),
    (
        "activation.under_review",
        "under_review",
        "An activation waits for a person.",
    ),
    ("activation.rejected", "rejected", "An activation was rejected."),
    (
        "activation.scheduled",
        "scheduled",
        "An activation takes effect at `due_at`.",
    ),
    (
        "activation.approved",
        "awaiting_confirmation",
        "An activation waits for the creator's click.",
    ),
    (
        "organisation.activated",
        "activated",
        "An activation is complete: the organisation is active.",
    ),
    (
        "activation.expired",
        "expired",
        "An activation wasn't completed in time.",
    ),
    ("activation.cancelled", "cancelled", "An activation was withdrawn."),
];

/// The document, whole: with the key that every POST may carry, the headers of refusals, and the events.
pub fn completed(document: &OpenApi) -> Value {
    let mut json = serde_json::to_value(document).unwrap_or_else(|error| {
        tracing::error!(%error, "the description of the API can't be written");
        json!({})
    });
    put(
        &mut json,
        &["components", "parameters"],
        "IdempotencyKey",
        idempotency_key(),
    );
    let paths = json.get_mut("paths").and_then(Value::as_object_mut);
    for (_, methods) in paths.into_iter().flatten() {
        for (method, operation) in methods.as_object_mut().into_iter().flatten() {
            if method == "post" {
                takes_a_key(operation);
            }
            if let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                answers
                    .iter_mut()
                    .for_each(|(status, answer)| with_headers(status, answer));
            }
        }
    }
    // Each event is this with a type of its own.
    let schemas = json.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    let of_all = schemas.and_then(|all| all.remove("Event")).unwrap_or_default();
    let events: Map<String, Value> = EVENTS
        .iter()
        .filter(|(kind, ..)| MOVES.iter().any(|row| row.told == Some(kind)))
        .map(|(kind, state, told)| ((*kind).to_owned(), event(&of_all, kind, state, told)))
        .collect();
    if let Some(root) = json.as_object_mut() {
        root.insert("webhooks".to_owned(), events.into());
    }
    json
}

fn put(json: &mut Value, path: &[&str], key: &str, value: Value) {
    let mut place = json;
    for step in path {
        let Some(object) = place.as_object_mut() else { return };
        place = object.entry(*step).or_insert_with(|| json!({}));
    }
    if let Some(object) = place.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key", "in": "header", "required": false,
        "description": "A text of your choice, such as a UUID, that is new for each request: sent again with it, the request is answered as the first time and not done again. Kept for a day, for each API key.",
        "schema": { "type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[!#-\[\]-~]+$" },
        "example": "8e03978e-40d5-43e8-bc93-6894a57f9324"
    })
}

fn takes_a_key(operation: &mut Value) {
    let Some(operation) = operation.as_object_mut() else {
        return;
    };
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        parameters.push(json!({ "$ref": "#/components/parameters/IdempotencyKey" }));
    }
    let Some(answers) = operation.get_mut("responses").and_then(Value::as_object_mut) else {
        return;
    };
    for (status, told) in [
        ("400", "The body can't be read, or `Idempotency-Key` isn't one."),
        (
            "409",
            "Not as things stand; or a request with this `Idempotency-Key` is being worked on.",
        ),
        ("413", "Too much."),
        (
            "422",
            "Not right yet: `errors` names the fields; or this `Idempotency-Key` came with another request.",
        ),
    ] {
        let problem = json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
        let answer = answers.entry(status).or_insert_with(|| json!({ "content": problem }));
        if let Some(answer) = answer.as_object_mut() {
            answer.insert("description".to_owned(), told.into());
        }
    }
    for (_, answer) in answers.iter_mut().filter(|(status, _)| status.starts_with('2')) {
        let header = json!({
            "description": "`true` when this was answered before, to the same request with the same `Idempotency-Key`.",
            "schema": { "type": "string", "const": "true" }
        });
        put(answer, &["headers"], "Idempotency-Replayed", header);
    }
}

fn with_headers(status: &str, answer: &mut Value) {
    let header =
        |told: &str, example: &str| json!({ "description": told, "schema": { "type": "string" }, "example": example });
    match status {
        "401" => put(
            answer,
            &["headers"],
            "WWW-Authenticate",
            header("How to say who calls.", "Bearer realm=\"eencent\""),
        ),
        "503" => put(
            answer,
            &["headers"],
            "Retry-After",
            header("After how many seconds to try again.", "10"),
        ),
        _ => {}
    }
}

fn event(of_all: &Value, kind: &str, state: &str, told: &str) -> Value {
    let mut schema = of_all.clone();
    put(
        &mut schema,
        &["properties"],
        "type",
        json!({ "type": "string", "const": kind }),
    );
    let header = |name: &str, told: &str, example: &str| {
        json!({ "name": name, "in": "header", "required": true, "description": told,
            "schema": { "type": "string" }, "example": example })
    };
    let due_at = (state != "awaiting_payment").then_some("2026-03-10T09:00:00Z");
    let mut example = json!({
        "type": kind,
        "timestamp": "2026-03-10T09:00:00Z",
        "data": {
            "activation": "act_01JD5W9A4H8S6P2M3N4B5V6C7X",
            "organisation": "org_01JD5W8Q7R5T4E3W2Q1A9S8D7F",
            "environment": "env-1",
            "identifier": { "scheme": "NL:KVK", "value": "12345678" },
            "reference": "RF48K7M29QTX4BCD",
            "method": if kind.ends_with("invoiced") || kind.ends_with("partly_paid") { "invoice" } else { "ideal" },
            "state": state,
            "due_at": due_at,
            "sequence": 4
        }
    });
    if kind == "activation.invoiced"
        && let Some(data) = example.get_mut("data").and_then(Value::as_object_mut)
    {
        let document =
            json!({ "number": "EC-000042", "url": "https://activate.example.nl/invoice/…", "ubl": "<Invoice xmlns=…" });
        data.insert("invoice".to_owned(), document);
    }
    json!({
        "post": {
            "operationId": format!("on_{}", kind.replace('.', "_")),
            "tags": ["events"],
            "summary": told,
            "description": "Posted to each endpoint of `[events]` in the settings that wants it, until it answers 2xx or three days have gone; those of one activation in order. An event may come twice: `webhook-id` tells.",
            "security": [],
            "parameters": [
                header("webhook-id", "The event's id, the same whenever it comes.", "out_01JD5W9A4H8S6P2M3N4B5V6C7X"),
                header("webhook-timestamp", "When this attempt was made, in seconds since 1970.", "1773133200"),
                header("webhook-signature", "As Standard Webhooks says; one for each secret.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
            ],
            "requestBody": {
                "required": true,
                "content": { "application/json": {
                    "schema": schema,
                    "example": example
                } }
            },
            "responses": {
                "2XX": { "description": "Taken." },
                "410": { "description": "Not wanted any more: given up at once." },
                "default": { "description": "Not taken: it comes again." }
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What is told, what is described here and what the page for people says are the same.
    #[test]
    fn every_event_that_is_told_is_described_and_no_other() {
        let told: BTreeSet<&str> = MOVES.iter().filter_map(|row| row.told).collect();
        let described: BTreeSet<&str> = EVENTS.iter().map(|(kind, ..)| *kind).collect();
        assert_eq!(told, described);
        let page = include_str!("../../../docs/events.md");
        let written: BTreeSet<&str> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
            .filter(|word| word.contains('.'))
            .collect();
        assert_eq!(told, written);
        for (kind, state, _) in EVENTS {
            let leads_there = MOVES
                .iter()
                .any(|row| row.told == Some(kind) && row.to.as_str() == *state);
            assert!(leads_there, "{kind} {state}");
        }
    }
}
