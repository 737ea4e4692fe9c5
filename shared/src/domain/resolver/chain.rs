//! Whether an answer's signatures hold (DNSSEC, RFC 4033 to 4035).
//!
//! Resolvers check signatures themselves; what the zone's own servers send is checked here, from the root's key down. The
//! keys and delegations in between are fetched from resolvers, who could not forge them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use hickory_net::{
    DnsError, NetError,
    dnssec::DnssecDnsHandle,
    proto::{
        dnssec::{Proof, TrustAnchors},
        op::{DnsRequest, DnsRequestOptions, DnsResponse, Query},
        rr::{Name, RecordType},
    },
    runtime::TokioRuntimeProvider,
    xfer::{DnsHandle, DnsResponseStream, FirstAnswer as _},
};

use super::{
    question::{Question, ask},
    server::Server,
};

/// Keys and delegations that one validation follows; a chain has two for each label.
const MAX_LINKS: u32 = 40;

/// The keys in which all trust begins.
#[derive(Clone)]
pub(super) struct Anchors(pub(super) Arc<TrustAnchors>);

impl fmt::Debug for Anchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Anchors({})", self.0.len())
    }
}

/// What signatures say of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Validity {
    /// They hold, or the zone is proven to have none.
    Holds,
    /// They do not.
    Bogus,
    /// The chain could not be followed to its end.
    Unknown,
}

/// What is fetched on the way from the root to one answer after another of one lookup.
#[derive(Clone)]
pub(super) struct Chain {
    resolvers: Arc<[Server]>,
    links: Arc<Mutex<HashMap<(Name, RecordType), DnsResponse>>>,
    /// The answer under examination, in the place of asking for it.
    answer: Option<Arc<DnsResponse>>,
}

impl Chain {
    /// A chain whose links these resolvers know.
    pub(super) fn new(resolvers: &Arc<[Server]>) -> Self {
        Self { resolvers: resolvers.clone(), links: Arc::default(), answer: None }
    }

    /// Whether the signatures of the answer to `question` hold.
    pub(super) async fn validate(&self, anchors: &Anchors, question: &Question, answer: &DnsResponse) -> Validity {
        let examined = Self { answer: Some(Arc::new(answer.clone())), ..self.clone() };
        let handle = DnssecDnsHandle::with_trust_anchor(examined, anchors.0.clone());
        let mut options = DnsRequestOptions::default();
        options.edns_set_dnssec_ok = true;
        let query = Query::query(question.name.clone(), question.kind);
        let proofs: Vec<Proof> = match handle.lookup(query, options).first_answer().await {
            Ok(answer) => answer.answers.iter().map(|record| record.proof).collect(),
            // What lacks is the proof that the zone has no other record than the wildcard's, which the library does not find
            // where it begins with the wildcard itself. Whoever signed the wildcard has published what it says.
            Err(NetError::Dns(DnsError::Nsec { response, .. })) if is_signed(&response) => Vec::new(),
            Err(NetError::Dns(DnsError::Nsec { proof, .. })) => vec![proof],
            Err(NetError::Dns(DnsError::DnssecBogus)) => vec![Proof::Bogus],
            Err(_) => vec![Proof::Indeterminate],
        };
        if proofs.iter().any(Proof::is_bogus) {
            Validity::Bogus
        } else if proofs.iter().any(Proof::is_indeterminate) {
            Validity::Unknown
        } else {
            Validity::Holds
        }
    }

    /// A link of the chain: once from the first resolver that answers, then from memory.
    async fn link(self, name: Name, kind: RecordType) -> Result<DnsResponse, NetError> {
        let key = (name.to_lowercase(), kind);
        if let Some(known) = self.links().get(&key) {
            return Ok(known.clone());
        }
        if u32::try_from(self.links().len()).is_ok_and(|links| links >= MAX_LINKS) {
            return Err(NetError::Message("too long a chain of keys"));
        }
        // Unchecked, so that a chain that does not hold is seen and not only reported.
        let question = Question { kind, signatures: true, unchecked: true, ..Question::recursive(name) };
        for resolver in self.resolvers.iter() {
            let Ok(answer) = ask(resolver, &question).await else { continue };
            if DnsError::from_response(answer.clone()).is_err_and(|error| matches!(error, DnsError::ResponseCode(_))) {
                continue;
            }
            self.links().insert(key, answer.clone());
            return Ok(answer);
        }
        Err(NetError::Timeout)
    }

    fn links(&self) -> std::sync::MutexGuard<'_, HashMap<(Name, RecordType), DnsResponse>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether there is an answer, all of whose records were signed by their zone.
fn is_signed(answer: &DnsResponse) -> bool {
    !answer.answers.is_empty() && answer.answers.iter().all(|record| record.proof.is_secure())
}

impl DnsHandle for Chain {
    type Response = DnsResponseStream;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> DnsResponseStream {
        let chain = self.clone();
        Box::pin(async move {
            let query = request.queries.first().ok_or(NetError::Message("no question"))?;
            match &chain.answer {
                Some(answer) if answer.queries.first() == Some(query) => Ok(DnsResponse::clone(answer)),
                _ => chain.clone().link(query.name().clone(), query.query_type()).await,
            }
        })
        .into()
    }
}
