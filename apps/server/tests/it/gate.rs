//! A server that listens on the network and has no owner yet answers health and the pages of the web app.

use crate::app::{App, Options, client};

#[tokio::test]
async fn off_loopback_without_an_owner_everything_but_health_and_the_page_is_shut() {
    let env = [("HOST", "0.0.0.0"), ("NITEJAR_ADMIN_TOKEN", "")];
    let env = env.map(|(name, value)| (name, value.to_owned())).to_vec();
    let app = App::start_with(Options {
        env,
        ..Options::default()
    })
    .await;
    let url = app.url.replace("0.0.0.0", "127.0.0.1");
    let get = async |path: &str| {
        let response = client().get(format!("{url}{path}")).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for path in ["/healthz", "/", "/welcome"] {
        assert_eq!(get(path).await.0, 200, "{path}");
    }
    for path in [
        "/docs",
        "/docs/",
        "/api",
        "/api/v1/agents",
        "/api/openapi.json",
        "/metrics",
    ] {
        let (status, body) = get(path).await;
        assert_eq!(status, 403, "{path}: {body}");
        let problem: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(problem["code"], "setup_required", "{path}");
    }
}

#[tokio::test]
async fn on_loopback_the_documentation_is_open() {
    let app = App::start().await;
    let docs = client()
        .get(format!("{}/docs/", app.url))
        .send()
        .await
        .unwrap();
    assert_eq!(docs.status().as_u16(), 200);
}
