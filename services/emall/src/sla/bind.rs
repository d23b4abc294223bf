//! `emall sla bind`, `unbind`, `profiles`: what counts where.

use clap::Args;
use contracts::sla::{
    BindProfileRequest, Binding, ListBindingsRequest, ListProfilesRequest, ProfileVersion,
    UnbindProfileRequest,
};
use jiff::tz::TimeZone;

use super::{failed, json_line, words};
use crate::{
    access::Access,
    client::{As, Client},
    end::{End, Failure},
    table::{Align, Table},
    terminal,
    times::moment,
};

/// Arguments of `emall sla bind` and `unbind`.
#[derive(Debug, Args)]
#[command(after_help = "\
A contract's own profiles come before its platform's, those before the ones for all. Twice is once. Exit
codes: 0 done; 2 it could not be done; 64 wrong usage.")]
pub(super) struct Place {
    /// Name of the profile: `materials-1h`
    profile: String,
    /// The platform [default: all]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// One contract of that platform [default: all of them]
    #[arg(long, value_name = "ID", requires = "platform")]
    contract: Option<String>,
}

/// Arguments of `emall sla profiles`.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes: 0 listed; 2 they could not be read; 64 wrong usage.")]
pub(super) struct Profiles {
    /// Print the newest version of each in protobuf JSON, one a line
    #[arg(long)]
    json: bool,
}

impl Place {
    fn binding(&self) -> Option<Binding> {
        Some(Binding {
            platform: self.platform.clone().unwrap_or_default(),
            contract_id: self.contract.clone().unwrap_or_default(),
            profile: self.profile.clone(),
        })
    }

    fn told(&self) -> String {
        place(self.platform.as_deref().unwrap_or(""), self.contract.as_deref().unwrap_or(""))
    }
}

fn place(platform: &str, contract: &str) -> String {
    match (platform, contract) {
        ("", _) => "all".to_owned(),
        (platform, "") => platform.to_owned(),
        (platform, contract) => format!("contract {contract} of {platform}"),
    }
}

pub(super) async fn bind(args: Place, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = BindProfileRequest { binding: args.binding() };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.policies.bind_profile(request).await
        })
        .await
        .map_err(failed(
            "the profile was not bound; `emall sla profiles` shows what counts where",
        ))?;
    let since = if answer.repeated { "as before" } else { "from now on" };
    terminal::say(&format!("{} counts for {}, {since}", args.profile, args.told()))?;
    Ok(End::Well)
}

pub(super) async fn unbind(args: Place, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let request = UnbindProfileRequest { binding: args.binding() };
    let answer = client
        .call(As::Operator, request, |mut services, request| async move {
            services.policies.unbind_profile(request).await
        })
        .await
        .map_err(failed(
            "the profile was not unbound; `emall sla profiles` shows what counts where",
        ))?;
    let (profile, place) = (&args.profile, args.told());
    terminal::say(&match answer.repeated {
        true => format!("{profile} did not count for {place} before"),
        false => format!("{profile} does not count for {place} any more; clocks that run go on"),
    })?;
    Ok(End::Well)
}

pub(super) async fn profiles(args: Profiles, access: &Access) -> Result<End, Failure> {
    let client = access.connect().await?;
    let unread = "the profiles cannot be read; see `emall status`";
    let found = client
        .call(As::Operator, ListProfilesRequest {}, |mut services, request| async move {
            services.policies.list_profiles(request).await
        })
        .await
        .map_err(failed(unread))?
        .profiles;
    if args.json {
        for version in &found {
            terminal::say(&json_line("ProfileVersion", version))?;
        }
        return Ok(End::Well);
    }
    for line in table(&found, &bindings(&client).await?, &TimeZone::system()) {
        terminal::say(&line)?;
    }
    Ok(End::Well)
}

async fn bindings(client: &Client) -> Result<Vec<Binding>, Failure> {
    let answer = client
        .call(As::Operator, ListBindingsRequest {}, |mut services, request| async move {
            services.policies.list_bindings(request).await
        })
        .await
        .map_err(failed("what counts where cannot be read; see `emall status`"))?;
    Ok(answer.bindings)
}

fn table(profiles: &[ProfileVersion], bindings: &[Binding], zone: &TimeZone) -> Vec<String> {
    let mut table = Table::new(&[
        ("profile", Align::Left),
        ("version", Align::Right),
        ("published", Align::Left),
        ("clocks", Align::Right),
        ("duties", Align::Right),
        ("counts for", Align::Left),
        ("what it is", Align::Left),
    ]);
    for version in profiles {
        let profile = version.profile.clone().unwrap_or_default();
        let places: Vec<_> = bindings
            .iter()
            .filter(|bound| bound.profile == profile.name)
            .map(|bound| place(&bound.platform, &bound.contract_id))
            .collect();
        let published = moment(version.published_at.as_ref());
        table.row([
            profile.name,
            version.version.to_string(),
            published.map_or_else(String::new, |at| words::minute(at, zone)),
            profile.clocks.len().to_string(),
            profile.duties.len().to_string(),
            match (places.is_empty(), version.retired_at) {
                (true, Some(_)) => "(retired)".to_owned(),
                (true, None) => "-".to_owned(),
                (false, _) => places.join(", "),
            },
            profile.title,
        ]);
    }
    table.lines()
}

#[cfg(test)]
mod tests {
    use contracts::sla::Profile;

    use super::*;

    #[test]
    fn a_profile_tells_where_it_counts() {
        let version = |name: &str| ProfileVersion {
            profile: Some(Profile {
                name: name.to_owned(),
                title: "T".to_owned(),
                ..Default::default()
            }),
            version: 1,
            published_at: Some(prost_types::Timestamp { seconds: 0, nanos: 0 }),
            ..ProfileVersion::default()
        };
        let bound = |profile: &str, platform: &str, contract: &str| Binding {
            platform: platform.to_owned(),
            contract_id: contract.to_owned(),
            profile: profile.to_owned(),
        };
        let bindings = [bound("a", "", ""), bound("b", "mall", "K-1"), bound("b", "site", "")];
        let lines = table(&[version("a"), version("b"), version("c")], &bindings, &TimeZone::UTC);
        assert!(lines[1].contains(" all "), "{lines:#?}");
        assert!(lines[2].contains(" contract K-1 of mall, site "), "{lines:#?}");
        assert!(lines[3].contains(" - "), "{lines:#?}");
    }
}
