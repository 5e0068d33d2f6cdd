//! What is special about the file: who may read it, how commits are shared, what an unusable one says,
//! and that the schema knows every word the types know.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use domain::{
    access::Role,
    agent::ReplyPolicy,
    budget::Period,
    channel::ChatKind,
    effect::{DeadReason, EffectStatus},
    id::TenantId,
    integration::Health,
    job::JobStatus,
    message::{self, ToolCallStatus},
    model::ModelCallStatus,
    queue::EntryStatus,
    sprite::{BackgroundStatus, SpriteSessionStatus},
    work::{Verdict, WorkItemStatus},
};
use futures_util::future::join_all;
use ports::{
    clock::Clock,
    live::{CommitListener, Committed},
    store::{Durability, Maintenance, Store, StoreError, SystemStore, Upkeep},
};
use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
};
use store_sqlite::{SqliteSettings, SqliteStore};
use test_kit::fakes::{FakeClock, SeqIds};

struct Deaf;

impl CommitListener for Deaf {
    fn committed(&self, _committed: Committed) {}
}

async fn connect(path: impl Into<PathBuf>) -> Result<SqliteStore, StoreError> {
    let settings = SqliteSettings::new(path);
    let (ids, clock) = (Arc::new(SeqIds::default()), Arc::new(FakeClock::default()));
    SqliteStore::connect(settings, ids, clock, Arc::new(Deaf)).await
}

async fn put(store: &SqliteStore, tenant: TenantId, name: String, class: Durability) {
    let tx = store.write(tenant, class).await.unwrap();
    let (value, now) = (serde_json::json!(name), FakeClock::default().now());
    tx.settings().put(tenant, &name, &value, now).await.unwrap();
    tx.commit().await.unwrap();
}

/// Commits in the write-ahead log: a frame that ends one carries the size of the database.
fn commits(database: &Path) -> usize {
    let log = std::fs::read(database.with_extension("db-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let frame = 24 + usize::try_from(number(8)).unwrap();
    (32..log.len())
        .step_by(frame)
        .filter(|at| number(at + 4) != 0)
        .count()
}

fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}

#[tokio::test]
async fn writes_that_wait_share_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = connect(&path).await.unwrap();
    store.migrate().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let held = store.write(tenant, Durability::Durable).await.unwrap();
    let before = commits(&path);
    let writes = (0..64).map(|n| put(&store, tenant, n.to_string(), Durability::Durable));
    let (_, held) = tokio::join!(join_all(writes), held.commit());
    held.unwrap();
    let shared = commits(&path) - before;
    assert!(shared <= 2, "64 writes took {shared} commits");
}

#[tokio::test]
async fn a_closed_store_has_kept_everything_and_takes_nothing_more() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = connect(&path).await.unwrap();
    store.migrate().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    put(&store, tenant, "x".to_owned(), Durability::Relaxed).await;
    store.close().await;
    assert!(store.write(tenant, Durability::Relaxed).await.is_err());
    let again = connect(&path).await.unwrap();
    again.ready().await.unwrap();
    again.migrate().await.unwrap();
    let tx = again.read(tenant).await.unwrap();
    let found = tx.settings().find(tenant, "x").await.unwrap();
    assert_eq!(found, Some(serde_json::json!("x")));
}

#[tokio::test]
async fn a_snapshot_cannot_write() {
    let directory = tempfile::tempdir().unwrap();
    let store = connect(directory.path().join("nitejar.db")).await.unwrap();
    store.migrate().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let tx = store.read(tenant).await.unwrap();
    let value = serde_json::json!(1);
    assert!(tx.settings().put(tenant, "x", &value, now).await.is_err());
}

