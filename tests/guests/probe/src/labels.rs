//! Users whose results are told apart by more than names, or that have something to hide.
//! Each does its task once and is done.

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Sends requests inside and outside of groups, and with a tag.
#[derive(Default)]
pub(crate) struct Grouped {
    client: Client,
}

#[user(weight = 0)]
impl Grouped {
    async fn test_groups(&mut self) -> Result {
        self.get("before").await?;
        {
            let _shop = metrics::group("shop");
            self.get("browse").await?;
            // Its group ends with the failure.
            if self.pay().await.is_ok() {
                fail!("the payment went well");
            }
            self.get("browse").await?;
        }
        let tagged = self.client.get("/status/200").name("after");
        tagged.tag("region", "eu").send().await?;
        Err(Failure::stop_user())
    }

    async fn pay(&self) -> Result {
        let _checkout = metrics::group("checkout");
        let request = self.client.get("/status/200").name("pay");
        request.tag("region", "eu").send().await?;
        fail!("no money left")
    }

    async fn get(&self, name: &str) -> Result {
        self.client.get("/status/200").name(name).send().await?;
        Ok(())
    }
}

/// Shows the secret `token` in every way there is, and ends with it as the reason of a
/// failure.
#[derive(Default)]
pub(crate) struct Secretive {
    client: Client,
    shown: bool,
}

#[user(weight = 0)]
impl Secretive {
    async fn test_show(&mut self) -> Result {
        if self.shown {
            tell(&self.client, "shown").await?;
            return Err(Failure::stop_user());
        }
        self.shown = true;
        let token = run::secret("token").or_fail("no token")?;
        info!("the token is {token}");
        metrics::count(&format!("uses of {token}"), 1.0);
        let request = self.client.get("/status/200").header("x-token", &*token);
        request.name(format!("with {token}")).send().await?;
        fail!("the token {token} is not welcome")
    }
}
