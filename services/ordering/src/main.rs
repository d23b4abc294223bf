//! The process `ordering`.

fn main() -> std::process::ExitCode {
    chassis::main("ordering", ordering::run)
}
