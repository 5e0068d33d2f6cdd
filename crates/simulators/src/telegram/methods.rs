//! The methods of the Bot API by name, and those that need few words.

use super::{
    incoming,
    log::{LogEntry, LogKind},
    messages,
    state::{Shared, State, Webhook},
    updates,
};
use serde_json::{Value, json};

/// A refusal in Telegram's words.
#[derive(Debug)]
pub(super) struct Declined {
    pub(super) code: u16,
    pub(super) description: String,
    pub(super) parameters: Option<Value>,
}

impl Declined {
    pub(super) fn new(code: u16, description: &str) -> Self {
        Self {
            code,
            description: description.to_owned(),
            parameters: None,
        }
    }

    /// 400 with Telegram's usual prefix.
    pub(super) fn bad(description: &str) -> Self {
        Self::new(400, &format!("Bad Request: {description}"))
    }
}

/// Carries out one call; `answered` says whether the bot will hear of it.
pub(super) async fn run(
    shared: &Shared,
    method: &str,
    params: &Value,
    answered: bool,
) -> Result<Value, Declined> {
    match method {
        "getUpdates" => updates::get(shared, params, answered).await,
        "getMe" => Ok(me()),
        "setWebhook" => shared.update(|state| set_webhook(state, params)),
        "deleteWebhook" => shared.update(|state| {
            state.webhook = None;
            state.webhook_error = None;
            Ok(json!(true))
        }),
        "getWebhookInfo" => shared.read(|state| Ok(webhook_info(state))),
        "sendMessage" => shared.update(|state| {
            let message = messages::send(state, params)?;
            let entry = LogEntry::message(LogKind::Sent, "sendMessage", &message, answered);
            state.log.push(entry);
            Ok(message)
        }),
        "editMessageText" => shared.update(|state| {
            let message = messages::edit(state, params)?;
            let entry = LogEntry::message(LogKind::Edited, "editMessageText", &message, answered);
            state.log.push(entry);
            Ok(message)
        }),
        "setMessageReaction" => shared.update(|state| messages::react(state, params)),
        "answerCallbackQuery" => shared.update(|state| answer_press(state, params)),
        "sendChatAction" => shared.read(|state| messages::act(state, params)),
        "getFile" => shared.read(|state| get_file(state, params)),
        _ => Err(Declined::new(404, "Not Found: method not found")),
    }
}

fn me() -> Value {
    let mut me = incoming::bot();
    if let Some(fields) = me.as_object_mut() {
        fields.insert("can_join_groups".to_owned(), json!(true));
        fields.insert("can_read_all_group_messages".to_owned(), json!(false));
    }
    me
}

fn set_webhook(state: &mut State, params: &Value) -> Result<Value, Declined> {
    let url = string(params, "url").unwrap_or_default();
    if url.is_empty() {
        state.webhook = None;
        return Ok(json!(true));
    }
    if !(url.starts_with("https://") || url.starts_with("http://127.0.0.1")) {
        return Err(Declined::bad(
            "bad webhook: An HTTPS URL must be provided for webhook",
        ));
    }
    state.allowed = allowed(params).unwrap_or_else(|| std::mem::take(&mut state.allowed));
    state.webhook = Some(Webhook {
        url: url.to_owned(),
        secret: string(params, "secret_token").map(str::to_owned),
    });
    Ok(json!(true))
}

fn webhook_info(state: &State) -> Value {
    let url = state.webhook.as_ref().map(|webhook| webhook.url.as_str());
    let mut info = json!({
        "url": url.unwrap_or_default(),
        "has_custom_certificate": false,
        "pending_update_count": state.pending.len(),
    });
    if let (Some(error), Some(fields)) = (&state.webhook_error, info.as_object_mut()) {
        fields.insert("last_error_message".to_owned(), json!(error));
    }
    info
}

/// A press can be answered once, and only one that there was.
fn answer_press(state: &mut State, params: &Value) -> Result<Value, Declined> {
    let id = string(params, "callback_query_id").unwrap_or_default();
    let answer = state.presses.get_mut(id).filter(|answer| answer.is_none());
    let Some(answer) = answer else {
        return Err(Declined::bad(
            "query is too old and response timeout expired or query ID is invalid",
        ));
    };
    *answer = Some(string(params, "text").unwrap_or_default().to_owned());
    Ok(json!(true))
}

fn get_file(state: &State, params: &Value) -> Result<Value, Declined> {
    let id = string(params, "file_id").unwrap_or_default();
    let file = state
        .files
        .get(id)
        .ok_or_else(|| Declined::bad("invalid file_id"))?;
    Ok(json!({
        "file_id": id,
        "file_unique_id": id,
        "file_size": file.bytes.len(),
        "file_path": file.path,
    }))
}

/// The kinds of update asked for; absent = as before.
pub(super) fn allowed(params: &Value) -> Option<Vec<String>> {
    let kinds = params.get("allowed_updates")?.as_array()?;
    let kinds = kinds.iter().filter_map(Value::as_str);
    Some(kinds.map(str::to_owned).collect())
}

pub(super) fn string<'p>(params: &'p Value, name: &str) -> Option<&'p str> {
    params.get(name)?.as_str()
}

pub(super) fn flag(params: &Value, name: &str) -> bool {
    params.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// An integer, or text that is one.
pub(super) fn integer(params: &Value, name: &str) -> Option<i64> {
    let value = params.get(name)?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}
