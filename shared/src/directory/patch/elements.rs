//! Operations on multi-valued attributes.

use serde_json::{Map, Value};

use super::{
    Op,
    apply::{put, unset},
};
use crate::directory::{
    error::{ScimError, ScimType, invalid_value},
    filter::{Filter, Literal, Operator, Test},
    leniency::{Leniencies, Leniency},
    path::fold,
    schema::{Attribute, Kind},
    value::{as_list, check_list, is_primary, read, read_list, read_one},
};

/// The elements of an attribute, on loan: they are put back when they have been changed.
struct Elements<'c> {
    attribute: &'static Attribute,
    container: &'c mut Map<String, Value>,
    list: Vec<Value>,
    /// The positions that this operation has set.
    touched: Vec<usize>,
}

impl<'c> Elements<'c> {
    fn of(attribute: &'static Attribute, container: &'c mut Map<String, Value>) -> Self {
        let list = container.get(attribute.name).and_then(Value::as_array).cloned().unwrap_or_default();
        Self { attribute, container, list, touched: Vec::new() }
    }

    /// Keeps the elements. One that was made primary takes that from the others (RFC 7644, section 3.5.2), but not
    /// before it has a value: that may follow in the next operation, or not at all.
    fn keep(mut self) -> Result<(), ScimError> {
        let is_new = |position: &usize| self.list.get(*position).is_some_and(is_primary);
        if self.touched.iter().any(is_new) {
            for (position, element) in self.list.iter_mut().enumerate() {
                if !self.touched.contains(&position) && is_primary(element) {
                    set(element, "primary", false.into());
                }
            }
        }
        check_list(self.attribute, &self.list)?;
        let name = self.attribute.name;
        if self.list.is_empty() {
            self.container.remove(name);
        } else {
            self.container.insert(name.to_owned(), self.list.into());
        }
        Ok(())
    }

    /// Adds an element, or makes the one that is the same already say what it says.
    fn add(&mut self, element: Value) {
        let same = self.list.iter().position(|known| is_same(self.attribute, known, &element));
        let position = same.unwrap_or(self.list.len());
        match (self.list.get_mut(position), element) {
            (Some(Value::Object(known)), Value::Object(element)) => known.extend(element),
            (Some(_), _) => {}
            (None, element) => self.list.push(element),
        }
        self.touched.push(position);
    }
}

fn set(element: &mut Value, name: &str, value: Value) {
    if let Some(object) = element.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Whether two elements are the same one: equal in `value` and `type` where the attribute has a `value`, else in all.
fn is_same(attribute: &Attribute, one: &Value, other: &Value) -> bool {
    let Some(sub) = attribute.sub("value") else {
        return one == other;
    };
    let value = |element: &Value| {
        let text = element.get("value")?.as_str()?;
        Some(if sub.case_exact { text.to_owned() } else { fold(text) })
    };
    let purpose = |element: &Value| element.get("type").and_then(Value::as_str).map(fold);
    if value(one).is_none() { one == other } else { value(one) == value(other) && purpose(one) == purpose(other) }
}

/// An operation on the attribute as a whole.
pub(super) fn whole(
    op: Op,
    attribute: &'static Attribute,
    value: Option<&Value>,
    container: &mut Map<String, Value>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    match (op, value) {
        (Op::Remove, None | Some(Value::Null)) => {
            if container.remove(attribute.name).is_none() {
                notes.note(Leniency::RemoveAbsent);
            }
            Ok(())
        }
        (Op::Remove, Some(value)) => {
            notes.note(Leniency::RemoveWithValue);
            let unwanted = read_list(attribute, value, notes)?;
            let mut elements = Elements::of(attribute, container);
            elements.list.retain(|element| !unwanted.iter().any(|unwanted| is_meant(attribute, element, unwanted)));
            elements.keep()
        }
        (Op::Add, value) => {
            let added = read_list(attribute, value.unwrap_or(&Value::Null), notes)?;
            let mut elements = Elements::of(attribute, container);
            for element in added {
                elements.add(element);
            }
            elements.keep()
        }
        (Op::Replace, value) => {
            match read(attribute, value.unwrap_or(&Value::Null), notes)? {
                Some(elements) => container.insert(attribute.name.to_owned(), elements),
                None => container.remove(attribute.name),
            };
            Ok(())
        }
    }
}

/// Whether an element has all that a value to remove says.
fn is_meant(attribute: &Attribute, element: &Value, unwanted: &Value) -> bool {
    let (Some(element), Some(unwanted)) = (element.as_object(), unwanted.as_object()) else {
        return element == unwanted;
    };
    unwanted.iter().all(|(name, value)| {
        let exact = attribute.sub(name).is_some_and(|sub| sub.case_exact);
        match (element.get(name), value) {
            (Some(Value::String(one)), Value::String(other)) if !exact => fold(one) == fold(other),
            (found, value) => found == Some(value),
        }
    })
}

/// An operation on a sub-attribute of every element (`emails.type`).
pub(super) fn every(
    op: Op,
    attribute: &'static Attribute,
    sub: &'static Attribute,
    value: Option<&Value>,
    container: &mut Map<String, Value>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    let set = if op == Op::Remove { None } else { read(sub, value.unwrap_or(&Value::Null), notes)? };
    let mut elements = Elements::of(attribute, container);
    if elements.list.is_empty() {
        if set.is_some() {
            notes.note(Leniency::Upsert);
            elements.list.push(Value::Object(Map::new()));
        } else {
            notes.note(Leniency::RemoveAbsent);
        }
    }
    elements.touched = (0..elements.list.len()).collect();
    for object in elements.list.iter_mut().filter_map(Value::as_object_mut) {
        put(object, sub, set.clone());
    }
    elements.keep()
}

/// An operation on the elements that a filter chooses, or on a sub-attribute of theirs.
pub(super) fn chosen(
    op: Op,
    attribute: &'static Attribute,
    (filter, sub): (&Filter, Option<&'static Attribute>),
    value: Option<&Value>,
    container: &mut Map<String, Value>,
    notes: &mut Leniencies,
) -> Result<(), ScimError> {
    let mut elements = Elements::of(attribute, container);
    let matches = |element: &Value| element.as_object().is_some_and(|element| filter.matches(element));
    let positions = elements.list.iter().enumerate().filter(|(_, element)| matches(element));
    let mut positions: Vec<usize> = positions.map(|(position, _)| position).collect();
    let value = value.unwrap_or(&Value::Null);
    if op == Op::Remove || (sub.is_none() && is_nothing(value)) {
        if positions.is_empty() {
            notes.note(Leniency::RemoveAbsent);
            return Ok(());
        }
        for element in positions.iter().rev() {
            match (sub, elements.list.get_mut(*element).and_then(Value::as_object_mut)) {
                (Some(sub), Some(object)) => put(object, sub, None),
                _ => drop(elements.list.remove(*element)),
            }
        }
        return elements.keep();
    }
    // Read before anything is created: what unassigns creates nothing.
    let change = Change::read(attribute, sub, value, notes)?;
    if positions.is_empty() {
        if change.set.is_empty() {
            notes.note(Leniency::RemoveAbsent);
            return Ok(());
        }
        let mut created = template(filter).ok_or_else(no_target)?;
        change.apply(attribute, &mut created);
        if !filter.matches(&created) {
            return Err(no_target());
        }
        notes.note(Leniency::Upsert);
        positions.push(elements.list.len());
        elements.list.push(created.into());
    } else {
        for position in &positions {
            if let Some(object) = elements.list.get_mut(*position).and_then(Value::as_object_mut) {
                change.apply(attribute, object);
            }
        }
    }
    elements.touched = positions;
    elements.keep()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty)
}

fn no_target() -> ScimError {
    ScimError::bad(ScimType::NoTarget, "The path matches no value, and does not say how to create one.")
}

/// What an operation sets in an element, and which of its sub-attributes it unassigns.
struct Change<'v> {
    set: Map<String, Value>,
    unset: &'v Value,
    cleared: Option<&'static Attribute>,
}

