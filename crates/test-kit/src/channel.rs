//! The contract every channel keeps, against a stand-in of its vendor. A new vendor implements
//! [`ChannelHarness`] and writes one line: `test_kit::channel_contract!(make_harness);`.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::unused_async,
    reason = "every promise has one shape, and a broken one fails the test that calls it"
)]

use async_trait::async_trait;
use domain::{channel::Place, effect::EffectAction};
use ports::channel::{Channel, ChannelError, Delivery, Received, WebhookError, WebhookHeaders};
use std::{sync::Arc, time::Duration};

/// What the vendor does to the next attempt to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It asks to wait this long.
    RateLimited(Duration),
    /// It fails with a 5xx.
    ServerError,
    /// It does what it is asked and the answer gets lost.
    LostAnswer,
    /// The person has blocked us.
    Blocked,
}

/// The vendor's side: what people see there, and what it does to us.
#[async_trait]
pub trait VendorHarness: Send + Sync {
    /// A place with a thread where the channel may write.
    fn place(&self) -> Place;

    /// Scripts what the next attempt to send meets.
    async fn trouble(&self, trouble: Trouble);

    /// The plain texts of the messages that people see in a place, oldest first.
    fn seen(&self, place: &Place) -> Vec<String>;
}

/// A channel connected to a stand-in of its vendor.
pub trait ChannelHarness: VendorHarness {
    /// The channel.
    fn channel(&self) -> Arc<dyn Channel>;

    /// The channel, configured with credentials the vendor does not know.
    fn stranger(&self) -> Arc<dyn Channel>;

    /// The channel, configured with an address where nobody listens.
    fn unreachable(&self) -> Arc<dyn Channel>;

    /// Every secret of these channels, plain.
    fn secrets(&self) -> Vec<String>;

    /// The webhook body of a person's message in a place.
    fn human_says(&self, place: &Place, text: &str) -> Vec<u8>;

    /// The webhook body of a message of our own, and of another bot.
    fn bots_say(&self, place: &Place, text: &str) -> Vec<Vec<u8>>;

    /// The headers of a genuine webhook call with this body.
    fn signed(&self, body: &[u8]) -> WebhookHeaders;

    /// The same with a wrong signature.
    fn forged(&self, body: &[u8]) -> WebhookHeaders;

    /// The most UTF-16 units of one message.
    fn text_limit(&self) -> usize;
}

/// Writes one `#[tokio::test]` per promise; the argument is an async function without arguments
/// that makes a fresh [`ChannelHarness`].
#[macro_export]
macro_rules! channel_contract {
    ($make:path) => {
        $crate::channel_contract!($make =>
            only_genuine_webhook_calls_are_read,
            a_second_delivery_is_the_same_event,
            bots_are_not_heard,
            a_message_and_its_reply_share_place_and_thread,
            long_replies_arrive_whole_in_parts_that_fit,
            troubles_are_told_apart,
            a_lost_answer_leaves_one_message_and_no_certainty,
            no_error_shows_a_secret,
        );
    };
    ($make:path => $($promise:ident,)*) => {$(
        #[tokio::test]
        async fn $promise() {
            $crate::channel::$promise(&$make().await).await;
        }
    )*};
}

/// A missing, wrong, or right signature; and a right one on something unreadable.
pub async fn only_genuine_webhook_calls_are_read(harness: &dyn ChannelHarness) {
    let channel = harness.channel();
    let body = harness.human_says(&harness.place(), "hello");
    let unsigned = channel.receive(&WebhookHeaders::new(), &body);
    assert_eq!(unsigned, Err(WebhookError::Unauthenticated));
    let forged = channel.receive(&harness.forged(&body), &body);
    assert_eq!(forged, Err(WebhookError::Unauthenticated));
    let genuine = channel.receive(&harness.signed(&body), &body);
    assert_eq!(genuine.map(|received| received.messages.len()), Ok(1));
    let garbage = b"\xff{not json";
    let unreadable = channel.receive(&harness.signed(garbage), garbage);
    assert!(
        matches!(unreadable, Err(WebhookError::Malformed(_))),
        "{unreadable:?}"
    );
}

/// Two deliveries of one event have one id; two events have two.
pub async fn a_second_delivery_is_the_same_event(harness: &dyn ChannelHarness) {
    let place = harness.place();
    let (one, other) = (
        harness.human_says(&place, "same words"),
        harness.human_says(&place, "same words"),
    );
    let (first, again, second) = (
        received(harness, &one),
        received(harness, &one),
        received(harness, &other),
    );
    assert_eq!(first, again);
    assert_ne!(first.event_id, second.event_id);
    assert_ne!(first.message_id, second.message_id);
}

/// Our own messages and other bots' lead to nothing.
pub async fn bots_are_not_heard(harness: &dyn ChannelHarness) {
    for body in harness.bots_say(&harness.place(), "beep") {
        let heard = harness.channel().receive(&harness.signed(&body), &body);
        assert_eq!(heard, Ok(Received::default()));
    }
}

