//! Lists, and what one row says, as text or JSON.

use eencent_activations::desk::Desk;
use eencent_activations::desk::operations::{MessagePage, MessageRow, Overview, Page, Sought, Standing, WorkRow};
use eencent_activations::ledger::Work;
use eencent_activations::ledger::attempts::AttemptView;
use serde::Serialize;

use super::Listed;

/// How much of each kind waits.
pub async fn status(desk: &Desk, json: bool) -> anyhow::Result<()> {
    let overview = desk.overview().await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&overview)?);
        return Ok(());
    }
    print!("{}", told(&overview));
    for asked in desk.asked_schedules().await? {
        println!(
            "{} is to run now, asked by {}: {}",
            asked.schedule, asked.by, asked.reason
        );
    }
    Ok(())
}

fn told(overview: &Overview) -> String {
    use std::fmt::Write as _;
    let mut all = format!(
        "{:<10}{:>9}{:>9}{:>9}{:>9}{:>9}  {}\n",
        "kind", "due", "later", "put off", "begun", "failed", "oldest due since"
    );
    for one in &overview.work {
        let oldest = one.oldest.map_or_else(|| "-".to_owned(), |at| at.to_string());
        // Writing to a String can't fail.
        let _ = writeln!(
            all,
            "{:<10}{:>9}{:>9}{:>9}{:>9}{:>9}  {oldest}",
            one.kind, one.due, one.later, one.put_off, one.begun, one.failed
        );
    }
    for paused in overview.work.iter().filter_map(|one| one.paused.as_ref()) {
        let _ = writeln!(
            all,
            "\n{} is paused by {} since {}: {}",
            paused.work, paused.by, paused.at, paused.reason
        );
    }
    let latency = &overview.latency;
    let _ = writeln!(
        all,
        "\nThe last hour: {} decisions; from payment to decision half within {} ms, 95% within {} ms.",
        latency.decisions, latency.p50_ms, latency.p95_ms
    );
    for one in &overview.providers {
        let why: Vec<String> = one.why.iter().map(|why| format!("{} {}", why.many, why.code)).collect();
        let why = if why.is_empty() {
            String::new()
        } else {
            format!(": {}", why.join(", "))
        };
        let _ = writeln!(
            all,
            "  {}: {} taken, {} refused ({}%){why}",
            one.endpoint, one.taken, one.refused, one.refused_percent
        );
    }
    for one in overview.machines.iter().filter(|one| !one.alive) {
        let _ = writeln!(all, "A worker has been silent since {}.", one.seen_at);
    }
    all
}

/// Rows of one kind, or of each.
pub async fn list(desk: &Desk, kind: Option<Listed>, sought: &Sought, json: bool) -> anyhow::Result<()> {
    let work = match kind {
        Some(Listed::Notification) => return print(desk.messages(sought).await?, json, message),
        Some(Listed::Refusal) => {
            return print(desk.refused_requests(sought).await?, json, |one| {
                format!(
                    "{}  {}  {}  {}  from {}: {}",
                    one.request_id, one.received_at, one.endpoint, one.code, one.remote, one.reason
                )
            });
        }
        Some(Listed::Audit) => {
            return print(desk.audit_lines(sought).await?, json, |one| {
                format!(
                    "{}  {}  {}  {}: {}",
                    one.at, one.actor, one.act, one.subject, one.reason
                )
            });
        }
        Some(Listed::Event) => Work::Event,
        Some(Listed::Approval) => Work::Approval,
        Some(Listed::Email) => Work::Email,
        Some(Listed::Reread) => Work::Reread,
        Some(Listed::Checkout) => Work::Checkout,
        Some(Listed::Delivery) => Work::Delivery,
        Some(Listed::Names) => Work::Names,
        None => {
            let mut none = true;
            for work in Work::ALL {
                let page = desk.work_rows(*work, sought).await?;
                none &= page.rows.is_empty() && page.next.is_none();
                if !page.rows.is_empty() || page.next.is_some() {
                    print(page, json, |one| row(*work, one))?;
                }
            }
            if none && !json {
                println!("There are no such rows.");
            }
            return Ok(());
        }
    };
    print(desk.work_rows(work, sought).await?, json, |one| row(work, one))
}

