//! Who writes, where, and what: the vocabulary of a script.

use bytes::Bytes;
use serde_json::{Value, json};

/// Somebody who writes.
#[derive(Clone, Debug)]
pub struct Person {
    pub(super) id: i64,
    pub(super) first_name: String,
    pub(super) is_bot: bool,
}

impl Person {
    /// A human.
    pub fn new(id: i64, first_name: &str) -> Self {
        Self {
            id,
            first_name: first_name.to_owned(),
            is_bot: false,
        }
    }

    /// Another bot.
    pub fn bot(id: i64, first_name: &str) -> Self {
        Self {
            is_bot: true,
            ..Self::new(id, first_name)
        }
    }

    pub(super) fn json(&self) -> Value {
        json!({"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name})
    }
}

/// Somewhere people write.
#[derive(Clone, Debug)]
pub struct Chat {
    pub(super) id: i64,
    kind: &'static str,
    name: String,
    is_forum: bool,
}

impl Chat {
    /// The chat of one person with the bot.
    pub fn private(person: &Person) -> Self {
        Self {
            id: person.id,
            kind: "private",
            name: person.first_name.clone(),
            is_forum: false,
        }
    }

    /// A small group; Telegram gives it a negative id.
    pub fn group(id: i64, title: &str) -> Self {
        Self {
            id,
            kind: "group",
            name: title.to_owned(),
            is_forum: false,
        }
    }

    /// A large group; Telegram's ids of these start with -100.
    pub fn supergroup(id: i64, title: &str) -> Self {
        Self {
            kind: "supergroup",
            ..Self::group(id, title)
        }
    }

    /// A large group with topics.
    pub fn forum(id: i64, title: &str) -> Self {
        Self {
            is_forum: true,
            ..Self::supergroup(id, title)
        }
    }

    /// Its id.
    pub fn id(&self) -> i64 {
        self.id
    }

    pub(super) fn json(&self) -> Value {
        let name = if self.kind == "private" {
            "first_name"
        } else {
            "title"
        };
        let mut chat = json!({"id": self.id, "type": self.kind});
        if let Some(fields) = chat.as_object_mut() {
            fields.insert(name.to_owned(), json!(self.name));
            if self.is_forum {
                fields.insert("is_forum".to_owned(), json!(true));
            }
        }
        chat
    }
}

/// A file that comes with a message.
#[derive(Clone, Debug)]
pub enum Media {
    /// A picture, offered in two sizes.
    Photo(Bytes),
    /// A file with a name and a media type.
    Document {
        /// Its name.
        name: String,
        /// Its media type.
        media_type: String,
        /// Its content.
        bytes: Bytes,
    },
    /// A voice note.
    Voice(Bytes),
}

/// A message to be written by a person.
#[derive(Clone, Debug)]
pub struct Post {
    pub(super) chat: Chat,
    pub(super) person: Person,
    pub(super) text: Option<String>,
    pub(super) topic: Option<i64>,
    pub(super) reply_to: Option<i64>,
    pub(super) media: Option<Media>,
}

impl Post {
    /// An empty message.
    pub fn new(chat: &Chat, person: &Person) -> Self {
        Self {
            chat: chat.clone(),
            person: person.clone(),
            text: None,
            topic: None,
            reply_to: None,
            media: None,
        }
    }

    /// With this text; beside a file it is the caption.
    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        self.text = Some(text.to_owned());
        self
    }

    /// In this topic.
    #[must_use]
    pub fn topic(mut self, topic: i64) -> Self {
        self.topic = Some(topic);
        self
    }

    /// As an answer to this message.
    #[must_use]
    pub fn reply_to(mut self, message_id: i64) -> Self {
        self.reply_to = Some(message_id);
        self
    }

    /// With this file.
    #[must_use]
    pub fn media(mut self, media: Media) -> Self {
        self.media = Some(media);
        self
    }
}
