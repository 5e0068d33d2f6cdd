//! One model turn: reserve the money, listen, commit what was said. Money is reserved in the same
//! transaction as the rows before the call, and settled in the one that keeps the answer.

use crate::{
    engine::Engine,
    finish,
    job::{Halt, Run},
    live_text::Publisher,
    model_call::{self, Heard},
    steering,
};
use ::agent::prompt::{self, Setting};
use domain::{
    budget::{Micros, Reservation},
    id::{ModelCallId, ToolCallId},
    job::JobFailure,
    message::{Message, Part, Role, ToolCall, ToolCallStatus},
    model::{ModelCall, ModelCallPurpose, ModelCallStatus, StopReason, Usage},
    queue::backoff,
};
use metrics::{counter, histogram};
use ports::{
    inference::{InferenceError, ModelRequest, ResolvedModel},
    store::{StoreError, StoreTx},
};
use std::time::Duration;

/// How often a model is asked again before the job fails.
const TRIES: u32 = 6;
/// The longest wait between two tries, whatever the provider says.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// How long a job waits for money that other calls hold.
const MONEY_WAIT: Duration = Duration::from_mins(1);
/// How often it looks whether that money is free.
const MONEY_LOOK: Duration = Duration::from_millis(250);

/// A call that is paid for.
pub(crate) struct Prepared {
    pub(crate) call: ModelCall,
    request: ModelRequest,
    model: ResolvedModel,
}

/// The outcome of asking for money.
pub(crate) enum Preparation {
    /// The call may start.
    Ready(Box<Prepared>),
    /// Calls under way hold the money.
    Busy,
    /// There will be no call.
    Refused(JobFailure),
}

/// What a step led to.
#[derive(PartialEq, Eq)]
pub(crate) enum Taken {
    /// The job is over, or waits for something without a worker.
    Finished,
    /// There is more to do.
    Continues,
}

/// Takes over new messages, puts the request together and reserves its worst case.
pub(crate) async fn prepare(
    run: &mut Run,
    tx: &dyn StoreTx,
    with_tools: bool,
) -> Result<Preparation, StoreError> {
    steering::absorb(run, tx).await?;
    let model = match run.model(tx).await? {
        Ok(model) => model,
        Err(failure) => return Ok(Preparation::Refused(failure)),
    };
    let agent = &run.scene.agent;
    let tools = run.engine.specs.iter();
    let tools: Vec<_> = tools
        .filter(|spec| agent.may_use(spec.name))
        .cloned()
        .collect();
    let setting = Setting {
        agent,
        model: model.model.name(),
        profile: &model.profile,
        history: &run.history,
        tools: &tools,
    };
    let request = prompt::request(&setting, &run.transcript, with_tools);
    let worst = model
        .profile
        .price
        .worst_case(prompt::prompt_tokens(&request), request.max_output_tokens);
    let call = ModelCall {
        id: ModelCallId::from_uuid(run.engine.platform.ids.next()),
        tenant_id: run.job.tenant_id,
        work_item_id: run.job.work_item_id,
        job_id: Some(run.job.id),
        purpose: ModelCallPurpose::Turn,
        model: model.model.clone(),
        status: ModelCallStatus::Reserved,
        reserved: worst,
        cost: Micros::ZERO,
        usage: Usage::default(),
        outcome: None,
        started_at: run.engine.now(),
        finished_at: None,
    };
    Ok(match tx.ledger().reserve(&call, run.job.agent_id).await? {
        Reservation::Granted => Preparation::Ready(Box::new(Prepared {
            call,
            request,
            model,
        })),
        Reservation::Busy => Preparation::Busy,
        Reservation::Refused {
            scope,
            limit,
            spent,
        } => Preparation::Refused(exhausted(scope, limit, spent, worst)),
    })
}

/// The next call, paid for; waits while other calls hold the money.
pub(crate) async fn reserve(run: &mut Run, with_tools: bool) -> Result<Prepared, Halt> {
    let deadline = run.engine.now() + MONEY_WAIT;
    loop {
        let preparation = match run.prepared.take() {
            Some(preparation) => preparation,
            None => prepare_now(run, with_tools).await?,
        };
        match preparation {
            Preparation::Ready(prepared) => return Ok(*prepared),
            Preparation::Refused(failure) => return Err(Halt::Failed(failure)),
            Preparation::Busy if run.engine.now() >= deadline => return Err(Halt::Failed(busy())),
            Preparation::Busy => wait(run, MONEY_LOOK).await?,
        }
    }
}

