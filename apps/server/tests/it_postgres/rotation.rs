//! Rotation of the encryption key on a database that servers share: they may go on when they know both
//! keys, and are named when they cannot.

use crate::app::{App, Home, Options, command};
use serde_json::json;
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{fs, path::Path, process::Output};

type Env = Vec<(&'static str, String)>;

async fn rotate(home: &Home, dir: &Path, env: Env) -> Output {
    let options = Options {
        env,
        ..Options::default()
    };
    let mut command = command(dir, &options);
    command.envs(home.database()).arg("rotate-keys");
    command.output().await.unwrap()
}

async fn talk(telegram: &TelegramSimulator, word: &str) {
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, &format!("run `echo {word}`"));
    telegram
        .wait_for_message(&chat, |message| message.text.contains(word))
        .await;
}

#[tokio::test]
async fn a_server_that_knows_both_keys_goes_on_while_they_are_rotated() {
    let (old, new) = ("0a".repeat(32), "0b".repeat(32));
    let both = || -> Env {
        vec![
            ("ENCRYPTION_KEY", new.clone()),
            ("ENCRYPTION_KEY_PREVIOUS", old.clone()),
        ]
    };
    let start = async |home: Home, env: Env| {
        let options = Options {
            env,
            ..Options::default()
        };
        App::start_in(home, options).await
    };
    let app = start(Home::new().await, vec![("ENCRYPTION_KEY", old.clone())]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let app = start(app.stop().await, both()).await;
    talk(&telegram, "before").await;
    let ended = rotate(&app.dir, app.dir.path(), both()).await;
    assert!(ended.status.success(), "{ended:?}");
    talk(&telegram, "meanwhile").await;
    let app = start(app.stop().await, vec![("ENCRYPTION_KEY", new.clone())]).await;
    talk(&telegram, "after").await;
    app.stop().await;
}

#[tokio::test]
async fn a_server_that_cannot_know_a_generated_key_keeps_it_from_being_replaced() {
    let app = App::start().await;
    let file = |dir: &Path| dir.join("data/encryption.key");
    let elsewhere = tempfile::tempdir().unwrap();
    fs::create_dir(elsewhere.path().join("data")).unwrap();
    fs::copy(file(app.dir.path()), file(elsewhere.path())).unwrap();
    for (dir, says) in [
        (app.dir.path(), "another nitejar process is running"),
        (
            elsewhere.path(),
            "the server processes now running on postgres://",
        ),
    ] {
        let before = fs::read(file(dir)).unwrap();
        let ended = rotate(&app.dir, dir, vec![]).await;
        assert_eq!(ended.status.code(), Some(2));
        let text = String::from_utf8_lossy(&ended.stderr);
        assert!(text.contains(says), "{text}");
        assert_eq!(fs::read(file(dir)).unwrap(), before);
    }
    let home = app.stop().await;
    let ended = rotate(&home, home.path(), vec![]).await;
    assert!(ended.status.success(), "{ended:?}");
    App::start_in(home, Options::default()).await.stop().await;
}
