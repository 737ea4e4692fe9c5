//! Encrypted assertions: whatever is wrong with one is the same refusal.

use vestibule::saml::{Reason, Trust};
use vestibule_local::idp::response::{Cipher, Encryption, KeyPlace, Signing, Transport};

use crate::{
    edit::{all, append, content, first, get, outer, remove, set, set_on, splice},
    world::{Attack, Base, FORMER, IDP, OPENS, OURS, THEIRS, expected, trust},
};

fn encryption(cipher: Cipher) -> Encryption<'static> {
    let public = OPENS.1.as_slice();
    Encryption { recipient: public, cipher, transport: Transport::OaepSha1, place: KeyPlace::Inside, random: &[9; 48] }
}

pub fn attacks(base: &Base) -> Vec<Attack> {
    let mut attacks = Vec::new();
    for cipher in Cipher::ALL.iter().copied() {
        let encrypted = base.draft.sign_and_encrypt(&OURS.signing, &encryption(cipher)).unwrap();
        crate::control("encrypted", &encrypted, &trust(), &expected());
        for (transport, place) in [(Transport::OaepSha256, KeyPlace::Inside), (Transport::OaepSha1, KeyPlace::Beside)] {
            let other = Encryption { transport, place, ..encryption(cipher) };
            let encrypted = base.draft.sign_and_encrypt(&OURS.signing, &other).unwrap();
            crate::control("encrypted in another way", &encrypted, &trust(), &expected());
        }
        let mut add = |name: &str, xml: String, reason| {
            attacks.push(Attack::new(format!("{cipher:?}: {name}"), xml, reason));
        };
        ciphertexts(base, &encrypted, &mut add);
        contents(base, cipher, &mut add);
        // The former key of a rotation, or the next one.
        let rotating = Trust { decryption_keys: vec![FORMER.clone(), OPENS.0.clone()], ..trust() };
        crate::control("encrypted to the second of our keys", &encrypted, &rotating, &expected());
        let dropped = Trust { decryption_keys: vec![FORMER.clone()], ..trust() };
        let message = encrypted.clone();
        attacks.push(Attack { trust: dropped, ..Attack::new("a key that was dropped", message, Reason::Decryption) });
        let unopened = Trust::new(IDP, trust().keys);
        attacks.push(Attack { trust: unopened, ..Attack::new("no key of ours", encrypted, Reason::Decryption) });
    }
    attacks
}

/// A sound one, to be explained.
pub fn sound(base: &Base) -> Attack {
    let xml = base.draft.sign_and_encrypt(&OURS.signing, &encryption(Cipher::Gcm256)).unwrap();
    Attack::new("encrypted", xml, Reason::Decryption)
}

type Add<'a> = dyn FnMut(&str, String, Reason) + 'a;

