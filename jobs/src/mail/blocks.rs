//! What a rendered template consists of, and how each part looks in plain text and in HTML.
//!
//! Structure comes from templates alone. Whatever is filled in is *quoted* first: its line breaks and punctuation are
//! written in characters of Unicode's private use area, and come back when the structure has been read. So no name can
//! make a paragraph, a list, a button or bold letters.
//!
//! ```text
//! A paragraph, of one line        - an item of a list        > what somebody asked or answered
//! or several; **bold**,           - another                  | Label | value, as a row of a table
//! <address> of a page or e-mail   [Label](address) a button  --- what follows is small print
//! ```

use eencent_activations::links::LINK_PLACEHOLDER;
use serde_json::{Value, json};

/// Where quoted characters stand.
const QUOTED: u32 = 0xE000;

/// Whether a character is one that [`quoted`] writes; a text that comes in can't have it.
pub(super) fn is_quoted(c: char) -> bool {
    (QUOTED..QUOTED + 0x80).contains(&u32::from(c))
}

/// What is filled in, so that nothing in it is read as structure.
pub(super) fn quoted(text: &str) -> String {
    let quote = |c: char| {
        let away = c == '\n' || c.is_ascii_punctuation();
        let written = if away {
            char::from_u32(QUOTED + u32::from(c))
        } else {
            None
        };
        written.unwrap_or(c)
    };
    text.chars().map(quote).collect()
}

/// As it was before [`quoted`].
pub(super) fn unquoted(text: &str) -> String {
    let back = |c: char| {
        let written = if is_quoted(c) {
            char::from_u32(u32::from(c) - QUOTED)
        } else {
            None
        };
        written.unwrap_or(c)
    };
    text.chars().map(back).collect()
}

/// A part of an e-mail; its texts are still quoted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block<'a> {
    Paragraph(Vec<&'a str>),
    List(Vec<&'a str>),
    Quote(Vec<&'a str>),
    Pairs(Vec<(&'a str, &'a str)>),
    Button { label: &'a str, address: &'a str },
    SmallPrint,
}

/// Reads the structure. A button whose address is none is left out: that is how one without a page is.
pub(super) fn read(rendered: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut fresh = true;
    for line in rendered.lines().map(str::trim) {
        if line.is_empty() {
            fresh = true;
            continue;
        }
        let block = of_line(line);
        let joined = !fresh && blocks.last_mut().is_some_and(|last| join(last, &block));
        if !joined {
            blocks.push(block);
        }
        fresh = false;
    }
    blocks.retain(|block| !matches!(block, Block::Button { address, .. } if !is_address(&unquoted(address))));
    blocks
}

fn of_line(line: &str) -> Block<'_> {
    if line == "---" {
        return Block::SmallPrint;
    }
    // What is filled in may be empty, and the line was trimmed.
    let marked = |mark: &str| {
        line.strip_prefix(mark)
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    if let Some(item) = marked("-") {
        return Block::List(vec![item.trim()]);
    }
    if let Some(said) = marked(">") {
        return Block::Quote(vec![said.trim()]);
    }
    if let Some((label, value)) = marked("|").and_then(|rest| rest.split_once('|')) {
        return Block::Pairs(vec![(label.trim(), value.trim())]);
    }
    let button = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(')'));
    if let Some((label, address)) = button.and_then(|rest| rest.split_once("](")) {
        return Block::Button { label, address };
    }
    Block::Paragraph(vec![line])
}

/// Adds a line to the block before it, where it is of the same kind.
fn join<'a>(last: &mut Block<'a>, next: &Block<'a>) -> bool {
    match (last, next) {
        (Block::Paragraph(lines), Block::Paragraph(more))
        | (Block::List(lines), Block::List(more))
        | (Block::Quote(lines), Block::Quote(more)) => lines.extend(more),
        (Block::Pairs(pairs), Block::Pairs(more)) => pairs.extend(more),
        _ => return false,
    }
    true
}

