//! From an update to a neutral message. Whatever is nobody's business (our own messages, channel posts,
//! service messages, chats that are not allowed) ends here; whether other bots are heard is decided by
//! who asks.

use crate::{
    settings::AllowedChats,
    wire::{CallbackQuery, Entity, File, Message, Update, User},
};
use domain::{
    Timestamp,
    channel::{
        Attachment, AttachmentKind, ChatKind, Command, InboundMessage, Place, Press, Quoted, Sender,
    },
};

/// Who we are, as far as it is known before Telegram was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) id: Option<i64>,
    /// Without `@`; absent = any bot's name is taken for ours.
    pub(crate) username: Option<String>,
}

impl Identity {
    fn is(&self, user: &User) -> bool {
        self.id == Some(user.id)
    }

    /// Whether `@name` is us. Every bot's name ends in `bot`.
    fn is_named(&self, name: &str) -> bool {
        match &self.username {
            Some(ours) => ours.eq_ignore_ascii_case(name),
            None => name.to_ascii_lowercase().ends_with("bot"),
        }
    }
}

/// The message an update carries, when it is one for us. `now` dates messages without a date.
pub(crate) fn message(
    update: Update,
    us: &Identity,
    allowed: &AllowedChats,
    now: Timestamp,
) -> Option<InboundMessage> {
    let is_edit = update.message.is_none();
    let message = update.message.or(update.edited_message)?;
    let chat = match message.chat.kind.as_str() {
        "private" => ChatKind::Direct,
        "group" | "supergroup" => ChatKind::Group,
        _ => return None,
    };
    let sender = sender(&message, us)?;
    if !allowed.allows(message.chat.id, message.chat.username.as_deref()) {
        tracing::debug!(
            chat.id = message.chat.id,
            "a message from a chat outside allowed_chat_ids is ignored"
        );
        return None;
    }
    let attachments = attachments(&message);
    let (text, entities) = match (&message.text, &message.caption) {
        (Some(text), _) => (text.as_str(), message.entities.as_slice()),
        (None, Some(caption)) => (caption.as_str(), message.caption_entities.as_slice()),
        (None, None) => ("", [].as_slice()),
    };
    if text.is_empty() && attachments.is_empty() {
        return None;
    }
    let command = command(text, entities, us);
    let quoted = quoted(&message, us);
    let addressed = chat == ChatKind::Direct
        || command.is_some()
        || is_mentioned(text, entities, us)
        || quoted.as_ref().is_some_and(|quoted| quoted.from_us);
    let message_id = message.message_id.to_string();
    let seconds = message.edit_date.or(message.date);
    Some(InboundMessage {
        event_id: format!("update:{}", update.update_id),
        place: Place {
            channel: message.chat.id.to_string(),
            thread: topic(&message).map(|thread| thread.to_string()),
        },
        chat,
        sender,
        text: text.to_owned(),
        attachments,
        command,
        addressed,
        edit_of: is_edit.then(|| message_id.clone()),
        message_id: Some(message_id),
        quoted,
        sent_at: seconds
            .and_then(|seconds| Timestamp::from_timestamp(seconds, 0))
            .unwrap_or(now),
        title: message.chat.title,
    })
}

/// The button an update tells of, when it is one of ours in a chat that is allowed.
pub(crate) fn press(query: CallbackQuery, allowed: &AllowedChats) -> Option<Press> {
    let chat = query.message?.chat;
    if !allowed.allows(chat.id, chat.username.as_deref()) {
        tracing::debug!(
            chat.id = chat.id,
            "a button in a chat outside allowed_chat_ids is ignored"
        );
        return None;
    }
    Some(Press {
        id: query.id,
        data: query.data?,
        sender: person(&query.from),
    })
}

/// The writer; absent when it is us, or a channel whose posts are forwarded here.
fn sender(message: &Message, us: &Identity) -> Option<Sender> {
    let is_ours = message.from.as_ref().is_some_and(|user| us.is(user));
    if is_ours || message.is_automatic_forward {
        return None;
    }
    // Somebody who writes in the name of a group or channel; `from` is then a bot of Telegram's.
    if let Some(chat) = &message.sender_chat {
        let id = chat.id.to_string();
        let name = chat.title.clone().or_else(|| chat.username.clone());
        return Some(Sender {
            display_name: name.unwrap_or_else(|| id.clone()),
            external_id: id,
            is_bot: false,
        });
    }
    message.from.as_ref().map(person)
}

