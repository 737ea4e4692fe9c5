//! Domains: claims, what DNS says of them, and who holds what.

use std::sync::Arc;

use axum::http::{Method, header};
use hickory_server::proto::op::ResponseCode;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{World, world::Answer};

fn outcomes(answer: &Value) -> Vec<&str> {
    answer["findings"].as_array().unwrap().iter().map(|finding| finding["outcome"].as_str().unwrap()).collect()
}

/// A world with one claim on `example.com`.
async fn claimed() -> (World, String, Value) {
    let world = World::new().await;
    let (_, parent, _) = world.organization("example.com").await;
    world.wait(1);
    let claim = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": "example.com" })).await.done();
    (world, parent, claim)
}

#[tokio::test]
async fn a_claim_is_proven_by_its_record() {
    let (world, parent, claim) = claimed().await;
    assert_eq!(claim["status"], "pending");
    assert_eq!(claim["record"]["name"], "_anthropic-challenge.example.com");
    assert_eq!(claim["record"]["type"], "TXT");
    assert_eq!(claim["checked_at"], Value::Null);
    world.publish(&claim);
    world.wait(1);
    let refreshed = world.refresh(&parent, "example.com").await.done();
    assert_eq!(refreshed["status"], "verified");
    assert_eq!(refreshed["checked_at"], "2027-03-01T09:00:02Z");
    assert_eq!(outcomes(&refreshed), ["found"; 3]);
    assert_eq!(refreshed["findings"][0]["perspective"], world.dns[0].address.to_string());
    assert_eq!(world.get(&format!("/parents/{parent}/domains/example.com")).await.done(), refreshed);
    let listed = world.get(&format!("/parents/{parent}/domains")).await.done();
    assert_eq!(listed, json!({ "items": [refreshed], "next_cursor": null }));
    assert_eq!(world.actions(&parent).await[..2], ["domain.verified", "domain.claimed"]);
    // A record that can not be seen today takes nothing away at once.
    world.wait(60);
    for dns in &world.dns {
        dns.nothing("_anthropic-challenge.example.com");
    }
    let refreshed = world.refresh(&parent, "example.com").await.done();
    assert_eq!((&refreshed["status"], outcomes(&refreshed)), (&json!("verified"), vec!["empty"; 3]));
    assert_eq!(world.actions(&parent).await.len(), 4, "nothing changed, so nothing is told");
}

#[tokio::test]
async fn to_claim_again_answers_with_the_present_claim() {
    let (world, parent, claim) = claimed().await;
    for spelling in ["example.com", "EXAMPLE.com."] {
        let again = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": spelling })).await;
        assert_eq!(again.status, 200);
        assert_eq!(again.body, claim);
    }
    assert_eq!(world.get(&format!("/parents/{parent}")).await.done()["domains"], 1);
}

#[tokio::test]
async fn names_of_other_scripts_are_shown_as_both() {
    let (world, parent, _) = claimed().await;
    let claim = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": "bücher.example" })).await.done();
    assert_eq!((&claim["domain"], &claim["unicode"]), (&json!("xn--bcher-kva.example"), &json!("bücher.example")));
    let shown = world.get(&format!("/parents/{parent}/domains/b%C3%BCcher.example")).await.done();
    assert_eq!(shown, claim);
}

#[tokio::test]
async fn what_can_not_be_claimed_is_refused_for_its_reason() {
    let (world, parent, _) = claimed().await;
    for (domain, word) in [
        ("co.uk", "public suffix"),
        ("github.io", "public suffix"),
        ("1.2.3.4", "IP address"),
        ("localhost", "single label"),
        ("*.example.com", "wildcard"),
        ("exa mple.com", "no spaces"),
        (&"a".repeat(300), "at most 253 characters"),
        ("\u{1f600}.example.com", "no emoji"),
        ("ex\u{430}mple.com", "different scripts"),
        ("\u{430}\u{440}\u{440}\u{4cf}\u{435}.com", "look-alike"),
    ] {
        let answer = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": domain })).await;
        assert_eq!(answer.refused(), (422, "invalid-value"));
        assert_eq!(answer.body["pointer"], "/domain");
        assert!(answer.body["detail"].as_str().unwrap().contains(word), "{}", answer.body);
    }
    let nobody = "par_00000000000000000000000000000000";
    let answer = world.post(&format!("/parents/{nobody}/domains"), json!({ "domain": "example.com" })).await;
    assert_eq!(answer.refused(), (404, "not-found"));
    assert_eq!(world.get(&format!("/parents/{nobody}/domains")).await.refused(), (404, "not-found"));
    for domain in ["other.example", "not..a..name"] {
        assert_eq!(world.get(&format!("/parents/{parent}/domains/{domain}")).await.refused(), (404, "not-found"));
        assert_eq!(world.refresh(&parent, domain).await.refused(), (404, "not-found"));
        assert_eq!(world.delete(&format!("/parents/{parent}/domains/{domain}")).await.refused(), (404, "not-found"));
    }
}

