//! What a vendor tells us of, whichever way it comes. Messages become work; a code that says who somebody is and a
//! button under a question never do: those are dealt with at once, and the person hears what came of it.

use crate::{
    Context, Error, Platform,
    approvals::{self, pressed, short, told},
    identities, users,
};
use domain::{
    channel::{InboundMessage, Press},
    effect::EffectAction,
    integration::Integration,
};
use ports::{
    channel::{Channel, ChannelError, Delivery, Received},
    ingest::{Accept, Accepted},
};
use std::sync::Arc;

/// Takes in what came through an integration; durable when this returns. Taking the same in again changes nothing.
#[tracing::instrument(name = "arrivals.take", skip_all, fields(integration.id = %integration.id))]
pub async fn take(
    platform: &Arc<Platform>,
    integration: &Integration,
    channel: &dyn Channel,
    received: Received,
) -> Result<Vec<Accepted>, Error> {
    let Received { messages, presses } = received;
    let (links, messages): (Vec<_>, Vec<_>) = messages.into_iter().partition(is_link);
    let batch: Vec<Accept> = messages
        .into_iter()
        .map(|message| Accept {
            tenant_id: integration.tenant_id,
            integration_id: integration.id,
            message,
            assigned: Vec::new(),
            except: Vec::new(),
        })
        .collect();
    let accepted = if batch.is_empty() {
        Vec::new()
    } else {
        platform.ingest.accept(batch).await?
    };
    for message in links {
        let text = identities::link(platform, integration, &message).await?;
        let reply = Delivery {
            place: message.place,
            action: EffectAction::Reply {
                markdown: text,
                reply_to: message.message_id,
            },
        };
        heard(platform, channel.send(&reply).await.map(drop));
    }
    for press in presses {
        if let Some(text) = decide(platform, integration, &press).await? {
            heard(platform, channel.answer(&press, &text).await);
        }
    }
    Ok(accepted)
}

fn is_link(message: &InboundMessage) -> bool {
    let command = message.command.as_ref();
    command.is_some_and(|command| command.name == identities::COMMAND) && !message.sender.is_bot
}

/// What a press leads to, in words for who pressed; nothing for a button that is none of ours.
async fn decide(
    platform: &Arc<Platform>,
    integration: &Integration,
    press: &Press,
) -> Result<Option<String>, Error> {
    let Some((id, ruling, digest)) = pressed(&press.data) else {
        return Ok(None);
    };
    let tenant = integration.tenant_id;
    let tx = platform.store.read(tenant).await?;
    let approval = tx.approvals().find(tenant, id).await?;
    let provider = integration.channel.as_str();
    let identity = tx
        .identities()
        .find(tenant, provider, &press.sender.external_id)
        .await?;
    drop(tx);
    let asked = approval.filter(|approval| {
        approval.integration_id == integration.id && short(&approval.digest) == digest
    });
    if asked.is_none() {
        return Ok(Some("This question is not open any more.".to_owned()));
    }
    let user = match identity {
        Some(identity) => platform.system.find_user(identity.user_id).await?,
        None => None,
    };
    let Some(user) = user.filter(|user| user.tenant_id == tenant && user.disabled_at.is_none())
    else {
        return Ok(Some(
            "Link your account first: get a code in your Nitejar profile and send me /link CODE."
                .to_owned(),
        ));
    };
    let actor = users::acting(&user, None);
    let context = Context::of(Arc::clone(platform), tenant, actor);
    match approvals::decide(&context, id, ruling, None).await {
        Ok(shown) => Ok(Some(told(&shown.approval))),
        Err(error @ (Error::Internal(_) | Error::Unavailable { .. })) => Err(error),
        Err(refusal) => Ok(Some(refusal.to_string())),
    }
}

/// What a person is told is best effort; what they did is written down.
fn heard(platform: &Platform, told: Result<(), ChannelError>) {
    if let Err(error) = told {
        let why = platform.channels.redact(&error.to_string());
        tracing::warn!("a person could not be told what came of it: {why}");
    }
}
