//! What people do, and what befalls the processes, in the course of a simulated day. Everything is settled by the
//! seed before it begins; only whom it meets depends on how things stand by then.

use crate::{dice::Dice, people, process::Process, stage::Stage, world::World};
use domain::channel::{ChatKind, Command, InboundMessage, Sender};
use ports::ingest::Accept;
use std::{sync::Arc, time::Duration};
use test_kit::builders;

/// How long a vendor waits for the answer to a call.
const PATIENCE: Duration = Duration::from_secs(10);

/// Something that happens.
#[derive(Clone, Debug)]
pub(crate) enum Scene {
    /// The vendor calls with a message, and again until it is thanked; and perhaps once more.
    Call(InboundMessage, bool),
    /// A message waits to be polled.
    Post(InboundMessage),
    /// Somebody hands work in over the API.
    Hand,
    /// Somebody stops a job.
    Cancel,
    /// Somebody has a job tried again.
    Retry,
    /// Somebody decides about an effect that waits for a human.
    Resolve,
    /// A process gets no time for a while.
    Freeze(Duration),
    /// Nobody gets any time for a while.
    Jump(Duration),
    /// A process is killed.
    Kill,
    /// A process is asked to end.
    Stop,
}

/// All that happens, with its time.
pub(crate) fn write(world: &World, stage: &Stage) -> Vec<(Duration, Scene)> {
    let agents: Vec<&str> = stage.agents.iter().map(|a| a.name.as_str()).collect();
    world.dice(|dice| {
        let length = dice.from(15, 150);
        let messages = dice.from(3, 14);
        let mut scenes: Vec<Scene> = (0..messages)
            .map(|number| say(dice, number, &agents))
            .collect();
        for _ in 0..dice.below(10) {
            let scene = trouble(dice);
            scenes.push(scene);
        }
        let timed = scenes.into_iter().map(|scene| {
            let at = Duration::from_millis(dice.below(length * 1_000));
            (at, scene)
        });
        timed.collect()
    })
}

fn trouble(dice: &mut Dice) -> Scene {
    match dice.below(12) {
        0 => Scene::Hand,
        1 | 2 => Scene::Cancel,
        3 | 4 => Scene::Retry,
        5 => Scene::Resolve,
        6 | 7 => Scene::Freeze(Duration::from_secs(dice.from(1, 25))),
        8 => Scene::Jump(Duration::from_secs(dice.from(3, 60))),
        9 | 10 => Scene::Kill,
        _ => Scene::Stop,
    }
}

fn say(dice: &mut Dice, number: u64, agents: &[&str]) -> Scene {
    let place = dice.below(4);
    let mut text = format!("message {number}");
    if dice.chance(300) {
        let name = dice.pick(agents).unwrap();
        text = format!("@{name} {text}");
    }
    let now = SOME_TIME;
    let event = format!("event {number}");
    let mut message = builders::inbound(&event, &format!("chat {place}"), &text, now);
    if place % 2 == 1 {
        message.chat = ChatKind::Group;
        message.title = Some("Everybody".to_owned());
        message.addressed = dice.chance(300);
    }
    if dice.chance(60) {
        message.addressed = true;
        message.command = Some(Command {
            name: "stop".to_owned(),
            arguments: String::new(),
        });
    }
    if dice.chance(80) {
        message.sender = Sender {
            external_id: "robot".to_owned(),
            display_name: "Robot".to_owned(),
            is_bot: true,
        };
    }
    if place < 2 {
        Scene::Call(message, dice.chance(250))
    } else {
        Scene::Post(message)
    }
}

const SOME_TIME: domain::Timestamp = domain::Timestamp::UNIX_EPOCH;

/// Lets a scene happen.
pub(crate) async fn play(world: Arc<World>, stage: Arc<Stage>, at: Duration, scene: Scene) {
    world.clock.sleep(at).await;
    world.turn().await;
    match scene {
        Scene::Call(message, again) => call(&world, &stage, message, again).await,
        Scene::Post(message) => {
            world.note("people", format!("post {}", message.event_id));
            world.vendor(|vendor| vendor.updates.push(message));
        }
        Scene::Hand => people::hand(&world).await,
        Scene::Cancel => people::cancel(&world).await,
        Scene::Retry => people::retry(&world).await,
        Scene::Resolve => people::resolve(&world).await,
        Scene::Freeze(time) => {
            if let Some(process) = somebody(&world) {
                process.freeze("some instant");
                world.clock.sleep(time).await;
                process.thaw();
            }
        }
        Scene::Jump(by) => {
            world.note("time", format!("jumps by {by:?}"));
            world.clock.jump(by);
        }
        Scene::Kill => {
            if let Some(process) = somebody(&world) {
                process.kill("some instant");
            }
        }
        Scene::Stop => {
            if let Some(process) = somebody(&world).filter(|process| process.is_up()) {
                // Not waited for: it may be killed before it has ended.
                world.tasks.spawn(async move { process.stop().await });
            }
        }
    }
}

/// A process that was not killed.
pub(crate) fn somebody(world: &World) -> Option<Arc<Process>> {
    let living = world.living();
    world.dice(|dice| dice.pick(&living).cloned())
}

/// Calls until the answer is yes: every vendor does so for a while.
async fn call(world: &Arc<World>, stage: &Stage, message: InboundMessage, mut again: bool) {
    loop {
        world.turn().await;
        let accepted = match somebody(world).filter(|process| process.is_up()) {
            None => false,
            Some(process) => {
                let accept = Accept {
                    tenant_id: stage.called.tenant_id,
                    integration_id: stage.called.id,
                    message: message.clone(),
                    assigned: Vec::new(),
                    except: Vec::new(),
                };
                let platform = process.context().platform;
                let answer = platform.ingest.accept(vec![accept]);
                patient(world, answer)
                    .await
                    .is_some_and(|answer| answer.is_ok())
            }
        };
        world.note(
            "vendor",
            format!("delivered {}: {accepted}", message.event_id),
        );
        if accepted && !std::mem::take(&mut again) {
            return;
        }
        world.clock.sleep(Duration::from_secs(3)).await;
    }
}

/// The answer, unless it takes too long; the process that owes it may be dead.
pub(crate) async fn patient<T>(world: &World, answer: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        answer = answer => Some(answer),
        () = world.clock.sleep(PATIENCE) => None,
    }
}
