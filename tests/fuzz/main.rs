//! Octets of any kind, on the stable toolchain: sound messages and a small corpus, spoiled from seeds, and the worst that
//! the limits let through. No input may cause a panic, allocate more than 64 MiB in all or take more than 50 ms.
//!
//! Memory is counted, so it is the same on every machine. Time is the fastest of several runs of the same input, and 50 ms
//! is many times what the slowest takes.

#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "it measures and prints what it found")]

use std::{
    alloc::System,
    fs,
    path::Path,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use targets::{ACS, IDP, KEYS, REQUEST, SP, TARGETS, now};
use vestibule::{
    id::{Random, SeededRandom},
    saml::IdpKind,
};
use vestibule_local::idp::response::{Draft, SignIn, Signing};

mod targets;

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MAX_BYTES: usize = 64 * 1024 * 1024;
const MAX_TIME: Duration = Duration::from_millis(50);
/// Inputs of each target that one run makes, unless it is told otherwise.
const SEEDS: u64 = 300;

/// Pieces that mean something to one of the readers.
const WORDS: [&str; 28] = [
    "<",
    ">",
    "/>",
    "</",
    "&",
    "&#0;",
    "&#x10FFFF;",
    "&amp;",
    "\"",
    "'",
    "xmlns=\"urn:x\"",
    " xmlns:a=\"urn:a\"",
    " ID=\"_a\"",
    " xml:id=\"_r\"",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?x?>",
    "<!DOCTYPE x>",
    "saml:Assertion",
    "EncryptedAssertion",
    "ds:Signature",
    "2026-03-01T12:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "\u{0}",
    "\u{feff}",
    "\u{1f600}",
];

fn main() {
    let seeds = std::env::var("SEEDS").ok().map_or(SEEDS, |text| text.parse().expect("a number"));
    let from: u64 = std::env::var("SEED").ok().map_or(0, |text| text.parse().expect("a number"));
    println!("{:<14}{:>10}{:>14}{:>14}", "input of", "inputs", "slowest us", "most bytes");
    let hostile = hostile();
    for (name, target) in TARGETS {
        let sound = corpus(name);
        let mut worst = (Duration::ZERO, 0);
        let mut count = 0_u64;
        let spoiled = (from..from + seeds).map(|seed| (format!("SEED={seed} SEEDS=1"), spoiled(&sound, seed)));
        let whole = sound.iter().chain(&hostile).cloned().collect::<Vec<_>>();
        let whole = whole.into_iter().enumerate().map(|(at, octets)| (format!("input {at}"), octets));
        for (which, octets) in whole.chain(spoiled) {
            let (took, bytes) = cost(target, &octets);
            assert!(bytes <= MAX_BYTES, "{name}, {which}: {bytes} bytes");
            assert!(took <= MAX_TIME || cfg!(debug_assertions), "{name}, {which}: {took:?}");
            worst = (worst.0.max(took), worst.1.max(bytes));
            count += 1;
        }
        println!("{name:<14}{count:>10}{:>14}{:>14}", worst.0.as_micros(), worst.1);
    }
}

/// Time and memory; the time is that of another run where the first was slow, since something else may have run.
fn cost(target: fn(&[u8]), octets: &[u8]) -> (Duration, usize) {
    let timed = || {
        let began = Instant::now();
        target(octets);
        began.elapsed()
    };
    let region = Region::new(MEMORY);
    let first = timed();
    let bytes = region.change().bytes_allocated;
    let again = if first > Duration::from_millis(2) { 9 } else { 0 };
    ((0..again).map(|_| timed()).fold(first, Duration::min), bytes)
}

/// What is checked in for a target, and what it accepts.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut paths: Vec<_> =
        fs::read_dir(directory).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let mut corpus: Vec<Vec<u8>> = paths.iter().map(|path| fs::read(path).expect("a file")).collect();
    let responses =
        [(IdpKind::Okta, Signing::Both), (IdpKind::Entra, Signing::Assertion), (IdpKind::Keycloak, Signing::Response)]
            .map(|(product, signing)| Draft { signing, ..Draft::new(product, &sign_in()) });
    let signed = || responses.iter().map(|draft| draft.sign(&KEYS.signing).expect("it can be signed"));
    match name {
        "response" => corpus.extend(signed().map(String::into_bytes)),
        "form" => corpus.extend(signed().map(|xml| STANDARD.encode(xml).into_bytes())),
        "certificate" => {
            let der = KEYS.signing.certificate().certificate_der();
            corpus.extend([der.to_vec(), STANDARD.encode(der).into_bytes()]);
        }
        "signed" => corpus.extend(responses.iter().map(|draft| {
            let named = draft.xml.replace(&draft.response_id, "_r");
            named.replace(&draft.assertion_id, "_a").into_bytes()
        })),
        _ => {}
    }
    corpus
}

