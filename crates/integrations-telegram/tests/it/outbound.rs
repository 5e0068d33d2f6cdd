//! What we write reaches people: markup, parts, receipts, progress, and everything that fails.

use crate::support::{connect, reply};
use async_trait::async_trait;
use domain::{Timestamp, channel::Place, effect::EffectAction};
use ports::{
    channel::{Channel, ChannelError, Delivery},
    clock::Clock,
};
use serde_json::json;
use simulators::telegram::{Chat, Fault, Person, TelegramSimulator};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// A clock whose time flies: sleeping ends at once and is written down.
#[derive(Default)]
struct Sleepless(Mutex<Vec<Duration>>);

#[async_trait]
impl Clock for Sleepless {
    fn now(&self) -> Timestamp {
        Timestamp::default()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().expect("not poisoned").push(duration);
    }
}

struct Setup {
    simulator: TelegramSimulator,
    channel: Arc<dyn Channel>,
    clock: Arc<Sleepless>,
    chat: Chat,
    place: Place,
    asked: i64,
}

async fn setup() -> Setup {
    let simulator = TelegramSimulator::start().await.expect("started");
    let ann = Person::new(5, "Ann");
    let chat = Chat::private(&ann);
    let asked = simulator.say(&chat, &ann, "hi");
    let clock = Arc::new(Sleepless::default());
    let config = json!({"api_base_url": simulator.base_url()});
    Setup {
        channel: connect(Arc::clone(&clock) as Arc<dyn Clock>, &config),
        place: Place {
            channel: chat.id().to_string(),
            thread: None,
        },
        simulator,
        clock,
        chat,
        asked,
    }
}

impl Setup {
    async fn act(&self, action: EffectAction) -> Result<Option<String>, ChannelError> {
        let place = self.place.clone();
        self.channel.send(&Delivery { place, action }).await
    }

    async fn reply(&self, markdown: &str) -> Result<Option<String>, ChannelError> {
        let delivery = reply(&self.place, markdown, Some(self.asked));
        self.channel.send(&delivery).await
    }

    fn texts(&self) -> Vec<String> {
        let messages = self.simulator.messages(&self.chat);
        messages.into_iter().map(|message| message.text).collect()
    }

    fn refuse(&self, method: &str, code: u16, description: &str) {
        let description = description.to_owned();
        self.simulator
            .fault(method, Fault::Refused { code, description });
    }
}

/// Three messages' worth of text.
fn long() -> String {
    let paragraphs = ["a", "b", "c"].map(|letter| letter.repeat(3000));
    paragraphs.join("\n\n")
}

#[tokio::test]
async fn a_reply_is_formatted_and_answers_the_message() {
    let s = setup().await;
    let id = s
        .reply("**done** & `x<y`")
        .await
        .expect("sent")
        .expect("an id");
    let sent = &s.simulator.messages(&s.chat)[0];
    assert_eq!(sent.message_id.to_string(), id);
    assert_eq!(sent.text, "done & x<y");
    assert_eq!(sent.source, "<b>done</b> &amp; <code>x&lt;y</code>");
    assert_eq!(sent.reply_to, Some(s.asked));
    assert!(!sent.silent);
}

#[tokio::test]
async fn refused_markup_is_sent_as_plain_text() {
    let s = setup().await;
    s.refuse(
        "sendMessage",
        400,
        "Bad Request: can't parse entities: whatever",
    );
    s.reply("**done** & <ok>").await.expect("sent");
    let sent = &s.simulator.messages(&s.chat)[0];
    assert!(!sent.formatted);
    assert_eq!(sent.text, "done & <ok>");
}

#[tokio::test]
async fn an_empty_reply_is_still_seen() {
    let s = setup().await;
    s.reply(" \n").await.expect("sent");
    assert_eq!(s.texts(), ["(empty message)"]);
}

#[tokio::test]
async fn text_without_a_break_fills_messages_to_the_last_unit() {
    let s = setup().await;
    s.reply(&"x".repeat(4096 + 7)).await.expect("sent");
    let lengths: Vec<_> = s.texts().iter().map(String::len).collect();
    assert_eq!(lengths, [4096, 7]);
}

#[tokio::test]
async fn a_secret_the_server_repeats_is_struck_out() {
    let s = setup().await;
    let echo = format!("Bad Request: /bot{}/x", TelegramSimulator::TOKEN);
    s.refuse("sendMessage", 400, &echo);
    let refused = ChannelError::Refused("Bad Request: /bot[redacted]/x".to_owned());
    assert_eq!(s.reply("x").await, Err(refused));
}

#[tokio::test]
async fn later_parts_wait_out_what_surely_did_not_happen() {
    let s = setup().await;
    let faults = [
        Fault::Pass,
        Fault::RateLimited { retry_after: 7 },
        Fault::ServerError,
    ];
    for fault in faults {
        s.simulator.fault("sendMessage", fault);
    }
    let ids = s.reply(&long()).await.expect("sent").expect("ids");
    assert_eq!(ids.split(',').count(), 3);
    assert_eq!(s.texts().concat(), long().replace("\n\n", ""));
    let slept = s.clock.0.lock().expect("not poisoned").clone();
    assert_eq!(slept, [Duration::from_secs(7), Duration::from_secs(2)]);
    let answers: Vec<_> = s
        .simulator
        .messages(&s.chat)
        .iter()
        .map(|m| m.reply_to)
        .collect();
    assert_eq!(answers, [Some(s.asked), None, None]);
}

