//! A download of 100,000 accounts: how much of it is in memory at once, and what it costs in `DynamoDB` units.
//!
//! `cargo bench -p vestibule-tests --bench downloads`

use std::{collections::HashMap, sync::Arc};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use axum::{body::Body, http::Request};
use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::json;
use tower::ServiceExt as _;
use vestibule::{
    domain_membership::{Format, Query},
    download::{Download, Recipient},
    id::{AccountId, ParentId},
    table::{Meter, Table},
};
use vestibule_tests::Product;

const ACCOUNTS: u32 = 100_000;
/// Bytes of a part, whatever the length of the whole.
const MAX_PART: usize = 512 * 1024;
/// Items of one request, which is what it may have.
const BATCH: usize = 25;

type Item = HashMap<String, AttributeValue>;

#[tokio::main]
async fn main() {
    // The embedded engine, whose tables the items below are written into as they are.
    let product = Product::with(|options| (options.seed, options.dynamodb) = (true, None)).await;
    let demo = product.local.demo.clone().unwrap();
    fill(&product, &demo.organization).await;

    let parent: ParentId = demo.parent.parse().unwrap();
    for format in [Format::Csv, Format::Json] {
        let download = Download::new(parent, format, Recipient::Operator, product.local.app.clock.now());
        let url = url::Url::parse(&download.url(&product.local.app)).unwrap();
        let router = vestibule_downloads::router(Arc::clone(&product.local.app));
        let response = router.oneshot(Request::get(url.path()).body(Body::empty()).unwrap()).await.unwrap();
        let mut parts = response.into_body().into_data_stream();
        let (mut count, mut longest, mut bytes, mut lines) = (0, 0, 0, 0);
        while let Some(part) = parts.next().await {
            let part = part.unwrap();
            assert!(count > 0 || part.len() < 1024, "the first part is the head alone");
            lines += part.iter().filter(|byte| **byte == b'\n').count();
            (count, longest, bytes) = (count + 1, longest.max(part.len()), bytes + part.len());
        }
        assert!(longest <= MAX_PART, "{longest} bytes in one part");
        // Ada is in two organizations; CSV has a line of names, JSON one at its beginning and one at its end.
        let rows = usize::try_from(ACCOUNTS).unwrap() + 2;
        assert_eq!(lines, rows + if format == Format::Csv { 1 } else { 2 });
        println!("{:<5} {rows} rows, {bytes} bytes in {count} parts of {longest} at most", format.as_str());
    }

    let meter = Meter::default();
    let rows = meter.clone().scope(read(&product, parent)).await;
    let cost = meter.cost();
    let each = cost.read_units * 1_000.0 / f64::from(rows);
    println!("{cost}: {each:.1} read units for 1,000 rows");
    assert!(each < 200.0, "{each}");
}

async fn read(product: &Product, parent: ParentId) -> u32 {
    let store = &product.local.app.store;
    let mut listing = store.domain_memberships(parent, Query::default(), None).await.unwrap();
    let mut rows = 0;
    while let Some(part) = listing.next().await.unwrap() {
        rows += u32::try_from(part.len()).unwrap();
    }
    rows
}

/// Fills the domain with accounts, each a member: copies of what the product wrote of one, put in batches.
async fn fill(product: &Product, organization: &str) {
    let pattern = "person-000000";
    let body = json!({ "email": format!("{pattern}@acme.example"), "role": "user" });
    let member = product.done(Method::POST, &format!("/organizations/{organization}/members"), Some(body)).await;
    let account = member["account"].as_str().unwrap();
    let client = &product.local.dynamodb;
    let table = Table::Identity.name("vestibule");
    let query = client
        .query()
        .table_name(&table)
        .key_condition_expression("pk = :pk")
        .expression_attribute_values(":pk", AttributeValue::S(format!("E#{pattern}@acme.example")));
    let items = query.send().await.unwrap().items.unwrap();
    assert_eq!(items.len(), 2, "an account and its membership");
    let copies = (1..ACCOUNTS).flat_map(|number| {
        let name = format!("person-{number:06}");
        let id = AccountId::from_bits(u128::from(number)).to_string();
        items.iter().map(move |item| copy(item, &[(pattern, &name), (account, &id)])).collect::<Vec<_>>()
    });
    let copies: Vec<WriteRequest> = copies.collect();
    let batches = copies.chunks(BATCH).map(|batch| {
        let (client, table, batch) = (client.clone(), table.clone(), batch.to_vec());
        async move {
            let written = client.batch_write_item().request_items(table, batch).send().await.unwrap();
            assert!(written.unprocessed_items.unwrap_or_default().is_empty());
        }
    });
    stream::iter(batches).buffer_unordered(4).for_each(|()| async {}).await;
}

fn copy(item: &Item, changes: &[(&str, &str)]) -> WriteRequest {
    let change = |text: &String| changes.iter().fold(text.clone(), |text, (from, to)| text.replace(from, to));
    let item: Item = item
        .iter()
        .map(|(name, value)| {
            let value = value.as_s().map_or_else(|_| value.clone(), |text| AttributeValue::S(change(text)));
            (name.clone(), value)
        })
        .collect();
    WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().unwrap()).build()
}
