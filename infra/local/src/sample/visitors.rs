//! Who is at the sample application, each known by a cookie.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use vestibule::id::{Secret, SecretHash};

use super::provider::{Pending, SignedIn};

/// Visitors remembered; the oldest are forgotten.
const MAX_VISITORS: usize = 1_000;
/// Sign-ins that one visitor can have under way, in several tabs.
const MAX_PENDING: usize = 8;

/// The visitors.
#[derive(Default)]
pub(super) struct Visitors(Mutex<VecDeque<Visitor>>);

struct Visitor {
    cookie: SecretHash,
    pending: VecDeque<Pending>,
    signed_in: Option<SignedIn>,
}

impl Visitors {
    /// Remembers a sign-in that begins in the browser with this cookie.
    pub(super) fn begin(&self, cookie: &Secret, pending: Pending) {
        self.with(cookie, |visitor| {
            if visitor.pending.len() == MAX_PENDING {
                visitor.pending.pop_front();
            }
            visitor.pending.push_back(pending);
        });
    }

    /// Takes the sign-in that this browser began with `state`, once.
    pub(super) fn take(&self, cookie: &Secret, state: &str) -> Option<Pending> {
        self.with(cookie, |visitor| {
            let at = visitor.pending.iter().position(|pending| pending.state == state)?;
            visitor.pending.remove(at)
        })
    }

    /// Who is signed in in this browser.
    pub(super) fn signed_in(&self, cookie: &Secret) -> Option<SignedIn> {
        self.with(cookie, |visitor| visitor.signed_in.clone())
    }

    /// Signs the browser in or out.
    pub(super) fn set(&self, cookie: &Secret, signed_in: Option<SignedIn>) {
        self.with(cookie, |visitor| visitor.signed_in = signed_in);
    }

    fn with<R>(&self, cookie: &Secret, work: impl FnOnce(&mut Visitor) -> R) -> R {
        let cookie = cookie.hash();
        let mut visitors = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(visitor) = visitors.iter_mut().find(|visitor| visitor.cookie == cookie) {
            return work(visitor);
        }
        if visitors.len() == MAX_VISITORS {
            visitors.pop_front();
        }
        let mut visitor = Visitor { cookie, pending: VecDeque::new(), signed_in: None };
        let result = work(&mut visitor);
        visitors.push_back(visitor);
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending(state: &str) -> Pending {
        Pending { state: state.to_owned(), nonce: String::new(), verifier: String::new() }
    }

    #[test]
    fn a_sign_in_is_taken_once_and_by_its_browser() {
        let visitors = Visitors::default();
        let (ours, theirs) = (Secret::presented("ours"), Secret::presented("theirs"));
        visitors.begin(&ours, pending("s"));
        assert!(visitors.take(&theirs, "s").is_none());
        assert!(visitors.take(&ours, "s").is_some());
        assert!(visitors.take(&ours, "s").is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let visitors = Visitors::default();
        let cookie = Secret::presented("first");
        for number in 0..=MAX_PENDING {
            visitors.begin(&cookie, pending(&number.to_string()));
        }
        assert!(visitors.take(&cookie, "0").is_none());
        assert!(visitors.take(&cookie, "1").is_some());
        for number in 0..MAX_VISITORS {
            visitors.begin(&Secret::presented(&number.to_string()), pending("s"));
        }
        assert!(visitors.take(&cookie, "2").is_none());
    }
}
