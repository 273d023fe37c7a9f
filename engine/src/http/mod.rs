//! HTTP/1.1 and HTTP/2 for load-test users: each has a session with connections, cookies
//! and default headers of its own, and every exchange becomes one sample. Knows nothing of
//! sandboxes, users or what becomes of the samples.

mod body;
mod client;
mod connect;
mod connection;
mod cookies;
mod egress;
mod error;
mod exchange;
mod fault;
mod gate;
mod headers;
mod http1;
mod http2;
mod origin;
mod origins;
mod plan;
mod response;
mod session;
mod stream;
mod target;
mod tls;

#[cfg(test)]
mod tests;

pub use client::{Client, ClientConfig, ClientError};
pub use egress::{Egress, EgressError};
pub use error::{Error, ErrorKind};
pub use plan::{BodyMode, Options, Request};
pub use response::Response;
pub use session::{InvalidOptions, Session, SessionOptions};
