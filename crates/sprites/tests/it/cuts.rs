//! Connections that break under a process.

use crate::{
    machine::{Canned, Habit},
    support::{all, bench, bench_with, command, lost, next, run},
};
use axum::http::Method;
use futures_util::StreamExt as _;
use ports::sandbox::{Exit, ProcessEvent};
use serde_json::json;
use std::time::Duration;

const SLOWLY: &str = "for i in $(seq 20); do echo $i; echo e$i >&2; sleep 0.02; done; exit 3";

fn expected() -> (Vec<u8>, Vec<u8>) {
    let lines = |begin: &str| {
        let lines: Vec<_> = (1..=20).map(|i| format!("{begin}{i}\n")).collect();
        lines.concat()
    };
    (lines("").into(), lines("e").into())
}

#[tokio::test]
async fn output_goes_on_where_it_stopped() {
    for tells_replay in [true, false] {
        let bench = bench().await;
        bench.machine.behave(|it| {
            it.habits.extend(tells_replay.then_some(Habit::TellsReplay));
            it.cuts.extend([5, 0, 3, 12, 16]);
        });
        let ran = run(&bench, &["sh", "-c", SLOWLY]).await.unwrap();
        assert_eq!((ran.stdout, ran.stderr), expected(), "{tells_replay}");
        assert_eq!(ran.exit, Some(Exit::Code(3)));
        let kept = bench.machine.kept.lock().unwrap();
        assert_eq!(kept.started.len(), 1, "a command was sent twice");
    }
}

#[tokio::test]
async fn output_that_was_dropped_meanwhile_is_told() {
    for tells_replay in [true, false] {
        let bench = bench().await;
        bench.machine.behave(|it| {
            it.habits.extend(tells_replay.then_some(Habit::TellsReplay));
            it.ring = Some(8);
            it.cuts.push_back(1);
            // It takes a while to come back.
            it.canned.extend((0..6).map(|_| busy(503, None)));
        });
        let text = "seq 3; sleep 0.05; seq 100 200; sleep 0.5; echo end; sleep 1000";
        let attached = bench
            .sprite
            .start(command(&["sh", "-c", text]))
            .await
            .unwrap();
        let text = lost(all(attached.output).await);
        assert!(text.contains("dropped"), "{text}");
        bench
            .sprite
            .kill(&attached.process.id, 9, Duration::ZERO)
            .await
            .unwrap();
    }
}

fn busy(status: u16, retry_after: Option<u64>) -> Canned {
    Canned {
        method: Method::GET,
        path: "/exec/1",
        status,
        retry_after,
        body: json!({"error": "busy"}),
    }
}

#[tokio::test]
async fn coming_back_is_tried_through_errors() {
    let bench = bench().await;
    bench.machine.behave(|it| {
        it.cuts.push_back(5);
        it.canned
            .extend([busy(503, None), busy(429, Some(0)), busy(500, None)]);
    });
    let ran = run(&bench, &["sh", "-c", SLOWLY]).await.unwrap();
    assert_eq!((ran.stdout, ran.stderr), expected());
}

#[tokio::test]
async fn a_process_that_ended_meanwhile_is_lost() {
    let bench = bench().await;
    bench.machine.behave(|it| {
        it.cuts.push_back(1);
        it.canned.push(busy(404, None));
    });
    let text = lost(run(&bench, &["sh", "-c", "echo a; sleep 1000"]).await);
    assert!(text.contains("how it ended is not known"), "{text}");
}

#[tokio::test]
async fn coming_back_is_given_up_in_the_end() {
    let bench = bench_with(|mut settings| {
        settings.timing.reattach = Duration::from_millis(200);
        settings
    })
    .await;
    bench.machine.behave(|it| {
        it.cuts.push_back(1);
        it.canned.extend((0..200).map(|_| busy(500, None)));
    });
    let attached = bench
        .sprite
        .start(command(&["sh", "-c", "echo a; cat"]))
        .await
        .unwrap();
    let text = lost(all(attached.output).await);
    assert!(
        text.contains("cannot be made anew") && text.contains("busy"),
        "{text}"
    );
}

#[tokio::test]
async fn input_waits_for_a_connection() {
    let bench = bench().await;
    bench.machine.behave(|it| {
        it.cuts.push_back(1);
        it.canned.extend([busy(503, None), busy(503, None)]);
    });
    let mut attached = bench
        .sprite
        .start(command(&["sh", "-c", "echo a; cat"]))
        .await
        .unwrap();
    assert_eq!(next(&mut attached).await, "a\n");
    attached.input.write("b\n".into()).await.unwrap();
    attached.input.finish().await.unwrap();
    let ran = all(attached.output).await.unwrap();
    assert_eq!((ran.stdout, ran.exit), (b"b\n".into(), Some(Exit::Code(0))));
}

#[tokio::test]
async fn input_that_may_be_lost_is_told() {
    let bench = bench_with(|mut settings| {
        settings.timing.silence = Duration::from_millis(300);
        settings.timing.ping = Duration::from_millis(50);
        settings
    })
    .await;
    bench.machine.adopt(Habit::Deaf);
    let mut attached = bench.sprite.start(command(&["cat"])).await.unwrap();
    attached.input.write("important\n".into()).await.unwrap();
    let event = attached.output.next().await.unwrap();
    let text = lost(event);
    assert!(text.contains("input was on its way"), "{text}");
    lost(attached.input.write("more\n".into()).await);
}

#[tokio::test]
async fn silence_is_broken_by_signs_of_life() {
    let bench = bench_with(|mut settings| {
        settings.timing.silence = Duration::from_millis(300);
        settings.timing.ping = Duration::from_millis(100);
        settings
    })
    .await;
    let text = "sleep 1; echo a";
    let ran = run(&bench, &["sh", "-c", text]).await.unwrap();
    assert_eq!(ran.stdout, b"a\n");
    // The one connection was enough.
    assert_eq!(
        bench
            .machine
            .asked("GET /v1/sprites/nitejar-000000000000000000000000/exec/"),
        0
    );
}

#[tokio::test]
async fn a_silent_connection_is_taken_for_broken() {
    let bench = bench_with(|mut settings| {
        settings.timing.silence = Duration::from_millis(200);
        settings
    })
    .await;
    bench.machine.adopt(Habit::Deaf);
    let mut attached = bench
        .sprite
        .start(command(&["sh", "-c", "echo a; cat"]))
        .await
        .unwrap();
    bench.machine.behave(|it| it.habits.clear());
    let event = attached.output.next().await.unwrap().unwrap();
    assert!(matches!(event, ProcessEvent::Output(_, bytes) if bytes == "a\n"));
}
