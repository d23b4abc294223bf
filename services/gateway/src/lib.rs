//! The only door from outside: it authenticates, authorises, limits, records and forwards.
//!
//! ```text
//! listener ▸ gRPC-Web ▸ count, limits, deadline (chassis::rpc) ▸ Door ─▶ service in this process
//!                                                                 │  └─▶ remote service
//!                                                                 └─▶ health, reflection
//! ```
//!
//! The invariants: it holds no state and no business rule; it never decodes a message; what the
//! outside says about identity never reaches a service.

mod backends;
mod config;
mod door;
mod keys;
mod methods;
mod rate;
mod remote;

use std::{net::SocketAddr, time::Duration};

use chassis::{BoxError, ConfigError, Host, Listener, Services, rpc::Rpc};
use http::{HeaderName, HeaderValue, Method, header};
use tonic_web::GrpcWebLayer;
use tower::{Layer, util::option_layer};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{backends::Backends, door::Door, keys::Keyring};
pub use crate::{
    config::{Config, KeyConfig, Rate},
    keys::hash_key,
    methods::Methods,
};

/// Opens the gateway for the methods of the contracts.
///
/// # Errors
/// The configuration cannot be used, or the listener cannot be had.
pub async fn run(config: Config, host: Host) -> Result<(), BoxError> {
    open(&config, &host, &Methods::of_contracts()).await?;
    Ok(())
}

/// Opens the gateway for these methods and says where it listens.
///
/// # Errors
/// The configuration cannot be used, or the listener cannot be had.
pub async fn open(config: &Config, host: &Host, methods: &Methods) -> Result<SocketAddr, BoxError> {
    let limits = &host.settings.server;
    let keys = Keyring::new(&config.keys, host.trust())?;
    let backends = Backends::new(config, host.registry(), methods)?;
    backends.watch(host);

    let services = Services::new();
    let services = if limits.reflection { services.with_reflection()? } else { services };
    let names: Vec<_> = methods.services().collect();
    let own = host.with_health(services, &names).into_routes();
    let door = Door::new(keys, methods.table(&backends), own);

    let rpc = Rpc::outside(&host.name, limits, door);
    let pages = option_layer(cors(&config.allowed_origins)?);
    let service = pages.layer(GrpcWebLayer::new().layer(rpc));
    let listener = Listener::bind(config.listen, limits).await?;
    let listener = listener.with_http1().with_tls(config.tls.as_ref())?;
    Ok(host.listen(listener, service))
}

/// Pages from these origins may call by gRPC-Web; no other page may.
fn cors(origins: &[String]) -> Result<Option<CorsLayer>, ConfigError> {
    if origins.is_empty() {
        return Ok(None);
    }
    let origins = origins
        .iter()
        .map(|origin| HeaderValue::from_str(origin))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| {
            ConfigError::new(
                "gateway.allowed_origins has an impossible entry; write for example \
                 https://desk.example.com",
            )
        })?;
    let asked = ["x-api-key", "x-grpc-web", "x-user-agent", "x-request-id", "grpc-timeout"];
    let told = ["grpc-status", "grpc-message", "grpc-status-details-bin", "x-request-id"];
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::POST])
        .allow_headers(
            asked
                .map(HeaderName::from_static)
                .into_iter()
                .chain([header::AUTHORIZATION, header::CONTENT_TYPE])
                .collect::<Vec<_>>(),
        )
        .expose_headers(told.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600));
    Ok(Some(layer))
}
