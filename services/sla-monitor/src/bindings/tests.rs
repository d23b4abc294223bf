use contracts::common::EventMetadata;
use decider::scenario::given;
use eventlog::{Recorded as _, time::to_proto};

use super::*;
use crate::grpc::testing::{at, start};

fn binding(platform: &str, contract_id: &str, profile: &str) -> Binding {
    Binding { platform: platform.into(), contract_id: contract_id.into(), profile: profile.into() }
}

fn bound(binding: Binding) -> Event {
    let bound_at = Some(to_proto(start()));
    ProfileBound { binding: Some(binding), bound_at, bound_by: "李".into() }.into()
}

fn unbound(binding: Binding) -> Event {
    let unbound_at = Some(to_proto(start()));
    ProfileUnbound { binding: Some(binding), unbound_at, unbound_by: "李".into() }.into()
}

fn rivals(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn care() -> Binding {
    binding("mall", "", "care")
}

#[test]
fn a_profile_is_bound_once_in_a_place() {
    given::<Bindings>([])
        .when(|it| it.bind(&care(), &rivals(&[]), "李", start()))
        .then([bound(care())])
        .repeated();
    for place in
        [binding("", "", "care"), binding("other", "", "care"), binding("mall", "c-1", "care")]
    {
        given::<Bindings>([bound(care())])
            .when(|it| it.bind(&place, &rivals(&[]), "李", start()))
            .then([bound(place.clone())])
            .repeated();
    }
}

#[test]
fn two_profiles_with_a_clock_of_one_name_do_not_count_in_one_place() {
    let other = binding("mall", "", "other");
    given::<Bindings>([bound(care())])
        .when(|it| it.bind(&other, &rivals(&["care", "third"]), "李", start()))
        .then_refused(Rejection::Overlaps("care".into()));
    given::<Bindings>([bound(care())])
        .when(|it| it.bind(&other, &rivals(&["third"]), "李", start()))
        .then([bound(other.clone())])
        .repeated();
    for place in
        [binding("mall", "c-1", "other"), binding("", "", "other"), binding("b", "", "other")]
    {
        given::<Bindings>([bound(care())])
            .when(|it| it.bind(&place, &rivals(&["care"]), "李", start()))
            .then([bound(place.clone())])
            .repeated();
    }
    given::<Bindings>([bound(care()), unbound(care())])
        .when(|it| it.bind(&other, &rivals(&["care"]), "李", start()))
        .then([bound(other.clone())])
        .repeated();
}

#[test]
fn what_is_bound_already_is_a_repeat_also_beside_a_later_rival() {
    given::<Bindings>([bound(care()), bound(binding("mall", "", "other"))])
        .when(|it| it.bind(&care(), &rivals(&["other"]), "李", start()))
        .then_nothing();
}

#[test]
fn a_binding_is_taken_back_once() {
    given::<Bindings>([]).when(|it| it.unbind(&care(), "李", start())).then_nothing();
    given::<Bindings>([bound(care())])
        .when(|it| it.unbind(&care(), "李", start()))
        .then([unbound(care())])
        .repeated();
    given::<Bindings>([bound(care())])
        .when(|it| it.unbind(&binding("mall", "c-1", "care"), "李", start()))
        .then_nothing();
    given::<Bindings>([bound(care()), unbound(care())])
        .when(|it| it.bind(&care(), &rivals(&[]), "李", start()))
        .then([bound(care())])
        .repeated();
}

#[test]
fn it_is_known_what_is_bound_and_what_counts_beside_it() {
    let all = given::<Bindings>([
        bound(care()),
        bound(binding("mall", "", "duties")),
        bound(binding("mall", "c-1", "contract")),
        bound(binding("", "", "everybody")),
        bound(binding("b", "", "gone")),
        unbound(binding("b", "", "gone")),
    ])
    .state();
    assert!(all.binds("care") && all.binds("everybody") && !all.binds("gone"));
    assert_eq!(all.beside("care"), ["duties"].into());
    assert_eq!(all.beside("duties"), ["care"].into());
    assert!(all.beside("contract").is_empty() && all.beside("nothing").is_empty());
}

#[test]
fn the_row_keeps_when_each_binding_counted() {
    let mut row = BindingHistory::default();
    let history = [bound(care()), bound(binding("b", "", "care")), unbound(care()), bound(care())];
    for (number, event) in (1..).zip(history) {
        Bindings::apply(&mut row, &event, &EventMetadata::default(), number);
    }
    let told: Vec<_> = row
        .entries
        .iter()
        .map(|entry| (entry.binding.clone().unwrap().platform, entry.unbound_at.is_some()))
        .collect();
    let told: Vec<_> =
        told.iter().map(|(platform, is_over)| (platform.as_str(), *is_over)).collect();
    assert_eq!(told, [("mall", true), ("b", false), ("mall", false)]);
    let later: Event = ProfileUnbound {
        binding: Some(care()),
        unbound_at: Some(to_proto(at("2026-04-01 10:00"))),
        unbound_by: "李".into(),
    }
    .into();
    Bindings::apply(&mut row, &later, &EventMetadata::default(), 5);
    assert_eq!(row.entries[0].unbound_at, Some(to_proto(start())), "the first one is over");
    assert_eq!(row.entries[2].unbound_at, Some(to_proto(at("2026-04-01 10:00"))));
    assert!(Bindings::keys(&row).is_empty());
}
