//! What a request cost: `DynamoDB` calls, consumed units and sequential round trips.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use aws_sdk_dynamodb::types::ConsumedCapacity;

tokio::task_local! {
    static CURRENT: Meter;
}

/// Counts what is asked of the tables within [`Meter::scope`].
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Cost>>);

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
    /// Calls that were answered.
    pub calls: u32,
    /// Round trips that had to wait for one another: calls made side by side count once.
    pub round_trips: u32,
    /// Read units, as `DynamoDB` reported them.
    pub read_units: f64,
    /// Write units, as `DynamoDB` reported them.
    pub write_units: f64,
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, round_trips, read_units, write_units } = self;
        write!(f, "{calls} calls in {round_trips} round trips, {read_units} read units, {write_units} write units")
    }
}

impl Meter {
    /// Runs `work`, counting into this meter what it asks of the tables.
    pub async fn scope<F: Future>(self, work: F) -> F::Output {
        CURRENT.scope(self, work).await
    }

    /// What has been counted so far.
    #[must_use]
    pub fn cost(&self) -> Cost {
        *self.lock()
    }

    /// A call begins; outside of any scope nothing is counted.
    pub(super) fn begin() -> Call {
        let meter = CURRENT.try_with(Clone::clone).unwrap_or_default();
        // It waits for all that has been answered before it, and for nothing that is still under way.
        let depth = meter.lock().round_trips + 1;
        Call { meter, depth }
    }

    fn lock(&self) -> MutexGuard<'_, Cost> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call under way.
pub(super) struct Call {
    meter: Meter,
    depth: u32,
}

impl Call {
    pub(super) fn read(self, consumed: &[ConsumedCapacity]) {
        let units = total(consumed);
        let mut cost = self.answered();
        cost.read_units += units;
    }

    pub(super) fn write(self, consumed: &[ConsumedCapacity]) {
        let units = total(consumed);
        let mut cost = self.answered();
        cost.write_units += units;
    }

    fn answered(&self) -> MutexGuard<'_, Cost> {
        let mut cost = self.meter.lock();
        cost.calls += 1;
        cost.round_trips = cost.round_trips.max(self.depth);
        cost
    }
}

fn total(consumed: &[ConsumedCapacity]) -> f64 {
    consumed.iter().filter_map(|table| table.capacity_units).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn calls_side_by_side_are_one_round_trip() {
        let meter = Meter::default();
        meter
            .clone()
            .scope(async {
                let (first, second) = (Meter::begin(), Meter::begin());
                first.read(&[]);
                second.read(&[]);
                Meter::begin().write(&[ConsumedCapacity::builder().capacity_units(2.0).build()]);
            })
            .await;
        let cost = meter.cost();
        assert_eq!((cost.calls, cost.round_trips), (3, 2));
        assert!((cost.write_units - 2.0).abs() < f64::EPSILON);
    }

    #[test]
    fn outside_of_a_scope_nothing_is_counted() {
        Meter::begin().read(&[]);
        assert_eq!(Meter::default().cost(), Cost::default());
    }
}
