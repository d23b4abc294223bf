//! Who may call which method, and where it goes: read once from the contracts.

use std::collections::{BTreeSet, HashMap};

use contracts::common::Role;

use crate::backends::{Backend, Backends};

/// A set of roles, as bits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RoleSet(u32);

impl RoleSet {
    pub(crate) fn with(self, role: Role) -> Self {
        // `ROLE_UNSPECIFIED` is never granted, and so is its bit.
        match role {
            Role::Unspecified => self,
            Role::Platform | Role::Operator | Role::Finance | Role::Service | Role::Auditor => {
                Self(self.0 | 1 << (role as u32 & 31))
            }
        }
    }

    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// The methods that the gateway knows, with the roles that may call them.
#[derive(Debug, Clone)]
pub struct Methods {
    list: Vec<(&'static str, RoleSet)>,
}

impl Methods {
    /// Those of the contracts.
    #[must_use]
    pub fn of_contracts() -> Self {
        Self::new(
            contracts::methods()
                .map(|path| (path, contracts::allowed_roles(path).unwrap_or_default())),
        )
    }

    /// These: path `/package.Service/Method` and roles.
    #[must_use]
    pub fn new(methods: impl IntoIterator<Item = (&'static str, Vec<Role>)>) -> Self {
        let list = methods
            .into_iter()
            .map(|(path, roles)| (path, roles.into_iter().collect::<RoleSet>()))
            .collect();
        Self { list }
    }

    /// Full names of the services.
    pub(crate) fn services(&self) -> impl Iterator<Item = &'static str> {
        let names: BTreeSet<_> = self.list.iter().map(|(path, _)| service_of(path)).collect();
        names.into_iter()
    }

    /// The methods with the backends of their services.
    pub(crate) fn table(&self, backends: &Backends) -> HashMap<&'static str, Method> {
        self.list
            .iter()
            .map(|(path, roles)| {
                let backend = backends.of(service_of(path));
                (*path, Method { roles: *roles, backend })
            })
            .collect()
    }
}

/// What the door knows of a method.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) roles: RoleSet,
    /// `None` when no route leads to the service.
    pub(crate) backend: Option<Backend>,
}

fn service_of(path: &'static str) -> &'static str {
    path.trim_start_matches('/').split('/').next().unwrap_or_default()
}
