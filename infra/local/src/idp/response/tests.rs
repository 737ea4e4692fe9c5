use vestibule::saml::{Expected, Request, Skew, Trace, Trust, Unverified};

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

#[test]
fn the_response_of_every_product_is_accepted_and_read_alike() {
    let key = key();
    let now = "2026-03-01T12:00:00.123Z".parse().unwrap();
    let sign_in = SignIn {
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
    };
    let trust = Trust::new(sign_in.idp_entity_id, vec![key.certificate().clone()]);
    let expected = Expected {
        idp_entity_id: sign_in.idp_entity_id,
        sp_entity_id: sign_in.sp_entity_id,
        acs_url: sign_in.acs_url,
        request: Request::Pending("_request"),
        authenticated_since: None,
        now,
        skew: Skew::from_seconds(0),
    };
    for product in PRODUCTS {
        for signing in [None, Some(Signing::Response), Some(Signing::Assertion), Some(Signing::Both)] {
            let mut draft = Draft::new(product, &sign_in);
            draft.signing = signing.unwrap_or(draft.signing);
            let xml = draft.sign(&key).unwrap();
            let mut trace = Trace::new(product);
            let assertion = Unverified::from_xml(xml.as_bytes(), &mut trace)
                .and_then(|unverified| unverified.verify(&trust, now, &mut trace))
                .and_then(|signed| signed.check(&expected, &mut trace))
                .unwrap_or_else(|refusal| panic!("{product:?} {signing:?}: {refusal} {trace:?}\n{xml}"));
            assert_eq!(assertion.name_id.value, sign_in.name_id);
            assert_eq!(assertion.email(None).unwrap().address, sign_in.email, "{product:?}");
            assert_eq!(assertion.groups(None), sign_in.groups, "{product:?}");
            assert_eq!(assertion.display_name().unwrap(), "Ada & Co Lovelace", "{product:?}");
        }
    }
}
