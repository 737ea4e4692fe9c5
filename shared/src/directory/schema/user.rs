//! Users (RFC 7643, sections 4.1, 4.3 and 8.7.1).

use super::{Attribute, Kind, Mutability, Returned};

const DISPLAY: Attribute = Attribute::new("display", Kind::String, "The value as people read it.");
const PRIMARY: Attribute = Attribute::new("primary", Kind::Boolean, "Whether it is the preferred value, at most one.");
const TYPE: Attribute = Attribute::new("type", Kind::String, "What the value is for.");
const VALUE: Attribute = Attribute::new("value", Kind::String, "The value.");

pub(super) static ATTRIBUTES: &[Attribute] = &[
    Attribute::new("userName", Kind::String, "The name by which the provider knows the user; unique, without case.")
        .required()
        .unique(),
    Attribute::new("name", Kind::Complex, "The parts of the user's name.").of(&[
        Attribute::new("formatted", Kind::String, "The whole name."),
        Attribute::new("familyName", Kind::String, "The family name."),
        Attribute::new("givenName", Kind::String, "The given name."),
        Attribute::new("middleName", Kind::String, "The middle names."),
        Attribute::new("honorificPrefix", Kind::String, "What stands before the name."),
        Attribute::new("honorificSuffix", Kind::String, "What stands after the name."),
    ]),
    Attribute::new("displayName", Kind::String, "The name to show."),
    Attribute::new("nickName", Kind::String, "The casual name."),
    Attribute::new("profileUrl", Kind::Reference, "The address of the user's profile.").to(&["external"]),
    Attribute::new("title", Kind::String, "The title, such as Vice President."),
    Attribute::new("userType", Kind::String, "The relation to the organization, such as Employee."),
    Attribute::new("preferredLanguage", Kind::String, "The preferred languages (RFC 9110, Accept-Language)."),
    Attribute::new("locale", Kind::String, "The locale, for formatting (RFC 5646)."),
    Attribute::new("timezone", Kind::String, "The time zone, such as Europe/Vienna."),
    Attribute::new("active", Kind::Boolean, "Whether the user may have access."),
    Attribute::new("password", Kind::String, "Accepted and never kept: nobody signs in here by password.")
        .mutability(Mutability::WriteOnly)
        .returned(Returned::Never)
        .exact(),
    Attribute::new("emails", Kind::Complex, "E-mail addresses. The primary one is the account's.").list().of(&[
        VALUE,
        DISPLAY,
        TYPE.suggest(&["work", "home", "other"]),
        PRIMARY,
    ]),
    Attribute::new("phoneNumbers", Kind::Complex, "Telephone numbers.").list().of(&[
        VALUE,
        DISPLAY,
        TYPE.suggest(&["work", "home", "mobile", "fax", "pager", "other"]),
        PRIMARY,
    ]),
    Attribute::new("ims", Kind::Complex, "Addresses for instant messages.").list().of(&[VALUE, DISPLAY, TYPE, PRIMARY]),
    Attribute::new("photos", Kind::Complex, "Addresses of pictures.").list().of(&[
        Attribute::new("value", Kind::Reference, "The address of a picture.").to(&["external"]),
        DISPLAY,
        TYPE.suggest(&["photo", "thumbnail"]),
        PRIMARY,
    ]),
    Attribute::new("addresses", Kind::Complex, "Postal addresses.").list().of(&[
        Attribute::new("formatted", Kind::String, "The whole address."),
        Attribute::new("streetAddress", Kind::String, "The street, house and the like."),
        Attribute::new("locality", Kind::String, "The town."),
        Attribute::new("region", Kind::String, "The state or region."),
        Attribute::new("postalCode", Kind::String, "The postal code."),
        Attribute::new("country", Kind::String, "The country (ISO 3166-1 alpha-2)."),
        TYPE.suggest(&["work", "home", "other"]),
        PRIMARY,
    ]),
    Attribute::new("groups", Kind::Complex, "The groups that the user is a member of.")
        .list()
        .read_only()
        .returned(Returned::Request)
        .of(&[
            Attribute::new("value", Kind::String, "The id of the group.").exact().read_only(),
            Attribute::new("$ref", Kind::Reference, "The address of the group.").to(&["Group"]).read_only(),
            Attribute::new("display", Kind::String, "The name of the group.").read_only(),
            Attribute::new("type", Kind::String, "How the user is a member.").suggest(&["direct"]).read_only(),
        ]),
    Attribute::new("entitlements", Kind::Complex, "What the user is entitled to.")
        .list()
        .of(&[VALUE, DISPLAY, TYPE, PRIMARY]),
    Attribute::new("roles", Kind::Complex, "Roles that the provider knows; roles here come from groups.")
        .list()
        .of(&[VALUE, DISPLAY, TYPE, PRIMARY]),
    Attribute::new("x509Certificates", Kind::Complex, "Certificates of the user.").list().of(&[
        Attribute::new("value", Kind::Binary, "A certificate (DER)."),
        DISPLAY,
        TYPE,
        PRIMARY,
    ]),
];

pub(super) static ENTERPRISE: &[Attribute] = &[
    Attribute::new("employeeNumber", Kind::String, "The number within the organization."),
    Attribute::new("costCenter", Kind::String, "The cost center."),
    Attribute::new("organization", Kind::String, "The organization."),
    Attribute::new("division", Kind::String, "The division."),
    Attribute::new("department", Kind::String, "The department."),
    Attribute::new("manager", Kind::Complex, "The user's manager.").of(&[
        Attribute::new("value", Kind::String, "The id of the manager.").exact(),
        Attribute::new("$ref", Kind::Reference, "The address of the manager.").to(&["User"]),
        Attribute::new("displayName", Kind::String, "The name of the manager.").read_only(),
    ]),
];
