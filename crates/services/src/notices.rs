//! What people read in their channel when a job ends without its answer. A notice is sent even where
//! replies wait for approval: it says nothing that an agent wrote.

use crate::{Context, Error, PlatformSettings};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    channel::{ChannelType, ChatKind},
    effect::{Effect, EffectAction, EffectStatus, REPLY_SLOT},
    id::{EffectId, JobId},
    job::{Job, JobFailure},
};
use ports::store::BoxTx;

/// How long a notice is of use, as long as the answer it stands for.
const LIFETIME: TimeDelta = TimeDelta::days(1);

/// What is said of a job that failed; Markdown.
pub fn failed(settings: &PlatformSettings, job: JobId, failure: &JobFailure) -> String {
    linked(
        settings,
        job,
        &format!("I could not finish this. {}", failure.message),
    )
}

/// What is said of a job that somebody stopped; Markdown.
pub fn stopped(settings: &PlatformSettings, job: JobId) -> String {
    linked(
        settings,
        job,
        "This job was stopped before it was finished.",
    )
}

/// With a link to the job where people can reach this server.
fn linked(settings: &PlatformSettings, job: JobId, text: &str) -> String {
    match &settings.public_url {
        Some(url) => format!("{text}\n\n{url}/jobs/{job}"),
        None => text.to_owned(),
    }
}

/// The notice of a job that was stopped while no worker had it; `None` where there is no channel.
pub(crate) async fn of_stopped(
    context: &Context,
    tx: &BoxTx,
    job: &Job,
    now: Timestamp,
) -> Result<Option<Effect>, Error> {
    let tenant = context.tenant;
    let conversation = tx.conversations().find(tenant, job.conversation_id).await?;
    let Some(conversation) = conversation else {
        return Ok(None);
    };
    let integration = tx
        .integrations()
        .find(tenant, conversation.integration_id)
        .await?;
    if integration.is_some_and(|integration| integration.channel == ChannelType::Web) {
        return Ok(None);
    }
    let item = tx.work().find(tenant, job.work_item_id).await?;
    let reply_to = item
        .and_then(|item| item.message.message_id)
        .filter(|_| conversation.chat == ChatKind::Group);
    Ok(Some(Effect {
        id: EffectId::from_uuid(context.platform.ids.next()),
        tenant_id: tenant,
        job_id: job.id,
        slot: REPLY_SLOT.to_owned(),
        integration_id: conversation.integration_id,
        conversation_id: conversation.id,
        action: EffectAction::Reply {
            markdown: stopped(&context.platform.settings, job.id),
            reply_to,
        },
        status: EffectStatus::Pending,
        dead_reason: None,
        detail: None,
        attempts: 0,
        next_attempt_at: now,
        expires_at: now + LIFETIME,
        provider_reference: None,
        created_at: now,
        settled_at: None,
    }))
}
