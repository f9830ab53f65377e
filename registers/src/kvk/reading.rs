//! What the KvK's answers say. Pure: from bytes to an entry, or to why there is none.
//!
//! What we rely on has the type that is documented, or nothing is read at all: names decide who is activated, and half
//! an answer would be a wrong one. What is unknown is passed over.

use eencent_activations::clock::Timestamp;
use eencent_activations::identifier::Identifier;
use eencent_activations::register::{Entry, NoEntry, Standing, tidy};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{Hit, MOST_HITS};

/// Longest name, street or place of a search's answer.
const LONGEST: usize = 700;

#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "kvkNummer")]
    number: String,
    naam: Option<String>,
    #[serde(rename = "statutaireNaam")]
    statutory_name: Option<String>,
    handelsnamen: Option<Vec<TradeName>>,
    #[serde(rename = "materieleRegistratie")]
    registration: Option<Registration>,
    #[serde(rename = "_embedded")]
    embedded: Option<Embedded>,
}

#[derive(Deserialize)]
struct TradeName {
    naam: String,
    volgorde: Option<i64>,
}

#[derive(Deserialize)]
struct Registration {
    #[serde(rename = "datumEinde")]
    end: Option<String>,
}

#[derive(Deserialize)]
struct Embedded {
    #[serde(rename = "hoofdvestiging")]
    main_branch: Option<MainBranch>,
    #[serde(rename = "eigenaar")]
    owner: Option<Owner>,
}

#[derive(Deserialize)]
struct MainBranch {
    adressen: Option<Vec<Address>>,
}

#[derive(Deserialize)]
struct Owner {
    rsin: Option<String>,
    rechtsvorm: Option<String>,
    #[serde(rename = "uitgebreideRechtsvorm")]
    longer_form: Option<String>,
    adressen: Option<Vec<Address>>,
}

#[derive(Deserialize)]
struct Address {
    #[serde(rename = "type")]
    kind: Option<String>,
    straatnaam: Option<String>,
    huisnummer: Option<u32>,
    huisletter: Option<String>,
    #[serde(rename = "huisnummerToevoeging")]
    addition: Option<String>,
    postcode: Option<String>,
    plaats: Option<String>,
}

impl Address {
    /// Street and number, where there is a street.
    fn street(&self) -> Option<String> {
        let mut street = self.straatnaam.clone()?;
        if let Some(number) = self.huisnummer {
            let letter = self.huisletter.as_deref().unwrap_or_default();
            street.push_str(&format!(" {number}{letter}"));
        }
        if let Some(addition) = &self.addition {
            street.push_str(&format!("-{}", addition.trim_start_matches('-')));
        }
        Some(street)
    }
}

#[derive(Deserialize)]
struct Naming {
    #[serde(rename = "kvkNummer")]
    number: String,
    rsin: Option<String>,
    #[serde(rename = "statutaireNaam")]
    statutory_name: Option<String>,
    naam: Option<String>,
    #[serde(rename = "ookGenoemd")]
    also: Option<String>,
    einddatum: Option<String>,
    vestigingen: Option<Vec<Branch>>,
}

/// A branch trades under names, or, where it doesn't trade, has one.
#[derive(Deserialize)]
struct Branch {
    #[serde(rename = "eersteHandelsnaam")]
    first: Option<String>,
    handelsnamen: Option<Vec<TradeName>>,
    naam: Option<String>,
    #[serde(rename = "ookGenoemd")]
    also: Option<String>,
}

#[derive(Deserialize)]
struct Found {
    resultaten: Option<Vec<OneFound>>,
}

