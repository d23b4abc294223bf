//! Shipments on their way: planned, packed, carried, inspected, accepted or refused.

use contracts::ordering::{
    AcceptGoodsRequest, ArrivalChecklist, ArrivalInspection, CarrierScores, ChooseCarrierRequest,
    DispatchShipmentRequest, FileSignedSlipRequest, InspectArrivalRequest, InspectionMode,
    LineFinding, LineQuantity, PackShipmentRequest, Package, PlanShipmentRequest,
    RecordTrackingRequest, RejectGoodsRequest, RejectionReason, ReportArrivalRequest, SlipLine,
    TrackingScan, TrackingStatus,
};

use super::{
    plot::{Plot, minute},
    story::{Story, order},
    trouble::Aftermath,
};
use crate::{
    client::CallError,
    push::draft::{draw, sha256},
};

/// Carriers that do not exist, with what they charge for a shipment (分).
const CARRIERS: [(&str, i64); 3] =
    [("远帆物流", 1_800), ("Meridian Parcel", 2_400), ("蓝鲸速运", 3_100)];
/// Units in one box.
const BOX: u32 = 48;
const MOST_BOXES: u32 = 40;

const OURS: &str = "representative-11";
const THEIRS: &str = "receiving clerk";

/// One shipment as the story tells it.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) id: String,
    pub(super) lines: Vec<LineQuantity>,
    /// Minutes that it is behind the times in [`minute`].
    delay: i64,
    /// Minute of its arrival.
    pub(super) arrived: i64,
}

