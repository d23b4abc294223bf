//! Compiles the contracts, and writes down beside them what the descriptors know: the codec of
//! every event, and who may call which method.

use std::{env, error::Error, fmt::Write as _, fs, path::PathBuf};

use prost_reflect::{DescriptorPool, MessageDescriptor};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=emall");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let files = proto_files("emall")?;

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    fs::write(out.join("descriptors.bin"), compiler.encode_file_descriptor_set())?;
    let pool = DescriptorPool::decode(compiler.encode_file_descriptor_set().as_slice())?;

    tonic_prost_build::configure()
        .build_transport(false)
        .bytes(".emall.common.v1.RecordedEvent.body")
        .compile_fds(compiler.file_descriptor_set())?;

    fs::write(out.join("codecs.rs"), codecs(&pool)?)?;
    fs::write(out.join("access.rs"), access(&pool)?)?;
    Ok(())
}

fn proto_files(root: &str) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(root)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "proto") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// One `impl Event` for each message `XEvent { oneof event { … } }`.
fn codecs(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let mut code = String::new();
    for message in pool.all_messages().filter(is_event) {
        let rust = rust_path(&message);
        let oneof = format!("{}::Event", rust_module(&rust));
        let (mut names, mut encode, mut decode, mut list) =
            (String::new(), String::new(), String::new(), String::new());
        for field in message.fields() {
            let kind = field.kind();
            let inner = kind.as_message().ok_or("an event is a message")?;
            let variant = pascal(field.name());
            let name = inner.full_name();
            writeln!(names, "            Self::{variant}(_) => {name:?},")?;
            writeln!(
                encode,
                "            Self::{variant}(event) => prost::Message::encode_to_vec(event),"
            )?;
            writeln!(
                decode,
                "            {name:?} => Ok(Self::{variant}(prost::Message::decode(body)?)),"
            )?;
            writeln!(list, "        {name:?},")?;
            writeln!(
                code,
                "impl From<{inner}> for {oneof} {{\n    fn from(event: {inner}) -> Self {{ Self::{variant}(event) }}\n}}",
                inner = rust_path(inner)
            )?;
        }
        writeln!(
            code,
            "impl crate::Event for {oneof} {{
    const TYPES: &'static [&'static str] = &[
{list}    ];
    fn type_name(&self) -> &'static str {{
        match self {{
{names}        }}
    }}
    fn encode_body(&self) -> Vec<u8> {{
        match self {{
{encode}        }}
    }}
    fn decode_body(type_name: &str, body: &[u8]) -> Result<Self, crate::EventError> {{
        match type_name {{
{decode}            other => Err(crate::EventError::UnknownType(other.to_owned())),
        }}
    }}
}}"
        )?;
    }
    Ok(code)
}

/// The access rule of each method, closed where none is written.
fn access(pool: &DescriptorPool) -> Result<String, Box<dyn Error>> {
    let extension =
        pool.get_extension_by_name("emall.common.v1.access").ok_or("access option is gone")?;
    let mut code = String::from("pub(crate) static METHODS: &[(&str, &[i32])] = &[\n");
    for service in pool.services() {
        for method in service.methods() {
            let options = method.options();
            let rule = options.get_extension(&extension);
            let roles: Vec<i32> = rule
                .as_message()
                .and_then(|rule| rule.get_field_by_name("roles").map(|roles| roles.into_owned()))
                .and_then(|roles| {
                    Some(roles.as_list()?.iter().filter_map(|role| role.as_enum_number()).collect())
                })
                .unwrap_or_default();
            let path = format!("/{}/{}", service.full_name(), method.name());
            writeln!(code, "    ({path:?}, &{roles:?}),")?;
        }
    }
    code.push_str("];\n");
    Ok(code)
}

fn is_event(message: &MessageDescriptor) -> bool {
    message.name().ends_with("Event")
        && message.oneofs().count() == 1
        && message.oneofs().all(|oneof| oneof.name() == "event")
}

/// `emall.ordering.v1.OrderEvent` as `crate::emall::ordering::v1::OrderEvent`.
fn rust_path(message: &MessageDescriptor) -> String {
    format!("crate::{}::{}", message.package_name().replace('.', "::"), message.name())
}

/// The module in which prost puts the oneof of a message: `…::OrderEvent` → `…::order_event`.
fn rust_module(path: &str) -> String {
    let (parent, name) = path.rsplit_once("::").unwrap_or(("", path));
    let mut snake = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    format!("{parent}::{snake}")
}

fn pascal(snake: &str) -> String {
    snake
        .split('_')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect::<String>()
            })
        })
        .collect()
}
