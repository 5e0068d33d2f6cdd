//! The Chat Completions adapter.

use crate::support::{
    KEY, adapter, ask, assistant, call, collect, refused, request, results, stop, text, thinking,
    user,
};
use domain::{
    message::{Arguments, Content},
    model::{StopReason, Usage},
};
use inference::Family;
use ports::inference::{Inference, InferenceError};
use serde_json::{Value, json};
use simulators::model::{Block, Fault, ModelSimulator, Options, Quirks, Reply, Tokens};
use std::{sync::Arc, time::Duration};
use test_kit::fakes::FakeClock;

async fn start(options: Options) -> (ModelSimulator, Arc<dyn Inference>) {
    let simulator = ModelSimulator::start(options).await.unwrap();
    let base = format!("{}/", simulator.openai_base_url());
    let adapter = adapter(Family::OpenAi, &base, &FakeClock::default());
    (simulator, adapter)
}

fn last_body(simulator: &ModelSimulator) -> Value {
    simulator.requests().last().unwrap().body.clone()
}

fn parallel() -> Reply {
    Reply::of(vec![
        Block::Thinking {
            text: "Größe?".to_owned(),
            signature: String::new(),
        },
        Block::Text("I will look.".to_owned()),
        Block::call("bash", &json!({ "command": "echo ä" })),
        Block::call("read_file", &json!({ "path": "a" })),
    ])
}

#[tokio::test]
async fn reasoning_text_and_parallel_calls_arrive_from_every_kind_of_server() {
    let habits = [
        Quirks::default(),
        Quirks {
            whole_calls: true,
            ..Quirks::default()
        },
        Quirks {
            omit_index: true,
            ..Quirks::default()
        },
        Quirks {
            omit_index: true,
            whole_calls: true,
            ..Quirks::default()
        },
        Quirks {
            omit_end: true,
            ..Quirks::default()
        },
    ];
    for quirks in habits {
        for fragment in [None, Some(1), Some(9)] {
            let (simulator, adapter) = start(Options {
                fragment,
                api_key: Some(KEY.to_owned()),
                ..Options::default()
            })
            .await;
            simulator.push(parallel().with_quirks(quirks).with_tokens(Tokens {
                input: 10,
                output: 55,
                cache_read: 300,
                cache_write: 4,
            }));
            let answer = ask(&adapter, request(vec![user("go")])).await;
            assert_eq!(answer.thinking, "Größe?");
            assert_eq!(
                answer.parts,
                [
                    thinking("Größe?", None),
                    text("I will look."),
                    call("call_1_0", "bash", json!({ "command": "echo ä" })),
                    call("call_1_1", "read_file", json!({ "path": "a" })),
                ],
                "{quirks:?} {fragment:?}"
            );
            let usage = Usage {
                input: 10,
                output: 55,
                cache_read: 300,
                cache_write: 4,
            };
            assert_eq!(
                (answer.usage, stop(&answer)),
                (Some(usage), StopReason::ToolUse)
            );
        }
    }
}

#[tokio::test]
async fn calls_without_ids_get_ones_that_are_new_to_the_conversation() {
    let (simulator, adapter) = start(Options::default()).await;
    let quirks = Quirks {
        empty_ids: true,
        whole_calls: true,
        ..Quirks::default()
    };
    simulator.push(parallel().with_quirks(quirks));
    let first = ask(&adapter, request(vec![user("go")])).await;
    assert_eq!(
        first.parts[2],
        call("call_0", "bash", json!({ "command": "echo ä" }))
    );
    assert_eq!(
        first.parts[3],
        call("call_1", "read_file", json!({ "path": "a" }))
    );
    let turns = vec![
        user("go"),
        assistant(first.parts),
        results(vec![("call_0", "ä", false), ("call_1", "nope", true)]),
        user("faster"),
    ];
    simulator.push(parallel().with_quirks(quirks));
    let second = ask(&adapter, request(turns)).await;
    assert_eq!(
        second.parts[2],
        call("call_2", "bash", json!({ "command": "echo ä" }))
    );
}

#[tokio::test]
async fn requests_have_the_form_every_server_takes() {
    let (simulator, adapter) = start(Options::default()).await;
    let invalid = Content::ToolCall {
        id: "c2".to_owned(),
        name: "bash".to_owned(),
        arguments: Arguments::parse("oops"),
    };
    let turns = vec![
        user("one"),
        user("two"),
        assistant(vec![
            thinking("secret thoughts", Some("signed by another family")),
            text("on it"),
            call("c1", "bash", json!({ "command": "ls" })),
            invalid,
        ]),
        results(vec![("c1", "a", false), ("c2", "not JSON", true)]),
        user("three"),
    ];
    ask(&adapter, request(turns)).await;
    let body = last_body(&simulator);
    assert_eq!(body["max_tokens"], 4_096);
    assert_eq!(body["stream_options"], json!({ "include_usage": true }));
    assert_eq!(body["tools"][0]["function"]["name"], "bash");
    assert_eq!(
        body["messages"],
        json!([
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "one\n\ntwo" },
            { "role": "assistant", "content": "on it", "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "bash", "arguments": "{\"command\":\"ls\"}" } },
                { "id": "c2", "type": "function", "function": { "name": "bash", "arguments": "{\"invalid_json\":\"oops\"}" } },
            ] },
            { "role": "tool", "tool_call_id": "c1", "content": "a" },
            { "role": "tool", "tool_call_id": "c2", "content": "The tool failed.\nnot JSON" },
            { "role": "user", "content": "three" },
        ])
    );
    let authorization = simulator.requests()[0]
        .header("authorization")
        .unwrap()
        .to_owned();
    assert_eq!(authorization, format!("Bearer {KEY}"));
}

