//! Personal data at the edge: sealed on the way in, opened on the way out for those who may see it.
//!
//! | caller | sees |
//! |---|---|
//! | the platform it came through, our operators | all of it |
//! | everybody else who may read the record | the name's first character, the phone's last four |
//!
//! Invariant: what is not sealed here goes no further inwards.

use chassis::{Caller, Refusal, errors};
use contracts::{
    common::{Contact, Role, Sealed},
    ordering::{Enquiry, Order},
};
use eventlog::{Log, Vault, VaultError};
use tonic::Status;

use super::CONTEXT;

/// How often a person can be erased and come back.
const MOST_RETURNS: u32 = 100;

/// Seals and opens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Personal {
    vault: Vault,
}

impl Personal {
    /// With the keys that lie beside this log.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { vault: Vault::new(log) }
    }

    /// Seals a contact under the key of its person: on one platform, the same name with the same
    /// phone number is the same person.
    ///
    /// Somebody who was erased and comes back is another person: what was sealed before stays shut.
    ///
    /// # Errors
    /// The person was erased too often, or the log is broken.
    pub async fn seal(&self, platform: &str, contact: &Contact) -> Result<Sealed, Status> {
        let mut person = self.person(platform, contact).await?;
        for return_no in 1..=MOST_RETURNS {
            match self.vault.seal(&person, contact).await {
                Err(VaultError::Erased(erased)) => {
                    let known_as = erased.split('~').next().unwrap_or_default();
                    person = format!("{known_as}~{return_no}");
                }
                sealed => return sealed.map_err(status),
            }
        }
        Err(status(VaultError::Erased(person)))
    }

    /// The person's id: a digest under a key of its own. Without that key, which never leaves the
    /// vault, nobody can try names and numbers against the ids in logs and on the bus.
    async fn person(&self, platform: &str, contact: &Contact) -> Result<String, Status> {
        let identity = Contact {
            name: contact.name.trim().to_owned(),
            phone: contact.phone.chars().filter(|letter| !letter.is_whitespace()).collect(),
            ..Contact::default()
        };
        let index = format!("index-of-persons/{platform}");
        let digest = self.vault.fingerprint(&index, &identity).await.map_err(status)?;
        let digest = <[u8; 16]>::try_from(digest).map_err(|_| {
            errors::internal("personal data cannot be sealed", "a fingerprint has 16 bytes")
        })?;
        Ok(uuid::Builder::from_random_bytes(digest).into_uuid().to_string())
    }

    /// All ids that a person has had on a platform: one, and one more for each return after having
    /// been erased; none when nobody of this name and number came through it.
    ///
    /// # Errors
    /// The log is broken.
    pub async fn known_as(&self, platform: &str, contact: &Contact) -> Result<Vec<String>, Status> {
        let first = self.person(platform, contact).await?;
        let mut known = Vec::new();
        for return_no in 0..=MOST_RETURNS {
            let person =
                if return_no == 0 { first.clone() } else { format!("{first}~{return_no}") };
            let probe = Sealed { person: person.clone(), ..Sealed::default() };
            match self.vault.open(&probe).await {
                Err(VaultError::NoKey(_)) => break,
                Err(error @ VaultError::Broken(_)) => return Err(status(error)),
                // There is, or was, a key; that it opens nothing empty says no more.
                Ok(_) | Err(VaultError::Damaged(_) | VaultError::Erased(_)) => known.push(person),
            }
        }
        Ok(known)
    }

    /// The contact as this caller may see it, of a record that belongs to this platform.
    ///
    /// # Errors
    /// The sealed data is damaged, or the log is broken.
    pub async fn open_for(
        &self,
        caller: &Caller,
        platform: &str,
        sealed: Option<&Sealed>,
    ) -> Result<Option<Contact>, Status> {
        let Some(sealed) = sealed else { return Ok(None) };
        let contact = self.vault.open(sealed).await.map_err(status)?.into_contact();
        Ok(Some(if sees_all(caller, platform) { contact } else { masked(&contact) }))
    }

    /// An order as this caller may see it.
    ///
    /// # Errors
    /// See [`Self::open_for`].
    pub async fn order_for(&self, caller: &Caller, order: &Order) -> Result<Order, Status> {
        let sealed = order.sealed_recipient.as_ref();
        let recipient = self.open_for(caller, &order.platform, sealed).await?;
        Ok(Order { recipient, ..order.clone() })
    }

    /// An enquiry as this caller may see it.
    ///
    /// # Errors
    /// See [`Self::open_for`].
    pub async fn enquiry_for(&self, caller: &Caller, enquiry: &Enquiry) -> Result<Enquiry, Status> {
        let sealed = enquiry.sealed_customer.as_ref();
        let customer = self.open_for(caller, &enquiry.platform, sealed).await?;
        Ok(Enquiry { customer, ..enquiry.clone() })
    }
}

fn sees_all(caller: &Caller, platform: &str) -> bool {
    match &caller.platform {
        Some(own) => caller.has(Role::Platform) && own == platform,
        None => caller.has(Role::Operator),
    }
}

/// Enough to recognise somebody one knows, too little to find anybody.
fn masked(contact: &Contact) -> Contact {
    if contact.erased {
        return contact.clone();
    }
    let name = contact.name.chars().next().map(|first| format!("{first}*"));
    let digits: Vec<char> = contact.phone.chars().filter(char::is_ascii_digit).collect();
    // of a short number the last four would be all of it
    let phone = (digits.len() > 6).then(|| {
        let last: String = digits[digits.len() - 4..].iter().collect();
        format!("*{last}")
    });
    Contact {
        name: name.unwrap_or_default(),
        phone: phone.unwrap_or_default(),
        address: String::new(),
        email: String::new(),
        erased: false,
    }
}

fn status(error: VaultError) -> Status {
    match error {
        VaultError::Erased(_) => {
            Refusal::not_now("PERSON_ERASED", "this person was erased on request").status(CONTEXT)
        }
        VaultError::Broken(error) => errors::log(error),
        error @ (VaultError::NoKey(_) | VaultError::Damaged(_)) => {
            errors::internal("personal data cannot be opened", error)
        }
    }
}

#[cfg(test)]
mod tests;
