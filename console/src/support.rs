//! Support's pages: what waits for a decision, one activation with all that is known of it, and what is done about it.
//!
//! - [`queue`]: what waits, oldest first; [`search`]: finding one by anything that is known of it.
//! - [`case`]: one activation; [`names`]: account holder and organisation beside each other; [`letters`]: its e-mails.
//! - [`acts`]: what is about to happen is shown before it is confirmed; [`notes`]: assigning, notes, what is masked.
//! - [`schedule`]: what takes effect when; [`payments`]: money that names nobody; [`report`]: what decisions teach.

mod acts;
mod case;
mod letters;
mod names;
mod notes;
mod payments;
mod queue;
mod report;
mod schedule;
mod search;

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::get;
use eencent_activations::people::Permission;

use crate::Console;
use crate::pages::Template;
use crate::visitor::Visitor;

pub(crate) const TEMPLATES: [Template; 14] = [
    (
        "support/queue.html",
        include_str!("../../config/console/support/queue.html"),
    ),
    (
        "support/search.html",
        include_str!("../../config/console/support/search.html"),
    ),
    (
        "support/case.html",
        include_str!("../../config/console/support/case.html"),
    ),
    (
        "support/names.html",
        include_str!("../../config/console/support/names.html"),
    ),
    (
        "support/money.html",
        include_str!("../../config/console/support/money.html"),
    ),
    (
        "support/acts.html",
        include_str!("../../config/console/support/acts.html"),
    ),
    (
        "support/beside.html",
        include_str!("../../config/console/support/beside.html"),
    ),
    (
        "support/foreseen.html",
        include_str!("../../config/console/support/foreseen.html"),
    ),
    (
        "support/email.html",
        include_str!("../../config/console/support/email.html"),
    ),
    (
        "support/schedule.html",
        include_str!("../../config/console/support/schedule.html"),
    ),
    (
        "support/payments.html",
        include_str!("../../config/console/support/payments.html"),
    ),
    (
        "support/allocating.html",
        include_str!("../../config/console/support/allocating.html"),
    ),
    (
        "support/report.html",
        include_str!("../../config/console/support/report.html"),
    ),
    (
        "support/words.html",
        include_str!("../../config/console/support/words.html"),
    ),
];

pub(crate) fn router() -> Router<Console> {
    Router::new()
        .route("/", get(start))
        .merge(queue::router())
        .merge(search::router())
        .merge(case::router())
        .merge(acts::router())
        .merge(notes::router())
        .merge(letters::router())
        .merge(schedule::router())
        .merge(payments::router())
        .merge(report::router())
}

/// Where somebody's work begins.
async fn start(State(_): State<Console>, visitor: Visitor) -> Redirect {
    Redirect::to(if visitor.person.may(Permission::ReadCases) {
        "/queue"
    } else if visitor.person.may(Permission::Administer) {
        "/people"
    } else {
        "/account"
    })
}

#[cfg(test)]
mod tests {
    use eencent_activations::state::{EmailKind, Happening};

    #[test]
    fn everything_that_happens_and_every_e_mail_to_a_creator_has_words_in_both_languages() {
        let words = include_str!("../../config/console/support/words.html");
        let happenings = Happening::ALL.iter().map(|one| format!("happening == \"{one}\""));
        let emails = EmailKind::ALL.iter().filter(|kind| !kind.is_to_the_house());
        let emails = emails.map(|one| format!("kind == \"{one}\""));
        for condition in happenings.chain(emails) {
            assert!(words.contains(&condition), "{condition}");
        }
    }
}
