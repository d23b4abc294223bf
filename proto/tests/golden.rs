//! A golden sample of every event ever stored: read for ever, written once.
//!
//! `golden/<type>.json` holds the bytes as they were written (hex) and what they say. A sample is
//! never rewritten: a new field leaves the old sample readable. `EMALL_GOLDEN=write` adds samples
//! for events that have none yet, and changes no other.

#![allow(clippy::unwrap_used, reason = "a test ends where something goes wrong")]

use std::{collections::BTreeSet, env, fs, path::PathBuf};

use contracts::Event;
use prost::Message as _;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};
use serde_json::json;

fn events() -> BTreeSet<&'static str> {
    use contracts::{
        complaints::{
            account_event, complaint_event, corrective_action_event, pattern_event,
            report_submission_event, sale_event, standard_solution_event, survey_answer_event,
        },
        ordering::{
            contract_event, damage_claim_event, enquiry_event, order_event, reconciliation_event,
        },
        sla::{bindings_event, calendar_event, clock_event, holidays_event, profile_event},
    };
    [
        order_event::Event::TYPES,
        enquiry_event::Event::TYPES,
        contract_event::Event::TYPES,
        damage_claim_event::Event::TYPES,
        reconciliation_event::Event::TYPES,
        complaint_event::Event::TYPES,
        account_event::Event::TYPES,
        corrective_action_event::Event::TYPES,
        pattern_event::Event::TYPES,
        report_submission_event::Event::TYPES,
        sale_event::Event::TYPES,
        standard_solution_event::Event::TYPES,
        survey_answer_event::Event::TYPES,
        clock_event::Event::TYPES,
        profile_event::Event::TYPES,
        bindings_event::Event::TYPES,
        calendar_event::Event::TYPES,
        holidays_event::Event::TYPES,
    ]
    .into_iter()
    .flatten()
    .copied()
    .collect()
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

#[test]
fn every_event_type_of_the_contracts_is_covered_here() {
    let in_contracts: BTreeSet<String> = contracts::pool()
        .all_messages()
        .filter(|message| message.name().ends_with("Event") && message.oneofs().count() == 1)
        .flat_map(|message| message.fields().collect::<Vec<_>>())
        .filter_map(|field| Some(field.kind().as_message()?.full_name().to_owned()))
        .collect();
    let covered: BTreeSet<String> = events().into_iter().map(str::to_owned).collect();
    assert_eq!(in_contracts, covered, "list the new event enum in `events()`");
}

#[test]
fn every_event_ever_stored_is_still_read_the_same() {
    let mut missing = Vec::new();
    for name in events() {
        let path = folder().join(format!("{name}.json"));
        if !path.exists() && env::var("EMALL_GOLDEN").is_ok_and(|mode| mode == "write") {
            write_sample(name, &path);
        }
        let Ok(text) = fs::read_to_string(&path) else {
            missing.push(name);
            continue;
        };
        let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = from_hex(golden["bytes"].as_str().unwrap());
        let says = contracts::json(name, &bytes).unwrap();
        assert_eq!(says, golden["says"], "{name} no longer reads as it was written");
    }
    assert!(
        missing.is_empty(),
        "no golden sample for {missing:?}: run the tests of `contracts` with EMALL_GOLDEN=write"
    );
}

#[test]
fn generated_types_and_descriptors_read_the_same_bytes() {
    use contracts::{
        complaints::{
            account_event, complaint_event, corrective_action_event, pattern_event,
            report_submission_event, sale_event, standard_solution_event, survey_answer_event,
        },
        ordering::{
            contract_event, damage_claim_event, enquiry_event, order_event, reconciliation_event,
        },
        sla::{bindings_event, calendar_event, clock_event, holidays_event, profile_event},
    };
    agree::<order_event::Event>();
    agree::<enquiry_event::Event>();
    agree::<contract_event::Event>();
    agree::<damage_claim_event::Event>();
    agree::<reconciliation_event::Event>();
    agree::<complaint_event::Event>();
    agree::<account_event::Event>();
    agree::<corrective_action_event::Event>();
    agree::<pattern_event::Event>();
    agree::<report_submission_event::Event>();
    agree::<sale_event::Event>();
    agree::<standard_solution_event::Event>();
    agree::<survey_answer_event::Event>();
    agree::<clock_event::Event>();
    agree::<profile_event::Event>();
    agree::<bindings_event::Event>();
    agree::<calendar_event::Event>();
    agree::<holidays_event::Event>();
}

fn agree<E: Event>() {
    for name in E::TYPES {
        let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
        let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
        let bytes = from_hex(golden["bytes"].as_str().unwrap());
        let event = E::decode_body(name, &bytes).unwrap();
        assert_eq!(event.type_name(), *name);
        assert_eq!(contracts::json(name, &event.encode_body()), contracts::json(name, &bytes));
    }
}

#[test]
fn no_golden_sample_is_left_without_its_event() {
    let known = events();
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let event = name.strip_suffix(".json").unwrap();
        assert!(known.contains(event), "{event} was stored once: its type may not go away");
    }
}

fn write_sample(name: &str, path: &PathBuf) {
    let descriptor = contracts::pool().get_message_by_name(name).unwrap();
    let bytes = sample(&descriptor, 0).encode_to_vec();
    let golden = json!({ "says": contracts::json(name, &bytes).unwrap(), "bytes": to_hex(&bytes) });
    fs::create_dir_all(folder()).unwrap();
    fs::write(path, serde_json::to_string_pretty(&golden).unwrap() + "\n").unwrap();
}

/// A message with every field set to something that its zero is not.
fn sample(descriptor: &MessageDescriptor, depth: u8) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    if descriptor.full_name() == "google.protobuf.Timestamp" {
        message.set_field_by_name("seconds", Value::I64(1_768_438_800));
        message.set_field_by_name("nanos", Value::I32(250_000_000));
        return message;
    }
    for field in descriptor.fields() {
        let value = sample_value(&field, depth);
        if field.is_list() {
            message.set_field(&field, Value::List(vec![value]));
        } else if field.is_map() {
            message.set_field(
                &field,
                Value::Map([(MapKey::String("key".into()), value)].into_iter().collect()),
            );
        } else {
            message.set_field(&field, value);
        }
    }
    message
}

fn sample_value(field: &FieldDescriptor, depth: u8) -> Value {
    let number = field.number();
    match field.kind() {
        Kind::Message(inner) => Value::Message(sample(&inner, depth + 1)),
        Kind::Enum(inner) => {
            let last = inner.values().last().unwrap();
            Value::EnumNumber(last.number())
        }
        Kind::String => Value::String(format!("{} 样本 {number}", field.name())),
        Kind::Bytes => Value::Bytes(vec![u8::try_from(number % 256).unwrap(); 3].into()),
        Kind::Bool => Value::Bool(true),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(-1_000 - i64::from(number)),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(1_000 + u64::from(number)),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
            Value::I32(-10 - i32::try_from(number).unwrap())
        }
        Kind::Uint32 | Kind::Fixed32 => Value::U32(10 + number),
        Kind::Float => Value::F32(1.5),
        Kind::Double => Value::F64(2.5),
    }
}

fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
