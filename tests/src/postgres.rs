//! A PostgreSQL database of its own for one test.
//!
//! All SQL of the product is in `eventlog`, and so is its driver. Making and dropping a database
//! takes two statements without an answer: the wire protocol for these is shorter than a driver.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use tonic::codegen::http::Uri;
use uuid::Uuid;

/// An empty database; dropped with this.
#[derive(Debug)]
pub struct Database {
    name: String,
}

impl Database {
    /// Makes one on the server that `EMALL_TEST_POSTGRES_URL` names.
    ///
    /// # Panics
    /// It cannot be made; without a server the panic says how to get one.
    #[must_use]
    pub fn create() -> Self {
        let name = format!("t_{}", Uuid::now_v7().simple());
        execute(&server(), &format!("CREATE DATABASE {name}")).expect("a database");
        Self { name }
    }

    /// Its URL.
    ///
    /// # Panics
    /// The URL of the server is none.
    #[must_use]
    pub fn url(&self) -> String {
        let server = server();
        let (rest, _) = server.rsplit_once('/').expect("a URL that ends with a database");
        format!("{rest}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // a server that is gone has no database left to drop
        let _ = execute(&server(), &format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn server() -> String {
    std::env::var("EMALL_TEST_POSTGRES_URL")
        .expect("EMALL_TEST_POSTGRES_URL names no PostgreSQL server: run `make test`")
}

/// Runs one statement as a superuser whom the server trusts without a password.
fn execute(server: &str, sql: &str) -> Result<(), String> {
    let uri: Uri = server.parse().map_err(|_| format!("{server} is no URL"))?;
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    let user = authority.split_once('@').map_or("postgres", |(user, _)| user);
    let address = (uri.host().unwrap_or("127.0.0.1"), uri.port_u16().unwrap_or(5432));
    let failed = |error: std::io::Error| format!("PostgreSQL: {error}");
    let mut stream = TcpStream::connect(address).map_err(failed)?;
    stream.set_read_timeout(Some(Duration::from_secs(60))).map_err(failed)?;

    let mut hello = 196_608_u32.to_be_bytes().to_vec();
    hello.extend(format!("user\0{user}\0database\0postgres\0\0").bytes());
    stream.write_all(&sized(&hello)).map_err(failed)?;
    until_ready(&mut stream)?;
    let query = [b"Q".to_vec(), sized(format!("{sql}\0").as_bytes())].concat();
    stream.write_all(&query).map_err(failed)?;
    until_ready(&mut stream)
}

/// The length, which counts itself, and the body.
fn sized(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [&length.to_be_bytes(), body].concat()
}

fn until_ready(stream: &mut TcpStream) -> Result<(), String> {
    let mut error = None;
    loop {
        let mut head = [0; 5];
        stream.read_exact(&mut head).map_err(|lost| format!("PostgreSQL: {lost}"))?;
        let [kind, length @ ..] = head;
        let mut body = vec![0; u32::from_be_bytes(length).saturating_sub(4) as usize];
        stream.read_exact(&mut body).map_err(|lost| format!("PostgreSQL: {lost}"))?;
        match kind {
            b'Z' => return error.map_or(Ok(()), Err),
            b'E' => error = Some(String::from_utf8_lossy(&body).replace('\0', " ")),
            b'R' if body != [0; 4] => return Err("the server asks for a password".to_owned()),
            _ => {}
        }
        // an error before the first "ready" is the last thing that is said
        if error.as_ref().is_some_and(|error| error.contains("FATAL")) {
            return error.map_or(Ok(()), Err);
        }
    }
}
