//! What departments are told at the end of a month: the quality feedback table (OPS-07), and what calls were
//! about (OPS-08).

use std::collections::{BTreeMap, BTreeSet};

use chassis::days::ZONE;
use contracts::complaints::{
    CallAnalysisLine, CauseClass, Complaint, ComplaintChannel, ComplaintKind, ComplaintLevel,
    ComplaintPhase, Department, GetCallAnalysisResponse, QualityFeedbackLine,
};
use eventlog::time::from_proto;

use crate::complaint::skus;

/// Root causes that a line names, at most.
const MOST_CAUSES: usize = 20;

/// The lines of the quality feedback table: complaints with us by department, cause, topic and product. A
/// complaint about several products counts once for each.
#[derive(Debug, Default)]
pub struct QualityFeedback {
    lines: BTreeMap<(i32, i32, String, String), QualityFeedbackLine>,
    /// The complaints themselves: what actions came of them is looked for.
    ids: BTreeSet<String>,
}

impl QualityFeedback {
    /// Takes a case in; what is no complaint, was cancelled, or is another department's, is left out.
    pub fn take_in(&mut self, complaint: &Complaint, only: Option<Department>) {
        let is_other = only.is_some_and(|department| department != complaint.department());
        if complaint.kind() != ComplaintKind::Complaint
            || complaint.phase() == ComplaintPhase::Cancelled
            || is_other
        {
            return;
        }
        self.ids.insert(complaint.complaint_id.clone());
        let mut products = skus(&complaint.items);
        if products.is_empty() {
            products.push(String::new());
        }
        for sku in products {
            let key = (complaint.department, complaint.cause, complaint.topic.clone(), sku.clone());
            let line = self.lines.entry(key).or_insert_with(|| QualityFeedbackLine {
                department: complaint.department,
                cause: complaint.cause,
                topic: complaint.topic.clone(),
                sku,
                ..QualityFeedbackLine::default()
            });
            line.complaints += 1;
            line.major += u64::from(complaint.level() == ComplaintLevel::Major);
            line.closed += u64::from(complaint.phase() == ComplaintPhase::Closed);
            let cause = &complaint.root_cause;
            let is_new = !cause.is_empty() && !line.root_causes.contains(cause);
            if is_new && line.root_causes.len() < MOST_CAUSES {
                line.root_causes.push(cause.clone());
            }
        }
    }

    /// Whether an action came of one of them.
    #[must_use]
    pub fn led_to(&self, complaint_id: &str) -> bool {
        self.ids.contains(complaint_id)
    }

    /// The lines, in order.
    #[must_use]
    pub fn lines(self) -> Vec<QualityFeedbackLine> {
        self.lines.into_values().collect()
    }
}

/// What calls were about: cases that came by telephone or hotline, complaints or not.
#[derive(Debug, Default)]
pub struct Calls {
    told: GetCallAnalysisResponse,
    kinds: BTreeMap<String, u64>,
    topics: BTreeMap<String, u64>,
    hours: BTreeMap<String, u64>,
    regions: BTreeMap<String, u64>,
    /// The cases themselves: what actions came of them is looked for.
    ids: BTreeSet<String>,
}

impl Calls {
    /// Takes a case in; one that came another way is left out.
    pub fn take_in(&mut self, case: &Complaint) {
        if !matches!(case.channel(), ComplaintChannel::Phone | ComplaintChannel::Hotline) {
            return;
        }
        self.told.calls += 1;
        let is_recorded = !case.recording_sha256.is_empty() || !case.recordings.is_empty();
        self.told.recorded += u64::from(is_recorded);
        self.told.closed += u64::from(case.phase() == ComplaintPhase::Closed);
        let count = |counts: &mut BTreeMap<String, u64>, value: String| {
            *counts.entry(value).or_default() += 1;
        };
        let kind = case.kind().as_str_name().trim_start_matches("COMPLAINT_KIND_");
        count(&mut self.kinds, kind.to_owned());
        count(&mut self.topics, topic(case));
        count(&mut self.regions, case.region.clone());
        if let Some(at) = case.received_at.as_ref().and_then(from_proto) {
            count(&mut self.hours, format!("{:02}", ZONE.to_datetime(at).hour()));
        }
        self.ids.insert(case.complaint_id.clone());
    }

    /// Whether an action came of one of them.
    #[must_use]
    pub fn led_to(&self, complaint_id: &str) -> bool {
        self.ids.contains(complaint_id)
    }

    /// The analysis, without the actions.
    #[must_use]
    pub fn analysis(self) -> GetCallAnalysisResponse {
        let lines = |counts: BTreeMap<String, u64>| {
            counts.into_iter().map(|(value, calls)| CallAnalysisLine { value, calls }).collect()
        };
        GetCallAnalysisResponse {
            by_kind: lines(self.kinds),
            by_topic: lines(self.topics),
            by_hour: lines(self.hours),
            by_region: lines(self.regions),
            ..self.told
        }
    }
}

/// What exactly a case is about; its cause where nobody says so.
fn topic(case: &Complaint) -> String {
    match (case.topic.as_str(), case.cause()) {
        ("", CauseClass::Unspecified) => String::new(),
        ("", cause) => cause.as_str_name().trim_start_matches("CAUSE_CLASS_").to_owned(),
        (topic, _) => topic.to_owned(),
    }
}

#[cfg(test)]
mod tests;
