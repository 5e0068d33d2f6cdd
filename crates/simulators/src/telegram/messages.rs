//! What the bot writes: checked as Telegram checks it, kept as people would see it.

use super::{
    html, incoming,
    methods::{Declined, flag, integer, string},
    state::{Access, BotMessage, Button, State, unix_time},
};
use serde_json::{Value, json};

/// UTF-16 units of a text after markup is parsed.
const LONGEST_TEXT: usize = 4096;
/// Bytes of what a button carries.
const LONGEST_DATA: usize = 64;
/// Reactions a bot may use; Telegram knows more, none of them is needed here.
const REACTIONS: [&str; 6] = ["👀", "👍", "👎", "❤", "🔥", "🎉"];

pub(super) fn send(state: &mut State, params: &Value) -> Result<Value, Declined> {
    let chat = open_chat(state, params)?;
    let (text, formatted) = checked_text(params)?;
    let reply = params.get("reply_parameters");
    let reply_to = reply.and_then(|reply| integer(reply, "message_id"));
    let reply_to = match (reply, reply_to) {
        (Some(reply), Some(id)) if !exists(state, chat, id) => {
            if !flag(reply, "allow_sending_without_reply") {
                return Err(Declined::bad("message to be replied not found"));
            }
            None
        }
        (_, reply_to) => reply_to,
    };
    let buttons = buttons(params)?;
    let message = BotMessage {
        message_id: state.next_message_id(),
        text,
        source: string(params, "text").unwrap_or_default().to_owned(),
        formatted,
        thread: integer(params, "message_thread_id"),
        reply_to,
        silent: flag(params, "disable_notification"),
        edits: 0,
        buttons,
    };
    let shown = as_json(chat, &message);
    state.sent.insert((chat, message.message_id), message);
    Ok(shown)
}

pub(super) fn edit(state: &mut State, params: &Value) -> Result<Value, Declined> {
    let chat = open_chat(state, params)?;
    let (text, formatted) = checked_text(params)?;
    let id = integer(params, "message_id").unwrap_or_default();
    let buttons = buttons(params)?;
    let message = state
        .sent
        .get_mut(&(chat, id))
        .ok_or_else(|| Declined::bad("message to edit not found"))?;
    let source = string(params, "text").unwrap_or_default();
    if message.source == source && message.formatted == formatted && message.buttons == buttons {
        return Err(Declined::bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        ));
    }
    source.clone_into(&mut message.source);
    message.text = text;
    message.formatted = formatted;
    message.buttons = buttons;
    message.edits += 1;
    Ok(as_json(chat, message))
}

pub(super) fn react(state: &mut State, params: &Value) -> Result<Value, Declined> {
    let chat = open_chat(state, params)?;
    let id = integer(params, "message_id").unwrap_or_default();
    if !exists(state, chat, id) {
        return Err(Declined::bad("message to react not found"));
    }
    let given = params.get("reaction").and_then(Value::as_array);
    let emoji: Vec<String> = given
        .into_iter()
        .flatten()
        .filter_map(|reaction| string(reaction, "emoji"))
        .map(str::to_owned)
        .collect();
    if emoji
        .iter()
        .any(|emoji| !REACTIONS.contains(&emoji.as_str()))
    {
        return Err(Declined::bad("REACTION_INVALID"));
    }
    state.reactions.insert((chat, id), emoji);
    Ok(json!(true))
}

pub(super) fn act(state: &State, params: &Value) -> Result<Value, Declined> {
    open_chat(state, params)?;
    match string(params, "action") {
        Some("typing") => Ok(json!(true)),
        _ => Err(Declined::bad("wrong parameter action in request")),
    }
}

/// The chat, if the bot may write there.
fn open_chat(state: &State, params: &Value) -> Result<i64, Declined> {
    let id = integer(params, "chat_id").ok_or_else(|| Declined::bad("chat_id is empty"))?;
    match state.chats.get(&id) {
        Some(Access::Open) => Ok(id),
        Some(Access::Closed { code, description }) => Err(Declined::new(*code, description)),
        Some(Access::Upgraded(to)) => Err(Declined {
            parameters: Some(json!({"migrate_to_chat_id": to})),
            ..Declined::bad("group chat was upgraded to a supergroup chat")
        }),
        None => Err(Declined::bad("chat not found")),
    }
}

/// The text people would see and whether it came with markup.
fn checked_text(params: &Value) -> Result<(String, bool), Declined> {
    let source = string(params, "text").unwrap_or_default();
    let formatted = match string(params, "parse_mode") {
        Some("HTML") => true,
        Some(_) => return Err(Declined::bad("unsupported parse_mode")),
        None => false,
    };
    let text = if formatted {
        let parsed = html::parse(source);
        let parsed =
            parsed.map_err(|words| Declined::bad(&format!("can't parse entities: {words}")))?;
        parsed.text
    } else {
        source.to_owned()
    };
    let text = text.trim();
    if text.is_empty() {
        return Err(Declined::bad("message text is empty"));
    }
    if text.encode_utf16().count() > LONGEST_TEXT {
        return Err(Declined::bad("message is too long"));
    }
    Ok((text.to_owned(), formatted))
}

/// The buttons under a message; an edit that names none takes them away.
fn buttons(params: &Value) -> Result<Vec<Button>, Declined> {
    let Some(markup) = params.get("reply_markup") else {
        return Ok(Vec::new());
    };
    let rows = markup.get("inline_keyboard").and_then(Value::as_array);
    let rows = rows.ok_or_else(|| Declined::bad("object expected as reply markup"))?;
    let buttons = rows.iter().filter_map(Value::as_array).flatten();
    buttons
        .map(|button| {
            let text = string(button, "text").unwrap_or_default();
            if text.is_empty() {
                return Err(Declined::bad("inline keyboard button text is empty"));
            }
            let data = string(button, "callback_data").unwrap_or_default();
            if data.is_empty() || data.len() > LONGEST_DATA {
                return Err(Declined::bad("BUTTON_DATA_INVALID"));
            }
            Ok(Button {
                text: text.to_owned(),
                data: data.to_owned(),
            })
        })
        .collect()
}

fn exists(state: &State, chat: i64, id: i64) -> bool {
    state.human.contains_key(&(chat, id)) || state.sent.contains_key(&(chat, id))
}

fn as_json(chat: i64, message: &BotMessage) -> Value {
    json!({
        "message_id": message.message_id,
        "date": unix_time(),
        "chat": {"id": chat},
        "from": incoming::bot(),
        "text": message.text,
    })
}
