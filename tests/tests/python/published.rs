//! Examples that users of aiotest and locust have read, with nothing changed but the host.
//! The files of aiotest stand as they were published, with their slips.

use std::{collections::BTreeSet, path::Path};

use aiotest_tests::{Exchange, Storefront, scripts};
use serde_json::{Value, json};

use crate::{FAILURES, OK, counts, gaps, named, routes, row, says, shopping, text};

const SHOPPING: &str = "published/shopping.py";
const README: &str = "published/readme.py";
const DEMO_BLAZE: &str = "published/demo_blaze.py";

fn inspection(script: &str) -> Value {
    let script = scripts::path(script);
    let args = [Path::new("inspect"), &script, Path::new("--json")];
    let output = scripts::engine().run(args);
    assert_eq!(output.code, Some(OK), "{output:#?}");
    serde_json::from_str(&output.stdout).expect("it is JSON")
}

#[test]
fn shoppers_come_as_their_file_says() {
    let (shop, results) = shopping(SHOPPING, "-u 5 -r 100 -i 1");
    assert_eq!(
        (results.code(), results.reason()),
        (OK, "all users finished"),
        "{results:#?}"
    );
    let order = ["POST /login", "POST /orderCommit", "POST /Pay"];
    let with_trolley = [order[0], "GET /GetShoppingTrolley", order[1], order[2]];
    let users = shop.connections();
    let (browsers, buyers): (Vec<_>, Vec<_>) =
        users.iter().partition(|user| routes(user) == with_trolley);
    assert_eq!((browsers.len(), buyers.len()), (1, 4), "{users:#?}");
    for user in buyers {
        assert_eq!(routes(user), order);
    }
    for user in &users {
        // One second after the start and after each job.
        let gaps = gaps(user);
        assert!(gaps.iter().all(|gap| *gap >= 0.99), "{gaps:?}");
    }
    let expected = counts([
        ("POST /login", 5),
        ("GET /GetShoppingTrolley", 1),
        ("POST /orderCommit", 5),
        ("POST My Pay", 5),
    ]);
    assert_eq!(named(&results), expected);
    assert_eq!(results.number("/total/failures"), 0.0);
}

#[test]
fn shoppers_send_what_their_file_says() {
    let (shop, results) = shopping(SHOPPING, "-u 1 -i 1 UserOrderCommitTest");
    assert_eq!(results.code(), OK, "{results:#?}");
    let exchanges = shop.exchanges();
    let [login, order, pay] = &exchanges[..] else {
        panic!("{exchanges:#?}")
    };
    let form = "application/x-www-form-urlencoded";
    assert_eq!(login.header("content-type"), Some(form));
    assert_eq!(&login.body[..], b"username=admin&password=123456");
    assert_eq!(order.json(), json!({"orderAmount": 100, "coupon": 30}));
    assert_eq!(order.header("content-type"), Some("application/json"));
    let id = order.answered()["order"]["Orderid"].clone();
    assert_eq!(pay.json(), json!({ "id": id }));
    // A keyword that does not exist is told.
    says(&results.output, "hearders");
}

#[test]
fn shares_of_shoppers_are_their_weights() {
    let inspection = inspection(SHOPPING);
    let classes = inspection["classes"].as_array().expect("a list");
    let shares: Vec<_> = classes
        .iter()
        .map(|class| (text(&class["name"]), &class["share_of_100_users"]))
        .collect();
    let expected = [
        ("TestUserShoppingTrolley", &json!(20)),
        ("UserOrderCommitTest", &json!(80)),
    ];
    assert_eq!(shares, expected);
    assert_eq!(inspection["load_shape"], false);
    assert_eq!(inspection["convention"], "event-loop");
}

