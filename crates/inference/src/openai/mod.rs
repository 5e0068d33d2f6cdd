//! Chat Completions, as OpenAI, gateways and local servers speak it.
//!
//! `api.openai.com` itself wants `max_completion_tokens` and, for some models, an explicit effort
//! beside tools; every other server gets the original `max_tokens`, which all of them know.
//! Usage that a provider omits is estimated at four characters to a token.

mod calls;
pub(crate) mod request;
mod stream;

use crate::{endpoint::Endpoint, estimate, history, prices::Prices};
use async_trait::async_trait;
use ports::inference::{Inference, InferenceError, ModelRequest, ModelStream};
use request::Dialect;
use std::sync::Arc;
use stream::Decoder;

/// One OpenAI-compatible provider.
pub(crate) struct OpenAi {
    endpoint: Arc<Endpoint>,
    prices: Arc<Prices>,
}

impl OpenAi {
    pub(crate) fn new(endpoint: Endpoint, prices: Arc<Prices>) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            prices,
        }
    }

    fn dialect(&self, model: &str) -> Dialect {
        match self.endpoint.url.host_str() {
            Some("api.openai.com") => Dialect::OpenAi {
                tools_effort: self
                    .prices
                    .traits(&self.endpoint.provider, model)
                    .chat_tools_effort,
            },
            _ => Dialect::Common,
        }
    }
}

#[async_trait]
impl Inference for OpenAi {
    #[tracing::instrument(
        name = "inference.ask",
        skip_all,
        fields(provider = self.endpoint.provider, model = request.model)
    )]
    async fn ask(&self, request: ModelRequest) -> Result<ModelStream, InferenceError> {
        let body = request::body(&request, &self.dialect(&request.model)).to_string();
        let prompt = estimate::tokens(body.len());
        let sent = self.endpoint.post(body.into_bytes()).await;
        let response = sent.map_err(|failure| self.endpoint.error(failure))?;
        let decoder = Decoder::new(prompt, history::count_calls(&request.turns));
        Ok(Arc::clone(&self.endpoint).read(response, decoder))
    }
}
