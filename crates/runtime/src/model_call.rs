//! Listening to a model: from a stream of events to what is kept of it.

use domain::{
    message::{Arguments, Content},
    model::{StopReason, Usage},
};
use futures_util::StreamExt;
use ports::inference::{InferenceError, ModelEvent, ModelRequest, ResolvedModel};
use std::collections::HashSet;

/// Somebody who watches the text being written.
pub(crate) trait Watcher: Sync {
    /// More text.
    fn text(&self, more: &str);
    /// More reasoning.
    fn thinking(&self, more: &str);
}

/// Nobody watches.
pub(crate) struct Nobody;

impl Watcher for Nobody {
    fn text(&self, _more: &str) {}
    fn thinking(&self, _more: &str) {}
}

/// What was heard, however it ended.
pub(crate) struct Heard {
    /// Finished pieces, in order, without empty ones; calls have unique ids.
    pub(crate) contents: Vec<Content>,
    /// Tokens used, as far as the provider told.
    pub(crate) usage: Usage,
    /// Whether the provider took the request: then it charges, even when it never says how much.
    accepted: bool,
    /// How many bytes of text and reasoning came.
    bytes: usize,
    /// Why it stopped, or broke off.
    pub(crate) end: Result<StopReason, InferenceError>,
}

impl Heard {
    /// Nothing yet: as if the stream had ended early.
    pub(crate) fn new(model: &ResolvedModel) -> Self {
        Self {
            contents: Vec::new(),
            usage: Usage::default(),
            accepted: false,
            bytes: 0,
            end: Err(broke_off(model, "the stream ended early")),
        }
    }

    /// What is to be charged. A call that broke off before the provider told its count is estimated:
    /// never nothing for something.
    pub(crate) fn charged(&self, prompt_tokens: i64) -> Usage {
        if self.usage != Usage::default() || !self.accepted {
            return self.usage;
        }
        let output = i64::try_from(self.bytes / 3).unwrap_or(i64::MAX);
        Usage {
            input: prompt_tokens,
            output,
            ..Usage::default()
        }
    }

    /// An answer without text and without a call is no answer, unless the model declined.
    fn stop(&mut self, reason: StopReason, model: &ResolvedModel) {
        let answered = self.contents.iter().any(is_answer);
        self.end = if answered {
            Ok(reason)
        } else if reason == StopReason::Refusal {
            self.contents.push(Content::Text {
                text: "The model declined to answer this.".to_owned(),
            });
            Ok(reason)
        } else {
            Err(broke_off(
                model,
                "it ended without text and without a tool call",
            ))
        };
    }

    /// Its text.
    pub(crate) fn text(&self) -> String {
        let texts = self.contents.iter().filter_map(|content| match content {
            Content::Text { text } => Some(text.as_str()),
            Content::Thinking { .. }
            | Content::ToolCall { .. }
            | Content::ToolResult { .. }
            | Content::File { .. } => None,
        });
        texts.collect::<Vec<_>>().join("\n\n")
    }
}

/// Asks and listens to the end. What was heard is there even when the future is dropped half-way.
#[tracing::instrument(name = "chat", skip_all, fields(
    gen_ai.operation.name = "chat", gen_ai.provider.name = model.model.provider(), gen_ai.request.model = model.model.name(),
    gen_ai.usage.input_tokens, gen_ai.usage.output_tokens, gen_ai.usage.cache_read.input_tokens))]
pub(crate) async fn listen(
    model: &ResolvedModel,
    request: ModelRequest,
    watcher: &dyn Watcher,
    heard: &mut Heard,
) {
    let before = call_ids(&request);
    let mut stream = match model.inference.ask(request).await {
        Ok(stream) => stream,
        Err(error) => {
            heard.end = Err(error);
            return;
        }
    };
    heard.accepted = true;
    while let Some(event) = stream.next().await {
        match event {
            Ok(ModelEvent::TextDelta(more)) => {
                watcher.text(&more);
                heard.bytes += more.len();
            }
            Ok(ModelEvent::ThinkingDelta(more)) => {
                watcher.thinking(&more);
                heard.bytes += more.len();
            }
            Ok(ModelEvent::Part(content)) => keep(&mut heard.contents, content, &before),
            Ok(ModelEvent::Usage(usage)) => {
                count(usage);
                heard.usage = usage;
            }
            Ok(ModelEvent::Stop(reason)) => {
                heard.stop(reason, model);
                return;
            }
            Err(error) => {
                heard.end = Err(error);
                return;
            }
        }
    }
}

/// Notes what was used in the span of the call, in which cached tokens count as input.
fn count(usage: Usage) {
    let span = tracing::Span::current();
    let input = usage.input + usage.cache_read + usage.cache_write;
    span.record("gen_ai.usage.input_tokens", input);
    span.record("gen_ai.usage.output_tokens", usage.output);
    span.record("gen_ai.usage.cache_read.input_tokens", usage.cache_read);
}

