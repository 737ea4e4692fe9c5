use std::collections::BTreeSet;

use super::*;
use crate::{clock::after, id::SeededRandom, mail::Message, saml::IdpKind};

const DAY: i64 = 86_400;
const ENTITY_ID: &str = "https://idp.example/saml";

fn start() -> Timestamp {
    "2027-03-01T09:00:00Z".parse().unwrap()
}

fn random() -> Random {
    Random::Seeded(SeededRandom::new(7))
}

/// A certificate with a key of its own, which expires at `not_after`, a whole second.
fn certificate(not_after: Timestamp) -> PinnedKey {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut parameters = rcgen::CertificateParams::default();
    let date = jiff::tz::TimeZone::UTC.to_datetime(not_after);
    let year = i32::from(date.year());
    let [month, day] = [date.month(), date.day()].map(|number| u8::try_from(number).unwrap());
    parameters.not_after = rcgen::date_time_ymd(year, month, day);
    PinnedKey::from_certificate(parameters.self_signed(&key).unwrap().der()).unwrap()
}

/// Midnight of the day that is so many days after the start.
fn midnight(days: i64) -> Timestamp {
    after("2027-03-01T00:00:00Z".parse().unwrap(), days * DAY)
}

fn metadata(certificates: Vec<PinnedKey>) -> IdpMetadata {
    IdpMetadata {
        entity_id: ENTITY_ID.to_owned(),
        kind: IdpKind::Keycloak,
        sso_redirect: Some("https://idp.example/sso".parse().unwrap()),
        sso_post: None,
        wants_signed_requests: false,
        certificates,
        valid_until: None,
        name_id_formats: Vec::new(),
    }
}

fn given(certificates: Vec<PinnedKey>) -> Connection {
    let parent = random().id();
    Connection::to_identity_provider(parent, None, metadata(certificates), Options::default(), start(), &random())
}

fn fetched(certificates: Vec<PinnedKey>) -> Connection {
    given(certificates).published_at("https://idp.example/metadata".parse().unwrap(), start(), &random())
}

fn lasting() -> PinnedKey {
    certificate(midnight(3650))
}

/// The messages of upkeep without a fetch, and the connection after it.
fn told(connection: &Connection, now: Timestamp) -> (Vec<Message>, Connection) {
    connection
        .upkeep(None, now, &random())
        .map_or_else(|| (Vec::new(), connection.clone()), |upkeep| (upkeep.messages, upkeep.connection))
}

fn fail(connection: &Connection, finding: Finding, now: Timestamp) -> Upkeep {
    connection.upkeep(Some(Err(Failure::new(finding, &"it failed"))), now, &random()).unwrap()
}

#[test]
fn administrators_are_told_three_times_before_the_last_certificate_expires() {
    let (early, late) = (certificate(midnight(2)), certificate(midnight(40)));
    let mut connection = given(vec![late.clone(), early]);
    let mut moments = Vec::new();
    while let Some(due) = connection.due() {
        assert_eq!(told(&connection, after(due.at, -1)).0, [], "not before its time");
        let (messages, next) = told(&connection, due.at);
        let [Message::CertificateExpires { fingerprint, expires_at, expired, .. }] = &messages[..] else {
            panic!("{messages:?}")
        };
        assert_eq!((fingerprint, *expires_at, *expired), (&late.fingerprint(), midnight(40), false));
        assert_eq!(told(&next, after(due.at, 60)).0, [], "once");
        moments.push(due.at);
        connection = next;
    }
    assert_eq!(moments, [midnight(10), midnight(33), midnight(39)]);
    assert_eq!(told(&connection, midnight(100)).0, []);
}

#[test]
fn of_warnings_that_were_missed_only_the_last_one_is_told() {
    let connection = given(vec![certificate(midnight(5))]);
    assert_eq!(connection.due().unwrap().at, midnight(5 - 30));
    let (messages, connection) = told(&connection, start());
    assert_eq!(messages.len(), 1);
    assert_eq!(connection.due().unwrap().at, midnight(4));
    // Nobody looked for a week.
    let (messages, connection) = told(&connection, midnight(9));
    assert!(matches!(messages[..], [Message::CertificateExpires { expired: true, .. }]));
    assert_eq!(connection.due(), None);
}

