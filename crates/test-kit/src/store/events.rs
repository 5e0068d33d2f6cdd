//! Event rows.

use super::Harness;
use domain::event::{EventKind, JobEvent, NewEvent};
use futures_util::future::join_all;
use ports::store::Durability;

fn event(n: usize) -> NewEvent {
    NewEvent {
        kind: EventKind::Message,
        payload: serde_json::json!({ "n": n }),
    }
}

/// Per job and per tenant, in commit order, as the listener hears them.
pub async fn numbers_have_no_gaps_however_many_write(h: &Harness) {
    let (a, b) = (h.claimed("a").await, h.claimed("b").await);
    let writes = (0..40).map(|n| {
        let job = if n % 2 == 0 { a.job.id } else { b.job.id };
        async move {
            let class = if n % 3 == 0 {
                Durability::Durable
            } else {
                Durability::Relaxed
            };
            let tx = h.store.write(h.tenant.id, class).await.unwrap();
            let events = vec![event(n), event(n)];
            tx.events()
                .append(h.tenant.id, job, events, h.now())
                .await
                .unwrap();
            // Some change their mind; their numbers must not be missing later.
            if n % 5 != 0 {
                tx.commit().await.unwrap();
            }
        }
    });
    join_all(writes).await;
    let tx = h.read().await;
    let events = tx.events();
    let feed = events.feed_after(h.tenant.id, 0, 1_000).await.unwrap();
    let numbers: Vec<i64> = feed.iter().map(|e| e.feed_seq).collect();
    assert_eq!(numbers, (1..=64).collect::<Vec<_>>());
    let mut heard: Vec<JobEvent> = h
        .commits
        .take()
        .into_iter()
        .flat_map(|c| c.events)
        .collect();
    // Two that commit side by side may be heard of in either order.
    heard.sort_unstable_by_key(|event| event.feed_seq);
    assert_eq!(heard, feed);
    for job in [a.job.id, b.job.id] {
        let own = events.after(h.tenant.id, job, 0, 1_000).await.unwrap();
        let numbers: Vec<i64> = own.iter().map(|e| e.seq).collect();
        assert_eq!(numbers, (1..=32).collect::<Vec<_>>());
        let some = events.after(h.tenant.id, job, 30, 1).await.unwrap();
        assert_eq!(some, own[30..31]);
    }
    assert_eq!(events.last_feed_seq(h.tenant.id).await.unwrap(), 64);
    assert_eq!(events.last_feed_seq(h.stranger()).await.unwrap(), 0);
    let foreign = events.feed_after(h.stranger(), 0, 10).await.unwrap();
    assert_eq!(foreign, vec![]);
}

/// Nothing is told that may still be undone.
pub async fn events_reach_the_listener_after_the_commit_only(h: &Harness) {
    let c = h.claimed("chat").await;
    let tx = h.write().await;
    let append = tx
        .events()
        .append(h.tenant.id, c.job.id, vec![event(1)], h.now())
        .await;
    append.unwrap();
    assert_eq!(h.commits.take(), vec![]);
    drop(tx);
    let tx = h.write().await;
    let none = tx
        .events()
        .append(h.tenant.id, c.job.id, vec![], h.now())
        .await;
    none.unwrap();
    let append = tx
        .events()
        .append(h.tenant.id, c.job.id, vec![event(2)], h.now())
        .await;
    append.unwrap();
    tx.commit().await.unwrap();
    let heard = h.commits.take();
    assert_eq!(heard.len(), 1);
    let expected = JobEvent {
        tenant_id: h.tenant.id,
        job_id: c.job.id,
        seq: 1,
        feed_seq: 1,
        kind: EventKind::Message,
        payload: serde_json::json!({"n": 2}),
        created_at: h.now(),
    };
    assert_eq!(heard[0].events, vec![expected]);
    let tx = h.write().await;
    let foreign = tx
        .events()
        .append(h.stranger(), c.job.id, vec![event(3)], h.now())
        .await;
    assert!(foreign.is_err());
}
