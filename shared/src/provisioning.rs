//! Who joins an organization, with what role, and who does not: one pure decision.

use serde::{Deserialize, Serialize};

use crate::{account::Source, saml::Reason, surface::Role};

/// How people join an organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// They are added in team settings.
    #[default]
    Manual,
    /// They join at their first sign-in.
    Jit,
    /// The identity provider's directory assigns them.
    Scim,
}

impl Mode {
    /// The mode's word, as the API spells it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Jit => "jit",
            Self::Scim => "scim",
        }
    }
}

/// An organization's provisioning options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provisioning {
    /// How people join.
    pub mode: Mode,
    /// Whether groups decide who joins and with what role.
    pub group_mappings: bool,
}

/// Why provisioning options are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProvisioningError {
    /// Group mappings in Manual mode, where nothing would apply them.
    #[error("group mappings need the mode 'jit' or 'scim': in manual mode roles are given in team settings")]
    MappingsInManualMode,
    /// The part of the product that would carry the options out is not in this release.
    #[error("this release provisions in the modes 'manual' and 'jit' without group mappings")]
    NotInThisRelease,
}

impl Provisioning {
    /// Whether the options make sense and can be carried out.
    ///
    /// # Errors
    /// [`ProvisioningError`].
    pub fn check(self) -> Result<Self, ProvisioningError> {
        match (self.mode, self.group_mappings) {
            (Mode::Manual, true) => Err(ProvisioningError::MappingsInManualMode),
            (Mode::Scim, _) | (Mode::Jit, true) => Err(ProvisioningError::NotInThisRelease),
            (Mode::Manual | Mode::Jit, false) => Ok(self),
        }
    }
}

/// What a sign-in does to a membership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AtSignIn {
    /// The person joins now, with this role.
    Join {
        /// The role.
        role: Role,
        /// What the membership will say of its origin.
        source: Source,
    },
    /// The membership stays as it is.
    Keep,
    /// The person does not get in.
    Refuse(Reason),
}

/// Decides on one organization at a sign-in whose assertion has been believed.
///
/// Spec section 5, the rows Manual and JIT: a member gets in with the role that team settings gave; who is no member
/// joins with the default role in JIT mode and is refused in Manual mode. What this release can not carry out admits
/// nobody who is not a member already.
#[must_use]
pub fn at_sign_in(provisioning: Provisioning, member: bool, default_role: &Role) -> AtSignIn {
    match (provisioning.mode, provisioning.group_mappings, member) {
        (Mode::Manual | Mode::Jit | Mode::Scim, false, true) => AtSignIn::Keep,
        (Mode::Jit, false, false) => AtSignIn::Join { role: default_role.clone(), source: Source::Jit },
        (Mode::Manual | Mode::Scim, false, false) => AtSignIn::Refuse(Reason::NotMember),
        (_, true, _) => AtSignIn::Refuse(Reason::NoMappedGroup),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::Surfaces;

    fn options(mode: Mode, group_mappings: bool) -> Provisioning {
        Provisioning { mode, group_mappings }
    }

    #[test]
    fn the_table() {
        let surfaces = Surfaces::vendor_default().unwrap();
        let default_role = &surfaces.get("claudeai").unwrap().default_role;
        let join = AtSignIn::Join { role: default_role.clone(), source: Source::Jit };
        let table = [
            // mode, mappings, member -> decision
            (Mode::Manual, false, true, AtSignIn::Keep),
            (Mode::Manual, false, false, AtSignIn::Refuse(Reason::NotMember)),
            (Mode::Jit, false, true, AtSignIn::Keep),
            (Mode::Jit, false, false, join),
            // Not in this release: nobody new gets in.
            (Mode::Scim, false, true, AtSignIn::Keep),
            (Mode::Scim, false, false, AtSignIn::Refuse(Reason::NotMember)),
            (Mode::Manual, true, true, AtSignIn::Refuse(Reason::NoMappedGroup)),
            (Mode::Manual, true, false, AtSignIn::Refuse(Reason::NoMappedGroup)),
            (Mode::Jit, true, true, AtSignIn::Refuse(Reason::NoMappedGroup)),
            (Mode::Jit, true, false, AtSignIn::Refuse(Reason::NoMappedGroup)),
            (Mode::Scim, true, true, AtSignIn::Refuse(Reason::NoMappedGroup)),
            (Mode::Scim, true, false, AtSignIn::Refuse(Reason::NoMappedGroup)),
        ];
        assert_eq!(table.len(), 12, "3 modes x mappings x membership");
        for (mode, mappings, member, decision) in table {
            assert_eq!(
                at_sign_in(options(mode, mappings), member, default_role),
                decision,
                "{mode:?}, mappings {mappings}, member {member}"
            );
        }
    }

    #[test]
    fn only_what_can_be_carried_out_is_accepted() {
        assert!(options(Mode::Manual, false).check().is_ok());
        assert!(options(Mode::Jit, false).check().is_ok());
        assert_eq!(options(Mode::Manual, true).check(), Err(ProvisioningError::MappingsInManualMode));
        for (mode, mappings) in [(Mode::Jit, true), (Mode::Scim, false), (Mode::Scim, true)] {
            assert_eq!(options(mode, mappings).check(), Err(ProvisioningError::NotInThisRelease));
        }
    }
}
