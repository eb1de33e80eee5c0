//! What a device tells about itself on the way, and why it may have to stop.

use std::fmt;
use std::time::Duration;

use fleet::Millis;
use fleet::id::CertificateId;
use fleet::refusal::ErrorMessage;
use fleet::text::rfc3339;
use fleet::version::Version;

/// A step that a person who watches wants to see.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Connects with the claim certificate.
    ConnectingByClaim,
    /// Connects with its own certificate.
    ConnectingAsItself,
    /// Asks for an identity.
    Registering,
    /// Has a certificate of its own.
    Registered {
        /// Its id.
        certificate_id: Option<CertificateId>,
    },
    /// The cloud has taken the certificate for the device's own.
    Confirmed,
    /// Asks for its next certificate.
    Renewing,
    /// The cloud has taken the next certificate for the device's own.
    Renewed {
        /// Its id.
        certificate_id: Option<CertificateId>,
        /// From when on it is to be renewed, Unix time in milliseconds, by the cloud's clock.
        next: Option<Millis>,
    },
    /// There is no next certificate yet; the current one goes on.
    NotRenewed {
        /// Why.
        because: String,
        /// When it tries again.
        delay: Duration,
    },
    /// The disk does not take what the device has learnt: it goes on with it, and stores it with what it learns next.
    NotStored {
        /// Why.
        because: String,
    },
    /// Asks for software.
    AskingForSoftware,
    /// Software is on its way.
    Downloading {
        /// Bytes on disk.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// The software's URL does not serve; the device fetches blocks instead.
    UrlFailed {
        /// Why.
        because: String,
    },
    /// A job brings an upgrade.
    Upgrading {
        /// The job.
        job: String,
        /// The version to run.
        version: Version,
    },
    /// The software is complete; it is verified, confirmed and handed to the hook.
    Installing {
        /// Its version.
        version: Option<Version>,
    },
    /// The hook has taken the software.
    Applied {
        /// Its version.
        version: Option<Version>,
    },
    /// Nothing to do.
    UpToDate {
        /// What runs.
        version: Option<Version>,
    },
    /// The software that was offered is not taken.
    NotTaken {
        /// Why.
        because: String,
    },
    /// The cloud said no.
    Refused(ErrorMessage),
    /// Something went wrong that time may cure.
    Waiting {
        /// What.
        because: String,
        /// How long.
        delay: Duration,
    },
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ConnectingByClaim => f.write_str("connecting with the claim certificate"),
            Self::ConnectingAsItself => f.write_str("connecting with its own certificate"),
            Self::Registering => f.write_str("asking for an identity"),
            Self::Registered { certificate_id: Some(id) } => write!(f, "got certificate {id}"),
            Self::Registered { certificate_id: None } => f.write_str("got a certificate"),
            Self::Confirmed => f.write_str("the cloud confirmed the certificate"),
            Self::Renewing => f.write_str("asking for its next certificate"),
            Self::Renewed { certificate_id, next } => {
                f.write_str("renewed its certificate")?;
                certificate_id.as_ref().map_or(Ok(()), |id| write!(f, ": {id}"))?;
                next.map_or(Ok(()), |next| write!(f, ", next from {}", rfc3339(next)))
            }
            Self::NotRenewed { because, delay } => {
                write!(f, "not renewed, trying again in {:.0} s: {because}", delay.as_secs_f32())
            }
            Self::NotStored { because } => write!(f, "not stored yet: {because}"),
            Self::AskingForSoftware => f.write_str("asking for software"),
            Self::Downloading { done, total } => write!(f, "has {done} of {total} bytes"),
            Self::UrlFailed { because } => write!(f, "fetching blocks, for the url failed: {because}"),
            Self::Upgrading { job, version } => write!(f, "upgrading to version {version} for job {job}"),
            Self::Installing { version } => write!(f, "installing{}", Named(version.as_ref())),
            Self::Applied { version } => write!(f, "applied{}", Named(version.as_ref())),
            Self::UpToDate { version } => write!(f, "up to date{}", Named(version.as_ref())),
            Self::NotTaken { because } => write!(f, "the software is not taken: {because}"),
            Self::Refused(error) => write!(f, "refused: {}: {}", error.code.as_str(), error.message),
            Self::Waiting { because, delay } => write!(f, "waiting {:.1} s: {because}", delay.as_secs_f32()),
        }
    }
}

/// ` (version 2)`, or nothing.
struct Named<'a>(Option<&'a Version>);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |version| write!(f, " (version {version})"))
    }
}

/// Why a device stopped before it was up to date. What it remembers is intact: started again, it goes on.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Failure {
    /// The cloud refused, and trying again does not help, or not soon enough.
    #[error("the cloud refused: {}: {}", .0.code.as_str(), .0.message)]
    Refused(ErrorMessage),
    /// The broker does not take the certificate.
    #[error("the broker refused the certificate: {0}")]
    CertificateRefused(String),
    /// The broker cannot be reached.
    #[error("no connection: {0}")]
    Unreachable(String),
    /// The cloud does not answer.
    #[error("the cloud did not answer on {0}")]
    Unanswered(String),
    /// The disk did not take the next key, or the certificate for it.
    #[error("the next certificate could not be stored: {0}")]
    NotStored(String),
    /// What came is not what the manifest describes.
    #[error("the software is not what its manifest describes: {0}")]
    Corrupt(String),
    /// The software is not one that this device takes: by its signature, or by its version.
    #[error("the software is not acceptable: {0}")]
    Unacceptable(String),
    /// The software could not be fetched.
    #[error("the software could not be fetched: {0}")]
    NotFetched(String),
    /// The disk did not take the software.
    #[error("the software could not be written: {0}")]
    NotWritten(String),
    /// The device's owner does not want the software.
    #[error("the owner declined the software")]
    Declined,
    /// The hook did not take the software.
    #[error("the software could not be applied: {0}")]
    NotApplied(String),
}

impl Failure {
    /// What `ota/progress` calls it.
    ///
    /// Source: DECADA (`EnOS`), the meaning of `step`.
    #[must_use]
    pub const fn step(&self) -> i32 {
        match self {
            Self::NotFetched(_) => -2,
            Self::Corrupt(_) | Self::Unacceptable(_) => -3,
            Self::NotWritten(_) => -4,
            Self::Declined => -5,
            _ => -1,
        }
    }
}
