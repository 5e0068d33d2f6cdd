//! Telegram keeps the contract of channels.

use crate::support::{WEBHOOK_SECRET, connect};
use async_trait::async_trait;
use domain::channel::Place;
use ports::channel::{Channel, WebhookHeaders};
use serde_json::{Value, json};
use simulators::telegram::{Chat, Fault, Person, Post, TelegramSimulator};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use test_kit::{
    channel::{ChannelHarness, Trouble, VendorHarness},
    fakes::FakeClock,
};

const TOPIC: i64 = 12;
const STRANGE_TOKEN: &str = "777:canary-unknown-token";

struct Telegram {
    simulator: TelegramSimulator,
    chat: Chat,
    channel: Arc<dyn Channel>,
    next_id: AtomicI64,
}

async fn telegram() -> Telegram {
    let simulator = TelegramSimulator::start().await.expect("started");
    let chat = Chat::forum(-1001, "Team");
    let opening = Post::new(&chat, &Person::new(5, "Ann")).text("hello");
    simulator.post(opening.topic(TOPIC));
    let config = json!({"api_base_url": simulator.base_url()});
    Telegram {
        channel: connect(Arc::new(FakeClock::default()), &config),
        simulator,
        chat,
        next_id: AtomicI64::new(100),
    }
}

impl Telegram {
    fn update(&self, place: &Place, from: &Value, text: &str) -> Vec<u8> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let message = json!({
            "message_id": id,
            "date": 1_767_225_600,
            "chat": {"id": place.channel.parse::<i64>().expect("an id"), "type": "supergroup", "is_forum": true},
            "message_thread_id": TOPIC,
            "is_topic_message": true,
            "from": from,
            "text": text,
        });
        let update = json!({"update_id": id, "message": message});
        update.to_string().into_bytes()
    }

    fn headers(secret: &str) -> WebhookHeaders {
        let header = "x-telegram-bot-api-secret-token".to_owned();
        WebhookHeaders::from([(header, secret.to_owned())])
    }
}

#[async_trait]
impl VendorHarness for Telegram {
    fn place(&self) -> Place {
        Place {
            channel: self.chat.id().to_string(),
            thread: Some(TOPIC.to_string()),
        }
    }

    async fn trouble(&self, trouble: Trouble) {
        let fault = match trouble {
            Trouble::RateLimited(wait) => Fault::RateLimited {
                retry_after: wait.as_secs(),
            },
            Trouble::ServerError => Fault::ServerError,
            Trouble::LostAnswer => Fault::LostAnswer,
            Trouble::Blocked => Fault::Refused {
                code: 403,
                description: "Forbidden: bot was blocked by the user".to_owned(),
            },
        };
        self.simulator.fault("sendMessage", fault);
    }

    fn seen(&self, _place: &Place) -> Vec<String> {
        let messages = self.simulator.messages(&self.chat);
        messages.into_iter().map(|message| message.text).collect()
    }
}

impl ChannelHarness for Telegram {
    fn channel(&self) -> Arc<dyn Channel> {
        Arc::clone(&self.channel)
    }

    fn stranger(&self) -> Arc<dyn Channel> {
        let config = json!({"api_base_url": self.simulator.base_url(), "bot_token": STRANGE_TOKEN});
        connect(Arc::new(FakeClock::default()), &config)
    }

    fn unreachable(&self) -> Arc<dyn Channel> {
        // Bound and dropped: nobody listens there.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        drop(listener);
        let config = json!({"api_base_url": format!("http://{address}")});
        connect(Arc::new(FakeClock::default()), &config)
    }

    fn secrets(&self) -> Vec<String> {
        let secrets = [TelegramSimulator::TOKEN, STRANGE_TOKEN, WEBHOOK_SECRET];
        secrets.map(str::to_owned).to_vec()
    }

    fn human_says(&self, place: &Place, text: &str) -> Vec<u8> {
        self.update(
            place,
            &json!({"id": 5, "is_bot": false, "first_name": "Ann"}),
            text,
        )
    }

    fn bots_say(&self, place: &Place, text: &str) -> Vec<Vec<u8>> {
        let bots = [TelegramSimulator::BOT_ID, 99];
        let bots = bots.map(|id| json!({"id": id, "is_bot": true, "first_name": "Bot"}));
        bots.map(|bot| self.update(place, &bot, text)).to_vec()
    }

    fn signed(&self, _body: &[u8]) -> WebhookHeaders {
        Self::headers(WEBHOOK_SECRET)
    }

    fn forged(&self, _body: &[u8]) -> WebhookHeaders {
        Self::headers("canary-webhook-secre")
    }

    fn text_limit(&self) -> usize {
        4096
    }
}

test_kit::channel_contract!(telegram);
