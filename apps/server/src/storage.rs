//! The database that the configuration names, what joins the processes that share it, and the lock that keeps a
//! second process from taking over what this one holds.

use crate::{
    cli::Failure,
    config::{Config, ConfigError, Database as Address},
};
use anyhow::Context;
use bus_redis::{RedisBus, RedisSettings};
use ports::{
    clock::Clock,
    ids::Ids,
    live::{Bus, CommitListener},
    store::{LeaseStore, Maintenance, SealedStore, Store, StoreError, SystemStore, Upkeep},
};
use runtime::{Hub, TwoBuses};
use std::{
    fs::{self, File, Permissions, TryLockError},
    io::{ErrorKind, Write},
    ops::ControlFlow,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store_postgres::{PostgresBus, PostgresSettings, PostgresStore};
use store_sqlite::{OpenError, SqliteSettings, SqliteStore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use uuid::Uuid;

/// Everything that a database has to offer.
pub trait Database: Store + SystemStore + LeaseStore + Maintenance + Upkeep + SealedStore {}

impl<T: Store + SystemStore + LeaseStore + Maintenance + Upkeep + SealedStore> Database for T {}

/// An open database, with the hub that hears of its commits.
pub struct Storage {
    /// The database; its schema may still be an old one.
    pub store: Arc<dyn Database>,
    /// Live events, wake-ups, stop requests.
    pub hub: Arc<Hub>,
    /// What carries news to and from the other processes.
    pub lines: Lines,
}

/// The tasks that carry news between processes. They end when the last who publishes is gone, or when told to.
#[derive(Default)]
pub struct Lines {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Lines {
    /// Sends what waits, for as long as that may take, and ends.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(LAST_NEWS, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                "the other processes were not told everything; they find it in the database"
            );
        }
    }
}

/// How long the last news may take.
const LAST_NEWS: Duration = Duration::from_secs(3);

/// Opens the database, and the way to the other processes when it has others.
pub async fn open(
    config: &Config,
    ids: Arc<dyn Ids>,
    clock: Arc<dyn Clock>,
    listeners: Vec<Arc<dyn CommitListener>>,
) -> Result<Storage, Failure> {
    let database = &config.server.database;
    let lines = Lines::default();
    let failed = || format!("the database {database} cannot be opened");
    match database {
        Address::Sqlite(path) => {
            let hub = Arc::new(Hub::new(listeners, None));
            let settings = SqliteSettings::new(path);
            let store = SqliteStore::connect(settings, ids, clock, Arc::clone(&hub) as _).await;
            check_place(&store)?;
            let store = Arc::new(store.with_context(failed)?);
            Ok(Storage { store, hub, lines })
        }
        Address::Postgres(url) => {
            let settings = PostgresSettings::new(url.clone());
            let steady = PostgresBus::start(&settings, ids.next(), &lines.tasks, &lines.stop);
            let steady: Arc<dyn Bus> = Arc::new(steady.map_err(|error| ConfigError::Invalid {
                name: "DATABASE_URL",
                problem: error.to_string(),
            })?);
            let bus = join(config, steady, ids.next(), &lines)?;
            let hub = Arc::new(Hub::new(listeners, Some(bus)));
            let store = PostgresStore::connect(settings, ids, clock, Arc::clone(&hub) as _).await;
            let store = Arc::new(store.with_context(failed)?);
            Ok(Storage { store, hub, lines })
        }
    }
}

/// A file where no file should be is a matter of configuration, not of the database.
fn check_place(opened: &Result<SqliteStore, StoreError>) -> Result<(), ConfigError> {
    let Err(StoreError::Backend(source)) = opened else {
        return Ok(());
    };
    match source.downcast_ref() {
        Some(refused @ OpenError::OnNetwork { .. }) => Err(ConfigError::Invalid {
            name: "DATABASE_URL",
            problem: refused.to_string(),
        }),
        _ => Ok(()),
    }
}

/// Adds Redis to what joins this process with the others, if there is one.
fn join(
    config: &Config,
    steady: Arc<dyn Bus>,
    origin: Uuid,
    lines: &Lines,
) -> Result<Arc<dyn Bus>, Failure> {
    let Some(url) = &config.server.redis_url else {
        return Ok(steady);
    };
    let settings = RedisSettings::new(url.clone());
    let fast = RedisBus::start(&settings, origin, &lines.tasks, &lines.stop);
    let fast = fast.map_err(|error| ConfigError::Invalid {
        name: "REDIS_URL",
        problem: error.to_string(),
    })?;
    Ok(Arc::new(TwoBuses::new(Arc::new(fast), steady)))
}

/// What stays the same over restarts of this process, so that it frees at once what it held before. On a file
/// there is one process, whoever it is; processes that share a database are told apart by their data
/// directories, of which each has its own (see [`lock`]).
pub fn instance(config: &Config) -> Result<String, Failure> {
    if !config.server.database.is_shared() {
        return Ok("server".to_owned());
    }
    let path = config.server.data_dir.join("instance.id");
    let known = match fs::read_to_string(&path) {
        Ok(text) => Uuid::parse_str(text.trim()).ok(),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(&path, error).into()),
    };
    if let Some(id) = known {
        return Ok(id.to_string());
    }
    let id = new_id();
    let mut options = File::options();
    options.write(true).create(true).truncate(true).mode(0o600);
    options
        .open(&path)
        .and_then(|mut file| writeln!(file, "{id}"))
        .map_err(|error| unusable(&path, error))?;
    Ok(id.to_string())
}

