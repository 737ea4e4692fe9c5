//! Claims as the schedule sees them: found, lost, found again, given up.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use vestibule::{
    clock::SignedDuration,
    domain::{LAPSE, PROTECTION},
    id::ParentId,
    table::{Meter, Position},
};
use vestibule_tests::{Product, Race};
use vestibule_verify_domains::{Checked, MAX_DUE, Message, Wake};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

struct World {
    product: Product,
}

impl World {
    async fn new() -> Self {
        Self { product: Product::start().await }
    }

    /// A parent of an organization of its own.
    async fn parent(&self, owner: &str) -> ParentId {
        let body = json!({ "name": "Corp", "surface": "claudeai", "primary_owner": owner });
        let founded = self.product.done(Method::POST, "/organizations", Some(body)).await;
        founded["parent_id"].as_str().unwrap().parse().unwrap()
    }

    async fn claim(&self, parent: ParentId, domain: &str) -> Value {
        self.product.done(Method::POST, &format!("/parents/{parent}/domains"), Some(json!({ "domain": domain }))).await
    }

    async fn shown(&self, parent: ParentId, domain: &str) -> Value {
        self.product.done(Method::GET, &format!("/parents/{parent}/domains/{domain}"), None).await
    }

    async fn status(&self, parent: ParentId, domain: &str) -> String {
        self.shown(parent, domain).await["status"].as_str().unwrap().to_owned()
    }

    async fn publish(&self, claims: &[&Value]) {
        let values = claims.iter().map(|claim| text(claim, "/record/value")).collect();
        self.product.local.zone.publish(&text(claims[0], "/record/name"), values).await.unwrap();
    }

    async fn unpublish(&self, claim: &Value) {
        self.product.local.zone.remove(&text(claim, "/record/name")).await.unwrap();
    }

    /// Lets time pass, with a run of the schedule each `step` seconds.
    async fn pass(&self, seconds: i64, step: i64) {
        for _ in 0..seconds / step {
            self.product.clock.advance(SignedDuration::from_secs(step));
            self.product.verify_domains().await;
        }
    }

    /// Who was told what since the last time, by the subjects of the mails.
    async fn told(&self) -> BTreeMap<String, Vec<String>> {
        let before = self.product.local.mailbox.mails().len();
        self.product.deliver_mail().await;
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mails = self.product.local.mailbox.mails();
        for mail in mails.iter().take(mails.len() - before).rev() {
            told.entry(mail.to.concat()).or_default().push(mail.subject.clone());
        }
        told
    }

    async fn actions(&self, parent: ParentId) -> Vec<String> {
        let events = self.product.done(Method::GET, &format!("/parents/{parent}/events"), None).await;
        events["items"].as_array().unwrap().iter().map(|event| text(event, "/action")).collect()
    }

    async fn due(&self) -> Vec<Position> {
        let app = &self.product.local.app;
        app.store.due_domain_claims(app.clock.now(), MAX_DUE).await.unwrap()
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer} of {value}")).to_owned()
}

fn subjects(told: &BTreeMap<String, Vec<String>>, reader: &str) -> Vec<String> {
    told.get(reader).cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_record_is_seen_within_ten_minutes_however_old_the_claim() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    for (age, domain) in [(0, "a.example"), (5 * HOUR, "b.example"), (20 * DAY, "c.example")] {
        let claim = world.claim(parent, domain).await;
        world.product.verify_domains().await;
        world.product.clock.advance(SignedDuration::from_secs(age));
        world.product.verify_domains().await;
        assert_eq!(world.status(parent, domain).await, "pending");
        world.publish(&[&claim]).await;
        world.pass(600, 60).await;
        let shown = world.shown(parent, domain).await;
        assert_eq!(shown["status"], "verified", "{shown}");
    }
    let mut told = subjects(&world.told().await, "ada@acme.example");
    told.sort();
    assert_eq!(told, ["a.example is verified", "b.example is verified", "c.example is verified"]);
}

