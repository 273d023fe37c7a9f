//! How users share sandboxes. Knows neither sandboxes nor who is in them.

/// The most users of a sandbox unless more is asked for: one that dies takes no more with
/// it, and none of them waits long for its turn.
const MOST: u32 = 50;
/// Sandboxes for each core: while one waits for the network, the other computes.
const PER_CORE: u32 = 2;
/// What a sandbox of an interpreter takes, generously.
const MEMORY: u64 = 16 << 20;

/// How many users a sandbox takes, and when another one is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packing {
    /// Users of one sandbox, at most.
    pub most: u32,
    /// So many sandboxes are opened before any takes a second user.
    pub abreast: u32,
}

impl Packing {
    /// Each user has a sandbox of its own.
    pub const NONE: Packing = Packing {
        most: 1,
        abreast: 1,
    };

    /// So many users in a sandbox; one is filled after the other.
    pub fn asked(most: u32) -> Self {
        Packing { most, abreast: 1 }
    }

    /// What suits so many users and this machine, if a sandbox is too dear to have one for
    /// each. `memory` is what there is for all of them.
    pub fn fitting(users: u32, cores: usize, memory: u64) -> Self {
        let cores = u32::try_from(cores).unwrap_or(u32::MAX);
        let room = u32::try_from(memory / 2 / MEMORY).unwrap_or(u32::MAX);
        let room = room.max(1);
        Packing {
            most: MOST.max(users.div_ceil(room)),
            abreast: cores.saturating_mul(PER_CORE).min(room),
        }
    }

    /// Sandboxes of so many users.
    pub fn sandboxes(self, users: u32) -> u32 {
        users.div_ceil(self.most).max(self.abreast.min(users))
    }

    /// Whether another user opens a sandbox, or else which of those that there are it goes
    /// to: the emptiest. `open` tells how many there are in all, and `users` how many each
    /// has that it could go to.
    pub fn choose(self, open: usize, users: impl Iterator<Item = usize>) -> Option<usize> {
        if open < self.abreast as usize {
            return None;
        }
        let places = users.enumerate();
        let free = places.filter(|(_, users)| *users < self.most as usize);
        free.min_by_key(|(_, users)| *users).map(|(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    #[test]
    fn users_are_spread_over_the_cores_first() {
        let packing = Packing::fitting(100, 2, 8 * GIB);
        assert_eq!((packing.most, packing.abreast), (50, 4));
        let sandboxes = [1, 3, 4, 100, 200, 201, 1000].map(|users| packing.sandboxes(users));
        assert_eq!(sandboxes, [1, 3, 4, 4, 4, 5, 20]);
    }

    #[test]
    fn little_memory_packs_more_users() {
        let packing = Packing::fitting(1000, 8, GIB / 4);
        assert_eq!((packing.most, packing.abreast), (125, 8));
        assert_eq!(packing.sandboxes(1000), 8);
        let tiny = Packing::fitting(1000, 8, 0);
        assert_eq!((tiny.most, tiny.abreast), (1000, 1));
    }

    #[test]
    fn the_emptiest_sandbox_takes_the_next_user() {
        let packing = Packing {
            most: 3,
            abreast: 2,
        };
        assert_eq!(packing.choose(0, [].into_iter()), None);
        assert_eq!(packing.choose(1, [1].into_iter()), None);
        assert_eq!(packing.choose(2, [3, 1].into_iter()), Some(1));
        assert_eq!(packing.choose(2, [3, 3].into_iter()), None);
        // Those that are open may all be of other classes.
        assert_eq!(packing.choose(2, [].into_iter()), None);
        assert_eq!(Packing::asked(2).choose(1, [1].into_iter()), Some(0));
        assert_eq!(Packing::NONE.choose(9, [1, 1].into_iter()), None);
    }
}
