//! One bot as a channel.

use crate::{
    client::{BotApi, FetchError},
    error::ApiError,
    inbound::{self, Identity},
    sender::Sender,
    settings::{AllowedChats, BotSettings, Timing},
    wire::{FilePath, Update, User, WebhookInfo},
};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    channel::{Attachment, Place, Press},
    effect::EffectAction,
    secret::Secret,
};
use ports::{
    channel::{
        Channel, ChannelAccount, ChannelError, Delivery, IngressMode, Polled, Received,
        WebhookError, WebhookHeaders,
    },
    clock::Clock,
};
use serde_json::{Value, json};
use std::sync::{
    Arc, Mutex, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

const SECRET_HEADER: &str = "x-telegram-bot-api-secret-token";
/// The most characters that Telegram shows of an answer to a button.
const LONGEST_ANSWER: usize = 200;
/// What we ask for; everything else Telegram keeps to itself.
const ALLOWED_UPDATES: [&str; 3] = ["message", "edited_message", "callback_query"];

pub(crate) struct TelegramChannel {
    api: Arc<BotApi>,
    sender: Sender,
    clock: Arc<dyn Clock>,
    timing: Timing,
    mode: IngressMode,
    webhook_secret: Secret,
    allowed: AllowedChats,
    allow_bots: bool,
    /// What the token alone tells of us.
    from_token: Identity,
    /// What Telegram told of us.
    known: OnceLock<Identity>,
    /// The URL we registered, to compare with what Telegram calls.
    registered: Mutex<Option<String>>,
    /// Whether this channel has removed a webhook that stood in the way of polling. Once only: a
    /// second one means that somebody else keeps setting it.
    webhook_removed: AtomicBool,
}

impl TelegramChannel {
    pub(crate) fn new(
        settings: BotSettings,
        client: reqwest::Client,
        clock: Arc<dyn Clock>,
        timing: Timing,
    ) -> Self {
        // A token is the bot's id, a colon, and the secret part.
        let id = settings.token.expose().split(':').next();
        let from_token = Identity {
            id: id.and_then(|id| id.parse().ok()),
            username: None,
        };
        let (base, secret) = (settings.base_url, settings.webhook_secret);
        let api = Arc::new(BotApi::new(client, base, settings.token, &secret));
        Self {
            sender: Sender::new(Arc::clone(&api), Arc::clone(&clock), timing),
            api,
            clock,
            timing,
            mode: settings.mode,
            webhook_secret: secret,
            allowed: settings.allowed,
            allow_bots: settings.allow_bots,
            from_token,
            known: OnceLock::new(),
            registered: Mutex::new(None),
            webhook_removed: AtomicBool::new(false),
        }
    }

    async fn call<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> Result<T, ApiError> {
        self.api.call(method, &params, self.timing.request).await
    }

    async fn get_me(&self) -> Result<User, ApiError> {
        let me: User = self.call("getMe", json!({})).await?;
        let identity = Identity {
            id: Some(me.id),
            username: me.username.clone(),
        };
        self.known.get_or_init(|| identity);
        Ok(me)
    }

    /// Learns who we are, once. Failing that, the token's prefix has to do until the next time.
    async fn learn_identity(&self) {
        if self.known.get().is_none()
            && let Err(error) = self.get_me().await
        {
            tracing::debug!(%error, "telegram did not say who the bot is");
        }
    }

    fn identity(&self) -> &Identity {
        self.known.get().unwrap_or(&self.from_token)
    }

    /// What an update tells, if it is for us. A malformed update is logged and dropped: refusing it would only
    /// make Telegram send it again.
    fn read(&self, update: Value, received: &mut Received) {
        let mut update = match serde_json::from_value::<Update>(update) {
            Ok(update) => update,
            Err(error) => {
                tracing::warn!(%error, "an update of telegram cannot be read and is skipped");
                return;
            }
        };
        if let Some(query) = update.callback_query.take() {
            received
                .presses
                .extend(inbound::press(query, &self.allowed));
            return;
        }
        let now = self.clock.now();
        let message = inbound::message(update, self.identity(), &self.allowed, now);
        // A bot we cannot tell from ourselves might be us.
        let heard = self.allow_bots && self.identity().id.is_some();
        let message = message.filter(|message| heard || !message.sender.is_bot);
        received.messages.extend(message);
    }

    async fn get_updates(&self, offset: Option<i64>) -> Result<Vec<Value>, ApiError> {
        let params = json!({
            "offset": offset.unwrap_or(0),
            "timeout": self.timing.poll.as_secs(),
            "allowed_updates": ALLOWED_UPDATES,
        });
        let patience = self.timing.poll + self.timing.request;
        self.api.call("getUpdates", &params, patience).await
    }

    /// Stops webhook calls. A server that does not know webhooks at all has none.
    async fn remove_webhook(&self) -> Result<(), ApiError> {
        let info: Result<WebhookInfo, _> = self.call("getWebhookInfo", json!({})).await;
        match info {
            Ok(info) if info.url.is_empty() => Ok(()),
            Err(error) if error.says(404, "") => Ok(()),
            Err(error) => Err(error),
            Ok(_set) => {
                let params = json!({"drop_pending_updates": false});
                self.call::<Value>("deleteWebhook", params).await?;
                Ok(())
            }
        }
    }

    fn webhook_warnings(&self, info: &WebhookInfo) -> Vec<String> {
        let registered = self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut warnings = Vec::new();
        match (self.mode, registered) {
            (IngressMode::Polling, None) if !info.url.is_empty() => warnings.push(format!(
                "a webhook to {} is registered; polling will remove it. If another server is meant to receive this bot's messages, give this integration a bot of its own",
                info.url
            )),
            (IngressMode::Webhook, None) if info.url.is_empty() => warnings.push(
                "no webhook is registered: without APP_BASE_URL this integration polls".to_owned(),
            ),
            (_, Some(ours)) if ours != info.url => warnings.push(format!(
                "Telegram calls {} instead of {ours}: somebody else registered a webhook for this bot; stop them and save this integration again",
                if info.url.is_empty() { "nobody" } else { &info.url }
            )),
            _ => {}
        }
        if let Some(error) = info
            .last_error_message
            .as_ref()
            .filter(|_| !info.url.is_empty())
        {
            warnings.push(format!(
                "Telegram could not deliver to the webhook lately ({error}); {} messages wait. Check that APP_BASE_URL can be reached from the internet over https",
                info.pending_update_count
            ));
        }
        warnings
    }
}

#[async_trait]
impl Channel for TelegramChannel {
    fn mode(&self) -> IngressMode {
        self.mode
    }

    fn receive(&self, headers: &WebhookHeaders, body: &[u8]) -> Result<Received, WebhookError> {
        let given = headers.get(SECRET_HEADER).map(String::as_bytes);
        let expected = self.webhook_secret.expose().as_bytes();
        if !given.is_some_and(|given| crypto::constant_time_eq(given, expected)) {
            return Err(WebhookError::Unauthenticated);
        }
        let update = serde_json::from_slice(body)
            .map_err(|error| WebhookError::Malformed(format!("not JSON: {error}")))?;
        let mut received = Received::default();
        self.read(update, &mut received);
        Ok(received)
    }

    async fn poll(&self, cursor: Option<String>) -> Result<Polled, ChannelError> {
        self.learn_identity().await;
        let offset = cursor.as_ref().and_then(|cursor| cursor.parse().ok());
        let updates = match self.get_updates(offset).await {
            Err(error)
                if error.says(409, "webhook")
                    && !self.webhook_removed.swap(true, Ordering::Relaxed) =>
            {
                self.remove_webhook().await?;
                self.get_updates(offset).await?
            }
            other => other?,
        };
        let ids = updates.iter().filter_map(|u| u.get("update_id")?.as_i64());
        let cursor = ids.max().map(|last| (last + 1).to_string()).or(cursor);
        let mut received = Received::default();
        for update in updates {
            self.read(update, &mut received);
        }
        Ok(Polled { received, cursor })
    }

    async fn register(&self, url: Option<String>) -> Result<(), ChannelError> {
        match &url {
            Some(url) => {
                let params = json!({
                    "url": url,
                    "secret_token": self.webhook_secret.expose(),
                    "allowed_updates": ALLOWED_UPDATES,
                    "drop_pending_updates": false,
                });
                self.call::<Value>("setWebhook", params).await?;
                self.learn_identity().await;
            }
            None => self.remove_webhook().await?,
        }
        *self
            .registered
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = url;
        Ok(())
    }

    async fn test(&self) -> Result<ChannelAccount, ChannelError> {
        let me = self.get_me().await?;
        let mut warnings = Vec::new();
        if me.can_read_all_group_messages == Some(false) {
            warnings.push(
                "privacy mode is on: in groups the bot sees only commands, mentions and replies to it. To let it read along, send /setprivacy to @BotFather, choose Disable, and add the bot to the group again"
                    .to_owned(),
            );
        }
        if self.allowed == AllowedChats::Only(Vec::new()) {
            warnings.push(
                "allowed_chat_ids is an empty list, so every message is ignored; null allows all chats"
                    .to_owned(),
            );
        }
        match self.call::<WebhookInfo>("getWebhookInfo", json!({})).await {
            Ok(info) => warnings.extend(self.webhook_warnings(&info)),
            // Some Bot API servers have no webhooks.
            Err(error) => tracing::debug!(%error, "telegram did not describe the webhook"),
        }
        let name = me.username.map(|username| format!("@{username}"));
        Ok(ChannelAccount {
            name: name.unwrap_or(me.first_name),
            warnings,
        })
    }

    async fn send(&self, delivery: &Delivery) -> Result<Option<String>, ChannelError> {
        let place = &delivery.place;
        match &delivery.action {
            EffectAction::Reply { markdown, reply_to } => {
                let sent = self.sender.reply(place, markdown, reply_to.as_deref());
                sent.await.map(Some)
            }
            EffectAction::Receipt { message_id } => {
                self.sender.receipt(place, message_id).await?;
                Ok(None)
            }
            EffectAction::Progress {
                markdown,
                edit: None,
            } => self.sender.progress(place, markdown).await.map(Some),
            EffectAction::Progress {
                markdown,
                edit: Some(message_id),
            } => {
                self.sender.edit(place, message_id, markdown).await?;
                Ok(Some(message_id.clone()))
            }
            EffectAction::Question {
                markdown,
                choices,
                edit: None,
            } => self
                .sender
                .question(place, markdown, choices)
                .await
                .map(Some),
            EffectAction::Question {
                markdown,
                choices: _,
                edit: Some(message_id),
            } => {
                // Telegram takes the buttons away with every edit that names none.
                self.sender.edit(place, message_id, markdown).await?;
                Ok(Some(message_id.clone()))
            }
        }
    }

    async fn answer(&self, press: &Press, text: &str) -> Result<(), ChannelError> {
        let text: String = text.chars().take(LONGEST_ANSWER).collect();
        let params = json!({"callback_query_id": press.id, "text": text});
        self.call::<Value>("answerCallbackQuery", params).await?;
        Ok(())
    }

    async fn typing(&self, place: &Place) -> Result<(), ChannelError> {
        self.sender.typing(place).await
    }

    async fn download(&self, attachment: &Attachment, limit: u64) -> Result<Bytes, ChannelError> {
        let too_large = || {
            ChannelError::Refused(format!(
                "the file is larger than {limit} bytes; send a smaller one"
            ))
        };
        let params = json!({"file_id": attachment.provider_ref});
        let file: FilePath = self.call("getFile", params).await?;
        if file.file_size.is_some_and(|bytes| bytes > limit) {
            return Err(too_large());
        }
        let path = file.file_path.ok_or_else(|| {
            ChannelError::Refused("Telegram no longer has the file; send it again".to_owned())
        })?;
        let fetched = self.api.fetch(&path, limit, self.timing.download).await;
        fetched.map_err(|error| match error {
            FetchError::Api(error) => error.into(),
            FetchError::TooLarge => too_large(),
        })
    }
}
