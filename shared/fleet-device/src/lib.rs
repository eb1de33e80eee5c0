//! The device's side of Fleetwake: how a device that leaves the factory with nothing but a shared claim certificate
//! comes to an identity, parameters and software of its own.
//!
//! ```text
//!  claim certificate                              certificate of its own
//!  ─────────────────                              ──────────────────────
//!  subscribe                                      subscribe
//!  ▶ bs/…/register/request   (CSR, proof)         ▶ bs/…/register/ok
//!  ◀ bs/…/credentials/certificate                 ◀ bs/…/credentials/status          (confirmed)
//!  ◀ bs/…/parameters/, …/topic                    ▶ dm/…/update/request              (version)
//!  store key and certificate, reconnect           ◀ dm/…/update/parameters/manifest  (size, sha256, delivery)
//!                                                 ◀ dm/…/update/    or  blocks    or  a URL
//!                                                 verify, apply, store the version
//!                                                 ▶ dm/…/update/ok                   (version)
//! ```
//!
//! A device that runs software is upgraded by a job, over its own certificate:
//!
//! ```text
//!  ▶ dm/…/ota/version    (version; with every connection)
//!  ◀ dm/…/ota/upgrade    (job, version, URL, size, sha256, signature)
//!  ▶ dm/…/ota/progress   1, while it downloads up to 60
//!    verify              ▶ 70
//!    ask the owner       ▶ 90
//!    apply, or go back   ▶ 100, or -1 to -5 for why not
//!  ▶ dm/…/ota/version    (what runs now)
//! ```
//!
//! Its certificate is renewed over the certificate itself, when the cloud's status says so:
//!
//! ```text
//!  current certificate                            next certificate
//!  ───────────────────                            ────────────────
//!  ▶ bs/…/certificate/status   (once a start)
//!  ◀ bs/…/credentials/status   (renew_at, now)    subscribe
//!    until then it rests, or works                ▶ bs/…/certificate/ok
//!    store a new key                              ◀ bs/…/credentials/status   (confirmed, the next renew_at)
//!  ▶ bs/…/certificate/request  (CSR)              forget the one before
//!  ◀ bs/…/credentials/certificate, …/chain
//!    store the certificate, reconnect
//! ```
//!
//! Read [`machine`] to learn the protocol: it is all there, without any I/O. [`Agent`] runs it over MQTT with mutual
//! TLS. A firmware in another language needs what is in [`machine`], [`wire`] and [`memory`], and nothing else.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use fleet_device::{Agent, Broker, DeviceId, Options};
//!
//! let broker = Broker::read("target/local/connection.json".as_ref())?;
//! let device = DeviceId::parse("dev-1").ok_or("not a device id")?;
//! let options = Options::new(device, broker, "state/dev-1").once();
//! Agent::new(options, |step| println!("{step}"))?.run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! # Invariants
//!
//! - [`machine`], [`memory`], [`wire`] and [`credentials`] do no I/O; time, randomness and keys come in as values.
//! - A private key is shown by nothing but [`PrivateKey::expose`], which TLS and the store use.
//! - What a device remembers changes all at once or not at all ([`store`]), and a working identity is kept until the
//!   next one has proven itself.

pub mod agent;
pub mod clock;
pub mod credentials;
pub mod download;
pub mod hook;
pub mod machine;
pub mod memory;
pub mod mqtt;
pub mod options;
pub mod outbox;
pub mod package;
pub mod progress;
pub mod secret;
pub mod staging;
pub mod store;
pub mod tls;
pub mod wire;

pub use agent::{Agent, AgentError};
pub use credentials::{Credentials, PendingKey, PrivateKey};
pub use fleet::id::DeviceId;
pub use fleet::signature::PublicKey;
pub use hook::{Confirmation, Hook, Update};
pub use machine::{KeyOrigin, Machine, Pace};
pub use options::{Broker, Options};
pub use outbox::Outbox;
pub use progress::{Failure, Progress};
pub use secret::Secret;
