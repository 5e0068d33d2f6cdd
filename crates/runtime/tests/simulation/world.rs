//! Everything that outlives a simulated process: time, chance, the database file, the vendor, the log of what
//! happened. Whoever wants to act takes a turn here first; turns are given out one at a time, so that nothing
//! real time does can change their order.

use crate::{
    clock::SimClock,
    dice::{Dice, Rates},
    process::Process,
    vendor::Vendor,
};
use domain::{id::TenantId, queue::Lane};
use ports::{
    live::{CommitListener, Committed},
    store::{BoxTx, Store as _},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use store_sqlite::SqliteStore;
use test_kit::fakes::SeqIds;
use tokio::sync::{Notify, oneshot};
use tokio_util::task::TaskTracker;

/// One simulated world.
pub(crate) struct World {
    pub(crate) rates: Rates,
    pub(crate) clock: SimClock,
    pub(crate) ids: Arc<SeqIds>,
    pub(crate) tasks: TaskTracker,
    pub(crate) store: OnceLock<Arc<SqliteStore>>,
    pub(crate) tenant: OnceLock<TenantId>,
    state: Mutex<State>,
    /// Wakes the driver when a database operation is over.
    idle: Notify,
}

struct State {
    dice: Dice,
    trace: Vec<String>,
    tickets: VecDeque<oneshot::Sender<()>>,
    busy: usize,
    calm: bool,
    count: u64,
    news: Vec<Committed>,
    processes: Vec<Arc<Process>>,
    vendor: Vendor,
    lanes: BTreeMap<domain::id::LaneId, Lane>,
    touched: BTreeMap<u64, usize>,
    stale: usize,
    violations: Vec<String>,
}

/// A database operation or transaction under way.
pub(crate) struct Busy(Arc<World>);

impl World {
    pub(crate) fn new(rates: Rates, dice: Dice) -> Arc<Self> {
        Arc::new(Self {
            rates,
            clock: SimClock::new(),
            ids: Arc::new(SeqIds::default()),
            tasks: TaskTracker::new(),
            store: OnceLock::new(),
            tenant: OnceLock::new(),
            state: Mutex::new(State {
                dice,
                trace: Vec::new(),
                tickets: VecDeque::new(),
                busy: 0,
                calm: false,
                count: 0,
                news: Vec::new(),
                processes: Vec::new(),
                vendor: Vendor::default(),
                lanes: BTreeMap::new(),
                touched: BTreeMap::new(),
                stale: 0,
                violations: Vec::new(),
            }),
            idle: Notify::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the driver lets this one act.
    pub(crate) async fn turn(&self) {
        let (go, gone) = oneshot::channel();
        self.state().tickets.push_back(go);
        drop(gone.await);
    }

    /// Lets one of those who wait act; false when nobody waits.
    pub(crate) fn give_turn(&self) -> bool {
        loop {
            let ticket = {
                let mut state = self.state();
                state.tickets.retain(|ticket| !ticket.is_closed());
                let waiting = state.tickets.len() as u64;
                if waiting == 0 {
                    return false;
                }
                let at = usize::try_from(state.dice.below(waiting)).unwrap_or_default();
                state.tickets.remove(at)
            };
            if ticket.is_some_and(|ticket| ticket.send(()).is_ok()) {
                return true;
            }
        }
    }

    /// Marks the database as being used until the guard is dropped.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.state().busy += 1;
        Busy(Arc::clone(self))
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.state().busy > 0
    }

    /// Returns when no database operation is under way.
    pub(crate) async fn until_idle(&self) {
        while self.is_busy() {
            self.idle.notified().await;
        }
    }

    /// A snapshot for those who look on; nothing goes wrong with it.
    pub(crate) async fn look(self: &Arc<Self>) -> (BoxTx, Busy) {
        self.turn().await;
        let busy = self.busy();
        let tx = self.store().read(self.tenant()).await.unwrap();
        (tx, busy)
    }

    pub(crate) fn store(&self) -> &Arc<SqliteStore> {
        self.store.get().unwrap()
    }

    pub(crate) fn tenant(&self) -> TenantId {
        *self.tenant.get().unwrap()
    }

    /// Chance, by whoever has the turn.
    pub(crate) fn dice<T>(&self, draw: impl FnOnce(&mut Dice) -> T) -> T {
        draw(&mut self.state().dice)
    }

    /// Whether something goes wrong now.
    pub(crate) fn fails(&self, rate: u64) -> bool {
        let mut state = self.state();
        !state.calm && state.dice.chance(rate)
    }

    /// Nothing goes wrong any more.
    pub(crate) fn calm(&self) {
        self.state().calm = true;
    }

    /// A number that was not given before.
    pub(crate) fn number(&self) -> u64 {
        let mut state = self.state();
        state.count += 1;
        state.count
    }

    /// Notes what happened.
    pub(crate) fn note(&self, who: &str, what: impl Display) {
        let at = self.clock.elapsed().as_secs_f64();
        self.state().trace.push(format!("{at:9.3} {who}: {what}"));
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.state().trace.clone()
    }

    /// Notes a broken promise; it fails the seed.
    pub(crate) fn broken(&self, what: impl Display) {
        self.note("VIOLATION", &what);
        self.state().violations.push(what.to_string());
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    pub(crate) fn vendor<T>(&self, act: impl FnOnce(&mut Vendor) -> T) -> T {
        act(&mut self.state().vendor)
    }

    pub(crate) fn learn_lanes(&self, lanes: &[Lane]) {
        let known = lanes.iter().map(|lane| (lane.id, *lane));
        self.state().lanes.extend(known);
    }

    pub(crate) fn lanes(&self) -> Vec<Lane> {
        self.state().lanes.values().copied().collect()
    }

    /// Somebody was about to write for a claim that was over.
    pub(crate) fn met_stale(&self) {
        self.state().stale += 1;
    }

    /// How often that happened.
    pub(crate) fn stale(&self) -> usize {
        self.state().stale
    }

    /// A tool that changes something ran for this call.
    pub(crate) fn touch(&self, call: u64) {
        *self.state().touched.entry(call).or_default() += 1;
    }

    /// How often it ran, by call.
    pub(crate) fn touched(&self) -> BTreeMap<u64, usize> {
        self.state().touched.clone()
    }

    pub(crate) fn add(&self, process: &Arc<Process>) {
        self.state().processes.push(Arc::clone(process));
    }

    /// All processes that were not killed.
    pub(crate) fn living(&self) -> Vec<Arc<Process>> {
        let processes = self.state().processes.clone();
        processes.into_iter().filter(|p| !p.is_dead()).collect()
    }

    /// Tells the processes of what was committed; others than the one that did it may miss it.
    pub(crate) fn spread(&self, by: &Process) {
        let news = std::mem::take(&mut self.state().news);
        for committed in news {
            for process in self.living() {
                let own = process.name == by.name;
                if own || !self.fails(self.rates.news_lost) {
                    process.hear(committed.clone());
                }
            }
        }
    }
}

impl CommitListener for World {
    /// Only kept here: it is told when the operation is over, on the driver's thread.
    fn committed(&self, committed: Committed) {
        self.state().news.push(committed);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.state().busy -= 1;
        self.0.idle.notify_one();
    }
}
