//! How a command reaches the gateway: its address, a key, what the clock shows there.

use std::path::PathBuf;

use chassis::ScaledClock;
use clap::Args;

use crate::{
    client::{Client, Keys, keys_file},
    end::Failure,
    place,
};

/// Arguments of the commands that call through a gateway.
#[derive(Debug, Clone, Args)]
pub(crate) struct Access {
    /// Address of the gateway [default: that of `emall up` on this data folder]
    #[arg(long, value_name = "URL", global = true)]
    to: Option<String>,
    /// Data folder of `emall up`: where it says how it can be reached
    #[arg(long, value_name = "DIR", default_value = place::DATA, global = true)]
    data: PathBuf,
    /// One key for everything, instead of a keys file
    #[arg(long, value_name = "KEY", env = "EMALL_KEY", hide_env_values = true, global = true)]
    key: Option<String>,
    /// File with the keys of platform, operator and finance [default: keys.env in the data folder]
    #[arg(long, value_name = "FILE", global = true)]
    keys_file: Option<PathBuf>,
    /// PEM file with the root certificates to trust, for an https address
    #[arg(long, value_name = "FILE", global = true)]
    ca: Option<PathBuf>,
}

impl Access {
    /// Connects to the gateway.
    pub(crate) async fn connect(&self) -> Result<Client, Failure> {
        let keys = Keys::find(self.key.as_deref(), &keys_file(self.keys_file.clone(), &self.data))?;
        Client::connect(&self.url()?, keys, self.ca.as_deref()).await
    }

    /// Where the gateway is.
    pub(crate) fn url(&self) -> Result<String, Failure> {
        place::gateway(self.to.as_deref(), &self.data)
    }

    /// A clock that shows the time of the services behind the gateway: `emall up --speed` says how
    /// fast it runs, every other one goes by the machine's.
    pub(crate) fn clock(&self) -> ScaledClock {
        match self.to {
            Some(_) => ScaledClock::normal(),
            None => place::clock(&self.data),
        }
    }
}
