//! Who is calling, and why a service believes it.
//!
//! The gateway authenticates. To a service it says who called in metadata, beside a token that both
//! share; without the right token the metadata is nothing, and the call has no caller.

use std::{collections::BTreeSet, sync::Arc};

use contracts::common::Role;
use eventlog::Context;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use subtle::ConstantTimeEq;
use tonic::Status;

use crate::{ConfigError, Secret, errors};

/// Name of the caller.
pub const ACTOR: HeaderName = HeaderName::from_static("emall-actor");
/// Platform of the caller, absent for the supplier's own people and services.
pub const PLATFORM: HeaderName = HeaderName::from_static("emall-platform");
/// Roles of the caller, comma-separated protobuf names.
pub const ROLES: HeaderName = HeaderName::from_static("emall-roles");
/// The token that makes the other three believed.
pub const INTERNAL_TOKEN: HeaderName = HeaderName::from_static("emall-internal-token");
/// Id of the request, given by the caller or made by the gateway.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Metadata that only the gateway may set begins with this.
pub const RESERVED_PREFIX: &str = "emall-";

/// Who calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the key, the operator or the service.
    pub name: String,
    /// The e-mall platform, when the caller is one: it may see only its own.
    pub platform: Option<String>,
    /// What the caller may do.
    pub roles: BTreeSet<Role>,
}

impl Caller {
    /// Who makes this request.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody vouches for the caller.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<Self, Status> {
        Ok(Call::of(request)?.caller.clone())
    }

    /// Whether the caller has the role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// Whether the caller may see what belongs to this platform: its own, or all when it is none.
    #[must_use]
    pub fn may_see(&self, platform: &str) -> bool {
        self.platform.as_deref().is_none_or(|own| own == platform)
    }
}

/// One call: who makes it, under which id, in which trace.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// Id of the request.
    pub request_id: Arc<str>,
    /// W3C trace context, empty when the call is not traced.
    pub traceparent: Arc<str>,
}

impl Call {
    /// The call that a request belongs to.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when nobody vouches for the caller.
    pub fn of<T>(request: &tonic::Request<T>) -> Result<&Self, Status> {
        request.extensions().get::<Arc<Self>>().map(AsRef::as_ref).ok_or_else(unauthenticated)
    }

    /// What the log keeps beside the events of this call.
    #[must_use]
    pub fn context(&self, now: Timestamp) -> Context {
        Context {
            actor: self.caller.name.clone(),
            platform: self.caller.platform.clone().unwrap_or_default(),
            causation: self.request_id.to_string(),
            traceparent: self.traceparent.to_string(),
            now,
        }
    }
}

pub(crate) fn unauthenticated() -> Status {
    errors::unauthenticated("the call does not come through the gateway")
}

/// The shared token, on both its sides.
#[derive(Clone)]
pub struct Trust {
    token: HeaderValue,
}

impl std::fmt::Debug for Trust {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Trust")
    }
}

impl Trust {
    /// Trust by this token.
    ///
    /// # Errors
    /// The token cannot stand in a header.
    pub fn by(token: &Secret) -> Result<Self, ConfigError> {
        let mut token = HeaderValue::from_str(token.reveal()).map_err(|_| {
            ConfigError::new(
                "identity.internal_token has control characters; use letters and digits",
            )
        })?;
        token.set_sensitive(true);
        Ok(Self { token })
    }

    /// The metadata with which the gateway vouches for a caller; made once for each key.
    #[must_use]
    pub fn vouch(&self, caller: &Caller) -> Option<Voucher> {
        let roles = caller.roles.iter().map(Role::as_str_name).collect::<Vec<_>>().join(",");
        Some(Voucher {
            actor: HeaderValue::from_str(&caller.name).ok()?,
            platform: match &caller.platform {
                Some(platform) => Some(HeaderValue::from_str(platform).ok()?),
                None => None,
            },
            roles: HeaderValue::from_str(&roles).ok()?,
            token: self.token.clone(),
        })
    }

    /// The caller that the metadata names, if the token is right.
    #[must_use]
    pub fn caller(&self, headers: &HeaderMap) -> Option<Caller> {
        let token = headers.get(INTERNAL_TOKEN)?;
        if !bool::from(token.as_bytes().ct_eq(self.token.as_bytes())) {
            return None;
        }
        let text = |name| headers.get(name).map(HeaderValue::to_str).transpose().ok();
        Some(Caller {
            name: text(ACTOR)??.to_owned(),
            platform: text(PLATFORM)?.map(str::to_owned),
            roles: text(ROLES)??.split(',').filter_map(Role::from_str_name).collect(),
        })
    }
}

/// Ready-made metadata for one caller.
#[derive(Debug, Clone)]
pub struct Voucher {
    actor: HeaderValue,
    platform: Option<HeaderValue>,
    roles: HeaderValue,
    token: HeaderValue,
}

impl Voucher {
    /// Sets the metadata. Whatever the outside sent under these names must be gone before.
    pub fn apply(&self, headers: &mut HeaderMap) {
        headers.insert(ACTOR, self.actor.clone());
        if let Some(platform) = &self.platform {
            headers.insert(PLATFORM, platform.clone());
        }
        headers.insert(ROLES, self.roles.clone());
        headers.insert(INTERNAL_TOKEN, self.token.clone());
    }
}

/// Removes all metadata that only the gateway may set.
pub fn strip_reserved(headers: &mut HeaderMap) {
    while let Some(name) =
        headers.keys().find(|name| name.as_str().starts_with(RESERVED_PREFIX)).cloned()
    {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
