//! The attribute macro of the `aiotest` crate: it writes down what a class says about
//! itself. It knows the words of a class, not what the engine makes of them.

mod attributes;
mod class;
mod expand;
mod sets;
mod task;

use proc_macro::TokenStream;

/// Makes a user class of an `impl` block.
///
/// Functions whose names start with `test_` or end with `_test` are the tasks of its
/// users. `on_start` and `on_stop` are called once in the life of a user. All others are
/// the class's own business. The struct is made with `Default`, anew for each user.
///
/// | attribute | meaning |
/// |---|---|
/// | `weight = 4` | share of the users; 1 unless said otherwise, 0: only when named on the command line |
/// | `host = "https://example.org"` | base URL, unless `--host` names another |
/// | `wait_time = 1.5` | seconds that a user waits after each task; none unless said otherwise |
/// | `wait_time = (1, 3)` | evenly distributed between the two |
/// | `wait_time = pacing(2)` | tasks start this far apart |
/// | `wait_time = throughput(0.5)` | tasks start so often a second, at most: `pacing(2)` |
/// | `wait_time = computed` | `fn wait_time(&mut self) -> Duration` is asked each time |
/// | `execution = sequential` | the tasks in their order, then again; the default |
/// | `execution = weighted` | each time one at random; the default when a task has a `#[weight(3)]` |
/// | `execution = concurrent` | several tasks at a time, which then take `&self`; needs the feature `concurrent` |
/// | `execution = own_loop` | `async fn run(&mut self) -> Result` is called instead of the tasks |
/// | `max_concurrent_tasks = 6` | at most so many at a time |
/// | `throughput = 50.0` | iterations a second of all users of the class together, at most |
/// | `sets(browse(weighted, rounds = 5), …)` | sets of tasks, see below |
/// | `timeout = 10.0` | seconds for an exchange with the class's client |
/// | `headers = [("accept", "text/html")]` | sent with every request |
/// | `cookies = false` | neither stored nor sent |
/// | `redirects = 0`, `retries = 2` | at most so many for each request |
///
/// A task says more about itself with `#[task(…)]`:
///
/// | attribute | meaning |
/// |---|---|
/// | `weight = 3` | its share where tasks are drawn by weight; `#[weight(3)]` for short |
/// | `tags = ["read", "slow"]` | for `--tags` and `--exclude-tags` |
/// | `set = browse` | the set it belongs to, instead of the class itself |
///
/// A set stands where a task does: in the order of the class at the place of its first
/// task, or with a weight of its own. It is `sequential` or `weighted`, and has
///
/// | attribute | meaning |
/// |---|---|
/// | `rounds = 5` | passes (of a weighted set: tasks) until what is around it goes on |
/// | `rounds = forever` | until a task returns `Failure::leave_set()` |
/// | `weight = 3`, `tags = ["read"]` | as those of a task; its tasks have its tags too |
/// | `parent = other` | the set it belongs to, instead of the class itself |
///
/// Without `rounds`, a sequential set is done after one pass, and a weighted one goes on
/// for ever.
#[proc_macro_attribute]
pub fn user(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::user(attributes.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
