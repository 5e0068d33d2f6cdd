//! Shorthand for what every table of the history has. Shipped files depend on it, so it may only
//! grow: changing what a function here yields would change history.

use sea_orm_migration::prelude::*;

/// A UUID that is the primary key.
pub(crate) fn key(column: impl IntoIden) -> ColumnDef {
    let mut definition = ColumnDef::new(column);
    definition.uuid().not_null().primary_key();
    definition
}

/// A column that holds one of a closed list of words.
pub(crate) fn words<const N: usize>(
    column: impl IntoIden + Copy + 'static,
    list: [&'static str; N],
) -> ColumnDef {
    let mut definition = ColumnDef::new(column);
    definition
        .text()
        .not_null()
        .check(Expr::col(column).is_in(list));
    definition
}

/// A column that holds one of a closed list of words, or nothing.
pub(crate) fn words_null<const N: usize>(
    column: impl IntoIden + Copy + 'static,
    list: [&'static str; N],
) -> ColumnDef {
    let mut definition = ColumnDef::new(column);
    definition.text().check(Expr::col(column).is_in(list));
    definition
}

/// A foreign key to the id of another table.
pub(crate) fn references(
    column: impl IntoIden,
    table: impl IntoTableRef,
    id: impl IntoIden,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .from_col(column)
        .to_tbl(table)
        .to_col(id)
        .to_owned()
}

/// An index over columns, in this order.
pub(crate) fn index<C: IntoIndexColumn, const N: usize>(
    name: &str,
    table: impl IntoTableRef,
    columns: [C; N],
) -> IndexCreateStatement {
    let mut statement = Index::create();
    statement.name(name).table(table);
    for column in columns {
        statement.col(column);
    }
    statement
}
