//! Deploys the template as `sam deploy` does: package, upload, create the stack, read its outputs.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    calls::{Calls, script_as_root},
    error::{Error, Result},
    functions,
    options::{Issuer, Options},
    private_ca::PrivateCa,
    python::Python,
    run::output,
    template::Template,
};

const NAME: &str = "fleetwake";
const ARTIFACTS: &str = "fleetwake-artifacts";
const TEMPLATE: &str = "template.yaml";
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A template whose functions are built.
pub(crate) struct Built {
    template: Template,
    functions: Vec<crate::template::Function>,
    binaries: Vec<String>,
    local: PathBuf,
}

impl Built {
    /// Reads the template and builds its functions.
    pub(crate) fn from(options: &Options) -> Result<Self> {
        let template = Template::read(&options.template)?;
        let functions = template.functions()?;
        let folders: Vec<_> = functions.iter().map(|function| function.folder.as_path()).collect();
        let (executables, local) = functions::build(&folders, &options.progress)?;
        let packages = functions.iter().map(|function| match executables.get(&function.folder) {
            Some(executable) => Ok(format!("{}={}", function.logical_id, executable.display())),
            None => Err(Error::Template(format!("cargo built no binary for {}", function.logical_id))),
        });
        let binaries = packages.collect::<Result<_>>()?;
        Ok(Self { template, functions, binaries, local })
    }

    /// The program of `cargo local`, built beside the functions.
    pub(crate) fn local(&self) -> &Path {
        &self.local
    }

    /// Uploads the functions and creates the stack; gives its outputs.
    pub(crate) fn deploy(
        self,
        python: &Python,
        endpoint: &str,
        calls: &Calls,
        private_ca: &PrivateCa,
        options: &Options,
    ) -> Result<Outputs> {
        options.progress.step("deploying the template");
        output(script_as_root(python, "package.py", endpoint).arg(ARTIFACTS).args(&self.binaries))?;
        let parameters = self.parameters(private_ca, options);
        let body = self.template.packaged(ARTIFACTS, &self.functions)?;
        let url = upload(calls, endpoint, &body)?;
        let capabilities = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
        let request =
            json!({ "StackName": NAME, "TemplateURL": url, "Parameters": parameters, "Capabilities": capabilities });
        calls.call("cloudformation", "create_stack", &request)?;
        created(calls)
    }

    /// The parameters of the stack: who issues certificates, and what the caller overrides.
    fn parameters(&self, private_ca: &PrivateCa, options: &Options) -> Vec<Value> {
        let issuer = [("CertificateIssuer", "private-ca"), ("PrivateCaArn", &private_ca.arn)];
        let issuer = issuer.into_iter().filter(|_| options.issuer == Issuer::PrivateCa);
        // A template of a test's own may know one issuer only.
        let issuer = issuer.filter(|(name, _)| self.template.has_parameter(name));
        let mut parameters: BTreeMap<&str, &str> = issuer.collect();
        parameters.extend(options.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let parameter = |(name, value)| json!({ "ParameterKey": name, "ParameterValue": value });
        parameters.into_iter().map(parameter).collect()
    }
}

/// Uploads the template: `CloudFormation` takes 51,200 bytes of one in a request.
fn upload(calls: &Calls, endpoint: &str, template: &str) -> Result<String> {
    calls.call("s3", "put_object", &json!({ "Bucket": ARTIFACTS, "Key": TEMPLATE, "Body": template }))?;
    Ok(format!("{endpoint}/{ARTIFACTS}/{TEMPLATE}"))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stack {
    stack_status: String,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Output {
    output_key: String,
    output_value: String,
}

/// The outputs of the stack.
#[derive(Clone, Debug)]
pub(crate) struct Outputs(BTreeMap<String, String>);

impl Outputs {
    /// An output that the template must have.
    pub(crate) fn get(&self, name: &str) -> Result<&str> {
        let output = self.0.get(name).ok_or_else(|| Error::Template(format!("it has no output {name}")))?;
        Ok(output)
    }
}

/// Waits for the end of the creation: a stack tells nobody when it is done.
fn created(calls: &Calls) -> Result<Outputs> {
    loop {
        let mut answer = calls.call("cloudformation", "describe_stacks", &json!({ "StackName": NAME }))?;
        let stack: Stack =
            serde_json::from_value(answer["Stacks"][0].take()).map_err(Error::answer("CloudFormation"))?;
        match stack.stack_status.as_str() {
            "CREATE_COMPLETE" => {
                let outputs = stack.outputs.into_iter().map(|output| (output.output_key, output.output_value));
                return Ok(Outputs(outputs.collect()));
            }
            "CREATE_IN_PROGRESS" | "ROLLBACK_IN_PROGRESS" => thread::sleep(LOOK_EVERY),
            _ => return Err(Error::Stack(reasons(calls)?)),
        }
    }
}

fn reasons(calls: &Calls) -> Result<String> {
    let events = calls.call("cloudformation", "describe_stack_events", &json!({ "StackName": NAME }))?;
    let failed = events["StackEvents"].as_array().into_iter().flatten().rev().filter_map(failure);
    Ok(failed.collect::<Vec<_>>().join("\n"))
}

fn failure(event: &Value) -> Option<String> {
    let status = event["ResourceStatus"].as_str()?;
    let reason = event["ResourceStatusReason"].as_str()?;
    status.ends_with("FAILED").then(|| format!("{}: {reason}", event["LogicalResourceId"].as_str().unwrap_or_default()))
}
