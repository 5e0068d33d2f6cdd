//! Keeps every integration reachable: one poller per bot in the whole deployment, or a registered
//! webhook. Follows changes of the configuration at once.

use crate::{engine::Engine, leases, patience::within};
use domain::{
    channel::ChannelType,
    id::IntegrationId,
    integration::{Health, Integration},
};
use ports::{
    channel::{Channel, ChannelError, IngressMode},
    live::{Wake, WakeSignal},
    store::StoreError,
};
use services::arrivals;
use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};
use tokio_util::sync::CancellationToken;

/// How long to wait before the configuration is looked at again when nobody said it changed.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Pauses after a vendor did not do what it was asked: hiccup, and something a person must mend.
const SHORT_PAUSE: Duration = Duration::from_secs(2);
const LONG_PAUSE: Duration = Duration::from_secs(30);

/// Starts, restarts and stops pollers as integrations come, change and go.
pub(crate) async fn run(engine: Arc<Engine>) {
    let mut running: HashMap<IntegrationId, (domain::Timestamp, CancellationToken)> =
        HashMap::new();
    loop {
        match engine.platform.system.active_integrations().await {
            Ok(integrations) => adjust(&engine, &mut running, integrations),
            Err(error) => {
                tracing::error!(
                    error = %ports::Causes(&error),
                    "integrations could not be read"
                );
            }
        }
        tokio::select! {
            biased;
            () = engine.stop.cancelled() => return,
            () = engine.hub.wait(Wake::Integrations) => {}
            () = engine.sleep(LOOK_EVERY) => {}
        }
    }
}

fn adjust(
    engine: &Arc<Engine>,
    running: &mut HashMap<IntegrationId, (domain::Timestamp, CancellationToken)>,
    integrations: Vec<Integration>,
) {
    running.retain(|id, (version, token)| {
        let current = integrations
            .iter()
            .any(|i| i.id == *id && i.updated_at == *version);
        if !current {
            token.cancel();
        }
        current
    });
    for integration in integrations
        .into_iter()
        .filter(|i| i.channel != ChannelType::Web)
    {
        if let std::collections::hash_map::Entry::Vacant(e) = running.entry(integration.id) {
            let token = engine.stop.child_token();
            e.insert((integration.updated_at, token.clone()));
            let poller = Poller {
                engine: Arc::clone(engine),
                health: (integration.health, None),
                integration,
            };
            engine.spawn(async move {
                let _stopped = token.run_until_cancelled(poller.serve()).await;
            });
        }
    }
}

struct Poller {
    engine: Arc<Engine>,
    integration: Integration,
    /// What was last written, so that it is written only when it changes.
    health: (Health, Option<String>),
}

impl Poller {
    async fn serve(mut self) {
        let channel = match self.engine.platform.channels.connect(&self.integration) {
            Ok(channel) => channel,
            Err(error) => {
                self.report(Health::Failed, Some(error.to_string())).await;
                return;
            }
        };
        let name = format!("channel:{}", self.integration.id);
        loop {
            let expired = leases::expired(self.engine.now());
            let engine = &self.engine;
            let hold = engine.leases.hold(&name, engine.worker, expired);
            match within(engine, hold).await {
                Ok(true) => self.turn(channel.as_ref()).await,
                Ok(false) => self.engine.sleep(SHORT_PAUSE).await,
                Err(error) => self.stumbled(&error).await,
            }
        }
    }

    /// Registers the webhook and rests, or polls until something goes wrong.
    async fn turn(&mut self, channel: &dyn Channel) {
        let base = self.engine.platform.settings.public_url.clone();
        let outcome = match (channel.mode(), base) {
            (IngressMode::Webhook, Some(base)) => self.register(channel, &base).await,
            (IngressMode::Webhook, None) => {
                let why = "APP_BASE_URL is not set, so no webhook is registered and the channel is polled instead";
                self.poll(channel, Health::Degraded, Some(why)).await
            }
            (IngressMode::Polling, _) => match channel.register(None).await {
                Ok(()) => self.poll(channel, Health::Ok, None).await,
                Err(error) => Err(Trouble::Channel(error)),
            },
        };
        match outcome {
            Ok(()) => {}
            Err(Trouble::Store(error)) => self.stumbled(&error).await,
            Err(Trouble::Channel(error)) => self.refused(error).await,
        }
    }

