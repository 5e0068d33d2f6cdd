//! `nitejar backup`: a copy of the database as it stands at one instant, made while servers go on working.
//!
//! A backup is a folder with the database and a manifest; it appears whole or not at all. The encryption key is
//! never in it: whoever finds a backup must not be able to read the secrets in it.

use super::{pg_tools, say};
use crate::{
    cli::Failure,
    config::{Config, ConfigError, Database},
    system::SystemClock,
    wire,
};
use anyhow::Context;
use chrono::{DateTime, SubsecRound, Utc};
use crypto::KeyRing;
use domain::secret::Redactor;
use ports::clock::Clock;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// The form of backups that this build writes, and the newest it reads.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";

/// What kind of database a backup is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A database file.
    Sqlite,
    /// A dump of a PostgreSQL database.
    Postgres,
}

/// What a backup says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub format: u32,
    /// The version of Nitejar that made it.
    pub version: String,
    /// What it is of.
    pub database: Kind,
    /// The newest step of the schema's history.
    pub schema: String,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// Which key its secrets are sealed with, when that is known; never the key.
    pub key_id: Option<String>,
}

impl Kind {
    /// The name of the database's file in the backup.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Sqlite => "nitejar.db",
            Self::Postgres => "nitejar.dump",
        }
    }

    /// As people call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

impl Manifest {
    /// Reads the manifest of a backup.
    pub fn read(backup: &Path) -> Result<Self, Failure> {
        let path = backup.join(MANIFEST);
        let text = fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            name: "BACKUP".to_owned(),
            path: path.clone(),
            source,
        })?;
        let manifest: Self = serde_json::from_str(&text).map_err(|error| {
            wrong(format!(
                "{} is not a manifest of a backup: {error}",
                path.display()
            ))
        })?;
        if manifest.format > FORMAT {
            return Err(wrong(format!(
                "{} was made by Nitejar {}, which writes a newer form of backups; restore it with that version",
                backup.display(),
                manifest.version
            )));
        }
        Ok(manifest)
    }
}

/// A backup that cannot be used, or a place where none can be made.
pub(super) fn wrong(problem: String) -> Failure {
    let name = "BACKUP";
    ConfigError::Invalid { name, problem }.into()
}

/// Makes a backup and says what is in it and what is not.
pub async fn run(config: Config, place: PathBuf, json: bool) -> Result<(), Failure> {
    let now = SystemClock.now();
    let folder = folder(&place, now)?;
    let draft = draft(&folder);
    let mut made = fs::DirBuilder::new();
    made.mode(0o700)
        .create(&draft)
        .with_context(|| format!("{} cannot be made", draft.display()))?;
    let manifest = match fill(&config, &draft, now).await {
        Ok(manifest) => manifest,
        Err(failure) => {
            // What is left of it is of no use; why it failed matters more than whether it can be removed.
            drop(fs::remove_dir_all(&draft));
            return Err(failure);
        }
    };
    appear(&draft, &folder).with_context(|| format!("{} cannot be written", folder.display()))?;
    let bytes = fs::metadata(folder.join(manifest.database.file()))
        .map_err(anyhow::Error::from)?
        .len();
    Ok(report(&config, &folder, bytes, &manifest, json)?)
}

/// Where the backup goes: into a folder that is there, under a name of its own; else the folder itself.
fn folder(place: &Path, now: DateTime<Utc>) -> Result<PathBuf, Failure> {
    if place.is_dir() {
        return Ok(place.join(format!("nitejar-{}", stamp(now))));
    }
    if place.exists() {
        return Err(wrong(format!(
            "{} exists and is not a folder; name a folder to put the backup in, or one that does not exist yet",
            place.display()
        )));
    }
    Ok(place.to_owned())
}

/// A time as part of a file name.
pub(super) fn stamp(now: DateTime<Utc>) -> String {
    now.format("%Y%m%dT%H%M%S%.3fZ").to_string()
}

/// Where it is put together: beside its place, so that one rename makes it appear.
fn draft(folder: &Path) -> PathBuf {
    let mut name = folder.as_os_str().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    PathBuf::from(name)
}

