//! What a process tells about itself: log lines, traces, metrics. One set of OpenTelemetry
//! instruments serves the collector and the Prometheus endpoint alike.

use std::{io, time::Duration};

use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::{
    Resource,
    metrics::{PeriodicReader, SdkMeterProvider},
    trace::{Sampler, SdkTracerProvider},
};
use prometheus::{Encoder, Registry, TextEncoder};
use tracing_subscriber::{
    EnvFilter, Layer, fmt, layer::SubscriberExt, registry::LookupSpan, util::SubscriberInitExt,
};

use crate::{
    ConfigError,
    settings::{LogFormat, Telemetry},
};

/// The telemetry of one process. Keep it until the end, then [`Self::flush`].
#[derive(Debug, Clone, Default)]
pub struct TelemetryHandle {
    registry: Registry,
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
}

impl TelemetryHandle {
    /// Starts logging, tracing and metering as configured, for the whole process. Needs a Tokio
    /// runtime when a collector is configured.
    ///
    /// # Errors
    /// The level or the endpoint cannot be used, or telemetry was started before.
    pub fn start(name: &str, config: &Telemetry) -> Result<Self, ConfigError> {
        let filter = EnvFilter::try_new(&config.level).map_err(|error| {
            ConfigError::new(format!(
                "telemetry.level cannot be used ({error}); write for example info,ordering=debug"
            ))
        })?;
        let resource = Resource::builder().with_service_name(name.to_owned()).build();
        let registry = Registry::new();
        let meter = meter(config, resource.clone(), &registry)?;
        let tracer = tracer(config, resource)?;

        let traces = tracer
            .as_ref()
            .map(|provider| tracing_opentelemetry::layer().with_tracer(provider.tracer("emall")));
        tracing_subscriber::registry()
            .with(filter)
            .with(lines(config.format))
            .with(traces)
            .try_init()
            .map_err(|error| ConfigError::new(format!("cannot start logging: {error}")))?;
        global::set_meter_provider(meter.clone());
        Ok(Self { registry, tracer, meter: Some(meter) })
    }

    /// Metrics only, without log lines and without a collector: for processes that log in their own
    /// way, and for tests.
    ///
    /// # Errors
    /// The metrics cannot be registered.
    pub fn metrics_only(name: &str) -> Result<Self, ConfigError> {
        let registry = Registry::new();
        let resource = Resource::builder().with_service_name(name.to_owned()).build();
        let meter = meter(&Telemetry::default(), resource, &registry)?;
        global::set_meter_provider(meter.clone());
        Ok(Self { registry, tracer: None, meter: Some(meter) })
    }

    /// All metrics in the Prometheus text format.
    #[must_use]
    pub fn prometheus(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(16 * 1024);
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::warn!(%error, "a metric cannot be written as text");
        }
        text
    }

    /// Hands out what is still in memory, within the bound.
    pub async fn flush(&self, bound: Duration) {
        let (tracer, meter) = (self.tracer.clone(), self.meter.clone());
        // The SDK waits for its own threads, so it must not do that on one of the runtime's.
        let flushed = tokio::task::spawn_blocking(move || {
            if let Some(tracer) = tracer {
                let _ = tracer.shutdown_with_timeout(bound);
            }
            if let Some(meter) = meter {
                let _ = meter.shutdown_with_timeout(bound);
            }
        });
        let _ = tokio::time::timeout(bound, flushed).await;
    }
}

fn meter(
    config: &Telemetry,
    resource: Resource,
    registry: &Registry,
) -> Result<SdkMeterProvider, ConfigError> {
    let prometheus = opentelemetry_prometheus::exporter()
        .with_registry(registry.clone())
        .scope_info_enabled(false)
        .build()
        .map_err(|error| ConfigError::new(format!("cannot start metrics: {error}")))?;
    let mut provider = SdkMeterProvider::builder().with_resource(resource).with_reader(prometheus);
    if let Some(endpoint) = &config.otlp_endpoint {
        let exporter = opentelemetry_otlp::MetricExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .build()
            .map_err(|error| unusable_endpoint(&error))?;
        provider = provider.with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(Duration::from_secs(config.export_seconds))
                .build(),
        );
    }
    Ok(provider.build())
}

fn tracer(
    config: &Telemetry,
    resource: Resource,
) -> Result<Option<SdkTracerProvider>, ConfigError> {
    let Some(endpoint) = &config.otlp_endpoint else { return Ok(None) };
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build()
        .map_err(|error| unusable_endpoint(&error))?;
    let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(config.sample_ratio)));
    Ok(Some(
        SdkTracerProvider::builder()
            .with_resource(resource)
            .with_sampler(sampler)
            .with_batch_exporter(exporter)
            .build(),
    ))
}

fn unusable_endpoint(error: &dyn std::error::Error) -> ConfigError {
    ConfigError::new(format!(
        "telemetry.otlp_endpoint cannot be used ({error}); write for example http://collector:4317"
    ))
}

/// Log lines go to standard error: standard output belongs to what a command prints.
fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    let lines = fmt::layer().with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.with_ansi(false).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_span_list(false).boxed(),
    }
}
