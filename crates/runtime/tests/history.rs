//! Whatever interrupts a job, what the model is shown next is a history that both families of providers take, and
//! every tool call in it has exactly one result, in order. Here the transcript is driven by chance against a model
//! of it that is nothing but two lists of ids; that the runtime writes such transcripts is for the simulation.
#![expect(clippy::unwrap_used, reason = "test code")]

use agent::{
    history,
    prompt::{self, Setting},
    turn::{self, INTERRUPTED, Limits, PendingCall, Step},
};
use domain::{
    Timestamp,
    id::{AgentId, JobId, MessageId, TenantId},
    job::{Job, JobStatus},
    message::{Arguments, Content, Message, Part, Role, Trust},
    model::Price,
    queue::{Fence, Lane},
};
use inference::{Family, Thinking};
use ports::inference::{ModelProfile, ToolSpec, Turn};
use proptest::prelude::*;
use serde_json::json;
use services::jobs::continuation;
use simulators::model::{Wire, check_request};
use test_kit::{builders, fakes::SeqIds};
use uuid::Uuid;

const LIMITS: Limits = Limits { turns: 8 };

/// One thing that happens to a job.
#[derive(Clone, Debug)]
enum Event {
    /// The model asks for so many tools, with or without words before, and thinks or does not.
    Calls(usize, bool, bool),
    /// The model answers in words.
    Says,
    /// The tools ran; every so many-th failed, and every so many-th gave nothing.
    Results(usize, usize),
    /// A person writes while the job works.
    Steers,
    /// The process ends; the next one reads the rows.
    Crash,
    /// A person stops the job, or its time is up, and somebody has it tried again: after its last turn or from
    /// the start, and perhaps by a model of the other family.
    Retry(bool, bool),
    /// What the tools answered is forgotten.
    Forgotten,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1_usize..4, any::<bool>(), any::<bool>()).prop_map(|(n, words, thinks)| Event::Calls(n, words, thinks)),
        1 => Just(Event::Says),
        4 => (1_usize..4, 1_usize..4).prop_map(|(failed, empty)| Event::Results(failed, empty)),
        2 => Just(Event::Steers),
        2 => Just(Event::Crash),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(last, switch)| Event::Retry(last, switch)),
        1 => Just(Event::Forgotten),
    ]
}

/// A job's transcript, and what must be in it.
struct Work {
    ids: SeqIds,
    job: Job,
    transcript: Vec<Message>,
    /// What earlier attempts and jobs left as memory.
    memory: Vec<Turn>,
    /// The calls that were made and the results that were given, in order: all that the model of it knows.
    called: Vec<String>,
    answered: Vec<String>,
    count: usize,
}

impl Work {
    fn begin() -> Self {
        let ids = SeqIds::default();
        let lane = Lane {
            id: domain::id::LaneId::from_uuid(Uuid::nil()),
            tenant_id: TenantId::from_uuid(Uuid::nil()),
            conversation_id: domain::id::ConversationId::from_uuid(Uuid::nil()),
            agent_id: AgentId::from_uuid(Uuid::nil()),
            lease: None,
            fence: Fence(1),
        };
        let item = domain::id::WorkItemId::from_uuid(Uuid::nil());
        let job = builders::job(&ids, &lane, item, Timestamp::UNIX_EPOCH);
        let mut work = Self {
            ids,
            job,
            transcript: Vec::new(),
            memory: Vec::new(),
            called: Vec::new(),
            answered: Vec::new(),
            count: 0,
        };
        work.hears();
        work
    }

    fn append(&mut self, role: Role, parts: Vec<Part>) {
        let seq = self.transcript.last().map_or(1, |last| last.seq + 1);
        let mut message = builders::message(&self.ids, &self.job, seq, "");
        message.role = role;
        message.parts = parts;
        self.transcript.push(message);
    }

    fn hears(&mut self) {
        let parts = vec![
            Part::system("[From Ada]"),
            Part::human("do it", Trust::Guest),
        ];
        self.append(Role::User, parts);
    }

    /// What is pending now gets these results.
    fn answer(&mut self, calls: Vec<PendingCall>, result: impl Fn(usize) -> (String, bool)) {
        self.answered
            .extend(calls.iter().map(|call| call.id.clone()));
        let results = calls.into_iter().enumerate().map(|(n, call)| {
            let (text, is_error) = result(n);
            (call, text, is_error)
        });
        let results = turn::results(results.collect());
        self.append(Role::Tool, results);
    }

    fn interrupt(&mut self) {
        if let Step::RunTools(calls) = turn::next(&self.transcript, LIMITS) {
            self.answer(calls, |_| (INTERRUPTED.to_owned(), true));
        }
    }

    fn happens(&mut self, event: &Event) {
        let step = turn::next(&self.transcript, LIMITS);
        match (event, step) {
            (Event::Calls(count, words, thinks), Step::CallModel { with_tools: true }) => {
                self.asks(*count, *words, *thinks);
            }
            (Event::Says, Step::CallModel { .. }) => {
                self.append(Role::Assistant, vec![text("done")]);
            }
            (Event::Results(failed, empty), Step::RunTools(calls)) => self.answer(calls, |n| {
                let words = if n % empty == 0 { "" } else { "ok" };
                (words.to_owned(), n % failed == 0)
            }),
            (Event::Steers, Step::CallModel { .. }) => self.hears(),
            (Event::Crash, _) => {
                let rows = serde_json::to_string(&parts(&self.transcript)).unwrap();
                let read: Vec<Vec<Part>> = serde_json::from_str(&rows).unwrap();
                assert_eq!(read, parts(&self.transcript));
                self.interrupt();
            }
            (Event::Retry(last, switch), _) => self.retry(*last, *switch),
            (Event::Forgotten, Step::CallModel { .. }) => self.forget(),
            _ => {}
        }
    }

