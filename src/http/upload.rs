//! What bounds uploads: how many at a time, one of each link, and none that dawdles.
//!
//! A place is held as long as an upload lasts, so whoever sends slowly enough could keep everybody else out. Who has
//! one link has one place, and keeps it only while the bytes come in.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Frame;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::CancellationToken;

/// So long an upload may take whatever its size: a phone in a train has to get going.
const START: Duration = Duration::from_secs(30);

/// Then it has to have come in at so many bytes a second, on average: an old mobile network manages.
const A_SECOND: u64 = 16 * 1024;

/// Places for uploads; clones share them.
#[derive(Debug, Clone)]
pub struct Places {
    room: Arc<Semaphore>,
    begun: Arc<Mutex<HashMap<String, Upload>>>,
}

/// The upload that was begun last with a link.
#[derive(Debug, Clone)]
struct Upload {
    replaced: CancellationToken,
    number: u64,
}

/// A place; given back when dropped.
#[derive(Debug)]
pub struct Place {
    link: String,
    upload: Upload,
    places: Places,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Places {
    /// So many at a time.
    pub fn new(most: usize) -> Self {
        Self {
            room: Arc::new(Semaphore::new(most)),
            begun: Arc::default(),
        }
    }

    fn begun(&self) -> MutexGuard<'_, HashMap<String, Upload>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place, when there is one. Whoever sends once more takes it from what he sent before: that hangs, or he
    /// wouldn't. `None` when that happens to this one while it waits.
    pub async fn of(&self, link: &str) -> Option<Place> {
        let upload = {
            let mut begun = self.begun();
            let before = begun.get(link);
            let upload = Upload {
                replaced: CancellationToken::new(),
                number: before.map_or(0, |before| before.number + 1),
            };
            if let Some(before) = begun.insert(link.to_owned(), upload.clone()) {
                before.replaced.cancel();
            }
            upload
        };
        let mut place = Place {
            link: link.to_owned(),
            upload,
            places: self.clone(),
            _permit: None,
        };
        tokio::select! {
            permit = Arc::clone(&self.room).acquire_owned() => {
                place._permit = permit.ok();
                Some(place)
            }
            () = place.replaced() => None,
        }
    }
}

impl Place {
    /// Waits until somebody sends with the same link once more.
    pub async fn replaced(&self) {
        self.upload.replaced.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut begun = self.places.begun();
        if begun
            .get(&self.link)
            .is_some_and(|last| last.number == self.upload.number)
        {
            begun.remove(&self.link);
        }
    }
}

/// Breaks off a body that comes in too slowly. Its time begins when it is first read.
pub async fn paced(request: Request, next: Next) -> Response {
    let request = request.map(|body| {
        Body::new(Paced {
            body,
            bytes: 0,
            begun: None,
        })
    });
    next.run(request).await
}

/// A body that has to keep up a pace.
struct Paced {
    body: Body,
    bytes: u64,
    begun: Option<(Instant, Pin<Box<Sleep>>)>,
}

/// It didn't.
#[derive(Debug)]
struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came in too slowly")
    }
}

impl std::error::Error for TooSlow {}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        let (begun, until) = this.begun.get_or_insert_with(|| {
            let now = Instant::now();
            (now, Box::pin(tokio::time::sleep_until(now + START)))
        });
        if until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(Box::new(TooSlow))));
        }
        let frame = ready!(Pin::new(&mut this.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            this.bytes = this.bytes.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
            let earned = Duration::from_secs(this.bytes / A_SECOND);
            until.as_mut().reset(*begun + START + earned);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_sends_again_takes_the_place_of_what_he_sent_before_and_nobody_elses() {
        let places = Places::new(2);
        let first = places.of("a").await.unwrap();
        let other = places.of("b").await.unwrap();
        let again = tokio::spawn({
            let places = places.clone();
            async move { places.of("a").await }
        });
        first.replaced().await;
        drop(first);
        let again = again.await.unwrap().unwrap();
        assert_eq!(places.room.available_permits(), 0);
        drop((again, other));
        assert_eq!(places.room.available_permits(), 2);
        assert!(places.begun().is_empty(), "nothing is remembered of who has gone");
    }

    /// So many bytes each second.
    struct Drip {
        bytes: usize,
        seconds: u32,
        next: Pin<Box<Sleep>>,
    }

    impl HttpBody for Drip {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            ready!(self.next.as_mut().poll(cx));
            if self.seconds == 0 {
                return Poll::Ready(None);
            }
            self.seconds -= 1;
            self.next.as_mut().reset(Instant::now() + Duration::from_secs(1));
            Poll::Ready(Some(Ok(Frame::data(vec![b'x'; self.bytes].into()))))
        }
    }

    async fn read(bytes: usize, seconds: u32) -> Result<usize, Duration> {
        let begun = Instant::now();
        let next = Box::pin(tokio::time::sleep(Duration::from_secs(1)));
        let body = Body::new(Drip { bytes, seconds, next });
        let paced = Paced {
            body,
            bytes: 0,
            begun: None,
        };
        let whole = axum::body::to_bytes(Body::new(paced), usize::MAX).await;
        whole.map(|whole| whole.len()).map_err(|_| begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_in_too_slowly_is_broken_off_and_what_is_small_or_on_a_slow_line_is_not() {
        assert_eq!(read(10, 25).await, Ok(250), "a few bytes in half a minute");
        assert_eq!(
            read(20 * 1024, 250).await,
            Ok(20 * 1024 * 250),
            "five megabytes in four minutes"
        );
        let broken = read(1024, 300).await.unwrap_err();
        assert!(broken < Duration::from_secs(40), "{broken:?}");
        let broken = read(0, 300).await.unwrap_err();
        assert_eq!(broken, Duration::from_secs(30));
    }
}
