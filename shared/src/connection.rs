//! Connections: a parent's trust in one SAML identity provider.
