//! Running the calls of one answer and committing exactly one result for each, in order. Calls that
//! change nothing run side by side. A call that may have started in a process that is gone is not
//! repeated unless it changes nothing.

use crate::{
    answer::{self, Taken},
    attachments::Attachments,
    background::Background,
    engine::Engine,
    hands::LiveOutput,
    job::{Halt, Run},
    parking,
};
use ::agent::turn::{self, INTERRUPTED, PendingCall, Step};
use domain::{
    id::ToolCallId,
    message::{Arguments, Role, ToolCall, ToolCallStatus},
};
use futures_util::future::join_all;
use metrics::counter;
use ports::{
    store::{StoreError, StoreTx},
    tool::{Question, Tool, ToolContext, ToolOutcome},
};
use std::sync::Arc;

/// A call that waits for people, and what they are asked.
pub(crate) type Asks = (ToolCallId, Question);

/// Runs what has no result yet and commits the results, with the reservation of the next model call. A call that
/// asks people first stays open, and the job waits without a worker.
pub(crate) async fn run(run: &mut Run) -> Result<Taken, Halt> {
    let mut calls = std::mem::take(&mut run.calls);
    let mut from = 0;
    while from < calls.len() {
        let to = group_end(&run.engine, &calls, from);
        let group = calls.get_mut(from..to).unwrap_or_default();
        match run_group(run, group).await {
            Err(halt) => {
                run.calls = calls;
                return Err(halt);
            }
            Ok(Some(asks)) => {
                run.calls = calls;
                parking::park(run, asks).await?;
                return Ok(Taken::Finished);
            }
            Ok(None) => {}
        }
        from = to;
        if from < calls.len() {
            keep(run, &calls).await?;
            crate::crash::point("tools.between_after_commit");
        }
    }
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    write_results(run, tx.as_ref(), &calls).await?;
    run.prepared = match turn::next(&run.transcript, run.engine.settings.limits) {
        Step::CallModel { with_tools } => {
            Some(answer::prepare(run, tx.as_ref(), with_tools).await?)
        }
        Step::RunTools(_) | Step::Finish(_) | Step::OutOfTurns => None,
    };
    crate::crash::point("tools.before_commit");
    run.flush(tx.as_ref()).await?;
    tx.commit().await?;
    crate::crash::point("tools.after_commit");
    Ok(Taken::Continues)
}

/// Answers every call that has no result because the job ends here, so that the transcript stays whole.
pub(crate) async fn abort(run: &mut Run, tx: &dyn StoreTx) -> Result<(), StoreError> {
    if !matches!(run.transcript.last(), Some(last) if last.tool_calls().next().is_some()) {
        return Ok(());
    }
    let mut calls = std::mem::take(&mut run.calls);
    for call in calls
        .iter_mut()
        .filter(|call| call.status == ToolCallStatus::Running)
    {
        end(
            &run.engine,
            call,
            ToolCallStatus::Interrupted,
            ToolOutcome::error(INTERRUPTED),
        );
    }
    write_results(run, tx, &calls).await
}

/// The end of the group that starts at `from`: a run of calls that change nothing, or one that does.
fn group_end(engine: &Engine, calls: &[ToolCall], from: usize) -> usize {
    let quiet =
        |call: &ToolCall| tool(engine, &call.name).is_some_and(|tool| tool.spec().read_only);
    let run = calls
        .iter()
        .skip(from)
        .take_while(|call| quiet(call))
        .count();
    from + run.max(1)
}

/// Runs some calls; the first question to people among them comes back, and its call stays open.
async fn run_group(run: &Run, group: &mut [ToolCall]) -> Result<Option<Asks>, Halt> {
    crate::crash::point("tools.before_run");
    let outcomes = {
        let work = join_all(group.iter().map(|call| run_one(run, call)));
        tokio::select! {
            biased;
            outcomes = work => outcomes,
            () = run.stop.cancelled() => return Err(Halt::Cancelled),
            () = run.engine.abandon.cancelled() => return Err(Halt::Abandoned),
        }
    };
    crate::crash::point("tools.after_run");
    let mut asks = None;
    for (call, outcome) in group.iter_mut().zip(outcomes) {
        match outcome {
            Some((
                _,
                ToolOutcome {
                    asks: Some(question),
                    ..
                },
            )) if asks.is_none() => {
                asks = Some((call.id, question));
            }
            Some((_, ToolOutcome { asks: Some(_), .. })) => {
                let second = ToolOutcome::error(parking::ONE_AT_A_TIME);
                end(&run.engine, call, ToolCallStatus::Failed, second);
            }
            Some((status, outcome)) => end(&run.engine, call, status, outcome),
            None => {}
        }
    }
    Ok(asks)
}

