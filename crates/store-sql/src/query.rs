//! Small pieces of SQL that several repositories share.

use domain::page::PageRequest;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, Insert,
    IntoActiveModel, ModelTrait, PrimaryKeyTrait, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Alias, Expr, ExprTrait, IntoIden, LikeExpr, OnConflict},
};
use uuid::Uuid;

/// Rows of one multi-row statement. Databases bound the number of parameters (SQLite 32,766,
/// PostgreSQL 65,535), and no table here has more than 25 columns.
const CHUNK: usize = 1_000;
/// The same on SQLite. What a larger statement saves there is not worth keeping it: see [`chunks`].
const CHUNK_IN_PROCESS: usize = 64;

/// The rows of a page, newest first, and one more that proves that there are more.
pub(crate) fn page<E: EntityTrait>(
    select: Select<E>,
    id: impl ColumnTrait,
    request: PageRequest,
) -> Select<E> {
    let select = match request.cursor {
        Some(cursor) => select.filter(id.lt(cursor.0)),
        None => select,
    };
    select.order_by_desc(id).limit(u64::from(request.limit) + 1)
}

/// Narrows a list by a column when a value is given.
pub(crate) fn narrow<E: EntityTrait>(
    select: Select<E>,
    column: impl ColumnTrait,
    value: Option<Uuid>,
) -> Select<E> {
    match value {
        Some(value) => select.filter(column.eq(value)),
        None => select,
    }
}

/// Writes one row.
pub(crate) async fn insert<M, A>(db: &impl ConnectionTrait, row: M) -> Result<u64, DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = M::Entity>,
{
    Insert::one(row.into_active_model())
        .exec_without_returning(db)
        .await
}

/// Writes rows with as few statements as the parameter limit allows.
pub(crate) async fn insert_all<M, A>(
    db: &impl ConnectionTrait,
    rows: Vec<M>,
    conflict: Option<OnConflict>,
) -> Result<(), DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    A: ActiveModelTrait<Entity = M::Entity>,
{
    for chunk in chunks(db.get_database_backend(), rows) {
        let mut insert = Insert::many(chunk.into_iter().map(IntoActiveModel::into_active_model));
        if let Some(conflict) = &conflict {
            insert = insert.on_conflict(conflict.clone());
        }
        insert.exec_without_returning(db).await?;
    }
    Ok(())
}

/// The same, giving the rows back as they now stand.
pub(crate) async fn upsert_all<M, A>(
    db: &impl ConnectionTrait,
    rows: Vec<M>,
    conflict: &OnConflict,
) -> Result<Vec<M>, DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    M::Entity: EntityTrait<Model = M>,
    A: ActiveModelTrait<Entity = M::Entity>,
{
    let mut stored = Vec::with_capacity(rows.len());
    for chunk in chunks(db.get_database_backend(), rows) {
        stored.extend(
            Insert::many(chunk.into_iter().map(IntoActiveModel::into_active_model))
                .on_conflict(conflict.clone())
                .exec_with_returning(db)
                .await?,
        );
    }
    Ok(stored)
}

/// The keys of those rows that were new; the others are left alone.
pub(crate) async fn insert_new<M, A>(
    db: &impl ConnectionTrait,
    rows: Vec<M>,
    conflict: &OnConflict,
) -> Result<Vec<Uuid>, DbErr>
where
    M: ModelTrait + IntoActiveModel<A>,
    M::Entity: EntityTrait<Model = M>,
    <M::Entity as EntityTrait>::PrimaryKey: PrimaryKeyTrait<ValueType = Uuid>,
    A: ActiveModelTrait<Entity = M::Entity>,
{
    let mut keys = Vec::with_capacity(rows.len());
    for chunk in chunks(db.get_database_backend(), rows) {
        keys.extend(
            Insert::many(chunk.into_iter().map(IntoActiveModel::into_active_model))
                .on_conflict(conflict.clone())
                .exec_with_returning_keys(db)
                .await?,
        );
    }
    Ok(keys)
}

/// Whether a column holds a word, with the word written into the statement rather than bound to it. A
/// partial index is only usable when the planner sees the word that it is about, and SQLite plans a
/// statement anew at every use when such a word is bound.
pub(crate) fn is(column: impl ColumnTrait, word: &'static str) -> Expr {
    column.into_expr().eq(Expr::Constant(word.into()))
}

/// The same for any of several words.
pub(crate) fn is_any(column: impl ColumnTrait, words: &[&'static str]) -> Expr {
    let words = words.iter().map(|word| Expr::Constant((*word).into()));
    column.into_expr().is_in(words)
}

/// The value an upsert tried to insert.
pub(crate) fn excluded(column: impl IntoIden) -> Expr {
    Expr::col((Alias::new("excluded"), column))
}

/// A pattern that finds `text` anywhere, taken literally.
pub(crate) fn anywhere(text: &str) -> LikeExpr {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

/// Rows by the statements that write them. Connections keep statements prepared, and every number of rows is a
/// statement of its own. On SQLite they are kept in this process, the larger the dearer, while one more of them costs
/// little: there the numbers are powers of two. On PostgreSQL each costs a round trip, and rows go together.
fn chunks<M>(backend: DbBackend, mut rows: Vec<M>) -> Vec<Vec<M>> {
    let mut chunks = Vec::new();
    while let Some(magnitude) = rows.len().checked_ilog2() {
        let size = match backend {
            DbBackend::Sqlite => CHUNK_IN_PROCESS.min(1 << magnitude),
            _ => CHUNK.min(rows.len()),
        };
        let rest = rows.split_off(size);
        chunks.push(std::mem::replace(&mut rows, rest));
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_keep_their_order_whatever_statements_they_go_in() {
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            for count in [0, 1, 31, 64, 65, 2_500] {
                let rows: Vec<_> = (0..count).collect();
                assert_eq!(chunks(backend, rows.clone()).concat(), rows);
            }
        }
    }

    #[test]
    fn batches_of_every_size_are_few_statements_on_sqlite() {
        let sizes: BTreeSet<usize> = (0..2_500)
            .flat_map(|count| chunks(DbBackend::Sqlite, vec![(); count]))
            .map(|chunk| chunk.len())
            .collect();
        assert_eq!(Vec::from_iter(sizes), [1, 2, 4, 8, 16, 32, 64]);
    }
}
