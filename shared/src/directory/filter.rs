//! Filters (RFC 7644, section 3.4.2.2): read, printed, evaluated, and what a key of the store serves of them.

mod evaluate;
mod lookup;
mod parse;

use std::fmt;

pub use lookup::{Key, Lookup};
pub(super) use {lookup::equal_to, parse::within};

use super::{
    error::ScimError,
    leniency::Leniencies,
    path::AttributePath,
    schema::{Attribute, Kind, ResourceType},
};

/// A filter whose attributes are resolved and whose comparisons fit their types.
///
/// It prints in a canonical form, which reads back as the same filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// One of several, of which there are at least two.
    Or(Vec<Filter>),
    /// All of several, of which there are at least two.
    And(Vec<Filter>),
    /// The opposite.
    Not(Box<Filter>),
    /// A test of an attribute.
    Term(AttributePath, Test),
    /// One and the same element of a multi-valued attribute satisfies all within the brackets.
    Element(AttributePath, Box<Filter>),
}

/// What is asked of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// It has a value.
    Present,
    /// Its value compares so. A multi-valued attribute is matched by any of its values.
    Compare(Operator, Literal),
}

/// How two values compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Eq,
    /// Not equal; what has no value is not equal to any.
    Ne,
    /// Contains.
    Co,
    /// Starts with.
    Sw,
    /// Ends with.
    Ew,
    /// Greater, or later.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less, or earlier.
    Lt,
    /// Less or equal.
    Le,
}

/// A value in a filter. Numbers are texts here, since no attribute of the schemas is a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Literal {
    /// A text, a reference, octets or an instant, as its attribute has it.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// No value.
    Null,
}

impl Filter {
    /// A filter on resources of one type.
    ///
    /// # Errors
    /// `invalidFilter` for what is no filter, names an unknown attribute, compares in a way that its attribute does not
    /// know (order of booleans or octets, a part of what is no string), or passes a limit ([`super::limits`]).
    pub fn parse(kind: ResourceType, text: &str, notes: &mut Leniencies) -> Result<Self, ScimError> {
        parse::filter(&[kind], text, notes)
    }

    /// A filter on resources of several types at once, in which an attribute of one type has no value in another (RFC
    /// 7644, section 3.4.2.1).
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn parse_for(kinds: &[ResourceType], text: &str, notes: &mut Leniencies) -> Result<Self, ScimError> {
        parse::filter(kinds, text, notes)
    }

    /// Whether the answer depends on this attribute of the resource, such as `members`, which is not stored within it.
    #[must_use]
    pub fn reads(&self, attribute: &str) -> bool {
        match self {
            Self::Or(parts) | Self::And(parts) => parts.iter().any(|part| part.reads(attribute)),
            Self::Not(inner) => inner.reads(attribute),
            Self::Term(path, _) | Self::Element(path, _) => path.attribute.name.eq_ignore_ascii_case(attribute),
        }
    }
}

impl Operator {
    /// Every operator.
    pub const ALL: [Self; 9] =
        [Self::Eq, Self::Ne, Self::Co, Self::Sw, Self::Ew, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Co => "co",
            Self::Sw => "sw",
            Self::Ew => "ew",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Or(parts) => joined(f, parts, " or ", |part| matches!(part, Self::Or(_))),
            Self::And(parts) => joined(f, parts, " and ", |part| matches!(part, Self::Or(_) | Self::And(_))),
            Self::Not(inner) => write!(f, "not ({inner})"),
            Self::Term(path, Test::Present) => write!(f, "{path} pr"),
            Self::Term(path, Test::Compare(operator, literal)) => write!(f, "{path} {} {literal}", operator.as_str()),
            Self::Element(path, inner) => write!(f, "{path}[{inner}]"),
        }
    }
}

fn joined(
    f: &mut fmt::Formatter<'_>,
    parts: &[Filter],
    word: &str,
    in_brackets: impl Fn(&Filter) -> bool,
) -> fmt::Result {
    for (position, part) in parts.iter().enumerate() {
        if position > 0 {
            f.write_str(word)?;
        }
        if in_brackets(part) {
            write!(f, "({part})")?;
        } else {
            write!(f, "{part}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // JSON's own escapes.
            Self::Text(text) => write!(f, "{}", serde_json::Value::from(text.as_str())),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Null => f.write_str("null"),
        }
    }
}

/// Whether order is defined on an attribute's values.
fn is_ordered(attribute: &Attribute) -> bool {
    matches!(attribute.kind, Kind::String | Kind::Reference | Kind::DateTime)
}
