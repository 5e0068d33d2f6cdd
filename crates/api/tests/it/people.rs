//! People who sign in with a cookie, for tests.

use crate::harness::{Answer, App};
use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use domain::access::Role;
use serde_json::{Value, json};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Somebody with a login.
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) cookie: String,
    pub(crate) csrf: String,
}

impl Person {
    /// Somebody whom this answer lets in.
    #[track_caller]
    pub(crate) fn of(answer: &Answer) -> Self {
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let set = answer.headers["set-cookie"].to_str().unwrap();
        Self {
            id: text(&answer.body["user"]["id"]),
            email: text(&answer.body["user"]["email"]),
            cookie: set.split(';').next().unwrap().to_owned(),
            csrf: text(&answer.body["csrf_token"]),
        }
    }

    pub(crate) fn request(
        &self,
        app: &App,
        (method, path, body): (&Method, &str, &Value),
        csrf: Option<&str>,
    ) -> Request<Body> {
        let mut request = app.request(method, path, body);
        let headers = request.headers_mut();
        headers.remove("authorization");
        headers.insert("cookie", self.cookie.parse().unwrap());
        if let Some(csrf) = csrf {
            headers.insert("x-csrf-token", csrf.parse().unwrap());
        }
        request
    }

    pub(crate) async fn send(&self, app: &App, what: (&Method, &str, &Value)) -> Answer {
        app.send(self.request(app, what, Some(&self.csrf))).await
    }

    pub(crate) async fn get(&self, app: &App, path: &str) -> Answer {
        self.send(app, (&Method::GET, path, &Value::Null)).await
    }

    pub(crate) async fn post(&self, app: &App, path: &str, body: Value) -> Answer {
        self.send(app, (&Method::POST, path, &body)).await
    }

    pub(crate) async fn delete(&self, app: &App, path: &str) -> Answer {
        self.send(app, (&Method::DELETE, path, &Value::Null)).await
    }
}

/// What an anonymous caller gets.
pub(crate) async fn knock(app: &App, path: &str, body: Value) -> Answer {
    let mut request = app.request(&Method::POST, path, &body);
    request.headers_mut().remove("authorization");
    app.send(request).await
}

/// What a link carries.
pub(crate) fn token_of(url: &str) -> String {
    let token = services::links::token_of(url).unwrap();
    token.expose().to_owned()
}

/// The first owner, as the set-up link makes them.
pub(crate) async fn owner(app: &App) -> Person {
    let link = services::links::set_up(&app.context())
        .await
        .unwrap()
        .unwrap();
    let body = json!({
        "token": token_of(link.url.expose()), "name": "Ada", "email": "Ada@Example.com ", "password": PASSWORD,
    });
    Person::of(&knock(app, "/api/v1/links/redeem", body).await)
}

/// Somebody new, who followed an invitation.
pub(crate) async fn invite(app: &App, owner: &Person, role: Role) -> Person {
    let email = format!("{role}-{}@example.com", app.platform.ids.next());
    let body = json!({"email": email, "role": role});
    let link = owner.post(app, "/api/v1/invitations", body).await;
    assert_eq!(link.status, StatusCode::CREATED, "{}", link.body);
    let token = token_of(link.body["url"].as_str().unwrap());
    let body = json!({"token": token, "name": format!("the {role}"), "password": PASSWORD});
    Person::of(&knock(app, "/api/v1/links/redeem", body).await)
}
