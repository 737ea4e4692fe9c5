//! `vestibule saml check` on the set-ups that administrators really make.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use vestibule::saml::{IdpKind, SigningKey};
use vestibule_local::idp::response::{Draft, SignIn, Signing};

const ACS: &str = "https://id.example.com/saml/con_1/acs";
const AUDIENCE: &str = "https://id.example.com/saml/con_1/metadata";
const IDP: &str = "https://idp.corp.example";
const NOW: &str = "2026-03-01T12:00:00Z";

/// A folder with an identity provider's metadata and a response.
struct Desk {
    folder: PathBuf,
    key: SigningKey,
}

fn key() -> SigningKey {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
    let signer = rcgen::KeyPair::try_from(pkcs8.as_ref()).unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&signer).unwrap();
    SigningKey::new(pkcs8.as_ref(), certificate.der()).unwrap()
}

fn sign_in() -> SignIn<'static> {
    SignIn {
        idp_entity_id: IDP,
        sp_entity_id: AUDIENCE,
        acs_url: ACS,
        in_response_to: Some("_request"),
        name_id: "ada-7",
        name_id_format: Some("urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"),
        email: "ada@corp.example",
        given_name: "Ada",
        surname: "Lovelace",
        groups: &["staff"],
        now: NOW.parse().unwrap(),
        random: [7; 16],
    }
}

impl Desk {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::create_dir_all(&folder).unwrap();
        let desk = Self { folder, key: key() };
        desk.publish(IDP, &desk.key);
        desk
    }

    fn publish(&self, entity_id: &str, key: &SigningKey) {
        let certificate = STANDARD.encode(key.certificate().certificate_der());
        let metadata = format!(
            r#"<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}"><IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data><X509Certificate>{certificate}</X509Certificate></X509Data></KeyInfo></KeyDescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{IDP}/sso"/></IDPSSODescriptor></EntityDescriptor>"#
        );
        fs::write(self.folder.join("metadata.xml"), metadata).unwrap();
    }

    /// Checks the response and gives the exit code and what was printed.
    fn run(&self, response: &[u8], more: &[&str]) -> (i32, String, String) {
        let path = self.folder.join("response");
        fs::write(&path, response).unwrap();
        let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .args(["saml", "check", "--acs-url", ACS, "--audience", AUDIENCE, "--at", NOW, "--metadata"])
            .arg(self.folder.join("metadata.xml"))
            .args(more)
            .arg(&path)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn signed(&self, sign_in: &SignIn<'_>) -> String {
        let mut draft = Draft::new(IdpKind::Other, sign_in);
        draft.signing = Signing::Assertion;
        draft.sign(&self.key).unwrap()
    }

    /// Expects a refusal for `reason`, and advice that says one of `words`.
    fn refuses(&self, response: &str, reason: &str, word: &str) {
        let (code, json, _) = self.run(response.as_bytes(), &["--json"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((code, report["verdict"].as_str()), (1, Some("refused")), "{reason}: {json}");
        assert_eq!(report["reason"], reason, "{json}");
        assert_eq!((&report["name_id"], &report["attributes"]), (&Value::Null, &Value::Array(Vec::new())));
        let checks = report["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["outcome"] == "failed").unwrap();
        let advice = failed["advice"].as_str().unwrap();
        assert!(advice.contains(word), "{reason}: {advice}");
    }
}

#[test]
fn a_sound_response_is_accepted_as_xml_and_as_posted() {
    let desk = Desk::new("accepted");
    let xml = desk.signed(&sign_in());
    for response in [xml.clone(), STANDARD.encode(&xml)] {
        let (code, json, _) = desk.run(response.as_bytes(), &["--json", "--request-id", "_request"]);
        let report: Value = serde_json::from_str(&json).unwrap();
        assert_eq!((code, &report["verdict"], &report["reason"]), (0, &"accepted".into(), &Value::Null), "{json}");
        assert_eq!(report["name_id"], "ada-7");
        let attributes = report["attributes"].as_array().unwrap();
        assert!(attributes.iter().any(|attribute| attribute["values"] == serde_json::json!(["ada@corp.example"])));
    }
    let (code, text, _) = desk.run(xml.as_bytes(), &[]);
    assert_eq!(code, 0);
    assert!(text.contains("passed  signature\n") && text.contains("\naccepted\n"), "{text}");
    assert!(!text.contains('\u{1b}'), "no colours where nobody looks");
    let (code, text, _) = desk.run(xml.as_bytes(), &["--request-id", "_another"]);
    assert_eq!(code, 1);
    assert!(text.contains("FAILED  in_response_to\n") && text.contains("\nrefused: in_response_to\n"), "{text}");
}

#[test]
fn each_broken_set_up_is_named_with_what_to_change() {
    let desk = Desk::new("broken");
    let sound = sign_in();
    let signed = |sign_in: &SignIn<'_>| desk.signed(sign_in);
    desk.refuses(&signed(&SignIn { sp_entity_id: "https://old.example.com", ..sound }), "audience", "ntity ID");
    desk.refuses(&signed(&SignIn { acs_url: &ACS.replace("https", "http"), ..sound }), "destination", "ACS");
    let hour_ago = "2026-03-01T11:00:00Z".parse().unwrap();
    desk.refuses(&signed(&SignIn { now: hour_ago, ..sound }), "expired", "clock");
    let ahead = "2026-03-01T13:00:00Z".parse().unwrap();
    desk.refuses(&signed(&SignIn { now: ahead, ..sound }), "not_yet_valid", "clock");
    let transient = Some("urn:oasis:names:tc:SAML:2.0:nameid-format:transient");
    desk.refuses(&signed(&SignIn { name_id_format: transient, ..sound }), "name_id", "ersistent");
    desk.refuses(&signed(&SignIn { email: "", ..sound }), "email_missing", "mail");
    desk.refuses(&signed(&SignIn { idp_entity_id: "https://idp.test.example", ..sound }), "issuer", "etadata");
    let mut unsigned = Draft::new(IdpKind::Other, &sound);
    unsigned.signing = Signing::Assertion;
    desk.refuses(&unsigned.xml, "signature_missing", "ign");
    desk.refuses("<html/>", "structure", "SAML");

    let rolled_over = key();
    desk.publish(IDP, &rolled_over);
    desk.refuses(&signed(&sound), "signature", "certificate");
}

#[test]
fn input_that_is_none_ends_with_two() {
    let desk = Desk::new("unusable");
    fs::write(desk.folder.join("metadata.xml"), "<html><body>Sign in</body></html>").unwrap();
    let (code, text, error) = desk.run(b"<x/>", &[]);
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(error.contains("This is a web page, not metadata."), "{error}");
    let (code, ..) = desk.run(b"<x/>", &["--at", "yesterday"]);
    assert_eq!(code, 2);
}
