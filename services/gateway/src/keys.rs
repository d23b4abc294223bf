//! Who comes with which key.

use std::{collections::HashMap, fmt::Write as _, sync::Arc};

use chassis::{
    Caller, ConfigError,
    identity::{Trust, Voucher},
};
use contracts::common::Role;
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{config::KeyConfig, methods::RoleSet, rate::Bucket};

/// The other header in which a key may come.
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Longest key that is looked at, in bytes.
const LONGEST: usize = 512;

/// The SHA-256 of a key in hexadecimal digits, as the configuration holds it.
#[must_use]
pub fn hash_key(key: &str) -> String {
    Sha256::digest(key.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// One key, with everything ready that a call needs.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: Arc<str>,
    pub(crate) roles: RoleSet,
    pub(crate) voucher: Voucher,
    pub(crate) bucket: Option<Bucket>,
    digest: [u8; 32],
}

/// All keys, by the beginning of their hashes. Nobody can steer a hash, so the time that the look-up
/// takes says nothing about a key; the comparison that decides takes the same time always.
#[derive(Debug)]
pub(crate) struct Keyring {
    keys: HashMap<[u8; 8], Vec<Arc<Key>>>,
}

impl Keyring {
    pub(crate) fn new(configs: &[KeyConfig], trust: &Trust) -> Result<Self, ConfigError> {
        let mut keys: HashMap<_, Vec<_>> = HashMap::with_capacity(configs.len());
        for config in configs {
            let roles = config.granted().map_err(ConfigError::new)?;
            let digest = config.digest().map_err(ConfigError::new)?;
            let role_set = roles.iter().copied().collect();
            let caller =
                Caller { name: config.name.clone(), platform: config.platform.clone(), roles };
            let voucher = trust.vouch(&caller).ok_or_else(|| {
                ConfigError::new("gateway.keys has a name that no header can hold; change it")
            })?;
            let key = Key {
                name: config.name.as_str().into(),
                roles: role_set,
                voucher,
                bucket: config.rate.map(Bucket::new),
                digest,
            };
            keys.entry(beginning(&digest)).or_default().push(Arc::new(key));
        }
        Ok(Self { keys })
    }

    /// The key that a request comes with, if we know it.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<&Arc<Key>> {
        let presented = presented(headers)?;
        if presented.len() > LONGEST {
            return None;
        }
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.keys.get(&beginning(&digest))?.iter().find(|key| bool::from(key.digest.ct_eq(&digest)))
    }
}

/// `authorization: Bearer <key>`, or `x-api-key: <key>`.
fn presented(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, key) = value.as_bytes().split_at_checked(7)?;
        return scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii());
    }
    headers.get(API_KEY).map(|value| value.as_bytes().trim_ascii())
}

fn beginning(digest: &[u8; 32]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *digest;
    [a, b, c, d, e, f, g, h]
}

impl FromIterator<Role> for RoleSet {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        roles.into_iter().fold(Self::default(), Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_hashed_as_the_configuration_holds_it() {
        assert_eq!(
            hash_key("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_key_is_read_from_either_header() {
        let of = |name: HeaderName, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, http::HeaderValue::from_static(value));
            presented(&headers).map(<[u8]>::to_vec)
        };
        assert_eq!(of(header::AUTHORIZATION, "Bearer abc"), Some(b"abc".to_vec()));
        assert_eq!(of(header::AUTHORIZATION, "bearer  abc "), Some(b"abc".to_vec()));
        assert_eq!(of(API_KEY, "abc"), Some(b"abc".to_vec()));
        assert_eq!(of(header::AUTHORIZATION, "Basic abc"), None);
        assert_eq!(of(header::AUTHORIZATION, "B"), None);
        assert_eq!(of(header::AUTHORIZATION, ""), None);
        assert_eq!(of(header::COOKIE, "abc"), None);
    }
}
