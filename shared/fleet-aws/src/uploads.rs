//! Uploads to S3: what arrives is what was hashed, because S3 checks every part's hash.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, Length};
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use aws_smithy_types::timeout::TimeoutConfig;
use fleet::software_row::Location;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::clients::Clients;
use crate::failure::{Failure, causes};
use crate::source::{Part, Source};

/// Parts that are on their way at the same time.
const AT_ONCE: usize = 4;
/// The SDK gives up earlier where nothing moves; this is for a line that is merely slow.
const PART_TIMEOUT: Duration = Duration::from_mins(15);

/// Where uploads go.
#[derive(Clone, Debug)]
pub struct Uploads {
    client: Client,
}

/// A multipart upload that has begun.
struct Begun<'a> {
    to: &'a Location,
    id: String,
}

impl Uploads {
    /// Uploads by `clients`.
    #[must_use]
    pub fn new(clients: &Clients) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(5))
            .operation_attempt_timeout(PART_TIMEOUT)
            .build();
        Self { client: Client::from_conf(clients.s3_config().timeout_config(timeouts).build()) }
    }

    /// Puts a file where `to` says, in constant memory. `sent` is told how many bytes more have arrived.
    ///
    /// # Errors
    /// [`Failure::Missing`] if there is no such bucket. Nothing is left behind, as far as S3 can still be reached.
    pub async fn put(&self, to: &Location, source: &Source, sent: impl Fn(u64)) -> Result<(), Failure> {
        if let [whole] = source.parts.as_slice() {
            self.put_whole(to, source, whole).await?;
            sent(whole.length);
            return Ok(());
        }
        let begun = self.begin(to).await?;
        let put = async { self.finish(&begun, self.put_parts(&begun, source, &sent).await?).await };
        let result = put.await;
        if result.is_err() {
            // What is left is removed by the bucket's lifecycle if this fails too.
            let _ =
                self.client.abort_multipart_upload().bucket(&to.bucket).key(&to.file).upload_id(&begun.id).send().await;
        }
        result
    }

    async fn put_whole(&self, to: &Location, source: &Source, whole: &Part) -> Result<(), Failure> {
        let call = self.client.put_object().bucket(&to.bucket).key(&to.file).checksum_sha256(&whole.sha256);
        let result = call.body(body(source, whole).await?).send().await;
        result.map(|_| ()).map_err(|error| Failure::of("PutObject", &error))
    }

    async fn begin<'a>(&self, to: &'a Location) -> Result<Begun<'a>, Failure> {
        const NAME: &str = "CreateMultipartUpload";
        let call = self.client.create_multipart_upload().bucket(&to.bucket).key(&to.file);
        let output = call.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
        let output = output.map_err(|error| Failure::of(NAME, &error))?;
        let id = output.upload_id.ok_or_else(|| Failure::Fault(format!("{NAME}: an answer without an id")))?;
        Ok(Begun { to, id })
    }

    async fn put_parts(
        &self,
        begun: &Begun<'_>,
        source: &Source,
        sent: &impl Fn(u64),
    ) -> Result<Vec<CompletedPart>, Failure> {
        let put = |(number, part)| async move {
            let done = self.put_part(begun, source, part, number).await?;
            sent(part.length);
            Ok(done)
        };
        stream::iter((1..).zip(&source.parts)).map(put).buffered(AT_ONCE).try_collect().await
    }

    async fn put_part(
        &self,
        Begun { to, id }: &Begun<'_>,
        source: &Source,
        part: &Part,
        number: i32,
    ) -> Result<CompletedPart, Failure> {
        let call = self.client.upload_part().bucket(&to.bucket).key(&to.file).upload_id(id).part_number(number);
        let call = call.checksum_sha256(&part.sha256).body(body(source, part).await?);
        let output = call.send().await.map_err(|error| Failure::of("UploadPart", &error))?;
        let done = CompletedPart::builder().part_number(number).set_e_tag(output.e_tag);
        Ok(done.checksum_sha256(&part.sha256).build())
    }

    async fn finish(&self, Begun { to, id }: &Begun<'_>, parts: Vec<CompletedPart>) -> Result<(), Failure> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let call = self.client.complete_multipart_upload().bucket(&to.bucket).key(&to.file).upload_id(id);
        let result = call.multipart_upload(parts).send().await;
        result.map(|_| ()).map_err(|error| Failure::of("CompleteMultipartUpload", &error))
    }
}

/// A part of the file, read while it is sent.
async fn body(source: &Source, part: &Part) -> Result<ByteStream, Failure> {
    let reading = ByteStream::read_from().path(&source.path).offset(part.offset).length(Length::Exact(part.length));
    reading.build().await.map_err(|error| Failure::Fault(format!("failed to read the file again: {}", causes(&error))))
}
