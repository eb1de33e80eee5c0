//! The attributes of the tables' rows, each spelt once. "Operator" and "function" say who writes it.

/// Key of a device's row, of a release's row and, with [`JOB`], of an execution: the device's id, or the release's
/// name (operator).
pub const DEVICE: &str = "device";
/// Key of a job's row and, with [`DEVICE`], of an execution (operator). In a device's row: the job in which the
/// device holds a slot (function).
pub const JOB: &str = "job";

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
/// Trace id of the newest request, or in an execution of the newest report, that was taken up (function).
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
/// When the device is to ask for the certificate after the confirmed one, Unix time in milliseconds (function).
pub const CERTIFICATE_RENEW_AT: &str = "certificate_renew_at";
/// Until when the confirmed certificate is valid, Unix time in milliseconds (function).
pub const CERTIFICATE_NOT_AFTER: &str = "certificate_not_after";
/// When the device will have to ask for the certificate after the pending one, Unix time in milliseconds (function).
pub const CERTIFICATE_PENDING_RENEW_AT: &str = "certificate_pending_renew_at";
/// Until when the pending certificate is valid, Unix time in milliseconds (function).
pub const CERTIFICATE_PENDING_NOT_AFTER: &str = "certificate_pending_not_after";
/// Id of the certificate before the confirmed one, which still works (function).
pub const CERTIFICATE_PREVIOUS: &str = "certificate_previous";
/// Until when it works, Unix time in milliseconds (function).
pub const CERTIFICATE_PREVIOUS_UNTIL: &str = "certificate_previous_until";
/// Id of the certificate whose key somebody else may have, as the device said (function).
pub const CERTIFICATE_COMPROMISED: &str = "certificate_compromised";
/// Certificates that the device asked for since it confirmed one (function).
pub const RENEWALS: &str = "renewals";
/// When IoT Core received the newest request for a renewal that was taken up, Unix time in milliseconds (function).
pub const RENEWAL_REQUESTED_AT: &str = "renewal_requested_at";
/// How long certificates of the device are to be valid, instead of the stack's validity (operator).
pub const VALIDITY: &str = "validity";
/// `true` has the device renew its certificate now (operator); gone once it has (function).
pub const RENEW: &str = "renew";
/// `true` lets the device have a new certificate although its own has expired (operator).
pub const RENEW_AFTER_EXPIRY: &str = "renew_after_expiry";
/// Why the device's certificates are revoked, by RFC 5280's names (operator).
pub const REVOCATION_REASON: &str = "revocation_reason";
/// How far the revocation of a device that is `revoked` has come (function).
pub const REVOCATION: &str = "revocation";
/// The product that the device's row was made from, and whose secret it proves (function).
pub const PRODUCT: &str = "product";
/// Most devices of a product that may be taken in on one day, UTC (operator).
pub const DAILY_LIMIT: &str = "daily_limit";
/// The day of which `new_devices` counts, UTC, as `2026-11-21` (function).
pub const COUNTED_DAY: &str = "counted_day";
/// Devices of the product that were taken in on that day (function).
pub const NEW_DEVICES: &str = "new_devices";
/// Ids of certificates that are being taken out of service (function).
pub const CERTIFICATES_RETIRING: &str = "certificates_retiring";
/// Why the row is `blocked` (function).
pub const BLOCKED_REASON: &str = "blocked_reason";
/// When the device reported its version, Unix time in milliseconds (function).
pub const VERSION_REPORTED_AT: &str = "version_reported_at";
/// What is wrong with the row, and since when (function).
pub const PROBLEM: &str = "problem";
/// Name by which jobs choose devices (operator).
pub const GROUP: &str = "group";
/// Names by which jobs choose devices: a set, a list, or text separated by commas (operator).
pub const TAGS: &str = "tags";
/// Key of the release that a job is bringing the device to, while it holds a slot (function).
pub const UPGRADE: &str = "upgrade";
/// Key of the release that a job has brought the device to (function).
pub const RELEASE: &str = "release";
/// What the device runs, as `firmware/version` (function).
pub const RUNNING: &str = "running";
/// The part of the inventory index that the device is in (function).
pub const INVENTORY: &str = "inventory";

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
/// Base64 of the Ed25519 signature over the release's canonical manifest (operator).
pub const SIGNATURE: &str = "signature";
/// Earliest version from which a device may go to this one (operator).
pub const MINIMUM_VERSION: &str = "minimum_version";

// Devicemanager_ota_jobs

