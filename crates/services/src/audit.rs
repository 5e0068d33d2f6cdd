//! The audit trail: every use case that changes something notes it here, in the transaction of the change, so that
//! there is never one without the other. Read and proved here too; nothing is ever changed or removed.

use crate::{Context, Error};
use domain::{
    access::{Actor, Area, Right},
    audit::{AuditActor, AuditActorKind, AuditEntry, Break, Link},
    id::{AgentId, TokenId, UserId},
};
use ports::store::{AuditFilter, StoreTx};
use serde_json::Value;
use uuid::Uuid;

pub use domain::audit::{Change, Subject};

/// How many entries are proved at a time.
const PAGE: u32 = 500;

/// What a proof of the chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// How many entries hold.
    pub entries: i64,
    /// The end of what holds.
    pub end: Link,
    /// Where the chain does not hold, if anywhere.
    pub broken: Option<Break>,
}

impl Context {
    /// Notes a change in the transaction that makes it. Call it last before the commit: until then nobody else in
    /// the tenant can note anything.
    pub async fn audit(&self, tx: &dyn StoreTx, change: Change) -> Result<(), Error> {
        let chain = tx.audit();
        let link = chain.lock(self.tenant).await?;
        let mut entry = AuditEntry {
            tenant_id: self.tenant,
            seq: link.seq + 1,
            at: self.now(),
            actor: actor(&self.actor),
            action: change.action.to_owned(),
            subject: Subject {
                kind: change.subject.kind.to_owned(),
                id: change.subject.id,
                name: change.subject.name.as_deref().map(storable),
            },
            before: change.before.as_ref().map(Value::to_string),
            after: change.after.as_ref().map(Value::to_string),
            address: self.address,
            request_id: self.request_id.clone(),
            previous: link.hash,
            hash: String::new(),
        };
        entry.hash = self.platform.secrets.digest(&entry.content());
        Ok(chain.append(&entry).await?)
    }
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

/// Walks the whole chain, a page at a time, and says where it first does not hold. What is added meanwhile is left
/// for the next proof.
pub async fn verify(context: &Context) -> Result<Verified, Error> {
    context.authorise(Area::Audit, Right::Read)?;
    let tx = context.read().await?;
    let head = tx.audit().head(context.tenant).await?;
    let beyond = tx.audit().after(context.tenant, head.seq, 1).await?;
    drop(tx);
    let mut end = Link::default();
    let mut broken = None;
    while broken.is_none() && end.seq < head.seq {
        let tx = context.read().await?;
        let page = tx.audit().after(context.tenant, end.seq, PAGE).await?;
        drop(tx);
        let before = end.seq;
        for entry in page.iter().take_while(|entry| entry.seq <= head.seq) {
            let hash = context.platform.secrets.digest(&entry.content());
            if let Err(found) = end.follow(entry, &hash) {
                broken = Some(found);
                break;
            }
        }
        if end.seq == before {
            break;
        }
    }
    if broken.is_none() && (end != head || !beyond.is_empty()) {
        broken = Some(Break::End {
            expected: head.seq,
            found: beyond.first().map_or(end.seq, |entry| entry.seq),
        });
    }
    Ok(Verified {
        entries: end.seq,
        end,
        broken,
    })
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
