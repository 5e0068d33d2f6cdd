//! Jobs that wait for an answer before they act.

use crate::{parts::Answer, world::World};
use domain::{
    access::{Actor, Role},
    approval::{ApprovalKind, ApprovalStatus, OPEN_FOR, Ruling},
    audit::AuditActorKind,
    job::{Job, JobStatus},
    message::{Content, Message, Role as Turn, ToolCall, ToolCallStatus},
};
use ports::store::{AuditFilter, Store};
use serde_json::{Value, json};
use services::{Context, Error, approvals, jobs};
use std::sync::Arc;

const DEPLOY: &str = "request_approval";

fn asks() -> Value {
    json!({"question": "May I deploy?", "action": {"command": "deploy", "to": "production"}})
}

async fn asking(rest: &[Answer]) -> World {
    let mut answers = vec![Answer::Calls(vec![(DEPLOY, asks())])];
    answers.extend_from_slice(rest);
    World::start(&answers).await
}

impl World {
    async fn calls(&self) -> Vec<ToolCall> {
        let job = self.jobs().await.remove(0).id;
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        tx.transcript().tool_calls(self.tenant, job).await.unwrap()
    }

    async fn transcript(&self) -> Vec<Message> {
        let job = self.jobs().await.pop().unwrap().id;
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        tx.transcript().of_jobs(self.tenant, &[job]).await.unwrap()
    }

    async fn ends(&self, status: JobStatus) {
        self.until("the end of the job", async || {
            self.jobs()
                .await
                .pop()
                .is_some_and(|job| job.status == status)
        })
        .await;
    }
}

/// While it waits nobody has the lane, and no money is reserved.
async fn holds_nothing(world: &World, job: &Job) {
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let lane = tx.lanes().lock(world.tenant, job.lane_id).await.unwrap();
    assert_eq!(lane.unwrap().lease, None);
    let calls = tx.ledger().calls(world.tenant, job.id).await.unwrap();
    assert_eq!(
        calls.len(),
        1,
        "nothing is reserved while it waits: {calls:?}"
    );
}

/// What the server itself did, as the audit trail has it.
async fn noted(world: &World) -> Vec<String> {
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let all = AuditFilter::default();
    let entries = tx.audit().list(world.tenant, &all, i64::MAX, 100).await;
    let by_itself = entries.unwrap().into_iter();
    by_itself
        .filter(|entry| entry.actor.kind == AuditActorKind::System)
        .map(|entry| entry.action)
        .collect()
}

