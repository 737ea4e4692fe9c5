//! Downloads: by a link that is good for a while and for one administrator, written while they are read.

use std::sync::Arc;

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
    response::Response,
};
use lambda_http::{Context, LambdaEvent, Service as _, StreamAdapter, request::LambdaRequest};
use reqwest::Method;
use serde_json::json;
use tower::ServiceExt as _;
use vestibule::clock::SignedDuration;
use vestibule_tests::{Browser, Product};

use super::{add_member, customer, sign_in};

/// The path of the link that the download page holds.
async fn link(browser: &mut Browser, format: &str) -> String {
    let page = browser.open(&format!("/settings/identity/domain-memberships/{format}")).await;
    assert_eq!(page.status, StatusCode::OK);
    let (_, rest) = page.body.split_once("data-download=\"").unwrap();
    let url = rest.split('"').next().unwrap().to_owned();
    assert!(page.body.contains(&format!("content=\"0; url={url}\"")), "without a script it begins by itself");
    url::Url::parse(&url).unwrap().path().to_owned()
}

async fn get(product: &Product, path: &str) -> Response {
    let router = vestibule_downloads::router(Arc::clone(&product.local.app));
    router.oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()
}

async fn body(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 16 * 1024 * 1024).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn both_formats_hold_everybody() {
    let product = Product::start().await;
    let (organization, _, owner) = customer(&product, "corp.example").await;
    let (other, ..) = customer(&product, "other.example").await;
    add_member(&product, &organization, "grace@corp.example", "user").await;
    add_member(&product, &other, "grace@corp.example", "admin").await;
    add_member(&product, &other, "=sum@corp.example", "user").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;

    let response = get(&product, &link(&mut browser, "csv").await).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    let disposition = "attachment; filename=\"domain-memberships-2027-03-01.csv\"";
    assert_eq!(response.headers()[header::CONTENT_DISPOSITION], disposition);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    assert_eq!(response.headers()[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let csv = body(response).await;
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 5, "{csv}");
    assert!(lines[1].starts_with("\"'=sum@corp.example\",") && lines[1].ends_with(",\"false\""), "{csv}");
    assert!(lines[4].starts_with("\"owner@corp.example\",") && lines[4].ends_with(",\"true\""), "{csv}");

    let json: serde_json::Value =
        serde_json::from_str(&body(get(&product, &link(&mut browser, "json").await).await).await).unwrap();
    assert_eq!(json["count"], 4);
    let graces: Vec<_> =
        json["items"].as_array().unwrap().iter().filter(|row| row["email"] == "grace@corp.example").collect();
    let mut inside: Vec<_> = graces.iter().map(|row| (row["inside_parent"].as_bool(), row["role"].as_str())).collect();
    inside.sort_unstable();
    assert_eq!(inside, [(Some(false), Some("admin")), (Some(true), Some("user"))]);
    let page = browser.open("/settings/identity/domain-memberships/xml").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_is_good_for_five_minutes_and_for_an_administrator() {
    let product = Product::start().await;
    let (organization, ..) = customer(&product, "corp.example").await;
    let account = add_member(&product, &organization, "admin@corp.example", "admin").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, "admin@corp.example").await;
    let path = link(&mut browser, "csv").await;
    assert_eq!(get(&product, &path).await.status(), StatusCode::OK);
    assert_eq!(get(&product, &format!("{path}x")).await.status(), StatusCode::GONE, "another link");
    assert_eq!(get(&product, "/downloads/AAAA").await.status(), StatusCode::GONE);

    let member = format!("/organizations/{organization}/members/{account}");
    product.done(Method::PATCH, &member, Some(json!({ "role": "user" }))).await;
    assert_eq!(get(&product, &path).await.status(), StatusCode::GONE, "no administrator any more");
    product.done(Method::PATCH, &member, Some(json!({ "role": "admin" }))).await;
    assert_eq!(get(&product, &path).await.status(), StatusCode::OK);
    product.clock.advance(SignedDuration::from_secs(300));
    assert_eq!(get(&product, &path).await.status(), StatusCode::GONE);
}

#[tokio::test]
async fn the_first_bytes_come_before_anything_is_read() {
    let product = Product::start().await;
    let (organization, _, owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    let mut stream = get(&product, &link(&mut browser, "csv").await).await.into_body().into_data_stream();
    let first = futures_util::StreamExt::next(&mut stream).await.unwrap().unwrap();
    assert!(first.starts_with(b"\"email\",") && first.ends_with(b"\r\n"));
    // Whoever joins now is in it, since nothing was read yet.
    add_member(&product, &organization, "zoe@corp.example", "user").await;
    let mut rest = String::new();
    while let Some(part) = futures_util::StreamExt::next(&mut stream).await {
        rest += std::str::from_utf8(&part.unwrap()).unwrap();
    }
    assert!(rest.contains("zoe@corp.example"), "{rest}");
}

#[tokio::test]
async fn a_function_url_streams_it() {
    let product = Product::start().await;
    let (.., owner) = customer(&product, "corp.example").await;
    let mut browser = product.browser();
    sign_in(&product, &mut browser, &owner).await;
    let path = link(&mut browser, "json").await;
    let host = "abcdefghijklmnopqrstuvwxyz012345.lambda-url.us-east-1.on.aws";
    let event: LambdaRequest = serde_json::from_value(json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": { "host": host, "x-forwarded-proto": "https" },
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abcdefghijklmnopqrstuvwxyz012345",
            "domainName": host,
            "domainPrefix": "abcdefghijklmnopqrstuvwxyz012345",
            "http": {
                "method": "GET",
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "a browser",
            },
            "requestId": "e1506fd5-9e7b-434f-bd42-4f8fa224b599",
            "routeKey": "$default",
            "stage": "$default",
            "time": "01/Mar/2027:09:00:00 +0000",
            "timeEpoch": 1_803_891_600_000_u64,
        },
        "isBase64Encoded": false,
    }))
    .unwrap();
    let mut function = StreamAdapter::from(vestibule_downloads::router(Arc::clone(&product.local.app)));
    let mut answer = function.call(LambdaEvent::new(event, Context::default())).await.unwrap();
    assert_eq!(answer.metadata_prelude.status_code, StatusCode::OK);
    assert_eq!(answer.metadata_prelude.headers[header::CONTENT_TYPE], "application/json");
    let first = futures_util::StreamExt::next(&mut answer.stream).await.unwrap().unwrap();
    assert_eq!(first, "{\"items\":[", "the first part alone, before there are others");
    let mut rest = String::new();
    while let Some(part) = futures_util::StreamExt::next(&mut answer.stream).await {
        rest += std::str::from_utf8(&part.unwrap()).unwrap();
    }
    assert!(rest.contains("owner@corp.example") && rest.ends_with("],\"count\":1}\n"), "{rest}");
}
