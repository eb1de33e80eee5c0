//! AWS Private CA, the one service that the emulator lacks: a small server with real X.509, which tests judge by
//! `openssl`.
//!
//! It is a process of its own below the emulator's, as a detached cloud outlives the program that started it. Callers
//! are not checked: the emulator alone knows IAM.
//!
//! # Where it differs from AWS
//!
//! - There is one authority, active from the start, below a root whose key is thrown away. It knows one template,
//!   `EndEntityClientAuthCertificate_APIPassthrough/V1`.
//! - The list of what is revoked is fresh at every request, where AWS's follows within about half an hour, and keeps
//!   certificates that have expired.
//! - A validity beyond the authority's own end is refused with `ValidationException`: seen in public reports, not
//!   documented.

mod authority;
mod hierarchy;
mod http;
mod order;
mod refusal;
mod serial;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::Read,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    thread,
};

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use tokio::{net::TcpListener, sync::oneshot};

use self::{authority::Authority, hierarchy::Hierarchy};
use crate::{
    emulator::{ACCOUNT, REGION},
    error::{Error, Result},
    home::Home,
};

const FILE: &str = "private-ca.json";

/// How to reach the local Private CA.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PrivateCa {
    /// The ARN of the authority.
    pub arn: String,
    /// Where it answers: `AWS_ENDPOINT_URL_ACM_PCA`.
    pub endpoint: String,
    /// The root's certificate, a PEM file.
    pub root: PathBuf,
    /// The authority's certificate and the root's, a PEM file: what device certificates are verified with.
    pub chain: PathBuf,
    /// Where the list of revoked certificates is, in DER.
    pub crl: String,
}

impl PrivateCa {
    /// Lets the next `times` calls of an operation fail with `ThrottlingException`. An SDK's client makes three of one.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn fail_next(&self, operation: &str, times: u32) -> Result<()> {
        let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
        let path = format!("{}/faults/{operation}/{times}", self.endpoint);
        agent.put(path).send_empty().map_err(Error::answer("the private CA"))?;
        Ok(())
    }

    /// Reads what the server has written before it said that it runs.
    pub(crate) fn read(home: &Home) -> Result<Self> {
        let path = home.path(FILE);
        let json = fs::read(&path).map_err(Error::file(path))?;
        serde_json::from_slice(&json).map_err(Error::answer(FILE))
    }
}

/// Plays AWS Private CA on loopback until standard input ends. Says its endpoint on standard output once it listens.
///
/// # Errors
/// If it cannot listen, or its files cannot be written.
pub fn serve(home: &Path) -> Result<()> {
    let home = Home::new(home)?;
    let runtime = tokio::runtime::Runtime::new().map_err(Error::run("the private CA"))?;
    runtime.block_on(listen(&home))
}

async fn listen(home: &Home) -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(Error::run("the private CA"))?;
    let address = listener.local_addr().map_err(Error::run("the private CA"))?;
    let endpoint = format!("http://{address}");
    let id = uuid();
    let (crl_path, root_crl_path) = (format!("/crl/{id}.crl"), format!("/crl/{}.crl", uuid()));
    let crl = format!("{endpoint}{crl_path}");
    let hierarchy = Hierarchy::new(now(), &crl, &format!("{endpoint}{root_crl_path}"));
    let hierarchy = hierarchy.map_err(Error::answer("rcgen"))?;
    let arn = format!("arn:aws:acm-pca:{REGION}:{ACCOUNT}:certificate-authority/{id}");
    let root = home.write("private-ca-root.pem", &hierarchy.root)?;
    let chain = home.write("private-ca-chain.pem", &format!("{}{}", hierarchy.certificate, hierarchy.root))?;
    let this = PrivateCa { arn: arn.clone(), endpoint: endpoint.clone(), root, chain, crl };
    home.write(FILE, &serde_json::to_string_pretty(&this).map_err(Error::answer(FILE))?)?;
    println!("{endpoint}");
    let server = axum::serve(listener, http::router(Authority::new(arn, hierarchy), &crl_path, &root_crl_path));
    tokio::select! {
        end = server => end.map_err(Error::run("the private CA")),
        () = let_go() => Ok(()),
    }
}

/// Waits for the end of standard input: whoever started this process is gone.
async fn let_go() {
    let (gone, wait) = oneshot::channel();
    thread::spawn(move || {
        // Nothing is ever said there; an error is an end as well.
        let _ = std::io::stdin().read(&mut [0]);
        gone.send(())
    });
    let _ = wait.await;
}

/// The moment in whole seconds and their fractions.
fn now() -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + std::time::UNIX_EPOCH.elapsed().unwrap_or_default()
}

fn uuid() -> String {
    let digits = format!("{:032x}", fastrand::u128(..));
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
