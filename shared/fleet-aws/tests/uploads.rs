//! Uploads against recorded answers: what is sent, and what becomes of an upload that fails.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use fleet::software_row::Location;
use fleet_aws::clients::Clients;
use fleet_aws::failure::Failure;
use fleet_aws::settings::Environment;
use fleet_aws::source::Source;
use fleet_aws::uploads::Uploads;
use tokio::net::TcpListener;

/// What was asked: method and URI, headers, and how many bytes came along.
type Asked = Arc<Mutex<Vec<(String, HeaderMap, usize)>>>;

/// What S3 says to the first and to the last call of a multipart upload.
fn answer_of(uri: &str) -> &'static str {
    if uri.contains("?uploads") {
        "<InitiateMultipartUploadResult><UploadId>u-1</UploadId></InitiateMultipartUploadResult>"
    } else {
        "<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>"
    }
}

/// S3, if parts after the first `good` ones were refused.
async fn answering(good: usize) -> (Uploads, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let handler = async move |request: Request| {
        let (parts, body) = request.into_parts();
        let length = to_bytes(body, usize::MAX).await.unwrap().len();
        let uri = parts.uri.to_string();
        heard.lock().unwrap().push((format!("{} {uri}", parts.method), parts.headers, length));
        let numbered =
            uri.split("partNumber=").nth(1).map(|rest| rest.split('&').next().unwrap().parse::<usize>().unwrap());
        let response = Response::builder().header("etag", "\"e\"");
        match numbered {
            Some(number) if number > good => response.status(403).body(
                "<Error><Code>AccessDenied</Code><Message>no</Message><RequestId>r</RequestId></Error>".to_owned(),
            ),
            _ => response.body(answer_of(&uri).to_owned()),
        }
        .unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(handler)).into_future());
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
    ];
    let environment = Environment::from_iter(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    (Uploads::new(&Clients::new(&environment).unwrap()), asked)
}

/// A file of so many zeros, which goes with the test.
struct Zeros(PathBuf);

impl Zeros {
    fn new(name: &str, size: u64) -> Self {
        let path = std::env::temp_dir().join(format!("fleetwake-{name}-{}", std::process::id()));
        std::fs::File::create(&path).unwrap().set_len(size).unwrap();
        Self(path)
    }
}

impl Drop for Zeros {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn location() -> Location {
    Location { bucket: "software".to_owned(), file: "main/2/main.bin".to_owned() }
}

#[tokio::test]
async fn a_small_file_is_one_call_with_its_hash() {
    let file = Zeros::new("small", 3);
    let source = Source::read(&file.0, |_| {}).unwrap();
    let (uploads, asked) = answering(9).await;
    uploads.put(&location(), &source, |_| {}).await.unwrap();
    let asked = asked.lock().unwrap();
    let (call, headers, length) = &asked[0];
    assert_eq!((call.as_str(), *length, asked.len()), ("PUT /software/main/2/main.bin?x-id=PutObject", 3, 1));
    // Three zero bytes: 709e80c8…, base64.
    assert_eq!(headers["x-amz-checksum-sha256"], "cJ6AyISHokEeHuTfufIqhhSS0gxHZRUMDHlKvXD4FHw=");
    assert_eq!(source.sha256, "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c");
}

#[tokio::test]
async fn every_part_of_a_large_file_carries_its_hash() {
    let file = Zeros::new("large", 20 << 20);
    let source = Source::read(&file.0, |_| {}).unwrap();
    let (uploads, asked) = answering(9).await;
    let sent = Mutex::new(0);
    uploads.put(&location(), &source, |more| *sent.lock().unwrap() += more).await.unwrap();
    assert_eq!(sent.into_inner().unwrap(), source.size);
    let asked = asked.lock().unwrap();
    let parts: Vec<_> = asked.iter().filter(|(call, ..)| call.contains("partNumber=")).collect();
    assert!(parts.iter().all(|(_, headers, _)| headers.contains_key("x-amz-checksum-sha256")));
    assert_eq!(parts.iter().map(|(_, _, length)| *length as u64).sum::<u64>(), source.size);
    assert_eq!((parts.len(), asked.len()), (3, 5));
    assert!(asked[4].0.starts_with("POST /software/main/2/main.bin?") && asked[4].0.contains("uploadId=u-1"));
}

#[tokio::test]
async fn an_upload_that_fails_leaves_nothing_behind() {
    let file = Zeros::new("refused", 20 << 20);
    let source = Source::read(&file.0, |_| {}).unwrap();
    let (uploads, asked) = answering(1).await;
    let failure = uploads.put(&location(), &source, |_| {}).await.unwrap_err();
    assert!(matches!(&failure, Failure::Fault(why) if why.starts_with("UploadPart: AccessDenied: no")), "{failure}");
    let last = asked.lock().unwrap().last().unwrap().0.clone();
    assert!(last.starts_with("DELETE /software/main/2/main.bin?") && last.contains("uploadId=u-1"), "{last}");
}

#[tokio::test]
async fn a_file_that_is_empty_or_gone_is_no_source() {
    let file = Zeros::new("empty", 0);
    assert_eq!(Source::read(&file.0, |_| {}).unwrap_err().to_string(), "the file is empty");
    assert!(Source::read(&file.0.with_extension("gone"), |_| {}).is_err());
}
