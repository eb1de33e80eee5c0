//! The stack of `infra/template.yaml` on this machine: the real template and the real function binaries, with
//! the Python package `ministack` in the place of AWS.
//!
//! ministack plays DynamoDB, S3, IoT Core (control plane, rules, an MQTT broker with mutual TLS), Lambda,
//! `CloudFormation` with the SAM transform, IAM, SQS, SNS and CloudWatch Logs. IoT policies and IAM roles are enforced.
//! It is pinned, and all that is known about it stands here and in `launch.py`. AWS Private CA, which it lacks, is a
//! server of ours: [`private_ca`].
//!
//! # Where it differs from AWS
//!
//! Mended by `launch.py`, so that nobody has to know: the listener for mutual TLS bound every interface and let in
//! clients without a certificate; a rule ran a function once, without retries and dead letters; an event above the
//! reserved concurrency was lost; `CloudFormation` dropped the reserved concurrency; a bucket policy that asks for TLS
//! kept everybody out; S3 ignored the range of a read that names a version; a role that may attach IoT policies to
//! certificates, or publish on a topic that ends in a slash, could not. `DeleteConnection`, which ends the connection of
//! a device, is missing: what ends it here is ours, made after AWS's description.
//!
//! Left as it is:
//!
//! - A retry comes after 1 and 2 seconds, not minutes (`LAMBDA_ASYNC_RETRY_BASE_SECONDS`).
//! - Access keys are checked, but `test`, or any twelve digits, is the account's root, whatever it is signed with.
//! - A certificate that is set INACTIVE or REVOKED or is deleted keeps the connection it has; a reconnect is refused.
//! - A refused CONNECT, PUBLISH or SUBSCRIBE is answered by closing the connection.
//! - `${*}` and `${?}` in an IoT policy do not stand for themselves: client ids with `*` and `?` pass a policy
//!   that denies them.
//! - Messages of more than 128 KiB pass, and no quota throttles any call.
//! - A REVOKED certificate can be set ACTIVE again.
//! - A filter of a stream that is about text (`anything-but`) also passes what is no text.
//! - A function's output reaches CloudWatch Logs when its event is done, in one stream an event; metrics in embedded
//!   format stay lines of the log.
//! - A warm event costs 10 to 20 ms of the emulator's own time, 50 ms more where the function writes no line.
//! - The function's architecture is ignored: the binary is that of this machine.
//! - Nothing is kept when it ends.

mod account;
mod calls;
mod cloud;
mod connection;
mod emulator;
mod error;
mod functions;
mod home;
mod logs;
mod options;
pub mod private_ca;
mod progress;
mod python;
mod run;
mod stack;
mod template;

pub use cloud::Cloud;
pub use connection::{Connection, Credentials, Tables};
pub use error::{Error, Result, complain};
pub use home::workspace;
pub use options::{Issuer, Options};
pub use private_ca::PrivateCa;
pub use progress::Progress;

use crate::{calls::Calls, home::Home, python::Python};

/// The local cloud that lives in the home of `options`, if one does.
///
/// # Errors
/// If it is still starting, or its files cannot be read.
pub fn running(options: &Options) -> Result<Option<Connection>> {
    let home = Home::new(&options.home)?;
    if home.is_taken()? { Connection::read(&home).map(Some) } else { Ok(None) }
}

/// Ends the local cloud that lives in the home of `options`; gives whether one did.
///
/// # Errors
/// If the home cannot be read.
pub fn down(options: &Options) -> Result<bool> {
    let home = Home::new(&options.home)?;
    let ended = emulator::stop(&home)?;
    Connection::forget(&home)?;
    Ok(ended)
}

/// What the functions of the local cloud in the home of `options` wrote, oldest first:
/// every function whose name begins with `function`. Nothing if none runs.
///
/// # Errors
/// If it is still starting, or its logs cannot be read.
pub fn logs(options: &Options, function: &str) -> Result<Vec<String>> {
    let Some(connection) = running(options)? else { return Ok(Vec::new()) };
    let calls = Calls::open(&Python::ready(&options.progress)?, &connection.aws_endpoint)?;
    logs::read(&calls, function)
}
