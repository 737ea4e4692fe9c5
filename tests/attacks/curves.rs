//! ECDSA: another key on the same curve, and values that are no signature in the form that XML gives them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rcgen::{PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, SignatureAlgorithm};
use vestibule::saml::{Reason, SigningKey, Trust};

use crate::{
    edit::{content, first, set},
    world::{Attack, Base, IDP, expected},
};

fn key(algorithm: &'static SignatureAlgorithm) -> SigningKey {
    let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&pair).unwrap();
    SigningKey::new(pair.serialized_der(), certificate.der()).unwrap()
}

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for (curve, other) in
        [(&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384), (&PKCS_ECDSA_P384_SHA384, &PKCS_ECDSA_P256_SHA256)]
    {
        let (ours, theirs, foreign) = (key(curve), key(curve), key(other));
        let trust = Trust::new(IDP, vec![ours.certificate().clone()]);
        let xml = base.signed_by(&ours, str::to_owned);
        crate::control("signed on a curve", &xml, &trust, &expected());
        for (name, xml, reason) in changes(base, &xml, &theirs, &foreign) {
            attacks.push(Attack { trust: trust.clone(), ..Attack::new(name, xml, reason) });
        }
    }
    attacks
}

fn changes(base: &Base, xml: &str, theirs: &SigningKey, foreign: &SigningKey) -> Vec<(String, String, Reason)> {
    let element = first(xml, "SignatureValue");
    let text: String = xml[element.inner_start..element.inner_end].replace("&#xD;", "").split_whitespace().collect();
    let value = STANDARD.decode(text).unwrap();
    let half = value.len() / 2;
    let (r, s) = value.split_at(half);
    let integer = |number: &[u8]| [&[2, u8::try_from(half + 1).unwrap(), 0], number].concat();
    let body = [integer(r), integer(s)].concat();
    let der = [&[0x30, u8::try_from(body.len()).unwrap()], &body[..]].concat();
    let flipped = |at: usize| {
        let mut flipped = value.clone();
        flipped[at] ^= 1;
        flipped
    };
    let mut changes: Vec<(String, String, Reason)> = [
        ("r and s exchanged", [s, r].concat()),
        ("all zeros", vec![0; half * 2]),
        ("all ones", vec![0xff; half * 2]),
        ("r of zero", [&vec![0; half], s].concat()),
        ("s of zero", [r, &vec![0; half]].concat()),
        ("a bit of r", flipped(0)),
        ("a bit of s", flipped(half)),
        ("the last bit", flipped(half * 2 - 1)),
        ("in DER", der),
        ("one byte more", [&value[..], &[0]].concat()),
        ("one byte less", value[..half * 2 - 1].to_vec()),
        ("r alone", r.to_vec()),
        ("one byte", vec![1]),
    ]
    .into_iter()
    .map(|(name, value)| {
        (format!("ECDSA value: {name}"), content(xml, "SignatureValue", &STANDARD.encode(value)), Reason::Signature)
    })
    .collect();
    let evil = |xml: &str| xml.replace("ada@corp.example", "root@corp.example");
    changes.extend([
        ("by another key on the curve".to_owned(), base.signed_by(theirs, evil), Reason::Signature),
        ("by a key on another curve".to_owned(), base.signed_by(foreign, evil), Reason::Signature),
        ("tampered, on a curve".to_owned(), evil(xml), Reason::Digest),
        (
            "taken for RSA".to_owned(),
            set(xml, "SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"),
            Reason::NoTrustedKey,
        ),
        (
            "with another digest of the family".to_owned(),
            set(xml, "SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"),
            Reason::Signature,
        ),
    ]);
    changes
}
