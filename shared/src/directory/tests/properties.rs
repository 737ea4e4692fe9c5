//! Rules that hold for any input.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::directory::{Filter, Projection, Sort};

/// Names that bodies are made of, known and unknown.
const NAMES: [&str; 22] = [
    "userName",
    "USERNAME",
    "externalId",
    "displayName",
    "name",
    "givenName",
    "emails",
    "value",
    "type",
    "primary",
    "active",
    "title",
    "members",
    "groups",
    "schemas",
    "id",
    "meta",
    "password",
    "$ref",
    ENTERPRISE,
    "manager",
    "other",
];

/// Names of PATCH operations, besides.
const PATHS: [&str; 14] = [
    "title",
    "userName",
    "active",
    "name",
    "name.givenName",
    "emails",
    "emails.type",
    "emails[type eq \"work\"]",
    "emails[type eq \"work\"].value",
    "emails[value co \"a\"].primary",
    "members",
    "members[value eq \"a\"]",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager",
    "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
];

fn json_of(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        prop_oneof![Just("a"), Just("A"), Just("work"), Just("True"), Just(""), Just("b\u{0}\u{130}")]
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(names), inner), 0..6)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

fn kinds() -> impl Strategy<Value = ResourceType> {
    prop::sample::select(&ResourceType::ALL[..])
}

/// Users of all shapes that a body can give.
fn users() -> impl Strategy<Value = Resource> {
    let text = || prop::option::of(prop::sample::select(vec!["a", "A", "b", "ab", "É", "work", "2"]));
    let emails = prop::collection::vec((text(), text(), text()), 0..4);
    (text(), text(), text(), any::<bool>(), emails, prop::option::of(0..4_usize)).prop_map(
        |(title, given, department, active, emails, primary)| {
            let email = |(position, (value, kind, display)): (usize, _)| {
                let is_primary = primary.map(|primary| primary == position);
                json!({ "value": value, "type": kind, "display": display, "primary": is_primary })
            };
            user(&json!({
                "userName": "ada",
                "externalId": title,
                "title": title,
                "active": active,
                "name": { "givenName": given },
                "emails": emails.into_iter().enumerate().map(email).collect::<Vec<_>>(),
                ENTERPRISE: { "department": department },
            }))
        },
    )
}

/// A filter by a model of its own, which prints and evaluates itself in the plainest way.
#[derive(Clone, Debug)]
enum Model {
    Or(Box<Model>, Box<Model>),
    And(Box<Model>, Box<Model>),
    Not(Box<Model>),
    Present(Vec<&'static str>),
    Compare(Vec<&'static str>, &'static str, Value),
    Emails(Box<Model>),
}

impl Model {
    fn text(&self) -> String {
        match self {
            Self::Or(one, other) => format!("({} or {})", one.text(), other.text()),
            Self::And(one, other) => format!("({} and {})", one.text(), other.text()),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::Present(path) => format!("{} pr", Self::path(path)),
            Self::Compare(path, operator, value) => format!("{} {operator} {value}", Self::path(path)),
            Self::Emails(inner) => format!("emails[{}]", inner.text()),
        }
    }

    fn path(path: &[&str]) -> String {
        match path {
            [ENTERPRISE, rest @ ..] => format!("{ENTERPRISE}:{}", rest.join(".")),
            path => path.join("."),
        }
    }

    fn holds(&self, object: &Value) -> bool {
        match self {
            Self::Or(one, other) => one.holds(object) || other.holds(object),
            Self::And(one, other) => one.holds(object) && other.holds(object),
            Self::Not(inner) => !inner.holds(object),
            Self::Present(path) => !Self::find(path, object).is_empty(),
            Self::Compare(path, operator, wanted) => {
                let found = Self::find(path, object);
                let exact = path == &["externalId"];
                let none_differs = *operator == "ne" && found.is_empty();
                none_differs || found.iter().any(|value| Self::compare(operator, value, wanted, exact))
            }
            Self::Emails(inner) => {
                object["emails"].as_array().is_some_and(|emails| emails.iter().any(|email| inner.holds(email)))
            }
        }
    }

