//! Pairs per second on one core, evidence included: every row of the labelled cases, from text to verdict. A pair is
//! an account name and one registered name, as other matchers count; an organisation has one or several.
#![expect(missing_docs, reason = "criterion writes a main function that nobody reads")]
#![expect(clippy::expect_used, reason = "a measurement that cannot go on may stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use eencent_matching::{RegisteredNames, compare};
use std::hint::black_box;

struct Row {
    account: String,
    legal: String,
    trade: Vec<String>,
    form: String,
    matches: bool,
}

/// The labelled cases.
fn rows() -> Vec<Row> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/cases/labelled.csv");
    let mut reader = csv::Reader::from_path(file).expect("the labelled cases are beside the crate");
    let rows = reader.records().map(|row| {
        let row = row.expect("a row of the labelled cases");
        let cell = |at: usize| row.get(at).unwrap_or_default().to_owned();
        Row {
            account: cell(1),
            legal: cell(2),
            trade: serde_json::from_str(&cell(3)).expect("a JSON list of names"),
            form: cell(4),
            matches: cell(6) == "match",
        }
    });
    rows.collect()
}

fn pairs(criterion: &mut Criterion) {
    let rows = rows();
    let mut group = criterion.benchmark_group("compare");
    let only = |matches: bool| rows.iter().filter(|row| row.matches == matches).collect::<Vec<_>>();
    let plain = rows.iter().filter(|row| row.trade.is_empty()).collect::<Vec<_>>();
    for (name, rows) in [
        ("all rows", rows.iter().collect::<Vec<_>>()),
        ("expected match", only(true)),
        ("expected review", only(false)),
        ("one registered name", plain),
    ] {
        let pairs = rows.iter().map(|row| 1 + row.trade.len() as u64).sum();
        group.throughput(Throughput::Elements(pairs));
        group.bench_with_input(BenchmarkId::from_parameter(name), &rows, |bencher, rows: &Vec<&Row>| {
            bencher.iter(|| {
                for row in rows {
                    let names = RegisteredNames {
                        legal_name: &row.legal,
                        trade_names: &row.trade,
                        legal_form: Some(&row.form),
                        country: None,
                    };
                    black_box(compare(black_box(&row.account), &names));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, pairs);
criterion_main!(benches);
