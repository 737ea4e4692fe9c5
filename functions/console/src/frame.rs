//! What surrounds every page: its head, and for an administrator the navigation and whose settings they are.

use vestibule::{administrator::Authority, app::App, clock::Timestamp, table::StoreError};

use crate::{assets, guard::Administrator};

/// What every page's head needs.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    /// The page's title.
    pub(crate) title: String,
    /// The address of the stylesheet.
    pub(crate) style: &'static str,
    /// The address of the script.
    pub(crate) script: &'static str,
}

impl Head {
    /// The head of a page with this title.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), style: assets::style(), script: assets::script() }
    }
}

/// A section of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Domains,
    DomainMemberships,
    SignIns,
}

impl Section {
    /// All of them, in the order of the navigation.
    pub(crate) const ALL: [Self; 3] = [Self::Domains, Self::DomainMemberships, Self::SignIns];

    /// What the navigation calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Domains => "Domains",
            Self::DomainMemberships => "Domain memberships",
            Self::SignIns => "Single sign-on",
        }
    }

    /// Its first page.
    pub(crate) fn path(self) -> &'static str {
        match self {
            Self::Domains => "/settings/identity",
            Self::DomainMemberships => "/settings/identity/domain-memberships",
            Self::SignIns => "/settings/identity/sign-ins",
        }
    }
}

/// What surrounds a page of the settings.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    /// The section it is in.
    pub(crate) section: Section,
    /// The organization's name.
    pub(crate) organization: String,
    /// The surface's name.
    pub(crate) surface: String,
    /// The administrator's role there.
    pub(crate) role: String,
    /// The administrator's address.
    pub(crate) email: String,
    /// What the page's forms hold.
    pub(crate) token: String,
}

impl Frame {
    /// The frame of a page in `section`.
    pub(crate) async fn of(app: &App, administrator: &Administrator, section: Section) -> Result<Self, StoreError> {
        let Authority { parent, surface, organization, .. } = &administrator.authority;
        let organization = app.store.organization_at(*parent, surface, *organization).await?;
        let surface = app.settings.surfaces.get(surface.as_str());
        Ok(Self {
            section,
            organization: organization.map(|stored| stored.value.name.to_string()).unwrap_or_default(),
            surface: surface.map(|surface| surface.name.clone()).unwrap_or_default(),
            role: administrator.authority.role.to_string(),
            email: administrator.visitor.email().to_string(),
            token: administrator.visitor.token.clone(),
        })
    }
}

/// A moment, for people and for programs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment(pub(crate) Timestamp);

impl Moment {
    /// As people read it, where no script puts it into their own time zone.
    pub(crate) fn words(&self) -> String {
        self.0.strftime("%-d %b %Y, %H:%M UTC").to_string()
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(&self.0, f)
    }
}