#[tokio::test]
async fn a_job_waits_without_a_worker_and_goes_on_with_the_answer() {
    let world = asking(&[Answer::Says(vec!["deployed"])]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    assert_eq!(asked.kind, ApprovalKind::Action);
    assert_eq!(asked.question, "May I deploy?");
    assert_eq!(asked.action, asks()["action"]);
    assert_eq!(asked.requesters[0].external_id, "ada");
    assert_eq!(asked.expires_at - asked.requested_at, OPEN_FOR);
    world
        .until("the question in the channel", async || {
            world.questions().len() == 1
        })
        .await;
    let (text, buttons, _) = world.questions().remove(0);
    assert!(
        text.contains("May I deploy?") && text.contains("production"),
        "{text}"
    );
    assert!(buttons.iter().all(|data| data.len() <= 64), "{buttons:?}");
    let job = world.jobs().await.remove(0);
    assert_eq!(job.status, JobStatus::Waiting);
    assert_eq!(world.calls().await[0].status, ToolCallStatus::Running);
    holds_nothing(&world, &job).await;
    let grace = world.person(Role::Member);
    let note = Some("go".to_owned());
    let shown = approvals::decide(&grace, asked.id, Ruling::Approve, note.clone())
        .await
        .unwrap();
    assert_eq!(shown.approval.status, ApprovalStatus::Approved);
    assert_eq!(world.reply().await, "deployed");
    world.ends(JobStatus::Completed).await;
    let call = world.calls().await.remove(0);
    assert_eq!(call.status, ToolCallStatus::Succeeded);
    assert!(call.result.unwrap().starts_with("Approved by Grace. go"));
    // The same answer again is no news, another one does not count.
    let again = approvals::decide(&grace, asked.id, Ruling::Approve, note)
        .await
        .unwrap();
    assert_eq!(again.approval, shown.approval);
    let other = approvals::decide(&grace, asked.id, Ruling::Deny, None).await;
    assert!(
        matches!(
            other,
            Err(Error::Conflict {
                code: "approval_decided",
                ..
            })
        ),
        "{other:?}"
    );
    world
        .until("the answer in the channel", async || {
            world.questions().len() == 2
        })
        .await;
    let (text, buttons, edit) = world.questions().remove(1);
    assert!(text.contains("Approved by Grace."), "{text}");
    assert!(buttons.is_empty() && edit.is_some());
}

#[tokio::test]
async fn a_denial_is_an_answer_and_the_job_goes_on_with_it() {
    let world = asking(&[Answer::Says(vec!["then not"])]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    let viewer = approvals::decide(&world.person(Role::Viewer), asked.id, Ruling::Deny, None).await;
    assert!(matches!(viewer, Err(Error::Forbidden { .. })), "{viewer:?}");
    let agent = Context::of(
        Arc::clone(&world.platform),
        world.tenant,
        Actor::Agent(asked.agent_id),
    );
    let itself = approvals::decide(&agent, asked.id, Ruling::Approve, None).await;
    assert!(matches!(itself, Err(Error::Forbidden { .. })), "{itself:?}");
    approvals::decide(&world.person(Role::Member), asked.id, Ruling::Deny, None)
        .await
        .unwrap();
    assert_eq!(world.reply().await, "then not");
    let call = world.calls().await.remove(0);
    assert_eq!(call.status, ToolCallStatus::Failed);
    assert!(call.result.unwrap().starts_with("Denied by Grace."));
}

#[tokio::test]
async fn silence_becomes_a_denial_by_itself() {
    let world = asking(&[Answer::Says(vec!["nobody said anything"])]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    world.clock.advance(OPEN_FOR.to_std().unwrap());
    let late = approvals::decide(&world.person(Role::Owner), asked.id, Ruling::Approve, None).await;
    assert!(
        matches!(
            late,
            Err(Error::Conflict {
                code: "approval_expired",
                ..
            })
        ),
        "{late:?}"
    );
    assert_eq!(world.reply().await, "nobody said anything");
    let call = world.calls().await.remove(0);
    assert!(call.result.unwrap().contains("counts as a denial"));
    assert_eq!(noted(&world).await, ["approval.expired"]);
}

#[tokio::test]
async fn nobody_needs_to_look_for_an_approval_to_expire() {
    let world = asking(&[Answer::Says(vec!["nobody said anything"])]).await;
    world.say("deploy").await;
    world.asked().await;
    world.clock.advance(OPEN_FOR.to_std().unwrap());
    assert_eq!(world.reply().await, "nobody said anything");
    assert_eq!(world.approvals().await[0].status, ApprovalStatus::Expired);
    assert_eq!(noted(&world).await, ["approval.expired"]);
}

#[tokio::test]
async fn a_message_to_a_waiting_job_is_heard_after_the_answer() {
    let world = asking(&[Answer::Says(vec!["all done"])]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    world.say("and tell Bob").await;
    let lane = world.jobs().await.remove(0).lane_id;
    world
        .until("the lane to be looked at", async || {
            let tx = world.store.inner().read(world.tenant).await.unwrap();
            let lane = tx.lanes().lock(world.tenant, lane).await.unwrap().unwrap();
            let queued = tx.lanes().queued(world.tenant, lane.id, 9).await.unwrap();
            queued.len() == 1 && lane.lease.is_none()
        })
        .await;
    assert_eq!(world.jobs().await[0].status, JobStatus::Waiting);
    approvals::decide(&world.person(Role::Member), asked.id, Ruling::Approve, None)
        .await
        .unwrap();
    assert_eq!(world.reply().await, "all done");
    assert_eq!(world.jobs().await.len(), 1);
    let roles: Vec<Turn> = world.transcript().await.iter().map(|m| m.role).collect();
    assert_eq!(
        roles,
        [
            Turn::User,
            Turn::Assistant,
            Turn::Tool,
            Turn::User,
            Turn::Assistant
        ]
    );
}

#[tokio::test]
async fn stopping_a_waiting_job_withdraws_its_question() {
    let world = asking(&[]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    world
        .until("the question in the channel", async || {
            world.questions().len() == 1
        })
        .await;
    let grace = world.person(Role::Member);
    jobs::cancel(&grace, asked.job_id).await.unwrap();
    let late = approvals::decide(&grace, asked.id, Ruling::Approve, None).await;
    assert!(
        matches!(
            late,
            Err(Error::Conflict {
                code: "approval_decided",
                ..
            })
        ),
        "{late:?}"
    );
    world.ends(JobStatus::Cancelled).await;
    assert_eq!(world.approvals().await[0].status, ApprovalStatus::Withdrawn);
    assert_eq!(world.calls().await[0].status, ToolCallStatus::Interrupted);
    let results = |message: &Message| {
        let parts = message.parts.iter();
        parts
            .filter(|p| matches!(p.content, Content::ToolResult { .. }))
            .count()
    };
    assert_eq!(
        world.transcript().await.iter().map(results).sum::<usize>(),
        1
    );
    world
        .until("the buttons to go", async || {
            world
                .questions()
                .last()
                .is_some_and(|(_, buttons, _)| buttons.is_empty())
        })
        .await;
}

#[tokio::test]
async fn calls_behind_a_question_are_not_run_and_only_one_is_asked() {
    let calls = vec![
        (DEPLOY, asks()),
        (DEPLOY, asks()),
        ("bash", json!({"command": "deploy"})),
    ];
    let world = World::start(&[Answer::Calls(calls), Answer::Says(vec!["well"])]).await;
    world.say("deploy").await;
    let asked = world.asked().await;
    assert_eq!(world.approvals().await.len(), 1);
    approvals::decide(&world.person(Role::Member), asked.id, Ruling::Approve, None)
        .await
        .unwrap();
    world.reply().await;
    let ends: Vec<ToolCallStatus> = world.calls().await.iter().map(|call| call.status).collect();
    assert_eq!(
        ends,
        [
            ToolCallStatus::Succeeded,
            ToolCallStatus::Failed,
            ToolCallStatus::Failed
        ]
    );
    let results = world
        .transcript()
        .await
        .into_iter()
        .filter(|m| m.role == Turn::Tool);
    assert_eq!(results.map(|m| m.parts.len()).collect::<Vec<_>>(), [3]);
}