#[derive(Deserialize)]
struct OneFound {
    #[serde(rename = "kvkNummer")]
    number: String,
    naam: Option<String>,
    adres: Option<Addresses>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Addresses {
    #[serde(rename = "binnenlandsAdres")]
    domestic: Option<Domestic>,
    #[serde(rename = "buitenlandsAdres")]
    foreign: Option<Foreign>,
}

#[derive(Deserialize)]
struct Domestic {
    straatnaam: Option<String>,
    huisnummer: Option<u32>,
    huisletter: Option<String>,
    plaats: Option<String>,
}

#[derive(Deserialize)]
struct Foreign {
    #[serde(rename = "straatHuisnummer")]
    street: Option<String>,
    #[serde(rename = "postcodeWoonplaats")]
    place: Option<String>,
}

#[derive(Deserialize)]
struct Refusal {
    fout: Vec<Fault>,
}

#[derive(Deserialize)]
struct Fault {
    code: String,
}

/// The entry that a Basisprofiel and, where there is one, a Naamgeving make.
///
/// # Errors
/// [`NoEntry::Unreadable`] when one of them isn't what is documented, is of another number, or names no name.
pub fn entry(identifier: &Identifier, profile: &[u8], naming: Option<&[u8]>, now: Timestamp) -> Result<Entry, NoEntry> {
    let profile: Profile = read(profile, "Basisprofiel")?;
    let naming: Option<Naming> = naming.map(|body| read(body, "Naamgeving")).transpose()?;
    let numbers = [Some(&profile.number), naming.as_ref().map(|naming| &naming.number)];
    if numbers.into_iter().flatten().any(|number| number != identifier.value()) {
        return Err(NoEntry::Unreadable("it is about another number".to_owned()));
    }
    let end = profile
        .registration
        .as_ref()
        .and_then(|registration| registration.end.as_deref());
    let naming_end = naming.as_ref().and_then(|naming| naming.einddatum.as_deref());
    let standing = match ended(end, now)? || ended(naming_end, now)? {
        true => Standing::Ended,
        false => Standing::Registered,
    };
    let names = names(&profile, naming.as_ref());
    let (owner, branch) = match &profile.embedded {
        Some(embedded) => (embedded.owner.as_ref(), embedded.main_branch.as_ref()),
        None => (None, None),
    };
    let form = owner.and_then(|owner| owner.rechtsvorm.as_deref().or(owner.longer_form.as_deref()));
    let rsin = owner.and_then(|owner| owner.rsin.as_deref());
    let rsin = rsin.or_else(|| naming.as_ref()?.rsin.as_deref());
    let addresses = branch.and_then(|branch| branch.adressen.as_deref());
    let addresses = addresses.or_else(|| owner?.adressen.as_deref()).unwrap_or_default();
    let visited = addresses
        .iter()
        .find(|address| address.kind.as_deref() == Some("bezoekadres"));
    let address = visited.or_else(|| addresses.first());
    let place = address.and_then(|address| address.plaats.as_deref());
    let street = address.and_then(Address::street);
    let postcode = address.and_then(|address| address.postcode.as_deref());
    let entry = Entry::new(identifier.clone(), names, standing, now)
        .ok_or_else(|| NoEntry::Unreadable("it names no name".to_owned()))?;
    let form = form.map(in_words);
    let entry = entry.of_form(form.as_deref()).at_place(place).with_rsin(rsin);
    Ok(entry.at_address(street.as_deref(), postcode, place))
}

/// All names, the statutory one first: where there is none (sole traders), the one that the business goes by.
fn names<'a>(profile: &'a Profile, naming: Option<&'a Naming>) -> Vec<&'a str> {
    let mut names: Vec<Option<&str>> = vec![profile.statutory_name.as_deref()];
    names.push(naming.and_then(|naming| naming.statutory_name.as_deref()));
    names.push(profile.naam.as_deref());
    names.extend(in_order(profile.handelsnamen.as_deref()));
    if let Some(naming) = naming {
        names.extend([naming.naam.as_deref(), naming.also.as_deref()]);
        for branch in naming.vestigingen.iter().flatten() {
            names.push(branch.first.as_deref());
            names.extend(in_order(branch.handelsnamen.as_deref()));
            names.extend([branch.naam.as_deref(), branch.also.as_deref()]);
        }
    }
    names.into_iter().flatten().collect()
}

fn in_order(names: Option<&[TradeName]>) -> impl Iterator<Item = Option<&str>> {
    let mut names: Vec<&TradeName> = names.unwrap_or_default().iter().collect();
    names.sort_by_key(|name| name.volgorde);
    names.into_iter().map(|name| Some(name.naam.as_str()))
}

/// Some forms come in one word, `BeslotenVennootschap`; everywhere else the register writes them in several.
fn in_words(form: &str) -> String {
    let mut words = String::with_capacity(form.len() + 4);
    let mut after_small = false;
    for letter in form.chars() {
        if after_small && letter.is_uppercase() {
            words.push(' ');
        }
        after_small = letter.is_lowercase();
        words.push(letter);
    }
    words
}

/// Whether a date of ending has come. Parts of it that the KvK doesn't know are zeros, and then it is past.
fn ended(date: Option<&str>, now: Timestamp) -> Result<bool, NoEntry> {
    let Some(date) = date.map(str::trim).filter(|date| !date.is_empty()) else {
        return Ok(false);
    };
    if date.len() != 8 || !date.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NoEntry::Unreadable("its date of ending is no date".to_owned()));
    }
    // RFC 3339 in UTC: the first ten characters are the day.
    let today = now.to_string().get(..10).unwrap_or_default().replace('-', "");
    Ok(date <= today.as_str())
}

