//! The settings of a stream: those it is created with, and those that are refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::StreamOptions;

/// One setting of a stream that is not as it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// As the server calls it: `storage`.
    pub setting: &'static str,
    /// What the stream has.
    pub found: String,
    /// What it must have.
    pub wanted: String,
    /// What would happen otherwise, as the end of a sentence.
    pub because: &'static str,
}

pub(super) fn sentence(faults: &[Fault]) -> String {
    let mut text = faults
        .iter()
        .map(|fault| {
            let Fault { setting, found, wanted, because } = fault;
            format!("{setting} is {found} but must be {wanted}, because {because}")
        })
        .collect::<Vec<_>>()
        .join("; ");
    text.push_str(
        ". Correct it with `nats stream edit`, or delete the stream: it is created anew and filled from the log",
    );
    text
}

/// A stream's settings as the server writes them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Config {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    subjects: Vec<String>,
    retention: String,
    storage: String,
    #[serde(default)]
    discard: String,
    max_msgs: i64,
    max_bytes: i64,
    max_age: u64,
    #[serde(default)]
    max_msgs_per_subject: i64,
    #[serde(default)]
    max_msg_size: i64,
    max_consumers: i64,
    num_replicas: usize,
    #[serde(default)]
    deny_delete: bool,
    #[serde(default)]
    deny_purge: bool,
    #[serde(default)]
    allow_direct: bool,
    #[serde(default, skip_serializing_if = "is_first")]
    first_seq: u64,
    /// Everything else, of this server's version or a later one.
    #[serde(flatten)]
    more: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_first(sequence: &u64) -> bool {
    *sequence <= 1
}

impl StreamOptions {
    pub(super) fn config(&self, first: u64) -> Config {
        Config {
            name: self.name.clone(),
            description: "events of one log; the sequence is the position".to_owned(),
            subjects: vec![self.subjects()],
            retention: "limits".to_owned(),
            storage: "file".to_owned(),
            discard: "new".to_owned(),
            max_msgs: -1,
            max_bytes: self.max_bytes.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX)),
            max_age: self.max_age_nanos(),
            max_msgs_per_subject: -1,
            max_msg_size: -1,
            max_consumers: -1,
            num_replicas: self.replicas,
            deny_delete: true,
            deny_purge: true,
            allow_direct: true,
            first_seq: first,
            more: Map::new(),
        }
    }

    fn max_age_nanos(&self) -> u64 {
        self.max_age.map_or(0, |age| u64::try_from(age.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Everything about a stream that could lose events, repeat them or put strange ones between.
pub(super) fn faults(options: &StreamOptions, found: &Config) -> Vec<Fault> {
    let wanted = options.config(1);
    let mut faults = Vec::new();
    let mut check = |fine: bool, setting, found: Value, wanted: Value, because| {
        if !fine {
            let (found, wanted) = (found.to_string(), wanted.to_string());
            faults.push(Fault { setting, found, wanted, because });
        }
    };
    macro_rules! same {
        ($setting:ident, $because:literal) => {
            check(
                found.$setting == wanted.$setting,
                stringify!($setting),
                Value::from(found.$setting.clone()),
                Value::from(wanted.$setting.clone()),
                $because,
            );
        };
    }
    same!(subjects, "every event of the log, and nothing else, belongs on its stream");
    same!(storage, "a restart of the server would empty the stream");
    same!(retention, "events would vanish before every subscriber has read them");
    same!(discard, "a full stream would drop its oldest events without a word");
    same!(deny_delete, "a deleted message is a hole in the sequence");
    same!(deny_purge, "a purge would take events from subscribers that have not read them");
    same!(allow_direct, "the relay compares the last message with the log");
    let unlimited = |limit: i64| limit <= 0;
    check(
        unlimited(found.max_msgs),
        "max_msgs",
        found.max_msgs.into(),
        (-1).into(),
        "a log has no largest number of events",
    );
    check(
        unlimited(found.max_msgs_per_subject),
        "max_msgs_per_subject",
        found.max_msgs_per_subject.into(),
        (-1).into(),
        "the history of one aggregate has no largest length",
    );
    check(
        unlimited(found.max_msg_size),
        "max_msg_size",
        found.max_msg_size.into(),
        (-1).into(),
        "one large event would stop the relay",
    );
    check(
        unlimited(found.max_consumers),
        "max_consumers",
        found.max_consumers.into(),
        (-1).into(),
        "a subscriber too many could not read",
    );
    check(
        found.max_age == 0 || (wanted.max_age != 0 && found.max_age >= wanted.max_age),
        "max_age",
        found.max_age.into(),
        wanted.max_age.into(),
        "events would leave earlier than configured",
    );
    check(
        unlimited(found.max_bytes)
            || (!unlimited(wanted.max_bytes) && found.max_bytes >= wanted.max_bytes),
        "max_bytes",
        found.max_bytes.into(),
        wanted.max_bytes.into(),
        "the stream would refuse events earlier than configured",
    );
    check(
        found.num_replicas >= wanted.num_replicas,
        "num_replicas",
        found.num_replicas.into(),
        wanted.num_replicas.into(),
        "fewer servers would keep a copy than configured",
    );
    let persisted = found.more.get("persist_mode").and_then(Value::as_str).unwrap_or("default");
    check(
        persisted != "async",
        "persist_mode",
        persisted.into(),
        "default".into(),
        "the server would acknowledge what it has not stored",
    );
    for (setting, because) in FOREIGN {
        if let Some(value) = found.more.get(setting).filter(|value| is_set(value)) {
            check(false, setting, value.clone(), Value::from("unset"), because);
        }
    }
    faults
}

/// Settings that must be off, wherever the server knows them.
const FOREIGN: [(&str, &str); 12] = [
    ("no_ack", "the relay would never learn what is stored"),
    ("sealed", "a sealed stream takes no more events"),
    ("mirror", "a mirror takes its messages from elsewhere"),
    ("sources", "messages from elsewhere would take the positions of events"),
    ("subject_transform", "events would be stored under other subjects"),
    ("allow_rollup_hdrs", "one message could replace all others"),
    ("subject_delete_marker_ttl", "the server would put markers between the events"),
    ("allow_msg_ttl", "a message could expire out of the middle of the stream"),
    ("allow_msg_counter", "the server would change the bodies of events"),
    ("allow_msg_schedules", "the server would put scheduled messages between the events"),
    ("discard_new_per_subject", "the history of one aggregate has no largest length"),
    ("template_owner", "a template could change the stream"),
];

fn is_set(value: &Value) -> bool {
    !(value.is_null()
        || *value == Value::Bool(false)
        || value.as_u64() == Some(0)
        || value.as_str() == Some("")
        || value.as_array().is_some_and(Vec::is_empty))
}
