//! What benches run: the same work as the scripts of other load generators. Name the class
//! on the command line.

use aiotest::assert_eq;
use aiotest::prelude::*;
use serde_json::{Value, json};

/// GET / as fast as it goes.
#[derive(Default)]
struct Get {
    client: Client,
}

#[user(weight = 0)]
impl Get {
    async fn test_get(&mut self) -> Result {
        self.client.get("/").send().await?;
        Ok(())
    }
}

/// GET / once a second.
#[derive(Default)]
struct Think {
    client: Client,
}

#[user(weight = 0, wait_time = 1)]
impl Think {
    async fn test_get(&mut self) -> Result {
        self.client.get("/").send().await?;
        Ok(())
    }
}

/// Log in, use the token, send JSON, check the answer.
#[derive(Default)]
struct Scripted {
    client: Client,
}

#[user(weight = 0)]
impl Scripted {
    async fn test_flow(&mut self) -> Result {
        let login = json!({"user": "alice", "password": "secret"});
        let answer: Value = self
            .client
            .post("/login")
            .json(&login)
            .send()
            .await?
            .json()?;
        let token = answer["token"].as_str().or_fail("no token")?.to_owned();
        self.client.get("/json").bearer(&token).send().await?;
        let item = json!({"item": 42, "qty": 3});
        let echo: Value = self.client.post("/echo").json(&item).send().await?.json()?;
        assert_eq!(echo["item"], 42);
        Ok(())
    }
}

/// GET /delay/MS, which a server answers after so many milliseconds: how true the
/// reported times are.
#[derive(Default)]
struct Delay {
    client: Client,
}

#[user(weight = 0)]
impl Delay {
    async fn test_delay(&mut self) -> Result {
        let ms = run::option("MS").or_fail("give -e MS=10")?;
        self.client
            .get(["/delay/", &ms].concat())
            .name("delay")
            .send()
            .await?;
        Ok(())
    }
}

scenario!(Get, Think, Scripted, Delay);
