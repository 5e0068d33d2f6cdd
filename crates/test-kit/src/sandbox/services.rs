//! Services: defined once, kept running.

use super::{
    Harness,
    support::{eventually, is_missing, output},
};
use ports::sandbox::{ServiceDefinition, ServiceReport, ServiceStatus};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(5);

/// A service that runs bash source.
pub fn service(name: &str, source: &str, needs: &[&str]) -> ServiceDefinition {
    ServiceDefinition {
        name: name.to_owned(),
        command: ["bash", "-c", source].map(str::to_owned).to_vec(),
        environment: vec![("GREETING".to_owned(), "hello".to_owned())],
        directory: None,
        needs: needs.iter().map(|name| (*name).to_owned()).collect(),
        http_port: None,
    }
}

/// How a service stands.
pub async fn report(h: &Harness, name: &str) -> Option<ServiceReport> {
    let all = h.sprite.services().await.unwrap();
    all.into_iter()
        .find(|service| service.definition.name == name)
}

/// Whether it stands so.
pub async fn is(h: &Harness, name: &str, status: ServiceStatus) -> bool {
    report(h, name)
        .await
        .is_some_and(|service| service.status == status)
}

/// With its environment, after what it needs; it is gone when it is deleted.
pub async fn a_service_runs_and_is_listed(h: &mut Harness) {
    let first = service("first", "echo first >> order; exec sleep 1000", &[]);
    h.sprite.put_service(first.clone()).await.unwrap();
    let second = service(
        "second",
        "echo $GREETING >> order; exec sleep 1000",
        &["first"],
    );
    h.sprite.put_service(second).await.unwrap();
    eventually("both to run", async || {
        is(h, "first", ServiceStatus::Running).await
            && is(h, "second", ServiceStatus::Running).await
    })
    .await;
    eventually("what they write", async || {
        output(h.sprite.as_ref(), "sort order").await == "first\nhello\n"
    })
    .await;
    assert_eq!(report(h, "first").await.unwrap().definition, first);
    h.sprite.delete_service("second").await.unwrap();
    assert!(report(h, "second").await.is_none());
    assert!(is_missing(&h.sprite.delete_service("second").await));
}

/// And that is counted.
pub async fn a_service_that_ends_starts_again(h: &mut Harness) {
    let source = "echo x >> starts; [ $(wc -l < starts) -ge 2 ] && exec sleep 1000; exit 3";
    h.sprite
        .put_service(service("again", source, &[]))
        .await
        .unwrap();
    eventually("the second start", async || {
        let service = report(h, "again").await.unwrap();
        service.status == ServiceStatus::Running && service.restarts == 1
    })
    .await;
    h.sprite.delete_service("again").await.unwrap();
}

/// Until somebody starts it.
pub async fn a_stopped_service_stays_stopped(h: &mut Harness) {
    h.sprite
        .put_service(service("s", "exec sleep 1000", &[]))
        .await
        .unwrap();
    eventually("the start", async || {
        is(h, "s", ServiceStatus::Running).await
    })
    .await;
    h.sprite.stop_service("s", PATIENCE).await.unwrap();
    assert!(is(h, "s", ServiceStatus::Stopped).await);
    assert!(is(h, "s", ServiceStatus::Stopped).await);
    h.sprite.start_service("s").await.unwrap();
    eventually("the start", async || {
        is(h, "s", ServiceStatus::Running).await
    })
    .await;
    h.sprite.delete_service("s").await.unwrap();
    assert!(is_missing(&h.sprite.start_service("s").await));
}

/// And changes nothing.
pub async fn a_service_that_cannot_be_is_refused(h: &mut Harness) {
    for bad in [
        service("no name", "true", &[]),
        service("../up", "true", &[]),
        service("lonely", "true", &["nobody"]),
        service("self", "true", &["self"]),
    ] {
        assert!(h.sprite.put_service(bad.clone()).await.is_err(), "{bad:?}");
    }
    assert_eq!(h.sprite.services().await.unwrap(), vec![]);
}
