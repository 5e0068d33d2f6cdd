//! What people write reaches us: polling, webhook registration, files.

use crate::support::{WEBHOOK_SECRET, connect, reply};
use bytes::Bytes;
use domain::{
    channel::{AttachmentKind, ChatKind, Place},
    effect::{Choice, EffectAction},
};
use ports::channel::{Channel, ChannelError, Delivery};
use serde_json::json;
use simulators::telegram::{Chat, Fault, Media, Person, Post, TelegramSimulator};
use std::sync::Arc;
use test_kit::fakes::FakeClock;

struct Setup {
    simulator: TelegramSimulator,
    channel: Arc<dyn Channel>,
    ann: Person,
    chat: Chat,
}

async fn setup() -> Setup {
    let simulator = TelegramSimulator::start().await.expect("started");
    let config = json!({"api_base_url": format!("{}/", simulator.base_url())});
    let ann = Person::new(5, "Ann");
    Setup {
        channel: connect(Arc::new(FakeClock::default()), &config),
        chat: Chat::private(&ann),
        simulator,
        ann,
    }
}

#[tokio::test]
async fn polling_moves_on_past_everything_it_has_seen() {
    let s = setup().await;
    s.simulator.say(&s.chat, &s.ann, "one");
    s.simulator.say(&s.chat, &Person::bot(9, "Other"), "beep");
    s.simulator
        .push_update(json!({"message": {"message_id": "malformed"}}));
    s.simulator.push_update(json!({"message": 5}));
    let first = s.channel.poll(None).await.expect("polled");
    let texts: Vec<_> = first
        .received
        .messages
        .iter()
        .map(|m| m.text.as_str())
        .collect();
    assert_eq!(texts, ["one"]);
    assert_eq!(first.cursor.as_deref(), Some("5"));

    // The next poll confirms them and waits for news.
    let next = s.channel.poll(first.cursor);
    let news = async {
        s.simulator
            .wait_for_call("getUpdates", |params| params["offset"] == 5)
            .await;
        let id = s.simulator.say(&s.chat, &s.ann, "two");
        s.simulator.edit(&s.chat, id, "two!");
    };
    let (next, ()) = tokio::join!(next, news);
    let next = next.expect("polled");
    assert_eq!(
        next.received.messages.first().map(|m| m.text.as_str()),
        Some("two")
    );
}

#[tokio::test]
async fn a_poll_without_news_keeps_the_cursor() {
    let simulator = TelegramSimulator::start().await.expect("started");
    let config = json!({"api_base_url": simulator.base_url()});
    let channel = connect(Arc::new(FakeClock::default()), &config);
    // Nothing of what comes in is for us, so the poll ends with no message but a new cursor.
    simulator.push_update(json!({"message": null}));
    let polled = channel.poll(Some("1".to_owned())).await.expect("polled");
    assert_eq!(polled.received.messages, []);
    assert_eq!(polled.cursor.as_deref(), Some("2"));
}

#[tokio::test]
async fn in_groups_the_bots_own_name_is_known_from_the_first_poll() {
    let s = setup().await;
    let group = Chat::group(-7, "Team");
    let ours = format!("@{} go", TelegramSimulator::BOT_USERNAME);
    for text in ["chatter", ours.as_str(), "@some_other_bot go"] {
        s.simulator.say(&group, &s.ann, text);
    }
    let polled = s.channel.poll(None).await.expect("polled");
    let addressed: Vec<_> = polled
        .received
        .messages
        .iter()
        .map(|m| m.addressed)
        .collect();
    assert_eq!(addressed, [false, true, false]);
    assert!(
        polled
            .received
            .messages
            .iter()
            .all(|m| m.chat == ChatKind::Group)
    );
}