#[tokio::test]
async fn missing_usage_is_estimated() {
    let (simulator, adapter) = start(Options::default()).await;
    let quirks = Quirks {
        omit_usage: true,
        ..Quirks::default()
    };
    simulator.push(Reply::text("x".repeat(400)).with_quirks(quirks));
    let usage = ask(&adapter, request(vec![user("go")]))
        .await
        .usage
        .unwrap();
    assert!(usage.input > 50, "{usage:?}");
    assert_eq!(usage.output, 100);
}

#[tokio::test]
async fn one_json_document_instead_of_a_stream_is_understood() {
    let (simulator, adapter) = start(Options {
        fragment: Some(5),
        ..Options::default()
    })
    .await;
    let quirks = Quirks {
        plain_json: true,
        ..Quirks::default()
    };
    let blocks = vec![
        Block::Text("hi".to_owned()),
        Block::call("bash", &json!({ "command": "ls" })),
    ];
    simulator.push(Reply::of(blocks).with_quirks(quirks));
    let answer = ask(&adapter, request(vec![user("go")])).await;
    assert_eq!(
        answer.parts,
        [
            text("hi"),
            call("call_1_0", "bash", json!({ "command": "ls" }))
        ]
    );
    assert_eq!(stop(&answer), StopReason::ToolUse);
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_as_the_model_wrote_them() {
    let (simulator, adapter) = start(Options::default()).await;
    let arguments = "{'command': 'ls'}".to_owned();
    simulator.push(Reply::of(vec![Block::Call {
        name: "bash".to_owned(),
        arguments,
    }]));
    let answer = ask(&adapter, request(vec![user("go")])).await;
    assert!(matches!(&answer.parts[0],
        Content::ToolCall { arguments: Arguments::Invalid { raw, .. }, .. } if raw == "{'command': 'ls'}"));
}

#[tokio::test]
async fn finish_reasons_have_their_meaning() {
    let (simulator, adapter) = start(Options::default()).await;
    for (reason, expected) in [
        ("stop", StopReason::EndTurn),
        ("length", StopReason::MaxTokens),
        ("content_filter", StopReason::Refusal),
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
    for reason in ["tool_calls", "function_call", "stop"] {
        let reply = Reply::call("bash", &json!({}));
        simulator.push(Reply {
            stop: Some(reason.to_owned()),
            ..reply
        });
        assert_eq!(
            stop(&ask(&adapter, request(vec![user("go")])).await),
            StopReason::ToolUse,
            "{reason}"
        );
    }
}

#[tokio::test]
async fn errors_say_whether_asking_again_can_help() {
    let (simulator, adapter) = start(Options::default()).await;
    let again = async |reply: Reply| {
        simulator.push(reply);
        refused(&adapter, request(vec![user("go")])).await.retry()
    };
    assert_eq!(
        again(Reply::busy("1.5")).await,
        Some(Some(Duration::from_millis(1500)))
    );
    assert_eq!(
        again(Reply::error(
            429,
            "insufficient_quota",
            "You exceeded your quota"
        ))
        .await,
        None
    );
    assert_eq!(
        again(Reply::error(503, "server_error", "Loading model")).await,
        Some(None)
    );
    assert_eq!(
        again(Reply::error(400, "invalid_request_error", "context length")).await,
        None
    );
}

#[tokio::test]
async fn errors_and_breaks_inside_the_stream_keep_their_meaning() {
    let (simulator, adapter) = start(Options::default()).await;
    let failed = async |fault: Fault| {
        simulator.push(Reply::text("x".repeat(200)).failing(fault));
        let (answer, error) = collect(adapter.ask(request(vec![user("go")])).await.unwrap()).await;
        assert!(answer.text.starts_with("xxx") && answer.parts.is_empty());
        error.unwrap()
    };
    let event = |kind: &str| Fault::ErrorAfter {
        events: 3,
        kind: kind.to_owned(),
        message: "went wrong".to_owned(),
    };
    assert!(matches!(
        failed(event("429")).await,
        InferenceError::Busy { .. }
    ));
    assert!(matches!(
        failed(event("400")).await,
        InferenceError::Rejected { status: 400, .. }
    ));
    assert!(matches!(
        failed(event("server_error")).await,
        InferenceError::Interrupted { .. }
    ));
    assert!(matches!(
        failed(Fault::CutAfter(3)).await,
        InferenceError::Interrupted { .. }
    ));
    assert!(matches!(
        failed(Fault::EndAfter(3)).await,
        InferenceError::Interrupted { .. }
    ));
}

#[tokio::test]
async fn an_error_object_with_status_200_is_an_error() {
    let (simulator, adapter) = start(Options::default()).await;
    simulator.push(Reply::error(200, "503", "no instances available"));
    let (_, error) = collect(adapter.ask(request(vec![user("go")])).await.unwrap()).await;
    let error = error.unwrap();
    assert!(
        matches!(&error, InferenceError::Interrupted { message, .. } if message == "no instances available"),
        "{error}"
    );
}

#[tokio::test]
async fn an_unscripted_stand_in_plays_a_whole_job() {
    let (_simulator, adapter) = start(Options::default()).await;
    let mut turns = vec![user("run echo hi")];
    let first = ask(&adapter, request(turns.clone())).await;
    assert_eq!(
        first.parts,
        [call("call_1_0", "bash", json!({ "command": "echo hi" }))]
    );
    turns.push(assistant(first.parts));
    turns.push(results(vec![("call_1_0", "hi", false)]));
    assert_eq!(ask(&adapter, request(turns)).await.text, "hi");
}