#[tokio::test]
async fn a_reply_that_stands_in_part_is_never_reported_as_unsent() {
    let endings = [Fault::RateLimited { retry_after: 3600 }, Fault::LostAnswer];
    for ending in endings {
        let s = setup().await;
        s.simulator.fault("sendMessage", Fault::Pass);
        s.simulator.fault("sendMessage", ending);
        match s.reply(&long()).await {
            Err(ChannelError::Ambiguous(why)) => {
                assert!(why.contains("1 of 3 parts were sent (messages 2)"), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
    let s = setup().await;
    s.simulator.fault("sendMessage", Fault::Pass);
    s.refuse("sendMessage", 403, "Forbidden: bot was blocked by the user");
    match s.reply(&long()).await {
        Err(ChannelError::Refused(why)) => assert!(why.contains("1 of 3 parts"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_group_that_became_a_supergroup_is_followed() {
    let s = setup().await;
    let grown = Chat::supergroup(-1009, "Team");
    s.simulator.upgrade(&s.chat, &grown);
    s.reply(&long()).await.expect("sent");
    assert_eq!(s.simulator.messages(&grown).len(), 3);
    // The old id is tried once, not once per part.
    assert_eq!(s.simulator.calls().len(), 4);
}

#[tokio::test]
async fn final_refusals_say_what_to_do() {
    let s = setup().await;
    for (code, description, way_out) in [
        (
            403,
            "Forbidden: bot was kicked from the group chat",
            "add the bot",
        ),
        (403, "Forbidden: user is deactivated", "no longer exists"),
        (
            403,
            "Forbidden: bot can't initiate conversation with a user",
            "press Start",
        ),
        (400, "Bad Request: chat not found", "the chat was deleted"),
        (400, "Bad Request: message thread not found", "topic"),
        (401, "Unauthorized", "@BotFather"),
        (404, "Not Found", "api_base_url"),
    ] {
        s.refuse("sendMessage", code, description);
        match s.reply("x").await {
            Err(ChannelError::Refused(why)) => {
                assert!(why.contains(way_out) && why.contains(description), "{why}");
            }
            other => panic!("{other:?}"),
        }
    }
    s.simulator.block(&s.chat);
    assert!(matches!(s.reply("x").await, Err(ChannelError::Refused(_))));
    s.refuse("sendMessage", 504, "Gateway Timeout");
    assert!(matches!(
        s.reply("x").await,
        Err(ChannelError::Ambiguous(_))
    ));
}

#[tokio::test]
async fn a_receipt_is_a_reaction_and_a_chat_without_reactions_is_fine() {
    let s = setup().await;
    let message_id = s.asked.to_string();
    let receipt = || EffectAction::Receipt {
        message_id: message_id.clone(),
    };
    assert_eq!(s.act(receipt()).await, Ok(None));
    assert_eq!(s.simulator.reactions(&s.chat, s.asked), ["👀"]);
    s.refuse("setMessageReaction", 400, "Bad Request: REACTION_INVALID");
    assert_eq!(s.act(receipt()).await, Ok(None));
    s.simulator.block(&s.chat);
    assert!(matches!(
        s.act(receipt()).await,
        Err(ChannelError::Refused(_))
    ));
}

#[tokio::test]
async fn progress_is_one_silent_message_edited_in_place() {
    let s = setup().await;
    let progress = |markdown: &str, edit: Option<&String>| EffectAction::Progress {
        markdown: markdown.to_owned(),
        edit: edit.cloned(),
    };
    let id = s
        .act(progress("*reading*", None))
        .await
        .expect("sent")
        .expect("an id");
    for _ in 0..2 {
        let edited = s.act(progress("writing", Some(&id))).await;
        assert_eq!(edited, Ok(Some(id.clone())), "an unchanged text is fine");
    }
    s.act(progress(&"x".repeat(5000), Some(&id)))
        .await
        .expect("cut");
    let messages = s.simulator.messages(&s.chat);
    assert_eq!(messages.len(), 1);
    assert!(messages[0].silent);
    assert_eq!(messages[0].edits, 2);
    assert!(messages[0].text.ends_with("x…"));
    let gone = s.act(progress("x", Some(&"999".to_owned()))).await;
    assert!(matches!(gone, Err(ChannelError::Refused(_))), "{gone:?}");
}

#[tokio::test]
async fn typing_goes_to_the_topic() {
    let s = setup().await;
    let place = Place {
        thread: Some("12".to_owned()),
        ..s.place.clone()
    };
    s.channel.typing(&place).await.expect("shown");
    let call = s.simulator.wait_for_call("sendChatAction", |_| true).await;
    let expected = json!({"action": "typing", "chat_id": 5, "message_thread_id": 12});
    assert_eq!(call.params, expected);
}
