//! Every message, field, enum value, service and rpc of the contracts says in words what it is.
//!
//! buf's COMMENTS rules say the same of the files; this test says it of what is compiled in, without
//! needing Node.js.

use std::{collections::HashSet, error::Error};

use prost::Message as _;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, FileDescriptorSet,
    ServiceDescriptorProto, SourceCodeInfo,
};

// Field numbers within descriptor.proto: a path through them names an element.
const FILE_MESSAGE: i32 = 4;
const FILE_ENUM: i32 = 5;
const FILE_SERVICE: i32 = 6;
const MESSAGE_FIELD: i32 = 2;
const MESSAGE_NESTED: i32 = 3;
const MESSAGE_ENUM: i32 = 4;
const MESSAGE_ONEOF: i32 = 8;
const ENUM_VALUE: i32 = 2;
const SERVICE_METHOD: i32 = 2;

/// Walks one file and remembers what has no comment.
struct Walk {
    commented: HashSet<Vec<i32>>,
    seen: usize,
    bare: Vec<String>,
}

impl Walk {
    fn file(file: &FileDescriptorProto) -> Self {
        let commented = file.source_code_info.as_ref().map(commented).unwrap_or_default();
        let mut walk = Self { commented, seen: 0, bare: Vec::new() };
        let package = file.package();
        for (index, message) in (0..).zip(&file.message_type) {
            walk.message(&[FILE_MESSAGE, index], package, message);
        }
        for (index, values) in (0..).zip(&file.enum_type) {
            walk.values(&[FILE_ENUM, index], package, values);
        }
        for (index, service) in (0..).zip(&file.service) {
            walk.service(&[FILE_SERVICE, index], package, service);
        }
        walk
    }

    fn element(&mut self, path: &[i32], name: String) {
        self.seen += 1;
        if !self.commented.contains(path) {
            self.bare.push(name);
        }
    }

    fn message(&mut self, path: &[i32], parent: &str, message: &DescriptorProto) {
        // The entry of a map is made by the compiler: nobody can comment it.
        if message.options.as_ref().is_some_and(prost_types::MessageOptions::map_entry) {
            return;
        }
        let name = format!("{parent}.{}", message.name());
        self.element(path, name.clone());
        for (index, field) in (0..).zip(&message.field) {
            self.element(&below(path, MESSAGE_FIELD, index), format!("{name}.{}", field.name()));
        }
        for (index, oneof) in (0..).zip(&message.oneof_decl) {
            // So is the oneof around an `optional` field.
            if !oneof.name().starts_with('_') {
                let oneof = format!("{name}.{}", oneof.name());
                self.element(&below(path, MESSAGE_ONEOF, index), oneof);
            }
        }
        for (index, nested) in (0..).zip(&message.nested_type) {
            self.message(&below(path, MESSAGE_NESTED, index), &name, nested);
        }
        for (index, values) in (0..).zip(&message.enum_type) {
            self.values(&below(path, MESSAGE_ENUM, index), &name, values);
        }
    }

    fn values(&mut self, path: &[i32], parent: &str, values: &EnumDescriptorProto) {
        let name = format!("{parent}.{}", values.name());
        self.element(path, name.clone());
        for (index, value) in (0..).zip(&values.value) {
            self.element(&below(path, ENUM_VALUE, index), format!("{name}.{}", value.name()));
        }
    }

    fn service(&mut self, path: &[i32], parent: &str, service: &ServiceDescriptorProto) {
        let name = format!("{parent}.{}", service.name());
        self.element(path, name.clone());
        for (index, method) in (0..).zip(&service.method) {
            self.element(&below(path, SERVICE_METHOD, index), format!("{name}.{}", method.name()));
        }
    }
}

fn below(path: &[i32], field: i32, index: i32) -> Vec<i32> {
    [path, &[field, index]].concat()
}

fn commented(source: &SourceCodeInfo) -> HashSet<Vec<i32>> {
    source
        .location
        .iter()
        .filter(|location| !location.leading_comments().trim().is_empty())
        .map(|location| location.path.clone())
        .collect()
}

#[test]
fn everything_in_the_contracts_is_explained() -> Result<(), Box<dyn Error>> {
    let set = FileDescriptorSet::decode(contracts::DESCRIPTORS)?;
    let ours = set.file.iter().filter(|file| file.package().starts_with("emall."));
    let (mut files, mut bare) = (0, Vec::new());
    for file in ours {
        let walk = Walk::file(file);
        assert!(walk.seen > 0, "{} declares nothing", file.name());
        files += 1;
        bare.extend(walk.bare);
    }
    assert!(files > 0, "no contracts are compiled in");
    assert!(bare.is_empty(), "without a comment: {bare:#?}");
    Ok(())
}

#[test]
fn a_missing_comment_is_seen() -> Result<(), Box<dyn Error>> {
    let mut set = FileDescriptorSet::decode(contracts::DESCRIPTORS)?;
    let file = set
        .file
        .iter_mut()
        .find(|file| file.package().starts_with("emall.") && !file.message_type.is_empty())
        .ok_or("no file with a message")?;
    let source = file.source_code_info.as_mut().ok_or("no comments are compiled in")?;
    let first = source.location.iter_mut().find(|l| l.path == [FILE_MESSAGE, 0]);
    first.ok_or("no first message")?.leading_comments = None;
    let name = format!("{}.{}", file.package(), file.message_type[0].name());
    assert_eq!(Walk::file(file).bare, [name]);
    Ok(())
}
