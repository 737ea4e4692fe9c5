use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CALLBACK: &str = "https://app.example.com/cb?x=1";

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        application: ApplicationId::from_bits(1),
        surface: serde_json::from_str("\"claudeai\"").unwrap(),
        redirect_uri: CALLBACK.to_owned(),
        scope: "openid offline_access".to_owned(),
        state: Some("a b&c".to_owned()),
        nonce: None,
        code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        organization: None,
        force: false,
        subject: None,
    }
}

fn admission(now: Timestamp) -> Admission {
    let authentication = Authentication {
        account: AccountId::from_bits(2),
        email: "ada@corp.example".parse().unwrap(),
        connection: crate::id::ConnectionId::from_bits(3),
        parent: crate::id::ParentId::from_bits(4),
        at: now,
        proven_at: now,
        methods: Vec::new(),
    };
    Admission::new(&request(), &authentication, OrganizationId::from_bits(5), now)
}

fn membership(since: Timestamp) -> Membership {
    Membership {
        account: AccountId::from_bits(2),
        email: "ada@corp.example".parse().unwrap(),
        organization: OrganizationId::from_bits(5),
        role: serde_json::from_str("\"user\"").unwrap(),
        source: crate::account::Source::Manual,
        since,
    }
}

/// A grant that was given at `now`.
pub(super) fn granted(now: Timestamp) -> Grant {
    redeem(|_, _| {}, now).unwrap().grant
}

/// Redeems a code of `start()` at `now`, after `change` to the code and to what is presented.
fn redeem(change: impl FnOnce(&mut Code, &mut Presented<'_>), now: Timestamp) -> Result<Redeemed, GrantRefusal> {
    let mut code = Code::new(request(), admission(start()), None);
    let mut presented = Presented { application: code.request.application, redirect_uri: CALLBACK, verifier: VERIFIER };
    change(&mut code, &mut presented);
    code.redeem(&presented, Some(&membership(start())), now, &Random::default())
}

#[test]
fn the_challenge_of_the_rfc_is_verified() {
    // RFC 7636, appendix B.
    assert!(request().is_verified_by(VERIFIER));
    assert!(!request().is_verified_by("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXl"));
    assert!(!request().is_verified_by("short"));
}

#[test]
fn answers_keep_the_query_and_escape_the_state() {
    assert_eq!(
        request().answered_with(&Secret::presented("C"), "https://id.example.com"),
        "https://app.example.com/cb?x=1&code=C&state=a+b%26c&iss=https%3A%2F%2Fid.example.com"
    );
}

#[test]
fn unknown_scopes_are_ignored() {
    assert_eq!(known_scopes("offline_access openid  x email"), "openid email offline_access");
    assert_eq!(known_scopes("openidx"), "");
}

#[test]
fn a_code_is_good_for_what_it_was_issued_for() {
    let Redeemed { code, grant, refresh } = redeem(|_, _| {}, after(start(), 59)).unwrap();
    assert_eq!(code.redeemed, Some(grant.id));
    assert_eq!(grant.expires_at, after(start(), 59 + GRANT_LIFETIME));
    assert_eq!(grant.refresh, refresh.map(|token| token.secret.hash()));

    let refused = |change: fn(&mut Code, &mut Presented<'_>)| redeem(change, start()).err();
    assert_eq!(redeem(|_, _| {}, after(start(), 60)).err(), Some(GrantRefusal::Expired));
    assert_eq!(
        refused(|_, presented| presented.application = ApplicationId::from_bits(9)),
        Some(GrantRefusal::OtherApplication)
    );
    assert_eq!(
        refused(|_, presented| presented.redirect_uri = "https://app.example.com/cb"),
        Some(GrantRefusal::RedirectUri)
    );
    assert_eq!(refused(|_, presented| presented.verifier = CALLBACK), Some(GrantRefusal::Verifier));
    assert_eq!(
        refused(|code, _| code.request.subject = Some(AccountId::from_bits(9))),
        Some(GrantRefusal::OtherPerson)
    );
    assert_eq!(refused(|code, _| code.admission.account = AccountId::from_bits(9)), Some(GrantRefusal::NotMember));
}

#[test]
fn reuse_names_the_grant_but_not_to_another_application() {
    let grant = GrantId::from_bits(7);
    let used = |code: &mut Code| code.redeemed = Some(grant);
    assert_eq!(
        redeem(|code, _| used(code), after(start(), 3600)).err(),
        Some(GrantRefusal::UsedBefore(grant)),
        "even long after it expired"
    );
    let other = redeem(
        |code, presented| {
            used(code);
            presented.application = ApplicationId::from_bits(9);
        },
        start(),
    );
    assert_eq!(other.err(), Some(GrantRefusal::OtherApplication));
}

#[test]
fn without_offline_access_a_grant_ends_with_its_access_token() {
    let Redeemed { grant, refresh, .. } = redeem(|code, _| code.admission.scope = OPENID.to_owned(), start()).unwrap();
    assert!(refresh.is_none());
    assert_eq!(grant.expires_at, after(start(), ACCESS_LIFETIME));
}

#[test]
fn each_refresh_token_is_good_once() {
    let Redeemed { grant, refresh, .. } = redeem(|_, _| {}, start()).unwrap();
    let (first, application) = (refresh.unwrap(), grant.admission.application);
    let member = membership(start());
    let refreshed = |grant: &Grant, token: &RefreshToken, now| {
        grant.refreshed(token, application, Some(&member), now, &Random::default())
    };
    let (next, second) = refreshed(&grant, &first, after(start(), 86400)).unwrap();
    assert_eq!(next.expires_at, grant.expires_at, "it is not prolonged");
    assert_eq!(refreshed(&next, &first, start()).err(), Some(GrantRefusal::UsedBefore(grant.id)));
    assert!(refreshed(&next, &second, start()).is_ok());
    assert_eq!(refreshed(&next, &second, next.expires_at).err(), Some(GrantRefusal::Expired));
    let revoked = Grant { revoked: true, ..next.clone() };
    assert_eq!(refreshed(&revoked, &second, start()).err(), Some(GrantRefusal::Revoked));
    let other = next.refreshed(&second, ApplicationId::from_bits(9), Some(&member), start(), &Random::default());
    assert_eq!(other.err(), Some(GrantRefusal::OtherApplication));
}

#[test]
fn who_left_or_came_back_signs_in_again() {
    let grant = granted(start());
    let member = |since| Some(membership(since));
    assert!(grant.holds(member(start()).as_ref(), start()));
    assert!(!grant.holds(None, start()));
    assert!(!grant.holds(member(after(start(), 1)).as_ref(), after(start(), 2)));
    assert!(!grant.holds(member(start()).as_ref(), grant.expires_at));
    assert!(!Grant { revoked: true, ..grant }.holds(member(start()).as_ref(), start()));
}
