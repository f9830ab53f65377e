//! Suggestions out of two million names, and how long it takes to build the index.
#![expect(missing_docs, reason = "criterion writes a main function that nobody reads")]
#![expect(clippy::indexing_slicing, reason = "a measurement that cannot go on may stop")]

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use eencent_matching::Index;
use std::hint::black_box;
use std::time::Duration;

const NAMES: u32 = 2_000_000;

/// A row of numbers that is the same every time (Knuth's MMIX constants).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    /// Small numbers often, large ones seldom: as words are in names (Zipf).
    fn skewed(&mut self, below: u64) -> u64 {
        let uniform = (self.next() % 1_000_000 + 1) as f64 / 1_000_000.0;
        ((below as f64).powf(uniform) - 1.0) as u64 % below
    }
}

const PARTS: [&str; 40] = [
    "zee", "wolf", "meer", "kwal", "berg", "dijk", "hof", "land", "mar", "tin", "vel", "der", "ko", "ra", "li", "mo",
    "sta", "bre", "gro", "nie", "huis", "werk", "tech", "bouw", "groen", "blauw", "ster", "licht", "stroom", "veld",
    "ven", "brand", "schip", "poort", "vis", "kaas", "melk", "hout", "steen", "glas",
];
const TRADES: [&str; 16] = [
    "Bakkerij",
    "Slagerij",
    "Bouwbedrijf",
    "Garage",
    "Kapsalon",
    "Administratiekantoor",
    "Hoveniersbedrijf",
    "Transport",
    "Visserij",
    "Installatietechniek",
    "Fysiotherapie",
    "Advies",
    "Beheer",
    "Holding",
    "Vastgoed",
    "Consultancy",
];
const FORMS: [&str; 8] = ["B.V.", "B.V.", "B.V.", "B.V.", "", "", "V.O.F.", "Stichting"];

fn word(number: u64) -> String {
    let mut rest = number + 40;
    let mut word = String::new();
    while rest > 0 {
        word.push_str(PARTS[(rest % 40) as usize]);
        rest /= 40;
    }
    word
}

fn name(numbers: &mut Numbers) -> String {
    let trade = TRADES[numbers.skewed(16) as usize];
    let place = word(2_000_000 + numbers.skewed(2_500));
    let brand = match numbers.next() % 3 {
        0 => word(1_000_000 + numbers.skewed(20_000)),
        1 => format!("{} {}", word(numbers.skewed(300_000)), word(numbers.skewed(5_000))),
        _ => word(numbers.skewed(700_000)),
    };
    let form = FORMS[(numbers.next() % 8) as usize];
    match numbers.next() % 3 {
        0 => format!("{brand} {trade} {form}"),
        1 => format!("{form} {trade} {brand} {place}"),
        _ => format!("{brand} {place} {form}"),
    }
}

fn names() -> Vec<String> {
    let mut numbers = Numbers(2_026);
    (0..NAMES).map(|_| name(&mut numbers)).collect()
}

/// What an account may make of a name.
fn asked(names: &[String]) -> Vec<String> {
    let mut numbers = Numbers(7);
    let ways: [fn(&str) -> String; 5] = [
        |name| name.to_uppercase().replace('.', ""),
        |name| name.replace("B.V.", "").chars().take(35).collect(),
        |name| format!("J de Vries h/o {name}"),
        |name| name.split(' ').rev().collect::<Vec<_>>().join(" "),
        |name| name.char_indices().filter(|(at, _)| *at != 4).map(|(_, c)| c).collect(),
    ];
    (0..200)
        .map(|turn| ways[turn % ways.len()](&names[(numbers.next() % u64::from(NAMES)) as usize]))
        .collect()
}

fn suggest(criterion: &mut Criterion) {
    let names = names();
    let mut group = criterion.benchmark_group("suggest");
    group
        .sampling_mode(SamplingMode::Flat)
        .sample_size(10)
        .measurement_time(Duration::from_secs(30));
    group.bench_function("build over 2,000,000 names", |bencher| {
        bencher.iter(|| (0..).zip(&names).collect::<Index>());
    });
    let index: Index = (0..).zip(&names).collect();
    println!(
        "the index takes {} MB for {} names, their text included",
        index.bytes() / 1_000_000,
        index.len()
    );
    let asked = asked(&names);
    group.sample_size(200).measurement_time(Duration::from_secs(10));
    let mut turn = asked.iter().cycle();
    group.bench_function("out of 2,000,000 names", |bencher| {
        bencher.iter(|| {
            index
                .suggest(black_box(turn.next().map_or("", String::as_str)), 10)
                .len()
        });
    });
    group.finish();
}

criterion_group!(benches, suggest);
criterion_main!(benches);
