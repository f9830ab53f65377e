//! The closed list of differences that are folded away, and sets of them.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

/// Writes the foldings, their stored names and their sentences as one table.
macro_rules! foldings {
    ($($folding:ident $name:literal $doc:literal $dutch:literal $english:literal;)*) => {
        /// Differences that were folded away on the way to a match: the closed list.
        #[derive(serde::Serialize, serde::Deserialize, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        #[serde(rename_all = "snake_case")]
        pub enum Folding { $(#[doc = $doc] $folding,)* }

        impl Folding {
            /// Every folding there is.
            pub const ALL: &[Folding] = &[$(Folding::$folding,)*];

            /// The stable name, as it is stored and sent.
            pub fn as_str(self) -> &'static str {
                match self { $(Folding::$folding => $name,)* }
            }

            /// What was folded, in a few words for support.
            pub fn text(self, language: crate::Language) -> &'static str {
                match (self, language) {
                    $((Folding::$folding, crate::Language::Dutch) => $dutch,
                      (Folding::$folding, crate::Language::English) => $english,)*
                }
            }
        }
    };
}

foldings! {
    Case "case" "Capitals." "hoofdletters" "capitals";
    Diacritics "diacritics" "Accents, ligatures and their two-letter spellings (ü as u or ue, æ as ae, ĳ as ij)."
        "accenten" "accents";
    Punctuation "punctuation" "Punctuation and symbols." "leestekens" "punctuation";
    Spacing "spacing" "Spaces and hyphens: the same letters in the same order."
        "spaties en streepjes" "spaces and hyphens";
    Connector "connector" "&, +, en, and, und and et for one another." "& en 'en'" "& and 'and'";
    ConnectorLost "connector_lost" "An & that the bank lost." "een weggevallen &" "a lost &";
    LegalFormNotation "legal_form_notation" "The same legal form in another notation."
        "schrijfwijze van de rechtsvorm" "notation of the legal form";
    LegalFormPosition "legal_form_position" "The legal form in front instead of behind, or the other way round."
        "plaats van de rechtsvorm" "position of the legal form";
    LegalFormFromRegister "legal_form_from_register" "A legal form that only the register's form field states."
        "rechtsvorm uit het register" "legal form from the register";
    LegalFormLeftOut "legal_form_left_out" "A partnership's legal form left out."
        "weggelaten rechtsvorm" "legal form left out";
    LegalFormLanguage "legal_form_language" "The same legal form in another of the country's languages, or under the name it had."
        "rechtsvorm in een andere landstaal" "legal form in another of the country's languages";
    Abbreviation "abbreviation" "A word shortened in a usual way." "gebruikelijke afkorting" "usual abbreviation";
    Preposition "preposition" "A preposition left out of a shortened or a church's name."
        "weggelaten voorzetsel" "preposition left out";
    Cut "cut" "A name cut at a bank's field length." "afgekapt door de bank" "cut by the bank";
    TwoNames "two_names" "Two registered names written as one." "twee namen ineen" "two names in one";
    Encoding "encoding" "Characters that were coded wrongly on the way and could be restored without loss."
        "tekencodering hersteld" "character encoding restored";
}

/// A set of foldings; stored and sent as a list of names.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Foldings(u32);

impl Foldings {
    /// Nothing was folded.
    pub const NONE: Foldings = Foldings(0);

    fn bit(folding: Folding) -> u32 {
        1 << (folding as u32)
    }

    /// Adds one.
    #[must_use]
    pub const fn with(self, folding: Folding) -> Self {
        Self(self.0 | (1 << (folding as u32)))
    }

    pub(crate) fn insert(&mut self, folding: Folding) {
        *self = self.with(folding);
    }

    pub(crate) fn union(self, other: Foldings) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is one of them.
    pub fn contains(self, folding: Folding) -> bool {
        self.0 & Self::bit(folding) != 0
    }

    /// How many there are.
    pub fn len(self) -> usize {
        usize::try_from(self.0.count_ones()).unwrap_or(usize::MAX)
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each of them, in the order of the list.
    pub fn iter(self) -> impl Iterator<Item = Folding> {
        Folding::ALL
            .iter()
            .copied()
            .filter(move |folding| self.contains(*folding))
    }
}

impl std::fmt::Debug for Foldings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<Folding> for Foldings {
    fn from_iter<I: IntoIterator<Item = Folding>>(all: I) -> Self {
        all.into_iter().fold(Foldings::NONE, Foldings::with)
    }
}

impl Serialize for Foldings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Foldings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<Folding>::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_stored_as_the_list_of_its_names() {
        for &folding in Folding::ALL {
            let set = Foldings::NONE.with(folding);
            let stored = serde_json::to_value(set).unwrap();
            assert_eq!(stored, serde_json::json!([folding.as_str()]));
            assert_eq!(serde_json::from_value::<Foldings>(stored).unwrap(), set);
        }
        let all: Foldings = Folding::ALL.iter().copied().collect();
        assert_eq!(all.len(), Folding::ALL.len());
    }
}
