//! Groups (RFC 7643, sections 4.2 and 8.7.1). Groups have users as members, not groups.

use super::{Attribute, Kind, Mutability};

pub(super) static ATTRIBUTES: &[Attribute] = &[
    Attribute::new("displayName", Kind::String, "The name of the group.").required(),
    Attribute::new("members", Kind::Complex, "The users in the group.").list().of(&[
        Attribute::new("value", Kind::String, "The id of the user.").exact().mutability(Mutability::Immutable),
        Attribute::new("$ref", Kind::Reference, "The address of the user.")
            .to(&["User"])
            .mutability(Mutability::Immutable),
        Attribute::new("type", Kind::String, "The type of the member.")
            .suggest(&["User"])
            .mutability(Mutability::Immutable),
        Attribute::new("display", Kind::String, "The name of the user.").read_only(),
    ]),
];
