//! The model without AI when people write while it works.

use crate::{
    demo::{answer, asked, play},
    support::{assistant, call, results, user},
};
use serde_json::json;

#[tokio::test]
async fn a_message_that_comes_meanwhile_is_taken_into_account() {
    let turns = vec![
        user("run `a` then run `b`"),
        assistant(vec![call("1", "bash", json!({ "command": "a" }))]),
        results(vec![("1", "out a", false)]),
        user("also run `c`"),
    ];
    let next = answer(turns.clone()).await;
    assert_eq!(asked(&next).1, &json!({ "command": "b" }));
    assert!(
        next.text
            .contains("I read your new message (“also run `c`”)"),
        "{}",
        next.text
    );
    let (calls, text) = play(turns.clone()).await;
    assert_eq!(
        calls
            .iter()
            .map(|(_, a)| a["command"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["b", "c"]
    );
    assert!(
        text.starts_with("You wrote “also run `c`” while I was working"),
        "{text}"
    );

    let mut instead = turns;
    instead.pop();
    instead.push(user("stop, run `d`"));
    let (calls, _) = play(instead).await;
    assert_eq!(
        calls
            .iter()
            .map(|(_, a)| a["command"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["d"]
    );
}

#[tokio::test]
async fn a_message_it_does_not_understand_is_admitted() {
    let turns = vec![
        user("run `a`"),
        assistant(vec![call("1", "bash", json!({ "command": "a" }))]),
        results(vec![("1", "out a", false)]),
        user("and make it nicer"),
    ];
    let told = answer(turns).await.text;
    assert!(
        told.contains("“and make it nicer”; I could make nothing of that"),
        "{told}"
    );
    assert!(
        told.contains("out a") && !told.contains("into account"),
        "{told}"
    );
}
