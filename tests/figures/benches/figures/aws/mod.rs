//! An AWS that answers what the functions ask with fixed bodies, after a fixed time, and counts. It keeps no state:
//! every event finds the same world.

mod dynamodb;
mod iot;
mod ledger;
mod s3;
mod world;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Response},
};
use futures_util::StreamExt;

pub use iot::PAYLOAD_MAX;
pub use ledger::Tally;
pub use world::World;

use crate::{Result, server::Server};
use iot::Credential;
use ledger::Ledger;

/// A running AWS.
pub struct Aws {
    server: Server,
    services: Arc<Services>,
}

struct Services {
    world: World,
    credential: Credential,
    delay: Duration,
    ledger: Ledger,
}

impl Aws {
    /// Starts one in which `world` is to be found and every call takes `delay`.
    pub async fn start(world: World, delay: Duration) -> Result<Self> {
        let services = Arc::new(Services { world, credential: Credential::make()?, delay, ledger: Ledger::default() });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&services));
        Ok(Self { server: Server::start(app).await?, services })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The calls since this was asked last.
    pub fn take_tally(&self) -> Tally {
        self.services.ledger.take()
    }
}

async fn answer(State(services): State<Arc<Services>>, request: Request) -> Response {
    let _call = services.ledger.call();
    let (parts, body) = request.into_parts();
    let body = read(body).await;
    tokio::time::sleep(services.delay).await;
    let answer = match service(&parts) {
        Some("dynamodb") => dynamodb::answer(&services.world, &parts, &body),
        Some("iot") => iot::answer(&services.credential, &parts),
        Some("iotdata") => iot::publish(&services.ledger, &parts, &body),
        Some("s3") => s3::answer(services.world.object_size, &parts),
        _ => None,
    };
    answer.unwrap_or_else(|| {
        let call = format!("{} {}", parts.method, parts.uri);
        eprintln!("nothing is known of {call}");
        (StatusCode::NOT_IMPLEMENTED, call).into_response()
    })
}

/// The service for which a call is signed: `AWS4-HMAC-SHA256 Credential=key/date/region/service/aws4_request, ...`.
fn service(parts: &Parts) -> Option<&str> {
    parts.headers.get(AUTHORIZATION)?.to_str().ok()?.split('/').nth(3)
}

/// Takes the whole body, and keeps a little more of it than the longest that is allowed anywhere.
async fn read(body: Body) -> Vec<u8> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(Ok(chunk)) = stream.next().await {
        if bytes.len() <= PAYLOAD_MAX {
            bytes.extend_from_slice(&chunk);
        }
    }
    bytes
}
