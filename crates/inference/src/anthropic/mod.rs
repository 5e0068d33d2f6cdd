//! Claude over the Messages API, and whatever else speaks it.

pub(crate) mod request;
mod stream;
mod wire;

use crate::{
    endpoint::Endpoint,
    estimate,
    failure::Failure,
    prices::{Prices, Thinking, Traits},
};
use async_trait::async_trait;
use ports::inference::{Inference, InferenceError, ModelRequest, ModelStream};
use reqwest::Response;
use std::sync::Arc;
use stream::Decoder;

/// One Anthropic-compatible provider.
pub(crate) struct Anthropic {
    endpoint: Arc<Endpoint>,
    prices: Arc<Prices>,
}

impl Anthropic {
    pub(crate) fn new(endpoint: Endpoint, prices: Arc<Prices>) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            prices,
        }
    }

    /// Sends the request; returns the response and the size of what was sent.
    ///
    /// Thinking is bound to everything before it. When that has changed since (the instructions
    /// were edited, the history compacted, the model switched), the provider refuses its own
    /// signature, and would for as long as the history lives; so it is asked once more without.
    async fn send(
        &self,
        request: &ModelRequest,
        traits: &Traits,
    ) -> Result<(Response, usize), Failure> {
        let body = request::body(request, traits, true).to_string();
        let size = body.len();
        match self.endpoint.post(body.into_bytes()).await {
            Ok(response) => Ok((response, size)),
            Err(Failure::Rejected(400, message)) if is_stale_thinking(&message) => {
                tracing::debug!(
                    provider = self.endpoint.provider,
                    "thinking no longer fits its history; asking again without it"
                );
                let body = request::body(request, traits, false).to_string();
                let size = body.len();
                Ok((self.endpoint.post(body.into_bytes()).await?, size))
            }
            Err(failure) => Err(failure),
        }
    }
}

#[async_trait]
impl Inference for Anthropic {
    #[tracing::instrument(
        name = "inference.ask",
        skip_all,
        fields(provider = self.endpoint.provider, model = request.model)
    )]
    async fn ask(&self, request: ModelRequest) -> Result<ModelStream, InferenceError> {
        let mut traits = self.prices.traits(&self.endpoint.provider, &request.model);
        // A model nobody knows is asked the way every Claude once was.
        traits.thinking = traits.thinking.or(Some(Thinking::Budget));
        let sent = self.send(&request, &traits).await;
        let (response, size) = sent.map_err(|failure| self.endpoint.error(failure))?;
        let decoder = Decoder::new(estimate::tokens(size));
        Ok(Arc::clone(&self.endpoint).read(response, decoder))
    }
}

fn is_stale_thinking(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    message.contains("thinking") && (message.contains("signature") || message.contains("bound to"))
}
