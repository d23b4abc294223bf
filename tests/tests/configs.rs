//! The configuration files that are shipped can be used: every key is one that a program reads.

use std::{
    error::Error,
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// A program that `make test` has built, beside this test.
fn program(name: &str) -> Result<PathBuf, Box<dyn Error>> {
    let test = std::env::current_exe()?;
    let built = test.parent().and_then(Path::parent).ok_or("no target folder")?;
    let program = built.join(name);
    if !program.is_file() {
        return Err(format!("{} is not built: run `make test`", program.display()).into());
    }
    Ok(program)
}

/// What a program makes of a file, with nothing of this process's environment above it.
fn print_config(name: &str, file: &Path) -> Result<Output, Box<dyn Error>> {
    Ok(Command::new(program(name)?)
        .env_clear()
        .arg("--config")
        .arg(file)
        .arg("--print-config")
        .output()?)
}

fn shipped(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file)
}

fn assert_usable(name: &str, file: &str, shows: &[&str]) -> Result<(), Box<dyn Error>> {
    let output = print_config(name, &shipped(file))?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} refuses {file}: {said}");
    let printed = String::from_utf8_lossy(&output.stdout);
    for line in shows {
        assert!(printed.contains(line), "{file} does not lead to {line}:\n{printed}");
    }
    Ok(())
}

#[test]
fn the_files_for_ordering_are_usable() -> Result<(), Box<dyn Error>> {
    for file in ["deploy/config/ordering.toml", "k8s/ordering/ordering.toml"] {
        let shows = ["listen = \"0.0.0.0:50051\"", "listen = \"0.0.0.0:9464\"", "replicas = 3"];
        assert_usable("ordering", file, &shows)?;
    }
    Ok(())
}

#[test]
fn the_files_for_complaints_are_usable() -> Result<(), Box<dyn Error>> {
    for file in ["deploy/config/complaints.toml", "k8s/complaints/complaints.toml"] {
        let shows = ["listen = \"0.0.0.0:50051\"", "listen = \"0.0.0.0:9464\"", "[complaints]"];
        assert_usable("complaints", file, &shows)?;
    }
    Ok(())
}

#[test]
fn the_files_for_sla_monitor_are_usable() -> Result<(), Box<dyn Error>> {
    for file in ["deploy/config/sla-monitor.toml", "k8s/sla-monitor/sla-monitor.toml"] {
        let shows = ["listen = \"0.0.0.0:50051\"", "listen = \"0.0.0.0:9464\"", "[sla_monitor]"];
        assert_usable("sla-monitor", file, &shows)?;
    }
    Ok(())
}

#[test]
fn the_files_for_the_gateway_are_usable() -> Result<(), Box<dyn Error>> {
    for file in ["deploy/config/gateway.toml", "k8s/gateway/gateway.toml"] {
        let shows = [
            "listen = \"0.0.0.0:8443\"",
            "\"http://ordering:50051\"",
            "\"http://complaints:50051\"",
            "\"http://sla-monitor:50051\"",
            "example-mall",
        ];
        assert_usable("gateway", file, &shows)?;
    }
    Ok(())
}

#[test]
fn a_key_that_nobody_reads_is_refused() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    for name in ["ordering", "complaints", "sla-monitor", "gateway"] {
        let file = folder.path().join(name);
        let section = name.replace('-', "_");
        std::fs::write(&file, format!("[{section}]\nno_such_key = 1\n"))?;
        let output = print_config(name, &file)?;
        assert_eq!(output.status.code(), Some(64), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no_such_key"), "{name}");
    }
    Ok(())
}