    fn find<'v>(path: &[&str], object: &'v Value) -> Vec<&'v Value> {
        let mut found = vec![object];
        for name in path {
            let next = found.into_iter().filter_map(|value| value.get(name));
            found = next.flat_map(|value| value.as_array().map_or(vec![value], |all| all.iter().collect())).collect();
        }
        found
    }

    fn compare(operator: &str, value: &Value, wanted: &Value, exact: bool) -> bool {
        let (Some(value), Some(wanted)) = (value.as_str(), wanted.as_str()) else {
            return if operator == "eq" { value == wanted } else { operator == "ne" && value != wanted };
        };
        let (value, wanted) =
            if exact { (value.into(), wanted.into()) } else { (value.to_lowercase(), wanted.to_lowercase()) };
        match operator {
            "eq" => value == wanted,
            "ne" => value != wanted,
            "co" => value.contains(&wanted),
            "sw" => value.starts_with(&wanted),
            "ew" => value.ends_with(&wanted),
            "gt" => value > wanted,
            "ge" => value >= wanted,
            "lt" => value < wanted,
            _ => value <= wanted,
        }
    }

    fn terms(paths: Vec<Vec<&'static str>>, boolean: &'static str) -> impl Strategy<Value = Self> {
        let text = prop::sample::select(vec!["a", "A", "b", "é", "work", "", "\"\\"]).prop_map(Value::from);
        let operator = prop::sample::select(vec!["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]);
        let path = prop::sample::select(paths);
        prop_oneof![
            1 => path.clone().prop_map(Self::Present),
            4 => (path, operator, text).prop_map(|(path, operator, text)| Self::Compare(path, operator, text)),
            1 => (prop::sample::select(vec!["eq", "ne"]), any::<bool>())
                .prop_map(move |(operator, value)| Self::Compare(vec![boolean], operator, value.into())),
        ]
    }

    fn joined(terms: impl Strategy<Value = Self> + 'static, depth: u32) -> impl Strategy<Value = Self> {
        terms.prop_recursive(depth, 8, 2, |inner| {
            let two = (inner.clone(), inner.clone());
            prop_oneof![
                two.clone().prop_map(|(one, other)| Self::Or(one.into(), other.into())),
                two.prop_map(|(one, other)| Self::And(one.into(), other.into())),
                inner.prop_map(|inner| Self::Not(inner.into())),
            ]
        })
    }

    fn any() -> impl Strategy<Value = Self> {
        let inner = Self::joined(Self::terms(vec![vec!["value"], vec!["type"], vec!["display"]], "primary"), 1);
        let paths = vec![
            vec!["title"],
            vec!["externalId"],
            vec!["nickName"],
            vec!["name", "givenName"],
            vec!["emails", "value"],
            vec!["emails", "type"],
            vec![ENTERPRISE, "department"],
        ];
        let terms = prop_oneof![
            3 => Self::terms(paths, "active"),
            1 => inner.prop_map(|inner| Self::Emails(inner.into())),
        ];
        Self::joined(terms, 3)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_json_is_a_resource_or_a_refusal(kind in kinds(), body in json_of(&NAMES)) {
        let mut notes = Leniencies::new();
        if let Ok(draft) = Resource::create(kind, &body, &mut notes) {
            // What it became is canonical: seen by the client and sent back, it stays.
            let seen = rendered(&draft.resource);
            let again = draft.resource.replace(&seen.clone().into(), &mut Leniencies::new()).unwrap();
            prop_assert_eq!(again.resource, draft.resource);
            prop_assert!(!seen.contains_key("password") && !seen.contains_key("members"));
        }
    }

    #[test]
    fn any_json_is_a_patch_or_a_refusal(
        user in users(),
        operations in prop::collection::vec(
            (prop::sample::select(vec!["add", "Replace", "remove", "x"]), prop::option::of(prop::sample::select(&PATHS[..])), json_of(&PATHS)),
            0..4,
        ),
    ) {
        let operation = |(op, path, value): (_, Option<&str>, Value)| json!({ "op": op, "path": path, "value": value });
        let operations: Vec<Value> = operations.into_iter().map(operation).collect();
        if let Ok((patched, _)) = patched(&user, &operations.into()) {
            // What it became could have been created so.
            let again = created(ResourceType::User, &attributes(&patched.resource)).resource;
            let had_active = patched.resource.attributes().contains_key("active");
            prop_assert!(!had_active || again == patched.resource, "{:?}", patched.resource);
        }
    }

    #[test]
    fn a_second_patch_of_the_same_changes_nothing(
        user in users(),
        op in prop::sample::select(vec!["add", "replace", "remove"]),
        path in prop::option::of(prop::sample::select(&PATHS[..])),
        value in json_of(&NAMES),
    ) {
        let operations = json!([{ "op": op, "path": path, "value": value }]);
        if let Ok((once, _)) = patched(&user, &operations) {
            match patched(&once.resource, &operations) {
                Ok((twice, _)) => prop_assert!(!twice.changed, "{} {:?}", operations, twice),
                // Where the first took away what the path had chosen.
                Err(refused) => prop_assert_eq!(refused.scim_type.unwrap().as_str(), "noTarget"),
            }
        }
    }

    #[test]
    fn any_text_is_a_filter_that_prints_or_a_refusal(
        kind in kinds(),
        words in prop::collection::vec(prop::sample::select(vec![
            "title", "emails", "members", "value", "displayName", "[", "]", "(", ")", ".", " ", " ", " ", "eq", "pr",
            "and", "or", "not", "\"", "\"a\"", "\\", "true", "null", "1", "-", ":", "é", "\u{0}",
        ]), 0..24),
    ) {
        let mut notes = Leniencies::new();
        if let Ok(filter) = Filter::parse(kind, &words.concat(), &mut notes) {
            prop_assert_eq!(Filter::parse(kind, &filter.to_string(), &mut notes), Ok(filter));
        }
        let _ = Filter::parse_for(&ResourceType::ALL, &words.concat(), &mut notes);
        let _ = Projection::from_query(kind, Some(&words.concat()), None, &mut notes);
        let _ = Sort::parse(kind, &words.concat(), None);
    }

    #[test]
    fn filters_mean_what_the_model_says(model in Model::any(), user in users()) {
        let text = model.text();
        let Ok(filter) = Filter::parse(ResourceType::User, &text, &mut Leniencies::new()) else {
            // Past a limit; everything else is well-formed by its making.
            prop_assert!(text.len() > 200, "{}", text);
            return Ok(());
        };
        let object = rendered(&user);
        prop_assert_eq!(filter.matches(&object), model.holds(&object.clone().into()), "{} {:?}", text, object);
        let printed = Filter::parse(ResourceType::User, &filter.to_string(), &mut Leniencies::new());
        prop_assert_eq!(printed, Ok(filter));
    }

    #[test]
    fn changes_of_members_are_what_they_are_one_by_one(
        before in prop::collection::btree_set(0..6_u8, 0..6),
        steps in prop::collection::vec((0..3_u8, prop::collection::vec(0..6_u8, 0..4)), 0..6),
    ) {
        let ids = |ids: &[u8]| ids.iter().map(u8::to_string).collect::<Vec<_>>();
        let before: BTreeSet<String> = before.iter().map(u8::to_string).collect();
        let mut members = before.clone();
        let mut change = MemberChange::default();
        for (step, named) in &steps {
            let named = ids(named);
            match step {
                0 => { members.extend(named.clone()); change.then_add(named); }
                1 => { members.retain(|id| !named.contains(id)); change.then_remove(named); }
                _ => { members = named.iter().cloned().collect(); change.then_replace(named); }
            }
            prop_assert!(change.add.is_disjoint(&change.remove));
            prop_assert!(change.replace.is_none() || change.add.is_empty() && change.remove.is_empty());
        }
        prop_assert_eq!(change.applied(&before), members);
    }
}
