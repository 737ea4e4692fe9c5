//! Operations: what makes a repeated request with the same idempotency key give the first one's answer, and change
//! nothing twice.
//!
//! The record is written in the transaction of the change itself, so that there is no moment in which one exists
//! without the other. Answers can hold secrets that are shown once, so they are stored sealed.

mod store;

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    clock::{Timestamp, after},
    id::{Random, hex, sha256},
    seal::{NotSealed, SealingKey},
};

/// Hours for which an answer is kept.
pub const KEPT_HOURS: i64 = 24;
/// Characters of an idempotency key.
pub const MAX_KEY: usize = 255;

const PURPOSE: &str = "operation";

/// A request that can be repeated.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Where its record is: a hash of the idempotency key. There is one caller, the operator.
    pub key: String,
    /// What was asked: a hash of method, path and body.
    pub fingerprint: String,
}

impl Operation {
    /// The operation of a request with `idempotency_key`.
    #[must_use]
    pub fn new(idempotency_key: &str, method: &str, path: &str, body: &[u8]) -> Self {
        let asked = [method.as_bytes(), b"\n", path.as_bytes(), b"\n", body].concat();
        Self { key: hex(&sha256(idempotency_key.as_bytes())), fingerprint: hex(&sha256(&asked)) }
    }
}

/// What is stored of an operation that was carried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Carried {
    /// What was asked.
    pub fingerprint: String,
    /// The HTTP status it was answered with.
    pub status: u16,
    /// The JSON it was answered with, sealed.
    pub body: String,
    /// Until when it counts; from then on the key is free again.
    pub kept_until: Timestamp,
}

impl Carried {
    /// The record of `operation` with its answer.
    #[must_use]
    pub fn new(operation: &Operation, status: u16, body: &str, now: Timestamp, app: &App) -> Self {
        Self::sealed(operation, status, body, now, &app.settings.sealing_key, &app.random)
    }

    fn sealed(
        operation: &Operation,
        status: u16,
        body: &str,
        now: Timestamp,
        key: &SealingKey,
        random: &Random,
    ) -> Self {
        // In whole seconds, as the table counts them, so that reading and writing agree on the moment.
        let end = after(now, KEPT_HOURS * 3600);
        Self {
            fingerprint: operation.fingerprint.clone(),
            status,
            body: key.seal(PURPOSE, body.as_bytes(), random),
            kept_until: Timestamp::from_second(end.as_second()).unwrap_or(end),
        }
    }

    /// Whether it still counts.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        now < self.kept_until
    }

    /// The answer's JSON.
    ///
    /// # Errors
    /// [`NotSealed`] when the sealing key has changed since.
    pub fn body(&self, key: &SealingKey) -> Result<String, NotSealed> {
        String::from_utf8(key.open(PURPOSE, &self.body)?).map_err(|_| NotSealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_kept_sealed() {
        let key = SealingKey::new(&[3; 32]).unwrap();
        let operation = Operation::new("k", "POST", "/x", b"{}");
        let carried =
            Carried::sealed(&operation, 201, r#"{"secret":"s"}"#, Timestamp::UNIX_EPOCH, &key, &Random::default());
        assert!(!serde_json::to_string(&carried).unwrap().contains("secret"));
        assert_eq!(carried.body(&key).unwrap(), r#"{"secret":"s"}"#);
    }

    #[test]
    fn another_body_is_another_operation() {
        let one = Operation::new("k", "POST", "/x", b"{}");
        let other = Operation::new("k", "POST", "/x", b"[]");
        assert_eq!(one.key, other.key);
        assert_ne!(one.fingerprint, other.fingerprint);
    }
}