/// Makes the call and commits what came of it.
pub(crate) async fn take(run: &mut Run, prepared: Prepared) -> Result<Taken, Halt> {
    let Prepared {
        mut call,
        request,
        model,
    } = prepared;
    let prompt = prompt::prompt_tokens(&request);
    crate::crash::point("model.before_call");
    let mut heard = Heard::new(&model);
    let watcher = Publisher::new(&run.engine, run.job.tenant_id, run.job.id);
    let interrupted = tokio::select! {
        biased;
        () = model_call::listen(&model, request, &watcher, &mut heard) => None,
        () = run.stop.cancelled() => Some(Halt::Cancelled),
        () = run.engine.abandon.cancelled() => return Err(Halt::Abandoned),
    };
    crate::crash::point("model.ended");
    let now = run.engine.now();
    call.usage = heard.charged(prompt);
    call.cost = model.profile.price.cost(call.usage);
    call.finished_at = Some(now);
    histogram!("nitejar_model_call_seconds").record((now - call.started_at).as_seconds_f64());
    run.job.usage = run.job.usage.plus(call.usage);
    run.job.cost = run.job.cost.plus(call.cost);
    match (interrupted, heard.end) {
        (Some(halt), _) => {
            "stopped".clone_into(call.outcome.get_or_insert_default());
            failed(run, call).await?;
            Err(halt)
        }
        (None, Ok(reason)) => {
            run.failures = 0;
            call.status = ModelCallStatus::Settled;
            call.outcome = Some(reason.to_string());
            Ok(keep(run, call, heard.contents, reason).await?)
        }
        (None, Err(error)) => again(run, call, &error).await,
    }
}

/// Settles calls of this job that a dead process left reserved.
pub(crate) async fn settle_leftovers(run: &mut Run, tx: &dyn StoreTx) -> Result<(), StoreError> {
    for mut call in tx.ledger().calls(run.job.tenant_id, run.job.id).await? {
        if call.status == ModelCallStatus::Reserved {
            // Nobody knows what the provider counted before the process died; its budget must not gain by it.
            call.cost = call.reserved;
            run.job.cost = run.job.cost.plus(call.cost);
            call.outcome = Some("interrupted by a restart; charged as reserved".to_owned());
            settle_failed(run, tx, call).await?;
        }
    }
    Ok(())
}

/// Settles a call that will not be used: the money goes back, what was counted is charged.
pub(crate) async fn settle_failed(
    run: &mut Run,
    tx: &dyn StoreTx,
    mut call: ModelCall,
) -> Result<(), StoreError> {
    call.status = ModelCallStatus::Failed;
    call.finished_at.get_or_insert(run.engine.now());
    tx.ledger().settle(&call, run.job.agent_id).await?;
    run.events.push(services::events::usage(&call));
    Ok(())
}

async fn prepare_now(run: &mut Run, with_tools: bool) -> Result<Preparation, StoreError> {
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    let preparation = prepare(run, tx.as_ref(), with_tools).await?;
    crate::crash::point("reserve.before_commit");
    run.flush(tx.as_ref()).await?;
    tx.commit().await?;
    crate::crash::point("reserve.after_commit");
    Ok(preparation)
}

/// Commits the answer: either with the calls it asks for, or with the end of the job.
async fn keep(
    run: &mut Run,
    call: ModelCall,
    contents: Vec<domain::message::Content>,
    reason: StopReason,
) -> Result<Taken, StoreError> {
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    let parts = contents.into_iter().map(Part::model).collect();
    run.append(tx.as_ref(), Role::Assistant, parts).await?;
    tx.ledger().settle(&call, run.job.agent_id).await?;
    run.events.push(services::events::usage(&call));
    let calls = run
        .transcript
        .last()
        .map(|answer| requested(&run.engine, answer))
        .unwrap_or_default();
    let taken = if calls.is_empty() {
        let mut text = run.transcript.last().map(Message::text).unwrap_or_default();
        if reason == StopReason::MaxTokens {
            text.push_str("\n\n_(The model reached its output limit here.)_");
        }
        finish::complete_in(run, tx.as_ref(), &text).await?;
        Taken::Finished
    } else {
        tx.transcript().insert_tool_calls(&calls).await?;
        run.events
            .extend(calls.iter().map(services::events::tool_started));
        tx.jobs().update(&run.job).await?;
        run.presence.working_on(&calls);
        run.calls = calls;
        run.resumed = false;
        Taken::Continues
    };
    crate::crash::point("model.before_commit");
    run.flush(tx.as_ref()).await?;
    tx.commit().await?;
    crate::crash::point("model.after_commit");
    Ok(taken)
}

