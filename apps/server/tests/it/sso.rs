//! Signing in at a certified issuer: who comes in, as what, and what is not believed.

use crate::{
    app::{App, Options, command},
    issuer::{Browser, Issuer, PUBLIC, SECRET, public, set, start, with},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Where a login that succeeds ends.
const INSIDE: &str = "/jobs?status=failed";

fn refused(code: &str) -> String {
    format!("/login?error={code}")
}

/// Roles by group.
fn by_groups() -> Value {
    json!({ "role_claim": "groups", "roles": { "ops": "admin", "staff": "member" } })
}

async fn log_in(app: &App, name: &str) -> (Browser, String) {
    let mut browser = Browser::new(app);
    let end = browser.log_in(name).await;
    (browser, end)
}

#[tokio::test]
async fn a_new_person_becomes_what_the_claim_says_and_with_each_login_what_it_says_then() {
    let (app, issuer) = start(by_groups()).await;
    let access = app.get("/api/v1/access").await;
    assert_eq!(access["oidc"], json!({ "name": "Company" }));
    let grace =
        |groups: Value| json!({ "name": "Grace", "email": "Grace@Example.com", "groups": groups });
    issuer
        .knows("grace", grace(json!(["staff", "ops", "x"])))
        .await;
    let (mut first, end) = log_in(&app, "grace").await;
    assert_eq!(end, INSIDE);
    let session = first.session().await;
    assert_eq!(session["role"], "admin");
    let user = &session["user"];
    assert_eq!(
        (&user["name"], &user["email"]),
        (&json!("Grace"), &json!("grace@example.com"))
    );
    assert_eq!(user["oidc_subject"], format!("{} grace", issuer.url));
    assert_eq!(user["has_password"], false);
    assert!(
        first
            .cookies
            .contains_key(&(PUBLIC.to_owned(), "__Host-nitejar_session".to_owned()))
    );
    assert!(
        !first
            .cookies
            .contains_key(&(PUBLIC.to_owned(), "__Host-nitejar_oidc".to_owned()))
    );

    issuer.knows("grace", grace(json!("staff"))).await;
    let (mut second, end) = log_in(&app, "grace").await;
    assert_eq!(end, INSIDE);
    assert_eq!(second.session().await["user"]["id"], user["id"]);
    assert_eq!(
        first.session().await["role"],
        "member",
        "at once, for every login"
    );

    issuer.knows("grace", grace(json!([]))).await;
    assert_eq!(log_in(&app, "grace").await.1, refused("not_allowed"));
    assert_eq!(app.items("/api/v1/users").await.len(), 1);
    assert!(!app.log().contains(SECRET));
}

#[tokio::test]
async fn strangers_are_refused_unless_everybody_else_has_a_role() {
    let (app, issuer) = start(by_groups()).await;
    issuer
        .knows(
            "mallory",
            json!({ "email": "mallory@example.com", "groups": ["x"] }),
        )
        .await;
    assert_eq!(log_in(&app, "mallory").await.1, refused("unknown_person"));
    assert!(app.items("/api/v1/users").await.is_empty());
    let settings = with(
        issuer.settings(by_groups()),
        json!({ "default_role": "viewer" }),
    );
    assert_eq!(set(&app, settings).await.0, StatusCode::OK);
    let (mut mallory, end) = log_in(&app, "mallory").await;
    assert_eq!(end, INSIDE);
    let session = mallory.session().await;
    assert_eq!(
        (&session["role"], &session["user"]["name"]),
        (&json!("viewer"), &json!("mallory@example.com"))
    );
    issuer.knows("nobody", json!({})).await;
    assert_eq!(log_in(&app, "nobody").await.1, refused("email_missing"));

    let path = format!("/api/v1/users/{}", session["user"]["id"].as_str().unwrap());
    let (status, _) = app
        .call(Method::PATCH, &path, Some(json!({ "enabled": false })))
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(log_in(&app, "mallory").await.1, refused("user_disabled"));
    assert_eq!(mallory.session_status().await, StatusCode::UNAUTHORIZED);
}

/// Somebody with a password here, and the id they have.
async fn local(app: &App, email: &str, role: &str) -> String {
    let body = json!({ "email": email, "role": role });
    let link = app.post("/api/v1/invitations", body).await;
    let (_, token) = link["url"].as_str().unwrap().split_once("#token=").unwrap();
    let redeem = json!({ "token": token, "name": "Kim", "password": "a long enough passphrase" });
    let redeemed = app.post("/api/v1/links/redeem", redeem).await;
    redeemed["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_address_makes_somebody_a_user_only_where_the_issuer_vouches_for_it() {
    let (app, issuer) = start(json!({})).await;
    let id = local(&app, "kim@example.com", "member").await;
    let kim = |is_theirs: bool| json!({ "email": "Kim@example.com", "email_verified": is_theirs });
    issuer.knows("kim", kim(true)).await;
    assert_eq!(
        log_in(&app, "kim").await.1,
        refused("unknown_person"),
        "it is not set"
    );

    let linking = json!({ "link_by_email": true });
    assert_eq!(
        set(&app, issuer.settings(linking.clone())).await.0,
        StatusCode::OK
    );
    issuer.knows("kim", kim(false)).await;
    assert_eq!(log_in(&app, "kim").await.1, refused("unknown_person"));
    issuer.knows("kim", kim(true)).await;
    let (mut browser, end) = log_in(&app, "kim").await;
    assert_eq!(end, INSIDE);
    let session = browser.session().await;
    assert_eq!(
        (session["user"]["id"].as_str(), &session["role"]),
        (Some(id.as_str()), &json!("member"))
    );

    // Linked, the address says nothing any more: neither for them nor for who gets it next.
    issuer.knows("kim", json!({})).await;
    assert_eq!(log_in(&app, "kim").await.1, INSIDE);
    issuer.knows("another", kim(true)).await;
    assert_eq!(log_in(&app, "another").await.1, refused("unknown_person"));
    let open = with(
        issuer.settings(linking),
        json!({ "default_role": "viewer" }),
    );
    assert_eq!(set(&app, open).await.0, StatusCode::OK);
    assert_eq!(log_in(&app, "another").await.1, refused("email_taken"));
}

#[tokio::test]
async fn who_was_invited_needs_no_password() {
    let (app, issuer) = start(json!({ "link_by_email": true })).await;
    let body = json!({ "email": "lee@example.com", "role": "admin" });
    app.post("/api/v1/invitations", body).await;
    issuer
        .knows(
            "lee",
            json!({ "email": "lee@example.com", "email_verified": true }),
        )
        .await;
    let (mut lee, end) = log_in(&app, "lee").await;
    assert_eq!(end, INSIDE);
    assert_eq!(lee.session().await["role"], "admin");
    assert!(app.items("/api/v1/invitations").await.is_empty());
}

/// The address with one parameter of its query changed.
fn tampered(url: &str, name: &str, value: &str) -> String {
    let (start, rest) = url.split_once(&format!("{name}=")).expect(url);
    let end = rest.find('&').unwrap_or(rest.len());
    format!("{start}{name}={value}{}", &rest[end..])
}

#[tokio::test]
async fn an_answer_is_good_once_and_in_the_browser_that_asked() {
    let (app, issuer) = start(json!({ "default_role": "member" })).await;
    issuer
        .knows("kim", json!({ "email": "kim@example.com" }))
        .await;
    let mut browser = Browser::new(&app);
    let there = browser.begin().await;
    for part in [
        "code_challenge_method=S256",
        "response_type=code",
        "nonce=",
        "scope=openid",
    ] {
        assert!(there.contains(part), "{there}");
    }
    let kept = browser.cookies.clone();
    let back = browser.sign_in(&there, "kim").await;
    let mut elsewhere = Browser::new(&app);
    assert_eq!(
        elsewhere.get(&back).await.location,
        refused("state_unknown")
    );
    let wrong = tampered(&back, "state", "wrong");
    elsewhere.cookies.clone_from(&kept);
    assert_eq!(
        elsewhere.get(&wrong).await.location,
        refused("state_unknown")
    );
    elsewhere.cookies.clone_from(&kept);
    let other = tampered(&back, "iss", "https%3A%2F%2Fevil.example");
    assert_eq!(
        elsewhere.get(&other).await.location,
        refused("issuer_refused")
    );

    // The code of one login, slipped into another.
    let mut victim = Browser::new(&app);
    let theirs = victim.begin().await;
    let state = theirs.split_once("state=").unwrap().1;
    let state = &state[..state.find('&').unwrap_or(state.len())];
    let slipped = tampered(&back, "state", state);
    assert_eq!(
        victim.get(&slipped).await.location,
        refused("issuer_refused")
    );

    // It was tried with the wrong verifier, so the issuer takes it no more; a new one is good, once.
    let mut browser = Browser::new(&app);
    let there = browser.begin().await;
    let kept = browser.cookies.clone();
    let back = browser.sign_in(&there, "kim").await;
    assert_eq!(browser.get(&back).await.location, INSIDE);
    assert_eq!(browser.get(&back).await.location, refused("state_unknown"));
    browser.cookies.clone_from(&kept);
    assert_eq!(browser.get(&back).await.location, refused("issuer_refused"));
    assert_eq!(browser.session_status().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_answer_to_another_question_proves_nothing() {
    let (app, issuer) = start(json!({ "default_role": "member" })).await;
    issuer
        .knows("kim", json!({ "email": "kim@example.com" }))
        .await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    for (name, value) in [("nonce", "another"), ("code_challenge", challenge)] {
        let mut browser = Browser::new(&app);
        let there = tampered(&browser.begin().await, name, value);
        let back = browser.sign_in(&there, "kim").await;
        assert_eq!(
            browser.get(&back).await.location,
            refused("issuer_refused"),
            "{name}"
        );
    }
    assert!(app.log().contains("nonce"), "{}", app.log());
    let mut browser = Browser::new(&app);
    browser.begin().await;
    let state = "state=x&error=access_denied";
    let denied = browser
        .get(&format!("{PUBLIC}/api/v1/oidc/callback?{state}"))
        .await;
    assert_eq!(denied.location, refused("state_unknown"));
    let there = browser.begin().await;
    let state = there
        .split('&')
        .find(|part| part.starts_with("state="))
        .unwrap();
    let back = format!("{PUBLIC}/api/v1/oidc/callback?{state}&error=access_denied");
    assert_eq!(browser.get(&back).await.location, refused("access_denied"));
    assert!(app.items("/api/v1/users").await.is_empty());
}

#[tokio::test]
async fn the_issuer_may_change_its_keys_and_the_server_too() {
    let (app, issuer) = start(json!({ "default_role": "member" })).await;
    issuer
        .knows("kim", json!({ "email": "kim@example.com" }))
        .await;
    assert_eq!(log_in(&app, "kim").await.1, INSIDE);
    issuer.change_keys().await;
    assert_eq!(log_in(&app, "kim").await.1, INSIDE);

    let home = app.stop().await;
    let rotated = command(home.path(), &Options::default())
        .envs(home.database())
        .arg("rotate-keys")
        .output()
        .await
        .unwrap();
    assert!(rotated.status.success(), "{rotated:?}");
    let app = App::start_in(home, public()).await;
    assert_eq!(log_in(&app, "kim").await.1, INSIDE);
    assert!(!app.log().contains(SECRET));

    let moved = with(issuer.settings(json!({})), json!({ "client_id": "public" }));
    let mut kept = moved.clone();
    kept.as_object_mut().unwrap().remove("client_secret");
    let (status, problem) = set(&app, kept).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["field"], "client_secret");
    let none = with(moved, json!({ "client_secret": null }));
    assert_eq!(set(&app, none).await.0, StatusCode::OK);
    assert_eq!(log_in(&app, "kim").await.1, INSIDE);

    let (status, _) = app
        .call(Method::DELETE, "/api/v1/settings/oidc", None)
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(app.get("/api/v1/access").await["oidc"], Value::Null);
    assert_eq!(Browser::new(&app).begin().await, refused("not_configured"));
}

#[tokio::test]
async fn only_who_answers_as_an_issuer_is_one() {
    let (app, issuer) = (App::start_with(public()).await, Issuer::start().await);
    for (name, says) in [
        ("http://169.254.169.254", "metadata address"),
        ("http://login.example.com", "https"),
        ("nonsense", "must be an address"),
        (&format!("{}/metadata", issuer.url), "metadata address"),
        (&format!("{}/stranger", issuer.url), "unexpected issuer"),
        (&format!("{}/endless", issuer.url), "larger than"),
        (&format!("{}/nothing", issuer.url), "404"),
        ("http://127.0.0.1:1", "cannot be reached"),
    ] {
        let (status, problem) = set(&app, issuer.settings(json!({ "issuer": name }))).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{name}: {problem}"
        );
        assert_eq!(problem["errors"][0]["field"], "issuer", "{name}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(says),
            "{name}: {problem}"
        );
    }
    let (status, _) = app.call(Method::GET, "/api/v1/settings/oidc", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);

    assert_eq!(
        set(&app, issuer.settings(json!({}))).await.0,
        StatusCode::OK
    );
    let app = App::start_in(app.stop().await, public()).await;
    issuer.stop().await;
    assert_eq!(
        Browser::new(&app).begin().await,
        refused("issuer_unavailable")
    );
}
