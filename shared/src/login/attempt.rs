//! Attempts: what is kept of every response that reached a connection, whatever came of it.

use serde::{Deserialize, Serialize};

use crate::{
    account::Address,
    clock::{Timestamp, after},
    id::{ApplicationId, ConnectionId, ParentId, Reference},
    saml::{Reason, Trace},
};

/// Seconds an attempt is kept: 7 days.
pub const KEPT: i64 = 7 * 24 * 3600;
/// Bytes of a trace as JSON. Traces are our own writing and stay far below.
const MAX_TRACE: u64 = 256 * 1024;

/// One attempt, with its trace. It never holds the response itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// The number that the person was shown.
    pub reference: Reference,
    /// Whose connection it reached.
    pub parent: ParentId,
    /// The connection.
    pub connection: ConnectionId,
    /// The application: that of the pending login, or the one that the person was sent on to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationId>,
    /// The person's address, kept only when it is on a domain of the connection's parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Address>,
    /// When.
    pub at: Timestamp,
    /// Whether the person began at the identity provider and was sent on to the application: accepted, but no sign-in.
    #[serde(default)]
    pub sent_on: bool,
    /// Why it was refused; none when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// All checks, in order.
    #[serde(with = "deflated")]
    pub checks: Trace,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The person is signed in.
    SignedIn,
    /// The person began at the identity provider and was sent on to the application, to begin a sign-in there.
    SentOn,
    /// It was refused.
    Refused,
}

impl Attempt {
    /// What came of it.
    #[must_use]
    pub const fn outcome(&self) -> AttemptOutcome {
        match (self.reason, self.sent_on) {
            (Some(_), _) => AttemptOutcome::Refused,
            (None, true) => AttemptOutcome::SentOn,
            (None, false) => AttemptOutcome::SignedIn,
        }
    }

    /// Until when it is kept.
    #[must_use]
    pub fn kept_until(&self) -> Timestamp {
        after(self.at, KEPT)
    }
}

/// A trace is some thirty lines of much the same words; deflated (RFC 1951), it costs a fifth of the write units.
mod deflated {
    use std::io::{Read as _, Write as _};

    use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _, ser::Error as _};

    use super::{MAX_TRACE, Trace};

    pub(super) fn serialize<S: Serializer>(trace: &Trace, serializer: S) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_vec(trace).map_err(S::Error::custom)?;
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::default());
        deflated.write_all(&json).map_err(S::Error::custom)?;
        serializer.serialize_bytes(&deflated.finish().map_err(S::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Trace, D::Error> {
        let deflated = Bytes::deserialize(deserializer)?.0;
        let mut json = Vec::new();
        DeflateDecoder::new(deflated.as_slice()).take(MAX_TRACE).read_to_end(&mut json).map_err(D::Error::custom)?;
        serde_json::from_slice(&json).map_err(D::Error::custom)
    }

    struct Bytes(Vec<u8>);

    impl<'de> serde::Deserialize<'de> for Bytes {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = Bytes;

                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("bytes")
                }

                fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                    Ok(Bytes(bytes.to_vec()))
                }

                fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                    Ok(Bytes(bytes))
                }

                fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Bytes, A::Error> {
                    let mut bytes = Vec::new();
                    while let Some(byte) = seq.next_element()? {
                        bytes.push(byte);
                    }
                    Ok(Bytes(bytes))
                }
            }
            deserializer.deserialize_byte_buf(Visitor)
        }
    }
}
