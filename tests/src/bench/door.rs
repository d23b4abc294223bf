//! Through the door, as a platform does it: `emall up` with SQLite, its bus and its relay running.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use contracts::ordering::{OrderDraft, PushOrderRequest, PushOrdersRequest};
use e2e::{
    orders,
    stack::{MALL_A, Stack},
};
use eventlog::bus::{Bus, BusOptions, Subscription};
use futures::StreamExt;
use tokio::task::JoinSet;

use crate::figures::{Aim, Report, percentile};

const IN_FLIGHT: u64 = 64;
const CONNECTIONS: u64 = 4;
const UNARY: u64 = 80_000;
const STREAMED: u32 = 200_000;
/// Persons among the recipients: as with real buyers, most have ordered before.
const PERSONS: u64 = 1_000;

pub(crate) async fn measure(report: &mut Report) {
    let stack = Stack::start().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (own, bus) = (resident(stack.pid()), children(stack.pid()).into_iter().map(resident).sum());
    report.aimed("emall up, idle, resident", "sqlite", own, "MiB", Aim::AtMost(150.0));
    report.add("its nats-server, idle, resident", "sqlite", bus, "MiB");

    unary(&stack, 0, 5_000).await; // warm
    let (rate, mut latencies) = unary(&stack, 5_000, UNARY).await;
    latencies.sort_by(f64::total_cmp);
    report.aimed("unary push, 64 in flight", "sqlite", rate, "orders/s", Aim::AtLeast(8_000.0));
    report.add("unary push, p50", "sqlite", percentile(&latencies, 0.5), "ms");
    let p99 = percentile(&latencies, 0.99);
    report.aimed("unary push, p99", "sqlite", p99, "ms", Aim::AtMost(25.0));

    let busy = || {
        let server = children(stack.pid()).into_iter().map(cpu_seconds).sum::<f64>();
        (cpu_seconds(stack.pid()), server)
    };
    let before = busy();
    let rate = streamed(&stack, STREAMED).await;
    report.aimed("streamed push, one stream", "sqlite", rate, "orders/s", Aim::AtLeast(20_000.0));
    let after = busy();
    let each = |seconds: f64| seconds * 1e6 / f64::from(STREAMED);
    report.add(
        "streamed push, processor time of emall up",
        "sqlite",
        each(after.0 - before.0),
        "µs/order",
    );
    report.add(
        "streamed push, processor time of its nats-server",
        "sqlite",
        each(after.1 - before.1),
        "µs/order",
    );

    settle(&stack).await;
    let mut latencies = latency(&stack, 1_000, Duration::from_secs(10)).await;
    latencies.sort_by(f64::total_cmp);
    let (p50, p99) = (percentile(&latencies, 0.5), percentile(&latencies, 0.99));
    report.add("commit to subscriber at 1,000 events/s, p50", "sqlite", p50, "ms");
    let aim = Aim::AtMost(20.0);
    report.aimed("commit to subscriber at 1,000 events/s, p99", "sqlite", p99, "ms", aim);
    report.add("emall up, after the load, resident", "sqlite", resident(stack.pid()), "MiB");
}

fn draft(base: &OrderDraft, number: u64) -> OrderDraft {
    let mut order = base.clone();
    order.platform_order_no = format!("B-{number}");
    for at in [&mut order.placed_at, &mut order.deliver_by].into_iter().flatten() {
        at.nanos = i32::try_from(number % 1_000_000).unwrap_or(0) * 1_000;
    }
    if let Some(recipient) = &mut order.recipient {
        recipient.phone = format!("138{:08}", number % PERSONS);
    }
    order
}

