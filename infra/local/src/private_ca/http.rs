//! How the authority is spoken to: AWS JSON 1.1, its lists at `/crl/`, and a path for tests that want faults.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};

use super::{authority::Authority, now};

/// RFC 5280, section 4.2.1.13.
const CRL: &str = "application/pkix-crl";
const JSON: &str = "application/x-amz-json-1.1";

pub(super) fn router(authority: Authority, crl_path: &str, root_crl_path: &str) -> Router {
    Router::new()
        .route("/", post(call))
        .route(crl_path, get(crl))
        .route(root_crl_path, get(root_crl))
        .route("/faults/{operation}/{times}", put(fail))
        .with_state(Arc::new(authority))
}

async fn call(State(authority): State<Arc<Authority>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.strip_prefix("ACMPrivateCA.").unwrap_or(target);
    let request = ("x-amzn-requestid", format!("{:032x}", fastrand::u128(..)));
    match authority.answer(operation, &body, now()) {
        Ok(answer) => (StatusCode::OK, [(CONTENT_TYPE.as_str(), JSON.to_owned()), request], answer.to_string()),
        Err(refusal) => {
            eprintln!("{operation}: {refusal}");
            let body = refusal.body().to_string();
            (StatusCode::BAD_REQUEST, [(CONTENT_TYPE.as_str(), JSON.to_owned()), request], body)
        }
    }
    .into_response()
}

async fn crl(State(authority): State<Arc<Authority>>) -> Response {
    match authority.crl(now()) {
        Ok(list) => ([(CONTENT_TYPE, CRL)], list).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

async fn root_crl(State(authority): State<Arc<Authority>>) -> Response {
    ([(CONTENT_TYPE, CRL)], authority.root_crl()).into_response()
}

async fn fail(State(authority): State<Arc<Authority>>, Path((operation, times)): Path<(String, u32)>) {
    authority.fail_next(operation, times);
}
