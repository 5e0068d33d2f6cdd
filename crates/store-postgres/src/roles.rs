//! The two roles the server works as. They belong to the whole server, not to one database, so that
//! several processes and databases may make them at the same moment.

use crate::error::OpenError;
use sea_orm::sqlx::{self, Executor, PgConnection};
use std::borrow::Cow;

/// Sees the rows of one tenant.
pub(crate) const APP: &str = "nitejar_app";

/// Works only when the connected user may become both.
const TRY: &str = "SET ROLE nitejar_app; SET ROLE nitejar_system; RESET ROLE";

/// What makes them, each on its own: any may have been done before, or by somebody else just now.
const MAKE: [&str; 3] = [
    "CREATE ROLE nitejar_app NOLOGIN",
    "CREATE ROLE nitejar_system NOLOGIN",
    "GRANT nitejar_app, nitejar_system TO CURRENT_USER",
];

/// Others who do the same at the same moment make each of us fail at most this often.
const ATTEMPTS: usize = 10;

/// Makes the roles when they are missing, and lets the connected user become them.
pub(crate) async fn ensure(owner: &mut PgConnection) -> Result<(), OpenError> {
    let mut attempts = 0..ATTEMPTS;
    while let Err(unusable) = owner.execute(TRY).await {
        let made = make(owner).await;
        if attempts.next().is_none() || made.is_err_and(|error| is_forbidden(&error)) {
            return Err(refused(owner, unusable).await);
        }
    }
    Ok(())
}

async fn make(owner: &mut PgConnection) -> Result<(), sqlx::Error> {
    for statement in MAKE {
        match owner.execute(statement).await {
            Err(error) if !is_there(&error) => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(())
}

/// Somebody made it before: known as such, or found only by the unique key of the catalog.
fn is_there(error: &sqlx::Error) -> bool {
    matches!(code(error).as_deref(), Some("42710" | "23505"))
}

fn is_forbidden(error: &sqlx::Error) -> bool {
    code(error).as_deref() == Some("42501")
}

fn code(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Says what is missing, as SQL.
async fn refused(owner: &mut PgConnection, source: sqlx::Error) -> OpenError {
    let told: Result<(String, Vec<String>), _> = sqlx::query_as(
        "SELECT quote_ident(current_user), array( \
            SELECT 'CREATE ROLE ' || name || ' NOLOGIN; ' \
            FROM unnest(ARRAY['nitejar_app', 'nitejar_system']) AS name \
            WHERE to_regrole(name) IS NULL)",
    )
    .fetch_one(owner)
    .await;
    match told {
        Ok((user, missing)) => OpenError::Roles {
            sql: format!(
                "{}GRANT nitejar_app, nitejar_system TO {user};",
                missing.concat()
            ),
            user,
            source,
        },
        Err(source) => OpenError::Lost(source),
    }
}
