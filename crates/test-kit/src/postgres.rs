//! Databases on the throw-away PostgreSQL server that `cargo xtask test` starts. Every test gets one of
//! its own; nothing here touches a database it did not make.
#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test without its database fails"
)]

use sea_orm::sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::SystemTime,
};

/// An empty database, gone when this is dropped, whoever is still connected to it.
pub struct Database {
    name: String,
    url: String,
    server: String,
}

impl Database {
    /// Makes a database.
    pub async fn create() -> Self {
        Self::create_with("").await
    }

    /// Makes a database with more words to say to `CREATE DATABASE`, such as ` OWNER ada`.
    pub async fn create_with(words: &str) -> Self {
        let server = server();
        let name = unique("t");
        execute(&server, &format!("CREATE DATABASE {name}{words}")).await;
        let url = at(&server, &name);
        Self { name, url, server }
    }

    /// Where it is, for its owner.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        let server = self.server.clone();
        // Dropping cannot wait, and the runtime of the test may be on its way out: a thread of its own can.
        let gone = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(execute(&server, &drop));
        });
        if gone.join().is_err() {
            eprintln!("the test database {} stays", self.name);
        }
    }
}

/// A name that nobody else on the server has, whenever it ran.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a clock that is set");
    let next = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}_{}_{}_{next}", std::process::id(), now.as_micros())
}

/// Runs SQL on its own connection.
pub async fn execute(url: &str, sql: &str) {
    let mut connection = PgConnection::connect(url)
        .await
        .expect("the test server answers");
    connection
        .execute(AssertSqlSafe(sql))
        .await
        .expect("the statement is right");
    connection.close().await.expect("the test server answers");
}

/// The URL of the server with another database.
fn at(server: &str, name: &str) -> String {
    let (address, options) = server.split_once('?').unwrap_or((server, ""));
    let (address, _database) = address.rsplit_once('/').expect("a URL with a database");
    format!("{address}/{name}?{options}")
}

/// Where the server's own database is, for its administrator.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by the environment where the server is"
)]
pub fn server() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names the throw-away PostgreSQL server: run `cargo xtask test`")
}
