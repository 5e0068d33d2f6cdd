//! How the first person gets in, and how one who cannot gets back in.

use crate::app::{App, Home, Options, client, command};
use reqwest::StatusCode;
use serde_json::{Value, json};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const EMAIL: &str = "kim@example.com";

async fn redeem(app: &App, link: &str, more: Value) -> (StatusCode, Value) {
    let (page, token) = link.trim().split_once("#token=").expect(link);
    assert_eq!(page, format!("{}/welcome", app.url));
    let mut body = json!({ "token": token, "password": "a long enough passphrase" });
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    let request = client().post(format!("{}/api/v1/links/redeem", app.url));
    let response = request.json(&body).send().await.unwrap();
    (response.status(), response.json().await.unwrap())
}

async fn user_command(app: &App, args: &[&'static str]) -> (Option<i32>, String, String) {
    let mut all = vec!["user"];
    all.extend(args);
    let port = app.url.rsplit(':').next().unwrap().to_owned();
    let options = Options {
        env: vec![("PORT", port)],
        args: all,
    };
    let mut command = command(app.dir.path(), &options);
    let ended = command.envs(app.dir.database()).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (ended.status.code(), text(ended.stdout), text(ended.stderr))
}

fn link_file(home: &Path) -> std::path::PathBuf {
    home.join("data/setup.link")
}

#[tokio::test]
async fn the_set_up_link_is_for_one_owner_and_in_no_log() {
    let app = App::start().await;
    let file = link_file(app.dir.path());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let link = fs::read_to_string(&file).unwrap();
    let token = link.trim().split_once("#token=").unwrap().1;
    assert!(!app.log().contains(token));

    // A link that was not used opens after a restart too, at the address of that time.
    let app = App::start_in(app.kill().await, Options::default()).await;
    let port = app.url.rsplit(':').next().unwrap();
    let link = format!("http://127.0.0.1:{port}/welcome#token={token}");
    let owner = json!({ "name": "Kim", "email": EMAIL });
    let (status, session) = redeem(&app, &link, owner.clone()).await;
    assert_eq!(
        (status, &session["role"]),
        (StatusCode::OK, &json!("owner"))
    );
    let (status, problem) = redeem(&app, &link, owner).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::NOT_FOUND, &json!("link_unknown"))
    );

    let home: Home = app.stop().await;
    let app = App::start_in(home, Options::default()).await;
    assert!(
        !link_file(app.dir.path()).exists(),
        "the file outlived its use"
    );
}

#[tokio::test]
async fn a_person_who_forgot_everything_gets_a_link_from_the_command_line() {
    let app = App::start().await;
    let link = fs::read_to_string(link_file(app.dir.path())).unwrap();
    redeem(&app, &link, json!({ "name": "Kim", "email": EMAIL })).await;

    let (code, out, _) = user_command(&app, &["list", "--json"]).await;
    let users: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &users["items"][0]["email"]),
        (Some(0), &json!(EMAIL))
    );

    let (code, out, problem) = user_command(&app, &["reset-link", EMAIL]).await;
    assert_eq!(code, Some(0), "{problem}");
    let (status, session) = redeem(&app, &out, json!({})).await;
    assert_eq!(
        (status, &session["user"]["email"]),
        (StatusCode::OK, &json!(EMAIL))
    );
    assert_eq!(redeem(&app, &out, json!({})).await.0, StatusCode::NOT_FOUND);

    let (code, out, problem) = user_command(&app, &["reset-link", "nobody@example.com"]).await;
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(problem.contains("`nitejar user list`"), "{problem}");
}
