//! A collector of traces, over real HTTP: takes OTLP as a real one does, and keeps what it was told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;

use crate::server::{Installation, wait_for};

/// A span as the collector got it.
#[derive(Clone, Debug)]
pub struct Span {
    pub trace: String,
    pub id: String,
    /// Empty: it is where its trace begins.
    pub parent: String,
    pub name: String,
    /// The traces that it is linked with.
    pub links: Vec<String>,
    /// Of the span, and of the process that put it out.
    pub fields: BTreeMap<String, String>,
    pub failed: bool,
}

impl Span {
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    /// Everything, as it came; heads in lower case.
    bytes: Vec<u8>,
}

/// The collector; gone when the test is.
pub struct Collector {
    pub url: String,
    got: Arc<Mutex<Got>>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let got: Arc<Mutex<Got>> = Arc::default();
        let all = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let mut reader = BufReader::new(stream);
                let (mut head, mut line) = (String::new(), String::new());
                while reader.read_line(&mut line).unwrap_or(0) > 2 {
                    head.push_str(&line.to_lowercase());
                    line.clear();
                }
                let length = head.lines().find_map(|one| one.strip_prefix("content-length: "));
                let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
                reader.read_exact(&mut body).unwrap();
                let asked =
                    head.starts_with("post /v1/traces ") && head.contains("content-type: application/x-protobuf");
                let read = ExportTraceServiceRequest::decode(body.as_slice())
                    .ok()
                    .filter(|_| asked);
                let status = if read.is_some() { "200 OK" } else { "400 Bad Request" };
                if let Some(request) = read {
                    let mut all = all.lock().unwrap();
                    all.bytes.extend(head.bytes().chain(body));
                    all.spans.extend(spans(request));
                }
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let _ = reader.get_mut().write_all(answer.as_bytes());
            }
        });
        Self { url, got }
    }

    /// The same installation, with its traces going here.
    pub fn told(&self, home: Installation) -> Installation {
        home.with("TRACES__ENDPOINT", &self.url)
    }

    pub fn spans(&self) -> Vec<Span> {
        self.got.lock().unwrap().spans.clone()
    }

    /// The first span of a name that fits.
    pub fn first(&self, name: &str, fits: impl Fn(&Span) -> bool) -> Span {
        wait_for(&format!("the span {name}"), || {
            self.spans().into_iter().find(|span| span.name == name && fits(span))
        })
    }

    /// A trace, once it has so many spans.
    pub fn trace(&self, id: &str, many: usize) -> Vec<Span> {
        wait_for(&format!("{many} spans of one trace"), || {
            let mut spans = self.spans();
            spans.retain(|span| span.trace == id);
            (spans.len() >= many).then_some(spans)
        })
    }

    /// Whether these words came by, in anything.
    pub fn was_told(&self, words: &str) -> bool {
        let got = self.got.lock().unwrap();
        got.bytes.windows(words.len()).any(|found| found == words.as_bytes())
    }
}

/// Each span as `name < name of its parent`, sorted: the shape of a trace.
pub fn shape(trace: &[Span]) -> Vec<String> {
    let name_of = |id: &str| trace.iter().find(|span| span.id == id).map(|span| span.name.as_str());
    let mut lines: Vec<String> = trace
        .iter()
        .map(|span| match span.parent.as_str() {
            "" => span.name.clone(),
            parent => format!(
                "{} < {}",
                span.name,
                name_of(parent).unwrap_or("a span that did not come")
            ),
        })
        .collect();
    lines.sort();
    lines
}

fn spans(request: ExportTraceServiceRequest) -> Vec<Span> {
    let mut found = Vec::new();
    for process in request.resource_spans {
        let of_process = fields(&process.resource.unwrap().attributes);
        for span in process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            assert!(span.events.is_empty() && span.end_time_unix_nano >= span.start_time_unix_nano);
            let mut all = of_process.clone();
            all.extend(fields(&span.attributes));
            found.push(Span {
                trace: hex::encode(span.trace_id),
                id: hex::encode(span.span_id),
                parent: hex::encode(span.parent_span_id),
                name: span.name,
                links: span.links.into_iter().map(|link| hex::encode(link.trace_id)).collect(),
                fields: all,
                failed: span.status.is_some_and(|status| status.code == 2),
            });
        }
    }
    found
}

fn fields(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let value = |one: &KeyValue| match one.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{}: {other:?}", one.key),
    };
    attributes.iter().map(|one| (one.key.clone(), value(one))).collect()
}
