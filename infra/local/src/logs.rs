//! What the functions wrote: Lambda keeps it in CloudWatch Logs, in a group a function.

use serde_json::{Value, json};

use crate::{calls::Calls, error::Result};

/// What Lambda itself writes around each run.
const LAMBDAS: [&str; 4] = ["INIT_START ", "START ", "END ", "REPORT "];

/// The lines of every function whose name begins with `function`, oldest first.
pub(crate) fn read(calls: &Calls, function: &str) -> Result<Vec<String>> {
    let groups = json!({ "logGroupNamePrefix": format!("/aws/lambda/{function}") });
    let groups = calls.call("logs", "describe_log_groups", &groups)?;
    let mut events = Vec::new();
    for group in groups["logGroups"].as_array().into_iter().flatten() {
        events.extend(group_events(calls, &group["logGroupName"])?);
    }
    events.sort_by_key(|event| event["timestamp"].as_i64());
    let messages = events.iter().filter_map(|event| event["message"].as_str());
    let own = messages.filter(|message| !LAMBDAS.iter().any(|word| message.starts_with(word)));
    Ok(own.map(str::to_owned).collect())
}

fn group_events(calls: &Calls, group: &Value) -> Result<Vec<Value>> {
    let mut events = Vec::new();
    let mut request = json!({ "logGroupName": group });
    loop {
        let mut page = calls.call("logs", "filter_log_events", &request)?;
        events.extend(page["events"].as_array_mut().map(std::mem::take).unwrap_or_default());
        match page["nextToken"].take() {
            Value::Null => return Ok(events),
            token => request["nextToken"] = token,
        }
    }
}
