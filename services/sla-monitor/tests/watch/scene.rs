//! A profile and the events that it goes by.

use contracts::{
    ordering::{
        ForceMajeureDeclared, ForceMajeureLifted, OrderCancelled, OrderConfirmed, OrderPlaced,
        OrderTerms, SubstitutionProposed, SubstitutionRefused, order_event,
    },
    sla::{ClockRef, PeriodEnded, Profile, clock_event},
};
use eventlog::time::to_proto;
use jiff::Timestamp;
use sla_monitor::{first, hear::clock_id};

/// `respond` goes by orders alone; `settle` is stopped by an event of another service.
pub(crate) fn profile() -> Profile {
    first::parse(
        r#"{
        "name": "test", "title": "Test",
        "clocks": [
            {
                "name": "respond", "title": "Answer", "kind": "CLOCK_KIND_PROMISE",
                "subject": ["order_id"],
                "start": [{ "event": "emall.ordering.v1.OrderPlaced",
                            "subject": ["terms.order_id"], "at": "terms.placed_at" }],
                "pause": [{ "event": "emall.ordering.v1.SubstitutionProposed", "at": "proposed_at",
                            "holder": "PARTY_USER", "reason": "the user decides" }],
                "resume": [{ "event": "emall.ordering.v1.SubstitutionRefused", "at": "refused_at" }],
                "stop": [{ "event": "emall.ordering.v1.OrderConfirmed", "at": "confirmed_at" }],
                "cancel": [{ "event": "emall.ordering.v1.OrderCancelled", "at": "cancelled_at" }],
                "exempt": [{ "event": "emall.ordering.v1.ForceMajeureDeclared", "at": "since" }],
                "exemptEnd": [{ "event": "emall.ordering.v1.ForceMajeureLifted", "at": "until" }],
                "committed": { "span": { "amount": 2, "unit": "SPAN_UNIT_HOURS" } },
                "contractual": { "span": { "amount": 4, "unit": "SPAN_UNIT_HOURS" } },
                "calendar": "24x7",
                "warnings": [{ "percent": 50 }],
                "escalation": [{ "to": "head", "after": { "amount": 1, "unit": "SPAN_UNIT_HOURS" } }],
                "consequences": [{ "kind": "CONSEQUENCE_KIND_COSTS_BORNE" }]
            },
            {
                "name": "settle", "title": "Settle", "kind": "CLOCK_KIND_PROMISE",
                "subject": ["order_id"],
                "start": [{ "event": "emall.ordering.v1.OrderPlaced",
                            "subject": ["terms.order_id"], "at": "terms.placed_at" }],
                "stop": [{ "event": "emall.sla.v1.PeriodEnded",
                           "subject": ["clock.clock_id"], "at": "ended_at" }],
                "committed": { "span": { "amount": 3, "unit": "SPAN_UNIT_HOURS" } },
                "calendar": "24x7"
            }
        ] }"#,
    )
    .unwrap()
}

/// The same without the clock that another service stops.
pub(crate) fn one_source() -> Profile {
    let mut profile = profile();
    profile.clocks.truncate(1);
    profile
}

/// The clock of an order.
pub(crate) fn clock(name: &str, order: &str) -> String {
    clock_id("test", name, &[order.to_owned()], "")
}

pub(crate) fn placed(order: &str, at: Timestamp) -> order_event::Event {
    let terms = OrderTerms {
        order_id: order.into(),
        platform: "mall".into(),
        placed_at: Some(to_proto(at)),
        ..OrderTerms::default()
    };
    OrderPlaced { terms: Some(terms), ..OrderPlaced::default() }.into()
}

/// What else can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Confirmed,
    Cancelled,
    Proposed,
    Refused,
    Hindered,
    Unhindered,
}

impl Then {
    pub(crate) const ALL: [Self; 6] = [
        Self::Confirmed,
        Self::Cancelled,
        Self::Proposed,
        Self::Refused,
        Self::Hindered,
        Self::Unhindered,
    ];

    pub(crate) fn event(self, order: &str, at: Timestamp) -> order_event::Event {
        let (order_id, platform, at) = (order.to_owned(), "mall".to_owned(), Some(to_proto(at)));
        match self {
            Self::Confirmed => {
                OrderConfirmed { order_id, platform, confirmed_at: at, ..Default::default() }.into()
            }
            Self::Cancelled => {
                OrderCancelled { order_id, platform, cancelled_at: at, ..Default::default() }.into()
            }
            Self::Proposed => {
                SubstitutionProposed { order_id, platform, proposed_at: at, ..Default::default() }
                    .into()
            }
            Self::Refused => {
                SubstitutionRefused { order_id, platform, refused_at: at, ..Default::default() }
                    .into()
            }
            Self::Hindered => {
                ForceMajeureDeclared { order_id, platform, since: at, ..Default::default() }.into()
            }
            Self::Unhindered => {
                ForceMajeureLifted { order_id, platform, until: at, ..Default::default() }.into()
            }
        }
    }
}

/// The event of the other service.
pub(crate) fn settled(order: &str, at: Timestamp) -> clock_event::Event {
    let clock = ClockRef { clock_id: order.into(), platform: "mall".into(), ..ClockRef::default() };
    PeriodEnded { clock: Some(clock), ended_at: Some(to_proto(at)) }.into()
}
