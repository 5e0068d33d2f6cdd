//! The services of one sprite: how each stands, and who looks after it. It knows the file of
//! definitions and starts nothing itself.

use super::{
    definition::{self, Defined, Definitions},
    log::Log,
};
use crate::home::Home;
use domain::Timestamp;
use ports::sandbox::{ProcessInput, SandboxError, ServiceReport, ServiceStatus};
use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{OnceCell, watch};

/// The services of one sprite.
pub(super) struct Roster {
    home: Home,
    /// Held while definitions change, so that what is kept and what runs stay the same.
    pub(super) changing: tokio::sync::Mutex<()>,
    loaded: OnceCell<()>,
    services: Mutex<BTreeMap<String, Service>>,
    /// Ticks with every change of a status.
    changes: watch::Sender<u64>,
}

/// One service.
pub(super) struct Service {
    pub(super) defined: Defined,
    pub(super) standing: Standing,
    pub(super) log: Arc<Log>,
    /// Who looks after it, while somebody does.
    pub(super) attendant: Option<Attendant>,
}

/// How a service stands.
pub(super) struct Standing {
    pub(super) status: ServiceStatus,
    pub(super) process: Option<i32>,
    pub(super) input: Option<Arc<dyn ProcessInput>>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) error: Option<String>,
    pub(super) restarts: u32,
    pub(super) next_start_at: Option<Timestamp>,
}

/// A way to the task that looks after a service.
pub(super) struct Attendant {
    /// Set to the patience with its process when it is to end.
    pub(super) stop: watch::Sender<Option<Duration>>,
}

impl Standing {
    pub(super) fn new(status: ServiceStatus) -> Self {
        Self {
            status,
            process: None,
            input: None,
            started_at: None,
            error: None,
            restarts: 0,
            next_start_at: None,
        }
    }
}

impl Roster {
    pub(super) fn new(home: Home) -> Self {
        Self {
            home,
            changing: tokio::sync::Mutex::default(),
            loaded: OnceCell::new(),
            services: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Reads what is kept, once.
    pub(super) async fn load(&self) -> Result<(), SandboxError> {
        let read = || async {
            let home = self.home.clone();
            let definitions = blocking(move || definition::load(&home)).await?;
            let mut services = self.services();
            for (name, defined) in definitions {
                services.insert(name, self.service(defined));
            }
            Ok::<_, SandboxError>(())
        };
        self.loaded.get_or_try_init(read).await.map(drop)
    }

    pub(super) fn definitions(&self) -> Definitions {
        let services = self.services();
        let defined = services.iter();
        let defined = defined.map(|(name, service)| (name.clone(), service.defined.clone()));
        defined.collect()
    }

    /// Keeps definitions and makes them those of this roster; whoever is to go has been stopped.
    pub(super) async fn keep(&self, definitions: Definitions) -> Result<(), SandboxError> {
        let (home, kept) = (self.home.clone(), definitions.clone());
        blocking(move || definition::store(&home, &kept)).await?;
        let mut services = self.services();
        services.retain(|name, _| definitions.contains_key(name));
        for (name, defined) in definitions {
            match services.get_mut(&name) {
                Some(service) => service.defined = defined,
                None => drop(services.insert(name, self.service(defined))),
            }
        }
        Ok(())
    }

    pub(super) fn reports(&self) -> Vec<ServiceReport> {
        self.services().values().map(Service::report).collect()
    }

    /// Looks at one.
    pub(super) fn with<T>(
        &self,
        name: &str,
        look: impl FnOnce(&mut Service) -> T,
    ) -> Result<T, SandboxError> {
        let mut services = self.services();
        let service = services.get_mut(name);
        service.map(look).ok_or_else(|| SandboxError::NotFound {
            path: format!("service {name}"),
        })
    }

    /// Changes how one stands; whoever waits for that looks again.
    pub(super) fn change(&self, name: &str, change: impl FnOnce(&mut Standing)) {
        // It may have been forgotten meanwhile.
        drop(self.with(name, |service| change(&mut service.standing)));
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// The attendant of a service has left.
    pub(super) fn leave(&self, name: &str, standing: Standing) {
        let left = self.with(name, |service| {
            service.standing = standing;
            service.attendant = None;
        });
        drop(left);
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Waits until something holds, looking at every change.
    pub(super) async fn until(&self, mut holds: impl FnMut() -> bool) {
        let mut changes = self.changes.subscribe();
        while !holds() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// What a service still waits for.
    pub(super) fn missing(&self, name: &str) -> Option<String> {
        let services = self.services();
        let needs = &services.get(name)?.defined.definition.needs;
        let runs = |need: &&String| {
            let need = services.get(*need);
            need.is_none_or(|need| need.standing.status == ServiceStatus::Running)
        };
        needs.iter().find(|need| !runs(need)).cloned()
    }

    /// Whether any is looked after.
    pub(super) fn is_active(&self) -> bool {
        let services = self.services();
        services.values().any(|service| service.attendant.is_some())
    }

    fn service(&self, defined: Defined) -> Service {
        let file = format!("{}.log", defined.definition.name);
        Service {
            log: Arc::new(Log::new(self.home.folder.join("logs").join(file))),
            defined,
            standing: Standing::new(ServiceStatus::Stopped),
            attendant: None,
        }
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<String, Service>> {
        self.services.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Service {
    fn report(&self) -> ServiceReport {
        ServiceReport {
            definition: self.defined.definition.clone(),
            status: self.standing.status,
            process: self.standing.process,
            started_at: self.standing.started_at,
            error: self.standing.error.clone(),
            restarts: self.standing.restarts,
            next_start_at: self.standing.next_start_at,
        }
    }
}

/// Work on the files of services, where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, SandboxError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::from).flatten().map_err(|error| {
        SandboxError::Unavailable(format!("its services cannot be read or kept: {error}"))
    })
}