#[tokio::test]
async fn a_parent_claims_a_limited_number() {
    let (world, parent, _) = claimed().await;
    for number in 1..50 {
        let body = json!({ "domain": format!("d{number}.example") });
        world.post(&format!("/parents/{parent}/domains"), body).await.done();
    }
    let answer = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": "one.too.many.example" })).await;
    assert_eq!(answer.refused(), (409, "too-many-domains"));
    world.delete(&format!("/parents/{parent}/domains/d1.example")).await.done();
    world.post(&format!("/parents/{parent}/domains"), json!({ "domain": "one.more.example" })).await.done();
}

#[tokio::test]
async fn outcomes_are_told_apart_and_a_majority_decides() {
    let (world, parent, claim) = claimed().await;
    let (name, value) = (claim["record"]["name"].as_str().unwrap(), claim["record"]["value"].as_str().unwrap());
    let [first, second, third] = &world.dns;
    let refreshed = async || {
        world.wait(5);
        world.refresh(&parent, "example.com").await.done()
    };
    // Nothing is published yet.
    let seen = refreshed().await;
    assert_eq!((&seen["status"], outcomes(&seen)), (&json!("pending"), vec!["nxdomain"; 3]));
    // Every resolver has another trouble.
    first.fails(name, ResponseCode::ServFail);
    second.fails(name, ResponseCode::Refused);
    third.silent(name);
    let seen = refreshed().await;
    assert_eq!((&seen["status"], outcomes(&seen)), (&json!("pending"), vec!["servfail", "refused", "timeout"]));
    // Values that are nearly right.
    first.txt(name, &[&[&format!("\"{value}\"")]]);
    second.txt(name, &[&["anthropic-domain-verification=older"]]);
    third.txt(name, &[&["v=spf1 -all"]]);
    let seen = refreshed().await;
    assert_eq!(outcomes(&seen), ["altered_value", "older_token", "wrong_value"]);
    assert_eq!(seen["findings"][2]["found"], json!(["v=spf1 -all"]));
    assert!(seen["findings"][0]["explanation"].as_str().unwrap().contains("remove the quotes"));
    // One of three is no majority.
    first.txt(name, &[&["unrelated"], &[value]]);
    let seen = refreshed().await;
    assert_eq!((&seen["status"], outcomes(&seen)), (&json!("pending"), vec!["found", "older_token", "wrong_value"]));
    // Two are: one by CNAME and in several strings.
    second.cname(name, "elsewhere.example");
    second.txt("elsewhere.example", &[&[&value[..10], &value[10..]]]);
    let seen = refreshed().await;
    assert_eq!((&seen["status"], outcomes(&seen)), (&json!("verified"), vec!["found", "found", "wrong_value"]));
}

#[tokio::test]
async fn an_answer_too_long_for_udp_is_fetched_over_tcp() {
    let (world, parent, claim) = claimed().await;
    let (name, value) = (claim["record"]["name"].as_str().unwrap(), claim["record"]["value"].as_str().unwrap());
    let filler = "x".repeat(200);
    let (filler, last) = ([filler.as_str()], [value]);
    for dns in &world.dns {
        let mut records: Vec<&[&str]> = vec![&filler; 20];
        records.push(&last);
        dns.txt(name, &records);
    }
    assert_eq!(world.refresh(&parent, "example.com").await.done()["status"], "verified");
}

#[tokio::test]
async fn aliases_are_followed_so_far() {
    let (world, parent, claim) = claimed().await;
    let name = claim["record"]["name"].as_str().unwrap();
    for dns in &world.dns {
        dns.cname(name, "a.example");
        dns.cname("a.example", "b.example");
        dns.cname("b.example", "a.example");
    }
    let seen = world.refresh(&parent, "example.com").await.done();
    assert_eq!((&seen["status"], outcomes(&seen)), (&json!("pending"), vec!["alias_loop"; 3]));
    assert_eq!(world.dns[0].asked("a.example"), 1);
}

#[tokio::test]
async fn records_that_went_astray_are_found() {
    let world = World::new().await;
    let (_, parent, _) = world.organization("example.com").await;
    let claims = format!("/parents/{parent}/domains");
    let claim = world.post(&claims, json!({ "domain": "sub.example.com" })).await.done();
    let value = claim["record"]["value"].as_str().unwrap();
    for (name, outcome) in [
        ("_anthropic-challenge.sub.example.com.sub.example.com", "doubled_suffix"),
        ("_anthropic-challenge.sub.example.com.example.com", "doubled_suffix"),
        ("_anthropic-challenge.example.com", "wrong_host"),
        ("sub.example.com", "wrong_host"),
    ] {
        world.wait(5);
        world.dns[0].txt(name, &[&[value]]);
        let seen = world.refresh(&parent, "sub.example.com").await.done();
        assert_eq!(outcomes(&seen), [outcome, "nxdomain", "nxdomain"], "{name}");
        assert!(seen["findings"][0]["explanation"].as_str().unwrap().contains(name), "{seen}");
        assert_eq!(seen["status"], "pending");
        world.dns[0].txt(name, &[&["something else"]]);
    }
}

