//! What an installation begins with, and how it does.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};

use contracts::sla::BindingHistory;
use eventlog::{Clock as _, LogOptions, ManualClock};
use jiff::SignedDuration;
use prost::Message as _;
use tempfile::TempDir;

use super::*;

mod rows;

fn has_calendar(name: &str) -> bool {
    first_calendars().iter().any(|calendar| calendar.name == name)
}

/// The profiles that come with the product, checked.
fn shipped() -> Vec<policy::Profile> {
    let checked = PROFILES.iter().map(|(name, text)| {
        let profile = parse(text).unwrap_or_else(|error| panic!("{name}.json: {error}"));
        policy::check(&profile, 1, has_calendar)
            .unwrap_or_else(|error| panic!("{name}.json: {error}"))
    });
    checked.collect()
}

#[test]
fn every_profile_that_ships_is_usable_under_the_name_of_its_file() {
    let profiles = shipped();
    for (profile, (file, _)) in profiles.iter().zip(PROFILES) {
        assert_eq!(profile.name, file);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/policies");
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let in_folder: BTreeSet<String> = names
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let compiled_in: BTreeSet<String> =
        PROFILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(in_folder, compiled_in, "a file that is not listed is not shipped");
}

#[test]
fn what_counts_for_everybody_by_default_does_not_overlap() {
    let (profiles, config) = (shipped(), Config::default());
    let mut names = BTreeSet::new();
    for default in &config.default_profiles {
        let profile = profiles.iter().find(|profile| profile.name == *default).unwrap();
        for policy in &profile.policies {
            assert!(names.insert(policy.name.clone()), "{default} has a second {}", policy.name);
        }
    }
}

#[test]
fn a_profile_that_is_written_reads_back_equal() {
    for (name, text) in PROFILES {
        let profile = parse(text).unwrap();
        let written = write(&profile);
        assert_eq!(parse(&written).unwrap(), profile, "{name}");
        assert_eq!(write(&parse(&written).unwrap()), written, "{name}");
    }
    let nothing = Profile::default();
    assert_eq!(parse(&write(&nothing)).unwrap(), nothing);
}

#[test]
fn a_word_that_means_nothing_is_refused_with_its_line_and_column() {
    for (wrong, line, says) in [
        ("{\n  \"name\": \"x\",\n  \"clokcs\": []\n}", 3, "clokcs"),
        ("{\"name\": \"x\",\n \"clocks\": [{\n  \"kind\": \"CLOCK_KIND_PROMISS\"}]}", 3, "PROMISS"),
        (
            "{\"duties\": [\n {\"grace\": {\"amount\": 1,\n  \"unit\": \"SPAN_UNIT_DAY\"}}]}",
            3,
            "SPAN_UNIT_DAY",
        ),
        ("{\"clocks\": [{\"committed\":\n  {\"span\": {\"amount\": -2}}}]}", 2, ""),
        ("{\"name\": \"x\"}\n{\"name\": \"y\"}", 2, ""),
        ("{\"name\": \"x\",\n", 2, ""),
        ("", 1, ""),
    ] {
        let error = parse(wrong).unwrap_err();
        assert!(error.contains(&format!("at line {line} column ")), "{wrong}: {error}");
        assert!(error.contains(says), "{wrong}: {error}");
    }
}

/// A log on SQLite, gone with its folder.
struct Bench {
    log: Log,
    clock: Arc<ManualClock>,
    folder: TempDir,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new("2026-03-02T01:00:00Z".parse().unwrap()));
    let url = format!("sqlite://{}", folder.path().join("sla.db").display());
    let options = LogOptions::new(crate::CONTEXT, url).with_clock(clock.clone());
    Bench { log: Log::open(options).await.unwrap(), clock, folder }
}

impl Bench {
    /// Starts the service on the log, and tells how many events are in it then.
    async fn start(&self, config: &Config) -> Result<u64, FirstError> {
        publish(&self.log, config, self.clock.now()).await?;
        Ok(self.log.last_position().await.unwrap())
    }

    /// What an operator does.
    async fn tell<A: Recorded, R: std::fmt::Debug>(
        &self,
        id: &str,
        decide: impl FnMut(&A) -> Decision<A::Event, R> + Send,
    ) {
        let context = Context {
            actor: "operator".into(),
            platform: String::new(),
            causation: "test".into(),
            traceparent: String::new(),
            now: self.clock.now(),
        };
        self.log.transact(id, &context, decide).await.unwrap();
    }

    /// How many events of each kind of aggregate there are.
    async fn events(&self) -> BTreeMap<String, usize> {
        let mut events = BTreeMap::new();
        for event in self.log.read_after(0, 1_000).await.unwrap() {
            let (kind, _) = event.stream.split_once('.').unwrap();
            *events.entry(kind.to_owned()).or_default() += 1;
        }
        events
    }

    /// What counts for everybody.
    async fn bound(&self) -> Vec<String> {
        let Some(row) = self.log.get_row(Bindings::KIND, bindings::ID).await.unwrap() else {
            return Vec::new();
        };
        let history = BindingHistory::decode(row.body).unwrap();
        let entries = history.entries.into_iter().filter(|entry| entry.unbound_at.is_none());
        entries
            .map(|entry| entry.binding.unwrap())
            .inspect(|binding| {
                assert_eq!((binding.platform.as_str(), binding.contract_id.as_str()), ("", ""));
            })
            .map(|binding| binding.profile)
            .collect()
    }

