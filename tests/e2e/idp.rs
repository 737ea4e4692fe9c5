//! The test identity provider, as a product that trusts it sees it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use url::Url;
use vestibule::saml::{
    Assertion, AuthnRequest, Expected, IdpKind, IdpMetadata, Reason, Request, Skew, Trace, Trust, Unverified,
};
use vestibule_local::idp::Fault;
use vestibule_tests::{Browser, Page, Product, start_time};

/// A service provider at the product's own address.
struct Asking {
    product: Product,
    browser: Browser,
    idp: IdpMetadata,
    acs_url: String,
    sp_entity_id: String,
}

impl Asking {
    async fn new() -> Self {
        let product = Product::start().await;
        let mut browser = product.browser();
        let metadata = browser.open("/idp/metadata").await;
        assert_eq!(metadata.header("content-type"), "application/samlmetadata+xml");
        let idp = IdpMetadata::read(&metadata.body).unwrap();
        let connection = product.local.app.settings.url("/saml/con_1");
        let (acs_url, sp_entity_id) = (format!("{connection}/acs"), format!("{connection}/metadata"));
        Self { product, browser, idp, acs_url, sp_entity_id }
    }

    fn request<'a>(&'a self, destination: &'a Url, acs_url: &'a str) -> AuthnRequest<'a> {
        AuthnRequest {
            id: "_request",
            issue_instant: start_time(),
            destination,
            acs_url,
            issuer: &self.sp_entity_id,
            name_id_format: None,
            force_authn: false,
        }
    }

    /// The page where people choose who they are.
    async fn ask(&mut self) -> Page {
        let destination = self.idp.sso_redirect.clone().unwrap();
        let url = self.request(&destination, &self.acs_url).redirect_url(Some("state"), None).unwrap();
        self.browser.open(url.as_str()).await
    }

    /// The response that the browser is given to post, once somebody has signed in with this address.
    async fn sign_in(&mut self, email: &str, fault: &str) -> String {
        let page = self.ask().await;
        let form = page.form("/idp/sign-in").fill("email", email).fill("groups", "one\n\n two \n").fill("fault", fault);
        let answer = self.browser.submit(&page, &form).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let form = answer.form("/saml/con_1/acs");
        assert_eq!(form.value("RelayState"), Some("state"));
        form.value("SAMLResponse").unwrap().to_owned()
    }

    fn read(&self, response: &str) -> Result<Assertion, Reason> {
        let expected = Expected {
            idp_entity_id: &self.idp.entity_id,
            sp_entity_id: &self.sp_entity_id,
            acs_url: &self.acs_url,
            request: Request::Pending("_request"),
            authenticated_since: None,
            now: start_time(),
            skew: Skew::default(),
        };
        let trust = Trust::new(&self.idp.entity_id, self.idp.certificates.clone());
        let mut trace = Trace::new(IdpKind::Other);
        Unverified::decode(response, &mut trace)
            .and_then(|unverified| unverified.verify(&trust, start_time(), &mut trace))
            .and_then(|signed| signed.check(&expected, &mut trace))
            .map_err(|refusal| refusal.reason())
    }
}

#[tokio::test]
async fn anybody_signs_in_with_any_groups() {
    let mut asking = Asking::new().await;
    let response = asking.sign_in("somebody.new@acme.example", "").await;
    let assertion = asking.read(&response).unwrap();
    assert_eq!(assertion.email(None).unwrap().address, "somebody.new@acme.example");
    assert_eq!(assertion.groups(None), ["one", "two"]);
    assert_eq!(assertion.display_name().unwrap(), "Somebody New");
    let again = asking.sign_in("Somebody.New@acme.example", "").await;
    assert_eq!(asking.read(&again).unwrap().name_id, assertion.name_id, "a person keeps the identifier");
}

#[tokio::test]
async fn each_fault_of_the_message_is_refused_for_its_reason() {
    let mut asking = Asking::new().await;
    for fault in Fault::ALL {
        let response = asking.sign_in("ada@acme.example", fault.word()).await;
        let reason = asking.read(&response).map(|_| ()).err();
        // The last two are sound messages, which the product refuses by what it knows.
        let known_elsewhere = matches!(fault, Fault::OtherDomain | Fault::OtherNameId);
        assert_eq!(reason, Some(fault.reason()).filter(|_| !known_elsewhere), "{fault:?}");
    }
}

#[tokio::test]
async fn both_bindings_are_understood() {
    let mut asking = Asking::new().await;
    assert!(asking.ask().await.text().contains(&asking.sp_entity_id), "the page says who asks");
    let destination = asking.idp.sso_post.clone().unwrap();
    let posted = asking.request(&destination, &asking.acs_url).post_form(Some("state"), None).unwrap();
    let fields = [("SAMLRequest".to_owned(), posted.saml_request), ("RelayState".to_owned(), "state".to_owned())];
    let page = asking.browser.step(reqwest::Method::POST, posted.action.as_str(), Some(&fields)).await;
    assert_eq!(page.form("/idp/sign-in").value("request_id"), Some("_request"));
}

#[tokio::test]
async fn an_answer_goes_to_this_product_only() {
    let mut asking = Asking::new().await;
    let destination = asking.idp.sso_redirect.clone().unwrap();
    let foreign = asking.request(&destination, "https://elsewhere.example/acs").redirect_url(None, None).unwrap();
    let page = asking.browser.open(foreign.as_str()).await;
    assert_eq!(page.status, 400);
    assert!(page.text().contains("somewhere else than at this product"));

    let page = asking.ask().await;
    let form =
        page.form("/idp/sign-in").fill("email", "ada@acme.example").fill("acs_url", "https://elsewhere.example/");
    assert_eq!(asking.browser.submit(&page, &form).await.status, 400);

    for junk in ["x", &STANDARD.encode("<a/>"), ""] {
        let page = asking.browser.open(&format!("/idp/sso?SAMLRequest={junk}")).await;
        assert_eq!(page.status, 400, "{junk}");
    }
}

#[tokio::test]
async fn an_incomplete_address_is_asked_for_again() {
    let mut asking = Asking::new().await;
    let page = asking.ask().await;
    let again = asking.browser.submit(&page, &page.form("/idp/sign-in").fill("email", "ada")).await;
    assert_eq!(again.status, 422);
    let form = again.form("/idp/sign-in").fill("email", "ada@acme.example");
    assert_eq!(form.value("request_id"), Some("_request"));
    assert_eq!(asking.browser.submit(&again, &form).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_can_begin_at_the_portal() {
    let mut asking = Asking::new().await;
    let home = asking.browser.open("/idp").await;
    let page = asking.browser.submit(&home, &home.form("/idp/sso").fill("acs_url", &asking.acs_url)).await;
    assert!(page.text().contains("Nobody asked for this sign-in."));
    let form = page.form("/idp/sign-in").fill("email", "ada@acme.example");
    let answer = asking.browser.submit(&page, &form).await;
    let response = answer.form("/saml/con_1/acs").value("SAMLResponse").unwrap().to_owned();
    assert_eq!(asking.read(&response).map(|_| ()), Err(Reason::InResponseTo));
}

#[tokio::test]
async fn forms_of_other_sites_change_nothing() {
    let asking = Asking::new().await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for path in ["/idp/sign-in", "/dns", "/app/sign-out"] {
        let url = asking.product.local.base_url.join(path).unwrap();
        let foreign = client.post(url).header("sec-fetch-site", "cross-site").body("name=a&values=b");
        let foreign = foreign.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(foreign.send().await.unwrap().status(), 403, "{path}");
    }
    assert!(asking.product.local.zone.records().await.is_empty());
}
