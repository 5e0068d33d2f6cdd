//! The direction in. A lost connection is made again, and whoever listens is told that it may have missed
//! something.

use super::{ANSWER, Link, SOON, pause, summary::Summary, tell::BEAT};
use ports::live::Heard;
use sea_orm::sqlx::{
    self,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use std::{io::ErrorKind, sync::Arc, time::Duration};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longer silence than this means that the connection is dead: at least one's own signs of life are heard.
const SILENCE: Duration = BEAT.saturating_mul(3);

/// Listens.
pub(super) struct Ear {
    options: PgConnectOptions,
    origin: Uuid,
    listeners: broadcast::Sender<Heard>,
    link: Arc<Link>,
}

impl Ear {
    pub(super) fn new(
        options: PgConnectOptions,
        origin: Uuid,
        listeners: broadcast::Sender<Heard>,
        link: &Arc<Link>,
    ) -> Self {
        Self {
            options,
            origin,
            listeners,
            link: Arc::clone(link),
        }
    }

    /// Listens until it is stopped.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut delay = SOON;
        loop {
            let error = tokio::select! {
                error = self.listen(&mut delay) => error,
                () = stop.cancelled() => return,
            };
            self.link.broke(&error);
            if !pause(&mut delay, &stop).await {
                return;
            }
        }
    }

    /// Listens on one connection for as long as it lives; why it ended.
    async fn listen(&self, delay: &mut Duration) -> sqlx::Error {
        let opened = tokio::time::timeout(ANSWER, self.open()).await;
        let mut listener = match opened {
            Ok(Ok(listener)) => listener,
            Ok(Err(error)) => return error,
            Err(_late) => return sqlx::Error::Io(ErrorKind::TimedOut.into()),
        };
        *delay = SOON;
        self.link.works();
        self.tell(Heard::Gap);
        loop {
            let next = tokio::time::timeout(SILENCE, listener.try_recv()).await;
            match next {
                Ok(Ok(Some(notification))) => {
                    for heard in Summary::decode(notification.payload(), self.origin) {
                        self.tell(heard);
                    }
                }
                Ok(Ok(None)) => return sqlx::Error::Io(ErrorKind::ConnectionAborted.into()),
                Ok(Err(error)) => return error,
                Err(_silence) => return sqlx::Error::Io(ErrorKind::TimedOut.into()),
            }
        }
    }

    /// A new connection that listens. The pool holds it and nothing else, and ends with it.
    async fn open(&self) -> Result<PgListener, sqlx::Error> {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(ANSWER)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(self.options.clone());
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen("nitejar").await?;
        Ok(listener)
    }

    fn tell(&self, heard: Heard) {
        // Nobody may be listening.
        drop(self.listeners.send(heard));
    }
}
