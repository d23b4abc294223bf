//! Another listing in place of the one ordered, by the user's consent.

use std::sync::Arc;

use contracts::ordering::{
    FrozenListing, SubstitutionAccepted, SubstitutionProposed, SubstitutionRefused,
};
use decider::{Decision, emit};
use eventlog::time::to_proto;
use jiff::Timestamp;

use super::{
    Event, Order, Rejection,
    book::{Book, Line, Note, moment},
    command::{AnswerSubstitution, ProposeSubstitution},
    repeat::Repeat,
    same_terms::same_listing,
    value::{Money, Text},
};

/// A substitute offered under one id, and the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Substitution {
    id: String,
    line_no: u32,
    substitute: Arc<FrozenListing>,
    reason: String,
    proposed_at: Timestamp,
    answer: Option<Answer>,
}

/// The user's answer; its note has the reason of a refusal.
#[derive(Debug, Clone, PartialEq)]
struct Answer {
    accepted: bool,
    note: Note,
}

impl Order {
    /// We offer a substitute for a line of which nothing is planned, shipped or judged.
    ///
    /// # Errors
    /// There is no order, it is fulfilled or ended; the line is in work, or waits for the answer to
    /// another substitute; the substitute is dearer or in another currency.
    pub fn propose_substitution(&self, cmd: &ProposeSubstitution) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.substitution_id.as_str();
        if let Some(before) = book.substitution(id) {
            let repeat = Repeat::new().same("line_no", &before.line_no, &cmd.line_no.get());
            let offered = Some(cmd.substitute.get());
            let path = || "substitute".to_owned();
            return same_listing(repeat, &path, Some(&*before.substitute), offered)
                .same("reason", before.reason.as_str(), cmd.reason.as_str())
                .at("at", before.proposed_at, &cmd.when)
                .answer();
        }
        self.must_be_unfulfilled()?;
        let at = book.time("at", &cmd.when)?;
        let line_no = cmd.line_no.get();
        let line = book.known_line(line_no, || "line_no".into())?;
        must_be_replaceable(line)?;
        let pending = book
            .substitutions
            .iter()
            .find(|other| other.line_no == line_no && other.answer.is_none());
        if let Some(pending) = pending {
            let substitution_id = pending.id.clone();
            return Err(Rejection::SubstitutionPending { line_no, substitution_id });
        }
        if let Some(price) =
            cmd.substitute.get().unit_price.as_ref().and_then(|price| Money::parse(price).ok())
        {
            if price.currency() != book.currency {
                let currency = book.currency.to_string();
                return Err(Rejection::OtherCurrency { field: "substitute.unit_price", currency });
            }
            if price.minor() > line.price {
                let (ordered, offered) = (line.price, price.minor());
                return Err(Rejection::DearerSubstitute { ordered, offered });
            }
        }
        emit(SubstitutionProposed {
            order_id: book.order_id(),
            platform: book.platform(),
            contract_id: book.contract_id(),
            substitution_id: id.to_owned(),
            line_no,
            substitute: Some(cmd.substitute.get().clone()),
            reason: (&cmd.reason).into(),
            proposed_at: Some(to_proto(at)),
        })
    }

    /// The user agrees to a substitute, or refuses it.
    ///
    /// # Errors
    /// There is no such substitution, the order is fulfilled or ended, or, on consent, the line has
    /// come into work meanwhile.
    pub fn answer_substitution(&self, cmd: &AnswerSubstitution) -> Decision<Event, Rejection> {
        let book = self.book()?;
        let id = cmd.substitution_id.as_str();
        let found = book.substitution(id);
        if let Some(Substitution { answer: Some(answer), .. }) = found {
            return answer.repeated_by(cmd);
        }
        self.must_be_unfulfilled()?;
        let before = found.ok_or_else(|| Rejection::UnknownSubstitution(id.to_owned()))?;
        let at = book.time("at", &cmd.when)?;
        let (order_id, platform, contract_id) =
            (book.order_id(), book.platform(), book.contract_id());
        if cmd.accepted {
            must_be_replaceable(book.known_line(before.line_no, || "line_no".into())?)?;
            emit(SubstitutionAccepted {
                order_id,
                platform,
                contract_id,
                substitution_id: id.to_owned(),
                line_no: before.line_no,
                substitute: Some((*before.substitute).clone()),
                accepted_at: Some(to_proto(at)),
            })
        } else {
            emit(SubstitutionRefused {
                order_id,
                platform,
                contract_id,
                substitution_id: id.to_owned(),
                reason: Text::or_empty(cmd.reason.as_ref()),
                refused_at: Some(to_proto(at)),
            })
        }
    }
}

impl Answer {
    /// Why it was accepted is not recorded, hence not compared.
    fn repeated_by(&self, cmd: &AnswerSubstitution) -> Decision<Event, Rejection> {
        let mut repeat = Repeat::new().same("accepted", &self.accepted, &cmd.accepted);
        if !self.accepted {
            repeat = repeat.same("reason", &self.note.text, &Text::or_empty(cmd.reason.as_ref()));
        }
        repeat.at("at", self.note.at, &cmd.when).answer()
    }
}

/// Only a line of which some units are open, and none is planned, shipped or judged.
fn must_be_replaceable(line: &Line) -> Result<(), Rejection> {
    if !line.is_untouched() {
        Err(Rejection::LineInWork { line_no: line.no })
    } else if line.open == 0 {
        Err(Rejection::NothingOpen)
    } else {
        Ok(())
    }
}

impl Book {
    fn substitution(&self, id: &str) -> Option<&Substitution> {
        self.substitutions.iter().map(Arc::as_ref).find(|before| before.id == id)
    }

    fn answered(&mut self, id: &str, answer: Answer) {
        if let Some(before) = self.substitutions.iter_mut().find(|before| before.id == id) {
            Arc::make_mut(before).answer = Some(answer);
        }
    }

    pub(super) fn substitution_proposed(&mut self, event: &SubstitutionProposed) {
        self.substitutions.push(Arc::new(Substitution {
            id: event.substitution_id.clone(),
            line_no: event.line_no,
            substitute: Arc::new(event.substitute.clone().unwrap_or_default()),
            reason: event.reason.clone(),
            proposed_at: moment(event.proposed_at.as_ref()),
            answer: None,
        }));
    }

    pub(super) fn substitution_accepted(&mut self, event: &SubstitutionAccepted) {
        let at = moment(event.accepted_at.as_ref());
        let answer = Answer { accepted: true, note: Note { text: String::new(), at } };
        self.answered(&event.substitution_id, answer);
        let substitute = event.substitute.clone().unwrap_or_default();
        if let Some(line) = self.line_mut(event.line_no) {
            line.price =
                substitute.unit_price.as_ref().map_or(line.price, |price| price.minor_units);
            // what was inspected was the other product
            line.passed = 0;
            line.substitute = Some(Arc::new(substitute));
        }
    }

    pub(super) fn substitution_refused(&mut self, event: &SubstitutionRefused) {
        let at = moment(event.refused_at.as_ref());
        let answer = Answer { accepted: false, note: Note { text: event.reason.clone(), at } };
        self.answered(&event.substitution_id, answer);
    }
}