#[test]
fn with_another_last_certificate_it_begins_again() {
    let first = certificate(midnight(5));
    let (_, connection) = told(&given(vec![first.clone()]), start());
    // The same certificates once more, by a document of the same identity provider.
    let same = Connection::to_identity_provider(
        connection.parent,
        Some(&connection),
        metadata(vec![first.clone()]),
        Options::default(),
        start(),
        &random(),
    );
    assert_eq!(told(&same, start()).0, []);
    let second = certificate(midnight(6));
    let renewed = Connection { identity_provider: metadata(vec![first, second.clone()]), ..connection };
    let (messages, _) = told(&renewed, start());
    assert!(
        matches!(&messages[..], [Message::CertificateExpires { fingerprint, .. }] if *fingerprint == second.fingerprint())
    );
}

#[test]
fn what_the_metadata_says_now_is_trusted() {
    let (first, second) = (lasting(), lasting());
    let before = fetched(vec![first.clone()]);
    let now = before.due().unwrap().at;
    let both = metadata(vec![first, second.clone()]);
    let upkeep = before.upkeep(Some(Ok(both.clone())), now, &random()).unwrap();
    assert_eq!(upkeep.connection.identity_provider, both);
    assert_eq!(upkeep.connection.changed_at, now);
    assert_eq!(upkeep.connection.id, before.id);
    let refresh = upkeep.connection.refresh.as_ref().unwrap();
    assert_eq!((refresh.fetched_at, refresh.tried_at(), &refresh.failing), (now, now, &None));
    assert!(!upkeep.connection.is_fetch_due(now));
    let only = metadata(vec![second]);
    let upkeep = upkeep.connection.upkeep(Some(Ok(only.clone())), now, &random()).unwrap();
    assert_eq!(upkeep.connection.identity_provider, only, "what it drops is trusted no more");
    let later = after(now, 60);
    let same = upkeep.connection.upkeep(Some(Ok(only)), later, &random()).unwrap().connection;
    assert_eq!((same.changed_at, same.refresh.unwrap().fetched_at), (now, later), "the same is no change");
}

#[test]
fn a_failure_changes_nothing_but_what_is_known_of_it() {
    let before = fetched(vec![lasting()]);
    let mut connection = before.clone();
    let mut pauses = Vec::new();
    let mut now = start();
    for times in 1..=7 {
        now = connection.due().unwrap().at;
        let upkeep = fail(&connection, Finding::Unreachable, now);
        connection = upkeep.connection;
        let refresh = connection.refresh.clone().unwrap();
        let failing = refresh.failing.as_ref().unwrap();
        assert_eq!((failing.times, failing.at, refresh.tried_at()), (times, now, now));
        assert_eq!(refresh.fetched_at, start());
        pauses.push(refresh.due_at.duration_since(now).as_secs());
        let kept = Connection { refresh: before.refresh.clone(), ..connection.clone() };
        assert_eq!(kept, before);
    }
    for (pause, minutes) in pauses.iter().zip([15, 30, 60, 120, 240, 360, 360]) {
        assert!((minutes * 54..=minutes * 66).contains(pause), "{pauses:?}");
    }
    let mended = connection.upkeep(Some(Ok(before.identity_provider.clone())), now, &random()).unwrap().connection;
    assert_eq!(mended.refresh.unwrap().failing, None);
}