/// The organisations that a search found, each once however many branches of it fit.
///
/// # Errors
/// [`NoEntry::Unreadable`] when it isn't what is documented.
pub fn hits(body: &[u8]) -> Result<Vec<Hit>, NoEntry> {
    let found: Found = read(body, "Zoeken")?;
    let mut hits: Vec<(bool, Hit)> = Vec::new();
    for result in found.resultaten.unwrap_or_default() {
        let identifier = Identifier::parse("NL:KVK", &result.number)
            .map_err(|_| NoEntry::Unreadable("the Zoeken has a number of another form".to_owned()))?;
        let Some(name) = result.naam.as_deref().and_then(|name| tidy(name, LONGEST)) else {
            continue;
        };
        let (street, place) = whereabouts(result.adres);
        let is_main = result.kind.as_deref() == Some("hoofdvestiging");
        // The legal person has the statutory name; where it sits, its main branch says best.
        let is_person = result.kind.as_deref() == Some("rechtspersoon");
        let room = hits.len() < MOST_HITS;
        match hits.iter_mut().find(|(_, hit)| hit.identifier == identifier) {
            Some((from_main, hit)) => {
                hit.names.retain(|known| *known != name || !is_person);
                match (is_person, hit.names.contains(&name)) {
                    (true, _) => hit.names.insert(0, name),
                    (false, false) => hit.names.push(name),
                    (false, true) => {}
                }
                if hit.place.is_none() || (is_main && !*from_main) {
                    (hit.street, hit.place) = (street, place);
                    *from_main = is_main;
                }
            }
            None if room => hits.push((
                is_main,
                Hit {
                    identifier,
                    names: vec![name],
                    street,
                    place,
                },
            )),
            None => {}
        }
    }
    Ok(hits.into_iter().map(|(_, hit)| hit).collect())
}

fn whereabouts(addresses: Option<Addresses>) -> (Option<String>, Option<String>) {
    let (street, place) = match addresses {
        Some(Addresses {
            domestic: Some(address),
            ..
        }) => {
            let number = address.huisnummer.map(|number| number.to_string());
            let letter = address.huisletter.unwrap_or_default();
            let number = number.map(|number| format!(" {number}{letter}")).unwrap_or_default();
            (address.straatnaam.map(|street| street + &number), address.plaats)
        }
        Some(Addresses {
            foreign: Some(address), ..
        }) => (address.street, address.place),
        _ => (None, None),
    };
    let tidied = |text: Option<String>| text.and_then(|text| tidy(&text, LONGEST));
    (tidied(street), tidied(place))
}

/// The first of the KvK's own codes in an answer that is a refusal.
pub(crate) fn refusal(body: &[u8]) -> Option<String> {
    let refusal: Refusal = serde_json::from_slice(body).ok()?;
    let code = refusal.fout.into_iter().next()?.code;
    let known = code.len() <= 20 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    known.then_some(code)
}

/// Says where it can't be read, and never what stands there.
fn read<T: DeserializeOwned>(body: &[u8], what: &str) -> Result<T, NoEntry> {
    serde_json::from_slice(body).map_err(|error| {
        NoEntry::Unreadable(format!(
            "the {what} is not what is documented, at line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

#[cfg(test)]
mod tests;
