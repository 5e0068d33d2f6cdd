//! Sealed values: all of them are found, and exchanged only where they still stand.

use super::Harness;
use crate::builders;
use domain::{
    id::{IntegrationId, ProviderId},
    provider::{Provider, ProviderHealth, ProviderKind, ProviderName},
};
use ports::{
    ids::Ids as _,
    store::{Durability, KeyClaim, Resealed, SavedResponse, SealedValue, StoreTx},
};
use serde_json::{Value, json};
use std::time::Duration;
use uuid::Uuid;

/// What is sealed in the harness, in no order: two fields, one of a removed integration, a setting, answers,
/// the key of a provider.
async fn fill(h: &Harness) -> Vec<SealedValue> {
    let tenant = h.tenant.id;
    let mut open = h.integration.clone();
    open.config =
        json!({"a": "enc:v1:a", "b": "enc:v1:b", "url": "http://x", "list": ["enc:v1:no"]});
    let mut removed = builders::integration(&*h.ids, tenant, "Removed", h.now());
    removed.config = json!({"a": "enc:v1:removed"});
    let plain = builders::integration(&*h.ids, tenant, "Plain", h.now());
    let tx = h.store.write(tenant, Durability::Relaxed).await.unwrap();
    tx.integrations().update(&open).await.unwrap();
    tx.integrations().insert(&plain).await.unwrap();
    tx.integrations().insert(&removed).await.unwrap();
    let gone = tx.integrations().delete(tenant, removed.id, h.now()).await;
    assert!(gone.unwrap());
    let settings = [
        ("s1", json!("plain")),
        ("s2", json!("enc:v1:s")),
        ("s3", json!({"x": 1})),
    ];
    for (name, setting) in settings {
        let put = tx.settings().put(tenant, name, &setting, h.now()).await;
        put.unwrap();
    }
    let mut all = vec![
        field(h, "a", open.id, "enc:v1:a"),
        field(h, "b", open.id, "enc:v1:b"),
        field(h, "a", removed.id, "enc:v1:removed"),
        SealedValue {
            tenant_id: tenant,
            table: "settings",
            column: "s2".to_owned(),
            row: tenant.as_uuid(),
            text: "enc:v1:s".to_owned(),
        },
    ];
    all.extend(answers(h, tx.as_ref()).await);
    all.push(key(h, tx.as_ref()).await);
    tx.commit().await.unwrap();
    all
}

/// The key of a model provider, beside one that has none.
async fn key(h: &Harness, tx: &dyn StoreTx) -> SealedValue {
    let mut provider = Provider {
        id: ProviderId::from_uuid(h.ids.next()),
        tenant_id: h.tenant.id,
        name: ProviderName::parse("open").unwrap(),
        kind: ProviderKind::OpenAi,
        base_url: None,
        api_key: None,
        health: ProviderHealth::Unknown,
        health_detail: None,
        created_at: h.now(),
        updated_at: h.now(),
    };
    tx.providers().insert(&provider).await.unwrap();
    provider.id = ProviderId::from_uuid(h.ids.next());
    provider.name = ProviderName::parse("keyed").unwrap();
    provider.api_key = Some("enc:v1:key".to_owned());
    tx.providers().insert(&provider).await.unwrap();
    SealedValue {
        tenant_id: h.tenant.id,
        table: "providers",
        column: "api_key".to_owned(),
        row: provider.id.as_uuid(),
        text: "enc:v1:key".to_owned(),
    }
}

fn field(h: &Harness, name: &str, id: IntegrationId, text: &str) -> SealedValue {
    SealedValue {
        tenant_id: h.tenant.id,
        table: "integrations",
        column: format!("config.{name}"),
        row: id.as_uuid(),
        text: text.to_owned(),
    }
}

/// Some that are kept, and one that is still awaited.
async fn answers(h: &Harness, tx: &dyn StoreTx) -> Vec<SealedValue> {
    let tenant_id = h.tenant.id;
    let mut all = Vec::new();
    for n in 0..5 {
        let key = format!("key {n}");
        claim(h, tx, &key).await;
        let text = format!("enc:v1:answer {n}");
        let saved = SavedResponse {
            status: 201,
            body: text.clone(),
        };
        tx.idempotency()
            .complete(tenant_id, &key, h.now(), &saved)
            .await
            .unwrap();
        all.push(SealedValue {
            tenant_id,
            table: "idempotency_keys",
            column: format!("response.{key}"),
            row: Uuid::nil(),
            text,
        });
    }
    claim(h, tx, "under way").await;
    all
}

async fn claim(h: &Harness, tx: &dyn StoreTx, key: &str) {
    let stale = h.now() - Duration::from_hours(1);
    let claim = KeyClaim {
        tenant: h.tenant.id,
        key,
        fingerprint: "print",
        holder: "x",
        request: h.ids.next(),
        now: h.now(),
        stale_before: stale,
        abandoned_before: stale,
    };
    tx.idempotency().claim(claim).await.unwrap();
}

async fn walk(h: &Harness, rows: u32) -> Vec<SealedValue> {
    let mut all: Vec<SealedValue> = Vec::new();
    loop {
        let page = h.store.sealed(all.last(), rows).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Whatever the size of a page, with removed integrations and without what is not sealed.
pub async fn every_sealed_value_is_found_once(h: &Harness) {
    let expected = fill(h).await;
    for rows in [1, 2, 100] {
        let found = walk(h, rows).await;
        assert_eq!(found.len(), expected.len(), "{found:?}");
        assert!(
            expected.iter().all(|value| found.contains(value)),
            "{found:?}"
        );
    }
}

/// The text changes and nothing else; a value that somebody changed meanwhile stays as it is.
pub async fn a_sealed_value_is_exchanged_unless_it_changed(h: &Harness) {
    fill(h).await;
    let before = walk(h, 100).await;
    let mut expected = before.clone();
    let changes: Vec<Resealed> = expected
        .iter_mut()
        .map(|value| {
            let read = value.clone();
            value.text = format!("{} anew", value.text);
            Resealed {
                value: read,
                text: value.text.clone(),
            }
        })
        .collect();
    assert_eq!(h.store.reseal(&changes).await.unwrap(), before.len() as u64);
    assert_eq!(walk(h, 2).await, expected);
    // As read before, which is not what stands there now.
    assert_eq!(h.store.reseal(&changes).await.unwrap(), 0);
    assert_eq!(walk(h, 2).await, expected);
    let tx = h.read().await;
    let found = tx.integrations().find(h.tenant.id, h.integration.id).await;
    let found = found.unwrap().unwrap();
    let config = json!({"a": "enc:v1:a anew", "b": "enc:v1:b anew", "url": "http://x", "list": ["enc:v1:no"]});
    assert_eq!(
        (found.config, found.updated_at),
        (config, h.integration.updated_at)
    );
    let setting = tx.settings().find(h.tenant.id, "s2").await.unwrap();
    assert_eq!(setting, Some(Value::from("enc:v1:s anew")));
}

/// A process counts from its last sign of life.
pub async fn living_processes_are_counted(h: &Harness) {
    let start = h.now();
    assert_eq!(h.store.alive(start).await.unwrap(), 0);
    h.worker("one").await;
    let second = h.worker("two").await;
    assert_eq!(h.store.alive(start).await.unwrap(), 2);
    h.clock.advance(Duration::from_secs(1));
    assert!(h.store.heartbeat(second, h.now()).await.unwrap());
    assert_eq!(h.store.alive(h.now()).await.unwrap(), 1);
}
