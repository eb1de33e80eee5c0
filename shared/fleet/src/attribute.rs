//! The attributes of the tables' rows, each spelt once. "Operator" and "function" say who writes it.

/// Key of both tables: the device's id, or the software's name (operator).
pub const DEVICE: &str = "device";

// Bootstrapping_table_registration

/// Where the device stands: `false`, `requested`, `ok`, `blocked` or `revoked` (both).
pub const REGISTERED: &str = "registered";
/// Name of the IoT policy for the device's certificate (operator).
pub const POLICY: &str = "policy";
/// Name of the software that the device should run (operator).
pub const FIRMWARE: &str = "firmware";
/// JSON for the device; in a device's row its key `topic` is required (operator).
pub const PARAMETERS: &str = "parameters";
/// In a device's row: what the device says it runs (function). In a software's row: its version (operator).
pub const VERSION: &str = "version";
/// How often a registered device asked to be registered again (function).
pub const CONNECTIONS: &str = "connections";
/// Where set, a registration must carry a proof made with it (operator).
pub const SECRET: &str = "secret";
/// Certificates asked for since the last `false` (function).
pub const ATTEMPTS: &str = "attempts";
/// Trace id of the newest request that was taken up (function).
pub const REQUEST: &str = "request";
/// When IoT Core received the newest request, Unix time in milliseconds (function).
pub const REQUESTED_AT: &str = "requested_at";
/// Timestamp of the newest proof accepted, Unix time in milliseconds (function).
pub const PROOF_AT: &str = "proof_at";
/// When the function last heard the device, Unix time in milliseconds (function).
pub const LAST_SEEN: &str = "last_seen";
/// Id of the confirmed certificate (function).
pub const CERTIFICATE: &str = "certificate";
/// When it was confirmed, Unix time in milliseconds (function).
pub const CONFIRMED_AT: &str = "confirmed_at";
/// Id of the certificate that was handed out and not confirmed yet (function).
pub const CERTIFICATE_PENDING: &str = "certificate_pending";
/// SHA-256 of the CSR that the pending certificate was made from (function).
pub const CERTIFICATE_PENDING_CSR: &str = "certificate_pending_csr";
/// Ids of certificates that are being taken out of service (function).
pub const CERTIFICATES_RETIRING: &str = "certificates_retiring";
/// Why the row is `blocked` (function).
pub const BLOCKED_REASON: &str = "blocked_reason";
/// When the device reported its version, Unix time in milliseconds (function).
pub const VERSION_REPORTED_AT: &str = "version_reported_at";
/// What is wrong with the row, and since when (function).
pub const PROBLEM: &str = "problem";

// Devicemanager_update

/// Name of the S3 bucket that holds the software (operator).
pub const BUCKET: &str = "bucket";
/// Key of the software's object in the bucket (operator).
pub const FILE: &str = "file";
/// SHA-256 that the software must have, 64 hex digits (operator).
pub const SHA256: &str = "sha256";
/// Size that the software must have, in bytes (operator).
pub const SIZE: &str = "size";
/// `base64` (default) or `raw`: how software goes out in one message (operator).
pub const ENCODING: &str = "encoding";
/// `released` (default), `draft` or `withdrawn` (operator).
pub const STATE: &str = "state";
/// `true` allows a presigned URL for software that is too large for one message (operator).
pub const URL: &str = "url";
/// `true` allows devices to go back to this version from a later one (operator).
pub const ALLOW_DOWNGRADE: &str = "allow_downgrade";
/// Bucket and key of the object that was read and hashed last, as `bucket/key` (function).
pub const VERIFIED_FILE: &str = "verified_file";
/// Version and `ETag` of that object, as `version/etag` (function).
pub const VERIFIED_OBJECT: &str = "verified_object";
/// Size of that object in bytes (function).
pub const VERIFIED_SIZE: &str = "verified_size";
/// SHA-256 of that object (function).
pub const VERIFIED_SHA256: &str = "verified_sha256";
