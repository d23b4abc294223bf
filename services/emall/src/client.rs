//! Calls through the gateway: keys, connection, and another try where one makes sense.
//!
//! Every command carries an id of the caller, so a repeat does no harm: whatever broke on the way
//! is simply sent again, for as long as [`PATIENCE`].

use std::{
    collections::BTreeMap,
    error::Error as _,
    future::Future,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use contracts::{
    complaints::{
        complaint_report_service_client::ComplaintReportServiceClient,
        complaint_service_client::ComplaintServiceClient,
        improvement_service_client::ImprovementServiceClient,
    },
    ordering::{
        damage_claim_service_client::DamageClaimServiceClient,
        order_service_client::OrderServiceClient,
        reconciliation_service_client::ReconciliationServiceClient,
    },
    sla::{clock_service_client::ClockServiceClient, policy_service_client::PolicyServiceClient},
};
use tonic::{
    Code, Request, Response, Status,
    metadata::{Ascii, MetadataValue},
    transport::{Certificate, Channel, ClientTlsConfig, Endpoint},
};
use tonic_types::StatusExt as _;

use crate::{end::Failure, refusal::Refusal};

/// For how long a call is tried again before it counts as lost.
const PATIENCE: Duration = Duration::from_secs(60);
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// In whose name a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum As {
    /// The e-mall platform.
    Platform,
    /// The supplier's operations team.
    Operator,
    /// The supplier's finance post.
    Finance,
}

/// Keys for the gateway.
#[derive(Clone)]
pub(crate) struct Keys {
    platform: MetadataValue<Ascii>,
    operator: MetadataValue<Ascii>,
    finance: MetadataValue<Ascii>,
}

/// The variables of a keys file, which is what `emall up` writes.
pub(crate) const PLATFORM_KEY: &str = "EMALL_KEY_PLATFORM";
pub(crate) const OPERATOR_KEY: &str = "EMALL_KEY_OPERATOR";
pub(crate) const FINANCE_KEY: &str = "EMALL_KEY_FINANCE";

impl Keys {
    /// The one key for everything, else those of the file.
    pub(crate) fn find(key: Option<&str>, file: &Path) -> Result<Self, Failure> {
        if let Some(key) = key {
            let key = bearer("the key", key)?;
            return Ok(Self { platform: key.clone(), operator: key.clone(), finance: key });
        }
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::because(
                format!(
                    "cannot read the keys in {}; start `emall up`, which writes them, or give --key or --keys-file",
                    file.display()
                ),
                error,
            )
        })?;
        let found = variables(&text);
        let one = |name: &str| {
            let key = found.get(name).ok_or_else(|| {
                Failure::usage(format!("{} has no {name}; add it, or give --key", file.display()))
            })?;
            bearer(name, key)
        };
        Ok(Self {
            platform: one(PLATFORM_KEY)?,
            operator: one(OPERATOR_KEY)?,
            finance: one(FINANCE_KEY)?,
        })
    }

    fn of(&self, who: As) -> MetadataValue<Ascii> {
        match who {
            As::Platform => self.platform.clone(),
            As::Operator => self.operator.clone(),
            As::Finance => self.finance.clone(),
        }
    }
}

/// `NAME=value` a line; `#` begins a comment.
pub(crate) fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .collect()
}

/// Where the keys are when nobody says: beside the data.
pub(crate) fn keys_file(given: Option<PathBuf>, data: &Path) -> PathBuf {
    given.unwrap_or_else(|| data.join("keys.env"))
}

