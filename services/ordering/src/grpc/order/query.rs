//! What can be asked about orders. One key drives each listing, the other filters look at the rows.

use chassis::{
    Call, Fields, Owned,
    desk::{platform, platform_filter},
    errors,
    reading::filter,
};
use contracts::ordering::{
    GetOrderRequest, GetOrderResponse, GetOrderTimelineRequest, GetOrderTimelineResponse,
    ListOrdersRequest, ListOrdersResponse, ListParcelsRequest, ListParcelsResponse,
    Order as OrderRow, OrderException, OrderPhase, Parcel, ShipmentPhase, TimelineEntry, Urgency,
};
use eventlog::{Listing, Recorded, stream_name, time::from_proto};
use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::{Orders, order_id};
use crate::{
    grpc::personal::order_for,
    order::Order,
    order_row::{self, Milestone, OPEN},
};

/// Rows on a page when the caller names no number, and the most there are.
const USUAL_PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 500;
/// Reads for one page; where filters leave little, the page is short and its token goes on.
const MOST_READS: usize = 40;

/// A half-open range of moments.
type Span = (Option<Timestamp>, Option<Timestamp>);

impl Orders {
    pub(super) async fn get(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut fields = Fields::new();
        let id = if request.order_id.is_empty() {
            let platform = platform(&mut fields, &call, &request.platform);
            let number = fields.text("platform_order_no", &request.platform_order_no, 1..=64);
            order_id(&platform, &number)
        } else {
            fields.uuid("order_id", &request.order_id)
        };
        let id = fields.finish(id)?.to_string();
        let order = self.desk.get::<Order>(&call, &id).await?;
        let order = order_for(&self.personal, &call.caller, &order).await?;
        Ok(Response::new(GetOrderResponse { order: Some(order) }))
    }

    pub(super) async fn timeline(
        &self,
        request: Request<GetOrderTimelineRequest>,
    ) -> Result<Response<GetOrderTimelineResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let mut fields = Fields::new();
        let id = fields.uuid("order_id", &request.get_ref().order_id);
        let id = fields.finish(id)?.to_string();
        self.desk.get::<Order>(&call, &id).await?;
        let history = self.desk.log().history(&stream_name(Order::KIND, &id)).await;
        let entries = history
            .map_err(errors::log)?
            .into_iter()
            .map(|event| TimelineEntry {
                version: event.version,
                json: contracts::json(&event.r#type, &event.body)
                    .map_or_else(String::new, |json| json.to_string()),
                r#type: event.r#type,
                actor: event.metadata.unwrap_or_default().actor,
                recorded_at: event.recorded_at,
                position: event.position,
            })
            .collect();
        Ok(Response::new(GetOrderTimelineResponse { entries }))
    }

    pub(super) async fn list(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let mut fields = Fields::new();
        let wanted = Wanted::parse(&mut fields, &call, &request);
        let size = page_size(&mut fields, request.page_size);
        let wanted = fields.finish(wanted)?;
        let (rows, next_page_token) = self
            .page(wanted.listings(), size, &request.page_token, |order| wanted.fits(order))
            .await?;
        let mut orders = Vec::with_capacity(rows.len());
        for row in rows {
            orders.push(order_for(&self.personal, &call.caller, &row).await?);
        }
        Ok(Response::new(ListOrdersResponse { orders, next_page_token }))
    }