impl Story<'_> {
    /// One shipment from its plan to the signature, with whatever the plot has in store.
    pub(super) async fn deliver(
        &mut self,
        lines: Vec<LineQuantity>,
        delay: i64,
    ) -> Result<(), CallError> {
        let first = delay == 0;
        let parcel = self.send(lines, delay).await?;
        let hit = if first { parcel.lines.first().copied() } else { None };
        match (self.plot, hit) {
            (Plot::AllRefused, _) => {
                self.inspect(&parcel, parcel.lines.clone(), brand_differs).await?;
                self.refuse(&parcel, parcel.lines.clone(), RejectionReason::Brand).await
            }
            (Plot::LineRefused, Some(line)) => {
                self.inspect(&parcel, vec![line], model_differs).await?;
                self.refuse(&parcel, vec![line], RejectionReason::Model).await?;
                self.accept(&parcel, parcel.without(line)).await
            }
            (Plot::SentAgain, Some(line)) => {
                let one = LineQuantity { quantity: 1, ..line };
                self.inspect(&parcel, vec![one], one_short).await?;
                self.accept(&parcel, parcel.without(one)).await?;
                self.agree_to_send_again(&parcel, one).await?;
                self.aftermath = Some(Aftermath::SendAgain(one));
                Ok(())
            }
            (Plot::KeptAsIs, Some(line)) => {
                let one = LineQuantity { quantity: 1, ..line };
                self.inspect(&parcel, vec![one], one_damaged).await?;
                self.accept(&parcel, parcel.without(one)).await?;
                self.keep_as_is(&parcel, one).await
            }
            (Plot::Damaged, Some(line)) => {
                let one = LineQuantity { quantity: 1, ..line };
                self.inspect(&parcel, vec![one], one_damaged).await?;
                self.claim_damage(&parcel, one).await?;
                self.accept(&parcel, parcel.without(one)).await?;
                self.credit_damage(&parcel, one).await?;
                self.aftermath = Some(Aftermath::MakeTheCarrierPay(parcel, one));
                Ok(())
            }
            (Plot::Smooth | Plot::Alone | Plot::Late | Plot::Substituted | Plot::Reinvoiced, _)
            | (_, None) => {
                self.inspect(&parcel, Vec::new(), |_| {}).await?;
                self.accept(&parcel, parcel.lines.clone()).await
            }
        }
    }

    /// From the plan to the arrival.
    pub(super) async fn send(
        &mut self,
        lines: Vec<LineQuantity>,
        delay: i64,
    ) -> Result<Parcel, CallError> {
        let late = if self.plot == Plot::Late { minute::LATE } else { 0 };
        let number = match delay {
            0 => 1,
            minute::SECOND => 2,
            _ => 3,
        };
        let parcel = Parcel {
            id: self.name(&format!("S{number}")),
            lines,
            delay,
            arrived: minute::ARRIVED + delay + late,
        };
        let units: u32 = parcel.lines.iter().fold(0, |sum, line| sum.saturating_add(line.quantity));
        let boxes = units.div_ceil(BOX).clamp(1, MOST_BOXES);
        let pick = draw(&format!("carrier of {}", parcel.id)) % 3;
        let (carrier, base) = usize::try_from(pick)
            .ok()
            .and_then(|pick| CARRIERS.get(pick))
            .copied()
            .unwrap_or(CARRIERS[0]);

        order!(
            self,
            Operator,
            plan_shipment,
            PlanShipmentRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                lines: parcel.lines.clone(),
                dispatch_by: None,
                at: self.at(minute::PLANNED + delay),
            }
        );
        order!(
            self,
            Operator,
            choose_carrier,
            ChooseCarrierRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                carrier: carrier.to_owned(),
                freight: self.money(base + 350 * i64::from(boxes)),
                scores: Some(scores(&parcel.id)),
                at: self.at(minute::CARRIER_CHOSEN + delay),
            }
        );
        let packages = (1..=boxes).map(|number| Package {
            package_no: format!("{number}"),
            certificate_no: format!("{}-CERT{number}", parcel.id),
            weight_grams: 400 + 35 * (units / boxes),
        });
        order!(
            self,
            Operator,
            pack_shipment,
            PackShipmentRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                packages: packages.collect(),
                at: self.at(minute::PACKED + delay),
            }
        );
        order!(
            self,
            Operator,
            dispatch_shipment,
            DispatchShipmentRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                waybill_no: format!("WB-{}", parcel.id),
                released_by: "sales-07".to_owned(),
                loading_supervisor: if boxes > 4 { "loading-02".to_owned() } else { String::new() },
                at: self.at(minute::DISPATCHED + delay),
            }
        );
        self.track(&parcel).await?;
        order!(
            self,
            Platform,
            report_arrival,
            ReportArrivalRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                at: self.at(parcel.arrived),
            }
        );
        Ok(parcel)
    }

    /// The carrier's scans as they really come: late, out of order, and some of them twice.
    async fn track(&mut self, parcel: &Parcel) -> Result<(), CallError> {
        let left = minute::DISPATCHED + parcel.delay;
        let scan = |number: u32, status: TrackingStatus, minutes: i64, place: &str| TrackingScan {
            scan_id: format!("{}-{number}", parcel.id),
            status: status.into(),
            scanned_at: self.at(minutes),
            place: place.to_owned(),
            remark: String::new(),
        };
        let picked_up = scan(1, TrackingStatus::PickedUp, left + 60, "始发站");
        let on_the_way = scan(2, TrackingStatus::InTransit, left + 5 * 60, "中转站一");
        let further = scan(3, TrackingStatus::InTransit, left + 12 * 60, "中转站二");
        let last_leg = scan(4, TrackingStatus::OutForDelivery, parcel.arrived - 3 * 60, "末端网点");
        let delivered = scan(5, TrackingStatus::Delivered, parcel.arrived - 5, "末端网点");
        let batches = [
            vec![further.clone(), picked_up],
            vec![on_the_way, further, last_leg.clone()],
            vec![last_leg, delivered],
        ];
        for scans in batches {
            order!(
                self,
                Operator,
                record_tracking,
                RecordTrackingRequest {
                    order_id: self.id(),
                    shipment_id: parcel.id.clone(),
                    scans,
                }
            );
        }
        Ok(())
    }

    /// The inspection on arrival; `hit` are the units that something is wrong with, and `wrong`
    /// says what.
    pub(super) async fn inspect(
        &mut self,
        parcel: &Parcel,
        hit: Vec<LineQuantity>,
        wrong: impl Fn(&mut LineFinding),
    ) -> Result<(), CallError> {
        let alone = self.plot == Plot::Alone;
        let findings = parcel.lines.iter().map(|line| {
            let mut finding = LineFinding {
                line_no: line.line_no,
                counted: line.quantity,
                ..LineFinding::default()
            };
            if hit.iter().any(|one| one.line_no == line.line_no) {
                wrong(&mut finding);
            }
            finding
        });
        let findings: Vec<_> = findings.collect();
        let undamaged = findings.iter().all(|finding| finding.damaged == 0);
        let mode = if alone { InspectionMode::Unilateral } else { InspectionMode::Joint };
        order!(
            self,
            Platform,
            inspect_arrival,
            InspectArrivalRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                inspection: Some(ArrivalInspection {
                    mode: mode.into(),
                    inspected_at: self.at(parcel.arrived + if alone { 180 } else { 40 }),
                    representative_due_at: None,
                    user_representative: THEIRS.to_owned(),
                    supplier_representative: if alone { String::new() } else { OURS.to_owned() },
                    procurement_supervisor: String::new(),
                    checklist: Some(ArrivalChecklist {
                        packaging_met: undamaged,
                        undamaged,
                        list_matches: hit.is_empty() || !undamaged,
                    }),
                    findings,
                    conforms: false,
                }),
            }
        );
        Ok(())
    }

    pub(super) async fn accept(
        &mut self,
        parcel: &Parcel,
        lines: Vec<LineQuantity>,
    ) -> Result<(), CallError> {
        if lines.is_empty() {
            return Ok(());
        }
        let slip = lines.iter().map(|line| {
            let sold = self.listing(line.line_no);
            SlipLine {
                line_no: line.line_no,
                quantity: line.quantity,
                brand: sold.brand,
                model: sold.model,
                specification: sold.specification,
            }
        });
        let slip = slip.collect();
        let alone = self.plot == Plot::Alone;
        let slip_no = format!("{}-SLIP", parcel.id);
        order!(
            self,
            Platform,
            accept_goods,
            AcceptGoodsRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                lines: slip,
                slip_no: slip_no.clone(),
                user_signature: THEIRS.to_owned(),
                supplier_signature: if alone { String::new() } else { OURS.to_owned() },
                stock_entry_no: format!("{}-IN", parcel.id),
                at: self.at(parcel.arrived + 240),
            }
        );
        order!(
            self,
            Platform,
            file_signed_slip,
            FileSignedSlipRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                sha256: sha256(&slip_no),
                slip_no,
                at: self.at(parcel.arrived + 300),
            }
        );
        Ok(())
    }

    async fn refuse(
        &mut self,
        parcel: &Parcel,
        lines: Vec<LineQuantity>,
        reason: RejectionReason,
    ) -> Result<(), CallError> {
        order!(
            self,
            Platform,
            reject_goods,
            RejectGoodsRequest {
                order_id: self.id(),
                shipment_id: parcel.id.clone(),
                rejection_id: format!("{}-REJ", parcel.id),
                lines,
                reason: reason.into(),
                description: "not what the listing says".to_owned(),
                at: self.at(parcel.arrived + 120),
            }
        );
        Ok(())
    }
}

impl Parcel {
    /// The units of the shipment without some of one line.
    pub(super) fn without(&self, taken: LineQuantity) -> Vec<LineQuantity> {
        let left = self.lines.iter().map(|line| {
            let taken = if line.line_no == taken.line_no { taken.quantity } else { 0 };
            LineQuantity { quantity: line.quantity.saturating_sub(taken), ..*line }
        });
        left.filter(|line| line.quantity > 0).collect()
    }
}

fn brand_differs(finding: &mut LineFinding) {
    "another brand".clone_into(&mut finding.brand);
}

fn model_differs(finding: &mut LineFinding) {
    "another model".clone_into(&mut finding.model);
}

fn one_short(finding: &mut LineFinding) {
    finding.counted = finding.counted.saturating_sub(1);
}

fn one_damaged(finding: &mut LineFinding) {
    finding.damaged = 1;
}

fn scores(seed: &str) -> CarrierScores {
    let mark = |criterion: &str| {
        u32::try_from(draw(&format!("{criterion} of {seed}")) % 3).unwrap_or(0) + 3
    };
    CarrierScores {
        safety: mark("safety"),
        punctuality: mark("punctuality"),
        service: mark("service"),
        cost: mark("cost"),
    }
}
