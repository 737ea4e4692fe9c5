//! How long it takes to believe a response, next to the time that its RSA signatures alone take: the floor.
//!
//! `cargo bench -p vestibule-tests --bench saml`

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures time and prints it")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use vestibule::{
    clock::Timestamp,
    saml::{Assertion, Expected, IdpKind, Request, SigningKey, Skew, Trace, Trust, Unverified},
};
use vestibule_local::idp::response::{Draft, SignIn, Signing};

const ROUNDS: u32 = 2_000;

fn main() {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).expect("PKCS#8");
    let certified = rcgen::KeyPair::try_from(pkcs8.as_ref()).expect("a key");
    let certificate = rcgen::CertificateParams::default().self_signed(&certified).expect("a certificate");
    let key = SigningKey::new(pkcs8.as_ref(), certificate.der()).expect("a signing key");
    let one = floor(&pair);
    println!("{:<44}{:>10}{:>10}{:>8}", "response", "us", "floor us", "times");
    for (name, product, signing, groups) in [
        ("Entra, assertion signed", IdpKind::Entra, Signing::Assertion, 3),
        ("Google, response signed", IdpKind::Google, Signing::Response, 3),
        ("Okta, both signed", IdpKind::Okta, Signing::Both, 3),
        ("Keycloak, both signed", IdpKind::Keycloak, Signing::Both, 3),
        ("Okta, both signed, 150 groups", IdpKind::Okta, Signing::Both, 150),
        ("Entra, assertion signed, 150 groups", IdpKind::Entra, Signing::Assertion, 150),
    ] {
        let form = response(product, signing, groups, &key);
        let trust = Trust::new(IDP, vec![key.certificate().clone()]);
        let took = time(|| assert!(black_box(believe(&form, &trust)).id.starts_with("_a")));
        let floor = if signing == Signing::Both { one * 2 } else { one };
        let times = took.as_secs_f64() / floor.as_secs_f64();
        println!("{name:<44}{:>10.1}{:>10.1}{times:>8.1}", micros(took), micros(floor));
    }
}

const IDP: &str = "https://idp.example.com/saml";
const SP: &str = "https://sp.example.com/metadata";
const ACS: &str = "https://sp.example.com/acs";

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().expect("a time")
}

fn response(product: IdpKind, signing: Signing, groups: usize, key: &SigningKey) -> String {
    let names: Vec<String> = (0..groups).map(|n| format!("anthropic-claudeai-9c9b0ada-group-{n}")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    let sign_in = SignIn {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        in_response_to: Some("_request"),
        name_id: "ada@corp.example",
        name_id_format: None,
        email: "ada@corp.example",
        given_name: "Ada",
        surname: "Lovelace",
        groups: &groups,
        now: now(),
        random: [1; 16],
    };
    let draft = Draft { signing, ..Draft::new(product, &sign_in) };
    STANDARD.encode(draft.sign(key).expect("it can be signed"))
}

/// From the form value to the claims.
fn believe(form: &str, trust: &Trust) -> Assertion {
    let expected = Expected {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        request: Request::Pending("_request"),
        authenticated_since: None,
        now: now(),
        skew: Skew::default(),
    };
    let mut trace = Trace::new(IdpKind::Other);
    Unverified::decode(form, &mut trace)
        .and_then(|unverified| unverified.verify(trust, expected.now, &mut trace))
        .and_then(|signed| signed.check(&expected, &mut trace))
        .expect("it is sound")
}

/// One RSA-2048 verification of a short text.
fn floor(pair: &KeyPair) -> Duration {
    let text = [7; 700];
    let mut value = vec![0; pair.public_modulus_len()];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &text);
    pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut value).expect("it can be signed");
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
    time(|| key.verify(black_box(&text), &value).expect("it is sound"))
}

/// The fastest of five runs, for one round.
fn time(mut work: impl FnMut()) -> Duration {
    let run = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..ROUNDS).for_each(|_| work());
        began.elapsed() / ROUNDS
    };
    (0..5).map(|_| run(&mut work)).min().unwrap_or_default()
}

fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}
