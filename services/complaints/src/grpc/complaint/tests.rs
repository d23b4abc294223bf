//! What platforms, operators and auditors can do and see.

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::{Contact, Money, Role},
    complaints::{
        CauseClass, ComplaintChannel, ComplaintItem, ComplaintKind, ComplaintLevel, ComplaintPhase,
        Handover, Measure, MeasureKind, Solution,
    },
};
use eventlog::{Clock as _, ManualClock, time::to_proto};
use jiff::{SignedDuration, Timestamp};
use tonic::Code;

use super::*;
use crate::grpc::testing;

/// The service on a log in a folder of its own.
struct Bench {
    service: Complaints,
    clock: Arc<ManualClock>,
    _folder: tempfile::TempDir,
}

async fn bench() -> Bench {
    let (log, clock, folder) = testing::log().await;
    let service = Complaints {
        desk: Desk::new(log.clone(), clock.clone(), CONTEXT),
        personal: Personal::new(log, CONTEXT),
        config: Arc::new(Config::default()),
    };
    Bench { service, clock, _folder: folder }
}

impl Bench {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// As far as somebody looks into it.
    async fn accepted(&self, platform: &str, id: &str, hours: i64) {
        let receive = by_platform(platform, receive(id));
        self.service.receive_complaint(receive).await.unwrap();
        self.accept(id, hours).await;
    }