#[tokio::test]
async fn a_lost_record_is_warned_of_then_lapses_and_comes_back() {
    let world = World::new().await;
    let (holder, rival) = (world.parent("ada@acme.example").await, world.parent("eve@rival.example").await);
    let claim = world.claim(holder, "acme.example").await;
    let theirs = world.claim(rival, "acme.example").await;
    world.publish(&[&claim]).await;
    world.product.verify_domains().await;
    world.told().await;

    // Gone: seen within a day, warned of after another, lapsed after 72 hours.
    world.unpublish(&claim).await;
    world.pass(2 * DAY + 6 * HOUR, HOUR).await;
    assert_eq!(world.status(holder, "acme.example").await, "verified");
    let told = world.told().await;
    let subject = &subjects(&told, "ada@acme.example")[0];
    assert!(subject.starts_with("acme.example lapses in 4"), "{subject}");
    world.pass(LAPSE, HOUR).await;
    let shown = world.shown(holder, "acme.example").await;
    assert_eq!(shown["status"], "lapsed", "{shown}");
    assert!(text(&shown, "/explanation").contains("members keep their access"));
    assert_eq!(subjects(&world.told().await, "ada@acme.example"), ["acme.example has lapsed"]);

    // Nobody else gets it for thirty days.
    world.publish(&[&theirs]).await;
    world.pass(HOUR, 600).await;
    assert_eq!(world.status(rival, "acme.example").await, "conflict");
    assert_eq!(world.status(holder, "acme.example").await, "lapsed");
    let told = world.told().await;
    assert_eq!(subjects(&told, "eve@rival.example"), ["acme.example is held by another organization"]);
    assert!(!world.shown(rival, "acme.example").await.to_string().contains(&holder.to_string()), "nobody is named");

    // Publishing the record again restores it.
    world.publish(&[&claim, &theirs]).await;
    world.pass(2 * HOUR, 600).await;
    assert_eq!(world.status(holder, "acme.example").await, "verified");
    assert_eq!(subjects(&world.told().await, "ada@acme.example"), ["acme.example is restored"]);
    let expected = ["domain.restored", "domain.lapsed", "domain.missing", "domain.verified"];
    assert_eq!(world.actions(holder).await[..4], expected);
}

#[tokio::test]
async fn a_domain_that_nobody_restores_can_be_taken_by_another() {
    let world = World::new().await;
    let (holder, rival) = (world.parent("ada@acme.example").await, world.parent("eve@rival.example").await);
    let claim = world.claim(holder, "acme.example").await;
    world.publish(&[&claim]).await;
    world.product.verify_domains().await;
    world.unpublish(&claim).await;
    world.pass(5 * DAY, 3 * HOUR).await;
    assert_eq!(world.status(holder, "acme.example").await, "lapsed");
    world.told().await;
    let theirs = world.claim(rival, "acme.example").await;
    world.publish(&[&theirs]).await;
    world.product.verify_domains().await;
    assert_eq!(world.status(rival, "acme.example").await, "conflict");
    world.pass(PROTECTION, DAY / 2).await;
    assert_eq!(world.status(rival, "acme.example").await, "verified");
    assert_eq!(world.status(holder, "acme.example").await, "conflict");
    let domain = "acme.example".parse().unwrap();
    assert_eq!(world.product.local.app.store.domain_owner(&domain).await.unwrap(), Some(rival));
    let told = world.told().await;
    assert_eq!(subjects(&told, "ada@acme.example"), ["acme.example is held by another organization"]);
    // What the old holder removes is its claim, and not the new one's hold.
    let path = format!("/parents/{holder}/domains/acme.example");
    assert_eq!(world.product.api(Method::DELETE, &path, None).await.0, 204);
    assert_eq!(world.product.local.app.store.domain_owner(&domain).await.unwrap(), Some(rival));
}

#[tokio::test]
async fn a_claim_is_given_up_and_revived_by_claiming_again_or_by_a_refresh() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    let claim = world.claim(parent, "acme.example").await;
    for revive in ["claim", "refresh"] {
        world.pass(31 * DAY, DAY).await;
        let shown = world.shown(parent, "acme.example").await;
        assert_eq!(shown["status"], "failed", "{shown}");
        assert!(text(&shown, "/explanation").contains("There is no such name"), "the reason is given: {shown}");
        assert_eq!(subjects(&world.told().await, "ada@acme.example"), ["acme.example was not verified"]);
        assert_eq!(world.product.verify_domains().await, 0, "nobody looks any more");
        if revive == "claim" {
            assert_eq!(world.claim(parent, "acme.example").await["record"], claim["record"]);
        } else {
            let path = format!("/parents/{parent}/domains/acme.example/refresh");
            world.product.done(Method::POST, &path, None).await;
        }
        assert_eq!(world.status(parent, "acme.example").await, "pending");
    }
    world.publish(&[&claim]).await;
    world.pass(180, 60).await;
    assert_eq!(world.status(parent, "acme.example").await, "verified");
}

#[tokio::test]
async fn runs_that_come_twice_or_late_change_nothing_twice() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    let claim = world.claim(parent, "acme.example").await;
    world.publish(&[&claim]).await;
    let due = world.due().await;
    assert_eq!(due.len(), 1);
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (verifier, position) = (world.product.local.claims.verifier.clone(), due[0].clone());
        runs.spawn(async move { verifier.check(&position).await.unwrap() });
    }
    let checked = runs.join_all().await;
    let looked = checked.iter().filter(|checked| matches!(checked, Checked::LookedUp(state) if state.is_verified()));
    assert_eq!(looked.count(), 1, "{checked:?}");
    assert!(world.due().await.is_empty());
    // The same message an hour later, as a queue may deliver it.
    world.product.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(world.product.local.claims.verifier.check(&due[0]).await.unwrap(), Checked::NotDue);
    let verified = world.actions(parent).await.iter().filter(|action| *action == "domain.verified").count();
    assert_eq!(verified, 1);
    assert_eq!(subjects(&world.told().await, "ada@acme.example").len(), 1);
}

