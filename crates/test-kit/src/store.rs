//! The contract every store keeps. An adapter calls [`crate::store_contract!`] with a function that
//! makes an empty, migrated store of its kind.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a contract fails by panicking"
)]

pub mod access;
pub mod approvals;
pub mod catalog;
pub mod conversations;
pub mod effects;
pub mod events;
pub mod guards;
pub mod ingest;
pub mod jobs;
pub mod lanes;
pub mod leases;
pub mod ledger;
pub mod races;
pub mod reports;
pub mod sealed;
pub mod transactions;
pub mod transcript;
pub mod upkeep;
pub mod work;

use crate::{
    builders,
    fakes::{FakeClock, SeqIds},
};
use domain::{
    Timestamp,
    access::Tenant,
    agent::Agent,
    budget::{BudgetScope, Limit, Period},
    id::{TenantId, WorkerId},
    integration::Integration,
    job::Job,
    queue::Lane,
    work::WorkItem,
};
use ports::{
    clock::Clock,
    ids::Ids,
    live::{CommitListener, Committed},
    store::{BoxTx, Durability, LeaseStore, Maintenance, SealedStore, Store, SystemStore, Worker},
};
use std::{
    any::Any,
    future::Future,
    sync::{Arc, Mutex},
};

/// Everything a store has to offer.
pub trait AnyStore: Store + SystemStore + LeaseStore + Maintenance + SealedStore {}

impl<T: Store + SystemStore + LeaseStore + Maintenance + SealedStore> AnyStore for T {}

/// What a store under test is made of.
pub struct Parts {
    /// Ids in counting order.
    pub ids: Arc<dyn Ids>,
    /// Time that stands still.
    pub clock: Arc<dyn Clock>,
    /// Remembers every commit.
    pub listener: Arc<dyn CommitListener>,
}

/// A store under test, and whatever must live as long as it does (its directory).
pub type Made = (Arc<dyn AnyStore>, Box<dyn Any + Send>);

/// Remembers every commit that somebody needs to hear of.
#[derive(Default)]
pub struct Commits(Mutex<Vec<Committed>>);

impl CommitListener for Commits {
    fn committed(&self, committed: Committed) {
        self.0.lock().unwrap().push(committed);
    }
}

impl Commits {
    /// Takes what was heard since the last call.
    pub fn take(&self) -> Vec<Committed> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A store with one tenant, one agent and one integration that the agent sees.
pub struct Harness {
    /// The store.
    pub store: Arc<dyn AnyStore>,
    /// Its clock.
    pub clock: FakeClock,
    /// Its ids.
    pub ids: Arc<SeqIds>,
    /// What it committed.
    pub commits: Arc<Commits>,
    /// The tenant.
    pub tenant: Tenant,
    /// Ada.
    pub agent: Agent,
    /// A Telegram bot that every agent sees.
    pub integration: Integration,
    _guard: Box<dyn Any + Send>,
}

/// One claimed lane with its work item and a job for it.
pub struct Claimed {
    /// The process that holds the lane.
    pub worker: WorkerId,
    /// The lane.
    pub lane: Lane,
    /// The item.
    pub item: WorkItem,
    /// The job.
    pub job: Job,
}

impl Harness {
    /// Makes a store and fills in the least that everything else needs.
    pub async fn start<F>(make: impl FnOnce(Parts) -> F) -> Self
    where
        F: Future<Output = Made>,
    {
        let (clock, ids) = (FakeClock::default(), Arc::new(SeqIds::default()));
        let commits = Arc::new(Commits::default());
        let parts = Parts {
            ids: Arc::<SeqIds>::clone(&ids),
            clock: Arc::new(clock.clone()),
            listener: Arc::<Commits>::clone(&commits),
        };
        let (store, guard) = make(parts).await;
        let tenant = store.ensure_tenant("Acme", clock.now()).await.unwrap();
        let agent = builders::agent(&*ids, tenant.id, "Ada", clock.now());
        let integration = builders::integration(&*ids, tenant.id, "Bot", clock.now());
        let tx = store.write(tenant.id, Durability::Relaxed).await.unwrap();
        tx.agents().insert(&agent).await.unwrap();
        tx.integrations().insert(&integration).await.unwrap();
        tx.ledger()
            .set_budget(
                tenant.id,
                BudgetScope::Tenant,
                Period::Day,
                Limit::Unlimited,
                clock.now(),
            )
            .await
            .unwrap();
        tx.commit().await.unwrap();
        commits.take();
        Self {
            store,
            clock,
            ids,
            commits,
            tenant,
            agent,
            integration,
            _guard: guard,
        }
    }

