//! The client against real servers on the loopback interface.

mod bodies;
mod connections;
mod faults;
mod onward;
mod requests;
mod support;
