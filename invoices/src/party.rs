//! Who sells and who buys.

use serde::{Deserialize, Serialize};

use crate::identifiers::{BelgianEnterprise, Country, Kvk, Rsin, VatNumber};
use crate::text::Text;

/// Where a seller is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Address {
    /// Street and number.
    pub street: Text,
    /// Postcode.
    pub postcode: Text,
    /// City.
    pub city: Text,
    /// Country.
    pub country: Country,
}

/// Where a buyer is, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BuyerAddress {
    /// Street and number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<Text>,
    /// Postcode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<Text>,
    /// City.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Text>,
    /// Country.
    pub country: Country,
}

impl BuyerAddress {
    /// Whether all of it is known.
    pub const fn is_complete(&self) -> bool {
        self.street.is_some() && self.postcode.is_some() && self.city.is_some()
    }
}

/// The number by which a seller stands in its trade register.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "register", content = "number", rename_all = "snake_case")]
pub enum CompanyNumber {
    /// The Dutch one.
    Kvk(Kvk),
    /// The Belgian one.
    BelgianEnterprise(BelgianEnterprise),
}

/// Who asks for the money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seller {
    /// Name in the trade register.
    pub name: Text,
    /// Where it is.
    pub address: Address,
    /// Number in the trade register; also its Peppol address. A Dutch seller has a KvK number (NL-R-003).
    pub company: CompanyNumber,
    /// VAT number.
    pub vat: VatNumber,
    /// E-mail address for questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Text>,
    /// Telephone number for questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Text>,
    /// Website, as it is printed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub website: Option<Text>,
}

/// Who is to pay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Buyer {
    /// Name in the trade register, or as it was entered.
    pub name: Text,
    /// Where it is.
    pub address: BuyerAddress,
    /// Number in the Dutch trade register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kvk: Option<Kvk>,
    /// Number in the Belgian one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub belgian_enterprise: Option<BelgianEnterprise>,
    /// Dutch RSIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rsin: Option<Rsin>,
    /// VAT number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vat: Option<VatNumber>,
    /// Whom it is sent to the attention of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Text>,
}

/// A number together with its scheme (ISO 6523, or Peppol's own list of electronic addresses).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Schemed<'a> {
    pub scheme: &'static str,
    pub number: &'a str,
}

impl CompanyNumber {
    /// With its scheme.
    pub(crate) fn schemed(&self) -> Schemed<'_> {
        match self {
            Self::Kvk(number) => of_kvk(number),
            Self::BelgianEnterprise(number) => of_belgium(number),
        }
    }
}

impl Buyer {
    /// Its Peppol address: KvK number, Belgian enterprise number or Dutch VAT number, the first that there is.
    pub(crate) fn endpoint(&self) -> Option<Schemed<'_>> {
        let vat = self.vat.as_ref().filter(|vat| vat.is_dutch());
        self.registered().or_else(|| {
            vat.map(|vat| Schemed {
                scheme: "9944",
                number: vat.as_str(),
            })
        })
    }

    /// Its number in the register of a company's own country where there is one. A Dutch buyer has no other than a KvK
    /// number here (NL-R-005).
    pub(crate) fn legal_entity(&self) -> Option<Schemed<'_>> {
        if self.address.country == Country::NL {
            return self.kvk.as_ref().map(of_kvk);
        }
        self.registered()
    }

    fn registered(&self) -> Option<Schemed<'_>> {
        let belgian = self.belgian_enterprise.as_ref().map(of_belgium);
        let dutch = self.kvk.as_ref().map(of_kvk);
        if self.address.country == Country::BE {
            belgian.or(dutch)
        } else {
            dutch.or(belgian)
        }
    }
}

fn of_kvk(number: &Kvk) -> Schemed<'_> {
    Schemed {
        scheme: "0106",
        number: number.as_str(),
    }
}

fn of_belgium(number: &BelgianEnterprise) -> Schemed<'_> {
    Schemed {
        scheme: "0208",
        number: number.as_str(),
    }
}
