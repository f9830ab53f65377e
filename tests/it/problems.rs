//! `docs/problems.md` names every code that the program refuses with, and no other.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("src/demo") {
            // The playground has pages, no API.
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            found.push(path);
        }
    }
}

/// The first text in quotes from here, when nothing else comes before it.
fn quoted(rest: &str) -> Option<&str> {
    rest.trim_start().strip_prefix('"')?.split('"').next()
}

/// Each code with the status that it comes with, as the sources have it.
fn coded() -> BTreeSet<(String, u16)> {
    let statuses = [
        ("Kind::Invalid,", 422),
        ("Kind::Forbidden,", 403),
        ("Kind::NotFound,", 404),
        ("Kind::Conflict,", 409),
        ("StatusCode::BAD_REQUEST,", 400),
        ("StatusCode::UNAUTHORIZED,", 401),
        ("StatusCode::FORBIDDEN,", 403),
        ("StatusCode::NOT_FOUND,", 404),
        ("StatusCode::METHOD_NOT_ALLOWED,", 405),
        ("StatusCode::CONFLICT,", 409),
        ("StatusCode::PAYLOAD_TOO_LARGE,", 413),
        ("StatusCode::UNSUPPORTED_MEDIA_TYPE,", 415),
        ("StatusCode::UNPROCESSABLE_ENTITY,", 422),
        ("StatusCode::INTERNAL_SERVER_ERROR,", 500),
        ("StatusCode::BAD_GATEWAY,", 502),
        ("StatusCode::SERVICE_UNAVAILABLE,", 503),
        // The register's: the status is said once for all of them.
        (" unavailable(", 503),
    ];
    let mut all = Vec::new();
    for folder in ["activations/src", "src"] {
        sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut all);
    }
    let mut found = BTreeSet::new();
    for file in all {
        let text = std::fs::read_to_string(file).unwrap();
        for (word, status) in statuses {
            let codes = text.split(word).skip(1).filter_map(quoted);
            found.extend(codes.map(|code| (code.to_owned(), status)));
        }
    }
    found
}

/// The rows of codes: the code, the status, and the two sentences.
fn rows() -> Vec<(String, u16, [String; 2])> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/problems.md")).unwrap();
    page.lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.strip_suffix(" |")?.split(" | ");
            let code = cells.next()?.strip_suffix('`')?.to_owned();
            let status = cells.next()?.parse().ok()?;
            Some((code, status, [cells.next()?.to_owned(), cells.next()?.to_owned()]))
        })
        .collect()
}

#[test]
fn the_page_of_problems_names_every_code_with_its_status_and_what_to_do_in_both_languages() {
    let rows = rows();
    let written: BTreeSet<(String, u16)> = rows.iter().map(|(code, status, _)| (code.clone(), *status)).collect();
    assert_eq!(written.len(), rows.len(), "each once");
    assert_eq!(written, coded());
    for (code, _, [english, dutch]) in rows {
        assert!(english.len() > 20 && dutch.len() > 20 && english != dutch, "{code}");
    }
}
