//! Where a test keeps its rows: a file, or a throw-away database.

use domain::secret::Secret;
use ports::{clock::Clock, ids::Ids, live::CommitListener, store::Upkeep as _};
use std::{path::Path, sync::Arc};
use store_postgres::{PostgresSettings, PostgresStore};
use store_sqlite::{SqliteSettings, SqliteStore};
use tempfile::TempDir;
use test_kit::{postgres::Database, store::AnyStore};

/// Lives as long as the store in it.
pub(crate) struct Place {
    directory: TempDir,
    _database: Option<Database>,
}

impl Place {
    /// A place with an empty, migrated store in it.
    pub(crate) async fn new(
        ids: Arc<dyn Ids>,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> (Self, Arc<dyn AnyStore>) {
        let directory = TempDir::new().unwrap();
        if !crate::ON_POSTGRES {
            let settings = SqliteSettings::new(directory.path().join("test.db"));
            let store = SqliteStore::connect(settings, ids, clock, listener);
            let store = store.await.unwrap();
            store.migrate().await.unwrap();
            let place = Self {
                directory,
                _database: None,
            };
            return (place, Arc::new(store));
        }
        let database = Database::create().await;
        let settings = PostgresSettings::new(Secret::new(database.url()));
        let store = PostgresStore::connect(settings, ids, clock, listener);
        let store = store.await.unwrap();
        store.migrate().await.unwrap();
        let place = Self {
            directory,
            _database: Some(database),
        };
        (place, Arc::new(store))
    }

    /// Where its files are, if it has any.
    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }
}
