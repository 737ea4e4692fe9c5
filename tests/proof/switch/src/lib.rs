//! Which mutant is at work in this process. The mutated copy of the verifier asks here at each place where it could
//! behave differently; the product itself does not know this crate.

use std::sync::{
    LazyLock,
    atomic::{AtomicU32, Ordering},
};

/// The number of the mutant; 0 for none. A process begins with what the variable `MUTANT` says.
#[expect(clippy::disallowed_methods, reason = "a test is told which mutant to run")]
static ACTIVE: LazyLock<AtomicU32> = LazyLock::new(|| {
    let number = std::env::var("MUTANT").ok().and_then(|text| text.parse().ok());
    AtomicU32::new(number.unwrap_or_default())
});

/// Whether this mutant is at work.
#[must_use]
pub fn is(mutant: u32) -> bool {
    ACTIVE.load(Ordering::Relaxed) == mutant
}

/// Puts a mutant to work in the whole process; 0 for none.
pub fn select(mutant: u32) {
    ACTIVE.store(mutant, Ordering::Relaxed);
}
