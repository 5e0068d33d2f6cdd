//! Turns what people write into updates, with the entities and files Telegram adds.

use super::{
    TelegramSimulator,
    people::{Chat, Media, Person, Post},
    state::{Access, State, StoredFile, unix_time},
};
use bytes::Bytes;
use serde_json::{Map, Value, json};

pub(super) fn post(state: &mut State, post: Post) -> i64 {
    let id = state.next_message_id();
    let chat = post.chat.id;
    state.chats.entry(chat).or_insert(Access::Open);
    let mut message = Map::new();
    message.insert("message_id".to_owned(), json!(id));
    message.insert("date".to_owned(), json!(unix_time()));
    message.insert("chat".to_owned(), post.chat.json());
    message.insert("from".to_owned(), post.person.json());
    if let Some(topic) = post.topic {
        message.insert("message_thread_id".to_owned(), json!(topic));
        message.insert("is_topic_message".to_owned(), json!(true));
    }
    if let Some(answered) = post.reply_to.and_then(|to| quoted(state, chat, to)) {
        message.insert("reply_to_message".to_owned(), answered);
    }
    let has_media = post.media.is_some();
    if let Some(media) = post.media {
        attach(state, &mut message, media);
    }
    if let Some(text) = &post.text {
        write(&mut message, text, has_media);
    }
    state.human.insert((chat, id), message.clone());
    state.push(json!({"message": message}));
    id
}

pub(super) fn edit(state: &mut State, chat: i64, message_id: i64, text: &str) {
    let Some(message) = state.human.get_mut(&(chat, message_id)) else {
        return;
    };
    let is_caption = !message.contains_key("text");
    write(message, text, is_caption);
    message.insert("edit_date".to_owned(), json!(unix_time()));
    let update = json!({"edited_message": message});
    state.push(update);
}

/// A person presses a button under a message of the bot; `None` when there is no such button.
pub(super) fn press(
    state: &mut State,
    message_id: i64,
    chat: &Chat,
    by: &Person,
    label: &str,
) -> Option<String> {
    let message = state.sent.get(&(chat.id, message_id))?;
    let button = message.buttons.iter().find(|button| button.text == label)?;
    let id = format!("press-{}", state.presses.len());
    let update = json!({"callback_query": {
        "id": id,
        "from": by.json(),
        "chat_instance": chat.id.to_string(),
        "message": {
            "message_id": message_id,
            "date": unix_time(),
            "chat": chat.json(),
            "from": bot(),
            "text": message.text,
        },
        "data": button.data,
    }});
    state.presses.insert(id.clone(), None);
    state.push(update);
    Some(id)
}

/// The message that is answered, a person's or the bot's own.
fn quoted(state: &State, chat: i64, message_id: i64) -> Option<Value> {
    if let Some(message) = state.human.get(&(chat, message_id)) {
        return Some(json!(message));
    }
    let own = state.sent.get(&(chat, message_id))?;
    Some(json!({
        "message_id": message_id,
        "date": unix_time(),
        "chat": {"id": chat},
        "from": bot(),
        "text": own.text,
    }))
}

/// The bot as a user.
pub(super) fn bot() -> Value {
    json!({
        "id": TelegramSimulator::BOT_ID,
        "is_bot": true,
        "first_name": "Nitejar",
        "username": TelegramSimulator::BOT_USERNAME,
    })
}

fn write(message: &mut Map<String, Value>, text: &str, is_caption: bool) {
    let (field, marks) = if is_caption {
        ("caption", "caption_entities")
    } else {
        ("text", "entities")
    };
    message.insert(field.to_owned(), json!(text));
    message.remove(marks);
    let entities = entities(text);
    if !entities.is_empty() {
        message.insert(marks.to_owned(), json!(entities));
    }
}

fn attach(state: &mut State, message: &mut Map<String, Value>, media: Media) {
    match media {
        Media::Photo(bytes) => {
            let small = store(state, "photos", "jpg", Bytes::new());
            let size = bytes.len();
            let large = store(state, "photos", "jpg", bytes);
            let sizes = json!([
                {"file_id": small, "file_unique_id": small, "width": 90, "height": 90, "file_size": 0},
                {"file_id": large, "file_unique_id": large, "width": 800, "height": 800, "file_size": size},
            ]);
            message.insert("photo".to_owned(), sizes);
        }
        Media::Document {
            name,
            media_type,
            bytes,
        } => {
            let size = bytes.len();
            let id = store(state, "documents", "bin", bytes);
            let document = json!({"file_id": id, "file_unique_id": id, "file_name": name, "mime_type": media_type, "file_size": size});
            message.insert("document".to_owned(), document);
        }
        Media::Voice(bytes) => {
            let size = bytes.len();
            let id = store(state, "voice", "oga", bytes);
            let voice = json!({"file_id": id, "file_unique_id": id, "duration": 1, "mime_type": "audio/ogg", "file_size": size});
            message.insert("voice".to_owned(), voice);
        }
    }
}

fn store(state: &mut State, folder: &str, extension: &str, bytes: Bytes) -> String {
    let number = state.files.len();
    let id = format!("file-{number}");
    let path = format!("{folder}/file_{number}.{extension}");
    state.files.insert(id.clone(), StoredFile { path, bytes });
    id
}

/// Commands and mentions, with offsets in UTF-16 units.
fn entities(text: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut before = None;
    for (at, character) in text.char_indices() {
        let starts = before.is_none_or(|b: char| !b.is_alphanumeric() && b != '/' && b != '_');
        let kind = match character {
            '/' if starts => Some("bot_command"),
            '@' if starts => Some("mention"),
            _ => None,
        };
        let (head, tail) = text.split_at(at);
        if let Some(kind) = kind {
            let length = 1 + name_length(tail.get(1..).unwrap_or_default(), kind == "bot_command");
            if length > 1 {
                let offset = head.encode_utf16().count();
                found.push(json!({"type": kind, "offset": offset, "length": length}));
            }
        }
        before = Some(character);
    }
    found
}

/// How many (ASCII) characters belong to the name; a command may carry `@name` behind it.
fn name_length(text: &str, is_command: bool) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let rest = text.get(length..).unwrap_or_default();
    match rest.strip_prefix('@') {
        Some(bot) if is_command && length > 0 => {
            length + 1 + bot.find(|c| !is_part(c)).unwrap_or(bot.len())
        }
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_count_in_utf16_and_skip_what_only_looks_alike() {
        assert_eq!(
            entities("👋 /stop@a_bot hi @someone a/b x@y"),
            vec![
                json!({"type": "bot_command", "offset": 3, "length": 11}),
                json!({"type": "mention", "offset": 18, "length": 8}),
            ]
        );
    }
}
