//! How days went: how their jobs ended, and how long people waited.

use super::ENTITY;
use crate::{
    entity::{job, work_item},
    error::{db_error, word},
    tx::SqlTx,
};
use domain::job::JobStatus;
use ports::store::{DayOutcome, DayWait, StoreError};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbBackend, FromQueryResult, QuerySelect, QueryTrait as _, Select,
    sea_query::{Expr, Query},
};
use std::collections::BTreeMap;

pub(super) async fn outcomes(
    tx: &SqlTx,
    jobs: Select<job::Entity>,
) -> Result<Vec<DayOutcome>, StoreError> {
    use job::Column;
    let day = day_of(tx, r#""jobs"."finished_at""#);
    let counts: Vec<(String, String, i64)> = jobs
        .select_only()
        .expr_as(day.clone(), "day")
        .column(Column::Status)
        .column_as(Column::Id.count(), "number")
        .group_by(day)
        .group_by(Column::Status)
        .into_tuple()
        .all(&tx.conn)
        .await
        .map_err(db_error(ENTITY))?;
    let mut days: BTreeMap<String, DayOutcome> = BTreeMap::new();
    for (day, status, number) in counts {
        let outcome = days.entry(day.clone()).or_insert_with(|| DayOutcome {
            day,
            ..DayOutcome::default()
        });
        match word("job", "status", &status)? {
            JobStatus::Completed => outcome.completed = number,
            JobStatus::Failed => outcome.failed = number,
            JobStatus::Cancelled => outcome.cancelled = number,
            JobStatus::Queued | JobStatus::Running | JobStatus::Waiting => {}
        }
    }
    Ok(days.into_values().collect())
}

#[derive(FromQueryResult)]
struct Waits {
    day: String,
    p50: i64,
    p95: i64,
}

/// Ranked by the database, because there may be any number of answers; counted by length first,
/// because that leaves it little to rank.
pub(super) async fn waits(
    tx: &SqlTx,
    answered: Select<work_item::Entity>,
) -> Result<Vec<DayWait>, StoreError> {
    let counted = answered
        .select_only()
        .expr_as(day_of(tx, r#""work_items"."closed_at""#), "day")
        .expr_as(seconds_waited(tx), "seconds")
        .column_as(work_item::Column::Id.count(), "answers")
        .group_by(Expr::col("day"))
        .group_by(Expr::col("seconds"))
        .into_query();
    let of_day = r#"SUM("answers") OVER (PARTITION BY "day")"#;
    let until_here = r#"SUM("answers") OVER (PARTITION BY "day" ORDER BY "seconds")"#;
    let ranked = Query::select()
        .columns(["day", "seconds"])
        .expr_as(Expr::cust(until_here), "rank")
        .expr_as(Expr::cust(of_day), "last_rank")
        .from_subquery(counted, "counted")
        .take();
    let by_day = Query::select()
        .column("day")
        .expr_as(nearest_rank(50), "p50")
        .expr_as(nearest_rank(95), "p95")
        .from_subquery(ranked, "ranked")
        .group_by_col("day")
        .take();
    let statement = tx.conn.get_database_backend().build(&by_day);
    let days = Waits::find_by_statement(statement).all(&tx.conn).await;
    let days = days.map_err(db_error(ENTITY))?.into_iter();
    Ok(days
        .map(|Waits { day, p50, p95 }| DayWait { day, p50, p95 })
        .collect())
}

/// The smallest of ranked values that so many percent do not exceed.
fn nearest_rank(percent: u8) -> Expr {
    Expr::cust(format!(
        r#"MIN(CASE WHEN "rank" * 100 >= "last_rank" * {percent} THEN "seconds" END)"#
    ))
}

/// Whole ones. `SQLite` subtracts in floating point, of which only the milliseconds mean anything.
fn seconds_waited(tx: &SqlTx) -> Expr {
    let (from, to) = (
        r#""work_items"."created_at""#,
        r#""work_items"."closed_at""#,
    );
    Expr::cust(match tx.conn.get_database_backend() {
        DbBackend::Postgres => {
            format!("CAST(FLOOR(EXTRACT(EPOCH FROM ({to} - {from}))) AS bigint)")
        }
        _ => format!(
            "CAST(ROUND(unixepoch({to}, 'subsec') - unixepoch({from}, 'subsec'), 3) AS integer)"
        ),
    })
}

/// The UTC day of an instant; `SQLite` keeps instants as text that begins with it.
pub(super) fn day_of(tx: &SqlTx, column: &str) -> Expr {
    Expr::cust(match tx.conn.get_database_backend() {
        DbBackend::Postgres => format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD')"),
        _ => format!("substr({column}, 1, 10)"),
    })
}
