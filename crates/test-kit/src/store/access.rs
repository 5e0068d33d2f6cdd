//! Tokens, single values and kept answers.

use super::Harness;
use domain::{
    access::{ApiToken, Role},
    id::TokenId,
};
use ports::store::{IdempotencyClaim, SavedResponse};
use std::time::Duration;

/// By hash from anywhere; by tenant newest first; stopped for good.
pub async fn tokens_are_found_by_hash_listed_and_revoked(h: &Harness) {
    let token = |name: &str| ApiToken {
        id: TokenId::from_uuid(ports::ids::Ids::next(&*h.ids)),
        tenant_id: h.tenant.id,
        user_id: None,
        name: name.to_owned(),
        role: Role::Admin,
        hash: format!("hash of {name}"),
        created_at: h.now(),
        expires_at: Some(h.now() + Duration::from_mins(1)),
        revoked_at: None,
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
}

/// One owner at a time, one answer for good, and nothing is kept longer than asked.
pub async fn an_idempotency_key_is_owned_answered_and_given_back(h: &Harness) {
    let tx = h.write().await;
    let keys = tx.idempotency();
    let (tenant, stale) = (h.tenant.id, h.now() - Duration::from_secs(10));
    let claim = async |print: &str| {
        keys.claim(tenant, "k", print, h.now(), stale)
            .await
            .unwrap()
    };
    assert_eq!(claim("a").await, IdempotencyClaim::Fresh);
    assert_eq!(claim("a").await, IdempotencyClaim::InProgress);
    assert_eq!(claim("b").await, IdempotencyClaim::Mismatch);
    keys.release(tenant, "k").await.unwrap();
    assert_eq!(claim("b").await, IdempotencyClaim::Fresh);
    let answer = SavedResponse {
        status: 201,
        body: "{}".to_owned(),
    };
    keys.complete(tenant, "k", &answer).await.unwrap();
    keys.release(tenant, "k").await.unwrap();
    assert_eq!(claim("b").await, IdempotencyClaim::Done(answer));
    h.clock.advance(Duration::from_secs(11));
    let later = h.now() - Duration::from_secs(10);
    let again = keys.claim(tenant, "k", "c", h.now(), later).await.unwrap();
    assert_eq!(again, IdempotencyClaim::Fresh);
}
