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
    fn text(&self, offset: usize, more: &str);
    /// More reasoning.
    fn thinking(&self, offset: usize, more: &str);
}

/// Nobody watches.
pub(crate) struct Nobody;

impl Watcher for Nobody {
    fn text(&self, _offset: usize, _more: &str) {}
    fn thinking(&self, _offset: usize, _more: &str) {}
}

/// What was heard, however it ended.
pub(crate) struct Heard {
    /// Finished pieces, in order, without empty ones; calls have unique ids.
    pub(crate) contents: Vec<Content>,
    /// Tokens used, as far as the provider told.
    pub(crate) usage: Usage,
    /// Why it stopped, or broke off.
    pub(crate) end: Result<StopReason, InferenceError>,
}

impl Heard {
    /// Nothing yet: as if the stream had ended early.
    pub(crate) fn new(model: &ResolvedModel) -> Self {
        Self {
            contents: Vec::new(),
            usage: Usage::default(),
            end: Err(broke_off(model, "the stream ended early")),
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
pub(crate) async fn listen(
    model: &ResolvedModel,
    request: ModelRequest,
    watcher: &dyn Watcher,
    heard: &mut Heard,
) {
    let mut stream = match model.inference.ask(request).await {
        Ok(stream) => stream,
        Err(error) => {
            heard.end = Err(error);
            return;
        }
    };
    let (mut text, mut thinking) = (0, 0);
    while let Some(event) = stream.next().await {
        match event {
            Ok(ModelEvent::TextDelta(more)) => {
                watcher.text(text, &more);
                text += more.len();
            }
            Ok(ModelEvent::ThinkingDelta(more)) => {
                watcher.thinking(thinking, &more);
                thinking += more.len();
            }
            Ok(ModelEvent::Part(content)) => keep(&mut heard.contents, content),
            Ok(ModelEvent::Usage(usage)) => heard.usage = usage,
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

/// Keeps a piece. Transcripts tell results from calls by id, so a missing or repeated one is replaced.
fn keep(contents: &mut Vec<Content>, content: Content) {
    match content {
        Content::Text { text } if text.trim().is_empty() => {}
        Content::ToolCall {
            id,
            name,
            arguments,
        } => {
            let taken: HashSet<&str> = contents.iter().filter_map(call_id).collect();
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
