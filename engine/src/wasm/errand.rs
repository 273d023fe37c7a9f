//! What a guest waits for, done outside its stack. A guest waits inside a host function, on
//! a stack of its own; the depth that sending a request takes would be paid by every
//! sandbox. So the host function leaves the work here, and whoever polls the call does it
//! on the thread's stack, and resumes the guest once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{AbortHandle, Abortable};
use futures::stream::{FuturesUnordered, Stream};
use parking_lot::Mutex;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The work of one sandbox's guest, which has one call at a time.
#[derive(Clone, Default)]
pub(super) struct Errand(Arc<Mutex<Todo>>);

#[derive(Default)]
struct Todo {
    /// What the guest is suspended for.
    awaited: Option<Work>,
    /// What it began, and what goes on while it computes or waits for something else.
    begun: Option<FuturesUnordered<Abortable<Work>>>,
}

impl Errand {
    /// Does the work while the guest is suspended. Called on the guest's stack.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T> + Send + 'static) -> T
    where
        T: Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let told = result.clone();
        self.0.lock().awaited = Some(Box::pin(async move {
            let value = work.await;
            *told.lock() = Some(value);
        }));
        // `attend` polls this again when the work is done, and not before.
        std::future::poll_fn(|_| match result.lock().take() {
            Some(value) => Poll::Ready(value),
            None => Poll::Pending,
        })
        .await
    }

    /// Begins work that the guest does not wait for here. It ends early when it is aborted.
    pub(super) fn begin(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let (handle, registration) = AbortHandle::new_pair();
        let work: Work = Box::pin(work);
        let mut todo = self.0.lock();
        let begun = todo.begun.get_or_insert_default();
        begun.push(Abortable::new(work, registration));
        handle
    }

    /// Drives a call into the guest, and the guest's errands.
    pub(super) async fn attend<C: Future>(&self, call: C) -> C::Output {
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|cx| {
            loop {
                if self.0.lock().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if let Poll::Ready(output) = call.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                // Suspended for another reason, such as the end of its time slice.
                let mut todo = self.0.lock();
                if todo.awaited.is_none() {
                    // What it began has to be polled once.
                    let _ = todo.poll(cx);
                    return Poll::Pending;
                }
            }
        })
        .await
    }
}

impl Todo {
    /// Ready when the guest can go on.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(begun) = &mut self.begun {
            while let Poll::Ready(Some(_)) = Pin::new(&mut *begun).poll_next(cx) {}
        }
        if let Some(awaited) = &mut self.awaited {
            std::task::ready!(awaited.as_mut().poll(cx));
            self.awaited = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_goes_on_with_the_results_of_its_errands() {
        let errand = Errand::default();
        let call = async {
            let mut sum = 0;
            for n in 1..=3 {
                sum += errand
                    .run(async move {
                        tokio::time::sleep(Duration::from_secs(n)).await;
                        n
                    })
                    .await;
                tokio::task::yield_now().await;
            }
            sum
        };
        assert_eq!(errand.attend(call).await, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_begun_goes_on_beside_the_call() {
        let errand = Errand::default();
        let done = Arc::new(Mutex::new(Vec::new()));
        let begin = |n: u64| {
            let done = done.clone();
            errand.begin(async move {
                tokio::time::sleep(Duration::from_secs(n)).await;
                done.lock().push(n);
            })
        };
        let call = async {
            let third = begin(3);
            let _ = (begin(2), begin(1));
            errand
                .run(tokio::time::sleep(Duration::from_millis(1500)))
                .await;
            third.abort();
            // Not an errand: the guest computes, or so it seems.
            tokio::time::sleep(Duration::from_secs(10)).await;
        };
        errand.attend(call).await;
        assert_eq!(*done.lock(), [1, 2]);
    }

    #[tokio::test]
    async fn an_errand_ends_with_its_sandbox() {
        let alive = Arc::new(());
        let errand = Errand::default();
        {
            let held = alive.clone();
            let work = async move {
                let _held = held;
                std::future::pending::<()>().await;
            };
            let mut call = Box::pin(errand.attend(errand.run(work)));
            let polled = futures::poll!(call.as_mut());
            assert!(polled.is_pending());
            assert_eq!(Arc::strong_count(&alive), 2);
        }
        drop(errand);
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
