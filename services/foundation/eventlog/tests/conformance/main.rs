//! What every log must do, on both engines: each case runs as `sqlite::…` and as `postgres::…`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    missing_docs,
    reason = "a test fails by panicking; its helpers are no API"
)]

mod account;
mod cases;
mod world;

/// Makes a test of each case for each engine.
macro_rules! on_both_engines {
    ($($(#[$condition:meta])* $module:ident: $($case:ident),+ $(,)?;)+) => {
        mod sqlite {
            $($(#[$condition])* mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use crate::world::{Kind, World};
                    crate::cases::$module::$case(World::new(Kind::Sqlite)).await;
                })+
            })+
        }
        mod postgres {
            $($(#[$condition])* mod $module {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use crate::world::{Kind, World};
                    crate::cases::$module::$case(World::new(Kind::Postgres)).await;
                })+
            })+
        }
    };
}

mod sqlite_only {
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn the_log_goes_on_after_the_disk_was_full() {
        let world = crate::world::World::new(crate::world::Kind::Sqlite);
        crate::cases::write::the_log_goes_on_after_the_disk_was_full(world).await;
    }
}

on_both_engines! {
    write:
        a_command_is_recorded_and_its_row_is_there,
        a_repeat_records_nothing_and_answers_the_same,
        a_refusal_records_nothing,
        sixty_four_callers_on_one_stream_all_succeed,
        sixty_four_callers_on_as_many_streams_all_succeed,
        a_cache_that_is_too_small_changes_nothing,
        a_caller_that_goes_away_leaves_the_cache_right,
        an_oversized_event_is_refused_before_the_writer,
        names_that_cannot_be_stored_are_refused,
        time_never_goes_back,
        close_writes_what_was_submitted_and_refuses_the_rest;
    commit:
        a_commit_is_all_or_nothing,
        a_neighbour_that_falls_harms_nobody,
        a_commit_the_database_refuses_falls_alone,
        a_cursor_moves_only_from_where_it_is,
        positions_have_no_gap_and_follow_the_order_of_commits,
        an_event_is_parked_and_taken_away_once;
    processes:
        a_lost_race_is_decided_again,
        a_refusal_rests_on_what_is_on_disk,
        two_processes_write_to_the_same_streams,
        a_newer_schema_is_refused,
        many_processes_open_a_new_log_at_once;
    horizon:
        a_horizon_tells_the_last_position_and_the_time,
        a_time_that_was_told_holds_when_the_clock_goes_back,
        a_time_that_was_told_holds_over_a_restart,
        a_time_that_was_told_binds_a_process_whose_clock_is_behind,
        horizons_hold_under_load_while_clocks_jump;
    follow:
        a_follower_sees_every_event_once_and_in_order,
        followers_of_two_processes_see_the_same,
        a_local_commit_wakes_a_follower_without_a_poll,
        closing_ends_the_followers;
    listing:
        a_walk_shows_every_row_once_under_inserts,
        pages_go_both_ways_and_by_range,
        a_hostile_page_token_is_refused;
    stage:
        several_aggregates_change_together_or_not_at_all,
        an_event_is_reacted_to_once_by_two_processes,
        transfers_at_the_same_time_lose_no_money,
        one_aggregate_can_be_staged_twice;
    rows:
        a_projection_follows_the_log,
        two_projectors_count_each_event_once,
        a_rebuild_is_equal_byte_for_byte,
        a_rebuild_mends_what_verify_finds,
        a_rebuild_is_safe_while_the_service_runs,
        rebuilds_at_the_same_time_do_no_harm;
    vault:
        what_is_sealed_can_be_opened_until_the_person_is_erased,
        two_sealers_of_a_new_person_use_one_key,
        sealed_data_that_was_changed_is_not_opened;
    model:
        random_commands_agree_with_a_model;
    #[cfg(feature = "failpoints")]
    crash:
        a_crash_before_begin_loses_nothing,
        a_crash_after_the_events_loses_nothing,
        a_crash_before_the_commit_loses_nothing,
        a_crash_before_the_acknowledgements_loses_nothing,
        a_time_that_was_told_holds_after_a_crash;
}
