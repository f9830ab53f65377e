//! The document for people: A4, one page unless it has many lines.
//!
//! PDF/A-2a and PDF/UA-1: with its font, its language, its structure for screen readers, and text that can be copied.
//! [`krilla`] refuses to finish a document that isn't that.

mod layout;
mod letters;
mod sheets;
mod words;

use std::collections::BTreeSet;

use chrono::Datelike as _;
use krilla::SerializeSettings;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::error::KrillaError;
use krilla::geom::Point;
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};

use crate::invoice::Invoice;
use crate::payment::NotPayable;
use letters::Letters;
use words::Words;

/// Why there is no PDF of an invoice. None of it depends on what the invoice says: whoever meets one of these has found a
/// fault of this crate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDrawn {
    /// The font that is built in can't be read.
    #[error("the font of invoices can't be read: this program was built wrongly")]
    Font,
    /// Something has no place on the page.
    #[error("a shape on the invoice has no size: please report this")]
    Geometry,
    /// The QR code can't be made.
    #[error(transparent)]
    Qr(#[from] NotPayable),
    /// The document isn't what PDF/A and PDF/UA ask.
    #[error("the PDF of the invoice isn't PDF/A: {0}; please report this")]
    Format(String),
}

/// The document as PDF; the same bytes for the same invoice, whenever it is asked.
///
/// # Errors
/// See [`NotDrawn`].
pub fn pdf(invoice: &Invoice) -> Result<Vec<u8>, NotDrawn> {
    let facts = invoice.facts();
    let words = Words(facts.language);
    let letters = Letters::load()?;
    let title = format!("{} {}", words.title(invoice.is_credit_note()), facts.number);

    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| NotDrawn::Format("its configuration contradicts itself".to_owned()))?;
    let mut document = krilla::Document::new_with(SerializeSettings {
        configuration,
        ..SerializeSettings::default()
    });
    document.set_metadata(
        Metadata::new()
            .title(title.clone())
            .authors(vec![facts.seller.name.to_string()])
            .language(facts.language.code().to_owned())
            .creation_date(day(facts.issued))
            .document_id(format!("{} {}", facts.seller.vat, facts.number)),
    );
    let mut outline = Outline::new();
    outline.push_child(OutlineNode::new(
        title,
        XyzDestination::new(0, Point::from_xy(0.0, 0.0)),
    ));
    document.set_outline(outline);

    let pages = layout::pages(invoice, words, &letters)?;
    sheets::draw(&mut document, &letters, pages)?;
    document.finish().map_err(|error| NotDrawn::Format(kinds(&error)))
}

/// What kinds of errors there are: krilla's own texts quote the document.
fn kinds(error: &KrillaError) -> String {
    let kind = |debug: String| debug.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let KrillaError::Validation(errors) = error else {
        return kind(format!("{error:?}"));
    };
    let kinds: BTreeSet<String> = errors.iter().map(|(error, _)| kind(format!("{error:?}"))).collect();
    kinds.into_iter().collect::<Vec<_>>().join(", ")
}

/// The day that it was made on: the only moment that an invoice knows.
fn day(date: chrono::NaiveDate) -> DateTime {
    let small = |number: u32| u8::try_from(number).unwrap_or(1);
    DateTime::new(u16::try_from(date.year()).unwrap_or(0))
        .month(small(date.month()))
        .day(small(date.day()))
}
