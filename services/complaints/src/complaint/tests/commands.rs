//! Every command, with arguments that would be taken where it is allowed.

use super::*;

macro_rules! commands {
    ($($name:ident,)*) => {
        /// A command.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Command { $($name,)* }

        /// All of them.
        pub(crate) const ALL: &[Command] = &[$(Command::$name,)*];
    };
}

commands! {
    Receive, Acknowledge, Confirm, Accept, Assess, Overdue, Lower, Ask, Answered,
    Offer, OfferMore, Agree, AgreeMore, Refuse, Exceed, Escalate, EscalateMore, Review,
    Decide, DecideAgainst, Start, Implement, Change, TellChange, VisitUnhappy, Visit, OrderRemedy,
    Remedy, Analyse, AnswerOne, AnswerTwo, Notice, Close, Reopen, Cancel, Penalise, Archive, Inform,
    Correct,
}

use Command::*;

impl Command {
    pub(crate) fn decide(self, complaint: &Complaint, when: When) -> Result<Vec<Event>, Rejection> {
        let policy = Policy::default();
        let later = when.now + SignedDuration::from_hours(48);
        match self {
            Receive => complaint.receive(&intake(), &Known::default(), "李", &policy, when),
            Acknowledge => complaint.acknowledge("李", when),
            Confirm => complaint.confirm("李", None, when),
            // a deadline of its own: a repeat names the same one
            Accept => complaint.accept("李", 0, at(99_000), &policy, when),
            Assess => complaint.assess(&assessed("不严重", 40_000), "李", &policy, when),
            Overdue => complaint.overdue(when),
            Lower => complaint.lower("金额有误", "赵", &policy, when),
            Ask => complaint.ask_user("何时发现?", "李", when),
            Answered => complaint.user_answers("开箱时", when),
            Offer => complaint.offer(&offer("s-1", 20_000), &[], "李", &policy, when),
            OfferMore => complaint.offer(&offer("s-2", 300_000), &[], "孙", &policy, when),
            Agree => complaint.agree("s-1", when),
            AgreeMore => complaint.agree("s-2", when),
            Refuse => complaint.refuse("s-1", "太少", when),
            Exceed => complaint.exceed("金额较大", "由经理决定", at(99_000), "李", when),
            Escalate => complaint.escalate(&handed_to("孙", 1), &policy, when),
            EscalateMore => complaint.escalate(&handed_to("周", 2), &policy, when),
            Review => complaint.begin_review("仲裁", when),
            Decide => {
                let solution = Some(solution("s-3", 50_000));
                complaint.decide_review(&Verdict { decision: "赔".into(), solution }, when)
            }
            DecideAgainst => {
                let verdict = Verdict { decision: "不赔".into(), solution: None };
                complaint.decide_review(&verdict, when)
            }
            Start => complaint.start_execution("李", when),
            Implement => complaint.implement("签收单", "李", when),
            Change => complaint.change("改为周五送达", when),
            TellChange => complaint.tell_change(when),
            VisitUnhappy => complaint.visit(&visit("v-0", false), "李", when),
            Visit => complaint.visit(&visit("v-1", true), "李", when),
            OrderRemedy => complaint.order_remedy("李", "再补一件", when),
            Remedy => complaint.remedy("签收单", when),
            Analyse => complaint.analyse(&analysis(), "李", when),
            AnswerOne => complaint.answer_item(1, "已补发", when),
            AnswerTwo => complaint.answer_item(2, "已致歉", when),
            Notice => complaint.send_notice("李", when),
            Close => complaint.close(when),
            Reopen => complaint.reopen("又坏了", later.max(at(99_000)), when),
            Cancel => complaint.cancel("用户撤回", "李", when),
            Penalise => complaint.penalise(&penalty("f-1", 2_000), &policy, when),
            Correct => complaint.correct(&person("p-2"), true, &[], "李", when),
            Archive => complaint.archive(&recording("ab", "tape 7"), "李", when),
            Inform => complaint.inform(&[Department::Quality], "请查包装", "李", when),
        }
    }
}

pub(crate) fn visit(id: &str, satisfied: bool) -> super::super::Visit {
    super::super::Visit { visit_id: id.into(), satisfied, opinion: "可以".into() }
}

pub(crate) fn analysis() -> Analysis {
    Analysis {
        cause: CauseClass::ServiceProcess,
        root_cause: "包装不足".into(),
        corrective_action: "加固包装".into(),
        // a review may have decided that nothing is to be done: that is no standard
        becomes_standard: false,
        department: Department::Quality,
        action: Some(("钱".into(), at(99_000))),
    }
}

pub(crate) fn assessed(severity: &str, amount: i64) -> Assessment {
    Assessment {
        facts: Facts { amount, ..Facts::default() },
        severity: severity.into(),
        expectation: "赔偿二百元".into(),
    }
}

pub(crate) fn person(id: &str) -> Sealed {
    Sealed { person: id.into(), fingerprint: vec![1], ..Sealed::default() }
}

pub(crate) fn recording(sha256: &str, reference: &str) -> Recording {
    Recording { sha256: sha256.into(), reference: reference.into(), reason: "有争议".into() }
}

pub(crate) fn penalty(id: &str, amount: i64) -> Penalty {
    Penalty { penalty_id: id.into(), amount, reason: "未跟催".into(), approved_by: "赵".into() }
}

/// From the first word to the end, without trouble.
pub(crate) const NORMAL: [Command; 14] = [
    Receive, Confirm, Accept, AnswerOne, AnswerTwo, Assess, Offer, Agree, Start, Implement, Visit,
    Analyse, Notice, Close,
];

/// Until it is looked into, and known how serious it is.
pub(crate) const ACCEPTED: [Command; 4] = [Receive, Confirm, Accept, Assess];
