//! Domain memberships as a document of any length: CSV (RFC 4180) or JSON, written part by part.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::DomainMembership;

/// The columns, by the names that the API gives them too.
const COLUMNS: [&str; 12] = [
    "email",
    "account",
    "name",
    "domain",
    "last_sign_in",
    "organization",
    "organization_name",
    "surface",
    "role",
    "source",
    "member_since",
    "inside_parent",
];

/// A kind of document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// A table for spreadsheets (RFC 4180): UTF-8, every field in quotes, the names of the columns first.
    ///
    /// A field that a spreadsheet would take for a formula begins with an apostrophe that is not part of it.
    Csv,
    /// One object with the `items`, and how many there are at its end.
    Json,
}

impl Format {
    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Json => "application/json",
        }
    }

    /// The ending of a file's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl std::str::FromStr for Format {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "csv" => Ok(Self::Csv),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// A document under way.
#[derive(Debug)]
pub struct Document {
    format: Format,
    rows: u64,
}

impl Document {
    /// A document without rows.
    #[must_use]
    pub fn new(format: Format) -> Self {
        Self { format, rows: 0 }
    }

    /// What stands before the rows.
    #[must_use]
    pub fn head(&self) -> String {
        match self.format {
            Format::Csv => line(&COLUMNS.map(str::to_owned)),
            Format::Json => "{\"items\":[".to_owned(),
        }
    }

    /// The next rows.
    ///
    /// # Errors
    /// As [`serde_json::to_string`]; plain data always serializes.
    pub fn rows(&mut self, rows: &[DomainMembership]) -> Result<String, serde_json::Error> {
        let mut text = String::with_capacity(rows.len() * 320);
        for row in rows {
            match self.format {
                Format::Csv => text.push_str(&line(&fields(row))),
                Format::Json => {
                    text.push_str(if self.rows == 0 { "\n" } else { ",\n" });
                    text.push_str(&serde_json::to_string(row)?);
                }
            }
            self.rows += 1;
        }
        Ok(text)
    }

    /// What stands behind the rows.
    #[must_use]
    pub fn foot(&self) -> String {
        match self.format {
            Format::Csv => String::new(),
            Format::Json => format!("\n],\"count\":{}}}\n", self.rows),
        }
    }
}

fn fields(row: &DomainMembership) -> [String; 12] {
    fn text(value: Option<&impl ToString>) -> String {
        value.map(ToString::to_string).unwrap_or_default()
    }
    [
        row.email.to_string(),
        row.account.to_string(),
        text(row.name.as_ref()),
        row.domain.to_string(),
        text(row.last_sign_in.as_ref()),
        text(row.organization.as_ref()),
        text(row.organization_name.as_ref()),
        text(row.surface.as_ref()),
        text(row.role.as_ref()),
        text(row.source.as_ref()),
        text(row.member_since.as_ref()),
        text(row.inside_parent.as_ref()),
    ]
}

/// A line of CSV.
fn line(fields: &[String; 12]) -> String {
    let mut line = String::with_capacity(320);
    for (index, field) in fields.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let guard = if is_formula(field) { "'" } else { "" };
        let _ = write!(line, "{comma}\"{guard}{}\"", field.replace('"', "\"\""));
    }
    line.push_str("\r\n");
    line
}

/// Whether a spreadsheet would calculate with the field (OWASP, "CSV Injection"), in whatever width its sign is written.
fn is_formula(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{account::Source, clock::Timestamp, id::AccountId};

    fn row(email: &str, name: &str) -> DomainMembership {
        let surfaces = crate::surface::Surfaces::vendor_default().unwrap();
        let surface = surfaces.get("claudeai").unwrap();
        let email: crate::account::Address = email.parse().unwrap();
        DomainMembership {
            domain: email.domain().clone(),
            email,
            account: AccountId::from_bits(1),
            name: None,
            last_sign_in: Some(Timestamp::UNIX_EPOCH),
            organization: Some(crate::id::OrganizationId::from_bits(2)),
            organization_name: name.parse().ok(),
            surface: Some(surface.id.clone()),
            role: Some(surface.default_role.clone()),
            source: Some(Source::Jit),
            member_since: Some(Timestamp::UNIX_EPOCH),
            inside_parent: Some(false),
        }
    }

    #[test]
    fn csv_is_as_the_rfc_says() {
        let mut document = Document::new(Format::Csv);
        let text = document.head() + &document.rows(&[row("a@corp.example", "The \"A\", Ltd. Zürich")]).unwrap();
        assert_eq!(
            text,
            "\"email\",\"account\",\"name\",\"domain\",\"last_sign_in\",\"organization\",\"organization_name\",\
             \"surface\",\"role\",\"source\",\"member_since\",\"inside_parent\"\r\n\
             \"a@corp.example\",\"acc_00000000000000000000000000000001\",\"\",\"corp.example\",\
             \"1970-01-01T00:00:00Z\",\"org_00000000000000000000000000000002\",\"The \"\"A\"\", Ltd. Zürich\",\
             \"claudeai\",\"user\",\"jit\",\"1970-01-01T00:00:00Z\",\"false\"\r\n"
        );
        assert_eq!(document.foot(), "");
    }

    #[test]
    fn no_field_is_a_formula() {
        for sign in ["=", "+", "-", "@", "\u{ff1d}", "\u{ff0b}", "\u{ff0d}", "\u{ff20}"] {
            let text = Document::new(Format::Csv).rows(&[row("a@corp.example", &format!("{sign}1+1"))]).unwrap();
            assert!(text.contains(&format!("\"'{sign}1+1\"")), "{text}");
        }
        for field in ["\t=1", "\r=1", "\n=1"] {
            assert!(is_formula(field), "{field:?}");
        }
        for email in ["=cmd@corp.example", "+1@corp.example", "-a@corp.example"] {
            let text = Document::new(Format::Csv).rows(&[row(email, "A")]).unwrap();
            assert!(text.starts_with(&format!("\"'{email}\"")), "{text}");
        }
        assert!(!is_formula("a=1") && !is_formula(""));
    }

    #[test]
    fn json_is_one_document_in_however_many_parts() {
        for parts in [0, 1, 3] {
            let mut document = Document::new(Format::Json);
            let mut text = document.head();
            for _ in 0..parts {
                text += &document.rows(&[row("a@corp.example", "A"), row("b@corp.example", "B")]).unwrap();
                text += &document.rows(&[]).unwrap();
            }
            text += &document.foot();
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read["items"].as_array().unwrap().len(), parts * 2);
            assert_eq!(read["count"], parts * 2);
        }
    }

    #[test]
    fn the_columns_are_the_members() {
        let json = serde_json::to_value(row("a@corp.example", "A")).unwrap();
        let mut members: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut columns = COLUMNS.to_vec();
        members.sort_unstable();
        columns.sort_unstable();
        assert_eq!(members, columns);
    }
}
