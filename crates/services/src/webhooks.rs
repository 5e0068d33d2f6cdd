//! Calls of vendors. A stranger learns whether the signature was right and nothing else; a right
//! one is answered only after what it brought is durable. What that means is decided in `arrivals`.

use crate::{Error, Platform, arrivals};
use domain::{channel::ChannelType, id::IntegrationId};
use ports::{
    channel::{WebhookError, WebhookHeaders},
    ingest::Accepted,
};
use std::sync::Arc;

/// Takes a webhook call in: the messages it brought, durable, each with its work item.
///
/// # Errors
/// `NotFound` for a path that means nothing, `Unauthenticated` for a wrong signature, `Malformed`
/// for a signed body that is not the vendor's, `Unavailable` while the integration is switched off
/// or its settings cannot be used.
#[tracing::instrument(name = "webhooks.receive", skip_all, fields(integration.id))]
pub async fn receive(
    platform: &Arc<Platform>,
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
    let received = vendor.receive(headers, body).map_err(|error| match error {
        WebhookError::Unauthenticated => Error::Unauthenticated,
        WebhookError::Malformed(message) => Error::Malformed { message },
    })?;
    if !integration.enabled {
        return Err(unavailable("the integration is switched off"));
    }
    arrivals::take(platform, &integration, vendor.as_ref(), received).await
}

fn unavailable(message: &str) -> Error {
    Error::Unavailable {
        message: message.to_owned(),
        retry_after: None,
    }
}
