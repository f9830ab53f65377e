//! Every measurement of the program, with what it says. `docs/metrics.md` lists the same; a test compares them.

/// What kind of measurement it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Goes up only.
    Counter,
    /// Goes up and down.
    Gauge,
    /// How often which value was measured.
    Histogram,
}

/// A measurement.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
}

const fn known(kind: Kind, name: &'static str, help: &'static str) -> Known {
    Known { name, kind, help }
}

use Kind::{Counter, Gauge, Histogram};

/// All of them, as the page has them.
pub const ALL: &[Known] = &[
    known(
        Counter,
        "eencent_webhook_requests_total",
        "Requests to webhook endpoints, by what came of them.",
    ),
    known(
        Counter,
        "eencent_webhook_refused_total",
        "Webhook requests that were not believed, by reason.",
    ),
    known(
        Gauge,
        "eencent_webhook_clock_doubted",
        "Whether rightly signed webhook requests are refused for their time (1): check this machine's clock.",
    ),
    known(
        Gauge,
        "eencent_endpoint_silent_seconds",
        "How long nothing has come from an endpoint, where that is unusually long; 0 again when something comes.",
    ),
    known(
        Counter,
        "eencent_events_set_apart_total",
        "Events that were set apart on arrival, for a person.",
    ),
    known(Histogram, "eencent_inbox_group", "How many requests shared a commit."),
    known(
        Counter,
        "eencent_decisions_total",
        "Decisions on payments: clear, unclear or paid_in_part.",
    ),
    known(
        Counter,
        "eencent_decision_reasons_total",
        "Reasons of decisions that were not clear, by code.",
    ),
    known(
        Histogram,
        "eencent_decision_seconds",
        "From the receipt of the last payment that a decision was made on until the decision.",
    ),
    known(
        Counter,
        "eencent_moves_total",
        "Moves of activations, by what happened and where it led.",
    ),
    known(
        Counter,
        "eencent_emails_total",
        "Attempts to hand over an e-mail: sent, again, maybe_sent or given_up.",
    ),
    known(
        Counter,
        "eencent_emails_put_off_total",
        "How often an e-mail was put off because a minute had as many as mail.most_a_minute says.",
    ),
    known(
        Gauge,
        "eencent_mail_stopped",
        "Whether e-mails are held back (1) or go (0).",
    ),
    known(
        Gauge,
        "eencent_work_paused",
        "Whether a kind of work is held back (1) or goes (0).",
    ),
    known(
        Counter,
        "eencent_deliveries_total",
        "Attempts to deliver an event to the platform: delivered, again or given_up.",
    ),
    known(
        Counter,
        "eencent_register_questions_total",
        "Questions to trade registers, by what came of them.",
    ),
    known(
        Gauge,
        "eencent_waiting",
        "Rows that wait, by what they wait for: a kind of work, a state of activations, quarantined or unallocated.",
    ),
    known(
        Gauge,
        "eencent_waiting_oldest_seconds",
        "Age of the oldest row that waits, by what it waits for.",
    ),
    known(
        Counter,
        "eencent_jobs_total",
        "Attempts at rows, by kind of work and what came of them.",
    ),
    known(
        Histogram,
        "eencent_job_seconds",
        "How long an attempt took, with its claim and its record.",
    ),
    known(Gauge, "eencent_queue_depth", "Tasks in the queue, by kind of work."),
    known(
        Counter,
        "eencent_nudges_dropped_total",
        "Hints that found the queue busy; the sweep finds their rows.",
    ),
    known(
        Counter,
        "eencent_tasks_unread_total",
        "Tasks in the queue that could not be read; the sweep finds their rows.",
    ),
    known(
        Counter,
        "eencent_worker_restarts_total",
        "Workers of the queue that ended and were started again.",
    ),
    known(
        Counter,
        "eencent_dead_workers_total",
        "Processes that fell silent and whose claims were freed.",
    ),
    known(
        Counter,
        "eencent_purged_total",
        "Rows that were purged because their time had passed.",
    ),
    known(
        Gauge,
        "eencent_store_answers",
        "Whether the database answered when this was asked (1) or not (0).",
    ),
    known(
        Counter,
        "eencent_http_requests_total",
        "Answers over HTTP, by the pattern of the address.",
    ),
    known(Histogram, "eencent_http_seconds", "How long an answer took."),
    known(Gauge, "eencent_connections", "Open connections."),
    known(
        Counter,
        "eencent_connections_refused_total",
        "Connections that were closed because their address had as many as it may.",
    ),
    known(
        Counter,
        "eencent_spans_dropped_total",
        "Spans that didn't reach the collector of traces: no_room or not_taken.",
    ),
    known(Gauge, "eencent_build_info", "1, with the version of the program."),
];

/// Tells the recorder what each of them says.
pub fn describe() {
    for one in ALL {
        match one.kind {
            Counter => metrics::describe_counter!(one.name, one.help),
            Gauge => metrics::describe_gauge!(one.name, one.help),
            Histogram => metrics::describe_histogram!(one.name, one.help),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    fn sources(folder: &Path, found: &mut String) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !path.ends_with("metrics/known.rs") {
                found.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    #[test]
    fn what_is_measured_anywhere_is_known_and_what_is_known_is_measured() {
        let mut text = String::new();
        for folder in ["src", "activations/src", "webhooks/src", "jobs/src", "registers/src"] {
            sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut text);
        }
        let measured: BTreeSet<(&str, &str)> = ["counter", "gauge", "histogram"]
            .into_iter()
            .flat_map(|kind| {
                let calls = text.split(&format!("{kind}!(")).skip(1).collect::<Vec<_>>();
                let names = calls
                    .into_iter()
                    .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next());
                names.map(|name| (kind, name)).collect::<Vec<_>>()
            })
            .collect();
        let known: BTreeSet<(&str, &str)> = ALL.iter().map(|one| (word(one.kind), one.name)).collect();
        assert_eq!(known.len(), ALL.len(), "each once");
        assert_eq!(known, measured);
    }

    fn word(kind: Kind) -> &'static str {
        match kind {
            Counter => "counter",
            Gauge => "gauge",
            Histogram => "histogram",
        }
    }

    #[test]
    fn the_page_of_measurements_lists_each_with_its_kind_and_what_it_says() {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/metrics.md");
        let page = std::fs::read_to_string(page).unwrap();
        let rows: Vec<(String, String, String)> = page
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.strip_prefix("| `eencent_")?.split('|').map(str::trim).collect();
                let [name, kind, _, help, ""] = cells.as_slice() else {
                    return None;
                };
                Some((
                    format!("eencent_{}", name.trim_end_matches('`')),
                    (*kind).to_owned(),
                    (*help).to_owned(),
                ))
            })
            .collect();
        let known = ALL
            .iter()
            .map(|one| (one.name.to_owned(), word(one.kind).to_owned(), one.help.to_owned()));
        assert_eq!(rows, known.collect::<Vec<_>>());
    }
}
