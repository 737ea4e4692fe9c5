//! Values: read against their attribute, in one canonical form (RFC 7643, sections 2.3 to 2.5).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::{Map, Value};

use super::{
    error::{ScimError, invalid_syntax, invalid_value},
    leniency::{Leniencies, Leniency},
    limits,
    schema::{Attribute, Kind},
};

/// The value of an attribute in its canonical form, or nothing where what was given unassigns it: `null`, an empty list
/// or an empty string (RFC 7643, section 2.5).
pub(super) fn read(attribute: &Attribute, value: &Value, notes: &mut Leniencies) -> Result<Option<Value>, ScimError> {
    if !attribute.multi_valued {
        return read_one(attribute, value, notes);
    }
    let elements = read_list(attribute, value, notes)?;
    check_list(attribute, &elements)?;
    Ok(if elements.is_empty() { None } else { Some(elements.into()) })
}

/// The elements of a multi-valued attribute, not yet checked as a whole.
pub(super) fn read_list(attribute: &Attribute, value: &Value, notes: &mut Leniencies) -> Result<Vec<Value>, ScimError> {
    let mut elements = Vec::new();
    for element in as_list(value, notes) {
        elements.extend(read_one(attribute, element, notes)?);
    }
    Ok(elements)
}

/// The values given for a multi-valued attribute, one of them alone included.
pub(super) fn as_list<'v>(value: &'v Value, notes: &mut Leniencies) -> &'v [Value] {
    match value {
        Value::Array(elements) => elements,
        Value::Null => &[],
        single => {
            notes.note(Leniency::SingleValue);
            std::slice::from_ref(single)
        }
    }
}

/// Refuses more values than an attribute can have, and more than one primary (RFC 7643, section 2.4).
pub(super) fn check_list(attribute: &Attribute, elements: &[Value]) -> Result<(), ScimError> {
    let name = attribute.name;
    if elements.len() > limits::VALUES {
        return Err(invalid_value(format!("'{name}' has more than {} values.", limits::VALUES)));
    }
    if elements.iter().filter(|element| is_primary(element)).count() > 1 {
        return Err(invalid_value(format!("More than one value of '{name}' is primary.")));
    }
    Ok(())
}

/// Whether an element is marked as the preferred one, and has something to prefer.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true)) && element.as_object().is_some_and(says_something)
}

/// One value of an attribute.
pub(super) fn read_one(
    attribute: &Attribute,
    value: &Value,
    notes: &mut Leniencies,
) -> Result<Option<Value>, ScimError> {
    if value.is_null() {
        return Ok(None);
    }
    if value.as_str() == Some("") {
        notes.note(Leniency::EmptyString);
        return Ok(None);
    }
    match attribute.kind {
        Kind::Complex => read_complex(attribute, value, notes),
        Kind::Boolean => read_boolean(attribute, value, notes).map(Some),
        Kind::Binary => read_binary(attribute, value).map(Some),
        Kind::String | Kind::Reference | Kind::DateTime => read_text(attribute, value, notes).map(Some),
    }
}

fn read_text(attribute: &Attribute, value: &Value, notes: &mut Leniencies) -> Result<Value, ScimError> {
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Number(number) => {
            notes.note(Leniency::NumberAsString);
            Ok(number.to_string().into())
        }
        _ => Err(invalid_value(format!("'{}' is a string.", attribute.name))),
    }
}

fn read_boolean(attribute: &Attribute, value: &Value, notes: &mut Leniencies) -> Result<Value, ScimError> {
    let read = match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => {
            notes.note(Leniency::BooleanAsString);
            boolean(text)
        }
        _ => None,
    };
    read.map(Value::Bool).ok_or_else(|| invalid_value(format!("'{}' is true or false.", attribute.name)))
}

/// A boolean in words.
pub(super) fn boolean(text: &str) -> Option<bool> {
    [("true", true), ("false", false)].into_iter().find(|(word, _)| text.eq_ignore_ascii_case(word)).map(|(_, is)| is)
}

/// Base64 of either alphabet, padded or not (RFC 7643, section 2.3.6).
fn read_binary(attribute: &Attribute, value: &Value) -> Result<Value, ScimError> {
    let engines = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    match value.as_str() {
        Some(text) if engines.iter().any(|engine| engine.decode(text).is_ok()) => Ok(value.clone()),
        _ => Err(invalid_value(format!("'{}' is base64.", attribute.name))),
    }
}

