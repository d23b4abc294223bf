//! After acceptance: installation and commissioning, and the signed slip on file.

use contracts::ordering::{InstallationRecorded, SignedSlipFiled, WarrantyStart};
use decider::{Decision, emit};
use eventlog::time::to_proto;

use super::{
    Event, Order, Rejection,
    book::{Book, Note, moment},
    command::{FileSignedSlip, RecordInstallation},
    repeat::Repeat,
};

impl Order {
    /// A shipment is installed and commissioned (ORD-11); main materials only once they are
    /// accepted (ORD-37). Starts the warranties that wait for it.
    ///
    /// # Errors
    /// The order is not in delivery or fulfilled, has no such shipment, it has not arrived, a main
    /// material waits to be judged, or nothing is left with the user.
    pub fn record_installation(&self, cmd: &RecordInstallation) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        if let Some(before) = book.shipment(id).and_then(|shipment| shipment.installed.as_ref()) {
            return Repeat::new()
                .same("technician", before.text.as_str(), cmd.technician.as_str())
                .at("at", before.at, &cmd.when)
                .answer();
        }
        self.must_be_unsettled()?;
        let shipment = book.known_shipment(id)?;
        shipment.must_have_arrived()?;
        let mut left_with_user = false;
        let mut warranty_line_nos = Vec::new();
        for load in &shipment.lines {
            let listing = book.listing(load.line_no);
            let unjudged = load.waiting > 0 || load.disputed > 0;
            if unjudged && listing.main_material {
                return Err(Rejection::MaterialNotAccepted { line_no: load.line_no });
            }
            left_with_user |= unjudged || load.accepted > 0;
            if load.accepted > 0 && listing.warranty_start() == WarrantyStart::Installation {
                warranty_line_nos.push(load.line_no);
            }
        }
        if !left_with_user {
            return Err(Rejection::NothingToInstall);
        }
        emit(InstallationRecorded {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            technician: (&cmd.technician).into(),
            installed_at: Some(to_proto(book.time("at", &cmd.when)?)),
            warranty_line_nos,
        })
    }

    /// The base slip that the user signed came back to us (ORD-42).
    ///
    /// # Errors
    /// The order is not in delivery or fulfilled, has no such shipment, or nothing of it was
    /// accepted with such a slip.
    pub fn file_signed_slip(&self, cmd: &FileSignedSlip) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.shipment_id.as_str();
        let slip_no = cmd.slip_no.as_str();
        let slip = book.shipment(id).and_then(|shipment| shipment.slip(slip_no));
        if let Some(before) = slip.and_then(|slip| slip.filed.as_ref()) {
            return Repeat::new()
                .same("sha256", before.text.as_str(), cmd.sha256.as_str())
                .at("at", before.at, &cmd.when)
                .answer();
        }
        self.must_be_unsettled()?;
        book.known_shipment(id)?;
        if slip.is_none() {
            return Err(Rejection::UnknownSlip(slip_no.to_owned()));
        }
        emit(SignedSlipFiled {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            shipment_id: id.to_owned(),
            slip_no: slip_no.to_owned(),
            sha256: (&cmd.sha256).into(),
            filed_at: Some(to_proto(book.time("at", &cmd.when)?)),
        })
    }
}

impl Book {
    pub(super) fn installation_recorded(&mut self, event: &InstallationRecorded) {
        if let Some(shipment) = self.shipment_mut(&event.shipment_id) {
            let at = moment(event.installed_at.as_ref());
            shipment.installed = Some(Note { text: event.technician.clone(), at });
        }
    }

    pub(super) fn signed_slip_filed(&mut self, event: &SignedSlipFiled) {
        let Some(shipment) = self.shipment_mut(&event.shipment_id) else { return };
        if let Some(slip) = shipment.slips.iter_mut().find(|slip| slip.no == event.slip_no) {
            let at = moment(event.filed_at.as_ref());
            slip.filed = Some(Note { text: event.sha256.clone(), at });
        }
    }
}