fn person(user: &User) -> Sender {
    let names = [Some(user.first_name.as_str()), user.last_name.as_deref()];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let name = match (name.trim(), &user.username) {
        ("", Some(username)) => format!("@{username}"),
        ("", None) => user.id.to_string(),
        (name, _) => name.to_owned(),
    };
    Sender {
        external_id: user.id.to_string(),
        display_name: name,
        is_bot: user.is_bot,
    }
}

/// The topic. Threads outside forums are mere reply chains and no place of their own.
fn topic(message: &Message) -> Option<i64> {
    message
        .message_thread_id
        .filter(|_| message.is_topic_message)
}

fn quoted(message: &Message, us: &Identity) -> Option<Quoted> {
    let answered = message.reply_to_message.as_deref()?;
    // Inside a topic everything formally answers the message that opened it.
    if topic(message) == Some(answered.message_id) {
        return None;
    }
    let picked = message.quote.as_ref().map(|quote| quote.text.as_str());
    let text = picked
        .or(answered.text.as_deref())
        .or(answered.caption.as_deref());
    Some(Quoted {
        message_id: answered.message_id.to_string(),
        text: text.unwrap_or_default().to_owned(),
        from_us: answered.from.as_ref().is_some_and(|user| us.is(user)),
    })
}

/// A command at the start of the text, unless it names another bot. Bot API servers that send no
/// entities are met by reading the text itself.
fn command(text: &str, entities: &[Entity], us: &Identity) -> Option<Command> {
    let marked = entities
        .iter()
        .find(|entity| entity.kind == "bot_command" && entity.offset == 0);
    let (head, arguments) = match marked {
        Some(entity) => split_utf16(text, entity.length)?,
        None if entities.is_empty() => text
            .find(char::is_whitespace)
            .map_or((text, ""), |at| text.split_at(at)),
        None => return None,
    };
    let (name, bot) = match head.strip_prefix('/')?.split_once('@') {
        Some((name, bot)) => (name, Some(bot)),
        None => (head.strip_prefix('/')?, None),
    };
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_ours = bot.is_none_or(|bot| us.is_named(bot));
    (is_name && is_ours).then(|| Command {
        name: name.to_ascii_lowercase(),
        arguments: arguments.trim().to_owned(),
    })
}

fn is_mentioned(text: &str, entities: &[Entity], us: &Identity) -> bool {
    if entities.is_empty() {
        let mut words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '@'));
        return words.any(|word| word.strip_prefix('@').is_some_and(|name| us.is_named(name)));
    }
    entities.iter().any(|entity| match entity.kind.as_str() {
        "mention" => split_utf16(text, entity.offset)
            .and_then(|(_, rest)| split_utf16(rest, entity.length))
            .and_then(|(mention, _)| mention.strip_prefix('@'))
            .is_some_and(|name| us.is_named(name)),
        "text_mention" => entity.user.as_ref().is_some_and(|user| us.is(user)),
        _ => false,
    })
}

/// Splits after so many UTF-16 units; nothing when that is past the end or inside a character.
fn split_utf16(text: &str, units: usize) -> Option<(&str, &str)> {
    let mut seen = 0;
    for (at, character) in text.char_indices() {
        if seen >= units {
            return (seen == units).then(|| text.split_at(at));
        }
        seen += character.len_utf16();
    }
    (seen == units).then_some((text, ""))
}

fn attachments(message: &Message) -> Vec<Attachment> {
    let largest = message
        .photo
        .iter()
        .max_by_key(|size| (size.width.saturating_mul(size.height), size.file_size));
    let files = [
        (AttachmentKind::Photo, largest, Some("image/jpeg")),
        (AttachmentKind::Document, message.document.as_ref(), None),
        (AttachmentKind::Voice, message.voice.as_ref(), None),
        (AttachmentKind::Audio, message.audio.as_ref(), None),
        (AttachmentKind::Video, message.video.as_ref(), None),
        (
            AttachmentKind::Video,
            message.video_note.as_ref(),
            Some("video/mp4"),
        ),
        (AttachmentKind::Sticker, message.sticker.as_ref(), None),
    ];
    let present = files
        .into_iter()
        .filter_map(|(kind, file, media_type)| Some((kind, file?, media_type)));
    present
        .map(|(kind, file, media_type)| attachment(kind, file, media_type))
        .collect()
}

fn attachment(kind: AttachmentKind, file: &File, media_type: Option<&str>) -> Attachment {
    Attachment {
        kind,
        provider_ref: file.file_id.clone(),
        name: file.file_name.clone(),
        media_type: file
            .mime_type
            .clone()
            .or_else(|| media_type.map(str::to_owned)),
        bytes: file.file_size,
    }
}

#[cfg(test)]
#[path = "inbound_tests.rs"]
mod tests;
