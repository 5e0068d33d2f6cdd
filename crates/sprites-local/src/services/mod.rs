//! Services of a sprite: started with it and with the server, started again when they end. While
//! any of them is looked after, the sprite does not go to sleep.

mod attendant;
mod backoff;
mod definition;
mod log;
mod roster;

use crate::{computer::LocalComputer, host::Inner};
use async_trait::async_trait;
use attendant::Attending;
use definition::{Defined, Definitions, check, needed_by, with_needs};
use domain::{
    id::{AgentId, TenantId},
    sprite::SpriteKey,
};
use futures_util::stream::{self, StreamExt as _};
use ports::sandbox::{
    SandboxError, ServiceDefinition, ServiceLog, ServiceReport, ServiceStatus, Services,
};
use roster::{Attendant, Roster, Standing, blocking};
use std::{
    collections::HashMap,
    fs::{self, DirEntry},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{broadcast::error::RecvError, watch};
use uuid::Uuid;

/// How long a service that is replaced or deleted may take to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The services of all sprites of a host, as far as somebody asked for them.
#[derive(Default)]
pub(crate) struct Rosters {
    known: Mutex<HashMap<SpriteKey, Arc<Roster>>>,
}

impl Rosters {
    /// Whether a sprite has services that run or are about to.
    pub(crate) fn is_active(&self, sprite: SpriteKey) -> bool {
        let roster = self.known().get(&sprite).cloned();
        roster.is_some_and(|roster| roster.is_active())
    }

    fn known(&self) -> MutexGuard<'_, HashMap<SpriteKey, Arc<Roster>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the services of every sprite, after the host was started.
pub(crate) async fn restore(inner: Arc<Inner>) {
    let root = inner.root.clone();
    match blocking(move || kept(&root)).await {
        Ok(sprites) => {
            for sprite in sprites {
                start_all(Arc::clone(&inner), sprite).await;
            }
        }
        Err(error) => tracing::warn!(%error, "service.restore: no service is started by itself"),
    }
}

/// The sprites below a root that have services.
fn kept(root: &Path) -> io::Result<Vec<SpriteKey>> {
    let mut sprites = Vec::new();
    for tenant in fs::read_dir(root)? {
        let tenant = tenant?;
        let Some(tenant_id) = id(&tenant) else {
            continue;
        };
        for agent in fs::read_dir(tenant.path())? {
            let agent = agent?;
            if let Some(agent_id) = id(&agent)
                && agent.path().join(definition::FILE).exists()
            {
                sprites.push(SpriteKey {
                    tenant_id: TenantId::from_uuid(tenant_id),
                    agent_id: AgentId::from_uuid(agent_id),
                });
            }
        }
    }
    Ok(sprites)
}

/// Other names are not of sprites.
fn id(entry: &DirEntry) -> Option<Uuid> {
    entry.file_name().to_str()?.parse().ok()
}

/// Starts the services of a sprite that are not stopped and that nobody looks after.
pub(crate) async fn start_all(inner: Arc<Inner>, key: SpriteKey) {
    let computer = LocalComputer { inner, key };
    let started = async {
        let roster = computer.roster().await?;
        let _changing = roster.changing.lock().await;
        for (name, defined) in roster.definitions() {
            if !defined.stopped {
                computer.attend(&roster, &name)?;
            }
        }
        Ok::<_, SandboxError>(())
    };
    if let Err(error) = started.await {
        tracing::warn!(
            tenant.id = %key.tenant_id, agent.id = %key.agent_id, %error,
            "service.start: the services of a sprite do not start"
        );
    }
}

/// Ends and forgets the services of a sprite that is going to be removed; the files are not touched.
pub(crate) async fn forget(inner: &Arc<Inner>, key: SpriteKey) {
    let roster = inner.services.known().remove(&key);
    if let Some(roster) = roster {
        let _changing = roster.changing.lock().await;
        for name in roster.definitions().keys() {
            end(&roster, name, Duration::ZERO).await;
        }
    }
}

impl LocalComputer {
    async fn roster(&self) -> Result<Arc<Roster>, SandboxError> {
        let roster = {
            let mut known = self.inner.services.known();
            let new = || Arc::new(Roster::new(self.inner.home(self.key)));
            Arc::clone(known.entry(self.key).or_insert_with(new))
        };
        roster.load().await?;
        Ok(roster)
    }

    /// Starts to look after a service, unless somebody does.
    fn attend(&self, roster: &Arc<Roster>, name: &str) -> Result<(), SandboxError> {
        let attending = roster.with(name, |service| {
            if service.attendant.is_some() {
                return None;
            }
            let (stop, stopping) = watch::channel(None);
            service.attendant = Some(Attendant { stop });
            service.standing = Standing::new(ServiceStatus::Starting);
            Some(Attending {
                computer: LocalComputer {
                    inner: Arc::clone(&self.inner),
                    key: self.key,
                },
                roster: Arc::clone(roster),
                definition: service.defined.definition.clone(),
                log: Arc::clone(&service.log),
                restart_delay: self.inner.restart_delay,
                stop: stopping,
            })
        })?;
        if let Some(attending) = attending {
            self.inner.spawn(attending.run());
        }
        Ok(())
    }

    /// Starts a service and what it needs; none of them is stopped any more.
    async fn start_with_needs(
        &self,
        roster: &Arc<Roster>,
        mut definitions: Definitions,
        name: &str,
    ) -> Result<(), SandboxError> {
        let order = with_needs(name, &definitions);
        for name in &order {
            if let Some(defined) = definitions.get_mut(name) {
                defined.stopped = false;
            }
        }
        roster.keep(definitions).await?;
        for name in &order {
            let waits = roster.with(name, |service| service.standing.next_start_at.is_some())?;
            if waits {
                end(roster, name, Duration::ZERO).await;
            }
            self.attend(roster, name)?;
        }
        Ok(())
    }
}

/// Ends who looks after a service, and with that the service, and waits for it.
async fn end(roster: &Roster, name: &str, patience: Duration) {
    let told = roster.with(name, |service| {
        let attendant = service.attendant.as_ref();
        attendant.map(|attendant| attendant.stop.send_replace(Some(patience)))
    });
    if let Ok(Some(_)) = told {
        let gone = || roster.with(name, |service| service.attendant.is_none());
        roster.until(|| gone().unwrap_or(true)).await;
    }
}

#[async_trait]
impl Services for LocalComputer {
    async fn services(&self) -> Result<Vec<ServiceReport>, SandboxError> {
        Ok(self.roster().await?.reports())
    }

    async fn put_service(&self, definition: ServiceDefinition) -> Result<(), SandboxError> {
        let roster = self.roster().await?;
        let _changing = roster.changing.lock().await;
        let mut definitions = roster.definitions();
        check(&definition, &definitions)?;
        let name = definition.name.clone();
        end(&roster, &name, PATIENCE).await;
        let stopped = false;
        definitions.insert(
            name.clone(),
            Defined {
                definition,
                stopped,
            },
        );
        self.start_with_needs(&roster, definitions, &name).await
    }

    async fn start_service(&self, name: &str) -> Result<(), SandboxError> {
        let roster = self.roster().await?;
        let _changing = roster.changing.lock().await;
        roster.with(name, |_| ())?;
        let definitions = roster.definitions();
        self.start_with_needs(&roster, definitions, name).await
    }

    async fn stop_service(&self, name: &str, patience: Duration) -> Result<(), SandboxError> {
        let roster = self.roster().await?;
        let _changing = roster.changing.lock().await;
        roster.with(name, |_| ())?;
        let mut definitions = roster.definitions();
        if let Some(defined) = definitions.get_mut(name) {
            defined.stopped = true;
        }
        roster.keep(definitions).await?;
        end(&roster, name, patience).await;
        // One that failed is stopped now as well.
        let stopped = Standing::new(ServiceStatus::Stopped);
        roster.change(name, |standing| *standing = stopped);
        Ok(())
    }

    async fn signal_service(&self, name: &str, signal: i32) -> Result<(), SandboxError> {
        let roster = self.roster().await?;
        match roster.with(name, |service| service.standing.input.clone())? {
            Some(input) => input.signal(signal).await,
            None => Err(SandboxError::Conflict(format!(
                "the service `{name}` does not run; start it first"
            ))),
        }
    }

    async fn delete_service(&self, name: &str) -> Result<(), SandboxError> {
        let roster = self.roster().await?;
        let _changing = roster.changing.lock().await;
        let log = roster.with(name, |service| Arc::clone(&service.log))?;
        let mut definitions = roster.definitions();
        if let Some(other) = needed_by(name, &definitions) {
            return Err(SandboxError::Conflict(format!(
                "the service `{other}` needs `{name}`; delete or change that first"
            )));
        }
        end(&roster, name, PATIENCE).await;
        definitions.remove(name);
        roster.keep(definitions).await?;
        blocking(move || log.remove()).await
    }

    async fn service_log(
        &self,
        name: &str,
        lines: usize,
        follow: bool,
    ) -> Result<ServiceLog, SandboxError> {
        let roster = self.roster().await?;
        let log = roster.with(name, |service| Arc::clone(&service.log))?;
        let (last, following) = blocking(move || log.tail(lines)).await?;
        let last = stream::iter(last);
        if !follow {
            return Ok(last.boxed());
        }
        let stopping = self.inner.stopping.clone();
        let coming = stream::unfold(following, |mut following| async {
            loop {
                match following.recv().await {
                    Ok(event) => return Some((event, following)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        Ok(last
            .chain(coming.take_until(stopping.cancelled_owned()))
            .boxed())
    }
}
