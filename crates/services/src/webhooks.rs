//! Calls of vendors. A stranger learns whether the signature was right and nothing else; a right
//! one is answered only after what it brought is durable. No vendor is called from here.

use crate::{Error, Platform};
use domain::{channel::ChannelType, id::IntegrationId};
use ports::{
    channel::{WebhookError, WebhookHeaders},
    ingest::{Accept, Accepted},
};

/// Takes a webhook call in: the messages it brought, durable, each with its work item.
///
/// # Errors
/// `NotFound` for a path that means nothing, `Unauthenticated` for a wrong signature, `Malformed`
/// for a signed body that is not the vendor's, `Unavailable` while the integration is switched off
/// or its settings cannot be used.
#[tracing::instrument(name = "webhooks.receive", skip_all, fields(integration.id))]
pub async fn receive(
    platform: &Platform,
    channel: &str,
    id: &str,
    headers: &WebhookHeaders,
    body: &[u8],
) -> Result<Vec<Accepted>, Error> {
    const UNKNOWN: Error = Error::NotFound { what: "webhook" };
    let channel: ChannelType = channel.parse().map_err(|_unknown_word| UNKNOWN)?;
    let id: IntegrationId = id.parse().map_err(|_not_an_id| UNKNOWN)?;
    tracing::Span::current().record("integration.id", tracing::field::display(id));
    let integration = platform
        .channels
        .integration(platform.system.as_ref(), id)
        .await?
        .filter(|integration| integration.channel == channel)
        .ok_or(UNKNOWN)?;
    let vendor = platform.channels.connect(&integration).map_err(|error| {
        tracing::warn!(%error, "a webhook call was refused");
        unavailable("this webhook is not available")
    })?;
    let messages = vendor.receive(headers, body).map_err(|error| match error {
        WebhookError::Unauthenticated => Error::Unauthenticated,
        WebhookError::Malformed(message) => Error::Malformed { message },
    })?;
    if !integration.enabled {
        return Err(unavailable("the integration is switched off"));
    }
    let batch: Vec<Accept> = messages
        .into_iter()
        .map(|message| Accept {
            tenant_id: integration.tenant_id,
            integration_id: integration.id,
            message,
            assigned: Vec::new(),
        })
        .collect();
    if batch.is_empty() {
        return Ok(Vec::new());
    }
    Ok(platform.ingest.accept(batch).await?)
}

fn unavailable(message: &str) -> Error {
    Error::Unavailable {
        message: message.to_owned(),
        retry_after: None,
    }
}
