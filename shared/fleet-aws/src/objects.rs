//! The objects of S3 that hold software, each read as the one object that it was, never as what lies there later.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use fleet::software_row::{Location, Object};
use fleet::update::{PEEK_MAX, Peek, Range};
use ring::digest::{Context, SHA256};

use crate::clients::Clients;
use crate::failure::{Failure, causes};

const NAME: &str = "GetObject";

/// The objects that the account may read.
#[derive(Clone, Debug)]
pub struct Objects {
    client: Client,
}

impl Objects {
    /// The objects that `clients` may read.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        Self { client: clients.s3() }
    }

    /// What lies at `location`, in one call: which object, its size and its start; or that it still is `known`.
    ///
    /// # Errors
    /// [`Failure::Rejected`] if S3 will never give it.
    pub async fn peek(&self, location: &Location, known: Option<&Object>) -> Result<Peek, Failure> {
        let start = Range { offset: 0, length: PEEK_MAX };
        let etag = known.map(|known| known.etag.clone());
        let call = self.get(location).range(header(start)).set_if_none_match(etag);
        match call.send().await {
            Ok(output) => found(output).await,
            Err(error) => absent(&error),
        }
    }

    /// SHA-256 of an object, hex, in constant memory; `None` if it is no longer there.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn digest(&self, location: &Location, object: &Object) -> Result<Option<String>, Failure> {
        let Some(mut body) = unless_changed(self.get_exactly(location, object).send().await)? else {
            return Ok(None);
        };
        let mut context = Context::new(&SHA256);
        while let Some(bytes) = body.try_next().await.map_err(|error| interrupted(&error))? {
            context.update(&bytes);
        }
        Ok(Some(hex::encode(context.finish())))
    }

    /// Bytes of an object; `None` if it is no longer there.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn read(&self, location: &Location, object: &Object, range: Range) -> Result<Option<Vec<u8>>, Failure> {
        let call = self.get_exactly(location, object).range(header(range));
        match unless_changed(call.send().await)? {
            Some(body) => content(body).await.map(Some),
            None => Ok(None),
        }
    }

    /// A URL by which whoever has it can read the object, for `lifetime` at most: it ends with the credentials of
    /// the function that signed it. No call.
    ///
    /// # Errors
    /// A [`Failure::Fault`].
    pub async fn presign(&self, location: &Location, object: &Object, lifetime: Duration) -> Result<String, Failure> {
        let config = PresigningConfig::expires_in(lifetime)
            .map_err(|error| Failure::Fault(format!("failed to sign a URL: {error}")))?;
        // No condition on the ETag: it would be a header, which the device would have to send.
        let call = self.get(location).set_version_id(version(object));
        let request = call.presigned(config).await.map_err(|error| Failure::of("failed to sign a URL", &error))?;
        Ok(request.uri().to_owned())
    }

    fn get(&self, Location { bucket, file }: &Location) -> GetObjectFluentBuilder {
        self.client.get_object().bucket(bucket).key(file)
    }

    fn get_exactly(&self, location: &Location, object: &Object) -> GetObjectFluentBuilder {
        self.get(location).set_version_id(version(object)).if_match(&object.etag)
    }
}

fn version(object: &Object) -> Option<String> {
    Some(object.version.clone()).filter(|version| !version.is_empty())
}

fn header(Range { offset, length }: Range) -> String {
    format!("bytes={offset}-{}", offset + length - 1)
}

async fn found(output: GetObjectOutput) -> Result<Peek, Failure> {
    let unreadable = || Failure::Fault(format!("{NAME}: an answer without ETag or size"));
    let etag = output.e_tag.ok_or_else(unreadable)?;
    let object = Object { version: output.version_id.unwrap_or_default(), etag };
    // `bytes 0-131071/5000000`; a whole object may come without it.
    let total = output.content_range.as_deref().and_then(|range| range.rsplit('/').next()?.parse().ok());
    let length = output.content_length.and_then(|length| u64::try_from(length).ok());
    let size = total.or(length).ok_or_else(unreadable)?;
    if size == 0 {
        return Ok(Peek::Empty);
    }
    Ok(Peek::Found { object, size, start: content(output.body).await? })
}

/// What it means that there is nothing to read at a location.
fn absent(error: &SdkError<GetObjectError, HttpResponse>) -> Result<Peek, Failure> {
    match status(error) {
        304 => return Ok(Peek::Unchanged),
        // An empty object has no first byte to ask for.
        416 => return Ok(Peek::Empty),
        _ => {}
    }
    match error.code() {
        Some("NoSuchKey") => Ok(Peek::Missing),
        Some("AccessDenied" | "NoSuchBucket" | "InvalidBucketName" | "PermanentRedirect") => Ok(Peek::Forbidden),
        Some(code) if is_final(status(error), code) => Err(Failure::Rejected(Failure::of(NAME, error).to_string())),
        _ => Err(Failure::of(NAME, error).into_fault()),
    }
}

/// Whether S3 will give the same answer to the same request for as long as nobody mends row, bucket or key. What it
/// has against the function's clock, credentials or haste passes.
fn is_final(status: u16, code: &str) -> bool {
    const PASSING: [&str; 14] = [
        "Throttl",
        "SlowDown",
        "TooManyRequests",
        "RequestLimitExceeded",
        "RequestTime",
        "RequestExpired",
        "Expired",
        "InvalidToken",
        "TokenRefreshRequired",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "Timeout",
        "Internal",
        "Unavailable",
    ];
    matches!(status, 400 | 403 | 405) && !PASSING.iter().any(|part| code.contains(part))
}

type Got = Result<GetObjectOutput, SdkError<GetObjectError, HttpResponse>>;

/// The object's content; `None` if what lies there is another one, or nothing.
fn unless_changed(got: Got) -> Result<Option<ByteStream>, Failure> {
    match got {
        Ok(output) => Ok(Some(output.body)),
        // A version id that a hand has edited is an invalid argument.
        Err(error) if matches!(status(&error), 404 | 412 | 416) || error.code() == Some("InvalidArgument") => Ok(None),
        Err(error) => Err(Failure::of(NAME, &error).into_fault()),
    }
}

fn status(error: &SdkError<GetObjectError, HttpResponse>) -> u16 {
    error.raw_response().map_or(0, |response| response.status().as_u16())
}

async fn content(body: ByteStream) -> Result<Vec<u8>, Failure> {
    let bytes = body.collect().await.map_err(|error| interrupted(&error))?;
    Ok(bytes.to_vec())
}

fn interrupted(error: &dyn std::error::Error) -> Failure {
    Failure::Fault(format!("{NAME}: {}", causes(error)))
}
