//! Tables and properties of the loop guards.

use super::*;
use crate::{
    id::{JobId, MessageId, TenantId},
    message::Trust,
};
use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

fn at(second: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + TimeDelta::seconds(second)
}

/// Arrivals at these seconds, oldest first.
fn arrivals(seconds: impl DoubleEndedIterator<Item = i64>) -> Vec<Timestamp> {
    seconds.rev().map(at).collect()
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message {
        id: MessageId::from_uuid(Uuid::nil()),
        tenant_id: TenantId::from_uuid(Uuid::nil()),
        job_id: JobId::from_uuid(Uuid::nil()),
        seq: 1,
        role,
        parts,
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn person() -> Message {
    message(Role::User, vec![Part::human("go on", Trust::Guest)])
}

/// A call and its result; the id says nothing, as with providers that number per message.
fn used(arguments: &str, result: &str) -> [Message; 2] {
    let (id, name) = ("call_0".to_owned(), "bash".to_owned());
    let call = Content::ToolCall {
        id: id.clone(),
        name: name.clone(),
        arguments: Arguments::parse(arguments),
    };
    let answer = Content::ToolResult {
        id,
        name,
        text: result.to_owned(),
        is_error: false,
    };
    [
        message(Role::Assistant, vec![Part::model(call)]),
        message(Role::Tool, vec![Part::model(answer)]),
    ]
}

#[test]
fn bots_may_talk_so_deep_and_a_person_starts_the_count_anew() {
    let limits = LoopLimits::default();
    let judge = |bots: &[bool]| {
        let trail = Trail {
            bots,
            ..Trail::default()
        };
        suspicion(&limits, &trail)
    };
    assert_eq!(judge(&[true, true, true]), None);
    assert_eq!(judge(&[true; 4]), Some(Suspicion::RelayDepth(3)));
    assert_eq!(judge(&[true, true, true, false, true]), None);
    assert_eq!(judge(&[true, false, true, true, true, true]), None);
    let never = LoopLimits {
        relay_depth: 0,
        ..limits
    };
    let trail = Trail {
        bots: &[true],
        ..Trail::default()
    };
    assert_eq!(suspicion(&never, &trail), Some(Suspicion::RelayDepth(0)));
}

#[test]
fn a_bot_that_writes_too_fast_is_passed_over_until_it_slows_down() {
    let limits = LoopLimits::default();
    assert!(!is_crowded(&limits, &[]));
    assert!(
        !is_crowded(&limits, &arrivals(0..20)),
        "20 in 60 s are fine"
    );
    assert!(is_crowded(&limits, &arrivals(0..21)), "the 21st is not");
    let spread = (0..21).map(|n| n * 3);
    assert!(
        !is_crowded(&limits, &arrivals(spread)),
        "21 in 60 s and more are fine"
    );
    let cooling = (0..21).chain([79]);
    assert!(
        is_crowded(&limits, &arrivals(cooling)),
        "59 s later it cools down"
    );
    let cooled = (0..21).chain([80]);
    assert!(
        !is_crowded(&limits, &arrivals(cooled)),
        "60 s later it is over"
    );
    let at_once = LoopLimits {
        bot_cooldown_seconds: 0,
        ..limits
    };
    assert!(is_crowded(&at_once, &arrivals(0..21)));
}

#[test]
fn the_same_answer_to_bots_ends_and_another_one_between_does_not() {
    let limits = LoopLimits::default();
    let judge = |answers: &[&str]| {
        let answers: Vec<String> = answers.iter().map(|a| (*a).to_owned()).collect();
        let trail = Trail {
            answers: &answers,
            ..Trail::default()
        };
        suspicion(&limits, &trail)
    };
    assert_eq!(judge(&[]), None);
    assert_eq!(judge(&["ok", "ok"]), None);
    assert_eq!(judge(&["ok", "ok", "ok"]), Some(Suspicion::SameAnswers(3)));
    assert_eq!(judge(&["ok", "no", "ok", "ok", "ok"]), None);
}

#[test]
fn a_job_that_does_the_same_five_times_gets_nowhere() {
    let limit = LoopLimits::default().identical_calls;
    let same = || used("{\"command\":\"ls\"}", "a");
    let of = |messages: Vec<Message>| repeated_call(&messages, limit).map(str::to_owned);
    let times = |n: usize| {
        let calls = std::iter::repeat_with(same).take(n).flatten();
        std::iter::once(person()).chain(calls).collect::<Vec<_>>()
    };
    assert_eq!(of(vec![]), None);
    assert_eq!(of(times(4)), None);
    assert_eq!(of(times(5)), Some("bash".to_owned()));
    let mut other_result = times(4);
    other_result.extend(used("{\"command\":\"ls\"}", "b"));
    assert_eq!(of(other_result), None);
    let mut other_arguments = times(4);
    other_arguments.extend(used("{\"command\":\"pwd\"}", "a"));
    assert_eq!(of(other_arguments), None);
    let mut spoken_to = times(3);
    spoken_to.push(person());
    spoken_to.extend(times(2).into_iter().skip(1));
    assert_eq!(of(spoken_to), None, "a person's word starts the count anew");
    let mut unanswered = times(5);
    unanswered.pop();
    assert_eq!(
        of(unanswered),
        None,
        "a call without its result is no repetition"
    );
}

#[test]
fn three_resumes_without_progress_are_borne() {
    let limits = LoopLimits::default();
    assert!(!is_abandoned(3, &limits));
    assert!(is_abandoned(4, &limits));
}

#[test]
fn limits_that_would_switch_a_guard_off_are_refused_by_name() {
    let limits = LoopLimits::default();
    assert_eq!(limits.check(), Ok(()));
    let wrong = |change: fn(&mut LoopLimits)| {
        let mut limits = LoopLimits::default();
        change(&mut limits);
        limits.check().map_err(|error| error.limit)
    };
    assert_eq!(wrong(|l| l.relay_depth = 101), Err("relay_depth"));
    assert_eq!(wrong(|l| l.bot_window_items = 0), Err("bot_window_items"));
    assert_eq!(
        wrong(|l| l.bot_window_seconds = 0),
        Err("bot_window_seconds")
    );
    assert_eq!(
        wrong(|l| l.bot_cooldown_seconds = 9_999),
        Err("bot_cooldown_seconds")
    );
    assert_eq!(wrong(|l| l.identical_calls = 1), Err("identical_calls"));
    assert_eq!(wrong(|l| l.identical_answers = 0), Err("identical_answers"));
    assert_eq!(wrong(|l| l.resumes = 0), Err("resumes"));
    let sparse: LoopLimits = serde_json::from_str("{\"relay_depth\":7}").unwrap();
    assert_eq!(
        sparse,
        LoopLimits {
            relay_depth: 7,
            ..limits
        }
    );
}

proptest! {
    /// However bots pace themselves, no window holds more of their items than the limit that were not passed over.
    #[test]
    fn what_is_let_through_never_exceeds_the_window(gaps in prop::collection::vec(0_i64..30, 1..200)) {
        let limits = LoopLimits { bot_window_items: 5, ..LoopLimits::default() };
        let mut seconds = Vec::new();
        let mut now = 0;
        let mut taken = Vec::new();
        for gap in gaps {
            now += gap;
            seconds.push(now);
            if !is_crowded(&limits, &arrivals(seconds.iter().copied())) {
                taken.push(now);
            }
        }
        for group in taken.windows(6) {
            prop_assert!(group[5] - group[0] >= 60, "{group:?}");
        }
    }

    #[test]
    fn a_person_in_between_always_gets_the_agent_going_again(before in prop::collection::vec(any::<bool>(), 0..50)) {
        let mut bots = vec![true, false];
        bots.extend(before);
        let trail = Trail { bots: &bots, ..Trail::default() };
        prop_assert_eq!(suspicion(&LoopLimits::default(), &trail), None);
    }
}
