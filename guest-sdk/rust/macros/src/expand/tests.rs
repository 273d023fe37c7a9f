//! What the compiler says about classes that are wrong, and where.

use super::*;

const TASK: &str = "async fn test_a(&mut self) -> Result { Ok(()) }";

/// What the compiler says about a class, and about which part of its text.
fn complaint(attributes: &str, block: &str) -> (String, String) {
    let parse = |text: &str| text.parse::<TokenStream>().unwrap();
    let error = match user(parse(attributes), parse(block)) {
        Ok(_) => panic!("accepted: #[user({attributes})] {block}"),
        Err(error) => error,
    };
    let place = error.span().source_text().unwrap_or_default();
    (error.to_string(), place)
}

#[track_caller]
fn assert_complains(attributes: &str, functions: &str, place: &str, about: &str) {
    let (message, at) = complaint(attributes, &format!("impl Cart {{ {functions} }}"));
    assert!(message.contains(about), "{message}");
    assert_eq!(at, place, "{message}");
}

#[test]
fn attributes_are_checked() {
    for (attributes, place, about) in [
        (
            "wait = 1",
            "wait",
            "unknown attribute `wait`: a user class has weight",
        ),
        ("weight = 1, weight = 2", "weight", "said twice"),
        ("weight = 1.5", "1.5", "a whole number"),
        ("weight = \"1\"", "\"1\"", "a whole number"),
        (
            "host = \"example.org\"",
            "\"example.org\"",
            "http:// or https://",
        ),
        (
            "wait_time = soon",
            "soon",
            "a wait time is a number of seconds",
        ),
        (
            "wait_time = (3, 1)",
            "(3, 1)",
            "the longer wait comes second",
        ),
        ("wait_time = (3,)", "(3,)", "two numbers of seconds"),
        ("wait_time = pacing(0)", "pacing", "above 0"),
        ("wait_time = throughput(0)", "0", "above 0"),
        ("throughput = 0", "0", "how often a second"),
        ("throughput = -1.5", "-1.5", "how often a second"),
        ("throughput = \"50/s\"", "\"50/s\"", "for example 0.5"),
        ("throughput = 1e10", "1e10", "faster than"),
        ("weight = -1", "-1", "a whole number"),
        ("wait_time = -1", "-1", "a number of seconds"),
        ("timeout = 1e12", "1e12", "longer than any run"),
        ("execution = random", "random", "`sequential`, `weighted`"),
        ("max_concurrent_tasks = 0", "0", "at least 1"),
        (
            "max_concurrent_tasks = 2",
            "max_concurrent_tasks",
            "goes with `execution = concurrent`",
        ),
    ] {
        assert_complains(attributes, TASK, place, about);
    }
}

#[test]
fn what_the_attributes_promise_must_be_there() {
    assert_complains("execution = own_loop", TASK, "own_loop", "async fn run");
    assert_complains("wait_time = computed", TASK, "computed", "fn wait_time");
    assert_complains(
        "",
        "fn wait_time(&mut self) -> Duration { todo() }",
        "wait_time",
        "wait_time = computed",
    );
    assert_complains(
        "",
        "async fn run(&mut self) -> Result { Ok(()) }",
        "run",
        "execution = own_loop",
    );
}

#[test]
fn functions_are_checked() {
    for (functions, place, about) in [
        ("fn helper(&self) {}", "Cart", "needs a task"),
        (
            "fn test_a(&mut self) -> Result { Ok(()) }",
            "test_a",
            "`async fn`",
        ),
        (
            "fn on_start(&mut self) -> Result { Ok(()) }",
            "on_start",
            "`async fn`",
        ),
        ("async fn test_a(&mut self) {}", "test_a", "return `Result`"),
        (
            "async fn test_a() -> Result { Ok(()) }",
            "test_a",
            "`(&mut self)`",
        ),
        (
            "async fn test_a(self) -> Result { Ok(()) }",
            "test_a",
            "`(&mut self)`",
        ),
        (
            "async fn a_test(&self, n: u32) -> Result { Ok(()) }",
            "a_test",
            "with the user alone",
        ),
        (
            "async fn test_a<T>(&self) -> Result { Ok(()) }",
            "<T>",
            "cannot be generic",
        ),
        (
            "#[weight(0)] async fn test_a(&self) -> Result {}",
            "0",
            "at least 1",
        ),
        (
            "#[weight(1)] fn helper(&self) {}",
            "#[weight(1)]",
            "only tasks",
        ),
    ] {
        assert_complains("", functions, place, about);
    }
    assert_complains(
        "execution = sequential",
        "#[weight(2)] async fn test_a(&self) -> Result {}",
        "test_a",
        "means nothing with `execution = sequential`",
    );
}

#[test]
fn only_a_plain_impl_block_is_a_class() {
    for (block, place, about) in [
        ("struct Cart;", "struct", "on the `impl` block"),
        (
            "impl Default for Cart {}",
            "Default",
            "not on that of a trait",
        ),
        ("impl<T> Cart<T> {}", "<T>", "cannot be generic"),
        ("impl (u8, u8) {}", "(u8, u8)", "is a struct"),
    ] {
        let (message, at) = complaint("", block);
        assert!(message.contains(about), "{message}");
        assert_eq!(at, place, "{message}");
    }
}

