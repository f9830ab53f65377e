//! Types that are written as one text, in JSON too.

/// `Display`, and JSON as a text, for a type with `parse(&str) -> Result<Self, Error>` and `as_str`.
macro_rules! written_as_text {
    ($name:ident, $error:ty) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        crate::written::written_by_display!($name, $error);
    };
}

/// JSON as a text, for a type with `parse(&str) -> Result<Self, Error>` and `Display`.
macro_rules! written_by_display {
    ($name:ident, $error:ty) => {
        impl TryFrom<String> for $name {
            type Error = $error;
            fn try_from(text: String) -> Result<Self, $error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

pub(crate) use {written_as_text, written_by_display};
