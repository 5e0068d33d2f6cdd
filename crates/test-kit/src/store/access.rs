//! Tokens, single values and kept answers.

use super::Harness;
use domain::{
    Timestamp,
    access::{ApiToken, Role},
    id::TokenId,
};
use ports::{
    ids::Ids,
    store::{IdempotencyClaim, KeyClaim, SavedResponse},
};
use std::time::Duration;

/// By hash from anywhere; by tenant newest first; stopped for good.
pub async fn tokens_are_found_by_hash_listed_and_revoked(h: &Harness) {
    let token = |name: &str| ApiToken {
        id: TokenId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        user_id: None,
        name: name.to_owned(),
        role: Role::Admin,
        hash: format!("hash of {name}"),
        created_at: h.now(),
        expires_at: Some(h.now() + Duration::from_mins(1)),
        revoked_at: None,
        scopes: None,
        last_used_at: None,
    };
    let (first, mut second) = (token("first"), token("second"));
    let tx = h.write().await;
    tx.access().insert_token(&first).await.unwrap();
    tx.access().insert_token(&second).await.unwrap();
    tx.commit().await.unwrap();
    let twin = h.write().await.access().insert_token(&first).await;
    assert!(twin.is_err());
    let found = h.store.find_token("hash of first").await.unwrap();
    assert_eq!(found, Some(first.clone()));
    assert_eq!(h.store.find_token("other").await.unwrap(), None);

    let tx = h.write().await;
    let access = tx.access();
    let stranger = h.stranger();
    assert!(
        !access
            .revoke_token(stranger, second.id, h.now())
            .await
            .unwrap()
    );
    assert!(
        access
            .revoke_token(h.tenant.id, second.id, h.now())
            .await
            .unwrap()
    );
    second.revoked_at = Some(h.now());
    let listed = access.list_tokens(h.tenant.id).await.unwrap();
    assert_eq!(listed, vec![second, first]);
    assert_eq!(access.list_tokens(stranger).await.unwrap(), vec![]);
}

/// The last value counts.
pub async fn settings_are_replaced(h: &Harness) {
    let tx = h.write().await;
    let settings = tx.settings();
    for value in [serde_json::json!({"a": [1, null]}), serde_json::json!("b")] {
        settings
            .put(h.tenant.id, "x", &value, h.now())
            .await
            .unwrap();
        let found = settings.find(h.tenant.id, "x").await.unwrap();
        assert_eq!(found, Some(value));
    }
    assert_eq!(settings.find(h.stranger(), "x").await.unwrap(), None);
    assert_eq!(settings.find(h.tenant.id, "y").await.unwrap(), None);
    settings.delete(h.stranger(), "x").await.unwrap();
    assert!(settings.find(h.tenant.id, "x").await.unwrap().is_some());
    for _again in 0..2 {
        settings.delete(h.tenant.id, "x").await.unwrap();
        assert_eq!(settings.find(h.tenant.id, "x").await.unwrap(), None);
    }
}

/// A request with the key `k`. Keys are remembered for an hour, requests given up after a minute.
fn ask<'a>(h: &'a Harness, fingerprint: &'a str, holder: &'a str) -> KeyClaim<'a> {
    KeyClaim {
        tenant: h.tenant.id,
        key: "k",
        fingerprint,
        holder,
        request: h.ids.next(),
        now: h.now(),
        stale_before: h.now() - Duration::from_hours(1),
        abandoned_before: h.now() - Duration::from_mins(1),
    }
}