#[test]
fn metadata_of_another_identity_provider_or_past_its_end_is_a_failure() {
    let before = fetched(vec![lasting()]);
    let now = before.due().unwrap().at;
    let other = IdpMetadata { entity_id: "https://evil.example".to_owned(), ..metadata(vec![lasting()]) };
    let ended = IdpMetadata { valid_until: Some(now), ..metadata(vec![lasting()]) };
    let lasts = IdpMetadata { valid_until: Some(after(now, 1)), ..metadata(vec![lasting()]) };
    let finding = |metadata: IdpMetadata| {
        let connection = before.upkeep(Some(Ok(metadata.clone())), now, &random()).unwrap().connection;
        let failing = connection.refresh.unwrap().failing;
        assert_eq!(connection.identity_provider == metadata, failing.is_none());
        failing.map(|failing| failing.failure)
    };
    let failure = finding(other).unwrap();
    assert_eq!(failure.finding, Finding::OtherEntity);
    assert!(failure.detail.contains("https://evil.example") && failure.detail.contains(ENTITY_ID));
    assert_eq!(finding(ended).unwrap().finding, Finding::Expired);
    assert_eq!(finding(lasts), None);
}

#[test]
fn administrators_are_told_once_of_metadata_that_fails_for_days() {
    let mut connection = fetched(vec![lasting()]);
    let mut told = Vec::new();
    while connection.due().unwrap().at < after(start(), 8 * DAY) {
        let now = connection.due().unwrap().at;
        let upkeep = fail(&connection, Finding::Refused, now);
        told.extend(upkeep.messages.iter().map(|_| now));
        connection = upkeep.connection;
    }
    assert_eq!(told.len(), 1);
    let first = connection.refresh.as_ref().unwrap().failing.as_ref().unwrap().since;
    assert!(told[0] >= after(first, PATIENCE) && told[0] <= after(first, PATIENCE + INTERVAL * 11 / 10));
    // Mended and broken again, it is another story.
    let now = connection.due().unwrap().at;
    let idp = connection.identity_provider.clone();
    connection = connection.upkeep(Some(Ok(idp)), now, &random()).unwrap().connection;
    connection = fail(&connection, Finding::Refused, now).connection;
    assert_eq!(fail(&connection, Finding::Refused, after(now, PATIENCE)).messages.len(), 1);
}

#[test]
fn fetches_spread_out_by_themselves() {
    let random = random();
    let url: Url = "https://idp.example/metadata".parse().unwrap();
    let pauses: Vec<i64> = (0..200)
        .map(|_| Refresh::begin(url.clone(), start(), &random).due_at.duration_since(start()).as_secs())
        .collect();
    assert!(pauses.iter().all(|pause| (INTERVAL * 9 / 10..=INTERVAL * 11 / 10).contains(pause)), "{pauses:?}");
    let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
    assert!(most - least > INTERVAL / 10, "{least} to {most}");
    assert!(pauses.iter().collect::<BTreeSet<_>>().len() > 100);
}

#[test]
fn what_is_to_be_seen_to_stands_beside_the_connection() {
    let connection = fetched(vec![certificate(midnight(40))]);
    let kinds = |connection: &Connection, now| {
        connection.warnings(now).into_iter().map(|warning| warning.warning).collect::<Vec<_>>()
    };
    assert_eq!(kinds(&connection, start()), []);
    assert_eq!(kinds(&connection, midnight(10)), [WarningKind::CertificatesExpire]);
    assert_eq!(kinds(&connection, midnight(40)), [WarningKind::CertificatesExpire]);
    assert_eq!(kinds(&connection, midnight(41)), [WarningKind::CertificatesExpired]);
    let failing = fail(&connection, Finding::TooSlow, start()).connection;
    assert_eq!(kinds(&failing, start()), [WarningKind::MetadataFails]);
}

#[test]
fn findings_are_written_as_they_serialize() {
    for finding in [
        Finding::Address,
        Finding::InternalAddress,
        Finding::Unreachable,
        Finding::TooSlow,
        Finding::Refused,
        Finding::TooLarge,
        Finding::NotMetadata,
        Finding::Expired,
        Finding::OtherEntity,
        Finding::InUse,
    ] {
        assert_eq!(serde_json::to_value(finding).unwrap(), finding.as_str());
    }
}

#[test]
fn options_of_a_later_release_are_read() {
    let stored = r#"{ "force_authn": true, "name_id_format": "persistent", "chosen_later": 1 }"#;
    let options: Options = serde_json::from_str(stored).unwrap();
    assert!(options.force_authn && options.name_id_format == NameIdFormat::Persistent);
}
