//! Sends messages: a long text in parts, a refused markup as plain text, a moved chat to its new
//! id. Whatever was sent stays sent: when a later part fails, the error says what already stands.

use crate::{
    client::BotApi,
    error::ApiError,
    markdown,
    settings::Timing,
    split::{self, LIMIT, Part},
    wire::SentMessage,
};
use domain::{channel::Place, effect::Choice};
use ports::{channel::ChannelError, clock::Clock};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// The mark that says: we have it. One of the emoji every chat allows by default.
const RECEIPT: &str = "👀";
/// The pause before a later part is tried again when the server did not name one.
const PAUSE: Duration = Duration::from_secs(2);
/// Shows that a progress text was cut.
const CUT: &str = "…";

pub(crate) struct Sender {
    api: Arc<BotApi>,
    clock: Arc<dyn Clock>,
    timing: Timing,
}

/// A place in Telegram's terms.
struct Destination {
    chat: Value,
    topic: Option<i64>,
}

impl Destination {
    fn of(place: &Place) -> Self {
        let chat = place.channel.parse::<i64>();
        Self {
            chat: chat.map_or_else(|_a_name| json!(place.channel), |id| json!(id)),
            topic: place.thread.as_ref().and_then(|topic| topic.parse().ok()),
        }
    }
}

impl Sender {
    pub(crate) fn new(api: Arc<BotApi>, clock: Arc<dyn Clock>, timing: Timing) -> Self {
        Self { api, clock, timing }
    }

    /// Sends a text in as many messages as it takes; the ids joined by commas.
    pub(crate) async fn reply(
        &self,
        place: &Place,
        markdown: &str,
        reply_to: Option<&str>,
    ) -> Result<String, ChannelError> {
        let parts = split::split(&markdown::render(markdown), LIMIT);
        let mut to = Destination::of(place);
        let mut sent: Vec<String> = Vec::new();
        let mut patience = self.timing.patience;
        for part in &parts {
            let answers = reply_to.filter(|_| sent.is_empty());
            loop {
                let error = match self.post(&mut to, part, message(answers, false)).await {
                    Ok(id) => {
                        sent.push(id);
                        break;
                    }
                    Err(error) if sent.is_empty() => return Err(error.into()),
                    Err(error) => error,
                };
                let pause = safe_pause(&error).filter(|pause| *pause <= patience);
                let Some(pause) = pause else {
                    return Err(partly_sent(&sent, parts.len(), error));
                };
                patience -= pause;
                self.clock.sleep(pause).await;
            }
        }
        Ok(sent.join(","))
    }

    /// The first progress message: silent, one message, cut when it is too long.
    pub(crate) async fn progress(
        &self,
        place: &Place,
        markdown: &str,
    ) -> Result<String, ChannelError> {
        let mut to = Destination::of(place);
        let id = self
            .post(&mut to, &only_part(markdown), message(None, true))
            .await?;
        Ok(id)
    }

    /// A question with its buttons: one message, cut when it is too long.
    pub(crate) async fn question(
        &self,
        place: &Place,
        markdown: &str,
        choices: &[Choice],
    ) -> Result<String, ChannelError> {
        let buttons: Vec<Value> = choices
            .iter()
            .map(|choice| json!({"text": choice.label, "callback_data": choice.data}))
            .collect();
        let keyboard = json!({"reply_markup": {"inline_keyboard": [buttons]}});
        let mut to = Destination::of(place);
        let fields = with(&message(None, false), &keyboard);
        let id = self.post(&mut to, &only_part(markdown), fields).await?;
        Ok(id)
    }

