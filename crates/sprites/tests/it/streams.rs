//! Event streams: checkpoints and services, as servers tell them.

use crate::{
    machine::Canned,
    support::{bench, refused},
};
use axum::http::Method;
use domain::sprite::NetworkPolicy;
use futures_util::StreamExt as _;
use ports::sandbox::{
    Exit, OutputStream, ProcessEvent, Progress, SandboxError, ServiceDefinition, ServiceStatus,
};
use serde_json::{Value, json};
use std::{sync::Mutex, time::Duration};

fn canned(method: Method, path: &'static str, status: u16, body: Value) -> Canned {
    Canned {
        method,
        path,
        status,
        retry_after: None,
        body,
    }
}

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Progress for Lines {
    fn line(&self, text: &str) {
        self.0.lock().unwrap().push(text.to_owned());
    }
}

#[tokio::test]
async fn checkpoints_are_made_with_their_progress() {
    let bench = bench().await;
    let policy = NetworkPolicy::default();
    bench.sprite.set_network_policy(policy).await.unwrap();
    let stream = "{\"type\":\"info\",\"data\":\"copying\",\"time\":\"odd\"}\n\n{\"type\":\"new kind\"}\n{\"type\":\"complete\",\"data\":\"Checkpoint v8 created\"}";
    let listed = json!({"id": "v8", "create_time": "2026-01-02T03:04:05Z", "comment": "why", "history": null});
    bench.machine.behave(|it| {
        it.canned
            .push(canned(Method::POST, "/checkpoint", 200, json!(stream)));
        it.canned
            .push(canned(Method::GET, "/checkpoints/v8", 200, listed.clone()));
    });
    let lines = Lines::default();
    let made = bench
        .sprite
        .checkpoint(Some("why".into()), &lines)
        .await
        .unwrap();
    assert_eq!((made.id.as_str(), made.automatic), ("v8", false));
    assert_eq!(made.created_at.to_rfc3339(), "2026-01-02T03:04:05+00:00");
    assert_eq!(
        *lines.0.lock().unwrap(),
        ["copying", "Checkpoint v8 created"]
    );
    let list = json!([{"id": "Current"}, {"id": "auto-9", "is_auto": true}, listed]);
    bench.machine.behave(|it| {
        it.canned
            .push(canned(Method::GET, "/checkpoints", 200, list));
    });
    let all = bench.sprite.checkpoints().await.unwrap();
    let ids: Vec<_> = all
        .iter()
        .map(|it| (it.id.as_str(), it.automatic))
        .collect();
    assert_eq!(ids, [("auto-9", true), ("v8", false)]);
}

#[tokio::test]
async fn a_restore_that_fails_or_breaks_is_told() {
    let bench = bench().await;
    let policy = NetworkPolicy::default();
    bench.sprite.set_network_policy(policy).await.unwrap();
    let restore =
        |status, body: Value| canned(Method::POST, "/checkpoints/v5/restore", status, body);
    let answers = [
        restore(200, json!("{\"type\":\"error\",\"error\":\"disk full\"}\n")),
        restore(200, json!("{\"type\":\"info\",\"data\":\"half\"}\n")),
        restore(404, json!({"error": "checkpoint not found"})),
        restore(
            200,
            json!("{\"type\":\"complete\",\"data\":\"Restored to v5\"}\n"),
        ),
    ];
    bench.machine.behave(|it| it.canned.extend(answers));
    assert_eq!(refused(bench.sprite.restore("v5", &()).await), "disk full");
    let half = bench.sprite.restore("v5", &()).await;
    assert!(matches!(half, Err(SandboxError::Lost(_))), "{half:?}");
    let missing = bench.sprite.restore("v5", &()).await;
    assert!(
        matches!(missing, Err(SandboxError::NotFound { .. })),
        "{missing:?}"
    );
    bench.sprite.restore("v5", &()).await.unwrap();
}

#[tokio::test]
async fn services_are_read_as_servers_spell_them() {
    let bench = bench().await;
    let policy = NetworkPolicy::default();
    bench.sprite.set_network_policy(policy).await.unwrap();
    let service = json!({
        "name": "web", "cmd": "python3", "args": null, "needs": ["db"], "httpPort": 8080,
        "state": {"status": "running", "pid": 7, "started_at": "", "restart_count": 2},
    });
    for list in [json!([service]), json!({"services": [service]})] {
        bench
            .machine
            .behave(|it| it.canned.push(canned(Method::GET, "/services", 200, list)));
        let services = bench.sprite.services().await.unwrap();
        let [web] = services.as_slice() else {
            panic!("{services:?}");
        };
        assert_eq!(
            (web.status, web.restarts, web.started_at),
            (ServiceStatus::Running, 2, None)
        );
        assert_eq!(web.definition.http_port, Some(8080));
        assert_eq!(web.definition.command, ["python3"]);
    }
    let log = "{\"type\":\"stdout\",\"data\":\"a\",\"timestamp\":1767609000123}\n{\"type\":\"exit\",\"exit_code\":3,\"timestamp\":1}\n{\"type\":\"complete\",\"log_files\":{\"combined\":\"/x\"}}\n";
    bench.machine.behave(|it| {
        it.canned
            .push(canned(Method::GET, "/services/web/logs", 200, json!(log)));
    });
    let log = bench.sprite.service_log("web", 10, false).await.unwrap();
    let events: Vec<_> = log.collect().await;
    assert_eq!(events[0].at.timestamp_millis(), 1_767_609_000_123);
    assert_eq!(
        events[0].event,
        ProcessEvent::Output(OutputStream::Stdout, "a".into())
    );
    assert_eq!(events[1].event, ProcessEvent::Ended(Exit::Code(3)));
    assert_eq!(events.len(), 2);
}

#[tokio::test]
async fn services_are_changed_and_refusals_told() {
    let bench = bench().await;
    let policy = NetworkPolicy::default();
    bench.sprite.set_network_policy(policy).await.unwrap();
    let done = "{\"type\":\"started\"}\n{\"type\":\"complete\",\"log_files\":null}\n";
    let answers = [
        canned(Method::PUT, "/services/web", 200, json!(done)),
        canned(
            Method::PUT,
            "/services/web",
            409,
            json!({"error": "port 80 is web2's"}),
        ),
        canned(
            Method::POST,
            "/services/web/stop",
            409,
            json!({"error": "not running"}),
        ),
        canned(
            Method::POST,
            "/services/none/start",
            404,
            json!({"error": "no such service"}),
        ),
        canned(Method::DELETE, "/services/web", 204, json!("")),
        canned(Method::POST, "/services/signal", 204, json!("")),
    ];
    bench.machine.behave(|it| it.canned.extend(answers));
    let web = ServiceDefinition {
        name: "web".into(),
        command: vec!["sleep".into(), "1000".into()],
        environment: Vec::new(),
        directory: None,
        needs: Vec::new(),
        http_port: Some(80),
    };
    bench.sprite.put_service(web.clone()).await.unwrap();
    let taken = bench.sprite.put_service(web).await;
    assert!(matches!(taken, Err(SandboxError::Conflict(text)) if text == "port 80 is web2's"));
    bench
        .sprite
        .stop_service("web", Duration::from_secs(1))
        .await
        .unwrap();
    let missing = bench.sprite.start_service("none").await;
    assert!(matches!(missing, Err(SandboxError::NotFound { path }) if path == "service none"));
    bench.sprite.delete_service("web").await.unwrap();
    bench.sprite.signal_service("web", 15).await.unwrap();
}
