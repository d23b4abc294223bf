//! Why a complaint says no.

use chassis::repeat::Differs as Field;
use contracts::complaints::{ComplaintPhase, MajorReason};

/// Why a complaint says no. Each variant answers a caller; none is a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No complaint has this id.
    #[error("there is no such complaint")]
    NotFound,
    /// The id was used before, with another content.
    #[error("{0} was used before, with another content")]
    Differs(String),
    /// The complaint was received before, with another content.
    #[error(transparent)]
    Another(#[from] Field),
    /// It does not stand so that this could be done.
    #[error("not now: it is {}", words(*phase))]
    NotNow {
        /// Where it stands.
        phase: ComplaintPhase,
    },
    /// The user has not confirmed what was written down.
    #[error("the user has not confirmed the form: read it back first")]
    NotConfirmed,
    /// Nothing is offered before it is known how serious it is, and what the user expects.
    #[error("find out first how serious it is and what the user expects: AssessFacts")]
    NotAssessed,
    /// A deadline lies before the moment that sets it.
    #[error("{0} has passed already")]
    Passed(&'static str),
    /// It is handed to a post that is not above the one before.
    #[error("it is handed upwards only: post {to} is not above post {from}")]
    NotUpwards {
        /// Post of the one in charge.
        from: u32,
        /// Post of the one named.
        to: u32,
    },
    /// There is no such post.
    #[error("there is no post {0}")]
    NoPost(u32),
    /// The one named does not hold the post.
    #[error("{person} is not on post {post}: see posts in the section [complaints]")]
    NotOnPost {
        /// Who was named.
        person: String,
        /// Name of the post.
        post: String,
    },
    /// No such order has reached us.
    #[error(
        "no order {0} of this platform has reached us; one that was placed just now takes a moment"
    )]
    UnknownOrder(String),
    /// The order was placed by another buying unit.
    #[error("the order is not of buying unit {0}")]
    AnotherBuyer(String),
    /// There is a standard solution for complaints of this type.
    #[error(
        "complaints of this type have a standard solution ({}): follow it, or say in \
         deviation_reason why not",
        .0.join(", ")
    )]
    HasStandard(Vec<String>),
    /// The solution does other things than the standard one that it names.
    #[error("it does other things than standard solution {0}: say in deviation_reason why")]
    Deviates(String),
    /// The standard solution is none for complaints of this type.
    #[error("{0} is no standard solution for complaints of this type")]
    NoStandard(String),
    /// No solution was agreed to that could become standard.
    #[error("no solution was agreed to: none can become standard")]
    NothingAgreed,
    /// More was recorded of it than anybody has use for.
    #[error(
        "more than {0} offers, visits, penalties and recordings are too many for one complaint"
    )]
    TooMany(usize),
    /// It is more than the one in charge may decide.
    #[error("post {tier} may decide up to {limit} fen, not {amount}: hand it upwards")]
    BeyondAuthority {
        /// Post of the one in charge.
        tier: u32,
        /// What it may decide.
        limit: i64,
        /// What was to be decided.
        amount: i64,
    },
    /// Items that the user complains of are not answered.
    #[error("not answered yet: items {}", numbers(.0))]
    Unanswered(Vec<u32>),
    /// The complaint has no such item.
    #[error("there is no item {0}")]
    NoItem(u32),
    /// The user was not offered this solution, or it is not the one on the table.
    #[error("solution {0} is not the one on the table")]
    NoSolution(String),
    /// The reasons that made it major hold still.
    #[error("what made it major holds still: {}", reasons(.0))]
    StillMajor(Vec<MajorReason>),
    /// Somebody approves his own doing.
    #[error("{0} cannot approve this")]
    OwnApproval(String),
    /// A penalty is not within its limits.
    #[error("a penalty is {least} to {most} fen")]
    Penalty {
        /// The smallest.
        least: i64,
        /// The largest.
        most: i64,
    },
    /// Nobody is named who answers for it first.
    #[error("nobody is named who answers for it first")]
    NobodyResponsible,
    /// Sums that are too large, or not in one currency.
    #[error("the sums cannot be added up")]
    Sum,
    /// The external review follows an escalation.
    #[error("it has not been escalated: hand it upwards first")]
    NotEscalated,
    /// The user is satisfied: there is nothing to make up for.
    #[error("the user is not known to be dissatisfied: visit first")]
    NothingToRemedy,
}

/// Where it stands, in words.
fn words(phase: ComplaintPhase) -> &'static str {
    match phase {
        ComplaintPhase::Unspecified => "not there",
        ComplaintPhase::Received => "received, and nobody has accepted it",
        ComplaintPhase::Investigating => "being looked into",
        ComplaintPhase::AwaitingUser => "waiting for the user's answer",
        ComplaintPhase::Offered => "waiting for the user's word on a solution",
        ComplaintPhase::Coordinating => "being talked over, because the user refused",
        ComplaintPhase::ExternalReview => "with a reviewer from outside",
        ComplaintPhase::Agreed => "agreed, and to be carried out",
        ComplaintPhase::Executing => "being carried out",
        ComplaintPhase::FollowUp => "carried out, and to be followed up",
        ComplaintPhase::Remedying => "being made up for",
        ComplaintPhase::Satisfied => "settled, and its cause is to be analysed",
        ComplaintPhase::Analysed => "analysed, and the closing notice is to be sent",
        ComplaintPhase::Noticed => "to be closed: the notice was sent",
        ComplaintPhase::Closed => "closed",
        ComplaintPhase::Cancelled => "cancelled",
    }
}

fn numbers(items: &[u32]) -> String {
    items.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

fn reasons(reasons: &[MajorReason]) -> String {
    let words = |reason: &MajorReason| match reason {
        MajorReason::Unspecified => "something",
        MajorReason::Media => "media",
        MajorReason::Lawsuit => "a lawsuit",
        MajorReason::GroupLawsuit => "the risk of a group lawsuit",
        MajorReason::Amount => "the sums involved",
        MajorReason::Overdue => "its deadline",
    };
    reasons.iter().map(words).collect::<Vec<_>>().join(", ")
}
