//! What it costs to believe a response: time of the processor next to the time that its cryptography alone takes, and
//! allocated memory. Only the memory is asserted, since it is the same on every machine.
//!
//! `cargo bench -p vestibule-tests --bench saml`; with a directory as argument, the responses are also written there, for
//! other implementations to validate (`tests/peers`).

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures time and prints it")]

use std::{
    alloc::System,
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{
        KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
    },
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use vestibule::{
    clock::{SignedDuration, Timestamp},
    saml::{Assertion, DecryptionKey, Expected, IdpKind, Request, SigningKey, Skew, Trace, Trust, Unverified},
};
use vestibule_local::idp::response::{Cipher, Draft, Encryption, KeyPlace, SignIn, Signing, Transport};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Validations in one measurement, and measurements of which the fastest counts: short ones, of which some are
/// interrupted by nothing, so that what has gone by is what the processor has worked.
const ROUNDS: u32 = 5;
const RUNS: u32 = 2_000;

/// Most bytes allocated for one validation, in all, for each byte of the form value. Nothing is taken off for what was
/// given back, so what is held at one time is less.
const MAX_BYTES_FOR_ONE: usize = 20;
/// Most allocations for one validation, besides those for each group.
const MAX_ALLOCATIONS: usize = 550;

const IDP: &str = "https://idp.example.com/saml";
const SP: &str = "https://sp.example.com/metadata";
const ACS: &str = "https://sp.example.com/acs";
const REQUEST: &str = "_request";

struct Shape {
    /// For people, and as the name of its file.
    name: &'static str,
    product: IdpKind,
    signing: Signing,
    groups: usize,
    encrypted: bool,
}

const SHAPES: [Shape; 6] = [
    Shape { name: "okta-5", product: IdpKind::Okta, signing: Signing::Both, groups: 5, encrypted: false },
    Shape { name: "entra-5", product: IdpKind::Entra, signing: Signing::Assertion, groups: 5, encrypted: false },
    Shape { name: "google-5", product: IdpKind::Google, signing: Signing::Response, groups: 5, encrypted: false },
    Shape { name: "okta-150", product: IdpKind::Okta, signing: Signing::Both, groups: 150, encrypted: false },
    Shape { name: "entra-150", product: IdpKind::Entra, signing: Signing::Assertion, groups: 150, encrypted: false },
    Shape { name: "encrypted-5", product: IdpKind::Okta, signing: Signing::Both, groups: 5, encrypted: true },
];

fn main() {
    let keys = Keys::new();
    let now = in_two_minutes();
    println!(
        "{:<14}{:>10}{:>10}{:>8}{:>12}{:>12}{:>10}",
        "response", "CPU us", "floor us", "times", "form bytes", "allocated", "in calls"
    );
    let directory = std::env::args().nth(1).filter(|argument| !argument.starts_with("--"));
    if let Some(directory) = &directory {
        keys.write(Path::new(directory));
    }
    for shape in &SHAPES {
        let xml = response(shape, &keys, now);
        let form = STANDARD.encode(&xml);
        if let Some(directory) = &directory {
            fs::write(Path::new(directory).join(format!("{}.xml", shape.name)), &xml).expect("a directory to write to");
        }
        let trust = keys.trust();
        believe(&form, &trust, now);
        let region = Region::new(MEMORY);
        let said = believe(&form, &trust, now);
        let used = region.change();
        assert_eq!(said.groups(None).len(), shape.groups);
        let (took, floor) = fastest(|| drop(black_box(believe(&form, &trust, now))), || keys.floor(shape, &xml));
        let times = took.as_secs_f64() / floor.as_secs_f64();
        println!(
            "{:<14}{:>10.1}{:>10.1}{times:>8.2}{:>12}{:>12}{:>10}",
            shape.name,
            micros(took),
            micros(floor),
            form.len(),
            used.bytes_allocated,
            used.allocations
        );
        assert!(
            used.bytes_allocated <= MAX_BYTES_FOR_ONE * form.len(),
            "{}: {} bytes",
            shape.name,
            used.bytes_allocated
        );
        let most = MAX_ALLOCATIONS + 12 * shape.groups;
        assert!(used.allocations <= most, "{}: {} allocations", shape.name, used.allocations);
    }
}

struct Keys {
    pair: KeyPair,
    pkcs8: Vec<u8>,
    signing: SigningKey,
    opens: DecryptionKey,
    opens_pkcs8: Vec<u8>,
    opens_public: Vec<u8>,
    raw: OaepPrivateDecryptingKey,
    /// A short text under the public key, and a signature of a short text.
    sealed: Vec<u8>,
    signature: Vec<u8>,
}

/// About as long as a `SignedInfo`.
const TEXT: [u8; 900] = [7; 900];

impl Keys {
    fn new() -> Self {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS#8").as_ref().to_vec();
        let certified = rcgen::KeyPair::try_from(pkcs8.as_slice()).expect("a key");
        let certificate = rcgen::CertificateParams::default().self_signed(&certified).expect("a certificate");
        let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).expect("a key");
        let opens_pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&private).expect("PKCS#8").as_ref().to_vec();
        let public = private.public_key();
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign_digest(&RSA_PKCS1_SHA256, &digest(&SHA256, &TEXT), &mut signature).expect("a signature");
        let opens_public = AsDer::<PublicKeyX509Der<'_>>::as_der(&public).expect("a key").as_ref().to_vec();
        let encrypting = OaepPublicEncryptingKey::new(public).expect("a key");
        let mut sealed = vec![0; encrypting.ciphertext_size()];
        encrypting.encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut sealed, None).expect("it can be sealed");
        Self {
            signing: SigningKey::new(&pkcs8, certificate.der()).expect("a signing key"),
            opens: DecryptionKey::from_pkcs8(&opens_pkcs8).expect("a decryption key"),
            raw: OaepPrivateDecryptingKey::new(private).expect("a key"),
            pair,
            pkcs8,
            opens_pkcs8,
            opens_public,
            sealed,
            signature,
        }
    }

    fn trust(&self) -> Trust {
        let keys = vec![self.signing.certificate().clone()];
        Trust { decryption_keys: vec![self.opens.clone()], ..Trust::new(IDP, keys) }
    }

    /// What cannot be left out: the signatures, the digests of what they sign, and the key of an encrypted assertion.
    fn floor(&self, shape: &Shape, xml: &str) {
        let signatures = if shape.signing == Signing::Both { 2 } else { 1 };
        for _ in 0..signatures {
            black_box(digest(&SHA256, xml.as_bytes()));
            let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.pair.public_key().as_ref());
            key.verify(black_box(&TEXT), &self.signature).expect("it is sound");
        }
        if shape.encrypted {
            let mut opened = vec![0; self.raw.min_output_size()];
            self.raw.decrypt(&OAEP_SHA1_MGF1SHA1, &self.sealed, &mut opened, None).expect("it is sound");
        }
    }

    /// For the other implementations: certificate and private keys in PEM, which are thrown away afterwards.
    fn write(&self, directory: &Path) {
        fs::create_dir_all(directory).expect("a directory to write to");
        let certificate = self.signing.certificate().certificate_der();
        for (name, label, der) in [
            ("idp.pem", "CERTIFICATE", certificate),
            ("idp-key.pem", "PRIVATE KEY", self.pkcs8.as_slice()),
            ("sp-key.pem", "PRIVATE KEY", self.opens_pkcs8.as_slice()),
        ] {
            let text = STANDARD.encode(der);
            let lines: Vec<&str> =
                text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            let pem = format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"));
            fs::write(directory.join(name), pem).expect("a directory to write to");
        }
    }
}

