//! Rotation of the encryption key: killed at any instant it loses nothing, and at its end nothing needs the
//! old key any more.

use crate::app::{App, Home, Options, command};
use async_trait::async_trait;
use crypto::{AesGcmCipher, KeyRing, Rotation, load_or_create_keys};
use domain::{Timestamp, secret::Secret};
use ports::{
    cipher::{Cipher, SealedPlace},
    store::{Resealed, SealedStore, SealedValue, StoreError, Upkeep},
};
use serde_json::{Value, json};
use server::cmd::rotate_keys::reseal_all;
use simulators::telegram::{Chat, Person, TelegramSimulator};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Output,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use store_sqlite::{SqliteSettings, SqliteStore};
use test_kit::{
    fakes::{FakeClock, SeqIds},
    store::{Commits, Harness, Made, Parts},
};

type Env = Vec<(&'static str, String)>;

async fn rotate(home: &Home, env: Env, args: &[&str]) -> Output {
    let options = Options {
        env,
        ..Options::default()
    };
    let mut command = command(home.path(), &options);
    command.arg("rotate-keys").args(args);
    command.output().await.unwrap()
}

/// What a rotation refuses, in its own words.
async fn refused(home: &Home, env: Env) -> String {
    let ended = rotate(home, env, &[]).await;
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    String::from_utf8(ended.stderr).unwrap()
}

fn key_file(home: &Home) -> std::path::PathBuf {
    home.path().join("data/encryption.key")
}

fn key_lines(home: &Home) -> Vec<String> {
    let text = fs::read_to_string(key_file(home)).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Everything that is sealed in the database of a server that has stopped.
async fn sealed(home: &Home) -> Vec<SealedValue> {
    let store = open(&home.path().join("data/nitejar.db")).await;
    let all = store.sealed(None, 1_000).await.unwrap();
    let mut all = all;
    while let more = store.sealed(all.last(), 1_000).await.unwrap()
        && !more.is_empty()
    {
        all.extend(more);
    }
    store.close().await;
    all
}

async fn open(path: &Path) -> SqliteStore {
    let (ids, clock) = (Arc::<SeqIds>::default(), Arc::new(FakeClock::default()));
    let listener = Arc::<Commits>::default();
    SqliteStore::connect(SqliteSettings::new(path), ids, clock, listener)
        .await
        .unwrap()
}

/// A server with a bot and an answer that is kept for its repetition; gives the repetition's answer.
async fn token(app: &App) -> Value {
    let answer = crate::app::client()
        .post(format!("{}/api/v1/tokens", app.url))
        .bearer_auth(crate::app::TOKEN)
        .header("Idempotency-Key", "once")
        .json(&json!({"name": "kept", "role": "viewer"}));
    answer.send().await.unwrap().json().await.unwrap()
}

/// Kim says something and the bot answers, which takes the bot's token.
async fn talk(telegram: &TelegramSimulator, word: &str) {
    let kim = Person::new(7, "Kim");
    let chat = Chat::private(&kim);
    telegram.say(&chat, &kim, &format!("run `echo {word}`"));
    telegram
        .wait_for_message(&chat, |message| message.text.contains(word))
        .await;
}

#[tokio::test]
async fn a_generated_key_is_replaced_and_every_secret_works_under_the_new_one() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    talk(&telegram, "before").await;
    let kept = token(&app).await;
    let running = rotate(&app.dir, vec![], &[]).await;
    assert_eq!(running.status.code(), Some(2));
    let text = String::from_utf8_lossy(&running.stderr);
    assert!(
        text.contains("another nitejar process is running"),
        "{text}"
    );
    let home = app.stop().await;
    let before = key_lines(&home);

    let ended = rotate(&home, vec![], &["--json"]).await;
    assert!(ended.status.success(), "{ended:?}");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    let key_id = report["key_id"].as_str().unwrap().to_owned();
    let values = sealed(&home).await;
    assert!(values.len() >= 3, "{values:?}");
    assert_eq!(report["resealed"], values.len());
    let new = format!("enc:v1:{key_id}:");
    assert!(values.iter().all(|value| value.text.starts_with(&new)));
    let after = key_lines(&home);
    assert_eq!((after.len(), before.len()), (1, 1));
    assert_ne!(after, before);
    let mode = fs::metadata(key_file(&home)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let app = App::start_in(home, Options::default()).await;
    talk(&telegram, "after").await;
    assert_eq!(token(&app).await, kept);
    app.stop().await;
}

#[tokio::test]
async fn a_key_of_the_operators_own_is_replaced_by_the_next_one() {
    let (old, new, wrong) = ("0a".repeat(32), "0b".repeat(32), "0c".repeat(32));
    let key = |key: &str| ("ENCRYPTION_KEY", key.to_owned());
    let previous = |key: &str| ("ENCRYPTION_KEY_PREVIOUS", key.to_owned());
    let id = |key: &str| {
        KeyRing::new(&Secret::new(key))
            .ok()
            .unwrap()
            .current_id()
            .to_owned()
    };
    let start = async |home: Home, env: Env| {
        let options = Options {
            env,
            ..Options::default()
        };
        App::start_in(home, options).await
    };
    let app = start(Home::new().await, vec![key(&old)]).await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let home = app.stop().await;

    let text = refused(&home, vec![key(&old)]).await;
    assert!(
        text.contains("ENCRYPTION_KEY_PREVIOUS: is not set"),
        "{text}"
    );
    let text = refused(&home, vec![key(&old), previous(&old)]).await;
    assert!(text.contains("the same key as ENCRYPTION_KEY"), "{text}");
    let text = refused(&home, vec![key(&new), previous(&wrong)]).await;
    assert!(
        text.contains("ENCRYPTION_KEY_PREVIOUS: ") && text.contains(&id(&old)),
        "{text}"
    );
    assert!(![&old, &new, &wrong].iter().any(|key| text.contains(*key)));
    let untouched = sealed(&home).await;
    assert!(untouched.iter().all(|value| value.text.contains(&id(&old))));

    // A server may run with both before and after; what it seals is sealed with the new one.
    let app = start(home, vec![key(&new), previous(&old)]).await;
    talk(&telegram, "both").await;
    let home = app.stop().await;
    let file = home.path().join("previous.key");
    fs::write(&file, &old).unwrap();
    let from_file = ("ENCRYPTION_KEY_PREVIOUS_FILE", file.display().to_string());
    let ended = rotate(&home, vec![key(&new), from_file], &[]).await;
    assert!(ended.status.success(), "{ended:?}");
    let text = String::from_utf8(ended.stdout).unwrap();
    assert!(
        text.contains("ENCRYPTION_KEY_PREVIOUS can be removed"),
        "{text}"
    );
    assert!(text.contains(&id(&new)), "{text}");
    let again = rotate(&home, vec![key(&new), previous(&old)], &["--json"]).await;
    let report: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(report["resealed"], 0);
    let app = start(home, vec![key(&new)]).await;
    talk(&telegram, "after").await;
    app.stop().await;
}

#[tokio::test]
async fn a_rotation_that_is_killed_is_ended_by_the_next_one() {
    let app = App::start().await;
    let telegram = TelegramSimulator::start().await.unwrap();
    app.agent("Ada").await;
    app.telegram(&telegram, json!({})).await;
    let kept = token(&app).await;
    let home = app.stop().await;
    let before = key_lines(&home);
    let mut patience = Duration::from_millis(4);
    let mut cut_short = 0;
    loop {
        let mut command = command(home.path(), &Options::default());
        let mut child = command.arg("rotate-keys").spawn().unwrap();
        match tokio::time::timeout(patience, child.wait()).await {
            Ok(ended) => {
                assert!(ended.unwrap().success());
                break;
            }
            Err(_too_early) => child.kill().await.unwrap(),
        }
        cut_short += 1;
        patience = patience.mul_f32(1.3);
        // Whatever instant it was, the keys in the file open everything.
        let ring = KeyRing::of(&load_or_create_keys(&key_file(&home)).unwrap())
            .ok()
            .unwrap();
        let cipher = AesGcmCipher::new(ring);
        let values = sealed(&home).await;
        assert!(
            values
                .iter()
                .all(|value| cipher.open(value.place(), &value.text).is_ok())
        );
    }
    assert!(cut_short > 0);
    let after = key_lines(&home);
    assert!(after.len() == 1 && after != before);
    let app = App::start_in(home, Options::default()).await;
    talk(&telegram, "after").await;
    assert_eq!(token(&app).await, kept);
}

/// A store that fails at one step, before or after the step is done: what a process that is killed there sees.
struct Mortal<'a> {
    store: &'a dyn SealedStore,
    left: AtomicU32,
    done: bool,
}

impl Mortal<'_> {
    fn dies(&self) -> bool {
        self.left.fetch_sub(1, Ordering::SeqCst) == 0
    }
}