/// Orders a second, and milliseconds of each call.
async fn unary(stack: &Stack, first: u64, count: u64) -> (f64, Vec<f64>) {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(stack.orders(MALL_A).await);
    }
    let next = Arc::new(AtomicU64::new(first));
    let mut callers = JoinSet::new();
    let begun = Instant::now();
    for caller in 0..IN_FLIGHT {
        let mut mall = clients[usize::try_from(caller % CONNECTIONS).unwrap_or(0)].clone();
        let next = next.clone();
        callers.spawn(async move {
            let base = orders::draft("", "");
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= first + count {
                    return latencies;
                }
                let order = Some(draft(&base, number));
                let sent = Instant::now();
                mall.push_order(PushOrderRequest { order }).await.expect("pushed");
                latencies.push(sent.elapsed().as_secs_f64() * 1e3);
            }
        });
    }
    let mut latencies = Vec::new();
    while let Some(caller) = callers.join_next().await {
        latencies.extend(caller.expect("a caller"));
    }
    (per_second(count, begun.elapsed()), latencies)
}

async fn streamed(stack: &Stack, count: u32) -> f64 {
    let mut mall = stack.orders(MALL_A).await;
    let base = orders::draft("", "");
    let requests = futures::stream::iter((0..count).map(move |number| PushOrdersRequest {
        r#ref: String::new(),
        order: Some(draft(&base, 10_000_000 + u64::from(number))),
    }));
    let begun = Instant::now();
    let mut answers = mall.push_orders(requests).await.expect("a stream").into_inner();
    let mut accepted = 0;
    while let Some(answer) = answers.next().await {
        assert!(answer.expect("an answer").refusal.is_none());
        accepted += 1;
    }
    assert_eq!(accepted, count);
    per_second(u64::from(count), begun.elapsed())
}

async fn bus(stack: &Stack) -> Bus {
    let url = format!("nats://{}", stack.bus);
    let bus = Bus::connect(BusOptions::new("bench", url)).await.expect("a bus");
    bus.connected().await;
    bus
}

/// Waits until the relay has caught up.
async fn settle(stack: &Stack) {
    let bus = bus(stack).await;
    let mut last = 0;
    loop {
        let state = bus.stream_state("ORDERING").await.expect("a stream");
        let now = state.map_or(0, |state| state.last);
        if now == last && now > 0 {
            return;
        }
        last = now;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Milliseconds from the moment at which the log stamped an event, before its commit, to its
/// arrival at a subscriber.
async fn latency(stack: &Stack, rate: u64, length: Duration) -> Vec<f64> {
    let bus = bus(stack).await;
    let state = bus.stream_state("ORDERING").await.expect("a stream").expect("a stream");
    let mut events =
        Subscription::open(&bus, "ORDERING", state.last, &[]).await.expect("a subscription");
    let count = rate * length.as_secs();
    let reader = tokio::spawn(async move {
        let mut latencies = Vec::new();
        for _ in 0..count {
            let event = events.next().await.expect("an event");
            let now = eventlog::Clock::now(&eventlog::SystemClock);
            let recorded = event.recorded_at.as_ref().and_then(eventlog::time::from_proto);
            let recorded = recorded.expect("every event is stamped");
            latencies.push(now.duration_since(recorded).as_secs_f64() * 1e3);
        }
        latencies
    });
    let mall = stack.orders(MALL_A).await;
    let base = orders::draft("", "");
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    let mut pushes = JoinSet::new();
    for number in 0..count {
        if number % (rate / 100) == 0 {
            ticks.tick().await;
        }
        let mut mall = mall.clone();
        let order = Some(draft(&base, 20_000_000 + number));
        pushes.spawn(async move { mall.push_order(PushOrderRequest { order }).await });
    }
    while let Some(push) = pushes.join_next().await {
        push.expect("a caller").expect("pushed");
    }
    reader.await.expect("a reader")
}

/// Resident memory of a process in MiB.
fn resident(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// Processor time of a process so far, in seconds.
fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // user and system time are fields 14 and 15, in hundredths; the name, field 2, may hold blanks
    let after_name = stat.rsplit_once(") ").map_or("", |(_, after)| after);
    let ticks: f64 =
        after_name.split(' ').skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn children(pid: u32) -> Vec<u32> {
    std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|child| child.parse().ok())
        .collect()
}

#[allow(clippy::cast_precision_loss, reason = "far fewer than 2^52")]
fn per_second(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
