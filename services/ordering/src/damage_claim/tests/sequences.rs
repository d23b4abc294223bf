//! Each state against each command, and commands in any sequence.

use super::*;

/// What each state answers to each command that it has not seen before.
#[test]
fn every_state_answers_every_command() {
    let states: [(&str, Vec<Event>); 8] = [
        ("absent", vec![]),
        ("reported", vec![reported(DamageKind::Late)]),
        ("coordinating", vec![reported(DamageKind::Late), coordinated()]),
        ("proven", proven()),
        ("liable", liable(1000)),
        ("compensated", after(liable(1000), compensated())),
        ("deducted", after(after(liable(1000), compensated()), deducted("d-1", 1000))),
        ("cleared", vec![reported(DamageKind::Late), cleared()]),
    ];
    type Command = fn(&DamageClaim) -> Decision<Event, Rejection>;
    let commands: [Command; 7] = [
        |claim| claim.report(&report(DamageKind::Late), &consignment()),
        |claim| claim.coordinate("王业务", when(9)),
        |claim| claim.add_evidence("new", &photos(), when(9)),
        |claim| claim.hold_liable(&yuan(1000), when(9)),
        |claim| claim.clear("原材料问题", when(9)),
        |claim| claim.deduct("new", &yuan(1), when(9)),
        |claim| claim.compensate("new", &yuan(1), when(9)),
    ];
    let expected = [
        // report, coordinate, evidence, hold, clear, deduct, compensate
        ["event", "NotFound", "NotFound", "NotFound", "NotFound", "NotFound", "NotFound"],
        ["nothing", "event", "event", "NotCoordinated", "event", "NotLiable", "event"],
        [
            "nothing",
            "nothing",
            "event",
            "EvidenceMissing(SignedSlip)",
            "event",
            "NotLiable",
            "event",
        ],
        [
            "Differs(Differs { field: \"kind\" })",
            "nothing",
            "event",
            "event",
            "event",
            "NotLiable",
            "event",
        ],
        [
            "Differs(Differs { field: \"kind\" })",
            "nothing",
            "Decided",
            "nothing",
            "CarrierIsLiable",
            "UserNotCompensated",
            "event",
        ],
        [
            "Differs(Differs { field: \"kind\" })",
            "nothing",
            "Decided",
            "nothing",
            "CarrierIsLiable",
            "event",
            "AlreadyCompensated",
        ],
        [
            "Differs(Differs { field: \"kind\" })",
            "nothing",
            "Decided",
            "nothing",
            "CarrierIsLiable",
            "MoreThanOwed { left: Amount { minor: 0, currency: \"CNY\" } }",
            "AlreadyCompensated",
        ],
        [
            "nothing",
            "Decided",
            "Decided",
            "CarrierIsCleared",
            "nothing",
            "CarrierIsCleared",
            "event",
        ],
    ];
    for ((name, history), row) in states.iter().zip(expected) {
        let state: DamageClaim = fold(history);
        let answers: Vec<String> = commands
            .iter()
            .map(|command| match command(&state) {
                Ok(events) if events.is_empty() => "nothing".to_owned(),
                Ok(_) => "event".to_owned(),
                Err(rejection) => format!("{rejection:?}"),
            })
            .collect();
        assert_eq!(answers, row, "in the state {name}");
    }
}

#[test]
fn the_row_tells_the_whole_story() {
    let mut row = contracts::ordering::DamageClaim::default();
    let meta = EventMetadata::default();
    let mut phases = Vec::new();
    let story =
        [proven(), vec![compensated(), held(1000), deducted("d-1", 400), deducted("d-2", 600)]];
    for event in story.iter().flatten() {
        DamageClaim::apply(&mut row, event, &meta, 0);
        phases.push(row.phase());
    }
    assert_eq!(
        phases,
        [
            Phase::Reported,
            Phase::Coordinating,
            Phase::Coordinating,
            Phase::Coordinating,
            Phase::EvidenceComplete,
            Phase::EvidenceComplete,
            Phase::CarrierLiable,
            Phase::CarrierLiable,
            Phase::Deducted,
        ]
    );
    assert_eq!(row.deducted, Some(yuan(1000).money()));
    assert_eq!(row.compensated, Some(yuan(800).money()));
    assert_eq!((row.photo_sha256.len(), row.slip_sha256.as_str()), (2, "cc"));
    assert_eq!(DamageClaim::keys(&row).len(), 8);
}

