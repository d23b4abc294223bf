//! Personal data that can be forgotten.
//!
//! ```text
//! Contact ──seal(person)──▶ Sealed ──open──▶ Contact, or Erased once the person's key is gone
//! ```
//!
//! Invariants:
//! - a person's key is on disk before anything is sealed with it, and never changes;
//! - an erased person never gets a key again, and nothing sealed for them can be opened;
//! - a key never leaves this module and the database: neither into a log line nor into an error.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Generate as _, Payload},
};
use contracts::common::{Contact, Sealed};
use hmac::{Hmac, Mac as _};
use lru::LruCache;
use prost::Message as _;
use sha2::Sha256;

use crate::{Commit, CommitError, Log, LogError, commit::PersonKeyWrite, engine::PersonKey, lock};

/// Keys kept in memory.
const CACHED_KEYS: NonZeroUsize = match NonZeroUsize::new(10_000) {
    Some(keys) => keys,
    None => NonZeroUsize::MIN,
};

/// How long a key is believed without asking the database. After so long an erasure that another
/// process has made is seen here too.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

const KEY_BYTES: usize = 32;
const FINGERPRINT_BYTES: usize = 16;

/// Seals and opens personal data. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    log: Log,
    keys: Arc<Mutex<LruCache<String, (Key, Instant)>>>,
}

/// What was sealed.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// The data.
    Contact(Contact),
    /// The person was erased.
    Erased,
}

impl Opened {
    /// As a reply shows it: an erased person is an empty contact that says so.
    #[must_use]
    pub fn into_contact(self) -> Contact {
        match self {
            Self::Contact(contact) => contact,
            Self::Erased => Contact { erased: true, ..Contact::default() },
        }
    }
}

/// Why personal data cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The person was erased: nothing more can be sealed for them.
    #[error("person {0} was erased")]
    Erased(String),
    /// No key was ever made for this person here.
    #[error("there is no key for person {0}")]
    NoKey(String),
    /// The sealed data was changed, or was sealed elsewhere.
    #[error("the sealed data of person {0} is damaged")]
    Damaged(String),
    /// The log failed.
    #[error("the log failed")]
    Broken(#[from] LogError),
}

/// What is derived from one person's key: cipher and digest do not share one.
#[derive(Clone)]
struct Key {
    cipher: XChaCha20Poly1305,
    fingerprint: [u8; KEY_BYTES],
}

impl Key {
    fn stored(person: &str, bytes: &[u8]) -> Result<Self, LogError> {
        let damaged = |_| LogError::Corrupt(format!("the key of person {person}"));
        let key: [u8; KEY_BYTES] = bytes.try_into().map_err(damaged)?;
        Ok(Self {
            cipher: XChaCha20Poly1305::new(&digest(&key, b"emall.seal.v1").into()),
            fingerprint: digest(&key, b"emall.fingerprint.v1"),
        })
    }

    fn fingerprint(&self, plain: &[u8]) -> Vec<u8> {
        digest(&self.fingerprint, plain)[..FINGERPRINT_BYTES].to_vec()
    }
}

fn digest(key: &[u8; KEY_BYTES], data: &[u8]) -> [u8; KEY_BYTES] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new(&hmac_key(key));
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// HMAC's own block-sized key: the key, followed by zeros.
fn hmac_key(key: &[u8; KEY_BYTES]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    block[..KEY_BYTES].copy_from_slice(key);
    block
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").finish_non_exhaustive()
    }
}

impl Vault {
    /// The vault whose keys lie beside this log.
    #[must_use]
    pub fn new(log: Log) -> Self {
        Self { log, keys: Arc::new(Mutex::new(LruCache::new(CACHED_KEYS))) }
    }

    /// Seals a contact under the key of a person; makes the key when there is none.
    ///
    /// # Errors
    /// The person was erased, or the log is broken.
    pub async fn seal(&self, person: &str, contact: &Contact) -> Result<Sealed, VaultError> {
        let key = self.key_or_new(person).await?;
        let plain = contact.encode_to_vec();
        let nonce = XNonce::generate();
        let ciphertext = key
            .cipher
            .encrypt(&nonce, Payload { msg: &plain, aad: person.as_bytes() })
            .map_err(|_| VaultError::Damaged(person.to_owned()))?;
        Ok(Sealed {
            person: person.to_owned(),
            nonce: nonce.to_vec(),
            fingerprint: key.fingerprint(&plain),
            ciphertext,
        })
    }

