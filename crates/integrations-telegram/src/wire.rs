//! The parts of the Bot API's JSON that matter here. Everything optional is lenient: Telegram adds
//! fields and kinds at any time, and a detail of an unknown shape must not cost the message.
#![expect(
    clippy::struct_field_names,
    reason = "the fields have the Bot API's own names"
)]

use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::Value;

#[derive(Deserialize)]
pub(crate) struct Update {
    pub(crate) update_id: i64,
    pub(crate) message: Option<Message>,
    pub(crate) edited_message: Option<Message>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) callback_query: Option<CallbackQuery>,
}

/// Somebody pressed a button under a message of the bot.
#[derive(Deserialize)]
pub(crate) struct CallbackQuery {
    pub(crate) id: String,
    pub(crate) from: User,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) message: Option<Message>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) data: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Message {
    pub(crate) message_id: i64,
    pub(crate) chat: Chat,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) from: Option<User>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) sender_chat: Option<Chat>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_automatic_forward: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) message_thread_id: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_topic_message: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) date: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) edit_date: Option<i64>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) text: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) entities: Vec<Entity>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) caption: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) caption_entities: Vec<Entity>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) reply_to_message: Option<Box<Message>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) quote: Option<Quote>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) photo: Vec<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) document: Option<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) voice: Option<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) audio: Option<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) video: Option<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) video_note: Option<File>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) sticker: Option<File>,
}

#[derive(Deserialize)]
pub(crate) struct Chat {
    pub(crate) id: i64,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) title: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) username: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct User {
    pub(crate) id: i64,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) is_bot: bool,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) first_name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) username: Option<String>,
    /// Only in the answer of getMe: false = privacy mode is on.
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) can_read_all_group_messages: Option<bool>,
}

/// A marked stretch of text; offset and length in UTF-16 units.
#[derive(Deserialize)]
pub(crate) struct Entity {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) offset: usize,
    pub(crate) length: usize,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) user: Option<User>,
}

/// The stretch of the answered message that the person picked.
#[derive(Deserialize)]
pub(crate) struct Quote {
    pub(crate) text: String,
}

/// Any kind of file; each kind has some of these fields.
#[derive(Deserialize)]
pub(crate) struct File {
    pub(crate) file_id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) width: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) height: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) file_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) mime_type: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) file_size: Option<u64>,
}

#[derive(Deserialize)]
pub(crate) struct WebhookInfo {
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) url: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) pending_update_count: u64,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) last_error_message: Option<String>,
}

/// The answer of sendMessage.
#[derive(Deserialize)]
pub(crate) struct SentMessage {
    pub(crate) message_id: i64,
}

/// The answer of getFile.
#[derive(Deserialize)]
pub(crate) struct FilePath {
    pub(crate) file_path: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(crate) file_size: Option<u64>,
}

/// The value, or the default when it has a shape we do not know.
fn lenient<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned + Default,
{
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
