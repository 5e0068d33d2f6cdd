//! The direction out: what gathered goes out in one notification, and a sign of life when nothing does.

use super::{ANSWER, Link, SOON, pause, summary::Summary};
use ports::live::News;
use sea_orm::sqlx::{self, Connection, Executor, PgConnection, postgres::PgConnectOptions};
use std::{
    io::ErrorKind,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long until a process that has nothing to tell says that it is there. It hears that itself, and so
/// knows that news get through.
pub(super) const BEAT: Duration = Duration::from_secs(5);

/// How long news gather after a notification, so that a busy process does not wake all others for each of
/// its commits.
const GATHER: Duration = Duration::from_millis(5);

/// What waits to be told.
#[derive(Default)]
pub(super) struct Queue {
    summary: Mutex<Summary>,
    changed: Notify,
}

impl Queue {
    /// Adds news without waiting.
    pub(super) fn put(&self, news: &News) {
        let mut summary = self.summary();
        summary.add(news);
        if !summary.is_empty() {
            self.changed.notify_one();
        }
    }

    fn is_empty(&self) -> bool {
        self.summary().is_empty()
    }

    fn take(&self) -> Summary {
        mem::take(&mut self.summary())
    }

    fn give_back(&self, untold: Summary) {
        self.summary().merge(untold);
    }

    fn summary(&self) -> MutexGuard<'_, Summary> {
        self.summary.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells.
pub(super) struct Mouth {
    options: PgConnectOptions,
    origin: Uuid,
    queue: Arc<Queue>,
    link: Arc<Link>,
    connection: Option<PgConnection>,
}

impl Mouth {
    pub(super) fn new(
        options: PgConnectOptions,
        origin: Uuid,
        queue: &Arc<Queue>,
        link: &Arc<Link>,
    ) -> Self {
        Self {
            options,
            origin,
            queue: Arc::clone(queue),
            link: Arc::clone(link),
            connection: None,
        }
    }

    /// Tells until it is stopped, and then what is left.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut delay = SOON;
        while !stop.is_cancelled() {
            if self.tell().await {
                delay = SOON;
                tokio::time::sleep(GATHER).await;
            } else if pause(&mut delay, &stop).await {
                continue;
            }
            tokio::select! {
                () = self.queue.changed.notified() => {}
                () = tokio::time::sleep(BEAT) => {}
                () = stop.cancelled() => {}
            }
        }
        if !self.queue.is_empty() {
            self.tell().await;
        }
        if let Some(connection) = self.connection {
            // The server finds out by itself if the goodbye is lost.
            drop(tokio::time::timeout(ANSWER, connection.close()).await);
        }
    }

    /// Tells what waits, even if that is nothing; whether it was told.
    async fn tell(&mut self) -> bool {
        let summary = self.queue.take();
        let told = tokio::time::timeout(ANSWER, self.notify(&summary)).await;
        match told.unwrap_or_else(|_late| Err(sqlx::Error::Io(ErrorKind::TimedOut.into()))) {
            Ok(()) => {
                self.link.works();
                true
            }
            Err(error) => {
                self.connection = None;
                self.link.broke(&error);
                self.queue.give_back(summary);
                false
            }
        }
    }

    async fn notify(&mut self, summary: &Summary) -> Result<(), sqlx::Error> {
        let payload = summary
            .encode(self.origin)
            .map_err(|error| sqlx::Error::Encode(error.into()))?;
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none @ None => {
                let mut connection = PgConnection::connect_with(&self.options).await?;
                // A notification is not worth a disk sync.
                connection.execute("SET synchronous_commit = off").await?;
                none.insert(connection)
            }
        };
        sqlx::query("SELECT pg_notify('nitejar', $1)")
            .bind(payload)
            .execute(connection)
            .await?;
        Ok(())
    }
}
