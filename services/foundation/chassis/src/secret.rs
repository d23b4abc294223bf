//! A string that must not be seen: not in logs, not in `--print-config`.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

/// A configured secret. `Debug`, `Display` and `Serialize` show `***`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the secret in.
    #[must_use]
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// A secret that nobody else knows.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple()))
    }

    /// The secret itself: for the one place that needs it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_string(Text)
    }
}

/// Takes text. A number is refused without being shown: an environment variable of digits only
/// arrives as a number, and its leading zeros would be gone.
struct Text;

impl Visitor<'_> for Text {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Secret, E> {
        Ok(Secret::new(value))
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Secret, E> {
        Err(E::custom("a secret of digits needs quotes around it"))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Secret, E> {
        Err(E::custom("a secret of digits needs quotes around it"))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Secret, E> {
        Err(E::custom("a secret of digits needs quotes around it"))
    }
}

/// Serializes a URL without the password in it: for `#[serde(serialize_with)]`.
///
/// # Errors
/// Those of the serializer.
pub fn without_password<S: Serializer>(url: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hide_password(url))
}

/// A password stands between the user's name and the host, or in the query.
fn hide_password(url: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, query)) => (address, Some(query)),
        None => (url, None),
    };
    let mut shown = match address.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((login, host)) => {
                let user = login.split_once(':').map_or(login, |(user, _)| user);
                let hidden = if user.len() < login.len() { ":***" } else { "" };
                format!("{scheme}://{user}{hidden}@{host}")
            }
            None => address.to_owned(),
        },
        None => address.to_owned(),
    };
    for (index, part) in query.iter().flat_map(|query| query.split('&')).enumerate() {
        shown.push(if index == 0 { '?' } else { '&' });
        match part.split_once('=') {
            Some((name, _)) if name.contains("password") => {
                shown.push_str(name);
                shown.push_str("=***");
            }
            _ => shown.push_str(part),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::hide_password;

    #[test]
    fn only_the_password_of_a_url_is_hidden() {
        for (url, shown) in [
            ("sqlite://run/data/ordering.db", "sqlite://run/data/ordering.db"),
            ("postgres://emall@db/emall", "postgres://emall@db/emall"),
            ("postgres://emall:s3cret@db:5432/emall", "postgres://emall:***@db:5432/emall"),
            (
                "postgres://emall:p@ss@db/emall?sslmode=require",
                "postgres://emall:***@db/emall?sslmode=require",
            ),
            (
                "postgres://db/emall?user=emall&password=s3cret",
                "postgres://db/emall?user=emall&password=***",
            ),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(hide_password(url), shown);
        }
    }
}
