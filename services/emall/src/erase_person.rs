//! `emall erase-person`: deletes the key of one person. What was sealed with it stays in the log and
//! on the bus, and nobody can open it again.

use chassis::Personal;
use clap::Args;
use contracts::{common::Contact, ordering::Order};
use eventlog::{Log, Recorded as _, Vault};
use prost::Message as _;

use crate::{
    end::{End, Failure},
    setup::Place,
    terminal,
};

/// Arguments of `emall erase-person`.
#[derive(Debug, Args)]
#[command(after_help = "\
This cannot be undone. Doing it twice is doing it once. Exit codes: 0 erased; 2 not erased; 64 wrong
usage.")]
pub(crate) struct ErasePerson {
    /// The service that knows the person
    #[arg(long, value_name = "SERVICE", default_value = ordering::NAME)]
    service: String,
    /// Id of the person, as sealed data names it
    #[arg(long, value_name = "ID")]
    person: Option<String>,
    /// The recipient of the order with this id of ours
    #[arg(long, value_name = "ID", conflicts_with = "person")]
    order: Option<String>,
    /// Platform that the person came through
    #[arg(long, value_name = "PLATFORM", requires = "phone")]
    platform: Option<String>,
    /// The person's name as the platform gave it
    #[arg(long, value_name = "NAME", requires = "phone")]
    name: Option<String>,
    /// The person's telephone number as the platform gave it
    #[arg(long, value_name = "PHONE", requires = "platform", requires = "name",
        conflicts_with_all = ["person", "order"])]
    phone: Option<String>,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(args: ErasePerson) -> Result<End, Failure> {
    let service = args.place.read()?.service(&args.service)?;
    let log = service.open().await?;
    let erased = args.erase(&log).await;
    log.close().await;
    for person in erased? {
        terminal::say(&format!("{}: {person} is erased", service.name))?;
    }
    Ok(End::Well)
}

impl ErasePerson {
    async fn erase(&self, log: &Log) -> Result<Vec<String>, Failure> {
        let vault = Vault::new(log.clone());
        let not_erased =
            |error: eventlog::VaultError| Failure::because("nobody was erased; try again", error);
        let persons = self.persons(log).await?;
        for person in &persons {
            vault.erase(person).await.map_err(not_erased)?;
        }
        Ok(persons)
    }

    async fn persons(&self, log: &Log) -> Result<Vec<String>, Failure> {
        if let Some(person) = &self.person {
            return Ok(vec![person.clone()]);
        }
        if let Some(order) = &self.order {
            return Ok(vec![recipient(log, order).await?]);
        }
        if self.phone.is_none() {
            return Err(Failure::usage(
                "say who: --person ID, --order ID, or --platform, --name and --phone together",
            ));
        }
        let contact = Contact {
            name: self.name.clone().unwrap_or_default(),
            phone: self.phone.clone().unwrap_or_default(),
            ..Contact::default()
        };
        let platform = self.platform.as_deref().unwrap_or_default();
        let persons = Personal::new(log.clone(), ordering::NAME).known_as(platform, &contact).await;
        let persons = persons
            .map_err(|error| Failure::because("nobody could be looked up; try again", error))?;
        if persons.is_empty() {
            return Err(Failure::usage(format!(
                "nobody of this name and number came through {platform}; check them, or give --order"
            )));
        }
        Ok(persons)
    }
}

async fn recipient(log: &Log, order: &str) -> Result<String, Failure> {
    let row = log
        .get_row(ordering::order::Order::KIND, order)
        .await
        .map_err(|error| Failure::because("the log cannot be read; check its database", error))?;
    let row =
        row.ok_or_else(|| Failure::usage(format!("there is no order {order}; check the id")))?;
    let order = Order::decode(row.body).map_err(|error| {
        Failure::because("the order's row is damaged; see `emall verify`", error)
    })?;
    let person = order.sealed_recipient.map(|sealed| sealed.person).unwrap_or_default();
    if person.is_empty() {
        return Err(Failure::usage("the order names no recipient"));
    }
    Ok(person)
}
