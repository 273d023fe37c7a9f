//! The users of `guest-probe` in the async convention, and those that only it can have.

#[path = "../../probe/src/conductor.rs"]
mod conductor;
#[path = "../../probe/src/counts.rs"]
mod counts;
#[path = "../../probe/src/lifecycle.rs"]
mod lifecycle;
mod overlap;
#[path = "../../probe/src/verdicts.rs"]
mod verdicts;
#[path = "../../probe/src/waits.rs"]
mod waits;

use conductor::{Shape, Witness};
use counts::{Faulty, Rush, Shopper, Slow, Stuck};
use lifecycle::{Dice, Group, Hosted, Loop, Major, Minor, Optional, Sequence, Worker};
use overlap::{Drawn, Everything, Pairs};
use verdicts::{Asserts, Ender, Held, Marks, Measures, Panics, Parked, Quits, Statuses};
use waits::{Computed, Fixed, Paced, Range};

aiotest::scenario!(
    Minor, Major, Worker, Sequence, Dice, Loop, Hosted, Optional, Group,
    Fixed, Range, Paced, Computed,
    Statuses, Marks, Parked, Held, Asserts, Panics, Quits, Measures, Ender,
    Shopper, Rush, Slow, Stuck, Faulty,
    Pairs, Everything, Drawn;
    shape = Shape::default(),
    hooks = Witness::default(),
);