/// The receipts of the calls an answer asks for.
fn requested(engine: &Engine, answer: &Message) -> Vec<ToolCall> {
    let calls = answer.tool_calls().zip(0..);
    calls
        .map(|((id, name, arguments), position)| ToolCall {
            id: ToolCallId::from_uuid(engine.platform.ids.next()),
            tenant_id: answer.tenant_id,
            job_id: answer.job_id,
            message_id: answer.id,
            position,
            provider_call_id: id.to_owned(),
            name: name.to_owned(),
            arguments: arguments.clone(),
            status: ToolCallStatus::Running,
            result: None,
            detail: None,
            started_at: engine.now(),
            finished_at: None,
        })
        .collect()
}

/// Settles a failed call, then waits for the next try or gives up.
async fn again(run: &mut Run, mut call: ModelCall, error: &InferenceError) -> Result<Taken, Halt> {
    let message = run.engine.redactor.redact(&error.to_string()).into_owned();
    call.outcome = Some(message.clone());
    failed(run, call).await?;
    crate::crash::point("model.failed_after_commit");
    run.failures += 1;
    counter!("nitejar_model_failures_total").increment(1);
    tracing::warn!(job.id = %run.job.id, attempt = run.failures, "the model did not answer: {message}");
    let Some(asked) = error.retry() else {
        return Err(Halt::Failed(JobFailure {
            code: "model_rejected".to_owned(),
            message: format!("{message}."),
        }));
    };
    if run.failures >= TRIES {
        let message = format!("{message}. It was tried {TRIES} times; retry the job later.");
        return Err(Halt::Failed(JobFailure {
            code: "model_unavailable".to_owned(),
            message,
        }));
    }
    let jitter = run.engine.jitter();
    let delay = asked.unwrap_or_else(|| {
        backoff(
            run.failures,
            Duration::from_secs(1),
            Duration::from_secs(30),
            jitter,
        )
    });
    wait(run, delay.min(LONGEST_WAIT)).await?;
    Ok(Taken::Continues)
}

async fn failed(run: &mut Run, call: ModelCall) -> Result<(), StoreError> {
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    settle_failed(run, tx.as_ref(), call).await?;
    crate::crash::point("model.failed_before_commit");
    tx.jobs().update(&run.job).await?;
    run.flush(tx.as_ref()).await?;
    tx.commit().await
}

async fn wait(run: &Run, duration: Duration) -> Result<(), Halt> {
    tokio::select! {
        biased;
        () = run.stop.cancelled() => Err(Halt::Cancelled),
        () = run.engine.abandon.cancelled() => Err(Halt::Abandoned),
        () = run.engine.sleep(duration) => Ok(()),
    }
}

fn exhausted(scope: &str, limit: Micros, spent: Micros, worst: Micros) -> JobFailure {
    let way_out = match scope {
        "agent" => "Raise the agent's budget_micros_per_day, or retry the job tomorrow (UTC).",
        "tenant" => "Raise TENANT_BUDGET_MICROS_PER_DAY, or retry the job tomorrow (UTC).",
        _ => "Raise JOB_BUDGET_MICROS, or ask for a smaller step.",
    };
    JobFailure {
        code: "budget_exhausted".to_owned(),
        message: format!(
            "The {scope} budget of {limit} does not cover the next model call: {spent} is spent and the call may \
             cost {worst}. {way_out}"
        ),
    }
}

fn busy() -> JobFailure {
    JobFailure {
        code: "budget_busy".to_owned(),
        message: "Other model calls hold what is left of the budget. Retry the job when they are done, or raise it."
            .to_owned(),
    }
}