async fn fill(config: &Config, draft: &Path, now: DateTime<Utc>) -> Result<Manifest, Failure> {
    // Before anything is opened, for opening makes a key where there is none.
    let key_id = keys(config)?.map(|keys| keys.current_id().to_owned());
    let (database, schema) = match &config.server.database {
        Database::Sqlite(path) => {
            if !path.exists() {
                return Err(ConfigError::Invalid {
                    name: "DATABASE_URL",
                    problem: format!(
                        "{} does not exist, so there is nothing to back up; is DATA_DIR right?",
                        path.display()
                    ),
                }
                .into());
            }
            let copy = draft.join(Kind::Sqlite.file());
            let schema = store_sqlite::back_up(path, &copy).await;
            let schema = schema.context("the database cannot be copied")?;
            (Kind::Sqlite, schema.version)
        }
        Database::Postgres(url) => {
            pg_tools::dump(url, &draft.join(Kind::Postgres.file())).await?;
            (Kind::Postgres, schema_of(config).await?)
        }
    };
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        database,
        schema,
        created_at: now.trunc_subsecs(0),
        key_id,
    };
    write(&draft.join(MANIFEST), &manifest).context("the manifest cannot be written")?;
    Ok(manifest)
}

/// The schema of a shared database: this build's, or there is no backup with this build.
async fn schema_of(config: &Config) -> Result<String, Failure> {
    let redactor = std::sync::Arc::default();
    let foundation = wire::open(config, redactor).await?;
    let ready = foundation.store.ready().await;
    foundation.store.close().await;
    ready.context("back up with the version of Nitejar that the database belongs to")?;
    Ok(migrations::history().pop().unwrap_or_default())
}

/// The keys that are here; makes none.
pub(super) fn keys(config: &Config) -> Result<Option<KeyRing>, Failure> {
    if config.server.encryption_key.is_none() && !wire::key_file(config).exists() {
        return Ok(None);
    }
    wire::key_ring(config, &Redactor::default()).map(Some)
}

fn write(path: &Path, manifest: &Manifest) -> anyhow::Result<()> {
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    serde_json::to_writer_pretty(&file, manifest)?;
    file.write_all(b"\n")?;
    Ok(file.sync_all()?)
}

/// Makes the finished folder appear under its name, for good.
fn appear(draft: &Path, folder: &Path) -> std::io::Result<()> {
    File::open(draft)?.sync_all()?;
    fs::rename(draft, folder)?;
    sync_folder_of(folder)
}

/// Makes the name of a file survive power loss.
pub(super) fn sync_folder_of(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        Some(_) | None => File::open(".")?.sync_all(),
    }
}

fn report(
    config: &Config,
    folder: &Path,
    bytes: u64,
    manifest: &Manifest,
    json: bool,
) -> anyhow::Result<()> {
    let sprites = config.server.data_dir.join("sprites");
    let has_sprites = match fs::read_dir(&sprites) {
        Ok(mut found) => found.next().is_some(),
        Err(error) if error.kind() == ErrorKind::NotFound => false,
        Err(error) => return Err(error.into()),
    };
    if json {
        let mut missing = vec!["encryption_key"];
        missing.extend(has_sprites.then_some("sprites"));
        return say(serde_json::json!({
            "backup": folder,
            "bytes": bytes,
            "manifest": manifest,
            "not_included": missing,
        }));
    }
    say(format!(
        "{}: {bytes} bytes of {}, schema {}",
        folder.display(),
        config.server.database,
        manifest.schema
    ))?;
    let key = match &config.server.encryption_key {
        Some(_) => "what ENCRYPTION_KEY is set to".to_owned(),
        None => wire::key_file(config).display().to_string(),
    };
    say(format!(
        "The encryption key is NOT in it. Keep {key} in another safe place: without it nobody can read the \
         secrets in this backup."
    ))?;
    if has_sprites {
        say(format!(
            "The sprites' files ({}) are not in it either; copy that folder while the server is stopped.",
            sprites.display()
        ))?;
    }
    Ok(())
}
