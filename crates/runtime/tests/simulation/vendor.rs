//! The vendor of the channels: what people write there, what they see of us, and how it fails. What was seen is
//! the truth that the rows are compared with.

use crate::process::Process;
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    channel::{Attachment, InboundMessage, Place, Press},
    effect::EffectAction,
    secret::Secret,
};
use ports::channel::{
    Channel, ChannelAccount, ChannelError, ChannelFactory, ChannelSettings, Delivery, IngressMode,
    InvalidSettings, Polled, Received, WebhookError, WebhookHeaders,
};
use serde_json::{Map, Value};
use std::{sync::Arc, time::Duration};

/// A message of ours that people see.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The text when it was first seen.
    pub(crate) text: String,
    /// The text as it reads now.
    pub(crate) now: String,
    pub(crate) reference: String,
}

/// The vendor's own memory.
#[derive(Default)]
pub(crate) struct Vendor {
    pub(crate) seen: Vec<Seen>,
    /// What the bot that polls is to hear, for ever: a cursor is a place in it.
    pub(crate) updates: Vec<InboundMessage>,
}

impl Vendor {
    fn take(&mut self, delivery: &Delivery) -> Option<String> {
        match &delivery.action {
            EffectAction::Reply { markdown, .. }
            | EffectAction::Progress {
                markdown,
                edit: None,
            }
            | EffectAction::Question {
                markdown,
                edit: None,
                ..
            } => {
                let reference = format!("m{}", self.seen.len());
                self.seen.push(Seen {
                    text: markdown.clone(),
                    now: markdown.clone(),
                    reference: reference.clone(),
                });
                Some(reference)
            }
            EffectAction::Progress {
                markdown,
                edit: Some(edit),
            }
            | EffectAction::Question {
                markdown,
                edit: Some(edit),
                ..
            } => {
                let message = self.seen.iter_mut().find(|seen| seen.reference == *edit);
                if let Some(message) = message {
                    message.now.clone_from(markdown);
                }
                Some(edit.clone())
            }
            EffectAction::Receipt { .. } => None,
        }
    }
}

/// Connects one process to the vendor.
pub(crate) struct Factory(pub(crate) Arc<Process>);

impl ChannelFactory for Factory {
    fn secret_fields(&self) -> &'static [&'static str] {
        &[]
    }

    fn check(
        &self,
        config: Map<String, Value>,
        _generate: &dyn Fn() -> Secret,
    ) -> Result<ChannelSettings, InvalidSettings> {
        Ok(ChannelSettings {
            public: config,
            secrets: std::collections::BTreeMap::new(),
        })
    }

    fn connect(&self, settings: &ChannelSettings) -> Result<Arc<dyn Channel>, InvalidSettings> {
        Ok(Arc::new(Line {
            process: Arc::clone(&self.0),
            polls: settings.public.contains_key("polls"),
        }))
    }
}

/// One process's connection.
struct Line {
    process: Arc<Process>,
    polls: bool,
}

impl Line {
    fn fails(&self) -> bool {
        let world = &self.process.world;
        world.fails(world.rates.channel)
    }

    /// One of the ways in which a vendor does not say yes.
    async fn trouble(&self, delivery: &Delivery) -> ChannelError {
        let world = &self.process.world;
        match world.dice(|dice| dice.below(10)) {
            0..3 => ChannelError::RateLimited {
                message: "slow down".to_owned(),
                retry_after: Duration::from_secs(world.dice(|dice| dice.from(1, 30))),
            },
            3..6 => ChannelError::Unavailable("502".to_owned()),
            6 => ChannelError::Refused("the bot was blocked".to_owned()),
            7 => ChannelError::Ambiguous("the connection broke on the way there".to_owned()),
            _ => {
                let reference = world.vendor(|vendor| vendor.take(delivery));
                world.note("vendor", format!("took {reference:?} and says nothing"));
                self.process.sleep(Duration::from_secs(2)).await;
                ChannelError::Ambiguous("the connection broke on the way back".to_owned())
            }
        }
    }
}

#[async_trait]
impl Channel for Line {
    fn mode(&self) -> IngressMode {
        if self.polls {
            IngressMode::Polling
        } else {
            IngressMode::Webhook
        }
    }

    fn receive(&self, _headers: &WebhookHeaders, _body: &[u8]) -> Result<Received, WebhookError> {
        Ok(Received::default())
    }

    async fn answer(&self, _press: &Press, _text: &str) -> Result<(), ChannelError> {
        Ok(())
    }

    async fn poll(&self, cursor: Option<String>) -> Result<Polled, ChannelError> {
        let from = cursor.map_or(0, |cursor| cursor.parse().unwrap());
        for _ in 0..10 {
            self.process.pass("poll").await;
            if self.fails() && self.fails() {
                return Err(ChannelError::Unavailable("504".to_owned()));
            }
            let news = self
                .process
                .world
                .vendor(|vendor| vendor.updates.get(from..).map(<[_]>::to_vec));
            let news = news.unwrap_or_default();
            if !news.is_empty() {
                let cursor = Some((from + news.len()).to_string());
                let received = Received {
                    messages: news,
                    presses: Vec::new(),
                };
                return Ok(Polled { received, cursor });
            }
            self.process.sleep(Duration::from_secs(2)).await;
        }
        Ok(Polled {
            received: Received::default(),
            cursor: None,
        })
    }

    async fn register(&self, _url: Option<String>) -> Result<(), ChannelError> {
        self.process.pass("register").await;
        if self.fails() {
            return Err(ChannelError::Unavailable("503".to_owned()));
        }
        Ok(())
    }

    async fn test(&self) -> Result<ChannelAccount, ChannelError> {
        Ok(ChannelAccount {
            name: "@bot".to_owned(),
            warnings: Vec::new(),
        })
    }

    async fn send(&self, delivery: &Delivery) -> Result<Option<String>, ChannelError> {
        self.process.pass("send").await;
        let world = &self.process.world;
        if self.fails() {
            let error = self.trouble(delivery).await;
            world.note(&self.process.name, format!("not sent: {error}"));
            return Err(error);
        }
        let reference = world.vendor(|vendor| vendor.take(delivery));
        let kind = delivery.action.kind();
        world.note(
            "vendor",
            format!("took a {kind} as {reference:?} from {}", self.process.name),
        );
        // Killed, frozen or slow between the vendor's yes and our hearing it.
        self.process.pass("sent").await;
        Ok(reference)
    }

    async fn typing(&self, _place: &Place) -> Result<(), ChannelError> {
        self.process.pass("typing").await;
        if self.fails() {
            return Err(ChannelError::Unavailable("503".to_owned()));
        }
        Ok(())
    }

    async fn download(&self, _attachment: &Attachment, _limit: u64) -> Result<Bytes, ChannelError> {
        Err(ChannelError::Refused("there are no files here".to_owned()))
    }
}
