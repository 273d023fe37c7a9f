//! Whether this machine's limits allow a run, before it starts. Knows the system's
//! limits, not who asks.

use std::fs;

use thiserror::Error;

/// Memory maps of a sandbox: its linear memory with the image, and its stack with a
/// guard.
const MAPS_PER_SANDBOX: u64 = 3;
/// Maps of the process itself.
const OWN_MAPS: u64 = 2_000;
/// Descriptors of the process itself.
const OWN_DESCRIPTORS: u64 = 64;

/// What a run needs of the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// Sandboxes alive at a time.
    pub sandboxes: u64,
    /// Users that may have a connection each; 0 if the scenario makes none.
    pub connections: u64,
}

/// What the system allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Open files of this process.
    pub descriptors: u64,
    /// Memory maps of this process.
    pub maps: u64,
}

/// Which limit is too low, and what to do.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TooLow {
    /// `RLIMIT_NOFILE`.
    #[error(
        "{connections} users with a connection each need {need} open files, and the limit is \
         {limit}: raise it with `ulimit -n {need}` (as root, or in limits.conf), run fewer \
         users, or start anyway with --skip-preflight"
    )]
    Descriptors {
        /// Connections.
        connections: u64,
        /// Descriptors they take.
        need: u64,
        /// Descriptors there are.
        limit: u64,
    },
    /// `vm.max_map_count`.
    #[error(
        "{sandboxes} sandboxes need {need} memory maps, and vm.max_map_count is {limit}: raise \
         it with `sysctl -w vm.max_map_count={need}`{packing}, or start anyway with \
         --skip-preflight"
    )]
    Maps {
        /// Sandboxes.
        sandboxes: u64,
        /// Maps they take.
        need: u64,
        /// Maps there may be.
        limit: u64,
        /// Advice where users can share sandboxes.
        packing: String,
    },
}

/// Compares needs with limits. `packable` tells whether users could share a sandbox, and
/// how many there are.
pub fn check(needs: Needs, limits: Limits, packable: Option<u64>) -> Result<(), TooLow> {
    let need = needs.sandboxes * MAPS_PER_SANDBOX + OWN_MAPS;
    if need > limits.maps {
        let fit = limits.maps.saturating_sub(OWN_MAPS) / MAPS_PER_SANDBOX;
        let packing = match packable {
            Some(users) if fit > 0 => {
                format!(
                    ", pack them with --users-per-sandbox {}",
                    users.div_ceil(fit)
                )
            }
            _ => ", run fewer users".to_owned(),
        };
        return Err(TooLow::Maps {
            sandboxes: needs.sandboxes,
            need,
            limit: limits.maps,
            packing,
        });
    }
    let need = needs.connections + OWN_DESCRIPTORS;
    if needs.connections > 0 && need > limits.descriptors {
        return Err(TooLow::Descriptors {
            connections: needs.connections,
            need,
            limit: limits.descriptors,
        });
    }
    Ok(())
}

/// Bytes of memory that this process may still take: what the machine has, or its control
/// group, if that is less.
pub fn available_memory() -> u64 {
    let group = group_memory().map(|limit| {
        let used = number("/sys/fs/cgroup/memory.current").unwrap_or(0);
        limit.saturating_sub(used)
    });
    let machine = machine_memory("MemAvailable:");
    machine.unwrap_or(u64::MAX).min(group.unwrap_or(u64::MAX))
}

/// Bytes of memory that the machine has, or that this process may take of it; 0 where the
/// system does not tell.
pub fn total_memory() -> u64 {
    let known = [machine_memory("MemTotal:"), group_memory()];
    known.into_iter().flatten().min().unwrap_or(0)
}

fn group_memory() -> Option<u64> {
    number("/sys/fs/cgroup/memory.max")
}

/// A line of what the system says of its memory.
fn machine_memory(line: &str) -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|all| all.strip_prefix(line))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes << 10)
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Raises the soft limit of open files to the hard one, and reads all limits. What cannot
/// be read counts as unlimited.
pub fn raise_and_read() -> Limits {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let current = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: current.maximum,
        maximum: current.maximum,
    };
    let now = if setrlimit(Resource::Nofile, raised).is_ok() {
        raised
    } else {
        current
    };
    let maps = fs::read_to_string("/proc/sys/vm/max_map_count");
    Limits {
        descriptors: now.current.unwrap_or(u64::MAX),
        maps: maps
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: Limits = Limits {
        descriptors: 20_000,
        maps: 65_530,
    };

    #[test]
    fn a_run_within_the_limits_may_start() {
        let needs = Needs {
            sandboxes: 10_000,
            connections: 10_000,
        };
        assert_eq!(check(needs, USUAL, None), Ok(()));
        let idle = Needs {
            sandboxes: 1_000,
            connections: 0,
        };
        assert_eq!(check(idle, USUAL, Some(100_000)), Ok(()));
    }

    #[test]
    fn too_few_maps_name_the_setting_and_the_packing_that_fits() {
        let needs = Needs {
            sandboxes: 100_000,
            connections: 0,
        };
        let error = check(needs, USUAL, Some(100_000)).unwrap_err().to_string();
        assert!(
            error.contains("sysctl -w vm.max_map_count=302000"),
            "{error}"
        );
        assert!(error.contains("--users-per-sandbox 5"), "{error}");
        let blocking = check(needs, USUAL, None).unwrap_err().to_string();
        assert!(blocking.contains("run fewer users"), "{blocking}");
    }

    #[test]
    fn too_few_descriptors_name_the_command() {
        let needs = Needs {
            sandboxes: 400,
            connections: 40_000,
        };
        let error = check(needs, USUAL, None).unwrap_err().to_string();
        assert!(error.contains("ulimit -n 40064"), "{error}");
    }

    #[test]
    fn the_systems_limits_can_be_read() {
        assert!(raise_and_read().descriptors > 0);
    }
}
