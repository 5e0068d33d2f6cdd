//! Approvals: looked at, answered, expired. Who may answer is decided here and by `domain::approval`, whatever
//! way the answer comes; what an answer leads to is one transaction with it.

mod asking;
mod outcome;

pub use asking::{Asked, digest, question, requesters};
pub(crate) use asking::{pressed, short, told};
pub use outcome::withdraw;

use crate::{Context, Error, error::found, work};
use domain::{
    access::{Actor, Area, Right},
    approval::{Approval, ApprovalStatus, Decider, Refusal, Ruling},
    audit::Change,
    id::{ApprovalId, TokenId, UserId},
    identity::Identity,
    job::Job,
    page::{Page, PageRequest},
};
use ports::store::{ApprovalFilter, BoxTx};

/// The longest note, in characters.
const LONGEST_NOTE: usize = 2_000;

/// An approval as one person sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The approval.
    pub approval: Approval,
    /// Whether they may answer it now.
    pub may_decide: bool,
}

/// Approvals, newest first.
pub async fn list(
    context: &Context,
    filter: ApprovalFilter,
    page: PageRequest,
) -> Result<Page<Shown>, Error> {
    context.authorise(Area::Approvals, Right::Read)?;
    let tx = context.read().await?;
    let filter = ApprovalFilter {
        hidden: context.hidden(&tx).await?,
        ..filter
    };
    let page = tx.approvals().list(context.tenant, &filter, page).await?;
    let own = identities(context, &tx).await?;
    let show = |approval| shown(context, approval, &own);
    Ok(Page {
        items: page.items.into_iter().map(show).collect(),
        next: page.next,
    })
}

/// One approval.
pub async fn find(context: &Context, id: ApprovalId) -> Result<Shown, Error> {
    context.authorise(Area::Approvals, Right::Read)?;
    let tx = context.read().await?;
    let approval = load(context, &tx, id).await?;
    let own = identities(context, &tx).await?;
    Ok(shown(context, approval, &own))
}

/// Answers an approval; the same answer again changes nothing. What it held goes on, or is called off, in the
/// same transaction.
///
/// # Errors
/// `Forbidden` for whoever asked for it and whoever may not answer; `Conflict` when it was answered otherwise, has
/// expired, or what it holds is not what was asked for any more.
#[tracing::instrument(name = "approvals.decide", skip_all, fields(tenant.id = %context.tenant, approval.id = %id))]
pub async fn decide(
    context: &Context,
    id: ApprovalId,
    ruling: Ruling,
    note: Option<String>,
) -> Result<Shown, Error> {
    context.authorise(Area::Approvals, Right::Operate)?;
    let note = checked(context, note)?;
    let tx = context.write().await?;
    let approval = load(context, &tx, id).await?;
    let own = identities(context, &tx).await?;
    permit(context, &approval, &own)?;
    let (mut approval, mut job) = hold(context, &tx, approval).await?;
    let now = context.now();
    if approval.status == ApprovalStatus::Pending
        && ruling == Ruling::Approve
        && approval.is_open(now)
        && let Some(changed) = outcome::asked_anew(context, &tx, &approval).await?
    {
        tx.commit().await?;
        return Err(changed);
    }
    match approval.rule(ruling, decider(context), note, now) {
        Ok(false) => return Ok(shown(context, approval, &own)),
        Ok(true) => {}
        Err(Refusal::Expired) => {
            if approval.expire(now) {
                outcome::carry_out(context, &tx, &approval, &mut job).await?;
                note_end(&context.acting(Actor::System), &tx, &approval).await?;
                tx.commit().await?;
            }
            return Err(Error::conflict(
                "approval_expired",
                Refusal::Expired.to_string(),
            ));
        }
        Err(refusal @ Refusal::Decided(_)) => {
            return Err(Error::conflict("approval_decided", refusal.to_string()));
        }
    }
    outcome::carry_out(context, &tx, &approval, &mut job).await?;
    note_end(context, &tx, &approval).await?;
    tx.commit().await?;
    Ok(shown(context, approval, &own))
}

/// Ends an approval whose time is over, which counts as a denial; one that is not overdue stays as it is.
pub async fn expire(context: &Context, id: ApprovalId) -> Result<(), Error> {
    let tx = context.write().await?;
    let approval = load(context, &tx, id).await?;
    let (mut approval, mut job) = hold(context, &tx, approval).await?;
    if approval.expire(context.now()) {
        outcome::carry_out(context, &tx, &approval, &mut job).await?;
        note_end(context, &tx, &approval).await?;
        tx.commit().await?;
    }
    Ok(())
}

