//! The file API.

use crate::support::{Bench, told};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

async fn write(bench: &Bench, query: &str, content: &'static [u8]) -> (StatusCode, Value) {
    let path = format!("/v1/sprites/a/fs/write?{query}");
    told(
        bench
            .ask(Method::PUT, &path)
            .body(content)
            .send()
            .await
            .unwrap(),
    )
    .await
}

async fn home(bench: &Bench) -> String {
    let (_, sprite) = bench.get("/v1/sprites/a").await;
    sprite["home"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn files_are_written_read_listed_and_changed_where_commands_see_them() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let home = home(&bench).await;
    let seen = bench.run("a", "pwd").await.stdout();
    assert_eq!(seen.trim(), home);
    let at = format!("workingDir={home}");
    let (status, body) = write(
        &bench,
        &format!("{at}&path=d/f.txt&mode=0600"),
        b"abc\0\xff",
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{body}");
    assert_eq!(
        body,
        json!({"path": format!("{home}/d/f.txt"), "size": 5, "mode": "600"})
    );
    let read = bench.ask(
        Method::GET,
        &format!("/v1/sprites/a/fs/read?{at}&path=d/f.txt"),
    );
    let read = read.send().await.unwrap();
    assert_eq!(read.bytes().await.unwrap().as_ref(), b"abc\0\xff");
    let (_, listed) = bench
        .get(&format!("/v1/sprites/a/fs/list?{at}&path=d"))
        .await;
    assert_eq!(listed["count"], 1);
    let entry = &listed["entries"][0];
    assert_eq!(entry["name"], "f.txt");
    assert_eq!(entry["path"], format!("{home}/d/f.txt"));
    assert_eq!(
        (&entry["type"], &entry["isDir"]),
        (&json!("file"), &json!(false))
    );
    assert_eq!((&entry["size"], &entry["mode"]), (&json!(5), &json!("600")));
    assert!(entry["modTime"].as_str().unwrap().contains('T'));
    let (_, itself) = bench
        .get(&format!("/v1/sprites/a/fs/list?{at}&path=d/f.txt"))
        .await;
    assert_eq!(itself["entries"][0], *entry);
    bench.run("a", "mkdir empty; ln -s d link").await;
    let (_, empty) = bench
        .get(&format!("/v1/sprites/a/fs/list?{at}&path=empty"))
        .await;
    assert_eq!(empty["entries"], json!([]));
    let (_, through) = bench
        .get(&format!("/v1/sprites/a/fs/list?{at}&path=link"))
        .await;
    assert_eq!(through["entries"][0]["name"], "f.txt");
    let (_, all) = bench
        .get(&format!("/v1/sprites/a/fs/list?path={home}"))
        .await;
    let link = all["entries"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["name"] == "link");
    assert_eq!(link.unwrap()["type"], "symlink");
    bench.stop().await;
}

#[tokio::test]
async fn files_are_renamed_copied_and_given_modes() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let home = home(&bench).await;
    let ask = async |path: &str, mut body: Value| {
        body["workingDir"] = json!(home);
        bench.post(&format!("/v1/sprites/a/fs/{path}"), body).await
    };
    write(&bench, &format!("workingDir={home}&path=d/f"), b"x").await;
    let (status, body) = ask("rename", json!({"source": "d/f", "dest": "d/g"})).await;
    assert_eq!(
        (status, &body["dest"]),
        (StatusCode::OK, &json!(format!("{home}/d/g")))
    );
    let (status, body) = ask("copy", json!({"source": "d", "dest": "e"})).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::BAD_REQUEST, &json!("EISDIR"))
    );
    let (status, body) = ask(
        "copy",
        json!({"source": "d", "dest": "e", "recursive": true}),
    )
    .await;
    assert_eq!(
        (status, &body["count"]),
        (StatusCode::OK, &json!(1)),
        "{body}"
    );
    let (status, body) = ask("chmod", json!({"path": "e/g", "mode": "0751"})).await;
    assert_eq!(
        (status, &body["affected"][0]["mode"]),
        (StatusCode::OK, &json!("751"))
    );
    let (status, _) = ask("chmod", json!({"path": "e/g", "mode": 0o640})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        bench.run("a", "stat -c %a e/g").await.stdout().trim(),
        "640"
    );
    let (status, _) = ask(
        "chown",
        json!({"path": "e/g", "uid": 1000, "gid": "sprite"}),
    )
    .await;
    assert_eq!(status, StatusCode::OK);
    let (status, body) = ask("chown", json!({"path": "e/g", "uid": 0, "gid": 0})).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::FORBIDDEN, &json!("EPERM"))
    );
    bench.stop().await;
}