/// Changes of what is encrypted. Where the Response is signed its digest notices first, and nothing is decrypted.
fn ciphertexts(base: &Base, xml: &str, add: &mut Add<'_>) {
    let reason = if base.response_signed() { Reason::Digest } else { Reason::Decryption };
    let values = all(xml, "CipherValue");
    let (key, data) = (values[0], values[1]);
    let with = |place: crate::edit::Element, text: &str| splice(xml, place.inner_start, place.inner_end, text);
    for (what, text) in [
        ("no ciphertext", ""),
        ("one byte", "AA=="),
        ("eleven bytes", "AAAAAAAAAAAAAAA="),
        ("only a vector", "AAAAAAAAAAAAAAAAAAAAAA=="),
        ("a vector and a byte", "AAAAAAAAAAAAAAAAAAAAAAA="),
        ("one block", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("no base64", "*"),
        ("a ciphertext in two parts", "AAAA<x/>AAAA"),
    ] {
        add(&format!("data of {what}"), with(data, text), reason);
        add(&format!("key of {what}"), with(key, text), reason);
    }
    let flipped = |place: crate::edit::Element| {
        let text = &xml[place.inner_start..place.inner_end];
        let letter = if text[200..].starts_with('A') { "B" } else { "A" };
        splice(xml, place.inner_start + 200, place.inner_start + 201, letter)
    };
    add("a bit of the data", flipped(data), reason);
    add("a bit of the key", flipped(key), reason);
    for uri in [
        "http://www.w3.org/2001/04/xmlenc#rsa-1_5",
        "http://www.w3.org/2001/04/xmlenc#kw-aes128",
        "http://www.w3.org/2009/xmlenc11#rsa-oaep-x",
        "",
    ] {
        let methods = all(xml, "EncryptionMethod");
        add(&format!("key encrypted by {uri:?}"), set_on(xml, methods[1], "Algorithm", uri), reason);
    }
    for uri in ["http://www.w3.org/2001/04/xmlenc#tripledes-cbc", "http://www.w3.org/2009/xmlenc11#aes192-gcm", ""] {
        add(&format!("data encrypted by {uri:?}"), set(xml, "EncryptionMethod", "Algorithm", uri), reason);
    }
    let encrypted_key = outer(xml, first(xml, "EncryptedKey")).to_owned();
    let with_more = |count: usize| {
        let more = encrypted_key.replace(" Id=\"_key\"", "").repeat(count);
        append(xml, "EncryptedAssertion", &more)
    };
    if !base.response_signed() {
        crate::control("four keys", &with_more(3), &trust(), &expected());
    }
    add("five keys", with_more(4), reason);
    add("no key", remove(xml, "EncryptedKey"), reason);
    add("no data", content(xml, "EncryptedAssertion", ""), reason);
    let elsewhere =
        "<c:CipherReference xmlns:c=\"http://www.w3.org/2001/04/xmlenc#\" URI=\"http://attacker.example/x\"/>";
    let places = all(xml, "CipherData");
    add("data to be fetched", splice(xml, places[1].inner_start, places[1].inner_end, elsewhere), reason);
}

/// Other things encrypted to us, which anybody can do: the key is public.
fn contents(base: &Base, cipher: Cipher, add: &mut Add<'_>) {
    let plain = outer(&base.draft.xml, first(&base.draft.xml, "Assertion")).to_owned();
    let evil = plain.replace("ada@corp.example", "root@corp.example");
    let inside = |assertion: &str| {
        let place = first(&base.draft.xml, "Assertion");
        let element = encryption(cipher).element(assertion.as_bytes()).unwrap();
        splice(&base.draft.xml, place.start, place.end, &element)
    };
    let id = base.draft.assertion_id.as_str();
    add("signed nowhere", inside(&evil), Reason::Decryption);
    let theirs = THEIRS.signing.sign_element(&evil, id, base.draft.style).unwrap();
    add("signed by another key inside", inside(&theirs), Reason::Decryption);
    let ours = OURS.signing.sign_element(&plain, id, base.draft.style).unwrap();
    add("changed inside", inside(&ours.replace("ada@corp.example", "root@corp.example")), Reason::Decryption);
    add("a comment inside", inside(&ours.replace("ada@corp", "ada<!-- -->@corp")), Reason::Decryption);
    add("a document type inside", inside(&format!("<!DOCTYPE x>{ours}")), Reason::Decryption);
    add("two assertions inside", inside(&format!("{ours}{ours}")), Reason::Decryption);
    add("an assertion in the assertion", inside(&append(&evil, "Subject", &ours)), Reason::Decryption);
    add(
        "an id twice inside",
        inside(&ours.replace("SignedInfo>", &format!("SignedInfo Id=\"{id}\">"))),
        Reason::Decryption,
    );
    add("no XML inside", inside("hello"), Reason::Decryption);
    add("nothing inside", inside(""), Reason::Decryption);
    add("an encrypted one inside", inside(&encryption(cipher).element(ours.as_bytes()).unwrap()), Reason::Decryption);
    let signed_response =
        |xml: &str| OURS.signing.sign_element(xml, &base.draft.response_id, base.draft.style).unwrap();
    if base.draft.signing == Signing::Both {
        // A good signature around does not excuse a bad one inside.
        add("a bad signature inside a signed response", signed_response(&inside(&theirs)), Reason::Decryption);
    }
    if base.response_signed() {
        // The response vouches for it, so that nothing but its own shape refuses it.
        crate::control("unsigned inside a signed response", &signed_response(&inside(&plain)), &trust(), &expected());
        for local in ["Assertion", "EncryptedAssertion", "Response"] {
            let nested = append(&plain, "AttributeValue", &format!("<x:{local} xmlns:x=\"urn:x\"/>"));
            add(&format!("{local} nested inside"), signed_response(&inside(&nested)), Reason::Decryption);
        }
        let other = set(&plain, "Assertion", "Version", "2.1");
        add("another version inside", signed_response(&inside(&other)), Reason::Decryption);
        add("no id inside", signed_response(&inside(&set(&plain, "Assertion", "ID", ""))), Reason::Decryption);
        let foreign = "<x:Assertion xmlns:x=\"urn:x\" ID=\"_x\" Version=\"2.0\"/>";
        add("an assertion of another namespace inside", signed_response(&inside(foreign)), Reason::Decryption);
        let twice = crate::edit::attributes(&plain, "Subject", &format!("Id=\"{id}\""));
        add("an id twice in an unsigned one", signed_response(&inside(&twice)), Reason::Decryption);
        let transient = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
        let other = set(&plain, "NameID", "Format", transient);
        add("a transient NameID inside", signed_response(&inside(&other)), Reason::NameId);
        let other = content(&plain, "Audience", "urn:x");
        add("another audience inside", signed_response(&inside(&other)), Reason::Audience);
    }
    assert_eq!(get(&plain, "Assertion", "ID"), id);
}
