//! Time as an argument: rules take a [`Timestamp`], handlers take it from their [`Clock`] once per request.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

pub use jiff::{SignedDuration, Timestamp};

/// Where a process takes the time from.
#[derive(Clone, Debug, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still until it is moved; for tests.
    Fixed(FixedClock),
}

/// A clock that only its owner moves, in milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub struct FixedClock(Arc<AtomicI64>);

impl FixedClock {
    /// A clock that stands at `start`, cut to whole milliseconds.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(start.as_millisecond())))
    }

    /// Moves the clock forward (or back, for a negative duration).
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock {
    /// The present moment in whole milliseconds, which is the resolution of everything stored.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is where time enters")]
    pub fn now(&self) -> Timestamp {
        let millis = match self {
            Self::System => Timestamp::now().as_millisecond(),
            Self::Fixed(clock) => clock.0.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// `at` moved by `seconds`, held at the end of representable time instead of overflowing.
#[must_use]
pub fn after(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

/// Whole seconds from `now` until `at`, rounded up, so that whoever waits that long is not early; 0 when it is past.
#[must_use]
pub fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    let millis = at.as_millisecond().saturating_sub(now.as_millisecond());
    millis.max(0).saturating_add(999) / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told() {
        let fixed = FixedClock::new("2026-01-02T03:04:05Z".parse().unwrap());
        let clock = Clock::Fixed(fixed.clone());
        assert_eq!(clock.now(), clock.now());
        fixed.advance(SignedDuration::from_secs(60));
        assert_eq!(clock.now().to_string(), "2026-01-02T03:05:05Z");
    }

    #[test]
    fn time_saturates() {
        assert_eq!(after(Timestamp::MAX, 1), Timestamp::MAX);
        assert_eq!(after(Timestamp::MIN, -1), Timestamp::MIN);
    }
}
