//! Before goods leave: inspection with a certificate, a carrier, boxes.

use std::sync::Arc;

use contracts::ordering::{CarrierChosen, GoodsInspected, PreDeliveryInspection, ShipmentPacked};
use decider::{Decision, emit};
use eventlog::time::to_proto;

use super::{
    Event, Order, Rejection, Shortage,
    book::{Book, moment},
    command::{ChooseCarrier, PackShipment, RecordInspection},
    repeat::Repeat,
    shipment::{Carrier, Packed},
    value::{Digest, Text},
};

impl Order {
    /// Goods were inspected before delivery, under a certificate (ORD-16).
    ///
    /// # Errors
    /// The order is not in delivery, or not so many units were ordered.
    pub fn record_inspection(&self, cmd: &RecordInspection) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let no = cmd.certificate_no.as_str();
        if let Some(before) = book.inspections.iter().find(|before| before.certificate_no == no) {
            return same_inspection(before, cmd);
        }
        self.must_be_confirmed()?;
        let at = book.time("inspection.inspected_at", &cmd.when)?;
        for (index, wanted) in cmd.lines.as_slice().iter().enumerate() {
            let path = || format!("inspection.lines[{index}]");
            let line = book.known_line(wanted.line_no, || path() + ".line_no")?;
            if line.ordered < wanted.quantity {
                return Err(Rejection::MoreThanOrdered(Box::new(Shortage {
                    field: path() + ".quantity",
                    line_no: wanted.line_no,
                    asked: wanted.quantity,
                    available: line.ordered,
                })));
            }
        }
        emit(GoodsInspected {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            inspection: Some(PreDeliveryInspection {
                certificate_no: no.to_owned(),
                lines: cmd.lines.as_slice().to_vec(),
                passed: cmd.passed,
                inspector: (&cmd.inspector).into(),
                inspected_at: Some(to_proto(at)),
                certificate_sha256: digest(cmd),
                remarks: Text::or_empty(cmd.remarks.as_ref()),
            }),
        })
    }

    /// A carrier is chosen for a shipment (ORD-19).
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, or it has left or was given up.
    pub fn choose_carrier(&self, cmd: &ChooseCarrier) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.carrier.as_ref()) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        book.known_shipment(id)?.must_be_here()?;
        emit(CarrierChosen {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            carrier: (&cmd.carrier).into(),
            freight: cmd.freight.map(|freight| freight.to_proto()),
            scores: Some(cmd.scores.get()),
            chosen_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }

    /// A shipment is packed, a certificate in every box (ORD-17), after its units passed an
    /// inspection (ORD-16).
    ///
    /// # Errors
    /// The order is not in delivery, has no such shipment, it has left or was given up, has no
    /// carrier, or too few units passed.
    pub fn pack_shipment(&self, cmd: &PackShipment) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.packed.as_ref()) {
            return before.repeated_by(cmd);
        }
        self.must_be_confirmed()?;
        let shipment = book.known_shipment(id)?;
        shipment.must_be_here()?;
        if shipment.carrier.is_none() {
            return Err(Rejection::CarrierNotChosen);
        }
        for load in &shipment.lines {
            let passed = book.line(load.line_no).map_or(0, |line| line.passed);
            if passed < load.quantity {
                return Err(Rejection::NotInspectedBeforePacking {
                    line_no: load.line_no,
                    passed,
                    needed: load.quantity,
                });
            }
        }
        emit(ShipmentPacked {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            packages: cmd.packages.as_slice().to_vec(),
            packed_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }
}

fn digest(cmd: &RecordInspection) -> String {
    cmd.certificate_sha256.as_ref().map_or_else(String::new, |digest: &Digest| digest.into())
}

fn same_inspection(
    before: &PreDeliveryInspection,
    cmd: &RecordInspection,
) -> Decision<Event, Rejection> {
    Repeat::new()
        .lines("inspection.lines", &before.lines, cmd.lines.as_slice())
        .same("inspection.passed", &before.passed, &cmd.passed)
        .same("inspection.inspector", before.inspector.as_str(), cmd.inspector.as_str())
        .at("inspection.inspected_at", moment(before.inspected_at.as_ref()), &cmd.when)
        .same("inspection.certificate_sha256", &before.certificate_sha256, &digest(cmd))
        .same("inspection.remarks", &before.remarks, &Text::or_empty(cmd.remarks.as_ref()))
        .answer()
}

impl Carrier {
    fn repeated_by(&self, cmd: &ChooseCarrier) -> Decision<Event, Rejection> {
        let scores = cmd.scores.get();
        Repeat::new()
            .same("carrier", self.name.as_str(), cmd.carrier.as_str())
            .same("freight", &self.freight, &cmd.freight.map(|freight| freight.to_proto()))
            .same("scores.safety", &self.scores.safety, &scores.safety)
            .same("scores.punctuality", &self.scores.punctuality, &scores.punctuality)
            .same("scores.service", &self.scores.service, &scores.service)
            .same("scores.cost", &self.scores.cost, &scores.cost)
            .at("at", self.at, &cmd.when)
            .answer()
    }
}

impl Packed {
    fn repeated_by(&self, cmd: &PackShipment) -> Decision<Event, Rejection> {
        let received = cmd.packages.as_slice();
        let mut repeat = Repeat::new().same("packages", &self.packages.len(), &received.len());
        for (index, (before, now)) in self.packages.iter().zip(received).enumerate() {
            let field = |name: &'static str| move || format!("packages[{index}].{name}");
            repeat = repeat
                .same_at(field("package_no"), &before.package_no, &now.package_no)
                .same_at(field("certificate_no"), &before.certificate_no, &now.certificate_no)
                .same_at(field("weight_grams"), &before.weight_grams, &now.weight_grams);
        }
        repeat.at("at", self.at, &cmd.when).answer()
    }
}

impl Book {
    pub(super) fn goods_inspected(&mut self, event: &GoodsInspected) {
        let Some(inspection) = &event.inspection else { return };
        if inspection.passed {
            for units in &inspection.lines {
                if let Some(line) = self.line_mut(units.line_no) {
                    line.passed = line.passed.saturating_add(units.quantity);
                }
            }
        }
        self.inspections.push(Arc::new(inspection.clone()));
    }

    pub(super) fn carrier_chosen(&mut self, event: &CarrierChosen) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        shipment.carrier = Some(Carrier {
            name: event.carrier.clone(),
            freight: event.freight.clone(),
            scores: event.scores.unwrap_or_default(),
            at: moment(event.chosen_at.as_ref()),
        });
    }

    pub(super) fn shipment_packed(&mut self, event: &ShipmentPacked) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        shipment.packed = Some(Packed {
            packages: event.packages.as_slice().into(),
            at: moment(event.packed_at.as_ref()),
        });
        for units in shipment.units() {
            if let Some(line) = self.line_mut(units.line_no) {
                line.passed = line.passed.saturating_sub(units.quantity);
            }
        }
    }
}
