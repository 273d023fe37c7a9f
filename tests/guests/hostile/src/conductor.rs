//! The load shape, the hooks and the handlers of events, which misbehave as the options
//! `shape`, `hooks` and `events` say.

use std::hint::black_box;
use std::rc::Rc;
use std::thread;

use aiotest::prelude::*;

use super::{dig, option};

/// A load shape that wants two users, unless it has something else in mind.
#[derive(Default)]
pub(crate) struct Shape;

impl LoadShape for Shape {
    fn tick(&mut self, _: Duration) -> Option<Target> {
        let how = option("shape").unwrap_or_default();
        misbehave(&how);
        Some(Target {
            users: if how == "crowd" { u32::MAX } else { 2 },
            spawn_rate: match &*how {
                "nan" => f64::NAN,
                "backwards" => -1.0,
                _ => f64::INFINITY,
            },
        })
    }
}

/// Hooks of which one misbehaves, as in `hooks=start-spin`.
#[derive(Default)]
pub(crate) struct Saboteur;

impl Saboteur {
    async fn meddle(&self, hook: &str) -> Result {
        let wanted = option("hooks").unwrap_or_default();
        let Some((_, how)) = wanted.split_once('-').filter(|(when, _)| *when == hook) else {
            return Ok(());
        };
        info!("at the {hook}");
        match how {
            "wait" => wait(Duration::MAX).await,
            "talk" => Err(Failure::new("because \x1b[2J\n".repeat(100_000))),
            how => {
                misbehave(how);
                Ok(())
            }
        }
    }
}

impl Hooks for Saboteur {
    async fn on_test_start(&mut self) -> Result {
        self.meddle("start").await
    }

    async fn on_test_stop(&mut self) -> Result {
        self.meddle("stop").await?;
        metrics::count("stop hooks", 1.0);
        Ok(())
    }
}

/// Handlers of requests, of which each may be the last one.
pub(crate) fn watch() -> Events {
    let Ok(how) = option("events") else {
        return Events::new();
    };
    if how == "echo" {
        let client = Rc::new(Client::default());
        // If it saw its own requests it would never be done.
        return Events::new().on_request_async(async move |_| {
            client.get("/products").name("echo").send().await?;
            Ok(())
        });
    }
    Events::new().on_request(move |_| misbehave(&how))
}

/// Does it, unless it is nothing that all of them can do.
fn misbehave(how: &str) {
    match how {
        "spin" => {
            let mut turns = 0_u64;
            while black_box(turns) < u64::MAX {
                turns += 1;
            }
        }
        "panic" => panic!("no conductor today"),
        "dig" => {
            dig(0);
        }
        "hoard" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(vec![1_u8; 1 << 20]);
                black_box(&hoard);
            }
        }
        "sleep" => thread::sleep(Duration::from_hours(24)),
        _ => {}
    }
}
