//! Users that misbehave, one class for each way, and one that only wants to be left alone.
//! All have weight 0: name the classes on the command line. What is beside the users
//! misbehaves if options say so.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "one of them does nothing else"
)]

mod conductor;

use std::hint::black_box;
use std::thread;

use aiotest::prelude::*;

use conductor::{Saboteur, Shape, watch};

/// Looks at products; what it gets done tells how the others treat it.
#[derive(Default)]
struct Neighbour {
    client: Client,
}

#[user(weight = 0, wait_time = 0.1)]
impl Neighbour {
    async fn test_look(&mut self) -> Result {
        self.client.get("/products").send().await?;
        Ok(())
    }
}

/// Computes and never waits.
#[derive(Default)]
struct EndlessLoop;

#[user(weight = 0)]
impl EndlessLoop {
    async fn test_spin(&mut self) -> Result {
        let mut turns = 0_u64;
        while black_box(turns) < u64::MAX {
            turns += 1;
        }
        Ok(())
    }
}

/// Takes all the memory there is.
#[derive(Default)]
struct MemoryBomb {
    hoard: Vec<Vec<u8>>,
}

#[user(weight = 0)]
impl MemoryBomb {
    async fn test_hoard(&mut self) -> Result {
        loop {
            self.hoard.push(vec![1; 1 << 20]);
        }
    }
}

/// Calls itself and never returns.
#[derive(Default)]
struct StackOverflow;

#[user(weight = 0)]
impl StackOverflow {
    async fn test_dig(&mut self) -> Result {
        dig(0);
        Ok(())
    }
}

#[inline(never)]
fn dig(depth: u64) -> u64 {
    if black_box(depth) == u64::MAX {
        return 0;
    }
    dig(depth + 1) + 1
}

/// Panics before it is a user.
struct BadConstructor;

impl Default for BadConstructor {
    fn default() -> Self {
        panic!("no constructor today")
    }
}

#[user(weight = 0)]
impl BadConstructor {
    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }
}

/// Panics in `on_start`.
#[derive(Default)]
struct BadStart;

#[user(weight = 0)]
impl BadStart {
    async fn on_start(&mut self) -> Result {
        panic!("no start today")
    }

    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }
}

/// Panics in a task.
#[derive(Default)]
struct BadTask;

#[user(weight = 0)]
impl BadTask {
    async fn test_panic(&mut self) -> Result {
        panic!("no task today")
    }
}

/// Panics in `on_stop`.
#[derive(Default)]
struct BadStop;

#[user(weight = 0, wait_time = 0.1)]
impl BadStop {
    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }

    async fn on_stop(&mut self) -> Result {
        panic!("no stop today")
    }
}

/// Opens sessions and closes none.
#[derive(Default)]
struct HandleBomb {
    clients: Vec<Client>,
}

#[user(weight = 0)]
impl HandleBomb {
    async fn test_open(&mut self) -> Result {
        loop {
            let client = Client::default();
            client.clear_cookies()?;
            self.clients.push(client);
            // Not to be ended for computing.
            if self.clients.len().is_multiple_of(500) {
                wait(Duration::from_millis(1)).await?;
            }
        }
    }
}

/// Logs much more than anybody can read, by every way there is.
#[derive(Default)]
struct LogFlood;

#[user(weight = 0, wait_time = 0.1)]
impl LogFlood {
    async fn test_log(&mut self) -> Result {
        for line in 0..500 {
            info!("flood \x1b[31m line {line}");
            println!("flood line {line} on the standard output");
            eprintln!("flood line {line} on the standard error");
        }
        Ok(())
    }
}

/// Makes up a name for each value that it reports.
#[derive(Default)]
struct NameFlood {
    names: u64,
}

#[user(weight = 0, wait_time = 0.1)]
impl NameFlood {
    async fn test_count(&mut self) -> Result {
        for _ in 0..500 {
            self.names += 1;
            metrics::count(&format!("name {}", self.names), 1.0);
        }
        Ok(())
    }
}

/// Fails for a reason that would fill the report and clear the terminal.
#[derive(Default)]
struct LongReason;

