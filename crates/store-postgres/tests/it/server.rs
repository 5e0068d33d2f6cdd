//! Getting in, and what happens when the server goes away.

use crate::{Home, connect, whole};
use ports::{
    clock::Clock,
    store::{Durability, Store, SystemStore, Upkeep},
};
use sea_orm::sqlx::{self, Connection, PgConnection};
use std::time::{Duration, Instant};
use test_kit::{
    fakes::FakeClock,
    postgres::{self, Database},
};
use tokio::join;

/// Neither owner of anything else nor administrator: what a careful operator gives us.
#[tokio::test]
async fn an_ordinary_user_is_told_which_sql_lets_it_in_and_then_gets_in() {
    let user = postgres::unique("user");
    let server = postgres::server();
    postgres::execute(&server, &format!("CREATE ROLE {user} LOGIN")).await;
    let database = Database::create_with(&format!(" OWNER {user}")).await;
    let url = database
        .url()
        .replacen("postgres@", &format!("{user}:hunter2@"), 1);
    let refused = whole(&connect(&url).await.err().unwrap());
    assert!(!refused.contains("hunter2"), "{refused}");
    let begin = refused.find("run this once and start again: ").unwrap();
    let sql = &refused[begin..]["run this once and start again: ".len()..];
    let sql = &sql[..=sql.rfind(';').unwrap()];
    assert!(
        sql.ends_with(&format!("nitejar_system TO {user};")),
        "{sql}"
    );
    postgres::execute(&server, sql).await;

    let store = connect(&url).await.unwrap();
    store.migrate().await.unwrap();
    store.ready().await.unwrap();
    let now = FakeClock::default().now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap();
    let tx = store.write(tenant.id, Durability::Durable).await.unwrap();
    let one = serde_json::json!(1);
    tx.settings().put(tenant.id, "x", &one, now).await.unwrap();
    tx.commit().await.unwrap();
    store.close().await;
    // As a migration that changes rows would: its owner inherits what the system role may.
    let mut owner = PgConnection::connect(&url).await.unwrap();
    let rows = sqlx::query("SELECT FROM settings").fetch_all(&mut owner);
    assert_eq!(rows.await.unwrap().len(), 1);
    drop(database);
    postgres::execute(&server, &format!("DROP ROLE {user}")).await;
}

#[tokio::test]
async fn errors_name_the_place_and_never_the_password() {
    for (url, names) in [
        ("postgres://ada:hunter2@[::1", "percent-encoded"),
        ("postgres://ada:hunter2@h:port/x", "percent-encoded"),
        (
            "postgres://ada:hunter2@localhost/acme?host=/nonexistent",
            "/nonexistent",
        ),
    ] {
        let error = whole(&connect(url).await.err().unwrap());
        assert!(error.contains(names), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn two_processes_migrate_a_new_database_at_once() {
    let database = Database::create().await;
    let (one, other) = join!(connect(database.url()), connect(database.url()));
    let (one, other) = (one.unwrap(), other.unwrap());
    let done = join!(one.migrate(), other.migrate());
    assert!(done.0.is_ok() && done.1.is_ok(), "{done:?}");
    let now = FakeClock::default().now();
    let homes = join!(one.ensure_tenant("A", now), other.ensure_tenant("B", now));
    assert_eq!(homes.0.unwrap(), homes.1.unwrap());
}

#[tokio::test]
async fn lost_connections_fail_what_is_under_way_and_nothing_later() {
    let home = Home::new().await;
    let write = async || {
        let tx = home.store.write(home.tenant, Durability::Relaxed).await?;
        let now = FakeClock::default().now();
        let name = serde_json::json!("x");
        tx.settings().put(home.tenant, "x", &name, now).await?;
        tx.commit().await
    };
    let under_way = home
        .store
        .write(home.tenant, Durability::Relaxed)
        .await
        .unwrap();
    end_connections(&home.database).await;
    assert!(under_way.commit().await.is_err());
    let mut failures = 0;
    while write().await.is_err() {
        failures += 1;
        assert!(failures <= 4, "one for every connection that was open");
    }
    home.store.ready().await.unwrap();
}

/// A process that is stopped in the middle of a transaction holds its locks, until the server ends that.
#[tokio::test]
async fn a_frozen_transaction_holds_nobody_up_for_long() {
    let home = Home::new().await;
    let now = FakeClock::default().now();
    let put = async || {
        let tx = home.store.write(home.tenant, Durability::Relaxed).await;
        let (tx, one) = (tx.unwrap(), serde_json::json!(1));
        let put = tx.settings().put(home.tenant, "x", &one, now).await;
        put.map(|()| tx)
    };
    let frozen = put().await.unwrap();
    put().await.unwrap().commit().await.unwrap();
    assert!(frozen.commit().await.is_err());
}

/// As a restart of the server does.
async fn end_connections(database: &Database) {
    let mut admin = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .execute(&mut admin)
    .await
    .unwrap();
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_not_ready_soon() {
    let home = Home::new().await;
    let mut admin = PgConnection::connect(home.database.url()).await.unwrap();
    let mut holder = admin.begin().await.unwrap();
    sqlx::query("LOCK TABLE seaql_migrations")
        .execute(&mut *holder)
        .await
        .unwrap();
    let began = Instant::now();
    let error = whole(&home.store.ready().await.unwrap_err());
    assert!(error.contains("did not answer within"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    holder.rollback().await.unwrap();
    home.store.ready().await.unwrap();
}
