//! Many comparisons, from a CSV file to another.

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use csv::{ReaderBuilder, StringRecord, Writer};
use eencent_matching::{Evidence, RegisteredNames, Verdict, compare};
use indicatif::{ProgressBar, ProgressStyle};

use super::summary::{Summary, expected};

/// How many bad rows are named one by one.
const NAMED: usize = 50;

/// Where the columns stand. Names of columns are read without regard to case or spaces around them.
struct Columns {
    id: usize,
    account_name: usize,
    legal_name: usize,
    trade_names: Option<usize>,
    legal_form: Option<usize>,
    country: Option<usize>,
    expected: Option<usize>,
    reason: Option<usize>,
}

impl Columns {
    fn of(header: &StringRecord) -> anyhow::Result<Self> {
        let find = |name: &str| {
            header
                .iter()
                .position(|column| column.trim().trim_start_matches('\u{feff}').eq_ignore_ascii_case(name))
        };
        let need = |name: &str| {
            find(name).with_context(|| format!("the input has no column {name}; its first line must name the columns"))
        };
        Ok(Self {
            id: need("id")?,
            account_name: need("account_name")?,
            legal_name: need("legal_name")?,
            trade_names: find("trade_names"),
            legal_form: find("legal_form"),
            country: find("country"),
            expected: find("expected"),
            reason: find("reason"),
        })
    }
}

/// Gives every row a verdict, names the rows that got none, and sums up. Without an output only the summary.
///
/// # Errors
/// When a file can't be read or written, or its columns aren't there.
pub fn run(input: &Path, output: Option<&Path>) -> anyhow::Result<ExitCode> {
    let started = std::time::Instant::now();
    if let (Ok(from), Some(Ok(to))) = (input.canonicalize(), output.map(Path::canonicalize)) {
        anyhow::ensure!(
            from != to,
            "input and output are the same file; write the output to another one"
        );
    }
    let file =
        File::open(input).with_context(|| format!("can't read {}; check its path and rights", input.display()))?;
    let size = file.metadata().map(|data| data.len()).unwrap_or_default();
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(BufReader::new(file));
    let columns = Columns::of(
        reader
            .headers()
            .with_context(|| format!("{} is not CSV in UTF-8", input.display()))?,
    )?;
    let mut writer = output.map(writer).transpose()?;
    let mut summary = Summary::default();

    // On standard error, and only when that is a terminal.
    let bar = ProgressBar::new(size);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent}% {msg}, {eta} to go") {
        bar.set_style(style);
    }
    let (mut rows, mut without) = (0_u64, 0_usize);
    let mut record = StringRecord::new();
    loop {
        let line = reader.position().line();
        let told = match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => answered(&columns, &record).map(Some),
            Err(error) if error.is_io_error() => return Err(error).context("the input broke off"),
            Err(_) => Err("it is not CSV in UTF-8".to_owned()),
        };
        let line = record.position().map_or(line, csv::Position::line);
        rows += 1;
        match told {
            Ok(Some((evidence, expected))) => {
                let cell = |place: Option<usize>| place.and_then(|place| record.get(place));
                summary.count(evidence.verdict, expected, cell(columns.reason));
                if let Some(writer) = &mut writer {
                    let id = cell(Some(columns.id)).unwrap_or_default();
                    writer.write_record(row(id, &evidence)).context(DISK_FULL)?;
                }
            }
            Ok(None) => {}
            Err(why) => {
                without += 1;
                if without <= NAMED {
                    bar.suspend(|| eprintln!("line {line}: no verdict, because {why}"));
                }
            }
        }
        if rows.is_multiple_of(256) {
            bar.set_position(reader.position().byte());
            bar.set_message(format!("{rows} rows"));
        }
    }
    if let Some(writer) = &mut writer {
        writer.flush().context(DISK_FULL)?;
    }
    bar.finish_and_clear();
    print!("{}", summary.told(started.elapsed()));
    if without > 0 {
        eprintln!("{without} of {rows} rows got no verdict; mend those lines and run it again.");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

const DISK_FULL: &str = "can't write the output; is the disk full?";

fn writer(output: &Path) -> anyhow::Result<Writer<BufWriter<File>>> {
    let out =
        File::create(output).with_context(|| format!("can't write {}; check its path and rights", output.display()))?;
    let mut writer = Writer::from_writer(BufWriter::new(out));
    writer.write_record(["id", "verdict", "score", "reasons"])?;
    Ok(writer)
}

/// The verdict on one row, and what the row expects; or why it got none.
fn answered(columns: &Columns, record: &StringRecord) -> Result<(Evidence, Option<Verdict>), String> {
    let cell = |place: usize, name: &str| record.get(place).ok_or_else(|| format!("it has no {name}"));
    let optional = |place: Option<usize>| {
        place
            .and_then(|place| record.get(place))
            .filter(|text| !text.trim().is_empty())
    };
    cell(columns.id, "id")?;
    let account_name = cell(columns.account_name, "account_name")?;
    let legal_name = cell(columns.legal_name, "legal_name")?;
    let expected = expected(optional(columns.expected))?;
    let trade_names: Vec<String> = match optional(columns.trade_names) {
        None => Vec::new(),
        Some(text) => serde_json::from_str(text)
            .map_err(|_| "trade_names is not a JSON list of texts, such as [\"One\", \"Two\"]".to_owned())?,
    };
    let names = RegisteredNames {
        legal_name,
        trade_names: &trade_names,
        legal_form: optional(columns.legal_form),
        country: optional(columns.country).map(str::trim),
    };
    Ok((compare(account_name, &names), expected))
}

fn row(id: &str, evidence: &Evidence) -> [String; 4] {
    let reasons: Vec<&str> = evidence.reasons.iter().map(|reason| reason.code.as_str()).collect();
    [
        id.to_owned(),
        evidence.verdict.as_str().to_owned(),
        evidence.score.to_string(),
        reasons.join(";"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run_on(text: &str) -> (ExitCode, String) {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
        std::fs::write(&input, text).unwrap();
        let code = run(&input, Some(&output)).unwrap();
        (code, std::fs::read_to_string(output).unwrap())
    }

    #[test]
    fn columns_stand_in_any_order_and_cells_may_hold_anything() {
        let (code, out) = run_on(
            "\u{feff}note,trade_names,ID,legal_name,account_name\n\"a, \"\"b\"\"\nc\",\"[\"\"Graan\"\"]\",\"1,2\",De Korenaar B.V.,De Korenaar B.V.\nx,,3,De Korenaar B.V.,\n",
        );
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::SUCCESS));
        let lines: Vec<&str> = out.lines().collect();
        assert_eq!(lines[0], "id,verdict,score,reasons");
        assert!(lines[1].starts_with("\"1,2\",match,100,"), "{out}");
        assert!(lines[2].starts_with("3,review,"), "{out}");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_row_without_a_verdict_makes_it_fail_and_the_others_go_on() {
        let (code, out) = run_on("id,account_name,legal_name,trade_names\n1,A,A,not json\n2,A,A,[]\n3\n");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(out.lines().count(), 2, "{out}");
        let (code, out) = run_on("id,account_name,legal_name,expected\n1,A,A,perhaps\n");
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(out.lines().count(), 1, "{out}");
    }
}
