//! Laws over whatever is tried in whatever order.

use eventlog::Recorded as _;
use proptest::prelude::*;

use super::{
    commands::{ALL, Command},
    *,
};

fn tried() -> impl Strategy<Value = Vec<Command>> {
    // mostly forwards, so that the end is reached, with anything between
    let any_one = (0..ALL.len()).prop_map(|index| ALL[index]);
    let way = prop::collection::vec(any_one, 0..60);
    (way, any::<bool>()).prop_map(|(noise, leads)| {
        if !leads {
            return noise;
        }
        let mut all = Vec::new();
        let mut noise = noise.into_iter();
        for command in super::commands::NORMAL {
            all.extend(noise.by_ref().take(2));
            all.push(command);
        }
        all
    })
}

/// Lives through all of it; what is refused is passed over.
fn lived(tried: &[Command]) -> (Complaint, Vec<Event>) {
    let (mut complaint, mut events) = (Complaint::default(), Vec::new());
    for (number, command) in (0..).zip(tried) {
        if let Ok(said) = command.decide(&complaint, minute(number)) {
            complaint = said.iter().fold(complaint, Complaint::evolve);
            events.extend(said);
        }
    }
    (complaint, events)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_major_complaint_stays_major_until_it_is_lowered_by_approval(tried in tried()) {
        let mut complaint = Complaint::default();
        let mut major = false;
        for event in lived(&tried).1 {
            complaint = complaint.evolve(&event);
            let Complaint::Known(case) = &complaint else { continue };
            let lowered = matches!(event, Event::LevelLowered(_));
            prop_assert!(!major || case.major || lowered, "{:?}", event);
            major = case.major;
        }
    }

    #[test]
    fn it_is_never_handed_sideways_or_down(tried in tried()) {
        let mut tier = 0;
        for event in lived(&tried).1 {
            if let Event::ComplaintEscalated(event) = event {
                prop_assert!(event.tier > tier);
                tier = event.tier;
            }
        }
    }

    #[test]
    fn closed_implies_that_every_item_was_answered_and_the_user_told_in_writing(tried in tried()) {
        let (mut told, mut answered) = (false, std::collections::BTreeSet::new());
        let mut offered = false;
        for event in lived(&tried).1 {
            offered |= matches!(event, Event::SolutionOffered(_));
            if let Event::ItemAnswered(event) = &event {
                answered.insert(event.number);
            } else if let Event::ClosingNoticeSent(event) = &event {
                told = true;
                prop_assert!(event.items.iter().all(|item| !item.answer.is_empty()));
            } else if let Event::ComplaintReopened(_) = &event {
                told = false;
                answered.clear();
            } else if let Event::ComplaintClosed(_) = &event {
                prop_assert!(offered && told && answered.len() == 2);
            }
        }
    }

    #[test]
    fn the_row_tells_what_the_complaint_knows(tried in tried()) {
        let (complaint, events) = lived(&tried);
        let mut row = contracts::complaints::Complaint::default();
        for event in &events {
            Complaint::apply(&mut row, event, &Default::default(), 0);
        }
        let Complaint::Known(case) = complaint else { return Ok(()) };
        prop_assert_eq!(row.phase(), case.phase);
        prop_assert_eq!(row.level() == contracts::complaints::ComplaintLevel::Major, case.major);
        prop_assert_eq!((row.tier, &row.handler, row.escalated), (case.tier, &case.handler, case.escalated));
        prop_assert_eq!(row.ended_at.is_none(), case.is_open());
        let unanswered: Vec<u32> =
            row.items.iter().filter(|item| item.answer.is_empty()).map(|item| item.number).collect();
        prop_assert_eq!(unanswered, case.unanswered());
        prop_assert_eq!(&row.solution, &case.solution);
    }

    #[test]
    fn what_was_tried_last_and_taken_is_a_repeat(tried in tried()) {
        let (complaint, _) = lived(&tried);
        for &command in ALL {
            let Ok(said) = command.decide(&complaint, minute(9_000)) else { continue };
            let after = said.iter().fold(complaint.clone(), Complaint::evolve);
            prop_assert_eq!(command.decide(&after, minute(9_001)), Ok(vec![]), "{:?}", command);
        }
    }
}