    /// The fingerprint that the contact would have if it were sealed: 16 bytes that are the same
    /// for equal data of one person, and say nothing to those who have not the key.
    ///
    /// # Errors
    /// As [`Self::seal`].
    pub async fn fingerprint(
        &self,
        person: &str,
        contact: &Contact,
    ) -> Result<Vec<u8>, VaultError> {
        let key = self.key_or_new(person).await?;
        Ok(key.fingerprint(&contact.encode_to_vec()))
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// It was changed, its key was never here, or the log is broken.
    pub async fn open(&self, sealed: &Sealed) -> Result<Opened, VaultError> {
        let person = sealed.person.as_str();
        let key = match self.key(person).await {
            Ok(Some(key)) => key,
            Ok(None) => return Err(VaultError::NoKey(person.to_owned())),
            Err(VaultError::Erased(_)) => return Ok(Opened::Erased),
            Err(error) => return Err(error),
        };
        let damaged = || VaultError::Damaged(person.to_owned());
        let nonce = XNonce::try_from(sealed.nonce.as_slice()).map_err(|_| damaged())?;
        let payload = Payload { msg: &sealed.ciphertext, aad: person.as_bytes() };
        let plain = key.cipher.decrypt(&nonce, payload).map_err(|_| damaged())?;
        let contact = Contact::decode(plain.as_slice()).map_err(|_| damaged())?;
        Ok(Opened::Contact(contact))
    }

    /// Forgets a person for ever. Doing it twice is doing it once.
    ///
    /// # Errors
    /// The log is broken.
    pub async fn erase(&self, person: &str) -> Result<(), VaultError> {
        check(person)?;
        self.write(PersonKeyWrite::Erase { person: person.to_owned() }).await?;
        lock(&self.keys).pop(person);
        // the key is gone for every reader; what is left of it in freed pages goes now or later
        if let Err(error) = self.log.shared.engine.scrub().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not scrub a key");
        }
        Ok(())
    }

    async fn key(&self, person: &str) -> Result<Option<Key>, VaultError> {
        check(person)?;
        let asked = Instant::now();
        if let Some((key, since)) = lock(&self.keys).get(person)
            && since.elapsed() < BELIEVED_FOR
        {
            return Ok(Some(key.clone()));
        }
        match self.log.shared.engine.person_key(person).await? {
            None => Ok(None),
            Some(PersonKey::Erased) => {
                lock(&self.keys).pop(person);
                Err(VaultError::Erased(person.to_owned()))
            }
            Some(PersonKey::Present(bytes)) => {
                let key = Key::stored(person, &bytes)?;
                lock(&self.keys).put(person.to_owned(), (key.clone(), asked));
                Ok(Some(key))
            }
        }
    }

    async fn key_or_new(&self, person: &str) -> Result<Key, VaultError> {
        match self.key(person).await? {
            Some(key) => Ok(key),
            None => self.create(person).await,
        }
    }

    /// Of two who create at once one wins, and both use the winner's key: it is read back.
    async fn create(&self, person: &str) -> Result<Key, VaultError> {
        let key = chacha20poly1305::Key::generate().to_vec();
        self.write(PersonKeyWrite::Create { person: person.to_owned(), key }).await?;
        self.key(person).await?.ok_or_else(|| VaultError::NoKey(person.to_owned()))
    }

    async fn write(&self, change: PersonKeyWrite) -> Result<(), LogError> {
        let commit = Commit { person_keys: vec![change], ..Commit::default() };
        match self.log.commit(commit).await {
            Ok(_) => Ok(()),
            Err(CommitError::Broken(error)) => Err(error),
            // it demands nothing that others could have changed
            Err(
                CommitError::Conflict { .. }
                | CommitError::CursorMoved { .. }
                | CommitError::NotParked { .. },
            ) => Err(LogError::OutcomeUnknown),
        }
    }
}

fn check(person: &str) -> Result<(), LogError> {
    let why = if person.is_empty() {
        "is empty"
    } else if person.contains('\0') {
        "contains NUL"
    } else {
        return Ok(());
    };
    Err(LogError::Invalid { what: "the name of a person".to_owned(), why })
}
