//! The management API, as the operator's backend uses it.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use vestibule::clock::SignedDuration;
use vestibule_tests::{Product, operator_key};

async fn organization(product: &Product, owner: &str) -> Value {
    let body = json!({"name": "Corp", "surface": "claudeai", "primary_owner": owner});
    product.done(Method::POST, "/organizations", Some(body)).await
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Asks with these headers, and gives status, headers and body.
async fn ask(
    product: &Product,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (StatusCode, reqwest::header::HeaderMap, Value) {
    let url = product.local.base_url.join(path).unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = client.request(method, url).body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    (status, headers, response.json().await.unwrap_or_default())
}

#[tokio::test]
async fn an_organization_comes_with_a_parent_and_its_primary_owner() {
    let product = Product::start().await;
    let created = organization(&product, "owner@corp.example").await;
    let id = text(&created, "id");
    assert_eq!(text(&created, "group_suffix"), &id[4..12]);
    assert_eq!(created["provisioning"], json!({"mode": "manual", "group_mappings": false}));
    assert_eq!(product.done(Method::GET, &format!("/organizations/{id}"), None).await, created);

    let members = product.done(Method::GET, &format!("/organizations/{id}/members"), None).await;
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    assert_eq!(members["items"][0]["account"], created["primary_owner"]["account"]);
    assert_eq!(
        (text(&members["items"][0], "role"), text(&members["items"][0], "email")),
        ("owner", "owner@corp.example")
    );

    let parent = text(&created, "parent_id");
    assert_eq!(product.done(Method::GET, &format!("/parents/{parent}"), None).await["connection"], Value::Null);
    let events = product.done(Method::GET, &format!("/parents/{parent}/events"), None).await;
    let mut actions: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| text(event, "action")).collect();
    actions.sort_unstable();
    assert_eq!(actions, ["member.added", "organization.created"]);
}

#[tokio::test]
async fn members_are_added_changed_and_removed_each_with_its_event() {
    let product = Product::start().await;
    let created = organization(&product, "owner@corp.example").await;
    let (id, parent) = (text(&created, "id"), text(&created, "parent_id"));
    let members = format!("/organizations/{id}/members");
    product.clock.advance(SignedDuration::from_secs(1));

    let ada = product.done(Method::POST, &members, Some(json!({"email": "Ada@Corp.example"}))).await;
    assert_eq!((text(&ada, "email"), text(&ada, "role"), text(&ada, "source")), ("Ada@corp.example", "user", "manual"));
    let member = format!("{members}/{}", text(&ada, "account"));
    product.clock.advance(SignedDuration::from_secs(1));
    let changed = product.done(Method::PATCH, &member, Some(json!({"role": "admin"}))).await;
    assert_eq!(text(&changed, "role"), "admin");
    assert_eq!(changed["since"], ada["since"], "a new role is no new membership");
    product.clock.advance(SignedDuration::from_secs(1));
    let (status, _) = product.api(Method::DELETE, &member, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = product.api(Method::DELETE, &member, None).await;
    assert_eq!((status, text(&problem, "type")), (StatusCode::NOT_FOUND, "urn:vestibule:problem:not-found"));

    let events = product.done(Method::GET, &format!("/parents/{parent}/events?limit=3"), None).await;
    let events: Vec<_> = events["items"].as_array().unwrap().iter().map(|event| text(event, "action")).collect();
    assert_eq!(events, ["member.removed", "member.role_changed", "member.added"], "newest first");
}

#[tokio::test]
async fn a_person_is_one_account_in_every_organization() {
    let product = Product::start().await;
    let first = organization(&product, "owner@corp.example").await;
    let second = organization(&product, "OWNER@corp.example").await;
    assert_eq!(first["primary_owner"], second["primary_owner"]);
    assert_ne!(first["parent_id"], second["parent_id"]);
}

#[tokio::test]
async fn the_primary_owner_and_the_last_administrator_stay() {
    let product = Product::start().await;
    let created = organization(&product, "owner@corp.example").await;
    let members = format!("/organizations/{}/members", text(&created, "id"));
    let owner = format!("{members}/{}", text(&created["primary_owner"], "account"));
    for (method, body) in [(Method::DELETE, None), (Method::PATCH, Some(json!({"role": "user"})))] {
        let (status, problem) = product.api(method, &owner, body).await;
        assert_eq!((status, text(&problem, "type")), (StatusCode::CONFLICT, "urn:vestibule:problem:primary-owner"));
    }
}

#[tokio::test]
async fn of_two_administrators_demoted_at_once_with_the_owner_gone_elsewhere_one_stays() {
    // The primary owner is always an administrator, so the count can not reach zero; the count itself must hold.
    let product = Product::start().await;
    let created = organization(&product, "owner@corp.example").await;
    let members = format!("/organizations/{}/members", text(&created, "id"));
    let mut accounts = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let body = json!({"email": format!("{name}@corp.example"), "role": "admin"});
        accounts.push(text(&product.done(Method::POST, &members, Some(body)).await, "account").to_owned());
    }
    let demote = |account: String| {
        let (product, members) = (&product, &members);
        async move {
            loop {
                let path = format!("{members}/{account}");
                let (status, problem) = product.api(Method::PATCH, &path, Some(json!({"role": "user"}))).await;
                match status {
                    StatusCode::OK => return,
                    StatusCode::CONFLICT => assert_eq!(text(&problem, "type"), "urn:vestibule:problem:changed"),
                    StatusCode::SERVICE_UNAVAILABLE => {}
                    other => panic!("{other}: {problem}"),
                }
            }
        }
    };
    let [a, b, c, d] = <[String; 4]>::try_from(accounts).unwrap();
    tokio::join!(demote(a), demote(b), demote(c), demote(d));
    let id = text(&created, "id").parse().unwrap();
    let organization = product.local.app.store.organization(id).await.unwrap().unwrap().value;
    assert_eq!(organization.administrators, 1, "the owner alone");
}

#[tokio::test]
async fn a_post_is_carried_out_once() {
    let product = Product::start().await;
    let body =
        json!({"name": "App", "surface": "claudeai", "redirect_uris": ["https://app.example.com/cb"]}).to_string();
    let bearer = format!("Bearer {}", operator_key());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", "k1")];
    let post = |headers: Vec<(&'static str, String)>, body: String| {
        let product = &product;
        async move {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            ask(product, Method::POST, "/api/v1/applications", &headers, &body).await
        }
    };
    let owned = |key: &str| -> Vec<(&'static str, String)> {
        vec![
            ("authorization", headers[0].1.to_owned()),
            ("content-type", "application/json".to_owned()),
            ("idempotency-key", key.to_owned()),
        ]
    };
    let posts = (0..16).map(|_| post(owned("k1"), body.clone()));
    let answers = futures_join(posts.collect()).await;
    let first = answers.iter().find(|(status, ..)| *status == StatusCode::CREATED).unwrap().2.clone();
    for (status, _, answer) in &answers {
        assert!([StatusCode::CREATED, StatusCode::SERVICE_UNAVAILABLE].contains(status), "{status} {answer}");
        assert!(*status != StatusCode::CREATED || *answer == first, "everybody gets the first one's secret");
    }
    let (status, _, again) = post(owned("k1"), body.clone()).await;
    assert_eq!((status, &again), (StatusCode::CREATED, &first));
    let listed = product.done(Method::GET, "/applications", None).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(listed["items"][0].get("client_secret").is_none(), "a secret is shown once");

    let (status, _, problem) = post(owned("k1"), body.replace("App", "Other")).await;
    assert_eq!(
        (status, text(&problem, "type")),
        (StatusCode::UNPROCESSABLE_ENTITY, "urn:vestibule:problem:idempotency-key-reused")
    );
    let (status, _, problem) = post(owned(""), body.clone()).await;
    assert_eq!(
        (status, text(&problem, "type")),
        (StatusCode::BAD_REQUEST, "urn:vestibule:problem:idempotency-key-missing")
    );
    let (status, ..) = post(owned("k2"), body).await;
    assert_eq!(status, StatusCode::CREATED);
}

async fn futures_join<F: Future>(futures: Vec<F>) -> Vec<F::Output> {
    let mut pinned: Vec<_> = futures.into_iter().map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        let mut pending = false;
        for (future, output) in &mut pinned {
            if output.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(done) => *output = Some(done),
                    std::task::Poll::Pending => pending = true,
                }
            }
        }
        if pending { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
    })
    .await;
    pinned.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn bad_input_gets_a_problem_that_names_the_field_and_changes_nothing() {
    let product = Product::start().await;
    let created = organization(&product, "owner@corp.example").await;
    let id = text(&created, "id");
    let new = |name: &str, value: Value| {
        let mut body = json!({"name": "Corp", "surface": "claudeai", "primary_owner": "owner@corp.example"});
        body[name] = value;
        body
    };
    let app = |name: &str, value: Value| {
        let mut body = json!({"name": "App", "surface": "claudeai", "redirect_uris": ["https://a.example.com/"]});
        body[name] = value;
        body
    };
    let members = format!("/organizations/{id}/members");
    let provisioning = format!("/organizations/{id}/provisioning");
    for (method, path, body, pointer) in [
        (Method::POST, "/organizations", new("name", json!("")), "/name"),
        (Method::POST, "/organizations", new("surface", json!("other")), "/surface"),
        (Method::POST, "/organizations", new("primary_owner", json!("nobody")), "/primary_owner"),
        (Method::POST, &members, json!({"email": "a@localhost"}), "/email"),
        (Method::POST, &members, json!({"email": "a@corp.example", "role": "developer"}), "/role"),
        (Method::PUT, &provisioning, json!({"mode": "scim", "group_mappings": false}), "/mode"),
        (Method::PUT, &provisioning, json!({"mode": "manual", "group_mappings": true}), "/group_mappings"),
        (Method::POST, "/applications", app("redirect_uris", json!([])), "/redirect_uris"),
        (Method::POST, "/applications", app("redirect_uris", json!(["javascript:x"])), "/redirect_uris/0"),
        (Method::POST, "/applications", app("start_login_uri", json!("http://a.example.com")), "/start_login_uri"),
    ] {
        let (status, problem) = product.api(method.clone(), path, Some(body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path} {pointer}: {problem}");
        assert_eq!(text(&problem, "pointer"), pointer, "{problem}");
    }
    for (method, path, body) in [
        (Method::POST, "/organizations", new("extra", json!(1))),
        (Method::PUT, &provisioning, json!({"mode": "sometimes"})),
        (Method::GET, "/applications?limit=0", Value::Null),
        (Method::GET, "/applications?cursor=AAAA", Value::Null),
        (Method::GET, "/applications?colour=red", Value::Null),
        (Method::GET, "/login-options?email=a@corp.example", Value::Null),
        (Method::GET, "/login-options?email=a&surface=claudeai", Value::Null),
        (Method::GET, "/login-options?email=a@corp.example&surface=x", Value::Null),
    ] {
        let (status, problem) = product.api(method.clone(), path, Some(body)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{method} {path}: {problem}");
    }
    for path in ["/organizations/org_x", "/organizations/org_00000000000000000000000000000000", "/parents/par_1/events"]
    {
        let (status, problem) = product.api(Method::GET, path, None).await;
        assert_eq!(
            (status, text(&problem, "type")),
            (StatusCode::NOT_FOUND, "urn:vestibule:problem:not-found"),
            "{path}"
        );
    }
    let members = product.done(Method::GET, &members, None).await;
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    let applications = product.done(Method::GET, "/applications", None).await;
    assert_eq!(applications["items"], json!([]));
}

#[tokio::test]
async fn what_is_not_for_the_api_is_refused_in_its_dialect() {
    let product = Product::start().await;
    let bearer = format!("Bearer {}", operator_key());
    let json = ("content-type", "application/json");
    let (auth, key) = (("authorization", bearer.as_str()), ("idempotency-key", "k"));
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(3 << 20));
    for (method, headers, body, status) in [
        (Method::POST, vec![], "{}", 401),
        (Method::POST, vec![("authorization", "Bearer wrong"), json, key], "{}", 401),
        (Method::POST, vec![("authorization", "Basic b3BlcmF0b3I="), json, key], "{}", 401),
        (Method::DELETE, vec![auth], "", 405),
        (Method::POST, vec![auth, key], "{}", 415),
        (Method::POST, vec![auth, key, json], "{", 400),
        (Method::POST, vec![auth, key, json], large.as_str(), 413),
    ] {
        let (found, answered, problem) = ask(&product, method, "/api/v1/applications", &headers, body).await;
        assert_eq!(found.as_u16(), status, "{problem}");
        assert_eq!(answered["content-type"], "application/problem+json", "{status}");
        assert_eq!(problem["status"], status);
        assert_eq!(answered["cache-control"], "no-store");
        assert_eq!(status == 401, answered.contains_key("www-authenticate"));
    }
    let (status, headers, _) = ask(&product, Method::GET, "/api/v1/nothing", &[auth], "").await;
    assert_eq!((status.as_u16(), &headers["content-type"]), (404, &"application/problem+json".parse().unwrap()));
}

#[tokio::test]
async fn listings_go_by_pages_whose_cursors_fit_nothing_else() {
    let product = Product::start().await;
    let first = organization(&product, "owner@corp.example").await;
    let second = organization(&product, "owner@corp.example").await;
    let members = |organization: &Value| format!("/organizations/{}/members", text(organization, "id"));
    for number in 0..6 {
        let body = json!({"email": format!("p{number}@corp.example")});
        product.done(Method::POST, &members(&first), Some(body)).await;
    }
    let mut seen = Vec::new();
    let mut path = format!("{}?limit=3", members(&first));
    let mut cursor = String::new();
    loop {
        let page = product.done(Method::GET, &path, None).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|member| text(member, "email").to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = next.to_owned();
        path = format!("{}?limit=3&cursor={next}", members(&first));
    }
    seen.sort_unstable();
    assert_eq!(seen.len(), 7);
    seen.dedup();
    assert_eq!(seen.len(), 7, "each once");
    let (status, _) = product.api(Method::GET, &format!("{}?cursor={cursor}", members(&second)), None).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
