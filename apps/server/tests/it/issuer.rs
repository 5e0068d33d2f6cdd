//! A certified issuer as a process of its own, a browser that goes there and back, and the people who sit at it.

use crate::app::{App, Options};
use reqwest::{Client, Method, StatusCode, redirect::Policy};
use serde_json::{Value, json};
use std::{collections::BTreeMap, process::Stdio};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// Where the world reaches the server under test; the browser knows better.
pub(crate) const PUBLIC: &str = "https://jar.example";
pub(crate) const SECRET: &str = "a-client-secret-canary";
/// Tests run in the root of their package, wherever they were built.
const SCRIPT: &str = "tests/issuer/issuer.mjs";

/// An issuer; it ends with the test.
pub(crate) struct Issuer {
    pub(crate) url: String,
    client: Client,
    process: Child,
}

#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask test` says in the environment where the issuer and its Node are"
)]
fn installed(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} names what the issuer needs: run `cargo xtask test`"))
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let mut process = Command::new(installed("TEST_NODE"))
            .args([SCRIPT, &installed("TEST_OIDC_PROVIDER")])
            .arg(format!("{PUBLIC}/api/v1/oidc/callback"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().expect("no issuer");
        Self {
            url,
            client: browser(),
            process,
        }
    }

    /// Somebody who can sign in there, of whom it says this.
    pub(crate) async fn knows(&self, name: &str, claims: Value) {
        let url = format!("{}/test/accounts/{name}", self.url);
        let known = self.client.put(url).json(&claims).send().await.unwrap();
        assert_eq!(known.status(), StatusCode::OK);
    }

    /// Throws its key away and takes another.
    pub(crate) async fn change_keys(&self) {
        let url = format!("{}/test/keys", self.url);
        let changed = self.client.post(url).send().await.unwrap();
        assert_eq!(changed.status(), StatusCode::OK);
    }

    pub(crate) async fn stop(mut self) {
        self.process.kill().await.unwrap();
    }

    /// What an operator sets, with more.
    pub(crate) fn settings(&self, more: Value) -> Value {
        let settings = json!({
            "name": "Company", "issuer": self.url, "client_id": "nitejar", "client_secret": SECRET,
            "scopes": ["openid", "profile", "email", "groups"], "role_claim": null, "roles": {},
            "default_role": null, "link_by_email": false,
        });
        with(settings, more)
    }
}

/// An object with other fields, or others in their place.
pub(crate) fn with(mut object: Value, more: Value) -> Value {
    if let (Some(fields), Value::Object(more)) = (object.as_object_mut(), more) {
        fields.extend(more);
    }
    object
}

/// A server that people reach under its public name.
pub(crate) fn public() -> Options {
    Options {
        env: vec![("APP_BASE_URL", PUBLIC.to_owned())],
        ..Options::default()
    }
}

/// Sets single sign-on.
pub(crate) async fn set(app: &App, settings: Value) -> (StatusCode, Value) {
    app.call(Method::PUT, "/api/v1/settings/oidc", Some(settings))
        .await
}

/// A server with single sign-on at an issuer.
pub(crate) async fn start(more: Value) -> (App, Issuer) {
    let (app, issuer) = (App::start_with(public()).await, Issuer::start().await);
    let (status, body) = set(&app, issuer.settings(more)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert!(!body.to_string().contains(SECRET), "{body}");
    (app, issuer)
}

/// Follows nothing by itself.
#[expect(
    clippy::disallowed_methods,
    reason = "a test is its own composition root"
)]
fn browser() -> Client {
    // Fails when another test of this process was first, which serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder().redirect(Policy::none()).build().unwrap()
}

/// A browser with nothing in it.
pub(crate) struct Browser {
    client: Client,
    server: String,
    /// By origin and name.
    pub(crate) cookies: BTreeMap<(String, String), String>,
}

/// An answer as a browser sees it.
pub(crate) struct Seen {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) body: String,
}

impl Browser {
    pub(crate) fn new(app: &App) -> Self {
        Self {
            client: browser(),
            server: app.url.clone(),
            cookies: BTreeMap::new(),
        }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Seen {
        self.send(Method::GET, url, None).await
    }

    async fn send(&mut self, method: Method, url: &str, form: Option<String>) -> Seen {
        let origin: String = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
        let own = self.cookies.iter().filter(|((of, _), _)| *of == origin);
        let own: Vec<String> = own
            .map(|((_, name), value)| format!("{name}={value}"))
            .collect();
        let mut request = self
            .client
            .request(method, url.replacen(PUBLIC, &self.server, 1))
            .header("Cookie", own.join("; "));
        if let Some(form) = form {
            request = request
                .header("Content-Type", "application/x-www-form-urlencoded")
                .body(form);
        }
        let response = request.send().await.unwrap();
        for set in response.headers().get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (pair, _) = set.split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let key = (origin.clone(), name.to_owned());
            if set.contains("Max-Age=0") || value.is_empty() {
                self.cookies.remove(&key);
            } else {
                self.cookies.insert(key, value.to_owned());
            }
        }
        let location = response.headers().get("location");
        let location = location.map_or("", |to| to.to_str().unwrap()).to_owned();
        Seen {
            status: response.status(),
            location: if location.starts_with('/') && origin != PUBLIC {
                format!("{origin}{location}")
            } else {
                location
            },
            body: response.text().await.unwrap(),
        }
    }

    /// Asks the server for a way to the issuer.
    pub(crate) async fn begin(&mut self) -> String {
        let page = format!("{PUBLIC}/api/v1/oidc/login?return_to=%2Fjobs%3Fstatus%3Dfailed");
        let seen = self.get(&page).await;
        assert_eq!(seen.status, StatusCode::FOUND, "{}", seen.body);
        seen.location
    }

    /// Signs in at the issuer and agrees to all it asks, until it leads back.
    pub(crate) async fn sign_in(&mut self, there: &str, name: &str) -> String {
        let mut url = there.to_owned();
        while !url.starts_with(PUBLIC) {
            let seen = self.get(&url).await;
            if seen.status.is_redirection() {
                url = seen.location;
                continue;
            }
            assert_eq!(seen.status, StatusCode::OK, "{url}: {}", seen.body);
            let form = if seen.body.contains(r#"value="login""#) {
                format!("prompt=login&login={name}&password=x")
            } else {
                "prompt=consent".to_owned()
            };
            url = self.send(Method::POST, &url, Some(form)).await.location;
        }
        url
    }

    /// The whole way; says where it ends.
    pub(crate) async fn log_in(&mut self, name: &str) -> String {
        let there = self.begin().await;
        let back = self.sign_in(&there, name).await;
        self.get(&back).await.location
    }

    /// Whether somebody is signed in.
    pub(crate) async fn session_status(&mut self) -> StatusCode {
        self.get(&format!("{PUBLIC}/api/v1/session")).await.status
    }

    /// Who is signed in.
    pub(crate) async fn session(&mut self) -> Value {
        let seen = self.get(&format!("{PUBLIC}/api/v1/session")).await;
        assert_eq!(seen.status, StatusCode::OK, "{}", seen.body);
        serde_json::from_str(&seen.body).unwrap()
    }
}
