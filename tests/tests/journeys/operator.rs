//! The operator of the journeys: a local cloud, its rows, software and certificates by hand, and its logs.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use fleet_device::{Credentials, PrivateKey};
use local::{Cloud, Error, Issuer, Options};
use serde_json::{Value as Json, json};
use tokio::time::sleep;

use crate::plain;

/// How long anything may take that a journey waits for; on an idle machine nothing takes a tenth of it.
pub const DEADLINE: Duration = Duration::from_secs(30);
/// What no call tells when it happens is looked for so often.
const LOOK_EVERY: Duration = Duration::from_millis(50);

static USUAL: LazyLock<Cloud> = LazyLock::new(|| start(Options::apart("journeys")));

/// Every parameter of the template that changes what devices are told, other than by default.
static OTHER: LazyLock<Cloud> = LazyLock::new(|| {
    let options = Options::apart("journeys-other").parameter("ServerMadeKeys", "refused");
    start(options.parameter("ConfirmationPrincipal", "any").parameter("AttemptsLimit", "2"))
});

/// How long the certificate before works once the next one is confirmed, on the clouds where certificates are renewed.
pub const GRACE: Duration = Duration::from_secs(5);

static PRIVATE_CA: LazyLock<Cloud> = LazyLock::new(|| start(renewing("journeys-private-ca").issuer(Issuer::PrivateCa)));
static AWS_IOT: LazyLock<Cloud> = LazyLock::new(|| start(renewing("journeys-aws-iot")));

fn renewing(name: &str) -> Options {
    Options::apart(name).parameter("GraceSeconds", &GRACE.as_secs().to_string())
}

/// Starts a cloud; the one of a run that has just ended may take a moment to end as well.
fn start(options: Options) -> Cloud {
    let (options, begin) = (options.environment("LAMBDA_ASYNC_RETRY_BASE_SECONDS", "0.01"), Instant::now());
    loop {
        match Cloud::start_blocking(&options) {
            Err(Error::RunsAlready(_)) if begin.elapsed() < DEADLINE => std::thread::sleep(LOOK_EVERY),
            started => return started.unwrap(),
        }
    }
}

