//! Where the users of a run live: how they share sandboxes, and whether the system has room
//! for them.

use std::io::IsTerminal;

use anyhow::Result;

use crate::config::{Load, Plan, RunConfig};
use crate::packing::Packing;
use crate::preflight::{self, Needs};
use crate::user_class::UserClass;
use crate::wasm::component::{Convention, Outline};
use crate::wasm::engine::PoolSize;

/// Room for changes of a small run.
const MORE_USERS: u32 = 100;

pub(super) struct Quarters {
    pub(super) packing: Packing,
    /// Some users share no sandbox, whatever the packing.
    alone: bool,
    /// Users could share sandboxes.
    sharing: bool,
    /// Users may connect to servers.
    connecting: bool,
}

impl Quarters {
    /// For a run of these classes of a component.
    pub(super) fn new(config: &RunConfig, outline: &Outline, classes: &[UserClass]) -> Self {
        let alone = classes.iter().any(|class| class.alone);
        Quarters {
            packing: packing(config, outline.convention),
            alone,
            sharing: outline.convention != Convention::Blocking && !alone,
            connecting: connects(outline),
        }
    }

    /// The pool that has room for them.
    pub(super) fn pool(&self, config: &RunConfig) -> PoolSize {
        pool(config, self.sandboxes(config))
    }

    fn sandboxes(&self, config: &RunConfig) -> u32 {
        match self.alone {
            true => config.max_users(),
            false => self.packing.sandboxes(config.max_users()),
        }
    }

    /// Compares what the run needs with what the system allows.
    ///
    /// # Errors
    ///
    /// When that is less.
    pub(super) fn check(&self, config: &RunConfig) -> Result<()> {
        let limits = preflight::raise_and_read();
        if config.skip_preflight {
            return Ok(());
        }
        let users = u64::from(config.max_users());
        let needs = Needs {
            sandboxes: u64::from(self.sandboxes(config)),
            connections: if self.connecting { users } else { 0 },
        };
        let packable = self.sharing.then_some(users);
        Ok(preflight::check(needs, limits, packable)?)
    }

    /// Where users can be changed while the run is under way, there has to be room for more
    /// of them, as far as the system's limits allow it.
    pub(super) fn extend(&self, config: RunConfig) -> RunConfig {
        let keys = std::io::stdin().is_terminal() && !config.outputs.quiet;
        let outputs = &config.outputs;
        if !keys && outputs.prometheus.or(outputs.web).is_none() {
            return config;
        }
        let mut roomy = config.clone();
        for plan in &mut roomy.plans {
            if let Load::Users(_) = plan.load {
                let twice = plan.max_users.saturating_mul(2);
                plan.max_users = twice.max(plan.max_users.saturating_add(MORE_USERS));
            }
        }
        match self.check(&roomy) {
            Ok(()) => roomy,
            Err(_) => config,
        }
    }

    /// How users share sandboxes, in words, if they do or were meant to.
    pub(super) fn words(&self, config: &RunConfig) -> Option<String> {
        let users = config.max_users();
        if self.alone {
            let asked = config.users_per_sandbox.filter(|users| *users > 1)?;
            return Some(format!(
                "users that suspend their sandbox have one each, not {asked} to share one \
                 (--users-per-sandbox)"
            ));
        }
        if self.packing.most == 1 || users == 1 {
            return None;
        }
        let known = |plan: &Plan| matches!(plan.load, Load::Users(_));
        let share = match config.plans.iter().all(known) {
            true => match self.sandboxes(config) {
                1 => format!("{users} users in one sandbox"),
                sandboxes => format!("{users} users in {sandboxes} sandboxes"),
            },
            false => format!("up to {} users in a sandbox", self.packing.most),
        };
        Some(format!(
            "{share}: those in one take turns on a core (--users-per-sandbox)"
        ))
    }
}

/// A pool of so many sandboxes.
pub(super) fn pool(config: &RunConfig, sandboxes: u32) -> PoolSize {
    PoolSize {
        sandboxes,
        memory: config.limits.memory,
        table_elements: config.limits.table_elements,
    }
}

fn packing(config: &RunConfig, convention: Convention) -> Packing {
    match (config.users_per_sandbox, convention) {
        (Some(users), _) => Packing::asked(users),
        (None, Convention::EventLoop) => {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            Packing::fitting(config.max_users(), cores, preflight::available_memory())
        }
        (None, Convention::Blocking | Convention::Async) => Packing::NONE,
    }
}

/// Whether a component imports an interface with which it could send requests.
fn connects(outline: &Outline) -> bool {
    let senders = ["io", "blocking-io", "event-loop"].map(|io| format!("aiotest:engine/{io}@"));
    let sends = |import: &String| senders.iter().any(|io| import.starts_with(io));
    outline.imports.iter().any(sends)
}
