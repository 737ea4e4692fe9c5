//! One-time codes by e-mail.
//!
//! A code is good for ten minutes, a few tries, and the browser that asked for it. Whatever the address, the browser is
//! answered the same and the same is done: an address that administers nothing gets a sign-in whose code nobody knows.

use serde::{Deserialize, Serialize};

use crate::{
    account::Address,
    clock::{Timestamp, after, seconds_until},
    id::{Random, Secret, SecretHash},
};

/// Seconds for which a code is good.
pub const CODE_LIFETIME: i64 = 10 * 60;
/// Digits of a code.
const DIGITS: usize = 8;
/// How often a code may be entered.
const TRIES: u8 = 5;
/// Seconds over which codes are counted.
const WINDOW: i64 = 3600;
/// Codes that are sent to one address within the window.
const PER_ADDRESS: u32 = 10;
/// Codes that one browser asks for within the window.
const PER_BROWSER: u32 = 10;

/// A code as it is mailed. It is stored as a hash, together with a secret that only the browser has.
#[derive(Clone)]
pub struct Code(String);

impl Code {
    /// A fresh code.
    #[must_use]
    pub fn new(random: &Random) -> Self {
        let number = u64::from_be_bytes(random.bytes()) % 10_u64.pow(8);
        Self(format!("{number:0DIGITS$}"))
    }

    /// The digits, to be sent to their address and nowhere else.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored in its place. Without the browser's secret, whoever reads the table can not try out all codes.
    fn hash(digits: &str, browser: &Secret) -> SecretHash {
        Secret::presented(&format!("code {} {digits}", browser.reveal())).hash()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

/// Codes since the beginning of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// When the window began.
    pub since: Timestamp,
    /// How many codes there were.
    pub count: u32,
}

impl Sent {
    /// The count with one more, in a new window where the present one is over.
    fn one_more(before: Option<Self>, now: Timestamp) -> Self {
        match before {
            Some(Self { since, count }) if now < after(since, WINDOW) => Self { since, count: count.saturating_add(1) },
            _ => Self { since: now, count: 1 },
        }
    }

    /// When it counts no more.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        after(self.since, WINDOW)
    }
}

/// A browser's sign-in under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The address that was given.
    pub email: Address,
    /// The hash of the code.
    code: SecretHash,
    /// How often it may still be entered.
    tries_left: u8,
    /// Until when the code is good.
    pub expires_at: Timestamp,
    /// How many codes the browser has asked for.
    asked: Sent,
}

/// What begins when a browser asks for a code.
#[derive(Debug)]
pub struct Begun {
    /// The sign-in.
    pub sign_in: SignIn,
    /// How many codes the address was sent.
    pub sent: Sent,
    /// The code.
    pub code: Code,
    /// Whether it is sent; otherwise nobody ever learns it.
    pub is_sent: bool,
}

/// The browser has asked for too many codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this browser has asked for many codes; it can ask again in {} minutes", retry_after.div_euclid(60) + 1)]
pub struct TooMany {
    /// Seconds after which it may ask again.
    pub retry_after: i64,
}

/// Begins a sign-in for `email` in a browser whose sign-in was `before`, where the address was `sent` so many codes.
///
/// A `known` address belongs to somebody who may be an administrator.
///
/// # Errors
/// [`TooMany`], which depends on the browser alone.
pub fn ask(
    email: &Address,
    known: bool,
    browser: &Secret,
    (before, sent): (Option<&SignIn>, Option<Sent>),
    now: Timestamp,
    random: &Random,
) -> Result<Begun, TooMany> {
    let asked = Sent::one_more(before.map(|before| before.asked), now);
    if asked.count > PER_BROWSER {
        return Err(TooMany { retry_after: seconds_until(asked.ends_at(), now) });
    }
    let sent = Sent::one_more(sent, now);
    let code = Code::new(random);
    let sign_in = SignIn {
        email: email.clone(),
        code: Code::hash(code.reveal(), browser),
        tries_left: TRIES,
        expires_at: after(now, CODE_LIFETIME),
        asked,
    };
    Ok(Begun { sign_in, sent, code, is_sent: known && sent.count <= PER_ADDRESS })
}

/// What became of a code that was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It is the one that was sent.
    Right,
    /// It is not, and may be tried again.
    Wrong(Box<SignIn>),
    /// It is too late, or was tried too often.
    Over,
}

