//! The middle: the lines, and what they come to.

use super::{BODY, GREY, HAIR, INK, LEADING, LEFT, Layout, MIDDLE, Place, RIGHT, SMALL, semi_bold};
use crate::pdf::letters::Style;
use crate::pdf::sheets::{Head, Mark, Role};

impl Layout<'_> {
    /// The lines, under their heading, which is repeated on each page.
    pub(super) fn lines(&mut self) {
        self.tables += 1;
        let table = self.tables;
        self.room(60.0);
        self.head_of_lines(Some(table));
        let vat_edge = RIGHT - 118.0;
        for (line, row) in self.facts.lines.iter().zip(1..) {
            let mut place = Place {
                x: LEFT,
                y: self.y,
                width: vat_edge - 60.0 - LEFT,
                style: BODY,
                leading: LEADING,
                colour: INK,
            };
            let (mut marks, mut below) = self.block(place, 24, line.description().as_str());
            if self.room(below - self.y + 6.0) {
                self.head_of_lines(None);
                place.y = self.y;
                (marks, below) = self.block(place, 24, line.description().as_str());
            }
            let cell = || Role::Cell { table, row, head: None };
            self.push(cell(), marks);
            let rate = self.text_to(vat_edge, self.y, BODY, INK, &self.words.rate(line.vat()));
            self.push(cell(), vec![rate]);
            let net = self.text_to(RIGHT, self.y, BODY, INK, &self.words.amount(line.net()));
            self.push(cell(), vec![net]);
            self.hairline(LEFT, below - LEADING + 9.0, HAIR);
            self.y = below + 12.0;
        }
    }

    /// On the pages after the first it is decoration: the table has its heading.
    fn head_of_lines(&mut self, table: Option<usize>) {
        let words = self.words;
        let marks = [
            self.text(LEFT, self.y, SMALL, GREY, words.description()),
            self.text_to(RIGHT - 118.0, self.y, SMALL, GREY, words.vat()),
            self.text_to(RIGHT, self.y, SMALL, GREY, words.net()),
        ];
        for mark in marks {
            let role = table.map_or(Role::Decoration, |table| Role::Cell {
                table,
                row: 0,
                head: Some(Head::Column),
            });
            self.push(role, vec![mark]);
        }
        self.hairline(LEFT, self.y + 7.5, INK);
        self.y += 25.0;
    }

    pub(super) fn totals(&mut self) {
        let totals = self.invoice.totals();
        let words = self.words;
        let mut rows = vec![(words.net_total().to_owned(), totals.net)];
        rows.extend(
            totals
                .by_rate
                .iter()
                .map(|total| (words.vat_total(total.rate, total.net), total.vat)),
        );
        self.tables += 1;
        let table = self.tables;
        self.y += 2.0;
        self.room(64.0);
        for (row, (label, amount)) in rows.into_iter().enumerate() {
            self.room(LEADING);
            self.total(table, row, BODY, &label, &words.amount(amount));
            self.y += 17.0;
        }
        self.room(30.0);
        self.y += 1.0;
        self.hairline(MIDDLE, self.y - 9.5, INK);
        self.y += 11.0;
        let label = words.gross_total(self.invoice.is_credit_note());
        self.total(table, usize::MAX, semi_bold(12.5), label, &words.amount(totals.gross));
        self.y += 34.0;
    }

    /// A label in the right column, further left where a large amount needs its place.
    fn total(&mut self, table: usize, row: usize, style: Style, label: &str, amount: &str) {
        let amount = self.text_to(RIGHT, self.y, style, INK, amount);
        let label = self.letters.run(style, label);
        let free = match &amount {
            Mark::Run { x, .. } => x - 12.0 - label.width,
            _ => MIDDLE,
        };
        let label = Mark::Run {
            x: free.min(MIDDLE),
            y: self.y,
            colour: INK,
            run: label,
        };
        let head = Some(Head::Row);
        self.push(Role::Cell { table, row, head }, vec![label]);
        self.push(Role::Cell { table, row, head: None }, vec![amount]);
    }
}
