use std::collections::BTreeMap;

use contracts::ordering::{
    DamageReported, FreightDeducted, OrderConfirmed, ParcelStalled, ShipmentArrived,
    ShipmentDispatched, UserCompensated,
};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::Timestamp;

use super::*;

fn moment(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

fn yuan(minor_units: i64) -> Option<Money> {
    Some(Money { minor_units, currency: "CNY".into() })
}

fn recorded<E: contracts::Event>(stream: &str, event: E) -> RecordedEvent {
    RecordedEvent {
        position: 1,
        stream: stream.into(),
        version: 1,
        r#type: event.type_name().into(),
        body: event.encode_body().into(),
        ..RecordedEvent::default()
    }
}

fn order(event: impl Into<OrderEvent>) -> RecordedEvent {
    recorded("order.o-1", event.into())
}

fn claim(event: impl Into<ClaimEvent>) -> RecordedEvent {
    recorded("damage_claim.c-1", event.into())
}

fn dispatched(carrier: &str, minor: i64) -> RecordedEvent {
    order(ShipmentDispatched {
        carrier: carrier.into(),
        carrier_freight: yuan(minor),
        ..Default::default()
    })
}

fn arrived(carrier: &str, at: i64, by: i64) -> RecordedEvent {
    order(ShipmentArrived {
        carrier: carrier.into(),
        arrived_at: moment(at),
        deliver_by: moment(by),
        ..Default::default()
    })
}

fn fold(events: &[RecordedEvent]) -> BTreeMap<String, Row> {
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for event in events {
        if let Some((id, fact)) = CarrierRecord::facts(event) {
            CarrierRecord::apply(rows.entry(id).or_default(), fact);
        }
    }
    rows
}

#[test]
fn each_deed_is_counted() {
    let rows = fold(&[
        dispatched("顺丰", 1_200),
        dispatched("顺丰", 800),
        dispatched("德邦", 5),
        arrived("顺丰", 10, 10),
        arrived("顺丰", 11, 10),
        order(ParcelStalled { carrier: "顺丰".into(), ..Default::default() }),
        claim(DamageReported { carrier: "顺丰".into(), ..Default::default() }),
        claim(FreightDeducted {
            carrier: "顺丰".into(), amount: yuan(300), ..Default::default()
        }),
    ]);
    assert_eq!(rows.len(), 2);
    let expected = Row {
        carrier: "顺丰".into(),
        shipments: 2,
        on_time: 1,
        late: 1,
        stalled: 1,
        damage_claims: 1,
        freight: yuan(2_000),
        deducted: yuan(300),
    };
    assert_eq!(rows["顺丰"], expected);
}

#[test]
fn what_is_no_deed_of_a_carrier_goes_nowhere() {
    let mut damaged = dispatched("顺丰", 1);
    damaged.body = vec![0xff].into();
    for event in [
        order(OrderConfirmed::default()),
        claim(UserCompensated::default()),
        dispatched("", 1),
        order(ShipmentArrived { carrier: "顺丰".into(), ..Default::default() }),
        damaged,
    ] {
        assert!(CarrierRecord::facts(&event).is_none(), "{event:?}");
    }
}

proptest! {
    /// Rows folded event by event equal records counted straight from the list of facts, and come
    /// out the same, byte for byte, each time.
    #[test]
    fn folding_equals_counting(
        facts in prop::collection::vec((0_u8..3, 0_u8..2, any::<i32>(), -2_i64..3), 0..80),
    ) {
        let carriers = ["顺丰", "德邦"];
        let events: Vec<_> = facts
            .iter()
            .map(|&(what, carrier, minor, lateness)| {
                let carrier = carriers[usize::from(carrier)];
                match what {
                    0 => dispatched(carrier, minor.into()),
                    1 => arrived(carrier, 100 + lateness, 100),
                    _ => claim(FreightDeducted { carrier: carrier.into(), amount: yuan(minor.into()), ..Default::default() }),
                }
            })
            .collect();
        let rows = fold(&events);
        for (index, carrier) in carriers.iter().enumerate() {
            let of = |what: u8| facts.iter().filter(move |it| it.0 == what && usize::from(it.1) == index);
            let row = rows.get(*carrier).cloned().unwrap_or_default();
            prop_assert_eq!(row.shipments, of(0).count() as u64);
            prop_assert_eq!(row.on_time, of(1).filter(|it| it.3 <= 0).count() as u64);
            prop_assert_eq!(row.late, of(1).filter(|it| it.3 > 0).count() as u64);
            let minor = |amount: Option<Money>| amount.map_or(0, |amount| amount.minor_units);
            prop_assert_eq!(minor(row.freight), of(0).map(|it| i64::from(it.2)).sum::<i64>());
            prop_assert_eq!(minor(row.deducted), of(2).map(|it| i64::from(it.2)).sum::<i64>());
        }
        let bytes = |rows: BTreeMap<String, Row>| -> Vec<Vec<u8>> {
            rows.values().map(|row| row.encode_to_vec()).collect()
        };
        prop_assert_eq!(bytes(rows), bytes(fold(&events)));
    }
}
