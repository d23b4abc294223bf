use contracts::common::EventMetadata;
use decider::scenario::given;
use eventlog::{Recorded as _, time::to_proto};

use super::*;
use crate::grpc::testing::{at, confirm, outage, profile, start};

fn first() -> Profile {
    profile("care", [confirm()])
}

fn second() -> Profile {
    profile("care", [confirm(), outage()])
}

fn published(profile: Profile, version: u32) -> Event {
    ProfilePublished {
        profile: Some(profile),
        version,
        published_at: Some(to_proto(start())),
        published_by: "李".into(),
    }
    .into()
}

fn retired() -> Event {
    ProfileRetired {
        name: "care".into(),
        retired_at: Some(to_proto(start())),
        retired_by: "李".into(),
    }
    .into()
}

#[test]
fn versions_count_from_one_without_gaps() {
    given::<ProfileSeries>([])
        .when(|it| it.publish(&first(), 0, "李", start()))
        .then([published(first(), 1)])
        .repeated();
    given::<ProfileSeries>([published(first(), 1)])
        .when(|it| it.publish(&second(), 1, "李", start()))
        .then([published(second(), 2)])
        .repeated();
    given::<ProfileSeries>([published(first(), 1), published(second(), 2)])
        .when(|it| it.publish(&first(), 2, "李", start()))
        .then([published(first(), 3)])
        .repeated();
}

#[test]
fn who_has_not_seen_the_newest_version_does_not_publish_on_top_of_it() {
    given::<ProfileSeries>([])
        .when(|it| it.publish(&first(), 1, "李", start()))
        .then_refused(Rejection::SeenAnother { newest: 0, seen: 1 });
    for seen in [0, 2, u32::MAX] {
        given::<ProfileSeries>([published(first(), 1)])
            .when(|it| it.publish(&second(), seen, "李", start()))
            .then_refused(Rejection::SeenAnother { newest: 1, seen });
    }
    given::<ProfileSeries>([published(first(), 1), retired()])
        .when(|it| it.publish(&second(), 0, "李", start()))
        .then_refused(Rejection::SeenAnother { newest: 1, seen: 0 });
}

#[test]
fn the_same_again_is_a_repeat_whatever_was_seen() {
    for seen in [0, 1, 2, 7] {
        given::<ProfileSeries>([published(first(), 1), published(second(), 2)])
            .when(|it| it.publish(&second(), seen, "王", at("2026-03-03 10:00")))
            .then_nothing();
    }
    given::<ProfileSeries>([published(first(), 1), published(second(), 2)])
        .when(|it| it.publish(&first(), 1, "李", start()))
        .then_refused(Rejection::SeenAnother { newest: 2, seen: 1 });
}

#[test]
fn a_profile_is_retired_once() {
    given::<ProfileSeries>([])
        .when(|it| it.retire(false, "李", start()))
        .then_refused(Rejection::NotFound);
    given::<ProfileSeries>([published(first(), 1)])
        .when(|it| it.retire(false, "李", start()))
        .then([retired()])
        .repeated();
    given::<ProfileSeries>([published(first(), 1), retired()])
        .when(|it| it.retire(false, "王", at("2026-03-03 10:00")))
        .then_nothing();
}

#[test]
fn a_profile_that_counts_somewhere_is_not_retired() {
    given::<ProfileSeries>([published(first(), 1)])
        .when(|it| it.retire(true, "李", start()))
        .then_refused(Rejection::IsBound);
    given::<ProfileSeries>([published(first(), 1), retired()])
        .when(|it| it.retire(true, "李", start()))
        .then_nothing();
}

#[test]
fn clocks_start_under_what_is_published_and_not_retired() {
    let newest = |history: Vec<Event>| given::<ProfileSeries>(history).state().newest().cloned();
    assert_eq!(newest(vec![]), Err(Rejection::NotFound));
    assert_eq!(newest(vec![published(first(), 1), published(second(), 2)]), Ok(second()));
    assert_eq!(newest(vec![published(first(), 1), retired()]), Err(Rejection::IsRetired));
}

#[test]
fn a_retired_profile_comes_back_with_its_next_version() {
    given::<ProfileSeries>([published(first(), 1), retired()])
        .when(|it| it.publish(&first(), 1, "李", start()))
        .then([published(first(), 2)])
        .repeated();
}

#[test]
fn the_version_is_that_of_the_newest() {
    let version = |history: Vec<Event>| given::<ProfileSeries>(history).state().version();
    assert_eq!(version(vec![]), 0);
    assert_eq!(version(vec![published(first(), 1)]), 1);
    assert_eq!(version(vec![published(first(), 1), published(second(), 2)]), 2);
    assert_eq!(version(vec![published(first(), 1), retired()]), 1);
    assert_eq!(version(vec![retired()]), 0, "there is nothing to retire");
}

#[test]
fn the_row_keeps_all_versions_and_says_when_the_last_was_retired() {
    let mut row = ProfileHistory::default();
    assert!(ProfileSeries::keys(&row).is_empty());
    for (number, event) in (1..).zip([published(first(), 1), published(second(), 2), retired()]) {
        ProfileSeries::apply(&mut row, &event, &EventMetadata::default(), number);
    }
    let told: Vec<_> =
        row.versions.iter().map(|it| (it.version, it.retired_at.is_some())).collect();
    assert_eq!(told, [(1, false), (2, true)]);
    assert_eq!(row.versions[0].profile, Some(first()));
    assert_eq!(row.versions[1].published_by, "李");
    assert_eq!(ProfileSeries::keys(&row), [Key::new("name", "care")]);
    ProfileSeries::apply(&mut row, &published(first(), 3), &EventMetadata::default(), 4);
    assert_eq!(row.versions[2].retired_at, None);
}
