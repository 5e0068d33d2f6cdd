//! One reader of one stream, and how nothing is missed: subscribed before rows are read, rows read again wherever
//! numbers have a gap. What an item looks like is not decided here.

use super::row;
use crate::state::{ApiState, Phase};
use domain::{
    access::{Area, Right},
    event::JobEvent,
    id::JobId,
};
use futures_util::{FutureExt as _, StreamExt as _};
use ports::live::{EventFeed, Live, LiveStream};
use services::{Context, Error, access, feed};
use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How often a reader is asked again whether they may still read: a login or token that ended takes its streams along.
const RECHECK: Duration = Duration::from_secs(5);
/// How many live items are looked at together when catching up; the feed holds no more.
const LOOK_AHEAD: usize = 4096;

/// Something to give.
enum Item {
    /// Read from the database: true, whatever its number.
    Row(JobEvent),
    /// Heard of: to be checked against what was given.
    Live(Live),
}

/// One reader of one stream.
pub(super) struct Follower {
    context: Context,
    feed: Arc<dyn EventFeed>,
    job: Option<JobId>,
    phase: watch::Receiver<Phase>,
    live: LiveStream,
    /// Items to give before anything else.
    ready: VecDeque<Item>,
    /// The position of the last stored event that was given.
    seen: i64,
    /// Whether rows must be read before anything live is given.
    behind: bool,
    /// Whether the job is over: the stream ends with its last row.
    is_over: bool,
    /// When it was last known that the reader may read.
    checked: Instant,
    /// Whether the events of a job are for the reader.
    seen_jobs: HashMap<JobId, bool>,
}

/// What a wait ended with.
enum Waited {
    Item(Live),
    /// The reader is to be asked again.
    Recheck,
    Over,
}

impl Follower {
    /// A reader of a job; `None` when the job is over and they have seen all of it.
    pub(super) async fn of_job(
        state: &ApiState,
        context: Context,
        job: JobId,
        after: i64,
    ) -> Result<Option<Self>, Error> {
        let follower = Self::new(state, context, Some(job), after);
        let is_over = feed::watch(&follower.context, job).await?;
        let seen_all = is_over
            && feed::after(&follower.context, Some(job), after)
                .await?
                .is_empty();
        Ok((!seen_all).then_some(Self {
            is_over,
            ..follower
        }))
    }

    /// A reader of a tenant.
    pub(super) async fn of_tenant(
        state: &ApiState,
        context: Context,
        after: Option<i64>,
    ) -> Result<Self, Error> {
        let follower = Self::new(state, context, None, 0);
        // A number from the future is from before a backup was restored: what is new now comes after the end.
        let end = feed::end(&follower.context).await?;
        let seen = after.map_or(end, |after| after.min(end));
        // What is not a row is not replayed.
        let ready = after.map(|_| follower.stale_lists()).into_iter().collect();
        Ok(Self {
            ready,
            seen,
            ..follower
        })
    }

    /// Subscribes at once; rows are read when the stream is.
    fn new(state: &ApiState, context: Context, job: Option<JobId>, seen: i64) -> Self {
        Self {
            live: state.feed.subscribe(context.tenant, job),
            feed: Arc::clone(&state.feed),
            phase: state.phase.clone(),
            context,
            job,
            ready: VecDeque::new(),
            seen,
            behind: true,
            is_over: false,
            checked: Instant::now(),
            seen_jobs: HashMap::new(),
        }
    }

    /// Whether the reader may still read; what they see may have changed as well.
    async fn recheck(&mut self) -> Option<()> {
        self.context = access::renew(&self.context).await.ok()?;
        self.context.authorise(Area::Work, Right::Read).ok()?;
        self.checked = Instant::now();
        self.seen_jobs.clear();
        if let Some(job) = self.job {
            feed::watch(&self.context, job).await.ok()?;
        }
        Some(())
    }

    /// Whether the item is for the reader: a stream of a single job was checked when it was opened.
    pub(super) async fn is_seen(&mut self, item: &Live) -> Option<bool> {
        let job = match item {
            Live::Event(event) => event.job_id,
            Live::Delta(delta) => delta.job_id,
            // It says nothing of which items.
            Live::Work(_) | Live::Moved(_) | Live::Lagged => return Some(true),
        };
        if self.job.is_some() {
            return Some(true);
        }
        if let Some(seen) = self.seen_jobs.get(&job) {
            return Some(*seen);
        }
        let seen = feed::is_seen(&self.context, job).await.ok()?;
        self.seen_jobs.insert(job, seen);
        Some(seen)
    }

