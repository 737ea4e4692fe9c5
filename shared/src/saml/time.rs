//! `xs:dateTime` as SAML uses it (SAML Core 1.3.3), and the allowed difference between two clocks.

use jiff::{SignedDuration, Timestamp};

/// Largest clock skew, in seconds.
pub const MAX_SKEW_SECONDS: u32 = 120;

/// How far the identity provider's clock may be from ours, in either direction: at most [`MAX_SKEW_SECONDS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew(SignedDuration);

impl Skew {
    /// This many seconds, or the maximum.
    #[must_use]
    pub fn from_seconds(seconds: u32) -> Self {
        Self(SignedDuration::from_secs(i64::from(seconds.min(MAX_SKEW_SECONDS))))
    }

    /// Whether an instant that must have come by now has come.
    pub(super) fn has_come(self, instant: Timestamp, now: Timestamp) -> bool {
        instant.duration_since(now) <= self.0
    }

    /// Whether an instant that must still be ahead is ahead. The instant itself is already over.
    pub(super) fn is_ahead(self, instant: Timestamp, now: Timestamp) -> bool {
        now.duration_since(instant) < self.0
    }

    pub(super) const fn seconds(self) -> i64 {
        self.0.as_secs()
    }

    /// When an instant is over for good.
    pub(super) fn after(self, instant: Timestamp) -> Timestamp {
        instant.checked_add(self.0).unwrap_or(Timestamp::MAX)
    }
}

impl Default for Skew {
    fn default() -> Self {
        Self::from_seconds(MAX_SKEW_SECONDS)
    }
}

/// `YYYY-MM-DDThh:mm:ss`, up to nine digits of fraction, and `Z` or an offset: nothing without a zone and nothing looser.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim_ascii();
    let (date, rest) = text.split_at_checked(19)?;
    let shaped = date.bytes().enumerate().all(|(at, byte)| match at {
        4 | 7 => byte == b'-',
        10 => byte == b'T',
        13 | 16 => byte == b':',
        _ => byte.is_ascii_digit(),
    });
    let zone = match rest.strip_prefix('.') {
        Some(fraction) => {
            let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
            if zone.len() == fraction.len() {
                return None;
            }
            zone
        }
        None => rest,
    };
    if shaped && (zone == "Z" || is_offset(zone)) { text.parse().ok() } else { None }
}

fn is_offset(zone: &str) -> bool {
    zone.len() == 6
        && zone.bytes().enumerate().all(|(at, byte)| match at {
            0 => matches!(byte, b'+' | b'-'),
            3 => byte == b':',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_strictly() {
        for good in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T12:00:00.1234567Z",
            "2026-03-01T13:00:00+01:00",
            " 2026-03-01T12:00:00Z\n",
        ] {
            assert_eq!(parse(good).unwrap().as_second(), 1_772_366_400, "{good}");
        }
        for bad in [
            "",
            "2026-03-01",
            "2026-03-01T12:00:00",
            "2026-03-01 12:00:00Z",
            "2026-03-01t12:00:00Z",
            "2026-03-01T12:00:00.Z",
            "2026-03-01T12:00:00z",
            "2026-03-01T12:00Z",
            "20260301T120000Z",
            "2026-13-01T12:00:00Z",
            "2026-03-01T12:00:00Z[UTC]",
            "+002026-03-01T12:00:00Z",
            "2026-03-01T12:00:00+0100",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn skew_is_bounded_and_the_end_is_exclusive() {
        let skew = Skew::from_seconds(9999);
        assert_eq!(skew.seconds(), 120);
        let now = Timestamp::from_second(1_000_000).unwrap();
        let at = |offset| Timestamp::from_second(1_000_000_i64 + offset).unwrap();
        assert!(skew.has_come(at(120), now) && !skew.has_come(at(121), now));
        assert!(skew.is_ahead(at(-119), now) && !skew.is_ahead(at(-120), now));
    }
}
