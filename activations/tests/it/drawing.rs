//! The moves as the docs draw them.

use std::fmt::Write as _;
use std::path::Path;

use eencent_activations::state::{MOVES, State};

fn drawn() -> String {
    let mut page = String::from(
        "# The moves of an activation\n\nDrawn from the table in `activations/src/state/table.rs` by a test, which fails when this page differs.\n\
         To draw it again: `UPDATE_DRAWING=1 cargo nextest run -p eencent-activations drawing`.\n\n```mermaid\nstateDiagram-v2\n",
    );
    let name = |state: Option<State>| state.map_or("[*]", State::as_str);
    for row in MOVES.iter().filter(|row| row.from != Some(row.to)) {
        let _ = writeln!(page, "    {} --> {}: {}", name(row.from), row.to, row.happening);
    }
    for state in State::ALL.iter().filter(|state| state.is_final()) {
        let _ = writeln!(page, "    {state} --> [*]");
    }
    page.push_str(
        "```\n\n| from | what happens | to | e-mail to the creator | event to the platform |\n|---|---|---|---|---|\n",
    );
    for row in MOVES {
        let from = row.from.map_or("–", State::as_str);
        let email = row.email.map_or("", |kind| kind.as_str());
        let _ = writeln!(
            page,
            "| {from} | {} | {} | {email} | {} |",
            row.happening,
            row.to,
            row.told.unwrap_or("")
        );
    }
    page
}

#[test]
fn the_docs_draw_the_table_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/moves.md");
    if std::env::var_os("UPDATE_DRAWING").is_some() {
        std::fs::write(&path, drawn()).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap(), drawn());
}
