//! `eencent audit verify|list|export`

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use csv::Writer;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::Desk;
use eencent_activations::desk::audit_trail::{AuditEntry, AuditFilter, AuditHead, Chain};

use super::cells::cell;
use super::offline;
use crate::settings::Settings;

/// What to do with the audit.
#[derive(Subcommand)]
pub enum Act {
    /// Read all of it, and say whether it is as it was written.
    Verify {
        /// The hash of an entry that was kept elsewhere, as `export` and `verify` print it (NUMBER:HASH, or the hash
        /// alone): it has to be there still.
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// List entries, the newest first.
    List {
        #[command(flatten)]
        which: Which,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Write entries to standard output, the oldest first; the head goes to standard error.
    Export {
        #[command(flatten)]
        which: Which,
        /// As what.
        #[arg(long, value_enum, default_value_t = Format::Jsonl)]
        format: Format,
    },
}

/// Which entries.
#[derive(Args)]
pub struct Which {
    /// From this moment on: 2026-11-21, or 2026-11-21T09:00:00Z. A day begins at midnight UTC.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    since: Option<Timestamp>,
    /// Before this moment.
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<Timestamp>,
    /// Whose name has this in it.
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Of this act, as `list` shows it.
    #[arg(long)]
    act: Option<String>,
    /// About this id.
    #[arg(long, value_name = "ID")]
    subject: Option<String>,
}

/// How entries are written.
#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    /// A JSON object on each line, with all that is hashed.
    Jsonl,
    /// A table for a spreadsheet.
    Csv,
}

/// So many entries are read at once.
const PAGE: u32 = 500;

fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || {
        let midnight = text.parse::<NaiveDate>().ok()?.and_hms_opt(0, 0, 0)?;
        Some(Timestamp::from_micros(midnight.and_utc().timestamp_micros()))
    };
    Timestamp::parse_rfc3339(text)
        .or_else(day)
        .ok_or_else(|| "write a day as 2026-11-21, or a moment as 2026-11-21T09:00:00Z".to_owned())
}

/// Does it.
///
/// # Errors
/// When the database can't be used, or standard output not be written.
pub async fn run(act: Act, settings: Settings) -> anyhow::Result<ExitCode> {
    let (store, desk) = offline::desk_of_existing(&settings).await?;
    let done = act_on(act, &desk).await;
    store.close().await;
    done
}

async fn act_on(act: Act, desk: &Desk) -> anyhow::Result<ExitCode> {
    match act {
        Act::Verify { head } => verify(head.as_deref(), desk).await,
        Act::List { which, limit } => {
            let filter = AuditFilter {
                newest_first: true,
                limit,
                ..which.filter()
            };
            let found = desk.audit(&filter).await?;
            if found.is_empty() {
                println!("There are no such entries.");
            }
            for entry in &found {
                println!("{}", line(entry));
            }
            Ok(ExitCode::SUCCESS)
        }
        Act::Export { which, format } => {
            let mut to = sink(format)?;
            let mut filter = AuditFilter {
                limit: PAGE,
                ..which.filter()
            };
            // What is written from now on isn't bound by this head.
            let head = desk.audit_head().await?;
            loop {
                let mut entries = desk.audit(&filter).await?;
                let full = entries.len() == PAGE as usize;
                entries.retain(|entry| entry.number <= head.number);
                for entry in &entries {
                    to.write(entry).context(PIPE)?;
                }
                match entries.last() {
                    Some(last) if full => filter.beyond = Some(last.number),
                    _ => break,
                }
            }
            to.end().context(PIPE)?;
            eprintln!("head {}", told(&head));
            Ok(ExitCode::SUCCESS)
        }
    }
}

const PIPE: &str = "can't write to standard output; is the disk full, or was the reader ended?";

async fn verify(kept: Option<&str>, desk: &Desk) -> anyhow::Result<ExitCode> {
    let kept = kept.map(|kept| kept.rsplit(':').next().unwrap_or(kept).trim());
    if let Some(kept) = kept
        && (kept.len() != 64 || !kept.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        anyhow::bail!("--head is 64 hexadecimal digits, as `eencent audit export` prints them");
    }
    match desk.verify_audit(kept, |_| ()).await? {
        Chain::Unbroken { head, .. } if head.number == 0 => println!("There is no entry yet."),
        Chain::Unbroken {
            head,
            last_at,
            taken_out,
        } => {
            let at = last_at.map(|at| format!(", {at}")).unwrap_or_default();
            println!("{} entries, unbroken up to the last one{at}.", head.number);
            if taken_out > 0 {
                println!("The reasons of {taken_out} were taken out, to forget a person; what binds them is whole.");
            }
            if kept.is_some() {
                println!("The entry that was kept is among them.");
            }
            println!("head {}", told(&head));
        }
        Chain::Broken { number, fault } => {
            println!("Entry {number} {}.", fault.as_str());
            println!("Those before it are as they were written. Compare with a backup or an export from before.");
            return Ok(ExitCode::FAILURE);
        }
        Chain::NotTheKept => {
            println!(
                "The entries fit each other, but none has the hash that was kept: the audit was written anew since,"
            );
            println!("or it is another database, or a backup from before that entry was put back.");
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Which {
    fn filter(self) -> AuditFilter {
        AuditFilter {
            since: self.since,
            until: self.until,
            actor: self.actor,
            act: self.act,
            subject: self.subject,
            ..AuditFilter::default()
        }
    }
}

/// As it is to be kept elsewhere.
fn told(head: &AuditHead) -> String {
    format!("{}:{}", head.number, head.hash)
}

fn line(entry: &AuditEntry) -> String {
    let reason: String = entry
        .reason
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let why = if reason.is_empty() {
        String::new()
    } else {
        format!(": {reason}")
    };
    format!(
        "{:>6}  {}  {}  {}  {}{why}",
        entry.number, entry.at, entry.actor, entry.act, entry.subject
    )
}

/// Where an export goes.
enum Sink {
    Jsonl(io::BufWriter<io::Stdout>),
    Csv(Box<Writer<io::Stdout>>),
}

fn sink(format: Format) -> anyhow::Result<Sink> {
    Ok(match format {
        Format::Jsonl => Sink::Jsonl(io::BufWriter::new(io::stdout())),
        Format::Csv => {
            let mut writer = Writer::from_writer(io::stdout());
            writer.write_record(["number", "at", "actor", "act", "subject", "reason", "hash"])?;
            Sink::Csv(Box::new(writer))
        }
    })
}

impl Sink {
    fn write(&mut self, entry: &AuditEntry) -> anyhow::Result<()> {
        match self {
            Self::Jsonl(to) => {
                serde_json::to_writer(&mut *to, entry)?;
                to.write_all(b"\n")?;
            }
            Self::Csv(to) => to.write_record([
                entry.number.to_string(),
                entry.at.to_string(),
                cell(&entry.actor),
                cell(&entry.act),
                cell(&entry.subject),
                cell(&entry.reason),
                entry.hash.clone(),
            ])?,
        }
        Ok(())
    }

    fn end(self) -> anyhow::Result<()> {
        match self {
            Self::Jsonl(mut to) => to.flush()?,
            Self::Csv(mut to) => to.flush()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn a_day_is_a_moment_and_nonsense_is_told() {
        assert_eq!(moment("2026-11-21").unwrap().to_string(), "2026-11-21T00:00:00Z");
        assert_eq!(
            moment("2026-11-21T10:00:00+01:00").unwrap().to_string(),
            "2026-11-21T09:00:00Z"
        );
        assert!(moment("yesterday").unwrap_err().contains("2026-11-21"));
    }
}
