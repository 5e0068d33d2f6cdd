//! What a simulated world starts with: an empty database, one or two agents, a bot that is called and one that
//! polls, and the way in for work by hand.

use crate::{clock::SimClock, dice::Dice, world::World};
use async_trait::async_trait;
use domain::{
    Timestamp,
    agent::{Agent, ReplyPolicy},
    budget::{BudgetScope, Limit, Micros, Period},
    channel::ChannelType,
    integration::Integration,
    queue::Steering,
};
use ports::{
    clock::Clock,
    store::{Durability, Store as _, SystemStore as _, Upkeep as _},
};
use serde_json::json;
use std::{path::Path, sync::Arc, time::Duration};
use store_sqlite::{SqliteSettings, SqliteStore};
use test_kit::builders;

/// Who and what there is.
#[derive(Clone)]
pub(crate) struct Stage {
    pub(crate) called: Integration,
    pub(crate) polling: Integration,
    pub(crate) agents: Vec<Agent>,
}

struct StoreClock(Arc<World>);

#[async_trait]
impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn sleep(&self, duration: Duration) {
        SimClock::sleep(&self.0.clock, duration).await;
    }
}

/// Opens the database and writes the first rows.
pub(crate) async fn set(world: &Arc<World>, directory: &Path) -> Stage {
    let store = SqliteStore::connect(
        SqliteSettings::new(directory.join("nitejar.db")),
        Arc::clone(&world.ids) as _,
        Arc::new(StoreClock(Arc::clone(world))),
        Arc::clone(world) as _,
    );
    let store = store.await.unwrap();
    store.migrate().await.unwrap();
    let now = world.clock.now();
    let tenant = store.ensure_tenant("Acme", now).await.unwrap().id;
    let ids = world.ids.as_ref();
    let stage = world.dice(|dice| Stage {
        called: builders::integration(ids, tenant, "Called", now),
        polling: Integration {
            config: json!({ "polls": true }),
            ..builders::integration(ids, tenant, "Polling", now)
        },
        agents: ["Ada", "Bo"]
            .iter()
            .take(if dice.chance(400) { 2 } else { 1 })
            .map(|name| character(dice, builders::agent(ids, tenant, name, now)))
            .collect(),
    });
    let by_hand = Integration {
        channel: ChannelType::Web,
        ..builders::integration(ids, tenant, "API", now)
    };
    let tx = store.write(tenant, Durability::Relaxed).await.unwrap();
    for agent in &stage.agents {
        tx.agents().insert(agent).await.unwrap();
    }
    for integration in [&stage.called, &stage.polling, &by_hand] {
        tx.integrations().insert(integration).await.unwrap();
    }
    tx.ledger()
        .set_budget(
            tenant,
            BudgetScope::Tenant,
            Period::Day,
            Limit::Unlimited,
            now,
        )
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(world.store.set(Arc::new(store)).is_ok());
    assert!(world.tenant.set(tenant).is_ok());
    world.note("stage", format!("{:?}", world.rates));
    stage
}

fn character(dice: &mut Dice, agent: Agent) -> Agent {
    Agent {
        steering: *dice.pick(Steering::ALL).unwrap(),
        reply_policy: if dice.chance(200) {
            ReplyPolicy::Approve
        } else {
            ReplyPolicy::Auto
        },
        daily_budget: if dice.chance(250) {
            Limit::Of(Micros(150_000))
        } else {
            Limit::Unlimited
        },
        ..agent
    }
}
