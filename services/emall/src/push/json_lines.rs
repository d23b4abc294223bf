//! Orders from JSON lines: one `OrderDraft` in protobuf JSON a line.

use std::io::{self, BufRead};

use contracts::ordering::OrderDraft;
use prost_reflect::{DeserializeOptions, DynamicMessage, MessageDescriptor};

use super::entry::{Entry, ReadError};
use crate::refusal::Refusal;

/// Longest line, so that a file that is none of ours does not fill the memory.
const LONGEST_LINE: u64 = 8 * 1024 * 1024;

/// Reads orders line by line; empty lines are passed over.
pub(crate) struct Drafts<R> {
    input: R,
    descriptor: MessageDescriptor,
    platform: String,
    line: u64,
    done: bool,
}

impl<R: BufRead> Drafts<R> {
    /// # Errors
    /// The contracts do not know the message: a broken build.
    pub(crate) fn new(input: R, platform: &str) -> Result<Self, ReadError> {
        let descriptor =
            contracts::pool().get_message_by_name("emall.ordering.v1.OrderDraft").ok_or_else(
                || ReadError::Format("this build knows no OrderDraft; build anew".into()),
            )?;
        Ok(Self { input, descriptor, platform: platform.to_owned(), line: 0, done: false })
    }

    fn entry(&self, text: &[u8]) -> Entry {
        match self.draft(text) {
            Ok(mut draft) => {
                if draft.platform.is_empty() {
                    draft.platform.clone_from(&self.platform);
                }
                Entry::Order(Box::new(draft))
            }
            Err(problem) => Entry::Unsendable {
                label: format!("line {}", self.line),
                refusals: vec![Refusal::malformed(
                    "order",
                    format!("line {}, {problem}", self.line),
                )],
            },
        }
    }

    fn draft(&self, text: &[u8]) -> Result<OrderDraft, String> {
        let mut json = serde_json::Deserializer::from_slice(text);
        let options = DeserializeOptions::new().deny_unknown_fields(true);
        let message =
            DynamicMessage::deserialize_with_options(self.descriptor.clone(), &mut json, &options)
                .and_then(|message| json.end().map(|()| message))
                .map_err(|error| told(&error))?;
        message.transcode_to().map_err(|error| error.to_string())
    }
}

/// serde counts lines within the line: only the column means something.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    format!("column {}: {}", error.column(), text.strip_suffix(&position).unwrap_or(&text))
}

impl<R: BufRead> Iterator for Drafts<R> {
    type Item = Result<Entry, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.done {
            let mut text = Vec::new();
            let input = &mut self.input;
            let read = io::Read::take(input, LONGEST_LINE).read_until(b'\n', &mut text);
            match read {
                Ok(0) => break,
                Err(source) => {
                    self.done = true;
                    return Some(Err(ReadError::Io { line: self.line, source }));
                }
                Ok(length) => {
                    self.line += 1;
                    if u64::try_from(length).is_ok_and(|length| length == LONGEST_LINE) {
                        self.done = true;
                        return Some(Err(ReadError::Format(format!(
                            "line {} is longer than 8 MiB; is this a file of JSON lines, one order a line?",
                            self.line
                        ))));
                    }
                    let bare = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
                    if !bare.trim_ascii().is_empty() {
                        return Some(Ok(self.entry(bare.trim_ascii())));
                    }
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::Drafts;
    use crate::push::entry::Entry;

    fn read(text: &str) -> Vec<Entry> {
        Drafts::new(text.as_bytes(), "mall").unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_line_is_an_order_in_protobuf_json() {
        let entries = read(concat!(
            "\u{feff}{\"platformOrderNo\":\"1\",\"lines\":[{\"lineNo\":1,\"quantity\":2}],",
            "\"total\":{\"minorUnits\":\"250\",\"currency\":\"CNY\"},",
            "\"placedAt\":\"2010-12-01T00:26:00Z\",\"urgency\":\"URGENCY_URGENT\"}\n\n",
            "{\"platform_order_no\":\"2\"}",
        ));
        let [Entry::Order(first), Entry::Order(second)] = entries.as_slice() else {
            panic!("{entries:?}")
        };
        assert_eq!(first.total.as_ref().unwrap().minor_units, 250);
        assert_eq!(first.placed_at.unwrap().seconds, 1_291_163_160);
        assert_eq!((second.platform_order_no.as_str(), second.platform.as_str()), ("2", "mall"));
    }

    #[test]
    fn a_bad_line_is_named_with_line_and_column_and_spoils_nothing_else() {
        let entries = read(
            "{\"platformOrderNo\":\"1\"}\n{\"platformOrderNo\":7}\n{\"no\":\"1\"}\nnonsense\n{\"lines\":[{\"quantity\":-1}]}\n{} {}\n",
        );
        let told: Vec<_> = entries
            .iter()
            .map(|entry| match entry {
                Entry::Order(order) => order.platform_order_no.clone(),
                Entry::Unsendable { refusals, .. } => refusals[0].message.clone(),
                Entry::Cancellation(_) => panic!("{entry:?}"),
            })
            .collect();
        assert_eq!(told.len(), 6);
        assert_eq!(told[0], "1");
        for (index, message) in told.iter().enumerate().skip(1) {
            assert!(message.starts_with(&format!("line {}, column ", index + 1)), "{message}");
        }
        assert!(told[2].contains("no"), "{}", told[2]);
    }
}
