//! An order's life, step by step, as the two sides live it.

use contracts::{
    common::Money,
    ordering::{
        AcceptGoodsRequest, ArrivalChecklist, ArrivalInspection, CarrierScores,
        ChooseCarrierRequest, ConfirmOrderRequest, DispatchShipmentRequest, InspectArrivalRequest,
        InspectionMode, LineFinding, LineQuantity, Order, PackShipmentRequest, Package,
        PlanShipmentRequest, PreDeliveryInspection, PushOrderRequest, RecordInspectionRequest,
        RecordTrackingRequest, ReportArrivalRequest, SettleOrderRequest, SlipLine, TrackingScan,
        TrackingStatus,
    },
};

use crate::{orders, orders::at, stack::Orders};

/// Pushes an order of [`orders::draft`] and answers its id.
///
/// # Panics
/// It is refused.
pub async fn push(platform: &mut Orders, number: &str) -> String {
    let order = Some(orders::draft("", number));
    let pushed = platform.push_order(PushOrderRequest { order }).await;
    pushed.expect("a pushed order").into_inner().order_id
}

/// Takes a pushed order on, ships all of it in one shipment `s1`, and brings it to the user.
///
/// # Panics
/// A step is refused.
pub async fn deliver(operator: &mut Orders, order_id: &str) -> Order {
    dispatch(operator, order_id, orders::MONDAY).await;
    let (order_id, shipment_id) = (order_id.to_owned(), "s1".to_owned());
    operator
        .record_tracking(RecordTrackingRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            scans: vec![
                scan("2", TrackingStatus::OutForDelivery, 7_200),
                scan("1", TrackingStatus::PickedUp, 3_600),
                scan("2", TrackingStatus::OutForDelivery, 7_200),
            ],
        })
        .await
        .expect("tracked");
    operator
        .report_arrival(ReportArrivalRequest { order_id, shipment_id, at: at(9_000) })
        .await
        .expect("arrived")
        .into_inner()
        .order
        .expect("an order")
}

/// Takes an order on that was placed at a moment in seconds since 1970, and hands all of it to the
/// carrier, in one shipment `s1` and within minutes.
///
/// # Panics
/// A step is refused.
pub async fn dispatch(operator: &mut Orders, order_id: &str, placed: i64) {
    let at = |seconds| orders::after(placed, seconds);
    let order_id = order_id.to_owned();
    let shipment_id = "s1".to_owned();
    let lines = vec![units(1, 5), units(2, 2)];
    operator
        .confirm_order(ConfirmOrderRequest { order_id: order_id.clone(), at: at(60) })
        .await
        .expect("confirmed");
    operator
        .record_inspection(RecordInspectionRequest {
            order_id: order_id.clone(),
            inspection: Some(PreDeliveryInspection {
                certificate_no: "C-1".to_owned(),
                lines: lines.clone(),
                passed: true,
                inspector: "李检".to_owned(),
                inspected_at: at(120),
                certificate_sha256: String::new(),
                remarks: String::new(),
            }),
        })
        .await
        .expect("inspected");
    operator
        .plan_shipment(PlanShipmentRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            lines,
            dispatch_by: None,
            at: at(180),
        })
        .await
        .expect("planned");
    operator
        .choose_carrier(ChooseCarrierRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            carrier: "顺丰".to_owned(),
            freight: orders::yuan(18),
            scores: Some(CarrierScores { safety: 5, punctuality: 4, service: 4, cost: 3 }),
            at: at(240),
        })
        .await
        .expect("carrier chosen");
    operator
        .pack_shipment(PackShipmentRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            packages: vec![Package {
                package_no: "P-1".to_owned(),
                certificate_no: "C-1".to_owned(),
                weight_grams: 5_200,
            }],
            at: at(300),
        })
        .await
        .expect("packed");
    operator
        .dispatch_shipment(DispatchShipmentRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            waybill_no: "SF1234567890".to_owned(),
            released_by: "赵销售".to_owned(),
            loading_supervisor: String::new(),
            at: at(360),
        })
        .await
        .expect("dispatched");
}

/// Has the delivered shipment `s1` inspected by both sides, accepts all of it, and pays.
///
/// # Panics
/// A step is refused.
pub async fn accept_and_settle(
    platform: &mut Orders,
    operator: &mut Orders,
    order_id: &str,
) -> Order {
    let order_id = order_id.to_owned();
    let shipment_id = "s1".to_owned();
    platform
        .inspect_arrival(InspectArrivalRequest {
            order_id: order_id.clone(),
            shipment_id: shipment_id.clone(),
            inspection: Some(ArrivalInspection {
                mode: InspectionMode::Joint.into(),
                inspected_at: at(10_000),
                user_representative: "陈老师".to_owned(),
                supplier_representative: "赵销售".to_owned(),
                checklist: Some(ArrivalChecklist {
                    packaging_met: true,
                    undamaged: true,
                    list_matches: true,
                }),
                findings: vec![counted(1, 5), counted(2, 2)],
                ..ArrivalInspection::default()
            }),
        })
        .await
        .expect("inspected on arrival");
    platform
        .accept_goods(AcceptGoodsRequest {
            order_id: order_id.clone(),
            shipment_id,
            lines: vec![signed(1, 5), signed(2, 2)],
            slip_no: "QS-1".to_owned(),
            user_signature: "陈老师".to_owned(),
            supplier_signature: "赵销售".to_owned(),
            stock_entry_no: "RK-1".to_owned(),
            at: at(10_600),
        })
        .await
        .expect("accepted");
    operator
        .settle_order(SettleOrderRequest {
            order_id,
            settlement_id: "J-1".to_owned(),
            amount: Some(Money { minor_units: 67_000, currency: "CNY".to_owned() }),
            payment_ref: "BANK-1".to_owned(),
            at: at(90_000),
        })
        .await
        .expect("settled")
        .into_inner()
        .order
        .expect("an order")
}

/// So many units of a line.
#[must_use]
pub fn units(line_no: u32, quantity: u32) -> LineQuantity {
    LineQuantity { line_no, quantity }
}

/// Counted, and as listed.
#[must_use]
pub fn counted(line_no: u32, counted: u32) -> LineFinding {
    LineFinding { line_no, counted, ..LineFinding::default() }
}

/// Signed for, as sold by [`orders::line`].
#[must_use]
pub fn signed(line_no: u32, quantity: u32) -> SlipLine {
    SlipLine {
        line_no,
        quantity,
        brand: "晨光".to_owned(),
        model: format!("M{line_no}"),
        specification: "A4 双面".to_owned(),
    }
}

/// A scan so many seconds after [`orders::MONDAY`].
#[must_use]
pub fn scan(scan_id: &str, status: TrackingStatus, seconds: i64) -> TrackingScan {
    TrackingScan {
        scan_id: scan_id.to_owned(),
        status: status.into(),
        scanned_at: at(seconds),
        place: "成都".to_owned(),
        remark: String::new(),
    }
}