proptest! {
    /// Whatever is tried, the sum of the deductions never exceeds the debt, no id counts twice, and
    /// the claim is deducted exactly when nothing is left.
    #[test]
    fn deductions_never_exceed_the_debt(
        owed in 1_i64..2_000,
        tries in prop::collection::vec((0_u8..12, prop_oneof![1_i64..700, Just(i64::MAX)]), 0..40),
    ) {
        let mut claim: DamageClaim = fold(&after(liable(owed), compensated()));
        let mut taken = std::collections::BTreeMap::new();
        for (id, minor) in tries {
            let answer = claim.deduct(&id.to_string(), &yuan(minor), when(9));
            let left = owed - taken.values().sum::<i64>();
            match taken.get(&id) {
                Some(before) if *before == minor => prop_assert_eq!(answer, Ok(vec![])),
                Some(_) => prop_assert_eq!(answer, Err(Differs { field: "amount" }.into())),
                None if minor > left => {
                    prop_assert_eq!(answer, Err(Rejection::MoreThanOwed { left: yuan(left) }));
                }
                None => {
                    for event in answer.unwrap() {
                        claim = claim.evolve(&event);
                    }
                    taken.insert(id, minor);
                }
            }
            let all = taken.values().sum::<i64>() == owed;
            prop_assert_eq!(matches!(claim, DamageClaim::Deducted(..)), all);
        }
    }

    /// Any sequence of commands: the row says what the state says, and nothing happens once the
    /// debt is deducted. That is not before the user is compensated.
    #[test]
    fn nothing_happens_to_a_finished_claim(
        commands in prop::collection::vec((0_u8..7, 0_u8..3), 0..60),
    ) {
        let mut claim = DamageClaim::default();
        let mut row = contracts::ordering::DamageClaim::default();
        for (command, variant) in commands {
            let id = variant.to_string();
            let evidence = [photos(), signature(), slip()][usize::from(variant)].clone();
            let finished = row.phase() == Phase::Deducted;
            let answer = match command {
                0 => claim.report(&report(DamageKind::MajorOrManMade), &consignment()),
                1 => claim.coordinate(&id, when(9)),
                2 => claim.add_evidence(&id, &evidence, when(9)),
                3 => claim.hold_liable(&yuan(100), when(9)),
                4 => claim.clear(&id, when(9)),
                5 => claim.deduct(&id, &yuan(50), when(9)),
                _ => claim.compensate(&id, &yuan(10), when(9)),
            };
            let events = answer.unwrap_or_default();
            prop_assert!(!finished || events.is_empty());
            prop_assert!(row.deducted.is_none() || row.compensated.is_some());
            for event in &events {
                claim = claim.evolve(event);
                DamageClaim::apply(&mut row, event, &EventMetadata::default(), 0);
            }
            let agree = match &claim {
                DamageClaim::Absent => row.phase() == Phase::Unspecified,
                DamageClaim::Open(case) if case.complete => row.phase() == Phase::EvidenceComplete,
                DamageClaim::Open(case) if case.coordinator.is_some() => {
                    row.phase() == Phase::Coordinating
                }
                DamageClaim::Open(_) => row.phase() == Phase::Reported,
                DamageClaim::CarrierLiable(..) => row.phase() == Phase::CarrierLiable,
                DamageClaim::Deducted(..) => row.phase() == Phase::Deducted,
                DamageClaim::CarrierCleared(..) => row.phase() == Phase::CarrierCleared,
            };
            prop_assert!(agree, "{:?} {:?}", claim, row.phase());
        }
    }
}
