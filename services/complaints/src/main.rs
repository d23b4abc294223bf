//! The process `complaints`.

fn main() -> std::process::ExitCode {
    chassis::main("complaints", complaints::run)
}
