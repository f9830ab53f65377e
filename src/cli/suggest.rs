//! `eencent suggest`: which of many registered names an account holder is likely to be.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use csv::{ReaderBuilder, StringRecord};
use eencent_matching::{Index, Suggestion};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

/// What to search, and for whom.
#[derive(Args)]
pub struct SuggestArgs {
    /// The account holders, as the bank reports them; without any they are read from standard input, one a line.
    #[arg(value_name = "NAME")]
    account_names: Vec<String>,
    /// A CSV file of registered names.
    #[arg(long, value_name = "FILE")]
    names: PathBuf,
    /// At most so many suggestions for each account holder.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    limit: u16,
    /// Print a JSON document for each account holder, one a line.
    #[arg(long)]
    json: bool,
}

/// The names of a file, to be searched, with the ids of their rows.
struct Register {
    ids: Vec<String>,
    index: Index,
}

/// Searches.
///
/// # Errors
/// When the file can't be read, or a row of it is not as it should be.
pub fn run(args: &SuggestArgs) -> anyhow::Result<ExitCode> {
    let register = Register::read(&args.names)?;
    let answer = |account_name: &str| {
        let found = register.index.suggest(account_name, usize::from(args.limit));
        if args.json {
            println!("{}", register.document(account_name, &found));
        } else {
            print!("{}", register.table(account_name, &found));
        }
    };
    if args.account_names.is_empty() {
        for line in std::io::stdin().lock().lines() {
            let line = line.context("standard input is not text in UTF-8")?;
            answer(line.trim_end_matches('\r'));
        }
    }
    for account_name in &args.account_names {
        answer(account_name);
    }
    Ok(ExitCode::SUCCESS)
}

impl Register {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let file =
            File::open(path).with_context(|| format!("can't read {}; check its path and rights", path.display()))?;
        let size = file.metadata().map(|data| data.len()).unwrap_or_default();
        // On standard error, and only when that is a terminal.
        let bar = ProgressBar::new(size);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}% {msg}, {eta} to go") {
            bar.set_style(style);
        }
        let mut reader = ReaderBuilder::new().from_reader(BufReader::new(file));
        let columns = Columns::of(
            reader
                .headers()
                .with_context(|| format!("{} is not CSV in UTF-8", path.display()))?,
        )?;
        let (mut ids, mut names) = (Vec::new(), Vec::new());
        let mut record = StringRecord::new();
        while reader.read_record(&mut record).with_context(|| {
            let line = reader.position().line();
            format!(
                "{} line {line} is not CSV in UTF-8 with as many cells as the first line",
                path.display()
            )
        })? {
            let key = u32::try_from(ids.len()).context("more rows than can be searched")?;
            let line = record.position().map_or(0, csv::Position::line);
            ids.push(record.get(columns.id).unwrap_or_default().to_owned());
            names.push((key, record.get(columns.name).unwrap_or_default().to_owned()));
            let trade_names = columns
                .trade_names
                .and_then(|place| record.get(place))
                .unwrap_or_default();
            if !trade_names.trim().is_empty() {
                let more: Vec<String> = serde_json::from_str(trade_names).with_context(|| {
                    format!(
                        "{} line {line}: trade_names is not a JSON list of texts, such as [\"One\", \"Two\"]",
                        path.display()
                    )
                })?;
                names.extend(more.into_iter().map(|name| (key, name)));
            }
            if ids.len().is_multiple_of(4096) {
                bar.set_position(reader.position().byte());
                bar.set_message(format!("{} rows", ids.len()));
            }
        }
        bar.set_message("building the index");
        let index = names.into_iter().collect();
        bar.finish_and_clear();
        Ok(Self { ids, index })
    }

    fn id(&self, suggestion: &Suggestion<'_>) -> &str {
        let at = usize::try_from(suggestion.key).unwrap_or(usize::MAX);
        self.ids.get(at).map(String::as_str).unwrap_or_default()
    }

    fn table(&self, account_name: &str, found: &[Suggestion<'_>]) -> String {
        let mut told = format!("{}\n", eencent_matching::visible(account_name));
        if found.is_empty() {
            told.push_str("     nothing like it among the names\n");
        }
        for suggestion in found {
            let name = eencent_matching::visible(suggestion.name);
            told.push_str(&format!(
                "{:>4} %  {name}  [{}]\n",
                suggestion.likeness,
                self.id(suggestion)
            ));
        }
        told
    }

    fn document(&self, account_name: &str, found: &[Suggestion<'_>]) -> serde_json::Value {
        let one = |suggestion: &Suggestion<'_>| json!({ "id": self.id(suggestion), "name": suggestion.name, "likeness": suggestion.likeness });
        json!({ "account_name": account_name, "suggestions": found.iter().map(one).collect::<Vec<_>>() })
    }
}

/// Where the columns stand.
struct Columns {
    id: usize,
    name: usize,
    trade_names: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> anyhow::Result<Self> {
        let find = |name: &str| {
            header
                .iter()
                .position(|column| column.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        };
        Ok(Self {
            id: find("id").context("the file has no column id; its first line must name the columns")?,
            name: find("name")
                .or_else(|| find("legal_name"))
                .context("the file has no column name or legal_name; its first line must name the columns")?,
            trade_names: find("trade_names"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn register(text: &str) -> anyhow::Result<Register> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Register::read(file.path())
    }

    #[test]
    fn an_organisation_is_found_by_any_of_its_names() {
        let register = register(
            "ID,legal_name,trade_names\nkvk1,Meeuw B.V.,\"[\"\"De Blauwe Zeewolf\"\"]\"\nkvk2,Zeewolf Beheer B.V.,\n",
        )
        .unwrap();
        let found = register.index.suggest("BLAUWE ZEEWOLF", 5);
        insta::assert_snapshot!("suggest-table", register.table("BLAUWE ZEEWOLF", &found));
        assert_eq!(register.document("x", &found)["suggestions"][0]["id"], "kvk1");
        assert!(register.table("Kwal", &[]).contains("nothing like it"));
    }

    #[test]
    fn what_is_wrong_with_the_file_is_told_with_its_line() {
        for (text, part) in [
            ("name\nA\n", "no column id"),
            ("id\n1\n", "no column name"),
            ("id,name,trade_names\n1,A,oops\n", "line 2: trade_names"),
            ("id,name\n1\n", "line"),
        ] {
            let error = format!("{:#}", register(text).err().unwrap());
            assert!(error.contains(part), "{error}");
        }
    }
}