fn print<T: Serialize>(page: Page<T>, json: bool, line: impl Fn(&T) -> String) -> anyhow::Result<()> {
    for one in &page.rows {
        if json {
            println!("{}", serde_json::to_string(one)?);
        } else {
            println!("{}", line(one));
        }
    }
    match page.next {
        Some(next) if !json && page.rows.is_empty() => {
            println!("None among those that were looked through; the same with --after {next} looks further.");
        }
        Some(next) if !json => println!("More with --after {next}"),
        None if !json && page.rows.is_empty() => println!("There are no such rows."),
        _ => {}
    }
    Ok(())
}

fn row(work: Work, one: &WorkRow) -> String {
    let about = one
        .about
        .as_deref()
        .map(|about| format!("  {about}"))
        .unwrap_or_default();
    let activation = one
        .activation
        .as_deref()
        .filter(|id| *id != one.id)
        .map(|id| format!("  of {id}"))
        .unwrap_or_default();
    let more = match (one.standing, &one.last_error) {
        (Standing::Done, _) => one.done_at.map(|at| format!(" {at}")).unwrap_or_default(),
        (Standing::PutOff | Standing::Waiting, said) => {
            let again = one.next_at.map(|at| format!(", again {at}")).unwrap_or_default();
            let said = said.as_deref().map(|said| format!(": {said}")).unwrap_or_default();
            let begun = if one.begun { ", begun" } else { "" };
            format!("{begun}{again}{said}")
        }
        (_, Some(said)) => format!(": {said}"),
        (_, None) => String::new(),
    };
    format!(
        "{}  {work}  {}  {}{about}{activation}  {}{more}",
        one.id,
        one.since,
        one.of,
        one.standing.as_str()
    )
}

fn message(one: &MessageRow) -> String {
    let events: Vec<String> = one
        .events
        .iter()
        .map(|event| {
            let what = event.payment_id.as_deref().unwrap_or(&event.event_id);
            let why = event.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            format!(
                "\n    {}  {} {what}  {}{why}",
                event.id,
                event.kind,
                event.standing.as_str()
            )
        })
        .collect();
    format!(
        "{}  {}  {}  {}{}",
        one.id,
        one.received_at,
        one.endpoint,
        one.request_id,
        events.concat()
    )
}

/// One row, or one message.
pub async fn show(desk: &Desk, id: &str, json: bool) -> anyhow::Result<()> {
    if id.starts_with("ntf_") {
        let page = desk.message(id).await?;
        if json {
            println!("{}", serde_json::to_string_pretty(&page)?);
        } else {
            show_message(&page)?;
        }
        return Ok(());
    }
    let page = desk.work_row(id).await?;
    if json {
        println!("{}", serde_json::to_string_pretty(&page)?);
        return Ok(());
    }
    let work = Work::parse(page.kind).unwrap_or(Work::Event);
    println!("{}", row(work, &page.row));
    println!("failed {} times since it was last put right", page.row.attempts);
    if let Some(trace) = &page.trace {
        println!("trace {trace}");
    }
    show_attempts(&page.attempts);
    Ok(())
}

fn show_message(page: &MessagePage) -> anyhow::Result<()> {
    println!("{}", message(&page.message));
    println!(
        "proven by {}; headers {}",
        page.message.proven_by,
        page.headers.join(", ")
    );
    for event in &page.message.events {
        if let Some(told) = page.told.get(&event.id) {
            println!("\n{} was read as\n{}", event.id, serde_json::to_string_pretty(told)?);
        }
        if let Some(attempts) = page.attempts.get(&event.id) {
            show_attempts(attempts);
        }
    }
    match &page.body {
        Some(body) => println!("\n{} bytes, with what is about persons masked:\n{body}", page.bytes),
        None => println!("\nIts body has been purged (retention.body_days)."),
    }
    Ok(())
}

fn show_attempts(attempts: &[AttemptView]) {
    for one in attempts {
        println!("  {}  {}  {}: {}", one.number, one.at, one.outcome.as_str(), one.error);
    }
}
