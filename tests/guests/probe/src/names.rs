//! A user with many names.

use aiotest::prelude::*;

/// Sends as many requests as the option `names` says, each of a name of its own that is
/// unpleasant to spell, and is done.
#[derive(Default)]
pub(crate) struct Namer {
    client: Client,
}

#[user(weight = 0)]
impl Namer {
    async fn test_names(&mut self) -> Result {
        let names: u32 = run::option("names").or_fail("no names")?.parse()?;
        for n in 0..names {
            let name = format!("=</script>\"{n},<!--&\u{2028}");
            self.client
                .get("/products")
                .name(name)
                .discard()
                .send()
                .await?;
        }
        Err(Failure::stop_user())
    }
}
