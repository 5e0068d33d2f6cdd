//! The wishes of a test, one JSON object per line, and what came of them. Only what people and vendors
//! could do is offered here; nothing reaches into the server.

use std::sync::Arc;

use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};
use simulators::telegram::{Chat, Fault, Person, TelegramSimulator};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
enum Wish {
    /// A person writes to the bot in their own chat.
    Say {
        person: i64,
        name: String,
        text: String,
    },
    /// A person blocks the bot: what it sends to them is refused for good.
    Block { person: i64 },
    /// A person takes the bot back.
    Unblock { person: i64 },
    /// The bot's next message is shown, but the bot never hears that it was.
    LoseAnswer,
    /// What the bot has written to a person, oldest first.
    Messages { person: i64 },
    /// Waits until the bot has written something that contains this text to a person.
    Await { person: i64, text: String },
}

/// Obeys everybody who connects.
pub(crate) async fn obey(listener: TcpListener, telegram: Arc<TelegramSimulator>) -> Result<()> {
    let mut callers = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        callers.spawn(converse(stream, Arc::clone(&telegram)));
    }
}

async fn converse(stream: TcpStream, telegram: Arc<TelegramSimulator>) -> Result<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    while let Some(line) = lines.next_line().await? {
        let answer = match serde_json::from_str(&line) {
            Ok(wish) => fulfil(wish, &telegram).await,
            Err(error) => json!({ "error": error.to_string() }),
        };
        write.write_all(format!("{answer}\n").as_bytes()).await?;
    }
    Ok(())
}

async fn fulfil(wish: Wish, telegram: &TelegramSimulator) -> Value {
    match wish {
        Wish::Say { person, name, text } => {
            let person = Person::new(person, &name);
            let id = telegram.say(&Chat::private(&person), &person, &text);
            json!({ "message_id": id })
        }
        Wish::Block { person } => {
            telegram.block(&chat(person));
            json!({})
        }
        Wish::Unblock { person } => {
            telegram.open(&chat(person));
            json!({})
        }
        Wish::LoseAnswer => {
            telegram.fault("sendMessage", Fault::LostAnswer);
            json!({})
        }
        Wish::Messages { person } => {
            let messages = telegram.messages(&chat(person)).into_iter();
            json!({ "messages": messages.map(|message| message.text).collect::<Vec<_>>() })
        }
        Wish::Await { person, text } => {
            let found = telegram
                .wait_for_message(&chat(person), |message| message.text.contains(&text))
                .await;
            json!({ "text": found.text })
        }
    }
}

/// The chat of a person with the bot; it is found by the person's id alone.
fn chat(person: i64) -> Chat {
    Chat::private(&Person::new(person, ""))
}
