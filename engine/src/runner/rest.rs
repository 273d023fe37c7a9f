//! The process after its run, as long as it lingers.

use super::signals::Signals;
use crate::lifecycle::Step;
use crate::steering::{Order, Refused, Request, Wheel};

/// What still listens when a run is over.
pub struct Rest {
    pub(super) wheel: Wheel,
    pub(super) signals: Signals,
}

impl Rest {
    /// Stays until the order to quit, or a signal.
    pub async fn linger(mut self) {
        loop {
            let Request { order, reply } = tokio::select! {
                Some(request) = self.wheel.orders.recv() => request,
                () = self.signals.next() => return,
            };
            let status = self.wheel.status.borrow().clone();
            let step = match order {
                Order::Quit => {
                    // Whoever asked may have gone.
                    let _ = reply.send(Ok(status));
                    return;
                }
                Order::Start => Step::Start,
                Order::Pause => Step::Pause,
                Order::Resume => Step::Resume,
                Order::Stop => Step::Stop,
                Order::Load(_) => {
                    let _ = reply.send(Err(Refused::Over));
                    continue;
                }
            };
            let refused = status.state.after(step).map(|_| status);
            let _ = reply.send(refused.map_err(Refused::from));
        }
    }
}
