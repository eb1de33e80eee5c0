//! The stack of `infra/template.yaml` on this machine: the real template and the real function binaries, with
//! ministack in the place of AWS.

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
mod progress;
mod python;
mod run;
mod stack;
mod template;

pub use cloud::Cloud;
pub use connection::{Connection, Credentials, Tables};
pub use error::{Error, Result};
pub use home::workspace;
pub use options::Options;
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

/// What the functions of the local cloud in the home of `options` wrote, oldest first: all of them, or `function`.
///
/// # Errors
/// If none runs, or the function never did.
pub fn logs(options: &Options, function: &str) -> Result<Vec<String>> {
    let connection = Connection::read(&Home::new(&options.home)?)?;
    let calls = Calls::open(&Python::ready(&options.progress)?, &connection.aws_endpoint)?;
    logs::read(&calls, function)
}
