//! Users that tell the recorder when they start, do their tasks and stop.

use aiotest::prelude::*;

/// Tells the recorder what this user does, and learns how often it has done so before, in
/// earlier lives too.
pub(crate) async fn tell(client: &Client, what: &str) -> Result<u64> {
    let url = format!("/event?user={}&what={what}", run::user_id());
    let answer = client.get(url).name("event").send().await?;
    answer.text().parse().or_fail("the recorder's count")
}

/// One in five of those that run unless others are named.
#[derive(Default)]
pub(crate) struct Minor {
    client: Client,
}

#[user(weight = 1, wait_time = 3600)]
impl Minor {
    async fn on_start(&mut self) -> Result {
        tell(&self.client, "minor").await?;
        Ok(())
    }

    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }
}

/// Four in five of those that run unless others are named.
#[derive(Default)]
pub(crate) struct Major {
    client: Client,
}

#[user(weight = 4, wait_time = 3600)]
impl Major {
    async fn on_start(&mut self) -> Result {
        tell(&self.client, "major").await?;
        Ok(())
    }

    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }
}

/// Does the same task again and again.
#[derive(Default)]
pub(crate) struct Worker {
    client: Client,
}

#[user(weight = 0, wait_time = (0.01, 0.05))]
impl Worker {
    async fn on_start(&mut self) -> Result {
        tell(&self.client, "start").await?;
        Ok(())
    }

    async fn test_work(&mut self) -> Result {
        tell(&self.client, "task").await?;
        Ok(())
    }

    async fn on_stop(&mut self) -> Result {
        tell(&self.client, "stop").await?;
        Ok(())
    }
}

/// Three tasks in order; in the second pass the second one fails, and the third pass is
/// the last.
#[derive(Default)]
pub(crate) struct Sequence {
    client: Client,
    pass: u32,
}

#[user(weight = 0)]
impl Sequence {
    async fn on_start(&mut self) -> Result {
        tell(&self.client, "start").await?;
        Ok(())
    }

    async fn test_first(&mut self) -> Result {
        self.pass += 1;
        tell(&self.client, "first").await?;
        Ok(())
    }

    async fn test_second(&mut self) -> Result {
        tell(&self.client, "second").await?;
        if self.pass == 2 {
            fail!("the second pass");
        }
        Ok(())
    }

    async fn test_third(&mut self) -> Result {
        tell(&self.client, "third").await?;
        if self.pass == 3 {
            return Err(Failure::stop_user());
        }
        Ok(())
    }

    async fn on_stop(&mut self) -> Result {
        tell(&self.client, "stop").await?;
        Ok(())
    }
}

/// Draws 400 tasks.
#[derive(Default)]
pub(crate) struct Dice {
    drawn: u32,
}

#[user(weight = 0)]
impl Dice {
    #[weight(3)]
    async fn test_often(&mut self) -> Result {
        self.count("often")
    }

    async fn test_seldom(&mut self) -> Result {
        self.count("seldom")
    }

    fn count(&mut self, name: &str) -> Result {
        metrics::count(name, 1.0);
        self.drawn += 1;
        if self.drawn == 400 {
            return Err(Failure::stop_user());
        }
        Ok(())
    }
}

/// Loops on its own: fails once, returns once, and then waits to be stopped.
#[derive(Default)]
pub(crate) struct Loop {
    client: Client,
    rounds: u32,
}

#[user(weight = 0, execution = own_loop)]
impl Loop {
    async fn on_start(&mut self) -> Result {
        tell(&self.client, "start").await?;
        Ok(())
    }

    async fn run(&mut self) -> Result {
        self.rounds += 1;
        tell(&self.client, "run").await?;
        match self.rounds {
            1 => fail!("the first round"),
            2 => Ok(()),
            _ => wait(Duration::from_hours(1)).await,
        }
    }

    async fn on_stop(&mut self) -> Result {
        tell(&self.client, "stop").await?;
        Ok(())
    }
}

/// Has a host where nobody listens.
#[derive(Default)]
pub(crate) struct Hosted {
    client: Client,
}

#[user(weight = 0, wait_time = 0.1, host = "http://127.0.0.1:1")]
impl Hosted {
    async fn test_call(&mut self) -> Result {
        tell(&self.client, "hosted").await?;
        Ok(())
    }
}

/// Passes on the option `word`.
#[derive(Default)]
pub(crate) struct Optional {
    client: Client,
}

#[user(weight = 0)]
impl Optional {
    async fn test_word(&mut self) -> Result {
        let word = run::option("word").or_fail("no word")?;
        if let Some(nothing) = run::option("nothing") {
            fail!("an option that was not given is {nothing}");
        }
        tell(&self.client, &word).await?;
        Err(Failure::stop_user())
    }
}

/// Waits in `on_start` for as many as the option `group` says; then user 1 panics in its
/// first life.
#[derive(Default)]
pub(crate) struct Group {
    client: Client,
}

#[user(weight = 0, wait_time = 3600)]
impl Group {
    async fn on_start(&mut self) -> Result {
        let earlier_lives = tell(&self.client, "start").await?;
        let group = run::option("group").or_fail("no group")?;
        self.client.get(format!("/gate?of={group}")).send().await?;
        if run::user_id() == 1 && earlier_lives == 0 {
            panic!("user 1 has had enough");
        }
        Ok(())
    }

    async fn test_nothing(&mut self) -> Result {
        Ok(())
    }

    async fn on_stop(&mut self) -> Result {
        tell(&self.client, "stop").await?;
        Ok(())
    }
}
