//! Deciding anew where somebody else was faster.

use std::future::Future;

/// How often a change is decided anew because what it was decided on has changed.
const ATTEMPTS: u32 = 10;

/// An error that can say that what a change was decided on has changed.
pub trait Settling {
    /// Whether to load and decide again.
    fn is_changed(&self) -> bool;
}

/// Carries a change out, deciding anew whenever what it was decided on has changed.
///
/// # Errors
/// What stands in its way.
pub async fn settle<T, E: Settling, F>(attempt: impl Fn() -> F) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    let mut left = ATTEMPTS;
    loop {
        left -= 1;
        match attempt().await {
            Err(error) if error.is_changed() && left > 0 => {}
            settled => return settled,
        }
    }
}