    async fn register(&mut self, channel: &dyn Channel, base: &str) -> Result<(), Trouble> {
        let url = format!(
            "{}/webhooks/{}/{}",
            base.trim_end_matches('/'),
            self.integration.channel,
            self.integration.id
        );
        channel
            .register(Some(url))
            .await
            .map_err(Trouble::Channel)?;
        self.report(Health::Ok, None).await;
        // Nothing more to do until the configuration changes, which ends this task.
        std::future::pending().await
    }

    async fn poll(
        &mut self,
        channel: &dyn Channel,
        health: Health,
        detail: Option<&str>,
    ) -> Result<(), Trouble> {
        let (tenant, id) = (self.integration.tenant_id, self.integration.id);
        let losses = self.engine.losses.load(Ordering::SeqCst);
        // Once this process was thought dead, the lease may be another's: ask for it again.
        while self.engine.losses.load(Ordering::SeqCst) == losses {
            let polled = channel
                .poll(self.integration.poll_cursor.clone())
                .await
                .map_err(Trouble::Channel)?;
            self.report(health, detail.map(str::to_owned)).await;
            arrivals::take(
                &self.engine.platform,
                &self.integration,
                channel,
                polled.received,
            )
            .await
            .map_err(|error| Trouble::Store(StoreError::Backend(Box::new(error))))?;
            // Only now: what comes before the cursor is safe with us.
            if let Some(cursor) = polled
                .cursor
                .filter(|c| Some(c) != self.integration.poll_cursor.as_ref())
            {
                crate::crash::point("poller.before_cursor");
                let tx = self.engine.write(tenant).await.map_err(Trouble::Store)?;
                tx.integrations()
                    .set_poll_cursor(tenant, id, &cursor)
                    .await
                    .map_err(Trouble::Store)?;
                tx.commit().await.map_err(Trouble::Store)?;
                crate::crash::point("poller.after_cursor");
                self.integration.poll_cursor = Some(cursor);
            }
        }
        Ok(())
    }

    async fn refused(&mut self, error: ChannelError) {
        let (health, pause) = match &error {
            ChannelError::RateLimited { retry_after, .. } => (Health::Degraded, *retry_after),
            ChannelError::Unavailable(_) | ChannelError::Ambiguous(_) => {
                (Health::Degraded, SHORT_PAUSE)
            }
            ChannelError::Taken(_) => (Health::Failed, SHORT_PAUSE * 2),
            ChannelError::Refused(_) => (Health::Failed, LONG_PAUSE),
        };
        let detail = self.engine.redactor.redact(&error.to_string()).into_owned();
        tracing::warn!(integration.id = %self.integration.id, "the channel does not answer as it should: {detail}");
        self.report(health, Some(detail)).await;
        self.engine.sleep(pause).await;
    }

    async fn stumbled(&self, error: &StoreError) {
        tracing::error!(integration.id = %self.integration.id, error = %ports::Causes(error), "a poller's store access failed");
        self.engine.sleep(SHORT_PAUSE).await;
    }

    async fn report(&mut self, health: Health, detail: Option<String>) {
        let detail = detail.map(|detail| self.engine.redactor.redact(&detail).into_owned());
        let news = (health, detail);
        if news == self.health {
            return;
        }
        match self.write_health(&news).await {
            Ok(()) => self.health = news,
            Err(error) => {
                tracing::error!(
                    error = %ports::Causes(&error),
                    "an integration's health could not be written"
                );
            }
        }
    }

    async fn write_health(
        &self,
        (health, detail): &(Health, Option<String>),
    ) -> Result<(), StoreError> {
        let (tenant, id) = (self.integration.tenant_id, self.integration.id);
        let tx = self.engine.write(tenant).await?;
        tx.integrations()
            .set_health(tenant, id, *health, detail.as_deref())
            .await?;
        tx.commit().await
    }
}

enum Trouble {
    Store(StoreError),
    Channel(ChannelError),
}
