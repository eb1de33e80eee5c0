//! Runs a program to its end.

use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// Runs `command` and gives its standard output.
///
/// # Errors
/// [`Error::Failed`] with everything that the program wrote to standard error.
pub(crate) fn output(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(Error::run(&program))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Error::Failed { program, output })
}
