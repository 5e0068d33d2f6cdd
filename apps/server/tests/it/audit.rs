//! The audit trail on the real binary: it holds, and what is done to it behind its back is named.

use crate::{
    ON_POSTGRES,
    app::{App, Options, command},
};
use serde_json::{Value, json};
use test_kit::sql;

struct Trail {
    app: App,
    url: String,
}

impl Trail {
    async fn of_three_agents() -> Self {
        let app = App::start().await;
        for name in ["Ada", "Bob", "Eve"] {
            app.agent(name).await;
        }
        let url = app.dir.database().map_or_else(
            || format!("sqlite://{}/data/nitejar.db", app.dir.path().display()),
            |(_, url)| url,
        );
        Self { app, url }
    }

    async fn run(&self, words: &[&str]) -> (i32, String, String) {
        let ended = command(self.app.dir.path(), &Options::default())
            .envs(self.app.dir.database())
            .args(words)
            .output()
            .await
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            ended.status.code().unwrap(),
            text(ended.stdout),
            text(ended.stderr),
        )
    }

    async fn verify(&self) -> (i32, String, String) {
        self.run(&["audit", "verify"]).await
    }

    async fn tamper(&self, statement: &str) {
        sql::run(&self.url, statement).await.unwrap();
    }

    /// The number of the entry that says that this agent was made.
    async fn made(&self, name: &str) -> i64 {
        let path = "/api/v1/audit?action=agent.created";
        let entries = self.app.items(path).await;
        let of = |entry: &&Value| entry["subject"]["name"] == name;
        entries.iter().find(of).unwrap()["seq"].as_i64().unwrap()
    }

    async fn without_guards(&self) {
        let on = if ON_POSTGRES { " ON audit_entries" } else { "" };
        for guard in ["audit_entries_stay", "audit_entries_remain"] {
            self.tamper(&format!("DROP TRIGGER {guard}{on}")).await;
        }
    }
}

#[tokio::test]
async fn a_trail_that_nobody_touched_holds_and_cannot_be_touched_by_accident() {
    let trail = Trail::of_three_agents().await;
    let (code, said, _) = trail.verify().await;
    assert_eq!(code, 0);
    assert!(said.starts_with("the audit trail holds: "), "{said}");
    let (code, said, _) = trail.run(&["audit", "verify", "--json"]).await;
    let said: Value = serde_json::from_str(&said).unwrap();
    let newest = trail.app.items("/api/v1/audit").await.remove(0);
    let expected =
        json!({"ok": true, "entries": newest["seq"], "hash": newest["hash"], "broken": null});
    assert_eq!((code, said), (0, expected));
    for statement in [
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_entries",
    ] {
        let refused = sql::run(&trail.url, statement).await.unwrap_err();
        assert!(refused.to_string().contains("never"), "{refused}");
    }
}

#[tokio::test]
async fn what_was_done_to_it_behind_its_back_is_named() {
    let trail = Trail::of_three_agents().await;
    trail.without_guards().await;
    let bob = trail.made("Bob").await;
    let change = async |set: &str, says: &str| {
        trail
            .tamper(&format!("UPDATE audit_entries SET {set} WHERE seq = {bob}"))
            .await;
        let (code, said, complaint) = trail.verify().await;
        assert_eq!((code, said.as_str()), (1, ""), "{complaint}");
        assert!(complaint.contains(says), "{complaint}");
        let before = format!("the {} entries before that do", bob - 1);
        assert!(complaint.contains(&before), "{complaint}");
    };
    let changed = format!("entry {bob} was changed: its hash does not fit");
    change("subject_name = 'Bobby'", &changed).await;
    change("subject_name = 'Bob', actor_kind = 'system'", &changed).await;
    let unreadable = format!("entry {bob} was changed: what is stored of it cannot be read");
    change("actor_kind = 'token', address = 'nowhere'", &unreadable).await;
    if !ON_POSTGRES {
        change("address = '127.0.0.1', at = 'nonsense'", &unreadable).await;
        change("actor_id = 'nonsense'", &unreadable).await;
    }
    trail
        .tamper(&format!("DELETE FROM audit_entries WHERE seq = {bob}"))
        .await;
    let (code, said, complaint) = trail.run(&["audit", "verify", "--json"]).await;
    assert_eq!(code, 1);
    let said: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said["ok"], &said["entries"], &said["broken"]["seq"]),
        (&json!(false), &json!(bob - 1), &json!(bob))
    );
    assert!(
        complaint.contains(&format!("entry {bob} is missing")),
        "{complaint}"
    );
}

#[tokio::test]
async fn an_end_that_was_cut_off_is_named() {
    let trail = Trail::of_three_agents().await;
    trail.without_guards().await;
    let eve = trail.made("Eve").await;
    trail
        .tamper(&format!("DELETE FROM audit_entries WHERE seq >= {eve}"))
        .await;
    let (code, _, complaint) = trail.verify().await;
    assert_eq!(code, 1);
    let says = format!("the chain ends at entry {}", eve - 1);
    assert!(complaint.contains(&says), "{complaint}");
}

#[tokio::test]
async fn a_shell_that_an_agent_opens_is_in_it() {
    let app = App::start().await;
    let agent = app.agent("Ada").await;
    let mut events = app.events("/api/v1/events", None).await;
    app.hand_in("run `true`").await;
    let job = app.finished_job(&mut events).await;
    let opened = app.items("/api/v1/audit?action=shell.opened").await;
    assert_eq!(
        opened[0]["actor"],
        json!({"kind": "agent", "id": agent, "name": null})
    );
    assert_eq!(opened[0]["after"]["job_id"], job["id"]);
}

#[tokio::test]
async fn commands_on_the_machine_are_in_it_too() {
    let trail = Trail::of_three_agents().await;
    let (code, made, _) = trail
        .run(&["token", "create", "--name", "ci", "--json"])
        .await;
    assert_eq!(code, 0);
    let made: Value = serde_json::from_str(&made).unwrap();
    let id = made["row"]["id"].as_str().unwrap();
    for _ in 0..2 {
        assert_eq!(trail.run(&["token", "revoke", id]).await.0, 0);
    }
    let entries = trail
        .app
        .items(&format!("/api/v1/audit?subject_id={id}"))
        .await;
    let actions: Vec<_> = entries.iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["token.revoked", "token.created"]);
    assert_eq!(
        entries[1]["actor"],
        json!({"kind": "system", "id": null, "name": "nitejar token"})
    );
    assert_eq!(trail.verify().await.0, 0);
}