impl<'v> Change<'v> {
    fn read(
        attribute: &Attribute,
        sub: Option<&'static Attribute>,
        value: &'v Value,
        notes: &mut Leniencies,
    ) -> Result<Self, ScimError> {
        if let Some(sub) = sub {
            let mut set = Map::new();
            let read = read(sub, value, notes)?;
            let cleared = if read.is_none() { Some(sub) } else { None };
            put(&mut set, sub, read);
            return Ok(Self { set, unset: &Value::Null, cleared });
        }
        // Some clients give the one element as a list of one.
        let [given] = as_list(value, &mut Leniencies::new()) else {
            return Err(invalid_value("A path to chosen values takes one value for them."));
        };
        let set = match partial(attribute, given, notes)? {
            Value::Object(set) => set,
            _ => Map::new(),
        };
        Ok(Self { set, unset: given, cleared: None })
    }

    fn apply(&self, attribute: &Attribute, object: &mut Map<String, Value>) {
        unset(attribute, self.unset, object);
        if let Some(sub) = self.cleared {
            object.remove(sub.name);
        }
        object.extend(self.set.clone());
    }
}

/// A part of an element, which need not say enough to be one of its own.
fn partial(attribute: &Attribute, given: &Value, notes: &mut Leniencies) -> Result<Value, ScimError> {
    let Value::Object(given) = given else {
        return Ok(read_one(attribute, given, notes)?.unwrap_or_default());
    };
    let mut read_ones = Map::new();
    for (key, value) in given {
        match attribute.sub(key) {
            Some(sub) if !sub.is_read_only() => put(&mut read_ones, sub, read(sub, value, notes)?),
            Some(_) => {}
            None => notes.note(Leniency::UnknownAttribute),
        }
    }
    Ok(read_ones.into())
}

/// The element that a filter describes, if it does by equalities alone.
fn template(filter: &Filter) -> Option<Map<String, Value>> {
    let parts = match filter {
        Filter::And(parts) => parts.as_slice(),
        other => std::slice::from_ref(other),
    };
    let mut object = Map::new();
    for part in parts {
        let Filter::Term(path, Test::Compare(Operator::Eq, literal)) = part else {
            return None;
        };
        let value = match literal {
            Literal::Text(text) if path.attribute.kind != Kind::Complex => text.as_str().into(),
            Literal::Boolean(value) => (*value).into(),
            Literal::Text(_) | Literal::Null => return None,
        };
        object.insert(path.attribute.name.to_owned(), value);
    }
    Some(object)
}
