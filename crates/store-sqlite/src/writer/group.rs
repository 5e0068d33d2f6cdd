//! One group: begin, let every unit have its turn, commit, answer.

use super::{Finished, Ticket, Turn, Unit};
use ports::{
    live::{CommitListener, Committed},
    store::{Durability, StoreError},
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode,
    TransactionOptions, TransactionTrait,
};
use std::sync::Arc;
use store_sql::{backend, db_error};
use tokio::sync::oneshot;

/// The writer's connection and what it was last told about syncing.
pub(super) struct Session {
    connection: DatabaseConnection,
    listener: Arc<dyn CommitListener>,
    syncing: Option<Durability>,
}

/// A unit that is through and waits for the commit of its group.
struct Waiter {
    committed: Committed,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

impl Session {
    pub(super) fn new(connection: DatabaseConnection, listener: Arc<dyn CommitListener>) -> Self {
        Self {
            connection,
            listener,
            syncing: None,
        }
    }

    /// Runs a group to its end.
    pub(super) async fn run(&mut self, durability: Durability, units: Vec<Unit>) {
        let mut open: Option<DatabaseTransaction> = None;
        let mut through = Vec::with_capacity(units.len());
        for unit in units {
            // Somebody who no longer waits needs no transaction.
            if unit.reply.is_closed() {
                continue;
            }
            open = match open {
                // The first has the group's transaction to itself: should it fail, so does nobody else.
                None => match self.begin(durability).await {
                    Ok(group) => take_turn(unit, group).await.map(|finished| {
                        let (group, waiter) = finished.split();
                        through.push(waiter);
                        group
                    }),
                    Err(error) => {
                        refuse(unit, error);
                        None
                    }
                },
                Some(group) => {
                    match group.begin().await {
                        Ok(savepoint) => through.extend(in_savepoint(unit, savepoint).await),
                        Err(error) => refuse(unit, error),
                    }
                    Some(group)
                }
            };
        }
        if let Some(group) = open {
            self.end(group.commit().await, through);
        }
    }

    async fn begin(&mut self, durability: Durability) -> Result<DatabaseTransaction, DbErr> {
        // Cannot change inside a transaction, so a group is of one class.
        if self.syncing != Some(durability) {
            let pragma = match durability {
                Durability::Durable => "PRAGMA synchronous = FULL",
                Durability::Relaxed => "PRAGMA synchronous = NORMAL",
            };
            self.connection.execute_unprepared(pragma).await?;
            self.syncing = Some(durability);
        }
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.connection.begin_with_options(options).await
    }

    /// Tells everybody; the process first, so that whoever awaited a commit finds its events published.
    fn end(&self, outcome: Result<(), DbErr>, through: Vec<Waiter>) {
        match outcome {
            Ok(()) => {
                for Waiter { committed, answer } in through {
                    if !committed.is_silent() {
                        self.listener.committed(committed);
                    }
                    answer_to(answer, Ok(()));
                }
            }
            Err(error) => {
                let error = Arc::new(error);
                for Waiter { answer, .. } in through {
                    answer_to(answer, Err(backend(Arc::clone(&error))));
                }
            }
        }
    }
}

impl Finished {
    fn split(self) -> (DatabaseTransaction, Waiter) {
        let waiter = Waiter {
            committed: self.committed,
            answer: self.answer,
        };
        (self.transaction, waiter)
    }
}

/// Hands the transaction out and waits until it comes back. It does not when the unit failed or was
/// dropped; then it is rolled back already.
async fn take_turn(unit: Unit, transaction: DatabaseTransaction) -> Option<Finished> {
    let (ticket, finished) = oneshot::channel();
    let turn = Turn {
        transaction,
        back: Ticket(ticket),
    };
    // One that comes too late is dropped here, and with it what it would have done.
    unit.reply.send(Ok(turn)).ok()?;
    finished.await.ok()
}

async fn in_savepoint(unit: Unit, savepoint: DatabaseTransaction) -> Option<Waiter> {
    let (savepoint, waiter) = take_turn(unit, savepoint).await?.split();
    match savepoint.commit().await {
        Ok(()) => Some(waiter),
        Err(error) => {
            answer_to(waiter.answer, Err(db_error("transaction")(error)));
            None
        }
    }
}

fn refuse(unit: Unit, error: DbErr) {
    // Nobody to tell when the caller has gone.
    drop(unit.reply.send(Err(db_error("transaction")(error))));
}

fn answer_to(answer: oneshot::Sender<Result<(), StoreError>>, outcome: Result<(), StoreError>) {
    // Nobody to tell when the caller has gone; the commit stands all the same.
    drop(answer.send(outcome));
}
