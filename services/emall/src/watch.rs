//! `emall watch`: events as they come, one line each.

pub(crate) mod glob;
mod line;

use std::time::Duration;

use clap::Args;
use contracts::common::RecordedEvent;
use eventlog::bus::{Bus, Incoming, StreamOptions, Subscription, SubscriptionError};
use jiff::tz::TimeZone;
use prost_reflect::DynamicMessage;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{
    end::{End, Failure},
    setup::{self, SERVICES},
    terminal::{self, Paint},
};
use line::{Lines, message, short_name, text_of};

/// How long the bus may take to answer at first; later it is waited for without end.
const PATIENCE: Duration = Duration::from_secs(5);

/// Arguments of `emall watch`.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 when the reader went away or --limit was reached; 2 nothing could be watched; 64 wrong
usage. A bus that goes away later is waited for.")]
pub(crate) struct Watch {
    /// What to watch: `ordering`, `sla` [default: everything]
    #[arg(value_name = "CONTEXT")]
    contexts: Vec<String>,
    /// Only events whose name is like this: `Order*`, `*Shipment*`, `emall.ordering.v1.*`
    #[arg(long, value_name = "GLOB")]
    r#type: Option<String>,
    /// Only of this kind of aggregate: `order`, `damage_claim`, …
    #[arg(long, value_name = "KIND")]
    aggregate: Option<String>,
    /// Only of this platform
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// Only of this order or other thing: our id, or the platform's order number
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Where to begin: `now`, `start`, or a position
    #[arg(long, value_name = "PLACE", default_value = "now", value_parser = parse_from)]
    from: From,
    /// Show only every so many-th event
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// End after so many lines
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Print whole events as JSON lines
    #[arg(long)]
    json: bool,
    /// Address of the bus [default: that of `emall up` on the data folder, else as configured]
    #[arg(long, value_name = "URL")]
    nats: Option<String>,
    #[command(flatten)]
    place: setup::Place,
}

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    Now,
    Position(u64),
}

pub(crate) fn parse_from(text: &str) -> Result<From, String> {
    match text {
        "now" => Ok(From::Now),
        "start" => Ok(From::Position(1)),
        number => match number.parse() {
            Ok(position) if position > 0 => Ok(From::Position(position)),
            _ => Err("write now, start, or a position such as 42".to_owned()),
        },
    }
}

pub(crate) async fn run(args: Watch) -> Result<End, Failure> {
    let contexts = contexts(&args.contexts)?;
    let setup = args.place.read()?;
    let bus = setup.bus("emall-watch", args.nats.as_deref()).await?;
    tokio::time::timeout(PATIENCE, bus.connected()).await.map_err(|_| {
        Failure::broken(format!(
            "the bus at {} does not answer; start `emall up`, or name another with --nats",
            setup.bus_url(args.nats.as_deref())
        ))
    })?;
    let (sender, mut events) = mpsc::channel(1024);
    for context in contexts {
        let (bus, sender, from) = (bus.clone(), sender.clone(), args.from);
        let filters = filters(&context, args.aggregate.as_deref());
        tokio::spawn(async move {
            let told = follow(&bus, &context, from, &filters, &sender).await;
            if let Err(error) = told {
                let _ = sender.send(Err((context, error))).await;
            }
        });
    }
    drop(sender);

    let mut lines = Lines::new(Paint::stdout(), TimeZone::system());
    let (mut seen, mut shown) = (0_u64, 0_u64);
    while let Some(next) = events.recv().await {
        let Incoming { context, event } = match next {
            Ok(incoming) => incoming,
            Err((context, error)) => {
                return Err(Failure::because(
                    format!("{context} cannot be watched further"),
                    error,
                ));
            }
        };
        let message = message(&event);
        let (_, id) = event.stream.split_once('.').unwrap_or(("", &event.stream));
        lines.learn(id, message.as_ref());
        if !args.wants(&event, id, message.as_ref(), &lines) {
            continue;
        }
        seen += 1;
        if !(seen - 1).is_multiple_of(args.every) {
            continue;
        }
        let text = if args.json {
            whole(&context, &event).to_string()
        } else {
            lines.line(&context, &event, message.as_ref())
        };
        terminal::say(&text)?;
        shown += 1;
        if args.limit.is_some_and(|limit| shown >= limit) {
            break;
        }
    }
    Ok(End::Well)
}

/// Names of streams; a name that no service has would be waited for in vain.
fn contexts(asked: &[String]) -> Result<Vec<String>, Failure> {
    if asked.is_empty() {
        return Ok(SERVICES.iter().map(|name| StreamOptions::of(name).name).collect());
    }
    asked
        .iter()
        .map(|context| {
            setup::log_of(context).map(|log| StreamOptions::of(log).name).ok_or_else(|| {
                Failure::usage(format!(
                    "there is no context {context}; choose from {}",
                    SERVICES.join(", ")
                ))
            })
        })
        .collect()
}