/// The ids that the history gave to calls.
fn call_ids(request: &ModelRequest) -> HashSet<String> {
    let parts = request.turns.iter().flat_map(|turn| &turn.parts);
    parts
        .filter_map(|part| call_id(&part.content))
        .map(str::to_owned)
        .collect()
}

/// Keeps a piece. Transcripts tell results from calls by id, so one that is missing, or was given `before`, is
/// replaced.
fn keep(contents: &mut Vec<Content>, content: Content, before: &HashSet<String>) {
    match content {
        Content::Text { text } if text.trim().is_empty() => {}
        Content::ToolCall {
            id,
            name,
            arguments,
        } => {
            let mut taken: HashSet<&str> = contents.iter().filter_map(call_id).collect();
            taken.extend(before.iter().map(String::as_str));
            let id = if id.is_empty() || taken.contains(id.as_str()) {
                fresh_id(&taken, contents.len())
            } else {
                id
            };
            contents.push(Content::ToolCall {
                id,
                name,
                arguments: checked(arguments),
            });
        }
        other @ (Content::Text { .. }
        | Content::Thinking { .. }
        | Content::ToolResult { .. }
        | Content::File { .. }) => contents.push(other),
    }
}

fn checked(arguments: Arguments) -> Arguments {
    match arguments {
        Arguments::Valid { value } if !value.is_object() => Arguments::parse(&value.to_string()),
        valid @ Arguments::Valid { .. } => valid,
        invalid @ Arguments::Invalid { .. } => invalid,
    }
}

fn fresh_id(taken: &HashSet<&str>, from: usize) -> String {
    let mut n = from;
    loop {
        let id = format!("call_{n}");
        if !taken.contains(id.as_str()) {
            return id;
        }
        n += 1;
    }
}

fn call_id(content: &Content) -> Option<&str> {
    match content {
        Content::ToolCall { id, .. } => Some(id),
        Content::Text { .. }
        | Content::Thinking { .. }
        | Content::ToolResult { .. }
        | Content::File { .. } => None,
    }
}

fn is_answer(content: &Content) -> bool {
    matches!(content, Content::Text { .. } | Content::ToolCall { .. })
}

fn broke_off(model: &ResolvedModel, message: &str) -> InferenceError {
    InferenceError::Interrupted {
        provider: model.model.provider().to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::model::{ModelRef, Price};
    use futures_util::stream;
    use ports::inference::{MockInference, ModelProfile};
    use std::sync::Arc;

    async fn hear(events: Vec<ModelEvent>) -> Heard {
        let mut inference = MockInference::new();
        inference
            .expect_ask()
            .return_once(move |_| Ok(Box::pin(stream::iter(events).map(Ok))));
        let model = ResolvedModel {
            model: ModelRef::parse("mock/model").unwrap(),
            profile: ModelProfile {
                price: Price::default(),
                context_tokens: 1_000,
                max_output_tokens: 100,
                thinking_tokens: None,
            },
            inference: Arc::new(inference),
        };
        let request = ModelRequest {
            model: "model".to_owned(),
            system: String::new(),
            turns: Vec::new(),
            tools: Vec::new(),
            max_output_tokens: 100,
            thinking_tokens: None,
        };
        let mut heard = Heard::new(&model);
        listen(&model, request, &Nobody, &mut heard).await;
        heard
    }

    fn call(id: &str) -> ModelEvent {
        ModelEvent::Part(Content::ToolCall {
            id: id.to_owned(),
            name: "bash".to_owned(),
            arguments: Arguments::parse("{}"),
        })
    }

    #[tokio::test]
    async fn calls_get_ids_of_their_own_whatever_the_provider_sends() {
        let stop = ModelEvent::Stop(StopReason::ToolUse);
        let heard = hear(vec![call("a"), call("a"), call(""), stop]).await;
        let ids: Vec<_> = heard.contents.iter().filter_map(call_id).collect();
        assert_eq!(ids.len(), 3);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 3);
        assert_eq!(ids[0], "a");
    }

    #[tokio::test]
    async fn an_answer_without_anything_in_it_is_none_and_a_refusal_is_told() {
        let blank = ModelEvent::Part(Content::Text {
            text: " 
"
            .to_owned(),
        });
        let heard = hear(vec![blank, ModelEvent::Stop(StopReason::EndTurn)]).await;
        assert!(matches!(heard.end, Err(InferenceError::Interrupted { .. })));
        let heard = hear(vec![ModelEvent::Stop(StopReason::Refusal)]).await;
        assert_eq!(heard.end.unwrap(), StopReason::Refusal);
        assert_eq!(heard.contents.len(), 1);
    }

    #[tokio::test]
    async fn a_stream_that_ends_early_keeps_what_was_counted() {
        let usage = Usage {
            input: 7,
            ..Usage::default()
        };
        let text = ModelEvent::Part(Content::Text {
            text: "half".to_owned(),
        });
        let heard = hear(vec![ModelEvent::Usage(usage), text]).await;
        assert!(matches!(heard.end, Err(InferenceError::Interrupted { .. })));
        assert_eq!((heard.usage, heard.text().as_str()), (usage, "half"));
    }
}
