//! S3 with one object of zeros, which are made while they are sent: an object of any size costs nothing here.

use std::{convert::Infallible, ops::RangeInclusive};

use axum::{
    body::Body,
    http::{
        HeaderMap, Method, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_RANGE, IF_NONE_MATCH, RANGE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use futures_util::stream::unfold;

const TAG: &str = "\"6805f2cfc46c0f04559748bb039d69ae\"";
const IDENTITY: [(&str, &str); 2] = [("etag", TAG), ("x-amz-version-id", "3HL4kqtJvjVBH40Nrjfkd.Hb1R9zPqTz")];
const ZEROS: &[u8] = &[0; 64 * 1024];

/// The answer to a call about the object of `size` bytes; `None` if it is not known.
pub fn answer(size: u64, parts: &Parts) -> Option<Response> {
    if parts.method != Method::GET {
        return None;
    }
    if parts.headers.get(IF_NONE_MATCH).is_some_and(|tag| tag == TAG) {
        return Some((StatusCode::NOT_MODIFIED, IDENTITY).into_response());
    }
    let Some(range) = range(&parts.headers, size) else {
        return Some((IDENTITY, [(CONTENT_LENGTH, size)], zeros(size)).into_response());
    };
    let headers = [(CONTENT_RANGE, format!("bytes {}-{}/{size}", range.start(), range.end()))];
    let length = range.end() + 1 - range.start();
    Some((StatusCode::PARTIAL_CONTENT, IDENTITY, headers, [(CONTENT_LENGTH, length)], zeros(length)).into_response())
}

/// The bytes that `Range: bytes=first-last` asks for, as far as there are any.
fn range(headers: &HeaderMap, size: u64) -> Option<RangeInclusive<u64>> {
    let (first, last) = headers.get(RANGE)?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    Some(first.parse().ok()?..=last.parse::<u64>().ok()?.min(size - 1))
}

fn zeros(length: u64) -> Body {
    Body::from_stream(unfold(length, async |left| {
        let chunk = &ZEROS[..ZEROS.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
        (left > 0).then(|| (Ok::<_, Infallible>(chunk), left - chunk.len() as u64))
    }))
}
