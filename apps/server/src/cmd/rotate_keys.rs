//! `nitejar rotate-keys`: seals every secret anew with a new key. It may be killed at any instant and
//! started again: the old key is given up only when a whole pass has found nothing that needs it.

use super::{audit::note_command, say};
use crate::{
    bootstrap,
    cli::Failure,
    config::{Config, ConfigError},
    storage,
    wire::{self, Foundation},
};
use chrono::TimeDelta;
use crypto::{AesGcmCipher, KeyRing, Rotation};
use domain::{
    audit::{Change, Subject},
    secret::Redactor,
};
use ports::{
    cipher::Cipher,
    store::{Durability, Resealed, SealedStore, SealedValue, StoreError},
};
use serde::Serialize;
use std::{path::Path, sync::Arc};

/// Rows of one transaction: short, so that a server on the same database does not wait.
const BATCH: u32 = 100;
/// After so many passes that each found older values, somebody keeps sealing with an old key.
const PASSES: usize = 4;
/// How long ago a server may have given its last sign of life and still be taken for a running one.
const LIFE: TimeDelta = TimeDelta::seconds(15);

/// What a rotation did.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Values that were sealed anew.
    pub resealed: u64,
    /// Values that no key at hand opens; they stand as they stood.
    pub unreadable: Vec<Unreadable>,
    /// Whether older values kept appearing.
    #[serde(skip)]
    pub unsettled: bool,
}

/// A value that does not open.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Table, row and column.
    pub place: String,
    /// Why not, and what to do.
    pub reason: String,
}

/// Rotates, and says what was done.
pub async fn run(config: Config, json: bool) -> Result<(), Failure> {
    // A shared database may have servers on it, as long as these were given both keys.
    let generated = is_generated(&config)?;
    let _lock = if generated || !config.server.database.is_shared() {
        Some(storage::lock(&config).await?)
    } else {
        None
    };
    let redactor = Arc::new(Redactor::default());
    let foundation = wire::foundation(&config, Arc::clone(&redactor)).await?;
    let outcome = if generated {
        let path = wire::key_file(&config);
        alone(&config, &foundation).await?;
        let rotation = Rotation::begin(&path).map_err(|error| invalid(error.to_string()))?;
        let ring = KeyRing::of(rotation.keys()).map_err(|error| invalid(error.to_string()))?;
        let outcome = rotate(&foundation, ring, json, Next::Forget(&path)).await?;
        rotation.finish().map_err(anyhow::Error::from)?;
        outcome
    } else {
        let ring = wire::key_ring(&config, &redactor)?;
        differ(&config, &ring)?;
        rotate(&foundation, ring, json, Next::Unset).await?
    };
    foundation.store.close().await;
    Ok(say(outcome)?)
}

/// What there is to do about the old key when nothing needs it any more.
#[derive(Clone, Copy)]
enum Next<'a> {
    /// This command takes it out of the file.
    Forget(&'a Path),
    /// The operator takes it out of the environment.
    Unset,
}

/// Seals everything anew; fails while anything still needs an old key. Gives the answer to print.
async fn rotate(
    foundation: &Foundation,
    ring: KeyRing,
    json: bool,
    next: Next<'_>,
) -> anyhow::Result<String> {
    let key_id = ring.current_id().to_owned();
    let cipher = AesGcmCipher::new(ring);
    let outcome = reseal_all(foundation.store.as_ref(), &cipher).await?;
    let done = outcome.unreadable.is_empty() && !outcome.unsettled;
    let Outcome {
        resealed,
        unreadable,
        unsettled,
    } = outcome;
    let answer = serde_json::json!({ "key_id": key_id, "resealed": resealed, "unreadable": unreadable, "done": done });
    if !done {
        if json {
            say(&answer)?;
        }
        anyhow::bail!(unfinished(resealed, &unreadable, unsettled));
    }
    note(foundation, &key_id).await?;
    Ok(match (json, next) {
        (true, _) => answer.to_string(),
        (false, Next::Forget(path)) => format!(
            "{resealed} secrets are sealed anew; everything is sealed with key {key_id}, the only one in {}",
            path.display()
        ),
        (false, Next::Unset) => format!(
            "{resealed} secrets are sealed anew; everything is sealed with key {key_id}. ENCRYPTION_KEY_PREVIOUS can \
             be removed now"
        ),
    })
}

async fn note(foundation: &Foundation, key_id: &str) -> anyhow::Result<()> {
    let (store, now) = (&foundation.store, foundation.clock.now());
    let tenant = store.ensure_tenant(bootstrap::TENANT, now).await?.id;
    let tx = store.write(tenant, Durability::Durable).await?;
    let change = Change {
        action: "encryption_key.rotated",
        subject: Subject {
            kind: "settings",
            id: None,
            name: Some("encryption key".to_owned()),
        },
        before: None,
        after: Some(serde_json::json!({ "key_id": key_id })),
    };
    note_command(tx.as_ref(), (tenant, "nitejar rotate-keys", now), change).await?;
    Ok(tx.commit().await?)
}

