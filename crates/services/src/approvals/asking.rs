//! How an approval is asked for: whom it comes from, what exactly it is about, and what people of the conversation
//! read. Written by whoever holds the transaction.

use crate::Platform;
use chrono::TimeDelta;
use domain::{
    approval::{Approval, ApprovalKind, ApprovalStatus, Approvers, Requester, Ruling, canonical},
    effect::{Choice, Effect, EffectAction, EffectStatus, QUESTION_SLOT},
    id::{
        AgentId, ApprovalId, ConversationId, EffectId, IntegrationId, JobId, TenantId, ToolCallId,
        UserId,
    },
    job::Job,
    secret::Secret,
};
use ports::store::{StoreError, StoreTx};
use serde_json::Value;

/// How much of an action people read in their channel, in characters; the whole is in the web app.
const EXCERPT: usize = 2_000;
/// How long the news of an answer is of use.
const NEWS: TimeDelta = TimeDelta::days(1);
/// How much of the digest a button carries.
const SHORT: usize = 8;

/// What is asked.
pub struct Asked {
    /// What the approval holds.
    pub kind: ApprovalKind,
    /// The question; free of secrets.
    pub question: String,
    /// What would be done, as people are shown it; free of secrets.
    pub action: Value,
    /// The digest of what would be done.
    pub digest: String,
    /// Who may answer.
    pub approvers: Approvers,
    /// How long it stays open.
    pub open_for: TimeDelta,
    /// The effect it holds.
    pub effect_id: Option<EffectId>,
    /// The tool call that waits.
    pub tool_call_id: Option<ToolCallId>,
}

impl Asked {
    /// The approval, asked now.
    pub fn now(
        self,
        platform: &Platform,
        job: &Job,
        integration: IntegrationId,
        requesters: Vec<Requester>,
    ) -> Approval {
        let now = platform.clock.now();
        Approval {
            id: ApprovalId::from_uuid(platform.ids.next()),
            tenant_id: job.tenant_id,
            kind: self.kind,
            status: ApprovalStatus::Pending,
            agent_id: job.agent_id,
            job_id: job.id,
            work_item_id: job.work_item_id,
            conversation_id: job.conversation_id,
            integration_id: integration,
            effect_id: self.effect_id,
            tool_call_id: self.tool_call_id,
            question: self.question,
            action: self.action,
            digest: self.digest,
            approvers: self.approvers,
            requesters,
            requested_at: now,
            expires_at: now + self.open_for,
            decided_at: None,
            decided_by: None,
            note: None,
        }
    }
}

/// The digest of what would be done, by whom and where.
pub fn digest(
    platform: &Platform,
    kind: ApprovalKind,
    agent: AgentId,
    action: &Value,
    (integration, conversation): (IntegrationId, ConversationId),
) -> String {
    let destination = format!("{integration}/{conversation}");
    let text = canonical(kind, agent, action, &destination);
    platform.secrets.hash(&Secret::new(text))
}

/// The digest of an effect that is held.
pub(super) fn digest_of(platform: &Platform, agent: AgentId, effect: &Effect) -> String {
    // An effect holds text under string keys, which always serialises.
    let action = serde_json::to_value(&effect.action).unwrap_or_default();
    let place = (effect.integration_id, effect.conversation_id);
    digest(platform, ApprovalKind::Reply, agent, &action, place)
}

/// Everybody whose message a job answers, the first first.
pub async fn requesters(
    tx: &dyn StoreTx,
    tenant: TenantId,
    job: JobId,
) -> Result<Vec<Requester>, StoreError> {
    let mut requesters: Vec<Requester> = Vec::new();
    for id in tx.lanes().items_of(tenant, job).await? {
        let Some(item) = tx.work().find(tenant, id).await? else {
            continue;
        };
        let sender = item.message.sender;
        if requesters
            .iter()
            .any(|r| r.external_id == sender.external_id)
        {
            continue;
        }
        let integration = tx.integrations().find(tenant, item.integration_id).await?;
        let provider = integration.map_or("", |integration| integration.channel.as_str());
        let user = sender.external_id.strip_prefix("user:");
        let user_id = match user.and_then(|id| id.parse::<UserId>().ok()) {
            Some(user) => Some(user),
            None => tx
                .identities()
                .find(tenant, provider, &sender.external_id)
                .await?
                .map(|identity| identity.user_id),
        };
        requesters.push(Requester {
            provider: provider.to_owned(),
            external_id: sender.external_id,
            name: sender.display_name,
            user_id,
        });
    }
    Ok(requesters)
}