/// A reply to a message is seen where the message was written.
pub async fn a_message_and_its_reply_share_place_and_thread(harness: &dyn ChannelHarness) {
    let place = harness.place();
    let message = received(harness, &harness.human_says(&place, "where am I?"));
    assert_eq!(message.place, place);
    assert!(message.place.thread.is_some());
    let delivery = Delivery {
        place: message.place,
        action: EffectAction::Reply {
            markdown: "here".to_owned(),
            reply_to: message.message_id,
        },
    };
    let reference = harness.channel().send(&delivery).await.expect("sent");
    assert!(reference.is_some_and(|reference| !reference.is_empty()));
    assert_eq!(harness.seen(&place), ["here"]);
}

/// Text above the limit arrives in several messages without loss.
pub async fn long_replies_arrive_whole_in_parts_that_fit(harness: &dyn ChannelHarness) {
    let place = harness.place();
    let words: Vec<String> = (0..2000).map(|n| format!("wörd{n} 👋")).collect();
    let reference = reply(harness, &words.join(" ")).await.expect("sent");
    let seen = harness.seen(&place);
    assert!(seen.len() > 1);
    let ids = reference.map_or(0, |reference| reference.split(',').count());
    assert_eq!(ids, seen.len());
    for part in &seen {
        assert!(part.encode_utf16().count() <= harness.text_limit());
    }
    let arrived: Vec<&str> = seen
        .iter()
        .flat_map(|part| part.split_whitespace())
        .collect();
    let sent: Vec<&str> = words.iter().flat_map(|w| w.split_whitespace()).collect();
    assert_eq!(arrived, sent);
}

/// Each way to fail is reported as what the caller can do about it.
pub async fn troubles_are_told_apart(harness: &dyn ChannelHarness) {
    let wait = Duration::from_secs(7);
    harness.trouble(Trouble::RateLimited(wait)).await;
    match reply(harness, "hi").await {
        Err(ChannelError::RateLimited { retry_after, .. }) => assert_eq!(retry_after, wait),
        other => panic!("rate limited: {other:?}"),
    }
    harness.trouble(Trouble::ServerError).await;
    match reply(harness, "hi").await {
        Err(ChannelError::Unavailable(_)) => {}
        other => panic!("server error: {other:?}"),
    }
    assert!(harness.seen(&harness.place()).is_empty());
    harness.trouble(Trouble::Blocked).await;
    match reply(harness, "hi").await {
        Err(ChannelError::Refused(why)) => assert!(!why.is_empty()),
        other => panic!("blocked: {other:?}"),
    }
    match harness.unreachable().send(&delivery(harness, "hi")).await {
        Err(ChannelError::Unavailable(_)) => {}
        other => panic!("nobody there: {other:?}"),
    }
}

/// A broken connection after the request: done, but we cannot know.
pub async fn a_lost_answer_leaves_one_message_and_no_certainty(harness: &dyn ChannelHarness) {
    harness.trouble(Trouble::LostAnswer).await;
    let lost = reply(harness, "once").await;
    assert!(matches!(lost, Err(ChannelError::Ambiguous(_))), "{lost:?}");
    assert_eq!(harness.seen(&harness.place()), ["once"]);
}

/// No error text holds a secret, whatever fails.
pub async fn no_error_shows_a_secret(harness: &dyn ChannelHarness) {
    let mut errors = Vec::new();
    for channel in [harness.stranger(), harness.unreachable()] {
        let sent = channel.send(&delivery(harness, "hi")).await;
        errors.push(sent.expect_err("a refusal"));
        errors.push(channel.test().await.expect_err("a refusal"));
        errors.push(channel.poll(None).await.expect_err("a refusal"));
    }
    let troubles = [
        Trouble::RateLimited(Duration::from_secs(1)),
        Trouble::ServerError,
        Trouble::LostAnswer,
        Trouble::Blocked,
    ];
    for trouble in troubles {
        harness.trouble(trouble).await;
        errors.push(reply(harness, "hi").await.expect_err("trouble"));
    }
    for error in errors {
        let shown = format!("{error} {error:?}");
        for secret in harness.secrets() {
            assert!(!shown.contains(&secret), "{error}");
        }
    }
}

fn received(harness: &dyn ChannelHarness, body: &[u8]) -> domain::channel::InboundMessage {
    let received = harness.channel().receive(&harness.signed(body), body);
    let mut messages = received.expect("genuine").messages;
    assert_eq!(messages.len(), 1);
    messages.remove(0)
}

fn delivery(harness: &dyn ChannelHarness, markdown: &str) -> Delivery {
    Delivery {
        place: harness.place(),
        action: EffectAction::Reply {
            markdown: markdown.to_owned(),
            reply_to: None,
        },
    }
}

async fn reply(
    harness: &dyn ChannelHarness,
    markdown: &str,
) -> Result<Option<String>, ChannelError> {
    let delivery = delivery(harness, markdown);
    harness.channel().send(&delivery).await
}
