//! Transcripts cut anywhere, judged by what both provider families refuse.

use super::*;
use domain::{
    Timestamp,
    id::{JobId, MessageId, TenantId},
    message::{Arguments, Part, Trust},
};
use inference::{Family, Thinking, body};
use ports::inference::{ModelRequest, ToolSpec, Turn};
use proptest::{prelude::*, prop_assert, proptest};
use serde_json::json;
use simulators::model::{Wire, check_request};
use uuid::Uuid;

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        id: MessageId::from_uuid(Uuid::nil()),
        tenant_id: TenantId::from_uuid(Uuid::nil()),
        job_id: JobId::from_uuid(Uuid::nil()),
        seq: 1,
        role,
        parts,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn said(text: &str) -> Message {
    message(Role::User, vec![Part::human(text, Trust::Guest)])
}

fn call(id: &str, arguments: &str) -> Part {
    Part::model(Content::ToolCall {
        id: id.to_owned(),
        name: "bash".to_owned(),
        arguments: Arguments::parse(arguments),
    })
}

fn result(id: &str, text: &str, is_error: bool) -> Part {
    Part::model(Content::ToolResult {
        id: id.to_owned(),
        name: "bash".to_owned(),
        text: text.to_owned(),
        is_error,
    })
}

fn text(text: &str) -> Part {
    Part::model(Content::Text {
        text: text.to_owned(),
    })
}

/// What happens between two turns of a model.
#[derive(Clone, Debug)]
enum Event {
    /// It thinks and talks, perhaps, and asks for tools; some are interrupted.
    Tools {
        thinks: bool,
        talks: bool,
        interrupted: Vec<bool>,
    },
    /// Somebody writes meanwhile.
    Steers,
}

fn event() -> impl Strategy<Value = Event> {
    let tools = (
        any::<bool>(),
        any::<bool>(),
        prop::collection::vec(any::<bool>(), 1..4),
    );
    prop_oneof![
        3 => tools.prop_map(|(thinks, talks, interrupted)| Event::Tools { thinks, talks, interrupted }),
        1 => Just(Event::Steers),
    ]
}

/// The transcript of a job that went so, with its answer.
fn transcript(events: &[Event]) -> Vec<Message> {
    let mut messages = vec![said("do it")];
    for (turn, event) in events.iter().enumerate() {
        match event {
            Event::Steers => messages.push(said("and that, too")),
            Event::Tools {
                thinks,
                talks,
                interrupted,
            } => {
                let mut parts = Vec::new();
                if *thinks {
                    parts.push(Part::model(Content::Thinking {
                        text: "hm".to_owned(),
                        signature: Some("signed".to_owned()),
                        redacted: false,
                    }));
                }
                if *talks {
                    parts.push(text("let me see"));
                }
                let mut results = Vec::new();
                for (n, interrupted) in interrupted.iter().enumerate() {
                    let id = format!("call-{turn}-{n}");
                    let arguments = if *interrupted { "{not json" } else { "{}" };
                    parts.push(call(&id, arguments));
                    results.push(result(
                        &id,
                        if *interrupted { "interrupted" } else { "" },
                        *interrupted,
                    ));
                }
                messages.push(message(Role::Assistant, parts));
                messages.push(message(Role::Tool, results));
            }
        }
    }
    messages.push(message(Role::Assistant, vec![text("done")]));
    messages
}

/// Why some provider would refuse to go on with these messages.
fn refusal(messages: &[Message]) -> Option<String> {
    let turn = |message: &Message| Turn {
        role: message.role,
        parts: message.parts.clone(),
    };
    let bash = ToolSpec {
        name: "bash",
        description: "A shell.",
        parameters: json!({ "type": "object", "properties": {} }),
        read_only: false,
    };
    let families = [
        (Wire::OpenAi, Family::OpenAi, None),
        (Wire::Anthropic, Family::Anthropic, None),
        (Wire::Anthropic, Family::Anthropic, Some(Thinking::Adaptive)),
        (Wire::Anthropic, Family::Anthropic, Some(Thinking::Budget)),
    ];
    // On the last turn that the limits allow there are no tools.
    [vec![bash], Vec::new()].into_iter().find_map(|tools| {
        let request = ModelRequest {
            model: "m".to_owned(),
            system: "Be brief.".to_owned(),
            turns: messages.iter().map(turn).collect(),
            tools,
            max_output_tokens: 8_192,
            thinking_tokens: Some(2_048),
        };
        families.into_iter().find_map(|(wire, family, thinking)| {
            let body = body(family, thinking, &request).unwrap();
            let refused = check_request(wire, &body).err();
            refused.map(|why| format!("{wire:?} {thinking:?}: {why}"))
        })
    })
}

#[test]
fn no_tool_call_is_left_without_its_result() {
    let user = said("hi");
    let asks = message(Role::Assistant, vec![call("a", "{}"), call("b", "{}")]);
    let half = message(Role::Tool, vec![result("a", "ok", false)]);
    let rest = message(Role::Tool, vec![result("b", "ok", false)]);
    let says = message(Role::Assistant, vec![text("done")]);
    let of = |messages: &[&Message]| {
        let messages: Vec<Message> = messages.iter().map(|m| (*m).clone()).collect();
        complete_turns(&messages)
    };
    assert_eq!(of(&[]), 0);
    assert_eq!(of(&[&user, &asks]), 1);
    assert_eq!(of(&[&user, &asks, &half]), 1);
    assert_eq!(of(&[&user, &asks, &half, &rest]), 4);
    assert_eq!(of(&[&user, &asks, &half, &rest, &says]), 4);
    assert_eq!(of(&[&user, &says]), 1);
}

#[test]
fn the_judge_would_refuse_what_is_not_cut() {
    let asks = message(Role::Assistant, vec![call("a", "{}")]);
    assert!(refusal(&[said("hi"), asks]).is_some());
}

proptest! {
    #[test]
    fn a_transcript_cut_anywhere_is_taken_by_every_provider(
        events in prop::collection::vec(event(), 0..8), same_provider in any::<bool>(),
    ) {
        let whole = transcript(&events);
        for cut in 1..=whole.len() {
            let mut kept = whole[..cut].to_vec();
            keep(&mut kept, same_provider);
            prop_assert!(cut - kept.len() <= 1, "more was dropped than the turn that was open");
            let refused = refusal(&kept);
            prop_assert!(refused.is_none(), "cut at {cut}: {refused:?}\n{kept:#?}");
        }
    }

    /// A retry from the start hears again all that its predecessor was told, one message each.
    #[test]
    fn what_was_said_can_be_said_again(count in 1..30_usize) {
        let told: Vec<Message> = (0..count).map(|n| said(&format!("message {n}"))).collect();
        prop_assert_eq!(refusal(&told), None);
    }
}
