//! The choice among several organizations.

use std::sync::Arc;

use axum::http::{StatusCode, header};
use vestibule::{
    clock::after,
    id::OrganizationId,
    journal::Action,
    login::{self, Login, Progress},
    organization::Organization,
    provisioning::Mode,
    table::Transaction,
};
use vestibule_tests::text_of;

use super::{Answer, World, authentication, claims, sign_in};

/// A browser that was sent to a choice.
struct Choosing {
    login: String,
    cookie: String,
}

impl Choosing {
    fn of(answer: &Answer) -> Self {
        let target = answer.header(header::LOCATION);
        let login = target.strip_prefix("/oidc/choose?login=").unwrap_or_else(|| panic!("{target}")).to_owned();
        let (name, value) = answer.cookie();
        Self { login, cookie: format!("{name}={value}") }
    }

    /// After an assertion, as the assertion consumer service leaves it.
    async fn after_assertion(world: &World, organizations: &[OrganizationId]) -> Self {
        let app = world.app();
        let begun = world.authorize(&[], "").await;
        let id = begun.header(header::LOCATION).strip_prefix("/saml/start?login=").unwrap().parse().unwrap();
        let stored = app.store.login(id).await.unwrap().unwrap();
        let progress = Progress::Choosing {
            authentication: authentication(app, &world.ada, world.parent),
            organizations: organizations.to_vec(),
            may_join: true,
            promised: None,
        };
        let mut transaction = Transaction::<()>::default();
        transaction.replace_login(&Login { progress, ..stored.value }, stored.version, ());
        app.store.commit(transaction).await.unwrap();
        let (name, value) = begun.cookie();
        Self { login: id.to_string(), cookie: format!("{name}={value}") }
    }

    async fn show(&self, world: &World, cookie: &str) -> Answer {
        world.get(&format!("/oidc/choose?login={}", self.login), &[("cookie", cookie)]).await
    }

    async fn token(&self, world: &World) -> String {
        let page = self.show(world, &self.cookie).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let (_, rest) = page.body.split_once("name=\"token\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn choose(&self, world: &World, organization: OrganizationId, token: &str) -> Answer {
        self.choose_from(world, organization, token, &[("cookie", &self.cookie)]).await
    }

    async fn choose_from(
        &self,
        world: &World,
        organization: OrganizationId,
        token: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let organization = organization.to_string();
        let form = [("login", self.login.as_str()), ("token", token), ("organization", &organization)];
        world.post("/oidc/choose", headers, &form).await
    }
}

/// Ada belongs to a second organization, and signed in since.
async fn second(world: &World) -> (Organization, Choosing) {
    let lab = world.organization("<b>Lab</b> & Sons", Mode::Manual).await;
    world.join(lab.id, "user").await;
    let choosing = Choosing::of(&world.authorize(&[], &world.session).await);
    (lab, choosing)
}

#[tokio::test]
async fn a_person_chooses_once_and_the_code_is_for_that_organization() {
    let world = World::new().await;
    let (lab, choosing) = second(&world).await;
    let page = choosing.show(&world, &choosing.cookie).await;
    assert!(page.body.contains("&#60;b&#62;Lab&#60;/b&#62;"), "names are text: {}", page.body);
    for text in ["Corp", "Reports & more", "ada@corp.example"] {
        assert!(text_of(&page.body).contains(text), "{text}: {}", page.body);
    }
    assert!(!page.body.contains("become a member"));
    assert!(page.header(header::CONTENT_SECURITY_POLICY).contains("form-action 'self' https:"));
    assert!(page.cost.round_trips <= 2, "{}", page.cost);

    let token = choosing.token(&world).await;
    let chosen = choosing.choose(&world, lab.id, &token).await;
    assert!(chosen.cost.round_trips <= 3, "{}", chosen.cost);
    let code = chosen.handed_over()["code"].clone();
    assert!(chosen.header(header::SET_COOKIE).contains("Max-Age=0"), "the login's cookie has ended");
    let tokens = world.token(&world.application, &World::exchange(&code, &[])).await;
    assert_eq!(claims(&tokens.json())["organization"], lab.id.to_string());
    assert_eq!(claims(&tokens.json())["role"], "user");
    let again = choosing.choose(&world, lab.id, &token).await;
    again.assert_page(StatusCode::BAD_REQUEST, "was finished");
    choosing.show(&world, &choosing.cookie).await.assert_page(StatusCode::BAD_REQUEST, "was finished");
}

#[tokio::test]
async fn only_the_browser_that_was_asked_chooses_and_only_on_our_page() {
    let world = World::new().await;
    let (lab, choosing) = second(&world).await;
    let another = Choosing::of(&world.authorize(&[], &world.session).await);
    let token = choosing.token(&world).await;
    for cookie in ["", world.session.as_str(), another.cookie.as_str(), "vestibule-login-00000000=x"] {
        choosing.show(&world, cookie).await.assert_page(StatusCode::BAD_REQUEST, "another browser");
        let posted = choosing.choose_from(&world, lab.id, &token, &[("cookie", cookie)]).await;
        posted.assert_page(StatusCode::BAD_REQUEST, "another browser");
    }
    for foreign in ["", "x", another.token(&world).await.as_str()] {
        let posted = choosing.choose(&world, lab.id, foreign).await;
        posted.assert_page(StatusCode::FORBIDDEN, "not made on a page of ours");
    }
    for header in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let headers = [("cookie", choosing.cookie.as_str()), header];
        let posted = choosing.choose_from(&world, lab.id, &token, &headers).await;
        posted.assert_page(StatusCode::FORBIDDEN, "not made on a page of ours");
    }
    let headers = [("cookie", choosing.cookie.as_str()), ("origin", "null"), ("sec-fetch-site", "same-origin")];
    assert!(choosing.choose_from(&world, lab.id, &token, &headers).await.handed_over().contains_key("code"));
}

