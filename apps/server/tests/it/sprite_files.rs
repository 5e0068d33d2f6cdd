//! Files of a real sprite, and commands that people run in it.

use crate::app::App;
use reqwest::Method;
use serde_json::{Value, json};

async fn run(app: &App, sprite: &str, body: Value) -> Value {
    app.post(&format!("{sprite}/commands"), body).await
}

#[tokio::test]
async fn a_person_runs_commands_and_sees_the_files_they_make() {
    let app = App::start().await;
    let sprite = format!("/api/v1/agents/{}/sprite", app.agent("Ada").await);
    let files = format!("{sprite}/files");
    let none = json!({"path": "/home/sprite", "items": [], "truncated": false});
    assert_eq!(app.get(&files).await, none);
    assert_eq!(app.get(&sprite).await["provisioned"], false);

    let script = "mkdir src && printf 'a\\nü' > src/x.txt && printf 'a\\0b' > bytes && head -c 300000 /dev/zero | tr '\\0' y > big.txt; \
                  echo out; echo err >&2; exit 3";
    let ran = run(&app, &sprite, json!({"command": script})).await;
    let output = ran["output"].as_str().unwrap();
    assert!(
        output.contains("out\n") && output.contains("err\n"),
        "{ran}"
    );
    assert_eq!(
        (
            &ran["exit_code"],
            &ran["signal"],
            &ran["timed_out"],
            &ran["truncated"]
        ),
        (&json!(3), &Value::Null, &json!(false), &json!(false))
    );
    let listed = app.get(&files).await;
    let entry = |name: &str| {
        let items = listed["items"].as_array().unwrap();
        let entry = items.iter().find(|item| item["name"] == name).unwrap();
        (entry["kind"].clone(), entry["size"].clone())
    };
    assert_eq!(entry("big.txt"), (json!("file"), json!(300_000)));
    assert_eq!(entry("src").0, json!("directory"));
    let file = async |name: &str| {
        app.get(&format!("{sprite}/file?path=/home/sprite/{name}"))
            .await
    };
    assert_eq!(
        file("src/x.txt").await,
        json!({"path": "/home/sprite/src/x.txt", "size": 4, "text": "a\nü", "truncated": false})
    );
    let bytes = file("bytes").await;
    assert_eq!((&bytes["text"], &bytes["size"]), (&Value::Null, &json!(3)));
    let big = file("big.txt").await;
    let shown = big["text"].as_str().unwrap().len();
    assert_eq!((shown, &big["truncated"]), (256 << 10, &json!(true)));
    for (path, status) in [("src", 422), ("none", 404)] {
        let path = format!("{sprite}/file?path=/home/sprite/{path}");
        let (answer, body) = app.call(Method::GET, &path, None).await;
        assert_eq!(answer.as_u16(), status, "{body}");
    }
}

#[tokio::test]
async fn a_command_has_a_place_and_an_end() {
    let app = App::start().await;
    let sprite = format!("/api/v1/agents/{}/sprite", app.agent("Ada").await);
    run(
        &app,
        &sprite,
        json!({"command": "mkdir here; touch here/x"}),
    )
    .await;
    let body = json!({"command": "ls", "directory": "/home/sprite/here"});
    assert_eq!(run(&app, &sprite, body).await["output"], "x\n");
    let killed = run(&app, &sprite, json!({"command": "kill -9 $$"})).await;
    assert_eq!(
        (&killed["exit_code"], &killed["signal"]),
        (&Value::Null, &json!("SIGKILL"))
    );
    let long = run(
        &app,
        &sprite,
        json!({"command": "yes | head -c 1000000; echo end"}),
    )
    .await;
    let output = long["output"].as_str().unwrap();
    assert!(output.ends_with("end\n") && output.len() == 256 << 10);
    assert_eq!(long["truncated"], true);
    let body =
        json!({"command": "echo begun; echo $$ > pid; exec sleep 1000", "timeout_seconds": 1});
    let late = run(&app, &sprite, body).await;
    assert_eq!(
        (&late["timed_out"], &late["output"]),
        (&json!(true), &json!("begun\n"))
    );
    let still = "kill -0 $(cat pid) 2> /dev/null && echo alive || echo dead";
    let left = run(&app, &sprite, json!({ "command": still })).await;
    assert_eq!(left["output"], "dead\n");
    let entries = app.items("/api/v1/audit?action=sprite.command_run").await;
    assert_eq!(entries.len(), 6);
    assert_eq!(
        entries[1]["after"]["command"],
        "echo begun; echo $$ > pid; exec sleep 1000"
    );
}
