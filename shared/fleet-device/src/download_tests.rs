//! A server that is alive but leads nowhere, on a clock that the test moves.

use std::convert::Infallible;

use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use tokio::time::{Instant, sleep};

use super::*;

/// A body without end: `bytes` every ten seconds.
fn drip(bytes: usize) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
    StreamBody::new(Box::pin(stream::repeat_with(move || vec![0; bytes]).then(async |piece| {
        sleep(Duration::from_secs(10)).await;
        Ok(Frame::data(piece.into()))
    })))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_left_after_a_minute_and_a_slow_one_is_not() {
    let mut file = tempfile::tempfile().unwrap();
    let begun = Instant::now();
    let dripped = super::stream(drip(1), &mut file, (0, 1 << 30), &mut |_| {}).await;
    assert!(matches!(dripped, Err(DownloadError::Slow)), "{dripped:?}");
    assert!(begun.elapsed() <= Duration::from_secs(80));
    let slow = super::stream(drip(12_000), &mut file, (0, 1_200_000), &mut |_| {}).await;
    assert!(matches!(slow, Err(DownloadError::Size { got: 1_212_000, .. })), "{slow:?}");
}