fn filters(context: &str, aggregate: Option<&str>) -> Vec<String> {
    let prefix = StreamOptions::of(&context.to_ascii_lowercase()).prefix;
    aggregate.map(|kind| format!("{prefix}.{kind}.*")).into_iter().collect()
}

type Told = Result<Incoming, (String, SubscriptionError)>;

/// Hands on what the stream holds, from where it was asked for; ends when nobody listens any more.
async fn follow(
    bus: &Bus,
    context: &str,
    from: From,
    filters: &[String],
    sender: &mpsc::Sender<Told>,
) -> Result<(), SubscriptionError> {
    let state = bus.stream_state(context).await.ok().flatten();
    let after = match (from, state) {
        (From::Now, Some(state)) => state.last,
        // There is nothing yet: everything that comes is new.
        (From::Now, None) => 0,
        // What has left the stream cannot be shown.
        (From::Position(position), state) => position.max(state.map_or(1, |state| state.first)) - 1,
    };
    let mut subscription = Subscription::open(bus, context, after, filters).await?;
    loop {
        match subscription.next().await {
            Ok(incoming) => {
                if sender.send(Ok(incoming)).await.is_err() {
                    return Ok(());
                }
            }
            Err(SubscriptionError::Unreadable { position, source, .. }) => {
                terminal::complain(&format!(
                    "emall: {context}/{position} is passed over: {source}"
                ));
                subscription.pass_over();
            }
            Err(error) => return Err(error),
        }
    }
}

impl Watch {
    fn wants(
        &self,
        event: &RecordedEvent,
        id: &str,
        message: Option<&DynamicMessage>,
        lines: &Lines,
    ) -> bool {
        let named = |pattern: &String| {
            glob::matches(pattern, short_name(&event.r#type))
                || glob::matches(pattern, &event.r#type)
        };
        let field = |name: &str| message.and_then(|message| text_of(message, name));
        let of_platform = |platform: &String| {
            let caller = event.metadata.as_ref().map(|metadata| metadata.platform.as_str());
            field("platform").as_ref() == Some(platform) || caller == Some(platform.as_str())
        };
        let about = |wanted: &String| {
            let order = field("order_id");
            let ours = wanted == id || order.as_ref() == Some(wanted);
            let number = lines.number(id).or_else(|| lines.number(order.as_deref()?));
            ours || number == Some(wanted.as_str())
        };
        self.r#type.as_ref().is_none_or(named)
            && self.platform.as_ref().is_none_or(of_platform)
            && self.id.as_ref().is_none_or(about)
    }
}

/// Everything about an event, for programs.
fn whole(context: &str, event: &RecordedEvent) -> serde_json::Value {
    let time = |at: Option<&prost_types::Timestamp>| {
        at.and_then(|at| jiff::Timestamp::new(at.seconds, at.nanos).ok()).map(|at| at.to_string())
    };
    let metadata = event.metadata.clone().unwrap_or_default();
    json!({
        "context": context,
        "position": event.position,
        "stream": event.stream,
        "version": event.version,
        "type": event.r#type,
        "event": contracts::json(&event.r#type, &event.body),
        "actor": metadata.actor,
        "platform": metadata.platform,
        "causation": metadata.causation,
        "traceparent": metadata.traceparent,
        "commandedAt": time(metadata.commanded_at.as_ref()),
        "recordedAt": time(event.recorded_at.as_ref()),
    })
}

#[cfg(test)]
mod tests {
    use super::{From, contexts, filters, parse_from};

    #[test]
    fn a_place_to_begin_is_a_word_or_a_position() {
        assert_eq!(parse_from("now"), Ok(From::Now));
        assert_eq!(parse_from("start"), Ok(From::Position(1)));
        assert_eq!(parse_from("42"), Ok(From::Position(42)));
        for wrong in ["0", "-1", "later", ""] {
            assert!(parse_from(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn contexts_are_those_of_the_services() {
        assert_eq!(contexts(&[]).unwrap(), ["ORDERING", "COMPLAINTS", "SLA"]);
        assert_eq!(contexts(&["Ordering".to_owned()]).unwrap(), ["ORDERING"]);
        assert_eq!(contexts(&["sla-monitor".to_owned()]).unwrap(), ["SLA"]);
        let unknown = contexts(&["weather".to_owned()]).unwrap_err().to_string();
        assert!(unknown.contains("ordering"), "{unknown}");
        assert_eq!(filters("ORDERING", Some("order")), ["emall.ordering.order.*"]);
        assert_eq!(filters("ORDERING", None), Vec::<String>::new());
    }
}
