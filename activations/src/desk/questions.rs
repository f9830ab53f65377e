//! What support asks of a creator, and the page that the link in that e-mail opens.
//!
//! The link is the only key to the page, and shows only its own question. Opening it changes nothing. An answer is
//! one transaction: its text, its files, and the move that puts the activation back in review. If we crash before
//! the commit nothing was answered, and the page still asks; after it, sending it again does nothing.

use serde::Serialize;
use serde_json::json;
use sqlx::AnyConnection;

use super::moves::{Activation, Line, SELECT};
use super::{Actor, Desk, Desking};
use crate::clock::Timestamp;
use crate::document::{Document, MediaType};
use crate::links::{Page, hash_of};
use crate::refused::{DeskError, Kind, Refused};
use crate::state::{Happening, State};
use crate::store::{StoreError, instant, maybe_instant, maybe_text, named, number, text};

/// Longest answer, in characters.
pub const LONGEST_ANSWER: usize = 4_000;

/// How a link to a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionStanding {
    /// It can be answered.
    Open,
    /// This answer has just come in.
    Answered,
    /// It was answered before.
    AnsweredBefore,
    /// Something else was asked since.
    Replaced,
    /// The activation went on, or ended, without an answer.
    Over,
    /// There is no such link.
    Unknown,
}

/// What the page shows.
#[derive(Debug, Clone, Serialize)]
pub struct QuestionPage {
    /// How the link stands.
    pub standing: QuestionStanding,
    /// Whose activation it is.
    pub organisation: Option<String>,
    /// What is asked.
    pub question: Option<String>,
    /// `nl` or `en`: the creator's.
    pub language: String,
    /// Until when it can be answered, as people say it.
    pub expires_local: Option<String>,
    /// Where the activation stands.
    pub state: Option<State>,
}

/// A question with its answer, for support.
#[derive(Debug, Clone, Serialize)]
pub struct QuestionView {
    /// The history line that asked.
    pub number: i64,
    /// When.
    pub asked_at: Timestamp,
    /// What.
    pub question: String,
    /// When the creator answered.
    pub answered_at: Option<Timestamp>,
    /// What; empty when only files came.
    pub answer: Option<String>,
    /// The files that came with it.
    pub files: Vec<FileView>,
}

/// A file, without its bytes.
#[derive(Debug, Clone, Serialize)]
pub struct FileView {
    /// By which it is fetched.
    pub id: String,
    /// What the creator calls it.
    pub name: String,
    /// What its bytes are.
    pub media_type: String,
    /// In bytes.
    pub size: i64,
}

struct Asked {
    number: i64,
    question: String,
    answered_at: Option<Timestamp>,
    activation: Activation,
}