    /// From its receipt until somebody looks into it.
    async fn accept(&self, id: &str, hours: i64) {
        let read_back = api::ConfirmFormRequest {
            complaint_id: id.into(),
            read_back_by: "李".into(),
            ..Default::default()
        };
        self.service.confirm_form(by_li(read_back)).await.unwrap();
        let close_by = Some(to_proto(self.now() + SignedDuration::from_hours(hours)));
        let accept = api::AcceptComplaintRequest {
            complaint_id: id.into(),
            handler: "李".into(),
            tier: 0,
            close_by,
            at: None,
        };
        self.service.accept_complaint(by_li(accept)).await.unwrap();
        let assess = api::AssessFactsRequest {
            complaint_id: id.into(),
            severity: "不严重".into(),
            expectation: "赔偿".into(),
            ..Default::default()
        };
        self.service.assess_facts(by_li(assess)).await.unwrap();
    }
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

fn zhang() -> Contact {
    Contact {
        name: "张三".into(),
        phone: "13800138000".into(),
        address: "德阳市".into(),
        ..Contact::default()
    }
}

fn receive(id: &str) -> api::ReceiveComplaintRequest {
    let item = |text: &str| ComplaintItem { text: text.into(), ..ComplaintItem::default() };
    api::ReceiveComplaintRequest {
        complaint_id: id.into(),
        channel: ComplaintChannel::Platform.into(),
        kind: ComplaintKind::Complaint.into(),
        cause: CauseClass::ProductQuality.into(),
        complainant: Some(zhang()),
        items: vec![item("送来时已损坏"), item("晚到一天")],
        ..Default::default()
    }
}

fn solution(id: &str, amount: i64) -> Solution {
    Solution {
        solution_id: id.into(),
        text: "赔偿".into(),
        feasibility: "可行".into(),
        fairness: "公平".into(),
        measures: vec![Measure {
            kind: MeasureKind::Compensation.into(),
            amount: Some(Money { minor_units: amount, currency: "CNY".into() }),
            ..Measure::default()
        }],
        ..Solution::default()
    }
}

fn offer(id: &str, solution: Solution) -> Request<api::OfferSolutionRequest> {
    by_li(api::OfferSolutionRequest {
        complaint_id: id.into(),
        solution: Some(solution),
        ..Default::default()
    })
}

#[tokio::test]
async fn a_platform_complains_agrees_and_reads_the_record_of_it() {
    let bench = bench().await;
    bench.accepted("mall", "c-1", 24).await;
    bench.service.offer_solution(offer("c-1", solution("s-1", 20_000))).await.unwrap();
    let agree = api::AgreeSolutionRequest {
        complaint_id: "c-1".into(),
        solution_id: "s-1".into(),
        at: None,
    };
    for repeated in [false, true] {
        let reply = bench.service.agree_solution(by_platform("mall", agree.clone())).await.unwrap();
        let reply = reply.into_inner();
        assert_eq!(reply.repeated, repeated);
        let complaint = reply.complaint.unwrap();
        assert_eq!(complaint.phase(), ComplaintPhase::Agreed);
        assert_eq!(complaint.granted.unwrap().minor_units, 20_000);
        assert_eq!(complaint.complainant, Some(zhang()), "its own platform sees all of it");
        assert_eq!(complaint.sealed_complainant, None);
        bench.clock.advance(SignedDuration::from_mins(5));
    }
    let history = api::GetComplaintHistoryRequest { complaint_id: "c-1".into() };
    let history = bench.service.get_complaint_history(by_platform("mall", history)).await.unwrap();
    let entries = history.into_inner().entries;
    let names: Vec<_> =
        entries.iter().map(|it| it.r#type.rsplit('.').next().unwrap().to_owned()).collect();
    assert_eq!(
        names,
        [
            "ComplaintReceived",
            "FormConfirmed",
            "ComplaintAccepted",
            "FactsAssessed",
            "SolutionOffered",
            "SolutionAgreed"
        ]
    );
    assert!(entries.iter().all(|it| !it.json.contains("张三") && !it.json.contains("13800138000")));
    assert_eq!(entries[4].actor, "李");
}

#[tokio::test]
async fn to_another_platform_it_is_not_there_and_an_auditor_sees_a_mask() {
    let bench = bench().await;
    bench.accepted("mall", "c-1", 24).await;
    let get = || api::GetComplaintRequest { complaint_id: "c-1".into() };
    let refused = bench.service.get_complaint(by_platform("other", get())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_COMPLAINT"));
    let cancel =
        api::CancelComplaintRequest {
            complaint_id: "c-1".into(), reason: "撤回".into(), at: None
        };
    let refused = bench.service.cancel_complaint(by_platform("other", cancel)).await.unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let audited = by_us("审计", Role::Auditor, get());
    let seen = bench.service.get_complaint(audited).await.unwrap().into_inner();
    let person = seen.complaint.unwrap().complainant.unwrap();
    assert_eq!((person.name.as_str(), person.phone.as_str()), ("张*", "*8000"));
    assert!(person.address.is_empty());
}

#[tokio::test]
async fn complaints_are_listed_by_deadline_and_by_each_filter() {
    let bench = bench().await;
    for (platform, id, hours) in [("mall", "c-1", 30), ("mall", "c-2", 10), ("other", "c-3", 20)] {
        bench.accepted(platform, id, hours).await;
    }
    let assess = api::AssessFactsRequest {
        complaint_id: "c-3".into(),
        media: true,
        severity: "严重".into(),
        expectation: "道歉".into(),
        ..Default::default()
    };
    bench.service.assess_facts(by_li(assess)).await.unwrap();
    bench.service.offer_solution(offer("c-1", solution("s-1", 1))).await.unwrap();
    let cancel =
        api::CancelComplaintRequest {
            complaint_id: "c-2".into(), reason: "撤回".into(), at: None
        };
    bench.service.cancel_complaint(by_platform("mall", cancel)).await.unwrap();

    type Change = fn(&mut api::ListComplaintsRequest);
    let filters: [(&[&str], Change); 9] = [
        (&["c-2", "c-3", "c-1"], |_| {}),
        (&["c-3", "c-1"], |it| it.open_only = true),
        (&["c-2", "c-1"], |it| it.platform = "mall".into()),
        (&["c-3"], |it| it.level = ComplaintLevel::Major.into()),
        (&["c-1"], |it| it.phase = ComplaintPhase::Offered.into()),
        (&["c-2"], |it| it.phase = ComplaintPhase::Cancelled.into()),
        (&["c-2", "c-3", "c-1"], |it| it.handler = "李".into()),
        (&[], |it| it.handler = "赵".into()),
        (&["c-2", "c-1"], |it| {
            it.cause = CauseClass::ProductQuality.into();
            it.platform = "mall".into();
        }),
    ];
    for (expected, change) in filters {
        let mut request = api::ListComplaintsRequest::default();
        change(&mut request);
        let list = bench.service.list_complaints(by_li(request.clone())).await.unwrap();
        let found = list.into_inner().complaints;
        let ids: Vec<_> = found.iter().map(|it| it.complaint_id.as_str()).collect();
        assert_eq!(ids, expected, "{request:?}");
    }
    // page by page, and a platform sees its own alone
    let mut request = api::ListComplaintsRequest { page_size: 1, ..Default::default() };
    let mut ids = Vec::new();
    loop {
        let list = bench.service.list_complaints(by_platform("mall", request.clone())).await;
        let list = list.unwrap().into_inner();
        ids.extend(list.complaints.into_iter().map(|it| it.complaint_id));
        if list.next_page_token.is_empty() {
            break;
        }
        request.page_token = list.next_page_token;
    }
    assert_eq!(ids, ["c-2", "c-1"]);
}

#[tokio::test]
async fn a_malformed_request_names_every_field_and_changes_nothing() {
    let bench = bench().await;
    let mut wrong = receive("c 1");
    wrong.channel = 99;
    wrong.cause = 0;
    wrong.complainant = Some(Contact::default());
    wrong.items = vec![ComplaintItem { number: 2, answer: "a".into(), ..Default::default() }];
    wrong.recording_sha256 = "x".into();
    wrong.claimed = Some(Money { minor_units: -1, currency: "USD".into() });
    let refused = bench.service.receive_complaint(by_li(wrong)).await.unwrap_err();
    let named = fields(&refused);
    for field in [
        "complaint_id",
        "channel",
        "cause",
        "complainant.name",
        "complainant.phone",
        "items[0].number",
        "items[0].answer",
        "items[0].text",
        "recording_sha256",
    ] {
        assert!(named.iter().any(|it| it == field), "{field}: {named:?}");
    }
    assert!(named.iter().any(|it| it.starts_with("claimed")), "{named:?}");
    let tomorrow = Some(to_proto(bench.now() + SignedDuration::from_hours(24)));
    let early = api::ReceiveComplaintRequest { at: tomorrow, ..receive("c-1") };
    let refused = bench.service.receive_complaint(by_li(early)).await.unwrap_err();
    assert_eq!(fields(&refused), ["at"]);
    let nothing = api::ReceiveComplaintRequest { items: vec![], ..receive("c-1") };
    let refused = bench.service.receive_complaint(by_li(nothing)).await.unwrap_err();
    assert_eq!(fields(&refused), ["items"]);
    let found = bench.service.list_complaints(by_li(Default::default())).await.unwrap();
    assert!(found.into_inner().complaints.is_empty());
}

#[tokio::test]
async fn an_incomplete_handover_or_measure_is_refused_with_what_is_missing() {
    let bench = bench().await;
    bench.accepted("mall", "c-1", 24).await;
    let escalate = |handover: Option<Handover>| {
        by_li(api::EscalateComplaintRequest {
            complaint_id: "c-1".into(),
            handler: "孙".into(),
            tier: 1,
            mandate: "可决定".into(),
            handover,
            reason: "没有方案".into(),
            ..Default::default()
        })
    };
    let refused = bench.service.escalate_complaint(escalate(None)).await.unwrap_err();
    assert_eq!(fields(&refused), ["handover"]);
    let part = Handover { history: "经过".into(), ..Handover::default() };
    let refused = bench.service.escalate_complaint(escalate(Some(part))).await.unwrap_err();
    assert_eq!(fields(&refused), ["handover.demands", "handover.progress"]);

    let measure = |kind: MeasureKind| Measure { kind: kind.into(), ..Measure::default() };
    let bad = Solution {
        measures: vec![
            measure(MeasureKind::Exchange),
            measure(MeasureKind::Refund),
            Measure {
                amount: Some(Money { minor_units: 1, currency: "CNY".into() }),
                ..measure(MeasureKind::Apology)
            },
        ],
        ..solution("s-1", 1)
    };
    let refused = bench.service.offer_solution(offer("c-1", bad)).await.unwrap_err();
    let named = fields(&refused);
    for field in [
        "solution.measures[0].sku",
        "solution.measures[0].quantity",
        "solution.measures[1].sku",
        "solution.measures[2].amount",
    ] {
        assert!(named.iter().any(|it| it == field), "{field}: {named:?}");
    }
    let beyond = bench.service.offer_solution(offer("c-1", solution("s-1", 50_001))).await;
    let beyond = beyond.unwrap_err();
    assert_eq!(
        (beyond.code(), reason(&beyond).as_str()),
        (Code::FailedPrecondition, "BEYOND_AUTHORITY")
    );
}

impl Bench {
    async fn receive(&self, given: api::ReceiveComplaintRequest) -> Result<Row, Status> {
        let reply = self.service.receive_complaint(by_platform("mall", given)).await?;
        Ok(reply.into_inner().complaint.unwrap())
    }
}

#[tokio::test]
async fn a_complaint_about_an_order_knows_the_buyer_and_who_served_him() {
    let bench = bench().await;
    let about = |id: &str| api::ReceiveComplaintRequest { order_id: "o-1".into(), ..receive(id) };
    let refused = bench.receive(about("c-1")).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_ORDER"));
    testing::sold(bench.service.desk.log(), "other", "o-1", "b-1").await;
    testing::sold(bench.service.desk.log(), "mall", "o-2", "b-1").await;
    let refused = bench.receive(about("c-1")).await.unwrap_err();
    assert_eq!(reason(&refused), "UNKNOWN_ORDER", "another platform's order is not there");
    let about = |id: &str| api::ReceiveComplaintRequest { order_id: "o-2".into(), ..receive(id) };
    let unserved = bench.receive(about("c-1")).await.unwrap();
    assert_eq!((unserved.buyer_id.as_str(), unserved.first_responsible.as_str()), ("b-1", ""));
    testing::served_by(bench.service.desk.log(), "mall", "b-1", "孙").await;
    let served = bench.receive(about("c-2")).await.unwrap();
    assert_eq!((served.buyer_id.as_str(), served.first_responsible.as_str()), ("b-1", "孙"));
    // without an order the buying unit is enough
    let of_buyer = api::ReceiveComplaintRequest { buyer_id: "b-1".into(), ..receive("c-3") };
    assert_eq!(bench.receive(of_buyer).await.unwrap().first_responsible, "孙");
    let wrong = api::ReceiveComplaintRequest { buyer_id: "b-2".into(), ..about("c-4") };
    assert_eq!(reason(&bench.receive(wrong).await.unwrap_err()), "ANOTHER_BUYER");
}

#[tokio::test]
async fn the_same_person_with_the_same_again_is_a_repeat_for_a_month() {
    let bench = bench().await;
    let first = bench.receive(receive("c-1")).await.unwrap();
    assert_eq!(first.repeat_of, "");
    bench.clock.advance(SignedDuration::from_hours(24 * 20));
    assert_eq!(bench.receive(receive("c-2")).await.unwrap().repeat_of, "c-1");
    // the same request again is the same complaint
    assert_eq!(bench.receive(receive("c-2")).await.unwrap().repeat_of, "c-1");
    let topic = "late-delivery".to_owned();
    let other = api::ReceiveComplaintRequest { topic, ..receive("c-3") };
    assert_eq!(bench.receive(other).await.unwrap().repeat_of, "", "it is about something else");
    let li = Contact { name: "李四".into(), ..zhang() };
    let other = api::ReceiveComplaintRequest { complainant: Some(li), ..receive("c-4") };
    assert_eq!(bench.receive(other).await.unwrap().repeat_of, "", "it is somebody else");
    bench.clock.advance(SignedDuration::from_hours(24 * 31));
    assert_eq!(bench.receive(receive("c-5")).await.unwrap().repeat_of, "", "it was long ago");
}

#[tokio::test]
async fn an_offer_follows_the_standard_solution_of_its_type_or_says_why_not() {
    let bench = bench().await;
    let topic = "damaged".to_owned();
    let about = api::ReceiveComplaintRequest { topic, ..receive("c-1") };
    bench.receive(about).await.unwrap();
    let kinds = [MeasureKind::Compensation];
    let log = bench.service.desk.log();
    testing::standard(log, "n-1", CauseClass::ProductQuality, "damaged", &kinds).await;
    testing::standard(log, "n-2", CauseClass::ProductQuality, "late-delivery", &kinds).await;
    testing::standard(log, "n-3", CauseClass::ServiceProcess, "", &kinds).await;
    bench.accepted("mall", "c-2", 24).await;
    // the one without a topic has no standard solution
    bench.service.offer_solution(offer("c-2", solution("s-1", 20_000))).await.unwrap();
    bench.accept("c-1", 24).await;
    let offered = |standard: &str, reason: &str| {
        let mut request = offer("c-1", solution("s-1", 20_000));
        request.get_mut().standard_solution_id = standard.into();
        request.get_mut().deviation_reason = reason.into();
        let service = bench.service.clone();
        async move { service.offer_solution(request).await.map(|reply| reply.into_inner()) }
    };
    let refused = offered("", "").await.unwrap_err();
    assert_eq!(reason(&refused), "HAS_STANDARD_SOLUTION");
    assert!(refused.message().contains("n-1") && !refused.message().contains("n-2"), "{refused}");
    assert_eq!(reason(&offered("n-2", "").await.unwrap_err()), "NO_STANDARD_SOLUTION");
    let reply = offered("n-1", "").await.unwrap();
    assert_eq!(reply.complaint.unwrap().standard_solution_id, "n-1");
    assert!(offered("n-1", "").await.unwrap().repeated);
}

#[tokio::test]
async fn a_corrective_action_has_an_owner_and_a_day_and_recordings_a_digest() {
    let bench = bench().await;
    bench.accepted("mall", "c-1", 24).await;
    let now = bench.now();
    for (owner, due, named) in [("钱", false, "action_due_by"), ("", true, "action_owner")] {
        let analyse = api::AnalyseCauseRequest {
            complaint_id: "c-1".into(),
            cause: CauseClass::ServiceProcess.into(),
            root_cause: "包装不足".into(),
            corrective_action: "加固包装".into(),
            department: api::Department::Quality.into(),
            action_owner: owner.into(),
            action_due_by: due.then(|| to_proto(now)),
            ..Default::default()
        };
        let refused = bench.service.analyse_cause(by_li(analyse)).await.unwrap_err();
        assert_eq!(fields(&refused), [named]);
    }
    let archive = api::ArchiveRecordingRequest {
        complaint_id: "c-1".into(),
        recording: Some(api::Recording::default()),
        at: None,
    };
    let refused = bench.service.archive_recording(by_li(archive.clone())).await.unwrap_err();
    assert_eq!(fields(&refused), ["recording.reason", "recording.reference", "recording.sha256"]);
    let recording = api::Recording {
        sha256: "ab".repeat(32),
        reference: "archive/7".into(),
        reason: "有争议".into(),
    };
    let archive = api::ArchiveRecordingRequest { recording: Some(recording.clone()), ..archive };
    let reply = bench.service.archive_recording(by_li(archive)).await.unwrap().into_inner();
    assert_eq!(reply.complaint.unwrap().recordings, [recording]);
    let get = api::GetComplaintRequest { complaint_id: "c-1".into() };
    let audited = bench.service.get_complaint(by_us("审计", Role::Auditor, get)).await.unwrap();
    let seen = audited.into_inner().complaint.unwrap();
    assert_eq!((seen.recordings.len(), seen.recordings[0].reference.as_str()), (1, ""));
    for (who, role, sees) in [("审计", Role::Auditor, false), ("李", Role::Operator, true)] {
        let history = api::GetComplaintHistoryRequest { complaint_id: "c-1".into() };
        let history = bench.service.get_complaint_history(by_us(who, role, history)).await;
        let told = history.unwrap().into_inner().entries.pop().unwrap().json;
        assert_eq!(told.contains("archive/7"), sees, "{told}");
        assert!(told.contains("有争议"), "{told}");
    }
    let inform = |departments: Vec<i32>| api::InformDepartmentsRequest {
        complaint_id: "c-1".into(),
        departments,
        note: "请查包装".into(),
        at: None,
    };
    let refused = bench.service.inform_departments(by_li(inform(vec![9]))).await.unwrap_err();
    assert_eq!(fields(&refused), ["departments[0]"]);
    let reply = bench.service.inform_departments(by_li(inform(vec![3, 1, 3]))).await.unwrap();
    assert_eq!(reply.into_inner().complaint.unwrap().informed, [1, 3]);
}

#[tokio::test]
async fn a_letter_may_name_an_address_alone_and_the_form_is_corrected_with_what_is_learned() {
    let bench = bench().await;
    let written = Contact { phone: String::new(), ..zhang() };
    let by = |channel: ComplaintChannel| api::ReceiveComplaintRequest {
        channel: channel.into(),
        complainant: Some(written.clone()),
        ..receive("c-1")
    };
    let refused = bench.receive(by(ComplaintChannel::Web)).await.unwrap_err();
    assert_eq!(fields(&refused), ["complainant.phone"]);
    bench.receive(by(ComplaintChannel::Letter)).await.unwrap();
    let correct = api::CorrectFormRequest {
        complaint_id: "c-1".into(),
        complainant: Some(zhang()),
        ..Default::default()
    };
    for repeated in [false, true] {
        let reply = bench.service.correct_form(by_li(correct.clone())).await.unwrap().into_inner();
        assert_eq!(reply.repeated, repeated);
        let corrected = reply.complaint.unwrap();
        assert_eq!(corrected.complainant, Some(zhang()));
        assert_eq!(corrected.items.len(), 2, "these were right");
    }
    let unknown = api::CorrectFormRequest { complaint_id: "c-9".into(), ..correct };
    let refused = bench.service.correct_form(by_li(unknown)).await.unwrap_err();
    assert_eq!(reason(&refused), "UNKNOWN_COMPLAINT");
}
