use decider::scenario::given;
use jiff::Timestamp;

use super::*;

fn when(minute: i64) -> When {
    let begin: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
    When::now(begin + jiff::SignedDuration::from_mins(minute))
}

fn adoption() -> Adoption {
    Adoption {
        id: "n-1".into(),
        cause: CauseClass::ServiceProcess,
        topic: "late-delivery".into(),
        text: "致歉并补偿".into(),
        measures: vec![5, 6],
        ..Adoption::default()
    }
}

fn adopted() -> Vec<Event> {
    Standard::Absent.adopt(&adoption(), "李", when(0)).unwrap()
}

#[test]
fn it_is_adopted_once_and_another_one_under_its_id_is_refused() {
    given::<Standard>([])
        .when(|it| it.adopt(&adoption(), "李", when(0)))
        .then_events(|said| said.len() == 1)
        .repeated();
    let other = Adoption { text: "退货".into(), ..adoption() };
    given::<Standard>(adopted())
        .when(|it| it.adopt(&other, "李", when(1)))
        .then_refused(Rejection::Differs(Differs { field: "text" }));
    let earlier = When { at: Some(when(0).now), ..when(1) };
    given::<Standard>(adopted()).when(|it| it.adopt(&adoption(), "李", earlier)).then_nothing();
}

#[test]
fn it_is_retired_with_a_reason_and_stays_so() {
    given::<Standard>([])
        .when(|it| it.retire("过时", "李", when(1)))
        .then_refused(Rejection::NotFound);
    given::<Standard>(adopted())
        .when(|it| it.retire("过时", "李", when(1)))
        .then_events(|said| said.len() == 1)
        .repeated();
    let mut retired = adopted();
    retired.extend(given::<Standard>(adopted()).state().retire("过时", "李", when(1)).unwrap());
    given::<Standard>(retired.clone())
        .when(|it| it.retire("太贵", "李", when(2)))
        .then_refused(Rejection::Differs(Differs { field: "reason" }));
    // what was adopted and retired does not come back by a late repeat
    given::<Standard>(retired).when(|it| it.adopt(&adoption(), "李", when(3))).then_nothing();
}

#[test]
fn only_current_ones_of_the_cause_are_found_and_only_those_meant_for_the_topic() {
    let mut row = Row::default();
    for event in adopted() {
        Standard::apply(&mut row, &event, &Default::default(), 1);
    }
    let finds = |listing: Listing, row: &Row| {
        Standard::keys(row).iter().any(|key| {
            key.key == listing.key
                && key.value >= listing.from
                && listing.to.as_ref().is_none_or(|to| key.value < *to)
        })
    };
    assert!(finds(listing(Some(CauseClass::ServiceProcess), true), &row));
    assert!(!finds(listing(Some(CauseClass::ProductQuality), true), &row));
    let retired =
        StandardSolutionRetired { retired_at: Some(Default::default()), ..Default::default() };
    Standard::apply(&mut row, &retired.into(), &Default::default(), 2);
    assert!(!finds(listing(Some(CauseClass::ServiceProcess), true), &row));
    assert!(finds(listing(None, false), &row));
    assert!(is_meant_for(&row, "late-delivery") && !is_meant_for(&row, "damaged"));
    assert!(is_meant_for(&Row::default(), "damaged"), "one of the whole cause");
}
