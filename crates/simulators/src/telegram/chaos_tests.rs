//! Faults and the log, met as a bot meets them.

use super::{
    tests::{Bot, started},
    *,
};
use axum::{Router, http::StatusCode, routing::post};
use serde_json::json;
use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// A webhook that notes what it gets and answers what it is told.
struct Hook {
    got: Arc<Mutex<Vec<i64>>>,
    _server: JoinSet<()>,
}

impl Hook {
    /// Registers it; `answer` gets the update's id and how often it was there before.
    async fn of(
        bot: &Bot,
        answer: impl Fn(i64, usize) -> StatusCode + Send + Sync + 'static,
    ) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let (notes, answer) = (Arc::clone(&got), Arc::new(answer));
        let hook = post(async move |axum::Json(update): axum::Json<Value>| {
            let id = update["update_id"].as_i64().expect("an id");
            let mut notes = notes.lock().expect("the lock");
            let before = notes.iter().filter(|seen| **seen == id).count();
            notes.push(id);
            answer(id, before)
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let mut server = JoinSet::new();
        let router = Router::new().route("/hook", hook);
        server.spawn(async move { axum::serve(listener, router).await.expect("served") });
        bot.call("setWebhook", json!({"url": url})).await;
        Self {
            got,
            _server: server,
        }
    }

    fn got(&self) -> Vec<i64> {
        self.got.lock().expect("the lock").clone()
    }
}

/// Waits until the bot has taken so many updates; their ids in the order it took them.
async fn taken(simulator: &TelegramSimulator, count: usize) -> Vec<i64> {
    let enough = |state: &State| (state.pending.is_empty()).then_some(());
    simulator.shared.wait_for(enough).await;
    let accepted = simulator.accepted();
    assert_eq!(accepted.len(), count, "{accepted:?}");
    accepted
        .iter()
        .filter_map(|entry| entry.update_id)
        .collect()
}

#[tokio::test]
async fn broken_connections_differ_in_what_was_done_and_the_log_tells() {
    let (simulator, bot, _ann, chat) = started().await;
    simulator.open(&chat);
    let faults = [Fault::CutBefore, Fault::LostAnswer, Fault::HalfAnswer];
    for (number, fault) in faults.into_iter().enumerate() {
        simulator.fail_next("sendMessage", fault, 1);
        let text = format!("number {number}");
        let params = json!({"chat_id": 5, "text": text});
        assert_eq!(bot.try_call("sendMessage", &params).await, None);
    }
    simulator.fail_next("sendMessage", Fault::ServerError, 2);
    for code in [500, 500] {
        let answer = bot.call("sendMessage", json!({"chat_id": 5, "text": "later"}));
        assert_eq!(answer.await["error_code"], code);
    }
    for _twice in 0..2 {
        bot.call("sendMessage", json!({"chat_id": 5, "text": "again"}))
            .await;
    }
    let edit = json!({"chat_id": 5, "message_id": 1, "text": "again"});
    bot.call("editMessageText", edit).await;
    let log = simulator.log();
    let log: Vec<_> = log
        .iter()
        .map(|e| (e.kind, e.text.as_str(), e.answered))
        .collect();
    assert_eq!(
        log,
        [
            (LogKind::Sent, "number 1", false),
            (LogKind::Sent, "number 2", false),
            (LogKind::Sent, "again", true),
            (LogKind::Sent, "again", true),
            (LogKind::Edited, "again", true),
        ]
    );
    let copies = simulator.copies(chat.id());
    let copies: Vec<_> = copies
        .iter()
        .map(|(text, count)| (text.as_str(), *count))
        .collect();
    assert_eq!(copies, [("again", 3), ("number 2", 1)]);
    assert_eq!(simulator.visible()[&chat.id()].len(), 4);
}

#[tokio::test]
async fn a_poll_whose_answer_is_lost_gets_the_same_again_and_confirms_once() {
    let (simulator, bot, ann, chat) = started().await;
    simulator.say(&chat, &ann, "hi");
    simulator.fail_next("getUpdates", Fault::LostAnswer, 1);
    assert_eq!(bot.try_call("getUpdates", &json!({})).await, None);
    assert_eq!(bot.update_ids(json!({})).await, [1]);
    assert!(simulator.accepted().is_empty());
    assert_eq!(bot.update_ids(json!({"offset": 2})).await, [0; 0]);
    let log = simulator.log();
    let log: Vec<_> = log
        .iter()
        .map(|e| (e.kind, e.text.as_str(), e.answered))
        .collect();
    assert_eq!(
        log,
        [
            (LogKind::Offered, "hi", false),
            (LogKind::Offered, "hi", true),
            (LogKind::Accepted, "hi", true),
        ]
    );
}

#[tokio::test]
async fn a_webhook_is_tried_again_in_the_order_of_the_chat_while_others_go_on() {
    let (simulator, bot, ann, chat) = started().await;
    let refuse = |id, before| match (id, before) {
        (1, 0..2) => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::OK,
    };
    let hook = Hook::of(&bot, refuse).await;
    let bob = Person::new(6, "Bob");
    simulator.say(&chat, &ann, "refused twice");
    simulator.say(&chat, &ann, "behind it");
    simulator.say(&Chat::private(&bob), &bob, "beside it");
    assert_eq!(taken(&simulator, 3).await, [3, 1, 2]);
    let of_ann: Vec<_> = hook.got().into_iter().filter(|id| *id != 3).collect();
    assert_eq!(of_ann, [1, 1, 1, 2]);
}

#[tokio::test]
async fn chaos_delivers_twice_and_out_of_order_and_accepts_each_once() {
    let (simulator, bot, ann, chat) = started().await;
    simulator.set_chaos(Chaos {
        seed: 1,
        duplicate: 1_000,
        reorder: 1_000,
        ..Chaos::default()
    });
    let hook = Hook::of(&bot, |_, _| StatusCode::OK).await;
    for number in 0..6 {
        simulator.say(&chat, &ann, &format!("number {number}"));
    }
    let order = taken(&simulator, 6).await;
    assert!(!order.is_sorted(), "{order:?}");
    let mut got = hook.got();
    got.sort_unstable();
    assert_eq!(got, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]);
}

#[tokio::test]
async fn a_delivery_that_was_hung_up_comes_again() {
    let (simulator, bot, ann, chat) = started().await;
    simulator.set_chaos(Chaos {
        hang_up: 1_000,
        ..Chaos::default()
    });
    let calls = AtomicUsize::new(0);
    let hook = Arc::new(move || calls.fetch_add(1, Ordering::Relaxed) == 0);
    let hook = post(async move || {
        if hook() {
            // Only whoever hangs up ever gets to the second call.
            std::future::pending::<()>().await;
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let mut server = JoinSet::new();
    let router = Router::new().route("/hook", hook);
    server.spawn(async move { axum::serve(listener, router).await.expect("served") });
    bot.call("setWebhook", json!({"url": url})).await;
    simulator.say(&chat, &ann, "hi");
    assert_eq!(taken(&simulator, 1).await, [1]);
    let log = simulator.log();
    let offered = log.iter().filter(|entry| entry.kind == LogKind::Offered);
    assert!(offered.count() > 1, "nothing was hung up");
}
