//! The gRPC service of figures.

use std::collections::BTreeMap;

use chassis::{Call, Desk, Fields, Host, desk::platform_filter, errors};
use contracts::complaints::{
    self as api, ComplaintCounts, ComplaintFigures, ComplaintGrouping, ComplaintStatisticsLine,
    complaint_report_service_server::{ComplaintReportService, ComplaintReportServiceServer},
};
use eventlog::{Log, LogError};
use jiff::civil::Date;
use prost::Message as _;
use tonic::{Request, Response, Status};

use super::CONTEXT;
use crate::statistics::{add, by_day};

/// Most days of one report: ten years.
const MOST_DAYS: i32 = 3_660;
/// Rows read at once.
const PAGE: usize = 500;

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

/// Both days; each wrong one is named.
fn days(fields: &mut Fields, from: &str, to: &str) -> Option<(Date, Date)> {
    let mut date = |field: &str, text: &str| {
        let read = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
        if read.is_none() {
            fields.refuse(field, "is no date such as 2026-11-01");
        }
        read
    };
    let (from, to) = (date("from", from), date("to", to));
    let (from, to) = (from?, to?);
    let span = from.until(to).map_or(i32::MAX, |span| span.get_days());
    if !(0..=MOST_DAYS).contains(&span) {
        fields.refuse("to", format!("is before from, or more than {MOST_DAYS} days after it"));
    }
    Some((from, to))
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
            fields.repeated("group_by", &message.group_by, 0..=8, |fields, by| {
                fields.choice("", *by)
            });
        let (from, to) = fields.finish_some(days)?;
        let mut lines: BTreeMap<Vec<String>, ComplaintCounts> = BTreeMap::new();
        let mut listing = by_day(&from.to_string(), &to.to_string()).limit(PAGE);
        loop {
            let page = self.desk.log().list(&listing).await.map_err(errors::log)?;
            for stored in page.rows {
                let row = ComplaintFigures::decode(stored.body).map_err(|_| {
                    errors::log(LogError::Corrupt(format!("row {} of statistics", stored.id)))
                })?;
                if platform.as_ref().is_some_and(|platform| row.platform != *platform) {
                    continue;
                }
                let group = groups.iter().map(|by| value(&row, *by)).collect();
                add(lines.entry(group).or_default(), &row.counts.unwrap_or_default());
            }
            match page.next {
                Some(token) => listing.page_token = token,
                None => break,
            }
        }
        let lines = lines
            .into_iter()
            .map(|(group, counts)| ComplaintStatisticsLine { group, counts: Some(counts) })
            .collect();
        Ok(Response::new(api::GetComplaintStatisticsResponse { lines }))
    }
}

#[cfg(test)]
mod tests;
