//! Why a name was accepted or needs a person: stable codes, and sentences for support.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

/// The languages reasons can be read in.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Nederlands.
    Dutch,
    /// English.
    English,
}

/// Writes the codes, their names and their sentences as one table, so that none can lack a sentence.
/// `{}` in a sentence stands for the words concerned.
macro_rules! reason_codes {
    ($($variant:ident $code:literal $doc:literal $dutch:literal $english:literal;)*) => {
        /// What a reason says; the snake_case name is stable and machine-readable.
        #[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[serde(rename_all = "snake_case")]
        pub enum ReasonCode {
            $(#[doc = $doc] $variant,)*
        }

        impl ReasonCode {
            /// Every code there is.
            pub const ALL: &[ReasonCode] = &[$(ReasonCode::$variant,)*];

            /// The stable name, as it is stored and sent.
            pub fn as_str(self) -> &'static str {
                match self { $(ReasonCode::$variant => $code,)* }
            }

            fn sentence(self, language: Language) -> &'static str {
                match (self, language) {
                    $((ReasonCode::$variant, Language::Dutch) => $dutch,
                      (ReasonCode::$variant, Language::English) => $english,)*
                }
            }
        }
    };
}

reason_codes! {
    ExactName "exact_name" "Match: character for character the statutory name."
        "De rekening staat op precies de statutaire naam."
        "The account is in exactly the statutory name.";
    EqualAfterFolding "equal_after_folding" "Match: the statutory name, but for differences in notation."
        "De rekening staat op de statutaire naam; alleen de schrijfwijze verschilt."
        "The account is in the statutory name; only the way of writing differs.";
    RegisteredTradeName "registered_trade_name" "Match: one of the registered trade names."
        "De rekening staat op een ingeschreven handelsnaam: {}."
        "The account is in a registered trade name: {}.";
    LegalAndTradeName "legal_and_trade_name" "Match: statutory and trade name together, both registered."
        "De rekening noemt twee namen die allebei zijn ingeschreven: {}."
        "The account gives two names and both are registered: {}.";
    OwnerAndTradeName "owner_and_trade_name" "Match: a person in front of a sole trader's registered trade name."
        "De rekening noemt een persoon met de ingeschreven handelsnaam van de eenmanszaak: {}."
        "The account names a person with the sole trader's registered trade name: {}.";
    CutByBank "cut_by_bank" "Match: cut at a bank's field length; only the legal form or the end of the last word is hidden."
        "De naam is afgekapt op de veldlengte van de bank; alleen de rechtsvorm of het eind van het laatste woord ontbreekt."
        "The name is cut at the bank's field length; only the legal form or the end of the last word is missing.";
    FormFromRegister "form_from_register" "Match: the account adds the legal form that the register states."
        "De rechtsvorm staat niet in de ingeschreven naam, maar is wel die van het register."
        "The legal form is not in the registered name, but it is the one the register states.";
    PartnershipFormLeftOut "partnership_form_left_out" "Match: a partnership without its legal form."
        "De rechtsvorm van het samenwerkingsverband is weggelaten; dat is gebruikelijk."
        "The partnership's legal form is left out, as is common.";
    EncodingRestored "encoding_restored" "Match: characters coded wrongly on the way were restored without loss."
        "De tekens waren onderweg verkeerd gecodeerd en zijn zonder verlies hersteld."
        "The characters were coded wrongly on the way and were restored without loss.";
    AbbreviationRecognised "abbreviation_recognised" "Match: a usual abbreviation of a word in the registered name."
        "Een woord is afgekort op een gebruikelijke manier."
        "A word is shortened in a usual way.";

    NameMissing "name_missing" "Review: the bank reported no name."
        "De bank heeft geen naam doorgegeven."
        "The bank reported no name.";
    RegisteredNameMissing "registered_name_missing" "Review: no usable registered name."
        "Er is geen bruikbare ingeschreven naam om mee te vergelijken."
        "There is no usable registered name to compare with.";
    TooLong "too_long" "Review: longer than any bank reports."
        "De naam is te lang om te vergelijken."
        "The name is too long to compare.";
    PlaceholderName "placeholder_name" "Review: not a name but a placeholder, a number or only a legal form."
        "Dit is geen naam maar een aanduiding: {}."
        "This is not a name but a placeholder: {}.";
    TemporaryName "temporary_name" "Review: what a bank shows while the real name is not on the account yet."
        "De bank heeft de echte naam nog niet op de rekening gezet: {}. Probeer het over een paar dagen opnieuw."
        "The bank has not put the real name on the account yet: {}. Try again in a few days.";
    PaymentServiceAccount "payment_service_account" "Review: an account of a bank or payment service."
        "Dit is een rekening van een bank of betaaldienst: {}."
        "This is an account of a bank or payment service: {}.";
    InvisibleCharacters "invisible_characters" "Review: zero-width, direction or control characters."
        "De naam bevat onzichtbare tekens: {}."
        "The name contains invisible characters: {}.";
    LooksLikeLatin "looks_like_latin" "Review: characters that look like ordinary letters but are not."
        "De naam bevat tekens die op gewone letters lijken maar het niet zijn: {}."
        "The name contains characters that look like ordinary letters but are not: {}.";
    OtherScript "other_script" "Review: letters of another script."
        "De naam bevat letters uit een ander schrift: {}."
        "The name contains letters of another script: {}.";
    DamagedText "damaged_text" "Review: characters were lost or garbled on the way."
        "De naam is onderweg beschadigd geraakt: {}."
        "The name was damaged on its way: {}.";
    DigitForLetter "digit_for_letter" "Review: a digit stands where the registered name has a letter, or the other way round."
        "Er staat een cijfer waar een letter hoort, of andersom: {}."
        "A digit stands where a letter should, or the other way round: {}.";
    LegalFormDiffers "legal_form_differs" "Review: another legal form is another legal person."
        "De rechtsvorm is een andere dan die van de organisatie: {}. Dat is een andere rechtspersoon."
        "The legal form is not the organisation's: {}. That is another legal person.";
    LegalFormMissing "legal_form_missing" "Review: the account lacks the legal form and no trade name equals it."
        "De rechtsvorm ontbreekt ({}) en de naam zonder rechtsvorm is geen ingeschreven handelsnaam."
        "The legal form is missing ({}) and the name without it is not a registered trade name.";
    HoldingOrGroupWord "holding_or_group_word" "Review: a word such as Holding or Groep is on one side only."
        "Een woord als Holding of Groep staat maar aan één kant: {}. Dat wijst op een andere vennootschap."
        "A word such as Holding or Group is on one side only: {}. That points to another company.";
    RegionDiffers "region_differs" "Review: another country, region or direction."
        "Een land, streek of windstreek verschilt: {}. Dat wijst op een ander lid van een groep."
        "A country, region or direction differs: {}. That points to another member of a group.";
    BusinessPartDiffers "business_part_differs" "Review: a word such as Services or Vastgoed is on one side only."
        "Een woord voor een bedrijfsonderdeel staat maar aan één kant: {}."
        "A word for a part of the business is on one side only: {}.";
    SupportingBody "supporting_body" "Review: a body beside the organisation, such as one for client money."
        "Dit is een rechtspersoon naast de organisatie, zoals een stichting derdengelden of pensioenfonds: {}."
        "This is a legal person beside the organisation, such as one for client money or pensions: {}.";
    NumberDiffers "number_differs" "Review: a number, year or roman numeral differs."
        "Een nummer, jaartal of romeins cijfer verschilt: {}."
        "A number, year or roman numeral differs: {}.";
    ArticleDiffers "article_differs" "Review: an article or preposition differs."
        "Een lidwoord of voorzetsel verschilt: {}."
        "An article or preposition differs: {}.";
    OneLetterDiffers "one_letter_differs" "Review: a word differs by one letter."
        "Eén letter verschilt: {}. Een bank neemt namen over en typt ze niet."
        "One letter differs: {}. A bank copies names, it does not type them.";
    YForIj "y_for_ij" "Review: y on one side, ij on the other."
        "Aan de ene kant staat y en aan de andere ij: {}."
        "One side has y, the other ij: {}.";
    WordRepeated "word_repeated" "Review: a word occurs more often on one side."
        "Een woord komt vaker voor dan in het register: {}."
        "A word occurs more often than in the register: {}.";
    WordOrderDiffers "word_order_differs" "Review: the same words in another order."
        "De woorden zijn dezelfde maar de volgorde verschilt."
        "The words are the same but their order differs.";
    ExtraWords "extra_words" "Review: the account has words that no registered name explains."
        "De rekening noemt woorden die in geen ingeschreven naam staan: {}."
        "The account has words that are in no registered name: {}.";
    WordsMissing "words_missing" "Review: the account lacks words of the registered name."
        "Op de rekening ontbreken woorden van de ingeschreven naam: {}."
        "The account lacks words of the registered name: {}.";
    WordReplaced "word_replaced" "Review: other words stand where the registered name has its own."
        "Er staan andere woorden dan in de ingeschreven naam: {}."
        "Other words stand where the registered name has its own: {}.";
    InitialsOnly "initials_only" "Review: initials instead of words."
        "De rekening noemt alleen initialen van de ingeschreven naam: {}."
        "The account gives only initials of the registered name: {}.";
    CutTooShort "cut_too_short" "Review: the name is cut and what is hidden may be a distinguishing word."
        "De naam is afgekapt en wat ontbreekt kan een onderscheidend woord zijn: {}."
        "The name is cut and what is hidden may be a distinguishing word: {}.";
    GenericName "generic_name" "Review: the name says what is done, not by whom."
        "De naam is wel ingeschreven, maar zegt op zichzelf te weinig: {}."
        "The name is registered, but says too little on its own: {}.";
    SharedName "shared_name" "Review: a name that many organisations carry."
        "De naam is wel ingeschreven, maar veel organisaties heten zo: {}."
        "The name is registered, but many organisations are called so: {}.";
    NameTooShort "name_too_short" "Review: three letters or fewer."
        "De naam is wel ingeschreven, maar is te kort om iets te bewijzen: {}."
        "The name is registered, but too short to prove anything: {}.";
    PrivatePerson "private_person" "Review: the account is in a person's name."
        "De rekening staat op naam van een persoon: {}."
        "The account is in the name of a person: {}.";
    SeveralHolders "several_holders" "Review: an account of several holders."
        "De rekening heeft meer dan één houder."
        "The account has more than one holder.";
    HeldForAnother "held_for_another" "Review: the account is held for a purpose or for somebody else."
        "De rekening wordt aangehouden voor een doel of voor een ander: {}."
        "The account is held for a purpose or for somebody else: {}.";
    Department "department" "Review: the account is a department's or a branch's."
        "De rekening staat op naam van een afdeling of vestiging: {}."
        "The account is in the name of a department or branch: {}.";
    FormerName "former_name" "Review: the account refers to a former name or a successor."
        "De rekening verwijst naar een vroegere naam of een opvolger: {}."
        "The account refers to a former name or a successor: {}.";
    NotInFullLife "not_in_full_life" "Review: being set up, wound up or bankrupt."
        "De organisatie op de rekening is in oprichting, in liquidatie of failliet: {}."
        "The organisation on the account is being set up, wound up or bankrupt: {}.";
    TradeNameNotRegistered "trade_name_not_registered" "Review: one half of the name is not on record."
        "De rekening noemt twee namen en deze is niet ingeschreven: {}."
        "The account gives two names and this one is not registered: {}.";
    SoleTraderAccount "sole_trader_account" "Review: a person trading under the name, while the organisation is something else."
        "Een persoon handelt onder deze naam, maar de organisatie is geen eenmanszaak: {}."
        "A person trades under this name, but the organisation is not a sole trader: {}.";
    TradeNameOfOtherForm "trade_name_of_other_form" "Review: the registered trade name is worded as another kind of legal person."
        "De ingeschreven handelsnaam is geschreven als een andere rechtspersoon: {}."
        "The registered trade name is worded as another kind of legal person: {}.";
    OtherName "other_name" "Review: another name altogether."
        "Dit is een andere naam dan de ingeschreven namen."
        "This is another name than those registered.";
}

