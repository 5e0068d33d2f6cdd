//! `demo/scripted`: a model without AI, so that everything can be tried without a key or a network.
//!
//! It keeps nothing between calls: like any model it sees only the request, and the same request
//! gets the same answer. It must never pretend to be intelligent.

mod answer;
mod ask;
mod plan;

use crate::{estimate, history};
use async_trait::async_trait;
use domain::{
    message::{Arguments, Content},
    model::{StopReason, Usage},
};
use futures_util::stream;
use plan::{Action, Plan};
use ports::{
    clock::Clock,
    inference::{Inference, InferenceError, ModelEvent, ModelRequest, ModelStream},
};
use serde_json::json;
use std::{collections::VecDeque, sync::Arc, time::Duration};

/// The provider's name.
pub(crate) const PROVIDER: &str = "demo";
pub(crate) const MODEL: &str = "scripted";

/// How often it says something while it "thinks".
const THOUGHT_EVERY: Duration = Duration::from_millis(500);
/// The pause between the words of an answer it thought about, and how many such pauses there are.
const WORD_EVERY: Duration = Duration::from_millis(100);
const SLOW_WORDS: usize = 40;

/// The built-in model.
pub(crate) struct Demo {
    clock: Arc<dyn Clock>,
}

impl Demo {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Inference for Demo {
    async fn ask(&self, request: ModelRequest) -> Result<ModelStream, InferenceError> {
        if request.model != MODEL {
            return Err(InferenceError::Rejected {
                provider: PROVIDER.to_owned(),
                status: 404,
                message: format!(
                    "there is no model `{}`; the only one is {PROVIDER}/{MODEL}",
                    request.model
                ),
            });
        }
        let moments = if is_triage(&request) {
            triage(&request)
        } else {
            perform(&request)
        };
        let state = (moments, Arc::clone(&self.clock));
        Ok(Box::pin(stream::unfold(state, next)))
    }
}

/// What happens next in an answer.
enum Moment {
    Say(ModelEvent),
    Wait(Duration),
}

type State = (VecDeque<Moment>, Arc<dyn Clock>);

async fn next((mut moments, clock): State) -> Option<(Result<ModelEvent, InferenceError>, State)> {
    loop {
        match moments.pop_front()? {
            Moment::Say(event) => return Some((Ok(event), (moments, clock))),
            Moment::Wait(pause) => clock.sleep(pause).await,
        }
    }
}

/// The question whether to act offers no tools and wants a JSON object.
fn is_triage(request: &ModelRequest) -> bool {
    let wants = |word: &str| request.system.contains(word);
    request.tools.is_empty() && wants("\"act\"") && wants("\"reason\"")
}

fn triage(request: &ModelRequest) -> VecDeque<Moment> {
    let reason = "The demo model acts on everything it is asked to judge.";
    let text = json!({ "act": true, "reason": reason }).to_string();
    let mut script = Script::new(request);
    script.text(&text, false);
    script.end(StopReason::EndTurn)
}

fn perform(request: &ModelRequest) -> VecDeque<Moment> {
    let Plan { think, action } = plan::next(request);
    let mut script = Script::new(request);
    let slowly = think > 0;
    script.think(think);
    match action {
        Action::Answer(text) => {
            script.text(&text, slowly);
            script.end(StopReason::EndTurn)
        }
        Action::Call {
            preface,
            tool,
            arguments,
        } => {
            script.text(&preface, slowly);
            script.part(Content::ToolCall {
                id: history::spare_call_id(history::count_calls(&request.turns)),
                name: tool.to_owned(),
                arguments: Arguments::Valid { value: arguments },
            });
            script.end(StopReason::ToolUse)
        }
    }
}

/// Writes an answer down as moments.
struct Script {
    moments: VecDeque<Moment>,
    prompt: usize,
    characters: usize,
}

impl Script {
    fn new(request: &ModelRequest) -> Self {
        let turns = request.turns.iter().flat_map(|turn| &turn.parts);
        let prompt = turns
            .map(|part| match &part.content {
                Content::Text { text }
                | Content::Thinking { text, .. }
                | Content::ToolResult { text, .. } => text.chars().count(),
                Content::ToolCall { name, .. } => name.len() + 32,
                Content::File { .. } => 64,
            })
            .sum::<usize>();
        let tools = request.tools.iter().map(|tool| tool.description.len() + 64);
        Self {
            moments: VecDeque::new(),
            prompt: prompt + request.system.chars().count() + tools.sum::<usize>(),
            characters: 0,
        }
    }

    fn event(&mut self, event: ModelEvent) {
        self.moments.push_back(Moment::Say(event));
    }

    fn part(&mut self, content: Content) {
        self.characters += 32;
        self.event(ModelEvent::Part(content));
    }

    fn think(&mut self, seconds: u64) {
        if seconds == 0 {
            return;
        }
        let mut whole = String::new();
        for second in 1..=seconds {
            let thought = format!("Second {second} of {seconds}: ");
            for piece in [thought.as_str(), "still pretending to think.\n"] {
                self.moments.push_back(Moment::Wait(THOUGHT_EVERY));
                self.event(ModelEvent::ThinkingDelta(piece.to_owned()));
                whole.push_str(piece);
            }
        }
        self.characters += whole.len();
        self.event(ModelEvent::Part(Content::Thinking {
            text: whole,
            signature: None,
            redacted: false,
        }));
    }

    fn text(&mut self, text: &str, slowly: bool) {
        if text.is_empty() {
            return;
        }
        self.characters += text.chars().count();
        for (position, words) in pieces(text).into_iter().enumerate() {
            if slowly && position < SLOW_WORDS {
                self.moments.push_back(Moment::Wait(WORD_EVERY));
            }
            self.event(ModelEvent::TextDelta(words.to_owned()));
        }
        self.event(ModelEvent::Part(Content::Text {
            text: text.to_owned(),
        }));
    }

    fn end(mut self, stop: StopReason) -> VecDeque<Moment> {
        self.event(ModelEvent::Usage(Usage {
            input: estimate::tokens(self.prompt),
            output: estimate::tokens(self.characters).max(1),
            ..Usage::default()
        }));
        self.event(ModelEvent::Stop(stop));
        self.moments
    }
}

/// A few words at a time.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let cut = rest
            .char_indices()
            .skip(16)
            .find(|(_, c)| c.is_whitespace())
            .map_or(rest.len(), |(at, c)| at + c.len_utf8());
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece);
        rest = tail;
    }
    pieces
}
