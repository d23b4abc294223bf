use proptest::prelude::*;

use super::*;

fn event(metadata: EventMetadata, stream: &str) -> RecordedEvent {
    RecordedEvent {
        position: 7,
        stream: stream.to_owned(),
        version: 3,
        r#type: "emall.ordering.v1.OrderConfirmed".to_owned(),
        body: Bytes::from_static(&[0, 255, 13, 10]),
        metadata: Some(metadata),
        recorded_at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 }),
    }
}

/// What the client reads at the other end: the header block as it is on the wire, parsed as the
/// client parses it.
fn over_the_wire(event: &RecordedEvent) -> async_nats::Message {
    let mut block = String::new();
    for (name, values) in headers("ORDERING", event).iter() {
        for value in values {
            let _ = writeln!(block, "{name}: {value}\r");
        }
    }
    let mut read = HeaderMap::new();
    for line in block.lines() {
        let (name, value) = line.split_once(':').unwrap();
        read.append(name, value.trim());
    }
    async_nats::Message {
        subject: subject("emall.ordering", &event.stream).into(),
        reply: None,
        payload: body(event),
        headers: Some(read),
        status: None,
        description: None,
        length: 0,
    }
}

#[test]
fn a_message_carries_the_cloudevents_attributes() {
    let metadata = EventMetadata { actor: "zcy".into(), ..EventMetadata::default() };
    let headers = headers("ORDERING", &event(metadata, "order.7f3c"));
    let text = |name: &str| headers.get(name).map(|value| value.as_str().to_owned());
    assert_eq!(text("ce-id").as_deref(), Some("ORDERING/7"));
    assert_eq!(text("ce-type").as_deref(), Some("emall.ordering.v1.OrderConfirmed"));
    assert_eq!(text("ce-source").as_deref(), Some("/emall/ordering"));
    assert_eq!(text("ce-subject").as_deref(), Some("order.7f3c"));
    assert_eq!(text("ce-time").as_deref(), Some("2023-11-14T22:13:20.123456Z"));
    assert_eq!(text("ce-specversion").as_deref(), Some("1.0"));
    assert_eq!(text("emall-position").as_deref(), Some("7"));
    assert_eq!(text("emall-version").as_deref(), Some("3"));
    assert_eq!(text("emall-actor").as_deref(), Some("zcy"));
    assert_eq!(text("emall-platform"), None);
}

#[test]
fn hostile_metadata_comes_through_unharmed() {
    for hostile in [
        "a\r\nNats-Expected-Last-Sequence: 0",
        "\n",
        "\r",
        " leading and trailing ",
        "\t\u{0}\u{7f}",
        "操作员 \"甲\" 100%",
        "%41",
        "\u{feff}\u{2028}",
    ] {
        let metadata = EventMetadata {
            actor: hostile.into(),
            platform: hostile.into(),
            causation: hostile.into(),
            traceparent: hostile.into(),
            commanded_at: Some(prost_types::Timestamp { seconds: 1, nanos: 2 }),
        };
        let event = event(metadata, &format!("order.{hostile}"));
        let read = Incoming::parse(&over_the_wire(&event)).unwrap();
        assert_eq!(read, Incoming { context: "ORDERING".into(), event });
    }
}

#[test]
fn a_subject_has_four_tokens_whatever_the_id() {
    assert_eq!(subject("emall.ordering", "order.7f-3c_A"), "emall.ordering.order.7f-3c_A");
    for id in ["a.b", "*", ">", "a b", "", "\r\n", "单", "%", "a..b"] {
        let subject = subject("emall.ordering", &format!("order.{id}"));
        let tokens: Vec<&str> = subject.split('.').collect();
        assert_eq!(tokens.len(), 4, "{subject}");
        assert!(!tokens[3].is_empty() && !subject.contains([' ', '*', '>', '\r', '\n']));
    }
}

#[test]
fn a_message_without_a_needed_header_is_no_event() {
    for header in ["ce-id", "ce-type", "ce-subject", "ce-time", "emall-position", "emall-version"] {
        let mut message = over_the_wire(&event(EventMetadata::default(), "order.1"));
        let mut headers = HeaderMap::new();
        for (name, values) in message.headers.unwrap().iter() {
            if name.to_string() != header {
                headers.insert(name.clone(), values[0].clone());
            }
        }
        message.headers = Some(headers);
        assert_eq!(Incoming::parse(&message).unwrap_err(), NotAnEvent { header });
    }
}

#[test]
fn headers_from_a_stranger_never_panic() {
    for value in ["", "%", "%4", "%zz", "%FF%FE", "18446744073709551616", "-1", "x/y/z"] {
        for header in ["ce-id", "ce-type", "ce-time", "emall-position", "emall-commanded-at"] {
            let mut message = over_the_wire(&event(EventMetadata::default(), "order.1"));
            message.headers.as_mut().unwrap().insert(header, value);
            let _ = Incoming::parse(&message);
        }
    }
}

proptest! {
    #[test]
    fn any_event_survives_the_way_over_the_bus(
        actor in ".*", platform in ".*", causation in ".*", id in ".*",
        seconds in -60_000_000_000_i64..200_000_000_000, nanos in 0..1_000_000_000_i32,
    ) {
        let at = prost_types::Timestamp { seconds, nanos };
        let metadata = EventMetadata {
            actor, platform, causation, traceparent: String::new(), commanded_at: Some(at),
        };
        let event = event(metadata, &format!("order.{id}"));
        let read = Incoming::parse(&over_the_wire(&event)).unwrap();
        prop_assert_eq!(read, Incoming { context: "ORDERING".into(), event });
    }
}