    pub(super) async fn parcels(
        &self,
        request: Request<ListParcelsRequest>,
    ) -> Result<Response<ListParcelsResponse>, Status> {
        let call = Call::of(&request)?.clone();
        let request = request.into_inner();
        let now = self.desk.now();
        let mut fields = Fields::new();
        let platform = platform_filter(&mut fields, &call, &request.platform);
        let waybill_no = fields.text("waybill_no", &request.waybill_no, 0..=64);
        let size = page_size(&mut fields, request.page_size);
        fields.finish(())?;
        let listing = match &platform {
            _ if !waybill_no.is_empty() => order_row::with_waybill(&waybill_no),
            _ if request.stalled_only => {
                order_row::with_exception(OrderException::ParcelStalled, None, None)
            }
            Some(platform) => order_row::parcels_of(platform, None, None),
            None => order_row::parcels_in_transit(),
        };
        let fits = |order: &OrderRow| platform.as_ref().is_none_or(|own| *own == order.platform);
        let (orders, next_page_token) =
            self.page(vec![listing], size, &request.page_token, fits).await?;
        let parcels = orders
            .into_iter()
            .flat_map(|order| parcels_of(order, now, &waybill_no, request.stalled_only))
            .collect();
        Ok(Response::new(ListParcelsResponse { parcels, next_page_token }))
    }

    /// A page of the rows that fit, from listings one after the other. The token says which listing
    /// goes on, and where.
    async fn page(
        &self,
        listings: Vec<Listing>,
        size: usize,
        token: &str,
        fits: impl Fn(&OrderRow) -> bool,
    ) -> Result<(Vec<OrderRow>, String), Status> {
        let (mut index, mut inner) = match token.split_once('.') {
            None if token.is_empty() => (0, String::new()),
            Some((index, inner)) if index.parse().is_ok_and(|at: usize| at < listings.len()) => {
                (index.parse().unwrap_or_default(), inner.to_owned())
            }
            _ => return Err(errors::log(eventlog::LogError::PageToken)),
        };
        let mut found = Vec::with_capacity(size);
        for _ in 0..MOST_READS {
            let Some(listing) = listings.get(index) else { return Ok((found, String::new())) };
            let listing = listing.clone().limit(size - found.len()).page(inner);
            let (rows, next) = self.desk.page::<OrderRow>(listing).await?;
            found.extend(rows.into_iter().filter(&fits));
            if next.is_empty() {
                index += 1;
            }
            inner = next;
            if found.len() >= size {
                break;
            }
        }
        let more = index < listings.len();
        Ok((found, if more { format!("{index}.{inner}") } else { String::new() }))
    }
}

/// What a caller wants listed.
struct Wanted {
    platform: Option<String>,
    phase: Option<OrderPhase>,
    exception: Option<OrderException>,
    urgency: Option<Urgency>,
    buyer_id: Option<String>,
    placed: Span,
    due: Span,
    descending: bool,
}

impl Wanted {
    fn parse(fields: &mut Fields, call: &Call, request: &ListOrdersRequest) -> Self {
        let platform = platform_filter(fields, call, &request.platform);
        let buyer_id = fields.text("buyer_id", &request.buyer_id, 0..=64);
        if !buyer_id.is_empty() && platform.is_none() {
            fields.refuse("platform", "is needed with buyer_id");
        }
        Self {
            platform,
            phase: filter(fields, "phase", request.phase),
            exception: filter(fields, "exception", request.exception),
            urgency: filter(fields, "urgency", request.urgency),
            buyer_id: Some(buyer_id).filter(|buyer_id| !buyer_id.is_empty()),
            placed: (
                fields.optional_timestamp("placed_from", &request.placed_from),
                fields.optional_timestamp("placed_until", &request.placed_until),
            ),
            due: (
                fields.optional_timestamp("deliver_from", &request.deliver_from),
                fields.optional_timestamp("deliver_until", &request.deliver_until),
            ),
            descending: request.descending,
        }
    }

