//! The gRPC service of figures.

use std::collections::BTreeMap;

use chassis::{
    Call, Desk, Fields, Host, Refusal,
    days::{Days, days},
    desk::platform_filter,
    reading::filter,
};
use contracts::complaints::{
    self as api, Complaint, ComplaintCounts, ComplaintFigures, ComplaintGrouping,
    ComplaintStatisticsLine, CorrectiveAction, Department,
    complaint_report_service_server::{ComplaintReportService, ComplaintReportServiceServer},
};
use eventlog::{Listing, Log, time::from_proto};
use jiff::{SignedDuration, Timestamp, civil::Date};
use tonic::{Request, Response, Status};

use super::CONTEXT;
use crate::{
    action,
    complaint_row::received,
    review::{Calls, QualityFeedback},
    statistics::{add, by_day},
};

/// Rows read at once.
const PAGE: usize = 500;
/// Rows that one report adds up, at most.
const MOST_ROWS: usize = 200_000;

/// Figures as platforms, operators and auditors reach them.
#[derive(Clone)]
pub struct Reports {
    desk: Desk,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, host: &Host) -> ComplaintReportServiceServer<Reports> {
    ComplaintReportServiceServer::new(Reports { desk: Desk::new(log, host.clock.clone(), CONTEXT) })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

fn value(row: &ComplaintFigures, by: ComplaintGrouping) -> String {
    match by {
        ComplaintGrouping::Unspecified => String::new(),
        ComplaintGrouping::Platform => row.platform.clone(),
        ComplaintGrouping::Kind => row.kind().as_str_name().to_owned(),
        ComplaintGrouping::Channel => row.channel().as_str_name().to_owned(),
        ComplaintGrouping::Cause => row.cause().as_str_name().to_owned(),
        ComplaintGrouping::Level => row.level().as_str_name().to_owned(),
        ComplaintGrouping::Handler => row.handler.clone(),
        ComplaintGrouping::Month => row.day.get(..7).unwrap_or_default().to_owned(),
        ComplaintGrouping::Day => row.day.clone(),
        ComplaintGrouping::Topic => row.topic.clone(),
        ComplaintGrouping::Department => row.department().as_str_name().to_owned(),
        ComplaintGrouping::Product => row.sku.clone(),
    }
}

#[tonic::async_trait]
impl ComplaintReportService for Reports {
    async fn get_complaint_statistics(
        &self,
        request: Request<api::GetComplaintStatisticsRequest>,
    ) -> Result<Response<api::GetComplaintStatisticsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let days = days(&mut fields, &message.from, &message.to);
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let groups: Vec<ComplaintGrouping> =
            fields.repeated("group_by", &message.group_by, 0..=11, |fields, by| {
                fields.choice("", *by)
            });
        let days = fields.finish_some(days)?;
        let mut lines: BTreeMap<Vec<String>, ComplaintCounts> = BTreeMap::new();
        let of_products = groups.contains(&ComplaintGrouping::Product);
        let listing = by_day(&days.from.to_string(), &days.to.to_string(), of_products);
        let add_up = |row: ComplaintFigures| {
            if platform.as_ref().is_none_or(|platform| row.platform == *platform) {
                let group = groups.iter().map(|by| value(&row, *by)).collect();
                add(lines.entry(group).or_default(), &row.counts.unwrap_or_default());
            }
        };
        self.all(listing, add_up).await?;
        let lines = lines
            .into_iter()
            .map(|(group, counts)| ComplaintStatisticsLine { group, counts: Some(counts) })
            .collect();
        Ok(Response::new(api::GetComplaintStatisticsResponse { lines }))
    }

    async fn get_quality_feedback(
        &self,
        request: Request<api::GetQualityFeedbackRequest>,
    ) -> Result<Response<api::GetQualityFeedbackResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let month = month(&mut fields, &message.month);
        let department: Option<Department> = filter(&mut fields, "department", message.department);
        let (from, to) = within(fields.finish_some(month)?);
        let mut table = QualityFeedback::default();
        self.all(received(from, to), |row: Complaint| table.take_in(&row, department)).await?;
        let mut actions = Vec::new();
        let fits = |action: &CorrectiveAction| {
            let opened_at = action.opened_at.as_ref().and_then(from_proto);
            department.is_none_or(|department| action.department() == department)
                && (table.led_to(&action.complaint_id) || opened_at.is_some_and(|at| at <= to))
        };
        let ended = action::ended(from, self.desk.now());
        for listing in [action::listing(None, department, true), ended] {
            self.all(listing, |row| actions.extend(Some(row).filter(fits))).await?;
        }
        Ok(Response::new(api::GetQualityFeedbackResponse { lines: table.lines(), actions }))
    }

    async fn get_call_analysis(
        &self,
        request: Request<api::GetCallAnalysisRequest>,
    ) -> Result<Response<api::GetCallAnalysisResponse>, Status> {
        let message = request.into_inner();
        let mut fields = Fields::new();
        let days = days(&mut fields, &message.from, &message.to);
        let (from, to) = within(fields.finish_some(days)?);
        let mut calls = Calls::default();
        self.all(received(from, to), |row: Complaint| calls.take_in(&row)).await?;
        let mut actions = Vec::new();
        for listing in [action::listing(None, None, true), action::ended(from, self.desk.now())] {
            self.all(listing, |row: CorrectiveAction| {
                actions.extend(Some(row).filter(|row| calls.led_to(&row.complaint_id)));
            })
            .await?;
        }
        Ok(Response::new(api::GetCallAnalysisResponse { actions, ..calls.analysis() }))
    }
}

impl Reports {
    /// Reads all rows of a listing, a page at a time.
    async fn all<R: prost::Message + Default>(
        &self,
        listing: Listing,
        mut take_in: impl FnMut(R) + Send,
    ) -> Result<(), Status> {
        let mut listing = listing.limit(PAGE);
        let mut read = 0;
        loop {
            let (rows, next) = self.desk.page::<R>(listing.clone()).await?;
            read += rows.len();
            if read > MOST_ROWS {
                let text = format!("it needs more than {MOST_ROWS} records: ask for fewer days");
                return Err(Refusal::not_now("TOO_MANY_RECORDS", text).status(CONTEXT));
            }
            rows.into_iter().for_each(&mut take_in);
            if next.is_empty() {
                return Ok(());
            }
            listing.page_token = next;
        }
    }
}

/// The first moment of some days, and the last.
fn within(days: Days) -> (Timestamp, Timestamp) {
    let (from, end) = days.moments();
    (from, end - SignedDuration::from_nanos(1))
}

/// The days of a month.
fn month(fields: &mut Fields, text: &str) -> Option<Days> {
    let first = format!("{text}-01").parse::<Date>().ok();
    let first = first.filter(|day| day.strftime("%Y-%m").to_string() == text);
    if first.is_none() {
        fields.refuse("month", "is no month such as 2026-11");
    }
    let from = first?;
    Some(Days { from, to: from.last_of_month() })
}

#[cfg(test)]
mod tests;
