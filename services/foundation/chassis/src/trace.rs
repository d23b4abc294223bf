//! W3C trace context: taken from incoming metadata, kept with events, handed on in outgoing headers.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The header of the trace context, in gRPC and on the bus alike.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The trace context of the current span; empty when nobody traces.
#[must_use]
pub fn traceparent() -> String {
    of_span(&Span::current()).unwrap_or_default()
}

/// Makes the span a child of a remote one. Nonsense is no parent.
pub fn continue_from(span: &Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        // Fails only when no collector is configured, and then nobody asks for parents.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

/// Sets the header to the trace context of a span, where there is one.
pub fn inject(span: &Span, headers: &mut HeaderMap) {
    if let Some(value) = of_span(span).and_then(|text| HeaderValue::from_str(&text).ok()) {
        headers.insert(TRACEPARENT, value);
    }
}

/// The trace context that a call goes on with: that of its own span, or else the caller's, so that
/// a chain is not broken by a process without a collector.
pub(crate) fn carried(span: &Span, headers: &HeaderMap) -> Arc<str> {
    if let Some(own) = of_span(span) {
        return own.into();
    }
    match headers.get(TRACEPARENT).and_then(|value| value.to_str().ok()) {
        Some(theirs) if parse(theirs).is_some() => theirs.into(),
        Some(_) | None => Arc::default(),
    }
}

fn of_span(span: &Span) -> Option<String> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| {
        let (trace, span) = (context.trace_id(), context.span_id());
        format!("00-{trace}-{span}-{:02x}", context.trace_flags().to_u8() & 1)
    })
}

/// `00-<32 hex>-<16 hex>-<2 hex>`; later versions may append, which is ignored.
fn parse(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let lengths = (version.len(), trace.len(), span.len(), flags.len());
    if lengths != (2, 32, 16, 2) || version == "ff" || (version == "00" && parts.next().is_some()) {
        return None;
    }
    let lower_hex = |part: &str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if ![version, trace, span, flags].into_iter().all(lower_hex) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(span).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & 1),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_trace_context_of_the_standard_is_read() {
        let context = parse(GOOD).unwrap();
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled());
        assert!(parse("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more").is_some());
    }

    #[test]
    fn nonsense_is_no_trace_context() {
        for wrong in [
            "",
            "00",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn without_a_collector_the_context_of_the_caller_is_handed_on() {
        let mut headers = HeaderMap::new();
        headers.insert(TRACEPARENT, HeaderValue::from_static(GOOD));
        assert_eq!(&*carried(&Span::none(), &headers), GOOD);
        headers.insert(TRACEPARENT, HeaderValue::from_static("nonsense"));
        assert_eq!(&*carried(&Span::none(), &headers), "");
    }
}
