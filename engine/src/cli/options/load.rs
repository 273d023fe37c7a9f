//! Flags and keys that say how much load there shall be → a plan. Knows neither the
//! command line nor the run file, only how messages name their flags.

use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use super::origin::Origins;
use super::values::{duration, offset, rate};
use crate::config::{Load, Plan};
use crate::load_shape::{Curve, Level, Stage, parse_rate};

/// How long an iteration waits for a free user, unless it is said.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most users of a plan whose need is not known beforehand, unless it is said.
const MAX_USERS: u32 = 10_000;

/// The load of a run without plans, or of one plan.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Load")]
pub(super) struct LoadArgs {
    /// Users [default: the scenario's load shape, or 1]; with an arrival rate those that
    /// are started beforehand [default: 0]
    #[arg(short, long, value_name = "N")]
    pub(super) users: Option<u32>,

    /// Users started or stopped per second [default: all at once]
    #[arg(short = 'r', long, value_name = "RATE", value_parser = rate)]
    pub(super) spawn_rate: Option<f64>,

    /// How long to run: 90, 30s, 5m, 1h30m [default: until the load is over or Ctrl-C]
    #[arg(short = 't', long, value_name = "TIME", value_parser = duration)]
    pub(super) run_time: Option<Duration>,

    /// Ramp linearly to so many USERS, or to a RATE such as 200/s, over DURATION; repeat for
    /// further stages
    #[arg(
        short,
        long = "stage",
        alias = "stages",
        value_name = "DURATION:USERS|RATE"
    )]
    pub(super) stages: Vec<Stage>,

    /// Start so many iterations per second, however long they take: 200, 200/s, 90/m
    #[arg(long, value_name = "RATE", value_parser = arrivals)]
    pub(super) arrival_rate: Option<f64>,

    /// How long an iteration may wait for a free user before it is dropped, with an arrival
    /// rate [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) max_lateness: Option<Duration>,

    /// The most users that there may be [default: as many as planned; 10000 for arrival
    /// rates and load shapes]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_users: Option<u32>,

    /// Iterations of each user, after which it has nothing left to do
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) iterations: Option<u64>,

    /// Iterations of all users together, after which they have nothing left to do
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) shared_iterations: Option<u64>,
}

/// The keys of a plan in the run file.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) load: LoadArgs,

    #[arg(long, value_name = "CLASS")]
    pub(super) classes: Vec<String>,

    #[arg(long, value_name = "TIME", value_parser = offset)]
    pub(super) start: Option<Duration>,

    #[arg(long)]
    pub(super) shape: bool,
}

/// Whether a load shape of the component applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// It does not, or there is none.
    No,
    /// Unless something else is asked for.
    ByDefault,
    /// It is asked for.
    Wanted,
}

fn arrivals(text: &str) -> Result<f64, String> {
    parse_rate(text).ok_or_else(|| "not a rate, for example 200, 200/s or 90/m".into())
}

impl LoadArgs {
    /// The plan that these flags make, for all classes and from the start of the run.
    pub(super) fn plan(self, name: &str, shape: Shape, origins: &Origins) -> Result<Plan> {
        let load = self.load(shape, origins)?;
        Ok(Plan {
            name: name.to_owned(),
            classes: Vec::new(),
            start: Duration::ZERO,
            run_time: self.run_time,
            max_users: self.most_users(&load, origins)?,
            load,
            spawn_rate: self.spawn_rate.unwrap_or(f64::INFINITY),
            iterations: self.iterations,
            shared_iterations: self.shared_iterations,
        })
    }

    fn load(&self, shape: Shape, origins: &Origins) -> Result<Load> {
        let is_rate = |stage: &Stage| matches!(stage.level, Level::Rate(_));
        let rates = self.stages.iter().filter(|stage| is_rate(stage)).count();
        if shape == Shape::Wanted {
            self.refuse_beside_shape(origins)?;
            return Ok(Load::Shape);
        }
        if (1..self.stages.len()).contains(&rates) {
            bail!(
                "{}: some stages lead to users and others to rates (which have a unit, as in \
                 200/s); a plan has one or the other",
                origins.name("stage")
            );
        }
        if self.arrival_rate.is_some() || rates > 0 {
            return self.arrivals(rates, origins);
        }
        if self.max_lateness.is_some() {
            bail!(
                "{}: only iterations of an arrival rate can be late; give one",
                origins.name("max-lateness")
            );
        }
        self.closed(shape, origins)
    }

