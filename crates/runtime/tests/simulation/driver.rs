//! Runs a world: lets everybody go as far as they can, gives one of those who wait a turn, and only when nobody
//! wants anything moves the clock. The same seed takes the same way.

use crate::{
    checks,
    dice::{Dice, Rates},
    facts::Facts,
    people,
    process::Process,
    script::{self, Scene},
    stage::{self, Stage},
    world::World,
};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Turns of the scheduler after which nobody has anything left to do.
const SETTLED: usize = 4;
/// Turns and moments a world may take; more is a world that never comes to rest.
const STEPS: usize = 60_000;
/// How long a world has to come to rest once nothing goes wrong any more.
const REST: Duration = Duration::from_mins(20);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_secs(15);

/// What came of a seed.
pub(crate) struct Outcome {
    pub(crate) trace: Vec<String>,
    pub(crate) violations: Vec<String>,
    /// How often somebody was about to write for a claim that was over.
    pub(crate) stale: usize,
}

/// Lives through one seed.
pub(crate) fn live(seed: u64) -> Outcome {
    let mut dice = Dice::new(seed);
    let rates = Rates::draw(&mut dice);
    live_in(&World::new(rates, dice))
}

/// Lives through one seed in which nothing goes wrong but that processes sleep past their leases.
pub(crate) fn live_asleep(seed: u64) -> Outcome {
    live_in(&World::new(Rates::asleep(), Dice::new(seed)))
}

fn live_in(world: &Arc<World>) -> Outcome {
    let directory = directory();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // Of one thread, so that what is told of it need not be `Send`.
    let story = tokio::task::LocalSet::new();
    story.block_on(&runtime.unwrap(), run(world, directory.path()));
    Outcome {
        trace: world.trace(),
        violations: world.violations(),
        stale: world.stale(),
    }
}

/// In memory where the system has a place for that: what the disk does is not the matter here.
fn directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = tempfile::tempdir_in(memory).or_else(|_| tempfile::tempdir());
    made.unwrap()
}

async fn run(world: &Arc<World>, directory: &Path) {
    let stage = Arc::new(stage::set(world, directory).await);
    let scenes = script::write(world, &stage);
    let mut replicas = Replicas::new(world);
    let story = world
        .tasks
        .spawn_local(tell(Arc::clone(world), stage, scenes));
    for _ in 0..STEPS {
        settle(world).await;
        if story.is_finished() {
            story.await.unwrap();
            return;
        }
        replicas.replace_dead();
        if !world.give_turn() && !world.clock.advance() {
            world.broken("nobody waits for anything, and it is not over");
            return;
        }
    }
    world.broken("the world never comes to rest");
}

/// Lets everybody run until nobody can without a turn or time.
async fn settle(world: &World) {
    loop {
        for _ in 0..SETTLED {
            tokio::task::yield_now().await;
        }
        if !world.is_busy() {
            return;
        }
        world.until_idle().await;
    }
}

/// The life of a replica, once it has begun.
type Slot = Arc<Mutex<Option<Arc<Process>>>>;

/// Keeps every replica alive.
struct Replicas {
    world: Arc<World>,
    lives: BTreeMap<String, (u64, Slot)>,
}

impl Replicas {
    fn new(world: &Arc<World>) -> Self {
        let two = world.dice(|dice| dice.chance(400)) || world.rates.oversleeps > 0;
        let names = if two { vec!["a", "b"] } else { vec!["a"] };
        let mut replicas = Self {
            world: Arc::clone(world),
            lives: BTreeMap::new(),
        };
        for name in names {
            replicas.begin(name, 1, Duration::ZERO);
        }
        replicas
    }

    fn begin(&mut self, name: &str, life: u64, after: Duration) {
        let slot = Arc::new(Mutex::new(None));
        self.lives
            .insert(name.to_owned(), (life, Arc::clone(&slot)));
        let (world, name) = (Arc::clone(&self.world), name.to_owned());
        self.world.tasks.clone().spawn(async move {
            world.clock.sleep(after).await;
            let process = Process::new(&world, &name, life);
            *slot.lock().unwrap() = Some(Arc::clone(&process));
            process.boot().await;
        });
    }

    /// Starts the next life of every process that was killed or has ended, after a while.
    fn replace_dead(&mut self) {
        let is_dead = |slot: &Slot| slot.lock().unwrap().as_ref().is_some_and(|p| p.is_dead());
        let lives = self.lives.iter();
        let dead: Vec<(String, u64)> = lives
            .filter(|(_, (_, slot))| is_dead(slot))
            .map(|(name, (life, _))| (name.clone(), *life))
            .collect();
        for (name, life) in dead {
            let after = self.world.dice(|dice| dice.below(10_000));
            self.begin(&name, life + 1, Duration::from_millis(after));
        }
    }
}

/// The whole story: what happens, the calm after it, and what must be true then.
async fn tell(world: Arc<World>, stage: Arc<Stage>, scenes: Vec<(Duration, Scene)>) {
    let delivered: Vec<String> = scenes
        .iter()
        .filter_map(|(_, scene)| match scene {
            Scene::Call(message, _) | Scene::Post(message) => Some(message.event_id.clone()),
            _ => None,
        })
        .collect();
    let mut playing = Vec::new();
    for (at, scene) in scenes {
        let scene = script::play(Arc::clone(&world), Arc::clone(&stage), at, scene);
        playing.push(world.tasks.spawn_local(scene));
    }
    for scene in playing {
        scene.await.unwrap();
    }
    world.note("stage", "calm");
    world.calm();
    for process in world.living() {
        process.thaw();
    }
    let end = world.clock.now() + REST;
    let mut quiet = 0;
    loop {
        world.clock.sleep(LOOK).await;
        let facts = Facts::load(&world).await;
        let arrived = delivered.iter().all(|event| facts.has_item(event));
        let left = checks::unrest(&facts);
        quiet = if left.is_empty() && arrived {
            quiet + 1
        } else {
            0
        };
        if quiet == 2 {
            checks::check(&world, &facts, &delivered);
            return;
        }
        if world.clock.now() > end {
            world.broken(format!("stuck, all faults gone for {REST:?}: {left:#?}"));
            return;
        }
        people::resolve_all(&world).await;
    }
}
