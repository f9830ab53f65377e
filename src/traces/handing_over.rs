//! Handing spans over to the collector: OTLP over HTTP, protobuf, in batches.
//!
//! Nothing waits for it but a stop, and that not for long. A collector that is away is tried again a few times; what
//! it doesn't take then is dropped, and counted, like what finds no room while one that hangs is waited for.

use std::time::Duration;

use eencent_activations::reread::{ApiRequest, Method};
use eencent_jobs::{ApiClient, Unanswered};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use prost::Message as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Most spans of one batch.
const BATCH: usize = 512;

/// How long spans wait for others to share a batch.
const GATHER: Duration = Duration::from_secs(1);

/// After a batch was not taken, it is tried again after these.
const AGAIN: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// The most that a stop waits for what is left to be taken.
const AT_THE_END: Duration = Duration::from_secs(5);

/// A collector that stays away is told of no more often.
const TOLD_EVERY: Duration = Duration::from_secs(300);

/// Where spans go: the whole address. Prints without what may be a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector(String);

/// Why spans were not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// There was no answer.
    #[error("the collector can't be reached: {0}")]
    Unreachable(String),
    /// It answered so.
    #[error("the collector answered {0}")]
    Answered(u16),
}

impl NotTaken {
    /// Whether the same batch may be taken later: by the statuses that OTLP says this of.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Answered(status) => matches!(status, 429 | 502..=504),
        }
    }
}

impl Collector {
    /// At this base, or at this very address where it has a path; `None` where it is neither.
    pub fn at(written: &str) -> Option<Self> {
        let rest = written
            .strip_prefix("http://")
            .or_else(|| written.strip_prefix("https://"))?;
        let usable = !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(|c: char| c.is_whitespace() || c == '?' || c == '#');
        let (_, path) = rest.split_once('/').unwrap_or((rest, ""));
        usable.then(|| match path {
            "" => Self(format!("{}/v1/traces", written.trim_end_matches('/'))),
            _ => Self(written.to_owned()),
        })
    }

    /// The address, without what stands before an `@`.
    pub fn shown(&self) -> String {
        match self.0.split_once("://") {
            Some((scheme, rest)) => format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host)),
            None => String::new(),
        }
    }

    /// Whether it takes a batch, and how many spans of it not; one without spans, to see whether it would.
    ///
    /// # Errors
    /// [`NotTaken`].
    pub async fn takes(&self, client: &ApiClient, batch: &ExportTraceServiceRequest) -> Result<usize, NotTaken> {
        let request = ApiRequest {
            method: Method::Post,
            url: self.0.clone(),
            headers: vec![("content-type", "application/x-protobuf".to_owned())],
            body: batch.encode_to_vec(),
        };
        let answer = client.ask(&request).await.map_err(|unanswered| {
            NotTaken::Unreachable(match unanswered {
                Unanswered::Unreachable(why) => why,
                Unanswered::TooSlow => "it doesn't answer".to_owned(),
                Unanswered::TooLarge => "its answer has no end".to_owned(),
            })
        })?;
        match answer.status {
            200..=299 => {
                let said = ExportTraceServiceResponse::decode(answer.body.as_slice()).unwrap_or_default();
                let refused = said.partial_success.map_or(0, |some| some.rejected_spans);
                Ok(usize::try_from(refused).unwrap_or(0))
            }
            status => Err(NotTaken::Answered(status)),
        }
    }
}

impl std::fmt::Debug for Collector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Spans that were dropped, and why.
pub fn dropped(why: &'static str, many: usize) {
    if many == 0 {
        return;
    }
    metrics::counter!("eencent_spans_dropped_total", "why" => why).increment(many.try_into().unwrap_or(u64::MAX));
}

/// What hands over, before it is started.
pub struct HandingOver {
    collector: Collector,
    resource: ResourceAttributesWithSchema,
    spans: mpsc::Receiver<SpanData>,
    client: ApiClient,
    /// When it was last told that the collector is away; `None` while it isn't.
    told: Option<Instant>,
}

/// What hands over, on its own.
pub struct Running {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl Running {
    /// Hands over what is left, or drops it after five seconds.
    pub async fn finish(self) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(AT_THE_END, self.task).await.is_err() {
            abort.abort();
            tracing::warn!("the last spans were dropped: the collector didn't take them in time");
        }
    }
}

impl HandingOver {
    pub(super) fn new(collector: Collector, resource: &Resource, spans: mpsc::Receiver<SpanData>) -> Self {
        Self {
            collector,
            resource: resource.into(),
            spans,
            client: ApiClient::new(),
            told: None,
        }
    }

    pub(super) fn start(self) -> Running {
        let stop = CancellationToken::new();
        let task = tokio::spawn(self.run(stop.clone()));
        Running { task, stop }
    }

    async fn run(mut self, stop: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let gathered = Instant::now() + GATHER;
            while batch.len() < BATCH {
                let room = BATCH - batch.len();
                tokio::select! {
                    came = self.spans.recv_many(&mut batch, room) => if came == 0 { break },
                    () = tokio::time::sleep_until(gathered) => break,
                    () = stop.cancelled() => {
                        while batch.len() < BATCH && let Ok(span) = self.spans.try_recv() {
                            batch.push(span);
                        }
                        break;
                    }
                }
            }
            if batch.is_empty() && stop.is_cancelled() {
                return;
            }
            self.hand_over(&mut batch, &stop).await;
        }
    }

    async fn hand_over(&mut self, batch: &mut Vec<SpanData>, stop: &CancellationToken) {
        let many = batch.len();
        if many == 0 {
            return;
        }
        let spans = std::mem::take(batch);
        let request = ExportTraceServiceRequest {
            resource_spans: group_spans_by_resource_and_scope(spans, &self.resource),
        };
        let mut pauses = AGAIN.into_iter();
        loop {
            match self.collector.takes(&self.client, &request).await {
                Ok(refused) => {
                    dropped("not_taken", refused);
                    if self.told.take().is_some() {
                        tracing::info!("the collector takes spans again");
                    }
                    return;
                }
                Err(error) => {
                    self.tell(&error);
                    let pause = pauses.next().filter(|_| error.may_pass() && !stop.is_cancelled());
                    let Some(pause) = pause else {
                        return dropped("not_taken", many);
                    };
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        () = stop.cancelled() => {}
                    }
                }
            }
        }
    }

    fn tell(&mut self, error: &NotTaken) {
        if self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY) {
            let collector = self.collector.shown();
            tracing::warn!(collector, %error, "spans are not taken; nothing else is held up, what has no room is dropped");
            self.told = Some(Instant::now());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_gets_the_path_of_the_protocol_and_an_address_is_kept() {
        for (written, whole) in [
            ("http://localhost:4318", "http://localhost:4318/v1/traces"),
            ("http://localhost:4318/", "http://localhost:4318/v1/traces"),
            (
                "https://otlp.example/otlp/v1/traces",
                "https://otlp.example/otlp/v1/traces",
            ),
        ] {
            assert_eq!(Collector::at(written).unwrap().0, whole);
        }
        for bad in [
            "",
            "localhost:4318",
            "grpc://localhost:4317",
            "http://",
            "http:///v1",
            "http://a b",
            "http://a/?b",
        ] {
            assert_eq!(Collector::at(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_password_in_the_address_is_not_shown() {
        let collector = Collector::at("https://12345:secret@otlp.example").unwrap();
        assert_eq!(format!("{collector:?}"), "https://otlp.example/v1/traces");
    }
}
