//! Where work stands in a trace: a notification is followed from the request to the e-mail, through rows that other
//! processes work on, perhaps days later.
//!
//! A row that waits for work keeps the [`TraceParent`] of what wrote it; the span of its [claim](crate::ledger::Claim)
//! goes on from there. Who puts traces out is the program's to say: where nobody does, there is nothing to go on from,
//! the columns stay empty, and all of this costs a look at a thread's own variable.
//!
//! What is noted on a span leaves the house. Ids, names from the settings, kinds, outcomes and numbers may be noted;
//! what a person typed, or a bank or server said, never.

use std::fmt;

use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, Value};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// A span by its place in its trace, as `traceparent` of W3C Trace Context says it, version 00.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceParent(SpanContext);

impl TraceParent {
    /// The span that this code runs in; `None` where no traces are put out.
    pub fn here() -> Option<Self> {
        Context::map_current(|context| {
            let span = context.span();
            let found = span.span_context();
            found.is_valid().then(|| Self(found.clone()))
        })
    }

    /// Reads what [`Display`](fmt::Display) wrote. `None` for anything else: a trace that can't be read must not keep
    /// its row from being worked on.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let written = version == "00" && trace.len() == 32 && span.len() == 16 && flags.len() == 2;
        if !written || parts.next().is_some() {
            return None;
        }
        let place = SpanContext::new(
            TraceId::from_hex(trace).ok()?,
            SpanId::from_hex(span).ok()?,
            TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
            // It was in another process, as far as this one can tell.
            true,
            TraceState::default(),
        );
        place.is_valid().then_some(Self(place))
    }

    /// The id of the trace, as a collector finds it.
    pub fn trace(&self) -> String {
        self.0.trace_id().to_string()
    }

    /// Whether both are of one trace.
    pub fn is_of_the_trace_of(&self, other: &Self) -> bool {
        self.0.trace_id() == other.0.trace_id()
    }

    /// Makes a span that was not entered yet a child of this one.
    pub fn goes_on_in(&self, span: &Span) {
        // Where nobody puts traces out, or this span is not among them, there is nothing to be done.
        let _ = span.set_parent(Context::new().with_remote_span_context(self.0.clone()));
    }

    /// Says in the span that this code runs in that it touches what this one is about, though of another trace.
    pub fn link_here(&self) {
        Context::map_current(|context| context.span().add_link(self.0.clone(), Vec::new()));
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = self.0.trace_flags() & TraceFlags::SAMPLED;
        write!(f, "00-{}-{}-{:02x}", self.0.trace_id(), self.0.span_id(), flags)
    }
}

/// [`TraceParent::here`] as a row keeps it.
pub fn here() -> Option<String> {
    TraceParent::here().map(|here| here.to_string())
}

/// Notes something on a span for the trace alone: the log doesn't repeat it in each line.
pub fn note(span: &Span, name: &'static str, value: impl Into<Value>) {
    span.set_attribute(name, value);
}

/// Says the id of the trace in each line that the log has of this span, in its field `trace`, which it has to have. For a
/// span that is new, and that goes on from where it will: after this it can't go on from elsewhere.
pub fn log_by(span: &Span) {
    let context = span.context();
    let place = context.span().span_context().clone();
    // Of what isn't put out there is nothing to be found by it.
    if place.is_valid() && place.is_sampled() {
        span.record("trace", tracing::field::display(place.trace_id()));
    }
}

/// Marks the span of something that did not work out. What went wrong stands in the log, and on the row.
pub fn failed(span: &Span) {
    span.set_status(Status::error(""));
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(TraceParent::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_no_place_in_a_trace_is_none() {
        for bad in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-1",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473x-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceParent::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn where_no_traces_are_put_out_nothing_is_anywhere() {
        let span = tracing::info_span!("job");
        let _inside = span.enter();
        assert_eq!(TraceParent::here(), None);
    }
}
