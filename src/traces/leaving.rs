//! What of a span leaves the house: the spans named here, with the fields named here, and nothing else. A field that
//! somebody adds to a span for the log doesn't leave by itself.
//!
//! What strangers can cause without having been believed is not put out: they could fill the collector, or the room
//! where spans wait for it. Neither is what asks every few seconds whether we are alive.

use std::borrow::Cow;

use opentelemetry::trace::SpanKind;
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents};

/// The spans: as the program has them, as they are called outside (empty: that depends on a field), and what they are.
const SPANS: &[(&str, &str, SpanKind)] = &[
    ("notification", "notification", SpanKind::Server),
    ("commit", "commit", SpanKind::Internal),
    ("job", "", SpanKind::Consumer),
    ("decision", "decide", SpanKind::Internal),
    ("hand_over", "hand over e-mail", SpanKind::Client),
    ("deliver", "post event", SpanKind::Client),
    ("request", "", SpanKind::Server),
];

/// The fields: as the program has them, and as they are called outside.
const FIELDS: &[(&str, &str)] = &[
    ("id", "eencent.id"),
    ("endpoint", "eencent.endpoint"),
    ("provider", "eencent.provider"),
    ("work", "eencent.work"),
    ("kind", "eencent.kind"),
    ("outcome", "eencent.outcome"),
    ("reasons", "eencent.reasons"),
    ("attempt", "eencent.attempt"),
    ("activation", "eencent.activation"),
    ("event", "eencent.event"),
    ("events", "eencent.events"),
    ("method", "http.request.method"),
    ("route", "http.route"),
    ("status", "http.response.status_code"),
];

/// What each kind of work does.
const WORK: &[(&str, &str)] = &[
    ("event", "process notification"),
    ("approval", "carry out approval"),
    ("email", "send e-mail"),
    ("reread", "read back"),
    ("checkout", "make checkout"),
    ("delivery", "deliver event"),
    ("names", "fetch names"),
];

/// What came of notifications that were believed.
const BELIEVED: [&str; 2] = ["accepted", "unavailable"];

/// Answers to whoever isn't known, or knows no address of ours.
const TURNED_AWAY: [i64; 5] = [401, 403, 404, 405, 429];

/// What machines ask all day.
const PROBES: [&str; 3] = ["/live", "/ready", "/metrics"];

/// Whether a span of this name leaves at all.
pub fn is_known(name: &str) -> bool {
    SPANS.iter().any(|(known, ..)| *known == name)
}

/// The span as it leaves; `None` where it stays.
pub fn as_it_leaves(mut span: SpanData) -> Option<SpanData> {
    let (known, name, kind) = SPANS.iter().find(|(known, ..)| *known == span.name)?;
    let name = {
        let said = |field: &str| said(&span.attributes, field);
        match *known {
            "notification" if !said("outcome").is_some_and(|outcome| BELIEVED.contains(&outcome.as_ref())) => {
                return None;
            }
            "request" => {
                let (method, route) = (said("method")?, said("route")?);
                let status: Option<i64> = said("status").and_then(|status| status.parse().ok());
                if PROBES.contains(&route.as_ref()) || status.is_none_or(|status| TURNED_AWAY.contains(&status)) {
                    return None;
                }
                Cow::Owned(format!("{method} {route}"))
            }
            "job" => Cow::Borrowed(
                WORK.iter()
                    .find(|(work, _)| said("work").is_some_and(|is| is == *work))?
                    .1,
            ),
            _ => Cow::Borrowed(*name),
        }
    };
    span.name = name;
    span.span_kind = kind.clone();
    span.attributes = std::mem::take(&mut span.attributes)
        .into_iter()
        .filter_map(called_outside)
        .collect();
    // The lines of the log stay in the log.
    span.events = SpanEvents::default();
    Some(span)
}

fn said<'a>(attributes: &'a [KeyValue], field: &str) -> Option<Cow<'a, str>> {
    let found = attributes.iter().find(|one| one.key.as_str() == field)?;
    Some(found.value.as_str())
}