#[tokio::test]
async fn a_database_without_a_schema_is_not_ready() {
    let directory = tempfile::tempdir().unwrap();
    let store = connect(directory.path().join("nitejar.db")).await.unwrap();
    assert!(store.ready().await.is_err());
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_a_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = connect(&path).await.unwrap();
    store.migrate().await.unwrap();
    for file in [path.clone(), path.with_extension("db-wal")] {
        let mode = std::fs::metadata(file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn an_unusable_file_is_named_with_the_way_out() {
    let directory = tempfile::tempdir().unwrap();
    let missing = connect(directory.path().join("no/such/nitejar.db")).await;
    let text = causes(&missing.err().unwrap());
    assert!(text.contains("no/such/nitejar.db"), "{text}");
    assert!(text.contains("must exist"), "{text}");
    let text_file = directory.path().join("notes.txt");
    std::fs::write(
        &text_file,
        "not a database, but long enough to be read as one".repeat(20),
    )
    .unwrap();
    let refused = connect(&text_file).await;
    let text = causes(&refused.err().unwrap());
    assert!(text.contains("notes.txt"), "{text}");
    assert!(text.contains("SQLite database"), "{text}");
}

/// A file whose tables were filled with twelve MiB and emptied again.
async fn emptied(path: &Path) -> SqliteStore {
    let store = connect(path).await.unwrap();
    store.migrate().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let large = serde_json::json!("x".repeat(256 * 1024));
    for value in [&large, &serde_json::json!("")] {
        for n in 0..48 {
            let tx = store.write(tenant, Durability::Relaxed).await.unwrap();
            let name = n.to_string();
            tx.settings().put(tenant, &name, value, now).await.unwrap();
            tx.commit().await.unwrap();
        }
    }
    store
}

#[tokio::test]
async fn unused_space_goes_back_in_small_steps_until_little_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = emptied(&path).await;
    let (mut steps, mut last) = (0, store.tidy().await.unwrap());
    while last.more {
        steps += 1;
        last = store.tidy().await.unwrap();
    }
    assert!(steps >= 2, "{steps} steps");
    store.close().await;
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(size < 10 << 20, "{size} bytes are left");
}

#[tokio::test]
async fn a_log_that_grew_while_somebody_read_is_cut_off_when_nobody_does() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = connect(&path).await.unwrap();
    store.migrate().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let reader = store.read(tenant).await.unwrap();
    reader.settings().find(tenant, "x").await.unwrap();
    // What is written again unchanged is no change.
    let large = |n: usize| serde_json::json!(n.to_string().repeat(8 << 20));
    for n in 1..=9 {
        let tx = store.write(tenant, Durability::Relaxed).await.unwrap();
        let settings = tx.settings();
        settings.put(tenant, "x", &large(n), now).await.unwrap();
        drop(settings);
        tx.commit().await.unwrap();
    }
    let held = store.tidy().await.unwrap().wal_bytes.unwrap();
    assert!(held > 64 << 20, "a reader needs the log: {held}");
    drop(reader);
    // The snapshot ends a moment after its handle is gone.
    let mut left = held;
    while left > 0 {
        left = store.tidy().await.unwrap().wal_bytes.unwrap();
    }
    let tx = store.read(tenant).await.unwrap();
    let found = tx.settings().find(tenant, "x").await.unwrap();
    assert_eq!(found, Some(large(9)));
}

#[tokio::test]
async fn a_copy_of_a_file_in_use_is_whole_private_and_small() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    let store = emptied(&path).await;
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    put(&store, tenant, "kept".to_owned(), Durability::Relaxed).await;
    let open = store.write(tenant, Durability::Relaxed).await.unwrap();
    let half = serde_json::json!("half");
    open.settings()
        .put(tenant, "kept", &half, now)
        .await
        .unwrap();
    let copy = directory.path().join("copy.db");
    let schema = store_sqlite::back_up(&path, &copy).await.unwrap();
    open.commit().await.unwrap();
    let found = std::fs::metadata(&copy).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert!(found.len() < 1 << 20, "{} bytes", found.len());
    assert_eq!(store_sqlite::inspect(&copy).await.unwrap(), schema);
    assert!(
        schema.is_known && schema.version.starts_with('m'),
        "{schema:?}"
    );
    let again = store_sqlite::back_up(&path, &copy).await.unwrap_err();
    assert!(causes(&again).contains("copy.db"), "{}", causes(&again));
    let copied = connect(&copy).await.unwrap();
    copied.ready().await.unwrap();
    let tx = copied.read(tenant).await.unwrap();
    let kept = tx.settings().find(tenant, "kept").await.unwrap();
    assert_eq!(kept, Some(serde_json::json!("kept")));
}

#[tokio::test]
async fn a_damaged_copy_and_one_of_a_newer_build_are_found_out() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    emptied(&path).await.close().await;
    let url = format!("sqlite://{}", path.display());
    let db = sea_orm::Database::connect(url).await.unwrap();
    let newer = "INSERT INTO seaql_migrations VALUES ('m29990101_000001_far', 0)";
    sea_orm::ConnectionTrait::execute_unprepared(&db, newer)
        .await
        .unwrap();
    db.close().await.unwrap();
    assert!(!store_sqlite::inspect(&path).await.unwrap().is_known);
    let mut bytes = std::fs::read(&path).unwrap();
    // The first pages hold tables; unused ones further on may hold anything.
    bytes[8_192..73_728].fill(0x5A);
    std::fs::write(&path, bytes).unwrap();
    let found = store_sqlite::inspect(&path).await.unwrap_err();
    assert!(causes(&found).contains("is damaged"), "{}", causes(&found));
}

macro_rules! knows {
    ($schema:expr, $($table:literal . $column:literal : $words:ty),* $(,)?) => {$(
        let list: Vec<String> = <$words>::ALL.iter().map(|w| format!("'{w}'")).collect();
        let check = format!("\"{}\" IN ({})", $column, list.join(", "));
        assert!($schema($table).contains(&check), "{} lacks {check}", $table);
    )*};
}

#[tokio::test]
async fn the_schema_knows_every_word_the_types_know() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("nitejar.db");
    connect(&path).await.unwrap().migrate().await.unwrap();
    let url = format!("sqlite://{}", path.display());
    let db = sea_orm::Database::connect(url).await.unwrap();
    let rows = sea_orm::ConnectionTrait::query_all_raw(
        &db,
        sea_orm::Statement::from_string(
            sea_orm::DbBackend::Sqlite,
            "SELECT name, sql FROM sqlite_schema WHERE type = 'table'",
        ),
    )
    .await
    .unwrap();
    let schema = |table: &str| -> String {
        let row = rows
            .iter()
            .find(|row| row.try_get::<String>("", "name").unwrap() == table);
        row.unwrap().try_get("", "sql").unwrap()
    };
    knows!(
        schema,
        "users"."role": Role,
        "tokens"."role": Role,
        "integrations"."health": Health,
        "agents"."reply_policy": ReplyPolicy,
        "conversations"."chat": ChatKind,
        "work_items"."status": WorkItemStatus,
        "jobs"."status": JobStatus,
        "lane_entries"."status": EntryStatus,
        "decisions"."verdict": Verdict,
        "sprite_sessions"."status": SpriteSessionStatus,
        "background_processes"."status": BackgroundStatus,
        "messages"."role": message::Role,
        "tool_calls"."status": ToolCallStatus,
        "effects"."status": EffectStatus,
        "effects"."dead_reason": DeadReason,
        "model_calls"."status": ModelCallStatus,
        "budgets"."period": Period,
    );
}
