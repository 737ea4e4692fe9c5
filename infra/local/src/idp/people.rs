//! Who can sign in: some people of the demo customer, and anybody by their address.

use vestibule::id::{hex, sha256};

use crate::seed::Demo;

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) given_name: String,
    pub(super) surname: String,
    pub(super) email: String,
    pub(super) groups: Vec<String>,
}

impl Person {
    /// Somebody with this address, named after it.
    pub(super) fn of_address(email: &str) -> Self {
        let local = email.split('@').next().unwrap_or_default();
        let mut words = local.split(['.', '_', '-', '+']).filter(|word| !word.is_empty()).map(capitalised);
        let given_name = words.next().unwrap_or_else(|| "Somebody".to_owned());
        let rest: Vec<String> = words.collect();
        let surname = if rest.is_empty() { "Example".to_owned() } else { rest.join(" ") };
        Self { given_name, surname, email: email.to_owned(), groups: Vec::new() }
    }

    /// The identifier that the identity provider has for this person: always the same one, and no address.
    pub(super) fn name_id(&self) -> String {
        let digest = hex(&sha256(self.email.to_lowercase().as_bytes()));
        digest.chars().take(24).collect()
    }

    /// First and last name.
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.given_name, self.surname)
    }
}

/// The people to choose from.
pub(super) fn people(demo: Option<&Demo>) -> Vec<Person> {
    let Some(demo) = demo else { return Vec::new() };
    let given = |role: &str| demo.group(role);
    let person = |given_name: &str, surname: &str, email: &str, groups: Vec<String>| Person {
        given_name: given_name.to_owned(),
        surname: surname.to_owned(),
        email: email.to_owned(),
        groups,
    };
    vec![
        person("Ada", "Lovelace", &demo.primary_owner, vec![given("owner"), "staff".to_owned()]),
        person("Grace", "Hopper", "grace@acme.example", vec![given("admin"), "staff".to_owned()]),
        person("Alan", "Turing", "alan@acme.example", vec![given("user"), "staff".to_owned()]),
        person("Mallory", "Elsewhere", "mallory@elsewhere.example", vec![given("owner")]),
    ]
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anybody_has_a_name_and_an_identifier() {
        for (email, name) in
            [("grace.m.hopper@x", "Grace M Hopper"), ("ada@x", "Ada Example"), ("@", "Somebody Example")]
        {
            assert_eq!(Person::of_address(email).name(), name);
        }
        let name_id = |email| Person::of_address(email).name_id();
        assert_eq!(name_id("Ada@acme.example"), name_id("ada@acme.example"));
        assert_ne!(name_id("ada@acme.example"), name_id("grace@acme.example"));
    }
}
