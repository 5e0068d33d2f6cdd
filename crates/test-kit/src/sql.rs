//! What somebody does to a database behind the server's back.

use sea_orm::{ConnectionTrait as _, Database, DbErr};

/// Runs statements on the database at this URL, `sqlite://` or `postgres://`.
///
/// # Errors
/// What the database says against it.
pub async fn run(url: &str, statements: &str) -> Result<(), DbErr> {
    let database = Database::connect(url).await?;
    let done = database.execute_unprepared(statements).await;
    database.close().await?;
    done.map(|_rows| ())
}
