//! The gateway to S3 against recorded answers: what it asks for, and what it takes an answer to mean.
#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use fleet::software_row::{Location, Object};
use fleet::update::{Peek, Range};
use fleet_aws::clients::Clients;
use fleet_aws::failure::Failure;
use fleet_aws::objects::Objects;
use fleet_aws::settings::Environment;
use tokio::net::TcpListener;

/// What was asked: path with query, headers.
type Asked = Arc<Mutex<Vec<(String, HeaderMap)>>>;

/// S3, if it always answered like this.
async fn answering(status: u16, headers: &'static [(&str, &str)], body: &'static str) -> (Objects, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let answer = async move |request: Request| {
        heard.lock().unwrap().push((request.uri().to_string(), request.headers().clone()));
        let response = headers
            .iter()
            .fold(Response::builder().status(status), |response, (name, value)| response.header(*name, *value));
        response.body(body.to_owned()).unwrap()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    let variables = [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_ENDPOINT_URL_S3", &endpoint),
    ];
    let environment =
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Environment>();
    (Objects::new(&Clients::new(&environment).unwrap()), asked)
}

fn location() -> Location {
    Location { bucket: "software".to_owned(), file: "main/a b.py".to_owned() }
}

fn object() -> Object {
    Object { version: "v1".to_owned(), etag: "\"e1\"".to_owned() }
}

/// The error that S3 sends as XML.
macro_rules! error {
    ($code:literal) => {
        concat!("<Error><Code>", $code, "</Code><Message>m</Message><RequestId>r</RequestId></Error>")
    };
}

async fn peeked(status: u16, body: &'static str) -> Result<Peek, Failure> {
    answering(status, &[], body).await.0.peek(&location(), Some(&object())).await
}

#[tokio::test]
async fn one_call_tells_which_object_its_size_and_its_start() {
    let headers = &[("etag", "\"e2\""), ("x-amz-version-id", "v2"), ("content-range", "bytes 0-4/5000000")];
    let (objects, asked) = answering(206, headers, "start").await;
    let object = Object { version: "v2".to_owned(), etag: "\"e2\"".to_owned() };
    let found = Peek::Found { object, size: 5_000_000, start: b"start".to_vec() };
    assert_eq!(objects.peek(&location(), None).await, Ok(found));
    let asked = asked.lock().unwrap();
    assert_eq!(asked[0].0, "/software/main/a%20b.py?x-id=GetObject");
    assert_eq!(asked[0].1["range"], "bytes=0-131071");
    assert!(!asked[0].1.contains_key("if-none-match"));
}

#[tokio::test]
async fn an_object_that_comes_whole_and_without_version_is_found_too() {
    let (objects, _) = answering(200, &[("etag", "\"e\"")], "all").await;
    let object = Object { version: String::new(), etag: "\"e\"".to_owned() };
    assert_eq!(objects.peek(&location(), None).await, Ok(Peek::Found { object, size: 3, start: b"all".to_vec() }));
}

#[tokio::test]
async fn an_operators_mistake_is_told_from_a_fault_of_aws() {
    assert_eq!(peeked(304, "").await, Ok(Peek::Unchanged));
    assert_eq!(peeked(416, error!("InvalidRange")).await, Ok(Peek::Empty));
    assert_eq!(peeked(404, error!("NoSuchKey")).await, Ok(Peek::Missing));
    assert_eq!(peeked(404, error!("NoSuchBucket")).await, Ok(Peek::Forbidden));
    assert_eq!(peeked(403, error!("AccessDenied")).await, Ok(Peek::Forbidden));
    assert_eq!(peeked(301, error!("PermanentRedirect")).await, Ok(Peek::Forbidden));
    for (status, body) in [
        (403, error!("InvalidObjectState")),
        (400, error!("AuthorizationHeaderMalformed")),
        (400, error!("KMS.DisabledException")),
        (403, error!("AllAccessDisabled")),
        (400, error!("KeyTooLongError")),
        (405, error!("MethodNotAllowed")),
    ] {
        assert!(matches!(peeked(status, body).await, Err(Failure::Rejected(_))), "{body}");
    }
}

#[tokio::test]
async fn what_passes_by_itself_is_a_fault() {
    for (status, body) in [
        (403, error!("InvalidAccessKeyId")),
        (400, error!("ExpiredToken")),
        (403, error!("RequestTimeTooSkewed")),
        (400, error!("RequestTimeout")),
        (400, error!("KMS.ThrottlingException")),
        (409, error!("OperationAborted")),
        (503, error!("SlowDown")),
        (400, "no error of S3"),
    ] {
        assert!(matches!(peeked(status, body).await, Err(Failure::Fault(_))), "{body}");
    }
}

#[tokio::test]
async fn a_directory_bucket_is_answered_like_any_other() {
    let (objects, asked) = answering(403, &[], error!("AccessDenied")).await;
    let location = Location { bucket: "software--euw1-az1--x-s3".to_owned(), ..location() };
    assert_eq!(objects.peek(&location, None).await, Ok(Peek::Forbidden));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_block_is_of_the_object_that_it_was_asked_of() {
    let (objects, asked) = answering(206, &[], "block").await;
    let range = Range { offset: 10, length: 5 };
    assert_eq!(objects.read(&location(), &object(), range).await, Ok(Some(b"block".to_vec())));
    let (uri, headers) = asked.lock().unwrap()[0].clone();
    assert!(uri.contains("versionId=v1"), "{uri}");
    assert_eq!(
        (&headers["if-match"], &headers["range"]),
        (&"\"e1\"".parse().unwrap(), &"bytes=10-14".parse().unwrap())
    );
    for (status, body) in
        [(412, error!("PreconditionFailed")), (404, error!("NoSuchVersion")), (416, error!("InvalidRange"))]
    {
        assert_eq!(answering(status, &[], body).await.0.read(&location(), &object(), range).await, Ok(None));
    }
}

#[tokio::test]
async fn the_digest_is_that_of_the_content() {
    let (objects, _) = answering(200, &[], "abc").await;
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(objects.digest(&location(), &object()).await, Ok(Some(expected.to_owned())));
    let (objects, _) = answering(412, &[], error!("PreconditionFailed")).await;
    assert_eq!(objects.digest(&location(), &object()).await, Ok(None));
}

#[tokio::test]
async fn a_url_is_for_one_version_and_one_lifetime_and_needs_no_header() {
    let (objects, asked) = answering(200, &[], "").await;
    let url = objects.presign(&location(), &object(), Duration::from_mins(15)).await.unwrap();
    for part in ["/software/main/a%20b.py?", "versionId=v1", "X-Amz-Expires=900", "X-Amz-SignedHeaders=host&"] {
        assert!(url.contains(part), "{part} in {url}");
    }
    assert!(asked.lock().unwrap().is_empty());
}
