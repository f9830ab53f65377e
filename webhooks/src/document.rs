//! Reading JSON strictly: what says one thing twice says nothing.
//!
//! A message says some hundred things, of which a dozen are wanted. So texts stay where they stand in the body, and
//! an object is a list: most of what a map of owned texts costs is making and throwing away.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// What a JSON document says, as long as its bytes are there.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) enum Value<'b> {
    /// `null`.
    #[default]
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number within a double's range.
    Number(Number),
    /// Text; of its own only where it is escaped in the document.
    String(Cow<'b, str>),
    /// A list.
    Array(Vec<Value<'b>>),
    /// An object.
    Object(Object<'b>),
}

/// Names and their values, in the document's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Object<'b>(Vec<(Cow<'b, str>, Value<'b>)>);

/// Reads a JSON document (RFC 8259, UTF-8, no byte order mark). A name that occurs twice in one
/// object is refused, since readers differ in which of the two they believe; nesting deeper than 128
/// is refused, so that no body can exhaust the stack; so are numbers beyond a double's range.
///
/// # Errors
/// A sentence that says where it went wrong and holds nothing of what was read but a doubled name.
pub(crate) fn read(bytes: &[u8]) -> Result<Value<'_>, String> {
    read_with(Doubled::Refused, bytes).map_err(|problem| format!("The body can't be read as JSON: {problem}."))
}

/// Reads as most readers do: of a name that occurs twice in one object the last counts.
///
/// # Errors
/// When it isn't JSON.
pub(crate) fn read_leniently(bytes: &[u8]) -> Result<Value<'_>, serde_json::Error> {
    read_with(Doubled::LastCounts, bytes)
}

fn read_with(doubled: Doubled, bytes: &[u8]) -> Result<Value<'_>, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = doubled.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Text at a JSON pointer, if it is text and not empty.
pub(crate) fn text<'v>(value: &'v Value<'_>, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The first of several pointers that leads to text.
pub(crate) fn first_text<'v>(value: &'v Value<'_>, pointers: &[&str]) -> Option<&'v str> {
    pointers.iter().find_map(|pointer| text(value, pointer))
}

/// What is at a JSON pointer, unless it is absent or `null`.
pub(crate) fn present<'v, 'b>(value: &'v Value<'b>, pointer: &str) -> Option<&'v Value<'b>> {
    value.pointer(pointer).filter(|found| !found.is_null())
}

impl<'b> Value<'b> {
    /// What is at a JSON pointer (RFC 6901) in which no name has a `~`.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Self> {
        let mut parts = pointer.split('/');
        if !parts.next()?.is_empty() {
            return None;
        }
        parts.try_fold(self, |inside, part| match inside {
            Self::Object(object) => object.get(part),
            Self::Array(list) => list.get(part.parse::<usize>().ok()?),
            _ => None,
        })
    }

    /// What an object says under this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(object) => object.get(name),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// A whole number that fits.
    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// A whole number that isn't negative and fits.
    pub(crate) fn as_u64(&self) -> Option<u64> {
        match self {
            Self::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    pub(crate) const fn as_array(&self) -> Option<&Vec<Value<'b>>> {
        match self {
            Self::Array(list) => Some(list),
            _ => None,
        }
    }

    pub(crate) const fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    pub(crate) const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }
}

impl<'b> Object<'b> {
    /// What it says under this name.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'b>> {
        self.0.iter().find(|(said, _)| said == name).map(|(_, value)| value)
    }
}

impl<'b> From<&'b str> for Value<'b> {
    fn from(text: &'b str) -> Self {
        Self::String(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::String(Cow::Owned(text))
    }
}

/// To be written, or read into a type.
impl From<&Value<'_>> for serde_json::Value {
    fn from(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) => Self::String(text.clone().into_owned()),
            Value::Array(list) => Self::Array(list.iter().map(Self::from).collect()),
            Value::Object(Object(entries)) => {
                let entries = entries
                    .iter()
                    .map(|(name, value)| (name.clone().into_owned(), value.into()));
                Self::Object(entries.collect())
            }
        }
    }
}

/// What becomes of a name that occurs twice in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doubled {
    Refused,
    LastCounts,
}

/// Beyond so many names an object is no longer looked through for each further one: a stranger's may have thousands.
const FEW: usize = 32;

/// The names of an object while it is read.
#[derive(Default)]
struct Names<'b> {
    /// Of an object with many: where each stands.
    all: HashSet<Cow<'b, str>>,
}

