//! The accept loop of a listener: how many connections, for how long, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// How long what is being answered may take after the listener was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// How long to wait when the machine can't give another socket.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// The largest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// What a listener allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How many connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take over the head of a request, and stay idle between two.
    pub head: Duration,
}

/// A bound address, on which nobody is answered yet.
#[derive(Debug)]
pub struct Listener {
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
}

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "the {name} listener can't use {address} ({source}): stop what is using it, or set listen.{name} to another address"
)]
pub struct BindError {
    name: &'static str,
    address: String,
    source: io::Error,
}

impl Listener {
    /// Binds the address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address can't be used.
    pub async fn bind(name: &'static str, address: &str) -> Result<Self, BindError> {
        let told = |source| BindError {
            name,
            address: address.to_owned(),
            source,
        };
        let socket = TcpListener::bind(address).await.map_err(told)?;
        let address = socket.local_addr().map_err(told)?;
        Ok(Self { name, socket, address })
    }

    /// Its address as a URL that this machine can open.
    pub fn url(&self) -> String {
        let mut address = self.address;
        if address.ip().is_unspecified() {
            let local: std::net::IpAddr = match address {
                SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
            };
            address.set_ip(local);
        }
        format!("http://{address}")
    }

    /// Answers until told to stop; then ends what is being answered, and returns.
    pub async fn serve(self, router: Router, limits: Limits, stop: CancellationToken) {
        let slots = Arc::new(Semaphore::new(limits.connections));
        let graceful = GracefulShutdown::new();
        loop {
            // The slot is taken before the connection: a full house costs no memory here.
            let (slot, stream, peer) = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&self.socket, &slots) => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        tracing::warn!(listener = self.name, %error, "a connection could not be accepted");
                        tokio::time::sleep(OUT_OF_SOCKETS).await;
                        continue;
                    }
                },
            };
            // Small answers must not wait for the acknowledgement of the one before.
            stream.set_nodelay(true).ok();
            let router = router.clone();
            let service = hyper::service::service_fn(move |request: hyper::Request<Incoming>| {
                let router = router.clone();
                async move {
                    let mut request = request.map(Body::new);
                    request.extensions_mut().insert(ConnectInfo(peer));
                    Ok::<_, Infallible>(match router.oneshot(request).await {
                        Ok(response) => response,
                        Err(never) => match never {},
                    })
                }
            });
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(limits.head)
                .max_buf_size(HEAD)
                .serve_connection(TokioIo::new(stream), service);
            let watched = graceful.watch(connection);
            tokio::spawn(async move {
                if let Err(error) = watched.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                drop(slot);
            });
        }
        drop(self.socket);
        if tokio::time::timeout(GRACE, graceful.shutdown()).await.is_err() {
            tracing::warn!(
                listener = self.name,
                "some requests did not end in time and are cut off"
            );
        }
    }
}

async fn accept(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    Ok((slot, stream, peer))
}
