//! Method and path → what is meant. Pure.

use http::Method;

use super::reply::Problem;
use crate::steering::Order;

/// What a request asks for.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// The dashboard, or the way to the measurements.
    Root,
    /// The measurements.
    Metrics,
    /// Everything about the run so far.
    Report,
    /// The same as it proceeds.
    Updates,
    /// How the run stands.
    State,
    /// An order, answered with how the run stands then.
    Order(Order),
    /// Another load, which is in the body.
    Load,
    /// An order as aiotest spells it, and the word that it answers with.
    Alias(Order, &'static str),
}

impl Route {
    /// Whether it takes permission. Measurements are for everyone who reaches the address,
    /// and so is the dashboard, which has nothing in it yet.
    pub(super) fn is_guarded(&self) -> bool {
        !matches!(self, Route::Root | Route::Metrics)
    }
}

/// Methods that only look.
const LOOK: &str = "GET, HEAD";

/// Finds what is meant.
pub(super) fn find(method: &Method, path: &str) -> Result<Route, Problem> {
    let (allowed, route) = match path {
        "/" => (LOOK, Route::Root),
        "/metrics" => (LOOK, Route::Metrics),
        "/report" => (LOOK, Route::Report),
        "/updates" => ("GET", Route::Updates),
        "/state" => (LOOK, Route::State),
        "/start" => ("POST", Route::Order(Order::Start)),
        "/pause" => ("POST", Route::Order(Order::Pause)),
        "/resume" => ("POST", Route::Order(Order::Resume)),
        "/stop" => ("POST", Route::Order(Order::Stop)),
        "/quit" => ("POST", Route::Order(Order::Quit)),
        "/load" => ("PATCH", Route::Load),
        "/control/pause" => ("GET", Route::Alias(Order::Pause, "Paused")),
        "/control/resume" => ("GET", Route::Alias(Order::Resume, "Running")),
        "/control/quit" => ("GET", Route::Alias(Order::Quit, "Quitting")),
        _ => return Err(Problem::UnknownPath),
    };
    match allowed.split(", ").any(|known| known == method.as_str()) {
        true => Ok(route),
        false => Err(Problem::WrongMethod(allowed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_looking_needs_no_permission_and_no_look_gives_an_order() {
        for path in ["/", "/metrics"] {
            assert!(!find(&Method::GET, path).unwrap().is_guarded(), "{path}");
        }
        for path in [
            "/report",
            "/updates",
            "/state",
            "/control/pause",
            "/control/quit",
        ] {
            assert!(find(&Method::GET, path).unwrap().is_guarded(), "{path}");
        }
        // A HEAD request must change nothing, not even under the aliases.
        let head = find(&Method::HEAD, "/control/quit");
        assert_eq!(head, Err(Problem::WrongMethod("GET")));
    }

    proptest! {
        #[test]
        fn no_other_path_leads_anywhere(path in "/?[a-z/.%]{0,12}") {
            let known = ["", "metrics", "report", "updates", "state", "start", "pause", "resume", "stop", "quit", "load"];
            let known = known.iter().any(|name| path == format!("/{name}"));
            let found = find(&Method::POST, &path);
            prop_assert_eq!(found == Err(Problem::UnknownPath), !known && !path.starts_with("/control/"));
        }
    }
}
