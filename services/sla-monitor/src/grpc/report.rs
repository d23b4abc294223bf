//! The gRPC service of reports.

use std::collections::BTreeMap;

use chassis::{
    Call, Desk, Fields, Host, Refusal,
    days::{Days, day, days},
    desk::platform_filter,
    errors,
};
use contracts::sla::{
    self as api, AvailabilityLine, Clock as Row, ComplianceFigures, ComplianceLine, Grouping,
    Report,
    report_service_server::{ReportService, ReportServiceServer},
};
use eventlog::{Listing, Log};
use tonic::{Request, Response, Status};

use super::CONTEXT;
use crate::{
    clock_row, compliance, csv,
    ledger::{self, add, hold},
    rules::{RuleBook, all},
    timeline::Timeline,
};

/// Most clocks of one table.
const MOST_CLOCKS: usize = 50_000;

/// Reports as platforms, operators and auditors reach them.
#[derive(Clone)]
pub struct Reports {
    desk: Desk,
    book: RuleBook,
}

/// The service, ready to be served.
#[must_use]
pub fn service(log: Log, book: RuleBook, host: &Host) -> ReportServiceServer<Reports> {
    let desk = Desk::new(log, host.clock.clone(), CONTEXT);
    ReportServiceServer::new(Reports { desk, book })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

/// What every report is limited to.
struct Span {
    days: Days,
    profile: Option<String>,
    platform: Option<String>,
}

fn span(
    fields: &mut Fields,
    call: &Call,
    from: &str,
    to: &str,
    profile: &str,
    platform: &str,
) -> Option<Span> {
    let days = days(fields, from, to);
    let profile = fields.optional_identifier("profile", profile);
    let platform = platform_filter(fields, call, platform);
    Some(Span { days: days?, profile, platform })
}

impl Reports {
    async fn compliance(
        &self,
        span: &Span,
        groups: &[Grouping],
    ) -> Result<Vec<ComplianceLine>, Status> {
        let listing = compliance::by_day(&span.days.from.to_string(), &span.days.to.to_string());
        let figures: Vec<ComplianceFigures> =
            all(self.desk.log(), listing).await.map_err(errors::log)?;
        let wanted =
            |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let mut lines: BTreeMap<Vec<String>, ComplianceLine> = BTreeMap::new();
        for row in figures {
            if !wanted(&span.profile, &row.profile) || !wanted(&span.platform, &row.platform) {
                continue;
            }
            let group: Vec<String> = groups.iter().map(|by| value(&row, *by)).collect();
            let line = lines
                .entry(group.clone())
                .or_insert(ComplianceLine { group, ..Default::default() });
            merge(line, &row.figures.unwrap_or_default());
        }
        Ok(lines.into_values().collect())
    }

    async fn availability(&self, span: &Span) -> Result<Vec<AvailabilityLine>, Status> {
        let rules = self.book.rules();
        let (from, to) = span.days.moments();
        let to = to.min(self.desk.now());
        let outages = clock_row::outages(span.platform.as_deref(), span.profile.as_deref());
        let mut lines: BTreeMap<(String, String, Vec<String>), AvailabilityLine> = BTreeMap::new();
        for row in self.clocks(outages).await? {
            let Some(plan) = rules.plan(&row.profile, row.profile_version, &row.clock) else {
                continue;
            };
            let beyond = |error: crate::calendar::OutOfRange| {
                super::clock::refusal(error.into()).status(CONTEXT)
            };
            let timeline = Timeline::lay(&row.facts, &plan).map_err(beyond)?;
            let subject: Vec<String> = row.subject.iter().map(|part| part.value.clone()).collect();
            let promised = plan.calendar.working(from, to).map_err(beyond)?;
            let line = lines
                .entry((row.profile.clone(), row.clock.clone(), subject))
                .or_insert_with(|| AvailabilityLine {
                    profile: row.profile.clone(),
                    clock: row.clock.clone(),
                    subject: row.subject.clone(),
                    platform: row.platform.clone(),
                    promised: Some(ledger::duration(promised)),
                    wanted: plan.policy.availability,
                    ..AvailabilityLine::default()
                });
            for cycle in &timeline.cycles {
                for stretch in cycle.stretches.iter().filter(|stretch| stretch.counts()) {
                    let (begun, ended) = (stretch.from.max(from), stretch.to.unwrap_or(to).min(to));
                    add(&mut line.away, plan.calendar.working(begun, ended).map_err(beyond)?);
                }
            }
        }
        Ok(lines
            .into_values()
            .map(|line| AvailabilityLine { availability: share(&line), ..line })
            .collect())
    }

    /// The clocks of one table.
    async fn clocks(&self, listing: Listing) -> Result<Vec<Row>, Status> {
        let mut listing = listing.limit(500);
        let mut rows = Vec::new();
        loop {
            let (page, next) = self.desk.page::<Row>(listing.clone()).await?;
            rows.extend(page);
            if rows.len() > MOST_CLOCKS {
                let text =
                    format!("more than {MOST_CLOCKS} clocks; ask for fewer days, or one profile");
                return Err(Refusal::not_now("REPORT_TOO_LARGE", text).status(CONTEXT));
            }
            if next.is_empty() {
                return Ok(rows);
            }
            listing.page_token = next;
        }
    }
}

fn value(row: &ComplianceFigures, by: Grouping) -> String {
    match by {
        Grouping::Unspecified => String::new(),
        Grouping::Profile => row.profile.clone(),
        Grouping::Clock => format!("{}/{}", row.profile, row.clock),
        Grouping::Platform => row.platform.clone(),
        Grouping::Party => ledger::word(row.party()).to_owned(),
        Grouping::Month => row.day.get(..7).unwrap_or_default().to_owned(),
        Grouping::Day => row.day.clone(),
    }
}

fn merge(line: &mut ComplianceLine, more: &ComplianceLine) {
    line.met += more.met;
    line.breached += more.breached;
    line.contractual_breached += more.contractual_breached;
    line.cancelled += more.cancelled;
    line.withdrawn += more.withdrawn;
    let time = |span: &Option<prost_types::Duration>| {
        span.as_ref().map(ledger::from_duration).unwrap_or_default()
    };
    add(&mut line.overrun, time(&more.overrun));
    add(&mut line.paused, time(&more.paused));
    for held in &more.held {
        hold(&mut line.held, held.party, time(&held.time));
    }
}

/// In hundredths of a percent, rounded down: 99.999 % is not 100 %.
fn share(line: &AvailabilityLine) -> u32 {
    let nanos = |span: &Option<prost_types::Duration>| {
        span.as_ref().map_or(0, |span| ledger::from_duration(span).as_nanos())
    };
    let (promised, away) = (nanos(&line.promised), nanos(&line.away));
    if promised <= 0 {
        return 10_000;
    }
    u32::try_from((promised - away).max(0) * 10_000 / promised).unwrap_or(10_000)
}

#[tonic::async_trait]
impl ReportService for Reports {
    async fn get_compliance(
        &self,
        request: Request<api::GetComplianceRequest>,
    ) -> Result<Response<api::GetComplianceResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let span = span(
            &mut fields,
            &call,
            &message.from,
            &message.to,
            &message.profile,
            &message.platform,
        );
        let groups = groups(&mut fields, &message.group_by);
        let span = fields.finish_some(span)?;
        let lines = self.compliance(&span, &groups).await?;
        Ok(Response::new(api::GetComplianceResponse { lines }))
    }

    async fn get_availability(
        &self,
        request: Request<api::GetAvailabilityRequest>,
    ) -> Result<Response<api::GetAvailabilityResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let span = span(
            &mut fields,
            &call,
            &message.from,
            &message.to,
            &message.profile,
            &message.platform,
        );
        let span = fields.finish_some(span)?;
        let lines = self.availability(&span).await?;
        Ok(Response::new(api::GetAvailabilityResponse { lines }))
    }

    async fn export_report(
        &self,
        request: Request<api::ExportReportRequest>,
    ) -> Result<Response<api::ExportReportResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let report: Report = fields.choice("report", message.report);
        let today = day(self.desk.now());
        let (from, to) = match report == Report::OpenClocks {
            true => (today.as_str(), today.as_str()),
            false => (message.from.as_str(), message.to.as_str()),
        };
        let span = span(&mut fields, &call, from, to, &message.profile, &message.platform);
        let groups = groups(&mut fields, &message.group_by);
        let span = fields.finish_some(span)?;
        let (platform, profile) = (span.platform.as_deref(), span.profile.as_deref());
        let csv = match report {
            Report::Unspecified => String::new(),
            Report::Compliance => csv::compliance(&self.compliance(&span, &groups).await?, &groups),
            Report::OpenClocks => {
                csv::clocks(&self.clocks(clock_row::by_due(Some(false), platform, profile)).await?)
            }
            Report::Breaches => {
                let (from, to) = span.days.moments();
                let breached = clock_row::breached_between(from, to, platform, profile);
                csv::breaches(&self.clocks(breached).await?)
            }
            Report::Availability => csv::availability(&self.availability(&span).await?),
        };
        Ok(Response::new(api::ExportReportResponse { csv }))
    }
}

fn groups(fields: &mut Fields, given: &[i32]) -> Vec<Grouping> {
    fields.repeated("group_by", given, 0..=6, |fields, by| fields.choice("", *by))
}

#[cfg(test)]
mod tests;
