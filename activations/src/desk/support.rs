//! What support works with, from the queue to the report.
//!
//! | file | what it holds |
//! |---|---|
//! | `reviews` | the rows of what waits for a person, and of what persons decided; kept by the moves |
//! | `queue` | what waits, oldest first, with filters, pages and counts |
//! | `assigning` | who looks at it; the next one that nobody has |
//! | `notes` | what people write beside it |
//! | `case` | one activation with all that is known of it; `related`: earlier ones, and warnings |
//! | `revealing` | what is masked, shown once to who says why; e-mails as they were sent |
//! | `finding` | what organisations and accounts are found by; `search`: finding them |
//! | `foreseen` | what an act will do, before it is done |
//! | `second_person` | approvals that take two |
//! | `schedule` | what takes effect when, and why then; now, or not after all |
//! | `report` | what persons decided against what the matcher said |
//!
//! Nothing here decides: the moves do, by the same table as ever. Each list is by an index, or of what waits.

mod assigning;
mod case;
mod finding;
mod foreseen;
mod notes;
mod queue;
mod related;
mod report;
mod revealing;
mod reviews;
mod schedule;
mod search;
mod second_person;

pub(super) use finding::{insert_words, words_of};

pub use assigning::Assignee;
pub use case::{Case, CasePayment, InReview};
pub use foreseen::{Foreseen, ForeseenEmail, Intended, Pen};
pub use notes::NoteView;
pub use queue::{Counted, QueueCounts, QueueFilter, QueuePage, QueueRow, Whose};
pub use related::{Related, RelatedActivation, RelatedList};
pub use report::{Example, ReportRow};
pub use revealing::SentEmail;
pub(super) use reviews::write_reviews;
pub use schedule::{ScheduledPage, ScheduledRow};
pub use search::{Found, FoundActivation, FoundBy, FoundPayment};
pub(super) use second_person::takes_another;
pub use second_person::{Proposal, SecondPerson};
