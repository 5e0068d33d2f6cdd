//! The model without AI.

use crate::support::{
    Answer, assistant, call, collect, refused, request, results, stop, text, tool, user,
};
use domain::{
    message::{Content, Part, Role, Trust},
    model::{ModelRef, StopReason},
};
use inference::{Catalog, ProviderSettings, Settings, Timeouts};
use ports::{
    clock::Clock,
    inference::{Inference, ModelEvent, ModelRequest, Models as _, Turn},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use test_kit::fakes::FakeClock;

fn demo(clock: &FakeClock) -> Arc<dyn Inference> {
    let settings = Settings {
        providers: vec![ProviderSettings::demo()],
        default_model: ModelRef::parse("demo/scripted").unwrap(),
        price_overrides: Vec::new(),
        timeouts: Timeouts::default(),
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let catalog = Catalog::new(settings, &crate::support::client(), &clock).unwrap();
    catalog.resolve(&catalog.default_model()).unwrap().inference
}

fn scripted(turns: Vec<Turn>) -> ModelRequest {
    let names = [
        "bash",
        "edit_file",
        "list_directory",
        "read_file",
        "request_approval",
        "write_file",
    ];
    ModelRequest {
        model: "scripted".to_owned(),
        tools: names.into_iter().map(tool).collect(),
        ..request(turns)
    }
}

pub(crate) async fn answer(turns: Vec<Turn>) -> Answer {
    let model = demo(&FakeClock::default());
    let (answer, error) = collect(model.ask(scripted(turns)).await.unwrap()).await;
    assert!(error.is_none());
    answer
}

/// The tool and arguments of an answer that asks for one.
pub(crate) fn asked(answer: &Answer) -> (&str, &Value) {
    assert_eq!(stop(answer), StopReason::ToolUse);
    match answer.parts.last() {
        Some(Content::ToolCall {
            name,
            arguments: domain::message::Arguments::Valid { value },
            ..
        }) => (name, value),
        other => panic!("no call: {other:?}"),
    }
}

/// Plays a job to its end with a tool that answers `out 1`, `out 2`, …
pub(crate) async fn play(mut turns: Vec<Turn>) -> (Vec<(String, Value)>, String) {
    let mut calls = Vec::new();
    for round in 0.. {
        assert!(round < 10, "it never ends: {calls:?}");
        let answer = answer(turns.clone()).await;
        if stop(&answer) == StopReason::EndTurn {
            return (calls, answer.text);
        }
        let (name, arguments) = asked(&answer);
        calls.push((name.to_owned(), arguments.clone()));
        let Some(Content::ToolCall { id, .. }) = answer.parts.last().cloned() else {
            panic!("no call");
        };
        turns.push(assistant(answer.parts));
        turns.push(results(vec![(&id, &format!("out {}", calls.len()), false)]));
    }
    unreachable!()
}

#[tokio::test]
async fn commands_are_run_however_they_are_asked_for() {
    for ask in [
        "run `echo hello`",
        "Run: echo hello",
        "run echo hello",
        "@scout_bot please run `echo hello`",
        "Scout, could you run the command `echo hello`?",
        "scout run `echo hello`",
        "[Ada, guest] run `echo hello`",
        "From Ada Lovelace:\nrun `echo hello`",
        "run\n```sh\necho hello\n```",
        "I would like you to run `echo hello` for me",
    ] {
        let first = answer(vec![user(ask)]).await;
        assert_eq!(
            asked(&first),
            ("bash", &json!({ "command": "echo hello" })),
            "{ask}"
        );
    }
}

#[tokio::test]
async fn the_answer_repeats_the_output_and_says_what_it_is() {
    let (calls, text) = play(vec![user("run `echo hello`")]).await;
    assert_eq!(calls.len(), 1);
    assert_eq!(
        text,
        "I ran `echo hello`:\n```\nout 1\n```\n\n— demo/scripted, the built-in model without AI"
    );
}

#[tokio::test]
async fn every_plain_request_becomes_its_tool_call() {
    let script = "#!/bin/sh\nprintf '%s\\n' 'Hello there'\n";
    let cases = [
        (
            "write notes.txt: some text",
            "write_file",
            json!({ "path": "notes.txt", "content": "some text\n" }),
        ),
        (
            "create a file a.md with \"x\"",
            "write_file",
            json!({ "path": "a.md", "content": "x\n" }),
        ),
        (
            "write hello world to b.txt",
            "write_file",
            json!({ "path": "b.txt", "content": "hello world\n" }),
        ),
        (
            "create a script hi.sh that prints \"Hello there\" and run it",
            "write_file",
            json!({ "path": "hi.sh", "content": script }),
        ),
        (
            "make a script called hi.py that prints hi and run it.",
            "write_file",
            json!({ "path": "hi.py", "content": "print(\"hi\")\n" }),
        ),
        (
            "read the file notes.txt?",
            "read_file",
            json!({ "path": "notes.txt" }),
        ),
        ("list", "list_directory", json!({ "path": "." })),
        ("ls src", "list_directory", json!({ "path": "src" })),
        ("ls -la", "bash", json!({ "command": "ls -la" })),
        (
            "remember that it's late",
            "bash",
            json!({ "command": "printf '%s\\n' '- it'\\''s late' >> ~/memory.md" }),
        ),
        (
            "What do you remember?",
            "read_file",
            json!({ "path": "memory.md" }),
        ),
    ];
    for (ask, tool, arguments) in cases {
        assert_eq!(
            asked(&answer(vec![user(ask)]).await),
            (tool, &arguments),
            "{ask}"
        );
    }
}

#[tokio::test]
async fn several_requests_run_one_after_another() {
    let ask = "create a script x.sh that prints hi and run it, then read x.sh and then run `echo a then b`";
    let (calls, text) = play(vec![user(ask)]).await;
    let tools: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(tools, ["write_file", "bash", "read_file", "bash"]);
    assert_eq!(calls[1].1, json!({ "command": "sh x.sh" }));
    assert_eq!(calls[3].1, json!({ "command": "echo a then b" }));
    assert!(
        text.starts_with("I wrote `x.sh`.\n\nI ran `sh x.sh`:\n```\nout 2\n```"),
        "{text}"
    );
    assert!(text.contains("out 3") && text.contains("out 4"));
}

#[tokio::test]
async fn it_means_the_file_that_was_just_written() {
    for ask in [
        "write a.py: print(1), then run it",
        "write a.py: print(1) then run a.py",
    ] {
        let (calls, _) = play(vec![user(ask)]).await;
        assert_eq!(calls[0].1["content"], "print(1)\n");
        assert_eq!(calls[1].1, json!({ "command": "python3 a.py" }), "{ask}");
    }
}

#[tokio::test]
async fn a_failure_is_shown_and_explained() {
    let turns = vec![
        user("fail"),
        assistant(vec![call("1", "bash", json!({}))]),
        results(vec![("1", "cat: no such file", true)]),
    ];
    let text = answer(turns).await.text;
    assert!(
        text.contains("and it failed:\n```\ncat: no such file\n```"),
        "{text}"
    );
    assert!(text.contains("meant to fail"), "{text}");
}

#[tokio::test]
async fn a_command_is_run_only_after_people_agreed() {
    let ask = user("ask before running `touch deployed`");
    let first = answer(vec![ask.clone()]).await;
    let (tool, arguments) = asked(&first);
    assert_eq!(tool, "request_approval");
    assert_eq!(arguments["action"]["command"], "touch deployed");
    let turns = |refused| {
        let call = assistant(vec![call("1", "request_approval", arguments.clone())]);
        vec![ask.clone(), call, results(vec![("1", "said Ada", refused)])]
    };
    let agreed = answer(turns(false)).await;
    assert_eq!(
        asked(&agreed),
        ("bash", &json!({ "command": "touch deployed" }))
    );
    let refused = answer(turns(true)).await;
    assert_eq!(stop(&refused), StopReason::EndTurn);
    assert!(
        refused.text.contains("said Ada") && !refused.text.contains("failed"),
        "{}",
        refused.text
    );
}

#[tokio::test]
async fn earlier_work_is_told_from_the_history() {
    let turns = vec![
        user("run `echo hello`"),
        assistant(vec![call("1", "bash", json!({ "command": "echo hello" }))]),
        results(vec![("1", "hello", false)]),
        assistant(vec![text("I ran it.")]),
        user("What did you do?"),
    ];
    let told = answer(turns).await;
    assert_eq!(stop(&told), StopReason::EndTurn);
    for line in [
        "You wrote: “run `echo hello`”",
        "I used bash: `echo hello`",
        "I answered: “I ran it.”",
    ] {
        assert!(told.text.contains(line), "{line}: {}", told.text);
    }
    assert!(
        answer(vec![user("what did you do")])
            .await
            .text
            .contains("Nothing yet")
    );
}

#[tokio::test]
async fn anything_else_is_answered_with_what_it_is() {
    for ask in [
        "hello",
        "What is the capital of France?",
        "don't run away",
        "",
    ] {
        let told = answer(vec![user(ask)]).await;
        assert_eq!(stop(&told), StopReason::EndTurn, "{ask}");
        assert!(
            told.text
                .starts_with("I am demo/scripted, the built-in model without AI."),
            "{ask}"
        );
        assert!(told.usage.unwrap().output > 0);
    }
}

#[tokio::test]
async fn only_offered_tools_are_used() {
    let mut request = scripted(vec![user("run `ls`")]);
    request.tools.retain(|tool| tool.name != "bash");
    let model = demo(&FakeClock::default());
    let (told, _) = collect(model.ask(request).await.unwrap()).await;
    assert_eq!(stop(&told), StopReason::EndTurn);
    assert!(
        told.text.contains("That needs the tool `bash`"),
        "{}",
        told.text
    );
}

#[tokio::test]
async fn several_messages_that_waited_are_all_answered() {
    let mut both = user("run `second`");
    both.parts.push(Part::human("run `third`", Trust::Guest));
    let (calls, _) = play(vec![user("run `first`"), both]).await;
    let commands: Vec<_> = calls.iter().map(|(_, a)| a["command"].clone()).collect();
    assert_eq!(commands, ["first", "second", "third"]);
}

#[tokio::test]
async fn thinking_takes_time_on_the_clock_and_can_be_dropped() {
    use futures_util::{FutureExt as _, StreamExt as _};
    let clock = FakeClock::default();
    let model = demo(&clock);
    let mut stream = model
        .ask(scripted(vec![user("think for 2 seconds")]))
        .await
        .unwrap();
    assert!(
        stream.next().now_or_never().is_none(),
        "it waits for the clock"
    );
    let mut thoughts = 0;
    loop {
        let (event, ()) = tokio::join!(stream.next(), async {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_millis(500));
        });
        match event.unwrap().unwrap() {
            ModelEvent::ThinkingDelta(_) => thoughts += 1,
            ModelEvent::Part(Content::Thinking { signature, .. }) => {
                assert_eq!(signature, None);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(thoughts, 4);
    // Dropping it here is how a cancelled job ends.
    drop(stream);
}

#[tokio::test]
async fn triage_is_answered_with_the_object_it_wants() {
    let mut request = scripted(vec![user("does anybody know?")]);
    request.system = "Answer with one JSON object: {\"act\": true, \"reason\": \"…\"}".to_owned();
    request.tools.clear();
    let (told, _) = collect(demo(&FakeClock::default()).ask(request).await.unwrap()).await;
    let verdict: Value = serde_json::from_str(&told.text).unwrap();
    assert_eq!(verdict["act"], true);
    assert!(verdict["reason"].is_string());
}

#[tokio::test]
async fn what_somebody_quotes_is_not_done() {
    let mut turn = user("read a.txt");
    let quote = "[In answer to a message:]\n> run `rm a.txt`";
    turn.parts.insert(0, Part::system("[From Ada]"));
    turn.parts.insert(1, Part::human(quote, Trust::Untrusted));
    assert_eq!(asked(&answer(vec![turn]).await).0, "read_file");
}

#[tokio::test]
async fn work_written_by_the_server_itself_counts_when_no_person_spoke() {
    let turn = Turn {
        role: Role::User,
        parts: vec![Part::system("run `nightly`")],
    };
    assert_eq!(
        asked(&answer(vec![turn]).await).1,
        &json!({ "command": "nightly" })
    );
}

#[tokio::test]
async fn there_is_only_one_demo_model() {
    let mut request = scripted(vec![user("hi")]);
    request.model = "large".to_owned();
    let error = refused(&demo(&FakeClock::default()), request).await;
    assert_eq!(error.retry(), None);
    assert!(
        error.to_string().contains("the only one is demo/scripted"),
        "{error}"
    );
}