/// Runs one call; `None` when it has its result already.
#[tracing::instrument(name = "execute_tool", skip_all, fields(
    job.id = %run.job.id, tool_call.id = %call.id, gen_ai.operation.name = "execute_tool",
    gen_ai.tool.name = tool(&run.engine, &call.name).map_or("unknown", |tool| tool.spec().name)))]
async fn run_one(run: &Run, call: &ToolCall) -> Option<(ToolCallStatus, ToolOutcome)> {
    if call.status != ToolCallStatus::Running {
        return None;
    }
    let agent = &run.scene.agent;
    let Some(tool) = tool(&run.engine, &call.name).filter(|_| agent.may_use(&call.name)) else {
        let known = run.engine.specs.iter().map(|spec| spec.name);
        let known: Vec<&str> = known.filter(|name| agent.may_use(name)).collect();
        let text = format!(
            "There is no tool `{}`. There are: {}.",
            call.name,
            known.join(", ")
        );
        return Some((ToolCallStatus::Failed, ToolOutcome::error(text)));
    };
    if run.resumed && !tool.spec().read_only {
        return Some((ToolCallStatus::Interrupted, ToolOutcome::error(INTERRUPTED)));
    }
    let arguments = match &call.arguments {
        Arguments::Valid { value } => value.clone(),
        Arguments::Invalid { error, .. } => {
            let text = format!(
                "The call was not run: {error}. Send one JSON object that fits the tool's schema."
            );
            return Some((ToolCallStatus::Failed, ToolOutcome::error(text)));
        }
    };
    let live = LiveOutput::new(&run.engine, call);
    let attachments = Attachments { run };
    let background = Background { run };
    let context = ToolContext {
        job_id: run.job.id,
        sandbox: &run.hands,
        background: &background,
        attachments: &attachments,
        live: &live,
    };
    let outcome = tool.call(&context, arguments).await;
    let status = if outcome.is_error {
        ToolCallStatus::Failed
    } else {
        ToolCallStatus::Succeeded
    };
    counter!("nitejar_tool_calls_total", "status" => status.as_str()).increment(1);
    Some((status, outcome))
}

/// Commits the results so far, between two groups.
async fn keep(run: &mut Run, calls: &[ToolCall]) -> Result<(), StoreError> {
    let tx = run.engine.write(run.lane.tenant_id).await?;
    tx.fenced(run.lane.tenant_id, run.lane.id, run.lane.fence)
        .await?;
    write_finished(run, tx.as_ref(), calls).await?;
    crate::crash::point("tools.between_before_commit");
    run.flush(tx.as_ref()).await?;
    tx.commit().await
}

/// Writes the receipts that ended and are not yet written.
pub(crate) async fn write_finished(
    run: &mut Run,
    tx: &dyn StoreTx,
    calls: &[ToolCall],
) -> Result<(), StoreError> {
    for call in calls
        .iter()
        .filter(|call| call.status != ToolCallStatus::Running)
    {
        if run.receipts.insert(call.id) {
            tx.transcript().finish_tool_call(call).await?;
            run.events.push(services::events::tool_finished(call));
        }
    }
    Ok(())
}

async fn write_results(
    run: &mut Run,
    tx: &dyn StoreTx,
    calls: &[ToolCall],
) -> Result<(), StoreError> {
    write_finished(run, tx, calls).await?;
    let results = calls
        .iter()
        .map(|call| {
            let pending = PendingCall {
                id: call.provider_call_id.clone(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            };
            let text = call
                .result
                .clone()
                .unwrap_or_else(|| INTERRUPTED.to_owned());
            (pending, text, call.status != ToolCallStatus::Succeeded)
        })
        .collect();
    run.append(tx, Role::Tool, turn::results(results)).await
}

pub(crate) fn end(
    engine: &Engine,
    call: &mut ToolCall,
    status: ToolCallStatus,
    outcome: ToolOutcome,
) {
    call.status = status;
    call.result = Some(outcome.text);
    call.detail = (!outcome.detail.is_empty()).then_some(serde_json::Value::Object(outcome.detail));
    call.finished_at = Some(engine.now());
}

fn tool<'e>(engine: &'e Engine, name: &str) -> Option<&'e Arc<dyn Tool>> {
    engine.tools.iter().find(|tool| tool.spec().name == name)
}
