//! The store contract, on PostgreSQL databases.
#![expect(clippy::unwrap_used, reason = "test code")]

use domain::secret::Secret;
use ports::store::Upkeep;
use std::sync::Arc;
use store_postgres::{PostgresSettings, PostgresStore};
use test_kit::{
    postgres::Database,
    store::{Made, Parts},
};

async fn temporary(parts: Parts) -> Made {
    let database = Database::create().await;
    let settings = PostgresSettings::new(Secret::new(database.url()));
    let store = PostgresStore::connect(settings, parts.ids, parts.clock, parts.listener)
        .await
        .unwrap();
    store.migrate().await.unwrap();
    (Arc::new(store), Box::new(database))
}

test_kit::store_contract!(temporary);