#[test]
fn a_user_with_a_start_of_its_own_runs_until_its_slip() {
    let (shop, results) = shopping(README, "-u 2 -r 100 -t 4s");
    assert_eq!(results.code(), FAILURES, "{results:#?}");
    let users = shop.connections();
    assert!(users.len() >= 2, "{users:#?}");
    for user in &users {
        let steps = ["POST /login", "POST /search"].into_iter().cycle();
        assert_eq!(routes(user), steps.take(user.len()).collect::<Vec<_>>());
    }
    let searches: Vec<_> = shop
        .exchanges()
        .into_iter()
        .filter(|exchange| exchange.uri.path() == "/search")
        .collect();
    assert!(searches.len() >= 2, "{users:#?}");
    for search in searches {
        assert_eq!(search.json(), json!({"keyword": "礼服"}));
    }
    assert_eq!(row(&results, "/search").1, 0);
    // It names `session`, and then `events`, which it has not imported.
    let errors = results.entries("task_errors", "class", "TestUser");
    let slip = |error: &&Value| text(&error["message"]).contains("name 'events' is not defined");
    let slip = errors.iter().copied().find(slip).expect("it is told");
    assert!(text(&slip["message"]).contains("readme.py:"), "{slip}");
}

#[test]
fn a_shape_inside_a_user_class_is_followed() {
    assert_eq!(inspection(README)["load_shape"], true);
    let (_, results) = shopping(README, "--max-users 20 -t 1s");
    let wants = "the load shape wants 5000 users; limited to 20 (--max-users)";
    says(&results.output, wants);
    assert_eq!(results.number("/users/peak"), 20.0);
}

#[test]
fn buyers_of_a_locust_file_buy() {
    const STEPS: [&str; 7] = [
        "GET /",
        "GET /entries",
        "POST /check",
        "POST /view",
        "POST /addtocart",
        "POST /viewcart",
        "POST /deletecart",
    ];
    let shop = Storefront::start();
    let url = shop.url();
    let args = format!("-u 2 -r 100 -t 3s -e API_HOST={url}");
    let results = scripts::run(DEMO_BLAZE, &url, &args);
    assert_eq!(results.code(), OK, "{results:#?}");

    let users = shop.connections();
    assert_eq!(users.len(), 2, "{users:#?}");
    let mut cookies = BTreeSet::new();
    for user in &users {
        let cycle = STEPS.iter().cycle().take(user.len());
        assert!(user.len() > STEPS.len(), "{user:#?}");
        assert_eq!(routes(user), cycle.copied().collect::<Vec<_>>());
        let own: BTreeSet<_> = user.iter().filter_map(|e| e.header("cookie")).collect();
        assert_eq!(own.len(), 1, "{own:?}");
        assert!(
            user.iter()
                .all(|exchange| exchange.header("cookie").is_some())
        );
        cookies.extend(own.into_iter().map(str::to_owned));

        let cart: Vec<Value> = of_path(user, "/addtocart").map(Exchange::json).collect();
        let cookie = user[0].header("cookie").expect("it was seen above");
        let id = text(&cart[0]["id"]);
        assert_eq!((id.len(), id.matches('-').count()), (36, 4), "{id}");
        for item in &cart {
            assert_eq!((text(&item["id"]), text(&item["cookie"])), (id, cookie));
        }
        for exchange in of_path(user, "/viewcart") {
            assert_eq!(exchange.json(), json!({"cookie": "user"}));
            assert_eq!(exchange.header("content-type"), Some("application/json"));
        }
    }
    assert_eq!(cookies.len(), 2, "{cookies:?}");

    let rows = named(&results);
    let names: Vec<_> = rows.keys().map(String::as_str).collect();
    let expected = [
        "GET 01 /",
        "GET 02 /entries",
        "POST /deletecart",
        "POST 03 /check",
        "POST 04 /view",
        "POST 06 /addtocart",
        "POST 08 /viewcart",
    ];
    assert_eq!(names, expected);
    assert_eq!(rows.values().sum::<u64>() as usize, shop.exchanges().len());
}

fn of_path<'a>(user: &'a [Exchange], path: &'a str) -> impl Iterator<Item = &'a Exchange> {
    user.iter()
        .filter(move |exchange| exchange.uri.path() == path)
}
