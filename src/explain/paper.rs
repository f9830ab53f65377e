//! A page of plain text: titles, headings, names beside what they name.

/// How wide the names are.
const NAMES: usize = 15;

/// What has been written so far.
#[derive(Default)]
pub struct Paper(String);

impl Paper {
    /// The first line.
    pub fn title(&mut self, text: &str) {
        self.push(text);
        self.push(&"=".repeat(text.chars().count()));
    }

    /// Begins a part.
    pub fn heading(&mut self, text: &str) {
        if !self.0.is_empty() {
            self.push("");
        }
        self.push(text);
        self.push(&"-".repeat(text.chars().count()));
    }

    /// A line by itself.
    pub fn line(&mut self, text: &str) {
        self.push(text);
    }

    /// A name and what it names.
    pub fn pair(&mut self, name: &str, text: &str) {
        self.push(&format!("{name:NAMES$} {text}"));
    }

    /// The same, unless there is nothing.
    pub fn pair_if(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.pair(name, text);
        }
    }

    /// One of several.
    pub fn item(&mut self, text: &str) {
        self.push(&format!("- {text}"));
    }

    /// Something about the item above, unless there is nothing.
    pub fn under(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.push(&format!("    {name:NAMES$} {text}"));
        }
    }

    /// All of it.
    pub fn done(self) -> String {
        self.0
    }

    /// Strangers' text may hold what moves a terminal's cursor; it is shown, not obeyed. Line breaks
    /// and tabs mean no harm: they only part words here.
    fn push(&mut self, line: &str) {
        self.0.extend(line.trim_end().chars().map(|c| match c {
            '\n' | '\t' => ' ',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        }));
        self.0.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strangers_text_does_not_move_the_cursor() {
        let mut paper = Paper::default();
        paper.under("account holder", "A\u{1b}[2J\nB\tC");
        assert_eq!(paper.done(), "    account holder  A\u{FFFD}[2J B C\n");
    }
}