/// Seals every value anew that the cipher's current key did not seal, in small transactions, until a whole pass
/// finds none. A value that somebody changes meanwhile is left to the next pass.
pub async fn reseal_all(
    store: &dyn SealedStore,
    cipher: &dyn Cipher,
) -> Result<Outcome, StoreError> {
    let mut outcome = Outcome::default();
    for _ in 0..PASSES {
        outcome.unreadable.clear();
        let older = pass(store, cipher, &mut outcome).await?;
        outcome.unsettled = older;
        if !older {
            break;
        }
    }
    Ok(outcome)
}

/// Goes through everything once; true when there was something to seal anew.
async fn pass(
    store: &dyn SealedStore,
    cipher: &dyn Cipher,
    outcome: &mut Outcome,
) -> Result<bool, StoreError> {
    let mut older = false;
    let mut last: Option<SealedValue> = None;
    loop {
        let page = store.sealed(last.as_ref(), BATCH).await?;
        let Some(end) = page.last() else {
            return Ok(older);
        };
        last = Some(end.clone());
        let mut changes = Vec::new();
        for value in page {
            if cipher.is_current(&value.text) {
                continue;
            }
            match cipher.open(value.place(), &value.text) {
                Ok(secret) => {
                    let text = cipher.seal(value.place(), &secret);
                    changes.push(Resealed { value, text });
                }
                Err(error) => outcome.unreadable.push(Unreadable {
                    place: format!("{} {} {}", value.table, value.row, value.column),
                    reason: error.to_string(),
                }),
            }
        }
        if !changes.is_empty() {
            older = true;
            outcome.resealed += store.reseal(&changes).await?;
        }
    }
}

fn unfinished(resealed: u64, unreadable: &[Unreadable], unsettled: bool) -> String {
    let mut text = format!("{resealed} secrets are sealed anew, but the old key is still needed:");
    if unsettled {
        text.push_str(
            " a running server keeps sealing with it; start every server with both keys (ENCRYPTION_KEY and \
             ENCRYPTION_KEY_PREVIOUS), then run this again",
        );
    }
    for value in unreadable {
        text.extend(["\n  ", &value.place, ": ", &value.reason]);
    }
    text
}

/// Whether the key is the generated one; otherwise there must be a previous one.
fn is_generated(config: &Config) -> Result<bool, ConfigError> {
    let server = &config.server;
    match (&server.encryption_key, &server.encryption_key_previous) {
        (_, Some(_)) => Ok(false),
        (None, None) => Ok(true),
        (Some(_), None) => Err(previous(
            "is not set; to rotate a key of your own, set ENCRYPTION_KEY to a new one (`openssl rand -hex 32`) and \
             this to the one so far, restart the servers with both, and run this again",
        )),
    }
}

fn differ(config: &Config, ring: &KeyRing) -> Result<(), Failure> {
    let Some(key) = &config.server.encryption_key_previous else {
        return Ok(());
    };
    let older = KeyRing::new(key).map_err(|error| previous(&error.to_string()))?;
    if older.current_id() == ring.current_id() {
        return Err(previous(
            "is the same key as ENCRYPTION_KEY; set ENCRYPTION_KEY to a new one (`openssl rand -hex 32`)",
        )
        .into());
    }
    Ok(())
}

/// A server that runs elsewhere on a shared database would not know a key that is generated now.
async fn alone(config: &Config, foundation: &Foundation) -> Result<(), Failure> {
    if !config.server.database.is_shared() {
        return Ok(());
    }
    let since = foundation.clock.now() - LIFE;
    let alive = foundation.store.alive(since).await;
    match alive.map_err(anyhow::Error::from)? {
        0 => Ok(()),
        n => Err(invalid(format!(
            "is generated, and the server processes now running on {} ({n}) would not know a new one; stop them and \
             wait {} seconds, or give the keys in ENCRYPTION_KEY and ENCRYPTION_KEY_PREVIOUS",
            config.server.database,
            LIFE.num_seconds()
        ))),
    }
}

fn invalid(problem: String) -> Failure {
    ConfigError::Invalid {
        name: "ENCRYPTION_KEY",
        problem,
    }
    .into()
}

fn previous(problem: &str) -> ConfigError {
    ConfigError::Invalid {
        name: "ENCRYPTION_KEY_PREVIOUS",
        problem: problem.to_owned(),
    }
}
