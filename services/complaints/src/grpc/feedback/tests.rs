//! Surveys, accounts and submissions, over gRPC.

use chassis::testing::{by_platform, by_us, fields, reason};
use contracts::{
    common::Role,
    complaints::{Department, ReportKind, SurveyWay},
};
use tonic::Code;

use super::*;
use crate::grpc::testing;

async fn bench() -> (Feedback, tempfile::TempDir) {
    let (log, clock, folder) = testing::log().await;
    (Feedback { desk: Desk::new(log, clock, CONTEXT) }, folder)
}

fn by_li<T>(message: T) -> Request<T> {
    by_us("李", Role::Operator, message)
}

fn answer(id: &str, score: u32) -> api::RecordSurveyAnswerRequest {
    api::RecordSurveyAnswerRequest {
        answer_id: id.into(),
        survey_id: "2026-Q1".into(),
        way: SurveyWay::Phone.into(),
        score,
        opinion: "送货很快".into(),
        ..Default::default()
    }
}

#[tokio::test]
async fn an_answer_is_kept_once_and_each_platform_sees_its_own() {
    let (service, _folder) = bench().await;
    for repeated in [false, true] {
        let reply = service.record_survey_answer(by_platform("mall", answer("q-1", 5))).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    let other = service.record_survey_answer(by_platform("mall", answer("q-1", 1))).await;
    assert_eq!(reason(&other.unwrap_err()), "DIFFERENT_CONTENT");
    let others = service.record_survey_answer(by_platform("other", answer("q-1", 5))).await;
    assert_eq!(reason(&others.unwrap_err()), "UNKNOWN_ANSWER", "it is none of theirs");
    let listed = |platform: &str| {
        let request =
            api::ListSurveyAnswersRequest { survey_id: "2026-Q1".into(), ..Default::default() };
        let (service, request) = (service.clone(), by_platform(platform, request));
        async move { service.list_survey_answers(request).await.unwrap().into_inner().answers.len() }
    };
    assert_eq!((listed("mall").await, listed("other").await), (1, 0));
}

#[tokio::test]
async fn a_buying_unit_is_served_by_who_was_assigned_last() {
    let (service, _folder) = bench().await;
    let get = || api::GetAccountRequest { platform: "mall".into(), buyer_id: "b-1".into() };
    let refused = service.get_account(by_li(get())).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::NotFound, "UNKNOWN_ACCOUNT"));
    for (salesperson, repeated) in [("孙", false), ("孙", true), ("周", false)] {
        let assign = api::AssignSalespersonRequest {
            platform: "mall".into(),
            buyer_id: "b-1".into(),
            salesperson: salesperson.into(),
            at: None,
        };
        let reply = service.assign_salesperson(by_li(assign)).await.unwrap().into_inner();
        assert_eq!(
            (reply.account.unwrap().salesperson.as_str(), reply.repeated),
            (salesperson, repeated)
        );
    }
    assert_eq!(
        service.get_account(by_li(get())).await.unwrap().into_inner().account.unwrap().salesperson,
        "周"
    );
}

#[tokio::test]
async fn the_quality_feedback_table_goes_to_all_five_departments() {
    let (service, _folder) = bench().await;
    let submit = |report: ReportKind, departments: &[Department]| {
        by_li(api::SubmitReportRequest {
            submission_id: format!("r-{}", i32::from(report)),
            report: report.into(),
            period: "2026-02".into(),
            departments: departments.iter().map(|it| (*it).into()).collect(),
            ..Default::default()
        })
    };
    let four = submit(ReportKind::QualityFeedback, &submission::DEPARTMENTS[..4]);
    let refused = service.submit_report(four).await.unwrap_err();
    assert_eq!(reason(&refused), "NOT_ALL_DEPARTMENTS");
    let mut five = submission::DEPARTMENTS;
    five.reverse();
    for repeated in [false, true] {
        let reply = service.submit_report(submit(ReportKind::QualityFeedback, &five)).await;
        assert_eq!(reply.unwrap().into_inner().repeated, repeated);
    }
    let review = submit(ReportKind::ComplaintReview, &[Department::Marketing]);
    service.submit_report(review).await.unwrap();
    let listed = |report: i32| {
        let request = api::ListReportSubmissionsRequest { report, ..Default::default() };
        let service = service.clone();
        async move {
            service
                .list_report_submissions(by_li(request))
                .await
                .unwrap()
                .into_inner()
                .submissions
                .len()
        }
    };
    assert_eq!((listed(0).await, listed(ReportKind::QualityFeedback.into()).await), (2, 1));
}

#[tokio::test]
async fn what_is_malformed_is_named_field_by_field() {
    let (service, _folder) = bench().await;
    let empty = api::RecordSurveyAnswerRequest::default();
    let refused = service.record_survey_answer(by_li(empty)).await.unwrap_err();
    assert_eq!(fields(&refused), ["answer_id", "score", "survey_id", "way"]);
    let refused = service.record_survey_answer(by_li(answer("q-1", 6))).await.unwrap_err();
    assert_eq!(fields(&refused), ["score"]);
    let refused = service.assign_salesperson(by_li(Default::default())).await.unwrap_err();
    assert_eq!(fields(&refused), ["buyer_id", "platform", "salesperson"]);
    let refused = service.submit_report(by_li(Default::default())).await.unwrap_err();
    assert_eq!(fields(&refused), ["departments", "period", "report", "submission_id"]);
}
