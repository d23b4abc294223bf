//! Warnings, breaches and what follows from them, as they come.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use chassis::errors;
use contracts::{
    Event as _,
    common::RecordedEvent,
    sla::{Heartbeat, WatchClocksResponse, watch_clocks_response::Announcement},
};
use eventlog::Follower;
use futures::Stream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::clock::{Event, reference};

/// How often the stream says that it is alive when nothing happens.
const HEARTBEAT: Duration = Duration::from_secs(10);

/// Which announcements are wanted.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) platform: Option<String>,
    pub(super) profile: Option<String>,
}

/// The announcements of a log, until the process closes.
pub(super) fn announcements(
    follower: Follower,
    wanted: Wanted,
    closing: CancellationToken,
) -> impl Stream<Item = Result<WatchClocksResponse, Status>> + Send {
    let state = Some((follower, VecDeque::<Arc<RecordedEvent>>::new(), wanted, closing));
    futures::stream::unfold(state, |state| async move {
        let (mut follower, mut queue, wanted, closing) = state?;
        loop {
            if let Some(event) = queue.pop_front() {
                if let Some(answer) = announcement(&event, &wanted) {
                    return Some((Ok(answer), Some((follower, queue, wanted, closing))));
                }
                continue;
            }
            let next = timeout(HEARTBEAT, follower.next_batch());
            match closing.run_until_cancelled(next).await? {
                Ok(Ok(batch)) => queue.extend(batch),
                // the last answer says why there is no other
                Ok(Err(error)) => return Some((Err(errors::log(error)), None)),
                Err(_) => {
                    let alive = WatchClocksResponse {
                        position: follower.position(),
                        recorded_at: None,
                        announcement: Some(Announcement::Heartbeat(Heartbeat {})),
                    };
                    return Some((Ok(alive), Some((follower, queue, wanted, closing))));
                }
            }
        }
    })
}

fn announcement(event: &RecordedEvent, wanted: &Wanted) -> Option<WatchClocksResponse> {
    if !event.stream.starts_with("clock.") {
        return None;
    }
    let said = Event::decode_body(&event.r#type, &event.body).ok()?;
    let clock = reference(&said)?;
    let matches =
        |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    if !matches(&wanted.platform, &clock.platform) || !matches(&wanted.profile, &clock.profile) {
        return None;
    }
    let announcement = match said {
        Event::WarningRaised(said) => Announcement::WarningRaised(said),
        Event::BreachAnnounced(said) => Announcement::BreachAnnounced(said),
        Event::DeadlineBreached(said) => Announcement::DeadlineBreached(said),
        Event::BreachWithdrawn(said) => Announcement::BreachWithdrawn(said),
        Event::BreachEscalated(said) => Announcement::BreachEscalated(said),
        Event::ConsequenceRaised(said) => Announcement::ConsequenceRaised(said),
        Event::PeriodEnded(said) => Announcement::PeriodEnded(said),
        Event::FactNoted(_)
        | Event::ClockStarted(_)
        | Event::ClockPaused(_)
        | Event::ClockResumed(_)
        | Event::ClockStopped(_)
        | Event::ClockCancelled(_)
        | Event::ClockReset(_)
        | Event::DeadlineExtended(_)
        | Event::ClockReplanned(_)
        | Event::ResultRecorded(_)
        | Event::ResultRetracted(_) => return None,
    };
    Some(WatchClocksResponse {
        position: event.position,
        recorded_at: event.recorded_at,
        announcement: Some(announcement),
    })
}
