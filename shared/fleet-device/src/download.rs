//! Software from a URL: a plain HTTP GET, streamed into a file, which goes on where an earlier one stopped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::RANGE;
use hyper::{Request, Response, StatusCode};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

use crate::credentials::Mismatch;
use crate::tls;

/// How long a server may be silent.
const SILENCE: Duration = Duration::from_secs(30);
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
    /// The stream broke.
    #[error("the stream broke: {0}")]
    Broken(#[from] hyper::Error),
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
    let start = match response.status() {
        StatusCode::PARTIAL_CONTENT => offset,
        StatusCode::OK => 0,
        status => return Err(DownloadError::Status(status)),
    };
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(file)?;
    file.set_len(start)?;
    file.seek(SeekFrom::Start(start))?;
    let got = stream(response, &mut file, (start, size), &mut progress).await?;
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

/// Writes the body piece by piece; says how long the file is in the end.
async fn stream(
    response: Response<Incoming>,
    file: &mut File,
    (mut done, size): (u64, u64),
    progress: &mut impl FnMut(u64),
) -> Result<u64, DownloadError> {
    let mut body = response.into_body();
    let mut reported = done;
    while let Some(frame) = timeout(SILENCE, body.frame()).await? {
        let Ok(data) = frame?.into_data() else { continue };
        done += data.len() as u64;
        if done > size {
            return Err(DownloadError::Size { got: done, wanted: size });
        }
        file.write_all(&data)?;
        if done - reported >= REPORT_EVERY || done == size {
            reported = done;
            progress(done);
        }
    }
    Ok(done)
}