#[tokio::test]
async fn files_are_deleted_and_directories_only_when_that_is_said() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let home = home(&bench).await;
    write(&bench, &format!("workingDir={home}&path=d/g"), b"x").await;
    write(&bench, &format!("workingDir={home}&path=e/g"), b"x").await;
    let delete = async |query: &str, body: Value| {
        bench
            .send(
                Method::DELETE,
                &format!("/v1/sprites/a/fs/delete{query}"),
                body,
            )
            .await
    };
    let query = format!("?workingDir={home}&path=e");
    let (status, body) = delete(&query, json!(null)).await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::CONFLICT, &json!("ENOTEMPTY")),
        "{body}"
    );
    let (status, body) = delete(&format!("{query}&recursive=true"), json!(null)).await;
    assert_eq!((status, &body["count"]), (StatusCode::OK, &json!(1)));
    let (status, _) = delete("", json!({"path": "d/g", "workingDir": home})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(
        bench.run("a", "ls d e 2>&1 | wc -l").await.stdout().trim(),
        "2"
    );
    bench.stop().await;
}

#[tokio::test]
async fn refusals_have_a_code_a_path_and_words() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    bench
        .run("a", "mkdir dir; echo x > file; mkfifo pipe")
        .await;
    let home = home(&bench).await;
    let at = format!("workingDir={home}&path=");
    for (path, status, code) in [
        (format!("read?{at}none"), 404, "ENOENT"),
        (format!("list?{at}none"), 404, "ENOENT"),
        (format!("read?{at}dir"), 400, "EISDIR"),
        (format!("read?{at}file/below"), 400, "ENOTDIR"),
        (format!("read?{at}pipe"), 400, "EINVAL"),
        (format!("list?{at}dir&recursive=true"), 400, "EINVAL"),
    ] {
        let (given, body) = bench.get(&format!("/v1/sprites/a/fs/{path}")).await;
        assert_eq!(given.as_u16(), status, "{path}: {body}");
        assert_eq!(body["code"], code, "{path}: {body}");
        assert!(body["path"].as_str().unwrap().starts_with(&home));
        assert!(!body["error"].as_str().unwrap().is_empty());
    }
    let (status, body) = write(&bench, &format!("{at}no/parent&mkdirParents=false"), b"x").await;
    assert_eq!(
        (status, &body["code"]),
        (StatusCode::NOT_FOUND, &json!("ENOENT"))
    );
    let (status, body) = write(&bench, &format!("{at}dir"), b"x").await;
    assert!(
        status.is_client_error() && body["code"].is_string(),
        "{status} {body}"
    );
    bench.stop().await;
}

#[tokio::test]
async fn no_path_leads_out_of_the_sandbox() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    if bench.get("/healthz").await.1["tier"] == "plain" {
        return;
    }
    let home = home(&bench).await;
    let secret = bench.directory.path().join("secret");
    std::fs::write(&secret, "canary").unwrap();
    let secret = secret.to_str().unwrap();
    bench.run("a", &format!("ln -s {secret} link")).await;
    let up = "../".repeat(20);
    let paths = [
        secret.to_owned(),
        format!("{up}{secret}"),
        format!("{home}/link"),
    ];
    for path in paths {
        let request = bench.ask(Method::GET, "/v1/sprites/a/fs/read");
        let response = request
            .query(&[("path", &path), ("workingDir", &home)])
            .send()
            .await
            .unwrap();
        // Inside the sandbox the same path may be a file of its own.
        assert!(!response.text().await.unwrap().contains("canary"));
        let request = bench
            .ask(Method::PUT, "/v1/sprites/a/fs/write")
            .body("taken");
        request
            .query(&[("path", &path), ("workingDir", &home)])
            .send()
            .await
            .unwrap();
        assert_eq!(std::fs::read_to_string(secret).unwrap(), "canary", "{path}");
    }
    bench.stop().await;
}

#[tokio::test]
async fn large_files_are_read_as_a_stream_and_written_up_to_16_mib() {
    let bench = Bench::start().await;
    bench.sprite("a").await;
    let home = home(&bench).await;
    let content: Vec<u8> = (0..16_usize << 20)
        .map(|i| u8::try_from(i % 251).unwrap())
        .collect();
    let path = format!("/v1/sprites/a/fs/write?path={home}/big");
    let request = bench.ask(Method::PUT, &path).body(content.clone());
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    bench
        .run("a", "cat big big > bigger; ln -s bigger link")
        .await;
    for name in ["bigger", "link"] {
        let read = bench.ask(
            Method::GET,
            &format!("/v1/sprites/a/fs/read?path={home}/{name}"),
        );
        let read = read.send().await.unwrap().bytes().await.unwrap();
        assert!(
            read.len() == 32 << 20 && read == [&content[..], &content[..]].concat(),
            "{name}"
        );
    }
    let more = bench
        .ask(Method::PUT, &path)
        .body([&content[..], b"x"].concat());
    let (status, body) = told(more.send().await.unwrap()).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{body}");
    assert_eq!(
        bench.run("a", "wc -c < big").await.stdout().trim(),
        (16 << 20).to_string()
    );
    bench.stop().await;
}
