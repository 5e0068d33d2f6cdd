//! The Messages adapter.

use crate::support::{
    KEY, adapter, ask, assistant, call, request, results, settings, stop, text, thinking, user,
};
use domain::{
    message::{Arguments, Content},
    model::{ModelRef, StopReason, Usage},
};
use inference::{Catalog, Family};
use ports::{
    clock::Clock,
    inference::{Inference, Models as _, Turn},
};
use serde_json::{Value, json};
use simulators::model::{Block, ModelSimulator, Options, Quirks, Reply, Tokens};
use std::sync::Arc;
use test_kit::fakes::FakeClock;

pub(crate) async fn start(options: Options) -> (ModelSimulator, Arc<dyn Inference>) {
    let simulator = ModelSimulator::start(options).await.unwrap();
    let adapter = adapter(
        Family::Anthropic,
        &simulator.base_url(),
        &FakeClock::default(),
    );
    (simulator, adapter)
}

fn last_body(simulator: &ModelSimulator) -> Value {
    simulator.requests().last().unwrap().body.clone()
}

fn thoughtful() -> Reply {
    Reply::of(vec![
        Block::Thinking {
            text: "Two things at once… größer?".to_owned(),
            signature: "c2lnbmF0dXJl+/==".to_owned(),
        },
        Block::Redacted("ZW5jcnlwdGVk".to_owned()),
        Block::Text("I will look.".to_owned()),
        Block::call("bash", &json!({ "command": "echo ä" })),
        Block::call("read_file", &json!({ "path": "a" })),
    ])
}

#[tokio::test]
async fn thinking_text_and_parallel_calls_arrive_however_the_stream_is_cut() {
    for fragment in [None, Some(1), Some(7)] {
        let (simulator, adapter) = start(Options {
            fragment,
            api_key: Some(KEY.to_owned()),
            ..Options::default()
        })
        .await;
        simulator.push(thoughtful().with_tokens(Tokens {
            input: 7,
            output: 55,
            cache_read: 300,
            cache_write: 40,
        }));
        let answer = ask(&adapter, request(vec![user("go")])).await;
        assert_eq!(answer.thinking, "Two things at once… größer?");
        assert_eq!(answer.text, "I will look.");
        assert_eq!(
            answer.parts,
            [
                thinking("Two things at once… größer?", Some("c2lnbmF0dXJl+/==")),
                Content::Thinking {
                    text: String::new(),
                    signature: Some("ZW5jcnlwdGVk".to_owned()),
                    redacted: true,
                },
                text("I will look."),
                call("toolu_1_3", "bash", json!({ "command": "echo ä" })),
                call("toolu_1_4", "read_file", json!({ "path": "a" })),
            ]
        );
        let usage = Usage {
            input: 7,
            output: 55,
            cache_read: 300,
            cache_write: 40,
        };
        assert_eq!(
            (answer.usage, stop(&answer)),
            (Some(usage), StopReason::ToolUse)
        );
    }
}

#[tokio::test]
async fn thinking_is_replayed_byte_for_byte_and_all_results_share_one_message() {
    let (simulator, adapter) = start(Options::default()).await;
    simulator.push(thoughtful());
    let first = ask(&adapter, request(vec![user("go")])).await;
    let turns = vec![
        user("go"),
        assistant(first.parts),
        results(vec![("toolu_1_3", "ä", false), ("toolu_1_4", "", true)]),
        user("and hurry"),
    ];
    ask(&adapter, request(turns)).await;
    let messages = last_body(&simulator)["messages"].clone();
    assert_eq!(
        messages[1]["content"].as_array().unwrap()[..2],
        [
            json!({ "type": "thinking", "thinking": "Two things at once… größer?", "signature": "c2lnbmF0dXJl+/==" }),
            json!({ "type": "redacted_thinking", "data": "ZW5jcnlwdGVk" }),
        ]
    );
    assert_eq!(
        messages[2],
        json!({ "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "toolu_1_3", "content": "ä" },
            { "type": "tool_result", "tool_use_id": "toolu_1_4", "is_error": true },
            { "type": "text", "text": "and hurry", "cache_control": { "type": "ephemeral" } },
        ] })
    );
}