/// Keeps other processes from the database file, or, where a database is shared, from this data directory. Freed
/// by the system however the process ends.
pub async fn lock(config: &Config) -> Result<File, Failure> {
    let (path, name) = match &config.server.database {
        // The lock lies beside the file, whatever way leads to it.
        Address::Sqlite(file) => {
            let real = fs::canonicalize(file).unwrap_or_else(|_new| file.clone());
            (beside(real), "DATABASE_URL")
        }
        Address::Postgres(_) => (config.server.data_dir.join("nitejar.lock"), "DATA_DIR"),
    };
    let file = lock_file(config, &path)?;
    let taken = inherit(async || match file.try_lock() {
        Err(TryLockError::WouldBlock) => ControlFlow::Continue(TryLockError::WouldBlock),
        settled => ControlFlow::Break(settled),
    });
    match taken.await {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ConfigError::Invalid {
            name,
            problem: format!(
                "another nitejar process is running on {}; stop it, or give this one its own (DATA_DIR, or \
                 DATABASE_URL for a database file)",
                path.with_extension("").display()
            ),
        }
        .into()),
        Err(TryLockError::Error(error)) => Err(unusable(&path, error).into()),
    }
}

fn lock_file(config: &Config, path: &Path) -> Result<File, Failure> {
    let open = || {
        let mut options = File::options();
        options.write(true).create(true).truncate(false).mode(0o600);
        options.open(path)
    };
    let file = match open() {
        // Where there is no folder there is no other process.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            make_private(&config.server.data_dir)?;
            open()
        }
        opened => opened,
    };
    Ok(file.map_err(|error| unusable(path, error))?)
}

/// How long what a killed process held may stay taken.
const INHERITANCE: Duration = Duration::from_secs(2);
const INHERITANCE_LOOK: Duration = Duration::from_millis(20);

/// Takes what only one process can have. A process that is killed while it starts a command leaves its lock and
/// its port to the child, until that becomes the command; whoever is started in its place at once waits so long.
pub async fn inherit<T, E>(
    mut attempt: impl AsyncFnMut() -> ControlFlow<Result<T, E>, E>,
) -> Result<T, E> {
    let limit = tokio::time::Instant::now() + INHERITANCE;
    loop {
        match attempt().await {
            ControlFlow::Break(settled) => return settled,
            ControlFlow::Continue(held) if tokio::time::Instant::now() >= limit => {
                return Err(held);
            }
            ControlFlow::Continue(_held) => tokio::time::sleep(INHERITANCE_LOOK).await,
        }
    }
}

/// The data directory holds secrets: nobody else lists it or reads what is in it. A server that is root
/// lets others pass through it, so that sprites can have users of their own.
pub fn make_private(data_dir: &Path) -> Result<(), Failure> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .and_then(|()| {
            if nix::unistd::geteuid().is_root() {
                let_pass(data_dir)
            } else {
                Ok(())
            }
        });
    made.map_err(|source| {
        ConfigError::Unreadable {
            name: "DATA_DIR".to_owned(),
            path: data_dir.to_owned(),
            source,
        }
        .into()
    })
}

/// What an earlier version left readable there is closed before the directory is opened.
fn let_pass(data_dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(data_dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if entry.file_name() != "sprites" && !kind.is_symlink() {
            let mode = if kind.is_dir() { 0o700 } else { 0o600 };
            fs::set_permissions(entry.path(), Permissions::from_mode(mode))?;
        }
    }
    fs::set_permissions(data_dir, Permissions::from_mode(0o711))
}

fn beside(file: PathBuf) -> PathBuf {
    let mut name = file.into_os_string();
    name.push(".lock");
    PathBuf::from(name)
}

fn unusable(path: &Path, error: std::io::Error) -> anyhow::Error {
    anyhow::Error::from(error).context(format!("{} cannot be used", path.display()))
}

#[expect(
    clippy::disallowed_methods,
    reason = "it is made before there is an Ids port, and names no row"
)]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_file_on_a_network_is_a_matter_of_configuration() {
        let refused = OpenError::OnNetwork {
            path: PathBuf::from("/far/nitejar.db"),
            kind: "nfs".to_owned(),
        };
        let error = check_place(&Err(StoreError::Backend(refused.into()))).unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("DATABASE_URL: the database file /far/nitejar.db is on nfs"),
            "{text}"
        );
        assert!(text.ends_with("or use a PostgreSQL database"), "{text}");
        check_place(&Err(StoreError::Stale)).unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_process_left_to_its_child_is_taken_when_the_child_lets_go() {
        let mut looks = 0;
        let taken = inherit(async || {
            looks += 1;
            if looks < 4 {
                ControlFlow::Continue("held")
            } else {
                ControlFlow::Break(Ok(looks))
            }
        });
        assert_eq!(taken.await, Ok(4));
    }
}
