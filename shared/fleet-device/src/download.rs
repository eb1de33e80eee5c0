//! Software from a URL: a plain HTTP GET, streamed into a file, which goes on where an earlier one stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::header::{CONTENT_RANGE, RANGE};
use hyper::{Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{Instant, timeout};

use crate::credentials::Mismatch;
use crate::tls;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// Bytes in a second that a server has to send on average, once its minute of grace is over; so no download is
/// without end.
const LEAST_RATE: u64 = 1024;
const GRACE: Duration = Duration::from_mins(1);
/// Bytes between two reports of progress.
const REPORT_EVERY: u64 = 256 * 1024;

/// Why a download failed; the device fetches blocks then.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The roots are not readable.
    #[error("failed to use the roots: {0}")]
    Roots(#[from] Mismatch),
    /// It is no URL.
    #[error("not a url: {0}")]
    Url(#[from] hyper::http::Error),
    /// The server cannot be reached.
    #[error("failed to reach the server: {0}")]
    Unreachable(#[from] hyper_util::client::legacy::Error),
    /// The server has no such thing, or not any more.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// The server is silent.
    #[error("the server is silent")]
    Silent(#[from] tokio::time::error::Elapsed),
    /// The server sends less than the least rate.
    #[error("the server is too slow")]
    Slow,
    /// The answer is no part of this software, or does not say how long it is.
    #[error("the server sends {0}")]
    Unfit(String),
    /// The stream broke.
    #[error("the stream broke: {0}")]
    Broken(Box<dyn std::error::Error + Send + Sync>),
    /// A file cannot be read or written.
    #[error("failed to use a file: {0}")]
    Disk(#[from] io::Error),
    /// It is not as long as it should be.
    #[error("{got} bytes instead of {wanted}")]
    Size {
        /// Bytes that came, at least.
        got: u64,
        /// Bytes that should have come.
        wanted: u64,
    },
}

/// Fetches what is behind `url` into `file`, from byte `offset` on, until it has `size` bytes; tells `progress` how
/// many it has. HTTPS servers are judged by the CAs in the file `roots`, or by the system's.
///
/// # Errors
/// [`DownloadError`]; what has come until then is in the file.
pub async fn fetch(
    url: &str,
    roots: Option<&Path>,
    file: &Path,
    (offset, size): (u64, u64),
    mut progress: impl FnMut(u64),
) -> Result<(), DownloadError> {
    let client = Client::builder(TokioExecutor::new()).build(connector(roots)?);
    let request = Request::get(url).header(RANGE, format!("bytes={offset}-")).body(Empty::<Bytes>::new())?;
    let response = timeout(SILENCE, client.request(request)).await??;
    let start = start(&response, (offset, size))?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(file)?;
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    let got = stream(response.into_body(), &mut file, (start, size), &mut progress).await?;
    file.sync_data()?;
    if got == size { Ok(()) } else { Err(DownloadError::Size { got, wanted: size }) }
}

fn connector(roots: Option<&Path>) -> Result<HttpsConnector<HttpConnector>, DownloadError> {
    let builder = HttpsConnectorBuilder::new();
    let builder = match roots {
        Some(roots) => builder.with_tls_config(tls::client(&fs::read_to_string(roots)?, None)?),
        None => builder.with_provider_and_native_roots(rustls::crypto::ring::default_provider())?,
    };
    Ok(builder.https_or_http().enable_http1().build())
}

/// The byte at which the answer begins. What is in the file is given up only for an answer that fits the software.
fn start(response: &Response<Incoming>, (offset, size): (u64, u64)) -> Result<u64, DownloadError> {
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT => {
            check_range(response, (offset, size))?;
            offset
        }
        StatusCode::OK => 0,
        status => return Err(DownloadError::Status(status)),
    };
    match response.body().size_hint().exact() {
        Some(length) if start + length != size => Err(DownloadError::Size { got: start + length, wanted: size }),
        None if offset > start => Err(DownloadError::Unfit("all of it, and no length".to_owned())),
        _ => Ok(start),
    }
}

fn check_range(response: &Response<Incoming>, (offset, size): (u64, u64)) -> Result<(), DownloadError> {
    let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok()).unwrap_or("no range");
    let wanted = format!("bytes {offset}-{}/{size}", size.saturating_sub(1));
    if range == wanted { Ok(()) } else { Err(DownloadError::Unfit(format!("{range} instead of {wanted}"))) }
}

/// How long it may take until this many bytes have come.
const fn allowance(bytes: u64) -> Duration {
    GRACE.saturating_add(Duration::from_secs(bytes / LEAST_RATE))
}

/// Writes the body piece by piece; says how long the file is in the end.
async fn stream<B>(
    mut body: B,
    file: &mut File,
    (start, size): (u64, u64),
    progress: &mut impl FnMut(u64),
) -> Result<u64, DownloadError>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Unpin,
{
    let begun = Instant::now();
    let (mut done, mut reported) = (start, start);
    while let Some(frame) = timeout(SILENCE, body.frame()).await? {
        let Ok(data) = frame.map_err(|error| DownloadError::Broken(error.into()))?.into_data() else { continue };
        done += data.len() as u64;
        if done > size {
            return Err(DownloadError::Size { got: done, wanted: size });
        }
        if begun.elapsed() > allowance(done - start) {
            return Err(DownloadError::Slow);
        }
        file.write_all(&data)?;
        if done - reported >= REPORT_EVERY || done == size {
            reported = done;
            progress(done);
        }
    }
    Ok(done)
}

#[cfg(test)]
#[path = "download_tests.rs"]
mod tests;
