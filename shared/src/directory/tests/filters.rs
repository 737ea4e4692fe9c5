//! Filters: what is read, how it prints, what it means, which key serves it.

use serde_json::json;

use super::*;
use crate::directory::{Filter, Key, limits};

fn parse(text: &str) -> Result<Filter, ScimError> {
    Filter::parse(ResourceType::User, text, &mut Leniencies::new())
}

#[test]
fn filters_print_in_one_form() {
    for (given, printed) in [
        ("userName eq \"bjensen\"", "userName eq \"bjensen\""),
        ("USERNAME  EQ  \"b\\u0061\\\"\"", "userName eq \"ba\\\"\""),
        ("name.familyName co \"O'Malley\"", "name.familyName co \"O'Malley\""),
        ("urn:ietf:params:scim:schemas:core:2.0:User:userName sw \"J\"", "userName sw \"J\""),
        ("title pr", "title pr"),
        ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", "meta.lastModified gt \"2011-05-13T04:42:34Z\""),
        ("title pr and userType eq \"Employee\"", "title pr and userType eq \"Employee\""),
        ("title pr or userType eq \"E\" and not (nickName pr)", "title pr or userType eq \"E\" and not (nickName pr)"),
        ("(title pr or nickName pr) and active eq true", "(title pr or nickName pr) and active eq true"),
        ("title pr or (nickName pr and active eq true)", "title pr or nickName pr and active eq true"),
        ("( ( title pr ) )", "title pr"),
        ("not(title pr)", "not (title pr)"),
        (
            "userType ne \"Employee\" and not (emails co \"example.com\" or emails.value co \"example.org\")",
            "userType ne \"Employee\" and not (emails.value co \"example.com\" or emails.value co \"example.org\")",
        ),
        (
            "emails[type eq \"work\" and value co \"@example.com\"] or ims[type eq \"xmpp\" and value co \"@foo.com\"]",
            "emails[type eq \"work\" and value co \"@example.com\"] or ims[type eq \"xmpp\" and value co \"@foo.com\"]",
        ),
        ("active eq \"True\"", "active eq true"),
        ("active eq TRUE", "active eq true"),
        ("title eq null", "title eq null"),
        (&format!("{ENTERPRISE}:employeeNumber eq 701984"), &format!("{ENTERPRISE}:employeeNumber eq \"701984\"")),
        (&format!("{ENTERPRISE}:manager eq \"m\""), &format!("{ENTERPRISE}:manager.value eq \"m\"")),
        ("groups.$ref ew \"/g-1\"", "groups.$ref ew \"/g-1\""),
    ] {
        let filter = parse(given).unwrap();
        assert_eq!(filter.to_string(), printed);
        assert_eq!(parse(printed).unwrap(), filter);
    }
}

#[test]
fn what_is_no_filter_is_refused() {
    let deep = |depth| format!("{}title pr{}", "(".repeat(depth), ")".repeat(depth));
    let long = |terms| vec!["title pr"; terms].join(" and ");
    assert!(parse(&deep(limits::FILTER_DEPTH)).is_ok());
    assert!(parse(&long(limits::FILTER_TERMS)).is_ok());
    let full = format!("title eq \"{}\"", "x".repeat(limits::FILTER_BYTES - 11));
    assert!(full.len() == limits::FILTER_BYTES && parse(&full).is_ok());
    for text in [
        "",
        " ",
        "userName",
        "userName eq",
        "userName eq bjensen",
        "userName eq 'bjensen'",
        "userName eq \"bjensen",
        "userName eq \"\\x\"",
        "userName eq \"a\"\"b\"",
        "userName is \"bjensen\"",
        "userName eq\"bjensen\"",
        "userName eq \"bjensen\" and",
        "userName eq \"bjensen\" xor title pr",
        "userName eq \"bjensen\"and title pr",
        "userName pr title pr",
        "(title pr",
        "title pr)",
        "not title pr",
        "and title pr",
        "nothing eq \"x\"",
        "password eq \"x\"",
        "members pr",
        "name[givenName eq \"Ada\"]",
        "name eq \"Ada\"",
        "emails[nothing eq \"x\"]",
        "emails[type eq \"work\"",
        "emails[emails[type eq \"work\"]]",
        "emails[type eq \"work\"].nothing eq \"x\"",
        "emails[type eq \"work\"].value",
        "emails.value[type eq \"work\"]",
        "active gt true",
        "active co \"t\"",
        "active eq \"yes\"",
        "active eq 1",
        "title eq true",
        "title gt null",
        "title eq 01",
        "x509Certificates.value gt \"AQ==\"",
        "meta.created gt \"yesterday\"",
        "meta.created co \"2026\"",
        "userName\teq\t\"x\"",
        &deep(limits::FILTER_DEPTH + 1),
        &deep(300),
        &long(limits::FILTER_TERMS + 1),
        &full.replacen('x', "xx", 1),
    ] {
        let refused = parse(text).unwrap_err();
        assert_eq!((refused.status, refused.scim_type.unwrap().as_str()), (400, "invalidFilter"), "{text}");
    }
}

