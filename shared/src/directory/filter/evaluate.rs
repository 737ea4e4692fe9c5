//! Evaluation (RFC 7644, section 3.4.2.2).

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::{Filter, Literal, Operator, Test};
use crate::{
    clock::Timestamp,
    directory::{
        path::{AttributePath, fold},
        schema::{Attribute, Kind},
    },
};

impl Filter {
    /// Whether a resource satisfies the filter. It is the whole one, as [`super::super::Resource::render`] gives it, with
    /// `members` or `groups` where the filter [reads](Filter::reads) them.
    #[must_use]
    pub fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.matches(object)),
            Self::And(parts) => parts.iter().all(|part| part.matches(object)),
            Self::Not(inner) => !inner.matches(object),
            Self::Term(path, test) => matches_term(path, test, object),
            Self::Element(path, inner) => {
                path.values(object).into_iter().filter_map(Value::as_object).any(|element| inner.matches(element))
            }
        }
    }
}

fn matches_term(path: &AttributePath, test: &Test, object: &Map<String, Value>) -> bool {
    let values = path.values(object);
    match test {
        Test::Present | Test::Compare(Operator::Ne, Literal::Null) => !values.is_empty(),
        Test::Compare(Operator::Ne, literal) => {
            values.is_empty() || values.into_iter().any(|value| !is_equal(path.leaf(), value, literal))
        }
        Test::Compare(_, Literal::Null) => values.is_empty(),
        Test::Compare(Operator::Eq, literal) => values.into_iter().any(|value| is_equal(path.leaf(), value, literal)),
        Test::Compare(operator, literal) => {
            values.into_iter().any(|value| compares(path.leaf(), *operator, value, literal))
        }
    }
}

fn is_equal(attribute: &Attribute, value: &Value, literal: &Literal) -> bool {
    match literal {
        Literal::Boolean(boolean) => value.as_bool() == Some(*boolean),
        Literal::Text(text) => order(attribute, value, text) == Some(Ordering::Equal),
        Literal::Null => false,
    }
}

fn compares(attribute: &Attribute, operator: Operator, value: &Value, literal: &Literal) -> bool {
    let (Some(value_text), Literal::Text(text)) = (value.as_str(), literal) else {
        return false;
    };
    let part = |holds: fn(&str, &str) -> bool| {
        if attribute.case_exact { holds(value_text, text) } else { holds(&fold(value_text), &fold(text)) }
    };
    let order = || order(attribute, value, text);
    match operator {
        Operator::Co => part(|value, text| value.contains(text)),
        Operator::Sw => part(|value, text| value.starts_with(text)),
        Operator::Ew => part(|value, text| value.ends_with(text)),
        Operator::Gt => order().is_some_and(Ordering::is_gt),
        Operator::Ge => order().is_some_and(Ordering::is_ge),
        Operator::Lt => order().is_some_and(Ordering::is_lt),
        Operator::Le => order().is_some_and(Ordering::is_le),
        Operator::Eq => order() == Some(Ordering::Equal),
        Operator::Ne => order() != Some(Ordering::Equal),
    }
}

/// How a value stands to a text: in time where the attribute is an instant, else as texts, with case where it matters.
fn order(attribute: &Attribute, value: &Value, text: &str) -> Option<Ordering> {
    let value = value.as_str()?;
    if attribute.kind == Kind::DateTime {
        let instant = |text: &str| text.parse::<Timestamp>().ok();
        return Some(instant(value)?.cmp(&instant(text)?));
    }
    Some(if attribute.case_exact { value.cmp(text) } else { fold(value).as_str().cmp(&fold(text)) })
}
