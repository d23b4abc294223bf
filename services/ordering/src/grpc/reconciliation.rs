//! The gRPC service of reconciliation and daily figures: parse → gather our side → decide → reply.

use std::{collections::BTreeSet, sync::Arc};

use chassis::{
    Call, Desk, Fields, Host, Owned, Refusal,
    desk::{platform, platform_filter},
    parse::LARGEST_AMOUNT,
    reading::{NAME, TEXT, page, when},
};
use contracts::ordering::{
    self as api, CarrierRecord as CarrierRow, Order, Reconciliation as Row,
    ReconciliationList as List,
    reconciliation_service_server::{ReconciliationService, ReconciliationServiceServer},
};
use eventlog::{Log, Projection as _, Recorded as _};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{civil::Date, tz::TimeZone};
use tonic::{Request, Response, Status};

use super::{CONTEXT, amount::amount_in, order::order_id};
use crate::{
    Config,
    carrier_record::CarrierRecord,
    daily_figures, order as orders,
    reconciliation::{
        Day, Ours, Reconciliation, Rejection, Subject, Theirs, compare, listing, our_list,
    },
};

/// Entries of one list.
const MOST_ENTRIES: usize = 20_000;
/// Orders read at once.
const ORDERS_AT_ONCE: usize = 16;
/// Orders of ours on one page.
const ORDERS_PER_PAGE: usize = 1_000;
/// Rows of reconciliations on one page: each may be large.
const RECONCILIATIONS_PER_PAGE: usize = 50;
/// Days of figures in one reply.
const MOST_DAYS: i32 = 366;

/// Reconciliations and figures as platforms, operators and finance reach them.
#[derive(Clone)]
pub struct Reconciliations {
    desk: Desk,
    zone: TimeZone,
}

/// The service, ready to be served.
#[must_use]
pub fn service(
    log: Log,
    config: Arc<Config>,
    host: &Host,
) -> ReconciliationServiceServer<Reconciliations> {
    let desk = Desk::new(log, host.clock.clone(), CONTEXT);
    // the zone was checked when the configuration was read
    let zone = TimeZone::get(&config.time_zone).unwrap_or(TimeZone::UTC);
    ReconciliationServiceServer::new(Reconciliations { desk, zone })
        .max_decoding_message_size(host.settings.server.max_message_bytes)
}

impl Owned for Reconciliation {
    type Rejection = Rejection;

    const NOT_FOUND: Rejection = Rejection::NotFound;

    fn owner(&self) -> Option<&str> {
        self.platform()
    }

    fn row_owner(row: &Row) -> &str {
        &row.platform
    }

    fn refusal(rejection: Rejection) -> Refusal {
        let text = rejection.to_string();
        match rejection {
            Rejection::NotFound => Refusal::not_found("UNKNOWN_RECONCILIATION", text),
            Rejection::DifferenceNotFound => Refusal::not_found("UNKNOWN_DIFFERENCE", text),
            Rejection::MixedCurrencies { side } => {
                Refusal::not_now("MIXED_CURRENCIES", text).with("side", side)
            }
            Rejection::Overflow { side } => Refusal::not_now("OVERFLOW", text).with("side", side),
            Rejection::TooManyDifferences => Refusal::not_now("TOO_MANY_DIFFERENCES", text),
            Rejection::Differs(differs) => {
                Refusal::exists("DIFFERENT_CONTENT", text).with("field", differs.field)
            }
        }
    }
}