    /// The narrowest listings that hold everything wanted.
    fn listings(&self) -> Vec<Listing> {
        let (placed_from, placed_until) = self.placed;
        let (due_from, due_until) = self.due;
        let in_each = |phases: &[OrderPhase]| {
            phases.iter().map(|phase| order_row::in_phase(*phase, due_from, due_until)).collect()
        };
        let urgent = self.urgency.filter(|urgency| {
            let open = self.phase.is_none_or(|phase| OPEN.contains(&phase));
            open && order_row::is_urgent(*urgency)
        });
        let listings = match (self.exception, urgent, self.phase) {
            (Some(exception), _, _) => {
                vec![order_row::with_exception(exception, due_from, due_until)]
            }
            (None, Some(urgency), _) => {
                vec![order_row::with_urgency(urgency, due_from, due_until)]
            }
            (None, None, Some(phase)) => in_each(&[phase]),
            (None, None, None) if self.urgency.is_some() => in_each(&OPEN),
            (None, None, None) => match (&self.platform, &self.buyer_id) {
                (Some(platform), Some(buyer_id)) => {
                    vec![order_row::of_buyer(platform, buyer_id, placed_from, placed_until)]
                }
                _ if due_from.is_some() || due_until.is_some() => in_each(&PHASES),
                (Some(platform), None) => {
                    let new = Milestone::New;
                    vec![order_row::at_milestone(platform, new, placed_from, placed_until)]
                }
                (None, _) => vec![order_row::all()],
            },
        };
        if self.descending {
            listings.into_iter().map(Listing::descending).collect()
        } else {
            listings
        }
    }

    fn fits(&self, order: &OrderRow) -> bool {
        let buyer_id = order.buyer.as_ref().map(|buyer| buyer.buyer_id.as_str());
        self.platform.as_deref().is_none_or(|platform| platform == Order::row_owner(order))
            && self.phase.is_none_or(|phase| phase == order.phase())
            && self.exception.is_none_or(|wanted| order.exceptions().any(|one| one == wanted))
            && self.urgency.is_none_or(|wanted| {
                let named = self.phase.is_some() || OPEN.contains(&order.phase());
                named && wanted == order.urgency()
            })
            && self.buyer_id.as_deref().is_none_or(|wanted| buyer_id == Some(wanted))
            && within(self.placed, order.placed_at.as_ref())
            && within(self.due, order.deliver_by.as_ref())
    }
}

/// Phases in the order of an order's life.
const PHASES: [OrderPhase; 11] = [
    OrderPhase::Reserved,
    OrderPhase::Placed,
    OrderPhase::Confirmed,
    OrderPhase::InDelivery,
    OrderPhase::Fulfilled,
    OrderPhase::Settled,
    OrderPhase::Refused,
    OrderPhase::Cancelled,
    OrderPhase::Declined,
    OrderPhase::Released,
    OrderPhase::Expired,
];

fn within((from, until): Span, at: Option<&prost_types::Timestamp>) -> bool {
    let at = at.and_then(from_proto).unwrap_or_default();
    from.is_none_or(|from| at >= from) && until.is_none_or(|until| at < until)
}

/// The parcels of an order that are on their way in the monitoring window (ORD-20).
fn parcels_of(
    order: OrderRow,
    now: Timestamp,
    waybill_no: &str,
    stalled_only: bool,
) -> impl Iterator<Item = Parcel> {
    let OrderRow { order_id, platform, platform_order_no, deliver_by, shipments, .. } = order;
    shipments
        .into_iter()
        .filter(move |shipment| {
            let until = shipment.monitored_until.as_ref().and_then(from_proto);
            let monitored = shipment.phase() == ShipmentPhase::InTransit
                && until.is_some_and(|until| now <= until);
            let asked_for = shipment.waybill_no == waybill_no;
            (asked_for || waybill_no.is_empty() && monitored)
                && (!stalled_only || shipment.stalled_at.is_some())
        })
        .map(move |shipment| Parcel {
            order_id: order_id.clone(),
            platform: platform.clone(),
            platform_order_no: platform_order_no.clone(),
            shipment: Some(shipment),
            deliver_by,
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn page_size(fields: &mut Fields, size: u32) -> usize {
    let size = fields.number("page_size", size, 0..=LARGEST_PAGE);
    usize::try_from(if size == 0 { USUAL_PAGE } else { size }).unwrap_or(1)
}
