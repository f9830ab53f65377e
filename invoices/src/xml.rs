//! Elements of XML, written escaped.

use std::fmt;

/// An element with what is in it: text, or other elements.
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Content,
}

enum Content {
    Text(String),
    Children(Vec<Element>),
}

impl Element {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self {
            name,
            attributes: Vec::new(),
            content: Content::Children(Vec::new()),
        }
    }

    pub(crate) fn of_text(name: &'static str, text: &str) -> Self {
        Self {
            content: Content::Text(text.to_owned()),
            ..Self::new(name)
        }
    }

    pub(crate) fn attribute(mut self, name: &'static str, value: &str) -> Self {
        self.attributes.push((name, value.to_owned()));
        self
    }

    pub(crate) fn child(self, child: Self) -> Self {
        self.children([child])
    }

    /// The children that there are: an `Option` is none or one.
    pub(crate) fn children(mut self, more: impl IntoIterator<Item = Self>) -> Self {
        match &mut self.content {
            Content::Children(children) => children.extend(more),
            Content::Text(_) => self.content = Content::Children(more.into_iter().collect()),
        }
        self
    }

    pub(crate) fn text_child(self, name: &'static str, text: &str) -> Self {
        self.child(Self::of_text(name, text))
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, depth: usize) -> fmt::Result {
        let indent = depth * 2;
        write!(f, "{:indent$}<{}", "", self.name)?;
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"{}\"", Escaped(value))?;
        }
        match &self.content {
            Content::Text(text) => writeln!(f, ">{}</{}>", Escaped(text), self.name),
            Content::Children(children) if children.is_empty() => f.write_str("/>\n"),
            Content::Children(children) => {
                f.write_str(">\n")?;
                children.iter().try_for_each(|child| child.write(f, depth + 1))?;
                writeln!(f, "{:indent$}</{}>", "", self.name)
            }
        }
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, 0)
    }
}

/// Text as it stands between tags or quotes. What XML 1.0 has no way to write is left out.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                // In attributes a reader would make them spaces, and a carriage return a line feed everywhere.
                '\t' => f.write_str("&#9;")?,
                '\n' => f.write_str("&#10;")?,
                '\r' => f.write_str("&#13;")?,
                '\u{0}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}' => {}
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_reads_back_but_for_what_xml_forbids(text in any::<String>(), value in any::<String>()) {
            let written = Element::new("a").child(Element::of_text("b", &text).attribute("c", &value)).to_string();
            let document = roxmltree::Document::parse(&written).unwrap();
            let allowed = |text: &str| -> String {
                text.chars()
                    .filter(|c| !matches!(c, '\u{0}'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}'))
                    .collect()
            };
            let b = document.descendants().find(|node| node.has_tag_name("b")).unwrap();
            prop_assert_eq!(b.text().unwrap_or_default(), allowed(&text));
            prop_assert_eq!(b.attribute("c").unwrap(), allowed(&value));
        }
    }
}