impl Desk {
    /// Notes what is asked, under the link that the e-mail carries.
    pub(super) async fn ask(&self, work: &mut Desking, a: &Activation, question: &str) -> Result<(), DeskError> {
        let Some(number) = a.asked else { return Ok(()) };
        let token = self.rules.links_key.token(Page::Information, &a.id, number);
        sqlx::query(
            "INSERT INTO questions (activation_id, number, token_hash, asked_at, question) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(a.id.as_str())
        .bind(number)
        .bind(hash_of(&token))
        .bind(self.now().micros())
        .bind(question)
        .execute(&mut *work.tx)
        .await?;
        Ok(())
    }

    /// What a link opens. Changes nothing.
    ///
    /// # Errors
    /// When the store doesn't answer.
    pub async fn question(&self, token: &str) -> Result<QuestionPage, DeskError> {
        let mut connection = self.store.reader().acquire().await?;
        let asked = self.asked_by(&mut connection, token, "").await?;
        Ok(self.question_page(asked.as_ref()))
    }

    /// The creator answers: with words, with files, or both. The activation goes back to review.
    ///
    /// # Errors
    /// Refused when there is neither, when the text is too long, or when there are more files or bytes than the
    /// settings allow; nothing was changed then. When the store doesn't answer.
    pub async fn answer(&self, token: &str, text: &str, files: Vec<Document>) -> Result<QuestionPage, DeskError> {
        let text = text.replace("\r\n", "\n").replace('\0', "\u{fffd}");
        let text = text.trim();
        self.fits(text, &files)?;
        let mut work = self.begin().await?;
        let Some(mut asked) = self.asked_by(&mut work.tx, token, &self.store.held("a")).await? else {
            return Ok(self.question_page(None));
        };
        if standing(&asked) != QuestionStanding::Open {
            return Ok(self.question_page(Some(&asked)));
        }
        let now = self.now();
        let a = &mut asked.activation;
        sqlx::query("UPDATE questions SET answered_at = $1, answer = $2 WHERE activation_id = $3 AND number = $4")
            .bind(now.micros())
            .bind(text)
            .bind(a.id.as_str())
            .bind(asked.number)
            .execute(&mut *work.tx)
            .await?;
        let many = files.len();
        for (position, file) in (0_i64..).zip(files) {
            sqlx::query(
                "INSERT INTO uploads (id, activation_id, number, position, name, media_type, size, digest, uploaded_at, content) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            )
            .bind(self.new_id("upl")?)
            .bind(a.id.as_str())
            .bind(asked.number)
            .bind(position)
            .bind(file.name().to_owned())
            .bind(file.media_type().as_str())
            .bind(i64::try_from(file.content().len()).unwrap_or(i64::MAX))
            .bind(file.digest())
            .bind(now.micros())
            .bind(file.into_content())
            .execute(&mut *work.tx)
            .await?;
        }
        // A letter with the question that hasn't been handed over, or a reminder, would ask what is answered.
        self.void_link(&mut work, a).await?;
        let why = match many {
            0 => "the creator answered".to_owned(),
            1 => "the creator answered, with a file".to_owned(),
            many => format!("the creator answered, with {many} files"),
        };
        let line = Line {
            happening: Happening::ReviewResumed,
            actor: "creator",
            reason: &why,
            email: json!({}),
        };
        self.make(&mut work, a, line).await?;
        self.commit(work).await?;
        Ok(QuestionPage {
            standing: QuestionStanding::Answered,
            ..self.question_page(Some(&asked))
        })
    }

    fn fits(&self, text: &str, files: &[Document]) -> Result<(), Refused> {
        let invalid = |code, text: String, text_nl: String| Err(Refused::new(Kind::Invalid, code, text, text_nl));
        let limits = self.rules.answers;
        if text.is_empty() && files.is_empty() {
            return invalid(
                "answer_empty",
                "Write an answer, or add a file.".to_owned(),
                "Schrijf een antwoord, of voeg een bestand toe.".to_owned(),
            );
        }
        if text.chars().count() > LONGEST_ANSWER {
            return invalid(
                "answer_too_long",
                format!("Write at most {LONGEST_ANSWER} characters; put the rest in a file."),
                format!("Schrijf hooguit {LONGEST_ANSWER} tekens; zet de rest in een bestand."),
            );
        }
        if files.len() > limits.files {
            return invalid(
                "files_too_many",
                format!("Add at most {} files.", limits.files),
                format!("Voeg hooguit {} bestanden toe.", limits.files),
            );
        }
        let bytes = files
            .iter()
            .map(|file| file.content().len())
            .fold(0, usize::saturating_add);
        if bytes > limits.bytes() {
            return invalid(
                "files_too_large",
                format!("Together the files may be {} MB at most.", limits.megabytes),
                format!("Samen mogen de bestanden hooguit {} MB zijn.", limits.megabytes),
            );
        }
        Ok(())
    }

    async fn asked_by(
        &self,
        connection: &mut AnyConnection,
        token: &str,
        held: &str,
    ) -> Result<Option<Asked>, DeskError> {
        let read = "SELECT activation_id, number, question, answered_at FROM questions WHERE token_hash = $1";
        let row = sqlx::query(read)
            .bind(hash_of(token))
            .fetch_optional(&mut *connection)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let sql = format!("{SELECT} WHERE a.id = $1{held}");
        let activation = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(text(&row, "activation_id")?)
            .fetch_one(&mut *connection)
            .await
            .map_err(StoreError::from)?;
        // Read again: somebody may have answered while we waited for the activation.
        let row = match held {
            "" => row,
            _ => {
                sqlx::query(read)
                    .bind(hash_of(token))
                    .fetch_one(&mut *connection)
                    .await?
            }
        };
        Ok(Some(Asked {
            number: number(&row, "number")?,
            question: text(&row, "question")?,
            answered_at: maybe_instant(&row, "answered_at")?,
            activation: Activation::read(&activation)?,
        }))
    }

    fn question_page(&self, asked: Option<&Asked>) -> QuestionPage {
        let Some(asked) = asked else {
            return QuestionPage {
                standing: QuestionStanding::Unknown,
                organisation: None,
                question: None,
                language: "nl".to_owned(),
                expires_local: None,
                state: None,
            };
        };
        let a = &asked.activation;
        let creator = &a.organisation.creator;
        let standing = standing(asked);
        let open = standing == QuestionStanding::Open;
        let dutch = creator.language == "nl";
        QuestionPage {
            standing,
            organisation: Some(a.organisation.legal_name.clone()),
            question: open.then(|| asked.question.clone()),
            language: creator.language.clone(),
            expires_local: a.expires_at.filter(|_| open).map(|at| self.local_words(at, dutch)),
            state: Some(a.state),
        }
    }

    /// What was asked about an activation, oldest first, with the answers.
    pub(super) async fn questions_of(&self, activation: &str) -> Result<Vec<QuestionView>, StoreError> {
        let mut connection = self.store.reader().acquire().await?;
        let rows = sqlx::query(
            "SELECT number, asked_at, question, answered_at, answer FROM questions WHERE activation_id = $1 ORDER BY number",
        )
        .bind(activation)
        .fetch_all(&mut *connection)
        .await?;
        let files = sqlx::query(
            "SELECT id, number, name, media_type, size FROM uploads WHERE activation_id = $1 ORDER BY number, position",
        )
        .bind(activation)
        .fetch_all(&mut *connection)
        .await?;
        let mut all = Vec::with_capacity(rows.len());
        for row in &rows {
            let asked = number(row, "number")?;
            let mut view = QuestionView {
                number: asked,
                asked_at: instant(row, "asked_at")?,
                question: text(row, "question")?,
                answered_at: maybe_instant(row, "answered_at")?,
                answer: maybe_text(row, "answer")?,
                files: Vec::new(),
            };
            for file in &files {
                if number(file, "number")? == asked {
                    view.files.push(FileView {
                        id: text(file, "id")?,
                        name: text(file, "name")?,
                        media_type: text(file, "media_type")?,
                        size: number(file, "size")?,
                    });
                }
            }
            all.push(view);
        }
        Ok(all)
    }

    /// A file that came with an answer. That it was fetched, and by whom, goes into the audit.
    ///
    /// # Errors
    /// Refused when this activation has no such file, or it was purged.
    pub async fn upload(&self, actor: &Actor, activation: &str, id: &str) -> Result<(FileView, Vec<u8>), DeskError> {
        use sqlx::Row as _;
        let mut work = self.begin().await?;
        let row =
            sqlx::query("SELECT id, name, media_type, size, content FROM uploads WHERE id = $1 AND activation_id = $2")
                .bind(id)
                .bind(activation)
                .fetch_optional(&mut *work.tx)
                .await?;
        let row = row.ok_or_else(|| {
            Refused::new(
                Kind::NotFound,
                "file_not_found",
                "This activation has no file with this id; it may have been purged (retention.answer_days).",
                "Deze activering heeft geen bestand met dit id; misschien is het opgeruimd (retention.answer_days).",
            )
        })?;
        let view = FileView {
            id: text(&row, "id")?,
            name: text(&row, "name")?,
            media_type: named(&row, "media_type", MediaType::parse)?.as_str().to_owned(),
            size: number(&row, "size")?,
        };
        let content: Vec<u8> = row.try_get("content").map_err(StoreError::from)?;
        self.note(&mut work, actor, "file fetched", id, activation).await?;
        self.commit(work).await?;
        Ok((view, content))
    }
}

fn standing(asked: &Asked) -> QuestionStanding {
    let a = &asked.activation;
    if asked.answered_at.is_some() {
        QuestionStanding::AnsweredBefore
    } else if a.asked != Some(asked.number) {
        QuestionStanding::Replaced
    } else if a.state == State::InformationRequested {
        QuestionStanding::Open
    } else {
        QuestionStanding::Over
    }
}
