//! Makes Telegram channels.

use crate::{
    channel::TelegramChannel,
    settings::{self, SECRET_FIELDS, Timing},
};
use domain::secret::Secret;
use ports::{
    channel::{Channel, ChannelFactory, ChannelSettings, InvalidSettings},
    clock::Clock,
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Makes one channel per configured bot; all of them share one HTTP client.
pub struct TelegramFactory {
    client: reqwest::Client,
    clock: Arc<dyn Clock>,
    timing: Timing,
}

impl TelegramFactory {
    /// A factory over the server's client. The client should have a connect timeout below
    /// [`Timing::request`], because a timeout while connecting is known not to have sent anything,
    /// and drop idle connections early, because one that dies under a request leaves doubt.
    pub fn new(client: reqwest::Client, clock: Arc<dyn Clock>, timing: Timing) -> Self {
        Self {
            client,
            clock,
            timing,
        }
    }
}

impl ChannelFactory for TelegramFactory {
    fn secret_fields(&self) -> &'static [&'static str] {
        SECRET_FIELDS
    }

    fn check(
        &self,
        config: Map<String, Value>,
        generate: &dyn Fn() -> Secret,
    ) -> Result<ChannelSettings, InvalidSettings> {
        settings::check(config, generate)
    }

    fn connect(&self, settings: &ChannelSettings) -> Result<Arc<dyn Channel>, InvalidSettings> {
        Ok(Arc::new(TelegramChannel::new(
            settings::read(settings)?,
            self.client.clone(),
            Arc::clone(&self.clock),
            self.timing,
        )))
    }
}
