//! What is measured, for `/metrics`.
//!
//! Answers come from memory. What waits in the store is asked each time, with a short limit: when the
//! store hangs, the last known numbers are shown, and `eencent_store_answers` is 0.

pub mod known;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use eencent_activations::clock::Clock;
use eencent_activations::desk::operations::Silent;
use eencent_activations::ledger::Work;
use eencent_activations::store::Store;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// How long the store may take over it.
const PATIENCE: Duration = Duration::from_secs(1);

/// For what is measured in seconds.
const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// For how many share a commit.
const GROUPS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// For decisions, which may have waited for a name or for the register.
const DECISIONS: [f64; 12] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0, 3_600.0, 86_400.0,
];

/// The measurements of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    known: Arc<Mutex<HashSet<String>>>,
    silent: Arc<Mutex<HashSet<String>>>,
}

/// Measuring can't begin.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// The recorder can't be made.
    #[error("the metrics can't be set up")]
    Build(#[from] BuildError),
    /// There is one already.
    #[error("the metrics were set up twice")]
    Twice,
}

impl Metrics {
    /// Begins measuring in this process.
    ///
    /// # Errors
    /// When it has begun already.
    pub fn start() -> Result<Self, MetricsError> {
        let full = |name: &str| Matcher::Full(name.to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)?
            .set_buckets_for_metric(full("eencent_inbox_group"), &GROUPS)?
            .set_buckets_for_metric(full("eencent_decision_seconds"), &DECISIONS)?
            .build_recorder();
        let handle = recorder.handle();
        ::metrics::set_global_recorder(recorder).map_err(|_| MetricsError::Twice)?;
        known::describe();
        let version = env!("CARGO_PKG_VERSION");
        ::metrics::gauge!("eencent_build_info", "version" => version).set(1.0);
        Ok(Self {
            handle,
            known: Arc::default(),
            silent: Arc::default(),
        })
    }

    /// Everything, in Prometheus' text format.
    pub async fn render(&self, store: &Store, clock: &dyn Clock) -> String {
        let (answered, paused, silent) = tokio::join!(
            tokio::time::timeout(PATIENCE, store.waiting(clock.now())),
            tokio::time::timeout(PATIENCE, store.paused()),
            tokio::time::timeout(PATIENCE, store.silent(clock.now())),
        );
        if let Ok(Ok(silent)) = silent {
            self.show_silent(&silent);
        }
        if let Ok(Ok(paused)) = paused {
            for work in Work::ALL {
                let is = f64::from(u8::from(paused.iter().any(|one| one.work == *work)));
                ::metrics::gauge!("eencent_work_paused", "work" => work.as_str()).set(is);
                if *work == Work::Email {
                    ::metrics::gauge!("eencent_mail_stopped").set(is);
                }
            }
        }
        let answers = match answered {
            Ok(Ok(waiting)) => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                for gone in known.iter().filter(|what| waiting.iter().all(|row| row.what != **what)) {
                    set(gone, 0.0, 0.0);
                }
                for row in &waiting {
                    // Counts of rows are far below where a float loses a unit.
                    #[expect(clippy::cast_precision_loss, reason = "counts of rows are small")]
                    set(&row.what, row.count as f64, row.oldest.as_secs_f64());
                    known.insert(row.what.clone());
                }
                1.0
            }
            Ok(Err(_)) | Err(_) => 0.0,
        };
        ::metrics::gauge!("eencent_store_answers").set(answers);
        self.handle.run_upkeep();
        self.handle.render()
    }

    fn show_silent(&self, silent: &[Silent]) {
        let mut shown = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        let set = |endpoint: &str, minutes: i64| {
            // Minutes of a week at most.
            #[expect(clippy::cast_precision_loss, reason = "minutes of a week are few")]
            ::metrics::gauge!("eencent_endpoint_silent_seconds", "endpoint" => endpoint.to_owned())
                .set(minutes as f64 * 60.0);
        };
        for spoke in shown
            .iter()
            .filter(|name| silent.iter().all(|one| one.endpoint != **name))
        {
            set(spoke, 0);
        }
        for one in silent {
            set(&one.endpoint, one.minutes);
            shown.insert(one.endpoint.clone());
        }
    }
}

fn set(what: &str, count: f64, oldest: f64) {
    ::metrics::gauge!("eencent_waiting", "what" => what.to_owned()).set(count);
    ::metrics::gauge!("eencent_waiting_oldest_seconds", "what" => what.to_owned()).set(oldest);
}
