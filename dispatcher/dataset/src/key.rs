//! Values as they are ordered.

use crate::{
    decimal::Decimal,
    kind::{Kind, instant},
};

/// The key that a value is ordered by. Two texts may have one key: `1.0` and `1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key<'a> {
    Whole(i64),
    Decimal(Decimal<'a>),
    Moment(Moment<'a>),
    Text(&'a str),
}

/// Fractions are digits behind a point: as text they are in order.
pub type Moment<'a> = (i64, &'a str);

impl<'a> Key<'a> {
    /// The key of a text that is of this type.
    pub fn of(kind: Kind, text: &'a str) -> Self {
        let key = match kind {
            Kind::Integer => text.parse().ok().map(Self::Whole),
            Kind::Bigint | Kind::Number | Kind::Decimal => Decimal::parse(text).map(Self::Decimal),
            Kind::Timestamp => instant(text).map(Self::Moment),
            Kind::Text | Kind::Boolean | Kind::Date | Kind::Json => None,
        };
        key.unwrap_or(Self::Text(text))
    }
}
