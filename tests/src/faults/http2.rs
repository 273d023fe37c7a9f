//! Misbehaviour over HTTP/2 without TLS.

use std::io;

use bytes::Bytes;
use h2::{
    Reason,
    server::{self, SendResponse},
};
use http::Response;
use tokio::net::TcpStream;

use super::{Counters, Fault};

/// Serves one connection until either side ends it.
pub(super) async fn serve(fault: Fault, stream: TcpStream, counters: &Counters) -> io::Result<()> {
    let mut connection = server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (_request, respond) = request.map_err(io::Error::other)?;
        counters.request();
        match fault {
            Fault::AbruptGoAway => connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM),
            Fault::ResetStream => reset(respond),
            _ => {
                answer(respond).map_err(io::Error::other)?;
                connection.graceful_shutdown();
            }
        }
    }
    Ok(())
}

fn answer(mut respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut body = respond.send_response(Response::new(()), false)?;
    body.send_data("ok".into(), true)
}

fn reset(mut respond: SendResponse<Bytes>) {
    respond.send_reset(Reason::INTERNAL_ERROR);
}