fn sign_in() -> SignIn<'static> {
    SignIn {
        idp_entity_id: IDP,
        sp_entity_id: SP,
        acs_url: ACS,
        in_response_to: Some(REQUEST),
        name_id: "ada@corp.example",
        name_id_format: None,
        email: "ada@corp.example",
        given_name: "Ada",
        surname: "Lovelace",
        groups: &["staff", "owner"],
        now: now(),
        random: [0x5a; 16],
    }
}

/// One of the sound ones, changed in a few places.
fn spoiled(sound: &[Vec<u8>], seed: u64) -> Vec<u8> {
    let random = Random::Seeded(SeededRandom::new(seed));
    let below = |limit: usize| usize::try_from(u64::from_be_bytes(random.bytes()) % limit as u64).expect("a size");
    let mut out = sound[below(sound.len())].clone();
    for _ in 0..=below(5) {
        if out.is_empty() {
            out.push(b'<');
        }
        let (from, to) = (below(out.len()), below(out.len()));
        let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 60));
        match below(8) {
            0 => out[from] = random.bytes::<1>()[0],
            1 => out[from] ^= 1 << below(8),
            2 => drop(out.drain(from..to)),
            3 => {
                let copy = out[from..to].to_vec();
                let at = below(out.len());
                out.splice(at..at, copy.repeat(1 + below(40)));
            }
            4 => out.truncate(to.max(1)),
            5 => {
                let other = &sound[below(sound.len())];
                let (start, end) = (below(other.len() + 1), below(other.len() + 1));
                out.splice(from..to, other[start.min(end)..start.max(end)].iter().copied());
            }
            _ => drop(out.splice(from..from, WORDS[below(WORDS.len())].bytes())),
        }
    }
    out
}

/// The worst that a size of 256 KiB holds: wide, deep, many, long, and what grows when it is unpacked.
fn hostile() -> Vec<Vec<u8>> {
    const SIZE: usize = 256 * 1024;
    let fill = |piece: &str| piece.repeat(SIZE / piece.len());
    let declarations = |n: usize| (0..n).map(|i| format!(" xmlns:p{i}='urn:p{i}'")).collect::<String>();
    let prefixed: String = (0..64).map(|i| format!(" p{i}:a='v'")).collect();
    let attributes: String = (0..128).map(|i| format!(" a{i}='&#10;'")).collect();
    let zeros = {
        use std::io::Write as _;
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(&vec![b'a'; 100_000_000]).expect("memory");
        STANDARD.encode(encoder.finish().expect("memory"))
    };
    [
        fill("<"),
        fill("<a>"),
        fill("&lt;"),
        fill("\r"),
        fill("A"),
        format!("<a>{}</a>", fill("&#10;")),
        format!("<a b='{}'/>", fill("\n")),
        format!("<a b='{}'/>", fill("&#38;")),
        format!("<a{}/>", fill(" xmlns:p='urn:p'")),
        format!("<a>{}</a>", fill("<b/>")),
        format!("<a>{}</a>", "<b/>x".repeat(4_900)),
        format!("<a>{}</a>", format!("<b{attributes}/>").repeat(70)),
        format!("<a{}>{}</a>", declarations(63), format!("<b{prefixed}/>").replace("p63", "p0").repeat(70)),
        format!("{}{}", "<a>".repeat(64), "</a>".repeat(64)),
        format!("{}x{}", "<a>".repeat(64), "</a>".repeat(64)),
        format!(
            "<samlp:Response xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' ID='_r' Version='2.0'>{}",
            fill("<ds:Signature/>")
        ),
        zeros,
    ]
    .into_iter()
    .map(String::into_bytes)
    .collect()
}
