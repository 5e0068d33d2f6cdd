//! Updates as Telegram sends them, and what becomes of them.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn us() -> Identity {
    Identity {
        id: Some(4242),
        username: Some("our_bot".to_owned()),
    }
}

fn parsed_as(us: &Identity, update: Value) -> Option<InboundMessage> {
    let update = serde_json::from_value(update).expect("an update");
    message(update, us, &AllowedChats::All, Timestamp::default())
}

/// A message in a supergroup with these fields changed or added.
fn in_group(fields: Value) -> Value {
    let mut message = json!({
        "message_id": 7,
        "date": 1_767_225_600,
        "chat": {"id": -1001, "type": "supergroup", "title": "Team"},
        "from": {"id": 5, "is_bot": false, "first_name": "Ann", "last_name": "Bee"},
    });
    let Value::Object(fields) = fields else {
        panic!("fields are an object");
    };
    message.as_object_mut().expect("an object").extend(fields);
    json!({"update_id": 99, "message": message, "some_future_field": {"a": [1]}})
}

fn parsed(fields: Value) -> Option<InboundMessage> {
    parsed_as(&us(), in_group(fields))
}

#[test]
fn a_private_message_is_addressed_and_complete() {
    let update = json!({"update_id": 3, "message": {
        "message_id": 7, "date": 1_767_225_600, "text": "hi",
        "chat": {"id": 5, "type": "private", "first_name": "Ann"},
        "from": {"id": 5, "first_name": "Ann"},
    }});
    let expected = InboundMessage {
        event_id: "update:3".to_owned(),
        message_id: Some("7".to_owned()),
        place: Place {
            channel: "5".to_owned(),
            thread: None,
        },
        chat: ChatKind::Direct,
        title: None,
        sender: Sender {
            external_id: "5".to_owned(),
            display_name: "Ann".to_owned(),
            is_bot: false,
        },
        text: "hi".to_owned(),
        attachments: vec![],
        command: None,
        addressed: true,
        edit_of: None,
        quoted: None,
        sent_at: Timestamp::from_timestamp(1_767_225_600, 0).expect("a time"),
    };
    assert_eq!(parsed_as(&us(), update), Some(expected));
}

