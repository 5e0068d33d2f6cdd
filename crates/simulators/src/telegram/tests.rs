//! The stand-in itself, spoken to as a bot would.

use super::*;
use axum::{Router, extract::State as Extracted, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::json;
use tokio::sync::mpsc;

pub(super) struct Bot {
    client: reqwest::Client,
    base: String,
}

impl Bot {
    fn of(simulator: &TelegramSimulator) -> Self {
        Self {
            client: webhook::client().expect("a client"),
            base: format!("{}/bot{}", simulator.base_url(), TelegramSimulator::TOKEN),
        }
    }

    pub(super) async fn call(&self, method: &str, params: Value) -> Value {
        self.try_call(method, &params).await.expect("an answer")
    }

    /// The answer; absent when the connection broke.
    pub(super) async fn try_call(&self, method: &str, params: &Value) -> Option<Value> {
        let url = format!("{}/{method}", self.base);
        let sent = self.client.post(url).json(params).send().await;
        sent.ok()?.json().await.ok()
    }

    pub(super) async fn update_ids(&self, params: Value) -> Vec<i64> {
        let answer = self.call("getUpdates", params).await;
        let updates = answer["result"].as_array().expect("updates").clone();
        updates
            .iter()
            .filter_map(|u| u["update_id"].as_i64())
            .collect()
    }
}

pub(super) async fn started() -> (TelegramSimulator, Bot, Person, Chat) {
    let simulator = TelegramSimulator::start().await.expect("started");
    let bot = Bot::of(&simulator);
    let ann = Person::new(5, "Ann");
    let chat = Chat::private(&ann);
    (simulator, bot, ann, chat)
}

#[tokio::test]
async fn updates_come_again_until_the_offset_confirms_them() {
    let (simulator, bot, ann, chat) = started().await;
    for text in ["a", "b", "c"] {
        simulator.say(&chat, &ann, text);
    }
    assert_eq!(bot.update_ids(json!({})).await, [1, 2, 3]);
    assert_eq!(bot.update_ids(json!({"offset": 2})).await, [2, 3]);
    assert_eq!(bot.update_ids(json!({})).await, [2, 3]);
    assert_eq!(simulator.unconfirmed(), 2);
    assert_eq!(bot.update_ids(json!({"offset": 4})).await, [0; 0]);
    assert_eq!(simulator.unconfirmed(), 0);
}

#[tokio::test]
async fn a_younger_poll_throws_out_the_older_one() {
    let (simulator, bot, ann, chat) = started().await;
    let waits = bot.call("getUpdates", json!({"timeout": 30, "offset": -7}));
    let intrudes = async {
        simulator.wait_for_call("getUpdates", |_| true).await;
        let younger = bot.update_ids(json!({"timeout": 30}));
        let news = async {
            simulator
                .wait_for_call("getUpdates", |p| p["offset"].is_null())
                .await;
            simulator.say(&chat, &ann, "news");
        };
        tokio::join!(younger, news).0
    };
    let (older, younger) = tokio::join!(waits, intrudes);
    assert_eq!(older["error_code"], 409);
    assert_eq!(younger, [1]);
}

#[tokio::test]
async fn a_webhook_gets_updates_with_its_secret_until_it_takes_them() {
    let (simulator, bot, ann, chat) = started().await;
    let (calls, mut called) = mpsc::unbounded_channel();
    let router = Router::new().route("/hook", post(hook)).with_state(calls);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.expect("served") });

    let done = bot
        .call("setWebhook", json!({"url": url, "secret_token": "s3"}))
        .await;
    assert_eq!(done["ok"], true);
    simulator.say(&chat, &ann, "refuse me once");
    let (first, second) = (called.recv().await, called.recv().await);
    assert_eq!(first, second);
    assert_eq!(first, Some(("s3".to_owned(), 1)));
    let polled = bot.call("getUpdates", json!({})).await;
    assert_eq!(polled["error_code"], 409);
    let info = bot.call("getWebhookInfo", json!({})).await;
    assert_eq!(info["result"]["url"], url);
    let error = info["result"]["last_error_message"].as_str();
    assert_eq!(
        error,
        Some("Wrong response from the webhook: 500 Internal Server Error")
    );
}

/// Refuses every call but each second one.
async fn hook(
    Extracted(calls): Extracted<mpsc::UnboundedSender<(String, i64)>>,
    headers: HeaderMap,
    axum::Json(update): axum::Json<Value>,
) -> StatusCode {
    static REFUSED: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);
    let secret = headers["x-telegram-bot-api-secret-token"].to_str();
    let secret = secret.expect("text").to_owned();
    let id = update["update_id"].as_i64().expect("an id");
    calls.send((secret, id)).expect("the test listens");
    if REFUSED.fetch_xor(true, std::sync::atomic::Ordering::Relaxed) {
        StatusCode::OK
    } else {
        StatusCode::INTERNAL_SERVER_ERROR
    }
}

#[tokio::test]
async fn refusals_have_telegrams_shape() {
    let (simulator, bot, ann, chat) = started().await;
    simulator.say(&chat, &ann, "hi");
    let send = |text: &str| {
        bot.call(
            "sendMessage",
            json!({"chat_id": 5, "text": text, "parse_mode": "HTML"}),
        )
    };
    assert_eq!(
        send("<b>x").await,
        json!({"ok": false, "error_code": 400, "description": "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\""})
    );
    let long = "👋".repeat(2049);
    assert_eq!(
        send(&long).await["description"],
        "Bad Request: message is too long"
    );
    assert_eq!(
        send("<b> </b>").await["description"],
        "Bad Request: message text is empty"
    );
    let nowhere = bot
        .call("sendMessage", json!({"chat_id": 6, "text": "x"}))
        .await;
    assert_eq!(nowhere["description"], "Bad Request: chat not found");
    simulator.fault("sendMessage", Fault::RateLimited { retry_after: 3 });
    assert_eq!(
        send("x").await,
        json!({"ok": false, "error_code": 429, "description": "Too Many Requests: retry after 3", "parameters": {"retry_after": 3}})
    );
    simulator.block(&chat);
    assert_eq!(send("x").await["error_code"], 403);
    assert!(simulator.messages(&chat).is_empty());
}
