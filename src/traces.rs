//! Traces: what becomes of a notification, from the request to the e-mail, as OpenTelemetry has it.
//!
//! The spans are those of the log; a layer beside it makes a trace of them, where `traces.endpoint` is set. Rows carry
//! a trace from one process to the next (`eencent_activations::trace`). What is put out passes through [`leaving`],
//! which lets only what it knows leave the house, and goes by [`handing_over`] to the collector. `docs/traces.md` is
//! what operators read.

pub mod handing_over;
mod leaving;

use std::time::Duration;

use eencent_activations::clock::{Clock as _, SystemClock};
use eencent_activations::entropy::{OsEntropy, new_id};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};
use tokio::sync::mpsc;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use crate::serve::Role;
use crate::settings::Traces as Settings;
use handing_over::{HandingOver, dropped};

/// Most spans that wait to be handed over, some 5 MB; what ends while there is no room is dropped, and counted.
const WAITING_ROOM: usize = 8_192;

/// The traces of this process, which are yet to be handed over.
pub struct Traces {
    provider: SdkTracerProvider,
    handing_over: HandingOver,
}

impl Traces {
    /// Begins to make them, where the settings say to whom they go.
    pub fn begin(settings: &Settings, role: Role) -> Option<Self> {
        let collector = settings.collector.clone()?;
        let (to, from) = mpsc::channel(WAITING_ROOM);
        let resource = resource(settings, role);
        let all = Sampler::TraceIdRatioBased(1.0 / f64::from(settings.one_in));
        let provider = SdkTracerProvider::builder()
            // Who began a trace has said whether it is put out; the others keep to that.
            .with_sampler(Sampler::ParentBased(Box::new(all)))
            .with_span_processor(Leaving { to })
            .build();
        Some(Self {
            provider,
            handing_over: HandingOver::new(collector, &resource, from),
        })
    }

    /// What makes spans of the log's spans: of those that [`leaving`] knows, whatever is logged.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let tracer: SdkTracer = self.provider.tracer("eencent");
        let ours = filter_fn(|span: &Metadata<'_>| {
            span.is_span() && span.target().starts_with("eencent") && leaving::is_known(span.name())
        });
        tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_filter(ours.with_max_level_hint(LevelFilter::DEBUG))
            .boxed()
    }

    /// Hands them over from now on, on the current tokio runtime.
    pub fn hand_over(self) -> handing_over::Running {
        self.handing_over.start()
    }
}

/// Who it is that puts them out.
fn resource(settings: &Settings, role: Role) -> Resource {
    let mut said = vec![
        KeyValue::new("service.name", settings.service.clone()),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("eencent.role", role.name()),
    ];
    // Two processes of one role are told apart by it, and one before and after a restart.
    if let Ok(id) = new_id("prc", SystemClock.now(), &OsEntropy) {
        said.push(KeyValue::new("service.instance.id", id));
    }
    Resource::builder_empty().with_attributes(said).build()
}

/// Where a span goes when it ends. Never waits.
#[derive(Debug)]
struct Leaving {
    to: mpsc::Sender<SpanData>,
}

impl SpanProcessor for Leaving {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if let Some(span) = leaving::as_it_leaves(span)
            && self.to.try_send(span).is_err()
        {
            dropped("no_room", 1);
        }
    }

    // What is waiting is handed over by whoever has the other end.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}
