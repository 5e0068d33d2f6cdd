//! Faults of the stand-in, met as a client meets them.

use super::*;
use serde_json::json;

async fn started() -> (ModelSimulator, reqwest::Client) {
    let simulator = ModelSimulator::start(Options::default())
        .await
        .expect("started");
    (simulator, crate::telegram::client().expect("a client"))
}

fn body(words: &str) -> Value {
    let messages = json!([{ "role": "user", "content": words }]);
    json!({ "model": "m", "max_tokens": 9, "stream": true, "messages": messages })
}

/// Status and text of the answer; the text is absent when the connection broke.
async fn ask(
    of: &(ModelSimulator, reqwest::Client),
    wire: Wire,
    words: &str,
) -> (u16, Option<String>) {
    let (simulator, client) = of;
    let url = match wire {
        Wire::Anthropic => format!("{}/v1/messages", simulator.base_url()),
        Wire::OpenAi => format!("{}/chat/completions", simulator.openai_base_url()),
    };
    let request = client.post(url).header("anthropic-version", "2023-06-01");
    match request.json(&body(words)).send().await {
        Ok(response) => (response.status().as_u16(), response.text().await.ok()),
        Err(_broken) => (0, None),
    }
}

#[tokio::test]
async fn a_spoiled_answer_is_given_when_it_is_asked_for_again() {
    let of = started().await;
    of.0.push(Reply::text("the only one"));
    of.0.fail_next(Fault::CutAfter(0), 1);
    of.0.fail_next(Fault::CutAfter(3), 1);
    of.0.fail_next(Fault::MalformedEnd, 1);
    assert_eq!(ask(&of, Wire::Anthropic, "hi").await, (0, None));
    assert_eq!(ask(&of, Wire::Anthropic, "hi").await, (200, None));
    let (_, malformed) = ask(&of, Wire::Anthropic, "hi").await;
    assert!(
        malformed
            .expect("whole")
            .ends_with("data: {\"type\":\"message_stop\n\n")
    );
    let (_, whole) = ask(&of, Wire::Anthropic, "hi").await;
    assert!(whole.expect("whole").contains("the only one"));
    let (_, next) = ask(&of, Wire::OpenAi, "hi").await;
    assert!(next.expect("whole").contains("You said: hi"));
}

#[tokio::test]
async fn refusals_have_the_form_of_the_vendor() {
    let of = started().await;
    of.0.fail_next(Fault::Refusal, 2);
    let (_, anthropic) = ask(&of, Wire::Anthropic, "hi").await;
    assert!(
        anthropic
            .expect("whole")
            .contains("\"stop_reason\":\"refusal\"")
    );
    let (_, openai) = ask(&of, Wire::OpenAi, "hi").await;
    assert!(openai.expect("whole").contains("\"refusal\":\"I'm sorry"));
}

#[tokio::test]
async fn the_same_seed_brings_the_same_faults_whatever_is_asked_beside() {
    let outcomes = async |seed, others: bool| {
        let of = started().await;
        let quick = Duration::from_millis(1);
        of.0.set_chaos(Chaos {
            rate_limited: 200,
            overloaded: 200,
            cut: 200,
            slowness: quick,
            pause: quick,
            ..Chaos::storm(seed)
        });
        let mut outcomes = Vec::new();
        for _nth in 0..30 {
            if others {
                ask(&of, Wire::OpenAi, "something else").await;
            }
            outcomes.push(ask(&of, Wire::Anthropic, "hi").await.0);
        }
        outcomes
    };
    let first = outcomes(5, false).await;
    assert_eq!(first, outcomes(5, true).await);
    assert_ne!(first, outcomes(6, false).await);
    for status in [200, 429, 529] {
        assert!(first.contains(&status), "{status}: {first:?}");
    }
}
