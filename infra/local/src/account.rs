//! What an operator has in an account beside the stack: a key of their own, and the claim certificate that
//! devices leave the factory with.

use serde_json::{Value, json};

use crate::{
    calls::Calls,
    connection::Credentials,
    error::{Error, Result},
    home::Home,
    stack::Outputs,
};

const OPERATOR: &str = "operator";

/// Makes the operator: may edit the tables, put software into the bucket, read the functions' logs, and compare and mend
/// what AWS IoT has of the devices' certificates; nothing else.
pub(crate) fn operator(calls: &Calls, stack: &Outputs) -> Result<Credentials> {
    let policy = operator_policy(stack)?.to_string();
    calls.call("iam", "create_user", &json!({ "UserName": OPERATOR }))?;
    calls.call(
        "iam",
        "put_user_policy",
        &json!({ "UserName": OPERATOR, "PolicyName": OPERATOR, "PolicyDocument": policy }),
    )?;
    let key = calls.call("iam", "create_access_key", &json!({ "UserName": OPERATOR }))?;
    let access_key_id = text(&key["AccessKey"]["AccessKeyId"])?;
    let secret_access_key = text(&key["AccessKey"]["SecretAccessKey"])?;
    Ok(Credentials { access_key_id, secret_access_key })
}

fn operator_policy(stack: &Outputs) -> Result<Value> {
    let names =
        ["DevicesTableName", "FirmwareTableName", "JobsTableName", "ExecutionsTableName", "CertificatesTableName"];
    let tables = names.into_iter().map(|name| stack.get(name)).collect::<Result<Vec<_>>>()?;
    let indexes = tables.iter().map(|table| format!("{table}/index/*"));
    let tables = tables.iter().map(ToString::to_string).chain(indexes);
    let tables: Vec<_> = tables.map(|table| format!("arn:aws:dynamodb:*:*:table/{table}")).collect();
    let bucket = format!("arn:aws:s3:::{}", stack.get("FirmwareBucketName")?);
    let rows = json!({ "Effect": "Allow", "Resource": tables, "Action": [
        "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Query", "dynamodb:Scan",
        "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem", "dynamodb:BatchWriteItem",
    ] });
    let software = json!({ "Effect": "Allow", "Resource": [bucket, format!("{bucket}/*")], "Action": [
        "s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject",
        "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload",
    ] });
    let logs = json!({ "Effect": "Allow", "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/*", "Action": [
        "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents",
    ] });
    let certificates = json!({ "Effect": "Allow", "Resource": "*", "Action": [
        "iot:ListCertificates", "iot:ListThings", "iot:ListThingPrincipals", "iot:ListPrincipalThings",
        "iot:DescribeCertificate", "iot:UpdateCertificate", "iot:AttachThingPrincipal", "iot:DetachThingPrincipal",
        "iot:DeleteCertificate",
    ] });
    Ok(json!({ "Version": "2012-10-17", "Statement": [rows, software, logs, certificates] }))
}

/// Makes the claim certificate, into `claim.pem` and `claim.key`.
pub(crate) fn claim(calls: &Calls, stack: &Outputs, home: &Home) -> Result<()> {
    let claim = calls.call("iot", "create_keys_and_certificate", &json!({ "setAsActive": true }))?;
    let attachment = json!({ "policyName": stack.get("ClaimPolicyName")?, "target": claim["certificateArn"] });
    calls.call("iot", "attach_policy", &attachment)?;
    home.write("claim.pem", &text(&claim["certificatePem"])?)?;
    home.write("claim.key", &text(&claim["keyPair"]["PrivateKey"])?)?;
    Ok(())
}

fn text(value: &Value) -> Result<String> {
    let text = value.as_str().ok_or_else(|| Error::answer("an AWS call")("a field is missing"))?;
    Ok(text.to_owned())
}