async fn claim(h: &Harness, claim: KeyClaim<'_>) -> IdempotencyClaim {
    let tx = h.write().await;
    let claimed = tx.idempotency().claim(claim).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

fn held(claim: &KeyClaim<'_>) -> IdempotencyClaim {
    IdempotencyClaim::Held {
        request: claim.request,
    }
}

fn answer() -> SavedResponse {
    SavedResponse {
        status: 201,
        body: "{}".to_owned(),
    }
}

async fn complete(h: &Harness, claimed_at: Timestamp) {
    let tx = h.write().await;
    tx.idempotency()
        .complete(h.tenant.id, "k", claimed_at, &answer())
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn release(h: &Harness, claimed_at: Timestamp) {
    let tx = h.write().await;
    tx.idempotency()
        .release(h.tenant.id, "k", claimed_at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

/// One owner at a time, one answer for good, and nothing is kept longer than asked.
pub async fn an_idempotency_key_is_owned_answered_and_given_back(h: &Harness) {
    let first = ask(h, "a", "x");
    assert_eq!(claim(h, first).await, held(&first));
    let again = claim(h, ask(h, "a", "x")).await;
    assert_eq!(again, IdempotencyClaim::InProgress);
    let other = claim(h, ask(h, "b", "x")).await;
    assert_eq!(other, IdempotencyClaim::Mismatch);
    release(h, first.now).await;
    let second = ask(h, "b", "x");
    assert_eq!(claim(h, second).await, held(&second));
    complete(h, second.now).await;
    release(h, second.now).await;
    assert_eq!(h.store.free_keys("x").await.unwrap(), 0);
    h.clock.advance(Duration::from_mins(59));
    let kept = claim(h, ask(h, "b", "x")).await;
    assert_eq!(kept, IdempotencyClaim::Done(answer()));
    h.clock.advance(Duration::from_mins(2));
    let third = ask(h, "c", "x");
    assert_eq!(claim(h, third).await, held(&third));
}

/// A process that starts frees what an earlier one of its instance left, and nobody else's. The request keeps its
/// id and its fingerprint.
pub async fn keys_of_a_process_that_is_gone_are_freed(h: &Harness) {
    let first = ask(h, "a", "x");
    claim(h, first).await;
    assert_eq!(h.store.free_keys("y").await.unwrap(), 0);
    let taken = claim(h, ask(h, "a", "y")).await;
    assert_eq!(taken, IdempotencyClaim::InProgress);
    h.clock.advance(Duration::from_secs(1));
    assert_eq!(h.store.free_keys("x").await.unwrap(), 1);
    let other = claim(h, ask(h, "b", "x")).await;
    assert_eq!(other, IdempotencyClaim::Mismatch);
    let second = ask(h, "a", "y");
    assert_eq!(claim(h, second).await, held(&first));
    let third = claim(h, ask(h, "a", "x")).await;
    assert_eq!(third, IdempotencyClaim::InProgress);
    assert_eq!(h.store.free_keys("x").await.unwrap(), 0);
    // It may have made something the first time: refused now, it is still the same request.
    release(h, second.now).await;
    assert_eq!(claim(h, ask(h, "a", "y")).await, held(&first));
}

/// A young one is under way; of eight that find an old one, one gets it; whoever comes back late changes nothing.
pub async fn an_abandoned_key_is_taken_over_once(h: &Harness) {
    let first = ask(h, "a", "x");
    claim(h, first).await;
    h.clock.advance(Duration::from_mins(1));
    let young = claim(h, ask(h, "a", "y")).await;
    assert_eq!(young, IdempotencyClaim::InProgress);
    h.clock.advance(Duration::from_secs(1));
    let all = (0..8).map(|_| claim(h, ask(h, "a", "y")));
    let all = futures_util::future::join_all(all).await;
    let of = |what| all.iter().filter(|claimed| **claimed == what).count();
    assert_eq!(of(held(&first)), 1, "{all:?}");
    assert_eq!(of(IdempotencyClaim::InProgress), 7, "{all:?}");
    complete(h, first.now).await;
    release(h, first.now).await;
    let late = claim(h, ask(h, "a", "x")).await;
    assert_eq!(late, IdempotencyClaim::InProgress);
    complete(h, h.now()).await;
    h.clock.advance(Duration::from_mins(2));
    let done = claim(h, ask(h, "a", "x")).await;
    assert_eq!(done, IdempotencyClaim::Done(answer()));
}
