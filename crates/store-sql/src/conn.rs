//! The connection of a transaction, with two promises that databases keep differently: a statement that
//! fails spoils the transaction, and text may hold any character.

use async_trait::async_trait;
use ports::store::StoreError;
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement,
    Value,
};
use std::sync::atomic::{AtomicBool, Ordering};

/// What stands for a zero byte, which PostgreSQL can store neither in text nor in JSON. Programs print
/// it, and a job must not fail for that.
const REPLACEMENT: &str = "\u{FFFD}";

/// The connection of a transaction.
pub(crate) struct Conn {
    transaction: DatabaseTransaction,
    failed: AtomicBool,
}

/// A transaction that may not be committed.
#[derive(Debug, thiserror::Error)]
#[error("a statement of the transaction failed before, so none of it counts")]
struct Spoiled;

impl Conn {
    pub(crate) const fn new(transaction: DatabaseTransaction) -> Self {
        Self {
            transaction,
            failed: AtomicBool::new(false),
        }
    }

    /// The transaction, to be committed. PostgreSQL would take the commit of a spoiled one for a
    /// rollback and report no error.
    pub(crate) fn into_inner(self) -> Result<DatabaseTransaction, StoreError> {
        if self.failed.into_inner() {
            return Err(crate::error::backend(Spoiled));
        }
        Ok(self.transaction)
    }

    fn noted<T>(&self, outcome: Result<T, DbErr>) -> Result<T, DbErr> {
        if outcome.is_err() {
            self.failed.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

#[async_trait]
impl ConnectionTrait for Conn {
    fn get_database_backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.noted(self.transaction.execute_raw(storable(statement)).await)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.noted(self.transaction.execute_unprepared(sql).await)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.noted(self.transaction.query_one_raw(storable(statement)).await)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.noted(self.transaction.query_all_raw(storable(statement)).await)
    }
}

fn storable(mut statement: Statement) -> Statement {
    for value in statement.values.iter_mut().flat_map(|values| &mut values.0) {
        match value {
            Value::String(Some(text)) => replace(text),
            Value::Json(Some(json)) => replace_in(json),
            _ => {}
        }
    }
    statement
}

fn replace(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', REPLACEMENT);
    }
}

fn replace_in(json: &mut serde_json::Value) {
    match json {
        serde_json::Value::String(text) => replace(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(replace_in),
        serde_json::Value::Object(fields) => {
            if fields.keys().any(|key| key.contains('\0')) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(key, value)| (key.replace('\0', REPLACEMENT), value))
                    .collect();
            }
            fields.values_mut().for_each(replace_in);
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}
