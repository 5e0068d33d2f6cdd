//! The contract every backend of sprites keeps: the local executor, a client of the Sprites API, and
//! whatever comes. A backend calls [`crate::sandbox_contract!`] with a function that makes a host with
//! nothing in it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a contract fails by panicking"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "a backend is a real part, with the machine's own clock and tasks"
)]

pub mod checkpoints;
pub mod commands;
pub mod files;
pub mod lifecycle;
pub mod network;
pub mod processes;
pub mod services;
pub mod shells;
pub mod streets;
pub mod support;
pub mod terminals;

use async_trait::async_trait;
use domain::{
    id::{AgentId, TenantId},
    sprite::SpriteKey,
};
use ports::sandbox::{SandboxHost, Sprite};
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// What not every backend can do, or not on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// End and start again over the same data.
    Restart,
    /// Keep commands off the network.
    NoNetwork,
    /// Allow hosts by name; then [`Place::PUBLIC_HOST`] answers `hello` over HTTP.
    NamedHosts,
    /// Terminals.
    Terminals,
    /// Keep a sprite's processes out of sight of others'.
    OwnProcesses,
    /// Keep paths inside the sandbox.
    Walls,
    /// Remember the processes that a restart ended.
    LostProcesses,
    /// Let programs inside listen, and reach them there.
    Ports,
}

/// Longer than connections that say nothing are left alone on the way.
pub const A_MINUTE: Duration = Duration::from_secs(61);

/// A host under test and its surroundings.
#[async_trait]
pub trait Place: Send + Sync {
    /// The host.
    fn host(&self) -> Arc<dyn SandboxHost>;

    /// Whether it can do that here.
    fn can(&self, ability: Ability) -> bool;

    /// For how long a command is silent that must not be given up.
    fn silence(&self) -> Duration {
        A_MINUTE
    }

    /// Ends it and starts another over the same data.
    async fn restart(&mut self);
}

/// A public name that the place answers for, where it can [`Ability::NamedHosts`].
pub const PUBLIC_HOST: &str = "allowed.example";

/// A host with one sprite that was never used.
pub struct Harness {
    /// The host and its surroundings.
    pub place: Box<dyn Place>,
    /// The sprite of [`Harness::key`].
    pub sprite: Arc<dyn Sprite>,
    tenant: TenantId,
}

impl Harness {
    /// A harness of a tenant of its own, so that several may share one host.
    pub fn new(place: impl Place + 'static) -> Self {
        let tenant = TenantId::from_uuid(Uuid::now_v7());
        let sprite = place.host().sprite(key(tenant, 1));
        Self {
            place: Box::new(place),
            sprite,
            tenant,
        }
    }

    /// Which sprite; the first is the harness's own.
    pub fn key(&self, number: u128) -> SpriteKey {
        key(self.tenant, number)
    }

    /// Another sprite.
    pub fn other(&self, number: u128) -> Arc<dyn Sprite> {
        self.place.host().sprite(self.key(number))
    }

    /// Leaves nothing behind, not even at a service that keeps what it has.
    pub async fn end(self) {
        let host = self.place.host();
        for number in [1, 2] {
            host.destroy(self.key(number)).await.unwrap();
        }
        host.shutdown().await;
    }

    /// Ends the host and starts another.
    pub async fn restart(&mut self) {
        self.place.restart().await;
        self.sprite = self.place.host().sprite(self.key(1));
    }
}

fn key(tenant: TenantId, number: u128) -> SpriteKey {
    // Unique over hosts too, for a service that keeps what tests leave behind.
    let agent = tenant.as_uuid().as_u128() ^ (number << 64);
    SpriteKey {
        tenant_id: tenant,
        agent_id: AgentId::from_uuid(Uuid::from_u128(agent)),
    }
}

