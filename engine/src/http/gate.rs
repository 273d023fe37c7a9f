//! Keeps a task from waking itself: what a connection wakes while it is being polled, or
//! while nobody uses it, is noted and goes no further. Knows nothing of HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Wake, Waker};

use futures::task::AtomicWaker;

/// The waker of one connection, in front of the waker of the task that uses it now.
///
/// A connection and the reader of its body are halves that wake each other although both
/// are polled by one task, one after the other; without the gate every response would cost
/// another turn of that task, and of the sandbox around it.
pub(super) struct Gate {
    shared: Arc<Shared>,
    waker: Waker,
}

struct Shared {
    /// Wake-ups reach the task. Closed unless the task waits.
    open: AtomicBool,
    woken: AtomicBool,
    task: AtomicWaker,
}

impl Gate {
    pub(super) fn new() -> Self {
        let shared = Arc::new(Shared {
            open: AtomicBool::new(false),
            woken: AtomicBool::new(false),
            task: AtomicWaker::new(),
        });
        Self {
            waker: Waker::from(shared.clone()),
            shared,
        }
    }

    /// What the connection is polled with.
    pub(super) fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Closes the gate: from here on wake-ups are only noted.
    pub(super) fn close(&self) {
        self.shared.open.store(false, SeqCst);
        self.shared.woken.store(false, SeqCst);
    }

    /// Opens the gate for a task that is about to wait; false, and closed, when something
    /// was noted meanwhile.
    pub(super) fn wait(&self, task: &Waker) -> bool {
        if self.shared.woken.load(SeqCst) {
            return false;
        }
        self.shared.task.register(task);
        self.shared.open.store(true, SeqCst);
        // `wake` notes before it looks at the gate, so one of the two sees the other.
        if self.shared.woken.load(SeqCst) {
            self.shared.open.store(false, SeqCst);
            return false;
        }
        true
    }
}

impl Wake for Shared {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, SeqCst);
        if self.open.load(SeqCst) {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, SeqCst);
        }
    }

    #[test]
    fn only_a_waiting_task_is_woken() {
        let count = Arc::new(Count::default());
        let task = Waker::from(count.clone());
        let gate = Gate::new();
        gate.waker().wake_by_ref();
        gate.close();
        assert!(gate.wait(&task));
        assert_eq!(count.0.load(SeqCst), 0);
        gate.waker().wake_by_ref();
        assert_eq!(count.0.load(SeqCst), 1);
        gate.close();
        gate.waker().wake_by_ref();
        assert!(!gate.wait(&task));
        assert_eq!(count.0.load(SeqCst), 1);
    }

    #[test]
    fn no_wake_up_is_lost_between_threads() {
        let count = Arc::new(Count::default());
        let task = Waker::from(count.clone());
        let gate = Gate::new();
        for round in 0..2000 {
            gate.close();
            let before = count.0.load(SeqCst);
            let waker = gate.waker().clone();
            let waits = std::thread::scope(|scope| {
                scope.spawn(move || waker.wake());
                gate.wait(&task)
            });
            let woken = count.0.load(SeqCst) > before;
            assert!(!waits || woken, "round {round}");
        }
    }
}
