//! The users of `guest-probe` in the async convention, and those that only it can have.

#[path = "../../probe/src/arrivals.rs"]
mod arrivals;
#[path = "../../probe/src/conductor.rs"]
mod conductor;
#[path = "../../probe/src/counts.rs"]
mod counts;
#[path = "../../probe/src/feeds.rs"]
mod feeds;
#[path = "../../probe/src/labels.rs"]
mod labels;
#[path = "../../probe/src/lifecycle.rs"]
mod lifecycle;
mod overlap;
#[path = "../../probe/src/sets.rs"]
mod sets;
#[path = "../../probe/src/verdicts.rs"]
mod verdicts;
#[path = "../../probe/src/waits.rs"]
mod waits;
#[path = "../../probe/src/watch.rs"]
mod watch;

use arrivals::{Once, Throttled};
use conductor::{Shape, Witness};
use counts::{Faulty, Rush, Shopper, Slow, Stuck};
use feeds::Fed;
use labels::{Grouped, Secretive};
use lifecycle::{Dice, Group, Hosted, Loop, Major, Minor, Optional, Sequence, Worker};
use overlap::{Drawn, Everything, Pairs};
use sets::{Leaver, Sets, Tagged};
use verdicts::{Asserts, Ender, Held, Marks, Measures, Panics, Parked, Quits, Statuses};
use waits::{Computed, Fixed, Paced, Range};
use watch::watch;

aiotest::scenario!(
    Minor, Major, Worker, Sequence, Dice, Loop, Hosted, Optional, Group,
    Fixed, Range, Paced, Computed,
    Statuses, Marks, Parked, Held, Asserts, Panics, Quits, Measures, Ender,
    Shopper, Rush, Slow, Stuck, Faulty,
    Sets, Leaver, Tagged, Once, Throttled, Fed, Grouped, Secretive,
    Pairs, Everything, Drawn;
    shape = Shape::default(),
    hooks = Witness::default(),
    events = watch(),
);
