//! What a message looks like once the vendor's wire format is behind us.

use crate::{Timestamp, text::words};
use serde::{Deserialize, Serialize};

words!(
    /// The types of channel this server knows.
    ChannelType {
        /// A Telegram bot.
        Telegram = "telegram",
        /// The web app and the API; built in, one per tenant.
        Web = "web",
    }
);

words!(
    /// What kind of place a conversation is.
    ChatKind {
        /// One person and the integration.
        Direct = "direct",
        /// Several people.
        Group = "group",
    }
);

/// Where a conversation takes place. Never the sender alone: the same person in two threads
/// holds two conversations.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The vendor's id of the chat, channel or issue.
    pub channel: String,
    /// The vendor's id of a thread or topic inside it.
    pub thread: Option<String>,
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sender {
    /// The vendor's id of the person.
    pub external_id: String,
    /// What the vendor shows of them.
    pub display_name: String,
    /// Whether a program wrote it: a bot, ours or anybody's, or an agent.
    #[serde(default)]
    pub is_bot: bool,
}

/// A bot command such as `/stop now`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// Without the slash and without the bot's name, lower case.
    pub name: String,
    /// The rest of the message.
    pub arguments: String,
}

words!(
    /// What an attachment is.
    AttachmentKind {
        /// A picture.
        Photo = "photo",
        /// Any file.
        Document = "document",
        /// A voice note.
        Voice = "voice",
        /// Music.
        Audio = "audio",
        /// A film.
        Video = "video",
        /// A sticker.
        Sticker = "sticker",
    }
);

/// A file that came with a message: what is known of it, and how to fetch it. The bytes are
/// downloaded only when an agent asks for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// What it is.
    pub kind: AttachmentKind,
    /// The vendor's handle for downloading it.
    pub provider_ref: String,
    /// The file name, when the vendor gave one.
    pub name: Option<String>,
    /// The media type, when the vendor gave one.
    pub media_type: Option<String>,
    /// Size in bytes, when the vendor gave one.
    pub bytes: Option<u64>,
}

/// The message that this one answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quoted {
    /// The vendor's id of that message.
    pub message_id: String,
    /// Its text, as far as the vendor sent it.
    pub text: String,
    /// Whether it was our own.
    pub from_us: bool,
}

/// One message as it came in, free of vendor detail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundMessage {
    /// Unique per integration; a second delivery with the same id is the same event.
    pub event_id: String,
    /// The vendor's id of the message, for replies and reactions.
    pub message_id: Option<String>,
    /// Where it was written.
    pub place: Place,
    /// What kind of place that is.
    pub chat: ChatKind,
    /// The place's title, when it has one.
    pub title: Option<String>,
    /// Who wrote it.
    pub sender: Sender,
    /// The text or caption; empty when only files were sent.
    pub text: String,
    /// Files that came with it.
    pub attachments: Vec<Attachment>,
    /// A command at the start of the text.
    pub command: Option<Command>,
    /// Whether it calls the integration itself: a mention, a reply to it, a command for it.
    pub addressed: bool,
    /// The vendor's id of the earlier message that this one replaces.
    pub edit_of: Option<String>,
    /// The message it answers.
    pub quoted: Option<Quoted>,
    /// When the vendor says it was sent.
    pub sent_at: Timestamp,
}

/// Somebody pressed a button under a message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Press {
    /// The vendor's handle for answering it.
    pub id: String,
    /// What the button carries.
    pub data: String,
    /// Who pressed it.
    pub sender: Sender,
}

impl InboundMessage {
    /// Whether a person asks that the work in this conversation stops at once. It takes effect when it
    /// comes in, not when its turn comes.
    pub fn is_stop(&self) -> bool {
        let stop = self.command.as_ref().is_some_and(|c| c.name == "stop");
        stop && self.addressed && !self.sender.is_bot
    }
}
