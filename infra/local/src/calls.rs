//! AWS calls for which the workspace has no Rust client, made by the SDK for Python that the emulator brings along.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Mutex,
};

use serde_json::{Value, json};

use crate::{
    emulator::{REGION, ROOT_KEY},
    error::{Error, Result},
    python::Python,
};

/// A way to make any AWS call as the account's root.
pub(crate) struct Calls(Mutex<Pipe>);

struct Pipe {
    process: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Calls {
    pub(crate) fn open(python: &Python, endpoint: &str) -> Result<Self> {
        let mut command = script_as_root(python, "calls.py", endpoint);
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(Error::run("calls.py"))?;
        let answers = process.stdout.take().ok_or_else(|| Error::answer("calls.py")("no standard output"))?;
        Ok(Self(Mutex::new(Pipe { requests: process.stdin.take(), answers: BufReader::new(answers), process })))
    }

    /// Makes one call; names are those of the SDK for Python (`sqs`, `receive_message`).
    pub(crate) fn call(&self, service: &str, operation: &str, parameters: &Value) -> Result<Value> {
        let request = json!([service, operation, parameters]);
        let mut pipe = self.0.lock().map_err(Error::answer("calls.py"))?;
        let answer = pipe.exchange(&request).map_err(Error::run("calls.py"))?;
        let answer: std::result::Result<Value, String> =
            serde_json::from_str(&answer).map_err(Error::answer("calls.py"))?;
        answer.map_err(|reason| Error::Call { call: format!("{service} {operation}"), reason })
    }
}

impl Pipe {
    fn exchange(&mut self, request: &Value) -> std::io::Result<String> {
        if let Some(requests) = &mut self.requests {
            writeln!(requests, "{request}")?;
        }
        let mut answer = String::new();
        self.answers.read_line(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.requests.take();
        // It ends with its input; how is of no interest.
        let _ = self.process.wait();
    }
}

/// A script that acts as the account's root.
pub(crate) fn script_as_root(python: &Python, name: &str, endpoint: &str) -> Command {
    let mut command = python.script(name);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_DEFAULT_REGION", REGION);
    command.env("AWS_ACCESS_KEY_ID", ROOT_KEY).env("AWS_SECRET_ACCESS_KEY", ROOT_KEY);
    command
}
