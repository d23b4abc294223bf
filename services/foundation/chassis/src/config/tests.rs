use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;
use crate::Secret;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Shop {
    url: String,
    key: Option<Secret>,
    depth: u32,
    limits: Limits,
    routes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    most: u8,
}

impl Default for Shop {
    fn default() -> Self {
        Self {
            url: "sqlite://shop.db".to_owned(),
            key: None,
            depth: 7,
            limits: Limits::default(),
            routes: BTreeMap::new(),
        }
    }
}

impl Section for Shop {
    fn check(&self) -> Result<(), String> {
        if self.depth == 0 { Err("ordering.depth is 0; set 1 or more".to_owned()) } else { Ok(()) }
    }
}

/// A section type that forgot to refuse unknown keys.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Careless {
    known: u8,
    maybe: Option<u8>,
}

impl Section for Careless {}

fn sources(toml: &str) -> Result<(tempfile::TempDir, Sources), ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emall.toml");
    std::fs::write(&file, toml).unwrap();
    Ok((folder, Sources::read(Some(&file))?))
}

fn shop(toml: &str) -> Result<Shop, ConfigError> {
    sources(toml)?.1.section("ordering")
}

fn complaint<T: std::fmt::Debug>(result: Result<T, ConfigError>) -> String {
    let sentence = result.unwrap_err().to_string();
    assert!(!sentence.contains('\n'), "one sentence: {sentence}");
    sentence
}

#[test]
fn without_a_file_the_defaults_hold() {
    assert_eq!(Sources::none().section::<Shop>("ordering"), Ok(Shop::default()));
    assert!(Sources::none().settings().is_ok());
}

#[test]
fn the_file_goes_above_the_defaults_key_by_key() {
    let shop = shop("[ordering]\ndepth = 9\n[ordering.routes]\n\"a.b\" = \"c\"").unwrap();
    assert_eq!((shop.depth, shop.url.as_str()), (9, "sqlite://shop.db"));
    assert_eq!(shop.routes.get("a.b").map(String::as_str), Some("c"));
}

#[test]
fn defaults_of_a_process_go_below_the_file() {
    let (_folder, sources) = sources("[ordering]\ndepth = 9").unwrap();
    let mut own = BTreeMap::new();
    own.insert("url", "sqlite://elsewhere.db");
    let shop: Shop = sources.with_defaults("ordering", own).section("ordering").unwrap();
    assert_eq!((shop.depth, shop.url.as_str()), (9, "sqlite://elsewhere.db"));
}

#[test]
fn a_file_may_hold_the_sections_of_other_services() {
    assert!(shop("[gateway]\nanything = 1\n[ordering]\ndepth = 1").is_ok());
}

#[test]
fn an_unknown_key_is_refused_with_its_name_and_its_file() {
    let sentence = complaint(shop("[ordering]\ndepht = 1"));
    assert!(sentence.contains("ordering.depht"), "{sentence}");
    assert!(sentence.contains("emall.toml"), "{sentence}");
    assert!(sentence.contains("known: url"), "{sentence}");
    let nested = complaint(shop("[ordering.limits]\nmots = 1"));
    assert!(nested.contains("ordering.limits.mots"), "{nested}");
    let common = complaint(sources("[server]\nlisten_on = 1").unwrap().1.settings());
    assert!(common.contains("server.listen_on"), "{common}");
}

#[test]
fn an_unknown_section_is_refused() {
    let sentence = complaint(sources("[orderng]\ndepth = 1").map(|_| ()));
    assert!(sentence.contains("unknown section orderng in "), "{sentence}");
}

#[test]
fn a_section_type_that_forgets_to_refuse_unknown_keys_does_not_swallow_them() {
    let (_folder, given) = sources("[ordering]\nmaybe = 1").unwrap();
    assert!(given.section::<Careless>("ordering").is_ok());
    let (_folder, given) = sources("[ordering]\nknwon = 1").unwrap();
    let sentence = complaint(given.section::<Careless>("ordering"));
    assert!(sentence.contains("unknown key ordering.knwon in "), "{sentence}");
}

#[test]
fn a_value_of_the_wrong_type_or_range_is_refused_with_its_key() {
    let sentence = complaint(shop("[ordering]\ndepth = \"deep\""));
    assert!(sentence.contains("ordering.depth in "), "{sentence}");
    assert_eq!(complaint(shop("[ordering]\ndepth = 0")), "ordering.depth is 0; set 1 or more");
    let common = complaint(sources("[server]\nmax_in_flight = 0").unwrap().1.settings());
    assert_eq!(common, "server.max_in_flight is 0; set it to 1 or more");
}

#[test]
fn a_secret_of_digits_is_refused_without_being_shown() {
    let sentence = complaint(shop("[ordering]\nkey = 4711"));
    assert!(!sentence.contains("4711") && sentence.contains("quotes"), "{sentence}");
}

#[test]
fn a_file_that_is_missing_or_no_toml_is_refused() {
    let missing = complaint(Sources::read(Some(Path::new("/nowhere/emall.toml"))).map(|_| ()));
    assert!(missing.contains("/nowhere/emall.toml"), "{missing}");
    let broken = complaint(sources("[ordering\ndepth = 1").map(|_| ()));
    assert!(broken.contains("emall.toml") && broken.contains("line 1"), "{broken}");
}

#[test]
fn the_effective_configuration_shows_everything_but_secrets() {
    let shop = Shop { key: Some(Secret::new("hush-hush-hush")), ..Shop::default() };
    let mut settings = Settings::default();
    settings.identity.internal_token = Some(Secret::new("hush-hush-hush-hush"));
    let text = effective(&settings, "ordering", &shop).unwrap();
    assert!(!text.contains("hush"), "{text}");
    assert!(text.contains("key = \"***\"") && text.contains("depth = 7"), "{text}");
    assert!(text.contains("drain_seconds = 10"), "{text}");
    assert!(!format!("{settings:?}{shop:?}").contains("hush"));
}
