//! The one writer: gathers transactions that wait into groups that share one commit.
//!
//! A commit costs a disk sync; a group of units pays for it once. Units of a group run one after
//! another, each in a savepoint of its own, so that one that fails takes nothing with it. Nobody hears
//! that a unit is done before the group is. The writer never waits for more units to come: a group is
//! whatever waits when it begins.

mod group;

use crate::error::Closed;
use async_trait::async_trait;
use group::Session;
use ports::{
    live::{CommitListener, Committed},
    store::{Durability, StoreError},
};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use std::{collections::VecDeque, sync::Arc};
use store_sql::{End, backend};
use tokio::sync::{mpsc, oneshot};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Units that may wait before callers wait to be let in.
const QUEUE: usize = 1_024;
/// Units that share a commit, at most: the first of them waits for the last.
const GROUP: usize = 256;

/// The way to the writer.
pub(crate) struct Writer {
    queue: mpsc::Sender<Unit>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Somebody who wants to write.
pub(crate) struct Unit {
    durability: Durability,
    reply: oneshot::Sender<Result<Turn, StoreError>>,
}

/// A unit's turn: the transaction, and the way to give it back. In this order, because they are dropped
/// in it: the rollback must be on its way before the writer goes on.
pub(crate) struct Turn {
    transaction: DatabaseTransaction,
    back: Ticket,
}

/// Gives the transaction of a unit back, to be committed with its group.
pub(crate) struct Ticket(oneshot::Sender<Finished>);

/// A unit that is through.
pub(crate) struct Finished {
    transaction: DatabaseTransaction,
    committed: Committed,
    answer: oneshot::Sender<Result<(), StoreError>>,
}

impl Writer {
    /// Starts the writer on its connection.
    pub(crate) fn start(connection: DatabaseConnection, listener: Arc<dyn CommitListener>) -> Self {
        let (queue, units) = mpsc::channel(QUEUE);
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let session = Session::new(connection, listener);
        tasks.spawn(run(units, session, stop.clone()));
        tasks.close();
        Self { queue, tasks, stop }
    }

    /// Waits for a turn to write.
    pub(crate) async fn begin(
        &self,
        durability: Durability,
    ) -> Result<(DatabaseTransaction, Box<dyn End>), StoreError> {
        let (reply, turn) = oneshot::channel();
        let unit = Unit { durability, reply };
        self.queue
            .send(unit)
            .await
            .map_err(|_gone| backend(Closed))?;
        let Turn { transaction, back } = turn.await.map_err(|_gone| backend(Closed))??;
        Ok((transaction, Box::new(back)))
    }

    /// Finishes what waits and ends.
    pub(crate) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

#[async_trait]
impl End for Ticket {
    async fn commit(
        self: Box<Self>,
        transaction: DatabaseTransaction,
        committed: Committed,
    ) -> Result<(), StoreError> {
        let (answer, outcome) = oneshot::channel();
        let finished = Finished {
            transaction,
            committed,
            answer,
        };
        self.0.send(finished).map_err(|_gone| backend(Closed))?;
        outcome.await.map_err(|_gone| backend(Closed))?
    }
}

async fn run(mut units: mpsc::Receiver<Unit>, mut session: Session, stop: CancellationToken) {
    let mut waiting = Waiting::default();
    loop {
        let next = tokio::select! {
            unit = units.recv() => unit,
            () = stop.cancelled(), if !units.is_closed() => {
                units.close();
                continue;
            }
        };
        let Some(unit) = next else { return };
        waiting.push(unit);
        loop {
            while let Ok(unit) = units.try_recv() {
                waiting.push(unit);
            }
            let Some((durability, group)) = waiting.group() else {
                break;
            };
            session.run(durability, group).await;
        }
    }
}

/// Who waits, by class; the classes take turns.
#[derive(Default)]
struct Waiting {
    durable: VecDeque<Unit>,
    relaxed: VecDeque<Unit>,
    durable_next: bool,
}

impl Waiting {
    fn push(&mut self, unit: Unit) {
        match unit.durability {
            Durability::Durable => self.durable.push_back(unit),
            Durability::Relaxed => self.relaxed.push_back(unit),
        }
    }

    /// Who shares the next commit.
    fn group(&mut self) -> Option<(Durability, Vec<Unit>)> {
        let durable = !self.durable.is_empty() && (self.durable_next || self.relaxed.is_empty());
        self.durable_next = !durable;
        let (class, queue) = if durable {
            (Durability::Durable, &mut self.durable)
        } else {
            (Durability::Relaxed, &mut self.relaxed)
        };
        let group: Vec<_> = queue.drain(..queue.len().min(GROUP)).collect();
        (!group.is_empty()).then_some((class, group))
    }
}
