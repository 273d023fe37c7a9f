//! Keys pressed while a run shows plain lines → orders for it. Knows the keyboard and the
//! helm, not what becomes of an order.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::keyboard::{self, Key, Keyboard, Manner};
use crate::steering::Helm;

const HELP: &str = "keys: w 1 user more, W 10 more, s 1 fewer, S 10 fewer (or iterations a \
                    second), p start, pause and go on, ? this line, Ctrl-C stop";

/// Between two looks at the keyboard: nobody notices, and it costs nothing.
const PAUSE: Duration = Duration::from_millis(50);

/// The keyboard as a helm. Dropping this gives the terminal back as it was.
pub(super) struct Keys {
    keyboard: Arc<Keyboard>,
    thread: thread::Thread,
}

impl Keys {
    /// Listens, if standard input is a terminal and this process is in its foreground.
    /// `say` shows what there is to say to who presses them. Needs a runtime.
    pub(super) fn listen(helm: Helm, say: impl Fn(&str) + Send + 'static) -> Option<Self> {
        let runtime = Handle::try_current().ok()?;
        let keyboard = Arc::new(Keyboard::open(Manner::Lines)?);
        let watched = keyboard.clone();
        // Without a thread there are no keys, and the run goes on without.
        let listener = thread::Builder::new()
            .name("keys".to_owned())
            .spawn(move || watch(&watched, |key| press(key, &helm, &runtime, &say)))
            .ok()?;
        Some(Keys {
            keyboard,
            thread: listener.thread().clone(),
        })
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        self.keyboard.close();
        self.thread.unpark();
    }
}

/// Does what a key stands for.
fn press(key: Key, helm: &Helm, runtime: &Handle, say: &impl Fn(&str)) {
    let Key::Char(letter) = key else {
        return;
    };
    if let '?' | 'h' = letter {
        return say(HELP);
    }
    if let Some(order) = keyboard::order(letter, helm.status().state)
        && let Err(refused) = runtime.block_on(helm.order(order))
    {
        say(&refused.to_string());
    }
}

/// Presses the keys that come from a terminal until it is closed or gone.
fn watch(keyboard: &Keyboard, mut press: impl FnMut(Key)) {
    let mut keys = keyboard::Keys::default();
    let mut bytes = [0; 64];
    while let Some(read) = keyboard.read(&mut bytes) {
        for &byte in read {
            keys.take(byte).into_iter().for_each(&mut press);
        }
        if read.is_empty() {
            keys.pause();
            thread::park_timeout(PAUSE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::steering::{Order, Refused, Wheel, steering};
    use std::sync::mpsc;

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn refusals_and_help_are_said() {
        let (helm, wheel) = steering();
        let Wheel {
            mut orders,
            status: _status,
        } = wheel;
        let (say, said) = mpsc::channel();
        let runtime = Handle::current();
        let keyboard = thread::spawn(move || {
            for key in [Key::Char('p'), Key::Up, Key::Char('w'), Key::Char('?')] {
                press(key, &helm, &runtime, &|text: &str| {
                    say.send(text.to_owned()).unwrap()
                });
            }
        });
        let start = orders.recv().await.unwrap();
        assert_eq!(start.order, Order::Start);
        start
            .reply
            .send(Err(Refused::Invalid("no".to_owned())))
            .unwrap();
        drop(orders);
        keyboard.join().unwrap();
        assert_eq!(
            said.iter().collect::<Vec<_>>(),
            ["no", "the run is over", HELP]
        );
    }
}
