//! `nitejar restore`: puts a backup in the place of a database that is missing. It looks at everything first, so
//! that a backup that is damaged, too new or sealed with another key changes nothing.

use super::{
    backup::{Kind, Manifest, keys, stamp, sync_folder_of, wrong},
    pg_tools, say,
};
use crate::{
    bootstrap::{self, KeyCheck},
    cli::Failure,
    config::{Config, ConfigError, Database},
    storage,
    system::{SystemClock, SystemIds},
    wire,
};
use anyhow::Context;
use clap::Args;
use domain::secret::Redactor;
use ports::clock::Clock;
use std::{
    fs::{self, File, Permissions},
    io::ErrorKind,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What to restore, and how.
#[derive(Args)]
pub struct Restore {
    /// The backup: a folder that `nitejar backup` made.
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// Restore although there is a database; its files are kept beside the new one under another name.
    #[arg(long)]
    force: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What a restore left to be done.
struct Outcome {
    /// Where the database that was there is now.
    kept: Option<PathBuf>,
    /// Whether the key is here.
    has_key: bool,
}

/// Checks and restores.
pub async fn run(config: Config, restore: Restore) -> Result<(), Failure> {
    let manifest = Manifest::read(&restore.backup)?;
    let known = migrations::history().contains(&manifest.schema);
    let source = restore.backup.join(manifest.database.file());
    let address = config.server.database.clone();
    let name = address.to_string();
    if !known {
        return Err(too_new(&restore.backup, &manifest));
    }
    let has_key = has_key(&config, &manifest)?;
    storage::make_private(&config.server.data_dir)?;
    let _lock = storage::lock(&config).await?;
    let kept = match (address, manifest.database) {
        (Database::Sqlite(path), Kind::Sqlite) => {
            let target = Target {
                config,
                path,
                has_key,
            };
            target.take(&restore, &manifest, &source).await?
        }
        (Database::Postgres(url), Kind::Postgres) => {
            if restore.force {
                return Err(wrong(
                    "--force is for database files; restore into a new, empty PostgreSQL database instead, and \
                     name that in DATABASE_URL"
                        .to_owned(),
                ));
            }
            prepare(&config).await?;
            pg_tools::load(&url, &source).await?;
            if has_key {
                prove_key(&config).await?;
            }
            None
        }
        (Database::Sqlite(_) | Database::Postgres(_), kind) => {
            return Err(ConfigError::Invalid {
                name: "DATABASE_URL",
                problem: format!(
                    "the backup is of a {} database and {name} is none; set it to a place for one",
                    kind.name()
                ),
            }
            .into());
        }
    };
    let outcome = Outcome { kept, has_key };
    Ok(report(&name, &outcome, &manifest, restore.json)?)
}

/// A place for a database file.
struct Target {
    config: Config,
    path: PathBuf,
    has_key: bool,
}

impl Target {
    /// Looks at a copy of the backup, then lets it take the place. Where what was there is now.
    async fn take(
        mut self,
        restore: &Restore,
        manifest: &Manifest,
        source: &Path,
    ) -> Result<Option<PathBuf>, Failure> {
        let old = self.files();
        if !old.is_empty() && !restore.force {
            return Err(ConfigError::Invalid {
                name: "DATABASE_URL",
                problem: format!(
                    "{} exists; name another DATA_DIR, or give --force, which keeps that file under another name",
                    self.path.display()
                ),
            }
            .into());
        }
        let draft = beside(&self.path, ".restoring");
        if let Err(failure) = self.check(restore, manifest, source, &draft).await {
            // Why it is refused matters more than whether the copy can be removed.
            drop(fs::remove_file(&draft));
            return Err(failure);
        }
        let mark = format!(".before-{}", stamp(SystemClock.now()));
        let kept = (!old.is_empty()).then(|| beside(&self.path, &mark));
        self.put(&draft, &mark)
            .with_context(|| format!("{} cannot be put in place", self.path.display()))?;
        Ok(kept)
    }

    /// Copies, reads the copy from end to end, and tries the key on it.
    async fn check(
        &mut self,
        restore: &Restore,
        manifest: &Manifest,
        source: &Path,
        draft: &Path,
    ) -> Result<(), Failure> {
        copy(source, draft).with_context(|| format!("{} cannot be copied", source.display()))?;
        let schema = store_sqlite::inspect(draft)
            .await
            .map_err(|error| wrong(format!("{:#}", anyhow::Error::from(error))))?;
        if !schema.is_known {
            return Err(too_new(&restore.backup, manifest));
        }
        if self.has_key {
            self.config.server.database = Database::Sqlite(draft.to_owned());
            prove_key(&self.config).await?;
        }
        Ok(())
    }

    /// The database file and its logs, as far as they are there. A log that stayed behind alone would be taken
    /// for the new file's.
    fn files(&self) -> Vec<&'static str> {
        ["-wal", "-shm", ""]
            .into_iter()
            .filter(|end| beside(&self.path, end).exists())
            .collect()
    }

    fn put(&self, draft: &Path, mark: &str) -> std::io::Result<()> {
        for end in self.files() {
            let kept = beside(&self.path, &format!("{mark}{end}"));
            fs::rename(beside(&self.path, end), kept)?;
        }
        fs::rename(draft, &self.path)?;
        sync_folder_of(&self.path)
    }
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    match fs::remove_file(to) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::copy(from, to)?;
    fs::set_permissions(to, Permissions::from_mode(0o600))?;
    File::open(to)?.sync_all()
}

/// Whether the key is here; fails when it is another one.
fn has_key(config: &Config, manifest: &Manifest) -> Result<bool, Failure> {
    let Some(keys) = keys(config)? else {
        return Ok(false);
    };
    match &manifest.key_id {
        Some(id) if !keys.opens(id) => Err(wrong_key(format!(
            "does not fit this backup, whose secrets are sealed with key {id}; put that key into {}, or set \
             ENCRYPTION_KEY to it",
            wire::key_file(config).display()
        ))),
        Some(_) | None => Ok(true),
    }
}

/// Tries the key on the proof that the first start sealed.
async fn prove_key(config: &Config) -> Result<(), Failure> {
    let foundation = wire::open(config, Arc::new(Redactor::default())).await?;
    let (store, cipher) = (foundation.store.as_ref(), foundation.cipher.as_ref());
    let now = foundation.clock.now();
    let tenant = store.ensure_tenant(bootstrap::TENANT, now).await;
    let tenant = tenant.map_err(anyhow::Error::from)?.id;
    let check = bootstrap::check_key(store, cipher, tenant).await;
    foundation.store.close().await;
    match check? {
        KeyCheck::Fits | KeyCheck::Unproven => Ok(()),
        KeyCheck::Wrong(problem) => Err(wrong_key(problem)),
    }
}

fn wrong_key(problem: String) -> Failure {
    let name = "ENCRYPTION_KEY";
    ConfigError::Invalid { name, problem }.into()
}

/// Makes the roles that the rules in a dump name; whoever opens the database does. Makes no key: a database whose
/// key is gone must not look as if it had one.
async fn prepare(config: &Config) -> Result<(), Failure> {
    let (ids, clock) = (Arc::new(SystemIds), Arc::new(SystemClock));
    let storage = storage::open(config, ids, clock, Vec::new()).await?;
    storage.store.close().await;
    Ok(())
}

fn too_new(backup: &Path, manifest: &Manifest) -> Failure {
    wrong(format!(
        "{} was made by Nitejar {} and has the schema {}, which this version ({}) does not know; restore it with \
         that version",
        backup.display(),
        manifest.version,
        manifest.schema,
        env!("CARGO_PKG_VERSION")
    ))
}

fn report(
    database: &str,
    outcome: &Outcome,
    manifest: &Manifest,
    json: bool,
) -> anyhow::Result<()> {
    if json {
        return say(serde_json::json!({
            "database": database,
            "manifest": manifest,
            "kept": outcome.kept,
            "has_key": outcome.has_key,
        }));
    }
    say(format!(
        "{database} is as it was at {}",
        manifest.created_at.format("%Y-%m-%d %H:%M:%S UTC")
    ))?;
    if let Some(kept) = &outcome.kept {
        say(format!("What was there before is in {}", kept.display()))?;
    }
    if !outcome.has_key {
        say(
            "The encryption key is not here yet. Put its file into DATA_DIR, or set ENCRYPTION_KEY, before the \
             first start.",
        )?;
    }
    say(
        "Unfinished jobs go on at the next start. Replies sent after the backup was made may be sent again.",
    )
}
