//! The gateway as a process: arguments, configuration, exit codes, signals.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const TOKEN: (&str, &str) = ("EMALL_IDENTITY__INTERNAL_TOKEN", "0123456789abcdef");

fn gateway(arguments: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gateway"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("EMALL_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).envs(environment.iter().copied());
    command
}

fn output(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    gateway(arguments, environment).output().unwrap()
}

/// Refused with 64 and one sentence.
fn refusal(arguments: &[&str], environment: &[(&str, &str)]) -> String {
    let output = output(arguments, environment);
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(64), "{sentence}");
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    sentence
}

fn file(folder: &tempfile::TempDir, toml: &str) -> PathBuf {
    let file = folder.path().join("emall.toml");
    std::fs::write(&file, toml).unwrap();
    file
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_bad_configuration_is_refused_with_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let toml = file(&folder, "[gateway]\nlissen = \"127.0.0.1:0\"\n");
    let config = ["--config", toml.to_str().unwrap()];
    let told = refusal(&config, &[TOKEN]);
    assert!(told.contains("gateway.lissen") && told.contains("emall.toml"), "{told}");
    let told = refusal(&[], &[("EMALL_CONFIG", toml.to_str().unwrap()), TOKEN]);
    assert!(told.contains("gateway.lissen"), "{told}");

    let told = refusal(&[], &[("EMALL_GATEWAY__LISSEN", "127.0.0.1:0"), TOKEN]);
    assert!(told.contains("gateway.lissen") && told.contains("EMALL_"), "{told}");
    let told = refusal(&[], &[("EMALL_GATEWAY_LISTEN", "127.0.0.1:0"), TOKEN]);
    assert!(told.contains("EMALL_GATEWAY__LISTEN"), "{told}");
    let told = refusal(&[], &[("EMALL_SERVER__MAX_IN_FLIGHT", "many"), TOKEN]);
    assert!(told.contains("server.max_in_flight"), "{told}");
    let told = refusal(&[], &[("EMALL_TELEMETRY__LEVEL", "info,="), TOKEN]);
    assert!(told.contains("telemetry.level"), "{told}");
    assert!(refusal(&[], &[]).contains("EMALL_IDENTITY__INTERNAL_TOKEN"));
    assert!(refusal(&[], &[(TOKEN.0, "short")]).contains("16 random characters"));
    assert!(refusal(&["--nonsense"], &[]).contains("--help"));
    assert!(refusal(&["--config", "/nowhere.toml"], &[]).contains("/nowhere.toml"));

    let toml = file(&folder, "[[gateway.keys]]\nname = \"a\"\nsha256 = \"00\"\nplatform = \"m\"\n");
    assert!(refusal(&["--config", toml.to_str().unwrap()], &[TOKEN]).contains("64 hexadecimal"));
}

#[test]
fn the_effective_configuration_can_be_printed() {
    let folder = tempfile::tempdir().unwrap();
    let toml = file(&folder, "[gateway]\nconnections = 7\n[ordering]\nanything = 1\n");
    let output = output(
        &["--config", toml.to_str().unwrap(), "--print-config"],
        &[TOKEN, ("EMALL_SERVER__DRAIN_SECONDS", "3")],
    );
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for line in
        ["connections = 7", "drain_seconds = 3", "internal_token = \"***\"", "max_streams ="]
    {
        assert!(text.contains(line), "no {line} in\n{text}");
    }
    assert!(!text.contains(TOKEN.1));
}

#[test]
fn version_and_help_are_told() {
    let version = output(&["--version"], &[]);
    assert!(String::from_utf8_lossy(&version.stdout).starts_with("gateway 0."));
    let help = output(&["--help"], &[]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("--print-config"));
    assert_eq!((version.status.code(), help.status.code()), (Some(0), Some(0)));
}

#[test]
fn it_runs_until_a_signal_and_stops_cleanly() {
    for signal in ["TERM", "INT"] {
        let environment = [
            TOKEN,
            ("EMALL_GATEWAY__LISTEN", "127.0.0.1:0"),
            ("EMALL_TELEMETRY__LISTEN", "127.0.0.1:0"),
            ("EMALL_TELEMETRY__FORMAT", "json"),
        ];
        let child = gateway(&[], &environment).stderr(Stdio::piped()).spawn().unwrap();
        let mut running = Running(child);
        let mut lines = BufReader::new(running.0.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("\"listening\"") {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "it ended early");
        }
        let begun = Instant::now();
        let pid = running.0.id().to_string();
        assert!(Command::new("kill").args([format!("-{signal}"), pid]).status().unwrap().success());
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        assert_eq!(running.0.wait().unwrap().code(), Some(0), "{rest}");
        assert!(rest.contains("\"stopped\""), "{rest}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_port_that_is_taken_ends_it_with_a_sentence() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = output(&[], &[TOKEN, ("EMALL_GATEWAY__LISTEN", &address)]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(70), "{told}");
    assert!(told.contains(&format!("cannot listen on {address}")), "{told}");
}
