//! A connection that is kept, and made again when it broke.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use eencent_webhooks::examples::Signed;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// After how long a message counts as not answered.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most of an answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;

pub struct Connection {
    address: SocketAddr,
    open: Option<SendRequest<Body>>,
}

impl Connection {
    pub const fn to(address: SocketAddr) -> Self {
        Self { address, open: None }
    }

    /// The status of the answer; `None` when there was none.
    pub async fn post(&mut self, host: &str, path: &str, message: Signed) -> Option<u16> {
        let answered = tokio::time::timeout(PATIENCE, self.exchange(host, path, message)).await;
        let status = answered.ok().flatten();
        if status.is_none() {
            self.open = None;
        }
        status
    }

    async fn exchange(&mut self, host: &str, path: &str, (headers, body): Signed) -> Option<u16> {
        let mut request = Request::post(path).header(header::HOST, host);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).ok()?;
        if self.open.as_ref().is_none_or(SendRequest::is_closed) {
            let stream = TcpStream::connect(self.address).await.ok()?;
            stream.set_nodelay(true).ok()?;
            let (sender, driver) = handshake(TokioIo::new(stream)).await.ok()?;
            tokio::spawn(driver);
            self.open = Some(sender);
        }
        let sender = self.open.as_mut()?;
        sender.ready().await.ok()?;
        let answer = sender.send_request(request).await.ok()?;
        let status = answer.status().as_u16();
        to_bytes(Body::new(answer.into_body()), LONGEST_ANSWER).await.ok()?;
        Some(status)
    }
}