    /// Now, on the store's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A tenant that owns nothing here.
    pub fn stranger(&self) -> TenantId {
        TenantId::from_uuid(self.ids.next())
    }

    /// A transaction that may write.
    pub async fn write(&self) -> BoxTx {
        self.store
            .write(self.tenant.id, Durability::Relaxed)
            .await
            .unwrap()
    }

    /// A snapshot.
    pub async fn read(&self) -> BoxTx {
        self.store.read(self.tenant.id).await.unwrap()
    }

    /// A registered process.
    pub async fn worker(&self, instance: &str) -> WorkerId {
        let id = WorkerId::from_uuid(self.ids.next());
        let worker = Worker {
            id,
            instance: instance.to_owned(),
            started_at: self.now(),
        };
        self.store.register(&worker).await.unwrap();
        id
    }

    /// Takes a message in and gives its work item.
    pub async fn receive(&self, event_id: &str, channel: &str) -> WorkItem {
        let message = builders::inbound(event_id, channel, "Hello", self.now());
        let batch = vec![builders::accept(&self.integration, message)];
        let id = self.store.ingest(batch).await.unwrap()[0].work_item_id;
        let found = self.read().await.work().find(self.tenant.id, id).await;
        found.unwrap().unwrap()
    }

    /// A message that came in through `channel`, its lane claimed, its job written.
    pub async fn claimed(&self, channel: &str) -> Claimed {
        let worker = self.worker(&format!("instance of {channel}")).await;
        let item = self.receive(&format!("event in {channel}"), channel).await;
        let lanes = self.store.claim_lanes(worker, self.now(), 1).await.unwrap();
        let lane = lanes[0];
        let job = builders::job(&*self.ids, &lane, item.id, self.now());
        let tx = self.write().await;
        tx.jobs().insert(&job, Limit::Unlimited).await.unwrap();
        tx.commit().await.unwrap();
        self.commits.take();
        Claimed {
            worker,
            lane,
            item,
            job,
        }
    }
}

/// Writes one `#[tokio::test]` per promise. The argument is a function from [`Parts`] to a future of
/// [`Made`].
#[macro_export]
macro_rules! store_contract {
    ($make:path) => {
        $crate::store_contract!($make =>
            access: tokens_are_found_by_hash_listed_and_revoked,
            access: settings_are_replaced,
            access: an_idempotency_key_is_owned_answered_and_given_back,
            access: keys_of_a_process_that_is_gone_are_freed,
            access: an_abandoned_key_is_taken_over_once,
            approvals: approvals_round_trip_and_are_answered_once,
            approvals: approvals_are_filtered_and_paged,
            approvals: overdue_approvals_are_found,
            approvals: identities_are_linked_to_one_user,
            approvals: a_link_code_works_once_and_for_a_while,
            catalog: agents_round_trip_within_their_tenant,
            catalog: agent_names_are_unique_without_regard_to_case_until_archived,
            catalog: lists_are_paged_newest_first,
            catalog: integrations_round_trip_within_their_tenant,
            catalog: removed_integrations_are_not_found_but_their_name_is_free,
            catalog: agents_see_what_is_open_to_all_or_lists_them,
            conversations: the_newest_item_gives_a_conversation_its_place,
            conversations: conversations_are_filtered,
            conversations: what_was_said_is_read_in_order_and_goes_on,
            ingest: identical_deliveries_make_one_item,
            ingest: a_batch_tells_new_from_known,
            ingest: a_transaction_takes_in_whole_or_not_at_all,
            ingest: the_same_place_is_one_conversation_and_a_thread_another,
            ingest: an_item_nobody_sees_is_passed,
            ingest: work_handed_over_by_name_reaches_only_enabled_agents_of_that_name,
            work: items_are_filtered_and_paged,
            work: an_item_ends_as_its_lanes_do_and_reopens_for_a_retry,
            work: a_reason_explains_how_the_whole_item_ended,
            work: an_agent_decides_once,
            guards: steering_and_loop_limits_are_kept,
            guards: bots_are_told_from_people_in_their_conversation,
            guards: resumes_are_counted_until_a_message_follows,
            guards: a_stop_command_asks_the_job_of_its_conversation,
            guards: what_failed_gives_the_reason_whoever_ends_last,
            lanes: ready_lanes_are_claimed_exactly_once,
            lanes: an_old_fence_is_stale,
            lanes: a_released_lane_is_ready_while_entries_wait,
            lanes: a_released_lane_is_ready_while_a_worker_can_do_something,
            lanes: entries_move_with_their_job,
            jobs: jobs_round_trip_within_their_tenant,
            jobs: attempts_are_unique_and_listed,
            jobs: cancelling_asks_unfinished_jobs_only,
            jobs: finished_jobs_of_a_lane_come_newest_first,
            jobs: a_job_has_one_open_shell,
            jobs: shells_without_a_worker_are_orphaned,
            jobs: background_processes_are_found_by_their_conversation,
            jobs: shells_of_a_process_that_is_gone_are_orphaned_everywhere,
            transcript: messages_are_appended_once_and_read_in_order,
            transcript: tool_calls_are_written_and_finished,
            ledger: a_call_is_paid_by_every_budget_and_settled_once,
            ledger: an_exhausted_budget_refuses_and_a_reserved_one_is_busy,
            ledger: day_budgets_start_anew_at_midnight,
            ledger: a_budget_that_does_not_exist_refuses,
            ledger: calls_of_decisions_are_found_by_item,
            reports: what_waits_is_counted_without_what_is_hidden,
            reports: a_failed_job_counts_until_it_is_tried_again,
            reports: money_is_added_up_by_what_is_asked_for,
            reports: outcomes_are_counted_by_day,
            effects: effects_round_trip_and_slots_are_unique,
            effects: an_update_expects_a_status,
            effects: only_who_sends_an_effect_settles_it,
            effects: claims_keep_the_order_of_a_conversation,
            effects: effects_are_claimed_exactly_once,
            events: numbers_have_no_gaps_however_many_write,
            events: events_reach_the_listener_after_the_commit_only,
            leases: a_new_process_of_an_instance_frees_what_the_old_one_held,
            leases: silent_processes_are_swept_and_may_not_go_on,
            leases: what_a_process_holds_without_knowing_can_be_given_back,
            leases: requests_to_stop_are_found_by_the_process_that_runs_the_job,
            leases: retiring_frees_everything,
            leases: a_waiting_job_does_not_make_its_lane_ready,
            leases: a_freed_lane_is_ready_while_a_worker_can_do_something,
            leases: a_single_lease_passes_on_when_its_holder_is_silent,
            sealed: every_sealed_value_is_found_once,
            sealed: a_sealed_value_is_exchanged_unless_it_changed,
            sealed: living_processes_are_counted,
            races: an_effect_waits_for_an_earlier_one_that_is_being_written,
            races: a_conversation_gets_one_effect_at_a_time,
            races: one_of_several_sweeps_frees,
            races: a_locked_lane_is_not_claimed_until_the_commit,
            races: a_process_that_is_swept_keeps_nothing_it_claims,
            races: lanes_that_end_together_end_their_item,
            races: jobs_that_share_money_and_events_never_wait_in_a_circle,
            transactions: a_dropped_transaction_leaves_no_trace_and_harms_no_other,
            transactions: a_failed_statement_harms_no_other_transaction,
            transactions: a_snapshot_does_not_see_later_commits,
            transactions: both_classes_get_their_turn,
            transactions: the_store_is_ready,
            upkeep: events_of_old_jobs_go_and_numbers_go_on,
            upkeep: what_tools_answered_long_ago_is_replaced_by_a_marker,
            upkeep: old_transcripts_go_and_what_happened_stays,
            upkeep: forgetting_goes_on_where_it_was,
            upkeep: old_answers_to_repeated_requests_go,
            upkeep: tidying_ends_and_harms_nothing,
        );
    };
    ($make:path => $($module:ident : $promise:ident,)*) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $promise() {
            let harness = $crate::store::Harness::start($make).await;
            $crate::store::$module::$promise(&harness).await;
        }
    )*};
}
