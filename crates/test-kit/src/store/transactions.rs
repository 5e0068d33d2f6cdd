//! Transactions: what one does never depends on how another ends.

use super::Harness;
use crate::builders;
use futures_util::future::join_all;
use ports::store::{Durability, StoreError};

async fn put(h: &Harness, class: Durability, name: &str) -> Result<(), StoreError> {
    let tx = h.store.write(h.tenant.id, class).await?;
    let value = serde_json::json!(name);
    tx.settings()
        .put(h.tenant.id, name, &value, h.now())
        .await?;
    tx.commit().await
}

async fn has(h: &Harness, name: &str) -> bool {
    let tx = h.read().await;
    tx.settings()
        .find(h.tenant.id, name)
        .await
        .unwrap()
        .is_some()
}

/// Whether it wrote before or not, and whoever shares its commit.
pub async fn a_dropped_transaction_leaves_no_trace_and_harms_no_other(h: &Harness) {
    let units = (0..60).map(|n| async move {
        let name = n.to_string();
        if n % 3 == 0 {
            let tx = h.write().await;
            let value = serde_json::json!(n);
            tx.settings()
                .put(h.tenant.id, &name, &value, h.now())
                .await
                .unwrap();
            if n % 2 == 0 {
                tx.fenced(h.stranger(), no_lane(h), domain::queue::Fence(1))
                    .await
                    .unwrap_err();
            }
            drop(tx);
        } else {
            put(h, Durability::Relaxed, &name).await.unwrap();
        }
    });
    join_all(units).await;
    for n in 0..60 {
        assert_eq!(has(h, &n.to_string()).await, n % 3 != 0, "{n}");
    }
}

fn no_lane(h: &Harness) -> domain::id::LaneId {
    domain::id::LaneId::from_uuid(ports::ids::Ids::next(&*h.ids))
}

/// A conflict inside one of many that share a commit. The one it happened in cannot be committed.
pub async fn a_failed_statement_harms_no_other_transaction(h: &Harness) {
    let units = (0..30).map(|n| async move {
        if n % 2 == 0 {
            let tx = h.write().await;
            let twin = builders::agent(&*h.ids, h.tenant.id, "Ada", h.now());
            let refused = tx.agents().insert(&twin).await;
            assert!(matches!(refused, Err(StoreError::Conflict { .. })));
            assert!(tx.commit().await.is_err());
        } else {
            put(h, Durability::Relaxed, &n.to_string()).await.unwrap();
        }
    });
    join_all(units).await;
    for n in (1..30).step_by(2) {
        assert!(has(h, &n.to_string()).await);
    }
}

/// What it read once it reads again.
pub async fn a_snapshot_does_not_see_later_commits(h: &Harness) {
    let before = h.read().await;
    let see = async || before.settings().find(h.tenant.id, "x").await.unwrap();
    assert_eq!(see().await, None);
    put(h, Durability::Durable, "x").await.unwrap();
    assert_eq!(see().await, None);
    before.commit().await.unwrap();
    assert!(has(h, "x").await);
}

/// Neither starves, and an abandoned caller holds nobody up.
pub async fn both_classes_get_their_turn(h: &Harness) {
    let held = h.write().await;
    let abandoned = h.store.write(h.tenant.id, Durability::Durable);
    // Given up while it waits for its turn, where there are turns.
    let nobody = tokio::time::timeout(std::time::Duration::ZERO, abandoned).await;
    drop(nobody);
    let units = (0..40).map(|n| {
        let class = if n % 2 == 0 {
            Durability::Durable
        } else {
            Durability::Relaxed
        };
        async move { put(h, class, &n.to_string()).await }
    });
    let (written, held) = tokio::join!(join_all(units), held.commit());
    held.unwrap();
    assert!(written.into_iter().all(|w| w.is_ok()));
    for n in 0..40 {
        assert!(has(h, &n.to_string()).await);
    }
}

/// It answers, its schema fits, and there is one tenant however often it is asked for.
pub async fn the_store_is_ready(h: &Harness) {
    h.store.ready().await.unwrap();
    let same = h.store.ensure_tenant("Other", h.now()).await.unwrap();
    assert_eq!(same, h.tenant);
}