/// Who edits the rows of a local cloud, and may look everywhere.
#[derive(Clone, Copy)]
pub struct Operator(pub &'static Cloud);

impl Operator {
    /// Of the cloud that all journeys share.
    pub fn usual() -> Self {
        Self(&USUAL)
    }

    /// Of a cloud that makes no keys, takes confirmations over any certificate and allows two attempts.
    pub fn other() -> Self {
        Self(&OTHER)
    }

    /// Of a cloud whose certificates are of the Private CA.
    pub fn private_ca() -> Self {
        Self(&PRIVATE_CA)
    }

    /// Of a cloud whose certificates are of AWS IoT, and where renewals are as quick.
    pub fn aws_iot() -> Self {
        Self(&AWS_IOT)
    }

    /// Any AWS call, by the names of the SDK for Python.
    pub async fn call(self, service: &str, operation: &str, parameters: Json) -> Json {
        self.0.call(service, operation, parameters).await.unwrap()
    }

    /// Lists a device that may register. `attributes` come on top of what every row has; null takes one away.
    pub async fn list(self, device: &str, attributes: Json) {
        let mut row = self.good_row(device);
        merge(&mut row, json!({ "device": device }));
        merge(&mut row, attributes);
        self.put(&self.0.connection().tables.devices, &row).await;
    }

    /// Makes a device's row right again, and leaves alone what the functions wrote.
    pub async fn mend(self, device: &str) {
        let mut row = self.good_row(device);
        merge(&mut row, json!({ "secret": null }));
        self.edit(device, row).await;
    }

    fn good_row(self, device: &str) -> Json {
        let parameters = format!(r#"{{"topic": "{device}/data"}}"#);
        json!({ "registered": false, "policy": self.0.connection().device_policy, "parameters": parameters })
    }

    /// Writes the row of a software whose object is `file`. `attributes` come on top; null takes one away.
    pub async fn release(self, name: &str, file: &str, attributes: Json) {
        let connection = self.0.connection();
        let mut row = json!({ "device": name, "bucket": connection.bucket, "file": file });
        merge(&mut row, attributes);
        self.put(&connection.tables.firmware, &row).await;
    }

    /// Writes a row as a whole.
    pub async fn put(self, table: &str, row: &Json) {
        self.call("dynamodb", "put_item", json!({ "TableName": table, "Item": plain::item(row) })).await;
    }

    /// Sets attributes of a device's row; null removes one.
    pub async fn edit(self, device: &str, attributes: Json) {
        let key = json!({ "device": { "S": device } });
        self.edit_row(&self.0.connection().tables.devices, key, attributes).await;
    }

    /// Sets attributes of a row; null removes one.
    pub async fn edit_row(self, table: &str, key: Json, attributes: Json) {
        let changes = attributes.as_object().unwrap().iter().map(|(name, value)| {
            let change = match value {
                Json::Null => json!({ "Action": "DELETE" }),
                value => json!({ "Action": "PUT", "Value": plain::attribute(value) }),
            };
            (name.clone(), change)
        });
        let changes = Json::Object(changes.collect());
        self.call("dynamodb", "update_item", json!({ "TableName": table, "Key": key, "AttributeUpdates": changes }))
            .await;
    }

    /// Puts an object into the bucket.
    pub async fn upload(self, file: &str, content: &[u8]) {
        let put = self.0.s3().put_object().bucket(&self.0.connection().bucket).key(file);
        put.body(content.to_vec().into()).send().await.unwrap();
    }

    /// A device's row, as plain JSON; empty where there is none.
    pub async fn row(self, device: &str) -> Json {
        self.read(&self.0.connection().tables.devices, device).await
    }

    /// A certificate's card.
    pub async fn card(self, certificate: &str) -> Json {
        let key = json!({ "certificate": { "S": certificate } });
        self.read_row(&self.0.connection().tables.certificates, key).await
    }

    /// A software's row.
    pub async fn software(self, name: &str) -> Json {
        self.read(&self.0.connection().tables.firmware, name).await
    }

    async fn read(self, table: &str, key: &str) -> Json {
        self.read_row(table, json!({ "device": { "S": key } })).await
    }

    /// A row, as plain JSON; empty where there is none.
    pub async fn read_row(self, table: &str, key: Json) -> Json {
        let get = json!({ "TableName": table, "Key": key, "ConsistentRead": true });
        plain::row(&self.call("dynamodb", "get_item", get).await["Item"])
    }

    /// A device's row, once it is as `wanted`.
    pub async fn row_once(self, device: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        eventually(async || self.row(device).await, wanted).await
    }

    /// A software's row, once it is as `wanted`.
    pub async fn software_once(self, name: &str, wanted: impl Fn(&Json) -> bool) -> Json {
        eventually(async || self.software(name).await, wanted).await
    }

    /// A certificate with a key, active, attached to no thing, under `policy`.
    pub async fn certificate(self, policy: &str) -> Credentials {
        let made = self.call("iot", "create_keys_and_certificate", json!({ "setAsActive": true })).await;
        let attachment = json!({ "policyName": policy, "target": made["certificateArn"] });
        self.call("iot", "attach_policy", attachment).await;
        let text = |value: &Json| value.as_str().unwrap().to_owned();
        Credentials::pair(PrivateKey::new(text(&made["keyPair"]["PrivateKey"])), text(&made["certificatePem"])).unwrap()
    }

    /// A policy that allows everything: what a stack must not depend on.
    pub async fn permissive_policy(self, name: &str) -> String {
        let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "iot:*", "Resource": "*" }] });
        let policy = json!({ "policyName": name, "policyDocument": document.to_string() });
        self.call("iot", "create_policy", policy).await;
        name.to_owned()
    }

    /// Whether IoT Core knows a thing of this name.
    pub async fn has_thing(self, device: &str) -> bool {
        self.0.call("iot", "describe_thing", json!({ "thingName": device })).await.is_ok()
    }

    /// Ids of the certificates that are attached to the device's thing.
    pub async fn certificates(self, device: &str) -> Vec<String> {
        let principals = self.call("iot", "list_thing_principals", json!({ "thingName": device })).await;
        let arns = principals["principals"].as_array().unwrap().iter().map(|arn| arn.as_str().unwrap());
        arns.map(|arn| arn.rsplit('/').next().unwrap().to_owned()).collect()
    }

    /// Whether IoT Core has a certificate of this id.
    pub async fn has_certificate(self, id: &str) -> bool {
        self.0.call("iot", "describe_certificate", json!({ "certificateId": id })).await.is_ok()
    }

    /// The lines that registration, renewal and the device manager wrote about what the client `id` sent, once there are
    /// `count`. A fault is never among them.
    pub async fn lines(self, id: &str, count: usize) -> Vec<Json> {
        let lines = eventually(async || self.lines_now(id).await, |lines| lines.len() >= count).await;
        assert_eq!(lines.len(), count, "one line an event: {lines:#?}");
        assert!(lines.iter().all(|line| line["level"] != "ERROR"), "no fault: {lines:#?}");
        lines
    }

    /// The same, whichever there are.
    pub async fn lines_now(self, id: &str) -> Vec<Json> {
        let mut lines = Vec::new();
        for function in ["RegistrationFunctionName", "CertificateRenewalFunctionName", "DeviceManagerFunctionName"] {
            let group = format!("/aws/lambda/{}", self.0.output(function).unwrap());
            let filter = json!({ "logGroupName": group, "filterPattern": format!("\"{id}\"") });
            let found = self.call("logs", "filter_log_events", filter).await;
            let texts = found["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap());
            lines.extend(
                texts.map(|text| serde_json::from_str::<Json>(text).unwrap_or_else(|_| panic!("no JSON: {text}"))),
            );
        }
        lines.retain(|line| line["client_id"] == *id);
        lines
    }
}

/// What `look` finds, once it is as `wanted`: for what nobody tells when it happens.
pub async fn eventually<T: std::fmt::Debug>(look: impl AsyncFn() -> T, wanted: impl Fn(&T) -> bool) -> T {
    let begin = Instant::now();
    loop {
        let found = look().await;
        if wanted(&found) {
            return found;
        }
        assert!(begin.elapsed() < DEADLINE, "waited in vain, found {found:#?}");
        sleep(LOOK_EVERY).await;
    }
}

fn merge(row: &mut Json, attributes: Json) {
    let Json::Object(attributes) = attributes else { panic!("attributes are an object") };
    row.as_object_mut().unwrap().extend(attributes);
}