/// Other implementations read the machine's clock, and take their time: the window of the response is around then.
fn in_two_minutes() -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_mins(2)).expect("a time")
}

fn response(shape: &Shape, keys: &Keys, now: Timestamp) -> String {
    let names: Vec<String> = (0..shape.groups).map(|n| format!("anthropic-claudeai-9c9b0ada-group-{n}")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    let sign_in = SignIn {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        in_response_to: Some(REQUEST),
        name_id: "ada@corp.example",
        name_id_format: None,
        email: "ada@corp.example",
        given_name: "Ada",
        surname: "Lovelace",
        groups: &groups,
        now,
        random: [1; 16],
    };
    if !shape.encrypted {
        let draft = Draft { signing: shape.signing, ..Draft::new(shape.product, &sign_in) };
        return draft.sign(&keys.signing).expect("it can be signed");
    }
    let draft = Draft { signing: shape.signing, ..Draft::self_contained(shape.product, &sign_in) };
    let encryption = Encryption {
        recipient: &keys.opens_public,
        cipher: Cipher::Cbc256,
        transport: Transport::OaepSha1,
        place: KeyPlace::Inside,
        random: &[9; 48],
    };
    draft.sign_and_encrypt(&keys.signing, &encryption).expect("it can be encrypted")
}

/// From the form value to the claims.
fn believe(form: &str, trust: &Trust, now: Timestamp) -> Assertion {
    let expected = Expected {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        request: Request::Pending(REQUEST),
        authenticated_since: None,
        now,
        skew: Skew::default(),
    };
    let mut trace = Trace::new(IdpKind::Other);
    Unverified::decode(form, &mut trace)
        .and_then(|unverified| unverified.verify(trust, expected.now, &mut trace))
        .and_then(|signed| signed.check(&expected, &mut trace))
        .expect("it is sound")
}

/// The fastest run of each, for one round; they take turns, so that both see the same machine.
fn fastest(mut work: impl FnMut(), mut other: impl FnMut()) -> (Duration, Duration) {
    let run = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        began.elapsed() / ROUNDS
    };
    let runs: Vec<(Duration, Duration)> = (0..RUNS).map(|_| (run(&mut work), run(&mut other))).collect();
    let least = |of: fn(&(Duration, Duration)) -> Duration| runs.iter().map(of).min().unwrap_or_default();
    (least(|pair| pair.0), least(|pair| pair.1))
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
