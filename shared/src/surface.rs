//! Surfaces and roles: deployment configuration, with the vendor's two as the default.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A product of the vendor that people sign in to, by its identifier: 1 to 32 lower-case letters, digits or `_`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SurfaceId(String);

impl SurfaceId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SurfaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role's name, meaningful together with a surface.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(String);

impl Role {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A surface with its roles.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Surface {
    /// How it is named in keys, group names and the API.
    pub id: SurfaceId,
    /// How it is named to people.
    pub name: String,
    /// Its roles, highest rank first.
    pub roles: Vec<Role>,
    /// The role of those who join without a role of their own.
    pub default_role: Role,
    /// The roles whose holders administer an organization.
    pub administrators: Vec<Role>,
}

impl Surface {
    /// The surface's role of this name; `None` when it has no such role.
    #[must_use]
    pub fn role(&self, name: &str) -> Option<&Role> {
        self.roles.iter().find(|role| role.as_str() == name)
    }

    /// The role of the highest rank, which a primary owner has.
    #[must_use]
    pub fn highest_role(&self) -> &Role {
        self.roles.first().unwrap_or(&self.default_role)
    }

    /// Whether holders of `role` administer their organization.
    #[must_use]
    pub fn administers(&self, role: &Role) -> bool {
        self.administrators.contains(role)
    }
}

/// The deployment's surfaces.
#[derive(Clone, Debug)]
pub struct Surfaces(Vec<Surface>);

/// Why a configuration of surfaces is refused.
#[derive(Debug, thiserror::Error)]
pub enum SurfacesError {
    /// It is not a JSON list of surfaces.
    #[error("the surfaces are not a JSON list of {{id, name, roles, default_role, administrators}}: {0}")]
    Json(#[from] serde_json::Error),
    /// There is none.
    #[error("at least one surface is needed")]
    Empty,
    /// A surface's identifier is malformed or occurs twice.
    #[error("the surface id '{0}' is malformed or occurs twice")]
    Id(String),
    /// A surface has no roles, names a default or administrator role that it lacks, or lets people join as
    /// administrators.
    #[error(
        "the surface '{0}' has no roles, a role twice or malformed, a default or administrator role that it lacks, or a \
         default role that administers"
    )]
    Roles(String),
}

impl Surfaces {
    /// Reads and checks a JSON configuration.
    ///
    /// # Errors
    /// [`SurfacesError`] says what is wrong with it.
    pub fn parse(json: &str) -> Result<Self, SurfacesError> {
        let surfaces: Vec<Surface> = serde_json::from_str(json)?;
        if surfaces.is_empty() {
            return Err(SurfacesError::Empty);
        }
        for (index, surface) in surfaces.iter().enumerate() {
            let twice = surfaces.iter().take(index).any(|earlier| earlier.id == surface.id);
            if twice || !is_word(surface.id.as_str()) {
                return Err(SurfacesError::Id(surface.id.to_string()));
            }
            if !has_sound_roles(surface) {
                return Err(SurfacesError::Roles(surface.id.to_string()));
            }
        }
        Ok(Self(surfaces))
    }

    /// The vendor's own surfaces.
    ///
    /// # Errors
    /// As [`Surfaces::parse`]; a test shows that it does not fail.
    pub fn vendor_default() -> Result<Self, SurfacesError> {
        Self::parse(include_str!("surface/default.json"))
    }

    /// The surface of this identifier; `None` when the deployment has no such surface.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Surface> {
        self.0.iter().find(|surface| surface.id.as_str() == id)
    }

    /// All of them, in the order of the configuration.
    pub fn iter(&self) -> impl Iterator<Item = &Surface> {
        self.0.iter()
    }
}

fn is_word(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

fn has_sound_roles(surface: &Surface) -> bool {
    let distinct = surface.roles.iter().enumerate().all(|(index, role)| {
        is_word(role.as_str()) && !surface.roles.iter().take(index).any(|earlier| earlier == role)
    });
    distinct
        && surface.roles.contains(&surface.default_role)
        && !surface.administrators.is_empty()
        && surface.administrators.iter().all(|role| surface.roles.contains(role))
        && surface.administrators.contains(surface.highest_role())
        // Whoever joins by signing in must not come in as an administrator, whom nobody counted.
        && !surface.administrators.contains(&surface.default_role)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_vendors_two_surfaces() {
        let surfaces = Surfaces::vendor_default().unwrap();
        let claude = surfaces.get("claudeai").unwrap();
        assert_eq!(claude.highest_role().as_str(), "owner");
        assert!(claude.administers(claude.role("admin").unwrap()));
        assert!(!claude.administers(&claude.default_role));
        assert_eq!(surfaces.get("console").unwrap().roles.len(), 5);
        assert!(surfaces.get("other").is_none());
    }

    #[test]
    fn a_faulty_configuration_is_refused() {
        let with = |id: &str, roles: &str, default: &str| {
            Surfaces::parse(&format!(
                r#"[{{"id":"{id}","name":"A","roles":{roles},"default_role":"{default}","administrators":["a"]}}]"#
            ))
        };
        assert!(with("a", r#"["a","b"]"#, "b").is_ok());
        assert!(matches!(with("a", r#"["a","b"]"#, "a"), Err(SurfacesError::Roles(_))), "nobody joins as one");
        assert!(matches!(with("A#", r#"["a"]"#, "a"), Err(SurfacesError::Id(_))));
        assert!(matches!(with("a", r#"["a"]"#, "b"), Err(SurfacesError::Roles(_))));
        assert!(matches!(with("a", r#"["a","a"]"#, "a"), Err(SurfacesError::Roles(_))));
        assert!(matches!(with("a", r#"["b","a"]"#, "a"), Err(SurfacesError::Roles(_))), "the highest rank administers");
        assert!(matches!(Surfaces::parse("[]"), Err(SurfacesError::Empty)));
        assert!(matches!(Surfaces::parse("{"), Err(SurfacesError::Json(_))));
    }
}
