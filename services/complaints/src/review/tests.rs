use contracts::complaints::{ComplaintItem, Recording};
use eventlog::time::to_proto;

use super::*;

fn case(sku: &[&str]) -> Complaint {
    Complaint {
        complaint_id: "c-1".into(),
        kind: ComplaintKind::Complaint.into(),
        channel: ComplaintChannel::Hotline.into(),
        cause: CauseClass::ProductQuality.into(),
        topic: "damaged".into(),
        department: Department::Quality.into(),
        level: ComplaintLevel::Major.into(),
        phase: ComplaintPhase::Closed.into(),
        root_cause: "包装不足".into(),
        region: "杭州".into(),
        received_at: Some(to_proto("2026-03-02T16:30:00Z".parse().unwrap())),
        items: sku
            .iter()
            .map(|sku| ComplaintItem { sku: (*sku).into(), ..ComplaintItem::default() })
            .collect(),
        ..Complaint::default()
    }
}

#[test]
fn complaints_are_told_by_department_cause_topic_and_product() {
    let mut table = QualityFeedback::default();
    table.take_in(&case(&["A", "B", "A"]), None);
    table.take_in(&case(&["A"]), None);
    let open = Complaint {
        department: Department::Unspecified.into(),
        root_cause: String::new(),
        phase: ComplaintPhase::Investigating.into(),
        level: ComplaintLevel::General.into(),
        ..case(&[])
    };
    table.take_in(&open, None);
    // neither of these is a complaint with us
    table.take_in(&Complaint { phase: ComplaintPhase::Cancelled.into(), ..case(&["A"]) }, None);
    table.take_in(&Complaint { kind: ComplaintKind::NotOurs.into(), ..case(&["A"]) }, None);
    let lines = table.lines();
    let told: Vec<(Department, &str, u64, u64, u64)> = lines
        .iter()
        .map(|it| (it.department(), it.sku.as_str(), it.complaints, it.major, it.closed))
        .collect();
    let expected = [
        (Department::Unspecified, "", 1, 0, 0),
        (Department::Quality, "A", 2, 2, 2),
        (Department::Quality, "B", 1, 1, 1),
    ];
    assert_eq!(told, expected);
    assert_eq!(lines[1].root_causes, ["包装不足"], "each once");
}

#[test]
fn a_table_for_one_department_has_its_lines_alone() {
    let mut table = QualityFeedback::default();
    table.take_in(&case(&["A"]), Some(Department::Quality));
    table.take_in(&case(&["B"]), Some(Department::Marketing));
    let lines = table.lines();
    assert_eq!((lines.len(), lines[0].sku.as_str()), (1, "A"));
}

#[test]
fn calls_are_told_by_kind_topic_hour_and_region() {
    let mut calls = Calls::default();
    calls.take_in(&case(&[]));
    let asked = Complaint {
        complaint_id: "c-2".into(),
        channel: ComplaintChannel::Phone.into(),
        kind: ComplaintKind::Enquiry.into(),
        cause: CauseClass::Unspecified.into(),
        topic: String::new(),
        recordings: vec![Recording::default()],
        phase: ComplaintPhase::Received.into(),
        ..case(&[])
    };
    calls.take_in(&asked);
    calls.take_in(&Complaint { channel: ComplaintChannel::Letter.into(), ..case(&[]) });
    assert!(calls.led_to("c-1") && calls.led_to("c-2") && !calls.led_to("c-3"));
    let told = calls.analysis();
    assert_eq!((told.calls, told.recorded, told.closed), (2, 1, 1));
    let pairs = |lines: &[CallAnalysisLine]| -> Vec<(String, u64)> {
        lines.iter().map(|line| (line.value.clone(), line.calls)).collect()
    };
    assert_eq!(pairs(&told.by_kind), [("COMPLAINT".to_owned(), 1), ("ENQUIRY".to_owned(), 1)]);
    assert_eq!(pairs(&told.by_topic), [(String::new(), 1), ("damaged".to_owned(), 1)]);
    // half past midnight, to the supplier
    assert_eq!(pairs(&told.by_hour), [("00".to_owned(), 2)]);
    assert_eq!(pairs(&told.by_region), [("杭州".to_owned(), 2)]);
}
