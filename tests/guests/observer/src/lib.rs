//! A scenario that judges its own results and watches what happens in the run.
//!
//! | option | what it changes |
//! |---|---|
//! | `checks=fail` | the check of each task does not pass |
//! | `tasks=fail` | each task fails after its check |
//! | `handler=fail` | a handler of user starts fails |

use aiotest::prelude::*;

/// Checks its luck once a task.
#[derive(Default)]
struct Checker {
    client: Client,
}

#[user(wait_time = (0, 0.01))]
impl Checker {
    async fn test_check(&mut self) -> Result {
        tell(&self.client, "checked").await?;
        metrics::check("lucky", !fails("checks"));
        if fails("tasks") {
            fail!("out of luck");
        }
        Ok(())
    }
}

fn fails(option: &str) -> bool {
    run::option(option).as_deref() == Some("fail")
}

async fn tell(client: &Client, what: &str) -> Result {
    let url = format!("/event?user={}&what={what}", run::user_id());
    client.get(url).name("event").send().await?;
    Ok(())
}

/// Tells the recorder of each start three times, by priority, and counts the rest.
fn watch() -> Events {
    let (first, second, last) = (Client::default(), Client::default(), Client::default());
    let mut slowest = Duration::ZERO;
    Events::new()
        .on_user_start_async(async move |_| tell(&second, "start-second").await)
        .on_user_start_async(async move |_| tell(&last, "start-last").await)
        .priority(-1)
        .on_user_start_async(async move |_| {
            tell(&first, "start-first").await?;
            if fails("handler") {
                fail!("no handler today");
            }
            Ok(())
        })
        .priority(10)
        .on_user_stop(|_| metrics::count("stops seen", 1.0))
        .on_user_error(|error| metrics::count(&format!("errors seen of {}", error.task), 1.0))
        .on_request(move |request| {
            slowest = slowest.max(request.duration);
            metrics::gauge("slowest seen ms", slowest.as_secs_f64() * 1e3);
            if request.user.id > 0 {
                metrics::count(&format!("requests seen of {}", request.user.class), 1.0);
            }
        })
}

scenario!(
    Checker;
    events = watch(),
    thresholds = ["checks: rate>0.5", "http_reqs: count>0"],
);
