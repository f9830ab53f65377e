//! The panel below: how to pay, or that nothing has to be paid.

use std::num::NonZeroU16;

use super::{ACCENT, GAP, GREY, INK, LEFT, Layout, Place, RIGHT, Row, SMALL, STRONG, TINT, WHITE, regular, semi_bold};
use crate::invoice::Document;
use crate::payment::Payment;
use crate::pdf::NotDrawn;
use crate::pdf::sheets::{Mark, Role};
use crate::qr::Qr;

impl Layout<'_> {
    /// A tinted panel: what to do at the left, the code to scan at the right.
    pub(super) fn payment(&mut self, payment: &Payment) -> Result<(), NotDrawn> {
        let Document::Invoice { due, .. } = &self.facts.document else {
            return Ok(());
        };
        let (words, gross) = (self.words, self.invoice.totals().gross);
        let qr = Qr::new(payment, gross)?;
        let mut rows: Vec<Row> = vec![
            ("IBAN", payment.iban().grouped()),
            (words.account_holder(), payment.name().to_string()),
        ];
        rows.extend(payment.bic().map(|bic| ("BIC", bic.to_string())));
        rows.push((words.payment_reference(), payment.reference().grouped()));
        rows.push((words.asked(), words.amount(gross)));

        const PAD: f32 = 22.0;
        const CARD: f32 = 126.0;
        let edge = RIGHT - PAD - CARD - GAP;
        // Drawn once to know its height: what is on the page stays, what was tried goes.
        let height = self
            .tried(|layout| layout.instructions(edge, *due, &rows))
            .max(CARD + 19.0)
            + 2.0 * PAD
            - 4.0;
        self.room(height);
        let top = self.y;
        self.decorate(Mark::Box {
            x: LEFT,
            y: top,
            width: RIGHT - LEFT,
            height,
            radius: 8.0,
            colour: TINT,
        });
        self.y = top + PAD;
        self.instructions(edge, *due, &rows);

        let card = (height - CARD - 19.0) / 2.0 + top;
        let left = RIGHT - PAD - CARD;
        self.decorate(Mark::Box {
            x: left,
            y: card,
            width: CARD,
            height: CARD,
            radius: 5.0,
            colour: WHITE,
        });
        // Four modules of white on each side: the card's own edge.
        let modules = u16::try_from(qr.size()).map_or(1.0, f32::from);
        let side = CARD * modules / (modules + 8.0);
        let inset = (CARD - side) / 2.0;
        let code = Mark::Qr {
            x: left + inset,
            y: card + inset,
            side,
            qr,
        };
        self.push(Role::Figure(words.qr().to_owned()), vec![code]);
        let caption = self.letters.run(SMALL, words.scan());
        let caption = Mark::Run {
            x: left + (CARD - caption.width) / 2.0,
            y: card + CARD + 15.0,
            colour: GREY,
            run: caption,
        };
        self.push(Role::Paragraph, vec![caption]);
        self.y = top + height;
        Ok(())
    }

    /// Heading, request and the facts of the payment; from the top of the panel's inside to below them.
    fn instructions(&mut self, edge: f32, due: chrono::NaiveDate, rows: &[Row]) {
        let x = LEFT + 22.0;
        self.panel_heading(x, self.words.pay());
        let place = Place {
            x,
            y: self.y,
            width: edge - x,
            style: regular(9.0),
            leading: 13.0,
            colour: INK,
        };
        let request = self.words.please_pay(self.invoice.totals().gross, due);
        let (marks, below) = self.block(place, 6, &request);
        self.push(Role::Paragraph, marks);
        self.y = self.labelled(x, below + 10.0, edge, 92.0, STRONG, rows) - 9.0;
    }

    fn panel_heading(&mut self, x: f32, heading: &'static str) {
        self.y += 8.0;
        let mark = self.text(x, self.y, semi_bold(11.0), ACCENT, heading);
        let second = NonZeroU16::MIN.saturating_add(1);
        self.push(Role::Heading(second, heading.to_owned()), vec![mark]);
        self.y += 17.0;
    }

    /// What a credit note has in the place of the payment.
    pub(super) fn settlement(&mut self) {
        let Document::CreditNote {
            invoice,
            invoice_issued,
        } = &self.facts.document
        else {
            return;
        };
        let says = self.words.is_set_off(invoice, *invoice_issued);
        let x = LEFT + 22.0;
        let draw = |layout: &mut Self| {
            layout.panel_heading(x, layout.words.settled());
            let place = Place {
                x,
                y: layout.y,
                width: RIGHT - LEFT - 110.0,
                style: regular(9.0),
                leading: 13.0,
                colour: INK,
            };
            let (marks, below) = layout.block(place, 6, &says);
            layout.push(Role::Paragraph, marks);
            layout.y = below - 9.0;
        };
        let height = self.tried(draw) + 40.0;
        self.room(height);
        let top = self.y;
        self.decorate(Mark::Box {
            x: LEFT,
            y: top,
            width: RIGHT - LEFT,
            height,
            radius: 8.0,
            colour: TINT,
        });
        self.y = top + 20.0;
        draw(self);
        self.y = top + height;
    }
}
