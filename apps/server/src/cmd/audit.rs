//! `nitejar audit`: proves the audit trail, straight from the database; and how the other commands write to it.

use super::say;
use crate::{bootstrap, cli::Failure, config::Config, secrets::RingSecrets, wire};
use clap::Subcommand;
use domain::{
    Timestamp,
    audit::{AuditActor, AuditActorKind, Change},
    id::TenantId,
    secret::Redactor,
};
use ports::store::{StoreError, StoreTx};
use serde_json::json;
use services::audit::{Author, Proof, note, prove};
use std::sync::Arc;

/// What can be done with the audit trail.
#[derive(Subcommand)]
pub enum AuditCommand {
    /// Prove that no entry was changed, removed, moved or put in; exit code 1 names the first that was.
    Verify {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Proves, and fails when the trail does not hold.
pub async fn run(config: Config, command: AuditCommand) -> Result<(), Failure> {
    let AuditCommand::Verify { json } = command;
    let foundation = wire::foundation(&config, Arc::new(Redactor::default())).await?;
    let now = foundation.clock.now();
    let tenant = foundation.store.ensure_tenant(bootstrap::TENANT, now).await;
    let tenant = tenant.map_err(anyhow::Error::from)?.id;
    let proof = prove(foundation.store.as_ref(), &RingSecrets, tenant).await;
    Ok(tell(&proof.map_err(anyhow::Error::from)?, json)?)
}

fn tell(Proof { end, broken }: &Proof, json: bool) -> anyhow::Result<()> {
    if json {
        let broken = broken.as_ref();
        say(json!({
            "ok": broken.is_none(),
            "entries": end.seq,
            "hash": end.hash,
            "broken": broken.map(|broken| json!({ "seq": broken.seq(), "reason": broken.to_string() })),
        }))?;
    }
    match broken {
        Some(broken) => anyhow::bail!(
            "the audit trail does not hold: {broken}; the {} entries before that do",
            end.seq
        ),
        None if json => Ok(()),
        None => say(format!(
            "the audit trail holds: {} entries, and the last has the hash {}",
            end.seq, end.hash
        )),
    }
}

/// Notes what a command on this machine changes, in the transaction that changes it, last before the commit.
pub(crate) async fn note_command(
    tx: &dyn StoreTx,
    (tenant, command, now): (TenantId, &str, Timestamp),
    change: Change,
) -> Result<(), StoreError> {
    let by = Author {
        tenant,
        actor: AuditActor {
            kind: AuditActorKind::System,
            id: None,
            name: Some(command.to_owned()),
        },
        at: now,
        address: None,
        request_id: None,
    };
    note(tx, &RingSecrets, by, change).await
}
