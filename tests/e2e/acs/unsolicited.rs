//! Answers that nobody asked for: refused, or, where an administrator allows it, sent on to an application to begin anew.

use vestibule::{
    application::Application, connection::Options, id::ApplicationId, login::AttemptOutcome, saml::CheckName,
};

use super::*;

impl World {
    /// A world whose connection sends people who begin at the identity provider to an application.
    async fn open() -> (Self, ApplicationId) {
        let mut world = Self::new().await;
        let application = Application {
            id: world.app().random.id(),
            name: "Claude".parse().unwrap(),
            surface: world.organization.surface.clone(),
            redirect_uris: vec!["https://app.example.com/callback".parse().unwrap()],
            start_login_uri: Some("https://app.example.com/login?from=portal".parse().unwrap()),
            secret: None,
            created_at: world.app().clock.now(),
        };
        let options = Options { idp_initiated_application: Some(application.id), ..Options::default() };
        let opened = Connection { options, ..world.connection.clone() };
        let mut transaction = Transaction::<()>::default();
        transaction.create_application(&application);
        transaction.replace_connection(&opened, 1, ());
        world.app().store.commit(transaction).await.unwrap();
        world.connection = opened;
        (world, application.id)
    }

    /// What an answer says that nobody asked for.
    async fn unsolicited(&self) -> Claims {
        let waiting = self.waiting().await;
        Claims { in_response_to: String::new(), ..self.claims(&waiting) }
    }

    async fn bring(&self, response: &str, relay_state: Option<&str>) -> Response {
        self.post_with(&self.connection.id.to_string(), None, relay_state, response).await
    }
}

#[tokio::test]
async fn it_is_refused_unless_an_administrator_allows_it() {
    let world = World::new().await;
    let response = world.idp.respond(&world.unsolicited().await, Some(Signing::Both));
    let page = world.bring(&response, None).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    assert!(text(page).await.contains("Open the application itself and sign in there."));
    let attempt = world.attempts().await.remove(0);
    assert_eq!((attempt.reason, attempt.application), (Some(Reason::IdpInitiated), None));
    let advice = attempt.checks.failed().unwrap().advice.clone().unwrap();
    assert!(advice.contains("Start it from the application"), "{advice}");
}

