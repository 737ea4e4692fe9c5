//! PATCH (RFC 7644, section 3.5.2): several operations that hold together or not at all.

mod apply;
mod elements;
mod members;
mod target;

use serde_json::{Map, Value};

pub use members::MemberChange;
use target::Target;

use super::{
    error::{ScimError, ScimType, invalid_syntax},
    leniency::{Leniencies, Leniency},
    limits,
    resource::{Resource, check_schemas},
    schema::ResourceType,
};

/// The schema of the body.
pub const PATCH_URN: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A PATCH that has been read: its operations are known to be well-formed, and their paths lead to attributes.
#[derive(Clone, Debug)]
pub struct Patch {
    kind: ResourceType,
    operations: Vec<Operation>,
}

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

#[derive(Clone, Debug)]
struct Operation {
    op: Op,
    target: Target,
    /// What is added or put there; nothing for a removal of all that is there.
    value: Option<Value>,
}

/// What a PATCH makes of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patched {
    /// The resource afterwards.
    pub resource: Resource,
    /// Whether the resource itself differs, members aside; if not, there is no new version of it.
    pub changed: bool,
    /// What happens to a group's members.
    pub members: MemberChange,
}

impl Patch {
    /// Reads the body of a PATCH on a resource of this type.
    ///
    /// # Errors
    /// `invalidSyntax` for a body that is no such message or too long, `invalidPath` for a path that names no attribute,
    /// `invalidFilter` for a value path with a bad filter, `mutability` for a path to what the server alone sets,
    /// `noTarget` for a removal without a path.
    pub fn parse(kind: ResourceType, body: &Value, notes: &mut Leniencies) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(invalid_syntax("The body is not a JSON object."));
        };
        check_schemas(PATCH_URN, |_| false, body, notes)?;
        let Some(Value::Array(given)) = member(body, "Operations")? else {
            return Err(invalid_syntax("'Operations' is a list of operations."));
        };
        if given.is_empty() || given.len() > limits::PATCH_OPERATIONS {
            return Err(invalid_syntax(format!("A PATCH has 1 to {} operations.", limits::PATCH_OPERATIONS)));
        }
        let mut operations = Vec::new();
        for operation in given {
            read_operation(kind, operation, &mut operations, notes)?;
        }
        Ok(Self { kind, operations })
    }

    /// The resource as the operations change it, one after the other.
    ///
    /// # Errors
    /// `invalidValue` for a value that its attribute does not take, `mutability` for the removal of a required
    /// attribute, `noTarget` for a value path that matches nothing and does not say how to create its element. Then
    /// nothing changes.
    pub fn apply(&self, resource: &Resource, notes: &mut Leniencies) -> Result<Patched, ScimError> {
        if self.kind != resource.kind {
            return Err(ScimError::new(500, "The operations are for another type of resource."));
        }
        let mut patched = Patched { resource: resource.clone(), changed: false, members: MemberChange::default() };
        for operation in &self.operations {
            apply::operation(operation, &mut patched, notes)?;
        }
        apply::prune(&mut patched.resource.attributes);
        patched.resource.check()?;
        patched.changed = patched.resource != *resource;
        Ok(patched)
    }
}

/// The member of this name, in any case.
fn member<'o>(object: &'o Map<String, Value>, name: &str) -> Result<Option<&'o Value>, ScimError> {
    let mut found = object.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    let first = found.next();
    if found.next().is_some() {
        return Err(invalid_syntax(format!("'{name}' is given twice.")));
    }
    Ok(first)
}

/// Reads an operation. One without a path is one per key of its value.
fn read_operation(
    kind: ResourceType,
    operation: &Value,
    operations: &mut Vec<Operation>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    let Value::Object(operation) = operation else {
        return Err(invalid_syntax("An operation is an object."));
    };
    let is_known = |key: &String| ["op", "path", "value"].iter().any(|name| key.eq_ignore_ascii_case(name));
    if !operation.keys().all(is_known) {
        notes.note(Leniency::UnknownOperationMember);
    }
    let op = read_op(member(operation, "op")?, notes)?;
    let value = member(operation, "value")?;
    if op != Op::Remove && value.is_none() {
        return Err(invalid_syntax("An 'add' or 'replace' has a 'value'."));
    }
    let path = match member(operation, "path")? {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.trim()).filter(|path| !path.is_empty()),
        Some(_) => return Err(ScimError::bad(ScimType::InvalidPath, "'path' is a string.")),
    };
    if let Some(path) = path {
        let target = Target::parse(kind, path, notes)?;
        return target.operations(op, value, operations, notes);
    }
    match (op, value) {
        (Op::Remove, _) => Err(ScimError::bad(ScimType::NoTarget, "A 'remove' has a 'path'.")),
        (_, Some(Value::Object(value))) => {
            for (key, value) in value {
                if let Some(target) = Target::of_key(kind, key, notes)? {
                    target.operations(op, Some(value), operations, notes)?;
                }
            }
            Ok(())
        }
        _ => Err(invalid_syntax("An operation without a 'path' has an object of attributes as its 'value'.")),
    }
}

fn read_op(op: Option<&Value>, notes: &mut Leniencies) -> Result<Op, ScimError> {
    let op = op.and_then(Value::as_str).unwrap_or_default();
    let known = [("add", Op::Add), ("replace", Op::Replace), ("remove", Op::Remove)];
    match known.into_iter().find(|(name, _)| op.eq_ignore_ascii_case(name)) {
        Some((name, known)) => {
            if op != name {
                notes.note(Leniency::OperationCase);
            }
            Ok(known)
        }
        None => Err(invalid_syntax("'op' is 'add', 'replace' or 'remove'.")),
    }
}
