//! What happens after a notification is committed.
//!
//! The database is the truth: rows that wait to be worked on. Everything here looks at a row, claims
//! it, does what it asks for once, and writes down what came of it. Where to look is told by a
//! queue, which may forget; a sweep finds what it forgot.
//!
//! ```text
//!  desk, inbox ── nudge ──▶ queue ──▶ worker ──▶ attempt ──▶ a job ──▶ desk
//!                            ▲        (supervised)   │
//!  rows ────── sweep ────────┘                       └─▶ put back, given up, done
//!  clock ───── schedules ──▶ desk: reminders, expiry
//! ```
//!
//! | file | what it holds |
//! |---|---|
//! | `workers` | all of it put together: [`Workers`] |
//! | `queue/` | the queue, and all that is known of apalis; [`nudge`] |
//! | `supervisor` | keeps workers running, says when it can't: [`Health`] |
//! | `handler`, `attempt` | from a task to a claimed row to what came of it |
//! | `process_notification`, `carry_out_approval`, `send_email`, `read_back`, `make_checkout`, `fetch_names`, `deliver_event` | the jobs, each with its datasheet |
//! | `api_client` | the way to providers' APIs: [`ApiClient`] |
//! | `platform` | the way to the platform's endpoints, signed, and not into private networks |
//! | `heartbeat` | signs of life, by which processes know of each other |
//! | `sweep`, `schedules`, `purge` | what finds rows, and what happens at times of day |
//! | `mail/` | templates, previews, messages and their signatures, SMTP and files |
//! | `rows` | what the jobs see of `eencent-activations` |
//! | `backoff` | how long to wait before the next attempt |
//! | `settings`, `check` | [`Settings`], and whether what they say works: [`check()`] |
//!
//! # Starting it
//!
//! ```ignore
//! let settings = settings.validate()?;                     // all problems at once
//! let (hints, feeder) = eencent_jobs::nudge(10_000);       // first: the desk wants one end
//! let desk = Desk::new(store.clone(), clock.clone(), entropy.clone(), Arc::new(hints), rules);
//! let desks = Desks { store, desk, inbox, rereading, registers };
//! let workers = Workers::new(settings, desks, clock, entropy, feeder)?; // renders every template
//! let health = workers.health();                           // for readiness
//! workers.run(stop).await?;                                // an error: exit non-zero
//! ```
//!
//! # Metrics
//!
//! `jobs_total{work,outcome}`, `job_seconds{work}`, `worker_restarts_total{work}`,
//! `queue_depth{work}`, `nudges_dropped_total{work}`, `tasks_unread_total`,
//! `emails_total{kind,outcome}`, `emails_put_off_total` (by `mail.most_a_minute`; each time one is), `purged_total{kind}`. Logs and metrics carry ids, never names, addresses or accounts.

mod api_client;
mod attempt;
mod backoff;
mod carry_out_approval;
mod check;
mod deliver_event;
mod fetch_names;
mod handler;
mod heartbeat;
mod mail;
mod make_checkout;
mod platform;
mod process_notification;
mod purge;
mod queue;
mod read_back;
mod rows;
mod schedules;
mod send_email;
mod settings;
mod supervisor;
mod sweep;
mod workers;

#[cfg(test)]
mod testing;

pub use api_client::{ApiClient, Unanswered};
pub use check::{Found, check};
pub use mail::preview::Preview;
pub use mail::settings::MailSettings;
pub use platform::EndpointSettings;
pub use queue::{Feeder, QueueNudge, nudge};
pub use schedules::NextRun;
pub use settings::{Checked, JobsSettings, QueueSettings, Settings, SupportSettings};
pub use supervisor::{GaveUp, Health};
pub use workers::{Desks, Workers, WorkersError, tell};
