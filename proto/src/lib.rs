//! The contracts of the product: every message, event and rpc, generated from `emall/**/*.proto`.
//!
//! The generated types are used directly. The only code here is the codec of events, so that the
//! `Option` around a `oneof` is handled in one place, and the look-up of who may call what.

#![allow(clippy::all, clippy::wildcard_enum_match_arm, reason = "generated code")]
#![allow(unreachable_pub, missing_docs, reason = "generated code; the .proto files carry the docs")]

/// The packages as they are named in the .proto files.
pub mod emall {
    /// Terms shared by every context.
    pub mod common {
        /// First version.
        pub mod v1 {
            tonic::include_proto!("emall.common.v1");
        }
    }

    /// Orders, contracts, logistics exceptions, reconciliation.
    pub mod ordering {
        /// First version.
        pub mod v1 {
            tonic::include_proto!("emall.ordering.v1");
        }
    }

    /// Complaints, from the first word to a solution that the user accepts.
    pub mod complaints {
        /// First version.
        pub mod v1 {
            tonic::include_proto!("emall.complaints.v1");
        }
    }

    /// Promises about time: policies, calendars, clocks.
    pub mod sla {
        /// First version.
        pub mod v1 {
            tonic::include_proto!("emall.sla.v1");
        }
    }
}

mod access {
    include!(concat!(env!("OUT_DIR"), "/access.rs"));
}

mod codecs {
    include!(concat!(env!("OUT_DIR"), "/codecs.rs"));
}

pub use emall::{
    common::v1 as common, complaints::v1 as complaints, ordering::v1 as ordering, sla::v1 as sla,
};

use common::Role;

/// The serialized `FileDescriptorSet` of all contracts, for reflection and readable output.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// A `oneof` of events: what one kind of aggregate can record.
pub trait Event: Sized + Send + Sync + 'static {
    /// Full protobuf names of all events in the `oneof`.
    const TYPES: &'static [&'static str];

    /// Full protobuf name of this event.
    fn type_name(&self) -> &'static str;

    /// The serialized event, without the `oneof` around it.
    fn encode_body(&self) -> Vec<u8>;

    /// Reads an event back.
    ///
    /// # Errors
    /// The type is not one of [`Self::TYPES`], or the body is not of that type.
    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, EventError>;
}

/// Why a stored event cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum EventError {
    /// No such event in this `oneof`.
    #[error("unknown event type {0}")]
    UnknownType(String),
    /// The body is damaged.
    #[error("damaged event body")]
    Damaged(#[from] prost::DecodeError),
}

/// Roles that may call a method, given its path `/package.Service/Method`; `None` when there is no
/// such method, empty when the method is closed.
#[must_use]
pub fn allowed_roles(path: &str) -> Option<Vec<Role>> {
    access::METHODS
        .iter()
        .find(|(method, _)| *method == path)
        .map(|(_, roles)| roles.iter().filter_map(|role| Role::try_from(*role).ok()).collect())
}

/// Descriptors of all contracts, for readable output.
///
/// # Panics
/// Never: a test reads the embedded descriptors.
pub fn pool() -> &'static prost_reflect::DescriptorPool {
    static POOL: std::sync::LazyLock<prost_reflect::DescriptorPool> =
        std::sync::LazyLock::new(|| {
            prost_reflect::DescriptorPool::decode(DESCRIPTORS).unwrap_or_default()
        });
    &POOL
}

/// A stored message as protobuf JSON; `None` when its type is unknown here or its body damaged.
#[must_use]
pub fn json(type_name: &str, body: &[u8]) -> Option<serde_json::Value> {
    let descriptor = pool().get_message_by_name(type_name)?;
    let message = prost_reflect::DynamicMessage::decode(descriptor, body).ok()?;
    serde_json::to_value(&message).ok()
}

/// Paths `/package.Service/Method` of all methods.
pub fn methods() -> impl Iterator<Item = &'static str> {
    access::METHODS.iter().map(|(method, _)| *method)
}