/// Which devices a job is for (operator).
pub const TARGETS: &str = "targets";
/// `true` takes in devices that come later, too (operator).
pub const OPEN: &str = "open";
/// `push` (default) or `request` (operator).
pub const MODE: &str = "mode";
/// When the rollout starts at the earliest, RFC 3339 (operator).
pub const START_AT: &str = "start_at";
/// When it ends at the latest, RFC 3339 (operator).
pub const END_AT: &str = "end_at";
/// When devices may be started, `Mon-Fri 22:00-04:00 Europe/Berlin` (operator).
pub const WINDOW: &str = "window";
/// How many devices go first and alone, until an operator approves (operator).
pub const VERIFY: &str = "verify";
/// The groups of the rollout, one after another (operator).
pub const GROUPS: &str = "groups";
/// Per cent of a group that must succeed before the next one starts (operator).
pub const SUCCESS_THRESHOLD: &str = "success_threshold";
/// Per cent of failures that stop the rollout (operator).
pub const ERROR_THRESHOLD: &str = "error_threshold";
/// Fewest results that a rollout is stopped by (operator).
pub const MINIMUM_SAMPLE: &str = "minimum_sample";
/// Most devices that are being upgraded at once (operator).
pub const AT_ONCE: &str = "at_once";
/// Most devices that are started in a minute (operator).
pub const PER_MINUTE: &str = "per_minute";
/// How long one attempt of one device may take (operator).
pub const TIMEOUT: &str = "timeout";
/// How long a device that was told may be silent before it counts as not there (operator).
pub const ANSWER_WITHIN: &str = "answer_within";
/// How often a device that failed is tried again (operator).
pub const RETRIES: &str = "retries";
/// How long a device that failed is left in peace (operator).
pub const RETRY_AFTER: &str = "retry_after";
/// How the rollout goes: counters, groups, the release it is pinned to (function).
pub const PROGRESS: &str = "progress";
/// How many devices are in which state, by AWS's words (function).
pub const COUNTS: &str = "counts";
/// Number of the newest write of a function; each builds on the one before (function).
pub const REVISION: &str = "revision";
/// Why the job is paused, stopped or done; why an execution ended as it did (function).
pub const REASON: &str = "reason";
/// When a function left off with work to do: it goes on at once (function).
pub const CONTINUE_AT: &str = "continue_at";

// Devicemanager_ota_executions; all of it is the functions'

/// Where the device stands in the job, finer than `state`.
pub const STANDING: &str = "standing";
/// The standing as the job's counters have it; absent while they do not.
pub const COUNTED: &str = "counted";
/// Furthest percentage or failure code that the device has reported in this attempt.
pub const STEP: &str = "step";
/// Number of the attempt, from 1.
pub const ATTEMPT: &str = "attempt";
/// When the device was taken into the job, Unix time in milliseconds.
pub const QUEUED_AT: &str = "queued_at";
/// When it got its slot, Unix time in milliseconds.
pub const GRANTED_AT: &str = "granted_at";
/// When its first report of the attempt came, Unix time in milliseconds.
pub const BEGUN_AT: &str = "begun_at";
/// When its newest report came, Unix time in milliseconds.
pub const REPORTED_AT: &str = "reported_at";
/// When its standing became final, Unix time in milliseconds.
pub const ENDED_AT: &str = "ended_at";
/// When it came and asked for its upgrade, Unix time in milliseconds; absent once it was answered.
pub const ASKED_AT: &str = "asked_at";
/// By what it asked: `request` or `version`.
pub const ASKED_FOR: &str = "asked_for";
/// When it may be tried again at the earliest, Unix time in milliseconds.
pub const DUE: &str = "due";
/// Part of the index that it is in.
pub const SHARD: &str = "shard";
/// Where in that part: what is to be done with it, and when.
pub const PLACE: &str = "place";

// Bootstrapping_certificates; all of it is the functions'. Its key is [`CERTIFICATE`], and it has [`DEVICE`], [`STATE`],
// [`REASON`], [`CONFIRMED_AT`], [`ENDED_AT`], and [`SHARD`] and [`PLACE`] while something is to be done with it.

/// Serial number, hex.
pub const SERIAL: &str = "serial";
/// Who issued it: `aws-iot`, or the ARN of a private certificate authority.
pub const ISSUER: &str = "issuer";
/// When it was issued, Unix time in milliseconds.
pub const ISSUED_AT: &str = "issued_at";
/// From when it is valid, Unix time in milliseconds.
pub const NOT_BEFORE: &str = "not_before";
/// Until when it is valid, Unix time in milliseconds.
pub const NOT_AFTER: &str = "not_after";
/// When its device is to ask for the next one, Unix time in milliseconds.
pub const RENEW_AT: &str = "renew_at";
/// SHA-256 of its public key, as the certificate has it, hex.
pub const PUBLIC_KEY: &str = "public_key";
/// When the authority revoked it, Unix time in milliseconds.
pub const REVOKED_AT: &str = "revoked_at";
/// When the device was last reminded, Unix time in milliseconds.
pub const REMINDED_AT: &str = "reminded_at";
/// How long the function has waited before it tries again what had failed, in milliseconds.
pub const AGAIN_AFTER: &str = "again_after";
