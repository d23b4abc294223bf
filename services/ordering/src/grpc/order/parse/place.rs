//! Taking orders on, changing them before they leave.

use chassis::Fields;
use contracts::ordering as api;
use jiff::Timestamp;

use super::{one, part, when};
use crate::order::{
    Id, LineNo, Listing, Name, Text, Units,
    command::{
        AnswerSubstitution, AssignFollower, CancelOrder, ConfirmOrder, ConfirmPreOrder,
        DeclareForceMajeure, DeclineOrder, LiftForceMajeure, ProposeSubstitution, ReleasePreOrder,
    },
};

pub(in super::super) fn confirm_pre_order(
    fields: &mut Fields,
    request: api::ConfirmPreOrderRequest,
    now: Timestamp,
) -> Option<ConfirmPreOrder> {
    Some(ConfirmPreOrder { when: when(fields, "at", request.at.as_ref(), now) })
}

pub(in super::super) fn release_pre_order(
    fields: &mut Fields,
    request: api::ReleasePreOrderRequest,
    now: Timestamp,
) -> Option<ReleasePreOrder> {
    let reason = one(fields, "reason", Text::parse_optional(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ReleasePreOrder { reason: reason?, when })
}

pub(in super::super) fn cancel_order(
    fields: &mut Fields,
    request: api::CancelOrderRequest,
    now: Timestamp,
) -> Option<CancelOrder> {
    let cancellation_id = one(fields, "cancellation_id", Id::parse(request.cancellation_id));
    let lines = part(fields, Units::parse_optional(request.lines, "lines"));
    let reason = one(fields, "reason", Text::parse_optional(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(CancelOrder { cancellation_id: cancellation_id?, lines: lines?, reason: reason?, when })
}

pub(in super::super) fn confirm_order(
    fields: &mut Fields,
    request: api::ConfirmOrderRequest,
    now: Timestamp,
) -> Option<ConfirmOrder> {
    Some(ConfirmOrder { when: when(fields, "at", request.at.as_ref(), now) })
}

pub(in super::super) fn decline_order(
    fields: &mut Fields,
    request: api::DeclineOrderRequest,
    now: Timestamp,
) -> Option<DeclineOrder> {
    let reason = one(fields, "reason", Text::parse(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(DeclineOrder { reason: reason?, when })
}

pub(in super::super) fn propose_substitution(
    fields: &mut Fields,
    request: api::ProposeSubstitutionRequest,
    now: Timestamp,
) -> Option<ProposeSubstitution> {
    let substitution_id = one(fields, "substitution_id", Id::parse(request.substitution_id));
    let line_no = one(fields, "line_no", LineNo::parse(request.line_no));
    let substitute = part(fields, Listing::parse(request.substitute, "substitute"));
    let reason = one(fields, "reason", Text::parse(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(ProposeSubstitution {
        substitution_id: substitution_id?,
        line_no: line_no?,
        substitute: substitute?,
        reason: reason?,
        when,
    })
}

pub(in super::super) fn answer_substitution(
    fields: &mut Fields,
    request: api::AnswerSubstitutionRequest,
    now: Timestamp,
) -> Option<AnswerSubstitution> {
    let substitution_id = one(fields, "substitution_id", Id::parse(request.substitution_id));
    let reason = one(fields, "reason", Text::parse_optional(request.reason));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(AnswerSubstitution {
        substitution_id: substitution_id?,
        accepted: request.accepted,
        reason: reason?,
        when,
    })
}

pub(in super::super) fn declare_force_majeure(
    fields: &mut Fields,
    request: api::DeclareForceMajeureRequest,
    now: Timestamp,
) -> Option<DeclareForceMajeure> {
    let description = one(fields, "description", Text::parse(request.description));
    let when = when(fields, "since", request.since.as_ref(), now);
    Some(DeclareForceMajeure { description: description?, when })
}

pub(in super::super) fn lift_force_majeure(
    fields: &mut Fields,
    request: api::LiftForceMajeureRequest,
    now: Timestamp,
) -> Option<LiftForceMajeure> {
    Some(LiftForceMajeure { when: when(fields, "until", request.until.as_ref(), now) })
}

pub(in super::super) fn assign_follower(
    fields: &mut Fields,
    request: api::AssignFollowerRequest,
    now: Timestamp,
) -> Option<AssignFollower> {
    let follower = one(fields, "follower", Name::parse(request.follower));
    let when = when(fields, "at", request.at.as_ref(), now);
    Some(AssignFollower { follower: follower?, when })
}
