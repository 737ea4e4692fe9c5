//! The tables' own promises, on whichever engine the tests run: conditions and their errors, versions, order, pages.

use serde::{Deserialize, Serialize};
use vestibule::{
    clock::{Timestamp, after},
    id::{EventId, OrganizationId, ParentId, Reference},
    table::{CommitError, Cost, Key, Meter, Range, Store, Stored, Transaction},
};
use vestibule_tests::Product;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    more: Option<u64>,
}

fn note(text: &str) -> Note {
    Note { text: text.to_owned(), more: None }
}

async fn store() -> (Product, Store) {
    let product = Product::start().await;
    let store = product.local.app.store.clone();
    (product, store)
}

async fn commit(
    store: &Store,
    build: impl FnOnce(&mut Transaction<&'static str>),
) -> Result<(), CommitError<&'static str>> {
    let mut transaction = Transaction::default();
    build(&mut transaction);
    store.commit(transaction).await
}

fn refused(result: Result<(), CommitError<&'static str>>) -> &'static str {
    match result {
        Err(CommitError::Refused(error)) => error,
        other => panic!("{other:?}"),
    }
}

const PARENT: Key<'_> = Key::Parent(ParentId::from_bits(1));
const PLACE: Key<'_> = Key::OrganizationPlace(OrganizationId::from_bits(1));

#[tokio::test]
async fn each_condition_fails_with_its_own_error_and_nothing_is_written() {
    let (_product, store) = store().await;
    commit(&store, |transaction| transaction.create(PARENT, &note("one"), "taken")).await.unwrap();

    assert_eq!(refused(commit(&store, |t| t.create(PARENT, &note("two"), "taken")).await), "taken");
    assert_eq!(refused(commit(&store, |t| t.replace(PARENT, &note("two"), 9, "changed")).await), "changed");
    assert_eq!(refused(commit(&store, |t| t.replace(PLACE, &note("two"), 1, "gone")).await), "gone");
    assert_eq!(refused(commit(&store, |t| t.delete(PLACE, "gone")).await), "gone");
    assert_eq!(refused(commit(&store, |t| t.delete_version(PARENT, 2, "changed")).await), "changed");
    assert_eq!(refused(commit(&store, |t| t.require(PLACE, "gone")).await), "gone");
    assert_eq!(refused(commit(&store, |t| t.require_version(PARENT, 2, "changed")).await), "changed");
    let alone = |value: &str, without| {
        let value = value.to_owned();
        commit(&store, move |t| t.require_field_alone(PARENT, "text", value, without, "other"))
    };
    alone("one", "more").await.unwrap();
    assert_eq!(refused(alone("two", "more").await), "other");
    assert_eq!(refused(alone("one", "version").await), "other");
    // The first one that fails, in the order they were added, with a sound write before and after.
    let result = commit(&store, |transaction| {
        transaction.create(PLACE, &note("new"), "never");
        transaction.require_version(PARENT, 5, "first");
        transaction.delete(Key::SigningKeys, "second");
    });
    assert_eq!(refused(result.await), "first");
    assert_eq!(store.get::<Note>(PLACE).await.unwrap(), None, "all or nothing");
    assert_eq!(store.get::<Note>(PARENT).await.unwrap(), Some(Stored { value: note("one"), version: 1 }));
}

#[tokio::test]
async fn versions_count_from_one_and_a_replacement_leaves_nothing_behind() {
    let (_product, store) = store().await;
    let full = Note { more: Some(u64::MAX), ..note("one") };
    commit(&store, |transaction| transaction.append(PARENT, &full)).await.unwrap();
    assert_eq!(store.get::<Note>(PARENT).await.unwrap(), Some(Stored { value: full, version: 1 }));
    commit(&store, |transaction| transaction.replace(PARENT, &note("two"), 1, "changed")).await.unwrap();
    assert_eq!(store.get::<Note>(PARENT).await.unwrap(), Some(Stored { value: note("two"), version: 2 }));
    commit(&store, |transaction| transaction.delete_version(PARENT, 2, "changed")).await.unwrap();
    assert_eq!(store.get::<Note>(PARENT).await.unwrap(), None);
}

#[tokio::test]
async fn more_than_a_transaction_can_hold_is_an_error_and_writes_nothing() {
    let (_product, store) = store().await;
    let result = commit(&store, |transaction| {
        for number in 0..101 {
            transaction.append(Key::Parent(ParentId::from_bits(number)), &note("x"));
        }
    });
    assert!(matches!(result.await, Err(CommitError::Store(_))));
    assert_eq!(store.get::<Note>(PARENT).await.unwrap(), None);
}

#[tokio::test]
async fn listings_keep_their_order_over_pages() {
    let (_product, store) = store().await;
    let start: Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
    let parent = ParentId::from_bits(7);
    for second in [3, 1, 2, 0, 4] {
        let key = Key::Event(parent.into(), after(start, second), EventId::from_bits(1));
        commit(&store, |transaction| transaction.append(key, &note(&second.to_string()))).await.unwrap();
        let other = Key::Event(ParentId::from_bits(8).into(), start, EventId::from_bits(second.unsigned_abs().into()));
        commit(&store, |transaction| transaction.append(other, &note("another's"))).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut from = None;
    loop {
        let page = store.list::<Note>(Range::Events(parent.into()), from.as_deref(), 2).await.unwrap();
        seen.extend(page.items.into_iter().map(|stored| stored.value.text));
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["4", "3", "2", "1", "0"], "newest first, and nobody else's");
    assert_eq!(store.list_all::<Note>(Range::Events(parent.into())).await.unwrap().len(), 5);
}

#[tokio::test]
async fn what_was_consumed_is_counted() {
    let (product, store) = store().await;
    let reference = Reference::new(Timestamp::UNIX_EPOCH, &product.local.app.random);
    let key = Key::Trace(ParentId::from_bits(1), Timestamp::UNIX_EPOCH, &reference);
    let meter = Meter::default();
    let work = async {
        commit(&store, |transaction| transaction.append_until(key, &note("x"), Timestamp::UNIX_EPOCH)).await.unwrap();
        let (one, two) = tokio::join!(store.get::<Note>(key), store.get::<Note>(PARENT));
        (one.unwrap().is_some(), two.unwrap().is_some())
    };
    assert_eq!(meter.clone().scope(work).await, (true, false));
    let Cost { calls, round_trips, read_units, write_units } = meter.cost();
    assert_eq!((calls, round_trips), (3, 2));
    assert!((write_units - 2.0).abs() < 0.01, "a transactional write of one small item: {write_units}");
    assert!((read_units - 2.0).abs() < 0.01, "two strongly consistent reads: {read_units}");
}
