//! The attribute macro of the `aiotest` crate: it writes down what a class says about
//! itself. It knows the words of a class, not what the engine makes of them.

mod attributes;
mod class;
mod expand;

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
/// | `wait_time = computed` | `fn wait_time(&mut self) -> Duration` is asked each time |
/// | `execution = sequential` | the tasks in their order, then again; the default |
/// | `execution = weighted` | each time one at random; the default when a task has a `#[weight(3)]` |
/// | `execution = concurrent` | several tasks at a time, which then take `&self`; needs the feature `concurrent` |
/// | `execution = own_loop` | `async fn run(&mut self) -> Result` is called instead of the tasks |
/// | `max_concurrent_tasks = 6` | at most so many at a time |
/// | `timeout = 10.0` | seconds for an exchange with the class's client |
/// | `headers = [("accept", "text/html")]` | sent with every request |
/// | `cookies = false` | neither stored nor sent |
/// | `redirects = 0`, `retries = 2` | at most so many for each request |
#[proc_macro_attribute]
pub fn user(attributes: TokenStream, item: TokenStream) -> TokenStream {
    expand::user(attributes.into(), item.into())
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}