#[tokio::test]
async fn only_what_was_offered_and_still_fits_is_given() {
    let world = World::new().await;
    let (lab, choosing) = second(&world).await;
    let token = choosing.token(&world).await;
    let unasked = world.organization("Unasked", Mode::Jit).await;
    let refused = choosing.choose(&world, unasked.id, &token).await;
    refused.assert_page(StatusCode::FORBIDDEN, "not one of the choices");
    world.leave(lab.id).await;
    choosing.choose(&world, lab.id, &token).await.assert_page(StatusCode::FORBIDDEN, "not a member");
    assert!(!choosing.show(&world, &choosing.cookie).await.body.contains("Lab"), "it is not shown any more");
    world.leave(world.organization.id).await;
    choosing.show(&world, &choosing.cookie).await.assert_page(StatusCode::FORBIDDEN, "not a member");
}

#[tokio::test]
async fn after_an_assertion_a_choice_makes_a_member_but_after_a_session_it_does_not() {
    let world = World::new().await;
    let lab = world.organization("Lab", Mode::Jit).await;
    let choosing = Choosing::after_assertion(&world, &[world.organization.id, lab.id]).await;
    assert!(choosing.show(&world, &choosing.cookie).await.body.contains("become a member"));
    let token = choosing.token(&world).await;
    let answer = choosing.choose(&world, lab.id, &token).await;
    let code = answer.handed_over()["code"].clone();
    assert!(answer.cost.round_trips <= 3, "{}", answer.cost);
    let tokens = world.token(&world.application, &World::exchange(&code, &[])).await;
    assert_eq!(claims(&tokens.json())["role"], "user");
    assert!(world.membership(lab.id).await.is_some());
    let events = world.app().store.events(world.parent, None, 10).await.unwrap().items;
    let joined: Vec<_> = events.iter().filter(|event| event.value.action == Action::MemberAdded).collect();
    assert_eq!(joined.len(), 1);
    assert_eq!(joined[0].value.subject, world.ada.id.to_string());

    // From a session, with the membership gone again before the choice.
    let anew = sign_in(world.app(), &world.ada, world.parent).await;
    let choosing = Choosing::of(&world.authorize(&[], &anew).await);
    let token = choosing.token(&world).await;
    world.leave(lab.id).await;
    choosing.choose(&world, lab.id, &token).await.assert_page(StatusCode::FORBIDDEN, "not a member");
    assert!(world.membership(lab.id).await.is_none());
}

#[tokio::test]
async fn a_choice_takes_no_longer_than_a_login() {
    let world = World::new().await;
    let (lab, choosing) = second(&world).await;
    let token = choosing.token(&world).await;
    world.wait(login::LIFETIME);
    choosing.choose(&world, lab.id, &token).await.assert_page(StatusCode::BAD_REQUEST, "took too long");

    // Nor than the session that it goes by.
    let (world, left) = (World::new().await, 60);
    second(&world).await;
    world.wait(vestibule::session::LIFETIME - left);
    let choosing = Choosing::of(&world.authorize(&[], &world.session).await);
    let login = world.app().store.login(choosing.login.parse().unwrap()).await.unwrap().unwrap().value;
    assert_eq!(login.expires_at, after(world.app().clock.now(), left));
}

#[tokio::test]
async fn of_many_clicks_one_is_answered_with_a_code() {
    let world = Arc::new(World::new().await);
    let (lab, choosing) = second(&world).await;
    let token = choosing.token(&world).await;
    let choosing = Arc::new(choosing);
    let clicks = (0..16).map(|_| {
        let (world, choosing, token) = (world.clone(), choosing.clone(), token.clone());
        tokio::spawn(async move { choosing.choose(&world, lab.id, &token).await.status })
    });
    let mut given = 0;
    for click in clicks.collect::<Vec<_>>() {
        given += usize::from(click.await.unwrap() == StatusCode::SEE_OTHER);
    }
    assert_eq!(given, 1);
}