#[tokio::test]
async fn the_prefix_is_stable_but_for_the_moving_cache_marks() {
    let (simulator, adapter) = start(Options::default()).await;
    let mut turns = vec![user("one")];
    ask(&adapter, request(turns.clone())).await;
    turns.push(assistant(vec![call(
        "t1",
        "bash",
        json!({ "command": "ls" }),
    )]));
    turns.push(results(vec![("t1", "a", false)]));
    ask(&adapter, request(turns.clone())).await;
    turns.push(assistant(vec![call(
        "t2",
        "bash",
        json!({ "command": "ls" }),
    )]));
    turns.push(results(vec![("t2", "b", false)]));
    ask(&adapter, request(turns)).await;

    let bodies: Vec<Value> = simulator.requests().into_iter().map(|r| r.body).collect();
    let marked =
        |value: &Value| value.get("cache_control") == Some(&json!({ "type": "ephemeral" }));
    for body in &bodies {
        assert!(marked(&body["system"][0]) && marked(&body["tools"][1]));
        assert!(marked(
            body.pointer("/messages")
                .and_then(|m| m.as_array()?.last()?.pointer("/content/0"))
                .unwrap()
        ));
    }
    assert!(
        !marked(&bodies[2]["messages"][0]["content"][0]),
        "four marks at most"
    );
    assert!(marked(&bodies[2]["messages"][2]["content"][0]));
    let plain = |body: &Value| {
        let mut messages = body["messages"].clone();
        for message in messages.as_array_mut().unwrap() {
            for block in message["content"].as_array_mut().unwrap() {
                block.as_object_mut().unwrap().remove("cache_control");
            }
        }
        messages.to_string()
    };
    let shorter = plain(&bodies[1]);
    assert!(plain(&bodies[2]).starts_with(shorter.trim_end_matches(']')));
    assert_eq!(bodies[1]["system"], bodies[2]["system"]);
    assert_eq!(bodies[1]["tools"], bodies[2]["tools"]);
}

#[tokio::test]
async fn histories_the_vendor_would_refuse_are_put_into_its_form() {
    let (simulator, adapter) = start(Options::default()).await;
    let invalid = Content::ToolCall {
        id: "functions.bash:0".to_owned(),
        name: "bash".to_owned(),
        arguments: Arguments::parse("{\"command\":"),
    };
    let turns = vec![
        assistant(vec![text("from before")]),
        user("  "),
        user("one"),
        user("two"),
        assistant(vec![thinking("another family's", None), text(""), invalid]),
        results(vec![("functions.bash:0", "not JSON", true)]),
        assistant(vec![text("cut off")]),
    ];
    ask(&adapter, request(turns)).await;
    let messages = last_body(&simulator)["messages"].clone();
    let roles: Vec<&str> = messages
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["role"].as_str().unwrap())
        .collect();
    assert_eq!(
        roles,
        [
            "user",
            "assistant",
            "user",
            "assistant",
            "user",
            "assistant",
            "user"
        ]
    );
    assert_eq!(messages[2]["content"].as_array().unwrap().len(), 2);
    assert_eq!(
        messages[3]["content"],
        json!([{ "type": "tool_use", "id": "functions_bash_0", "name": "bash", "input": { "invalid_json": "{\"command\":" } }])
    );
    assert_eq!(messages[4]["content"][0]["tool_use_id"], "functions_bash_0");
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_as_the_model_wrote_them() {
    let (simulator, adapter) = start(Options::default()).await;
    simulator.push(Reply::of(vec![
        Block::Call {
            name: "bash".to_owned(),
            arguments: "{\"command\": \"ls".to_owned(),
        },
        Block::Call {
            name: "bash".to_owned(),
            arguments: String::new(),
        },
    ]));
    let answer = ask(&adapter, request(vec![user("go")])).await;
    assert!(matches!(&answer.parts[0],
        Content::ToolCall { arguments: Arguments::Invalid { raw, .. }, .. } if raw == "{\"command\": \"ls"));
    assert_eq!(answer.parts[1], call("toolu_1_1", "bash", json!({})));
}

#[tokio::test]
async fn budgets_stay_below_the_output_limit_and_adaptive_models_get_an_effort() {
    let simulator = ModelSimulator::start(Options::default()).await.unwrap();
    let clock: Arc<dyn Clock> = Arc::new(FakeClock::default());
    let settings = settings(Family::Anthropic, &format!("{}/v1/", simulator.base_url()));
    let catalog = Catalog::new(settings, &crate::support::client(), &clock).unwrap();
    let body = async |model: &str, max: i64, thinking: Option<i64>| {
        let resolved = catalog
            .resolve(&ModelRef::parse(&format!("p/{model}")).unwrap())
            .unwrap();
        let mut request = request(vec![user("hi")]);
        request.model = model.to_owned();
        request.max_output_tokens = max;
        request.thinking_tokens = thinking;
        ask(&resolved.inference, request).await;
        last_body(&simulator)
    };
    let enabled = |budget: i64| json!({ "type": "enabled", "budget_tokens": budget });

    assert_eq!(
        body("claude-haiku-4-5", 4_096, Some(2_000)).await["thinking"],
        enabled(2_000)
    );
    assert_eq!(
        body("claude-haiku-4-5", 4_096, Some(9_000)).await["thinking"],
        enabled(2_048)
    );
    assert_eq!(
        body("claude-haiku-4-5", 4_096, Some(1)).await["thinking"],
        enabled(1_024)
    );
    assert_eq!(
        body("claude-haiku-4-5", 500, Some(9_000)).await["thinking"],
        Value::Null
    );
    assert_eq!(
        body("claude-haiku-4-5", 4_096, None).await["thinking"],
        Value::Null
    );
    assert_eq!(
        body("some-claude", 4_096, Some(2_000)).await["thinking"],
        enabled(2_000)
    );

    let adaptive = body("claude-opus-5-5", 4_096, Some(8_000)).await;
    assert_eq!(
        adaptive["thinking"],
        json!({ "type": "adaptive", "display": "summarized" })
    );
    assert_eq!(adaptive["output_config"], json!({ "effort": "medium" }));
    let off = body("claude-sonnet-5-5", 4_096, None).await;
    assert_eq!(off["thinking"], json!({ "type": "between_tools" }));
    let calm = body("claude-opus-5-5", 4_096, None).await;
    assert_eq!(
        (&calm["thinking"], &calm["output_config"]),
        (&Value::Null, &json!({ "effort": "low" }))
    );
}

