//! Users that tell a server what happens to them, and users whose results are known
//! beforehand. All but two have weight 0: name the classes on the command line.

mod arrivals;
mod conductor;
mod counts;
mod feeds;
mod labels;
mod lifecycle;
mod names;
mod sets;
mod verdicts;
mod waits;
mod watch;

use arrivals::{Once, Throttled};
use conductor::{Shape, Witness};
use counts::{Faulty, Rush, Shopper, Slow, Stuck};
use feeds::Fed;
use labels::{Grouped, Secretive};
use lifecycle::{Dice, Group, Hosted, Loop, Major, Minor, Optional, Sequence, Worker};
use names::Namer;
use sets::{Leaver, Sets, Tagged};
use verdicts::{Asserts, Ender, Held, Marks, Measures, Panics, Parked, Quits, Statuses};
use waits::{Computed, Fixed, Paced, Range};
use watch::watch;

aiotest::scenario!(
    Minor, Major, Worker, Sequence, Dice, Loop, Hosted, Optional, Group,
    Fixed, Range, Paced, Computed,
    Statuses, Marks, Parked, Held, Asserts, Panics, Quits, Measures, Ender,
    Shopper, Rush, Slow, Stuck, Faulty,
    Sets, Leaver, Tagged, Once, Throttled, Fed, Grouped, Secretive, Namer;
    shape = Shape::default(),
    hooks = Witness::default(),
    events = watch(),
);
