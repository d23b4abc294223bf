//! Whose time it was.

use super::*;

#[test]
fn time_is_summed_up_by_the_party_that_held_the_case() {
    let story = Story::begin()
        .asked("2026-03-02 10:30")
        .at(FactKind::Resume, "2026-03-02 11:00")
        .at(FactKind::Exempt, "2026-03-02 11:15")
        .at(FactKind::ExemptEnd, "2026-03-02 13:15")
        .at(FactKind::Stop, "2026-03-02 13:30");
    assert_eq!(story.counts(), [1, 0, 0, 0, 0]);
    let rows = story.rows();
    let line = rows.values().next().unwrap();
    let held: Vec<_> = line.held.iter().map(|held| (held.party(), minutes(&held.time))).collect();
    assert_eq!(held, [(Party::Supplier, 60), (Party::User, 30), (Party::ForceMajeure, 120)]);
    assert_eq!(minutes(&line.paused), 150);
}

#[test]
fn what_ends_in_the_hands_of_the_user_is_in_his_group() {
    let story = Story::begin().asked("2026-03-02 11:00").at(FactKind::Stop, "2026-03-02 18:00");
    let rows = story.rows();
    let line = &rows["2026-03-02/care/confirm/mall/PARTY_USER"];
    assert_eq!((line.met, minutes(&line.paused)), (1, 420));
}

#[test]
fn sums_go_on_from_what_is_there() {
    let mut sum = None;
    add(&mut sum, SignedDuration::from_mins(30));
    add(&mut sum, SignedDuration::from_mins(45));
    assert_eq!(minutes(&sum), 75);
    add(&mut sum, SignedDuration::MAX);
    assert_eq!(from_duration(&sum.unwrap()), SignedDuration::MAX, "it stops at the end");
    let mut held = Vec::new();
    for (party, time) in [(Party::User, 5), (Party::Supplier, 7), (Party::User, 6)] {
        hold(&mut held, party.into(), SignedDuration::from_mins(time));
    }
    let told: Vec<_> = held.iter().map(|held| (held.party(), minutes(&held.time))).collect();
    assert_eq!(told, [(Party::Supplier, 7), (Party::User, 11)], "by party");
}