fn bearer(name: &str, key: &str) -> Result<MetadataValue<Ascii>, Failure> {
    let mut value: MetadataValue<Ascii> = format!("Bearer {key}").parse().map_err(|_| {
        Failure::usage(format!("{name} has characters that no header can carry; copy it anew"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Why a call did not do what it was to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    /// The service said no.
    #[error("{}", told(.0))]
    Refused(Vec<Refusal>),
    /// The key is not known, or may not do this.
    #[error("the gateway does not let this key do it ({}); use another key", .0.message())]
    NotAllowed(Box<Status>),
    /// No answer that could be used, however often it was tried.
    #[error("no usable answer ({:?}: {})", .0.code(), .0.message())]
    Lost(Box<Status>),
}

impl CallError {
    /// Whether the service said no for this reason, and for no other.
    pub(crate) fn is(&self, reason: &str) -> bool {
        match self {
            Self::Refused(refusals) => refusals.iter().all(|refusal| refusal.reason == reason),
            Self::NotAllowed(_) | Self::Lost(_) => false,
        }
    }
}

/// What a call could not do, with what to do next.
pub(crate) fn failed(sentence: &'static str) -> impl Fn(CallError) -> Failure {
    move |error| Failure::because(sentence, error)
}

fn told(refusals: &[Refusal]) -> String {
    let one = |refusal: &Refusal| match (refusal.field.as_str(), refusal.message.as_str()) {
        ("", message) => format!("{}: {message}", refusal.reason),
        (field, message) => format!("{} {field}: {message}", refusal.reason),
    };
    refusals.iter().map(one).collect::<Vec<_>>().join("; ")
}

/// The services behind the gateway.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) orders: OrderServiceClient<Channel>,
    pub(crate) damage: DamageClaimServiceClient<Channel>,
    pub(crate) reconciliation: ReconciliationServiceClient<Channel>,
    pub(crate) complaints: ComplaintServiceClient<Channel>,
    pub(crate) complaint_reports: ComplaintReportServiceClient<Channel>,
    pub(crate) improvements: ImprovementServiceClient<Channel>,
    pub(crate) policies: PolicyServiceClient<Channel>,
    pub(crate) clocks: ClockServiceClient<Channel>,
}

/// A connection to the gateway with keys.
#[derive(Clone)]
pub(crate) struct Client {
    services: Services,
    keys: Keys,
}

impl Client {
    /// Connects; fails at once when nobody listens, because then nobody is likely to in a minute.
    pub(crate) async fn connect(
        url: &str,
        keys: Keys,
        authority: Option<&Path>,
    ) -> Result<Self, Failure> {
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|error| {
                Failure::because(format!("{url} is no address; give --to http://HOST:PORT"), error)
            })?
            .connect_timeout(Duration::from_secs(5))
            .tcp_nodelay(true)
            .http2_adaptive_window(true);
        let endpoint = match authority {
            None => endpoint,
            Some(file) => endpoint.tls_config(trust(file)?).map_err(|error| {
                Failure::because(
                    format!(
                        "{} cannot be used; give a PEM file of root certificates",
                        file.display()
                    ),
                    error,
                )
            })?,
        };
        let channel = endpoint.connect().await.map_err(|error| {
            Failure::because(
                format!(
                    "nobody answers at {url}; start `emall up`, or name another place with --to"
                ),
                error,
            )
        })?;
        let services = Services {
            orders: OrderServiceClient::new(channel.clone()),
            damage: DamageClaimServiceClient::new(channel.clone()),
            reconciliation: ReconciliationServiceClient::new(channel.clone()),
            complaints: ComplaintServiceClient::new(channel.clone()),
            complaint_reports: ComplaintReportServiceClient::new(channel.clone()),
            improvements: ImprovementServiceClient::new(channel.clone()),
            policies: PolicyServiceClient::new(channel.clone()),
            clocks: ClockServiceClient::new(channel),
        };
        Ok(Self { services, keys })
    }

    fn services(&self) -> Services {
        self.services.clone()
    }

    pub(crate) fn orders(&self) -> OrderServiceClient<Channel> {
        self.services.orders.clone()
    }

    pub(crate) fn clocks(&self) -> ClockServiceClient<Channel> {
        self.services.clocks.clone()
    }

    pub(crate) fn request<Q>(&self, who: As, message: Q) -> Request<Q> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.keys.of(who));
        request
    }

    /// One command, sent until it is answered.
    pub(crate) async fn call<Q, A, F>(
        &self,
        who: As,
        message: Q,
        send: impl Fn(Services, Request<Q>) -> F,
    ) -> Result<A, CallError>
    where
        Q: Clone,
        F: Future<Output = Result<Response<A>, Status>>,
    {
        let mut tries = Tries::new();
        loop {
            match send(self.services(), self.request(who, message.clone())).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => tries.again(status).await?,
            }
        }
    }
}

fn trust(file: &Path) -> Result<ClientTlsConfig, Failure> {
    let pem = std::fs::read(file).map_err(|error| {
        Failure::because(
            format!("cannot read {}; name a readable file with --ca", file.display()),
            error,
        )
    })?;
    Ok(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
}

/// How long one thing has been tried, and when to try again.
pub(crate) struct Tries {
    since: Instant,
    wait: Duration,
}

impl Tries {
    pub(crate) fn new() -> Self {
        Self { since: Instant::now(), wait: FIRST_WAIT }
    }

    /// Waits for the next try, as long as the service asks for, else longer each time.
    ///
    /// # Errors
    /// Another try makes no sense.
    pub(crate) async fn again(&mut self, status: Status) -> Result<(), CallError> {
        let Some(asked) = worth_another_try(&status) else { return Err(give_up(status)) };
        if self.since.elapsed() > PATIENCE {
            return Err(CallError::Lost(Box::new(status)));
        }
        let jitter = self.wait.mul_f64(f64::from(self.since.elapsed().subsec_nanos() % 1000) / 4e3);
        tokio::time::sleep(asked.unwrap_or(self.wait).min(PATIENCE) + jitter).await;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }
}

/// Whether the same call may succeed later, and when the service wants it.
fn worth_another_try(status: &Status) -> Option<Option<Duration>> {
    let asked = status.get_details_retry_info().and_then(|info| info.retry_delay);
    // A status with a source was made here, of a broken connection.
    let broken = status.source().is_some();
    match status.code() {
        Code::Unavailable | Code::Aborted | Code::DeadlineExceeded => Some(asked),
        // Without a time to come back it is a limit of size, which no waiting mends.
        Code::ResourceExhausted => asked.map(Some),
        Code::Cancelled | Code::Unknown | Code::Internal if broken => Some(None),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::Internal
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => None,
    }
}

fn give_up(status: Status) -> CallError {
    match status.code() {
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::NotFound
        | Code::AlreadyExists
        | Code::OutOfRange
        | Code::ResourceExhausted => CallError::Refused(refusals(&status)),
        Code::Unauthenticated | Code::PermissionDenied => CallError::NotAllowed(Box::new(status)),
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::Unimplemented
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => CallError::Lost(Box::new(status)),
    }
}

/// The reason with every field that the service names.
fn refusals(status: &Status) -> Vec<Refusal> {
    let reason = status
        .get_details_error_info()
        .map_or_else(|| format!("{:?}", status.code()), |info| info.reason);
    let fields = status.get_details_bad_request().map_or_else(Vec::new, |bad| bad.field_violations);
    if fields.is_empty() {
        let message = status.message().to_owned();
        return vec![Refusal { reason, field: String::new(), message }];
    }
    fields
        .into_iter()
        .map(|violation| Refusal {
            reason: reason.clone(),
            field: violation.field,
            message: violation.description,
        })
        .collect()
}

#[cfg(test)]
mod tests;
