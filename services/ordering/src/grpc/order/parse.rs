//! Requests on one order, parsed into commands. Everything that is wrong is said at once.

mod arrive;
mod place;
mod settle;
mod ship;

use std::fmt::Display;

use chassis::{Fields, When};
use eventlog::time::from_proto;
use jiff::Timestamp;

pub(super) use arrive::*;
pub(super) use place::*;
pub(super) use settle::*;
pub(super) use ship::*;

use crate::order::{Digest, Money};

/// Most scans in one request, and most digests with one discrepancy.
const MOST_ITEMS: usize = 100;

/// A field of the request: its name beside what a parser of the domain makes of it.
fn one<T, E: Display>(fields: &mut Fields, field: &str, parsed: Result<T, E>) -> Option<T> {
    fields.parsed(field, parsed)
}

/// A part of the request whose parser names the fields itself.
fn part<T>(fields: &mut Fields, parsed: Result<T, Vec<(String, String)>>) -> Option<T> {
    parsed
        .map_err(|violations| {
            for (field, problem) in violations {
                fields.refuse(&field, problem);
            }
        })
        .ok()
}

fn moment(
    fields: &mut Fields,
    field: &str,
    at: Option<&prost_types::Timestamp>,
) -> Option<Timestamp> {
    let moment = at.map(from_proto)?;
    if moment.is_none() {
        fields.refuse(field, "is no moment that can be");
    }
    moment
}

fn when(
    fields: &mut Fields,
    field: &str,
    at: Option<&prost_types::Timestamp>,
    now: Timestamp,
) -> When {
    When { now, at: moment(fields, field, at) }
}

fn money(
    fields: &mut Fields,
    field: &str,
    amount: Option<&contracts::common::Money>,
) -> Option<Money> {
    let amount = amount?;
    match Money::parse(amount) {
        Ok(money) => Some(money),
        Err((inner, problem)) => {
            fields.refuse(&format!("{field}.{inner}"), problem.to_string());
            None
        }
    }
}

fn required_money(
    fields: &mut Fields,
    field: &str,
    amount: Option<&contracts::common::Money>,
) -> Option<Money> {
    if amount.is_none() {
        fields.refuse(field, "is missing");
    }
    money(fields, field, amount)
}

fn choice<E: TryFrom<i32> + Default + PartialEq>(
    fields: &mut Fields,
    field: &str,
    value: i32,
) -> Option<E> {
    Some(fields.choice::<E>(field, value)).filter(|choice| *choice != E::default())
}

/// A digest that may be left out.
fn digest(fields: &mut Fields, field: &str, value: &str) -> Option<Option<Digest>> {
    if value.is_empty() {
        return Some(None);
    }
    one(fields, field, Digest::parse(value)).map(Some)
}
