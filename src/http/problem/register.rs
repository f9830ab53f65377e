//! What a register that says nothing is to whoever asked for it.
//!
//! Wherever it is not the caller's to mend, the sentence says that entering by hand works: nobody has to wait for it.

use axum::http::StatusCode;
use eencent_activations::register::NoEntry;

use super::Problem;
use crate::http::language::Sentence;

/// Seconds after which a register that is in trouble may be asked again.
const TROUBLE: u64 = 60;

const BY_HAND: &str = "Or enter the organisation by hand, without `kvk`.";
const BY_HAND_NL: &str = "Of voer de organisatie met de hand in, zonder `kvk`.";

impl From<NoEntry> for Problem {
    fn from(error: NoEntry) -> Self {
        let said =
            |what: &str, what_nl: &str| Sentence::new(format!("{what} {BY_HAND}"), format!("{what_nl} {BY_HAND_NL}"));
        let unavailable =
            |code, detail, seconds| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).again_after(seconds);
        match error {
            NoEntry::NotConfigured => Self::new(
                StatusCode::CONFLICT,
                "register_not_configured",
                said(
                    "No trade register is connected here: an operator does that with the setting `register.kvk_key`.",
                    "Er is hier geen handelsregister aangesloten: een beheerder doet dat met de instelling `register.kvk_key`.",
                ),
            ),
            NoEntry::Down(_) => unavailable(
                "register_down",
                said(
                    "The trade register doesn't answer at the moment: try again in a minute.",
                    "Het handelsregister antwoordt op dit moment niet: probeer het over een minuut opnieuw.",
                ),
                TROUBLE,
            ),
            NoEntry::KeyRefused(_) => unavailable(
                "register_key_refused",
                said(
                    "The trade register refuses our key: an operator has to mend the setting `register.kvk_key`.",
                    "Het handelsregister weigert onze sleutel: een beheerder moet de instelling `register.kvk_key` herstellen.",
                ),
                10 * TROUBLE,
            ),
            NoEntry::Limited { retry_after } => {
                let seconds = retry_after.as_secs().max(1);
                unavailable(
                    "register_limited",
                    said(
                        &format!("The trade register is being asked too much: try again in {seconds} seconds."),
                        &format!(
                            "Het handelsregister wordt te veel bevraagd: probeer het over {seconds} seconden opnieuw."
                        ),
                    ),
                    seconds,
                )
            }
            NoEntry::Unreadable(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "register_unreadable",
                said(
                    "The trade register answered in a way that can't be read; it has been logged. Try again later.",
                    "Het handelsregister gaf een antwoord dat niet te lezen is; het is vastgelegd. Probeer het later opnieuw.",
                ),
            ),
            NoEntry::NotTaken(_) => Self::invalid_parameter(
                "query",
                Sentence::new(
                    "The trade register can't search for this: write whole words of the name, or a place.",
                    "Het handelsregister kan hier niet op zoeken: schrijf hele woorden van de naam, of een plaats.",
                ),
            ),
            NoEntry::Unknown => Self::invalid_fields([(
                "kvk",
                "register_unknown",
                Sentence::new(
                    "The trade register has no organisation with this number: compare it with the extract.",
                    "Het handelsregister kent geen organisatie met dit nummer: vergelijk het met het uittreksel.",
                ),
            )]),
        }
    }
}
