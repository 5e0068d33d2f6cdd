//! Builders shared by the tests of all adapters.

use domain::{
    message::{Arguments, Content, Part, Role, Trust},
    model::{ModelRef, StopReason, Usage},
    secret::Secret,
};
use futures_util::StreamExt as _;
use inference::{Catalog, Family, ProviderSettings, Settings, Timeouts};
use ports::{
    clock::Clock,
    inference::{
        Inference, InferenceError, ModelEvent, ModelRequest, ModelStream, Models as _, ToolSpec,
        Turn,
    },
};
use serde_json::{Value, json};
use std::sync::{Arc, Once};
use test_kit::fakes::FakeClock;

pub(crate) const KEY: &str = "sk-canary-0123456789";

pub(crate) fn client() -> reqwest::Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .expect("nobody else installs a provider");
    });
    #[expect(
        clippy::disallowed_methods,
        reason = "tests build the client the server would inject"
    )]
    let builder = reqwest::Client::builder();
    builder.build().unwrap()
}

pub(crate) fn settings(family: Family, base_url: &str) -> Settings {
    Settings {
        providers: vec![ProviderSettings {
            name: "p".to_owned(),
            family,
            base_url: Some(base_url.to_owned()),
            api_key: Some(Secret::new(KEY)),
        }],
        default_model: ModelRef::parse("p/m").unwrap(),
        price_overrides: Vec::new(),
        timeouts: Timeouts::default(),
    }
}

pub(crate) fn adapter(family: Family, base_url: &str, clock: &FakeClock) -> Arc<dyn Inference> {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let catalog = Catalog::new(settings(family, base_url), &client(), &clock).unwrap();
    catalog.resolve(&catalog.default_model()).unwrap().inference
}

pub(crate) fn tool(name: &'static str) -> ToolSpec {
    ToolSpec {
        name,
        description: "A tool.",
        parameters: json!({ "type": "object", "properties": {} }),
        read_only: false,
    }
}

pub(crate) fn request(turns: Vec<Turn>) -> ModelRequest {
    ModelRequest {
        model: "m".to_owned(),
        system: "Be brief.".to_owned(),
        turns,
        tools: vec![tool("bash"), tool("read_file")],
        max_output_tokens: 4_096,
        thinking_tokens: None,
    }
}

pub(crate) fn user(text: &str) -> Turn {
    Turn {
        role: Role::User,
        parts: vec![Part::human(text, Trust::Trusted)],
    }
}

pub(crate) fn assistant(contents: Vec<Content>) -> Turn {
    Turn {
        role: Role::Assistant,
        parts: contents.into_iter().map(Part::model).collect(),
    }
}

pub(crate) fn results(results: Vec<(&str, &str, bool)>) -> Turn {
    let part = |(id, text, is_error): (&str, &str, bool)| {
        Part::model(Content::ToolResult {
            id: id.to_owned(),
            name: "bash".to_owned(),
            text: text.to_owned(),
            is_error,
        })
    };
    Turn {
        role: Role::Tool,
        parts: results.into_iter().map(part).collect(),
    }
}

pub(crate) fn text(text: &str) -> Content {
    Content::Text {
        text: text.to_owned(),
    }
}

pub(crate) fn thinking(text: &str, signature: Option<&str>) -> Content {
    Content::Thinking {
        text: text.to_owned(),
        signature: signature.map(str::to_owned),
        redacted: false,
    }
}

pub(crate) fn call(id: &str, name: &str, value: Value) -> Content {
    Content::ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        arguments: Arguments::Valid { value },
    }
}

/// Everything an answer brought, with its deltas joined.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) thinking: String,
    pub(crate) parts: Vec<Content>,
    pub(crate) usage: Option<Usage>,
    pub(crate) stop: Option<StopReason>,
}

pub(crate) async fn collect(mut stream: ModelStream) -> (Answer, Option<InferenceError>) {
    let mut answer = Answer::default();
    while let Some(event) = stream.next().await {
        assert_eq!(answer.stop, None, "something followed the stop");
        match event {
            Ok(ModelEvent::TextDelta(more)) => answer.text.push_str(&more),
            Ok(ModelEvent::ThinkingDelta(more)) => answer.thinking.push_str(&more),
            Ok(ModelEvent::Part(content)) => answer.parts.push(content),
            Ok(ModelEvent::Usage(usage)) => answer.usage = Some(usage),
            Ok(ModelEvent::Stop(reason)) => answer.stop = Some(reason),
            Err(error) => {
                assert!(
                    stream.next().await.is_none(),
                    "something followed the error"
                );
                return (answer, Some(error));
            }
        }
    }
    (answer, None)
}

/// Asks and expects a whole answer.
pub(crate) async fn ask(adapter: &Arc<dyn Inference>, request: ModelRequest) -> Answer {
    let (answer, error) = collect(adapter.ask(request).await.unwrap()).await;
    assert!(error.is_none(), "{error:?}");
    assert!(answer.stop.is_some(), "{answer:?}");
    answer
}

/// Asks and expects to be refused before any answer.
pub(crate) async fn refused(adapter: &Arc<dyn Inference>, request: ModelRequest) -> InferenceError {
    match adapter.ask(request).await {
        Ok(_) => panic!("it answered"),
        Err(error) => error,
    }
}

pub(crate) fn stop(answer: &Answer) -> StopReason {
    answer.stop.expect("it stopped")
}
