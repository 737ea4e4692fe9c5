//! What the promises about domains come to in numbers: one owner of each domain, a record that is seen in time, what a check
//! costs. Counts, not times, on a clock that is moved by hand.
//!
//! `cargo bench -p vestibule-tests --bench claims`, after `--` with a number of rounds and of claims.

use std::{collections::HashSet, sync::Arc};

use vestibule::{
    clock::SignedDuration,
    domain::{ClaimState, DomainClaim, MAX_DOMAINS, Resolver, claim},
    id::Random,
    parent::Parent,
    table::{Cost, Meter, Position, Transaction},
};
use vestibule_tests::{Dns, Product, Race, start_time};
use vestibule_verify_domains::{MAX_DUE, Message, Verifier};

/// Parents that race for one domain.
const RACERS: usize = 100;
/// Minutes in which records are published.
const PUBLISHED_WITHIN: u64 = 10;
/// Minutes in which a record is to be seen.
const SEEN_WITHIN: u64 = 10;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    race(numbers.first().copied().unwrap_or(1_000)).await;
    pending(numbers.get(1).copied().unwrap_or(10_000)).await;
}

async fn race(rounds: usize) {
    let product = Product::start().await;
    let mut race = Race::of(&product.local.app, RACERS).await;
    let mut winners = HashSet::new();
    for round in 1..=rounds {
        let held = race.round().await;
        assert_eq!(held.len(), 1, "round {round}");
        winners.extend(held);
        race.again().await;
    }
    println!(
        "{RACERS} parents raced for one domain {rounds} times: one owner each time, {} different ones",
        winners.len()
    );
}

/// A claim that is to be proven.
struct Waiting {
    claim: DomainClaim,
    published: u64,
}

async fn pending(count: usize) {
    let product = Product::start().await;
    let app = product.local.app.clone();
    let dns = Dns::start().await;
    let verifier =
        Verifier { resolver: Arc::new(Resolver::new(&[dns.address])), ..product.local.claims.verifier.clone() };
    let waiting = claims(&product, count).await;
    let (mut checks, mut checking, mut scheduling) = (0_usize, Cost::default(), Cost::default());
    println!("\n{count} claims, whose records are published within {PUBLISHED_WITHIN} minutes at random");
    println!(
        "{:>6}{:>10}{:>8}{:>12}{:>12}{:>10}{:>12}",
        "minute", "due", "calls", "read units", "checked", "calls", "write units"
    );
    for minute in 0..PUBLISHED_WITHIN + 2 * SEEN_WITHIN {
        for Waiting { claim, .. } in waiting.iter().filter(|waiting| waiting.published == minute) {
            dns.txt(&claim.challenge.name, &[&[&claim.challenge.value]]);
        }
        let (due, schedule, work) = run(&verifier).await;
        assert!(schedule.calls <= 8, "a run asks each shard once");
        checks += due;
        add(&mut checking, work);
        add(&mut scheduling, schedule);
        println!(
            "{minute:>6}{due:>10}{:>8}{:>12.1}{due:>12}{:>10}{:>12.1}",
            schedule.calls, schedule.read_units, work.calls, work.write_units
        );
        if minute >= PUBLISHED_WITHIN && due == 0 {
            break;
        }
        product.clock.advance(SignedDuration::from_secs(60));
    }
    let mut minutes = Vec::new();
    for Waiting { claim, published } in &waiting {
        let stored = app.store.domain_claim(claim.parent, &claim.domain).await.unwrap().unwrap();
        if let ClaimState::Verified { since, .. } = stored.value.state {
            let seen = (since.as_second() - start_time().as_second()) / 60;
            minutes.push(u64::try_from(seen).unwrap() - published);
        }
    }
    let in_time = minutes.iter().filter(|minutes| **minutes <= SEEN_WITHIN).count();
    let latest = minutes.iter().max().copied().unwrap_or_default();
    println!("seen within {SEEN_WITHIN} minutes: {in_time} of {count}; the last one after {latest}");
    #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
    let each = |units: f64| units / checks as f64;
    println!(
        "a check: {:.2} calls, {:.2} read units, {:.2} write units; {checks} checks",
        each(checking.calls.into()),
        each(checking.read_units),
        each(checking.write_units)
    );
    println!("the schedule: {} calls and {:.1} read units in all", scheduling.calls, scheduling.read_units);
    assert!(in_time * 100 >= count * 99);
}

/// A run of the schedule and of all that it hands out; what each cost.
async fn run(verifier: &Verifier) -> (usize, Cost, Cost) {
    let (schedule, work) = (Meter::default(), Meter::default());
    let now = verifier.app.clock.now();
    let due: Vec<Position> = schedule.clone().scope(verifier.app.store.due_domain_claims(now, MAX_DUE)).await.unwrap();
    for positions in due.chunks(100) {
        let body = |positions| Message { message_id: String::new(), body: serde_json::to_string(positions).unwrap() };
        let messages = positions.chunks(10).map(body).collect();
        let failures = work.clone().scope(verifier.messages(messages)).await;
        assert!(failures.failures.is_empty());
    }
    (due.len(), schedule.cost(), work.cost())
}

/// Claims of as many parents as it takes, each to be published in a minute of its own.
async fn claims(product: &Product, count: usize) -> Vec<Waiting> {
    let app = &product.local.app;
    let random = Random::System;
    let mut waiting = Vec::new();
    let each = usize::try_from(MAX_DOMAINS).unwrap();
    for first in (0..count).step_by(each) {
        let parent = Parent { id: app.random.id(), connection: None, domains: 0, created_at: app.clock.now() };
        let mut transaction = Transaction::<()>::default();
        for number in first..(first + each).min(count) {
            let domain = format!("d{number}.example").parse().unwrap();
            let (_, claim) = claim(&parent, domain, &app.settings, app.clock.now(), &app.random).unwrap();
            transaction.create_domain_claim(&claim, ());
            let published = u64::from_be_bytes(random.bytes()) % PUBLISHED_WITHIN;
            waiting.push(Waiting { claim, published });
        }
        app.store.commit(transaction).await.unwrap();
    }
    waiting
}

fn add(total: &mut Cost, cost: Cost) {
    total.calls += cost.calls;
    total.read_units += cost.read_units;
    total.write_units += cost.write_units;
}