#[tokio::test]
async fn lookups_are_rare_however_many_ask_for_one() {
    let (world, parent, claim) = claimed().await;
    world.publish(&claim);
    let world = Arc::new(world);
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let (world, parent) = (world.clone(), parent.clone());
        asking.spawn(async move { world.refresh(&parent, "example.com").await });
    }
    let answers = asking.join_all().await;
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((done.len(), done[0].body["status"].as_str()), (1, Some("verified")));
    for answer in refused {
        assert_eq!(answer.refused(), (429, "too-soon"));
        let seconds: u32 = answer.headers[header::RETRY_AFTER].to_str().unwrap().parse().unwrap();
        assert!((1..=5).contains(&seconds));
    }
    // One lookup, whose question a busy machine sends once more.
    assert!((1..=2).contains(&world.dns[0].asked("_anthropic-challenge.example.com")));
    world.wait(4);
    assert_eq!(world.refresh(&parent, "example.com").await.refused(), (429, "too-soon"));
    world.wait(1);
    world.refresh(&parent, "example.com").await.done();
}

#[tokio::test]
async fn of_any_number_of_parents_one_gets_the_domain() {
    let world = Arc::new(World::new().await);
    let mut parents = Vec::new();
    let mut values = Vec::new();
    for number in 0..20 {
        let (_, parent, _) = world.organization(&format!("p{number}.example")).await;
        let claim = world.post(&format!("/parents/{parent}/domains"), json!({ "domain": "example.com" })).await.done();
        values.push(claim["record"]["value"].as_str().unwrap().to_owned());
        parents.push(parent);
    }
    for dns in &world.dns {
        let all: Vec<[&str; 1]> = values.iter().map(|value| [value.as_str()]).collect();
        let all: Vec<&[&str]> = all.iter().map(<[&str; 1]>::as_slice).collect();
        dns.txt("_anthropic-challenge.example.com", &all);
    }
    world.wait(1);
    let mut racing = JoinSet::new();
    for parent in parents.clone() {
        let world = world.clone();
        racing.spawn(async move { (world.refresh(&parent, "example.com").await.done(), parent) });
    }
    let answers = racing.join_all().await;
    let winners: Vec<_> = answers.iter().filter(|(claim, _)| claim["status"] == "verified").collect();
    assert_eq!(winners.len(), 1);
    let winner = &winners[0].1;
    for (claim, parent) in &answers {
        if parent != winner {
            assert_eq!(claim["status"], "conflict");
            let text = claim.to_string();
            assert!(parents.iter().all(|parent| !text.contains(parent.as_str())), "nobody is named: {text}");
            assert_eq!(world.actions(parent).await[0], "domain.conflict");
        }
    }
    world.wait(1);
    // When the holder gives it up, the next one to prove it gets it.
    world.delete(&format!("/parents/{winner}/domains/example.com")).await.done();
    assert_eq!(world.actions(winner).await[0], "domain.removed");
    world.wait(5);
    let next = parents.iter().find(|parent| *parent != winner).unwrap();
    assert_eq!(world.refresh(next, "example.com").await.done()["status"], "verified");
}

#[tokio::test]
async fn a_verified_domain_grants_nothing_below_it() {
    let world = World::new().await;
    world.verified("example.com").await;
    let (_, other, _) = world.organization("other.example").await;
    let claim = world.post(&format!("/parents/{other}/domains"), json!({ "domain": "sub.example.com" })).await.done();
    world.publish(&claim);
    assert_eq!(world.refresh(&other, "sub.example.com").await.done()["status"], "verified");
}

#[tokio::test]
async fn a_refresh_is_carried_out_once() {
    let (world, parent, claim) = claimed().await;
    world.publish(&claim);
    let path = format!("/parents/{parent}/domains/example.com/refresh");
    let refresh = async || world.call_with(Method::POST, &path, None, "once").await;
    let first: Answer = refresh().await;
    world.wait(60);
    let second = refresh().await;
    assert_eq!(second.headers["idempotent-replayed"], "true");
    assert_eq!(second.body, first.body);
    assert_eq!(world.dns[0].asked("_anthropic-challenge.example.com"), 1);
    // Three round trips on the table: claim, marked as looked up, settled; and the reads in between side by side.
    assert_eq!(first.cost.round_trips, 4, "{}", first.cost);
}
