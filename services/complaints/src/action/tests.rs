use decider::scenario::given;
use jiff::SignedDuration;
use proptest::prelude::*;

use contracts::complaints::CorrectiveAction as Row;
use eventlog::{Listing, Recorded as _};

use super::*;

fn at(minute: i64) -> Timestamp {
    let begin: Timestamp = "2026-03-02T02:00:00Z".parse().unwrap();
    begin + SignedDuration::from_mins(minute)
}

fn when(minute: i64) -> When {
    When::now(at(minute))
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Open,
    Plan,
    Replan,
    Done,
    Fails,
    Works,
    Cancel,
}

use Step::*;

const ALL: [Step; 7] = [Open, Plan, Replan, Done, Fails, Works, Cancel];

fn plan(owner: &str) -> super::Plan {
    super::Plan {
        department: Department::Quality,
        owner: owner.into(),
        measure: "加固包装".into(),
        due_by: at(99_000),
    }
}

impl Step {
    fn decide(self, action: &Action, when: When) -> Result<Vec<Event>, Rejection> {
        let need = Need {
            action_id: "a-1".into(),
            kind: ActionKind::Corrective,
            subject: "包装不足".into(),
            ..Need::default()
        };
        match self {
            Open => action.open(&need, "李", when),
            Plan => action.plan(&plan("钱"), "李", when),
            Replan => action.plan(&plan("吴"), "李", when),
            Done => action.done("照片", "钱", when),
            Fails => action.check(false, "仍有破损", "赵", when),
            Works => action.check(true, "不再破损", "赵", when),
            Cancel => action.cancel("不再生产", "赵", when),
        }
    }
}

fn after(steps: &[Step]) -> Vec<Event> {
    let (mut action, mut events) = (Action::default(), Vec::new());
    for (number, step) in (0..).zip(steps) {
        let said = step.decide(&action, when(number)).unwrap();
        action = said.iter().fold(action, Action::evolve);
        events.extend(said);
    }
    events
}

fn phase(action: &Action) -> ActionPhase {
    match action {
        Action::Absent => ActionPhase::Unspecified,
        Action::Known(state) => state.phase,
    }
}

/// What each phase takes.
fn takes(phase: ActionPhase) -> &'static [Step] {
    match phase {
        ActionPhase::Unspecified => &[Open],
        ActionPhase::Open => &[Plan, Replan, Cancel],
        ActionPhase::Planned => &[Plan, Replan, Done, Cancel],
        ActionPhase::Done => &[Fails, Works],
        ActionPhase::Effective | ActionPhase::Cancelled => &[],
    }
}

#[test]
fn every_phase_takes_its_steps_and_no_other_and_each_once() {
    let histories: [&[Step]; 7] = [
        &[],
        &[Open],
        &[Open, Plan],
        &[Open, Plan, Done],
        &[Open, Plan, Done, Fails],
        &[Open, Plan, Done, Works],
        &[Open, Cancel],
    ];
    for history in histories {
        let action = given::<Action>(after(history)).state();
        for step in ALL {
            match step.decide(&action, when(90)) {
                Ok(said) if said.is_empty() => {} // a repeat
                Ok(said) => {
                    assert!(takes(phase(&action)).contains(&step), "{step:?} after {history:?}");
                    let then = said.iter().fold(action.clone(), Action::evolve);
                    assert_eq!(step.decide(&then, when(91)), Ok(vec![]), "{step:?}");
                }
                Err(rejection) => {
                    assert!(!takes(phase(&action)).contains(&step), "{step:?}: {rejection}");
                }
            }
        }
    }
}

#[test]
fn what_has_no_effect_is_planned_anew_and_ends_only_when_it_helps() {
    let again = [Open, Plan, Done, Fails, Plan, Done, Works];
    let action = given::<Action>(after(&again)).state();
    assert_eq!(phase(&action), ActionPhase::Effective);
    assert_eq!(action.ended_at(), Some(at(6)));
}

#[test]
fn nobody_checks_or_gives_up_his_own_action() {
    let own = Rejection::OwnAction("钱".into());
    given::<Action>(after(&[Open, Plan, Done]))
        .when(|it| it.check(true, "好", "钱", when(9)))
        .then_refused(own.clone());
    given::<Action>(after(&[Open, Plan]))
        .when(|it| it.cancel("不必", "钱", when(9)))
        .then_refused(own);
}

#[test]
fn a_plan_for_the_past_is_refused() {
    let past = super::Plan { due_by: at(9), ..plan("钱") };
    given::<Action>(after(&[Open]))
        .when(|it| it.plan(&past, "李", when(9)))
        .then_refused(Rejection::Passed);
}

fn finds(listing: &Listing, row: &Row) -> bool {
    Action::keys(row).iter().any(|key| {
        key.key == listing.key
            && key.value >= listing.from
            && listing.to.as_ref().is_none_or(|to| key.value < *to)
    })
}

proptest! {
    #[test]
    fn the_row_tells_what_the_action_knows_and_is_found_by_it(
        steps in prop::collection::vec((0..ALL.len()).prop_map(|index| ALL[index]), 0..40),
    ) {
        let (mut action, mut row) = (Action::default(), Row::default());
        for (minute, step) in (0..).zip([Open].into_iter().chain(steps)) {
            for event in step.decide(&action, when(minute)).unwrap_or_default() {
                Action::apply(&mut row, &event, &Default::default(), 0);
                action = action.evolve(&event);
            }
        }
        let Action::Known(state) = &action else { panic!() };
        prop_assert_eq!(row.phase(), state.phase);
        prop_assert_eq!(row.ended_at.as_ref().and_then(from_proto), action.ended_at());
        prop_assert_eq!(row.owner.as_str(), state.owner());
        let open = action.ended_at().is_none();
        prop_assert_eq!(finds(&listing(None, None, true), &row), open);
        prop_assert!(finds(&listing(None, None, false), &row));
        prop_assert_eq!(finds(&listing(Some("钱"), None, false), &row), row.owner == "钱");
        prop_assert_eq!(finds(&listing(Some("钱"), None, true), &row), open && row.owner == "钱");
        let by_quality = listing(None, Some(Department::Quality), true);
        prop_assert_eq!(finds(&by_quality, &row), open && !row.owner.is_empty());
        prop_assert_eq!(finds(&ended(at(0), at(1_000)), &row), !open);
    }
}
