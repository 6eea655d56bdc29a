//! Types that are text on the wire: parsed with `FromStr`, written with `Display`, and nothing in between.

/// Gives a type with `FromStr` and `Display` what `#[serde(try_from = "String", into = "String")]` asks for.
macro_rules! text_on_the_wire {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = <$type as std::str::FromStr>::Err;
            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

/// Debug output is the text itself: bytes in a failed assertion help nobody.
macro_rules! debug_as_text {
    ($type:ty) => {
        impl std::fmt::Debug for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }
    };
}

pub(crate) use {debug_as_text, text_on_the_wire};
