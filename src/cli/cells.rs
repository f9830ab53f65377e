//! Cells of CSV files that spreadsheets open.

/// A text as a cell: one that a spreadsheet would take for a formula begins with an apostrophe, so that it is shown and
/// not computed.
pub fn cell(text: &str) -> String {
    let formula = text.starts_with([
        '=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}',
    ]);
    if formula { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_67_no_cell_begins_as_a_formula_does() {
        for formula in ["=1+1", "+31 6", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1"] {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["", "key made", "a=b", "'quoted"] {
            assert_eq!(cell(text), text);
        }
    }
}