#[cfg(not(feature = "concurrent"))]
#[test]
fn concurrent_tasks_need_the_feature() {
    assert_complains(
        "execution = concurrent",
        TASK,
        "concurrent",
        "features = [\"concurrent\"]",
    );
}

#[cfg(feature = "concurrent")]
#[test]
fn concurrent_tasks_share_the_user() {
    assert_complains("execution = concurrent", TASK, "test_a", "take `&self`");
}

#[test]
fn tasks_say_what_they_have_once() {
    let task = |attributes: &str| format!("{attributes} async fn test_a(&self) -> Result {{}}");
    for (attributes, place, about) in [
        ("#[task(wait = 1)]", "wait", "a task has weight, tags, set"),
        ("#[task(weight = 0)]", "0", "at least 1"),
        ("#[task(weight = 1, weight = 2)]", "weight", "said twice"),
        (
            "#[task(weight = 1)] #[weight(2)]",
            "#[weight(2)]",
            "said twice",
        ),
        ("#[task(tags = \"read\")]", "\"read\"", "texts in brackets"),
        ("#[task(tags = [\"\"])]", "\"\"", "a tag is a word"),
        ("#[task(tags = [\"a,b\"])]", "\"a,b\"", "no commas"),
        ("#[task(tags = [\"a b\"])]", "\"a b\"", "no blanks"),
        (
            "#[task(set = browse)]",
            "browse",
            "declare it: `#[user(sets(browse(sequential)))]`",
        ),
    ] {
        assert_complains("", &task(attributes), place, about);
    }
    assert_complains(
        "sets(a(sequential), b(sequential))",
        &task("#[task(set = a)] #[task(set = b)]"),
        "b",
        "belongs to one set",
    );
    assert_complains(
        "",
        &format!("{TASK} #[task] fn helper(&self) {{}}"),
        "#[task]",
        "only tasks",
    );
}

#[test]
fn sets_say_how_their_tasks_run() {
    let task = "#[task(set = a)] async fn test_a(&self) -> Result {}";
    for (attributes, place, about) in [
        ("sets = 1", "=", "sets stand in parentheses"),
        ("sets(a)", "a", "`a(sequential)` or `a(weighted)`"),
        ("sets(a())", "a", "`a(sequential)` or `a(weighted)`"),
        (
            "sets(a(rounds = 5))",
            "rounds",
            "`a(sequential)` or `a(weighted)`",
        ),
        ("sets(a(concurrent))", "concurrent", "`a(sequential)`"),
        (
            "sets(a(weighted, wait = 1))",
            "wait",
            "a set has weight, rounds, tags, parent",
        ),
        ("sets(a(weighted, rounds = 0))", "0", "at least 1"),
        ("sets(a(weighted, rounds = often))", "often", "or `forever`"),
        (
            "sets(a(weighted, rounds = 1, rounds = 2))",
            "rounds",
            "said twice",
        ),
        ("sets(a(weighted)), sets(a(weighted))", "sets", "said twice"),
    ] {
        assert_complains(attributes, task, place, about);
    }
}

#[test]
fn sets_and_tasks_belong_together() {
    let task = "#[task(set = a)] async fn test_a(&self) -> Result {}";
    for (attributes, functions, place, about) in [
        ("sets(b(weighted))", task, "a", "no set `a`: there are `b`"),
        (
            "sets(a(weighted), b(weighted))",
            task,
            "b",
            "`#[task(set = b)]` on its tasks",
        ),
        ("sets(a(weighted), a(weighted))", task, "a", "is named `a`"),
        (
            "sets(a(weighted), test_a(weighted))",
            task,
            "test_a",
            "another task or set is named `test_a`",
        ),
        (
            "sets(a(weighted, parent = b))",
            task,
            "b",
            "no set `b`: there are `a`",
        ),
        (
            "sets(a(weighted, parent = a))",
            task,
            "a",
            "`a` would contain itself",
        ),
        (
            "sets(a(weighted, parent = b), b(weighted, parent = c), c(weighted, parent = b))",
            task,
            "c",
            "`b` would contain itself",
        ),
        (
            "sets(a(sequential))",
            "#[task(set = a, weight = 2)] async fn test_a(&self) -> Result {}",
            "test_a",
            "a weight means nothing in `a(sequential)`",
        ),
        (
            "sets(a(weighted, weight = 2, parent = b), b(sequential))",
            task,
            "a",
            "a weight means nothing in `b(sequential)`",
        ),
        (
            "sets(a(weighted, weight = 2)), execution = sequential",
            task,
            "a",
            "means nothing with `execution = sequential`",
        ),
        (
            "sets(a(weighted)), execution = own_loop",
            "async fn run(&self) -> Result {} #[task(set = a)] async fn test_a(&self) -> Result {}",
            "a",
            "task sets go with",
        ),
    ] {
        assert_complains(attributes, functions, place, about);
    }
}
