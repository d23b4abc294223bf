//! One complaint by the real rpcs, in the order of its times: how it goes, and the wait for its deadline. A
//! call is made when the last moment has come that it tells of.

#![allow(
    clippy::needless_update,
    reason = "a message that gains a field is not spelled out anew where the field is of no use"
)]

use std::{
    cell::Cell,
    time::{Duration, Instant},
};

use chassis::ScaledClock;
use contracts::complaints::{CauseClass, Complaint, GetComplaintRequest, MajorReason};
use eventlog::Clock as _;
use jiff::{SignedDuration, Timestamp};

use super::{Course, Delivered, Grievance, Stopped, grievance};
use crate::{
    client::Client,
    push::{
        draft::timestamp,
        ledger::Accepted,
        life::{plot::Plot, story::tell},
    },
};

pub(super) const HOUR: i64 = 60;
/// From the delivery to the first word of it.
const COMPLAINS: i64 = 2 * HOUR;
/// From the first word to the deadline, where one is to be kept.
pub(super) const DEADLINE: i64 = 30 * 24 * HOUR;
/// The same, where it is to be missed.
pub(super) const SHORT: i64 = 24 * HOUR;
/// How long it may take after the deadline until the complaint is major: time on the wall.
const UPGRADE: Duration = Duration::from_secs(60);
/// How long it may take until complaints has heard of an order: time on the wall.
pub(super) const HEARD: Duration = Duration::from_secs(60);
/// Between two looks.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// What the user names who is refused first: more than the first post may decide on. 分.
const LARGE: i64 = 80_000;
/// What is offered then, which is too little.
const TOO_LITTLE: i64 = 20_000;

/// Makes one call and keeps the complaint as it then stands.
macro_rules! complaint {
    ($case:ident, $who:ident, $rpc:ident, $request:expr) => {{
        let answer = tell!($case, $who, complaints.$rpc, $request);
        $case.complaint = answer.complaint.unwrap_or_default();
    }};
}

pub(super) use complaint;

/// One complaint on its way. Minutes are those after `begun`.
pub(super) struct Case<'a> {
    pub(super) client: &'a Client,
    pub(super) accepted: &'a Accepted,
    clock: ScaledClock,
    pub(super) delivered: Delivered,
    pub(super) id: String,
    pub(super) begun: Timestamp,
    /// The last moment that was told of.
    latest: Cell<Timestamp>,
    /// As the last answer showed it.
    pub(super) complaint: Complaint,
    /// Calls made.
    pub(super) steps: u64,
    /// The call made last.
    pub(super) step: &'static str,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        client: &'a Client,
        accepted: &'a Accepted,
        clock: ScaledClock,
        delivered: Delivered,
    ) -> Self {
        let begun = later(delivered.at, COMPLAINS);
        Self {
            client,
            accepted,
            clock,
            delivered,
            id: format!("{}-{}-C1", accepted.draft.platform, accepted.no()),
            begun,
            latest: Cell::new(begun),
            complaint: Complaint::default(),
            steps: 0,
            step: "",
        }
    }

    pub(super) async fn tell(&mut self, course: Course) -> Result<(), Stopped> {
        self.take_in(course).await?;
        match course {
            Course::Solved => {
                self.offer("S1", self.claimed(course), 3 * HOUR).await?;
                self.agree_and_carry_out("S1", 5 * HOUR).await
            }
            Course::Escalated => {
                self.offer("S1", TOO_LITTLE, 3 * HOUR).await?;
                self.refuse("S1", 5 * HOUR).await?;
                self.hand_upwards(6 * HOUR).await?;
                self.offer("S2", LARGE, 9 * HOUR).await?;
                self.agree_and_carry_out("S2", 11 * HOUR).await
            }
            Course::Overdue => {
                self.become_major().await?;
                self.offer("S1", self.claimed(course), HOUR).await?;
                self.agree_and_carry_out("S1", 3 * HOUR).await
            }
        }
    }

    /// Nobody does anything until the watch over deadlines has made it major; its times are counted from
    /// then on.
    async fn become_major(&mut self) -> Result<(), Stopped> {
        self.clock.reach(later(self.begun, SHORT)).await;
        let since = Instant::now();
        loop {
            let request =
                GetComplaintRequest { complaint_id: self.id.clone(), ..Default::default() };
            complaint!(self, Operator, get_complaint, request);
            if self.complaint.major_reasons().any(|reason| reason == MajorReason::Overdue) {
                break;
            }
            if since.elapsed() > UPGRADE {
                let seconds = since.elapsed().as_secs();
                return Err(Stopped::NotMajor { id: self.id.clone(), seconds });
            }
            tokio::time::sleep(LOOK).await;
        }
        self.begun = self.clock.now().max(self.latest.get());
        Ok(())
    }

    pub(super) fn grievance(&self) -> Grievance {
        grievance(Plot::of(self.accepted)).unwrap_or(Grievance {
            cause: CauseClass::ServiceQuality,
            topic: "other",
            text: "we are not satisfied",
        })
    }

    /// What the user names: a tenth of the order, and never so much that the complaint were major by it. 分.
    pub(super) fn claimed(&self, course: Course) -> i64 {
        let total = self.accepted.draft.total.as_ref().map_or(0, |total| total.minor_units);
        match course {
            Course::Escalated => LARGE,
            Course::Solved | Course::Overdue => (total / 10).clamp(2_000, 30_000),
        }
    }

    /// An id of ours: that of the complaint and what it names.
    pub(super) fn name(&self, what: &str) -> String {
        format!("{}-{what}", self.id)
    }

    pub(super) fn at(&self, minutes: i64) -> Option<prost_types::Timestamp> {
        let moment = later(self.begun, minutes);
        self.latest.set(self.latest.get().max(moment));
        Some(timestamp(moment))
    }

    /// Waits until everything has happened that was told of so far.
    pub(super) async fn let_it_come(&self) {
        self.clock.reach(self.latest.get()).await;
    }
}

pub(super) fn later(moment: Timestamp, minutes: i64) -> Timestamp {
    moment.saturating_add(SignedDuration::from_mins(minutes)).unwrap_or(moment)
}