#[user(weight = 0, wait_time = 0.2)]
impl LongReason {
    async fn test_talk(&mut self) -> Result {
        Err(Failure::new("because \x1b[2J\n".repeat(100_000)))
    }
}

/// Ends the run for such a reason.
#[derive(Default)]
struct LongGoodbye;

#[user(weight = 0)]
impl LongGoodbye {
    async fn test_end(&mut self) -> Result {
        Err(Failure::stop_test("goodbye \x1b[2J\n".repeat(100_000)))
    }
}

/// Asks for a response of 1 GiB, at the URL of option `big`.
#[derive(Default)]
struct BigResponse {
    client: Client,
}

#[user(weight = 0, wait_time = 0.5)]
impl BigResponse {
    async fn test_get(&mut self) -> Result {
        self.client.get(option("big")?).name("big").send().await?;
        Ok(())
    }
}

/// Asks for headers without end, at the URL of option `headers`.
#[derive(Default)]
struct HeaderBomb {
    client: Client,
}

#[user(weight = 0, wait_time = 0.5)]
impl HeaderBomb {
    async fn test_get(&mut self) -> Result {
        self.client
            .get(option("headers")?)
            .name("headers")
            .send()
            .await?;
        Ok(())
    }
}

/// Reads a body piece by piece, at the URL of option `endless`, and never asks how long it
/// is.
#[derive(Default)]
struct Gulper {
    client: Client,
}

#[user(weight = 0, wait_time = 0.1)]
impl Gulper {
    async fn test_gulp(&mut self) -> Result {
        let request = self.client.get(option("endless")?).name("gulped");
        let response = request.stream().send().await?;
        while let Some(piece) = response.chunk().await? {
            metrics::count("bytes gulped", piece.len() as f64);
        }
        Ok(())
    }
}

/// Begins to read such bodies and keeps them all.
#[derive(Default)]
struct Nibbler {
    client: Client,
    begun: Vec<Response>,
}

#[user(weight = 0, wait_time = 0.1)]
impl Nibbler {
    async fn test_nibble(&mut self) -> Result {
        let request = self.client.get(option("endless")?).name("nibbled");
        let response = request.stream().send().await?;
        response.chunk().await?;
        metrics::count("bodies begun", 1.0);
        self.begun.push(response);
        Ok(())
    }
}

/// Goes where the run does not let it.
#[derive(Default)]
struct ForbiddenHost {
    client: Client,
}

#[user(weight = 0, wait_time = 0.2)]
impl ForbiddenHost {
    async fn test_steal(&mut self) -> Result {
        let metadata = "http://169.254.169.254/latest/meta-data";
        self.client.get(metadata).name("steal").send().await?;
        Ok(())
    }
}

/// Waits for ever, as the engine can interrupt it.
#[derive(Default)]
struct WaitForever;

#[user(weight = 0)]
impl WaitForever {
    async fn test_wait(&mut self) -> Result {
        info!("waiting");
        wait(Duration::MAX).await
    }

    async fn on_stop(&mut self) -> Result {
        metrics::count("waiters stopped", 1.0);
        Ok(())
    }
}

/// Waits for hours behind the engine's back.
#[derive(Default)]
struct SleepForever;

#[user(weight = 0)]
impl SleepForever {
    async fn test_sleep(&mut self) -> Result {
        info!("sleeping");
        thread::sleep(Duration::from_hours(24));
        Ok(())
    }

    async fn on_stop(&mut self) -> Result {
        metrics::count("sleepers stopped", 1.0);
        Ok(())
    }
}

fn option(name: &str) -> Result<String> {
    run::option(name).or_fail("the option is missing")
}

scenario!(
    Neighbour,
    EndlessLoop,
    MemoryBomb,
    StackOverflow,
    BadConstructor,
    BadStart,
    BadTask,
    BadStop,
    HandleBomb,
    LogFlood,
    NameFlood,
    LongReason,
    LongGoodbye,
    BigResponse,
    HeaderBomb,
    Gulper,
    Nibbler,
    ForbiddenHost,
    WaitForever,
    SleepForever;
    shape = Shape,
    hooks = Saboteur,
    events = watch(),
);
