//! The Messages adapter when the provider does not answer, or not to the end.

use crate::{
    anthropic::start,
    support::{KEY, adapter, collect, refused, request, user},
};
use inference::Family;
use ports::inference::{InferenceError, ModelEvent};
use simulators::model::{Fault, ModelSimulator, Options, Reply};
use std::time::Duration;
use test_kit::fakes::FakeClock;

#[tokio::test]
async fn errors_say_whether_asking_again_can_help() {
    let (simulator, adapter) = start(Options::default()).await;
    let again = async |reply: Reply| {
        simulator.push(reply);
        refused(&adapter, request(vec![user("go")])).await.retry()
    };
    assert_eq!(
        again(Reply::busy("7")).await,
        Some(Some(Duration::from_secs(7)))
    );
    assert_eq!(
        again(Reply::busy("Thu, 01 Jan 2026 00:00:30 GMT")).await,
        Some(Some(Duration::from_secs(30)))
    );
    assert_eq!(
        again(Reply::error(529, "overloaded_error", "Overloaded")).await,
        Some(None)
    );
    assert_eq!(
        again(Reply::error(500, "api_error", "Internal server error")).await,
        Some(None)
    );
    assert_eq!(
        again(Reply::error(
            400,
            "invalid_request_error",
            "prompt is too long"
        ))
        .await,
        None
    );
    assert_eq!(
        again(Reply::error(404, "not_found_error", "model: m")).await,
        None
    );

    simulator.push(Reply::error(529, "overloaded_error", "Overloaded"));
    let error = refused(&adapter, request(vec![user("go")])).await;
    assert_eq!(error.to_string(), "p asks to slow down: Overloaded");
}

#[tokio::test]
async fn a_refused_key_is_never_repeated() {
    let (_simulator, adapter) = start(Options {
        api_key: Some("other".to_owned()),
        ..Options::default()
    })
    .await;
    let error = refused(&adapter, request(vec![user("go")])).await;
    assert_eq!(
        error.to_string(),
        "p refused the request (401): invalid x-api-key: [redacted]"
    );
    assert!(!format!("{error:?}").contains(KEY));
}

#[tokio::test]
async fn nobody_there_is_unavailable_and_a_broken_stream_is_interrupted() {
    let nobody = adapter(
        Family::Anthropic,
        "http://127.0.0.1:1",
        &FakeClock::default(),
    );
    let error = refused(&nobody, request(vec![user("go")])).await;
    assert!(
        matches!(&error, InferenceError::Unavailable { message, .. } if message.contains("cannot connect")),
        "{error}"
    );

    let (simulator, adapter) = start(Options::default()).await;
    for fault in [Fault::CutAfter(5), Fault::EndAfter(5)] {
        simulator.push(Reply::text("x".repeat(200)).failing(fault));
        let (answer, error) = collect(adapter.ask(request(vec![user("go")])).await.unwrap()).await;
        assert!(answer.text.starts_with("xxx"), "what arrived is seen");
        assert!(
            matches!(error, Some(InferenceError::Interrupted { .. })),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_error_inside_the_stream_keeps_its_meaning() {
    let (simulator, adapter) = start(Options::default()).await;
    let failed = async |kind: &str| {
        simulator.push(Reply::text("half an answer").failing(Fault::ErrorAfter {
            events: 3,
            kind: kind.to_owned(),
            message: "Overloaded".to_owned(),
        }));
        collect(adapter.ask(request(vec![user("go")])).await.unwrap())
            .await
            .1
            .unwrap()
    };
    assert!(matches!(
        failed("overloaded_error").await,
        InferenceError::Busy { .. }
    ));
    assert!(matches!(
        failed("api_error").await,
        InferenceError::Interrupted { .. }
    ));
    assert!(matches!(
        failed("invalid_request_error").await,
        InferenceError::Rejected { status: 400, .. }
    ));
}

#[tokio::test]
async fn a_silent_provider_is_given_up() {
    use futures_util::StreamExt as _;
    let simulator = ModelSimulator::start(Options::default()).await.unwrap();
    let clock = FakeClock::default();
    let adapter = adapter(Family::Anthropic, &simulator.base_url(), &clock);
    simulator.push(Reply::text("hello").failing(Fault::StallAfter(4)));
    let mut stream = adapter.ask(request(vec![user("go")])).await.unwrap();
    loop {
        let event = stream.next().await.unwrap().unwrap();
        if matches!(event, ModelEvent::TextDelta(_)) {
            break;
        }
    }
    // The sleep must have begun before time moves, so both are polled together.
    let (next, ()) = tokio::join!(stream.next(), async {
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(121));
    });
    let error = next.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the answer of p broke off: nothing arrived for 120 s"
    );
}
