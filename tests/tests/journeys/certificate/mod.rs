//! The life of a certificate: renewed by plain clients and by the agent, superseded, revoked; with AWS IoT's own
//! authority and with a private one, where `openssl` is the judge.

mod agent;
mod attacks;
mod renewal;
mod revocation;
mod scene;
mod x509;
