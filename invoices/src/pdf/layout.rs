//! Where everything stands.
//!
//! Two columns begin at [`LEFT`] and [`MIDDLE`]. Every part takes the height that it needs, and what follows moves down, to
//! another page if it has to.

mod amounts;
mod panel;
mod parties;

use super::NotDrawn;
use super::letters::{Letters, Run, Style, Weight};
use super::sheets::{Colour, HEIGHT, Head, Mark, Piece, Role, WIDTH};
use super::words::Words;
use crate::invoice::{Document, Facts, Invoice};

const LEFT: f32 = 62.0;
const RIGHT: f32 = WIDTH - 62.0;
const MIDDLE: f32 = 342.0;
const TOP: f32 = 74.0;
/// Below is the footer.
const BOTTOM: f32 = HEIGHT - 88.0;
const GAP: f32 = 18.0;

const INK: Colour = Colour(0x18, 0x21, 0x2B);
const GREY: Colour = Colour(0x5A, 0x65, 0x70);
const ACCENT: Colour = Colour(0x0B, 0x5A, 0x61);
const HAIR: Colour = Colour(0xD3, 0xDA, 0xDE);
const TINT: Colour = Colour(0xF1, 0xF6, 0xF6);
const WHITE: Colour = Colour(0xFF, 0xFF, 0xFF);

const BODY: Style = regular(9.5);
const STRONG: Style = semi_bold(9.5);
const SMALL: Style = regular(8.5);
const LEADING: f32 = 13.5;
const SMALL_LEADING: f32 = 12.5;

const fn regular(size: f32) -> Style {
    Style {
        weight: Weight::Regular,
        size,
    }
}

const fn semi_bold(size: f32) -> Style {
    Style {
        weight: Weight::SemiBold,
        size,
    }
}

/// All pages, each with its pieces in the order that they are read in.
pub(super) fn pages(invoice: &Invoice, words: Words, letters: &Letters) -> Result<Vec<Vec<Piece>>, NotDrawn> {
    let mut layout = Layout {
        invoice,
        facts: invoice.facts(),
        words,
        letters,
        pages: vec![Vec::new()],
        y: TOP,
        tables: 0,
    };
    layout.seller();
    layout.title();
    layout.parties_and_facts();
    layout.lines();
    layout.totals();
    match &layout.facts.document {
        Document::Invoice { payment, .. } => layout.payment(payment)?,
        Document::CreditNote { .. } => layout.settlement(),
    }
    layout.footers();
    Ok(layout.pages)
}

struct Layout<'a> {
    invoice: &'a Invoice,
    facts: &'a Facts,
    words: Words,
    letters: &'a Letters,
    pages: Vec<Vec<Piece>>,
    /// The line that the next letters stand on.
    y: f32,
    tables: usize,
}

/// A label and what it says.
type Row = (&'static str, String);

impl Layout<'_> {
    fn push(&mut self, role: Role, marks: Vec<Mark>) {
        if let Some(page) = self.pages.last_mut() {
            page.push(Piece { role, marks });
        }
    }

    fn decorate(&mut self, mark: Mark) {
        self.push(Role::Decoration, vec![mark]);
    }

    fn hairline(&mut self, x: f32, y: f32, colour: Colour) {
        self.decorate(Mark::Box {
            x,
            y,
            width: RIGHT - x,
            height: 0.75,
            radius: 0.0,
            colour,
        });
    }

    /// At the left end.
    fn text(&self, x: f32, y: f32, style: Style, colour: Colour, text: &str) -> Mark {
        let run = self.letters.run(style, text);
        Mark::Run { x, y, colour, run }
    }

    /// At the right end.
    fn text_to(&self, x: f32, y: f32, style: Style, colour: Colour, text: &str) -> Mark {
        let run = self.letters.run(style, text);
        Mark::Run {
            x: x - run.width,
            y,
            colour,
            run,
        }
    }

    /// As many lines as it takes, at most so many: what is cut off ends in an ellipsis, and stands in the UBL. Gives the
    /// line below as well.
    fn block(&self, place: Place, most: usize, text: &str) -> (Vec<Mark>, f32) {
        let Place {
            x,
            mut y,
            width,
            style,
            leading,
            colour,
        } = place;
        let mut lines = self.letters.lines(style, text, width);
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.pop() {
                lines.push(self.cut(last, width));
            }
        }
        let mut marks = Vec::with_capacity(lines.len());
        for run in lines {
            marks.push(Mark::Run { x, y, colour, run });
            y += leading;
        }
        (marks, y)
    }

    fn cut(&self, line: Run, width: f32) -> Run {
        let mut text = line.text;
        loop {
            let run = self.letters.run(line.style, &format!("{}…", text.trim_end()));
            if run.width <= width || text.pop().is_none() {
                return run;
            }
        }
    }

    /// Makes sure that so much fits on this page above the footer, or begins another.
    fn room(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        self.pages.push(Vec::new());
        let again = format!(
            "{} {}",
            self.words.title(self.invoice.is_credit_note()),
            self.facts.number
        );
        let mark = self.text(LEFT, TOP, SMALL, GREY, &again);
        self.decorate(mark);
        self.y = TOP + 40.0;
        true
    }

    /// Paragraphs below each other; gives the line below the last.
    fn stack(&mut self, mut place: Place, most: usize, texts: impl Iterator<Item = String>) -> f32 {
        for text in texts {
            let (marks, below) = self.block(place, most, &text);
            self.push(Role::Paragraph, marks);
            place.y = below;
        }
        place.y
    }

    /// A table of two columns: labels, and what they say.
    fn labelled(&mut self, x: f32, mut y: f32, edge: f32, labels: f32, style: Style, rows: &[Row]) -> f32 {
        self.tables += 1;
        let table = self.tables;
        for (row, (label, says)) in rows.iter().enumerate() {
            let mark = self.text(x, y, regular(9.0), GREY, label);
            let head = Some(Head::Row);
            self.push(Role::Cell { table, row, head }, vec![mark]);
            let place = Place {
                x: x + labels,
                y,
                width: edge - x - labels,
                style,
                leading: LEADING,
                colour: INK,
            };
            let (marks, below) = self.block(place, 4, says);
            self.push(Role::Cell { table, row, head: None }, marks);
            y = below + 3.5;
        }
        y
    }

    /// How high something is, without leaving it on the page.
    fn tried(&mut self, draw: impl FnOnce(&mut Self)) -> f32 {
        let (top, tables) = (self.y, self.tables);
        let pieces = self.pages.last().map_or(0, Vec::len);
        draw(self);
        let height = self.y - top;
        (self.y, self.tables) = (top, tables);
        if let Some(page) = self.pages.last_mut() {
            page.truncate(pieces);
        }
        height
    }
}

/// Where a block of text begins and how it looks.
#[derive(Clone, Copy)]
struct Place {
    x: f32,
    y: f32,
    width: f32,
    style: Style,
    leading: f32,
    colour: Colour,
}
