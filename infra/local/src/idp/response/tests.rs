use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeySize, PrivateDecryptingKey};
use vestibule::saml::{
    Assertion, CheckName, DecryptionKey, Expected, Outcome, Reason, Refusal, Request, Skew, Trace, Trust, Unverified,
};

use super::*;

const PRODUCTS: [IdpKind; 10] = [
    IdpKind::Okta,
    IdpKind::Entra,
    IdpKind::Google,
    IdpKind::Keycloak,
    IdpKind::Adfs,
    IdpKind::Ping,
    IdpKind::OneLogin,
    IdpKind::Shibboleth,
    IdpKind::SimpleSamlPhp,
    IdpKind::Other,
];

fn key() -> SigningKey {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap().self_signed(&pair).unwrap();
    SigningKey::new(pair.serialized_der(), certificate.der()).unwrap()
}

fn sign_in(now: Timestamp) -> SignIn<'static> {
    SignIn {
        idp_entity_id: "https://idp.example.com/a?b&c",
        sp_entity_id: "https://sp.example.com/metadata",
        acs_url: "https://sp.example.com/acs?x=1&y=2",
        in_response_to: Some("_request"),
        name_id: "ada<\"1\">",
        name_id_format: None,
        email: "ada@example.com",
        given_name: "Ada & Co",
        surname: "Lovelace\r\n",
        groups: &["anthropic-claudeai-9c9b0ada-owner", "staff"],
        now,
        random: [7; 16],
    }
}

fn judge(xml: &str, sign_in: &SignIn<'_>, trust: &Trust) -> Result<Assertion, Refusal> {
    let expected = Expected {
        idp_entity_id: sign_in.idp_entity_id,
        sp_entity_id: sign_in.sp_entity_id,
        acs_url: sign_in.acs_url,
        request: Request::Pending("_request"),
        authenticated_since: None,
        now: sign_in.now,
        skew: Skew::from_seconds(0),
    };
    let mut trace = Trace::new(IdpKind::Other);
    let result = Unverified::from_xml(xml.as_bytes(), &mut trace)
        .and_then(|unverified| unverified.verify(trust, sign_in.now, &mut trace))
        .and_then(|signed| signed.check(&expected, &mut trace));
    if result.is_ok() {
        let reached = trace.checks().iter().filter(|check| check.name <= CheckName::NameId);
        assert!(reached.into_iter().all(|check| check.outcome == Outcome::Passed), "{trace:?}");
    }
    result
}

const WAYS: [Signing; 3] = [Signing::Response, Signing::Assertion, Signing::Both];

#[test]
fn the_response_of_every_product_is_accepted_and_read_alike() {
    let key = key();
    let now = "2026-03-01T12:00:00.123Z".parse().unwrap();
    let sign_in = sign_in(now);
    let trust = Trust::new(sign_in.idp_entity_id, vec![key.certificate().clone()]);
    for product in PRODUCTS {
        for signing in [None, Some(Signing::Response), Some(Signing::Assertion), Some(Signing::Both)] {
            let mut draft = Draft::new(product, &sign_in);
            draft.signing = signing.unwrap_or(draft.signing);
            let xml = draft.sign(&key).unwrap();
            let assertion = judge(&xml, &sign_in, &trust)
                .unwrap_or_else(|refusal| panic!("{product:?} {signing:?}: {refusal}\n{xml}"));
            assert_eq!(assertion.name_id.value, sign_in.name_id);
            assert_eq!(assertion.email(None).unwrap().address, sign_in.email, "{product:?}");
            assert_eq!(assertion.groups(None), sign_in.groups, "{product:?}");
            assert_eq!(assertion.display_name().unwrap(), "Ada & Co Lovelace", "{product:?}");
        }
    }
}

#[test]
fn encrypted_assertions_are_accepted_in_every_way_they_are_met() {
    let key = key();
    let now = "2026-03-01T12:00:00.123Z".parse().unwrap();
    let sign_in = sign_in(now);
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let public = private.public_key().as_der().unwrap();
    let ours = DecryptionKey::from_pkcs8(private.as_der().unwrap().as_ref()).unwrap();
    let plain = Trust::new(sign_in.idp_entity_id, vec![key.certificate().clone()]);
    let trust = Trust { decryption_keys: vec![ours], ..plain.clone() };
    for product in PRODUCTS {
        for cipher in [Cipher::Gcm128, Cipher::Gcm256, Cipher::Cbc128, Cipher::Cbc256] {
            for (transport, place) in
                [(Transport::OaepSha1, KeyPlace::Beside), (Transport::OaepSha256, KeyPlace::Inside)]
            {
                for signing in WAYS {
                    let encryption =
                        Encryption { recipient: public.as_ref(), cipher, transport, place, random: &[5; 48] };
                    let draft = Draft { signing, ..Draft::self_contained(product, &sign_in) };
                    let xml = draft.sign_and_encrypt(&key, &encryption).unwrap();
                    let what = format!("{product:?} {cipher:?} {transport:?} {signing:?}");
                    let assertion = judge(&xml, &sign_in, &trust).unwrap_or_else(|refusal| panic!("{what}: {refusal}"));
                    assert_eq!(assertion.groups(None), sign_in.groups, "{what}");
                    let refusal = judge(&xml, &sign_in, &plain).unwrap_err();
                    assert_eq!(refusal.reason(), Reason::Decryption);
                }
            }
        }
    }
}