#[tokio::test]
async fn tools_of_the_history_are_named_when_none_is_offered_any_more() {
    let (simulator, adapter) = start(Options::default()).await;
    let turns = vec![
        user("go"),
        assistant(vec![call("t1", "bash", json!({ "command": "ls" }))]),
        results(vec![("t1", "a", false)]),
    ];
    let mut last = request(turns);
    last.tools.clear();
    ask(&adapter, last).await;
    let body = last_body(&simulator);
    assert_eq!(body["tools"][0]["name"], "bash");
    assert_eq!(body["tool_choice"], json!({ "type": "none" }));
}

#[tokio::test]
async fn thinking_that_no_longer_fits_its_history_is_left_out_once_and_the_job_goes_on() {
    let (simulator, adapter) = start(Options::default()).await;
    simulator.push(Reply::error(
        400,
        "invalid_request_error",
        "messages.1.content.0: Invalid `signature` in `thinking` block. The block is bound to a different conversation.",
    ));
    let turns = vec![
        user("a"),
        assistant(vec![thinking("t", Some("s")), text("b")]),
        user("c"),
    ];
    let answer = ask(&adapter, request(turns)).await;
    assert_eq!(answer.text, "You said: c");
    assert_eq!(simulator.count(), 2);
    assert!(!last_body(&simulator).to_string().contains("\"signature\""));
}

#[tokio::test]
async fn stop_reasons_have_their_meaning() {
    let (simulator, adapter) = start(Options::default()).await;
    for (reason, expected) in [
        ("end_turn", StopReason::EndTurn),
        ("stop_sequence", StopReason::EndTurn),
        ("pause_turn", StopReason::EndTurn),
        ("max_tokens", StopReason::MaxTokens),
        ("model_context_window_exceeded", StopReason::MaxTokens),
        ("refusal", StopReason::Refusal),
    ] {
        simulator.push(Reply {
            stop: Some(reason.to_owned()),
            ..Reply::text("x")
        });
        assert_eq!(
            stop(&ask(&adapter, request(vec![user("go")])).await),
            expected,
            "{reason}"
        );
    }
}

#[tokio::test]
async fn missing_usage_is_estimated_and_whole_calls_are_understood() {
    let (simulator, adapter) = start(Options::default()).await;
    let quirks = Quirks {
        omit_usage: true,
        whole_calls: true,
        omit_end: true,
        ..Quirks::default()
    };
    let blocks = vec![
        Block::Text("x".repeat(400)),
        Block::call("bash", &json!({ "command": "ls" })),
    ];
    simulator.push(Reply::of(blocks).with_quirks(quirks));
    let answer = ask(&adapter, request(vec![user("go")])).await;
    assert_eq!(
        answer.parts[1],
        call("toolu_1_1", "bash", json!({ "command": "ls" }))
    );
    let usage = answer.usage.unwrap();
    assert!(
        usage.input > 50 && (100..150).contains(&usage.output),
        "{usage:?}"
    );
}

#[tokio::test]
async fn an_unscripted_stand_in_plays_a_whole_job() {
    let (_simulator, adapter) = start(Options::default()).await;
    let mut turns: Vec<Turn> = vec![user("please run `echo hi`")];
    let first = ask(&adapter, request(turns.clone())).await;
    assert_eq!(
        first.parts,
        [call("toolu_1_0", "bash", json!({ "command": "echo hi" }))]
    );
    turns.push(assistant(first.parts));
    turns.push(results(vec![("toolu_1_0", "hi", false)]));
    assert_eq!(ask(&adapter, request(turns)).await.text, "hi");
}