impl<'b> Names<'b> {
    /// Whether it was there before.
    fn holds(&mut self, name: Cow<'b, str>, entries: &[(Cow<'b, str>, Value<'b>)]) -> bool {
        if entries.len() < FEW {
            return entries.iter().any(|(known, _)| *known == name);
        }
        if self.all.is_empty() {
            self.all.extend(entries.iter().map(|(known, _)| known.clone()));
        }
        !self.all.insert(name)
    }
}

impl<'de> DeserializeSeed<'de> for Doubled {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Doubled {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'de>, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value<'de>, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'de>, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Value<'de>, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value<'de>, E> {
        Ok(value.to_owned().into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value<'de>, A::Error> {
        // Not with room from the start: a stranger's body may be twenty thousand empty objects.
        let mut object: Vec<(Cow<'de, str>, Value<'de>)> = Vec::new();
        let mut names = Names::default();
        while let Some(name) = entries.next_key_seed(Name)? {
            let again = names.holds(name.clone(), &object);
            if again && self == Self::Refused {
                let shown: String = name.chars().take(40).collect();
                return Err(A::Error::custom(format!("{shown:?} is said twice")));
            }
            let value = entries.next_value_seed(self)?;
            match object.iter_mut().find(|(known, _)| again && *known == name) {
                Some((_, said)) => *said = value,
                None => object.push((name, value)),
            }
        }
        Ok(Value::Object(Object(object)))
    }
}

/// A name, where it stands.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(value.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]
    use super::*;

    #[test]
    fn fault_18_what_readers_disagree_on_is_not_read() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        for bad in [
            "",
            "{",
            "NaN",
            "{\"a\":NaN}",
            "\u{feff}{}",
            "{\"a\":1,\"a\":1}",
            "{\"a\":{\"b\":1,\"b\":2}}",
            "{\"a\":1,\"\\u0061\":2}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":1e999}",
            "{} {}",
            "{\"a\":01}",
            deep.as_str(),
        ] {
            assert!(
                read(bad.as_bytes()).is_err(),
                "{}",
                bad.chars().take(40).collect::<String>()
            );
        }
        assert!(read(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn a_pointer_leads_where_those_of_serde_json_lead() {
        let body = r#"{"a":{"b":[1,{"c":"x"}],"":2},"0":null}"#;
        let value = read(body.as_bytes()).unwrap();
        let theirs: serde_json::Value = serde_json::from_str(body).unwrap();
        for pointer in [
            "",
            "/",
            "/a",
            "/a/",
            "/a/b",
            "/a/b/0",
            "/a/b/1/c",
            "/a/b/2",
            "/a/b/c",
            "/a/b/1/c/d",
            "/0",
            "/x",
            "a",
            "a/b",
        ] {
            let found = value.pointer(pointer).map(serde_json::Value::from);
            assert_eq!(found.as_ref(), theirs.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn everything_else_is_read_as_serde_json_reads_it() {
        let body = r#"{"a":[1,-1,1.5,null,true,"x\u0000é",18446744073709551615],"b":{"a":{}},"\u0062\n":"x\\y"}"#;
        assert_eq!(
            theirs(read(body.as_bytes()).ok().as_ref()),
            serde_json::from_str(body).ok()
        );
    }

    #[test]
    fn of_a_name_that_is_said_twice_a_lenient_reader_believes_the_last() {
        let body = r#"{"a":1,"b":2,"a":{"c":3,"c":4}}"#;
        let lenient = read_leniently(body.as_bytes()).ok();
        assert_eq!(theirs(lenient.as_ref()), serde_json::from_str(body).ok());
        assert!(read_leniently(b"{}{}").is_err());
    }

    #[test]
    fn a_name_that_is_said_twice_is_found_among_many() {
        for many in 1..100 {
            let names: Vec<String> = (0..many).map(|name| format!("\"{name}\":0")).collect();
            let once = format!("{{{}}}", names.join(","));
            assert!(read(once.as_bytes()).is_ok());
            for again in [0, many / 2, many - 1] {
                let twice = format!("{{{},\"{again}\":1}}", names.join(","));
                assert!(read(twice.as_bytes()).unwrap_err().contains("is said twice"));
                let lenient = read_leniently(twice.as_bytes()).ok();
                assert_eq!(theirs(lenient.as_ref()), serde_json::from_str(&twice).ok());
            }
        }
    }

    fn theirs(value: Option<&Value<'_>>) -> Option<serde_json::Value> {
        value.map(serde_json::Value::from)
    }
}