    fn asks(&mut self, count: usize, words: bool, thinks: bool) {
        let mut parts = Vec::new();
        if thinks {
            parts.push(Part::model(Content::Thinking {
                text: "hm".to_owned(),
                signature: Some("signed".to_owned()),
                redacted: false,
            }));
        }
        if words {
            parts.push(text("let me see"));
        }
        for n in 0..count {
            self.count += 1;
            let id = format!("call_{}", self.count);
            self.called.push(id.clone());
            let arguments = Arguments::parse(if n == 2 { "{" } else { "{}" });
            let name = "bash".to_owned();
            parts.push(Part::model(Content::ToolCall {
                id,
                name,
                arguments,
            }));
        }
        self.append(Role::Assistant, parts);
    }

    /// The job ends here, whole, and another takes up what it was for.
    fn retry(&mut self, last_turn: bool, switch: bool) {
        self.interrupt();
        self.job.status = JobStatus::Cancelled;
        self.memory = history::turns(std::slice::from_ref(&self.job), &self.transcript);
        if last_turn {
            continuation::keep(&mut self.transcript, !switch);
        } else {
            self.transcript.clear();
        }
        self.job.id = JobId::from_uuid(ports::ids::Ids::next(&self.ids));
        for message in &mut self.transcript {
            message.id = MessageId::from_uuid(ports::ids::Ids::next(&self.ids));
            message.job_id = self.job.id;
        }
        if self.transcript.is_empty() {
            self.hears();
        }
        self.called = calls(&self.transcript);
        self.answered.retain(|id| self.called.contains(id));
    }

    fn forget(&mut self) {
        for part in self.transcript.iter_mut().flat_map(|m| &mut m.parts) {
            if let Content::ToolResult { text, .. } = &mut part.content {
                "(no longer kept)".clone_into(text);
            }
        }
    }

    /// The model of it and both families' rules, at this position.
    fn check(&self, thinking_tokens: Option<i64>) -> Result<(), TestCaseError> {
        prop_assert_eq!(calls(&self.transcript), &self.called[..]);
        prop_assert_eq!(results(&self.transcript), &self.answered[..]);
        let Step::CallModel { with_tools } = turn::next(&self.transcript, LIMITS) else {
            return Ok(());
        };
        prop_assert_eq!(&self.called, &self.answered);
        let agent = builders::agent(&self.ids, self.job.tenant_id, "Ada", Timestamp::UNIX_EPOCH);
        let profile = ModelProfile {
            price: Price::default(),
            context_tokens: 100_000,
            max_output_tokens: 8_000,
            thinking_tokens,
        };
        let tools = [tool()];
        let setting = Setting {
            agent: &agent,
            model: "m",
            profile: &profile,
            history: &self.memory,
            tools: &tools,
        };
        let request = prompt::request(&setting, &self.transcript, with_tools);
        let families = [
            (Family::Anthropic, Some(Thinking::Budget), Wire::Anthropic),
            (Family::Anthropic, Some(Thinking::Adaptive), Wire::Anthropic),
            (Family::OpenAi, None, Wire::OpenAi),
        ];
        for (family, thinking, wire) in families {
            let body = inference::body(family, thinking, &request).unwrap();
            let taken = check_request(wire, &body);
            prop_assert_eq!(taken, Ok(()), "{:?}: {:#}", wire, body);
        }
        Ok(())
    }
}

fn tool() -> ToolSpec {
    ToolSpec {
        name: "bash",
        description: "A tool.",
        parameters: json!({ "type": "object", "properties": {} }),
        read_only: false,
    }
}

fn text(text: &str) -> Part {
    Part::model(Content::Text {
        text: text.to_owned(),
    })
}

fn parts(transcript: &[Message]) -> Vec<Vec<Part>> {
    transcript.iter().map(|m| m.parts.clone()).collect()
}

fn calls(transcript: &[Message]) -> Vec<String> {
    let calls = transcript.iter().flat_map(Message::tool_calls);
    calls.map(|(id, ..)| id.to_owned()).collect()
}

fn results(transcript: &[Message]) -> Vec<String> {
    let parts = transcript.iter().flat_map(|message| &message.parts);
    parts
        .filter_map(|part| match &part.content {
            Content::ToolResult { id, .. } => Some(id.clone()),
            Content::Text { .. }
            | Content::Thinking { .. }
            | Content::ToolCall { .. }
            | Content::File { .. } => None,
        })
        .collect()
}

#[test]
fn the_judge_refuses_a_call_without_its_result() {
    let mut work = Work::begin();
    work.asks(2, false, false);
    work.append(Role::Tool, turn::results(Vec::new()));
    work.called.clear();
    assert!(work.check(None).is_err());
}

proptest! {
    #[test]
    fn whatever_interrupts_a_job_both_families_take_what_it_says_next(
        events in proptest::collection::vec(event(), 0..40),
        thinking_tokens in proptest::option::of(Just(2_000_i64)),
    ) {
        let mut work = Work::begin();
        work.check(thinking_tokens)?;
        for event in &events {
            work.happens(event);
            work.check(thinking_tokens)?;
        }
    }
}
