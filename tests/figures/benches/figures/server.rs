//! A server on loopback that lives as long as its value.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{Router, serve::ListenerExt};
use tokio::{net::TcpListener, task::JoinSet};

use crate::Result;

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

impl Server {
    /// Serves `app` on a port of the system's choice.
    pub async fn start(app: Router) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        // Without this a small answer may wait 40 ms for the peer's acknowledgement.
        let listener = listener.tap_io(|connection| connection.set_nodelay(true).expect("a new connection"));
        let mut task = JoinSet::new();
        task.spawn(async { axum::serve(listener, app).await.expect("serving never ends") });
        Ok(Self { address, _task: task })
    }
}
