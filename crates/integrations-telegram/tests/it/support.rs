//! A channel that talks to the stand-in of Telegram.

use domain::{channel::Place, effect::EffectAction, secret::Secret};
use integrations_telegram::{TelegramFactory, Timing};
use ports::{
    channel::{Channel, ChannelFactory as _, Delivery},
    clock::Clock,
};
use serde_json::{Value, json};
use simulators::telegram::TelegramSimulator;
use std::{sync::Arc, time::Duration};

pub(super) const WEBHOOK_SECRET: &str = "canary-webhook-secret";

/// A channel with these settings besides token and secret.
pub(super) fn connect(clock: Arc<dyn Clock>, config: &Value) -> Arc<dyn Channel> {
    let timing = Timing {
        poll: Duration::from_secs(5),
        request: Duration::from_secs(5),
        ..Timing::default()
    };
    let factory = TelegramFactory::new(client(), clock, timing);
    let mut all = json!({"bot_token": TelegramSimulator::TOKEN, "webhook_secret": WEBHOOK_SECRET});
    let fields = all.as_object_mut().expect("an object");
    fields.extend(config.as_object().expect("an object").clone());
    let settings = factory.check(fields.clone(), &|| Secret::new("unused"));
    let channel = factory.connect(&settings.expect("good settings"));
    channel.expect("a channel")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test is the root that makes the shared client"
)]
fn client() -> reqwest::Client {
    // A second test in this process finds it installed already.
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().build().expect("a client")
}

pub(super) fn reply(place: &Place, markdown: &str, reply_to: Option<i64>) -> Delivery {
    Delivery {
        place: place.clone(),
        action: EffectAction::Reply {
            markdown: markdown.to_owned(),
            reply_to: reply_to.map(|id| id.to_string()),
        },
    }
}