    /// The next item; `None` ends the stream.
    pub(super) async fn next(&mut self) -> Option<Live> {
        loop {
            if self.checked.elapsed() >= RECHECK {
                self.recheck().await?;
            }
            if let Some(item) = self.ready.pop_front() {
                if let Some(item) = self.accept(item) {
                    return Some(item);
                }
            } else if self.behind {
                self.read_rows().await?;
            } else if self.is_over {
                return None;
            } else {
                match self.wait().await {
                    Waited::Item(item) => self.ready.push_back(Item::Live(item)),
                    Waited::Recheck => {}
                    Waited::Over => return None,
                }
            }
        }
    }

    /// Lets an item pass, or notes that rows have to be read first.
    fn accept(&mut self, item: Item) -> Option<Live> {
        match item {
            Item::Row(event) => Some(self.pass(event)),
            Item::Live(Live::Event(event)) => {
                let missed = self.position(&event) - self.seen - 1;
                if missed > 0 {
                    self.resume();
                }
                (missed == 0).then(|| self.pass(event))
            }
            Item::Live(live @ (Live::Delta(_) | Live::Work(_))) => Some(live),
            Item::Live(Live::Moved(_)) => {
                self.behind = true;
                None
            }
            Item::Live(Live::Lagged) => {
                self.resume();
                None
            }
        }
    }

    fn pass(&mut self, event: JobEvent) -> Live {
        self.seen = self.position(&event);
        if self.job.is_some() && row::is_final(&event) && !self.is_over {
            // What was committed right behind it still belongs to the stream.
            self.is_over = true;
            self.behind = true;
        }
        Live::Event(event)
    }

    /// Something was missed: rows have it, and open text starts anew with what there is so far.
    fn resume(&mut self) {
        self.live = self.feed.subscribe(self.context.tenant, self.job);
        self.ready.clear();
        if self.job.is_none() {
            self.ready.push_back(self.stale_lists());
        }
        self.behind = true;
    }

    /// What tells the reader that changes of work items may have been missed.
    fn stale_lists(&self) -> Item {
        Item::Live(Live::Work(self.context.tenant))
    }

    /// Reads one page of rows; after the last page, looks through what came in the meantime.
    async fn read_rows(&mut self) -> Option<()> {
        let rows = match feed::after(&self.context, self.job, self.seen).await {
            Ok(rows) => rows,
            Err(error) => {
                // The client connects again and goes on where it was.
                tracing::warn!(
                    error = %ports::Causes(&error),
                    "an event stream broke off"
                );
                return None;
            }
        };
        self.behind = rows.len() >= feed::PAGE as usize;
        let end = rows.last().map_or(self.seen, |row| self.position(row));
        self.ready.extend(rows.into_iter().map(Item::Row));
        if !self.behind && !self.is_over {
            let fresh = self.look_ahead(end);
            self.ready.extend(fresh.into_iter().map(Item::Live));
        }
        Some(())
    }

    /// What is waiting in the live stream, without events up to `end` and without pieces of text
    /// that those events hold whole.
    fn look_ahead(&mut self, end: i64) -> Vec<Live> {
        let mut fresh: Vec<Live> = Vec::new();
        for _ in 0..LOOK_AHEAD {
            match self.live.next().now_or_never() {
                Some(Some(Live::Event(event))) if self.position(&event) <= end => {
                    fresh.retain(
                        |item| !matches!(item, Live::Delta(delta) if row::closes(&event, delta)),
                    );
                }
                Some(Some(item)) => fresh.push(item),
                Some(None) | None => break,
            }
        }
        fresh
    }

    async fn wait(&mut self) -> Waited {
        let stopping = self.phase.wait_for(|phase| *phase == Phase::Stopping);
        tokio::select! {
            item = self.live.next() => item.map_or(Waited::Over, Waited::Item),
            Ok(_) = stopping => Waited::Over,
            () = sleep_until(self.checked + RECHECK) => Waited::Recheck,
        }
    }

    /// The event's number in this stream.
    pub(super) fn position(&self, event: &JobEvent) -> i64 {
        self.job.map_or(event.feed_seq, |_| event.seq)
    }
}