#[tokio::test]
async fn a_webhook_in_the_way_of_polling_is_removed_once() {
    let s = setup().await;
    s.simulator.say(&s.chat, &s.ann, "hi");
    let webhook = "https://elsewhere.example/hook".to_owned();
    s.channel
        .register(Some(webhook.clone()))
        .await
        .expect("registered");
    let polled = s.channel.poll(None).await.expect("polled");
    assert_eq!(polled.received.messages.len(), 1);
    s.channel.register(Some(webhook)).await.expect("registered");
    match s.channel.poll(None).await {
        Err(ChannelError::Taken(why)) => assert!(why.contains("webhook"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_second_poller_is_named_as_the_reason() {
    let s = setup().await;
    let config = json!({"api_base_url": s.simulator.base_url()});
    let intruder = connect(Arc::new(FakeClock::default()), &config);
    let intrusion = async {
        s.simulator.wait_for_call("getUpdates", |_| true).await;
        let (polled, ()) = tokio::join!(intruder.poll(Some("3".to_owned())), async {
            s.simulator
                .wait_for_call("getUpdates", |p| p["offset"] == 3)
                .await;
            s.simulator.push_update(json!({"message": null}));
            s.simulator.push_update(json!({"message": null}));
            s.simulator.push_update(json!({"message": null}));
        });
        polled.expect("the younger poll wins");
    };
    let (older, ()) = tokio::join!(s.channel.poll(None), intrusion);
    match older {
        Err(ChannelError::Taken(why)) => assert!(why.contains("another program"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn registering_names_url_secret_and_kinds_and_keeps_what_waits() {
    let s = setup().await;
    let url = "https://nitejar.example/webhooks/telegram/1";
    s.channel
        .register(Some(url.to_owned()))
        .await
        .expect("registered");
    let call = s.simulator.wait_for_call("setWebhook", |_| true).await;
    assert_eq!(
        call.params,
        json!({
            "url": url,
            "secret_token": WEBHOOK_SECRET,
            "allowed_updates": ["message", "edited_message", "callback_query"],
            "drop_pending_updates": false,
        })
    );
    s.channel.register(None).await.expect("removed");
    s.simulator.wait_for_call("deleteWebhook", |_| true).await;
    s.channel.register(None).await.expect("nothing to remove");
    let calls = s.simulator.calls();
    assert_eq!(
        calls.iter().filter(|c| c.method == "deleteWebhook").count(),
        1
    );
    match s
        .channel
        .register(Some("http://plain.example".to_owned()))
        .await
    {
        Err(ChannelError::Refused(why)) => assert!(why.contains("APP_BASE_URL"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn testing_tells_name_and_reservations() {
    let s = setup().await;
    let account = s.channel.test().await.expect("tested");
    assert_eq!(
        account.name,
        format!("@{}", TelegramSimulator::BOT_USERNAME)
    );
    assert_eq!(account.warnings.len(), 1);
    assert!(account.warnings.iter().any(|w| w.contains("/setprivacy")));
    let ours = "https://ours.example/hook".to_owned();
    s.channel.register(Some(ours)).await.expect("registered");
    let config = json!({"api_base_url": s.simulator.base_url(), "mode": "webhook"});
    let rival = connect(Arc::new(FakeClock::default()), &config);
    let theirs = "https://theirs.example/hook".to_owned();
    rival.register(Some(theirs)).await.expect("registered");
    let account = s.channel.test().await.expect("tested");
    let mismatch = account
        .warnings
        .iter()
        .find(|w| w.contains("theirs.example"));
    assert!(
        mismatch.is_some_and(|w| w.contains("ours.example")),
        "{account:?}"
    );
}

#[tokio::test]
async fn files_are_fetched_when_asked_for_and_only_up_to_the_limit() {
    let s = setup().await;
    let content = Bytes::from([0_u8, 255, 13, 10].repeat(5000));
    let post = Post::new(&s.chat, &s.ann).text("look");
    s.simulator.post(post.media(Media::Photo(content.clone())));
    s.simulator
        .post(Post::new(&s.chat, &s.ann).media(Media::Voice(content.clone())));
    let polled = s.channel.poll(None).await.expect("polled");
    let kinds: Vec<_> = polled
        .received
        .messages
        .iter()
        .map(|m| m.attachments[0].kind)
        .collect();
    assert_eq!(kinds, [AttachmentKind::Photo, AttachmentKind::Voice]);
    let photo = &polled.received.messages[0].attachments[0];
    assert_eq!(photo.bytes, Some(20_000));
    let fetched = s.channel.download(photo, 20_000).await;
    assert_eq!(fetched, Ok(content));
    match s.channel.download(photo, 19_999).await {
        Err(ChannelError::Refused(why)) => assert!(why.contains("19999"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_knows_little_of_the_bot_api_still_serves() {
    let s = setup().await;
    let missing = || Fault::Refused {
        code: 404,
        description: "Not Found: method not found".to_owned(),
    };
    s.simulator.fault("getMe", missing());
    s.simulator.fault("getWebhookInfo", missing());
    let group = Chat::group(-7, "Team");
    s.simulator.say(&group, &s.ann, "@nitejar_demo_bot go");
    s.channel.register(None).await.expect("nothing to remove");
    let polled = s.channel.poll(None).await.expect("polled");
    let message = &polled.received.messages[0];
    assert!(message.addressed);
    let id = message.message_id.as_ref().and_then(|id| id.parse().ok());
    let answer = reply(&message.place, "done", id);
    s.channel.send(&answer).await.expect("sent");
    let seen = s
        .simulator
        .wait_for_message(&group, |m| m.text == "done")
        .await;
    assert_eq!(seen.reply_to, id);
}

#[tokio::test]
async fn a_question_has_buttons_until_it_is_answered_and_presses_are_heard() {
    let s = setup().await;
    s.simulator.open(&s.chat);
    let place = Place {
        channel: s.chat.id().to_string(),
        thread: None,
    };
    let ask = |choices, edit| Delivery {
        place: place.clone(),
        action: EffectAction::Question {
            markdown: "**May I?**".to_owned(),
            choices,
            edit,
        },
    };
    let choice = Choice {
        label: "Approve".to_owned(),
        data: "yes".to_owned(),
    };
    let reference = s
        .channel
        .send(&ask(vec![choice], None))
        .await
        .expect("sent");
    let shown = s.simulator.messages(&s.chat).remove(0);
    assert_eq!((shown.text.as_str(), shown.buttons.len()), ("May I?", 1));
    let handle = s
        .simulator
        .press(&s.chat, &s.ann, shown.message_id, "Approve");
    let polled = s.channel.poll(None).await.expect("polled");
    assert_eq!(polled.received.messages, []);
    let press = &polled.received.presses[0];
    assert_eq!(
        (Some(&press.id), press.data.as_str()),
        (handle.as_ref(), "yes")
    );
    assert_eq!(press.sender.display_name, "Ann");
    s.channel
        .answer(press, "Approved.")
        .await
        .expect("answered");
    assert_eq!(s.simulator.wait_for_answer(&press.id).await, "Approved.");
    s.channel
        .send(&ask(Vec::new(), reference))
        .await
        .expect("edited");
    assert_eq!(s.simulator.messages(&s.chat)[0].buttons, []);
}