#[test]
fn group_chatter_is_not_addressed_and_mentions_are_found_behind_emoji() {
    let chatter = parsed(json!({"text": "lunch?"})).expect("a message");
    assert!(!chatter.addressed);
    assert_eq!(chatter.title.as_deref(), Some("Team"));
    assert_eq!(chatter.sender.display_name, "Ann Bee");
    for (text, offset, length, addressed) in [
        ("👋 @our_bot hi", 3, 8, true),
        ("👋 @Our_Bot hi", 3, 8, true),
        ("👋 @other_bot", 3, 10, false),
        ("@our_bot", 1, 8, false),
        ("👋@our_bot", 1, 9, false),
    ] {
        let mark = json!([{"type": "mention", "offset": offset, "length": length}]);
        let message = parsed(json!({"text": text, "entities": mark})).expect("a message");
        assert_eq!(message.addressed, addressed, "{text}");
    }
    let by_id = json!([{"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 4242}}]);
    assert!(
        parsed(json!({"text": "Nit", "entities": by_id}))
            .expect("a message")
            .addressed
    );
}

#[test]
fn commands_carry_their_arguments_and_other_bots_commands_are_not_ours() {
    let command = |text: &str, length: usize| {
        let mark = json!([{"type": "bot_command", "offset": 0, "length": length}]);
        parsed(json!({"text": text, "entities": mark})).expect("a message")
    };
    let ours = command("/Stop@our_bot  the job ", 13);
    let expected = Command {
        name: "stop".to_owned(),
        arguments: "the job".to_owned(),
    };
    assert_eq!(ours.command, Some(expected));
    assert!(ours.addressed);
    let theirs = command("/stop@other_bot", 15);
    assert_eq!(theirs.command, None);
    assert!(!theirs.addressed);
}

#[test]
fn servers_without_entities_are_read_from_the_text() {
    let bare = |text: &str| parsed(json!({"text": text})).expect("a message");
    assert_eq!(
        bare("/stop now").command.map(|c| c.name).as_deref(),
        Some("stop")
    );
    assert_eq!(bare("/etc/passwd is missing").command, None);
    assert_eq!(bare("/ nothing").command, None);
    assert!(bare("hey (@our_bot)!").addressed);
    assert!(!bare("mail me@our_bot").addressed);
}

#[test]
fn before_telegram_was_asked_any_bot_name_is_taken_for_ours() {
    let stranger = Identity {
        id: Some(4242),
        username: None,
    };
    let update = in_group(json!({"text": "@what_a_Bot go"}));
    assert!(parsed_as(&stranger, update).expect("a message").addressed);
    let update = in_group(json!({"text": "@ann go"}));
    assert!(!parsed_as(&stranger, update).expect("a message").addressed);
}

#[test]
fn replies_quote_and_a_reply_to_us_addresses_us() {
    let reply = |from: i64, quote: Value| {
        let answered = json!({"message_id": 3, "chat": {"id": -1001}, "from": {"id": from, "is_bot": true}, "text": "whole"});
        parsed(json!({"text": "and?", "reply_to_message": answered, "quote": quote}))
            .expect("a message")
    };
    let to_us = reply(4242, Value::Null);
    let quoted = to_us.quoted.clone().expect("quoted");
    assert_eq!(
        (
            quoted.text.as_str(),
            quoted.from_us,
            quoted.message_id.as_str()
        ),
        ("whole", true, "3")
    );
    assert!(to_us.addressed);
    let to_other = reply(77, json!({"text": "who"}));
    assert_eq!(to_other.quoted.map(|q| q.text).as_deref(), Some("who"));
    assert!(!to_other.addressed);
}

#[test]
fn a_topic_is_a_thread_and_its_opening_message_is_no_quote() {
    let opening =
        json!({"message_id": 12, "chat": {"id": -1001}, "from": {"id": 4242, "is_bot": true}});
    let in_topic = parsed(
        json!({"text": "x", "message_thread_id": 12, "is_topic_message": true, "reply_to_message": opening}),
    );
    let in_topic = in_topic.expect("a message");
    assert_eq!(in_topic.place.thread.as_deref(), Some("12"));
    assert_eq!(in_topic.quoted, None);
    assert!(!in_topic.addressed);
    let chain = parsed(json!({"text": "x", "message_thread_id": 12})).expect("a message");
    assert_eq!(chain.place.thread, None);
}

#[test]
fn edits_name_the_message_they_replace() {
    let mut update = in_group(json!({"text": "new", "edit_date": 1_767_225_660}));
    let fields = update.as_object_mut().expect("an object");
    let message = fields.remove("message").expect("a message");
    fields.insert("edited_message".to_owned(), message);
    let edit = parsed_as(&us(), update).expect("a message");
    assert_eq!(edit.edit_of.as_deref(), Some("7"));
    assert_eq!(edit.sent_at.timestamp(), 1_767_225_660);
}

#[test]
fn files_become_attachments_and_the_largest_photo_wins() {
    let message = parsed(json!({
        "caption": "@our_bot look",
        "caption_entities": [{"type": "mention", "offset": 0, "length": 8}],
        "photo": [
            {"file_id": "small", "width": 90, "height": 90, "file_size": 10},
            {"file_id": "large", "width": 800, "height": 600, "file_size": 1000},
        ],
        "document": {"file_id": "doc", "file_name": "a.csv", "mime_type": "text/csv", "file_size": "odd"},
    }));
    let message = message.expect("a message");
    assert!(message.addressed);
    let photo = Attachment {
        kind: AttachmentKind::Photo,
        provider_ref: "large".to_owned(),
        name: None,
        media_type: Some("image/jpeg".to_owned()),
        bytes: Some(1000),
    };
    let document = Attachment {
        kind: AttachmentKind::Document,
        provider_ref: "doc".to_owned(),
        name: Some("a.csv".to_owned()),
        media_type: Some("text/csv".to_owned()),
        bytes: None,
    };
    assert_eq!(message.attachments, [photo, document]);
    assert_eq!(
        parsed(json!({"voice": {"file_id": "v"}}))
            .map(|m| m.text)
            .as_deref(),
        Some("")
    );
}

#[test]
fn what_is_nobodys_business_is_left_out() {
    let not_ours = [
        json!({"text": "x", "from": {"id": 4242, "is_bot": true}}),
        json!({"text": "x", "from": {"id": 4242}}),
        json!({"text": "x", "from": {"id": 4242, "is_bot": true}, "sender_chat": {"id": -1001, "type": "supergroup"}}),
        json!({"text": "x", "chat": {"id": -1, "type": "channel"}}),
        json!({"text": "x", "is_automatic_forward": true, "sender_chat": {"id": -1, "type": "channel"}}),
        json!({"new_chat_title": "x"}),
        json!({"text": "x", "from": null}),
    ];
    for fields in not_ours {
        assert_eq!(parsed(fields.clone()), None, "{fields}");
    }
    let mut own_edit = in_group(json!({"text": "x", "from": {"id": 4242, "is_bot": true}}));
    own_edit["edited_message"] = own_edit["message"].take();
    assert_eq!(parsed_as(&us(), own_edit), None, "an edit of our own");
    let post = json!({"update_id": 1, "channel_post": {"anything": 1}});
    assert_eq!(parsed_as(&us(), post), None);
    let only = AllowedChats::Only(vec!["1".to_owned()]);
    let update = serde_json::from_value(in_group(json!({"text": "x"}))).expect("an update");
    assert_eq!(message(update, &us(), &only, Timestamp::default()), None);
}

#[test]
fn another_bot_is_told_from_a_person() {
    let from = |is_bot: bool| json!({"text": "x", "from": {"id": 9, "is_bot": is_bot, "first_name": "Nine"}});
    for is_bot in [true, false] {
        let message = parsed(from(is_bot)).expect("a message");
        assert_eq!(message.sender.is_bot, is_bot);
    }
}

#[test]
fn an_anonymous_admin_is_a_person() {
    let message = parsed(json!({
        "text": "x",
        "from": {"id": 1_087_968_824, "is_bot": true, "first_name": "Group"},
        "sender_chat": {"id": -1001, "type": "supergroup", "title": "Team"},
    }));
    let sender = message.expect("a message").sender;
    assert_eq!(
        (sender.display_name.as_str(), sender.is_bot),
        ("Team", false)
    );
}

proptest! {
    #[test]
    fn foreign_entities_never_panic(text in ".{0,40}", offset in 0..60_usize, length in any::<usize>(), kind in "(mention|bot_command|text_mention)") {
        let mark = json!([{"type": kind, "offset": offset, "length": length}]);
        parsed(json!({"text": text, "entities": mark}));
    }
}