impl SignIn {
    /// What becomes of `code`, as it was typed.
    #[must_use]
    pub fn present(&self, code: &str, browser: &Secret, now: Timestamp) -> Presented {
        if self.is_over(now) {
            return Presented::Over;
        }
        let digits: String = code.chars().filter(|c| !c.is_whitespace() && *c != '-').take(DIGITS + 1).collect();
        if Code::hash(&digits, browser) == self.code {
            return Presented::Right;
        }
        Presented::Wrong(Box::new(Self { tries_left: self.tries_left.saturating_sub(1), ..self.clone() }))
    }

    /// Whether it is too late for the code, or it was tried too often.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at || self.tries_left == 0
    }

    /// How often the code may still be entered.
    #[must_use]
    pub fn tries_left(&self) -> u8 {
        self.tries_left
    }

    /// Until when it is kept: as long as it counts for the browser.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        self.expires_at.max(self.asked.ends_at())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn asked(browser: &Secret, before: Option<&SignIn>, sent: Option<Sent>, now: Timestamp) -> Result<Begun, TooMany> {
        ask(&"ada@corp.example".parse().unwrap(), true, browser, (before, sent), now, &Random::default())
    }

    #[test]
    fn the_code_is_good_in_its_browser_for_its_time() {
        let random = Random::default();
        let (browser, other) = (random.secret(), random.secret());
        let Begun { sign_in, code, is_sent, .. } = asked(&browser, None, None, NOW).unwrap();
        assert!(is_sent && code.reveal().len() == DIGITS && code.reveal().bytes().all(|b| b.is_ascii_digit()));
        assert!(!format!("{code:?}{sign_in:?}").contains(code.reveal()));
        let (spaced, last) =
            (format!(" {} {}", &code.reveal()[..4], &code.reveal()[4..]), after(NOW, CODE_LIFETIME - 1));
        assert_eq!(sign_in.present(&spaced, &browser, last), Presented::Right);
        assert_eq!(sign_in.present(code.reveal(), &browser, after(NOW, CODE_LIFETIME)), Presented::Over);
        assert!(matches!(sign_in.present(code.reveal(), &other, NOW), Presented::Wrong(_)));
        assert!(matches!(sign_in.present(&format!("{}0", code.reveal()), &browser, NOW), Presented::Wrong(_)));
    }

    #[test]
    fn tries_run_out_even_for_the_right_code() {
        let browser = Random::default().secret();
        let Begun { mut sign_in, code, .. } = asked(&browser, None, None, NOW).unwrap();
        for left in (0..TRIES).rev() {
            let Presented::Wrong(next) = sign_in.present("", &browser, NOW) else { panic!("{left}") };
            sign_in = *next;
            assert_eq!(sign_in.tries_left(), left);
        }
        assert_eq!(sign_in.present(code.reveal(), &browser, NOW), Presented::Over);
    }

    #[test]
    fn a_browser_asks_so_often_and_an_address_is_sent_so_many() {
        let browser = Random::default().secret();
        let (mut before, mut sent): (Option<SignIn>, Option<Sent>) = (None, None);
        for count in 1..=PER_BROWSER {
            let begun = asked(&browser, before.as_ref(), None, NOW).unwrap();
            assert_eq!(begun.sign_in.asked.count, count);
            before = Some(begun.sign_in);
        }
        assert_eq!(
            asked(&browser, before.as_ref(), None, after(NOW, 1)).err(),
            Some(TooMany { retry_after: WINDOW - 1 })
        );
        assert!(asked(&browser, before.as_ref(), None, after(NOW, WINDOW)).is_ok());
        for count in 1..=PER_ADDRESS + 2 {
            let begun = asked(&browser, None, sent, NOW).unwrap();
            assert_eq!((begun.sent.count, begun.is_sent), (count, count <= PER_ADDRESS));
            sent = Some(begun.sent);
        }
        assert!(asked(&browser, None, sent, after(NOW, WINDOW)).unwrap().is_sent);
    }

    #[test]
    fn an_unknown_address_begins_the_same_and_is_sent_nothing() {
        let browser = Random::default().secret();
        let email = "nobody@corp.example".parse().unwrap();
        let begun = ask(&email, false, &browser, (None, None), NOW, &Random::default()).unwrap();
        assert!(!begun.is_sent);
        assert_eq!((begun.sent.count, begun.sign_in.tries_left), (1, TRIES));
    }
}
