//! The schemas as data (RFC 7643): the one source of what is read, filtered, projected, sorted and told to clients.

mod document;
mod group;
mod user;

pub use document::{resource_types, schemas, service_provider_config};

/// The core schema of users (RFC 7643, section 4.1).
pub const USER_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// The enterprise extension of users (RFC 7643, section 4.3).
pub const ENTERPRISE_USER_URN: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The core schema of groups (RFC 7643, section 4.2).
pub const GROUP_URN: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The data type of an attribute (RFC 7643, section 2.3), of which no number occurs in these schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// True or false.
    Boolean,
    /// An instant (RFC 3339).
    DateTime,
    /// A URI.
    Reference,
    /// Octets in base64.
    Binary,
    /// An object of sub-attributes.
    Complex,
}

/// Who can set an attribute, and when (RFC 7643, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutability {
    /// The server only.
    ReadOnly,
    /// Clients, at any time.
    ReadWrite,
    /// Clients, once.
    Immutable,
    /// Clients, who never see it again.
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Whatever is asked for.
    Always,
    /// Whatever is asked for, it is not.
    Never,
    /// Unless it is excluded, or others are asked for.
    Default,
    /// Only where it is asked for by name.
    Request,
}

/// Within what no two resources share the value (RFC 7643, section 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uniqueness {
    /// Nothing.
    None,
    /// The directory.
    Server,
}

/// An attribute, or a sub-attribute of one (RFC 7643, section 7).
#[derive(Clone, Copy, Debug)]
pub struct Attribute {
    /// The name in its canonical spelling; it is compared without case (section 2.1).
    pub name: &'static str,
    /// What it is, for the reader of the schema.
    pub description: &'static str,
    /// Its data type.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// Whether a resource must have it.
    pub required: bool,
    /// Whether case matters when its values are compared.
    pub case_exact: bool,
    /// Who can set it.
    pub mutability: Mutability,
    /// When it is part of an answer.
    pub returned: Returned,
    /// Within what it is unique.
    pub uniqueness: Uniqueness,
    /// Values that are suggested; others are taken too.
    pub canonical_values: &'static [&'static str],
    /// What a reference refers to.
    pub reference_types: &'static [&'static str],
    /// The attributes of a complex one.
    pub sub_attributes: &'static [Attribute],
}

/// A schema.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it is, for the reader.
    pub description: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute],
}

/// A type of resource (RFC 7643, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    /// A person of the directory.
    User,
    /// A group of persons.
    Group,
}

/// The user schema.
pub static USER: Schema =
    Schema { id: USER_URN, name: "User", description: "User Account", attributes: user::ATTRIBUTES };
/// The enterprise extension of the user schema.
pub static ENTERPRISE_USER: Schema = Schema {
    id: ENTERPRISE_USER_URN,
    name: "EnterpriseUser",
    description: "Enterprise User",
    attributes: user::ENTERPRISE,
};
/// The group schema.
pub static GROUP: Schema = Schema { id: GROUP_URN, name: "Group", description: "Group", attributes: group::ATTRIBUTES };

static USER_EXTENSIONS: [&Schema; 1] = [&ENTERPRISE_USER];

/// What every resource has (RFC 7643, section 3.1).
static COMMON: &[Attribute] = &[
    Attribute::new("schemas", Kind::Reference, "The schemas that the resource is written in.")
        .list()
        .exact()
        .mutability(Mutability::ReadOnly)
        .returned(Returned::Always),
    Attribute::new("id", Kind::String, "The identifier that this server gave the resource.")
        .exact()
        .mutability(Mutability::ReadOnly)
        .returned(Returned::Always)
        .unique(),
    Attribute::new("externalId", Kind::String, "The identifier that the client gave the resource.").exact(),
    Attribute::new("meta", Kind::Complex, "What the server says of the resource.").mutability(Mutability::ReadOnly).of(
        &[
            Attribute::new("resourceType", Kind::String, "The type of the resource.").exact().read_only(),
            Attribute::new("created", Kind::DateTime, "When the resource came to be.").read_only(),
            Attribute::new("lastModified", Kind::DateTime, "When the resource last changed.").read_only(),
            Attribute::new("location", Kind::Reference, "The address of the resource.").exact().read_only(),
            Attribute::new("version", Kind::String, "The version of the resource.").exact().read_only(),
        ],
    ),
];

impl Attribute {
    /// An attribute that clients may leave out and set at any time.
    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            description,
            kind,
            multi_valued: false,
            required: false,
            case_exact: matches!(kind, Kind::Binary | Kind::Reference),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    const fn list(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    const fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    const fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    const fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    const fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    const fn suggest(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    const fn to(mut self, types: &'static [&'static str]) -> Self {
        self.reference_types = types;
        self
    }

    const fn of(mut self, sub_attributes: &'static [Attribute]) -> Self {
        self.sub_attributes = sub_attributes;
        self
    }

    /// The sub-attribute of this name, in any case.
    #[must_use]
    pub fn sub(&self, name: &str) -> Option<&'static Attribute> {
        named(self.sub_attributes, name)
    }

    /// Whether clients can not set it.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.mutability == Mutability::ReadOnly
    }
}

/// The attribute of this name, in any case.
fn named(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

impl ResourceType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::User, Self::Group];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.schema().name
    }

    /// The path of its collection, below the base address.
    #[must_use]
    pub fn endpoint(self) -> &'static str {
        match self {
            Self::User => "/Users",
            Self::Group => "/Groups",
        }
    }

    /// Its core schema.
    #[must_use]
    pub fn schema(self) -> &'static Schema {
        match self {
            Self::User => &USER,
            Self::Group => &GROUP,
        }
    }

    /// Its extensions.
    #[must_use]
    pub fn extensions(self) -> &'static [&'static Schema] {
        match self {
            Self::User => &USER_EXTENSIONS,
            Self::Group => &[],
        }
    }

    /// The extension of this URN, in any case.
    #[must_use]
    pub fn extension(self, urn: &str) -> Option<&'static Schema> {
        self.extensions().iter().copied().find(|schema| schema.id.eq_ignore_ascii_case(urn))
    }

    /// The attribute of this name, in any case, of the core schema or of those that every resource has.
    #[must_use]
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        named(self.schema().attributes, name).or_else(|| named(COMMON, name))
    }
}

impl Schema {
    /// The attribute of this name, in any case.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&'static Attribute> {
        named(self.attributes, name)
    }
}
