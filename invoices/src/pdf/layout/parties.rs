//! The upper part: who sells, who buys, and what the document goes by; and the footers.

use std::num::NonZeroU16;

use super::{
    ACCENT, BODY, GAP, GREY, HAIR, INK, LEADING, LEFT, Layout, MIDDLE, Place, RIGHT, Row, SMALL, SMALL_LEADING,
    regular, semi_bold,
};
use crate::invoice::{Document, Facts};
use crate::party::CompanyNumber;
use crate::pdf::sheets::{HEIGHT, Mark, Piece, Role};
use crate::pdf::words::dotted;

impl Layout<'_> {
    pub(super) fn seller(&mut self) {
        let seller = &self.facts.seller;
        let name = Place {
            x: LEFT,
            y: self.y,
            width: MIDDLE - LEFT - GAP,
            style: semi_bold(13.0),
            leading: 17.0,
            colour: ACCENT,
        };
        let (marks, left) = self.block(name, 4, seller.name.as_str());
        self.push(Role::Paragraph, marks);

        let place = Place {
            x: MIDDLE,
            y: self.y - 2.5,
            width: RIGHT - MIDDLE,
            style: SMALL,
            leading: SMALL_LEADING,
            colour: GREY,
        };
        let address = &seller.address;
        let abroad = address.country != self.facts.buyer.address.country;
        let lines = [
            Some(address.street.to_string()),
            Some(format!("{} {}", address.postcode, address.city)),
            abroad.then(|| self.words.country(address.country)),
            seller.email.as_ref().map(ToString::to_string),
            seller.phone.as_ref().map(ToString::to_string),
            seller.website.as_ref().map(ToString::to_string),
        ];
        let right = self.stack(place, 2, lines.into_iter().flatten());
        self.y = left.max(right) + 34.0;
    }

    pub(super) fn title(&mut self) {
        let title = self.words.title(self.invoice.is_credit_note());
        let mark = self.text(LEFT - 0.5, self.y, semi_bold(28.0), INK, title);
        self.push(Role::Heading(NonZeroU16::MIN, title.to_owned()), vec![mark]);
        self.y += 38.0;
    }

    pub(super) fn parties_and_facts(&mut self) {
        let top = self.y;
        let left = self.buyer(top);
        let right = self.table_of_facts(top);
        self.y = left.max(right) + 30.0;
    }

    fn buyer(&mut self, top: f32) -> f32 {
        let buyer = &self.facts.buyer;
        let label = self.text(LEFT, top, SMALL, GREY, self.words.to());
        self.push(Role::Paragraph, vec![label]);
        let name = Place {
            x: LEFT,
            y: top + 17.0,
            width: MIDDLE - LEFT - GAP,
            style: semi_bold(10.5),
            leading: 14.5,
            colour: INK,
        };
        let (marks, below) = self.block(name, 12, buyer.name.as_str());
        self.push(Role::Paragraph, marks);

        let address = &buyer.address;
        let town = [&address.postcode, &address.city].map(|text| text.as_ref().map(ToString::to_string));
        let town: Vec<String> = town.into_iter().flatten().collect();
        let abroad = address.country != self.facts.seller.address.country;
        let lines = [
            buyer
                .contact
                .as_ref()
                .map(|person| self.words.attention(person.as_str())),
            address.street.as_ref().map(ToString::to_string),
            (!town.is_empty()).then(|| town.join(" ")),
            abroad.then(|| self.words.country(address.country)),
        ];
        let place = Place {
            y: below,
            style: BODY,
            leading: LEADING,
            ..name
        };
        let below = self.stack(place, 3, lines.into_iter().flatten());

        let words = self.words;
        let belgian = buyer.belgian_enterprise.as_ref();
        let numbers = [
            buyer.kvk.as_ref().map(|kvk| format!("KvK {kvk}")),
            belgian.map(|number| format!("{} {}", words.belgian_enterprise(), dotted(number.as_str()))),
            buyer.vat.as_ref().map(|vat| format!("{} {vat}", words.vat_number())),
        ];
        let place = Place {
            y: below + 3.0,
            style: SMALL,
            leading: SMALL_LEADING,
            colour: GREY,
            ..name
        };
        self.stack(place, 2, numbers.into_iter().flatten())
    }

    fn table_of_facts(&mut self, top: f32) -> f32 {
        let Facts {
            number,
            issued,
            document,
            reference,
            ..
        } = self.facts;
        let (words, credit) = (self.words, self.invoice.is_credit_note());
        let mut rows: Vec<Row> = vec![
            (words.number(credit), number.to_string()),
            (words.issued(credit), words.date(*issued)),
        ];
        match document {
            Document::Invoice { due, .. } => rows.push((words.due(), words.date(*due))),
            Document::CreditNote {
                invoice,
                invoice_issued,
            } => {
                rows.push((words.credited(), invoice.to_string()));
                rows.push((words.credited_issued(), words.date(*invoice_issued)));
            }
        }
        rows.push((words.buyers(reference), reference.text().to_string()));
        self.labelled(MIDDLE, top, RIGHT, 96.0, BODY, &rows)
    }

    /// Who the seller is by law, once to be read; and which page it is where there are more.
    pub(super) fn footers(&mut self) {
        let seller = &self.facts.seller;
        let company = match &seller.company {
            CompanyNumber::Kvk(number) => format!("KvK {number}"),
            CompanyNumber::BelgianEnterprise(number) => {
                format!("{} {}", self.words.belgian_enterprise(), dotted(number.as_str()))
            }
        };
        let numbers = format!("{company}  ·  {} {}", self.words.vat_number(), seller.vat);
        let count = self.pages.len();
        let y = HEIGHT - 46.0;
        let mut footers = Vec::with_capacity(count);
        for page in 1..=count {
            let role = if page == 1 { Role::Paragraph } else { Role::Decoration };
            let legal = self.text(LEFT, y, regular(8.0), GREY, &numbers);
            let which = (count > 1).then(|| {
                let which = self.words.page(page, count);
                self.text_to(RIGHT, y, regular(8.0), GREY, &which)
            });
            footers.push((role, legal, which));
        }
        for (page, (role, legal, which)) in self.pages.iter_mut().zip(footers) {
            let rule = Mark::Box {
                x: LEFT,
                y: y - 16.0,
                width: RIGHT - LEFT,
                height: 0.75,
                radius: 0.0,
                colour: HAIR,
            };
            let marks = [
                (Role::Decoration, Some(rule)),
                (role, Some(legal)),
                (Role::Decoration, which),
            ];
            for (role, mark) in marks {
                page.extend(mark.map(|mark| Piece {
                    role,
                    marks: vec![mark],
                }));
            }
        }
    }
}
