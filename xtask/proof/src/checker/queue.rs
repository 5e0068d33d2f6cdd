//! Lanes, entries, decisions, jobs and shells: nothing is left half-way, nothing runs twice.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::{Evidence, Findings, group};
use crate::rows::{Approval, Job, Rows};

pub(super) fn check(evidence: &Evidence, findings: &mut Findings) {
    let rows = &evidence.end;
    lanes(rows, findings);
    entries(rows, findings);
    jobs(rows, findings);
    for rows in evidence.crashes.iter().chain([rows]) {
        one_job_per_lane(rows, findings);
        waits(rows, findings);
    }
    let mut seen = BTreeSet::new();
    for line in &evidence.outside.written {
        findings.unless(seen.insert(line), "tool-once", || {
            format!("the command that writes `{line}` ran twice")
        });
    }
}

fn lanes(rows: &Rows, findings: &mut Findings) {
    for lane in &rows.lanes {
        if let Some(worker) = lane.lease_worker {
            findings.add(
                "open-lease",
                format!("lane {} is still held by {worker}", lane.id),
            );
        }
        findings.unless(lane.ready == 0, "ready-lane", || {
            format!("lane {} is ready and nobody takes it", lane.id)
        });
    }
}

fn entries(rows: &Rows, findings: &mut Findings) {
    let verdicts: HashMap<(Uuid, Uuid), &str> = rows
        .decisions
        .iter()
        .map(|d| ((d.work_item_id, d.agent_id), d.verdict.as_str()))
        .collect();
    let jobs: HashMap<Uuid, &Job> = rows.jobs.iter().map(|job| (job.id, job)).collect();
    for entry in &rows.entries {
        let verdict = verdicts.get(&(entry.work_item_id, entry.agent_id)).copied();
        let job = entry.job_id.and_then(|job| jobs.get(&job));
        let holds = match (verdict, job) {
            (Some("act"), Some(job)) => job.is_final() && entry.status == "done",
            (Some("pass"), None) => entry.status == "done",
            _ => false,
        };
        findings.unless(holds, "entry-done", || {
            format!(
                "entry {} of item {} is {} with verdict {verdict:?} and job {:?} ({:?})",
                entry.id,
                entry.work_item_id,
                entry.status,
                entry.job_id,
                job.map(|job| &job.status)
            )
        });
    }
    for decision in rows
        .decisions
        .iter()
        .filter(|decision| decision.reason.is_empty())
    {
        findings.add(
            "pass-reason",
            format!("a decision on item {} has no reason", decision.work_item_id),
        );
    }
}

fn jobs(rows: &Rows, findings: &mut Findings) {
    for job in rows.jobs.iter().filter(|job| !job.is_final()) {
        findings.add(
            "job-final",
            format!("job {} is still {}", job.id, job.status),
        );
    }
    for ((item, agent), attempts) in group(&rows.jobs, |job| (job.work_item_id, job.agent_id)) {
        let mut numbers: Vec<i32> = attempts.iter().map(|job| job.attempt).collect();
        numbers.sort_unstable();
        let gapless = (1..)
            .zip(&numbers)
            .all(|(wanted, number)| wanted == *number);
        findings.unless(gapless, "one-job", || {
            format!("item {item}, agent {agent}: attempts {numbers:?}")
        });
    }
    let jobs: HashMap<Uuid, &Job> = rows.jobs.iter().map(|job| (job.id, job)).collect();
    for session in rows
        .sessions
        .iter()
        .filter(|session| session.status == "open")
    {
        let is_final = jobs.get(&session.job_id).is_none_or(|job| job.is_final());
        findings.unless(!is_final, "shell-closed", || {
            format!(
                "shell {} is open though its job {} is over",
                session.id, session.job_id
            )
        });
    }
}

fn one_job_per_lane(rows: &Rows, findings: &mut Findings) {
    let open: Vec<&Job> = rows.jobs.iter().filter(|job| !job.is_final()).collect();
    for (lane, jobs) in group(&open, |job| job.lane_id) {
        findings.unless(jobs.len() <= 1, "one-job-per-lane", || {
            let ids: Vec<_> = jobs.iter().map(|job| job.id).collect();
            format!("lane {lane} has {} open jobs: {ids:?}", jobs.len())
        });
    }
}

/// A job that waits has one open question, for a call without a result; a question is open only while its job waits.
fn waits(rows: &Rows, findings: &mut Findings) {
    let open = rows.approvals.iter().filter(|a| a.status == "pending");
    let open: Vec<&Approval> = open.collect();
    for job in rows.jobs.iter().filter(|job| job.status == "waiting") {
        let questions = open.iter().filter(|a| a.job_id == job.id).count();
        findings.unless(questions == 1, "wait-whole", || {
            format!("job {} waits for {questions} answers", job.id)
        });
    }
    for approval in open {
        let job = rows.jobs.iter().find(|job| job.id == approval.job_id);
        let call = rows
            .tool_calls
            .iter()
            .find(|call| Some(call.id) == approval.tool_call_id);
        let holds = job.is_some_and(|job| job.status == "waiting")
            && call.is_some_and(|call| call.result.is_none());
        findings.unless(holds, "wait-whole", || {
            format!(
                "approval {} is open, and its job is {:?} with the call {:?}",
                approval.id,
                job.map(|job| &job.status),
                call.map(|call| &call.status)
            )
        });
    }
    for (call, questions) in group(&rows.approvals, |approval| approval.tool_call_id) {
        findings.unless(call.is_some() && questions.len() == 1, "asked-once", || {
            format!("tool call {call:?} asked {} times", questions.len())
        });
    }
}
