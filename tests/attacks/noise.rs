//! Octets of any kind end in a refusal or in what was signed, never in a panic.

use vestibule::{
    id::{Random, SeededRandom},
    saml::{IdpKind, IdpMetadata, PinnedKey, ReceivedRequest, Trace, Unverified, decode_redirect},
};
use vestibule_local::idp::response::{Cipher, Encryption, KeyPlace, Signing, Transport};

use crate::world::{Base, OPENS, OURS, expected, judge, trust};

/// How many documents are spoiled.
const ROUNDS: u64 = 3_000;

fn spoiled(octets: &[u8], random: &Random) -> Vec<u8> {
    let below = |limit: usize| usize::try_from(u64::from_be_bytes(random.bytes()) % limit as u64).unwrap();
    let mut out = octets.to_vec();
    for _ in 0..=below(4) {
        let (from, to) = (below(out.len()), below(out.len()));
        let (from, to) = (from.min(to), (from.max(to)).min(from.min(to) + 40));
        match below(6) {
            0 => out[from] = random.bytes::<1>()[0],
            1 => drop(out.drain(from..to)),
            2 => drop(out.splice(from..from, random.bytes::<3>())),
            3 => {
                let copy = out[from..to].to_vec();
                let at = below(out.len());
                out.splice(at..at, copy);
            }
            4 => out[from] ^= 1 << below(8),
            _ => out.truncate(to.max(1)),
        }
        if out.is_empty() {
            out.push(b'<');
        }
    }
    out
}

#[test]
fn spoiled_messages_end_in_a_refusal() {
    let plain = Base::new(IdpKind::Keycloak, Signing::Both);
    let encryption = Encryption {
        recipient: &OPENS.1,
        cipher: Cipher::Cbc128,
        transport: Transport::OaepSha256,
        place: KeyPlace::Beside,
        random: &[3; 48],
    };
    let open = Base::self_contained(IdpKind::Entra, Signing::Assertion);
    let encrypted = open.draft.sign_and_encrypt(&OURS.signing, &encryption).unwrap();
    for (seed, sound) in (0..ROUNDS).zip([&plain.xml, &encrypted, &open.xml].into_iter().cycle()) {
        let message = spoiled(sound.as_bytes(), &Random::Seeded(SeededRandom::new(seed)));
        if let Ok(assertion) = judge(&message, &trust(), &expected()) {
            assert_eq!(assertion.name_id.value, "ada@corp.example", "seed {seed}");
            assert_eq!(assertion.groups(None), ["staff"], "seed {seed}");
        }
    }
}

#[test]
fn spoiled_metadata_requests_and_certificates_end_in_an_error() {
    let certificate = OURS.signing.certificate();
    let metadata = format!(
        r#"<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="urn:idp"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example.com/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>"#,
        String::from(certificate.clone()),
    );
    assert!(IdpMetadata::read(&metadata).is_ok(), "control");
    for seed in 0..ROUNDS {
        let random = Random::Seeded(SeededRandom::new(seed));
        let octets = spoiled(metadata.as_bytes(), &random);
        let text = String::from_utf8_lossy(&octets);
        if let Ok(read) = IdpMetadata::read(&text) {
            assert!(!read.certificates.is_empty(), "seed {seed}");
        }
        let _ = ReceivedRequest::read(&text);
        let _ = decode_redirect(&text);
        let _ = Unverified::decode(&text, &mut Trace::new(IdpKind::Other));
        let _ = PinnedKey::from_certificate(&spoiled(certificate.certificate_der(), &random));
    }
}