fn read_complex(attribute: &Attribute, value: &Value, notes: &mut Leniencies) -> Result<Option<Value>, ScimError> {
    let name = attribute.name;
    let members = match (value, attribute.sub("value")) {
        (Value::Object(members), _) => members,
        (Value::String(_) | Value::Number(_), Some(sub)) => {
            notes.note(Leniency::BareValue);
            let read = read_one(sub, value, notes)?;
            return Ok(read.map(|read| Value::Object(Map::from_iter([(sub.name.to_owned(), read)]))));
        }
        _ => return Err(invalid_value(format!("'{name}' is an object of its sub-attributes."))),
    };
    let mut object = Map::new();
    let mut seen = Vec::new();
    for (key, value) in members {
        let Some(sub) = attribute.sub(key) else {
            notes.note(Leniency::UnknownAttribute);
            continue;
        };
        once(&mut seen, sub.name)?;
        // Read-only ones are ignored, as everywhere (RFC 7644, section 3.5.1).
        if !sub.is_read_only()
            && let Some(value) = read(sub, value, notes)?
        {
            object.insert(sub.name.to_owned(), value);
        }
    }
    Ok(if says_something(&object) { Some(object.into()) } else { None })
}

/// Whether an object has more to say than what it is for: `{"type": "work", "primary": true}` is no address.
pub(super) fn says_something(object: &Map<String, Value>) -> bool {
    object.keys().any(|name| name != "type" && name != "primary")
}

/// Refuses a name that was given in two spellings.
pub(super) fn once(seen: &mut Vec<&'static str>, name: &'static str) -> Result<(), ScimError> {
    if seen.contains(&name) {
        return Err(invalid_syntax(format!("'{name}' is given twice.")));
    }
    seen.push(name);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::directory::schema::ResourceType;

    fn read_user(name: &str, value: &Value) -> Result<Option<Value>, ScimError> {
        read(ResourceType::User.attribute(name).unwrap(), value, &mut Leniencies::new())
    }

    #[test]
    fn values_have_one_form() {
        for (name, given, stored) in [
            ("title", json!("Queen"), json!("Queen")),
            ("title", json!(7), json!("7")),
            ("active", json!("False"), json!(false)),
            ("active", json!("TRUE"), json!(true)),
            ("name", json!({ "GIVENNAME": "Ada", "familyName": "", "odd": 1 }), json!({ "givenName": "Ada" })),
            ("emails", json!("a@b"), json!([{ "value": "a@b" }])),
            ("emails", json!(["a@b", null]), json!([{ "value": "a@b" }])),
            ("emails", json!({ "Value": "a@b", "primary": "True" }), json!([{ "value": "a@b", "primary": true }])),
            ("x509Certificates", json!([{ "value": "AQID-_8" }]), json!([{ "value": "AQID-_8" }])),
            ("profileUrl", json!("https://x.example/Ada"), json!("https://x.example/Ada")),
        ] {
            assert_eq!(read_user(name, &given), Ok(Some(stored)), "{name} {given}");
        }
    }

    #[test]
    fn what_unassigns_is_nothing() {
        for (name, given) in [
            ("title", json!("")),
            ("title", json!(null)),
            ("active", json!("")),
            ("emails", json!([])),
            ("emails", json!([{ "type": "work", "value": "", "primary": true }])),
            ("name", json!({})),
            ("name", json!({ "givenName": null })),
        ] {
            assert_eq!(read_user(name, &given), Ok(None), "{name} {given}");
        }
    }

    #[test]
    fn wrong_types_are_refused() {
        for (name, given) in [
            ("title", json!(true)),
            ("title", json!(["x"])),
            ("title", json!({})),
            ("active", json!(1)),
            ("active", json!("yes")),
            ("name", json!("Ada")),
            ("name", json!([])),
            ("emails", json!([["a@b"]])),
            ("emails", json!([true])),
            ("emails", json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }])),
            ("emails", json!([{ "value": "a", "VALUE": "b" }])),
            ("emails", json!(vec!["a@b"; limits::VALUES + 1])),
            ("x509Certificates", json!([{ "value": "not base64!" }])),
        ] {
            let refused = read_user(name, &given).unwrap_err();
            assert_eq!(refused.status, 400, "{name} {given}");
        }
    }

    #[test]
    fn tolerances_are_noted() {
        let mut notes = Leniencies::new();
        let emails = ResourceType::User.attribute("emails").unwrap();
        read(emails, &json!({ "value": 5, "primary": "true", "x": 1, "display": "" }), &mut notes).unwrap();
        let expected = [
            Leniency::BooleanAsString,
            Leniency::NumberAsString,
            Leniency::SingleValue,
            Leniency::EmptyString,
            Leniency::UnknownAttribute,
        ];
        for leniency in expected {
            assert!(notes.contains(leniency), "{leniency}");
        }
        assert_eq!(notes.iter().count(), expected.len());
    }
}
