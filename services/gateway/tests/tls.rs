//! TLS at the door and on the way to a remote service, with certificates made for the test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

mod support;

use std::{path::PathBuf, sync::Arc};

use chassis::{Services, settings::TlsFiles};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use support::{OPERATOR, SOON, echo::Echo, process, settings};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, ServerName, pem::PemObject},
    },
};
use tonic::Code;

struct Certificates {
    roots: PathBuf,
    server: TlsFiles,
    _folder: TempDir,
}

/// An authority, and a certificate of it for `localhost`.
fn certificates() -> Certificates {
    let folder = tempfile::tempdir().unwrap();
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&key, &authority).unwrap();
    let write = |name: &str, pem: String| {
        let file = folder.path().join(name);
        std::fs::write(&file, pem).unwrap();
        file
    };
    let roots = write("roots.pem", authority.pem());
    let server = TlsFiles {
        cert: write("cert.pem", leaf.pem()),
        key: write("key.pem", key.serialize_pem()),
    };
    Certificates { roots, server, _folder: folder }
}

fn connector(roots: &PathBuf, protocol: &[u8]) -> TlsConnector {
    let mut store = RootCertStore::empty();
    store.add(CertificateDer::from_pem_file(roots).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    TlsConnector::from(Arc::new(config))
}

#[tokio::test]
async fn the_door_and_the_way_behind_it_speak_tls() {
    let certificates = certificates();
    let mut behind = settings();
    behind.server.tls = Some(certificates.server.clone());
    let remote = process(behind);
    let services = Services::new().with(Echo::default());
    let backend = remote.host("echo").serve(services).await.unwrap().unwrap();

    let mut config = support::config(&format!("https://localhost:{}", backend.port()));
    config.tls = Some(certificates.server.clone());
    config.backend_roots = Some(certificates.roots.clone());
    let door = process(settings());
    let host = door.host("gateway");
    let address = gateway::open(&config, &host, &support::methods()).await.unwrap();

    let name = ServerName::try_from("localhost").unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = connector(&certificates.roots, b"h2").connect(name.clone(), stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::post("https://localhost/test.v1.Echo/Unary")
        .header("content-type", "application/grpc")
        .header("x-api-key", OPERATOR)
        .body(())
        .unwrap();
    let (answer, mut body) = sender.ready().await.unwrap().send_request(request, false).unwrap();
    body.send_data(b"\0\0\0\0\x02hi"[..].into(), true).unwrap();
    let mut answer = timeout(SOON, answer).await.unwrap().unwrap().into_body();
    assert_eq!(answer.data().await.unwrap().unwrap(), &b"\0\0\0\0\x02hi"[..]);
    let trailers = answer.trailers().await.unwrap().unwrap();
    assert_eq!(trailers.get("grpc-status").unwrap(), "0");
    connection.abort();

    // HTTP/1 is offered for gRPC-Web.
    let stream = TcpStream::connect(address).await.unwrap();
    let stream = connector(&certificates.roots, b"http/1.1").connect(name, stream).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

#[tokio::test]
async fn a_service_with_a_certificate_of_another_authority_is_not_believed() {
    let (theirs, ours) = (certificates(), certificates());
    let mut behind = settings();
    behind.server.tls = Some(theirs.server.clone());
    let remote = process(behind);
    let services = Services::new().with(Echo::default());
    let backend = remote.host("echo").serve(services).await.unwrap().unwrap();
    let mut config = support::config(&format!("https://localhost:{}", backend.port()));
    config.backend_roots = Some(ours.roots.clone());
    let door = process(settings());
    let host = door.host("gateway");
    let address = gateway::open(&config, &host, &support::methods()).await.unwrap();
    let running =
        support::Running { address, host, process: door, echo: Echo::default(), backend: None };
    let told = running.client().unary("Unary", b"").await.unwrap_err();
    assert_eq!(told.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_peer_that_never_shakes_hands_is_let_go() {
    let certificates = certificates();
    let mut settings = settings();
    settings.server.handshake_seconds = 1;
    let running = support::running_with(support::Place::InProcess, settings, |config| {
        config.tls = Some(certificates.server.clone());
    })
    .await;
    for beginning in [&b""[..], b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(beginning).await.unwrap();
        let mut bytes = Vec::new();
        let _ = timeout(SOON, stream.read_to_end(&mut bytes)).await.expect("let go in time");
    }
}

#[tokio::test]
async fn files_that_are_no_certificates_are_refused_with_their_name() {
    let mut certificates = certificates();
    std::fs::write(&certificates.server.cert, "no certificate").unwrap();
    let mut config = support::config("in-process");
    config.tls = Some(certificates.server.clone());
    let door = process(settings());
    let refused = gateway::open(&config, &door.host("gateway"), &support::methods()).await;
    assert!(refused.unwrap_err().to_string().contains("cert.pem"));
    certificates.server.key = PathBuf::from("/nowhere/key.pem");
    config.tls = Some(certificates.server.clone());
    let refused = gateway::open(&config, &door.host("gateway2"), &support::methods()).await;
    assert!(refused.is_err());
}
