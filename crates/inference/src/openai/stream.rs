//! A Chat Completions stream, or the one document some servers send instead, as model events.

use super::calls::{Calls, Fragment, Function};
use crate::{endpoint::Decode, estimate, failure::Failure};
use domain::{
    message::Content,
    model::{StopReason, Usage},
};
use ports::inference::ModelEvent;
use serde::Deserialize;
use serde_json::Value;
use std::collections::VecDeque;

/// Follows one answer.
pub(super) struct Decoder {
    text: String,
    thinking: String,
    calls: Calls,
    refused: bool,
    finish: Option<String>,
    /// `[DONE]` arrived: the answer is complete even if nobody said why it ended.
    done: bool,
    usage: Option<Usage>,
    prompt_estimate: i64,
    characters: usize,
    earlier_calls: usize,
}

impl Decoder {
    pub(super) fn new(prompt_estimate: i64, earlier_calls: usize) -> Self {
        Self {
            text: String::new(),
            thinking: String::new(),
            calls: Calls::default(),
            refused: false,
            finish: None,
            done: false,
            usage: None,
            prompt_estimate,
            characters: 0,
            earlier_calls,
        }
    }

    fn delta(&mut self, delta: Delta, out: &mut VecDeque<ModelEvent>) {
        if let Some(more) = delta.reasoning_content.or(delta.reasoning) {
            self.think(more, out);
        }
        match delta.content {
            Some(Value::String(more)) => self.say(more, out),
            Some(Value::Array(pieces)) => {
                let texts = pieces
                    .iter()
                    .filter_map(|piece| piece.get("text")?.as_str());
                self.say(texts.collect(), out);
            }
            Some(_) | None => {}
        }
        if let Some(more) = delta.refusal {
            self.refused |= !more.is_empty();
            self.say(more, out);
        }
        for fragment in delta.tool_calls.unwrap_or_default() {
            self.characters += self.calls.add(fragment);
        }
        if let Some(function) = delta.function_call {
            let fragment = Fragment {
                index: Some(0),
                id: None,
                function,
            };
            self.characters += self.calls.add(fragment);
        }
    }

    fn say(&mut self, more: String, out: &mut VecDeque<ModelEvent>) {
        if !more.is_empty() {
            self.characters += more.chars().count();
            self.text.push_str(&more);
            out.push_back(ModelEvent::TextDelta(more));
        }
    }

    fn think(&mut self, more: String, out: &mut VecDeque<ModelEvent>) {
        if !more.is_empty() {
            self.characters += more.chars().count();
            self.thinking.push_str(&more);
            out.push_back(ModelEvent::ThinkingDelta(more));
        }
    }

    fn stop(&self) -> StopReason {
        match self.finish.as_deref() {
            Some("length") => StopReason::MaxTokens,
            Some("content_filter") => StopReason::Refusal,
            // Some servers say `stop` when they mean tools, or nothing at all.
            _ if !self.calls.is_empty() => StopReason::ToolUse,
            _ if self.refused => StopReason::Refusal,
            _ => StopReason::EndTurn,
        }
    }

    fn close(&mut self, out: &mut VecDeque<ModelEvent>) {
        let stop = self.stop();
        let thinking = std::mem::take(&mut self.thinking);
        if !thinking.is_empty() {
            out.push_back(ModelEvent::Part(Content::Thinking {
                text: thinking,
                signature: None,
                redacted: false,
            }));
        }
        let text = std::mem::take(&mut self.text);
        if !text.is_empty() {
            out.push_back(ModelEvent::Part(Content::Text { text }));
        }
        let calls = self.calls.finish(self.earlier_calls);
        out.extend(calls.into_iter().map(ModelEvent::Part));
        out.push_back(ModelEvent::Usage(self.usage.unwrap_or_else(|| Usage {
            input: self.prompt_estimate,
            output: estimate::tokens(self.characters),
            ..Usage::default()
        })));
        out.push_back(ModelEvent::Stop(stop));
    }
}

impl Decode for Decoder {
    fn event(&mut self, data: &str, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        if data.trim() == "[DONE]" {
            self.done = true;
            self.close(out);
            return Ok(());
        }
        let Ok(chunk) = serde_json::from_str::<Chunk>(data) else {
            return Err(Failure::Interrupted(
                "a chunk is not of the Chat Completions API".to_owned(),
            ));
        };
        if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
            return Err(Failure::from_event(&error));
        }
        if chunk.object.as_deref() == Some("error") {
            let whole = serde_json::from_str(data).unwrap_or(Value::Null);
            return Err(Failure::from_event(&whole));
        }
        // Servers that do not count send nothing or zeroes.
        let counted = chunk.usage.filter(|usage| usage.prompt_tokens > Some(0));
        self.usage = counted.map(Usage::from).or(self.usage);
        // Only one choice is ever asked for; the usage chunk has none.
        if let Some(choice) = chunk.choices.unwrap_or_default().into_iter().next() {
            self.delta(choice.delta.or(choice.message).unwrap_or_default(), out);
            let reason = choice.finish_reason.filter(|reason| !reason.is_empty());
            self.finish = reason.or(self.finish.take());
        }
        Ok(())
    }

    fn end(&mut self, out: &mut VecDeque<ModelEvent>) -> Result<(), Failure> {
        if self.finish.is_none() && !self.done {
            return Err(Failure::Interrupted(
                "the stream ended before the answer did".to_owned(),
            ));
        }
        self.close(out);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Chunk {
    object: Option<String>,
    choices: Option<Vec<Choice>>,
    usage: Option<WireUsage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    /// What servers that do not stream send instead.
    message: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    content: Option<Value>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning: Option<String>,
    tool_calls: Option<Vec<Fragment>>,
    function_call: Option<Function>,
}

#[derive(Deserialize)]
struct WireUsage {
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Default, Deserialize)]
struct PromptDetails {
    cached_tokens: Option<i64>,
    cache_write_tokens: Option<i64>,
}

impl From<WireUsage> for Usage {
    fn from(wire: WireUsage) -> Self {
        let details = wire.prompt_tokens_details.unwrap_or_default();
        let cache_read = details.cached_tokens.unwrap_or_default();
        let cache_write = details.cache_write_tokens.unwrap_or_default();
        let prompt = wire.prompt_tokens.unwrap_or_default();
        Self {
            input: (prompt - cache_read - cache_write).max(0),
            output: wire.completion_tokens.unwrap_or_default(),
            cache_read,
            cache_write,
        }
    }
}
