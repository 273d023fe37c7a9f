//! Customers of a shop: one in five looks at the cart before ordering, the others order
//! at once. The load comes in three stages.

use aiotest::{assert, assert_eq, prelude::*};
use serde_json::{Value, json};

#[derive(Default)]
struct CartCustomer {
    client: Client,
    token: String,
    order: u64,
}

#[user(weight = 1, wait_time = 1, host = "http://127.0.0.1:8080")]
impl CartCustomer {
    async fn on_start(&mut self) -> Result {
        self.token = login(&self.client).await?;
        Ok(())
    }

    async fn test_cart(&mut self) -> Result {
        let response = self.client.get("/cart").bearer(&self.token).send().await?;
        let cart: Value = response.json()?;
        assert!(cart["lines"].is_array(), "no lines in {cart}");
        Ok(())
    }

    async fn test_order(&mut self) -> Result {
        self.order = order(&self.client, &self.token).await?;
        Ok(())
    }

    async fn test_pay(&mut self) -> Result {
        pay(&self.client, &self.token, self.order).await
    }
}

#[derive(Default)]
struct DirectCustomer {
    client: Client,
    token: String,
    order: u64,
}

#[user(weight = 4, wait_time = 1, host = "http://127.0.0.1:8080")]
impl DirectCustomer {
    async fn on_start(&mut self) -> Result {
        self.token = login(&self.client).await?;
        Ok(())
    }

    async fn test_order(&mut self) -> Result {
        self.order = order(&self.client, &self.token).await?;
        Ok(())
    }

    async fn test_pay(&mut self) -> Result {
        pay(&self.client, &self.token, self.order).await
    }
}

async fn login(client: &Client) -> Result<String> {
    let login = json!({"username": "admin", "password": "123456"});
    let answer: Value = client.post("/login").json(&login).send().await?.json()?;
    let token = answer["token"].as_str().or_fail("no token")?;
    Ok(token.to_owned())
}

async fn order(client: &Client, token: &str) -> Result<u64> {
    let order = json!({"amount": 100, "coupon": 30});
    let request = client.post("/orders").bearer(token).json(&order);
    let answer: Value = request.send().await?.json()?;
    answer["order"]["id"].as_u64().or_fail("no order id")
}

async fn pay(client: &Client, token: &str, order: u64) -> Result {
    let payment = json!({"order": order});
    let request = client.post("/pay").bearer(token).json(&payment);
    let answer: Value = request.name("My Pay").send().await?.json()?;
    assert_eq!(answer["paid"], true);
    Ok(())
}

/// Until when (in seconds) how many users are wanted.
const STAGES: [(u64, u32); 3] = [(3, 10), (7, 50), (10, 5)];

struct Stages;

impl LoadShape for Stages {
    fn tick(&mut self, run_time: Duration) -> Option<Target> {
        let stage = STAGES.iter().find(|(end, _)| run_time.as_secs() < *end);
        stage.map(|&(_, users)| Target {
            users,
            spawn_rate: 20.0,
        })
    }
}

scenario!(CartCustomer, DirectCustomer; shape = Stages);
