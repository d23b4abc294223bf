use super::*;

fn row(platform: &str, level: ComplaintLevel, handler: &str) -> Row {
    Row {
        platform: platform.into(),
        level: level.into(),
        handler: handler.into(),
        phase: ComplaintPhase::Investigating.into(),
        cause: CauseClass::ServiceQuality.into(),
        ..Row::default()
    }
}

fn finds(wanted: &Wanted, row: &Row) -> bool {
    let listing = listing(wanted);
    Complaint::keys(row).iter().any(|key| {
        key.key == listing.key
            && key.value >= listing.from
            && listing.to.as_ref().is_none_or(|to| key.value < *to)
    })
}

#[test]
fn every_combination_of_filters_finds_what_fits_and_nothing_else() {
    let one = row("mall", ComplaintLevel::Major, "李");
    let narrows = [
        (Narrow::Any, true),
        (Narrow::Phase(ComplaintPhase::Investigating), true),
        (Narrow::Phase(ComplaintPhase::Closed), false),
        (Narrow::Handler("李".into()), true),
        (Narrow::Handler("赵".into()), false),
        (Narrow::Cause(CauseClass::ServiceQuality), true),
        (Narrow::Cause(CauseClass::ProductQuality), false),
    ];
    for platform in [(None, true), (Some("mall"), true), (Some("other"), false)] {
        for level in [
            (None, true),
            (Some(ComplaintLevel::Major), true),
            (Some(ComplaintLevel::General), false),
        ] {
            for open_only in [false, true] {
                for (narrow, fits) in narrows.clone() {
                    let wanted = Wanted {
                        platform: platform.0.map(str::to_owned),
                        level: level.0,
                        open_only,
                        narrow,
                    };
                    let expected = platform.1 && level.1 && fits;
                    assert_eq!(finds(&wanted, &one), expected, "{wanted:?}");
                }
            }
        }
    }
    let ended = Row { ended_at: Some(Default::default()), ..one };
    assert!(!finds(&Wanted { open_only: true, ..Wanted::default() }, &ended));
    assert!(finds(&Wanted::default(), &ended));
}

#[test]
fn no_two_keys_of_a_row_are_the_same() {
    let mut keys: Vec<(String, String)> = Complaint::keys(&row("mall", ComplaintLevel::Major, ""))
        .into_iter()
        .map(|key| (key.key.to_string(), key.value))
        .collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), all);
}
