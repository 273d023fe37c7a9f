//! What a suspended guest waits for, done outside its stack. A guest of the blocking
//! convention waits inside a host function, on a stack of its own; the depth that sending
//! a request takes would be paid by every user. So the host function leaves the work here,
//! and whoever polls the call does it on the thread's stack, and resumes the guest once.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use parking_lot::Mutex;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The work of one sandbox's guest, which has one call at a time.
#[derive(Clone, Default)]
pub(super) struct Errand(Arc<Mutex<Option<Work>>>);

impl Errand {
    /// Does the work while the guest is suspended. Called on the guest's stack.
    pub(super) async fn run<T>(&self, work: impl Future<Output = T> + Send + 'static) -> T
    where
        T: Send + 'static,
    {
        let result = Arc::new(Mutex::new(None));
        let told = result.clone();
        *self.0.lock() = Some(Box::pin(async move {
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

    /// Drives a call into the guest, and the guest's errands.
    pub(super) async fn attend<C: Future>(&self, call: C) -> C::Output {
        let mut call = std::pin::pin!(call);
        std::future::poll_fn(|cx| {
            loop {
                if self.poll(cx).is_pending() {
                    return Poll::Pending;
                }
                if let Poll::Ready(output) = call.as_mut().poll(cx) {
                    return Poll::Ready(output);
                }
                // Suspended for another reason, such as the end of its time slice.
                if self.0.lock().is_none() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    /// Ready when there is nothing (more) to do.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut work = self.0.lock();
        if let Some(under_way) = &mut *work {
            std::task::ready!(under_way.as_mut().poll(cx));
            *work = None;
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
