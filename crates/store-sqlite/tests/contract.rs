//! The store contract, on SQLite files.
#![expect(clippy::unwrap_used, reason = "test code")]

use ports::store::Upkeep;
use std::sync::Arc;
use store_sqlite::{SqliteSettings, SqliteStore};
use test_kit::store::{Made, Parts};

async fn temporary(parts: Parts) -> Made {
    let directory = tempfile::tempdir().unwrap();
    let settings = SqliteSettings::new(directory.path().join("nitejar.db"));
    let store = SqliteStore::connect(settings, parts.ids, parts.clock, parts.listener)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), Box::new(directory))
}

test_kit::store_contract!(temporary);
