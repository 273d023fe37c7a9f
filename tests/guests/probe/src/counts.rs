//! Users whose requests a server counts too.

use aiotest::Version;
use aiotest::prelude::*;
use serde_json::{Value, json};

/// Visits of each shopper.
const VISITS: u32 = 20;
/// Requests to each faulty server.
const TRIES: u32 = 3;

/// Looks around in the shop: five requests, to every kind of route.
async fn visit(client: &Client) -> Result {
    let login = json!({"username": "admin", "password": "123456"});
    let response = client.post("/login").json(&login).send().await?;
    if response.version() == Version::Http2 {
        metrics::count("over HTTP/2", 1.0);
    }
    // The shop may have failed, which later requests shall not hide.
    let answer: Value = response.json().unwrap_or_default();
    let token = answer["token"].as_str().unwrap_or("none");
    client.get("/cart").bearer(token).send().await?;
    client.get("/products").discard().send().await?;
    client.get("/delay/1").name("/delay/{ms}").send().await?;
    client.get("/nowhere").name("(other)").send().await?;
    Ok(())
}

/// Visits the shop some times and then waits to be stopped.
#[derive(Default)]
pub(crate) struct Shopper {
    client: Client,
}

#[user(weight = 0, execution = own_loop)]
impl Shopper {
    async fn run(&mut self) -> Result {
        for _ in 0..VISITS {
            visit(&self.client).await?;
        }
        wait(Duration::from_hours(1)).await
    }
}

/// Visits the shop without a pause.
#[derive(Default)]
pub(crate) struct Rush {
    client: Client,
}

#[user(weight = 0)]
impl Rush {
    async fn test_visit(&mut self) -> Result {
        visit(&self.client).await
    }
}

/// Waits for an answer that takes half a minute.
#[derive(Default)]
pub(crate) struct Slow {
    client: Client,
}

#[user(weight = 0)]
impl Slow {
    async fn test_wait(&mut self) -> Result {
        self.client
            .get("/delay/30000")
            .name("/delay/{ms}")
            .send()
            .await?;
        Ok(())
    }
}

/// Waits for an answer that never comes.
#[derive(Default)]
pub(crate) struct Stuck {
    client: Client,
}

#[user(weight = 0)]
impl Stuck {
    async fn test_wait(&mut self) -> Result {
        self.client.get("/hold").name("held").send().await?;
        Ok(())
    }
}

/// Sends some requests to one of the servers `NAME=URL,…` of the option `servers`, and is
/// done.
#[derive(Default)]
pub(crate) struct Faulty {
    client: Client,
}

#[user(weight = 0)]
impl Faulty {
    async fn test_server(&mut self) -> Result {
        let servers = run::option("servers").or_fail("no servers")?;
        let index = usize::try_from(run::user_id() - 1)?;
        let server = servers
            .split(',')
            .nth(index)
            .or_fail("no server for this user")?;
        let (name, url) = server.split_once('=').or_fail("not NAME=URL")?;
        for _ in 0..TRIES {
            // Whatever becomes of it is in the results.
            let _ = self.client.get(url).name(name).send().await;
        }
        Err(Failure::stop_user())
    }
}