#[tonic::async_trait]
impl ReconciliationService for Reconciliations {
    async fn reconcile_orders(
        &self,
        request: Request<api::ReconcileOrdersRequest>,
    ) -> Result<Response<api::ReconcileOrdersResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("reconciliation_id", &message.reconciliation_id);
        let platform = named_platform(&mut fields, &call, &message.platform);
        let date = date(&mut fields, "day", &message.day);
        let list: List = fields.choice("list", message.list);
        let theirs = fields.repeated("entries", &message.entries, 0..=MOST_ENTRIES, entry);
        let when = when(&mut fields, &message.at, now);
        let (date, day) =
            fields.finish_some(date.and_then(|date| Some((date, Day::of(date, &self.zone)?))))?;
        let ours = self.ours(&platform, list, day, &theirs).await?;
        let comparison = compare(&ours, &theirs)
            .map_err(|rejection| Reconciliation::refusal(rejection).status(CONTEXT))?;
        let subject = Subject::new(&id, &platform, date, list, &theirs);
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |it: &Reconciliation| it.make(&subject, &comparison, when))
            .await?;
        Ok(Response::new(api::ReconcileOrdersResponse {
            reconciliation: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn resolve_difference(
        &self,
        request: Request<api::ResolveDifferenceRequest>,
    ) -> Result<Response<api::ResolveDifferenceResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let now = self.desk.now();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let id = fields.identifier("reconciliation_id", &message.reconciliation_id);
        let number = fields.number("difference_no", message.difference_no, 1..=u32::MAX);
        let resolution = fields.multiline("resolution", &message.resolution, TEXT);
        let when = when(&mut fields, &message.at, now);
        fields.finish(())?;
        let (row, repeated) = self
            .desk
            .command(&call, &id, now, |it: &Reconciliation| {
                it.resolve(number, &resolution, &call.caller.name, when)
            })
            .await?;
        Ok(Response::new(api::ResolveDifferenceResponse {
            reconciliation: Some(Arc::unwrap_or_clone(row)),
            repeated,
        }))
    }

    async fn get_reconciliation(
        &self,
        request: Request<api::GetReconciliationRequest>,
    ) -> Result<Response<api::GetReconciliationResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.identifier("reconciliation_id", &request.into_inner().reconciliation_id);
        let id = fields.finish(id)?;
        let row = self.desk.get::<Reconciliation>(&call, &id).await?;
        Ok(Response::new(api::GetReconciliationResponse { reconciliation: Some(row) }))
    }

    async fn list_reconciliations(
        &self,
        request: Request<api::ListReconciliationsRequest>,
    ) -> Result<Response<api::ListReconciliationsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &message.platform);
        let listing = listing(platform.as_deref(), message.open_only);
        let mut listing = page(&mut fields, listing, message.page_size, &message.page_token);
        listing.limit = listing.limit.min(RECONCILIATIONS_PER_PAGE);
        let listing = fields.finish(listing)?;
        let (mut reconciliations, next_page_token) = self.desk.page::<Row>(listing).await?;
        // thousands in each would not fit into one reply; they are read one by one
        for row in &mut reconciliations {
            row.differences.clear();
        }
        Ok(Response::new(api::ListReconciliationsResponse { reconciliations, next_page_token }))
    }

    async fn get_daily_figures(
        &self,
        request: Request<api::GetDailyFiguresRequest>,
    ) -> Result<Response<api::GetDailyFiguresResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let message = request.into_inner();
        let mut fields = Fields::new();
        let platform = named_platform(&mut fields, &call, &message.platform);
        let from = date(&mut fields, "from_day", &message.from_day);
        let until = date(&mut fields, "until_day", &message.until_day);
        if let (Some(from), Some(until)) = (from, until) {
            let days = (until - from).get_days();
            if !(0..MOST_DAYS).contains(&days) {
                fields.refuse("until_day", format!("is not within {MOST_DAYS} days of from_day"));
            }
        }
        let (from, until) = fields.finish_some(from.zip(until))?;
        let listing =
            daily_figures::listing(&platform, &from.to_string(), &until.to_string()).limit(1_000);
        let (days, _) = self.desk.page(listing).await?;
        Ok(Response::new(api::GetDailyFiguresResponse { days }))
    }

    async fn get_carrier_record(
        &self,
        request: Request<api::GetCarrierRecordRequest>,
    ) -> Result<Response<api::GetCarrierRecordResponse>, Status> {
        let mut fields = Fields::new();
        let carrier = fields.text("carrier", &request.into_inner().carrier, NAME);
        let carrier = fields.finish(carrier)?;
        let row: Option<CarrierRow> = self.desk.row(CarrierRecord::NAME, &carrier).await?;
        let record = row.ok_or_else(|| {
            Refusal::not_found("UNKNOWN_CARRIER", "this carrier has carried nothing for us")
                .status(CONTEXT)
        })?;
        Ok(Response::new(api::GetCarrierRecordResponse { record: Some(record) }))
    }
}

impl Reconciliations {
    /// Our list of the day, and of the orders on their list those that we know.
    async fn ours(
        &self,
        platform: &str,
        list: List,
        day: Day,
        theirs: &[Theirs],
    ) -> Result<Vec<Ours>, Status> {
        let mut ours = Vec::new();
        let mut next = our_list(platform, list, day).map(|listing| listing.limit(ORDERS_PER_PAGE));
        while let Some(mut listing) = next.take() {
            let page: (Vec<Order>, String) = self.desk.page(listing.clone()).await?;
            ours.extend(page.0.iter().map(|order| Ours::of(order, list, day)));
            if !page.1.is_empty() {
                listing.page_token = page.1;
                next = Some(listing);
            }
        }
        let known: BTreeSet<&str> =
            ours.iter().map(|order| order.platform_order_no.as_str()).collect();
        let others: BTreeSet<&str> = theirs
            .iter()
            .map(|entry| entry.platform_order_no.as_str())
            .filter(|number| !known.contains(number))
            .collect();
        let others: Vec<String> =
            others.into_iter().map(|number| order_id(platform, number).to_string()).collect();
        let looked_up: Vec<Option<Order>> = stream::iter(others)
            .map(|id| async move { self.desk.row::<Order>(orders::Order::KIND, &id).await })
            .buffered(ORDERS_AT_ONCE)
            .try_collect()
            .await?;
        ours.extend(looked_up.iter().flatten().map(|order| Ours::of(order, list, day)));
        Ok(ours)
    }
}

fn entry(fields: &mut Fields, given: &api::ReconciliationEntry) -> Theirs {
    Theirs {
        platform_order_no: fields.text("platform_order_no", &given.platform_order_no, 1..=64),
        amount: amount_in(fields, "amount", &given.amount, 0..=LARGEST_AMOUNT),
    }
}

/// The caller's own platform, or the one that it names.
fn named_platform(fields: &mut Fields, call: &Call, given: &str) -> String {
    let platform = platform(fields, call, given);
    if platform.is_empty() && given.is_empty() {
        fields.refuse("platform", "is missing");
    }
    platform
}

/// A day as `YYYY-MM-DD`, between the years 2000 and 2100.
fn date(fields: &mut Fields, field: &str, given: &str) -> Option<Date> {
    let date = given.parse::<Date>().ok().filter(|date| {
        given.len() == 10 && date.to_string() == given && (2000..2100).contains(&date.year())
    });
    if date.is_none() {
        fields.refuse(field, "is no day of the form YYYY-MM-DD between the years 2000 and 2100");
    }
    date
}

#[cfg(test)]
mod tests;
