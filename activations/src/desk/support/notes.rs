//! Notes: what people write beside an activation. They are added and never changed.

use serde::Serialize;

use crate::clock::Timestamp;
use crate::desk::{Actor, Desk};
use crate::refused::{DeskError, Kind, Refused};
use crate::store::{instant, text};

/// Longest note, in characters.
const LONGEST: usize = 4_000;

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NoteView {
    /// Its id.
    pub id: String,
    /// When.
    pub at: Timestamp,
    /// Who wrote it.
    pub author: String,
    /// What.
    pub note: String,
}

impl Desk {
    /// Writes a note beside an activation, whatever state that is in.
    ///
    /// # Errors
    /// Refused when there is nothing in it, or too much, and when there is no such activation.
    pub async fn add_note(&self, actor: &Actor, activation: &str, note: &str) -> Result<NoteView, DeskError> {
        let note = note.replace("\r\n", "\n").replace('\0', "\u{fffd}");
        let note = note.trim();
        if note.is_empty() || note.chars().count() > LONGEST {
            return Err(Refused::new(
                Kind::Invalid,
                "note_length",
                format!("Write a note of at most {LONGEST} characters."),
                format!("Schrijf een notitie van hooguit {LONGEST} tekens."),
            )
            .into());
        }
        let mut work = self.begin().await?;
        self.load(&mut work, activation)
            .await?
            .ok_or_else(Refused::no_activation)?;
        let view = NoteView {
            id: self.new_id("not")?,
            at: self.now(),
            author: actor.to_string(),
            note: note.to_owned(),
        };
        sqlx::query("INSERT INTO notes (id, activation_id, at, author, note) VALUES ($1, $2, $3, $4, $5)")
            .bind(view.id.as_str())
            .bind(activation)
            .bind(view.at.micros())
            .bind(view.author.as_str())
            .bind(view.note.as_str())
            .execute(&mut *work.tx)
            .await?;
        self.note(&mut work, actor, "note added", activation, &view.id).await?;
        self.commit(work).await?;
        Ok(view)
    }

    /// The notes of an activation, oldest first.
    pub(super) async fn notes_of(&self, activation: &str) -> Result<Vec<NoteView>, DeskError> {
        let rows = sqlx::query("SELECT id, at, author, note FROM notes WHERE activation_id = $1 ORDER BY id")
            .bind(activation)
            .fetch_all(self.store.reader())
            .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            all.push(NoteView {
                id: text(row, "id")?,
                at: instant(row, "at")?,
                author: text(row, "author")?,
                note: text(row, "note")?,
            });
        }
        Ok(all)
    }
}