/// One reason: what it says, and the words it is about.
#[derive(Serialize, Deserialize, Clone, PartialEq, Eq)]
pub struct Reason {
    /// What the reason says.
    pub code: ReasonCode,
    /// The words concerned, as they were written. May be personal data.
    pub detail: Vec<CompactString>,
}

impl Reason {
    pub(crate) fn new(code: ReasonCode, detail: Vec<CompactString>) -> Self {
        Self { code, detail }
    }

    pub(crate) fn plain(code: ReasonCode) -> Self {
        Self::new(code, Vec::new())
    }

    /// The reason as one or two sentences for support.
    pub fn text(&self, language: Language) -> String {
        let words = if self.detail.is_empty() {
            "…".to_owned()
        } else {
            self.detail.join(", ")
        };
        self.code.sentence(language).replace("{}", &words)
    }
}

impl std::fmt::Debug for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({} words)", self.code.as_str(), self.detail.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn stored_names_and_serialised_names_are_the_same_and_unique() {
        let mut seen = BTreeSet::new();
        for &code in ReasonCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert!(seen.insert(code.as_str()), "{} twice", code.as_str());
        }
    }

    #[test]
    fn both_languages_name_the_words_concerned() {
        for &code in ReasonCode::ALL {
            let (dutch, english) = (code.sentence(Language::Dutch), code.sentence(Language::English));
            assert_eq!(dutch.contains("{}"), english.contains("{}"), "{}", code.as_str());
            let reason = Reason::new(code, vec!["Zeewolf".into()]);
            assert!(!reason.text(Language::Dutch).contains("{}"));
            assert_eq!(dutch.contains("{}"), reason.text(Language::Dutch).contains("Zeewolf"));
        }
    }
}
