//! Domain checks against real name servers: Knot DNS as the zones' own servers, Unbound as the public resolvers, and what no
//! real server does by a few lines of our own. `tests/run` installs them and runs this.

mod cases;
mod odd;
mod servers;

use cases::{ANY, Case, Signing, all};
use servers::{Servers, World};
use vestibule::domain::{DomainClaim, Evidence, Verdict, ZoneServers};

/// What a lookup made of a case: its status, what the zone's own servers said, what the resolvers said, and all the words.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    status: String,
    zone: String,
    resolvers: String,
    words: String,
}

fn seen(claim: &DomainClaim, evidence: Evidence) -> Seen {
    let list = |source: &str| {
        let findings = evidence.findings.iter().map(|finding| serde_json::to_value(finding).unwrap());
        let of_source = findings.filter(|finding| finding["source"] == source);
        of_source.map(|finding| finding["outcome"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    let (zone, resolvers) = (list("zone"), list("resolver"));
    let observed = claim.clone().observe(evidence, None, &vestibule::id::Random::default()).claim;
    let findings = observed.evidence.iter().flat_map(|evidence| &evidence.findings);
    let mut words: Vec<String> = findings.map(|finding| finding.explain(&observed.challenge)).collect();
    words.push(observed.explain());
    let status = serde_json::to_value(observed.state).unwrap()["status"].as_str().unwrap().to_owned();
    Seen { status, zone, resolvers, words: words.join("\n") }
}

async fn look_up(world: &World, case: &Case) -> Seen {
    let claim = case.claim();
    let resolver =
        if case.public { world.resolver(ZoneServers::public()) } else { world.resolver(world.zone_servers()) };
    let findings = resolver.look_up(&claim.domain, &claim.challenge).await;
    seen(&claim, Evidence { at: claim.claimed_at, findings })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Knot DNS and Unbound: tests/run"]
async fn every_zone_is_read_for_what_it_is() {
    let cases = all();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), cases.len(), "every case has a name of its own");
    assert!(cases.len() >= 40);
    let world = World::start(&cases).await;
    let mut wrong = Vec::new();
    // A few at a time: what has to wait for answers that never come waits side by side, and nobody is flooded.
    for some in cases.chunks(12) {
        let looked_up = futures_util::future::join_all(some.iter().map(|case| look_up(&world, case))).await;
        for (case, seen) in some.iter().zip(looked_up) {
            let expected = (case.status, case.zone, case.resolvers);
            let resolvers =
                if case.resolvers == ANY && !seen.resolvers.contains("found") { ANY } else { &seen.resolvers };
            let fits = (seen.status.as_str(), seen.zone.as_str(), resolvers) == expected;
            if fits && seen.words.contains(case.words) {
                println!("{:<28} {:<9} {:<28} {}", case.name, seen.status, seen.zone, seen.resolvers);
            } else {
                wrong.push(format!("{}: expected {expected:?} and '{}', found {seen:#?}", case.name, case.words));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    println!("{} cases", cases.len());
}

/// A claim that is looked at before its record is published, in a zone that lets resolvers remember for a day that there is
/// none; once by nobody else, once by strangers who asked the resolvers meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Knot DNS and Unbound: tests/run"]
async fn a_record_that_is_published_late_is_seen_at_once() {
    const DAY: u32 = 86_400;
    let late = |name| Case::new(name).minimum(DAY);
    let cases = [late("late"), late("late-one-asked"), late("late-both-asked")];
    let world = World::start(&cases).await;
    for case in &cases {
        let before = look_up(&world, case).await;
        assert_eq!(before.resolvers, "not_asked not_asked", "{before:?}");
        assert_eq!((before.status.as_str(), before.zone.as_str()), ("pending", "nxdomain nxdomain"));
    }
    world.ask_as_a_stranger(&cases[1], &[0]).await;
    world.ask_as_a_stranger(&cases[2], &[0, 1]).await;
    for case in &cases {
        world.publish(case, "{c} TXT \"{v}\"").await;
    }
    for (case, status, resolvers) in [
        (&cases[0], "verified", "found found"),
        (&cases[1], "verified", "nxdomain found"),
        (&cases[2], "pending", "nxdomain nxdomain"),
    ] {
        let after = look_up(&world, case).await;
        let found = (after.status.as_str(), after.zone.as_str(), after.resolvers.as_str());
        assert_eq!(found, (status, "found found", resolvers), "{}", after.words);
        if status == "pending" {
            assert!(after.words.contains("resolvers still remember"), "{}", after.words);
            assert!(after.words.contains("1440 more minutes"), "{}", after.words);
        }
    }
}

/// A verified domain's record that is gone is an absence, and servers that are gone are none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs Knot DNS and Unbound: tests/run"]
async fn only_what_the_zone_says_counts_as_absence() {
    let table = [
        (Case::new("gone"), Verdict::Absence),
        (Case::new("gone-signed").servers(&[Servers::First]).signing(Signing::Signed), Verdict::Absence),
        (Case::new("gone-other-text").records("{c} TXT \"v=spf1 -all\""), Verdict::Absence),
        (Case::new("gone-one-silent").servers(&[Servers::First, Servers::Silent]), Verdict::Absence),
        (Case::new("there").records("{c} TXT \"{v}\""), Verdict::Proof),
        (Case::new("away").servers(&[Servers::Nobody, Servers::Silent]), Verdict::Unclear),
        (Case::new("out-of-order").servers(&[Servers::Broken]), Verdict::Unclear),
        (Case::new("forged").servers(&[Servers::First]).signing(Signing::WrongDs), Verdict::Unclear),
        (Case::new("half").records("{c} TXT \"{v}\"").second(""), Verdict::Unclear),
    ];
    let cases: Vec<Case> = table.iter().map(|(case, _)| case.clone()).collect();
    let world = World::start(&cases).await;
    for (case, verdict) in table {
        let claim = case.claim();
        let findings = world.resolver(world.zone_servers()).look_up(&claim.domain, &claim.challenge).await;
        let evidence = Evidence { at: claim.claimed_at, findings };
        assert_eq!(evidence.verdict(), verdict, "{}: {evidence:#?}", case.name);
    }
}
