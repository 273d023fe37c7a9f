//! The body of a request for another load → a change. Pure; whether the change makes sense
//! for the run is the runner's to say.

use serde::Deserialize;
use serde_json::Value;

use crate::load_shape::parse_rate;
use crate::steering::{Amount, Change};

/// The fields as they come, so that what is wrong with one can be said by name.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    plan: Option<Value>,
    users: Option<Value>,
    spawn_rate: Option<Value>,
    arrival_rate: Option<Value>,
}

/// Reads a change, or says what is wrong and what would be right.
pub(super) fn parse(body: &[u8]) -> Result<Change, String> {
    // Arrays would do for a struct too, and their elements have no names.
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(r#"the body is not a JSON object; an example is {"users": 10}"#.to_owned());
    }
    let fields: Fields = serde_json::from_slice(body).map_err(|cause| {
        format!(r#"the body is no change of the load: {cause}; an example is {{"users": 10}}"#)
    })?;
    let change = Change {
        plan: fields.plan.as_ref().map(plan).transpose()?,
        users: fields.users.as_ref().map(users).transpose()?,
        spawn_rate: fields.spawn_rate.as_ref().map(spawn_rate).transpose()?,
        arrival_rate: fields.arrival_rate.as_ref().map(arrival_rate).transpose()?,
    };
    let nothing = Change {
        plan: change.plan.clone(),
        ..Change::default()
    };
    if change == nothing {
        return Err(
            "there is nothing to change; give users, spawn_rate or arrival_rate".to_owned(),
        );
    }
    Ok(change)
}

fn plan(value: &Value) -> Result<String, String> {
    let name = value.as_str().map(str::to_owned);
    name.ok_or_else(|| format!("plan: {value} is not the name of a plan, a string"))
}

fn users(value: &Value) -> Result<Amount, String> {
    let amount = match value {
        Value::Number(number) => {
            let users = number.as_u64().and_then(|users| users.try_into().ok());
            users.map(Amount::To)
        }
        // Only with its sign, so that nobody mistakes one for the other.
        Value::String(text) if text.starts_with(['+', '-']) => text.parse().ok().map(Amount::By),
        _ => None,
    };
    amount.ok_or_else(|| {
        format!(
            r#"users: {value} is neither a number of users, for example 10, nor a difference, for example "+5" or "-5""#
        )
    })
}

fn spawn_rate(value: &Value) -> Result<f64, String> {
    let rate = value
        .as_number()
        .and_then(|rate| parse_rate(&rate.to_string()));
    rate.filter(|rate| *rate > 0.0).ok_or_else(|| {
        format!("spawn_rate: {value} is not a number of users a second above 0, for example 5")
    })
}

fn arrival_rate(value: &Value) -> Result<f64, String> {
    let rate = match value {
        Value::Number(rate) => parse_rate(&rate.to_string()),
        Value::String(text) => parse_rate(text),
        _ => None,
    };
    rate.ok_or_else(|| {
        format!(
            r#"arrival_rate: {value} is neither a number of iterations a second, for example 200, nor a rate, for example "200/s" or "90/m""#
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Change, String> {
        parse(body.as_bytes())
    }

    fn refusal(body: &str) -> String {
        match read(body) {
            Ok(change) => panic!("{body} was taken for {change:?}"),
            Err(message) => message,
        }
    }

    #[test]
    fn changes_read_as_people_write_them() {
        let users = |amount| Change {
            users: Some(amount),
            ..Change::default()
        };
        let arrivals = |rate| Change {
            arrival_rate: Some(rate),
            ..Change::default()
        };
        assert_eq!(read(r#"{"users": 0}"#), Ok(users(Amount::To(0))));
        assert_eq!(read(r#" {"users": "+5"} "#), Ok(users(Amount::By(5))));
        assert_eq!(
            read(r#"{"users": "-5", "plan": null}"#),
            Ok(users(Amount::By(-5)))
        );
        assert_eq!(read(r#"{"arrival_rate": 0.5}"#), Ok(arrivals(0.5)));
        assert_eq!(read(r#"{"arrival_rate": 0}"#), Ok(arrivals(0.0)));
        assert_eq!(read(r#"{"arrival_rate": "90/m"}"#), Ok(arrivals(1.5)));
        let all =
            read(r#"{"plan": "browse", "users": 7, "spawn_rate": 1e1, "arrival_rate": "2/s"}"#);
        let expected = Change {
            plan: Some("browse".to_owned()),
            users: Some(Amount::To(7)),
            spawn_rate: Some(10.0),
            arrival_rate: Some(2.0),
        };
        assert_eq!(all, Ok(expected));
    }

    #[test]
    fn what_is_wrong_with_a_field_is_said_by_its_name() {
        for (field, values) in [
            ("plan", &["1", "[]", "{}", "true"][..]),
            (
                "users",
                &[
                    "-1",
                    "1.5",
                    "4294967296",
                    "1e300",
                    r#""5""#,
                    r#""+""#,
                    r#""+5.5""#,
                    r#""+2147483648""#,
                    r#""--5""#,
                    "[]",
                    "true",
                    r#""+５""#,
                ],
            ),
            (
                "spawn_rate",
                &["0", "-1", "-0.0", "1e10", r#""5""#, "{}", "false"],
            ),
            (
                "arrival_rate",
                &[
                    "-1",
                    "1e10",
                    r#""nan""#,
                    r#""inf/s""#,
                    r#""-2/s""#,
                    r#""5/y""#,
                    r#""""#,
                    "[]",
                ],
            ),
        ] {
            for value in values {
                let message = refusal(&format!(r#"{{"{field}": {value}}}"#));
                assert!(
                    message.starts_with(&format!("{field}: ")),
                    "{value}: {message}"
                );
            }
        }
    }

    #[test]
    fn the_messages_say_what_would_be_right() {
        assert_eq!(
            refusal(r#"{"users": 1.5}"#),
            r#"users: 1.5 is neither a number of users, for example 10, nor a difference, for example "+5" or "-5""#
        );
        assert_eq!(
            refusal(r#"{"usres": 5}"#),
            "the body is no change of the load: unknown field `usres`, expected one of `plan`, `users`, \
             `spawn_rate`, `arrival_rate` at line 1 column 8; an example is {\"users\": 10}"
        );
        for nothing in ["{}", r#"{"plan": "x"}"#, r#"{"users": null}"#] {
            let expected = "there is nothing to change; give users, spawn_rate or arrival_rate";
            assert_eq!(refusal(nothing), expected);
        }
        for malformed in ["", "5", "[null, 5, null, null]", "users=5", "\"users\""] {
            let expected = r#"the body is not a JSON object; an example is {"users": 10}"#;
            assert_eq!(refusal(malformed), expected);
        }
    }

    #[test]
    fn malformed_json_is_refused() {
        let deep = format!(r#"{{"users": {}"#, "[".repeat(4000));
        let bodies = [
            "{",
            r#"{"users": 5"#,
            r#"{"users": 5} {"#,
            r#"{"users": 5, "users": 6}"#,
            r#"{"users": NaN}"#,
            r#"{"users": 1e999}"#,
            r#"{"arrival_rate": Infinity}"#,
            &deep,
        ];
        for body in bodies {
            let message = refusal(body);
            assert!(
                message.starts_with("the body is no change of the load: "),
                "{message}"
            );
        }
        assert!(parse(b"{\"plan\": \"\xff\", \"users\": 1}").is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_it(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&body);
        }

        #[test]
        fn what_is_accepted_is_finite_and_not_negative(rate in any::<f64>(), text in "[-+0-9.eE/smh]{0,8}") {
            for body in [
                format!(r#"{{"arrival_rate": {rate}, "spawn_rate": {rate}}}"#),
                format!(r#"{{"arrival_rate": "{text}"}}"#),
            ] {
                if let Ok(change) = read(&body) {
                    let rates = [change.arrival_rate, change.spawn_rate];
                    let good = |rate: f64| (0.0..=1e6).contains(&rate);
                    prop_assert!(rates.into_iter().flatten().all(good), "{body}");
                    prop_assert!(change.spawn_rate != Some(0.0));
                }
            }
        }

        #[test]
        fn differences_keep_their_sign(by in any::<i32>()) {
            let change = read(&format!(r#"{{"users": "{by:+}"}}"#));
            prop_assert_eq!(change.unwrap().users, Some(Amount::By(by)));
        }
    }
}
