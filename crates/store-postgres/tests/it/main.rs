//! What is special about PostgreSQL: the wall between tenants, the roles, what a lost server does, and how
//! processes hear of each other. The store contract is in `contract.rs`.
#![expect(clippy::unwrap_used, reason = "test code")]

mod bus;
mod server;
mod silence;
mod tenants;

use domain::agent::Agent;
use domain::{id::TenantId, secret::Secret};
use ports::{
    clock::Clock,
    ids::Ids,
    live::{CommitListener, Committed},
    store::{Durability, Store, StoreError, SystemStore, Upkeep},
};
use std::{error::Error, sync::Arc};
use store_postgres::{PostgresSettings, PostgresStore};
use test_kit::{
    builders,
    fakes::{FakeClock, SeqIds},
    postgres::Database,
};

struct Deaf;

impl CommitListener for Deaf {
    fn committed(&self, _committed: Committed) {}
}

/// A migrated database with one tenant that has an agent.
struct Home {
    store: PostgresStore,
    tenant: TenantId,
    agent: Agent,
    database: Database,
}

impl Home {
    async fn new() -> Self {
        let database = Database::create().await;
        let store = connect(database.url()).await.unwrap();
        store.migrate().await.unwrap();
        let (clock, ids) = (FakeClock::default(), SeqIds::default());
        let tenant = store.ensure_tenant("Acme", clock.now()).await.unwrap().id;
        // Far from the ids that the store gives out by itself.
        for _ in 0..100 {
            let _skipped = ids.next();
        }
        let agent = builders::agent(&ids, tenant, "Ada", clock.now());
        let tx = store.write(tenant, Durability::Relaxed).await.unwrap();
        tx.agents().insert(&agent).await.unwrap();
        tx.commit().await.unwrap();
        Self {
            store,
            tenant,
            agent,
            database,
        }
    }
}

async fn connect(url: &str) -> Result<PostgresStore, StoreError> {
    let settings = PostgresSettings {
        connections: 4,
        ..PostgresSettings::new(Secret::new(url))
    };
    let (ids, clock) = (Arc::new(SeqIds::default()), Arc::new(FakeClock::default()));
    PostgresStore::connect(settings, ids, clock, Arc::new(Deaf)).await
}

/// An error with everything behind it, as a person would see it.
fn whole(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
