//! The handlers of events, which are there with the option `events=tell`.

use std::rc::Rc;

use aiotest::prelude::*;

use super::lifecycle::tell;

/// Tells the recorder of users and their errors, and counts requests.
pub(crate) fn watch() -> Events {
    if run::option("events").as_deref() != Some("tell") {
        return Events::new();
    }
    let client = Rc::new(Client::default());
    let (starts, stops) = (Rc::clone(&client), Rc::clone(&client));
    Events::new()
        .on_user_start_async(async move |_| {
            tell(&starts, "user-start").await?;
            Ok(())
        })
        .on_user_stop_async(async move |_| {
            tell(&stops, "user-stop").await?;
            Ok(())
        })
        .on_user_error_async(async move |error| {
            tell(&client, &format!("error-{}", error.task)).await?;
            Ok(())
        })
        .on_request(|_| metrics::count("observed", 1.0))
}
