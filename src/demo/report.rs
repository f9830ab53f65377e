//! What happened, and where to look.

use serde_json::{Value, json};

use super::cases::Played;
use super::stage::Stage;

/// For people.
pub fn table(stage: &Stage, played: &[Played], exit: bool) -> String {
    let heads = ["case", "provider", "organisation", "account holder", "ended as", ""];
    let mut rows: Vec<[String; 6]> = vec![heads.map(str::to_owned)];
    rows.extend(played.iter().map(|case| {
        [
            case.name.to_owned(),
            case.provider.to_owned(),
            case.organisation.to_owned(),
            case.holder.to_owned(),
            case.ended.clone(),
            if case.well {
                "as it should".to_owned()
            } else {
                format!("WRONG: expected {}", case.expected)
            },
        ]
    }));
    let mut widths = [0_usize; 6];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut told = String::new();
    for row in &rows {
        let cells: Vec<String> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        told.push_str(cells.join("  ").trim_end());
        told.push('\n');
    }
    told.push_str("\nWhere to look\n");
    let mut pair = |name: &str, text: &str| told.push_str(&format!("  {name:12} {text}\n"));
    pair("folder", &stage.folder().display().to_string());
    pair("e-mails", &stage.mail().display().to_string());
    if !exit {
        for (name, url) in stage.addresses() {
            pair(name, &url);
        }
        pair("API key", &stage.key);
    }
    if let Some(reference) = played
        .iter()
        .filter(|case| case.name == "a mismatch")
        .find_map(|case| case.reference.as_deref())
    {
        pair("why review?", &explain(stage, reference));
    }
    if !exit {
        told.push_str("\nIt keeps running, with its clock on Monday 16 March 2026; Ctrl-C ends it.");
    }
    told.trim_end().to_owned()
}

/// For programs.
pub fn json(stage: &Stage, played: &[Played]) -> String {
    let cases: Vec<Value> = played
        .iter()
        .map(|case| {
            json!({
                "case": case.name, "provider": case.provider, "organisation": case.organisation,
                "account_holder": case.holder, "expected": case.expected, "ended": case.ended,
                "well": case.well, "reference": case.reference,
                "explain": case.reference.as_deref().map(|reference| explain(stage, reference)),
            })
        })
        .collect();
    let addresses: serde_json::Map<String, Value> = stage
        .addresses()
        .into_iter()
        .map(|(name, url)| (name.to_owned(), url.into()))
        .collect();
    let all = json!({
        "well": played.iter().all(|case| case.well),
        "cases": cases, "addresses": addresses, "api_key": stage.key,
        "folder": stage.folder(), "mail": stage.mail(), "database": stage.database(),
    });
    serde_json::to_string_pretty(&all).unwrap_or_else(|_| "{}".to_owned())
}

/// A line to paste in a shell. The program is named by where it is: it needs not be on the path.
fn explain(stage: &Stage, reference: &str) -> String {
    let program = std::env::current_exe().map_or_else(|_| "eencent".to_owned(), |path| path.display().to_string());
    format!(
        "EENCENT__DATABASE__URL={} {} explain {reference}",
        quoted(&stage.database()),
        quoted(&program)
    )
}

/// Between quotes when a shell would read something in it.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/.:_-+@%,=".contains(c);
    if text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