fn killed() -> StoreError {
    StoreError::Backend("killed".into())
}

#[async_trait]
impl SealedStore for Mortal<'_> {
    async fn sealed(
        &self,
        after: Option<&SealedValue>,
        rows: u32,
    ) -> Result<Vec<SealedValue>, StoreError> {
        if self.dies() {
            return Err(killed());
        }
        self.store.sealed(after, rows).await
    }

    async fn reseal(&self, values: &[Resealed]) -> Result<u64, StoreError> {
        if !self.dies() {
            return self.store.reseal(values).await;
        }
        if self.done {
            self.store.reseal(values).await?;
        }
        Err(killed())
    }

    async fn alive(&self, since: Timestamp) -> Result<u64, StoreError> {
        self.store.alive(since).await
    }
}

async fn temporary(parts: Parts) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::new(directory.path().join("nitejar.db"));
    let store = SqliteStore::connect(settings, parts.ids, parts.clock, parts.listener)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), Box::new(directory))
}

/// Whether everything opens with the keys in the file, and how much with the first of them alone.
async fn check(store: &dyn SealedStore, path: &Path) -> (usize, usize) {
    let keys = load_or_create_keys(path).unwrap();
    let cipher = |keys: &[Secret]| AesGcmCipher::new(KeyRing::of(keys).ok().unwrap());
    let (any, first) = (cipher(&keys), cipher(&keys[..1]));
    let values = store.sealed(None, 1_000).await.unwrap();
    for value in &values {
        let secret = any.open(value.place(), &value.text).unwrap();
        assert_eq!(secret.expose(), value.column);
    }
    let current = values
        .iter()
        .filter(|value| first.open(value.place(), &value.text).is_ok());
    (values.len(), current.count())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_any_two_steps_leaves_everything_readable() {
    let harness = Harness::start(temporary).await;
    let store: &dyn SealedStore = harness.store.as_ref();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("encryption.key");
    let cipher = || {
        let keys = load_or_create_keys(&path).unwrap();
        AesGcmCipher::new(KeyRing::of(&keys).ok().unwrap())
    };
    let tx = harness.write().await;
    for n in 0..230 {
        let column = format!("secret {n}");
        let place = SealedPlace {
            tenant_id: harness.tenant.id,
            table: "settings",
            column: &column,
            row: harness.tenant.id.as_uuid(),
        };
        let text = cipher().seal(place, &Secret::new(&*column));
        let put = tx.settings();
        put.put(harness.tenant.id, &column, &text.into(), harness.now())
            .await
            .unwrap();
    }
    tx.commit().await.unwrap();
    let (mut step, mut crashes) = (0, 0);
    loop {
        let mut died = false;
        for done in [false, true] {
            let mortal = Mortal {
                store,
                left: AtomicU32::new(step),
                done,
            };
            let rotation = Rotation::begin(&path).unwrap();
            died = reseal_all(&mortal, &cipher()).await.is_err();
            drop(rotation);
            assert_eq!(check(store, &path).await.0, 230, "step {step}");
            // A new process takes it up and ends it, but dies once more before it gives up the old key.
            let rotation = Rotation::begin(&path).unwrap();
            assert_eq!(rotation.keys().len(), 2);
            let outcome = reseal_all(store, &cipher()).await.unwrap();
            assert!(outcome.unreadable.is_empty() && !outcome.unsettled);
            drop(rotation);
            assert_eq!(check(store, &path).await, (230, 230));
            let rotation = Rotation::begin(&path).unwrap();
            assert_eq!(reseal_all(store, &cipher()).await.unwrap().resealed, 0);
            rotation.finish().unwrap();
            assert_eq!(check(store, &path).await, (230, 230));
            assert_eq!(load_or_create_keys(&path).unwrap().len(), 1);
        }
        if !died {
            break;
        }
        (step, crashes) = (step + 1, crashes + 1);
    }
    // Three pages to read and to write, the end, and the second pass.
    assert!(crashes >= 10, "{crashes}");
}
