//! Money.

use super::{Claimed, Harness};
use crate::builders;
use domain::{
    budget::{Budget, BudgetScope, Limit, Micros, Period, Reservation},
    model::{ModelCall, ModelCallPurpose, ModelCallStatus, Usage},
};
use ports::store::{BoxTx, LedgerRepository};
use std::time::Duration;

async fn limit(h: &Harness, tx: &BoxTx, scope: BudgetScope, period: Period, micros: i64) {
    let limit = Limit::Of(Micros(micros));
    tx.ledger()
        .set_budget(h.tenant.id, scope, period, limit, h.now())
        .await
        .unwrap();
}

async fn budget(h: &Harness, ledger: &dyn LedgerRepository, scope: BudgetScope) -> Budget {
    ledger
        .find_budget(h.tenant.id, scope)
        .await
        .unwrap()
        .unwrap()
}

fn call(h: &Harness, c: &Claimed, micros: i64) -> ModelCall {
    builders::model_call(&*h.ids, &c.job, Micros(micros), h.now())
}

fn settled(mut call: ModelCall, cost: i64, h: &Harness) -> ModelCall {
    call.status = ModelCallStatus::Settled;
    call.cost = Micros(cost);
    call.usage = Usage {
        input: 3,
        ..Usage::default()
    };
    call.outcome = Some("end_turn".to_owned());
    call.finished_at = Some(h.now());
    call
}

/// What is reserved becomes what was spent, once, in all three.
pub async fn a_call_is_paid_by_every_budget_and_settled_once(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let ledger = tx.ledger();
    let call = call(h, &c, 100);
    let granted = ledger.reserve(&call, h.agent.id).await.unwrap();
    assert_eq!(granted, Reservation::Granted);
    let scopes = [
        BudgetScope::Tenant,
        BudgetScope::Agent(h.agent.id),
        BudgetScope::Job(c.job.id),
    ];
    for scope in scopes {
        let budget = budget(h, &*ledger, scope).await;
        assert_eq!((budget.reserved, budget.spent), (Micros(100), Micros(0)));
    }
    let settled = settled(call, 30, h);
    for _ in 0..2 {
        ledger.settle(&settled, h.agent.id).await.unwrap();
        for scope in scopes {
            let budget = budget(h, &*ledger, scope).await;
            assert_eq!((budget.reserved, budget.spent), (Micros(0), Micros(30)));
        }
    }
    // A decision has no job yet; tenant and agent pay.
    let mut triage = self::call(h, &c, 5);
    triage.job_id = None;
    ledger.reserve(&triage, h.agent.id).await.unwrap();
    assert_eq!(budget(h, &*ledger, scopes[1]).await.reserved, Micros(5));
    assert_eq!(budget(h, &*ledger, scopes[2]).await.reserved, Micros(0));
    let calls = ledger.calls(h.tenant.id, c.job.id).await.unwrap();
    assert_eq!(calls, vec![settled]);
    assert_eq!(ledger.calls(h.stranger(), c.job.id).await.unwrap(), vec![]);
}

/// The nearest limit decides; a refused call leaves no trace.
pub async fn an_exhausted_budget_refuses_and_a_reserved_one_is_busy(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    limit(h, &tx, BudgetScope::Job(c.job.id), Period::Total, 100).await;
    let ledger = tx.ledger();
    let first = call(h, &c, 60);
    ledger.reserve(&first, h.agent.id).await.unwrap();
    let busy = ledger.reserve(&call(h, &c, 50), h.agent.id).await.unwrap();
    assert_eq!(busy, Reservation::Busy);
    ledger
        .settle(&settled(first.clone(), 60, h), h.agent.id)
        .await
        .unwrap();
    let refused = ledger.reserve(&call(h, &c, 50), h.agent.id).await.unwrap();
    let expected = Reservation::Refused {
        scope: "job",
        limit: Micros(100),
        spent: Micros(60),
    };
    assert_eq!(refused, expected);
    assert_eq!(
        budget(h, &*ledger, BudgetScope::Tenant).await.reserved,
        Micros(0)
    );
    assert_eq!(ledger.calls(h.tenant.id, c.job.id).await.unwrap().len(), 1);
    let granted = ledger.reserve(&call(h, &c, 40), h.agent.id).await.unwrap();
    assert_eq!(granted, Reservation::Granted);
}

