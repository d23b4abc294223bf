//! Personal data at the edge: sealed on the way in, opened on the way out for those who may see it.
//!
//! | caller | sees |
//! |---|---|
//! | the platform it came through, our operators | all of it |
//! | everybody else who may read the record | the name's first character, the phone's last four |
//!
//! Invariant: what is not sealed here goes no further inwards.

use contracts::common::{Contact, Role, Sealed};
use eventlog::{Log, Vault, VaultError};
use tonic::Status;

use crate::{Caller, Refusal, errors};

/// How often a person can be erased and come back.
const MOST_RETURNS: u32 = 100;

/// Seals and opens. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Personal {
    vault: Vault,
    context: &'static str,
}

impl Personal {
    /// With the keys that lie beside this log; errors are of the domain `emall.<context>`.
    #[must_use]
    pub fn new(log: Log, context: &'static str) -> Self {
        Self { vault: Vault::new(log), context }
    }

    fn status(&self, error: VaultError) -> Status {
        match error {
            VaultError::Erased(_) => {
                let text = "this person was erased on request";
                Refusal::not_now("PERSON_ERASED", text).status(self.context)
            }
            VaultError::Broken(error) => errors::log(error),
            error @ (VaultError::NoKey(_) | VaultError::Damaged(_)) => {
                errors::internal("personal data cannot be opened", error)
            }
        }
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
                sealed => return sealed.map_err(|error| self.status(error)),
            }
        }
        Err(self.status(VaultError::Erased(person)))
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
        let digest =
            self.vault.fingerprint(&index, &identity).await.map_err(|error| self.status(error))?;
        let digest = <[u8; 16]>::try_from(digest).map_err(|_| {
            errors::internal("personal data cannot be sealed", "a fingerprint has 16 bytes")
        })?;
        Ok(uuid::Builder::from_random_bytes(digest).into_uuid().to_string())
    }

    /// Forgets a person: what was sealed stays shut for ever. Twice is once.
    ///
    /// # Errors
    /// The log is broken.
    pub async fn erase(&self, person: &str) -> Result<(), Status> {
        self.vault.erase(person).await.map_err(|error| self.status(error))
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
                Err(error @ VaultError::Broken(_)) => return Err(self.status(error)),
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
        let contact =
            self.vault.open(sealed).await.map_err(|error| self.status(error))?.into_contact();
        Ok(Some(if sees_all(caller, platform) { contact } else { masked(&contact) }))
    }
}

/// Whether the caller may see personal data of records that belong to this platform.
#[must_use]
pub fn sees_all(caller: &Caller, platform: &str) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_shows_too_little_to_find_anybody() {
        for (name, phone, masked_name, masked_phone) in [
            ("张三", "13800138000", "张*", "*8000"),
            ("", "", "", ""),
            ("Ann Lee", "+86 (10) 1234-5678", "A*", "*5678"),
            ("王", "123456", "王*", ""),
            ("𠮷野", "一二三四五六七八", "𠮷*", ""),
        ] {
            let given = Contact {
                name: name.into(),
                phone: phone.into(),
                address: "北京市".into(),
                email: "a@example.com".into(),
                erased: false,
            };
            let seen = masked(&given);
            assert_eq!((seen.name.as_str(), seen.phone.as_str()), (masked_name, masked_phone));
            assert_eq!((seen.address.as_str(), seen.email.as_str()), ("", ""));
        }
    }
}