    /// Replaces the text of a message, and takes its buttons away.
    pub(crate) async fn edit(
        &self,
        place: &Place,
        message_id: &str,
        markdown: &str,
    ) -> Result<(), ChannelError> {
        let mut to = Destination::of(place);
        // A topic is where a message is sent, not where it is edited.
        to.topic = None;
        let fields = json!({
            "message_id": message_id.parse::<i64>().ok(),
            "link_preview_options": {"is_disabled": true},
        });
        let part = only_part(markdown);
        match self
            .formatted::<Value>("editMessageText", &mut to, &part, fields)
            .await
        {
            Ok(_message) => Ok(()),
            Err(error) if error.says(400, "message is not modified") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Marks a person's message. A chat without reactions, or a deleted message, is no failure.
    pub(crate) async fn receipt(
        &self,
        place: &Place,
        message_id: &str,
    ) -> Result<(), ChannelError> {
        let mut to = Destination::of(place);
        to.topic = None;
        let fields = json!({
            "message_id": message_id.parse::<i64>().ok(),
            "reaction": [{"type": "emoji", "emoji": RECEIPT}],
        });
        let done = self
            .call::<Value>("setMessageReaction", &mut to, fields)
            .await;
        match done {
            Ok(_true) => Ok(()),
            Err(error) if error.says(400, "") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Shows "typing…" for about five seconds.
    pub(crate) async fn typing(&self, place: &Place) -> Result<(), ChannelError> {
        let mut to = Destination::of(place);
        self.call::<Value>("sendChatAction", &mut to, json!({"action": "typing"}))
            .await?;
        Ok(())
    }

    async fn post(
        &self,
        to: &mut Destination,
        part: &Part,
        fields: Value,
    ) -> Result<String, ApiError> {
        let sent: SentMessage = self.formatted("sendMessage", to, part, fields).await?;
        Ok(sent.message_id.to_string())
    }

    /// Calls with the text as HTML, and as plain text when Telegram does not take the HTML.
    async fn formatted<T: DeserializeOwned>(
        &self,
        method: &str,
        to: &mut Destination,
        part: &Part,
        fields: Value,
    ) -> Result<T, ApiError> {
        let html = with(&fields, &json!({"text": part.html, "parse_mode": "HTML"}));
        match self.call(method, to, html).await {
            Err(error) if error.says(400, "can't parse entities") => {
                tracing::warn!(
                    telegram.method = method,
                    error = %error,
                    "telegram did not take the markup of a message; it is sent as plain text"
                );
                let plain = with(&fields, &json!({"text": part.text}));
                self.call(method, to, plain).await
            }
            other => other,
        }
    }

    /// Calls for a destination; follows a group that became a supergroup, once.
    async fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        to: &mut Destination,
        fields: Value,
    ) -> Result<T, ApiError> {
        let call = async |to: &Destination| {
            let mut target = json!({"chat_id": to.chat});
            if let (Some(topic), Some(target)) = (to.topic, target.as_object_mut()) {
                target.insert("message_thread_id".to_owned(), json!(topic));
            }
            let params = with(&fields, &target);
            self.api.call(method, &params, self.timing.request).await
        };
        match call(to).await {
            Err(ApiError::Declined {
                migrate_to: Some(new),
                ..
            }) => {
                to.chat = json!(new);
                call(to).await
            }
            other => other,
        }
    }
}

/// The fields of a new message besides its text.
fn message(reply_to: Option<&str>, silent: bool) -> Value {
    let mut fields = json!({
        "link_preview_options": {"is_disabled": true},
        "disable_notification": silent,
    });
    let answered = reply_to.and_then(|id| id.parse::<i64>().ok());
    if let (Some(id), Some(fields)) = (answered, fields.as_object_mut()) {
        let reply = json!({"message_id": id, "allow_sending_without_reply": true});
        fields.insert("reply_parameters".to_owned(), reply);
    }
    fields
}

/// The fields of both objects.
fn with(fields: &Value, more: &Value) -> Value {
    let both = [fields, more].into_iter().filter_map(Value::as_object);
    let pairs = both
        .flatten()
        .map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(pairs.collect())
}

fn only_part(markdown: &str) -> Part {
    let mut parts = split::split(&markdown::render(markdown), LIMIT - CUT.len()).into_iter();
    let mut first = parts.next().unwrap_or(Part {
        html: CUT.to_owned(),
        text: CUT.to_owned(),
    });
    if parts.next().is_some() {
        first.html.push_str(CUT);
        first.text.push_str(CUT);
    }
    first
}

/// How long to wait before trying again, when it is certain that nothing was done.
fn safe_pause(error: &ApiError) -> Option<Duration> {
    match ChannelError::from(error.clone()) {
        ChannelError::RateLimited { retry_after, .. } => Some(retry_after),
        ChannelError::Unavailable(_) => Some(PAUSE),
        ChannelError::Ambiguous(_) | ChannelError::Refused(_) | ChannelError::Taken(_) => None,
    }
}

/// The failure of a later part. Only a refusal is final; anything else must not lead to the whole
/// being sent again.
fn partly_sent(sent: &[String], parts: usize, error: ApiError) -> ChannelError {
    let standing = format!(
        "{} of {parts} parts were sent (messages {}), then",
        sent.len(),
        sent.join(", ")
    );
    match ChannelError::from(error) {
        ChannelError::Refused(why) => ChannelError::Refused(format!("{standing}: {why}")),
        other => ChannelError::Ambiguous(format!("{standing}: {other}")),
    }
}
