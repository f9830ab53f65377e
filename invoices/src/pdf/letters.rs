//! Text as glyphs: measured, broken into lines, with something in the place of what the font lacks.

use harfrust::{Direction, FontRef, ShapeOptions, Shaper, ShaperData, UnicodeBuffer};
use krilla::text::{Font, GlyphId, KrillaGlyph};

use super::NotDrawn;

const REGULAR: &[u8] = include_bytes!("../../fonts/IBMPlexSans-Regular.ttf");
const SEMI_BOLD: &[u8] = include_bytes!("../../fonts/IBMPlexSans-SemiBold.ttf");

/// What is shown for a character that the font lacks; copied from the document it is the character itself.
const REPLACEMENT: &str = "\u{FFFD}";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    SemiBold,
}

/// A weight at a size, in points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Style {
    pub weight: Weight,
    pub size: f32,
}

/// A piece of one line.
pub(super) struct Run {
    pub text: String,
    pub glyphs: Vec<KrillaGlyph>,
    pub style: Style,
    pub width: f32,
}

/// Both weights of the font.
pub(super) struct Letters {
    regular: Face,
    semi_bold: Face,
}

struct Face {
    font: Font,
    file: FontRef<'static>,
    shaping: ShaperData,
    /// Shown for what the font lacks.
    replacement: Glyph,
}

impl Face {
    fn load(bytes: &'static [u8]) -> Result<Self, NotDrawn> {
        let file = FontRef::new(bytes).map_err(|_| NotDrawn::Font)?;
        let shaping = ShaperData::new(&file);
        let replacement = shape(&shaping.shaper(&file).build(), REPLACEMENT).pop();
        Ok(Self {
            font: Font::new(bytes.into(), 0).ok_or(NotDrawn::Font)?,
            replacement: replacement.filter(|glyph| glyph.id != 0).ok_or(NotDrawn::Font)?,
            shaping,
            file,
        })
    }

    fn shape(&self, text: &str) -> Vec<Glyph> {
        let mut glyphs = shape(&self.shaping.shaper(&self.file).build(), text);
        for glyph in &mut glyphs {
            if glyph.id == 0 {
                *glyph = Glyph {
                    cluster: glyph.cluster,
                    ..self.replacement
                };
            }
        }
        glyphs
    }
}

impl Letters {
    pub(super) fn load() -> Result<Self, NotDrawn> {
        Ok(Self {
            regular: Face::load(REGULAR)?,
            semi_bold: Face::load(SEMI_BOLD)?,
        })
    }

    const fn face(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::SemiBold => &self.semi_bold,
        }
    }

    pub(super) fn font(&self, weight: Weight) -> Font {
        self.face(weight).font.clone()
    }

    /// One line, however long.
    pub(super) fn run(&self, style: Style, text: &str) -> Run {
        let text: String = text
            .chars()
            .filter(|c| !takes_no_room(*c))
            .map(of_no_private_use)
            .collect();
        let face = self.face(style.weight);
        let em = face.font.units_per_em();
        let shaped = face.shape(&text);
        let ends = |from: u32| {
            let next = shaped
                .iter()
                .map(|glyph| glyph.cluster)
                .filter(|cluster| *cluster > from)
                .min();
            next.map_or(text.len(), |next| usize::try_from(next).unwrap_or(text.len()))
        };
        let glyphs: Vec<KrillaGlyph> = shaped
            .iter()
            .map(|glyph| {
                let start = usize::try_from(glyph.cluster).unwrap_or(0);
                KrillaGlyph::new(
                    GlyphId::new(glyph.id),
                    glyph.advance / em,
                    glyph.right / em,
                    glyph.up / em,
                    0.0,
                    start..ends(glyph.cluster),
                    None,
                )
            })
            .collect();
        let width = glyphs.iter().map(|glyph| glyph.x_advance).sum::<f32>() * style.size;
        Run {
            text,
            glyphs,
            style,
            width,
        }
    }

    /// As many lines as it takes, broken at spaces, and within a word only where the word is wider than a line.
    pub(super) fn lines(&self, style: Style, text: &str, width: f32) -> Vec<Run> {
        let measure = |text: &str| self.run(style, text).width;
        let space = measure(" ");
        let mut lines: Vec<String> = Vec::new();
        let (mut line, mut used) = (String::new(), 0.0);
        for word in text.split(' ') {
            let takes = measure(word);
            if !line.is_empty() && used + space + takes <= width {
                line.push(' ');
                line.push_str(word);
                used += space + takes;
                continue;
            }
            if !line.is_empty() {
                // A reader that joins lines finds the space between the words.
                line.push(' ');
                lines.push(std::mem::take(&mut line));
                used = 0.0;
            }
            if takes <= width {
                line.push_str(word);
                used = takes;
                continue;
            }
            for c in word.chars() {
                let takes = measure(c.encode_utf8(&mut [0; 4]));
                if used + takes > width && !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                    used = 0.0;
                }
                line.push(c);
                used += takes;
            }
        }
        lines.push(line);
        lines.iter().map(|line| self.run(style, line)).collect()
    }
}

#[derive(Clone, Copy)]
struct Glyph {
    id: u32,
    cluster: u32,
    advance: f32,
    right: f32,
    up: f32,
}

/// Left to right always: the scripts of the font are written so, and what is of another is replaced.
fn shape(shaper: &Shaper<'_>, text: &str) -> Vec<Glyph> {
    let mut buffer = UnicodeBuffer::new();
    buffer.push_str(text);
    buffer.guess_segment_properties();
    buffer.set_direction(Direction::LeftToRight);
    let glyphs = shaper.shape(buffer, ShapeOptions::new());
    let placed = glyphs.glyph_infos().iter().zip(glyphs.glyph_positions());
    placed
        .map(|(info, position)| Glyph {
            id: info.glyph_id,
            cluster: info.cluster,
            advance: points(position.x_advance),
            right: points(position.x_offset),
            up: points(position.y_offset),
        })
        .collect()
}

/// Units of the font, a few thousand at most.
fn points(units: i32) -> f32 {
    i16::try_from(units).map_or(0.0, f32::from)
}

/// Joiners, selectors of variants, byte order marks: what has no glyph by design.
const fn takes_no_room(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{E0000}'..='\u{E01EF}')
}

/// What means something else in each font can't be in a document that is kept (PDF/A).
const fn of_no_private_use(c: char) -> char {
    match c {
        '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{10FFFF}' => char::REPLACEMENT_CHARACTER,
        other => other,
    }
}