/// Yesterday's spending is forgotten, calls under way are not; a total never starts anew.
pub async fn day_budgets_start_anew_at_midnight(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let agent = BudgetScope::Agent(h.agent.id);
    limit(h, &tx, agent, Period::Day, 100).await;
    limit(h, &tx, BudgetScope::Job(c.job.id), Period::Total, 1_000).await;
    let ledger = tx.ledger();
    let (spent, open) = (call(h, &c, 70), call(h, &c, 30));
    ledger.reserve(&spent, h.agent.id).await.unwrap();
    ledger.reserve(&open, h.agent.id).await.unwrap();
    ledger
        .settle(&settled(spent, 70, h), h.agent.id)
        .await
        .unwrap();
    h.clock.advance(Duration::from_hours(24));
    let granted = ledger.reserve(&call(h, &c, 70), h.agent.id).await.unwrap();
    assert_eq!(granted, Reservation::Granted);
    let today = budget(h, &*ledger, agent).await;
    assert_eq!((today.spent, today.reserved), (Micros(0), Micros(100)));
    assert_eq!(today.period_start, domain::budget::day_start(h.now()));
    h.clock.advance(Duration::from_hours(24));
    ledger
        .settle(&settled(open, 20, h), h.agent.id)
        .await
        .unwrap();
    let today = budget(h, &*ledger, agent).await;
    assert_eq!((today.spent, today.reserved), (Micros(20), Micros(70)));
    let total = budget(h, &*ledger, BudgetScope::Job(c.job.id)).await;
    assert_eq!((total.spent, total.reserved), (Micros(90), Micros(70)));
}

/// Unlimited is never a default.
pub async fn a_budget_that_does_not_exist_refuses(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let nobody = domain::id::AgentId::from_uuid(ports::ids::Ids::next(&*h.ids));
    let refused = tx.ledger().reserve(&call(h, &c, 0), nobody).await.unwrap();
    let expected = Reservation::Refused {
        scope: "agent",
        limit: Micros(0),
        spent: Micros(0),
    };
    assert_eq!(refused, expected);
    let scope = BudgetScope::Agent(nobody);
    let missing = tx.ledger().find_budget(h.tenant.id, scope).await;
    assert_eq!(missing.unwrap(), None);
}

/// Whoever made them and however they stand, without what jobs asked.
pub async fn calls_of_decisions_are_found_by_item(h: &Harness) {
    let c = h.claimed("chat").await;
    let other = builders::agent(&*h.ids, h.tenant.id, "Bob", h.now());
    let triage = || ModelCall {
        job_id: None,
        purpose: ModelCallPurpose::Triage,
        ..call(h, &c, 5)
    };
    let (left, done, of_job, of_other) = (triage(), triage(), call(h, &c, 7), triage());
    let elsewhere = h.receive("elsewhere", "chat").await;
    let tx = h.write().await;
    tx.agents().insert(&other).await.unwrap();
    let ledger = tx.ledger();
    let (agent, tenant) = (h.agent.id, h.tenant.id);
    for (call, agent) in [
        (&left, agent),
        (&done, agent),
        (&of_job, agent),
        (&of_other, other.id),
    ] {
        let granted = ledger.reserve(call, agent).await.unwrap();
        assert_eq!(granted, Reservation::Granted);
    }
    let done = settled(done, 5, h);
    ledger.settle(&done, agent).await.unwrap();
    let calls = async |tenant, item| ledger.triage_calls(tenant, item).await.unwrap();
    assert_eq!(
        calls(tenant, c.item.id).await,
        vec![(agent, left.clone()), (agent, done), (other.id, of_other)]
    );
    assert_eq!(calls(tenant, elsewhere.id).await, vec![]);
    assert_eq!(calls(h.stranger(), c.item.id).await, vec![]);
    ledger.settle(&settled(left, 0, h), agent).await.unwrap();
    let budget = budget(h, &*ledger, BudgetScope::Agent(agent)).await;
    assert_eq!((budget.reserved, budget.spent), (Micros(7), Micros(5)));
}
