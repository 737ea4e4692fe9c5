//! One operation on a resource (RFC 7644, sections 3.5.2.1 to 3.5.2.3).

use serde_json::{Map, Value};

use super::{Op, Operation, Patched, Target, elements, members};
use crate::directory::{
    error::{ScimError, ScimType, invalid_value},
    leniency::{Leniencies, Leniency},
    path::{AttributePath, Base},
    resource::is_kept,
    schema::{Attribute, Kind},
    value::{read, says_something},
};

pub(super) fn operation(operation: &Operation, patched: &mut Patched, notes: &mut Leniencies) -> Result<(), ScimError> {
    if let Some(done) = members::operation(operation, &mut patched.members, notes) {
        return done;
    }
    let (path, attributes) = match &operation.target {
        Target::Attribute(path) | Target::Elements { path, .. } => (*path, &mut patched.resource.attributes),
        Target::Extension(_) => return Ok(()),
    };
    let mut root = Map::new();
    let container = match path.base {
        Base::Extension(schema) => {
            // The extension is there while it is worked on, and gone where nothing is left of it.
            if let Some(Value::Object(extension)) = attributes.remove(schema.id) {
                root = extension;
            }
            &mut root
        }
        Base::Resource | Base::Element => attributes,
    };
    match &operation.target {
        Target::Attribute(_) => on_attribute(operation.op, path, operation.value.as_ref(), container, notes)?,
        Target::Elements { filter, sub, .. } => {
            elements::chosen(operation.op, path.attribute, (filter, *sub), operation.value.as_ref(), container, notes)?;
        }
        Target::Extension(_) => {}
    }
    if let Base::Extension(schema) = path.base
        && !root.is_empty()
    {
        patched.resource.attributes.insert(schema.id.to_owned(), root.into());
    }
    Ok(())
}

/// An operation on an attribute, or on a sub-attribute.
fn on_attribute(
    op: Op,
    path: AttributePath,
    value: Option<&Value>,
    container: &mut Map<String, Value>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    let attribute = path.attribute;
    if attribute.multi_valued {
        return match path.sub {
            Some(sub) => elements::every(op, attribute, sub, value, container, notes),
            None => elements::whole(op, attribute, value, container, notes),
        };
    }
    if op == Op::Remove {
        return remove(path, container, notes);
    }
    let value = value.unwrap_or(&Value::Null);
    let name = attribute.name;
    if let Some(sub) = path.sub {
        let set = read(sub, value, notes)?;
        in_object(container, name, |object| {
            // The address of another value says nothing of this one.
            if sub.name == "value" {
                object.remove("$ref");
            }
            put(object, sub, set);
        });
        return Ok(());
    }
    let Some(set) = read(attribute, value, notes)? else {
        if attribute.required {
            return Err(invalid_value(format!("'{name}' is required.")));
        }
        container.remove(name);
        return Ok(());
    };
    match set {
        // The sub-attributes that are not named stay as they are, unless they say more of another value.
        Value::Object(set) if attribute.kind == Kind::Complex && !set.contains_key("value") => {
            in_object(container, name, |object| {
                unset(attribute, value, object);
                object.extend(set);
            });
        }
        set if is_kept(attribute) => {
            container.insert(name.to_owned(), set);
        }
        _ => {}
    }
    Ok(())
}

/// Takes away the elements that say nothing in the end, such as one whose value was cleared.
pub(super) fn prune(attributes: &mut Map<String, Value>) {
    attributes.retain(|_, value| {
        let Value::Array(elements) = value else {
            return true;
        };
        elements.retain(|element| element.as_object().is_none_or(says_something));
        !elements.is_empty()
    });
}

/// Removes the sub-attributes that a value unassigns, by `null` or an empty string.
pub(super) fn unset(attribute: &Attribute, value: &Value, object: &mut Map<String, Value>) {
    for (key, value) in value.as_object().into_iter().flatten() {
        if let Some(sub) = attribute.sub(key)
            && (value.is_null() || value.as_str() == Some(""))
        {
            object.remove(sub.name);
        }
    }
}

/// Sets a sub-attribute, or removes it.
pub(super) fn put(object: &mut Map<String, Value>, sub: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => object.insert(sub.name.to_owned(), value),
        None => object.remove(sub.name),
    };
}

/// Changes the object of a complex attribute, which is there only while it says something.
fn in_object(container: &mut Map<String, Value>, name: &str, change: impl FnOnce(&mut Map<String, Value>)) {
    let mut object = match container.remove(name) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    change(&mut object);
    if says_something(&object) {
        container.insert(name.to_owned(), object.into());
    }
}

fn remove(path: AttributePath, container: &mut Map<String, Value>, notes: &mut Leniencies) -> Result<(), ScimError> {
    let attribute = path.attribute;
    if attribute.required || path.leaf().required {
        return Err(ScimError::bad(ScimType::Mutability, format!("'{path}' is required and can not be removed.")));
    }
    let is_there = match path.sub {
        Some(sub) => container.get(attribute.name).is_some_and(|value| value.get(sub.name).is_some()),
        None => container.contains_key(attribute.name),
    };
    if !is_there {
        notes.note(Leniency::RemoveAbsent);
        return Ok(());
    }
    match path.sub {
        Some(sub) => in_object(container, attribute.name, |object| {
            object.remove(sub.name);
        }),
        None => {
            container.remove(attribute.name);
        }
    }
    Ok(())
}
