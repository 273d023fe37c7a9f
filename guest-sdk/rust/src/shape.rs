//! The scenario's say in how many users there are.

use std::cell::RefCell;
use std::time::Duration;

use crate::bindings::shaped::exports::aiotest::engine::load_shape;

/// How many users there shall be, and how fast to get there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Users at a time, of all classes together.
    pub users: u32,
    /// Users started or stopped a second on the way; above 0.
    pub spawn_rate: f64,
}

/// A load shape: the engine asks it about once a second how many users there shall be.
///
/// ```
/// use aiotest::prelude::*;
///
/// /// One user more every 10 seconds, for 5 minutes.
/// struct Stairs;
///
/// impl LoadShape for Stairs {
///     fn tick(&mut self, run_time: Duration) -> Option<Target> {
///         let seconds = run_time.as_secs();
///         (seconds < 300).then(|| Target {
///             users: 1 + (seconds / 10) as u32,
///             spawn_rate: 1.0,
///         })
///     }
/// }
///
/// std::assert_eq!(Stairs.tick(Duration::from_secs(25)).unwrap().users, 3);
/// ```
pub trait LoadShape: 'static {
    /// The target at this time since the start of the run; nothing ends the run.
    fn tick(&mut self, run_time: Duration) -> Option<Target>;
}

thread_local! {
    static SHAPE: RefCell<Option<Box<dyn LoadShape>>> = const { RefCell::new(None) };
}

/// The shape lives as long as the sandbox, which the engine keeps for it alone.
pub(crate) fn tick(
    create: fn() -> Box<dyn LoadShape>,
    run_time: u64,
) -> Option<load_shape::Target> {
    let run_time = Duration::from_nanos(run_time);
    let target = SHAPE.with_borrow_mut(|shape| shape.get_or_insert_with(create).tick(run_time));
    target.map(|target| load_shape::Target {
        users: target.users,
        spawn_rate: target.spawn_rate,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Countdown(u32);

    impl LoadShape for Countdown {
        fn tick(&mut self, _: Duration) -> Option<Target> {
            self.0 = self.0.checked_sub(1)?;
            Some(Target {
                users: self.0,
                spawn_rate: 1.0,
            })
        }
    }

    #[test]
    fn a_shape_keeps_its_state_between_ticks() {
        let users = || tick(|| Box::new(Countdown(2)), 0).map(|target| target.users);
        assert_eq!([users(), users(), users()], [Some(1), Some(0), None]);
    }
}