/// Runs the contract: `make` is an async function that gives an `Option<Harness>`, `None` where this
/// backend cannot be had.
#[macro_export]
macro_rules! sandbox_contract {
    ($make:path) => {
        $crate::sandbox_cases!($make,
            shells: any_bytes_survive_files_and_commands,
            shells: state_is_kept_between_commands,
            shells: exit_codes_and_signals_are_reported,
            shells: leaving_the_shell_resets_it,
            shells: output_is_split_by_stream,
            shells: quotes_and_unicode_reach_bash_unchanged,
            shells: syntax_errors_leave_the_shell_alive,
            shells: commands_cannot_forge_their_end,
            shells: shells_are_apart_and_run_side_by_side,
            commands: background_processes_do_not_hold_a_command_up,
            commands: background_processes_survive_a_later_timeout,
            commands: timeouts_keep_the_shell_and_skip_the_rest,
            commands: dropping_a_command_ends_its_processes,
            commands: closing_a_shell_ends_what_it_started,
            files: fifty_megabytes_pass_unchanged,
            files: files_that_are_not_there_are_told_apart,
            files: modes_and_links_survive_a_write,
            files: files_are_found_by_name_and_content,
            files: binary_files_are_not_searched,
            files: names_may_hold_anything,
            files: an_empty_directory_holds_nothing,
            files: a_look_tells_kind_size_and_mode,
            files: modes_are_changed_alone_or_with_all_below,
            files: a_rename_replaces_what_is_there,
            files: copies_keep_links_and_modes,
            files: only_a_recursive_removal_takes_what_is_inside,
            files: dots_do_not_lead_out,
            files: links_do_not_lead_out,
            processes: arguments_reach_the_program_unchanged,
            processes: the_environment_is_added_to,
            processes: a_huge_environment_arrives,
            processes: it_starts_at_home_or_where_it_is_told,
            processes: exit_codes_are_reported,
            processes: death_by_a_signal_is_reported,
            processes: a_missing_program_ends_with_127,
            processes: what_cannot_be_executed_ends_with_126,
            processes: input_arrives_whole_and_ends,
            processes: without_input_there_is_none,
            processes: bursts_arrive_whole,
            processes: signals_reach_the_group,
            processes: two_readers_see_the_same,
            processes: who_comes_back_sees_what_was_said,
            processes: nobody_attaches_to_what_has_ended,
            processes: what_nobody_reads_ends_after_its_time,
            processes: what_is_left_for_ever_goes_on,
            processes: a_kill_takes_the_whole_tree,
            processes: a_kill_of_nothing_says_so,
            processes: children_that_hold_the_output_do_not_hold_the_end,
            processes: a_silent_command_is_waited_for,
            processes: many_run_side_by_side,
            terminals: a_terminal_has_a_size,
            terminals: a_terminal_can_be_resized,
            terminals: typing_is_echoed_and_interrupts,
            terminals: a_terminal_reports_its_exit,
            checkpoints: files_come_back_as_they_were,
            checkpoints: the_present_is_kept_before_a_restore,
            checkpoints: a_restore_ends_what_runs,
            checkpoints: checkpoints_are_listed_newest_first,
            checkpoints: a_checkpoint_that_is_not_there_is_told,
            network: nothing_is_reached_by_default,
            network: a_policy_is_reported_as_it_was_set,
            network: an_allowed_host_is_reached_and_no_other,
            network: private_addresses_are_refused_whatever_the_policy,
            network: a_port_inside_is_reached,
            network: a_port_where_nobody_listens_is_refused,
            services: a_service_runs_and_is_listed,
            services: a_service_that_ends_starts_again,
            services: a_stopped_service_stays_stopped,
            services: a_service_that_cannot_be_is_refused,
            lifecycle: looking_provisions_nothing,
            lifecycle: sprites_are_apart,
            lifecycle: a_destroyed_sprite_begins_anew,
            lifecycle: what_is_kept_survives_a_restart,
            lifecycle: what_ran_is_lost_with_the_host,
        );
    };
}

/// Used by [`crate::sandbox_contract!`]: one test per case.
#[macro_export]
macro_rules! sandbox_cases {
    ($make:path, $($area:ident: $case:ident),* $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            if let Some(mut harness) = $make().await {
                $crate::sandbox::$area::$case(&mut harness).await;
                harness.end().await;
            }
        }
    )*};
}