#[tokio::test]
async fn it_leads_to_the_application_and_is_no_session() {
    let (world, application) = World::open().await;
    let waiting = world.waiting().await;
    let before = world.state(&waiting).await;
    let response = world.idp.respond(&world.unsolicited().await, Some(Signing::Both));
    let answer = world.bring(&response, Some("https://evil.example/\"><script>")).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(
        location(&answer),
        format!(
            "https://app.example.com/login?from=portal&login_hint=Ada%40corp.example&iss={}",
            url::form_urlencoded::byte_serialize(world.app().settings.issuer().as_bytes()).collect::<String>()
        )
    );
    assert!(answer.headers().get(header::SET_COOKIE).is_none(), "no session");
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
    let cost = *answer.extensions().get::<Cost>().unwrap();
    assert!(cost.round_trips <= 3, "{cost}");
    assert_eq!(world.state(&waiting).await, before, "nobody joins, no account comes to be");
    let attempt = world.attempts().await.remove(0);
    assert_eq!((attempt.reason, attempt.application), (None, Some(application)));
    assert_eq!(attempt.outcome(), AttemptOutcome::SentOn, "accepted, but no sign-in");
    assert_eq!(attempt.email.unwrap().to_string(), "Ada@corp.example");

    // Once.
    world.product.clock.advance(SignedDuration::from_secs(1));
    assert_eq!(world.bring(&response, None).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(world.attempts().await[0].reason, Some(Reason::Replayed));
    // Not even as the answer to a login.
    let posted = world.post(&world.connection.id.to_string(), Some(&waiting), &response).await;
    assert_eq!(posted.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn of_many_posts_of_one_only_one_is_sent_on() {
    let (world, _) = World::open().await;
    let world = Arc::new(world);
    let response = Arc::new(world.idp.respond(&world.unsolicited().await, Some(Signing::Both)));
    let posts = (0..20).map(|_| {
        let (world, response) = (world.clone(), response.clone());
        tokio::spawn(async move { world.bring(&response, None).await.status() })
    });
    let mut sent_on = 0;
    for post in posts.collect::<Vec<_>>() {
        sent_on += usize::from(post.await.unwrap() == StatusCode::SEE_OTHER);
    }
    assert_eq!(sent_on, 1);
}

#[tokio::test]
async fn it_never_answers_a_login_under_way() {
    let (world, _) = World::open().await;
    let waiting = world.waiting().await;
    let claims = Claims { in_response_to: String::new(), ..world.claims(&waiting) };
    // In the browser that waits for an answer, as if it were that answer.
    world.refuses(&waiting, &world.idp.respond(&claims, Some(Signing::Both)), Reason::InResponseTo).await;
    // Beside it: the login goes on untouched.
    let before = world.state(&waiting).await;
    let later = Claims { at: world.app().clock.now(), ..claims };
    let response = world.idp.respond(&later, Some(Signing::Both));
    let beside = world.post_with(&world.connection.id.to_string(), Some(&waiting), Some("portal"), &response).await;
    assert_eq!(beside.status(), StatusCode::SEE_OTHER);
    assert!(location(&beside).starts_with("https://app.example.com/login?"));
    assert_eq!(world.state(&waiting).await, before);
    let answer = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await;
    assert!(location(&answer).contains("code="), "{}", location(&answer));
}

#[tokio::test]
async fn each_check_holds_for_it_too() {
    let (world, _) = World::open().await;
    let evil = IdentityProvider::new("https://idp.evil.example");
    let (evil_connection, _) = customer(world.app(), &evil, "evil.example").await;
    let sound = world.unsolicited().await;
    let with = |change: &dyn Fn(&mut Claims)| {
        let mut claims = sound.clone();
        change(&mut claims);
        world.idp.respond(&claims, Some(Signing::Both))
    };
    let theirs = evil_connection.acs_url(&world.app().settings);
    for (response, reason) in [
        (with(&|c| c.destination.clone_from(&theirs)), Reason::Destination),
        (with(&|c| c.audience = "https://elsewhere.example".to_owned()), Reason::Audience),
        (with(&|c| c.in_response_to = "_request".to_owned()), Reason::InResponseTo),
        (with(&|c| c.at = vestibule::clock::after(c.at, -3600)), Reason::Expired),
        (with(&|c| c.email = "ada@evil.example".to_owned()), Reason::DomainNotOwned),
        (with(&|c| c.name_id.1 = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient".to_owned()), Reason::NameId),
    ] {
        let page = world.bring(&response, None).await;
        assert_eq!(page.status(), StatusCode::FORBIDDEN, "{reason}");
        let attempt = world.attempts().await.remove(0);
        assert_eq!((attempt.reason, attempt.application, attempt.email), (Some(reason), None, None), "{reason}");
        world.product.clock.advance(SignedDuration::from_secs(1));
    }
    // Unsigned, or signed by another customer's provider: refused, and not on the customer's record.
    let known = world.attempts().await.len();
    for response in [world.idp.respond(&sound, None), evil.respond(&sound, Some(Signing::Both))] {
        assert_eq!(world.bring(&response, None).await.status(), StatusCode::FORBIDDEN);
    }
    assert_eq!(world.attempts().await.len(), known);
    // Ours at theirs, which does not accept such answers at all.
    let page = world.post_with(&evil_connection.id.to_string(), None, None, &with(&|_| {})).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_name_id_that_is_tied_to_somebody_else_leads_nowhere() {
    let (world, _) = World::open().await;
    let waiting = world.waiting().await;
    let tied = world.answer(&waiting, &world.claims(&waiting), Some(Signing::Both)).await;
    assert_eq!(tied.status(), StatusCode::SEE_OTHER);
    world.product.clock.advance(SignedDuration::from_secs(1));
    let mut claims = world.unsolicited().await;
    claims.name_id.0 = "somebody-else".to_owned();
    let page = world.bring(&world.idp.respond(&claims, Some(Signing::Both)), None).await;
    assert_eq!(page.status(), StatusCode::FORBIDDEN);
    let attempt = world.attempts().await.remove(0);
    assert_eq!(attempt.reason, Some(Reason::NameIdConflict));
    let access = attempt.checks.checks().iter().find(|check| check.name == CheckName::Access).unwrap();
    assert_eq!(access.outcome, Outcome::NotReached);
}