/// The question as people of the conversation read it, with its slot.
pub fn question(approval: &Approval, agent: &str) -> (String, EffectAction) {
    let id = approval.id.as_uuid().simple();
    let choice = |label: &str, ruling| Choice {
        label: label.to_owned(),
        data: format!("ap:{id}:{}:{ruling}", short(&approval.digest)),
    };
    let mut action = serde_json::to_string_pretty(&approval.action).unwrap_or_default();
    if let Some((end, _)) = action.char_indices().nth(EXCERPT) {
        action.truncate(end);
        action.push('…');
    }
    let fence = "`".repeat(longest_run(&action).max(2) + 1);
    let markdown = format!(
        "**{agent} asks for approval:** {}\n\n{fence}\n{action}\n{fence}\n\nOpen until {}.",
        approval.question,
        approval.expires_at.format("%Y-%m-%d %H:%M UTC")
    );
    let choices = vec![
        choice("Approve", Ruling::Approve),
        choice("Deny", Ruling::Deny),
    ];
    let ask = EffectAction::Question {
        markdown,
        choices,
        edit: None,
    };
    (slot(approval), ask)
}

/// What a button of ours says: which approval, what is meant by it, and the start of the digest it was shown with.
pub(crate) fn pressed(data: &str) -> Option<(ApprovalId, Ruling, &str)> {
    let mut parts = data.strip_prefix("ap:")?.split(':');
    let id = parts.next()?.parse().ok()?;
    let digest = parts.next()?;
    let ruling = parts.next()?.parse().ok()?;
    Some((id, ruling, digest))
}

/// As much of a digest as a button carries.
pub(crate) fn short(digest: &str) -> &str {
    digest.get(..SHORT).unwrap_or(digest)
}

/// Takes the buttons from a question that needs no answer any more and says what became of it; one that was not sent
/// yet is not sent at all.
pub(super) async fn close(
    platform: &Platform,
    tx: &dyn StoreTx,
    approval: &Approval,
) -> Result<Option<Effect>, StoreError> {
    let now = platform.clock.now();
    let slot = slot(approval);
    let effects = tx
        .effects()
        .of_job(approval.tenant_id, approval.job_id)
        .await?;
    let Some(asked) = effects.into_iter().find(|effect| effect.slot == slot) else {
        return Ok(None);
    };
    let EffectAction::Question { markdown, .. } = &asked.action else {
        return Ok(None);
    };
    if asked.status == EffectStatus::Pending {
        let withdrawn = Effect {
            status: EffectStatus::Cancelled,
            settled_at: Some(now),
            ..asked.clone()
        };
        let written = tx
            .effects()
            .update(&withdrawn, EffectStatus::Pending)
            .await?;
        return Ok(written.then_some(withdrawn));
    }
    let reference = asked.provider_reference.as_deref();
    let Some(message) = reference.and_then(|ids| ids.split(',').next()) else {
        return Ok(None);
    };
    let closed = Effect {
        id: EffectId::from_uuid(platform.ids.next()),
        slot: format!("{slot}:closed"),
        action: EffectAction::Question {
            markdown: format!("{markdown}\n\n**{}**", told(approval)),
            choices: Vec::new(),
            edit: Some(message.to_owned()),
        },
        status: EffectStatus::Pending,
        dead_reason: None,
        detail: None,
        attempts: 0,
        next_attempt_at: now,
        expires_at: now + NEWS,
        provider_reference: None,
        created_at: now,
        settled_at: None,
        ..asked
    };
    tx.effects().insert(&closed).await?;
    Ok(Some(closed))
}

/// How an approval ended, in one sentence.
pub(crate) fn told(approval: &Approval) -> String {
    let by = approval.decided_by.as_ref().map_or("nobody", |by| &by.name);
    let note = |text: String| match &approval.note {
        Some(note) => format!("{text} {note}"),
        None => text,
    };
    match approval.status {
        ApprovalStatus::Pending => "Nobody has decided yet.".to_owned(),
        ApprovalStatus::Approved => note(format!("Approved by {by}.")),
        ApprovalStatus::Denied => note(format!("Denied by {by}.")),
        ApprovalStatus::Expired => "Nobody decided in time, which counts as a denial.".to_owned(),
        ApprovalStatus::Withdrawn => note("Withdrawn:".to_owned()),
    }
}

fn slot(approval: &Approval) -> String {
    format!("{QUESTION_SLOT}:{}", approval.id)
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`').map(str::len);
    runs.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_what_was_put_on_it() {
        let id = "0190c0de-0000-7000-8000-000000000001";
        let simple = id.replace('-', "");
        assert_eq!(
            pressed(&format!("ap:{simple}:0123abcd:deny")),
            Some((id.parse().unwrap(), Ruling::Deny, "0123abcd"))
        );
        for other in [
            "",
            "ap:",
            "ap:x:y:approve",
            &format!("ap:{simple}:0123abcd:maybe"),
        ] {
            assert_eq!(pressed(other), None);
        }
    }

    #[test]
    fn a_button_fits_what_channels_carry() {
        let longest = format!(
            "ap:{}:{}:{}",
            "0".repeat(32),
            "0".repeat(SHORT),
            Ruling::Approve
        );
        assert!(longest.len() <= 64);
    }
}