#[test]
fn filters_mean_what_the_rfc_says() {
    let ada = user(&json!({
        "userName": "Ada@x.example",
        "externalId": "Ada",
        "title": "Élan",
        "active": true,
        "emails": [{ "value": "ada@x.example", "type": "work", "primary": true }, { "value": "home@y.example", "type": "home" }],
        ENTERPRISE: { "department": "Engines", "manager": { "value": "M-1" } },
    }));
    let object = rendered(&ada);
    for (text, expected) in [
        ("userName eq \"ADA@X.EXAMPLE\"", true),
        ("externalId eq \"Ada\"", true),
        ("externalId eq \"ada\"", false),
        ("externalId sw \"ad\"", false),
        ("title eq \"ÉLAN\"", true),
        ("title co \"éL\"", true),
        ("title sw \"é\" and title ew \"AN\"", true),
        ("userName gt \"ACA\" and userName lt \"b\"", true),
        ("userName ge \"ADA@x.example\" and userName le \"ada@X.example\"", true),
        ("nickName pr", false),
        ("nickName ne \"x\"", true),
        ("nickName eq null", true),
        ("title ne null", true),
        ("active eq true", true),
        ("active ne true", false),
        ("emails pr", true),
        ("emails eq \"home@Y.example\"", true),
        ("emails.type ne \"work\"", true),
        ("emails[type eq \"work\" and value ew \"y.example\"]", false),
        ("emails.type eq \"work\" and emails.value ew \"y.example\"", true),
        ("not (emails[primary eq true])", false),
        ("emails[not (primary eq true)]", true),
        ("ims[type eq \"x\"]", false),
        ("meta.created eq \"2026-01-02T04:04:05+01:00\"", true),
        ("meta.lastModified gt \"2026-01-02T23:00:00-05:00\"", false),
        ("meta.lastModified ge \"2026-01-03T03:04:05.000Z\"", true),
        ("id eq \"u-1\"", true),
        ("id eq \"U-1\"", false),
        ("schemas co \"enterprise\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq \"engines\"", true),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq \"m-1\"", false),
        ("title pr or nickName pr and nickName eq \"x\"", true),
        ("(title pr or nickName pr) and nickName eq \"x\"", false),
    ] {
        assert_eq!(parse(text).unwrap().matches(&object), expected, "{text}");
    }
}

#[test]
fn a_filter_on_all_types_knows_the_attributes_of_each() {
    let parse = |text| Filter::parse_for(&ResourceType::ALL, text, &mut Leniencies::new());
    let of_groups = parse("members.value eq \"u-1\" or userName eq \"ada\"").unwrap();
    assert!(of_groups.reads("members") && !of_groups.reads("displayName"));
    assert!(of_groups.matches(&rendered(&user(&json!({ "userName": "ada" })))));
    let mut group = rendered(&group("Owners"));
    assert!(!of_groups.matches(&group));
    group.insert("members".to_owned(), json!([{ "value": "u-1" }]));
    assert!(of_groups.matches(&group));
    assert!(parse("meta.resourceType eq \"Group\"").unwrap().matches(&group));
    assert!(parse("nothing pr").is_err());
}

#[test]
fn what_a_key_serves_is_known() {
    let membership = Some(Key::Membership { group: "g", user: "u" });
    for (kind, text, key, rest) in [
        (ResourceType::User, "userName eq \"Ada\"", Some(Key::UserName("Ada")), 0),
        (ResourceType::User, "externalId eq \"x\"", Some(Key::ExternalId("x")), 0),
        (ResourceType::User, "active eq true and userName eq \"Ada\"", Some(Key::UserName("Ada")), 1),
        (ResourceType::User, "externalId eq \"x\" and userName eq \"Ada\" and title pr", Some(Key::UserName("Ada")), 2),
        (ResourceType::User, "groups.value eq \"g\"", Some(Key::Group("g")), 0),
        (ResourceType::Group, "displayName eq \"Owners\"", Some(Key::DisplayName("Owners")), 0),
        (ResourceType::Group, "id eq \"g\"", Some(Key::Id("g")), 0),
        (ResourceType::Group, "id eq \"g\" and members eq \"u\"", membership, 0),
        (ResourceType::Group, "members.value eq \"u\" and id eq \"g\"", membership, 0),
        (ResourceType::Group, "id eq \"g\" and members[value eq \"u\"]", membership, 0),
        (ResourceType::Group, "members eq \"u\"", Some(Key::Member("u")), 0),
        (ResourceType::User, "userName sw \"A\"", None, 0),
        (ResourceType::User, "userName ne \"A\"", None, 0),
        (ResourceType::User, "userName eq null", None, 0),
        (ResourceType::User, "not (userName eq \"A\")", None, 0),
        (ResourceType::User, "userName eq \"A\" or title pr", None, 0),
        (ResourceType::User, "emails.value eq \"A\"", None, 0),
    ] {
        let filter = Filter::parse(kind, text, &mut Leniencies::new()).unwrap();
        let found = filter.lookup();
        assert_eq!(found.as_ref().map(|lookup| lookup.key), key, "{text}");
        assert_eq!(found.map_or(0, |lookup| lookup.rest.len()), rest, "{text}");
    }
}
