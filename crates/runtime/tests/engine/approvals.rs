//! Jobs and drafts that wait for people.

use crate::{parts::Answer, world::World};
use chrono::TimeDelta;
use domain::{
    access::{Actor, Role},
    agent::ReplyPolicy,
    approval::{Approval, ApprovalKind, ApprovalStatus, OPEN_FOR, Ruling},
    audit::AuditActorKind,
    effect::{Effect, EffectAction, EffectStatus, REPLY_SLOT},
    id::{UserId, UserSessionId},
    job::{Job, JobStatus},
    message::{Content, Message, Role as Turn, ToolCall, ToolCallStatus},
    page::PageRequest,
    work::WorkItemStatus,
};
use ports::{
    clock::Clock,
    store::{ApprovalFilter, AuditFilter, Durability, Store, WorkFilter},
};
use serde_json::{Value, json};
use services::{Context, Error, approvals, effects, jobs};
use std::sync::Arc;
use uuid::Uuid;

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
    fn person(&self, role: Role) -> Context {
        let actor = Actor::User {
            id: UserId::from_uuid(Uuid::max()),
            name: "Grace".to_owned(),
            role,
            session: UserSessionId::from_uuid(Uuid::max()),
        };
        Context::of(Arc::clone(&self.platform), self.tenant, actor)
    }

    async fn approvals(&self) -> Vec<Approval> {
        let (filter, page) = (ApprovalFilter::default(), PageRequest::first(100));
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        let page = tx.approvals().list(self.tenant, &filter, page).await;
        page.unwrap().items
    }

    /// The question that is open, once there is one.
    async fn asked(&self) -> Approval {
        self.until("a question", async || !self.approvals().await.is_empty())
            .await;
        self.approvals().await.remove(0)
    }

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

    async fn effects(&self) -> Vec<Effect> {
        let job = self.jobs().await.remove(0).id;
        let tx = self.store.inner().read(self.tenant).await.unwrap();
        tx.effects().of_job(self.tenant, job).await.unwrap()
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

    /// The question as it reads in the channel, and its buttons.
    fn questions(&self) -> Vec<(String, Vec<String>, Option<String>)> {
        let sent = self.sent().into_iter();
        sent.filter_map(|delivery| match delivery.action {
            EffectAction::Question {
                markdown,
                choices,
                edit,
            } => Some((
                markdown,
                choices.into_iter().map(|c| c.data).collect(),
                edit,
            )),
            EffectAction::Reply { .. }
            | EffectAction::Receipt { .. }
            | EffectAction::Progress { .. } => None,
        })
        .collect()
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

/// A world whose agent's replies are held.
async fn drafting() -> World {
    let world = World::start(&[Answer::Says(vec!["a draft"])]).await;
    let tx = world
        .store
        .inner()
        .write(world.tenant, Durability::Relaxed)
        .await
        .unwrap();
    let agents = tx.agents().list(world.tenant, PageRequest::first(1)).await;
    let mut agent = agents.unwrap().items.remove(0);
    agent.reply_policy = ReplyPolicy::Approve;
    tx.agents().update(&agent).await.unwrap();
    tx.commit().await.unwrap();
    world.say("write something").await;
    world
}

async fn draft(world: &World) -> Effect {
    let mut effects = world.effects().await.into_iter();
    effects.rfind(|e| e.slot == REPLY_SLOT).unwrap()
}

#[tokio::test]
async fn a_held_reply_goes_out_when_it_is_released() {
    let world = drafting().await;
    let asked = world.asked().await;
    assert_eq!(asked.kind, ApprovalKind::Reply);
    let held = draft(&world).await;
    assert_eq!(
        (held.status, Some(held.id)),
        (EffectStatus::Held, asked.effect_id)
    );
    // Whoever reads the channel would have the draft.
    assert_eq!(world.questions(), []);
    let released = effects::release(&world.person(Role::Member), held.id, None).await;
    // It may be on its way before it is looked at.
    let status = released.unwrap().status;
    assert!(
        matches!(
            status,
            EffectStatus::Pending | EffectStatus::Sending | EffectStatus::Sent
        ),
        "{status:?}"
    );
    assert_eq!(world.approvals().await[0].status, ApprovalStatus::Approved);
    assert_eq!(world.reply().await, "a draft");
}

#[tokio::test]
async fn a_denied_reply_is_called_off_and_everybody_can_see_why() {
    let world = drafting().await;
    let asked = world.asked().await;
    let note = Some("too rude".to_owned());
    approvals::decide(&world.person(Role::Admin), asked.id, Ruling::Deny, note)
        .await
        .unwrap();
    let called_off = draft(&world).await;
    assert_eq!(called_off.status, EffectStatus::Cancelled);
    assert_eq!(
        called_off.detail.as_deref(),
        Some("Denied by Grace. too rude")
    );
    let tx = world.store.inner().read(world.tenant).await.unwrap();
    let items = tx
        .work()
        .list(world.tenant, &WorkFilter::default(), PageRequest::first(1))
        .await
        .unwrap()
        .items;
    assert_eq!(items[0].status, WorkItemStatus::Failed);
    assert_eq!(
        items[0].reason.as_deref(),
        Some("Denied by Grace. too rude")
    );
}

#[tokio::test]
async fn a_draft_that_is_not_what_people_were_asked_about_needs_a_new_answer() {
    let world = drafting().await;
    let mut asked = world.asked().await;
    let grace = world.person(Role::Member);
    {
        let store = world.store.inner();
        let tx = store
            .write(world.tenant, Durability::Relaxed)
            .await
            .unwrap();
        asked.withdraw("put another in its place", world.clock.now());
        assert!(tx.approvals().settle(&asked).await.unwrap());
        let stale = Approval {
            id: domain::id::ApprovalId::from_uuid(Uuid::max()),
            status: ApprovalStatus::Pending,
            digest: "of another draft".to_owned(),
            expires_at: world.clock.now() + TimeDelta::hours(1),
            decided_at: None,
            note: None,
            ..asked.clone()
        };
        tx.approvals().insert(&stale).await.unwrap();
        tx.commit().await.unwrap();
    }
    let stale = domain::id::ApprovalId::from_uuid(Uuid::max());
    let changed = approvals::decide(&grace, stale, Ruling::Approve, None).await;
    assert!(
        matches!(
            changed,
            Err(Error::Conflict {
                code: "approval_changed",
                ..
            })
        ),
        "{changed:?}"
    );
    assert_eq!(draft(&world).await.status, EffectStatus::Held);
    let approvals = world.approvals().await;
    let fresh = approvals
        .iter()
        .find(|a| a.status == ApprovalStatus::Pending)
        .unwrap();
    assert_eq!(fresh.digest, asked.digest);
    approvals::decide(&grace, fresh.id, Ruling::Approve, None)
        .await
        .unwrap();
    assert_eq!(world.reply().await, "a draft");
}
