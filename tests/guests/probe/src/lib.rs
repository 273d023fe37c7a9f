//! Users that tell a server what happens to them, and users whose results are known
//! beforehand. All but two have weight 0: name the classes on the command line.

mod conductor;
mod counts;
mod lifecycle;
mod verdicts;
mod waits;

use conductor::{Shape, Witness};
use counts::{Faulty, Rush, Shopper, Slow, Stuck};
use lifecycle::{Dice, Group, Hosted, Loop, Major, Minor, Optional, Sequence, Worker};
use verdicts::{Asserts, Ender, Held, Marks, Measures, Panics, Parked, Quits, Statuses};
use waits::{Computed, Fixed, Paced, Range};

aiotest::scenario!(
    Minor, Major, Worker, Sequence, Dice, Loop, Hosted, Optional, Group,
    Fixed, Range, Paced, Computed,
    Statuses, Marks, Parked, Held, Asserts, Panics, Quits, Measures, Ender,
    Shopper, Rush, Slow, Stuck, Faulty;
    shape = Shape::default(),
    hooks = Witness::default(),
);