/// The plain text.
pub(super) fn as_text(blocks: &[Block<'_>]) -> String {
    let lines = |lines: &[&str], before: &str| {
        let each = lines.iter().map(|line| format!("{before}{}", inline(line, &Plain)));
        each.collect::<Vec<_>>().join("\n")
    };
    let parts = blocks.iter().map(|block| match block {
        Block::Paragraph(paragraph) => lines(paragraph, ""),
        Block::List(items) => lines(items, "- "),
        Block::Quote(said) => format!("    {}", lines(said, "").replace('\n', "\n    ")),
        Block::Pairs(pairs) => {
            let each = pairs
                .iter()
                .map(|(label, value)| format!("{}: {}", inline(label, &Plain), inline(value, &Plain)));
            each.collect::<Vec<_>>().join("\n")
        }
        Block::Button { label, address } => format!("{}:\n{}", unquoted(label), unquoted(address)),
        Block::SmallPrint => "_".repeat(20),
    });
    format!("{}\n", parts.collect::<Vec<_>>().join("\n\n"))
}

/// The blocks as the layout takes them; everything in it is escaped.
pub(super) fn for_layout(blocks: &[Block<'_>]) -> Value {
    let mut small = false;
    let mut all = Vec::with_capacity(blocks.len());
    let lines = |lines: &[&str]| {
        let each = lines.iter().map(|line| inline(line, &Html));
        each.collect::<Vec<_>>().join("<br>")
    };
    for block in blocks {
        all.push(match block {
            Block::Paragraph(paragraph) if small => json!({ "kind": "small", "html": lines(paragraph) }),
            Block::Paragraph(paragraph) => json!({ "kind": "paragraph", "html": lines(paragraph) }),
            Block::List(items) => {
                let items: Vec<String> = items.iter().map(|item| inline(item, &Html)).collect();
                json!({ "kind": "list", "items": items })
            }
            Block::Quote(said) => json!({ "kind": "quote", "html": lines(said) }),
            Block::Pairs(pairs) if small => {
                let each = pairs
                    .iter()
                    .map(|(label, value)| format!("{}: {}", inline(label, &Html), inline(value, &Html)));
                json!({ "kind": "small", "html": each.collect::<Vec<_>>().join("<br>") })
            }
            Block::Pairs(pairs) => {
                let pairs: Vec<Value> = pairs
                    .iter()
                    .map(|(label, value)| json!({ "label": inline(label, &Html), "value": inline(value, &Html) }))
                    .collect();
                json!({ "kind": "pairs", "pairs": pairs })
            }
            Block::Button { label, address } => json!({
                "kind": "button",
                "label": html_escaped(&unquoted(label)),
                "address": html_escaped(&unquoted(address)),
            }),
            Block::SmallPrint => {
                small = true;
                json!({ "kind": "rule" })
            }
        });
    }
    Value::Array(all)
}

/// How the parts of a line are written.
trait Written {
    fn plain(&self, text: &str) -> String;
    fn bold(&self, inner: &str) -> String;
    fn linked(&self, target: &str, shown: &str) -> String;
}

struct Plain;

impl Written for Plain {
    fn plain(&self, text: &str) -> String {
        unquoted(text)
    }
    fn bold(&self, inner: &str) -> String {
        inner.to_owned()
    }
    fn linked(&self, _: &str, shown: &str) -> String {
        shown.to_owned()
    }
}

struct Html;

impl Written for Html {
    fn plain(&self, text: &str) -> String {
        html_escaped(&unquoted(text)).replace('\n', "<br>")
    }
    fn bold(&self, inner: &str) -> String {
        format!("<strong>{inner}</strong>")
    }
    fn linked(&self, target: &str, shown: &str) -> String {
        let (target, shown) = (html_escaped(target), html_escaped(shown));
        format!("<a href=\"{target}\" style=\"color:#0b5f4a\">{shown}</a>")
    }
}

fn inline(line: &str, written: &dyn Written) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find(['*', '<']) {
        let (before, from) = rest.split_at(at);
        out.push_str(&written.plain(before));
        let bold = from.strip_prefix("**").and_then(|inner| inner.split_once("**"));
        let link = from.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        if let Some((inner, after)) = bold {
            out.push_str(&written.bold(&inline(inner, written)));
            rest = after;
        } else if let Some((inner, after)) = link
            && let shown = unquoted(inner)
            && let Some(target) = target(&shown)
        {
            out.push_str(&written.linked(&target, &shown));
            rest = after;
        } else {
            let (mark, after) = from.split_at(1);
            out.push_str(&written.plain(mark));
            rest = after;
        }
    }
    out.push_str(&written.plain(rest));
    out
}

/// Where an address in a text leads; `None` when it is none.
fn target(text: &str) -> Option<String> {
    if is_address(text) {
        return Some(text.to_owned());
    }
    eencent_activations::personal::EmailAddress::parse(text)
        .ok()
        .map(|address| format!("mailto:{}", address.as_str()))
}

/// What a button may lead to; never a script.
fn is_address(text: &str) -> bool {
    let web = text.starts_with("https://") || text.starts_with("http://");
    (web || text == LINK_PLACEHOLDER) && !text.contains(|c: char| c.is_whitespace() || c.is_control())
}

/// Text as it stands in HTML, also within quotes.
pub(crate) fn html_escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_structure_of_a_template_is_read() {
        let text = "Dear **you** & <me@example.nl>,\nline\n- one\n- two\n\n| A | b\n| C | d | e\n> said\n[Go](https://x.example/?a=1&b=2)\n[No]()\n---\n| Ref | 1\n<b>";
        let blocks = read(text);
        assert_eq!(blocks.len(), 8, "{blocks:#?}");
        insta::assert_snapshot!("blocks.txt", as_text(&blocks));
        insta::assert_json_snapshot!("blocks.layout", for_layout(&blocks));
    }

    proptest! {
        #[test]
        fn whatever_is_filled_in_it_is_one_line_of_the_template(value in "[-\\n|>\\[\\]()<*a-z \u{e9}_#]{0,40}") {
            prop_assert_eq!(unquoted(&quoted(&value)), value.clone());
            let text = format!("x {} y", quoted(&value));
            let blocks = read(&text);
            prop_assert_eq!(blocks.len(), 1);
            prop_assert_eq!(as_text(&blocks), format!("x {value} y\n"));
            let own_line = quoted(value.trim());
            let paragraphs = read(&own_line);
            prop_assert!(paragraphs.iter().all(|block| matches!(block, Block::Paragraph(lines) if lines.len() == 1)));
        }
    }
}
