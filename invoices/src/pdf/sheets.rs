//! What stands where on which page, and what it is for those who don't see it: drawn into a PDF at the end.

use std::num::NonZeroU16;

use krilla::color::rgb;
use krilla::geom::{Path, PathBuilder, Point, Rect};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{
    Artifact, ArtifactType, ContentTag, Identifier, Node, SpanTag, TableHeaderScope, Tag, TagGroup, TagTree,
};

use super::NotDrawn;
use super::letters::{Letters, Run};
use crate::qr::Qr;

/// A4, in points.
pub(super) const WIDTH: f32 = 595.276;
pub(super) const HEIGHT: f32 = 841.89;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colour(pub u8, pub u8, pub u8);

/// What a piece is. Cells of one table stand one after another, in rows of one number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Heading(NonZeroU16, String),
    Paragraph,
    Cell {
        table: usize,
        row: usize,
        head: Option<Head>,
    },
    Figure(String),
    /// Nothing that has to be read.
    Decoration,
}

/// What a cell is the heading of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Row,
    Column,
}

pub(super) enum Mark {
    /// At its left end, on the line that letters stand on.
    Run { x: f32, y: f32, colour: Colour, run: Run },
    /// From its upper left corner, its own corners rounded.
    Box {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
        radius: f32,
        colour: Colour,
    },
    /// Its dark modules, from its upper left corner.
    Qr { x: f32, y: f32, side: f32, qr: Qr },
}

pub(super) struct Piece {
    pub role: Role,
    pub marks: Vec<Mark>,
}

/// Draws all pages and gives them their structure.
pub(super) fn draw(document: &mut krilla::Document, letters: &Letters, pages: Vec<Vec<Piece>>) -> Result<(), NotDrawn> {
    let mut read: Vec<(Role, Identifier)> = Vec::new();
    for pieces in pages {
        let settings = PageSettings::from_wh(WIDTH, HEIGHT).ok_or(NotDrawn::Geometry)?;
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        for piece in pieces {
            let tag = match piece.role {
                Role::Decoration => ContentTag::Artifact(Artifact::with_kind(ArtifactType::Layout)),
                _ => ContentTag::Span(SpanTag::empty()),
            };
            let identifier = surface.start_tagged(tag);
            for mark in &piece.marks {
                put(&mut surface, letters, mark)?;
            }
            surface.end_tagged();
            if piece.role != Role::Decoration {
                read.push((piece.role, identifier));
            }
        }
        surface.finish();
        page.finish();
    }
    document.set_tag_tree(structure(read));
    Ok(())
}

/// Cells become rows, rows tables; all else stands for itself.
fn structure(read: Vec<(Role, Identifier)>) -> TagTree {
    let mut tree = TagTree::new();
    let mut open: Option<(usize, Vec<(usize, TagGroup)>)> = None;
    let close = |open: &mut Option<(usize, Vec<(usize, TagGroup)>)>, tree: &mut TagTree| {
        if let Some((_, rows)) = open.take() {
            let rows = rows.into_iter().map(|(_, row)| Node::Group(row)).collect();
            tree.push(TagGroup::with_children(Tag::Table, rows));
        }
    };
    for (role, identifier) in read {
        let leaf = vec![Node::Leaf(identifier)];
        let group = match role {
            Role::Cell { table, row, head } => {
                if open.as_ref().is_none_or(|(of, _)| *of != table) {
                    close(&mut open, &mut tree);
                }
                let (_, rows) = open.get_or_insert_with(|| (table, Vec::new()));
                let cell = match head {
                    Some(Head::Row) => TagGroup::with_children(Tag::TH(TableHeaderScope::Row), leaf),
                    Some(Head::Column) => TagGroup::with_children(Tag::TH(TableHeaderScope::Column), leaf),
                    None => TagGroup::with_children(Tag::TD, leaf),
                };
                match rows.last_mut() {
                    Some((number, cells)) if *number == row => cells.push(cell),
                    _ => rows.push((row, TagGroup::with_children(Tag::TR, vec![Node::Group(cell)]))),
                }
                continue;
            }
            Role::Heading(level, title) => TagGroup::with_children(Tag::Hn(level, Some(title)), leaf),
            Role::Figure(alternative) => TagGroup::with_children(Tag::Figure(Some(alternative)), leaf),
            Role::Paragraph | Role::Decoration => TagGroup::with_children(Tag::P, leaf),
        };
        close(&mut open, &mut tree);
        tree.push(group);
    }
    close(&mut open, &mut tree);
    tree
}

fn put(surface: &mut Surface<'_>, letters: &Letters, mark: &Mark) -> Result<(), NotDrawn> {
    match mark {
        Mark::Run { x, y, colour, run } => {
            surface.set_fill(Some(fill(*colour)));
            let font = letters.font(run.style.weight);
            surface.draw_glyphs(
                Point::from_xy(*x, *y),
                &run.glyphs,
                font,
                &run.text,
                run.style.size,
                false,
            );
        }
        Mark::Box {
            x,
            y,
            width,
            height,
            radius,
            colour,
        } => {
            surface.set_fill(Some(fill(*colour)));
            surface.draw_path(&rounded(*x, *y, *width, *height, *radius).ok_or(NotDrawn::Geometry)?);
        }
        Mark::Qr { x, y, side, qr } => {
            surface.set_fill(Some(fill(Colour(0, 0, 0))));
            surface.draw_path(&modules(*x, *y, *side, qr).ok_or(NotDrawn::Geometry)?);
        }
    }
    Ok(())
}

fn fill(Colour(red, green, blue): Colour) -> Fill {
    Fill {
        paint: rgb::Color::new(red, green, blue).into(),
        ..Fill::default()
    }
}

fn rounded(x: f32, y: f32, width: f32, height: f32, radius: f32) -> Option<Path> {
    let mut path = PathBuilder::new();
    if radius <= 0.0 {
        path.push_rect(Rect::from_xywh(x, y, width, height)?);
        return path.finish();
    }
    // How far the handles of a curve that comes nearest to a quarter of a circle are from its ends.
    let near = radius * (1.0 - 0.552_285);
    let (right, bottom) = (x + width, y + height);
    path.move_to(x + radius, y);
    path.line_to(right - radius, y);
    path.cubic_to(right - near, y, right, y + near, right, y + radius);
    path.line_to(right, bottom - radius);
    path.cubic_to(right, bottom - near, right - near, bottom, right - radius, bottom);
    path.line_to(x + radius, bottom);
    path.cubic_to(x + near, bottom, x, bottom - near, x, bottom - radius);
    path.line_to(x, y + radius);
    path.cubic_to(x, y + near, x + near, y, x + radius, y);
    path.close();
    path.finish()
}

/// One path, so that no hair of white is left between modules.
fn modules(x: f32, y: f32, side: f32, qr: &Qr) -> Option<Path> {
    let number = |count: usize| u16::try_from(count).map_or(0.0, f32::from);
    let unit = side / number(qr.size());
    let mut path = PathBuilder::new();
    for (row, first, length) in qr.runs() {
        let (left, top) = (x + number(first) * unit, y + number(row) * unit);
        path.push_rect(Rect::from_xywh(left, top, number(length) * unit, unit)?);
    }
    path.finish()
}
