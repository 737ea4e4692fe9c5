//! What an operation's path leads to (RFC 7644, section 3.5.2, figure 7).

use serde_json::Value;

use super::{Op, Operation};
use crate::directory::{
    error::{ScimError, ScimType, invalid_value},
    filter::{self, Filter},
    leniency::{Leniencies, Leniency},
    path::{AttributePath, Base, Resolved, is_urn, resolve},
    schema::{Attribute, ResourceType, Schema},
};

#[derive(Clone, Debug)]
pub(super) enum Target {
    Attribute(AttributePath),
    /// Elements of a multi-valued attribute, or a sub-attribute of theirs.
    Elements {
        path: AttributePath,
        filter: Filter,
        sub: Option<&'static Attribute>,
    },
    /// All attributes of an extension.
    Extension(&'static Schema),
}

impl Target {
    /// The target of an explicit path.
    pub(super) fn parse(kind: ResourceType, text: &str, notes: &mut Leniencies) -> Result<Self, ScimError> {
        let unknown = || ScimError::bad(ScimType::InvalidPath, "The path does not lead to an attribute.");
        let target = Self::resolve(kind, text, notes)?.ok_or_else(unknown)?;
        if target.is_read_only() {
            return Err(ScimError::bad(ScimType::Mutability, "The path leads to what the server alone sets."));
        }
        Ok(target)
    }

    /// The target of a key of a value without a path, or nothing where the key means nothing here.
    pub(super) fn of_key(kind: ResourceType, key: &str, notes: &mut Leniencies) -> Result<Option<Self>, ScimError> {
        let Some(target) = Self::resolve(kind, key, notes)? else {
            notes.note(if is_urn(key) { Leniency::UnknownSchema } else { Leniency::UnknownAttribute });
            return Ok(None);
        };
        if target.is_read_only() {
            notes.note(Leniency::ReadOnlyAttribute);
            return Ok(None);
        }
        let is_plain = match &target {
            Self::Attribute(path) => path.sub.is_none() && !is_urn(key),
            Self::Extension(_) => true,
            Self::Elements { .. } => false,
        };
        if !is_plain {
            notes.note(Leniency::KeyAsPath);
        }
        Ok(Some(target))
    }

    fn resolve(kind: ResourceType, text: &str, notes: &mut Leniencies) -> Result<Option<Self>, ScimError> {
        let Some(bracket) = text.find('[') else {
            return Ok(resolve(kind, text).map(|resolved| match resolved {
                Resolved::Attribute(path) => Self::Attribute(path),
                Resolved::Extension(schema) => Self::Extension(schema),
            }));
        };
        let (name, rest) = text.split_at(bracket);
        let Some(path) = AttributePath::resolve(kind, name).filter(|path| path.sub.is_none()) else {
            return Ok(None);
        };
        let (filter, rest) = filter::within(path.attribute, rest, notes)?;
        let sub = match rest.strip_prefix('.') {
            Some(name) => Some(path.attribute.sub(name)),
            None if rest.is_empty() => None,
            None => return Ok(None),
        };
        Ok(match sub {
            Some(None) => None,
            Some(sub) => Some(Self::Elements { path, filter, sub }),
            None => Some(Self::Elements { path, filter, sub: None }),
        })
    }

    fn is_read_only(&self) -> bool {
        match self {
            Self::Attribute(path) => path.attribute.is_read_only() || path.leaf().is_read_only(),
            Self::Elements { path, sub, .. } => {
                path.attribute.is_read_only() || sub.is_some_and(Attribute::is_read_only)
            }
            Self::Extension(_) => false,
        }
    }

    /// The operations on this target: for an extension as a whole, one for each of its attributes.
    pub(super) fn operations(
        self,
        op: Op,
        value: Option<&Value>,
        operations: &mut Vec<Operation>,
        notes: &mut Leniencies,
    ) -> Result<(), ScimError> {
        let Self::Extension(schema) = self else {
            operations.push(Operation { op, target: self, value: value.cloned() });
            return Ok(());
        };
        let base = Base::Extension(schema);
        let mut push = |attribute, sub, op, value| {
            let target = Self::Attribute(AttributePath { base, attribute, sub });
            operations.push(Operation { op, target, value });
        };
        match (op, value) {
            (Op::Remove, _) | (Op::Replace, Some(Value::Null)) => {
                for attribute in schema.attributes {
                    push(attribute, None, Op::Remove, None);
                }
            }
            (Op::Add | Op::Replace, Some(Value::Object(value))) => {
                for (key, value) in value {
                    let (name, sub) = key.split_once('.').map_or((key.as_str(), None), |(name, sub)| (name, Some(sub)));
                    let attribute = schema.attribute(name);
                    match (attribute, sub, attribute.zip(sub).and_then(|(attribute, sub)| attribute.sub(sub))) {
                        (Some(attribute), None, _) => push(attribute, None, op, Some(value.clone())),
                        (Some(attribute), _, Some(sub)) if !sub.is_read_only() => {
                            notes.note(Leniency::KeyAsPath);
                            push(attribute, Some(sub), op, Some(value.clone()));
                        }
                        _ => notes.note(Leniency::UnknownAttribute),
                    }
                }
            }
            _ => return Err(invalid_value(format!("'{}' is an object of its attributes.", schema.id))),
        }
        Ok(())
    }
}
