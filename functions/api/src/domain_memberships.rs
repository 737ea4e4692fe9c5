//! `/parents/{id}/domain-memberships`: who is on a parent's verified domains, and in which organizations.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;
use vestibule::{
    account::Address,
    app::App,
    clock::Timestamp,
    domain::DomainName,
    domain_membership::{self, Document, Format, Found, Query},
    download::{Download, Recipient},
    id::{AccountId, OrganizationId, ParentId},
    organization::Name,
    surface::{Role, SurfaceId},
    web::Problem,
};

use crate::{
    members::Source,
    once::Answer,
    page::{Page, PageQuery},
    problems::invalid_parameter,
    request::{self, Path},
};

/// Bytes of CSV that are answered here. What is longer is downloaded from where answers stream: API Gateway passes 6 MB.
const MAX_WHOLE: usize = 4 * 1024 * 1024;

/// An account on a verified domain, in one of its organizations; in none, where it belongs to none.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DomainMembership {
    /// The account's e-mail address.
    #[schema(value_type = String, format = Email, example = "grace@example.com")]
    email: Address,
    /// The account.
    #[schema(value_type = String, example = "acc_5d41402abc4b2a76b9719d911017c592")]
    account: AccountId,
    /// The person's name; null where it is not known.
    #[schema(required)]
    name: Option<String>,
    /// The verified domain.
    #[schema(value_type = String, example = "example.com")]
    domain: DomainName,
    /// When the person last signed in, anywhere; null before the first time.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    last_sign_in: Option<Timestamp>,
    /// The organization, of whatever customer; null where the account belongs to none.
    #[schema(value_type = Option<String>, example = "org_9c9b0adae0b14d6e8b5a3f0c7d21e4f6", required)]
    organization: Option<OrganizationId>,
    /// The organization's name.
    #[schema(value_type = Option<String>, example = "Example Corp", required)]
    organization_name: Option<Name>,
    /// The organization's surface.
    #[schema(value_type = Option<String>, example = "claudeai", required)]
    surface: Option<SurfaceId>,
    /// The role there.
    #[schema(value_type = Option<String>, example = "user", required)]
    role: Option<Role>,
    /// How the membership came to be.
    #[schema(required)]
    source: Option<Source>,
    /// Since when.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    member_since: Option<Timestamp>,
    /// Whether the organization is under this parent.
    #[schema(required)]
    inside_parent: Option<bool>,
}

impl From<domain_membership::DomainMembership> for DomainMembership {
    fn from(row: domain_membership::DomainMembership) -> Self {
        Self {
            email: row.email,
            account: row.account,
            name: row.name,
            domain: row.domain,
            last_sign_in: row.last_sign_in,
            organization: row.organization,
            organization_name: row.organization_name,
            surface: row.surface,
            role: row.role,
            source: row.source.map(Source::from),
            member_since: row.member_since,
            inside_parent: row.inside_parent,
        }
    }
}

/// Lists domain memberships
///
/// For each domain that the parent organization has verified, every account on it and every organization, of any customer
/// and on any surface, that the account belongs to. In the order of domains and addresses. A page can have fewer items
/// than the limit although there is a next one.
///
/// With `Accept: text/csv` the answer is all of them as CSV (RFC 4180, UTF-8). A field that a spreadsheet would take for a
/// formula begins with an apostrophe that is not part of it. Where that is too long for one answer, this redirects to
/// where it streams; the address is good for five minutes and needs no key.
#[utoipa::path(
    get,
    path = "/parents/{id}/domain-memberships",
    operation_id = "list_domain_memberships",
    tag = "Domains",
    params(("id" = String, Path, description = "The parent organization's identifier."), PageQuery),
    responses(
        (status = 200, description = "A page of them, or all of them as CSV.", content(
            (Page<DomainMembership> = "application/json"),
            (String = "text/csv")
        )),
        (status = 303, description = "All of them as CSV are at the address in `Location`."),
        (status = 404, description = "`not-found`: there is no such parent organization."),
        (status = 422, description = "`invalid-value`: the limit or the cursor is not acceptable.")
    )
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Path(id): Path<ParentId>,
    request::Query(query): request::Query<PageQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let place = query.of(&format!("domain memberships {id}"), &app)?;
    let as_csv = wants_csv(&headers);
    if as_csv && !query.is_whole() {
        return Err(invalid_parameter("limit", "CSV is not answered in pages; leave limit and cursor out."));
    }
    let after = place.after.as_deref().and_then(|place| serde_json::from_str(place).ok());
    let (parent, listing) =
        tokio::try_join!(app.store.parent(id), app.store.domain_memberships(id, Query::default(), after))?;
    parent.ok_or_else(|| Problem::not_found("parent organization"))?;
    if as_csv {
        return csv(&app, id, listing).await;
    }
    let Found { items, next } = listing.page(place.limit).await?;
    let next_cursor = next.and_then(|next| serde_json::to_string(&next).ok()).map(|next| place.cursor(&next, &app));
    let items = items.into_iter().map(DomainMembership::from).collect();
    Ok(Answer::new(StatusCode::OK, &Page { items, next_cursor })?.into_response())
}

/// All of them, or where they are.
async fn csv(app: &App, id: ParentId, mut listing: domain_membership::Listing) -> Result<Response, Problem> {
    let mut document = Document::new(Format::Csv);
    let mut text = document.head();
    while let Some(rows) = listing.next().await? {
        text += &document.rows(&rows).map_err(|error| {
            tracing::error!(%error, "an answer did not serialize");
            Problem::unavailable()
        })?;
        if text.len() > MAX_WHOLE {
            let download = Download::new(id, Format::Csv, Recipient::Operator, app.clock.now());
            return Ok(Redirect::to(&download.url(app)).into_response());
        }
    }
    let csv = [(header::CONTENT_TYPE, HeaderValue::from_static(Format::Csv.media_type()))];
    Ok((csv, text).into_response())
}

/// Whether the caller asks for CSV before it asks for JSON or anything.
fn wants_csv(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut ranges = accepted.flat_map(|line| line.split(',')).filter_map(|range| range.split(';').next());
    let first = ranges.find(|range| matches!(range.trim(), "text/csv" | "application/json" | "*/*" | "application/*"));
    first.is_some_and(|range| range.trim() == "text/csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_is_for_whom_asks_for_it_first() {
        for (accept, csv) in [
            ("text/csv", true),
            ("text/csv; charset=utf-8, application/json;q=0.1", true),
            ("application/json, text/csv", false),
            ("*/*", false),
            ("text/html", false),
        ] {
            let headers = [(header::ACCEPT, accept.parse().unwrap())].into_iter().collect();
            assert_eq!(wants_csv(&headers), csv, "{accept}");
        }
        assert!(!wants_csv(&HeaderMap::new()));
    }
}
