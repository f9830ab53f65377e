//! Reading JSON strictly: what says one thing twice says nothing.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Value};

/// Reads a JSON document (RFC 8259, UTF-8, no byte order mark). A name that occurs twice in one
/// object is refused, since readers differ in which of the two they believe; nesting deeper than 128
/// is refused, so that no body can exhaust the stack; so are numbers beyond a double's range.
///
/// # Errors
/// A sentence that says where it went wrong and holds nothing of what was read but a doubled name.
pub(crate) fn read(bytes: &[u8]) -> Result<Value, String> {
    serde_json::from_slice(bytes)
        .map(|Once(value)| value)
        .map_err(|problem| format!("The body can't be read as JSON: {problem}."))
}

/// What is at a JSON pointer (RFC 6901) in which no name has a `~`: [`Value::pointer`] makes two texts of each of
/// its parts, and a message is asked dozens of them.
fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    let mut parts = pointer.split('/');
    if !parts.next()?.is_empty() {
        return None;
    }
    parts.try_fold(value, |inside, part| match inside {
        Value::Object(object) => object.get(part),
        Value::Array(list) => list.get(part.parse::<usize>().ok()?),
        _ => None,
    })
}

/// Text at a JSON pointer, if it is text and not empty.
pub(crate) fn text<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    at(value, pointer)?.as_str().filter(|text| !text.is_empty())
}

/// The first of several pointers that leads to text.
pub(crate) fn first_text<'v>(value: &'v Value, pointers: &[&str]) -> Option<&'v str> {
    pointers.iter().find_map(|pointer| text(value, pointer))
}

/// What is at a JSON pointer, unless it is absent or `null`.
pub(crate) fn present<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    at(value, pointer).filter(|found| !found.is_null())
}

/// A value in which no name occurs twice.
struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OnceVisitor)
    }
}

struct OnceVisitor;

impl<'de> Visitor<'de> for OnceVisitor {
    type Value = Once;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Once, E> {
        Ok(Once(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Once, E> {
        Ok(Once(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Once, A::Error> {
        let mut list = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Once(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Once, A::Error> {
        // Not with room from the start: a stranger's body may be twenty thousand empty objects.
        let mut object = Map::new();
        while let Some((name, Once(value))) = entries.next_entry::<String, Once>()? {
            match object.entry(name) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(entry) => {
                    let shown: String = entry.key().chars().take(40).collect();
                    return Err(A::Error::custom(format!("{shown:?} is said twice")));
                }
            }
        }
        Ok(Once(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
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
        let value = serde_json::json!({ "a": { "b": [1, { "c": "x" }], "": 2 }, "0": null });
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
            assert_eq!(at(&value, pointer), value.pointer(pointer), "{pointer}");
        }
    }

    #[test]
    fn everything_else_is_read_as_serde_json_reads_it() {
        let body = r#"{"a":[1,-1,1.5,null,true,"x\u0000é"],"b":{"a":{}}}"#;
        assert_eq!(read(body.as_bytes()).ok(), serde_json::from_str::<Value>(body).ok());
    }
}
