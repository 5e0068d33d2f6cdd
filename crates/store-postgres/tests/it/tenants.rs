//! The second wall: a transaction of one tenant cannot touch another tenant's rows, whatever its SQL says.

use crate::Home;
use domain::id::TenantId;
use ports::store::{Durability, Store, SystemStore, Upkeep};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, Executor, PgConnection};
use test_kit::postgres;
use uuid::Uuid;

const STRANGER: TenantId = TenantId::from_uuid(Uuid::from_u128(9));

/// A connection that works as a role, and as a tenant if one is given.
async fn become_role(home: &Home, role: &str, tenant: Option<TenantId>) -> PgConnection {
    let mut connection = PgConnection::connect(home.database.url()).await.unwrap();
    let role = format!("SET ROLE {role}");
    connection.execute(AssertSqlSafe(role)).await.unwrap();
    if let Some(tenant) = tenant {
        let tenant = format!("SET nitejar.tenant = '{}'", tenant.as_uuid());
        connection.execute(AssertSqlSafe(tenant)).await.unwrap();
    }
    connection
}

/// Every table that holds rows of tenants, with the column that says whose.
async fn tables(home: &Home) -> Vec<(String, String)> {
    let mut connection = PgConnection::connect(home.database.url()).await.unwrap();
    let tables: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = 'public' \
               AND column_name = CASE table_name WHEN 'tenants' THEN 'id' ELSE 'tenant_id' END",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.len() > 20, "{tables:?}");
    tables
}

async fn count(connection: &mut PgConnection, table: &str) -> i64 {
    let count = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(AssertSqlSafe(count))
        .fetch_one(connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn without_a_tenant_nothing_is_seen() {
    let home = Home::new().await;
    let mut system = become_role(&home, "nitejar_system", None).await;
    let mut nobody = become_role(&home, "nitejar_app", None).await;
    for table in ["tenants", "feeds", "agents", "budgets"] {
        assert!(count(&mut system, table).await > 0, "{table}");
    }
    for (table, _) in tables(&home).await {
        assert_eq!(count(&mut nobody, &table).await, 0, "{table}");
    }
}

#[tokio::test]
async fn every_table_shows_a_tenant_its_own_rows_only() {
    let home = Home::new().await;
    let mut own = become_role(&home, "nitejar_app", Some(home.tenant)).await;
    let mut foreign = become_role(&home, "nitejar_app", Some(STRANGER)).await;
    for (table, _) in tables(&home).await {
        assert_eq!(count(&mut foreign, &table).await, 0, "{table}");
    }
    for table in ["tenants", "feeds", "agents"] {
        assert_eq!(count(&mut own, table).await, 1, "{table}");
    }
}

#[tokio::test]
async fn another_tenants_rows_cannot_be_written() {
    let home = Home::new().await;
    let mut foreign = become_role(&home, "nitejar_app", Some(STRANGER)).await;
    for statement in ["UPDATE agents SET enabled = false", "DELETE FROM budgets"] {
        let done = foreign.execute(statement).await.unwrap();
        assert_eq!(done.rows_affected(), 0, "{statement}");
    }
    let mine = format!(
        "INSERT INTO settings VALUES ('{}', 'x', '1', now())",
        home.tenant.as_uuid()
    );
    let refused = foreign.execute(AssertSqlSafe(mine.as_str())).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
    let mut own = become_role(&home, "nitejar_app", Some(home.tenant)).await;
    own.execute(AssertSqlSafe(mine)).await.unwrap();
    let away = format!("UPDATE settings SET tenant_id = '{}'", STRANGER.as_uuid());
    let refused = own.execute(AssertSqlSafe(away)).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("row-level security"), "{refused}");
}

#[tokio::test]
async fn a_transaction_of_the_store_is_behind_the_wall() {
    let home = Home::new().await;
    let (tenant, agent) = (home.tenant, home.agent.id);
    // The tenant that the repository is given is the right one; the transaction is another's.
    for tx in [
        home.store.read(STRANGER).await.unwrap(),
        home.store
            .write(STRANGER, Durability::Durable)
            .await
            .unwrap(),
    ] {
        assert_eq!(tx.agents().find(tenant, agent).await.unwrap(), None);
    }
    let tx = home.store.read(tenant).await.unwrap();
    let found = tx.agents().find(tenant, agent).await.unwrap();
    assert_eq!(found, Some(home.agent.clone()));
    drop(tx);
    // What one transaction was told does not stay with its connection.
    let now = home.agent.created_at;
    let first = home.store.ensure_tenant("Other", now).await.unwrap();
    assert_eq!(first.id, tenant);
}

#[tokio::test]
async fn the_owner_of_the_tables_is_subject_too() {
    let home = Home::new().await;
    let owner = postgres::unique("owner");
    let mut admin = PgConnection::connect(home.database.url()).await.unwrap();
    let make = format!("CREATE ROLE {owner} NOLOGIN");
    admin.execute(AssertSqlSafe(make)).await.unwrap();
    for (table, _) in tables(&home).await {
        let give = format!("ALTER TABLE {table} OWNER TO {owner}");
        admin.execute(AssertSqlSafe(give)).await.unwrap();
    }
    let mut connection = become_role(&home, &owner, Some(home.tenant)).await;
    for (table, _) in tables(&home).await {
        assert_eq!(count(&mut connection, &table).await, 0, "{table}");
    }
    // Only because it is forced: owners see everything otherwise.
    let open = "ALTER TABLE agents NO FORCE ROW LEVEL SECURITY";
    connection.execute(open).await.unwrap();
    assert_eq!(count(&mut connection, "agents").await, 1);
    connection.close().await.unwrap();
    drop(home);
    let forget = format!("DROP ROLE {owner}");
    let mut server = PgConnection::connect(&postgres::server()).await.unwrap();
    server.execute(AssertSqlSafe(forget)).await.unwrap();
}

#[tokio::test]
async fn tables_without_tenants_are_out_of_a_tenants_reach() {
    let home = Home::new().await;
    let mut own = become_role(&home, "nitejar_app", Some(home.tenant)).await;
    for table in ["workers", "leases", "seaql_migrations"] {
        let look = format!("SELECT FROM {table}");
        let refused = own.execute(AssertSqlSafe(look)).await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("permission denied"), "{refused}");
    }
}

#[tokio::test]
async fn a_table_that_comes_later_is_closed_before_the_store_is_ready() {
    let home = Home::new().await;
    home.store.ready().await.unwrap();
    postgres::execute(
        home.database.url(),
        "CREATE TABLE later (id uuid PRIMARY KEY, tenant_id uuid NOT NULL)",
    )
    .await;
    assert!(home.store.ready().await.is_err());
    home.store.migrate().await.unwrap();
    home.store.ready().await.unwrap();
    let (mine, theirs) = (home.tenant.as_uuid(), STRANGER.as_uuid());
    let mut system = become_role(&home, "nitejar_system", None).await;
    let fill = format!("INSERT INTO later VALUES ('{mine}', '{mine}'), ('{theirs}', '{theirs}')");
    system.execute(AssertSqlSafe(fill)).await.unwrap();
    let mut own = become_role(&home, "nitejar_app", Some(home.tenant)).await;
    assert_eq!(count(&mut own, "later").await, 1);
}
