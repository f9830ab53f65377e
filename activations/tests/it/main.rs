//! The desk and the inbox on a real database: FLOW's rules, row by row.

#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

mod moves;
mod office;
