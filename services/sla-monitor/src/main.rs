//! The process `sla-monitor`.

fn main() -> std::process::ExitCode {
    chassis::main("sla-monitor", sla_monitor::run)
}