    /// Says which flag has no place beside the component's load shape.
    fn refuse_beside_shape(&self, origins: &Origins) -> Result<()> {
        let others = [
            ("users", self.users.is_some()),
            ("stage", !self.stages.is_empty()),
            ("arrival-rate", self.arrival_rate.is_some()),
            ("max-lateness", self.max_lateness.is_some()),
        ];
        match others.iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((flag, _)) => bail!(
                "{}: cannot be used with the component's load shape, which says how many users \
                 there are",
                origins.name(flag)
            ),
        }
    }

    fn arrivals(&self, rates: usize, origins: &Origins) -> Result<Load> {
        if rates == 0 && !self.stages.is_empty() {
            bail!(
                "{}: with an arrival rate stages lead to rates, such as 30s:200/s",
                origins.name("stage")
            );
        }
        let limited = [
            ("iterations", self.iterations),
            ("shared-iterations", self.shared_iterations),
        ];
        if let Some((flag, _)) = limited.iter().find(|(_, limit)| limit.is_some()) {
            bail!(
                "{}: cannot be used with an arrival rate, which starts iterations as long as the \
                 run takes; limit that with a run time or stages",
                origins.name(flag)
            );
        }
        let rate = self.curve(self.arrival_rate.unwrap_or(0.0), origins)?;
        if rate.peak() <= 0.0 {
            bail!(
                "{}: a rate of 0 does nothing; it has to be above 0 at some time",
                origins.name(self.level_flag("arrival-rate"))
            );
        }
        Ok(Load::Arrivals {
            rate,
            users: self.users.unwrap_or(0),
            patience: self.max_lateness.unwrap_or(PATIENCE),
        })
    }

    fn closed(&self, shape: Shape, origins: &Origins) -> Result<Load> {
        if self.users.is_some() && !self.stages.is_empty() {
            bail!(
                "{}: cannot be used with stages of users, which say how many there are",
                origins.name("users")
            );
        }
        if self.users.is_none() && self.stages.is_empty() && shape == Shape::ByDefault {
            return Ok(Load::Shape);
        }
        let curve = match self.stages.is_empty() {
            true => Curve::constant(f64::from(self.users.unwrap_or(1))),
            false => self.curve(0.0, origins)?,
        };
        if curve.peak() <= 0.0 {
            bail!(
                "{}: 0 users do nothing; give at least one",
                origins.name(self.level_flag("users"))
            );
        }
        Ok(Load::Users(curve))
    }

    /// The flag that says how high the load gets.
    fn level_flag(&self, constant: &'static str) -> &'static str {
        if self.stages.is_empty() {
            constant
        } else {
            "stage"
        }
    }

    fn curve(&self, from: f64, origins: &Origins) -> Result<Curve> {
        let level = |level| match level {
            Level::Users(users) => f64::from(users),
            Level::Rate(rate) => rate,
        };
        let stages = self.stages.iter();
        let curve = Curve {
            from,
            stages: stages
                .map(|stage| (stage.duration, level(stage.level)))
                .collect(),
        };
        if curve.duration() == Some(Duration::ZERO) {
            bail!(
                "{}: the stages are over at once; give one of them a duration",
                origins.name("stage")
            );
        }
        Ok(curve)
    }

    /// The most users that the plan may have at a time.
    fn most_users(&self, load: &Load, origins: &Origins) -> Result<u32> {
        let given = self.max_users;
        Ok(match load {
            // Room for changes of a run under way is given, never taken from the plan.
            Load::Users(curve) => {
                let peak = curve.peak().ceil() as u32;
                peak.max(1).max(given.unwrap_or(0))
            }
            Load::Shape => given.unwrap_or(MAX_USERS),
            Load::Arrivals { users, .. } => match given {
                Some(most) if *users > most => bail!(
                    "{}: {users} users beforehand are more than the {most} that there may be at \
                     most",
                    origins.name("users")
                ),
                Some(most) => most,
                None => MAX_USERS.max(*users),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{Command, FromArgMatches};
    use proptest::prelude::*;

    fn plan(words: &str, shape: Shape) -> Result<Plan> {
        let command = LoadArgs::augment_args(Command::new("load")).no_binary_name(true);
        let matches = command.try_get_matches_from(words.split_whitespace())?;
        LoadArgs::from_arg_matches(&matches)?.plan("p", shape, &Origins::default())
    }

    fn load(words: &str) -> Load {
        plan(words, Shape::No).unwrap().load
    }

    fn refusal(words: &str) -> String {
        plan(words, Shape::No).unwrap_err().to_string()
    }

    fn curve(from: f64, stages: &[(u64, f64)]) -> Curve {
        let stages = stages.iter();
        Curve {
            from,
            stages: stages
                .map(|&(s, to)| (Duration::from_secs(s), to))
                .collect(),
        }
    }

    #[test]
    fn closed_loads() {
        assert_eq!(load(""), Load::Users(Curve::constant(1.0)));
        assert_eq!(load("-u 5 -i 3"), Load::Users(Curve::constant(5.0)));
        assert_eq!(
            load("-s 1s:5 -s 2s:9"),
            Load::Users(curve(0.0, &[(1, 5.0), (2, 9.0)]))
        );
        let plan = plan("-u 5 -r 2 -t 9s -i 3 --shared-iterations 4", Shape::No).unwrap();
        assert_eq!(plan.spawn_rate, 2.0);
        assert_eq!(plan.run_time, Some(Duration::from_secs(9)));
        assert_eq!(
            (plan.iterations, plan.shared_iterations),
            (Some(3), Some(4))
        );
    }

    #[test]
    fn open_loads() {
        assert_eq!(
            load("--arrival-rate 90/m"),
            Load::Arrivals {
                rate: Curve::constant(1.5),
                users: 0,
                patience: Duration::from_secs(10),
            }
        );
        assert_eq!(
            load("--arrival-rate 5 -s 10s:50/s -u 7 -r 3 --max-lateness 2s"),
            Load::Arrivals {
                rate: curve(5.0, &[(10, 50.0)]),
                users: 7,
                patience: Duration::from_secs(2),
            }
        );
        let Load::Arrivals { rate, .. } = load("-s 10s:60/m") else {
            panic!("stages of rates are arrivals");
        };
        assert_eq!(rate, curve(0.0, &[(10, 1.0)]));
    }

    #[test]
    fn the_shape_applies_when_nothing_else_is_said() {
        let with = |words: &str| plan(words, Shape::ByDefault).unwrap().load;
        assert_eq!(with("-i 5 -t 1m"), Load::Shape);
        assert_eq!(with("-u 5"), Load::Users(Curve::constant(5.0)));
        assert_eq!(with("-s 1s:5"), Load::Users(curve(0.0, &[(1, 5.0)])));
        assert!(matches!(with("--arrival-rate 5"), Load::Arrivals { .. }));
        assert_eq!(plan("", Shape::Wanted).unwrap().load, Load::Shape);
        for other in ["-u 5", "-s 1s:5", "--arrival-rate 5", "--max-lateness 5s"] {
            let refused = plan(other, Shape::Wanted).unwrap_err().to_string();
            assert!(refused.contains("the component's load shape"), "{refused}");
        }
    }

    #[test]
    fn the_most_users_leave_room_but_take_none() {
        let most = |words: &str, shape| plan(words, shape).unwrap().max_users;
        for (words, expected) in [
            ("", 1),
            ("-u 5", 5),
            ("-u 5 --max-users 3", 5),
            ("-u 5 --max-users 50", 50),
            ("-s 1s:7 -s 1s:0", 7),
            ("--arrival-rate 5", 10_000),
            ("--arrival-rate 5 --max-users 3", 3),
            ("--arrival-rate 5 -u 20000", 20_000),
        ] {
            assert_eq!(most(words, Shape::No), expected, "{words}");
        }
        assert_eq!(most("", Shape::ByDefault), 10_000);
        assert_eq!(most("--max-users 20", Shape::ByDefault), 20);
    }

    #[test]
    fn loads_that_contradict_themselves_are_refused() {
        for (words, cause) in [
            ("-u 0", "--users: 0 users do nothing"),
            ("-s 1s:0", "--stage: 0 users do nothing"),
            ("-s 0:5", "--stage: the stages are over at once"),
            (
                "-u 1 -s 1s:1",
                "--users: cannot be used with stages of users",
            ),
            ("-s 1s:1 -s 1s:1/s", "--stage: some stages lead to users"),
            (
                "--arrival-rate 1 -s 1s:1",
                "--stage: with an arrival rate stages lead to rates",
            ),
            (
                "--arrival-rate 1 -i 1",
                "--iterations: cannot be used with an arrival rate",
            ),
            (
                "-s 1s:1/s --shared-iterations 1",
                "--shared-iterations: cannot be used with an",
            ),
            (
                "--arrival-rate 0",
                "--arrival-rate: a rate of 0 does nothing",
            ),
            ("-s 1s:0/s", "--stage: a rate of 0 does nothing"),
            (
                "--max-lateness 1s",
                "--max-lateness: only iterations of an arrival rate",
            ),
            (
                "--arrival-rate 1 -u 9 --max-users 8",
                "--users: 9 users beforehand are more",
            ),
        ] {
            let refusal = refusal(words);
            assert!(refusal.starts_with(cause), "{words}: {refusal}");
        }
    }

    proptest! {
        /// Whatever is asked for, a plan that is accepted can be carried out.
        #[test]
        fn accepted_plans_make_sense(
            users in prop::option::of(0_u32..),
            rate in prop::option::of(0.0..1e6_f64),
            most in prop::option::of(1_u32..),
            stages in prop::collection::vec((0_u64.., 0_u32.., any::<bool>()), 0..4),
        ) {
            let level = |n: u32, rate| match rate {
                true => Level::Rate(f64::from(n)),
                false => Level::Users(n),
            };
            let stages = stages.into_iter().map(|(seconds, n, rate)| Stage {
                duration: Duration::from_secs(seconds),
                level: level(n, rate),
            });
            let args = LoadArgs {
                users,
                arrival_rate: rate,
                max_users: most,
                stages: stages.collect(),
                ..LoadArgs::default()
            };
            if let Ok(plan) = args.plan("p", Shape::No, &Origins::default()) {
                prop_assert!(plan.max_users > 0);
                match plan.load {
                    Load::Users(curve) => {
                        prop_assert!(curve.peak() > 0.0);
                        prop_assert!(curve.peak() <= f64::from(plan.max_users));
                    }
                    Load::Arrivals { rate, users, .. } => {
                        prop_assert!(rate.peak() > 0.0 && users <= plan.max_users);
                    }
                    Load::Shape => prop_assert!(false, "nobody asked for it"),
                }
            }
        }
    }
}