    /// A folder with these files in it.
    fn folder(&self, files: &[(&str, &str)]) -> String {
        let folder = self.folder.path().join("policies");
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in files {
            std::fs::write(folder.join(name), text).unwrap();
        }
        folder.display().to_string()
    }
}

#[tokio::test]
async fn a_first_start_publishes_all_once_and_a_second_nothing() {
    let (bench, config) = (bench().await, Config::default());
    let first = bench.start(&config).await.unwrap();
    let events = bench.events().await;
    let of = |kind: &str| events.get(kind).copied().unwrap_or_default();
    assert_eq!(of(ProfileSeries::KIND), PROFILES.len());
    assert_eq!(of(CalendarSeries::KIND), first_calendars().len());
    assert_eq!(of(Holidays::KIND), first_notices().len());
    assert_eq!(of(Bindings::KIND), 2);
    assert_eq!(events.len(), 4, "{events:?}");
    assert_eq!(bench.bound().await, ["emall-default", "supplier-duties"]);

    bench.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(bench.start(&config).await.unwrap(), first);
    let rules = Rules::load(&bench.log).await.unwrap();
    for (name, text) in PROFILES {
        let written = policy::check(&parse(text).unwrap(), 1, has_calendar).unwrap();
        assert_eq!(**rules.newest(name).unwrap(), written, "{name}");
    }
}

#[tokio::test]
async fn a_start_leaves_alone_what_operators_have_changed() {
    let (bench, config) = (bench().await, Config::default());
    bench.start(&config).await.unwrap();
    let now = bench.clock.now();
    let profile = parse(PROFILES[0].1).unwrap();
    let changed = Profile { title: "Another promise".into(), ..profile };
    bench.tell(&changed.name, |known: &ProfileSeries| known.publish(&changed, 1, "op", now)).await;
    bench.tell("food-delivery", |known: &ProfileSeries| known.retire(false, "op", now)).await;
    let duties = Binding { profile: "supplier-duties".into(), ..Binding::default() };
    bench.tell(bindings::ID, |known: &Bindings| known.unbind(&duties, "op", now)).await;
    let mut always = first_calendars().remove(0);
    always.zone = "Asia/Urumqi".into();
    bench.tell(&always.name, |known: &CalendarSeries| known.publish(&always, "op", now)).await;
    let mut later = first_notices().remove(0);
    later.edition += 1;
    bench.tell(&later.region, |known: &Holidays| known.publish(&later, "op", now)).await;

    let before = bench.log.last_position().await.unwrap();
    assert_eq!(bench.start(&config).await.unwrap(), before);
    assert_eq!(bench.bound().await, ["emall-default"]);
    let rules = Rules::load(&bench.log).await.unwrap();
    assert_eq!(rules.newest(&changed.name).unwrap().version, 2);
}

#[tokio::test]
async fn a_start_that_was_cut_off_is_gone_on_with() {
    let bench = bench().await;
    let wrong = Config { default_profiles: vec!["emall-defualt".into()], ..Config::default() };
    let error = bench.start(&wrong).await.unwrap_err();
    assert!(matches!(&error, FirstError::NoDefault(name) if name == "emall-defualt"), "{error}");
    assert_eq!(bench.bound().await, [""; 0]);

    let published = bench.log.last_position().await.unwrap();
    let all = bench.start(&Config::default()).await.unwrap();
    assert_eq!(all, published + 2, "the bindings were missing, and nothing else");
    assert_eq!(bench.bound().await, ["emall-default", "supplier-duties"]);
}

#[tokio::test]
async fn a_folder_of_ones_own_takes_the_place_of_what_ships() {
    let bench = bench().await;
    let own = PROFILES[0].1.replace(PROFILES[0].0, "our-own");
    let policies = bench.folder(&[("own.json", &own), ("README.md", "no profile")]);
    let config = Config { policies, default_profiles: vec!["our-own".into()], ..Config::default() };
    bench.start(&config).await.unwrap();
    assert_eq!(bench.events().await[ProfileSeries::KIND], 1);
    assert_eq!(bench.bound().await, ["our-own"]);
}

#[tokio::test]
async fn a_profile_that_cannot_be_used_stops_the_start_and_is_named() {
    let bench = bench().await;
    let own = PROFILES[0].1.replace("\"24x7\"", "\"24x8\"");
    let policies = bench.folder(&[("own.json", &own)]);
    let config = Config { policies, ..Config::default() };
    let said = bench.start(&config).await.unwrap_err().to_string();
    assert!(said.contains("own.json cannot be used: ") && said.contains("calendar"), "{said}");

    bench.folder(&[("own.json", "{\n \"titel\": \"x\"}")]);
    let said = bench.start(&config).await.unwrap_err().to_string();
    assert!(
        said.contains("own.json") && said.contains("titel") && said.contains("line 2"),
        "{said}"
    );

    let gone = Config { policies: format!("{}/none", config.policies), ..Config::default() };
    let said = bench.start(&gone).await.unwrap_err().to_string();
    assert!(said.contains("/none cannot be read"), "{said}");
    assert!(!bench.events().await.contains_key(ProfileSeries::KIND));
}