#[tokio::test]
async fn a_lookup_that_was_killed_is_made_again() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    let claim = world.claim(parent, "acme.example").await;
    world.publish(&[&claim]).await;
    // Its beginning was stored, and nothing after it.
    let app = world.product.local.app.clone();
    let domain = "acme.example".parse().unwrap();
    let stored = app.store.domain_claim(parent, &domain).await.unwrap().unwrap();
    let begun = stored.value.begin_lookup(app.clock.now()).unwrap();
    let mut transaction = vestibule::table::Transaction::<()>::default();
    transaction.replace_domain_claim(&begun, stored.version, ());
    app.store.commit(transaction).await.unwrap();
    assert_eq!(world.product.verify_domains().await, 0, "somebody is at it");
    world.pass(120, 60).await;
    assert_eq!(world.status(parent, "acme.example").await, "verified");
}

#[tokio::test]
async fn only_messages_that_failed_come_again() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    world.claim(parent, "acme.example").await;
    let due = world.due().await;
    let message = |id: &str, body: String| Message { message_id: id.to_owned(), body };
    let read = |id, positions: &[Position]| message(id, serde_json::to_string(positions).unwrap());
    let verifier = &world.product.local.claims.verifier;
    // What does not read never will, what is gone is done.
    let records = vec![message("a", "?".to_owned()), read("b", &due), read("c", &due)];
    assert!(verifier.handle(Wake::Messages { records }).await.unwrap().failures.is_empty());
    world.product.clock.advance(SignedDuration::from_mins(2));
    let due = world.due().await;
    let mut away = verifier.clone();
    away.app = std::sync::Arc::new(vestibule::app::App {
        settings: away.app.settings.clone(),
        store: vestibule::table::Store::new(world.product.local.dynamodb.clone(), "nobody's"),
        clock: away.app.clock.clone(),
        random: away.app.random.clone(),
    });
    let failures = away.handle(Wake::Messages { records: vec![read("d", &due), read("e", &[])] }).await.unwrap();
    assert_eq!(serde_json::to_value(&failures).unwrap(), json!({ "batchItemFailures": [{ "itemIdentifier": "d" }] }));
}

#[tokio::test]
async fn of_a_hundred_parents_one_gets_the_domain_each_time() {
    let product = Product::start().await;
    let mut race = Race::of(&product.local.app, 100).await;
    for round in 0..3 {
        assert_eq!(race.round().await.len(), 1, "round {round}");
        assert_eq!(race.losers().await, 99, "round {round}");
        race.again().await;
    }
}

#[test]
fn what_wakes_the_function_is_told_apart() {
    let schedule = json!({ "source": "aws.scheduler", "detail-type": "Scheduled Event", "detail": {} });
    assert!(matches!(serde_json::from_value(schedule).unwrap(), Wake::Schedule {}));
    let message =
        json!({ "messageId": "1", "receiptHandle": "h", "body": "[]", "attributes": {}, "eventSource": "aws:sqs" });
    let Wake::Messages { records } = serde_json::from_value(json!({ "Records": [message] })).unwrap() else {
        panic!("a message of the queue")
    };
    assert_eq!((records[0].message_id.as_str(), records[0].body.as_str()), ("1", "[]"));
}

#[tokio::test]
async fn a_check_costs_the_same_whoever_else_has_claims() {
    let world = World::new().await;
    let parent = world.parent("ada@acme.example").await;
    let cost_of_one = async |domain: &str| {
        world.claim(parent, domain).await;
        let verifier = &world.product.local.claims.verifier;
        let due = world.due().await;
        let meter = Meter::default();
        for position in &due {
            meter.clone().scope(verifier.check(position)).await.unwrap();
        }
        (due.len(), meter.cost())
    };
    let (count, first) = cost_of_one("first.example").await;
    assert_eq!((count, first.calls), (1, 3), "read, begun, settled: {first}");
    for number in 0..30 {
        world.claim(parent, &format!("d{number}.example")).await;
    }
    let (count, all) = cost_of_one("last.example").await;
    assert_eq!((count, all.calls), (31, 93));
    let share = |units: f64| (units / 31.0 * 100.0).round();
    assert!(share(all.read_units) <= first.read_units * 100.0 && share(all.write_units) <= first.write_units * 100.0);
}
