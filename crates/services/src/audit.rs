//! The audit trail: every use case that changes something notes it here, in the transaction of the change, so that
//! there is never one without the other. Read and proved here too; nothing is ever changed or removed.

use crate::{Context, Error, error::found};
use domain::{
    Timestamp,
    access::{Actor, Area, Right},
    audit::{AuditActor, AuditActorKind, AuditEntry, Break, Link, Unreadable},
    id::{AgentId, TenantId, TokenId, UserId},
};
use ports::{
    secrets::Secrets,
    store::{AuditFilter, Store, StoreError, StoreTx},
};
use serde_json::Value;
use std::net::IpAddr;
use uuid::Uuid;

pub use domain::audit::{Change, Subject};

/// How many entries are proved at a time.
const PAGE: u32 = 500;

/// In whose trail an entry is made, and what it says of who changed something.
#[derive(Clone, Debug)]
pub struct Author {
    /// Whose trail it is.
    pub tenant: TenantId,
    /// Who.
    pub actor: AuditActor,
    /// When.
    pub at: Timestamp,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// The id under which the log knows the request.
    pub request_id: Option<String>,
}

/// What a proof of the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The end of what holds.
    pub end: Link,
    /// Where the chain does not hold, if anywhere.
    pub broken: Option<Break>,
}

impl Context {
    /// Notes a change in the transaction that makes it. Call it last before the commit: until then nobody else in
    /// the tenant can note anything.
    pub async fn audit(&self, tx: &dyn StoreTx, mut change: Change) -> Result<(), Error> {
        // Whoever notes a change leaves secrets out; this is for those that people put into other fields.
        for value in change.before.iter_mut().chain(&mut change.after) {
            self.platform.channels.redact_json(value);
        }
        let by = Author {
            tenant: self.tenant,
            actor: actor(&self.actor),
            at: self.now(),
            address: self.address,
            request_id: self.request_id.clone(),
        };
        Ok(note(tx, self.platform.secrets.as_ref(), by, change).await?)
    }
}

/// Notes a change without a context; see [`Context::audit`].
pub async fn note(
    tx: &dyn StoreTx,
    secrets: &dyn Secrets,
    by: Author,
    change: Change,
) -> Result<(), StoreError> {
    let chain = tx.audit();
    let link = chain.lock(by.tenant).await?;
    let mut entry = AuditEntry {
        tenant_id: by.tenant,
        seq: link.seq + 1,
        at: by.at,
        actor: by.actor,
        action: change.action.to_owned(),
        subject: Subject {
            kind: change.subject.kind.to_owned(),
            id: change.subject.id,
            name: change.subject.name.as_deref().map(storable),
        },
        before: change.before.as_ref().map(Value::to_string),
        after: change.after.as_ref().map(Value::to_string),
        address: by.address,
        request_id: by.request_id,
        previous: link.hash,
        hash: String::new(),
    };
    entry.hash = secrets.digest(&entry.content());
    chain.append(&entry).await
}

/// Entries before a sequence number, newest first, and whether more follow.
pub async fn list(
    context: &Context,
    filter: &AuditFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<(Vec<AuditEntry>, bool), Error> {
    context.authorise(Area::Audit, Right::Read)?;
    let tx = context.read().await?;
    let mut entries = tx
        .audit()
        .list(
            context.tenant,
            filter,
            before.unwrap_or(i64::MAX),
            limit.saturating_add(1),
        )
        .await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    Ok((entries, more))
}

/// The entry at a place in the trail.
pub async fn find(context: &Context, seq: i64) -> Result<AuditEntry, Error> {
    let before = Some(seq.saturating_add(1));
    let (newest, _) = list(context, &AuditFilter::default(), before, 1).await?;
    let entry = newest.into_iter().find(|entry| entry.seq == seq);
    found(entry, "audit entry")
}

/// Walks the whole chain, a page at a time, and says where it first does not hold. What is added meanwhile is left
/// for the next proof.
pub async fn prove(
    store: &dyn Store,
    secrets: &dyn Secrets,
    tenant: TenantId,
) -> Result<Proof, StoreError> {
    let tx = store.read(tenant).await?;
    let head = tx.audit().head(tenant).await?;
    let beyond = tx.audit().after(tenant, head.seq, 1).await?;
    drop(tx);
    let mut end = Link::default();
    // Not from the first entry: there is none before it, or somebody put one there.
    let mut after = i64::MIN;
    while after < head.seq {
        let tx = store.read(tenant).await?;
        let page = tx.audit().after(tenant, after, PAGE).await?;
        drop(tx);
        let known = |stored: &&Result<AuditEntry, Unreadable>| match stored {
            Ok(entry) => entry.seq <= head.seq,
            Err(Unreadable) => true,
        };
        for stored in page.iter().take_while(known) {
            if let Err(broken) = end.pass(stored, |content| secrets.digest(content)) {
                let broken = Some(broken);
                return Ok(Proof { end, broken });
            }
        }
        if end.seq <= after {
            break;
        }
        after = end.seq;
    }
    let broken = end.finish(&head, beyond.first()).err();
    Ok(Proof { end, broken })
}

fn actor(actor: &Actor) -> AuditActor {
    let (kind, id, name): (_, Option<Uuid>, Option<&String>) = match actor {
        Actor::User { id, name, .. } => {
            (AuditActorKind::User, Some(UserId::as_uuid(*id)), Some(name))
        }
        Actor::Token { id, name, .. } => {
            (AuditActorKind::Token, id.map(TokenId::as_uuid), Some(name))
        }
        Actor::Agent(id) => (AuditActorKind::Agent, Some(AgentId::as_uuid(*id)), None),
        Actor::System => (AuditActorKind::System, None, None),
    };
    AuditActor {
        kind,
        id,
        name: name.map(String::as_str).map(storable),
    }
}

/// The store replaces what databases cannot hold in text; what is hashed must be what is stored.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
