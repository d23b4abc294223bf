//! Readers of what requests of every service have: lengths of texts, the time of a fact, filters,
//! pages. Like those of [`Fields`], they say what is wrong and return a neutral value.

use std::ops::RangeInclusive;

use contracts::common::Contact;
use eventlog::Listing;
use jiff::Timestamp;

use crate::{Fields, When};

/// Length of names of people and firms, in characters: for [`Fields::text`].
pub const NAME: RangeInclusive<usize> = 1..=200;
/// Length of reasons, descriptions, answers, in characters: for [`Fields::multiline`].
pub const TEXT: RangeInclusive<usize> = 1..=2_000;
/// Most rows on a page.
const LARGEST_PAGE: u32 = 500;

/// The time of a fact, in the field `at`: as given, between the years 2000 and 2100, or now.
pub fn when(fields: &mut Fields, value: &Option<prost_types::Timestamp>, now: Timestamp) -> When {
    When { now, at: fields.optional_timestamp("at", value) }
}

/// Somebody to call or write back to: a name, and a telephone number or an e-mail address. Of who is
/// reached by letter an address is enough.
pub fn contact(fields: &mut Fields, given: &Contact, by_letter: bool) -> Contact {
    let has_address = by_letter && !given.address.is_empty();
    if given.phone.is_empty() && given.email.is_empty() && !has_address {
        fields.refuse("phone", "is missing, and so is email");
    }
    Contact {
        name: fields.text("name", &given.name, NAME),
        phone: fields.text("phone", &given.phone, 0..=40),
        address: fields.multiline("address", &given.address, 0..=500),
        email: fields.text("email", &given.email, 0..=254),
        erased: false,
    }
}

/// A value of an enum to filter by; its zero means any.
pub fn filter<E: TryFrom<i32> + Default>(
    fields: &mut Fields,
    field: &str,
    value: i32,
) -> Option<E> {
    (value != 0).then(|| fields.choice(field, value))
}

/// The page of a listing that the caller asks for: `page_size` rows, at most 500, after the page
/// whose answer held this token. A size of 0 means 50.
pub fn page(fields: &mut Fields, listing: Listing, size: u32, token: &str) -> Listing {
    let size = fields.number("page_size", size, 0..=LARGEST_PAGE);
    listing.limit(usize::try_from(size).unwrap_or_default()).page(token)
}

#[cfg(test)]
mod tests {
    use contracts::common::Role;

    use super::*;

    /// The fields that are wrong.
    fn wrong(fields: Fields) -> Vec<String> {
        let violations = fields.finish(()).err();
        let violations = violations.iter().flat_map(|all| all.iter());
        violations.map(|violation| violation.field.clone()).collect()
    }

    #[test]
    fn somebody_is_reached_by_telephone_mail_or_letter() {
        let of = |phone: &str, email: &str, address: &str, by_letter| {
            let given = Contact {
                name: "张三".into(),
                phone: phone.into(),
                email: email.into(),
                address: address.into(),
                erased: true,
            };
            let mut fields = Fields::new();
            let read = contact(&mut fields, &given, by_letter);
            assert!(!read.erased, "that is not for a caller to say");
            wrong(fields)
        };
        assert_eq!(of("1380", "", "", false), [""; 0]);
        assert_eq!(of("", "a@example.com", "", false), [""; 0]);
        assert_eq!(of("", "", "德阳市", false), ["phone"]);
        assert_eq!(of("", "", "德阳市", true), [""; 0]);
        assert_eq!(of("", "", "", true), ["phone"]);
        assert_eq!(of(&"1".repeat(41), "", "", false), ["phone"]);
    }

    #[test]
    fn a_time_that_is_left_out_means_now() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let mut fields = Fields::new();
        assert_eq!(when(&mut fields, &None, now), When::now(now));
        let given = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 5 });
        let said = when(&mut fields, &given, now);
        assert_eq!(said.now, now);
        assert_eq!(said.time(), Timestamp::new(1_700_000_000, 5).unwrap());
        assert!(fields.is_fine());
        when(&mut fields, &Some(prost_types::Timestamp { seconds: -1, nanos: 0 }), now);
        assert_eq!(wrong(fields), ["at"]);
    }

    #[test]
    fn a_filter_of_zero_lets_everything_through() {
        let mut fields = Fields::new();
        assert_eq!(filter::<Role>(&mut fields, "role", 0), None);
        let auditor = filter::<Role>(&mut fields, "role", Role::Auditor.into());
        assert_eq!(auditor, Some(Role::Auditor));
        assert!(fields.is_fine());
        filter::<Role>(&mut fields, "role", 4_711);
        assert_eq!(wrong(fields), ["role"]);
    }

    #[test]
    fn a_page_holds_500_rows_at_most() {
        let mut fields = Fields::new();
        let listing = page(&mut fields, Listing::by("claim", "facets"), LARGEST_PAGE, "next");
        assert_eq!((listing.limit, listing.page_token.as_str()), (500, "next"));
        assert!(fields.is_fine());
        page(&mut fields, listing, LARGEST_PAGE + 1, "");
        assert_eq!(wrong(fields), ["page_size"]);
    }
}
