//! `eencent bench seed`: activations from a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;
use eencent_activations::desk::{Actor, Seed, SeedError};
use eencent_activations::refused::Refused;
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::offline;
use crate::settings::Settings;

/// What to load.
#[derive(Args)]
pub struct SeedArgs {
    /// Tab-separated text in UTF-8: reference, organisation name, e-mail, name that the bank will report.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Loads it.
///
/// # Errors
/// When a line isn't as it should be, or the database refuses; nothing is loaded then.
pub async fn run(args: SeedArgs, settings: Settings) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    let text = std::fs::read_to_string(&args.file)
        .with_context(|| format!("can't read {} as text in UTF-8", args.file.display()))?;
    let lines = read(&args.file, &text)?;
    let (numbers, seeds): (Vec<usize>, Vec<Seed>) = lines.into_iter().unzip();
    let (store, desk) = offline::desk(&settings).await?;
    // On standard error, and only when that is a terminal.
    let bar = ProgressBar::new(u64::try_from(seeds.len()).unwrap_or(0));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} activations, {eta} to go") {
        bar.set_style(style);
    }
    let seeded = desk
        .seed(&Actor::command_line(), &seeds, |many| {
            bar.inc(u64::try_from(many).unwrap_or(0));
        })
        .await;
    bar.finish_and_clear();
    store.close().await;
    match seeded {
        Ok(()) => {
            println!(
                "{} activations await their payment; loaded in {:.1?}.",
                seeds.len(),
                began.elapsed()
            );
            Ok(ExitCode::SUCCESS)
        }
        Err(SeedError::Taken(position)) => {
            let line = numbers.get(position).copied().unwrap_or(0);
            bail!(
                "{} line {line}: there is an activation with this reference in the database already; nothing was loaded",
                args.file.display()
            )
        }
        Err(error) => Err(error.into()),
    }
}

/// The lines that hold an activation, with their numbers.
fn read(file: &Path, text: &str) -> anyhow::Result<Vec<(usize, Seed)>> {
    let mut known: HashMap<&str, usize> = HashMap::new();
    let mut seeds = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        if line.trim().is_empty() {
            continue;
        }
        let at = || format!("{} line {number}", file.display());
        let columns: Vec<&str> = line.split('\t').collect();
        let [reference, name, email, _holder] = columns.as_slice() else {
            bail!(
                "{}: {} columns; write reference, organisation name, e-mail and the bank's name, with a tab between each; nothing was loaded",
                at(),
                columns.len()
            )
        };
        if let Some(first) = known.insert(reference, number) {
            bail!("{}: the reference stands on line {first} too; nothing was loaded", at());
        }
        let seed = Seed::new(reference, name, email)
            .map_err(|refused| anyhow::anyhow!("{}: {}; nothing was loaded", at(), told(&refused)))?;
        seeds.push((number, seed));
    }
    if seeds.is_empty() {
        bail!("{} holds no activations", file.display());
    }
    Ok(seeds)
}

/// What is wrong, field by field.
fn told(refused: &Refused) -> String {
    let fields = refused.fields.iter();
    let fields: Vec<String> = fields
        .map(|it| format!("{}: {}", it.field, it.text.trim_end_matches('.')))
        .collect();
    fields.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        format!("{:#}", read(Path::new("seed.tsv"), text).unwrap_err())
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let good = "ACT-00000001\tDe Korenaar B.V.\tanna@example.org\tDE KORENAAR BV\n";
        assert_eq!(read(Path::new("seed.tsv"), &format!("{good}\n")).unwrap().len(), 1);
        for (text, part) in [
            (
                format!("{good}ACT-2\tName\ta@example.org\n"),
                "seed.tsv line 2: 3 columns",
            ),
            (format!("{good}{good}"), "line 2: the reference stands on line 1 too"),
            (format!("{good}ACT 2\tName\ta@example.org\tx\n"), "line 2: reference: "),
            (
                format!("{good}ACT-2\t\tnobody\tx\n"),
                "line 2: name: Fill this in; creator.email: ",
            ),
            ("\n".to_owned(), "holds no activations"),
        ] {
            assert!(error(&text).contains(part), "{}", error(&text));
        }
    }
}