fn called_outside(one: KeyValue) -> Option<KeyValue> {
    let (field, outside) = FIELDS.iter().find(|(field, _)| *field == one.key.as_str())?;
    // A caller may give a request an id of his own, and say anything in it.
    let stays = *field == "id" && !is_made_here(&one.value);
    (!stays).then(|| KeyValue::new(*outside, one.value))
}

/// Whether an id is made as ours are: `req_01JD5W9A4H8S6P0D2E7XGK5NQM`, with more behind it or not.
fn is_made_here(id: &Value) -> bool {
    let id = id.as_str();
    let Some((prefix, rest)) = id.split_once('_') else {
        return false;
    };
    let ulid = rest.split('_').next().unwrap_or_default();
    let capitals = |text: &str| text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    prefix.len() == 3 && prefix.chars().all(|c| c.is_ascii_lowercase()) && ulid.len() == 26 && capitals(ulid)
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::InstrumentationScope;
    use opentelemetry::trace::{SpanContext, SpanId, Status};
    use opentelemetry_sdk::trace::SpanLinks;
    use std::time::SystemTime;

    const REQUEST: &str = "req_01JD5W9A4H8S6P0D2E7XGK5NQM";

    fn span(name: &'static str, fields: &[(&'static str, &'static str)]) -> SpanData {
        SpanData {
            span_context: SpanContext::NONE,
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Internal,
            name: name.into(),
            start_time: SystemTime::UNIX_EPOCH,
            end_time: SystemTime::UNIX_EPOCH,
            attributes: fields
                .iter()
                .map(|(name, value)| KeyValue::new(*name, *value))
                .collect(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: InstrumentationScope::default(),
        }
    }

    fn leaves(name: &'static str, fields: &[(&'static str, &'static str)]) -> Option<(String, Vec<String>)> {
        let span = as_it_leaves(span(name, fields))?;
        let fields = span.attributes.iter().map(|one| format!("{}={}", one.key, one.value));
        Some((span.name.to_string(), fields.collect()))
    }

    #[test]
    fn a_field_that_is_not_known_stays() {
        let (name, fields) = leaves("job", &[("work", "email"), ("recipient", "jan@example.nl")]).unwrap();
        assert_eq!(
            (name.as_str(), fields),
            ("send e-mail", vec!["eencent.work=email".to_owned()])
        );
    }

    #[test]
    fn a_span_that_is_not_known_stays() {
        assert!(leaves("statement", &[("sql", "SELECT 1")]).is_none());
        assert!(!is_known("statement"));
    }

    #[test]
    fn an_id_that_a_caller_gave_stays_and_ours_leaves() {
        let asked = |id| {
            leaves(
                "request",
                &[("id", id), ("method", "POST"), ("route", "/v1"), ("status", "200")],
            )
            .unwrap()
        };
        assert_eq!(asked("NL91ABNA0417164300").1.len(), 3);
        assert_eq!(asked(REQUEST).1[0], format!("eencent.id={REQUEST}"));
        assert!(is_made_here(&"evt_01JD5W9A4H8S6P0D2E7XGK5NQM_0".into()));
    }

    #[test]
    fn what_was_not_believed_stays() {
        for outcome in ["not_authentic", "too_many_unproven", "body_too_large"] {
            assert!(leaves("notification", &[("outcome", outcome)]).is_none(), "{outcome}");
        }
        assert!(leaves("notification", &[]).is_none());
        assert!(leaves("notification", &[("outcome", "accepted")]).is_some());
    }

    #[test]
    fn probes_and_who_was_turned_away_stay() {
        let asked = |route, status| leaves("request", &[("method", "GET"), ("route", route), ("status", status)]);
        assert!(asked("/ready", "200").is_none());
        assert!(asked("/v1/activations", "401").is_none());
        assert_eq!(asked("/v1/activations", "500").unwrap().0, "GET /v1/activations");
    }
}
