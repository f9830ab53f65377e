//! The accept loop of a listener: how many connections, for how long, and how they end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
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
use tokio_io_timeout::TimeoutStream;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::crowd::Crowd;
use super::proxies::Proxies;

/// How long what is being answered may take after the listener was told to stop.
const GRACE: Duration = Duration::from_secs(20);

/// How long to wait when the machine can't give another socket.
const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// The largest head of a request, in bytes.
const HEAD: usize = 32 * 1024;

/// What is said to an address that has as many connections as it may, before the connection is closed.
const TOO_MANY: &[u8] =
    b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// What a listener allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How many connections at once; further ones wait in the kernel's queue.
    pub connections: usize,
    /// How many of them one address may have, or one network in IPv6; further ones are told 429 and closed.
    pub per_address: usize,
    /// Who may have as many as there are, since they speak for others.
    pub proxies: Arc<Proxies>,
    /// How long a client may take over the head of a request, stay idle between two, and leave an answer
    /// unread.
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
        let crowd = Crowd::default();
        let open = metrics::gauge!("eencent_connections", "listener" => self.name);
        let refused = metrics::counter!("eencent_connections_refused_total", "listener" => self.name);
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
            let most = if limits.proxies.trust(peer.ip()) {
                limits.connections
            } else {
                limits.per_address
            };
            let Some(place) = crowd.enter(peer.ip(), most) else {
                refused.increment(1);
                // A new connection has room for so little; where it hasn't, closing says enough.
                stream.try_write(TOO_MANY).ok();
                continue;
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
                .serve_connection(TokioIo::new(patient(stream, limits.head)), service);
            let watched = graceful.watch(connection);
            let open = open.clone();
            tokio::spawn(async move {
                open.increment(1.0);
                if let Err(error) = watched.await {
                    tracing::debug!(%error, "a connection ended early");
                }
                open.decrement(1.0);
                drop((place, slot));
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

/// A connection that ends when an answer isn't read for so long: hyper times what a client sends, not what it
/// takes.
fn patient(stream: TcpStream, unread: Duration) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(unread));
    Box::pin(stream)
}

async fn accept(
    socket: &TcpListener,
    slots: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = socket.accept().await?;
    Ok((slot, stream, peer))
}