/// Notes how an approval ended.
pub(super) async fn note_end(
    context: &Context,
    tx: &BoxTx,
    approval: &Approval,
) -> Result<(), Error> {
    let action = match approval.status {
        ApprovalStatus::Pending => return Ok(()),
        ApprovalStatus::Approved => "approval.approved",
        ApprovalStatus::Denied => "approval.denied",
        ApprovalStatus::Expired => "approval.expired",
        ApprovalStatus::Withdrawn => "approval.withdrawn",
    };
    let after = serde_json::json!({
        "kind": approval.kind,
        "agent_id": approval.agent_id,
        "job_id": approval.job_id,
        "digest": approval.digest,
        "note": approval.note,
    });
    let change = Change::to(action, "approval", approval.id.as_uuid(), None);
    context
        .audit(tx.as_ref(), change.between(None, Some(after)))
        .await
}

/// The approval and its job as they stand until the commit: nobody takes up the lane meanwhile, and nobody else
/// answers.
async fn hold(context: &Context, tx: &BoxTx, approval: Approval) -> Result<(Approval, Job), Error> {
    let job = found(
        tx.jobs().find(context.tenant, approval.job_id).await?,
        "job",
    )?;
    tx.lanes().lock(context.tenant, job.lane_id).await?;
    let approval = tx.approvals().find(context.tenant, approval.id).await?;
    let job = tx.jobs().find(context.tenant, job.id).await?;
    Ok((found(approval, "approval")?, found(job, "job")?))
}

async fn load(context: &Context, tx: &BoxTx, id: ApprovalId) -> Result<Approval, Error> {
    let hidden = context.hidden(tx).await?;
    let approval = tx.approvals().find(context.tenant, id).await?;
    let seen = approval.filter(|approval| {
        !hidden.agents.contains(&approval.agent_id)
            && !hidden.integrations.contains(&approval.integration_id)
    });
    found(seen, "approval")
}

/// Who the caller is on channels.
async fn identities(context: &Context, tx: &BoxTx) -> Result<Vec<Identity>, Error> {
    match context.actor.user() {
        Some(user) => Ok(tx.identities().of_user(context.tenant, user).await?),
        None => Ok(Vec::new()),
    }
}

fn shown(context: &Context, approval: Approval, own: &[Identity]) -> Shown {
    let may = context.actor.may(Area::Approvals, Right::Operate)
        && approval.is_open(context.now())
        && permit(context, &approval, own).is_ok();
    Shown {
        approval,
        may_decide: may,
    }
}

/// Nobody answers for themselves, and an agent for nobody.
fn permit(context: &Context, approval: &Approval, own: &[Identity]) -> Result<(), Error> {
    let user = context.actor.user();
    let caller = work::sender(context).external_id;
    let is_own = approval.requesters.iter().any(|requester| {
        requester.external_id == caller
            || (user.is_some() && requester.user_id == user)
            || own.iter().any(|identity| {
                identity.provider == requester.provider
                    && identity.external_id == requester.external_id
            })
    });
    if is_own {
        return Err(Error::Forbidden {
            code: "own_request",
            message: "this came from your own message; somebody else has to decide on it"
                .to_owned(),
        });
    }
    let role = context.actor.role();
    if role.is_some_and(|role| approval.approvers.include(role, user)) {
        Ok(())
    } else {
        Err(Error::Forbidden {
            code: "forbidden",
            message: format!(
                "this approval needs the role {} or more",
                approval.approvers.min_role
            ),
        })
    }
}

fn decider(context: &Context) -> Decider {
    match &context.actor {
        Actor::User { id, name, .. } => Decider {
            id: Some(id.as_uuid()),
            name: name.clone(),
        },
        Actor::Token { id, user, name, .. } => Decider {
            id: user.map(UserId::as_uuid).or(id.map(TokenId::as_uuid)),
            name: name.clone(),
        },
        Actor::Agent(_) | Actor::System => Decider {
            id: None,
            name: work::sender(context).display_name,
        },
    }
}

fn checked(context: &Context, note: Option<String>) -> Result<Option<String>, Error> {
    let note = note.map(|note| context.platform.channels.redact(note.trim()));
    let note = note.filter(|note| !note.is_empty());
    if note
        .as_ref()
        .is_some_and(|note| note.chars().count() > LONGEST_NOTE)
    {
        return Err(Error::invalid(
            "note",
            format!("at most {LONGEST_NOTE} characters"),
        ));
    }
    Ok(note)
}
