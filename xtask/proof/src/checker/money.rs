//! Reservations are balanced and every cost is in the budgets it belongs to.

use std::collections::HashMap;

use uuid::Uuid;

use super::Findings;
use crate::rows::{ModelCall, Rows};

pub(super) fn check(rows: &Rows, findings: &mut Findings) {
    let open: HashMap<Uuid, &str> = rows
        .jobs
        .iter()
        .filter(|job| !job.is_final())
        .map(|job| (job.id, job.status.as_str()))
        .collect();
    for call in rows
        .model_calls
        .iter()
        .filter(|call| call.status == "reserved")
    {
        let runs = call.job_id.is_some_and(|job| open.contains_key(&job));
        findings.unless(runs, "reservation", || {
            format!(
                "model call {} of job {:?} is still reserved",
                call.id, call.job_id
            )
        });
    }
    for budget in &rows.budgets {
        let name = || format!("the {} budget of {}", budget.scope, budget.scope_id);
        findings.unless(budget.reserved_micros == 0, "reservation", || {
            format!("{} has {} reserved", name(), budget.reserved_micros)
        });
        let counts = |call: &&ModelCall| match budget.scope.as_str() {
            "job" => call.job_id == Some(budget.scope_id),
            "agent" => call.agent_id == budget.scope_id,
            _ => true,
        };
        let cost: i64 = rows
            .model_calls
            .iter()
            .filter(counts)
            .map(|call| call.cost_micros)
            .sum();
        findings.unless(budget.spent_micros == cost, "spent", || {
            format!(
                "{} says {} was spent, its calls cost {cost}",
                name(),
                budget.spent_micros
            )
        });
    }
    for job in &rows.jobs {
        let calls = rows
            .model_calls
            .iter()
            .filter(|call| call.job_id == Some(job.id));
        let cost: i64 = calls.map(|call| call.cost_micros).sum();
        findings.unless(job.cost_micros == cost, "spent", || {
            format!(
                "job {} says it cost {}, its calls cost {cost}",
                job.id, job.cost_micros
            )
        });
    }
}
