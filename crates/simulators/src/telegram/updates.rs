//! getUpdates with its real offset rules: what is below the offset is confirmed and gone, a
//! younger call throws out an older one, and a webhook forbids both.

use super::{
    log::{LogEntry, LogKind},
    methods::{Declined, allowed, integer},
    state::{Shared, State},
};
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};
use tokio::time::{Instant, timeout_at};

const WEBHOOK_ACTIVE: &str = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first";
const TERMINATED: &str = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";
/// The most Telegram hands out at once.
const LIMIT: usize = 100;

pub(super) async fn get(
    shared: &Shared,
    params: &Value,
    answered: bool,
) -> Result<Value, Declined> {
    let offset = integer(params, "offset").unwrap_or(0);
    let seconds = integer(params, "timeout").unwrap_or(0);
    let deadline = Instant::now() + Duration::from_secs(seconds.try_into().unwrap_or(0));
    let mut changes = shared.changes();
    let turn = shared.update(|state| {
        state.poll += 1;
        if let Some(kinds) = allowed(params) {
            state.allowed = kinds;
        }
        confirm(state, offset);
        state.poll
    });
    loop {
        let (news, conflict) = shared.read(|state| {
            let conflict = if state.webhook.is_some() {
                Some(WEBHOOK_ACTIVE)
            } else {
                (state.poll != turn).then_some(TERMINATED)
            };
            let news: Vec<Value> = state.pending.iter().take(LIMIT).cloned().collect();
            (news, conflict)
        });
        if let Some(words) = conflict {
            return Err(Declined::new(409, words));
        }
        shared.quietly(|state| {
            let offered = news.iter().map(|update| LogEntry {
                answered,
                ..LogEntry::update(LogKind::Offered, "getUpdates", update)
            });
            state.log.extend(offered);
        });
        if !news.is_empty() || timeout_at(deadline, changes.changed()).await.is_err() {
            return Ok(json!(news));
        }
    }
}

fn confirm(state: &mut State, offset: i64) {
    if offset > 0 {
        let id = |update: &Value| integer(update, "update_id").unwrap_or(i64::MAX);
        let (young, done) = state.pending.drain(..).partition(|u| id(u) >= offset);
        state.pending = young;
        let done: VecDeque<Value> = done;
        let entries = done.iter();
        let entries =
            entries.map(|update| LogEntry::update(LogKind::Accepted, "getUpdates", update));
        state.log.extend(entries);
    }
}
